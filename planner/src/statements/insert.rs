//! INSERT: constants and parameters straight into columns, anything else through a query.
//!
//! Never: plans a query for VALUES of constants and parameters.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use base::{SqlError, SqlResult, SqlState};
use engine::TableDef;
use engine::key::Key;
use relational::Shape;
use sqlparser::ast::{Expr, Insert, OnInsert, Query, SelectItem, SetExpr, Spanned, Statement, TableObject, Value, Values, With};

use super::assignment::{self, assign, is_default, is_unknown_literal};
use super::hints::Hints;
use super::mixed_values::MixedValues;
use super::on_conflict::OnConflict;
use super::returning::Returning;
use super::update::as_conflict;
use super::view_defaults;
use super::write_target::{CheckOptions, Target, Verb};
use super::{Execution, Planned, Planning};
use crate::cells::{self, Source};
use crate::names::{fold, simple};
use crate::outcome::{Outcome, Tag};
use crate::parse_clauses::Overriding;
use crate::rules::{self, Guard};

/// How an INSERT runs.
#[derive(Debug)]
pub(crate) struct Plan {
    table: Arc<TableDef>,
    /// Columns given, as positions in the table.
    targets: Vec<usize>,
    rows: Rows,
    on_conflict: Option<OnConflict>,
    returning: Option<Returning>,
    checks: Option<CheckOptions>,
    /// The rows are those of a view.
    through_view: bool,
}

#[derive(Debug)]
enum Rows {
    /// One source a target.
    Values { count: usize, sources: Vec<Source> },
    /// A list of which some expressions need a query.
    Mixed(Box<MixedValues>),
    /// A query; for each of its columns, whether it is a string literal without a type.
    Query { shape: Arc<Shape>, unknown: Vec<bool> },
}

impl Plan {
    /// Whether a key that another commit took meanwhile is a conflict to be judged again, not an error.
    pub(crate) fn expects_conflicts(&self) -> bool {
        self.on_conflict.is_some()
    }

    /// Whether a view's own rights count.
    pub(super) fn is_through_view(&self) -> bool {
        self.through_view
    }

    /// Columns of the answer that are to become receipts.
    pub(super) fn receipts(&self) -> &[usize] {
        self.returning.as_ref().map_or(&[], Returning::receipts)
    }

    pub(super) fn explained(&self) -> (String, Option<&Arc<Shape>>) {
        let line = format!("Insert on {}.{}", self.table.schema, self.table.name);
        match &self.rows {
            Rows::Values { count, .. } => (format!("{line}: {count} rows of constants"), None),
            Rows::Mixed(values) => (line, Some(values.shape())),
            Rows::Query { shape, .. } => (line, Some(shape)),
        }
    }
}

pub(super) fn plan(planning: &Planning<'_>, insert: &Insert, with: Option<&With>) -> SqlResult<Planned> {
    refuse_clauses(insert)?;
    let TableObject::TableName(object) = &insert.table else {
        return Err(SqlError::unsupported("INSERT into something that is not a table"));
    };
    let target = Target::find(planning, object, Verb::Insert)?;
    let table = Arc::clone(&target.table);
    let mut targets = targets(planning, insert, &target)?;
    let mut hints = Hints::new(planning.given);
    let filled = view_defaults::fill(&target, &mut targets, insert.source.as_deref())?;
    let rows = match filled.as_ref().or(insert.source.as_deref()) {
        None => {
            targets.clear();
            Rows::Values { count: 1, sources: Vec::new() }
        }
        Some(source) => {
            let (source, kept) = without_defaults(planning, &table, &targets, source)?;
            check_identity(planning, &table, &mut targets, kept, &source)?;
            plan_source(planning, &table, &targets, insert, &source, with, &mut hints)?
        }
    };
    let targets = match &rows {
        Rows::Values { sources, .. } => targets[..sources.len()].to_vec(),
        Rows::Mixed(_) | Rows::Query { .. } => targets,
    };
    let alias = insert.table_alias.as_ref().map_or_else(|| target.name.clone(), |alias| fold(&alias.alias));
    let on_conflict = match &insert.on {
        Some(OnInsert::OnConflict(clause)) => Some(OnConflict::plan(planning, &target, &alias, clause, &mut hints)?),
        _ => None,
    };
    let returning = Returning::plan(planning, &target, &alias, insert.returning.as_deref(), &mut hints)?;
    let columns = returning.as_ref().map(Returning::columns);
    let parameters = hints.complete()?;
    let checks = target.checks(planning)?;
    let through_view = !target.is_table();
    Ok(Planned {
        plan: super::Plan::Insert(Plan { table, targets, rows, on_conflict, returning, checks, through_view }),
        parameters,
        columns,
    })
}

