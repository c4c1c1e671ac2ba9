//! CREATE MATERIALIZED VIEW and REFRESH MATERIALIZED VIEW: a table that holds the answer of a query.
//!
//! M1: a refresh is a commit like any other: it ends the rows that the query does not answer any more and appends those it answers now. A row that it
//!     answers again stays as it is, with its receipt; CONCURRENTLY or not.
//! M2: the query is asked in the role of the view's owner, whoever asks for the refresh.
//! M3: of two refreshes at once, or one beside a change of the view, one loses (40001).
//! Never: keeps rows of an unpopulated view; refreshes by itself.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::row::{RowConverter, SortField};
use base::{RelationId, RowId, SqlError, SqlResult, SqlState};
use engine::{Materialized, Object, Reads, Rules, TableDef};
use relational::Shape;
use sqlparser::ast::{CreateTableOptions, CreateView, ObjectName, Query};

use super::create_table::{self, Target};
use super::table_draft::Draft;
use super::{Described, Execution, Planned, Planning, create_table_as, create_view};
use crate::names::{Name, fold};
use crate::outcome::{Column, Outcome, Tag};
use crate::refresh_syntax::Refresh;
use crate::resolver::undefined_table;
use crate::tables::{arrow_error, row_ids};

/// A view that is to be made.
#[derive(Debug)]
pub(crate) struct Create {
    pub(crate) name: ObjectName,
    if_not_exists: bool,
    no_data: bool,
    text: String,
    reads: Reads,
    shape: Arc<Shape>,
    columns: Vec<Column>,
}

/// A view that is to hold its query's answer of now, or none.
#[derive(Debug)]
pub(crate) struct Refreshing {
    pub(crate) name: ObjectName,
    table: Arc<TableDef>,
    /// None for WITH NO DATA.
    shape: Option<Arc<Shape>>,
}

pub(super) fn plan_create(planning: &Planning<'_>, create: &CreateView, query: &Query) -> SqlResult<Planned> {
    if create.or_replace || create.temporary {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "a materialized view is neither replaced nor temporary"));
    }
    if !matches!(create.options, CreateTableOptions::None) {
        return Err(SqlError::unsupported("an option of CREATE MATERIALIZED VIEW"));
    }
    let kept = create_view::kept(planning.scope, planning.parsed, query)?;
    if create_view::reads_temporary(&planning.scope.catalog, &kept.reads) {
        let message = "materialized views must not use temporary tables or views";
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let Described { shape, mut columns, parameters } = planning.describe(&kept.expanded, None, planning.given)?;
    if !parameters.is_empty() {
        return Err(SqlError::unsupported("a materialized view defined using bound parameters"));
    }
    if create.columns.len() > columns.len() {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "too many column names were specified"));
    }
    for (column, given) in columns.iter_mut().zip(&create.columns) {
        column.name = fold(&given.name);
    }
    let plan = Create {
        name: create.name.clone(),
        if_not_exists: create.if_not_exists,
        no_data: planning.parsed.clauses.table.no_data,
        text: kept.text,
        reads: kept.reads,
        shape,
        columns,
    };
    Ok(Planned::command(super::Plan::CreateMaterialized(Box::new(plan))))
}

pub(super) async fn create(plan: &Create, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let command = || Ok(Outcome::Command(Tag::command("CREATE MATERIALIZED VIEW")));
    let target = Target { name: &plan.name, temporary: false, if_not_exists: plan.if_not_exists };
    let Some((schema, name)) = create_table::place(execution, &target)? else { return command() };
    let rows = if plan.no_data { None } else { Some(execution.rows(&plan.shape, None)?) };
    let id = RelationId(execution.transaction.ledger().next_object_id());
    let columns = create_table_as::stored_columns(&plan.columns)?;
    let materialized = Materialized { query: plan.text.clone(), reads: plan.reads.clone(), populated: !plan.no_data };
    let rules = Rules { materialized: Some(materialized), ..Rules::default() };
    let table = TableDef::with_rules(id, &schema, &name, 1, columns, Vec::new(), rules)?;
    execution.transaction.create_table(table.clone())?;
    let Some(rows) = rows else { return command() };
    let count = create_table_as::fill(&Arc::new(table), rows, execution).await?;
    Ok(Outcome::Command(Tag::counted("SELECT", count)))
}

