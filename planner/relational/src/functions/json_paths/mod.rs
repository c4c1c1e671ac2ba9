//! SQL/JSON paths: `jsonb_path_query` and its kin, `@?`, `@@`, and texts cast to `jsonpath`.
//!
//! Y5: a `jsonpath` is a text. One that is a constant is read once a batch.
//! Y6: a function without `_tz` answers the same in every session.

mod item;
mod lexer;
mod moments;
mod parser;
mod path;
mod patterns;
mod places;
mod predicates;
mod run;
mod templates;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::native::{no_match, strict, strict_in_manner};
use crate::layouts;
use crate::values::json;
use crate::values::manner::Manner;
use item::Item;
use path::Path;
use run::{Fault, Run};

/// Every function of the family.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    let boolean = |_: &[DataType]| DataType::Boolean;
    let jsonb = |_: &[DataType]| layouts::jsonb();
    let list = |_: &[DataType]| layouts::array_of(layouts::jsonb());
    let utf8 = |_: &[DataType]| DataType::Utf8;
    vec![
        strict("jsonpath", one_path, utf8, |args, _, _| normal(args)),
        strict_in_manner("jsonb_path_exists", path_types, boolean, |args, rows, _, manner| exists(args, rows, false, manner)),
        strict_in_manner("jsonb_path_exists_tz", path_types, boolean, |args, rows, _, manner| exists(args, rows, true, manner)),
        strict_in_manner("jsonb_path_match", path_types, boolean, |args, rows, _, manner| matches(args, rows, false, manner)),
        strict_in_manner("jsonb_path_match_tz", path_types, boolean, |args, rows, _, manner| matches(args, rows, true, manner)),
        strict_in_manner("jsonb_path_query_first", path_types, jsonb, |args, rows, to, manner| first(args, rows, to, false, manner)),
        strict_in_manner("jsonb_path_query_first_tz", path_types, jsonb, |args, rows, to, manner| first(args, rows, to, true, manner)),
        strict_in_manner("jsonb_path_query_array", path_types, jsonb, |args, rows, to, manner| array(args, rows, to, false, manner)),
        strict_in_manner("jsonb_path_query_array_tz", path_types, jsonb, |args, rows, to, manner| array(args, rows, to, true, manner)),
        strict_in_manner("jsonb_path_query_list", path_types, list, |args, rows, to, manner| set(args, rows, to, false, manner)),
        strict_in_manner("jsonb_path_query_tz_list", path_types, list, |args, rows, to, manner| set(args, rows, to, true, manner)),
    ]
}

fn one_path(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [text] if layouts::is_text(text) || text.is_null() => Ok(vec![DataType::Utf8]),
        _ => no_match(),
    }
}

/// A document, a path, variables, and whether errors are silenced.
fn path_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let is_jsonb = |given: &DataType| given.is_null() || layouts::is_text(given) || layouts::is_jsonb(given);
    let is_path = |given: &DataType| given.is_null() || layouts::is_text(given);
    let is_flag = |given: &DataType| is_path(given) || *given == DataType::Boolean;
    let fits = match types {
        [document, path] => is_jsonb(document) && is_path(path),
        [document, path, variables] => is_jsonb(document) && is_path(path) && is_jsonb(variables),
        [document, path, variables, flag] => is_jsonb(document) && is_path(path) && is_jsonb(variables) && is_flag(flag),
        _ => false,
    };
    let wanted = [layouts::jsonb(), DataType::Utf8, layouts::jsonb(), DataType::Boolean];
    if fits { Ok(wanted[..types.len()].to_vec()) } else { no_match() }
}

fn normal(args: &[ArrayRef]) -> SqlResult<ArrayRef> {
    let texts = args[0].as_string::<i32>();
    let read = |text: Option<&str>| text.map(|text| parser::parse(text).map(|path| path.to_string())).transpose();
    Ok(Arc::new(texts.iter().map(read).collect::<SqlResult<StringArray>>()?))
}

