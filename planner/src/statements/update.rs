//! UPDATE: finds the rows by a lookup or a query, appends a new version of each.
//!
//! U1: a row is updated at most once by one statement, however many rows of FROM it matches.
//! U2: an UPDATE that leaves the key alone never fails for a duplicate of it; what looks like one is a conflict (40001).
//! Never: changes a row in place.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::TableDef;
use relational::Shape;
use sqlparser::ast::{
    Assignment, AssignmentTarget, Expr, ObjectName, SelectItem, SetExpr, TableFactor, TableWithJoins, Update, UpdateTableFromKind, Value,
    With,
};

use super::assignment::{self, assign, is_default, is_unknown_literal};
use super::hints::Hints;
use super::increment::Increment;
use super::key_access::KeyAccess;
use super::puts::{self, Put};
use super::returning::Returning;
use super::write_target::{CheckOptions, Target, Verb, row_id};
use super::{Execution, Planned, Planning, rewrite};
use crate::cells::{self, Source};
use crate::names::{fold, simple};
use crate::outcome::{Outcome, Tag};
use crate::rules::{self, Guard};
use crate::tables::{ROW_ID, arrow_error, row_ids};

/// How an UPDATE runs.
#[derive(Debug)]
pub(crate) struct Plan {
    table: Arc<TableDef>,
    find: Find,
    returning: Option<Returning>,
    checks: Option<CheckOptions>,
    /// The rows are those of a view.
    through_view: bool,
}

#[derive(Debug)]
enum Find {
    /// One row by its key, set to constants and parameters.
    Key { key: KeyAccess, changes: Vec<(usize, Change)> },
    /// A query for the row id and the whole new row, but for what is put into parts of columns. `set`: which columns it computes, and whether from a literal
    /// without a type.
    Query { shape: Arc<Shape>, set: Vec<(usize, bool)>, puts: Vec<Put>, joined: bool },
}

/// What becomes of one column of a row found by its key.
#[derive(Debug)]
enum Change {
    To(Source),
    By(Increment),
}

impl Plan {
    fn sets(&self, position: usize) -> bool {
        match &self.find {
            Find::Key { changes, .. } => changes.iter().any(|(other, _)| *other == position),
            Find::Query { set, puts, .. } => {
                set.iter().map(|(other, _)| other).chain(puts.iter().map(|put| &put.position)).any(|other| *other == position)
            }
        }
    }

    /// The new versions, as they were written.
    fn write(&self, execution: &mut Execution<'_>, old: &[RowId], new: RecordBatch, guard: &Guard) -> SqlResult<RecordBatch> {
        let new = guard.settle(new)?;
        execution.transaction.update(&self.table, old, &new).map_err(|error| as_conflict(error, &self.table, &|at| self.sets(at)))?;
        Ok(new)
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
        let line = format!("Update on {}.{}", self.table.schema, self.table.name);
        match &self.find {
            Find::Key { key, .. } => (format!("{line}\n  {}", key.explained(&self.table)), None),
            Find::Query { shape, .. } => (line, Some(shape)),
        }
    }
}

/// A duplicate of a key that the statement does not set is the key of a version that another transaction has just made of the same row (U2).
pub(super) fn as_conflict(error: SqlError, table: &TableDef, sets: &dyn Fn(usize) -> bool) -> SqlError {
    let violated = error.fields().find(|(letter, _)| *letter == b'n').map(|(_, name)| name);
    let key = violated.and_then(|name| table.keys().iter().find(|key| key.name == name));
    if error.state() != SqlState::UNIQUE_VIOLATION || key.is_none_or(|key| key.reads(table).into_iter().any(sets)) {
        return error;
    }
    SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")
        .hint("The transaction might succeed if retried.")
}

/// A named table and its alias, out of the syntax tree.
pub(super) fn named_table<'a>(from: &'a TableWithJoins, verb: &str) -> SqlResult<(&'a ObjectName, Option<String>)> {
    match &from.relation {
        TableFactor::Table { name, alias, args: None, .. } if from.joins.is_empty() => {
            Ok((name, alias.as_ref().map(|alias| fold(&alias.name))))
        }
        _ => Err(SqlError::unsupported(format!("{verb} of something that is not a table"))),
    }
}

pub(super) fn plan(planning: &Planning<'_>, update: &Update, with: Option<&With>) -> SqlResult<Planned> {
    if update.or.is_some() || update.output.is_some() || !update.order_by.is_empty() || update.limit.is_some() {
        return Err(SqlError::unsupported("this form of UPDATE"));
    }
    let (object, alias) = named_table(&update.table, "UPDATE")?;
    let target = Target::find(planning, object, Verb::Update)?;
    let table = Arc::clone(&target.table);
    let alias = alias.unwrap_or_else(|| target.name.clone());
    let from = match &update.from {
        None => Vec::new(),
        Some(UpdateTableFromKind::AfterSet(from)) => from.clone(),
        Some(UpdateTableFromKind::BeforeSet(_)) => return Err(SqlError::unsupported("UPDATE … FROM before SET")),
    };
    let set = read_assignments(planning, &update.assignments, &target)?;
    let mut hints = Hints::new(planning.given);
    let by_key = if from.is_empty() && with.is_none() && target.is_table() {
        plan_key(planning, update, &table, &alias, &set, &mut hints)?
    } else {
        None
    };
    let find = match by_key {
        Some(find) => find,
        None => plan_query(planning, update, &target, &alias, set, from, with, &mut hints)?,
    };
    let returning = Returning::plan(planning, &target, &alias, update.returning.as_deref(), &mut hints)?;
    let columns = returning.as_ref().map(Returning::columns);
    let parameters = hints.complete()?;
    let checks = target.checks(planning)?;
    let through_view = !target.is_table();
    Ok(Planned { plan: super::Plan::Update(Plan { table, find, returning, checks, through_view }), parameters, columns })
}

