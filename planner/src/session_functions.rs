//! Functions that read or change the session that calls them.
//!
//! Never: part of a plan that another session could run; changes a setting itself (`session/effects.rs` does, after the statement).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StringBuilder};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult};
use relational::ScalarFunction;

use crate::effects::{Effects, Outbox, Wish};
use crate::settings::Settings;

/// Those that a text can mean.
pub(crate) fn mentioned(text: &str, settings: &Settings, effects: &Effects) -> Vec<ScalarFunction> {
    let lower = text.to_ascii_lowercase();
    let mut functions = Vec::new();
    if lower.contains("pg_notify") {
        functions.push(pg_notify(&effects.outbox));
    }
    if lower.contains("current_setting") {
        functions.push(current_setting(settings, effects));
    }
    if lower.contains("set_config") {
        functions.push(set_config(settings, effects));
    }
    functions
}

/// `pg_notify(channel, payload)`
fn pg_notify(outbox: &Outbox) -> ScalarFunction {
    let outbox = outbox.clone();
    let call = move |arguments: &[ArrayRef]| {
        let (channels, payloads) = (texts(arguments, 0)?, texts(arguments, 1)?);
        for row in 0..channels.len() {
            outbox.put(value(channels, row).unwrap_or_default(), value(payloads, row).unwrap_or_default())?;
        }
        Ok(Arc::new(StringArray::from(vec![""; channels.len()])) as ArrayRef)
    };
    function("pg_notify", vec![DataType::Utf8, DataType::Utf8], 0, call)
}

/// `current_setting(name [, missing_ok])`
fn current_setting(settings: &Settings, effects: &Effects) -> ScalarFunction {
    let (settings, wishes) = (settings.clone(), effects.wishes.clone());
    let call = move |arguments: &[ArrayRef]| {
        let names = texts(arguments, 0)?;
        let missing_ok = arguments.get(1).and_then(|array| array.as_any().downcast_ref::<BooleanArray>());
        let mut shown = StringBuilder::new();
        for row in 0..names.len() {
            let Some(name) = value(names, row) else {
                shown.append_null();
                continue;
            };
            let wished = wishes.lock().iter().rfind(|wish| wish.name.eq_ignore_ascii_case(name)).map(|wish| wish.value.clone());
            match wished.map_or_else(|| settings.show(name).map(|(_, value)| value), Ok) {
                Ok(value) => shown.append_value(value),
                Err(_) if missing_ok.is_some_and(|missing_ok| missing_ok.is_valid(row) && missing_ok.value(row)) => shown.append_null(),
                Err(error) => return Err(error),
            }
        }
        Ok(Arc::new(shown.finish()) as ArrayRef)
    };
    function("current_setting", vec![DataType::Utf8, DataType::Boolean], 1, call)
}

/// `set_config(name, value, is_local)`
fn set_config(settings: &Settings, effects: &Effects) -> ScalarFunction {
    let (settings, wishes) = (settings.clone(), effects.wishes.clone());
    let call = move |arguments: &[ArrayRef]| {
        let (names, values) = (texts(arguments, 0)?, texts(arguments, 1)?);
        let locals = arguments.get(2).and_then(|array| array.as_any().downcast_ref::<BooleanArray>());
        let mut shown = StringBuilder::new();
        for row in 0..names.len() {
            let Some(name) = value(names, row) else {
                return Err(SqlError::new(base::SqlState("22004"), "SET requires parameter name"));
            };
            let mut tried = settings.clone();
            match value(values, row) {
                Some(value) => tried.set(name, value)?,
                None => tried.reset(name)?,
            }
            let (name, value) = tried.before(name);
            shown.append_value(&value);
            let local = locals.is_some_and(|locals| locals.is_valid(row) && locals.value(row));
            wishes.lock().push(Wish { name: name.into_owned(), value, local });
        }
        Ok(Arc::new(shown.finish()) as ArrayRef)
    };
    function("set_config", vec![DataType::Utf8, DataType::Utf8, DataType::Boolean], 0, call)
}

fn texts(arguments: &[ArrayRef], at: usize) -> SqlResult<&StringArray> {
    arguments.get(at).and_then(|array| array.as_string_opt::<i32>()).ok_or_else(|| SqlError::internal("an argument is no text"))
}

fn value(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

fn function(
    name: &str,
    args: Vec<DataType>,
    optional_args: usize,
    call: impl Fn(&[ArrayRef]) -> SqlResult<ArrayRef> + Send + Sync + 'static,
) -> ScalarFunction {
    ScalarFunction { name: name.to_owned(), args, optional_args, returns: DataType::Utf8, call: Arc::new(call) }
}
