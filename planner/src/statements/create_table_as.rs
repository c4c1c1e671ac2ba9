//! CREATE TABLE name AS query, and SELECT … INTO name: a table with the columns of a query, and its rows.
//!
//! Never: makes a column of a type that tables cannot have.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use base::{ColumnId, RelationId, SqlError, SqlResult, SqlState};
use engine::{ColumnDef, OnCommit, Rules, SqlType, TableDef};
use relational::{Rows, Shape};
use sqlparser::ast::{CreateTable, ObjectName, Query, SetExpr, Statement};

use super::create_table::{self, Target};
use super::{Described, Execution, Planned, Planning};
use crate::names::fold;
use crate::outcome::{Column, Outcome, Tag};
use crate::tables::arrow_error;
use crate::types;

/// The query and where its rows go.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: ObjectName,
    pub(crate) temporary: bool,
    on_commit: OnCommit,
    if_not_exists: bool,
    no_data: bool,
    shape: Arc<Shape>,
    columns: Vec<Column>,
}

/// The table that a query's INTO names, and whether it is temporary; the query without it.
pub(super) fn into(query: &Query) -> Option<(Query, ObjectName, bool)> {
    fn of(body: &mut SetExpr) -> Option<(ObjectName, bool)> {
        match body {
            SetExpr::Select(select) => select.into.take().map(|into| (into.name, into.temporary)),
            SetExpr::Query(query) => of(&mut query.body),
            SetExpr::SetOperation { left, .. } => of(left),
            _ => None,
        }
    }
    let mut query = query.clone();
    let (name, temporary) = of(&mut query.body)?;
    Some((query, name, temporary))
}

pub(super) fn plan_into(planning: &Planning<'_>, query: Query, name: ObjectName, temporary: bool) -> SqlResult<Planned> {
    let plan = plan(planning, query, &[])?;
    Ok(Planned::command(super::Plan::CreateTableAs(Box::new(Plan { name, temporary, ..plan }))))
}

pub(super) fn plan_create(planning: &Planning<'_>, create: &CreateTable, query: &Query) -> SqlResult<Planned> {
    let names: Vec<String> = create.columns.iter().map(|column| fold(&column.name)).collect();
    let plan = plan(planning, query.clone(), &names)?;
    let plan = Plan {
        name: create.name.clone(),
        temporary: create.temporary,
        on_commit: create_table::on_commit(create),
        if_not_exists: create.if_not_exists,
        no_data: planning.parsed.clauses.table.no_data,
        ..plan
    };
    Ok(Planned::command(super::Plan::CreateTableAs(Box::new(plan))))
}

fn plan(planning: &Planning<'_>, query: Query, names: &[String]) -> SqlResult<Plan> {
    let statement = Statement::Query(Box::new(query));
    let Described { shape, mut columns, parameters } = planning.describe(&statement, None, planning.given)?;
    if !parameters.is_empty() {
        return Err(crate::cells::undefined_parameter(0));
    }
    if names.len() > columns.len() {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "too many column names were specified"));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    let (name, temporary, on_commit) = (ObjectName::from(vec![]), false, OnCommit::Preserve);
    Ok(Plan { name, temporary, on_commit, if_not_exists: false, no_data: false, shape, columns })
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let target = Target { name: &plan.name, temporary: plan.temporary, if_not_exists: plan.if_not_exists };
    let Some((schema, name)) = create_table::place(execution, &target)? else {
        return Ok(Outcome::Command(Tag::command("CREATE TABLE AS")));
    };
    // The query sees the names as they were before the table.
    let rows = if plan.no_data { None } else { Some(execution.rows(&plan.shape, None)?) };
    let id = RelationId(execution.transaction.ledger().next_object_id());
    let columns = stored_columns(&plan.columns)?;
    let table = TableDef::with_rules(id, &schema, &name, 1, columns, Vec::new(), Rules::default())?;
    execution.transaction.create_table(table.clone())?;
    if plan.temporary {
        execution.transaction.set_on_commit(id, plan.on_commit);
    }
    let Some(rows) = rows else { return Ok(Outcome::Command(Tag::command("CREATE TABLE AS"))) };
    let count = fill(&Arc::new(table), rows, execution).await?;
    Ok(Outcome::Command(Tag::counted("SELECT", count)))
}

/// A query's rows into a table that has its columns; how many.
pub(super) async fn fill(table: &Arc<TableDef>, mut rows: Rows, execution: &mut Execution<'_>) -> SqlResult<u64> {
    let mut count = 0;
    while let Some(batch) = execution.watch.next(&mut rows.stream).await? {
        let batch = laid_out(table, &batch)?;
        execution.transaction.insert(table, &batch)?;
        count += batch.num_rows() as u64;
    }
    Ok(count)
}

/// Rows of a query in the layout of the table that has its columns.
pub(super) fn laid_out(table: &TableDef, batch: &RecordBatch) -> SqlResult<RecordBatch> {
    let laid = |(column, def): (&ArrayRef, &ColumnDef)| types::canonical(column, def.sql_type);
    let columns = batch.columns().iter().zip(&table.columns).map(laid).collect::<SqlResult<Vec<_>>>()?;
    RecordBatch::try_new(table.arrow_schema(), columns).map_err(arrow_error)
}

/// Columns of a query as those of a table. Errors: 0A000 for a type of the catalog.
pub(super) fn stored_columns(columns: &[Column]) -> SqlResult<Vec<ColumnDef>> {
    columns.iter().zip(1..).map(|(column, id)| column_def(column, id)).collect()
}

/// Errors: 0A000 for a type of the catalog.
fn column_def(column: &Column, id: u32) -> SqlResult<ColumnDef> {
    let is_stored = match column.sql_type {
        SqlType::Catalog(_) => false,
        other => other.element().is_none_or(|element| !matches!(element, SqlType::Catalog(_))),
    };
    if !is_stored {
        let message = format!("a column \"{}\" of type {} in a table", column.name, column.sql_type.name());
        return Err(SqlError::unsupported(message).hint("Cast it to text or bigint in the query."));
    }
    Ok(ColumnDef { id: ColumnId(id), name: column.name.clone(), sql_type: column.sql_type, not_null: false })
}
