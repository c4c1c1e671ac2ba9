//! ON CONFLICT: a row whose key is taken is passed over, or becomes an update of the row that has the key.
//!
//! N1: what is taken is judged by the statement's snapshot and own writes; a key taken by a later commit makes the statement lose (40001), so
//!     that it is judged again.
//! N2: one statement never updates a row twice.
//! Never: finds a conflict by trying to insert.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema};
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::key::{Key, KeyReader};
use engine::{KeyDef, TableDef, Transaction};
use relational::Shape;
use sqlparser::ast::{BinaryOperator, ConflictTarget, DoUpdate, Expr, Ident, OnConflict as Clause, OnConflictAction, SetExpr, Statement};

use super::assignment::{self, assign, is_unknown_literal};
use super::hints::Hints;
use super::puts::{self, Put};
use super::write_target::{Target, Verb};
use super::{Execution, Planning, rewrite, update};
use crate::cells::{self, Parameters, Source};
use crate::conflict_syntax::{CONDITION, EXPRESSION};
use crate::index_expressions::{self, Place};
use crate::names::{fold, simple};
use crate::rules::Guard;
use crate::tables::{MemoryTable, arrow_error, row_ids};
use crate::{parse, pg_catalog, rule_text};

/// Names no statement can write: the rows at hand, and their number.
const PROPOSED: &str = "\u{1}proposed rows";
const NUMBER: &str = "\u{1}number";
/// What expressions call the row that was to be inserted.
const EXCLUDED: &str = "excluded";

/// A planned ON CONFLICT clause.
#[derive(Debug)]
pub(super) struct OnConflict {
    /// Ids of the unique keys that it arbitrates; all of the table's where none is named.
    keys: Vec<u32>,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Nothing,
    Update(Update),
}

#[derive(Debug)]
pub(super) enum Update {
    /// Values of the proposed row, constants and parameters.
    Plain(Vec<(usize, From)>),
    /// Expressions: a query for the row's number and the whole new row. `set`: which columns it computes, and whether from a literal without a type.
    /// `puts`: what is put into parts of columns.
    Query { shape: Arc<Shape>, set: Vec<(usize, bool)>, puts: Vec<Put> },
}

/// Where a column's new value comes from.
#[derive(Debug)]
pub(super) enum From {
    Excluded(usize),
    Source(Source),
}

/// Rows of one batch, apart.
pub(super) struct Sorted {
    /// Keys nobody has.
    pub(super) fresh: RecordBatch,
    /// The rows that have the keys of the others, and the others, pairwise.
    taken: Vec<(RowId, RecordBatch)>,
    proposed: RecordBatch,
}

impl OnConflict {
    /// Plans a clause. `alias` is what expressions call the table. Errors: 42P10, 42704, 42601, what the expressions raise.
    pub(super) fn plan(planning: &Planning<'_>, target: &Target, alias: &str, clause: &Clause, hints: &mut Hints) -> SqlResult<Self> {
        let keys = arbiters(planning, target, clause)?;
        let action = match &clause.action {
            OnConflictAction::DoNothing => Ok(Action::Nothing),
            OnConflictAction::DoUpdate(_) if clause.conflict_target.is_none() => {
                Err(SqlError::new(SqlState::SYNTAX_ERROR, "ON CONFLICT DO UPDATE requires inference specification or constraint name")
                    .hint("For example, ON CONFLICT (column_name)."))
            }
            OnConflictAction::DoUpdate(action) => plan_update(planning, target, alias, action, hints).map(Action::Update),
        };
        Ok(Self { keys, action: action? })
    }

