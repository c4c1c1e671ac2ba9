//! `width_bucket(value, thresholds)`: how many thresholds, which ascend, the value reaches.
//!
//! Never: looks whether they ascend.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::compare::rows_of;
use super::{bounds, is_literal, list, with_element};
use crate::functions::native::{no_match, strict};
use crate::{exact, layouts};

pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![strict("width_bucket_of", types, |_| DataType::Int32, |args, rows, _| buckets(args, rows))]
}

fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let [value, thresholds] = types else { return no_match() };
    let Some(element) = layouts::element(thresholds) else { return no_match() };
    // A text beside numbers is none of them.
    if is_literal(value) != is_literal(element) && !value.is_null() && *element == DataType::Utf8 {
        return no_match();
    }
    let is_number = |data_type: &DataType| data_type.is_numeric() || exact::is_numeric(data_type);
    if value.is_floating() != element.is_floating() && is_number(value) && is_number(element) {
        return Ok(vec![DataType::Float64, layouts::array_of(DataType::Float64)]);
    }
    match with_element(thresholds, value) {
        Some((thresholds, value)) => Ok(vec![value, thresholds]),
        None => no_match(),
    }
}

/// Errors: 22004 for a threshold that is NULL.
fn buckets(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let lists = list(&args[1])?;
    let (values, thresholds) = rows_of(&args[0], lists.values())?;
    let mut buckets = Vec::with_capacity(rows);
    for row in 0..rows {
        if args[0].is_null(row) || lists.is_null(row) {
            buckets.push(None);
            continue;
        }
        let range = bounds(lists, row);
        if range.clone().any(|at| lists.values().is_null(at)) {
            return Err(SqlError::new(SqlState("22004"), "thresholds array must not contain NULLs"));
        }
        let (mut from, mut to) = (range.start, range.end);
        while from < to {
            let middle = from.midpoint(to);
            if values.row(row) < thresholds.row(middle) { to = middle } else { from = middle + 1 }
        }
        buckets.push(i32::try_from(from - range.start).ok());
    }
    Ok(Arc::new(Int32Array::from(buckets)))
}
