//! What the set-returning functions (`json_array_elements`, `json_each`, `json_object_keys`) return, as an array that the statement unnests.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{map, one_document, text_array};
use crate::functions::native::{no_match, strict};
use crate::layouts;
use crate::values::json::{self, Kind, Value};

pub(super) fn functions() -> Vec<ScalarUDF> {
    let same = |types: &[DataType]| layouts::array_of(types[0].clone());
    let texts = |_: &[DataType]| text_array();
    vec![
        strict("json_elements_list", one_document, same, |args, rows, returns| gather(args, rows, returns, elements)),
        strict("json_elements_text_list", one_document, texts, |args, rows, returns| gather(args, rows, returns, element_texts)),
        strict("json_keys_list", one_document, texts, |args, rows, returns| gather(args, rows, returns, keys)),
        strict("json_values_list", one_document, same, |args, rows, returns| gather(args, rows, returns, values)),
        strict("json_column_list", document_and_name, texts, |args, rows, _| {
            columns(args, rows, |member| json::text_of(member).map(Cow::into_owned))
        }),
        strict("json_column_json_list", document_and_name, texts, |args, rows, _| {
            columns(args, rows, |member| Some(member.text.to_owned()))
        }),
        strict("json_values_text_list", one_document, texts, |args, rows, returns| gather(args, rows, returns, value_texts)),
    ]
}

type Parts = Vec<Option<String>>;

fn invalid(message: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn list_of<'v, 'a>(value: &'v Value<'a>) -> SqlResult<&'v [Value<'a>]> {
    match &value.kind {
        Kind::Array(elements) => Ok(elements),
        Kind::Object(_) => Err(invalid("cannot extract elements from an object")),
        _ => Err(invalid("cannot extract elements from a scalar")),
    }
}

fn elements(value: &Value<'_>) -> SqlResult<Parts> {
    Ok(list_of(value)?.iter().map(|element| Some(element.text.to_owned())).collect())
}

fn element_texts(value: &Value<'_>) -> SqlResult<Parts> {
    Ok(list_of(value)?.iter().map(|element| json::text_of(element).map(|text| text.into_owned())).collect())
}

fn members<T>(value: &Value<'_>, each: impl Fn(&str, &Value<'_>) -> T) -> SqlResult<Vec<T>> {
    match &value.kind {
        Kind::Object(members) => Ok(members.iter().map(|(key, member)| each(key, member)).collect()),
        Kind::Array(_) => Err(invalid("cannot deconstruct an array as an object")),
        _ => Err(invalid("cannot deconstruct a scalar")),
    }
}

fn keys(value: &Value<'_>) -> SqlResult<Parts> {
    members(value, |key, _| Some(key.to_owned()))
}

fn values(value: &Value<'_>) -> SqlResult<Parts> {
    members(value, |_, member| Some(member.text.to_owned()))
}

fn value_texts(value: &Value<'_>) -> SqlResult<Parts> {
    members(value, |_, member| json::text_of(member).map(|text| text.into_owned()))
}

fn document_and_name(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [document, _] => Ok(vec![one_document(std::slice::from_ref(document))?.remove(0), DataType::Utf8]),
        _ => no_match(),
    }
}

/// A member of each of the array's objects, or of the object; NULL where it has none.
fn columns(args: &[ArrayRef], rows: usize, text: fn(&Value<'_>) -> Option<String>) -> SqlResult<ArrayRef> {
    let names = args[1].as_string::<i32>();
    let found = map(args, rows, |value, row| {
        let member = |object: &Value<'_>| -> SqlResult<Option<String>> {
            match &object.kind {
                Kind::Object(members) => Ok(members.iter().rfind(|(key, _)| *key == names.value(row)).and_then(|(_, member)| text(member))),
                _ => Err(invalid("argument of json_to_recordset must be an array of objects")),
            }
        };
        match &value.kind {
            Kind::Array(objects) => objects.iter().map(member).collect::<SqlResult<Parts>>().map(Some),
            _ => Ok(Some(vec![member(value)?])),
        }
    })?;
    let nulls: NullBuffer = found.iter().map(Option::is_some).collect::<Vec<_>>().into();
    let lengths = OffsetBuffer::from_lengths(found.iter().map(|parts| parts.as_ref().map_or(0, Vec::len)));
    let texts: StringArray = found.into_iter().flatten().flatten().collect();
    let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let list = ListArray::try_new(item, lengths, Arc::new(texts), Some(nulls).filter(|nulls| nulls.null_count() > 0));
    Ok(Arc::new(list.map_err(|error| SqlError::internal(error.to_string()))?))
}

fn gather(args: &[ArrayRef], rows: usize, returns: &DataType, parts: fn(&Value<'_>) -> SqlResult<Parts>) -> SqlResult<ArrayRef> {
    let found = map(args, rows, |value, _| parts(value).map(Some))?;
    let DataType::List(item) = returns else { return Err(SqlError::internal("the answer is no array")) };
    let nulls: NullBuffer = found.iter().map(Option::is_some).collect::<Vec<_>>().into();
    let lengths = OffsetBuffer::from_lengths(found.iter().map(|parts| parts.as_ref().map_or(0, Vec::len)));
    let texts: StringArray = found.into_iter().flatten().flatten().collect();
    let elements: ArrayRef =
        if layouts::document_name(item.data_type()).is_some() { layouts::wrap(texts, item.data_type())? } else { Arc::new(texts) };
    let list = ListArray::try_new(Arc::clone(item), lengths, elements, Some(nulls).filter(|nulls| nulls.null_count() > 0));
    Ok(Arc::new(list.map_err(|error| SqlError::internal(error.to_string()))?))
}
