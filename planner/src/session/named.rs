//! The prepared statements of a session, by name: those of the protocol and those of PREPARE are the same.
//!
//! E10: a named statement lives until it is closed or the session ends, whatever its transaction does; the unnamed one until the next.
//! Never: outlives the session.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use futures::StreamExt;
use sqlparser::ast::{Expr, Statement};

use super::Session;
use super::prepared::Prepared;
use crate::backends::StatementSeen;
use crate::cells::{self, Literal};
use crate::outcome::{Column, Outcome, Tag};
use crate::parse::Parsed;
use crate::statements::explain;
use crate::statements::named::Named;
use crate::statements::{is_unknown_literal, one_row_of, shown_type};
use crate::types::Reading;
use crate::types::{self, Assignment};

/// A parsed statement; `None` for an empty string.
pub type NamedStatement = Arc<Option<Prepared>>;

/// The statements of one session.
#[derive(Default)]
pub(super) struct Names(HashMap<Box<str>, NamedStatement>);

impl Session {
    /// Errors: 42P05 if a named statement exists already.
    pub fn check_new_statement(&self, name: &str) -> SqlResult<()> {
        if name.is_empty() || !self.names.0.contains_key(name) {
            return Ok(());
        }
        Err(SqlError::new(SqlState::DUPLICATE_PREPARED_STATEMENT, format!("prepared statement \"{name}\" already exists")))
    }

    /// Gives a statement a name; the empty name's is replaced.
    pub fn put_statement(&mut self, name: &str, statement: NamedStatement) {
        self.show_statement(name, &statement, false);
        self.names.0.insert(name.into(), statement);
    }

    /// Errors: 26000.
    pub fn statement(&self, name: &str) -> SqlResult<&NamedStatement> {
        self.names.0.get(name).ok_or_else(|| {
            let message = match name {
                "" => "unnamed prepared statement does not exist".to_owned(),
                name => format!("prepared statement \"{name}\" does not exist"),
            };
            SqlError::new(SqlState::INVALID_SQL_STATEMENT_NAME, message)
        })
    }

    /// Forgets a statement, if it exists.
    pub fn close_statement(&mut self, name: &str) {
        self.names.0.remove(name);
        self.seat.backend.own().statements.remove(name);
    }

    /// For `pg_prepared_statements`, which has those with a name.
    fn show_statement(&self, name: &str, statement: &NamedStatement, from_sql: bool) {
        if let (false, Some(prepared)) = (name.is_empty(), statement.as_ref()) {
            let (text, parameters) = (Arc::clone(&prepared.text), Arc::clone(&prepared.parameters));
            let seen = StatementSeen { text, prepared_us: self.now_us(), parameters, from_sql };
            self.seat.backend.own().statements.insert(name.into(), seen);
        }
    }

    /// Columns that a statement about prepared statements answers.
    pub(super) fn columns_of_named(&self, named: &Named) -> SqlResult<Option<Arc<[Column]>>> {
        match named {
            Named::Execute { name, .. } => Ok(self.statement(name)?.as_ref().as_ref().and_then(|prepared| prepared.columns.clone())),
            Named::Explain { explain, .. } => explain::columns_of(explain).map(Some),
            Named::Prepare { .. } | Named::Deallocate { .. } => Ok(None),
        }
    }

    pub(super) fn close_statements(&mut self) {
        self.names.0.clear();
        self.seat.backend.own().statements.clear();
    }

