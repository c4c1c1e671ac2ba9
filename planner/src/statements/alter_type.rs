//! ALTER TABLE … ALTER COLUMN … [SET DATA] TYPE type [USING expression]
//!
//! T1: all changes of one statement see the rows as they were before it.
//! T2: a column keeps its id and its place. Every row gets a new version with a value of the new type, in the commit that changes the definition, unless
//!     what lies there reads as the new type (`layout::widens`); so every row is under the schema that its own commit was made under.
//! T3: keys, indexes and references over the column are made anew under new ids: snapshots of before go on with the old ones.
//! Never: changes a stored row; decides which casts there are.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use base::{ColumnId, RowId, SqlError, SqlResult, SqlState};
use engine::{Chunk, ColumnDef, Reference, SqlType, TableDef, layout};
use relational::Expressions;
use sqlparser::ast::{AlterColumnOperation, AlterTableOperation, DataType, Expr, visit_expressions};

use super::alter_table::{column_at, draft, finish_with};
use super::assignment::{assign, is_unknown_literal};
use super::create_sequence::follow_type;
use super::foreign_keys::check_comparable;
use super::property_graph::followers;
use super::table_draft::Draft;
use super::{Execution, validate};
use crate::column_types;
use crate::index_expressions;
use crate::names::fold;
use crate::pg_catalog::quote;
use crate::rules::{self, Guard};
use crate::tables::{arrow_error, row_ids};
use crate::types::{self, Assignment, Reading};
use crate::view::Place;

/// One column that takes another type.
struct Change {
    at: usize,
    column: ColumnDef,
    to: SqlType,
    /// Digits after the second, where fewer than six.
    precision: Option<u8>,
    /// What its values become; the old ones, cast, where nothing is said.
    using: Option<(Expressions, bool)>,
}

impl Change {
    /// Whether rows stay as they are (T2).
    fn is_free(&self) -> bool {
        self.using.is_none() && self.precision.is_none() && layout::widens(self.column.sql_type, self.to)
    }

    /// New values out of rows as they were (T1).
    fn values(&self, rows: &RecordBatch, reading: Reading) -> SqlResult<ArrayRef> {
        let target = ColumnDef { sql_type: self.to, ..self.column.clone() };
        match &self.using {
            Some((planned, unknown)) => assign(&planned.evaluate(rows.columns(), rows.num_rows())?[0], &target, *unknown, reading),
            None => {
                let (from, to, column) = (self.column.sql_type, self.to, &self.column.name);
                types::coerce(rows.column(self.at), &Assignment { column, from, to, from_unknown_literal: false, reading })
            }
        }
    }
}

