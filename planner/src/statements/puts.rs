//! `SET a[1] = x`, `SET a[2:3] = x`, `SET j['a'] = x`: values put into arrays and `jsonb` values, as `subscript_syntax.rs` spells them.
//!
//! P1: the query computes values and subscripts beside the row's old columns; what is put is put here, one assignment after the other.
//! P2: an array begins at 1 before and after.
//! Never: reads a subscript's type as another than Postgres would.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, MutableArrayData, RecordBatch, StringArray, make_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Int32Type};
use base::{SqlError, SqlResult, SqlState};
use engine::{ColumnDef, SqlType, TableDef};
use relational::values::json;
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, SelectItem};

use super::assignment::{self, is_default, is_unknown_literal};
use super::hints::Hints;
use super::{rewrite, shown_type};
use crate::subscript_syntax::{OPEN, PUT, SLICE};
use crate::tables::arrow_error;
use crate::types::{self, Assignment, Reading, documents};

/// Most elements of an array, as in Postgres.
const ELEMENTS_MAX: i32 = 134_217_727;

/// One assignment.
#[derive(Debug)]
pub(super) struct Put {
    /// The table's column.
    pub(super) position: usize,
    /// Of the query: the value.
    value: Given,
    /// Of the value.
    wanted: SqlType,
    steps: Vec<Step>,
}

/// A column of the query, and whether it is a literal without a type.
#[derive(Clone, Copy, Debug)]
struct Given {
    column: usize,
    unknown: bool,
}

#[derive(Debug)]
enum Step {
    One(Given),
    Slice(Option<Given>, Option<Given>),
}

/// Where elements go.
#[derive(Clone, Copy)]
enum Place {
    One(i32),
    Slice(Option<i32>, Option<i32>),
}

/// The arguments of a call that stands for something.
fn arguments<'e>(expr: &'e Expr, name: &str) -> Option<Vec<&'e Expr>> {
    let Expr::Function(call) = expr else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    let is_called = call.name.0.last().and_then(|part| part.as_ident()).is_some_and(|ident| ident.value == name);
    let argument = |argument: &'e FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    };
    is_called.then(|| list.args.iter().filter_map(argument).collect())
}

/// Whether a value of a SET list stands for what is put into the column.
pub(super) fn is_put(value: &Expr) -> bool {
    match value {
        Expr::Tuple(all) => all.first().is_some_and(is_put),
        other => arguments(other, PUT).is_some(),
    }
}

/// Adds what else is put into the same column.
pub(super) fn add(before: &mut Expr, put: &Expr) {
    match before {
        Expr::Tuple(all) => all.push(put.clone()),
        one => *one = Expr::Tuple(vec![one.clone(), put.clone()]),
    }
}

/// What the values of a SET list put, and the columns of the query that they need, the first of which is number `first`.
///
/// Errors: 42804 for a column, or a slice, that has no parts; 0A000 for DEFAULT.
pub(super) fn plan(table: &TableDef, set: &[(usize, Expr)], first: usize, hints: &mut Hints) -> SqlResult<(Vec<Put>, Vec<SelectItem>)> {
    let (mut puts, mut items) = (Vec::new(), Vec::new());
    for (position, value) in set.iter().filter(|(_, value)| is_put(value)) {
        let all: Vec<&Expr> = match value {
            Expr::Tuple(all) => all.iter().collect(),
            one => vec![one],
        };
        for put in all {
            let Some(parts) = arguments(put, PUT) else { continue };
            let [value, steps @ ..] = parts.as_slice() else { continue };
            let mut given = |expr: &Expr, wanted: SqlType| {
                if let Some(index) = assignment::parameter(expr) {
                    hints.note(index, wanted);
                }
                let column = first + items.len();
                items.push(rewrite::item(expr.clone(), format!("p{column}")));
                Given { column, unknown: is_unknown_literal(expr) }
            };
            let column = &table.columns[*position];
            let is_slice = steps.iter().any(|step| arguments(step, SLICE).is_some());
            let (wanted, subscript) = wanted(column, is_slice)?;
            if is_default(value) {
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot set an array element to DEFAULT"));
            }
            let value = given(value, wanted);
            let mut step = |step: &Expr| match arguments(step, SLICE) {
                None => Step::One(given(step, subscript)),
                Some(bounds) => {
                    let mut bound =
                        |at: usize| bounds.get(at).filter(|bound| arguments(bound, OPEN).is_none()).map(|one| given(one, subscript));
                    let low = bound(0);
                    Step::Slice(low, bound(1))
                }
            };
            let steps = steps.iter().map(|one| step(one)).collect();
            puts.push(Put { position: *position, value, wanted, steps });
        }
    }
    Ok((puts, items))
}