/// The source with DEFAULT told apart: a column of nothing but DEFAULT is not given at all, and elsewhere DEFAULT is the default's expression.
/// Says which of the targets are still given.
fn without_defaults(planning: &Planning<'_>, table: &TableDef, targets: &[usize], source: &Query) -> SqlResult<(Query, Vec<bool>)> {
    let mut kept = vec![true; targets.len()];
    let SetExpr::Values(values) = source.body.as_ref() else { return Ok((source.clone(), kept)) };
    let width = values.rows.first().map_or(0, |row| row.content.len());
    let is_plain = values.rows.iter().all(|row| row.content.len() == width) && width <= targets.len();
    // OVERRIDING USER VALUE: what is given for an identity column counts as DEFAULT.
    let is_user = planning.parsed.clauses.overriding == Some(Overriding::User);
    let is_ignored =
        |position: usize| is_user && table.rules.column(table.columns[position].id).is_some_and(|rules| rules.identity.is_some());
    if !is_plain || !(is_user || values.rows.iter().any(|row| row.content.iter().any(is_default))) {
        return Ok((source.clone(), kept));
    }
    let mut source = source.clone();
    let SetExpr::Values(values) = source.body.as_mut() else { return Ok((source, kept)) };
    for (at, position) in targets.iter().take(width).enumerate() {
        if is_ignored(*position) || values.rows.iter().all(|row| is_default(&row.content[at])) {
            kept[at] = false;
            continue;
        }
        let text = rules::default_of(&planning.scope.catalog, table, *position);
        for row in &mut values.rows {
            if is_default(&row.content[at]) {
                row.content[at] = match &text {
                    Some(text) => rules::expression(text)?,
                    None => Expr::Value(Value::Null.into()),
                };
            }
        }
    }
    for row in &mut values.rows {
        let mut at = 0;
        row.content.retain(|_| {
            at += 1;
            kept.get(at - 1).copied().unwrap_or(true)
        });
    }
    Ok((source, kept))
}

/// Identity columns take given values as OVERRIDING says. Errors: 428C9.
fn check_identity(planning: &Planning<'_>, table: &TableDef, targets: &mut Vec<usize>, kept: Vec<bool>, source: &Query) -> SqlResult<()> {
    let mut at = 0;
    targets.retain(|_| {
        at += 1;
        kept[at - 1]
    });
    let given = width_of(source).min(targets.len());
    for position in targets.iter().take(given) {
        rules::generated_given(table, *position, rules::Verb::Insert)?;
    }
    if planning.parsed.clauses.overriding != Some(Overriding::System) {
        for position in targets.iter().take(given) {
            rules::identity_given(table, *position, rules::Verb::Insert)?;
        }
    }
    Ok(())
}

fn refuse_clauses(insert: &Insert) -> SqlResult<()> {
    if insert.on.as_ref().is_some_and(|on| !matches!(on, OnInsert::OnConflict(_))) {
        return Err(SqlError::unsupported("ON DUPLICATE KEY").hint("Write ON CONFLICT (key columns) DO UPDATE SET ...."));
    }
    let foreign = insert.or.is_some()
        || insert.ignore
        || insert.overwrite
        || !insert.into
        || !insert.assignments.is_empty()
        || insert.partitioned.is_some()
        || !insert.after_columns.is_empty()
        || insert.has_table_keyword
        || insert.output.is_some()
        || insert.replace_into
        || insert.priority.is_some()
        || insert.insert_alias.is_some()
        || insert.settings.is_some()
        || insert.format_clause.is_some()
        || insert.multi_table_insert_type.is_some();
    if foreign { Err(SqlError::unsupported("this form of INSERT")) } else { Ok(()) }
}

