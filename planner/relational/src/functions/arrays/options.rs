//! `option_names` and `option_values`: texts `name=value` taken apart, which `pg_options_to_table` shows as rows.
//!
//! Never: leaves out an option without a value: that is NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use base::SqlResult;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{Picker, bounds, list};
use crate::functions::native::{no_match, strict};
use crate::layouts;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let texts = |_: &[DataType]| layouts::array_of(DataType::Utf8);
    vec![
        strict("option_names", options, texts, |args, rows, returns| {
            parts(args, rows, returns, |option| Some(option.split_once('=').map_or(option, |(name, _)| name)))
        }),
        strict("option_values", options, texts, |args, rows, returns| {
            parts(args, rows, returns, |option| option.split_once('=').map(|(_, value)| value))
        }),
    ]
}

fn options(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array] if layouts::element(array) == Some(&DataType::Utf8) => Ok(vec![array.clone()]),
        [DataType::Null | DataType::Utf8] => Ok(vec![layouts::array_of(DataType::Utf8)]),
        _ => no_match(),
    }
}

fn parts(args: &[ArrayRef], rows: usize, returns: &DataType, part: fn(&str) -> Option<&str>) -> SqlResult<ArrayRef> {
    let lists = list(&args[0])?;
    let texts = lists.values().as_string::<i32>();
    let parts: ArrayRef = Arc::new(texts.iter().map(|option| option.and_then(part)).collect::<StringArray>());
    let mut picker = Picker::new();
    for row in 0..rows {
        if lists.is_null(row) { picker.push_null() } else { picker.push(bounds(lists, row).map(|at| (0, at))) }
    }
    picker.finish(&[parts], returns)
}