/// Changes the types that these actions name. Errors: 42703, 42704, 42804, 0A000, and what the values raise.
pub(super) fn execute(execution: &mut Execution<'_>, table: &Arc<TableDef>, actions: &[&AlterTableOperation]) -> SqlResult<()> {
    let mut changes: Vec<Change> = Vec::new();
    for action in actions {
        let AlterTableOperation::AlterColumn { column_name, op: AlterColumnOperation::SetDataType { data_type, using, .. } } = action
        else {
            return Err(SqlError::internal("not a change of a type"));
        };
        let change = read(execution, table, &fold(column_name), data_type, using.as_ref())?;
        if changes.iter().any(|other| other.at == change.at) {
            let message = format!("cannot alter type of column \"{}\" twice", change.column.name);
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        changes.push(change);
    }
    for change in &changes {
        refuse_dependents(execution, table, &change.column)?;
    }
    let digits = |change: &Change| table.rules.column(change.column.id).and_then(|rules| rules.precision);
    changes.retain(|change| change.using.is_some() || change.to != change.column.sql_type || change.precision != digits(change));
    if changes.is_empty() { Ok(()) } else { carry_out(execution, table, &changes) }
}

fn read(execution: &Execution<'_>, table: &TableDef, name: &str, data_type: &DataType, using: Option<&Expr>) -> SqlResult<Change> {
    let at = column_at(table, name)?;
    let column = table.columns[at].clone();
    let (to, precision) = (column_types::resolve_plain(data_type)?, column_types::precision(data_type));
    if using.is_some() && rules::is_generated(table, at) {
        return Err(SqlError::new(SqlState("42611"), "cannot specify USING when altering type of generated column")
            .detail(format!("Column \"{name}\" is a generated column.")));
    }
    let cannot = |message: String, hint: Option<String>| {
        let error = SqlError::new(SqlState::DATATYPE_MISMATCH, message);
        hint.into_iter().fold(error, SqlError::hint)
    };
    let Some(expr) = using else {
        if !types::assignable(column.sql_type, to) {
            let message = format!("column \"{name}\" cannot be cast automatically to type {}", to.name());
            let hint = format!("You might need to specify \"USING {}::{}\".", quote(name), to.name());
            return Err(cannot(message, (!rules::is_generated(table, at)).then_some(hint)));
        }
        return Ok(Change { at, column, to, precision, using: None });
    };
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    refuse_in_transform(expr)?;
    rules::columns_of(&table.name, &names, expr)?;
    let planned = rules::transform(&execution.place(), table, &expr.to_string())?;
    let unknown = is_unknown_literal(expr);
    let found = planned.types().next().and_then(|found| SqlType::from_arrow(&found));
    if !unknown && found.is_none_or(|found| !types::assignable(found, to)) {
        let message = format!("result of USING clause for column \"{name}\" cannot be cast automatically to type {}", to.name());
        return Err(cannot(message, Some("You might need to add an explicit cast.".to_owned())));
    }
    Ok(Change { at, column, to, precision, using: Some((planned, unknown)) })
}

/// Errors: 0A000, 42803, 42P20 for what USING cannot have.
fn refuse_in_transform(expr: &Expr) -> SqlResult<()> {
    let refused = visit_expressions(expr, |inner| {
        let (state, message) = match inner {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                (SqlState::FEATURE_NOT_SUPPORTED, "cannot use subquery in transform expression")
            }
            Expr::Function(call) if call.over.is_some() => (SqlState("42P20"), "window functions are not allowed in transform expressions"),
            Expr::Function(call) if relational::is_aggregate(&call.name.to_string().to_lowercase()) => {
                (SqlState::GROUPING_ERROR, "aggregate functions are not allowed in transform expressions")
            }
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(SqlError::new(state, message))
    });
    match refused {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Errors: 0A000 where something is computed from the column.
fn refuse_dependents(execution: &Execution<'_>, table: &TableDef, column: &ColumnDef) -> SqlResult<()> {
    let name = &column.name;
    if let Some(generated) = rules::needing(table, name)?.first().and_then(|id| table.column(*id)) {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot alter type of a column used by a generated column")
            .detail(format!("Column \"{name}\" is used by generated column \"{}\".", generated.name)));
    }
    let catalog = execution.transaction.catalog();
    if let Some(view) = catalog.readers().find(|view| view.reads(table.id.0, Some(column.id))) {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot alter type of a column used by a view or rule")
            .detail(format!("rule _RETURN on {} {} depends on column \"{name}\"", view.kind, view.name)));
    }
    let elements = followers::elements_needing(&catalog, table.id.0, Some(name)).into_iter().map(|(graph, _)| graph);
    let properties = followers::properties_needing(&catalog, table.id.0, name).into_iter().map(|(graph, ..)| graph);
    if let Some(graph) = elements.chain(properties).find_map(|graph| catalog.object(graph)) {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot alter type of a column used by a property graph")
            .detail(format!("property graph {} depends on column \"{name}\"", graph.name())));
    }
    Ok(())
}

