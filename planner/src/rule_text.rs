//! The text of rules: read into syntax trees, asked what it mentions, changed when a column is renamed.
//!
//! Never: evaluates.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use engine::TableDef;
use sqlparser::ast::{Expr, Ident, SelectItem, SetExpr, Statement, visit_expressions, visit_expressions_mut};

use crate::names::{fold, quoted};
use crate::parse;

/// Functions that answer from the session or the moment.
const SESSION: [&str; 22] = [
    "version",
    "current_database",
    "current_catalog",
    "current_schema",
    "current_schemas",
    "current_user",
    "current_role",
    "session_user",
    "user",
    "now",
    "current_timestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "localtimestamp",
    "localtime",
    "current_time",
    "current_date",
    "current_setting",
    "nextval",
    "currval",
    "lastval",
];

/// Functions with another answer every time.
const VOLATILE: [&str; 7] = ["random", "nextval", "currval", "lastval", "setval", "clock_timestamp", "gen_random_uuid"];

/// Functions whose answer depends on settings or on the catalog, beside those that read the session.
const STABLE: [&str; 21] = [
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "row_to_json",
    "array_to_json",
    "json_build_object",
    "json_build_array",
    "jsonb_build_object",
    "jsonb_build_array",
    "concat",
    "concat_ws",
    "format",
    "array_to_string",
    "timeofday",
    "make_timestamptz",
    "pg_sleep",
    "set_config",
    "has_table_privilege",
    "nextval",
    "setval",
];

/// The expression a text is. Errors: 42601.
pub(crate) fn expression(text: &str) -> SqlResult<Expr> {
    let parsed = parse::parse(&format!("SELECT {text}"))?;
    if let [one] = parsed.as_slice()
        && let Statement::Query(query) = &*one.statement
        && let SetExpr::Select(select) = query.body.as_ref()
        && let [SelectItem::UnnamedExpr(expr)] = select.projection.as_slice()
    {
        return Ok(expr.clone());
    }
    Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("\"{text}\" is no expression")))
}

/// A SELECT of nothing but the expression, over a table of some name. Errors: 42601.
pub(crate) fn selected(text: &str) -> SqlResult<Statement> {
    let parsed = parse::parse(&format!("SELECT ({text}) AS c0 FROM \"\u{1}row\""))?;
    parsed.first().map(|one| one.statement.as_ref().clone()).ok_or_else(|| SqlError::internal("an expression is no statement"))
}

fn called(expr: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    let _ = visit_expressions(expr, |expr| {
        if let Expr::Function(call) = expr
            && let Some(name) = call.name.0.last().and_then(|part| part.as_ident())
        {
            names.push(fold(name));
        }
        ControlFlow::<()>::Continue(())
    });
    names
}

/// Whether any function is called.
pub(crate) fn mentions_function(expr: &Expr) -> bool {
    !called(expr).is_empty()
}

/// Whether a function that answers from the session is called.
pub(crate) fn mentions_session(expr: &Expr) -> bool {
    called(expr).iter().any(|name| SESSION.contains(&name.as_str()) || name.starts_with("pg_") || name.starts_with("ledger_"))
}

/// Whether a function that answers anew every time is called.
pub(crate) fn is_volatile(expr: &Expr) -> bool {
    called(expr).iter().any(|name| VOLATILE.contains(&name.as_str()))
}

/// Whether what it calls or names depends on settings or on the moment.
pub(crate) fn is_stable(expr: &Expr) -> bool {
    let called = called(expr);
    let is_text_to_time = |call: &Expr| matches!(call, Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("to_timestamp") && call.args.to_string().contains(','));
    let is_age_of_now = |call: &Expr| matches!(call, Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("age") && !call.args.to_string().contains(','));
    let named = visit_expressions(expr, |inner| match inner {
        Expr::Identifier(ident) if is_session_word(ident) => ControlFlow::Break(()),
        call if is_text_to_time(call) || is_age_of_now(call) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    named.is_break() || called.iter().any(|name| STABLE.contains(&name.as_str()))
}

/// `now()` and its other names.
pub(crate) fn is_now(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_now(inner),
        Expr::Function(call) => {
            let name = call.name.to_string().to_lowercase();
            matches!(name.as_str(), "now" | "current_timestamp" | "transaction_timestamp" | "pg_catalog.now")
                && matches!(called(expr).as_slice(), [_])
                && !call.args.to_string().contains(|c: char| c.is_ascii_alphanumeric())
        }
        _ => false,
    }
}

/// How a DEFAULT is kept. Errors: 0A000 for what a default cannot be.
pub(crate) fn default_text(expr: &Expr) -> SqlResult<String> {
    let mut refused = None;
    let _ = visit_expressions(expr, |inner| {
        match inner {
            Expr::Identifier(ident) if !is_session_word(ident) => {
                refused = Some("cannot use column reference in DEFAULT expression");
            }
            Expr::CompoundIdentifier(_) => refused = Some("cannot use column reference in DEFAULT expression"),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                refused = Some("cannot use subquery in DEFAULT expression")
            }
            _ => return ControlFlow::Continue(()),
        }
        ControlFlow::Break(())
    });
    match refused {
        Some(message) => Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)),
        None => Ok(expr.to_string()),
    }
}

/// Words that sqlparser reads as identifiers and Postgres as values.
pub(crate) fn is_session_word(ident: &Ident) -> bool {
    ident.quote_style.is_none() && SESSION.contains(&ident.value.to_lowercase().as_str())
}

/// Positions of the columns that an expression mentions, in table order. Errors: 42703, and 0A000 for a subquery.
pub(crate) fn columns_of(table_name: &str, names: &[&str], expr: &Expr) -> SqlResult<Vec<usize>> {
    let mut found = Vec::new();
    let outcome = visit_expressions(expr, |inner| {
        let name = match inner {
            Expr::Identifier(ident) => fold(ident),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 && fold(&parts[0]) == table_name => fold(&parts[1]),
            Expr::CompoundIdentifier(parts) => {
                let shown = parts.first().map(fold).unwrap_or_default();
                let message = format!("invalid reference to FROM-clause entry for table \"{shown}\"");
                return ControlFlow::Break(SqlError::new(SqlState::UNDEFINED_TABLE, message));
            }
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                return ControlFlow::Break(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot use subquery in check constraint"));
            }
            _ => return ControlFlow::Continue(()),
        };
        match names.iter().position(|column| *column == name) {
            Some(at) if !found.contains(&at) => found.push(at),
            Some(_) => {}
            None if matches!(inner, Expr::Identifier(ident) if is_session_word(ident)) => {}
            None => {
                let message = format!("column \"{name}\" does not exist");
                return ControlFlow::Break(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
            }
        }
        ControlFlow::Continue(())
    });
    if let ControlFlow::Break(error) = outcome {
        return Err(error);
    }
    found.sort_unstable();
    Ok(found)
}

/// The expression with a column under another name.
pub(crate) fn renamed(table: &TableDef, text: &str, from: &str, to: &str) -> SqlResult<String> {
    let mut expr = expression(text)?;
    let _ = visit_expressions_mut(&mut expr, |inner| {
        match inner {
            Expr::Identifier(ident) if fold(ident) == from => *ident = quoted(to),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 && fold(&parts[0]) == table.name && fold(&parts[1]) == from => {
                parts[1] = quoted(to);
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(expr.to_string())
}
