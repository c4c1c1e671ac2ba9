//! PREPARE, EXECUTE, EXPLAIN EXECUTE, DEALLOCATE: recognition. The session, which has the names, runs them.
//!
//! Never: plans what is prepared.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use sqlparser::ast::{Expr, Spanned, Statement};

use crate::column_types;
use crate::names::{fold, simple};
use crate::parse::Parsed;
use crate::position;

/// A statement about prepared statements.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Prepare {
        name: String,
        types: Vec<Option<SqlType>>,
        statement: Parsed,
    },
    Execute {
        name: String,
        arguments: Vec<Expr>,
    },
    /// EXPLAIN of an EXECUTE.
    Explain {
        name: String,
        arguments: Vec<Expr>,
        /// The EXPLAIN, in which the prepared statement takes the place of its EXECUTE.
        explain: Box<Statement>,
    },
    /// `None` for ALL.
    Deallocate {
        name: Option<String>,
    },
}

/// `None` for other statements. Errors: 42601 for what cannot be prepared, 42704 for an unknown type.
pub(crate) fn recognise(parsed: &Parsed, statement: &Statement) -> SqlResult<Option<Named>> {
    Ok(Some(match statement {
        Statement::Prepare { name, data_types, statement } => {
            if !super::is_data(statement) && !matches!(statement.as_ref(), Statement::Merge(_)) {
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, "syntax error: only queries and writes can be prepared")
                    .hint("Prepare SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES."));
            }
            let types = data_types.iter().map(|data_type| column_types::of_parameter(data_type).map(Some)).collect::<SqlResult<_>>()?;
            let text = match position::slice(&parsed.source, statement.span()) {
                "" => statement.to_string().into(),
                text => text.into(),
            };
            let statement = Parsed { statement: Arc::new(statement.as_ref().clone()), text, ..parsed.clone() };
            Named::Prepare { name: fold(name), types, statement }
        }
        Statement::Execute { name: Some(name), parameters, immediate: false, into, using, output: false, default: false, .. }
            if into.is_empty() && using.is_empty() =>
        {
            Named::Execute { name: fold(simple(name)?), arguments: parameters.clone() }
        }
        Statement::Explain { statement: inner, .. } if matches!(inner.as_ref(), Statement::Execute { .. }) => {
            match recognise(parsed, inner)? {
                Some(Named::Execute { name, arguments }) => Named::Explain { name, arguments, explain: Box::new(statement.clone()) },
                _ => return Ok(None),
            }
        }
        Statement::Execute { .. } => return Err(SqlError::unsupported("this form of EXECUTE")),
        Statement::Deallocate { name, .. } => {
            let is_all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
            Named::Deallocate { name: (!is_all).then(|| fold(name)) }
        }
        _ => return Ok(None),
    }))
}