    /// Splits rows by whether their key is taken; `seen` has the keys that the statement met before.
    ///
    /// Errors: 21000 for a key met twice by an update (N2); 55000 for a key that is deferrable.
    pub(super) fn sort(
        &self,
        table: &Arc<TableDef>,
        transaction: &Transaction,
        batch: &RecordBatch,
        seen: &mut HashSet<(u32, Key)>,
    ) -> SqlResult<Sorted> {
        let keys: Vec<&KeyDef> = self.keys.iter().filter_map(|id| table.key(*id)).collect();
        let expressions = transaction.ledger().options().expressions();
        let readers = keys.iter().map(|key| KeyReader::of_key(expressions, table, key, batch, |_| true)).collect::<SqlResult<Vec<_>>>()?;
        let view = transaction.view(table);
        let (mut is_fresh, mut taken, mut taken_at) = (Vec::with_capacity(batch.num_rows()), Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            // NULL in a key conflicts with nothing; where it may not be, inserting it says what is wrong.
            let values: Vec<(u32, Key)> = keys.iter().zip(&readers).filter_map(|(key, reader)| Some((key.id, reader.key(row)?))).collect();
            if values.iter().any(|value| seen.contains(value)) {
                if matches!(self.action, Action::Update(_)) {
                    return Err(twice());
                }
                is_fresh.push(false);
                continue;
            }
            let mut found = None;
            for (key, reader) in keys.iter().zip(&readers).filter(|(_, reader)| reader.holds(row)) {
                if key.late.is_some() {
                    return Err(late_arbiter(table, key));
                }
                let value: Vec<ArrayRef> = reader.columns().map(|values| values.slice(row, 1)).collect();
                found = view.lookup_by(key, &value)?;
                if found.is_some() {
                    break;
                }
            }
            is_fresh.push(found.is_none());
            // A row that is passed over takes no value from those after it.
            if found.is_none() || matches!(self.action, Action::Update(_)) {
                seen.extend(values);
            }
            if let (Some(found), Action::Update(_)) = (found, &self.action) {
                taken.push(found);
                taken_at.push(row as u32);
            }
        }
        let fresh = filter_record_batch(batch, &BooleanArray::from(is_fresh)).map_err(arrow_error)?;
        let proposed = take_record_batch(batch, &UInt32Array::from(taken_at)).map_err(arrow_error)?;
        Ok(Sorted { fresh, taken, proposed })
    }

    /// Updates the rows that have the keys; the new versions, as many as the clause's WHERE lets through.
    pub(super) async fn update(
        &self,
        table: &Arc<TableDef>,
        sorted: Sorted,
        execution: &mut Execution<'_>,
        guard: &Guard,
    ) -> SqlResult<Vec<RecordBatch>> {
        let (Action::Update(update), false) = (&self.action, sorted.taken.is_empty()) else { return Ok(Vec::new()) };
        let (ids, rows): (Vec<RowId>, Vec<RecordBatch>) = sorted.taken.into_iter().unzip();
        let old = concat_batches(&table.arrow_schema(), &rows).map_err(arrow_error)?;
        let mut written = Vec::new();
        match update {
            Update::Plain(set) => {
                let mut columns = old.columns().to_vec();
                for (position, from) in set {
                    columns[*position] = from.values(table, *position, &sorted.proposed, execution.parameters)?;
                }
                let new = RecordBatch::try_new(table.arrow_schema(), columns).map_err(arrow_error)?;
                written.push(write(table, execution, guard, &ids, new, &|at| set.iter().any(|(position, _)| *position == at))?);
            }
            Update::Query { shape, set, puts } => {
                let local = proposed_rows(table, Some((&old, &sorted.proposed)))?;
                let mut answer = execution.rows(shape, Some(&local))?;
                while let Some(batch) = execution.watch.next(&mut answer.stream).await? {
                    let numbers = row_ids(batch.column(0))?;
                    let chosen: Vec<RowId> =
                        numbers.values().iter().filter_map(|number| ids.get(usize::try_from(*number).ok()?).copied()).collect();
                    let mut columns = batch.columns()[1..=table.columns.len()].to_vec();
                    let reading = execution.parameters.reading;
                    for (position, unknown) in set {
                        columns[*position] = assign(&columns[*position], &table.columns[*position], *unknown, reading)?;
                    }
                    for put in puts {
                        columns[put.position] = put.into(&columns[put.position], &batch, table, reading)?;
                    }
                    let new = RecordBatch::try_new(table.arrow_schema(), columns).map_err(arrow_error)?;
                    let sets = |at| set.iter().any(|(position, _)| *position == at) || puts.iter().any(|put| put.position == at);
                    written.push(write(table, execution, guard, &chosen, new, &sets)?);
                }
            }
        }
        Ok(written)
    }
}

