//! `ARRAY[…]`, subscripts, slices, and arrays made of others.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::compare::rows_of;
use super::{Picker, bounds, common, common_of, list, pair, with_element};
use crate::functions::native::{lenient, no_match, strict};
use crate::layouts;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let array_of_first = |types: &[DataType]| layouts::array_of(types.first().cloned().unwrap_or(DataType::Utf8));
    let array_itself = |types: &[DataType]| types.first().cloned().unwrap_or(DataType::Null);
    let array_second = |types: &[DataType]| types.get(1).cloned().unwrap_or(DataType::Null);
    let element = |types: &[DataType]| types.first().and_then(layouts::element).cloned().unwrap_or(DataType::Null);
    vec![
        lenient("array", elements, array_of_first, make),
        strict("array_subscript", subscript_types, element, subscript),
        strict("array_slice", slice_types, array_itself, slice),
        strict("trim_array", subscript_types, array_itself, trim),
        lenient("array_fill", fill_types, array_of_first, fill),
        lenient("array_append", append_types, array_itself, append),
        lenient("array_prepend", prepend_types, array_second, prepend),
        lenient("array_cat", pair, array_itself, cat),
        lenient("array_concat_any", concat_types, |types| concat_type(types).unwrap_or(DataType::Null), concat_any),
        lenient("array_remove", append_types, array_itself, remove),
        lenient("array_replace", replace_types, array_itself, replace),
    ]
}

fn elements(types: &[DataType]) -> Result<Vec<DataType>> {
    let element = common_of(types)?;
    Ok(vec![element; types.len()])
}

fn make(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    if args.iter().any(|arg| layouts::element(arg.data_type()).is_some()) {
        return Err(SqlError::unsupported("an array of more than one dimension"));
    }
    let mut picker = Picker::new();
    (0..rows).for_each(|row| picker.push((0..args.len()).map(|source| (source, row))));
    let nothing = || arrow::array::new_empty_array(layouts::element(returns).unwrap_or(&DataType::Utf8));
    if args.is_empty() { picker.finish(&[nothing()], returns) } else { picker.finish(args, returns) }
}

fn subscript_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array, at] if layouts::element(array).is_some() && (at.is_integer() || at.is_null() || *at == DataType::Utf8) => {
            Ok(vec![array.clone(), DataType::Int64])
        }
        _ => no_match(),
    }
}

fn subscript(args: &[ArrayRef], rows: usize, _returns: &DataType) -> SqlResult<ArrayRef> {
    let (lists, places) = (list(&args[0])?, args[1].as_primitive::<Int64Type>());
    let first = i64::from(layouts::first_subscript(lists.data_type()));
    let place = |row: usize| {
        let bounds = bounds(lists, row);
        let at = usize::try_from(places.value(row).checked_sub(first)?).ok()?;
        (lists.is_valid(row) && places.is_valid(row) && at < bounds.len()).then_some((bounds.start + at) as u64)
    };
    let indices: UInt64Array = (0..rows).map(place).collect();
    take(lists.values(), &indices, None).map_err(|error| SqlError::internal(format!("F13: {error}")))
}

fn slice_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array, ..] if layouts::element(array).is_some() && types.len() == 3 => Ok(vec![array.clone(), DataType::Int64, DataType::Int64]),
        _ => no_match(),
    }
}

fn slice(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let (lists, from, to) = (list(&args[0])?, args[1].as_primitive::<Int64Type>(), args[2].as_primitive::<Int64Type>());
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) || from.is_null(row) || to.is_null(row) {
            picker.push_null();
            continue;
        }
        let bounds = bounds(lists, row);
        let first = usize::try_from(from.value(row).saturating_sub(1)).unwrap_or(0).min(bounds.len());
        let last = usize::try_from(to.value(row)).unwrap_or(0).min(bounds.len());
        picker.push((first..last.max(first)).map(|at| (0, bounds.start + at)));
    }
    picker.finish(&[Arc::clone(lists.values())], returns)
}

fn trim(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let (lists, counts) = (list(&args[0])?, args[1].as_primitive::<Int64Type>());
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) || counts.is_null(row) {
            picker.push_null();
            continue;
        }
        let bounds = bounds(lists, row);
        match usize::try_from(counts.value(row)).ok().and_then(|count| bounds.len().checked_sub(count)) {
            Some(kept) => picker.push((0..kept).map(|at| (0, bounds.start + at))),
            None => {
                let message = format!("number of elements to trim must be between 0 and {}", bounds.len());
                return Err(SqlError::new(base::SqlState("2202E"), message));
            }
        }
    }
    picker.finish(&[Arc::clone(lists.values())], returns)
}

/// A value and the length of the one dimension.
fn fill_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [value, lengths] if layouts::element(lengths).is_some() || *lengths == DataType::Utf8 => {
            Ok(vec![value.clone(), layouts::array_of(DataType::Int64)])
        }
        _ => no_match(),
    }
}