/// Positions of the columns listed; all of the table's or view's without a list, as many as there are values.
fn targets(planning: &Planning<'_>, insert: &Insert, target: &Target) -> SqlResult<Vec<usize>> {
    if insert.columns.is_empty() {
        let given = insert.source.as_ref().map_or(0, |source| width_of(source)).min(target.width());
        let given = if target.is_table() { target.width() } else { given };
        return (0..given).map(|at| target.place(at, Verb::Insert)).collect();
    }
    let mut targets = Vec::with_capacity(insert.columns.len());
    for object in &insert.columns {
        let ident = simple(object)?;
        let name = fold(ident);
        let position = target.position(&name, ident.span, planning.parsed, Verb::Insert)?;
        if targets.contains(&position) {
            let error = SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once"));
            return Err(planning.parsed.point(error, ident.span));
        }
        targets.push(position);
    }
    Ok(targets)
}

/// How many columns a source plainly has.
fn width_of(source: &Query) -> usize {
    match source.body.as_ref() {
        SetExpr::Values(values) => values.rows.first().map_or(0, |row| row.content.len()),
        SetExpr::Select(select)
            if select.projection.iter().all(|item| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. })) =>
        {
            select.projection.len()
        }
        _ => usize::MAX,
    }
}

fn plan_source(
    planning: &Planning<'_>,
    table: &TableDef,
    targets: &[usize],
    insert: &Insert,
    source: &Query,
    with: Option<&With>,
    hints: &mut Hints,
) -> SqlResult<Rows> {
    let source = with_ctes(source, with);
    if let (SetExpr::Values(values), true) = (source.body.as_ref(), is_bare(&source)) {
        check_width(planning, targets, insert, values)?;
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let targets = &targets[..width.min(targets.len())];
        if let Some(sources) = constant_columns(planning, table, targets, values)? {
            for (source, at) in sources.iter().zip(targets) {
                hints.note_source(source, table.columns[*at].sql_type);
            }
            return Ok(Rows::Values { count: values.rows.len(), sources });
        }
        return MixedValues::plan(planning, table, targets, &source, values, hints).map(|values| Rows::Mixed(Box::new(values)));
    }
    let mut unknown = vec![false; targets.len()];
    if let SetExpr::Select(select) = source.body.as_ref() {
        for ((item, at), unknown) in select.projection.iter().zip(targets).zip(&mut unknown) {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                *unknown = is_unknown_literal(expr);
                if let Some(index) = assignment::parameter(expr) {
                    hints.note(index, table.columns[*at].sql_type);
                }
            }
        }
    }
    let statement = Statement::Query(Box::new(source));
    let described = hints.complete_from(planning, &statement, None)?;
    check_count(described.columns.len(), targets.len(), !insert.columns.is_empty())?;
    Ok(Rows::Query { shape: described.shape, unknown })
}

fn with_ctes(source: &Query, with: Option<&With>) -> Query {
    let mut source = source.clone();
    match (&mut source.with, with) {
        (_, None) => {}
        (Some(inner), Some(outer)) => {
            inner.recursive |= outer.recursive;
            inner.cte_tables.splice(0..0, outer.cte_tables.iter().cloned());
        }
        (none @ None, Some(outer)) => *none = Some(outer.clone()),
    }
    source
}

/// Whether a VALUES list is all there is to a query, but for CTEs.
fn is_bare(query: &Query) -> bool {
    query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none() && query.locks.is_empty()
}

fn check_width(planning: &Planning<'_>, targets: &[usize], insert: &Insert, values: &Values) -> SqlResult<()> {
    let width = values.rows.first().map_or(0, |row| row.content.len());
    for row in &values.rows {
        if row.content.len() != width {
            let error = SqlError::new(SqlState::SYNTAX_ERROR, "VALUES lists must all be the same length");
            return Err(match row.content.first() {
                Some(expr) => planning.parsed.point(error, expr.span()),
                None => error,
            });
        }
    }
    check_count(width, targets.len(), !insert.columns.is_empty()).map_err(|error| {
        match values.rows.first().and_then(|row| row.content.get(targets.len())) {
            Some(extra) => planning.parsed.point(error, extra.span()),
            None => match insert.columns.get(width).and_then(|object| simple(object).ok()) {
                Some(ident) => planning.parsed.point(error, ident.span),
                None => error,
            },
        }
    })
}

