//! `array_length`, `cardinality` and their kin: an empty array has no dimension, so no length and no bounds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Picker, bounds, list};
use crate::functions::native::{lenient, no_match, strict};
use crate::layouts;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let integer = |_: &[DataType]| DataType::Int32;
    vec![
        strict("cardinality", one, integer, |args, rows, _| lengths(args, rows, Some)),
        strict("array_ndims", one, integer, |args, rows, _| lengths(args, rows, |length| (length > 0).then_some(1))),
        strict("array_length", dimension, integer, |args, rows, _| of_first(args, rows, |length, _| length)),
        strict("array_upper", dimension, integer, |args, rows, _| of_first(args, rows, |length, first| length + first - 1)),
        strict("array_lower", dimension, integer, |args, rows, _| of_first(args, rows, |_, first| first)),
        lenient("array_or_empty", one, |types| types[0].clone(), or_empty),
        strict("array_subscripts", one, |_| layouts::array_of(DataType::Int32), subscripts),
        strict("array_places", one, |_| layouts::array_of(DataType::Int32), places),
        strict("array_pairs", one, |types| layouts::array_of(pair_of(&types[0])), pairs),
        strict("array_dims", one, |_| DataType::Utf8, |args, rows, _| dimensions(args, rows)),
    ]
}

fn one(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array] if layouts::element(array).is_some() => Ok(vec![array.clone()]),
        _ => no_match(),
    }
}

fn or_empty(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let mut picker = Picker::new();
    for row in 0..rows {
        let bounds = if lists.is_null(row) { 0..0 } else { bounds(lists, row) };
        picker.push(bounds.map(|at| (0, at)));
    }
    picker.finish(&[Arc::clone(lists.values())], returns)
}

/// Numbers from 1, one for each element.
fn places(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let longest = (0..rows).map(|row| lists.value_length(row)).max().unwrap_or(0);
    numbered(lists, rows, (1..=longest).collect(), returns)
}

/// A row of an element and its place (`information_schema._pg_expandarray`).
fn pair_of(array: &DataType) -> DataType {
    let element = layouts::element(array).cloned().unwrap_or(DataType::Null);
    let field = |name: &str, data_type| Field::new(layouts::record_field(name), data_type, true);
    DataType::Struct(Fields::from(vec![field("x", element), field("n", DataType::Int32)]))
}

fn pairs(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let failed = |error: arrow::error::ArrowError| SqlError::internal(format!("F13: {error}"));
    let Some(DataType::Struct(fields)) = layouts::element(returns) else { return Err(SqlError::internal("F13: the answer has no rows")) };
    let mut places = vec![0; lists.values().len()];
    for row in 0..rows {
        bounds(lists, row).zip(1..).for_each(|(at, place)| places[at] = place);
    }
    let columns: Vec<ArrayRef> = vec![Arc::clone(lists.values()), Arc::new(Int32Array::from(places))];
    let elements: ArrayRef = Arc::new(StructArray::try_new(fields.clone(), columns, None).map_err(failed)?);
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) { picker.push_null() } else { picker.push(bounds(lists, row).map(|at| (0, at))) }
    }
    picker.finish(&[elements], returns)
}

/// From 1; those of a vector from 0.
fn subscripts(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let longest = (0..rows).map(|row| lists.value_length(row)).max().unwrap_or(0);
    numbered(lists, rows, (layouts::first_subscript(lists.data_type())..=longest).collect(), returns)
}

/// The first of these numbers, as many as each array has elements.
fn numbered(lists: &ListArray, rows: usize, numbers: Int32Array, returns: &DataType) -> SqlResult<ArrayRef> {
    let numbers: ArrayRef = Arc::new(numbers);
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) {
            picker.push_null();
        } else {
            picker.push((0..lists.value_length(row) as usize).map(|at| (0, at)));
        }
    }
    picker.finish(&[numbers], returns)
}

fn dimension(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array, at] if layouts::element(array).is_some() && (at.is_integer() || at.is_null()) => Ok(vec![array.clone(), DataType::Int64]),
        _ => no_match(),
    }
}

fn lengths(args: &[ArrayRef], rows: usize, answer: impl Fn(i32) -> Option<i32>) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let length = |row: usize| if lists.is_null(row) { None } else { answer(lists.value_length(row)) };
    Ok(Arc::new((0..rows).map(length).collect::<Int32Array>()))
}

/// What is asked of length and first subscript.
fn of_first(args: &[ArrayRef], rows: usize, answer: impl Fn(i32, i32) -> i32) -> SqlResult<ArrayRef> {
    let (lists, dimension) = (list(&args[0])?, args[1].as_primitive::<Int64Type>());
    let first = layouts::first_subscript(lists.data_type());
    let length = |row: usize| {
        let has = lists.is_valid(row) && dimension.is_valid(row) && dimension.value(row) == 1 && !bounds(lists, row).is_empty();
        has.then(|| answer(lists.value_length(row), first))
    };
    Ok(Arc::new((0..rows).map(length).collect::<Int32Array>()))
}

fn dimensions(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let first = layouts::first_subscript(lists.data_type());
    let shown = |row: usize| {
        let length = if lists.is_null(row) { 0 } else { lists.value_length(row) };
        (length > 0).then(|| format!("[{first}:{}]", length + first - 1))
    };
    Ok(Arc::new((0..rows).map(shown).collect::<StringArray>()))
}
