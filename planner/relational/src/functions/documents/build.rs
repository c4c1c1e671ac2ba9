//! Documents made of values: `to_json`, `json_build_object`, `json_build_array`, `json_agg` …
//!
//! B1: numbers and booleans are themselves, documents too, arrays are arrays, times are as ISO 8601 has them, anything else is its text.

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::text_array;
use crate::functions::conversions::convert;
use crate::functions::native::{lenient, no_match, strict};
use crate::layouts;
use crate::values::json;

pub(super) fn functions() -> Vec<ScalarUDF> {
    let json = |_: &[DataType]| layouts::json();
    let jsonb = |_: &[DataType]| layouts::jsonb();
    vec![
        strict("to_json", any_one, json, |args, _, returns| finish(texts_of(&args[0])?, returns)),
        strict("to_jsonb", any_one, jsonb, |args, _, returns| finish(texts_of(&args[0])?, returns)),
        strict("row_to_json", one_record, json, |args, _, returns| finish(texts_of(&args[0])?, returns)),
        strict("array_to_json", any_one, json, |args, _, returns| finish(texts_of(&args[0])?, returns)),
        lenient("json_build_array", any, json, |args, rows, returns| finish(array(args, rows)?, returns)),
        lenient("jsonb_build_array", any, jsonb, |args, rows, returns| finish(array(args, rows)?, returns)),
        lenient("json_build_object", any, json, |args, rows, returns| finish(object(args, rows)?, returns)),
        lenient("jsonb_build_object", any, jsonb, |args, rows, returns| finish(object(args, rows)?, returns)),
        strict("json_object", one_or_two_lists, json, |args, rows, returns| finish(paired(args, rows, " : ")?, returns)),
        strict("jsonb_object", one_or_two_lists, jsonb, |args, rows, returns| finish(paired(args, rows, ": ")?, returns)),
        strict("json_gather", any_one, json, |args, _, returns| finish(gather(&args[0])?, returns)),
        strict("jsonb_gather", any_one, jsonb, |args, _, returns| finish(gather(&args[0])?, returns)),
        strict("json_gather_object", two_arrays, json, |args, rows, returns| finish(gather_object(args, rows)?, returns)),
        strict("jsonb_gather_object", two_arrays, jsonb, |args, rows, returns| finish(gather_object(args, rows)?, returns)),
    ]
}

fn any_one(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { any(types) } else { no_match() }
}

fn one_record(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [row] if layouts::record(row).is_some() => Ok(vec![row.clone()]),
        _ => no_match(),
    }
}

fn any(types: &[DataType]) -> Result<Vec<DataType>> {
    Ok(types.iter().map(|data_type| if data_type.is_null() { DataType::Utf8 } else { data_type.clone() }).collect())
}

fn one_or_two_lists(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_] | [_, _] => Ok(vec![text_array(); types.len()]),
        _ => no_match(),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    json::write_string(text, &mut out);
    out
}

/// Objects of keys and values that stand in turn in one array, or in two.
fn paired(args: &[ArrayRef], rows: usize, colon: &str) -> SqlResult<StringArray> {
    let wrong = |message: &str| SqlError::new(SqlState("2202E"), message);
    let elements = |arg: &ArrayRef, row: usize| -> Vec<Option<String>> {
        arg.as_list::<i32>().value(row).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    };
    let mut objects = Vec::with_capacity(rows);
    for row in 0..rows {
        if args.iter().any(|arg| arg.is_null(row)) {
            objects.push(None);
            continue;
        }
        let mut pairs = Vec::new();
        match args {
            [both] => {
                let all = elements(both, row);
                if all.len() % 2 != 0 {
                    return Err(wrong("array must have even number of elements"));
                }
                pairs.extend(all.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())));
            }
            [keys, values] => {
                let (keys, values) = (elements(keys, row), elements(values, row));
                if keys.len() != values.len() {
                    return Err(wrong("mismatched array dimensions"));
                }
                pairs.extend(keys.into_iter().zip(values));
            }
            _ => return Err(SqlError::internal("B1: json_object of other arguments")),
        }
        let mut members = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = key.ok_or_else(|| SqlError::new(SqlState("22004"), "null value not allowed for object key"))?;
            let value = value.map_or_else(|| "null".to_owned(), |value| quoted(&value));
            members.push(format!("{}{colon}{value}", quoted(&key)));
        }
        objects.push(Some(format!("{{{}}}", members.join(", "))));
    }
    Ok(objects.into_iter().collect())
}

fn two_arrays(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_, values] if layouts::element(values).is_some() => Ok(vec![text_array(), values.clone()]),
        _ => no_match(),
    }
}

fn finish(texts: StringArray, returns: &DataType) -> SqlResult<ArrayRef> {
    if !layouts::is_jsonb(returns) {
        return layouts::wrap(texts, returns);
    }
    let normal: StringArray = texts.iter().map(|text| text.map(json::normalise).transpose()).collect::<SqlResult<_>>()?;
    layouts::wrap(normal, returns)
}

