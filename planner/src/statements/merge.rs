//! MERGE: one query pairs the rows of the source with those of the table and says for each pair which WHEN clause it meets.
//!
//! G1: the first clause whose condition holds is taken; the values of the others are not computed.
//! G2: no row of the table is changed twice (21000).
//! Never: sees its own writes.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int64Type};
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::TableDef;
use relational::Shape;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Join, JoinConstraint, JoinOperator, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertKind,
    TableFactor, TableWithJoins, Value, With,
};

use super::assignment::{self, assign, is_default, is_unknown_literal};
use super::hints::Hints;
use super::puts;
use super::update::{as_conflict, read_assignments};
use super::write_target::Target;
use super::{Execution, Planned, Planning, rewrite};
use crate::names::{fold, simple};
use crate::outcome::{Outcome, Tag};
use crate::parse::NOTHING;
use crate::rules::{Guard, Verb, generated_given};
use crate::tables::{ROW_ID, arrow_error};
use crate::types::Reading;

/// How a MERGE runs.
#[derive(Debug)]
pub(crate) struct Plan {
    table: Arc<TableDef>,
    /// Rows of `row id, clause, value …`.
    shape: Arc<Shape>,
    clauses: Vec<Clause>,
}

#[derive(Debug)]
enum Clause {
    Nothing,
    Delete,
    /// Values set: position in the table, column of the query, whether it is a literal without a type. The rest stays.
    Update(Vec<Set>),
    /// Values given.
    Insert(Vec<Set>),
}

#[derive(Debug)]
struct Set {
    position: usize,
    column: usize,
    unknown: bool,
}

impl Plan {
    pub(super) fn explained(&self) -> (String, Option<&Arc<Shape>>) {
        (format!("Merge on {}.{}", self.table.schema, self.table.name), Some(&self.shape))
    }
}

/// The query's list as it grows.
struct Items {
    items: Vec<sqlparser::ast::SelectItem>,
}

impl Items {
    fn push(&mut self, expr: Expr) -> usize {
        let column = self.items.len();
        self.items.push(rewrite::item(expr, format!("m{column}")));
        column
    }
}

pub(super) fn plan(planning: &Planning<'_>, merge: &Merge, with: Option<&With>) -> SqlResult<Planned> {
    let TableFactor::Table { name: object, alias, args: None, .. } = &merge.table else {
        return Err(SqlError::unsupported("MERGE into something that is not a table"));
    };
    if merge.output.is_some() {
        return Err(SqlError::unsupported("MERGE … OUTPUT"));
    }
    let target = Target::of_table(planning, object)?;
    let table = Arc::clone(&target.table);
    let alias = alias.as_ref().map_or_else(|| target.name.clone(), |alias| fold(&alias.name));
    let mut hints = Hints::new(planning.given);
    let row_id = rewrite::column(&alias, ROW_ID);
    let choice = choice(&merge.clauses, &row_id)?;
    let mut items = Items { items: Vec::new() };
    items.push(row_id);
    items.push(choice.clone());
    // The old row, for the columns that an UPDATE leaves alone.
    for column in &table.columns {
        items.push(rewrite::column(&alias, &column.name));
    }
    let mut clauses = Vec::with_capacity(merge.clauses.len());
    for (at, clause) in merge.clauses.iter().enumerate() {
        let mut guarded = |position: usize, value: &Expr| {
            if let Some(index) = assignment::parameter(value) {
                hints.note(index, table.columns[position].sql_type);
            }
            let column = items.push(only_if(&choice, at, value.clone()));
            Set { position, column, unknown: is_unknown_literal(value) }
        };
        clauses.push(match &clause.action {
            MergeAction::Delete { .. } => Clause::Delete,
            MergeAction::Update(update) if update.assignments.iter().any(|set| set.target.to_string().contains(NOTHING)) => Clause::Nothing,
            MergeAction::Update(update) => {
                let sets = read_assignments(planning, &update.assignments, &target)?;
                if sets.iter().any(|(_, value)| puts::is_put(value)) {
                    return Err(SqlError::unsupported("an assignment to an element in MERGE"));
                }
                Clause::Update(sets.iter().map(|(position, value)| guarded(*position, value)).collect())
            }
            MergeAction::Insert(insert) if insert.columns.iter().any(|column| column.to_string().contains(NOTHING)) => Clause::Nothing,
            MergeAction::Insert(insert) => {
                let MergeInsertKind::Values(values) = &insert.kind else { return Err(SqlError::unsupported("MERGE … INSERT ROW")) };
                let [row] = values.rows.as_slice() else {
                    return Err(SqlError::new(SqlState::SYNTAX_ERROR, "MERGE inserts one row of VALUES"));
                };
                let targets = targets(planning, &table, &insert.columns)?;
                check_count(row.content.len(), targets.len(), insert.columns.is_empty())?;
                let given: Vec<_> = targets.iter().zip(&row.content).filter(|(_, value)| !is_default(value)).collect();
                given.iter().try_for_each(|(position, _)| generated_given(&table, **position, Verb::Insert))?;
                Clause::Insert(given.into_iter().map(|(position, value)| guarded(*position, value)).collect())
            }
        });
    }
    let on = JoinOperator::LeftOuter(JoinConstraint::On(merge.on.as_ref().clone()));
    let join = Join { relation: target.factor(&alias).relation, global: false, join_operator: on };
    let from = vec![TableWithJoins { relation: merge.source.clone(), joins: vec![join] }];
    let statement = rewrite::select(with, items.items, from, None);
    let shape = hints.complete_from(planning, &statement, None)?.shape;
    let parameters = hints.complete()?;
    Ok(Planned { plan: super::Plan::Merge(Box::new(Plan { table, shape, clauses })), parameters, columns: None })
}

