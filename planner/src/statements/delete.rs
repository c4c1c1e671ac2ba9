//! DELETE: finds the rows by a lookup or a query and appends a marker for each.
//!
//! Never: removes a row from the ledger.

use std::sync::Arc;

use arrow::array::RecordBatch;
use base::{SqlError, SqlResult};
use engine::TableDef;
use relational::Shape;
use sqlparser::ast::{Delete, FromTable, With};

use super::hints::Hints;
use super::key_access::KeyAccess;
use super::returning::Returning;
use super::update::{Seen, named_table};
use super::write_target::{Target, Verb, row_id};
use super::{Execution, Planned, Planning, rewrite};
use crate::outcome::{Outcome, Tag};
use crate::tables::{ROW_ID, with_schema};

/// How a DELETE runs.
#[derive(Debug)]
pub(crate) struct Plan {
    table: Arc<TableDef>,
    find: Find,
    returning: Option<Returning>,
    /// The rows are those of a view.
    through_view: bool,
}

#[derive(Debug)]
enum Find {
    /// One row by its key.
    Key(KeyAccess),
    /// A query for the row id, followed by the whole row where RETURNING needs it.
    Query { shape: Arc<Shape>, joined: bool },
}

impl Plan {
    /// Whether a view's own rights count.
    pub(super) fn is_through_view(&self) -> bool {
        self.through_view
    }

    /// Columns of the answer that are to become receipts.
    pub(super) fn receipts(&self) -> &[usize] {
        self.returning.as_ref().map_or(&[], Returning::receipts)
    }

    pub(super) fn explained(&self) -> (String, Option<&Arc<Shape>>) {
        let line = format!("Delete on {}.{}", self.table.schema, self.table.name);
        match &self.find {
            Find::Key(key) => (format!("{line}\n  {}", key.explained(&self.table)), None),
            Find::Query { shape, .. } => (line, Some(shape)),
        }
    }
}

pub(super) fn plan(planning: &Planning<'_>, delete: &Delete, with: Option<&With>) -> SqlResult<Planned> {
    if !delete.tables.is_empty() || delete.output.is_some() || !delete.order_by.is_empty() || delete.limit.is_some() {
        return Err(SqlError::unsupported("this form of DELETE"));
    }
    let FromTable::WithFromKeyword(from) = &delete.from else {
        return Err(SqlError::unsupported("DELETE without FROM"));
    };
    let [from] = from.as_slice() else {
        return Err(SqlError::unsupported("DELETE from several tables"));
    };
    let (object, alias) = named_table(from, "DELETE")?;
    let target = Target::find(planning, object, Verb::Delete)?;
    let table = Arc::clone(&target.table);
    let alias = alias.unwrap_or_else(|| target.name.clone());
    let mut hints = Hints::new(planning.given);
    let by_key = match (&delete.using, with) {
        (None, None) if target.is_table() => {
            KeyAccess::of(&table, &alias, delete.selection.as_ref(), &mut hints, planning.parsed, planning.view.settings.manner())?
        }
        _ => None,
    };
    let find = match by_key {
        Some(key) => Find::Key(key),
        None => plan_query(planning, delete, &target, &alias, with, &mut hints)?,
    };
    let returning = Returning::plan(planning, &target, &alias, delete.returning.as_deref(), &mut hints)?;
    let columns = returning.as_ref().map(Returning::columns);
    let parameters = hints.complete()?;
    let through_view = !target.is_table();
    Ok(Planned { plan: super::Plan::Delete(Plan { table, find, returning, through_view }), parameters, columns })
}

fn plan_query(
    planning: &Planning<'_>,
    delete: &Delete,
    target: &Target,
    alias: &str,
    with: Option<&With>,
    hints: &mut Hints,
) -> SqlResult<Find> {
    let mut items = vec![rewrite::item(row_id(alias), ROW_ID)];
    if delete.returning.is_some() {
        let whole = 0..target.table.columns.len();
        items.extend(whole.map(|at| rewrite::item(target.whole(alias, at), format!("c{at}"))));
    }
    let using = delete.using.clone().unwrap_or_default();
    let joined = !using.is_empty();
    let from = std::iter::once(target.factor(alias)).chain(using).collect();
    let statement = rewrite::select(with, items, from, delete.selection.clone());
    let shape = hints.complete_from(planning, &statement, None)?.shape;
    Ok(Find::Query { shape, joined })
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let mut rows = 0;
    let mut returned: Vec<RecordBatch> = Vec::new();
    match &plan.find {
        Find::Key(key) => {
            if let Some((row, old)) = key.find(&plan.table, execution.reading(), execution.parameters)? {
                execution.transaction.delete(&plan.table, &[row])?;
                rows = 1;
                returned.push(old);
            }
        }
        Find::Query { shape, joined } => {
            let mut found = execution.rows(shape, None)?;
            let mut seen = Seen::new(*joined);
            while let Some(batch) = execution.watch.next(&mut found.stream).await? {
                let (old, batch) = seen.first_matches(batch)?;
                execution.transaction.delete(&plan.table, &old)?;
                rows += old.len() as u64;
                if plan.returning.is_some() {
                    let user: Vec<usize> = (1..batch.num_columns()).collect();
                    let batch = batch.project(&user).map_err(crate::tables::arrow_error)?;
                    returned.push(with_schema(&batch, &plan.table.arrow_schema())?);
                }
            }
        }
    }
    match &plan.returning {
        Some(returning) => returning.answer(&plan.table, returned, "DELETE", execution).await,
        None => Ok(Outcome::Command(Tag::counted("DELETE", rows))),
    }
}