/// Columns set and the expressions they are set to. Errors: 428C9 for an identity column.
pub(super) fn read_assignments(planning: &Planning<'_>, assignments: &[Assignment], target: &Target) -> SqlResult<Vec<(usize, Expr)>> {
    let table = &*target.table;
    let mut set: Vec<(usize, Expr)> = Vec::new();
    let mut add = |column: &ObjectName, value: &Expr| -> SqlResult<()> {
        if let [first, rest @ ..] = column.0.as_slice()
            && !rest.is_empty()
        {
            // Postgres takes what follows a dot for a field of the column.
            if let Some(ident) = first.as_ident() {
                target.position(&fold(ident), ident.span, planning.parsed, Verb::Update)?;
            }
        }
        let ident = simple(column)?;
        let column = fold(ident);
        let position = target.position(&column, ident.span, planning.parsed, Verb::Update)?;
        if let Some((_, before)) = set.iter_mut().find(|(other, _)| *other == position) {
            if puts::is_put(before) && puts::is_put(value) {
                puts::add(before, value);
                return Ok(());
            }
            let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("multiple assignments to same column \"{column}\""));
            return Err(planning.parsed.point(error, ident.span));
        }
        let default = || rules::default_of(&planning.scope.catalog, table, position).map(|text| rules::expression(&text)).transpose();
        let value = match is_default(value) {
            // The table's default is not the view's column's.
            true if !target.is_table() => match target.own_default(position) {
                Some(text) => rules::expression(text)?,
                None => Expr::Value(Value::Null.into()),
            },
            true => default()?.unwrap_or_else(|| Expr::Value(Value::Null.into())),
            false => {
                rules::generated_given(table, position, rules::Verb::Update)?;
                rules::identity_given(table, position, rules::Verb::Update)?;
                value.clone()
            }
        };
        set.push((position, value));
        Ok(())
    };
    for assignment in assignments {
        match (&assignment.target, &assignment.value) {
            (AssignmentTarget::ColumnName(target), value) => add(target, value)?,
            (AssignmentTarget::Tuple(targets), Expr::Tuple(values)) if targets.len() == values.len() => {
                targets.iter().zip(values).try_for_each(|(target, value)| add(target, value))?;
            }
            (AssignmentTarget::Tuple(_), Expr::Tuple(_)) => {
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, "number of columns does not match number of values"));
            }
            (AssignmentTarget::Tuple(targets), value) => {
                let Some(values) = each_column(value, targets.len())? else {
                    return Err(SqlError::unsupported("UPDATE … SET (columns) = an expression"));
                };
                targets.iter().zip(&values).try_for_each(|(target, value)| add(target, value))?;
            }
        }
    }
    Ok(set)
}

fn plan_key(
    planning: &Planning<'_>,
    update: &Update,
    table: &TableDef,
    alias: &str,
    set: &[(usize, Expr)],
    hints: &mut Hints,
) -> SqlResult<Option<Find>> {
    let (parsed, manner) = (planning.parsed, planning.view.settings.manner());
    if set.iter().any(|(_, value)| puts::is_put(value)) {
        return Ok(None);
    }
    let mut changes = Vec::with_capacity(set.len());
    for (position, value) in set {
        let column = &table.columns[*position];
        let change = match cells::source(column, std::iter::once(value), parsed, manner)? {
            Some(source) => Some(Change::To(source)),
            None => Increment::of(column, alias, value, hints, parsed, manner)?.map(Change::By),
        };
        match change {
            Some(change) => changes.push((*position, change)),
            None => return Ok(None),
        }
    }
    let Some(key) = KeyAccess::of(table, alias, update.selection.as_ref(), hints, planning.parsed, planning.view.settings.manner())? else {
        return Ok(None);
    };
    for (position, change) in &changes {
        let (Change::To(source) | Change::By(Increment { by: source, .. })) = change;
        hints.note_source(source, table.columns[*position].sql_type);
    }
    Ok(Some(Find::Key { key, changes }))
}

