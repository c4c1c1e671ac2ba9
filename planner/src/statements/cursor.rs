//! DECLARE, FETCH, MOVE, CLOSE: recognition. The session, which has the cursors, runs them.
//!
//! Never: keeps a plan of the cursor's query.

use std::cell::Cell;
use std::sync::Arc;

use base::{SqlError, SqlResult};
use engine::SqlType;
use sqlparser::ast::{CloseCursor, Declare, DeclareType, Spanned, Statement};

use crate::cursor_syntax::Fetch;
use crate::names::fold;
use crate::parse::{Own, Parsed};
use crate::position;

use super::Planning;

/// How a cursor is declared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) scroll: Option<bool>,
    pub(crate) hold: bool,
    pub(crate) binary: bool,
}

/// A statement about cursors.
#[derive(Clone, Debug)]
pub(crate) enum Cursor {
    Declare {
        name: String,
        manner: Manner,
        query: Parsed,
    },
    Fetch(Fetch),
    /// `None` for ALL.
    Close {
        name: Option<String>,
    },
}

/// `None` for other statements. Errors: 0A000.
pub(crate) fn recognise(parsed: &Parsed, statement: &Statement) -> SqlResult<Option<Cursor>> {
    if let Some(Own::Fetch(fetch)) = &parsed.own {
        return Ok(Some(Cursor::Fetch(fetch.clone())));
    }
    Ok(Some(match statement {
        Statement::Declare { stmts } => match stmts.as_slice() {
            [Declare { names, declare_type: Some(DeclareType::Cursor), binary, scroll, hold, for_query: Some(query), .. }] => {
                let [name] = names.as_slice() else { return Err(SqlError::unsupported("this form of DECLARE")) };
                let text = position::slice(&parsed.source, query.span()).into();
                let query = Parsed { statement: Arc::new(Statement::Query(query.clone())), text, ..parsed.clone() };
                let manner = Manner { scroll: *scroll, hold: *hold == Some(true), binary: *binary == Some(true) };
                Cursor::Declare { name: fold(name), manner, query }
            }
            _ => return Err(SqlError::unsupported("this form of DECLARE")),
        },
        Statement::Close { cursor: CloseCursor::All } => Cursor::Close { name: None },
        Statement::Close { cursor: CloseCursor::Specific { name } } => Cursor::Close { name: Some(fold(name)) },
        _ => return Ok(None),
    }))
}

/// The parameters of a cursor's query, which are those of its DECLARE. Errors: what planning the query raises.
pub(super) fn parameters(planning: &Planning<'_>, cursor: &Cursor) -> SqlResult<Vec<SqlType>> {
    let Cursor::Declare { query, .. } = cursor else { return Ok(Vec::new()) };
    if planning.given.is_empty() && !query.text.contains('$') {
        return Ok(Vec::new());
    }
    let Planning { view, scope, transaction, given, ctes, .. } = *planning;
    let inner = Planning { view, scope, transaction, parsed: query, given, is_lasting: Cell::new(true), ctes };
    Ok(super::plan(&inner)?.parameters)
}