/// The types of what is put into a column, and of its subscripts. Errors: 42804.
fn wanted(column: &ColumnDef, is_slice: bool) -> SqlResult<(SqlType, SqlType)> {
    let refused = |message: String| Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
    match (column.sql_type, column.sql_type.element()) {
        (whole, Some(_)) if is_slice => Ok((whole, SqlType::Int4)),
        (_, Some(element)) => Ok((element, SqlType::Int4)),
        (SqlType::Jsonb, _) if is_slice => refused("jsonb subscript does not support slices".to_owned()),
        (SqlType::Jsonb, _) => Ok((SqlType::Jsonb, SqlType::Text)),
        (other, _) => refused(format!("cannot subscript type {} because it does not support subscripting", other.name())),
    }
}

impl Put {
    /// The column with the values put in. `old`: as it is so far. Errors: 42804, 2202E, 22004, 22023, 22P02, 54000; 0A000 for an array that would not begin
    /// at 1 (P2).
    pub(super) fn into(&self, old: &ArrayRef, batch: &RecordBatch, table: &TableDef, reading: Reading) -> SqlResult<ArrayRef> {
        let column = &table.columns[self.position];
        let values = self.value(batch, &column.name, reading)?;
        match column.sql_type {
            SqlType::Jsonb => self.put_in_documents(old, &values, batch),
            _ => self.put_in_arrays(old, &values, batch, column, reading),
        }
    }

    fn value(&self, batch: &RecordBatch, name: &str, reading: Reading) -> SqlResult<ArrayRef> {
        let values = batch.column(self.value.column);
        let (from, to) = (shown_type(values.data_type())?, self.wanted);
        if !self.value.unknown && values.data_type() != &DataType::Null && !types::assignable(from, to) {
            let (wanted, given) = (bare(to), bare(from));
            let message = format!("subscripted assignment to \"{name}\" requires type {wanted} but expression is of type {given}");
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).hint("You will need to rewrite or cast the expression."));
        }
        types::coerce(values, &Assignment { column: name, from, to, from_unknown_literal: self.value.unknown, reading })
    }

    fn put_in_documents(&self, old: &ArrayRef, values: &ArrayRef, batch: &RecordBatch) -> SqlResult<ArrayRef> {
        let (old, values) = (documents::texts(old), documents::texts(values));
        let paths = self.steps.iter().map(|step| path_step(step, batch)).collect::<SqlResult<Vec<_>>>()?;
        let mut new = Vec::with_capacity(old.len());
        for row in 0..old.len() {
            let mut path = Vec::with_capacity(paths.len());
            for (step, _) in &paths {
                if step.is_null(row) {
                    return Err(SqlError::new(SqlState("22004"), "jsonb subscript in assignment must not be null"));
                }
                path.push(step.value(row));
            }
            let is_array = paths.first().is_some_and(|(_, is_index)| *is_index);
            let whole = match old.is_valid(row) {
                true => old.value(row),
                false if is_array => "[]",
                false => "{}",
            };
            let value = if values.is_valid(row) { values.value(row) } else { "null" };
            new.push(json::assign(&json::parse(whole, false)?, &path, value)?);
        }
        Ok(documents::wrap(StringArray::from(new), SqlType::Jsonb))
    }

    fn put_in_arrays(
        &self,
        old: &ArrayRef,
        values: &ArrayRef,
        batch: &RecordBatch,
        column: &ColumnDef,
        reading: Reading,
    ) -> SqlResult<ArrayRef> {
        let [step] = self.steps.as_slice() else { return Err(subscripts("wrong number of array subscripts")) };
        let subscript = |given: &Given| array_subscript(given, batch, reading);
        let (one, low, high) = match step {
            Step::One(one) => (Some(subscript(one)?), None, None),
            Step::Slice(low, high) => (None, low.as_ref().map(subscript).transpose()?, high.as_ref().map(subscript).transpose()?),
        };
        let lists: &ListArray = old.as_list();
        let DataType::List(field) = column.sql_type.arrow() else { return Err(SqlError::internal("an array that is no list")) };
        let (held, sources) = match step {
            Step::One(_) => (lists.values().to_data(), values.to_data()),
            Step::Slice(..) => (lists.values().to_data(), values.as_list::<i32>().values().to_data()),
        };
        let mut elements = MutableArrayData::new(vec![&held, &sources], true, held.len() + sources.len());
        let (mut ends, mut is_there) = (vec![0_i32], Vec::with_capacity(lists.len()));
        for row in 0..lists.len() {
            let from = lists.value_offsets()[row] as usize;
            let len = if lists.is_null(row) { 0 } else { lists.value_length(row) as usize };
            let at = |subscripts: &Option<Int32Array>| {
                subscripts.as_ref().map(|all| all.is_valid(row).then(|| all.value(row)).ok_or_else(null_subscript))
            };
            let place = match at(&one).transpose()? {
                Some(one) => Place::One(one),
                None => Place::Slice(at(&low).transpose()?, at(&high).transpose()?),
            };
            if matches!(place, Place::Slice(..)) && values.is_null(row) {
                elements.try_extend(0, from, from + len).map_err(arrow_error)?;
                is_there.push(lists.is_valid(row));
            } else {
                let source = match place {
                    Place::One(_) => (row, 1),
                    Place::Slice(..) => {
                        let offsets = values.as_list::<i32>().value_offsets();
                        (offsets[row] as usize, (offsets[row + 1] - offsets[row]) as usize)
                    }
                };
                put_elements(&mut elements, (from, len), source, place)?;
                is_there.push(true);
            }
            let end =
                i32::try_from(elements.len()).map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "too many elements at once"))?;
            ends.push(end);
        }
        let list =
            ListArray::try_new(field, OffsetBuffer::new(ends.into()), make_array(elements.freeze()), Some(NullBuffer::from(is_there)));
        list.map(|list| Arc::new(list) as ArrayRef).map_err(arrow_error)
    }
}