/// What a row is asked, given whether errors are silenced.
type Ask<T> = for<'v, 'a> fn(&mut Run<'v, 'a>, &'v Path, bool) -> SqlResult<T>;

/// One answer a row; `None` where an argument is NULL.
fn each<T>(args: &[ArrayRef], rows: usize, with_zone: bool, manner: &Manner, ask: Ask<T>) -> SqlResult<Vec<Option<T>>> {
    let (documents, paths) = (layouts::texts(&args[0])?, args[1].as_string::<i32>());
    let variables = args.get(2).map(layouts::texts).transpose()?;
    let flags = args.get(3).map(|flags| flags.as_boolean());
    let mut kept: Option<(String, Path)> = None;
    let mut answers = Vec::with_capacity(rows);
    for row in 0..rows {
        if args.iter().any(|arg| arg.is_null(row)) {
            answers.push(None);
            continue;
        }
        let text = paths.value(row);
        let path = match kept.take() {
            Some((known, path)) if known == text => path,
            _ => parser::parse(text)?,
        };
        let (_, path) = kept.insert((text.to_owned(), path));
        let document = json::parse(documents.value(row), false)?;
        let variables = variables.as_ref().map(|texts| json::parse(texts.value(row), false)).transpose()?;
        let mut run = Run::new(path, &document, variables.as_ref(), with_zone, manner)?;
        let is_silent = flags.is_some_and(|flags| flags.value(row));
        answers.push(Some(ask(&mut run, path, is_silent)?));
    }
    Ok(answers)
}

fn exists(args: &[ArrayRef], rows: usize, with_zone: bool, manner: &Manner) -> SqlResult<ArrayRef> {
    let answers = each(args, rows, with_zone, manner, |run, path, is_silent| match run.exists(path) {
        Ok(answer) => Ok(Some(answer)),
        Err(Fault::Soft(_)) if is_silent => Ok(None),
        Err(Fault::Soft(error) | Fault::Hard(error)) => Err(error),
    })?;
    Ok(Arc::new(answers.into_iter().map(Option::flatten).collect::<BooleanArray>()))
}

/// What was found up to an error, if that is silenced.
fn found<'v, 'a>(run: &mut Run<'v, 'a>, path: &'v Path, is_silent: bool) -> SqlResult<Vec<Item<'v, 'a>>> {
    let mut found = Vec::new();
    match run.all(path, &mut found) {
        Err(Fault::Soft(error)) if !is_silent => Err(error),
        Err(Fault::Hard(error)) => Err(error),
        Ok(()) | Err(Fault::Soft(_)) => Ok(found),
    }
}

fn matches(args: &[ArrayRef], rows: usize, with_zone: bool, manner: &Manner) -> SqlResult<ArrayRef> {
    let answers = each(args, rows, with_zone, manner, |run, path, is_silent| match found(run, path, is_silent)?.as_slice() {
        [only] if only.boolean().is_some() => Ok(only.boolean()),
        [only] if only.is_null() => Ok(None),
        _ if is_silent => Ok(None),
        _ => Err(SqlError::new(SqlState("22038"), "single boolean result is expected")),
    })?;
    Ok(Arc::new(answers.into_iter().map(Option::flatten).collect::<BooleanArray>()))
}

fn text_of(item: &Item<'_, '_>) -> SqlResult<String> {
    let mut text = String::new();
    item.write(&mut text)?;
    Ok(text)
}

fn first(args: &[ArrayRef], rows: usize, to: &DataType, with_zone: bool, manner: &Manner) -> SqlResult<ArrayRef> {
    let answers =
        each(args, rows, with_zone, manner, |run, path, is_silent| found(run, path, is_silent)?.first().map(text_of).transpose())?;
    layouts::wrap(answers.into_iter().map(Option::flatten).collect(), to)
}

fn array(args: &[ArrayRef], rows: usize, to: &DataType, with_zone: bool, manner: &Manner) -> SqlResult<ArrayRef> {
    let answers = each(args, rows, with_zone, manner, |run, path, is_silent| {
        let texts = found(run, path, is_silent)?.iter().map(text_of).collect::<SqlResult<Vec<_>>>()?;
        Ok(format!("[{}]", texts.join(", ")))
    })?;
    layouts::wrap(answers.into_iter().collect(), to)
}

/// The items as an array that the statement unnests.
fn set(args: &[ArrayRef], rows: usize, to: &DataType, with_zone: bool, manner: &Manner) -> SqlResult<ArrayRef> {
    let found = each(args, rows, with_zone, manner, |run, path, is_silent| {
        found(run, path, is_silent)?.iter().map(text_of).collect::<SqlResult<Vec<_>>>()
    })?;
    let DataType::List(item) = to else { return Err(SqlError::internal("the answer is no array")) };
    let nulls: NullBuffer = found.iter().map(Option::is_some).collect::<Vec<_>>().into();
    let lengths = OffsetBuffer::from_lengths(found.iter().map(|texts| texts.as_ref().map_or(0, Vec::len)));
    let texts: StringArray = found.into_iter().flatten().flatten().map(Some).collect();
    let elements = layouts::wrap(texts, item.data_type())?;
    let list = ListArray::try_new(Arc::clone(item), lengths, elements, Some(nulls).filter(|nulls| nulls.null_count() > 0));
    Ok(Arc::new(list.map_err(|error| SqlError::internal(error.to_string()))?))
}
