//! `||`, `-`, `#-`, `jsonb_set`, `jsonb_insert`, `jsonb_strip_nulls`, `jsonb_pretty`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use base::SqlResult;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::{document, map, one_document, path_of, steps, text, text_array, two_jsonb};
use crate::functions::native::{no_match, strict};
use crate::layouts;
use crate::values::json::{self, Kind, Value};

pub(super) fn functions() -> Vec<ScalarUDF> {
    let jsonb = |_: &[DataType]| layouts::jsonb();
    let same = |types: &[DataType]| types[0].clone();
    let utf8 = |_: &[DataType]| DataType::Utf8;
    vec![
        strict("jsonb_concat", two_jsonb, jsonb, concat),
        strict("jsonb_delete", delete_types, jsonb, delete),
        strict("jsonb_delete_path", path_types, jsonb, delete_path),
        strict("jsonb_set", set_types, jsonb, |args, rows, returns| put(args, rows, returns, false)),
        strict("jsonb_insert", set_types, jsonb, |args, rows, returns| put(args, rows, returns, true)),
        strict("jsonb_strip_nulls", one_document, same, strip),
        strict("json_strip_nulls", one_document, same, strip),
        strict("jsonb_pretty", one_document, utf8, |args, rows, _| Ok(text(map(args, rows, |value, _| Ok(Some(json::pretty(value))))?))),
    ]
}

fn finish(answers: Vec<Option<String>>, returns: &DataType) -> SqlResult<ArrayRef> {
    layouts::wrap(answers.into_iter().collect(), returns)
}

fn concat(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let right = layouts::texts(&args[1])?;
    let answers = map(args, rows, |left, row| Ok(Some(json::concat(left, &json::parse(right.value(row), false)?))))?;
    finish(answers, returns)
}

fn delete_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let [whole, gone] = types else { return no_match() };
    if !document(whole).as_ref().is_some_and(layouts::is_jsonb) {
        return no_match();
    }
    let gone = match gone {
        gone if gone.is_integer() => DataType::Int64,
        gone if layouts::is_text(gone) || gone.is_null() => DataType::Utf8,
        gone if layouts::element(gone).is_some() => text_array(),
        _ => return no_match(),
    };
    Ok(vec![layouts::jsonb(), gone])
}

fn delete(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let answers = map(args, rows, |value, row| {
        let (keys, index) = match args[1].data_type() {
            DataType::Int64 => (Vec::new(), Some(args[1].as_primitive::<Int64Type>().value(row))),
            DataType::Utf8 => (vec![args[1].as_string::<i32>().value(row).to_owned()], None),
            _ => (path_of(&args[1], row).into_iter().flatten().collect(), None),
        };
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        json::delete_elements(value, &keys, index).map(Some)
    })?;
    finish(answers, returns)
}

fn path_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [whole, _] if document(whole).as_ref().is_some_and(layouts::is_jsonb) => Ok(vec![layouts::jsonb(), text_array()]),
        _ => no_match(),
    }
}

fn delete_path(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let answers = map(args, rows, |value, row| json::delete_path(value, &steps(&path_of(&args[1], row))).map(Some))?;
    finish(answers, returns)
}

fn set_types(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [whole, _, new, ..] if matches!(types.len(), 3 | 4) && [whole, new].iter().all(|side| document(side).is_some()) => {
            let wanted = [layouts::jsonb(), text_array(), layouts::jsonb(), DataType::Boolean];
            Ok(wanted[..types.len()].to_vec())
        }
        _ => no_match(),
    }
}

fn put(args: &[ArrayRef], rows: usize, returns: &DataType, insert: bool) -> SqlResult<ArrayRef> {
    let new = layouts::texts(&args[2])?;
    let flag = args.get(3).map(|flag| flag.as_boolean());
    let answers = map(args, rows, |value, row| {
        let path = path_of(&args[1], row);
        let flag = flag.map(|flag| flag.value(row));
        let after = insert.then(|| flag.unwrap_or(false));
        json::insert_or_set(value, &steps(&path), new.value(row), flag.unwrap_or(true), after).map(Some)
    })?;
    finish(answers, returns)
}

fn strip(args: &[ArrayRef], rows: usize, returns: &DataType) -> SqlResult<ArrayRef> {
    let is_jsonb = layouts::is_jsonb(returns);
    let answers = map(args, rows, |value, _| {
        let mut out = String::new();
        stripped(value, is_jsonb, &mut out);
        Ok(Some(out))
    })?;
    finish(answers, returns)
}

/// Without members that are null; `json` loses its blanks besides.
fn stripped(value: &Value<'_>, is_jsonb: bool, out: &mut String) {
    let (comma, colon) = if is_jsonb { (", ", ": ") } else { (",", ":") };
    match &value.kind {
        Kind::Object(members) => {
            out.push('{');
            let kept = members.iter().filter(|(_, member)| !matches!(member.kind, Kind::Null));
            for (at, (key, member)) in kept.enumerate() {
                out.push_str(if at > 0 { comma } else { "" });
                json::write_string(key, out);
                out.push_str(colon);
                stripped(member, is_jsonb, out);
            }
            out.push('}');
        }
        Kind::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { comma } else { "" });
                stripped(element, is_jsonb, out);
            }
            out.push(']');
        }
        _ => out.push_str(value.text),
    }
}
