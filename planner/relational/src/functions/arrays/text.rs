//! `array_to_string`, `string_to_array`, and arrays that are text still: a literal's, or a column of the catalog.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use base::SqlResult;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{bounds, list};
use crate::functions::conversions::{convert, element_texts};
use crate::functions::native::{lenient, no_match};
use crate::layouts;
use crate::values::array;
use crate::values::manner::Manner;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let texts = |_: &[DataType]| layouts::array_of(DataType::Utf8);
    vec![
        lenient("array_to_string", join_types, |_| DataType::Utf8, |args, rows, _| join(args, rows)),
        lenient("string_to_array", split_types, texts, |args, rows, _| split(args, rows)),
        lenient("array_text_element", one_text, |_| DataType::Utf8, |args, _, _| Ok(Arc::new(element_text(&args[0])))),
    ]
}

fn one_text(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { Ok(vec![DataType::Utf8]) } else { no_match() }
}

fn split_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if matches!(types.len(), 2 | 3) { Ok(vec![DataType::Utf8; types.len()]) } else { no_match() }
}

fn join_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [array, ..] if matches!(types.len(), 2 | 3) => {
            let array = if layouts::element(array).is_some() { array.clone() } else { layouts::array_of(DataType::Utf8) };
            let mut wanted = vec![DataType::Utf8; types.len()];
            wanted[0] = if layouts::is_text(&types[0]) { DataType::Utf8 } else { array };
            Ok(wanted)
        }
        _ => no_match(),
    }
}

/// Text arrays as arrays of `element`; a vector's text (`1 2`) too.
pub(crate) fn elements_of_text(texts: &ArrayRef, element: &DataType) -> SqlResult<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in texts.as_string::<i32>() {
        let Some(text) = text else {
            lists.append_null();
            continue;
        };
        if text.starts_with(['{', '[']) {
            array::parse(text)?.into_iter().for_each(|element| lists.values().append_option(element));
        } else {
            text.split_whitespace().for_each(|element| lists.values().append_value(element));
        }
        lists.append(true);
    }
    let lists: ArrayRef = Arc::new(lists.finish());
    convert(&lists, &layouts::array_of(element.clone()))
}

fn join(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let lists = if layouts::is_text(args[0].data_type()) { elements_of_text(&args[0], &DataType::Utf8)? } else { Arc::clone(&args[0]) };
    let lists = list(&lists)?;
    let elements = element_texts(lists.values(), lists.values().data_type(), &Manner::default())?;
    let separators = args[1].as_string::<i32>();
    let missing = args.get(2).map(|missing| missing.as_string::<i32>());
    let joined = |row: usize| {
        if lists.is_null(row) || separators.is_null(row) {
            return None;
        }
        let null = missing.filter(|missing| missing.is_valid(row)).map(|missing| missing.value(row));
        let parts = bounds(lists, row).filter_map(|at| if elements.is_valid(at) { Some(elements.value(at)) } else { null });
        Some(parts.collect::<Vec<_>>().join(separators.value(row)))
    };
    Ok(Arc::new((0..rows).map(joined).collect::<StringArray>()))
}

/// Without a separator every character is an element.
fn split(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let (texts, separators) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let nulls = args.get(2).map(|nulls| nulls.as_string::<i32>());
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        if texts.is_null(row) {
            lists.append_null();
            continue;
        }
        let text = texts.value(row);
        let null = nulls.filter(|nulls| nulls.is_valid(row)).map(|nulls| nulls.value(row));
        let mut push = |element: &str| lists.values().append_option((Some(element) != null).then_some(element));
        if text.is_empty() {
        } else if separators.is_null(row) {
            let mut buffer = [0; 4];
            text.chars().for_each(|c| push(c.encode_utf8(&mut buffer)));
        } else if separators.value(row).is_empty() {
            push(text);
        } else {
            text.split(separators.value(row)).for_each(&mut push);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// A value as an element of an array's text.
fn element_text(values: &ArrayRef) -> StringArray {
    let quoted = |value: Option<&str>| {
        let Some(value) = value else { return "NULL".to_owned() };
        let mut out = Vec::new();
        array::write_element(value.as_bytes(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    values.as_string::<i32>().iter().map(|value| Some(quoted(value))).collect()
}
