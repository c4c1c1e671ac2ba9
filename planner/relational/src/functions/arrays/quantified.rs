//! `x op ANY (array)`, `x op ALL (array)`.
//!
//! Q1: NULL where neither true nor false is sure: for ANY no element is true and one is NULL, for ALL none is false and one is NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Datum, UInt64Array};
use arrow::compute::kernels::cmp;
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::compare::key;
use super::text::elements_of_text;
use super::{bounds, common, list};
use crate::functions::native::{lenient, no_match};
use crate::layouts;

/// Operators and the functions for them with ANY.
pub(crate) const ANY: [(&str, &str); 6] =
    [("=", "any_eq"), ("<>", "any_ne"), ("<", "any_lt"), ("<=", "any_le"), (">", "any_gt"), (">=", "any_ge")];
/// Operators and the functions for them with ALL.
pub(crate) const ALL: [(&str, &str); 6] =
    [("=", "all_eq"), ("<>", "all_ne"), ("<", "all_lt"), ("<=", "all_le"), (">", "all_gt"), (">=", "all_ge")];

macro_rules! quantified {
    ($name:literal, $kernel:path, $decisive:literal) => {
        lenient($name, types, |_| DataType::Boolean, |args, rows, _| quantify(args, rows, $kernel, $decisive))
    };
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        quantified!("any_eq", cmp::eq, true),
        quantified!("any_ne", cmp::neq, true),
        quantified!("any_lt", cmp::lt, true),
        quantified!("any_le", cmp::lt_eq, true),
        quantified!("any_gt", cmp::gt, true),
        quantified!("any_ge", cmp::gt_eq, true),
        quantified!("all_eq", cmp::eq, false),
        quantified!("all_ne", cmp::neq, false),
        quantified!("all_lt", cmp::lt, false),
        quantified!("all_le", cmp::lt_eq, false),
        quantified!("all_gt", cmp::gt, false),
        quantified!("all_ge", cmp::gt_eq, false),
    ]
}

fn types(types: &[DataType]) -> Result<Vec<DataType>> {
    let [left, right] = types else { return no_match() };
    match layouts::element(right) {
        Some(element) => match common(left, element) {
            Some(element) => Ok(vec![element.clone(), layouts::array_of(element)]),
            None => no_match(),
        },
        // The text of an array: a literal's, or one of the catalog's.
        None if right.is_null() || layouts::is_text(right) => match left {
            left if layouts::is_text(left) || left.is_null() => Ok(vec![DataType::Utf8, DataType::Utf8]),
            left => Ok(vec![left.clone(), DataType::Utf8]),
        },
        None => no_match(),
    }
}

/// `decisive`: the outcome of one element that settles the whole.
fn quantify(
    args: &[ArrayRef],
    rows: usize,
    compare: fn(&dyn Datum, &dyn Datum) -> std::result::Result<BooleanArray, ArrowError>,
    decisive: bool,
) -> SqlResult<ArrayRef> {
    let lists = match args[1].data_type() {
        DataType::List(_) => Arc::clone(&args[1]),
        _ => elements_of_text(&args[1], args[0].data_type())?,
    };
    let lists = list(&lists)?;
    let failed = |error: ArrowError| SqlError::internal(format!("Q1: {error}"));
    let repeated: UInt64Array = (0..rows).flat_map(|row| bounds(lists, row).map(move |_| row as u64)).collect();
    let first = lists.value_offsets().first().copied().unwrap_or(0) as usize;
    let left = take(&key(&args[0])?, &repeated, None).map_err(failed)?;
    let right = key(&lists.values().slice(first, repeated.len()))?;
    let outcomes = compare(&left, &right).map_err(failed)?;
    let answer = |row: usize| {
        if lists.is_null(row) {
            return None;
        }
        let mut is_unknown = false;
        for at in bounds(lists, row) {
            let at = at - first;
            if outcomes.is_null(at) {
                is_unknown = true;
            } else if outcomes.value(at) == decisive {
                return Some(decisive);
            }
        }
        if is_unknown { None } else { Some(!decisive) }
    };
    Ok(Arc::new((0..rows).map(answer).collect::<BooleanArray>()))
}