/// Plans a REFRESH. Errors: 42P01, 0A000, 42601, 55000, 42809.
pub(super) fn plan_refresh(planning: &Planning<'_>, refresh: &Refresh) -> SqlResult<Planned> {
    let name = Name::of(&refresh.name, planning.view.database.name())?;
    let scope = planning.scope;
    let table = match scope.relation(&name).filter(|object| object.name() == name.name) {
        Some(Object::Table(table)) => table,
        Some(object) => {
            let message = format!("\"{}\" is not a table or materialized view", object.name());
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        None => return Err(planning.parsed.point(undefined_table(&name.shown()), name.span)),
    };
    let Some(materialized) = &table.rules.materialized else {
        let message = format!("\"{}\" is not a materialized view", table.name);
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    };
    if refresh.concurrently {
        check_concurrently(table, materialized, refresh.no_data)?;
    }
    let shape = if refresh.no_data {
        None
    } else {
        // M2
        let statement = scope.stored_query(&table.name, &materialized.query)?;
        let statement = scope.entrusted_to(scope.catalog.authority().owner_of(table.id.0), statement);
        Some(planning.describe(&statement, None, &[])?.shape)
    };
    let plan = Refreshing { name: refresh.name.clone(), table: Arc::clone(table), shape };
    Ok(Planned::command(super::Plan::Refresh(Box::new(plan))))
}

fn check_concurrently(table: &TableDef, materialized: &Materialized, no_data: bool) -> SqlResult<()> {
    if !materialized.populated {
        let message = "CONCURRENTLY cannot be used when the materialized view is not populated";
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    if no_data {
        let message = "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together";
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
    }
    if table.keys().iter().any(|key| key.unique && key.is_plain(table)) {
        return Ok(());
    }
    let message = format!("cannot refresh materialized view \"{}.{}\" concurrently", table.schema, table.name);
    Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        .hint("Create a unique index with no WHERE clause on one or more columns of the materialized view."))
}

pub(super) async fn refresh(plan: &Refreshing, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let mut table = Arc::clone(&plan.table);
    execution.transaction.rely_on(table.id);
    let mut there = Rows::of(execution, &table)?;
    let mut new = Vec::new();
    if let Some(shape) = &plan.shape {
        let mut rows = execution.rows(shape, None)?;
        while let Some(batch) = execution.watch.next(&mut rows.stream).await? {
            let batch = create_table_as::laid_out(&table, &batch)?;
            new.push(there.without_known(batch)?);
        }
    }
    let populated = plan.shape.is_some();
    if table.rules.materialized.as_ref().is_some_and(|materialized| materialized.populated != populated) {
        let mut draft = Draft::of(&table, execution.transaction.next_version(table.id));
        if let Some(materialized) = &mut draft.rules.materialized {
            materialized.populated = populated;
        }
        table = execution.transaction.alter_table(draft.finish()?)?;
    }
    let gone = there.left();
    if !gone.is_empty() {
        execution.transaction.delete(&table, &gone)?;
    }
    for batch in new.iter().filter(|batch| batch.num_rows() > 0) {
        execution.transaction.insert(&table, batch)?;
    }
    Ok(Outcome::Command(Tag::command("REFRESH MATERIALIZED VIEW")))
}

/// The rows that a view has, by their values (M1).
struct Rows {
    converter: RowConverter,
    known: HashMap<Box<[u8]>, Vec<RowId>>,
}

impl Rows {
    fn of(execution: &Execution<'_>, table: &Arc<TableDef>) -> SqlResult<Self> {
        let fields = table.columns.iter().map(|column| SortField::new(column.sql_type.arrow())).collect();
        let mut rows = Self { converter: RowConverter::new(fields).map_err(arrow_error)?, known: HashMap::new() };
        let all: Vec<usize> = (0..table.columns.len()).collect();
        for chunk in execution.transaction.view(table).scan(&all, true) {
            execution.watch.check()?;
            let batch = chunk.read()?;
            let ids = row_ids(batch.column(all.len()))?;
            let values = rows.converter.convert_columns(&batch.columns()[..all.len()]).map_err(arrow_error)?;
            for (value, id) in values.iter().zip(ids.values()) {
                rows.known.entry(value.as_ref().into()).or_default().push(RowId(id.cast_unsigned()));
            }
        }
        Ok(rows)
    }

    /// The rows of a batch that the view has not; the others are not looked at again.
    fn without_known(&mut self, batch: RecordBatch) -> SqlResult<RecordBatch> {
        if batch.num_rows() == 0 || self.known.is_empty() {
            return Ok(batch);
        }
        let values = self.converter.convert_columns(batch.columns()).map_err(arrow_error)?;
        let is_new: BooleanArray = values.iter().map(|value| Some(!self.take(value.as_ref()))).collect();
        filter_record_batch(&batch, &is_new).map_err(arrow_error)
    }

    fn take(&mut self, value: &[u8]) -> bool {
        let Some(rows) = self.known.get_mut(value) else { return false };
        rows.pop();
        if rows.is_empty() {
            self.known.remove(value);
        }
        true
    }

    /// What was never met.
    fn left(self) -> Vec<RowId> {
        let mut left: Vec<RowId> = self.known.into_values().flatten().collect();
        left.sort_unstable();
        left
    }
}
