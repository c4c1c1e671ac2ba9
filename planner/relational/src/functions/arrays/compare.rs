//! Comparison keys, containment, overlap, positions.
//!
//! K1: keys of values of one type are equal, and sort, as Postgres compares the values.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Decimal128Array, Int32Array, Int64Array, ListArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Int32Type, IntervalMonthDayNanoType};
use arrow::row::{RowConverter, Rows, SortField};
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Picker, bounds, list, pair, with_element};
use crate::functions::native::{lenient, no_match, strict};
use crate::functions::numerics;
use crate::layouts::{self, INTERVAL};
use crate::values::interval::Interval;
use crate::values::json;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let boolean = |_: &[DataType]| DataType::Boolean;
    vec![
        strict("comparison_key", any_one, |types| key_type(&types[0]), |args, _, _| key(&args[0])),
        strict("array_contains", pair, boolean, |args, rows, _| contains(args, rows)),
        strict("array_overlaps", pair, boolean, |args, rows, _| overlaps(args, rows)),
        lenient("array_position", position_types, |_| DataType::Int32, |args, rows, _| position(args, rows)),
        lenient("array_positions", position_types, |_| layouts::array_of(DataType::Int32), positions),
    ]
}

fn any_one(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { Ok(types.to_vec()) } else { no_match() }
}

/// Room for every span of µs there is.
const SPAN: DataType = DataType::Decimal128(38, 0);

fn key_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Interval(_) => SPAN,
        other
            if layouts::is_any_numeric(other)
                || layouts::is_jsonb(other)
                || layouts::element(other).is_some()
                || layouts::record(other).is_some() =>
        {
            DataType::Binary
        }
        other => other.clone(),
    }
}

/// The column to compare by instead of this one (K1); itself where Arrow compares as Postgres does.
pub(crate) fn key(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let data_type = array.data_type();
    if *data_type == INTERVAL {
        let span = |value| Interval::from_arrow(value).span();
        let spans: Decimal128Array = array.as_primitive::<IntervalMonthDayNanoType>().unary(span);
        return Ok(Arc::new(spans.with_data_type(SPAN)));
    }
    if layouts::is_any_numeric(data_type) {
        return numerics::columns::keys(array);
    }
    if layouts::is_jsonb(data_type) {
        let mut keys = BinaryBuilder::new();
        for text in &layouts::texts(array)? {
            keys.append_option(text.map(|text| json::parse(text, false).map(|value| json::sort_key(&value))).transpose()?);
        }
        return Ok(Arc::new(keys.finish()));
    }
    if layouts::record(data_type).is_some() {
        return record_keys(array);
    }
    match array.as_list_opt::<i32>() {
        Some(lists) => list_keys(lists),
        None => Ok(Arc::clone(array)),
    }
}

/// Elements in turn, each after a byte that no end of a list is.
fn list_keys(lists: &ListArray) -> SqlResult<ArrayRef> {
    let elements = rows(&[Arc::clone(lists.values())])?.remove(0);
    let mut keys = BinaryBuilder::new();
    let mut bytes = Vec::new();
    for row in 0..lists.len() {
        if lists.is_null(row) {
            keys.append_null();
            continue;
        }
        bytes.clear();
        for at in bounds(lists, row) {
            bytes.push(1);
            bytes.extend_from_slice(elements.row(at).as_ref());
        }
        bytes.push(0);
        keys.append_value(&bytes);
    }
    Ok(Arc::new(keys.finish()))
}

/// Fields in turn.
fn record_keys(records: &ArrayRef) -> SqlResult<ArrayRef> {
    let fields = records.as_struct().columns().iter().map(|field| Ok(rows(&[Arc::clone(field)])?.remove(0)));
    let fields = fields.collect::<SqlResult<Vec<Rows>>>()?;
    let mut keys = BinaryBuilder::new();
    let mut bytes = Vec::new();
    for at in 0..records.len() {
        if records.is_null(at) {
            keys.append_null();
            continue;
        }
        bytes.clear();
        fields.iter().for_each(|field| bytes.extend_from_slice(field.row(at).as_ref()));
        keys.append_value(&bytes);
    }
    Ok(Arc::new(keys.finish()))
}