impl From {
    fn values(&self, table: &TableDef, position: usize, proposed: &RecordBatch, parameters: Parameters<'_>) -> SqlResult<ArrayRef> {
        match self {
            Self::Excluded(at) => assign(proposed.column(*at), &table.columns[position], false, parameters.reading),
            Self::Source(source) => {
                let one = source.array(&table.columns[position], parameters)?;
                take(&one, &UInt32Array::from(vec![0; proposed.num_rows()]), None).map_err(arrow_error)
            }
        }
    }
}

fn write(
    table: &Arc<TableDef>,
    execution: &mut Execution<'_>,
    guard: &Guard,
    old: &[RowId],
    new: RecordBatch,
    sets: &dyn Fn(usize) -> bool,
) -> SqlResult<RecordBatch> {
    let new = guard.settle(new)?;
    execution.transaction.update(table, old, &new).map_err(|error| update::as_conflict(error, table, sets))?;
    Ok(new)
}

/// A deferrable key arbitrates nothing; it is refused once a row comes to it that no key before has.
fn late_arbiter(table: &TableDef, key: &KeyDef) -> SqlError {
    let message = "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters";
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).table(&table.schema, &table.name).constraint(&key.name)
}

fn twice() -> SqlError {
    SqlError::new(SqlState::CARDINALITY_VIOLATION, "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .hint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}

/// The unique keys that a clause means. Errors: 42P10, 42704, 42703.
fn arbiters(planning: &Planning<'_>, target: &Target, clause: &Clause) -> SqlResult<Vec<u32>> {
    let table = &*target.table;
    let unique = || table.keys().iter().filter(|key| key.tells_apart());
    match &clause.conflict_target {
        None => Ok(unique().map(|key| key.id).collect()),
        Some(ConflictTarget::Columns(columns)) => {
            let inferred = Inferred::of(planning, target, columns)?;
            let found: Vec<u32> = unique().filter(|key| inferred.means(table, key)).map(|key| key.id).collect();
            if !found.is_empty() {
                return Ok(found);
            }
            let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message))
        }
        Some(ConflictTarget::OnConstraint(name)) => {
            let ident = simple(name)?;
            let name = fold(ident);
            let is_constraint = |id: u32| table.rules.indexes.iter().all(|index| index.id != id || index.constraint);
            if let Some(key) = unique().find(|key| key.name == name && is_constraint(key.id)) {
                return Ok(vec![key.id]);
            }
            let message = format!("constraint \"{name}\" for table \"{}\" does not exist", table.name);
            Err(planning.parsed.point(SqlError::new(SqlState::UNDEFINED_OBJECT, message), ident.span))
        }
    }
}

/// What a list of a clause says of the index that it means.
#[derive(Default)]
struct Inferred {
    positions: BTreeSet<usize>,
    /// As Postgres prints them, so that the same is the same.
    expressions: BTreeSet<String>,
    /// Parts of the condition, likewise.
    condition: BTreeSet<String>,
}