/// The number of the first clause that a pair meets (G1).
fn choice(clauses: &[MergeClause], row_id: &Expr) -> SqlResult<Expr> {
    let mut conditions = Vec::with_capacity(clauses.len());
    for (at, clause) in clauses.iter().enumerate() {
        let matched = match clause.clause_kind {
            MergeClauseKind::Matched => Expr::IsNotNull(Box::new(row_id.clone())),
            MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget => Expr::IsNull(Box::new(row_id.clone())),
            MergeClauseKind::NotMatchedBySource => return Err(SqlError::unsupported("WHEN NOT MATCHED BY SOURCE")),
        };
        let condition = match &clause.predicate {
            Some(predicate) => binary(matched, BinaryOperator::And, Expr::Nested(Box::new(predicate.clone()))),
            None => matched,
        };
        conditions.push(CaseWhen { condition, result: number(at) });
    }
    Ok(case(conditions))
}

/// A value that is computed only for the pairs that meet a clause.
fn only_if(choice: &Expr, clause: usize, value: Expr) -> Expr {
    case(vec![CaseWhen { condition: binary(choice.clone(), BinaryOperator::Eq, number(clause)), result: value }])
}

fn case(conditions: Vec<CaseWhen>) -> Expr {
    let (case_token, end_token) = (AttachedToken::empty(), AttachedToken::empty());
    Expr::Case { case_token, end_token, operand: None, conditions, else_result: None }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn number(n: usize) -> Expr {
    Expr::Value(Value::Number(n.to_string(), false).into())
}

fn targets(planning: &Planning<'_>, table: &TableDef, columns: &[sqlparser::ast::ObjectName]) -> SqlResult<Vec<usize>> {
    if columns.is_empty() {
        return Ok((0..table.columns.len()).collect());
    }
    let mut targets = Vec::with_capacity(columns.len());
    for object in columns {
        let ident = simple(object)?;
        let position = assignment::position(table, &fold(ident), ident.span, planning.parsed)?;
        if targets.contains(&position) {
            let error = SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{}\" specified more than once", fold(ident)));
            return Err(planning.parsed.point(error, ident.span));
        }
        targets.push(position);
    }
    Ok(targets)
}

