//! WITH (…), SET (…) and RESET (…) of a table: how long its rows are kept, what they are erased by, and how full pages may be (there are none, so that means nothing).
//!
//! O1: `retention` is an interval above zero; `mode` is `governance` (the default) or `compliance`, and needs a retention.
//! O2: in governance mode a retention is made less by members of `shockwave_custodian` and by superusers only; in compliance mode by nobody (the engine
//!     refuses it).
//! O3: `erasable_by` names the column that says whose a row is; it is given when the table is made, and never after.
//! Never: ignores an option; what is not known is refused by name.

use base::{SqlError, SqlResult, SqlState};
use engine::roles::CUSTODIAN;
use engine::{Mode, Period, Retention, TableDef};
use relational::values::interval;
use relational::values::manner::IntervalStyle;
use sqlparser::ast::{Expr, SqlOption, Value, ValueWithSpan};

use super::Execution;
use crate::names::fold;
use crate::parse_clauses::RESET;

const ERASABLE_BY: &str = "erasable_by";

/// Sets the options in what a table has. Errors: 22023, 22007; 0A000 for an option that there is not.
pub(super) fn set(retention: &mut Option<Retention>, options: &[SqlOption]) -> SqlResult<()> {
    let (mut period, mut mode) = (retention.map(|kept| kept.period), retention.map(|kept| kept.mode));
    for option in options {
        let SqlOption::KeyValue { key, value } = option else { return Err(SqlError::unsupported(format!("the option {option}"))) };
        let is_reset = matches!(value, Expr::Identifier(word) if word.value == RESET);
        match fold(key).as_str() {
            "fillfactor" => {}
            "retention" if is_reset => period = None,
            "retention" => period = Some(read_period(value)?),
            "mode" if is_reset => mode = None,
            "mode" => mode = Some(read_mode(value)?),
            ERASABLE_BY => {
                return Err(SqlError::unsupported("changing what the rows of a table are erased by")
                    .hint("Rows stay as they were committed. Make another table and copy the rows."));
            }
            other => {
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unrecognized parameter \"{other}\""))
                    .hint("A table has the parameters retention, mode, erasable_by and fillfactor."));
            }
        }
    }
    *retention = match (period, mode) {
        (Some(period), mode) => Some(Retention { period, mode: mode.unwrap_or(Mode::Governance) }),
        // The mode that a retention had goes with it.
        (None, Some(_)) if retention.is_some() => None,
        (None, Some(_)) => {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "parameter \"mode\" needs a retention")
                .hint("WITH (retention = '7 years', mode = compliance)"));
        }
        (None, None) => None,
    };
    Ok(())
}

/// ALTER TABLE … SET (…) and RESET (…) (O2). Errors: 42501, 55000, and as [`set`].
pub(super) fn change(
    execution: &Execution<'_>,
    table: &TableDef,
    retention: &mut Option<Retention>,
    options: &[SqlOption],
) -> SqlResult<()> {
    let before = *retention;
    set(retention, options)?;
    let is_less = before.is_some_and(|before| before.mode == Mode::Governance && !before.is_held_by(retention.as_ref()));
    if is_less && !execution.scope.access.has_role(CUSTODIAN) {
        let message = format!("permission denied to shorten the retention of table \"{}\"", table.name);
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
            .hint("It can be made longer. To make it shorter, the owner has to be a member of shockwave_custodian, or a superuser."));
    }
    check_lasting(&table.schema, retention.as_ref())
}

/// Rows of temporary tables are nobody's. Errors: 42P16.
pub(super) fn check_lasting(schema: &str, retention: Option<&Retention>) -> SqlResult<()> {
    if retention.is_none() || schema != engine::TEMPORARY_SCHEMA {
        return Ok(());
    }
    Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, "a temporary table cannot have a retention"))
}

/// Takes `erasable_by = column` out of the options that a table is made with: the column's name (O3). Errors: 22023.
pub(super) fn take_erasable_by(options: &mut Vec<SqlOption>) -> SqlResult<Option<String>> {
    let is_it = |option: &mut SqlOption| matches!(option, SqlOption::KeyValue { key, .. } if fold(key) == ERASABLE_BY);
    match options.extract_if(.., is_it).last() {
        Some(SqlOption::KeyValue { value, .. }) => match word(&value) {
            Some(name) => Ok(Some(name)),
            None => Err(invalid(ERASABLE_BY, &value.to_string()).hint("It is the name of a column.")),
        },
        _ => Ok(None),
    }
}

fn read_period(value: &Expr) -> SqlResult<Period> {
    let text = word(value).ok_or_else(|| invalid("retention", &value.to_string()))?;
    let parsed = interval::parse(&text, IntervalStyle::Postgres)?;
    Period::new(parsed.months, parsed.days, parsed.micros)
        .ok_or_else(|| invalid("retention", &text).detail("A retention is longer than nothing, and none of its parts is below zero."))
}

fn read_mode(value: &Expr) -> SqlResult<Mode> {
    let text = word(value).ok_or_else(|| invalid("mode", &value.to_string()))?;
    Mode::from_name(&text.to_lowercase())
        .ok_or_else(|| invalid("mode", &text).detail("Valid values are \"governance\" and \"compliance\"."))
}

/// A string or a bare word.
fn word(value: &Expr) -> Option<String> {
    match value {
        Expr::Identifier(word) => Some(fold(word)),
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

fn invalid(name: &str, value: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"{name}\": \"{value}\""))
}
