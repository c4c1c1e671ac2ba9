//! SELECT, VALUES, TABLE: a key lookup where the statement amounts to one, else a query.
//!
//! Never: writes.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, SchemaRef};
use base::{RowId, SqlResult};
use engine::{SqlType, TableDef};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use relational::{DECLARED_TYPE, Shape, TABLE_COLUMN};
use sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableFactor,
    WildcardAdditionalOptions,
};

use super::hints::Hints;
use super::key_access::{self, KeyAccess};
use super::{Described, Execution, Planned, Planning, shown_type};
use crate::names::{Name, fold};
use crate::outcome::{Column, Outcome, RECORDS};
use crate::tables::arrow_error;

/// How a SELECT runs.
#[derive(Debug)]
pub(crate) enum Plan {
    /// One row by its key.
    Key(KeySelect),
    /// Anything else.
    Query { shape: Arc<Shape>, columns: Arc<[Column]> },
}

impl Plan {
    /// The table and columns that a lookup by key reads, the key's own included; `None` for a query, which opens its tables itself.
    pub(crate) fn looked_up(&self) -> Option<(&TableDef, Vec<usize>)> {
        let Self::Key(select) = self else { return None };
        Some(select.looked_up())
    }
}

/// Plain columns of the row with a key.
#[derive(Debug)]
pub(crate) struct KeySelect {
    table: Arc<TableDef>,
    key: KeyAccess,
    positions: Vec<usize>,
    /// Of the answer, made once.
    schema: SchemaRef,
    columns: Arc<[Column]>,
}

impl KeySelect {
    /// The table and columns that it reads, the key's own included.
    pub(super) fn looked_up(&self) -> (&TableDef, Vec<usize>) {
        let columns = self.positions.iter().chain(self.table.key_columns()).copied().collect();
        (&self.table, columns)
    }

    pub(super) fn columns(&self) -> Arc<[Column]> {
        Arc::clone(&self.columns)
    }

    /// The row, all its columns.
    pub(super) fn find(&self, execution: &Execution<'_>) -> SqlResult<Option<(RowId, RecordBatch)>> {
        self.key.find(&self.table, execution.reading(), execution.parameters)
    }

    /// What is shown of a row.
    pub(super) fn answer(&self, row: &RecordBatch) -> SqlResult<RecordBatch> {
        let columns = self.positions.iter().map(|position| Arc::clone(row.column(*position))).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(row.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(arrow_error)
    }

    pub(super) fn explained(&self) -> String {
        self.key.explained(&self.table)
    }
}

pub(super) fn plan(planning: &Planning<'_>, statement: &Statement, query: &Query) -> SqlResult<Planned> {
    let mut hints = Hints::new(planning.given);
    if let Some(select) = plan_key(planning, query, &mut hints)? {
        let columns = Some(Arc::clone(&select.columns));
        return Ok(Planned { plan: super::Plan::Select(Plan::Key(select)), parameters: hints.complete()?, columns });
    }
    let Described { shape, columns, parameters } = planning.describe(statement, None, planning.given)?;
    let columns: Arc<[Column]> = columns.into();
    let plan = super::Plan::Select(Plan::Query { shape, columns: Arc::clone(&columns) });
    Ok(Planned { plan, parameters, columns: Some(columns) })
}

pub(super) fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    match plan {
        Plan::Key(select) => {
            let batches: BoxStream<'static, SqlResult<RecordBatch>> = match select.find(execution)? {
                Some((_, row)) => stream::iter([select.answer(&row)]).boxed(),
                None => stream::empty().boxed(),
            };
            Ok(Outcome::Rows { columns: Arc::clone(&select.columns), batches, tag: "SELECT" })
        }
        Plan::Query { shape, columns } => {
            let rows = execution.rows(shape, None)?;
            Ok(Outcome::Rows { columns: Arc::clone(columns), batches: execution.watch.clone().stream(rows.stream), tag: "SELECT" })
        }
    }
}

/// A column of a query's answer: with type and place of the table's column where it is one.
pub(super) fn column_of(field: &Field) -> SqlResult<Column> {
    let computed = Column::computed(field.name(), shown_type(field.data_type())?);
    let pair = |key: &str| {
        let (first, second) = field.metadata().get(key)?.split_once(',')?;
        Some((first.parse::<u32>().ok()?, second.parse::<i32>().ok()?))
    };
    let declared = pair(DECLARED_TYPE).and_then(|(oid, typmod)| SqlType::with_typmod(oid, typmod.into()));
    let is_shown = |declared: &SqlType| match declared {
        // An oid shown by name leaves as its name or with it.
        SqlType::Catalog(known) if known.is_named() && *field.data_type() == DataType::Utf8 => true,
        declared => declared.arrow() == *field.data_type(),
    };
    let sql_type = declared.filter(is_shown).unwrap_or(computed.sql_type);
    let (table_oid, place) = pair(TABLE_COLUMN).unwrap_or((0, 0));
    let record_oid = pair(DECLARED_TYPE).map(|(oid, _)| oid).filter(|oid| RECORDS.contains(oid));
    Ok(Column { sql_type, table_oid, column_attnum: i16::try_from(place).unwrap_or(0), record_oid, ..computed })
}