fn fill(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    const LENGTH_MAX: i64 = 16 << 20;
    let lengths = list(&args[1])?;
    let mut picker = Picker::new();
    for row in 0..rows {
        let dimensions = bounds(lengths, row);
        if lengths.is_null(row) || lengths.values().is_null(dimensions.start) {
            return Err(SqlError::new(base::SqlState("22004"), "dimension values cannot be null"));
        }
        if dimensions.len() != 1 {
            return Err(SqlError::unsupported("an array of more than one dimension"));
        }
        let length = lengths.values().as_primitive::<Int64Type>().value(dimensions.start);
        if !(0..=LENGTH_MAX).contains(&length) {
            return Err(SqlError::new(base::SqlState::PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed"));
        }
        picker.push((0..length).map(|_| (0, row)));
    }
    picker.finish(&[Arc::clone(&args[0])], returns)
}

fn append_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let found = match types {
        [DataType::Null, element] => Some((layouts::array_of(element.clone()), element.clone())),
        [array, element] => with_element(array, element),
        _ => None,
    };
    match found {
        Some((array, element)) => Ok(vec![array, element]),
        None => no_match(),
    }
}

fn prepend_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let [element, array] = types else { return no_match() };
    let swapped = append_types(&[array.clone(), element.clone()])?;
    Ok(swapped.into_iter().rev().collect())
}

fn replace_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let [array, from, to] = types else { return no_match() };
    let Some(element) = layouts::element(array) else { return no_match() };
    match common(element, from).and_then(|element| common(&element, to)) {
        Some(element) => Ok(vec![layouts::array_of(element.clone()), element.clone(), element]),
        None => no_match(),
    }
}

/// The elements of a row; none if the array is NULL.
fn picks(array: &ArrayRef, row: usize, source: usize) -> SqlResult<Vec<(usize, usize)>> {
    let lists = list(array)?;
    Ok(if lists.is_null(row) { Vec::new() } else { bounds(lists, row).map(|at| (source, at)).collect() })
}

fn append(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let mut picker = Picker::new();
    for row in 0..rows {
        picker.push(picks(&args[0], row, 0)?.into_iter().chain([(1, row)]));
    }
    picker.finish(&[Arc::clone(list(&args[0])?.values()), Arc::clone(&args[1])], returns)
}

fn prepend(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let mut picker = Picker::new();
    for row in 0..rows {
        picker.push([(0, row)].into_iter().chain(picks(&args[1], row, 1)?));
    }
    picker.finish(&[Arc::clone(&args[0]), Arc::clone(list(&args[1])?.values())], returns)
}

fn cat(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let (left, right) = (list(&args[0])?, list(&args[1])?);
    let mut picker = Picker::new();
    for row in 0..rows {
        if left.is_null(row) && right.is_null(row) {
            picker.push_null();
        } else {
            picker.push(picks(&args[0], row, 0)?.into_iter().chain(picks(&args[1], row, 1)?));
        }
    }
    picker.finish(&[Arc::clone(left.values()), Arc::clone(right.values())], returns)
}

/// `||` where at least one side is an array.
fn concat_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let [left, right] = types else { return no_match() };
    match (layouts::element(left), layouts::element(right)) {
        (Some(_), Some(_)) => pair(types),
        // A literal beside an array is an array.
        (Some(_), None) if *right == DataType::Null => Ok(vec![left.clone(); 2]),
        (None, Some(_)) if *left == DataType::Null => Ok(vec![right.clone(); 2]),
        (Some(_), None) => append_types(types),
        (None, Some(_)) => prepend_types(types),
        (None, None) => no_match(),
    }
}

fn concat_type(types: &[DataType]) -> Option<DataType> {
    types.iter().find(|data_type| layouts::element(data_type).is_some()).cloned()
}

fn concat_any(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    match (layouts::element(args[0].data_type()), layouts::element(args[1].data_type())) {
        (Some(_), Some(_)) => cat(args, rows, returns),
        (Some(_), None) => append(args, rows, returns),
        _ => prepend(args, rows, returns),
    }
}

fn remove(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let (elements, gone) = rows_of(lists.values(), &args[1])?;
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) {
            picker.push_null();
        } else {
            picker.push(bounds(lists, row).filter(|at| elements.row(*at) != gone.row(row)).map(|at| (0, at)));
        }
    }
    picker.finish(&[Arc::clone(lists.values())], returns)
}

fn replace(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let (elements, gone) = rows_of(lists.values(), &args[1])?;
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) {
            picker.push_null();
        } else {
            picker.push(bounds(lists, row).map(|at| if elements.row(at) == gone.row(row) { (1, row) } else { (0, at) }));
        }
    }
    picker.finish(&[Arc::clone(lists.values()), Arc::clone(&args[2])], returns)
}