#[expect(clippy::too_many_arguments, reason = "the parts of one statement, each used once")]
fn plan_query(
    planning: &Planning<'_>,
    update: &Update,
    target: &Target,
    alias: &str,
    set: Vec<(usize, Expr)>,
    from: Vec<TableWithJoins>,
    with: Option<&With>,
    hints: &mut Hints,
) -> SqlResult<Find> {
    let table = &*target.table;
    let mut items = vec![rewrite::item(row_id(alias), ROW_ID)];
    let mut computed = Vec::with_capacity(set.len());
    for (position, value) in set.iter().filter(|(_, value)| !puts::is_put(value)) {
        if let Some(index) = assignment::parameter(value) {
            hints.note(index, table.columns[*position].sql_type);
        }
        computed.push((*position, is_unknown_literal(value)));
    }
    for position in 0..table.columns.len() {
        let value = match set.iter().find(|(at, value)| *at == position && !puts::is_put(value)) {
            Some((_, value)) => value.clone(),
            None => target.whole(alias, position),
        };
        items.push(rewrite::item(value, format!("c{position}")));
    }
    let (puts, beside) = puts::plan(table, &set, items.len(), hints)?;
    items.extend(beside);
    let joined = !from.is_empty();
    let from = std::iter::once(target.factor(alias)).chain(from).collect();
    let statement = rewrite::select(with, items, from, update.selection.clone());
    let shape = hints.complete_from(planning, &statement, None)?.shape;
    Ok(Find::Query { shape, set: computed, puts, joined })
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let mut rows = 0;
    let mut returned = Vec::new();
    let guard = Guard::new(&execution.place(), &plan.table, &(0..plan.table.columns.len()).collect::<Vec<_>>())?;
    match &plan.find {
        Find::Key { key, changes } => {
            if let Some((row, old)) = key.find(&plan.table, execution.reading(), execution.parameters)? {
                let mut columns = old.columns().to_vec();
                for (position, change) in changes {
                    let column = &plan.table.columns[*position];
                    columns[*position] = match change {
                        Change::To(source) => source.array(column, execution.parameters)?,
                        Change::By(increment) => increment.array(column, &old.columns()[*position], execution.parameters)?,
                    };
                }
                let new = RecordBatch::try_new(plan.table.arrow_schema(), columns).map_err(arrow_error)?;
                returned.push(plan.write(execution, &[row], new, &guard)?);
                rows = 1;
            }
        }
        Find::Query { shape, set, puts, joined } => {
            let mut found = execution.rows(shape, None)?;
            let mut seen = Seen::new(*joined);
            while let Some(batch) = execution.watch.next(&mut found.stream).await? {
                let (old, batch) = seen.first_matches(batch)?;
                let mut columns = batch.columns()[1..=plan.table.columns.len()].to_vec();
                let reading = execution.parameters.reading;
                for (position, unknown) in set {
                    columns[*position] = assign(&columns[*position], &plan.table.columns[*position], *unknown, reading)?;
                }
                for put in puts {
                    columns[put.position] = put.into(&columns[put.position], &batch, &plan.table, reading)?;
                }
                let new = RecordBatch::try_new(plan.table.arrow_schema(), columns).map_err(arrow_error)?;
                let new = plan.write(execution, &old, new, &guard)?;
                if let Some(checks) = &plan.checks {
                    checks.check(&new, execution).await?;
                }
                rows += old.len() as u64;
                if plan.returning.is_some() {
                    returned.push(new);
                }
            }
        }
    }
    match &plan.returning {
        Some(returning) => returning.answer(&plan.table, returned, "UPDATE", execution).await,
        None => Ok(Outcome::Command(Tag::counted("UPDATE", rows))),
    }
}

/// Row ids met so far, where a join may bring one twice (U1).
pub(super) struct Seen(Option<HashSet<i64>>);

impl Seen {
    pub(super) fn new(joined: bool) -> Self {
        Self(joined.then(HashSet::new))
    }

    /// The rows whose id, in the first column, was not met before; and those ids.
    pub(super) fn first_matches(&mut self, batch: RecordBatch) -> SqlResult<(Vec<RowId>, RecordBatch)> {
        let batch = match &mut self.0 {
            None => batch,
            Some(seen) => {
                let keep: BooleanArray = row_ids(batch.column(0))?.values().iter().map(|id| Some(seen.insert(*id))).collect();
                if keep.true_count() == keep.len() { batch } else { filter_record_batch(&batch, &keep).map_err(arrow_error)? }
            }
        };
        let ids = row_ids(batch.column(0))?.values().iter().map(|id| RowId(id.cast_unsigned())).collect();
        Ok((ids, batch))
    }
}

/// A query of several columns as one query a column; `None` for anything else. Errors: 42601 for another number of columns.
fn each_column(value: &Expr, columns: usize) -> SqlResult<Option<Vec<Expr>>> {
    let query = match value {
        Expr::Nested(inner) => return each_column(inner, columns),
        Expr::Subquery(query) => query,
        _ => return Ok(None),
    };
    let SetExpr::Select(select) = query.body.as_ref() else { return Ok(None) };
    let is_plain = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    if !select.projection.iter().all(is_plain) || select.distinct.is_some() {
        return Ok(None);
    }
    if select.projection.len() != columns {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "number of columns does not match number of values"));
    }
    let column = |item: &SelectItem| {
        let mut query = query.clone();
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.projection = vec![item.clone()];
        }
        Expr::Subquery(query)
    };
    Ok(Some(select.projection.iter().map(column).collect()))
}