impl Inferred {
    /// Errors: 42703, 42601, and what the expressions raise.
    fn of(planning: &Planning<'_>, target: &Target, list: &[Ident]) -> SqlResult<Self> {
        let (table, relational) = (&*target.table, &planning.view.database.relational);
        let mut inferred = Self::default();
        for ident in list {
            let (mark, text) = match ident.value.chars().next() {
                Some(mark @ (EXPRESSION | CONDITION)) if ident.quote_style.is_some() => (mark, &ident.value[mark.len_utf8()..]),
                _ => {
                    inferred.positions.insert(target.position(&fold(ident), ident.span, planning.parsed, Verb::Insert)?);
                    continue;
                }
            };
            let expr = rule_text::expression(text).map_err(|error| planning.parsed.point(error, ident.span))?;
            let expr = unwrapped(&expr);
            if let (Expr::Identifier(column), EXPRESSION) = (expr, mark) {
                inferred.positions.insert(target.position(&fold(column), ident.span, planning.parsed, Verb::Insert)?);
                continue;
            }
            let place = if mark == CONDITION { Place::Condition } else { Place::List };
            let read = index_expressions::read(relational, &table.name, &table.columns, expr, place)?;
            if mark == CONDITION {
                inferred.condition = parts(table, &read.text);
            } else {
                inferred.expressions.insert(pg_catalog::index_expression(table, &read.text, false));
            }
        }
        Ok(inferred)
    }

    /// Whether an index is over all that is named and nothing else, and has all rows that meet the condition.
    fn means(&self, table: &TableDef, key: &KeyDef) -> bool {
        let (mut positions, mut expressions) = (BTreeSet::new(), BTreeSet::new());
        for place in &key.positions {
            match table.computed(*place) {
                Some(computed) => {
                    expressions.insert(pg_catalog::index_expression(table, &computed.text, false));
                }
                None => {
                    positions.insert(*place);
                }
            }
        }
        let condition = key.condition.and_then(|place| table.computed(place)).map(|condition| parts(table, &condition.text));
        let is_met = condition.is_none_or(|condition| condition.is_subset(&self.condition));
        is_met && positions == self.positions && expressions == self.expressions
    }
}

fn unwrapped(expr: &Expr) -> &Expr {
    if let Expr::Nested(inner) = expr { unwrapped(inner) } else { expr }
}

/// Parts of a condition joined by AND, as Postgres prints them.
fn parts(table: &TableDef, text: &str) -> BTreeSet<String> {
    fn split(expr: &Expr, into: &mut Vec<String>) {
        match unwrapped(expr) {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => [left, right].into_iter().for_each(|side| split(side, into)),
            other => into.push(other.to_string()),
        }
    }
    let mut texts = Vec::new();
    match rule_text::expression(text) {
        Ok(expr) => split(&expr, &mut texts),
        Err(_) => texts.push(text.to_owned()),
    }
    texts.iter().map(|text| pg_catalog::index_expression(table, text, false)).collect()
}

fn plan_update(planning: &Planning<'_>, target: &Target, alias: &str, action: &DoUpdate, hints: &mut Hints) -> SqlResult<Update> {
    let table = &*target.table;
    let set = update::read_assignments(planning, &action.assignments, target)?;
    if action.selection.is_none()
        && !set.iter().any(|(_, value)| puts::is_put(value))
        && let Some(plain) = plain(planning, target, &set, hints)?
    {
        return Ok(Update::Plain(plain));
    }
    let mut items = vec![rewrite::item(rewrite::column(alias, NUMBER), "number")];
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
    let statement = both_rows(target, alias, items, action.selection.as_ref())?;
    let local = proposed_rows(table, None)?;
    let shape = hints.complete_from(planning, &statement, Some(&local))?.shape;
    Ok(Update::Query { shape, set: computed, puts })
}