    /// PREPARE, EXECUTE, EXPLAIN EXECUTE, DEALLOCATE; `asking` is the statement itself.
    pub(super) async fn named(&mut self, named: &Named, asking: &Prepared) -> SqlResult<Outcome> {
        match named {
            Named::Prepare { name, types, statement } => {
                self.check_new_statement(name)?;
                let prepared = self.prepare(statement.clone(), types).await?;
                let statement = Arc::new(Some(Prepared { text: Arc::clone(&asking.text), ..prepared.clone() }));
                self.put_statement(name, Arc::new(Some(prepared)));
                self.show_statement(name, &statement, true);
                Ok(Outcome::Command(Tag::command("PREPARE")))
            }
            Named::Execute { name, arguments } => {
                let statement = Arc::clone(self.statement(name)?);
                let Some(prepared) = &*statement else { return Ok(Outcome::Empty) };
                let values = self.arguments(name, prepared, arguments, &asking.parsed).await?;
                Box::pin(self.dispatch(prepared, values)).await
            }
            Named::Explain { name, arguments, explain } => {
                let statement = Arc::clone(self.statement(name)?);
                let Some(prepared) = &*statement else { return Ok(Outcome::Empty) };
                let values = self.arguments(name, prepared, arguments, &asking.parsed).await?;
                let mut explained = explain.as_ref().clone();
                if let Statement::Explain { statement, .. } = &mut explained {
                    **statement = prepared.parsed.statement.as_ref().clone();
                }
                let types: Vec<_> = prepared.parameters.iter().copied().map(Some).collect();
                let explained = self.prepare(Parsed { statement: Arc::new(explained), ..prepared.parsed.clone() }, &types).await?;
                Box::pin(self.dispatch(&explained, values)).await
            }
            Named::Deallocate { name: Some(name) } => {
                self.statement(name)?;
                self.close_statement(name);
                Ok(Outcome::Command(Tag::command("DEALLOCATE")))
            }
            Named::Deallocate { name: None } => {
                self.close_statements();
                Ok(Outcome::Command(Tag::command("DEALLOCATE ALL")))
            }
        }
    }

    /// The values of EXECUTE's arguments. Errors: 42601 for another number of them, 42804, and what computing them raises.
    async fn arguments(&mut self, name: &str, prepared: &Prepared, arguments: &[Expr], parsed: &Parsed) -> SqlResult<Vec<ArrayRef>> {
        let wanted = prepared.parameters.len();
        if arguments.len() != wanted {
            let message = format!("wrong number of parameters for prepared statement \"{name}\"");
            return Err(
                SqlError::new(SqlState::SYNTAX_ERROR, message).detail(format!("Expected {wanted} parameters but got {}.", arguments.len()))
            );
        }
        let mut values = Vec::with_capacity(wanted);
        for (index, (argument, sql_type)) in arguments.iter().zip(prepared.parameters.iter()).enumerate() {
            values.push(match literal(argument, *sql_type, self.reading())? {
                Some(value) => value,
                None => {
                    let value = self.computed(argument, parsed).await?;
                    assigned(&value, index, *sql_type, is_unknown_literal(argument), self.reading())?
                }
            });
        }
        Ok(values)
    }

    /// The value of an expression without columns.
    async fn computed(&mut self, expr: &Expr, parsed: &Parsed) -> SqlResult<ArrayRef> {
        let statement: Statement = one_row_of(expr.clone());
        let parsed = Parsed { statement: Arc::new(statement), ..parsed.clone() };
        let prepared = self.prepare(parsed, &[]).await?;
        let Outcome::Rows { mut batches, .. } = Box::pin(self.dispatch(&prepared, Vec::new())).await? else {
            return Err(SqlError::internal("an argument of EXECUTE is no query"));
        };
        match batches.next().await.transpose()? {
            Some(batch) if batch.num_rows() == 1 && batch.num_columns() == 1 => Ok(Arc::clone(batch.column(0))),
            _ => Err(SqlError::internal("an argument of EXECUTE has no value")),
        }
    }
}

/// A constant in the parameter's own type, where that says all.
fn literal(expr: &Expr, sql_type: SqlType, reading: Reading) -> SqlResult<Option<ArrayRef>> {
    Ok(match cells::literal(expr, sql_type) {
        Some(Literal::Null) => Some(new_null_array(&sql_type.arrow(), 1)),
        Some(Literal::Text(text)) => Some(types::parse_text_in(sql_type, &text, reading)?),
        Some(Literal::Number(digits)) if matches!(sql_type, SqlType::Int2 | SqlType::Int4 | SqlType::Int8) => {
            types::parse_text_in(sql_type, &digits, reading).ok()
        }
        _ => None,
    })
}

fn assigned(value: &ArrayRef, index: usize, to: SqlType, from_unknown_literal: bool, reading: Reading) -> SqlResult<ArrayRef> {
    let from = shown_type(value.data_type())?;
    types::coerce(value, &Assignment { column: "", from, to, from_unknown_literal, reading }).map_err(|error| match error.state() {
        SqlState::DATATYPE_MISMATCH => {
            let message = format!("parameter ${} of type {} cannot be coerced to the expected type {}", index + 1, from.name(), to.name());
            SqlError::new(SqlState::DATATYPE_MISMATCH, message).hint("You will need to rewrite or cast the expression.")
        }
        _ => error,
    })
}