fn check_count(given: usize, targets: usize, all: bool) -> SqlResult<()> {
    let message = match given.cmp(&targets) {
        std::cmp::Ordering::Greater => "INSERT has more expressions than target columns",
        std::cmp::Ordering::Less if !all => "INSERT has more target columns than expressions",
        _ => return Ok(()),
    };
    Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let mut found = execution.rows(&plan.shape, None)?;
    let (mut rows, mut changed) = (0, HashSet::new());
    while let Some(batch) = execution.watch.next(&mut found.stream).await? {
        let chosen = cast(batch.column(1), &DataType::Int64).map_err(arrow_error)?;
        let chosen = chosen.as_primitive::<Int64Type>();
        for (at, clause) in plan.clauses.iter().enumerate() {
            let meets = |row: &u32| chosen.is_valid(*row as usize) && chosen.value(*row as usize) == at as i64;
            let places: UInt32Array = (0..batch.num_rows() as u32).filter(meets).collect::<Vec<_>>().into();
            if places.is_empty() {
                continue;
            }
            rows += plan.apply(clause, &batch, &places, execution, &mut changed)?;
        }
    }
    Ok(Outcome::Command(Tag::counted("MERGE", rows)))
}

impl Plan {
    /// Does what a clause says for the pairs that meet it; the rows it changed.
    fn apply(
        &self,
        clause: &Clause,
        batch: &RecordBatch,
        places: &UInt32Array,
        execution: &mut Execution<'_>,
        changed: &mut HashSet<i64>,
    ) -> SqlResult<u64> {
        let count = places.len();
        let reading = execution.parameters.reading;
        let chosen = |column: usize| take(batch.column(column), places, None).map_err(arrow_error);
        match clause {
            Clause::Nothing => return Ok(0),
            Clause::Delete => {
                let old = once(&chosen(0)?, changed)?;
                execution.transaction.delete(&self.table, &old)?;
            }
            Clause::Update(sets) => {
                let old = once(&chosen(0)?, changed)?;
                let mut columns = (0..self.table.columns.len()).map(|position| chosen(position + 2)).collect::<SqlResult<Vec<_>>>()?;
                for set in sets {
                    columns[set.position] = self.value(set, &chosen(set.column)?, reading)?;
                }
                let new = RecordBatch::try_new(self.table.arrow_schema(), columns).map_err(arrow_error)?;
                let all: Vec<usize> = (0..self.table.columns.len()).collect();
                let new = Guard::new(&execution.place(), &self.table, &all)?.settle(new)?;
                let is_set = |at| sets.iter().any(|set| set.position == at);
                execution.transaction.update(&self.table, &old, &new).map_err(|error| as_conflict(error, &self.table, &is_set))?;
            }
            Clause::Insert(sets) => {
                let given = sets
                    .iter()
                    .map(|set| Ok((set.position, self.value(set, &chosen(set.column)?, reading)?)))
                    .collect::<SqlResult<Vec<(usize, ArrayRef)>>>()?;
                let targets: Vec<usize> = given.iter().map(|(position, _)| *position).collect();
                let guard = Guard::new(&execution.place(), &self.table, &targets)?;
                let new = guard.settle(guard.complete(count, given)?)?;
                execution.transaction.insert(&self.table, &new)?;
            }
        }
        Ok(count as u64)
    }

    fn value(&self, set: &Set, values: &ArrayRef, reading: Reading) -> SqlResult<ArrayRef> {
        assign(values, &self.table.columns[set.position], set.unknown, reading)
    }
}

/// The rows' ids, each met for the first time (G2).
fn once(ids: &ArrayRef, changed: &mut HashSet<i64>) -> SqlResult<Vec<RowId>> {
    let ids: &Int64Array = ids.as_primitive_opt().ok_or_else(|| SqlError::internal("row ids came back in another type"))?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids.values() {
        if !changed.insert(*id) {
            return Err(SqlError::new(SqlState::CARDINALITY_VIOLATION, "MERGE command cannot affect row a second time")
                .hint("Ensure that not more than one source row matches any one target row."));
        }
        rows.push(RowId(id.cast_unsigned()));
    }
    Ok(rows)
}
