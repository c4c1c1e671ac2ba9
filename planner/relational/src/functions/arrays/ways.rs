//! Rows on the way to a row: what SEARCH and CYCLE carry along.
//!
//! W1: every row of a way is laid out as its first; the values of those that follow are brought to its types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StructArray};
use arrow::compute::kernels::numeric::add;
use arrow::datatypes::{DataType, Field, Fields};
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::compare::rows_of;
use super::{Picker, bounds, list};
use crate::functions::conversions::convert;
use crate::functions::native::{lenient, no_match};
use crate::layouts;

/// A way of one row.
pub(crate) const FIRST: &str = "way_first";
/// A way with one row more.
pub(crate) const NEXT: &str = "way_next";
/// A row whose first field counts on from that of another.
pub(crate) const BESIDE: &str = "way_depth";
/// Whether a row is on a way.
pub(crate) const IS_ON_WAY: &str = "way_holds";

pub(super) fn functions() -> Vec<ScalarUDF> {
    let way = |types: &[DataType]| layouts::array_of(types[0].clone());
    let first = |types: &[DataType]| types[0].clone();
    vec![
        lenient(FIRST, one_row, way, begin),
        lenient(NEXT, way_and_row, first, append),
        lenient(BESIDE, two_rows, first, count_on),
        lenient(IS_ON_WAY, way_and_row, |_| DataType::Boolean, |args, rows, _| holds(args, rows)),
    ]
}

fn one_row(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [row] if layouts::record(row).is_some() => Ok(types.to_vec()),
        _ => no_match(),
    }
}

fn way_and_row(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [way, row] if layouts::element(way).is_some_and(|element| layouts::record(element).is_some()) && layouts::record(row).is_some() => {
            Ok(types.to_vec())
        }
        _ => no_match(),
    }
}

fn two_rows(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [before, row] if layouts::record(before).is_some() && layouts::record(row).is_some() => Ok(types.to_vec()),
        _ => no_match(),
    }
}

fn failed(error: &arrow::error::ArrowError) -> SqlError {
    SqlError::internal(format!("W1: {error}"))
}

fn begin(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let mut picker = Picker::new();
    (0..rows).for_each(|row| picker.push([(0, row)]));
    picker.finish(&[Arc::clone(&args[0])], returns)
}

/// W1.
fn as_fields(row: &ArrayRef, fields: &Fields) -> SqlResult<ArrayRef> {
    let columns = row.as_struct().columns().iter().zip(fields).map(|(column, field)| convert(column, field.data_type()));
    let columns = columns.collect::<SqlResult<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, row.nulls().cloned()).map_err(|error| failed(&error))?))
}

fn fields_of(data_type: &DataType) -> SqlResult<&Fields> {
    layouts::record(data_type).ok_or_else(|| SqlError::internal("W1: what is on a way is no row"))
}

fn append(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let ways = list(&args[0])?;
    let row = as_fields(&args[1], fields_of(&ways.value_type())?)?;
    let mut picker = Picker::new();
    for at in 0..rows {
        picker.push(bounds(ways, at).map(|element| (0, element)).chain([(1, at)]));
    }
    picker.finish(&[Arc::clone(ways.values()), row], returns)
}

fn holds(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let ways = list(&args[0])?;
    let row = as_fields(&args[1], fields_of(&ways.value_type())?)?;
    let (on_way, sought) = rows_of(ways.values(), &row)?;
    let found = |at: usize| bounds(ways, at).any(|element| on_way.row(element) == sought.row(at));
    Ok(Arc::new((0..rows).map(|at| Some(found(at))).collect::<BooleanArray>()))
}

fn count_on(args: &[ArrayRef], _rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let fields = fields_of(returns)?;
    let row = as_fields(&args[1], fields)?;
    let depth = convert(args[0].as_struct().column(0), &DataType::Int64)?;
    let deeper = add(&depth, &Int64Array::new_scalar(1)).map_err(|error| failed(&error))?;
    let first: &Arc<Field> = fields.first().ok_or_else(|| SqlError::internal("W1: a row without a depth"))?;
    let mut columns = row.as_struct().columns().to_vec();
    columns[0] = convert(&deeper, first.data_type())?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None).map_err(|error| failed(&error))?))
}