pub(super) fn plan_key(planning: &Planning<'_>, query: &Query, hints: &mut Hints) -> SqlResult<Option<KeySelect>> {
    let Some((select, name, alias)) = single_table(query) else { return Ok(None) };
    let name = Name::of(name, planning.view.database.name())?;
    let Some(table) = planning.scope.stored(name.schema.as_deref(), &name.name) else { return Ok(None) };
    let alias = alias.unwrap_or(name.name);
    let Some((positions, columns)) = plain_columns(table, &alias, &select.projection) else { return Ok(None) };
    let Some(key) = KeyAccess::of(table, &alias, select.selection.as_ref(), hints, planning.parsed, planning.view.settings.manner())?
    else {
        return Ok(None);
    };
    let schema = table.arrow_schema().project(&positions).map(Arc::new).map_err(arrow_error)?;
    Ok(Some(KeySelect { table: Arc::clone(table), key, positions, schema, columns: columns.into() }))
}

/// A SELECT over one named table and nothing but a list and a WHERE clause.
fn single_table(query: &Query) -> Option<(&Select, &sqlparser::ast::ObjectName, Option<String>)> {
    let Query {
        with: None,
        body,
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks,
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators,
    } = query
    else {
        return None;
    };
    let SetExpr::Select(select) = body.as_ref() else { return None };
    let is_plain = locks.is_empty()
        && pipe_operators.is_empty()
        && select.distinct.is_none()
        && select.select_modifiers.is_none()
        && select.top.is_none()
        && select.exclude.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && matches!(&select.group_by, GroupByExpr::Expressions(exprs, modifiers) if exprs.is_empty() && modifiers.is_empty())
        && select.having.is_none()
        && select.named_window.is_empty()
        && select.qualify.is_none()
        && select.value_table_mode.is_none()
        && select.flavor == SelectFlavor::Standard;
    let [from] = select.from.as_slice() else { return None };
    if !is_plain || !from.joins.is_empty() {
        return None;
    }
    match &from.relation {
        TableFactor::Table { name, alias, args: None, version: None, with_ordinality: false, json_path: None, sample: None, .. } => {
            let alias = match alias {
                Some(alias) if !alias.columns.is_empty() => return None,
                Some(alias) => Some(fold(&alias.name)),
                None => None,
            };
            Some((select, name, alias))
        }
        _ => None,
    }
}

/// Positions and columns of a list of plain columns and wildcards; `None` if it holds anything else.
pub(super) fn plain_columns(table: &TableDef, alias: &str, items: &[SelectItem]) -> Option<(Vec<usize>, Vec<Column>)> {
    let mut positions = Vec::new();
    let mut columns = Vec::new();
    let mut add = |position: usize, shown: Option<String>| {
        let column = &table.columns[position];
        positions.push(position);
        columns.push(Column {
            name: shown.unwrap_or_else(|| column.name.clone()),
            sql_type: column.sql_type,
            table_oid: table.id.0,
            column_attnum: i16::try_from(column.id.0).unwrap_or(0),
            record_oid: None,
        });
    };
    let find = |expr: &Expr| table.columns.iter().position(|column| key_access::is_column(expr, &column.name, alias));
    for item in items {
        match item {
            SelectItem::UnnamedExpr(expr) => add(find(expr)?, None),
            SelectItem::ExprWithAlias { expr, alias } => add(find(expr)?, Some(fold(alias))),
            SelectItem::Wildcard(options) if is_bare(options) => (0..table.columns.len()).for_each(|position| add(position, None)),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) if is_bare(options) => {
                if crate::names::simple(name).map(fold).ok()? != alias {
                    return None;
                }
                (0..table.columns.len()).for_each(|position| add(position, None));
            }
            _ => return None,
        }
    }
    Some((positions, columns))
}

fn is_bare(options: &WildcardAdditionalOptions) -> bool {
    let WildcardAdditionalOptions { opt_ilike, opt_exclude, opt_except, opt_replace, opt_rename, opt_alias, .. } = options;
    opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none()
}
