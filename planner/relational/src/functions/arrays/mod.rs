//! Arrays of one dimension: making, taking apart, searching, comparing.
//!
//! F13: NULLs within arrays are equal to one another and greater than all else, as Postgres compares arrays.
//! Never: an array of arrays.

mod build;
mod compare;
mod measure;
mod options;
mod quantified;
mod text;
mod thresholds;
mod ways;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, interleave};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;

use super::native::no_match;
use crate::type_families::common_element as common;
use crate::{exact, layouts};

pub(crate) use quantified::{ALL, ANY};
pub(crate) use text::elements_of_text;
pub(crate) use ways::{BESIDE, FIRST, IS_ON_WAY, NEXT};

/// Every function of the family.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    [
        build::functions(),
        compare::functions(),
        measure::functions(),
        options::functions(),
        quantified::functions(),
        text::functions(),
        thresholds::functions(),
        ways::functions(),
    ]
    .concat()
}

/// The one type of all elements of an ARRAY[…].
fn common_of(types: &[DataType]) -> Result<DataType> {
    let typed: Vec<DataType> = types.iter().filter(|data_type| !data_type.is_null()).cloned().collect();
    match typed.as_slice() {
        [] => Ok(DataType::Utf8),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => Ok(first.clone()),
        all => {
            let written: Vec<DataType> = all.iter().filter(|data_type| **data_type != DataType::Utf8).cloned().collect();
            match exact::common(&written).or_else(|| type_union_resolution(&written)) {
                Some(found) => Ok(found),
                None => no_match(),
            }
        }
    }
}

/// An array argument beside the other array's: both of one type.
fn pair(types: &[DataType]) -> Result<Vec<DataType>> {
    let [left, right] = types else { return no_match() };
    let element = match (layouts::element(left), layouts::element(right)) {
        (Some(left), Some(right)) => common(left, right),
        (Some(element), None) if is_literal(right) => Some(element.clone()),
        (None, Some(element)) if is_literal(left) => Some(element.clone()),
        _ => None,
    };
    match element {
        Some(element) => Ok(vec![layouts::array_of(element); 2]),
        None => no_match(),
    }
}

fn is_literal(data_type: &DataType) -> bool {
    data_type.is_null() || *data_type == DataType::Utf8
}

/// An array and one element of it.
fn with_element(array: &DataType, element: &DataType) -> Option<(DataType, DataType)> {
    let element = common(layouts::element(array)?, element)?;
    Some((layouts::array_of(element.clone()), element))
}

fn list(array: &ArrayRef) -> SqlResult<&ListArray> {
    array.as_list_opt::<i32>().ok_or_else(|| SqlError::internal(format!("F13: {} is no array", array.data_type())))
}

fn bounds(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

/// Lists picked from the elements of several columns: for each row, source and place of each element, or NULL.
struct Picker {
    picks: Vec<(usize, usize)>,
    lengths: Vec<usize>,
    valid: Vec<bool>,
}

impl Picker {
    fn new() -> Self {
        Self { picks: Vec::new(), lengths: Vec::new(), valid: Vec::new() }
    }

    fn push(&mut self, elements: impl IntoIterator<Item = (usize, usize)>) {
        let before = self.picks.len();
        self.picks.extend(elements);
        self.lengths.push(self.picks.len() - before);
        self.valid.push(true);
    }

    fn push_null(&mut self) {
        self.lengths.push(0);
        self.valid.push(false);
    }

    fn finish(self, sources: &[ArrayRef], returns: &DataType) -> SqlResult<ArrayRef> {
        let DataType::List(item) = returns else { return Err(SqlError::internal("F13: the answer is no array")) };
        let failed = |error: arrow::error::ArrowError| SqlError::internal(format!("F13: {error}"));
        let parts: Vec<&dyn Array> = sources.iter().map(AsRef::as_ref).collect();
        let elements = if self.picks.is_empty() {
            let empty: Vec<ArrayRef> = sources.iter().map(|source| source.slice(0, 0)).collect();
            concat(&empty.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(failed)?
        } else {
            interleave(&parts, &self.picks).map_err(failed)?
        };
        let nulls = Some(NullBuffer::from(self.valid)).filter(|nulls| nulls.null_count() > 0);
        let list = ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(self.lengths), elements, nulls);
        Ok(Arc::new(list.map_err(failed)?))
    }
}