fn check_count(given: usize, targets: usize, listed: bool) -> SqlResult<()> {
    if given > targets {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "INSERT has more expressions than target columns"));
    }
    if given < targets && listed {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "INSERT has more target columns than expressions"));
    }
    Ok(())
}

fn constant_columns(planning: &Planning<'_>, table: &TableDef, targets: &[usize], values: &Values) -> SqlResult<Option<Vec<Source>>> {
    let mut sources = Vec::with_capacity(targets.len());
    for (at, position) in targets.iter().enumerate() {
        let exprs = values.rows.iter().map(|row| &row.content[at]);
        match cells::source(&table.columns[*position], exprs, planning.parsed, planning.view.settings.manner())? {
            Some(source) => sources.push(source),
            None => return Ok(None),
        }
    }
    Ok(Some(sources))
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let guard = Guard::new(&execution.place(), &plan.table, &plan.targets)?;
    let mut written = Written { rows: 0, batches: plan.returning.is_some().then(Vec::new), keys: HashSet::new(), guard };
    match &plan.rows {
        Rows::Values { count, sources } => {
            let mut given = Vec::with_capacity(sources.len());
            for (source, at) in sources.iter().zip(&plan.targets) {
                given.push((*at, source.array(&plan.table.columns[*at], execution.parameters)?));
            }
            insert(plan, execution, *count, given, &mut written).await?;
        }
        Rows::Mixed(values) => {
            let (count, given) = values.columns(&plan.table, execution).await?;
            insert(plan, execution, count, given, &mut written).await?;
        }
        Rows::Query { shape, unknown } => {
            let mut rows = execution.rows(shape, None)?;
            while let Some(batch) = execution.watch.next(&mut rows.stream).await? {
                let mut given = Vec::with_capacity(batch.num_columns());
                for ((values, at), unknown) in batch.columns().iter().zip(&plan.targets).zip(unknown) {
                    given.push((*at, assign(values, &plan.table.columns[*at], *unknown, execution.parameters.reading)?));
                }
                insert(plan, execution, batch.num_rows(), given, &mut written).await?;
            }
        }
    }
    match (&plan.returning, written.batches) {
        (Some(returning), Some(batches)) => returning.answer(&plan.table, batches, "INSERT", execution).await,
        _ => Ok(Outcome::Command(Tag::counted("INSERT", written.rows))),
    }
}

struct Written {
    rows: u64,
    batches: Option<Vec<RecordBatch>>,
    /// Keys met by an ON CONFLICT clause.
    keys: HashSet<(u32, Key)>,
    guard: Guard,
}

impl Written {
    fn add(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows() as u64;
        if let Some(batches) = &mut self.batches {
            batches.push(batch);
        }
    }
}

async fn insert(
    plan: &Plan,
    execution: &mut Execution<'_>,
    rows: usize,
    given: Vec<(usize, ArrayRef)>,
    written: &mut Written,
) -> SqlResult<()> {
    let batch = written.guard.settle(written.guard.complete(rows, given)?)?;
    let Some(on_conflict) = &plan.on_conflict else {
        execution.transaction.insert(&plan.table, &batch)?;
        if let Some(checks) = &plan.checks {
            checks.check(&batch, execution).await?;
        }
        written.add(batch);
        return Ok(());
    };
    let sorted = on_conflict.sort(&plan.table, execution.transaction, &batch, &mut written.keys)?;
    execution.transaction.insert(&plan.table, &sorted.fresh).map_err(|error| as_conflict(error, &plan.table, &|_| false))?;
    let mut new = vec![sorted.fresh.clone()];
    new.extend(on_conflict.update(&plan.table, sorted, execution, &written.guard).await?);
    for batch in new {
        if let Some(checks) = &plan.checks {
            checks.check(&batch, execution).await?;
        }
        written.add(batch);
    }
    Ok(())
}