/// The values of a column as JSON; NULL stays NULL (B1).
fn texts_of(array: &ArrayRef) -> SqlResult<StringArray> {
    let data_type = array.data_type();
    if layouts::document_name(data_type).is_some() {
        return layouts::texts(array);
    }
    if let Some(lists) = array.as_list_opt::<i32>() {
        let elements = texts_of(lists.values())?;
        let listed = |row: usize| {
            lists.is_valid(row).then(|| {
                let offsets = lists.value_offsets();
                let parts = (offsets[row] as usize..offsets[row + 1] as usize).map(|at| or_null(&elements, at));
                format!("[{}]", parts.collect::<Vec<_>>().join(","))
            })
        };
        return Ok((0..lists.len()).map(listed).collect());
    }
    if layouts::record(data_type).is_some() {
        return records(array.as_struct());
    }
    let texts = convert(array, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    let is_plain = *data_type == DataType::Boolean || data_type.is_numeric() || layouts::is_any_numeric(data_type);
    let is_moment = matches!(data_type, DataType::Timestamp(..));
    let written = |text: &str| {
        // NaN and the infinities are no JSON numbers.
        if is_plain && !text.ends_with(['N', 'y']) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len() + 2);
        if is_moment {
            json::write_string(&iso(text), &mut out)
        } else {
            json::write_string(text, &mut out)
        }
        out
    };
    Ok(texts.iter().map(|text| text.map(written)).collect())
}

/// Rows as objects.
fn records(rows: &StructArray) -> SqlResult<StringArray> {
    let columns = rows.columns().iter().map(texts_of).collect::<SqlResult<Vec<_>>>()?;
    let written = (0..rows.len()).map(|row| {
        rows.is_valid(row).then(|| {
            let mut out = String::from("{");
            for (at, (field, column)) in rows.fields().iter().zip(&columns).enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                json::write_string(layouts::record_field_shown(field.name()), &mut out);
                out.push(':');
                out.push_str(or_null(column, row));
            }
            out.push('}');
            out
        })
    });
    Ok(written.collect())
}

/// `2024-01-02T03:04:05+00:00`
fn iso(text: &str) -> String {
    let with_t = text.replacen(' ', "T", 1);
    match with_t.strip_suffix("+00") {
        Some(instant) => format!("{instant}+00:00"),
        None => with_t,
    }
}

fn or_null(texts: &StringArray, at: usize) -> &str {
    if texts.is_valid(at) { texts.value(at) } else { "null" }
}

fn array(args: &[ArrayRef], rows: usize) -> SqlResult<StringArray> {
    let columns = args.iter().map(texts_of).collect::<SqlResult<Vec<_>>>()?;
    let joined = |row: usize| format!("[{}]", columns.iter().map(|column| or_null(column, row)).collect::<Vec<_>>().join(", "));
    Ok((0..rows).map(|row| Some(joined(row))).collect())
}

fn object(args: &[ArrayRef], rows: usize) -> SqlResult<StringArray> {
    if !args.len().is_multiple_of(2) {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "argument list must have even number of elements")
            .hint("The arguments of json_build_object() must consist of alternating keys and values."));
    }
    let mut columns = Vec::with_capacity(args.len() / 2);
    for pair in args.chunks_exact(2) {
        columns.push((convert(&pair[0], &DataType::Utf8)?, texts_of(&pair[1])?));
    }
    let mut written = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut out = String::from("{");
        for (at, (keys, values)) in columns.iter().enumerate() {
            if keys.is_null(row) {
                let message = format!("argument {}: key must not be null", at * 2 + 1);
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
            out.push_str(if at > 0 { ", " } else { "" });
            json::write_string(keys.as_string::<i32>().value(row), &mut out);
            out.push_str(" : ");
            out.push_str(or_null(values, row));
        }
        out.push('}');
        written.push(Some(out));
    }
    Ok(written.into_iter().collect())
}

/// An aggregate's array as `json_agg` writes it.
fn gather(lists: &ArrayRef) -> SqlResult<StringArray> {
    let Some(lists) = lists.as_list_opt::<i32>() else { return Err(SqlError::internal("B1: an aggregate that is no array")) };
    let elements = texts_of(lists.values())?;
    // Rows stand on lines of their own.
    let between = if layouts::record(&lists.value_type()).is_some() { ", \n " } else { ", " };
    let listed = |row: usize| {
        lists.is_valid(row).then(|| {
            let offsets = lists.value_offsets();
            let parts = (offsets[row] as usize..offsets[row + 1] as usize).map(|at| or_null(&elements, at));
            format!("[{}]", parts.collect::<Vec<_>>().join(between))
        })
    };
    Ok((0..lists.len()).map(listed).collect())
}

/// Keys and values gathered side by side as `json_object_agg` writes them.
fn gather_object(args: &[ArrayRef], rows: usize) -> SqlResult<StringArray> {
    let (keys, values) = (args[0].as_list::<i32>(), args[1].as_list::<i32>());
    let (names, texts) = (keys.values().as_string::<i32>(), texts_of(values.values())?);
    let mut written = Vec::with_capacity(rows);
    for row in 0..rows {
        if keys.is_null(row) || values.is_null(row) {
            written.push(None);
            continue;
        }
        let (first, last) = (keys.value_offsets()[row] as usize, keys.value_offsets()[row + 1] as usize);
        let first_value = values.value_offsets()[row] as usize;
        let mut out = String::from("{ ");
        for at in first..last {
            if names.is_null(at) {
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "field name must not be null"));
            }
            out.push_str(if at > first { ", " } else { "" });
            json::write_string(names.value(at), &mut out);
            out.push_str(" : ");
            out.push_str(or_null(&texts, first_value + at - first));
        }
        out.push_str(" }");
        written.push(Some(out));
    }
    Ok(StringArray::from(written))
}