fn carry_out(execution: &mut Execution<'_>, table: &Arc<TableDef>, changes: &[Change]) -> SqlResult<()> {
    let mut draft = draft(execution, table);
    for change in changes {
        retype(execution, table, &mut draft, change)?;
    }
    let is_touched = |id: &ColumnId| changes.iter().any(|change| change.column.id == *id);
    let keys = renew_keys(execution, table, &mut draft, &is_touched)?;
    let own: Vec<Reference> = renew_references(execution, table, &mut draft, &is_touched, &keys);
    let after = draft.finish()?;
    let catalog = execution.transaction.catalog();
    for reference in &own {
        let parent = if reference.table == table.id { Some(&after) } else { catalog.table_by_id(reference.table).map(|table| &**table) };
        if let Some(parent) = parent {
            check_comparable(&reference.name, (&after, &reference.columns), (parent, &reference.referenced))?;
        }
    }
    rules::check_generated(&execution.place(), &after)?;
    let is_free = changes.iter().all(Change::is_free);
    let chunks = if is_free { Vec::new() } else { every_row(execution, table) };
    let references: Vec<Reference> = own.into_iter().filter(|reference| !reference.not_valid).collect();
    let after = if is_free {
        finish_with(execution, draft, table, &references)?
    } else {
        let after = execution.transaction.alter_table(after)?;
        rewrite(execution, &after, chunks, changes)?;
        references.iter().try_for_each(|reference| execution.transaction.check_all_references(&after, reference))?;
        after
    };
    follow_keys(execution, &after, &keys)?;
    let touched = |columns: &[ColumnId]| columns.iter().any(is_touched);
    for check in after.rules.checks.iter().filter(|check| touched(&check.columns)) {
        if is_free || check.not_valid {
            rules::condition(&execution.place(), &after, check)?;
        } else {
            validate::check(execution, &after, check)?;
        }
    }
    Ok(())
}

/// The column's type in a draft, with what depends on it there: its default, its identity, what old rows show of it.
fn retype(execution: &mut Execution<'_>, table: &TableDef, draft: &mut Draft, change: &Change) -> SqlResult<()> {
    let (name, from, to) = (&change.column.name, change.column.sql_type, change.to);
    draft.columns[change.at].sql_type = to;
    let target = draft.columns[change.at].clone();
    let rules = draft.rules.column_mut(change.column.id);
    rules.precision = change.precision;
    if rules.missing.is_some() {
        // Read under the old type; rows that are written anew have a value of their own.
        let before = layout::missing_value(table, &change.column)?;
        rules.missing = match change.is_free() {
            true => Some(layout::pack_missing(name, &types::canonical(&before, to)?)?),
            false => None,
        };
    }
    if rules.identity.is_some() {
        let sequence = rules.sequence;
        return sequence.map_or(Ok(()), |sequence| follow_type(execution, sequence, to));
    }
    let cannot = |what: &str| {
        let message = format!("{what} for column \"{name}\" cannot be cast automatically to type {}", to.name());
        SqlError::new(SqlState::DATATYPE_MISMATCH, message)
    };
    if rules.generated || rules.default.is_none() {
        return Ok(());
    }
    if rules.sequence.is_some() {
        return if types::assignable(SqlType::Int8, to) { Ok(()) } else { Err(cannot("default")) };
    }
    if let Some(text) = &mut rules.default {
        let expr = rules::expression(text)?;
        // A literal has been one of the old type since it was given.
        if is_unknown_literal(&expr) && from != to {
            *text = format!("{text}::{}", from.name());
        }
        if !rules::is_volatile(&expr) {
            rules::computed_default(&execution.place(), &target, text, 1).map_err(|error| match error.state() {
                SqlState::DATATYPE_MISMATCH => cannot("default"),
                _ => error,
            })?;
        }
    }
    Ok(())
}

/// New ids for unique keys and indexes over changed columns (T3): new by old.
fn renew_keys(
    execution: &Execution<'_>,
    table: &TableDef,
    draft: &mut Draft,
    is_touched: &dyn Fn(&ColumnId) -> bool,
) -> SqlResult<BTreeMap<u32, u32>> {
    let next = || execution.transaction.ledger().next_object_id();
    let mut renewed = BTreeMap::new();
    if table.primary_key.iter().any(is_touched) {
        let id = next();
        renewed.insert(draft.rules.key_id.replace(id).unwrap_or(table.id.0), id);
    }
    let touched: Vec<ColumnId> = draft.columns.iter().map(|column| column.id).filter(is_touched).collect();
    let relational = &execution.view.database.relational;
    for index in draft.rules.indexes.iter_mut().filter(|index| touched.iter().any(|id| index.reads(*id))) {
        for expression in index.computed_mut().filter(|expression| expression.columns.iter().any(is_touched)) {
            index_expressions::retyped(relational, &draft.name, &draft.columns, expression)?;
        }
        let id = next();
        renewed.insert(std::mem::replace(&mut index.id, id), id);
    }
    Ok(renewed)
}

