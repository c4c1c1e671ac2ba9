//! Functions over `json` and `jsonb`.
//!
//! F16: what a `jsonb` function answers is in the one form of a `jsonb`; what a `json` function finds keeps its text.
//! Never: takes a `json` for a `jsonb`.

mod access;
mod build;
mod change;
mod sets;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use base::SqlResult;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::native::no_match;
use crate::layouts;
use crate::values::json::{self, Value};

/// Every function of the family.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    [access::functions(), build::functions(), change::functions(), sets::functions()].concat()
}

/// A document of either type, as it is; a literal is a `jsonb`.
fn document(data_type: &DataType) -> Option<DataType> {
    if layouts::document_name(data_type).is_some() {
        Some(data_type.clone())
    } else if data_type.is_null() || *data_type == DataType::Utf8 {
        Some(layouts::jsonb())
    } else {
        None
    }
}

fn one_document(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [only] => document(only).map_or_else(no_match, |only| Ok(vec![only])),
        _ => no_match(),
    }
}

fn two_jsonb(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [left, right] if [left, right].iter().all(|side| document(side).as_ref().is_some_and(layouts::is_jsonb)) => {
            Ok(vec![layouts::jsonb(); 2])
        }
        _ => no_match(),
    }
}

fn text_array() -> DataType {
    layouts::array_of(DataType::Utf8)
}

/// One answer a row from the text of the first argument.
fn map<T>(args: &[ArrayRef], rows: usize, mut answer: impl FnMut(&Value<'_>, usize) -> SqlResult<Option<T>>) -> SqlResult<Vec<Option<T>>> {
    let texts = layouts::texts(&args[0])?;
    let mut answers = Vec::with_capacity(rows);
    for row in 0..rows {
        let is_known = args.iter().all(|arg| arg.is_valid(row));
        answers.push(if is_known { answer(&json::parse(texts.value(row), false)?, row)? } else { None });
    }
    Ok(answers)
}

fn text(answers: Vec<Option<String>>) -> ArrayRef {
    Arc::new(StringArray::from(answers))
}

/// The elements of a row's text array.
fn path_of(lists: &ArrayRef, row: usize) -> Vec<Option<String>> {
    lists.as_list::<i32>().value(row).as_string::<i32>().iter().map(|step| step.map(str::to_owned)).collect()
}

fn steps(path: &[Option<String>]) -> Vec<Option<&str>> {
    path.iter().map(Option::as_deref).collect()
}
