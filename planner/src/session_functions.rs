//! Functions that read or change the session that calls them.
//!
//! Never: part of a plan that another session could run; changes a setting itself (`session/effects.rs` does, after the statement).

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Float64Type};
use base::{SqlError, SqlResult, SqlState};
use relational::{Interrupt, ScalarFunction, aside};
use tokio::time::Instant;

use crate::effects::{Effects, Outbox, Wish};
use crate::resolver::Scope;
use crate::settings::Settings;

/// How often a sleeper looks whether he has to wake.
const SLEEPER_LOOKS_EVERY: Duration = Duration::from_millis(10);

/// Those that a text can mean.
pub(crate) fn mentioned(text: &str, settings: &Settings, effects: &Effects, scope: &Scope) -> Vec<ScalarFunction> {
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
    if lower.contains("pg_sleep") {
        functions.push(pg_sleep(scope.searched.interrupt.clone()));
    }
    if lower.contains("txid_current") || lower.contains("xact_id") {
        let (number, if_assigned) = (scope.number.cast_signed(), scope.is_written.then_some(scope.number.cast_signed()));
        functions.push(number_shown("txid_current", Some(number)));
        functions.push(number_shown("pg_current_xact_id", Some(number)));
        functions.push(number_shown("txid_current_if_assigned", if_assigned));
        functions.push(number_shown("pg_current_xact_id_if_assigned", if_assigned));
    }
    functions
}

/// Whether a text can mean functions that belong to one run of a statement: its transaction's number, and sleep, which its end interrupts.
pub(crate) fn are_of_a_run(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["pg_sleep", "txid_current", "xact_id"].iter().any(|name| lower.contains(name))
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

/// `pg_sleep(seconds)`: ends early where the statement has to.
fn pg_sleep(interrupt: Option<Interrupt>) -> ScalarFunction {
    let call = move |arguments: &[ArrayRef]| {
        let seconds = arguments.first().and_then(|array| array.as_primitive_opt::<Float64Type>());
        let seconds = seconds.ok_or_else(|| SqlError::internal("a time to sleep is no number"))?;
        let mut answers = Vec::with_capacity(seconds.len());
        for seconds in seconds {
            if let Some(seconds) = seconds {
                aside(|| sleep(seconds, interrupt.as_ref()))?;
            }
            answers.push(seconds.map(|_| ""));
        }
        Ok(Arc::new(StringArray::from(answers)) as ArrayRef)
    };
    function("pg_sleep", vec![DataType::Float64], 0, call)
}

fn sleep(seconds: f64, interrupt: Option<&Interrupt>) -> SqlResult<()> {
    let out_of_range = || SqlError::new(SqlState("22008"), "interval out of range");
    // A negative time, and no number, are no time.
    let wanted = Duration::try_from_secs_f64(seconds.max(0.0)).map_err(|_| out_of_range())?;
    let begun = Instant::now();
    loop {
        if let Some(interrupt) = interrupt {
            interrupt()?;
        }
        match wanted.checked_sub(begun.elapsed()) {
            None | Some(Duration::ZERO) => return Ok(()),
            Some(rest) => thread::sleep(rest.min(SLEEPER_LOOKS_EVERY)),
        }
    }
}

/// The transaction's number, or NULL.
fn number_shown(name: &str, number: Option<i64>) -> ScalarFunction {
    let call = move |_: &[ArrayRef]| Ok(Arc::new(Int64Array::from(vec![number])) as ArrayRef);
    ScalarFunction { returns: DataType::Int64, ..function(name, Vec::new(), 0, call) }
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
