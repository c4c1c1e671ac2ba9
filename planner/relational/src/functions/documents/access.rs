//! Parts of documents, and questions about them: `->`, `->>`, `#>`, `#>>`, `@>`, `?`, `json_typeof` …

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{document, map, one_document, path_of, steps, text, text_array, two_jsonb};
use crate::functions::native::{no_match, strict};
use crate::layouts;
use crate::values::json::{self, Kind, Value};

pub(super) fn functions() -> Vec<ScalarUDF> {
    let same = |types: &[DataType]| types[0].clone();
    let utf8 = |_: &[DataType]| DataType::Utf8;
    let boolean = |_: &[DataType]| DataType::Boolean;
    let mut functions = vec![
        strict("json_object_field", field_types, same, |args, rows, returns| field(args, rows, Some(returns))),
        strict("json_object_field_text", field_types, utf8, |args, rows, _| field(args, rows, None)),
        strict("json_path", path_types, same, |args, rows, returns| path(args, rows, Some(returns))),
        strict("json_path_text", path_types, utf8, |args, rows, _| path(args, rows, None)),
        strict("jsonb_contains", two_jsonb, boolean, |args, rows, _| contains(args, rows)),
        strict("jsonb_exists", exists_types, boolean, |args, rows, _| exists(args, rows)),
        strict("jsonb_exists_any", exists_many_types, boolean, |args, rows, _| exists_many(args, rows, false)),
        strict("jsonb_exists_all", exists_many_types, boolean, |args, rows, _| exists_many(args, rows, true)),
    ];
    for name in ["json_typeof", "jsonb_typeof"] {
        functions.push(strict(name, one_document, utf8, |args, rows, _| {
            Ok(text(map(args, rows, |value, _| Ok(Some(value.kind.name().to_owned())))?))
        }));
    }
    for name in ["json_array_length", "jsonb_array_length"] {
        functions.push(strict(name, one_document, |_| DataType::Int32, |args, rows, _| length(args, rows)));
    }
    for name in ["json_extract_path", "jsonb_extract_path"] {
        functions.push(strict(name, steps_types, same, |args, rows, returns| extract(args, rows, Some(returns))));
    }
    for name in ["json_extract_path_text", "jsonb_extract_path_text"] {
        functions.push(strict(name, steps_types, utf8, |args, rows, _| extract(args, rows, None)));
    }
    functions
}

/// What was found: as text, or as a document of the type of the whole.
fn found(value: Option<&Value<'_>>, as_document: bool) -> Option<String> {
    if as_document { value.map(|value| value.text.to_owned()) } else { value.and_then(json::text_of).map(|text| text.into_owned()) }
}

fn finish(answers: Vec<Option<String>>, document: Option<&DataType>) -> SqlResult<ArrayRef> {
    match document {
        Some(document) => layouts::wrap(answers.into_iter().collect(), document),
        None => Ok(text(answers)),
    }
}

fn field_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [whole, step] => match document(whole) {
            Some(whole) if step.is_integer() => Ok(vec![whole, DataType::Int64]),
            Some(whole) if layouts::is_text(step) || step.is_null() => Ok(vec![whole, DataType::Utf8]),
            _ => no_match(),
        },
        _ => no_match(),
    }
}

fn field(args: &[ArrayRef], rows: usize, as_document: Option<&DataType>) -> SqlResult<ArrayRef> {
    let answers = match args[1].data_type() {
        DataType::Int64 => {
            let places = args[1].as_primitive::<Int64Type>();
            map(args, rows, |value, row| Ok(found(json::element(value, places.value(row)), as_document.is_some())))?
        }
        _ => {
            let keys = args[1].as_string::<i32>();
            map(args, rows, |value, row| Ok(found(json::member(value, keys.value(row)), as_document.is_some())))?
        }
    };
    finish(answers, as_document)
}

fn path_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [whole, _] => document(whole).map_or_else(no_match, |whole| Ok(vec![whole, text_array()])),
        _ => no_match(),
    }
}

fn path(args: &[ArrayRef], rows: usize, as_document: Option<&DataType>) -> SqlResult<ArrayRef> {
    let answers = map(args, rows, |value, row| {
        let path = path_of(&args[1], row);
        Ok(found(json::at_path(value, &steps(&path)), as_document.is_some()))
    })?;
    finish(answers, as_document)
}

fn steps_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let Some(whole) = types.first().and_then(document) else { return no_match() };
    let mut wanted = vec![DataType::Utf8; types.len()];
    wanted[0] = whole;
    Ok(wanted)
}

fn extract(args: &[ArrayRef], rows: usize, as_document: Option<&DataType>) -> SqlResult<ArrayRef> {
    let answers = map(args, rows, |value, row| {
        let path: Vec<Option<&str>> = args[1..].iter().map(|step| Some(step.as_string::<i32>().value(row))).collect();
        Ok(found(json::at_path(value, &path), as_document.is_some()))
    })?;
    finish(answers, as_document)
}

fn contains(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let wanted = layouts::texts(&args[1])?;
    let answers = map(args, rows, |value, row| Ok(Some(json::contains(value, &json::parse(wanted.value(row), false)?))))?;
    Ok(Arc::new(BooleanArray::from(answers)))
}

fn exists_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [whole, key] if document(whole).as_ref().is_some_and(layouts::is_jsonb) && (layouts::is_text(key) || key.is_null()) => {
            Ok(vec![layouts::jsonb(), DataType::Utf8])
        }
        _ => no_match(),
    }
}

fn exists(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let keys = args[1].as_string::<i32>();
    let answers = map(args, rows, |value, row| Ok(Some(json::exists(value, keys.value(row)))))?;
    Ok(Arc::new(BooleanArray::from(answers)))
}

fn exists_many_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [whole, _] if document(whole).as_ref().is_some_and(layouts::is_jsonb) => Ok(vec![layouts::jsonb(), text_array()]),
        _ => no_match(),
    }
}

fn exists_many(args: &[ArrayRef], rows: usize, all: bool) -> SqlResult<ArrayRef> {
    let answers = map(args, rows, |value, row| {
        let keys = path_of(&args[1], row);
        let mut keys = keys.iter().flatten();
        Ok(Some(if all { keys.all(|key| json::exists(value, key)) } else { keys.any(|key| json::exists(value, key)) }))
    })?;
    Ok(Arc::new(BooleanArray::from(answers)))
}

fn length(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let lengths = map(args, rows, |value, _| match &value.kind {
        Kind::Array(elements) => Ok(i32::try_from(elements.len()).ok()),
        Kind::Object(_) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "cannot get array length of a non-array")),
        _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "cannot get array length of a scalar")),
    })?;
    Ok(Arc::new(Int32Array::from(lengths)))
}