/// Columns of one type as bytes that compare as their values do; NULL is the greatest.
fn rows(columns: &[ArrayRef]) -> SqlResult<Vec<Rows>> {
    let failed = |error: arrow::error::ArrowError| SqlError::internal(format!("K1: {error}"));
    let keys = columns.iter().map(key).collect::<SqlResult<Vec<_>>>()?;
    let Some(first) = keys.first() else { return Ok(Vec::new()) };
    let options = SortOptions { descending: false, nulls_first: false };
    let converter = RowConverter::new(vec![SortField::new_with_options(first.data_type().clone(), options)]).map_err(failed)?;
    keys.into_iter().map(|key| converter.convert_columns(&[key]).map_err(failed)).collect()
}

/// Two columns of one type as comparable rows.
pub(super) fn rows_of(left: &ArrayRef, right: &ArrayRef) -> SqlResult<(Rows, Rows)> {
    let mut both = rows(&[Arc::clone(left), Arc::clone(right)])?.into_iter();
    match (both.next(), both.next()) {
        (Some(left), Some(right)) => Ok((left, right)),
        _ => Err(SqlError::internal("K1: two columns did not become two")),
    }
}

fn both(args: &[ArrayRef]) -> SqlResult<(&ListArray, &ListArray, Rows, Rows)> {
    let (left, right) = (list(&args[0])?, list(&args[1])?);
    let (have, wanted) = rows_of(left.values(), right.values())?;
    Ok((left, right, have, wanted))
}

/// `@>`: NULL elements are in nothing.
fn contains(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let (left, right, have, wanted) = both(args)?;
    let answer = |row: usize| {
        (left.is_valid(row) && right.is_valid(row)).then(|| {
            let held: HashSet<&[u8]> = bounds(left, row).filter(|at| left.values().is_valid(*at)).map(|at| have.row(at).data()).collect();
            bounds(right, row).all(|at| right.values().is_valid(at) && held.contains(wanted.row(at).data()))
        })
    };
    Ok(Arc::new((0..rows).map(answer).collect::<BooleanArray>()))
}

/// `&&`
fn overlaps(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let (left, right, have, wanted) = both(args)?;
    let answer = |row: usize| {
        (left.is_valid(row) && right.is_valid(row)).then(|| {
            let held: HashSet<&[u8]> = bounds(left, row).filter(|at| left.values().is_valid(*at)).map(|at| have.row(at).data()).collect();
            bounds(right, row).any(|at| right.values().is_valid(at) && held.contains(wanted.row(at).data()))
        })
    };
    Ok(Arc::new((0..rows).map(answer).collect::<BooleanArray>()))
}

fn position_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let found = match types {
        [array, element] | [array, element, _] => with_element(array, element),
        _ => None,
    };
    match found {
        Some((array, element)) if types.len() == 2 => Ok(vec![array, element]),
        Some((array, element)) => Ok(vec![array, element, DataType::Int32]),
        None => no_match(),
    }
}

fn position(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let (elements, wanted) = rows_of(lists.values(), &args[1])?;
    let start = args.get(2).map(|start| start.as_primitive::<Int32Type>());
    let place = |row: usize| {
        if lists.is_null(row) {
            return None;
        }
        let skipped = start.map_or(0, |start| usize::try_from(start.value(row) - 1).unwrap_or(0));
        let bounds = bounds(lists, row);
        let found = bounds.clone().skip(skipped).find(|at| elements.row(*at) == wanted.row(row))?;
        i32::try_from(found - bounds.start + 1).ok()
    };
    Ok(Arc::new((0..rows).map(place).collect::<Int32Array>()))
}

fn positions(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let (elements, wanted) = rows_of(lists.values(), &args[1])?;
    let longest = (0..rows).map(|row| bounds(lists, row).len()).max().unwrap_or(0);
    let numbers: ArrayRef = Arc::new((1..=longest as i64).collect::<Int64Array>());
    let numbers = arrow::compute::cast(&numbers, &DataType::Int32).map_err(|error| SqlError::internal(format!("F13: {error}")))?;
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) {
            picker.push_null();
            continue;
        }
        let bounds = bounds(lists, row);
        let first = bounds.start;
        picker.push(bounds.filter(|at| elements.row(*at) == wanted.row(row)).map(|at| (0, at - first)));
    }
    picker.finish(&[numbers], returns)
}