/// The sources of a SET list of nothing but `excluded.column`, constants and parameters.
fn plain(planning: &Planning<'_>, target: &Target, set: &[(usize, Expr)], hints: &mut Hints) -> SqlResult<Option<Vec<(usize, From)>>> {
    let table = &*target.table;
    let mut plain = Vec::with_capacity(set.len());
    for (position, value) in set {
        if let Some(at) = excluded(target, value) {
            plain.push((*position, From::Excluded(at)));
            continue;
        }
        match cells::source(&table.columns[*position], std::iter::once(value), planning.parsed, planning.view.settings.manner())? {
            Some(source) => plain.push((*position, From::Source(source))),
            None => return Ok(None),
        }
    }
    for (position, from) in &plain {
        if let From::Source(source) = from {
            hints.note_source(source, table.columns[*position].sql_type);
        }
    }
    Ok(Some(plain))
}

/// The position of the column that `excluded.column` names.
fn excluded(target: &Target, value: &Expr) -> Option<usize> {
    match value {
        Expr::Nested(inner) => excluded(target, inner),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [row, column] if fold(row) == EXCLUDED => target.named(&fold(column)),
            _ => None,
        },
        _ => None,
    }
}

/// `SELECT items FROM the row that has the key AS alias, the proposed one AS excluded [WHERE selection]`, pairwise.
fn both_rows(target: &Target, alias: &str, items: Vec<sqlparser::ast::SelectItem>, selection: Option<&Expr>) -> SqlResult<Statement> {
    let table = &*target.table;
    let called = alias;
    let list = |side: char| -> String {
        let column = |(at, name): (usize, &str)| format!("\"{side}{at}\" AS {}", quoted(name));
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.as_str()).enumerate().map(column).collect();
        columns.join(", ")
    };
    let (rows, number, alias) = (quoted(PROPOSED), quoted(NUMBER), quoted(alias));
    let template = format!(
        "SELECT 1 FROM (SELECT {}, {number} FROM {rows}) AS {alias}, (SELECT {}, {number} FROM {rows}) AS {EXCLUDED} WHERE {alias}.{number} = {EXCLUDED}.{number}",
        list('o'),
        list('e'),
    );
    let parsed = parse::parse(&template)?;
    let body = match parsed.first().map(|parsed| &*parsed.statement) {
        Some(Statement::Query(query)) => query.body.as_ref(),
        _ => return Err(SqlError::internal("the rows of ON CONFLICT are no query")),
    };
    let SetExpr::Select(select) = body else { return Err(SqlError::internal("the rows of ON CONFLICT are no SELECT")) };
    let pairs = select.selection.clone();
    let both = match (pairs, selection) {
        (Some(pairs), Some(selection)) => Some(Expr::BinaryOp {
            left: Box::new(pairs),
            op: BinaryOperator::And,
            right: Box::new(Expr::Nested(Box::new(selection.clone()))),
        }),
        (pairs, _) => pairs,
    };
    let sides = select.from.iter().zip([called, EXCLUDED]).map(|(rows, alias)| target.over(rows.clone(), alias, NUMBER));
    Ok(rewrite::select(None, items, sides.collect(), both))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The rows at hand side by side: number, the old row, the proposed one.
fn proposed_rows(table: &TableDef, rows: Option<(&RecordBatch, &RecordBatch)>) -> SqlResult<MemoryTable> {
    let user = table.arrow_schema();
    let side =
        |side: char| user.fields().iter().enumerate().map(move |(at, field)| field.as_ref().clone().with_name(format!("{side}{at}")));
    let number = Field::new(NUMBER, DataType::Int64, false);
    let schema = Arc::new(Schema::new(std::iter::once(number).chain(side('o')).chain(side('e')).collect::<Vec<_>>()));
    let mut batches = Vec::new();
    if let Some((old, proposed)) = rows {
        let numbers: ArrayRef = Arc::new((0..old.num_rows() as i64).collect::<Int64Array>());
        let columns = std::iter::once(numbers).chain(old.columns().iter().cloned()).chain(proposed.columns().iter().cloned()).collect();
        batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(arrow_error)?);
    }
    Ok(MemoryTable { name: PROPOSED.to_owned(), oid: None, schema, batches })
}