/// The table's own references over changed columns, or to keys that have new ids, made anew.
fn renew_references(
    execution: &Execution<'_>,
    table: &TableDef,
    draft: &mut Draft,
    is_touched: &dyn Fn(&ColumnId) -> bool,
    keys: &BTreeMap<u32, u32>,
) -> Vec<Reference> {
    let mut renewed = Vec::new();
    for reference in &mut draft.rules.references {
        let key = keys.get(&reference.key).filter(|_| reference.table == table.id);
        if key.is_none() && !reference.columns.iter().any(is_touched) {
            continue;
        }
        reference.key = key.copied().unwrap_or(reference.key);
        reference.id = execution.transaction.ledger().next_object_id();
        renewed.push(reference.clone());
    }
    renewed
}

/// References of other tables to keys that have new ids. Errors: 42804, 23503.
fn follow_keys(execution: &mut Execution<'_>, table: &Arc<TableDef>, keys: &BTreeMap<u32, u32>) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let mut children: Vec<Arc<TableDef>> = catalog
        .references_to(table.id)
        .filter(|(child, reference)| child.id != table.id && keys.contains_key(&reference.key))
        .map(|(child, _)| Arc::clone(child))
        .collect();
    children.dedup_by_key(|child| child.id);
    for child in children {
        let mut draft = draft(execution, &child);
        let mut renewed = Vec::new();
        for reference in draft.rules.references.iter_mut().filter(|reference| reference.table == table.id) {
            let Some(key) = keys.get(&reference.key) else { continue };
            check_comparable(&reference.name, (&child, &reference.columns), (table, &reference.referenced))?;
            reference.key = *key;
            reference.id = execution.transaction.ledger().next_object_id();
            renewed.push(reference.clone());
        }
        renewed.retain(|reference| !reference.not_valid);
        finish_with(execution, draft, &child, &renewed)?;
    }
    Ok(())
}

/// The table's rows as they are now, to be read later.
fn every_row(execution: &mut Execution<'_>, table: &Arc<TableDef>) -> Vec<Chunk> {
    execution.transaction.rely_on(table.id);
    let all: Vec<usize> = (0..table.columns.len()).collect();
    execution.transaction.view(table).scan(&all, true)
}

/// New versions of all rows (T2). Errors: what the values raise; 23502, 23505.
fn rewrite(execution: &mut Execution<'_>, table: &Arc<TableDef>, chunks: Vec<Chunk>, changes: &[Change]) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let guard = Guard::new(&Place { view: execution.view, scope: &scope }, table, &all)?;
    let reading = execution.view.reading();
    for chunk in chunks {
        execution.watch.check()?;
        let batch = chunk.read()?;
        if batch.num_rows() == 0 {
            continue;
        }
        let ids: Vec<RowId> = row_ids(batch.column(all.len()))?.values().iter().map(|id| RowId(id.cast_unsigned())).collect();
        let before = batch.project(&all).map_err(arrow_error)?;
        let mut columns = before.columns().to_vec();
        for change in changes {
            columns[change.at] = change.values(&before, reading)?;
            if columns[change.at].null_count() > 0 && table.columns[change.at].not_null {
                let column = &change.column.name;
                let message = format!("column \"{column}\" of relation \"{}\" contains null values", table.name);
                return Err(SqlError::new(SqlState::NOT_NULL_VIOLATION, message).table(&table.schema, &table.name).column(column));
            }
        }
        let new = guard.generate(RecordBatch::try_new(table.arrow_schema(), columns).map_err(arrow_error)?)?;
        execution.transaction.update(table, &ids, &new).map_err(|error| as_unique_index(error, table))?;
    }
    Ok(())
}

/// A value that two rows have by now is told as of an index that is made.
fn as_unique_index(error: SqlError, table: &TableDef) -> SqlError {
    if error.state() != SqlState::UNIQUE_VIOLATION {
        return error;
    }
    let field = |wanted: u8| error.fields().find(|(letter, _)| *letter == wanted).map_or("", |(_, text)| text);
    let (name, detail) = (field(b'n'), field(b'D').replace("already exists.", "is duplicated."));
    SqlError::new(SqlState::UNIQUE_VIOLATION, format!("could not create unique index \"{name}\""))
        .detail(detail)
        .table(&table.schema, &table.name)
        .constraint(name)
}
