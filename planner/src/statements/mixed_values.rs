//! VALUES of an INSERT where some expressions need a query: those are computed by one, the constants beside them are taken as they are.
//!
//! M1: every row comes out at its own place, whatever order the query answers in; an ordinal travels with it.
//! Never: lets a constant's type be guessed from its neighbours in the list.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::{cast, concat_batches, interleave, take};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use engine::TableDef;
use relational::Shape;
use sqlparser::ast::{Expr, Query, SetExpr, SetOperator, SetQuantifier, Statement, Value, Values, visit_expressions};

use super::assignment::{self, assign};
use super::hints::Hints;
use super::{Execution, Planning, rewrite};
use crate::cells::{self, Cell, Source};
use crate::syntax_errors::CHAIN_MAX;
use crate::tables::arrow_error;

/// A planned list.
#[derive(Debug)]
pub(super) struct MixedValues {
    /// Rows of `ordinal, expression …`; NULL where a cell is constant.
    shape: Arc<Shape>,
    count: usize,
    /// Columns of constants: position in the table and values.
    known: Vec<(usize, Source)>,
    /// Columns in the query's order: position in the table, and the constants among their rows.
    computed: Vec<(usize, Vec<Option<Cell>>)>,
}

impl MixedValues {
    pub(super) fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// Splits a list into what is known and what must be computed. `targets`: a position in the table for each expression of a row.
    pub(super) fn plan(
        planning: &Planning<'_>,
        table: &TableDef,
        targets: &[usize],
        source: &Query,
        values: &Values,
        hints: &mut Hints,
    ) -> SqlResult<Self> {
        let (mut known, mut computed) = (Vec::new(), Vec::new());
        let mut rows: Vec<Vec<Expr>> = (0..values.rows.len()).map(|row| vec![number(row)]).collect();
        for (at, position) in targets.iter().enumerate() {
            let column = &table.columns[*position];
            let exprs = || values.rows.iter().map(|row| &row.content[at]);
            if let Some(source) = cells::source(column, exprs(), planning.parsed, planning.view.settings.manner())? {
                hints.note_source(&source, column.sql_type);
                known.push((*position, source));
                continue;
            }
            let mut cells = Vec::with_capacity(rows.len());
            for (expr, row) in exprs().zip(&mut rows) {
                if let Some(index) = assignment::parameter(expr) {
                    hints.note(index, column.sql_type);
                }
                let cell = cells::cell(column, expr, planning.parsed, planning.view.settings.manner())?;
                row.push(if cell.is_some() { Expr::Value(Value::Null.into()) } else { expr.clone() });
                cells.push(cell);
            }
            computed.push((*position, cells));
        }
        let mut query = source.clone();
        query.body = Box::new(body(values, rows)?);
        let statement = Statement::Query(Box::new(query));
        let shape = hints.complete_from(planning, &statement, None)?.shape;
        Ok(Self { shape, count: values.rows.len(), known, computed })
    }

    /// Computes the columns given, as positions in the table and values in the list's order.
    pub(super) async fn columns(&self, table: &TableDef, execution: &mut Execution<'_>) -> SqlResult<(usize, Vec<(usize, ArrayRef)>)> {
        let mut answer = execution.rows(&self.shape, None)?;
        let schema = Arc::clone(&answer.schema);
        let mut batches = Vec::new();
        while let Some(batch) = execution.watch.next(&mut answer.stream).await? {
            batches.push(batch);
        }
        let batch = concat_batches(&schema, &batches).map_err(arrow_error)?;
        let places = places(batch.column(0), self.count)?;
        let mut given = Vec::with_capacity(self.known.len() + self.computed.len());
        for (position, source) in &self.known {
            given.push((*position, source.array(&table.columns[*position], execution.parameters)?));
        }
        for ((position, cells), values) in self.computed.iter().zip(&batch.columns()[1..]) {
            let column = &table.columns[*position];
            let values = take(values, &places, None).map_err(arrow_error)?;
            let values = assign(&values, column, false, execution.parameters.reading)?;
            let mut arrays = vec![values];
            let mut picks = Vec::with_capacity(self.count);
            for (row, cell) in cells.iter().enumerate() {
                match cell {
                    None => picks.push((0, row)),
                    Some(cell) => {
                        picks.push((arrays.len(), 0));
                        arrays.push(cell.array(column, execution.parameters)?);
                    }
                }
            }
            let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            given.push((*position, interleave(&arrays, &picks).map_err(arrow_error)?));
        }
        Ok((self.count, given))
    }
}

/// The rows as a list, or where one holds a subquery, which a list cannot run, as a union of SELECTs.
fn body(values: &Values, rows: Vec<Vec<Expr>>) -> SqlResult<SetExpr> {
    let holds_subquery = |exprs: &Vec<Expr>| exprs.iter().any(has_subquery);
    if !rows.iter().any(holds_subquery) {
        let mut list = values.clone();
        for (row, exprs) in list.rows.iter_mut().zip(rows) {
            row.content = exprs;
        }
        return Ok(SetExpr::Values(list));
    }
    if rows.len() > CHAIN_MAX {
        return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, format!("more than {CHAIN_MAX} rows of VALUES with subqueries"))
            .hint("Use INSERT … SELECT."));
    }
    let select = |exprs: Vec<Expr>| {
        let items = exprs.into_iter().enumerate().map(|(at, expr)| rewrite::item(expr, format!("c{at}"))).collect();
        rewrite::select_body(items, Vec::new(), None)
    };
    let union = |left, right| SetExpr::SetOperation {
        left: Box::new(left),
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::All,
        right: Box::new(right),
    };
    rows.into_iter().map(select).reduce(union).ok_or_else(|| SqlError::internal("a VALUES list without rows"))
}

fn has_subquery(expr: &Expr) -> bool {
    visit_expressions(expr, |expr| match expr {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

fn number(row: usize) -> Expr {
    Expr::Value(Value::Number(row.to_string(), false).into())
}

/// For each row of the list, where the query put it (M1).
fn places(ordinals: &ArrayRef, count: usize) -> SqlResult<UInt64Array> {
    let ordinals = cast(ordinals, &DataType::Int64).map_err(arrow_error)?;
    let ordinals = ordinals.as_primitive::<Int64Type>().values();
    let mut places = vec![None; count];
    for (place, ordinal) in ordinals.iter().enumerate() {
        if let Some(slot) = usize::try_from(*ordinal).ok().and_then(|ordinal| places.get_mut(ordinal)) {
            *slot = Some(place as u64);
        }
    }
    match places.iter().all(Option::is_some) {
        true => Ok(places.into_iter().collect()),
        false => Err(SqlError::internal("M1: a VALUES list lost a row on its way through a query")),
    }
}
