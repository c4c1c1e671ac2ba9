//! `array_length`, `cardinality` and their kin: an empty array has no dimension, so no length and no bounds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use base::SqlResult;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::text::elements_of_text;
use super::{Picker, bounds, list};
use crate::functions::conversions::convert;
use crate::functions::native::{lenient, no_match, strict};
use crate::layouts;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let integer = |_: &[DataType]| DataType::Int32;
    vec![
        strict("cardinality", one, integer, |args, rows, _| lengths(args, rows, Some)),
        strict("array_ndims", one, integer, |args, rows, _| lengths(args, rows, |length| (length > 0).then_some(1))),
        strict("array_length", dimension, integer, |args, rows, _| of_first(args, rows, |length| length)),
        strict("array_upper", dimension, integer, |args, rows, _| of_first(args, rows, |length| length)),
        strict("array_lower", dimension, integer, |args, rows, _| of_first(args, rows, |_| 1)),
        lenient("array_or_empty", one, |types| types[0].clone(), or_empty),
        strict("array_itself", maybe_vector, itself_type, |args, _, returns| as_list(&args[0], returns)),
        strict("array_subscripts", maybe_vector, |_| layouts::array_of(DataType::Int32), subscripts),
        strict("array_dims", one, |_| DataType::Utf8, |args, rows, _| dimensions(args, rows)),
    ]
}

fn one(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array] if layouts::element(array).is_some() => Ok(vec![array.clone()]),
        _ => no_match(),
    }
}

/// An array, or the text of a vector of the catalog.
fn maybe_vector(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array] if layouts::element(array).is_some() || *array == DataType::Utf8 => Ok(vec![array.clone()]),
        _ => no_match(),
    }
}

fn itself_type(types: &[DataType]) -> DataType {
    if layouts::element(&types[0]).is_some() { types[0].clone() } else { layouts::array_of(DataType::Int64) }
}

fn as_list(array: &ArrayRef, returns: &DataType) -> SqlResult<ArrayRef> {
    if *array.data_type() == DataType::Utf8 { elements_of_text(array, &DataType::Int64) } else { convert(array, returns) }
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

/// From 1; those of a vector from 0.
fn subscripts(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let is_vector = *args[0].data_type() == DataType::Utf8;
    let lists = as_list(&args[0], args[0].data_type())?;
    let lists = list(&lists)?;
    let longest = (0..rows).map(|row| lists.value_length(row)).max().unwrap_or(0);
    let numbers: ArrayRef = Arc::new((i32::from(!is_vector)..=longest).collect::<Int32Array>());
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

fn of_first(args: &[ArrayRef], rows: usize, answer: impl Fn(i32) -> i32) -> SqlResult<ArrayRef> {
    let (lists, dimension) = (list(&args[0])?, args[1].as_primitive::<Int64Type>());
    let length = |row: usize| {
        let has = lists.is_valid(row) && dimension.is_valid(row) && dimension.value(row) == 1 && !bounds(lists, row).is_empty();
        has.then(|| answer(lists.value_length(row)))
    };
    Ok(Arc::new((0..rows).map(length).collect::<Int32Array>()))
}

fn dimensions(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let shown = |row: usize| {
        let length = if lists.is_null(row) { 0 } else { lists.value_length(row) };
        (length > 0).then(|| format!("[1:{length}]"))
    };
    Ok(Arc::new((0..rows).map(shown).collect::<StringArray>()))
}