/// The new elements of one array. `old` and `source`: the first of them among all there are, and how many.
fn put_elements(elements: &mut MutableArrayData<'_>, old: (usize, usize), source: (usize, usize), place: Place) -> SqlResult<()> {
    let (from, len) = old;
    let (low, high) = match place {
        Place::One(at) => (at, at),
        Place::Slice(low, high) => {
            if len == 0 && (low.is_none() || high.is_none()) {
                return Err(subscripts("array slice subscript must provide both boundaries")
                    .detail("When assigning to a slice of an empty array value, slice boundaries must be fully specified."));
            }
            (low.unwrap_or(1), high.unwrap_or(i32::try_from(len).unwrap_or(i32::MAX)))
        }
    };
    if high < low {
        return Err(subscripts("upper bound cannot be less than lower bound"));
    }
    if high > ELEMENTS_MAX {
        let message = format!("array size exceeds the maximum allowed ({ELEMENTS_MAX})");
        return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    if low < 1 || (len == 0 && low > 1) {
        return Err(SqlError::unsupported("an array that does not begin at 1"));
    }
    let (low, high) = (low as usize, high as usize);
    if source.1 < high - low + 1 {
        return Err(subscripts("source array too small"));
    }
    let put = elements
        .try_extend(0, from, from + len.min(low - 1))
        .and_then(|()| elements.try_extend_nulls((low - 1).saturating_sub(len)))
        .and_then(|()| elements.try_extend(1, source.0, source.0 + (high - low + 1)))
        .and_then(|()| elements.try_extend(0, from + len.min(high), from + len));
    put.map_err(arrow_error)
}

/// Errors: 42804.
fn array_subscript(given: &Given, batch: &RecordBatch, reading: Reading) -> SqlResult<Int32Array> {
    let values = batch.column(given.column);
    let from = shown_type(values.data_type())?;
    if !given.unknown && values.data_type() != &DataType::Null && !types::assignable(from, SqlType::Int4) {
        return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, "array subscript must have type integer"));
    }
    let assignment = Assignment { column: "subscript", from, to: SqlType::Int4, from_unknown_literal: given.unknown, reading };
    Ok(types::coerce(values, &assignment)?.as_primitive::<Int32Type>().clone())
}

/// The texts of a subscript, and whether it is a number. Errors: 42804.
fn path_step(step: &Step, batch: &RecordBatch) -> SqlResult<(StringArray, bool)> {
    let Step::One(given) = step else { return Err(SqlError::internal("a slice of jsonb")) };
    let values = batch.column(given.column);
    let sql_type = shown_type(values.data_type())?;
    let is_index = matches!(sql_type, SqlType::Int2 | SqlType::Int4 | SqlType::Int8);
    let is_text = matches!(sql_type, SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_)) || values.data_type() == &DataType::Null;
    if !is_index && !is_text {
        return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, format!("subscript type {} is not supported", bare(sql_type)))
            .hint("jsonb subscript must be coercible to either integer or text."));
    }
    let texts = (0..values.len()).map(|row| types::text_of(values, row, sql_type)).collect::<SqlResult<StringArray>>()?;
    Ok((texts, is_index))
}

/// A type without its modifiers.
fn bare(sql_type: SqlType) -> String {
    let name = sql_type.name();
    match (name.find('('), name.find(')')) {
        (Some(open), Some(close)) => format!("{}{}", &name[..open], &name[close + 1..]),
        _ => name,
    }
}

fn subscripts(message: &str) -> SqlError {
    SqlError::new(SqlState("2202E"), message)
}

fn null_subscript() -> SqlError {
    SqlError::new(SqlState("22004"), "array subscript in assignment must not be null")
}
