//! Finds where in the statement's text a name stands, so that an error can point at it.
//!
//! P1: positions count characters from 1, as Postgres does.
//! Never: guesses a place for a name the statement does not hold.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, ObjectName, Value, Visit, Visitor};
use sqlparser::tokenizer::Location;

use crate::relational::Query;

/// Place of a line and column (both from 1, as spans have them), or `None` if the text has no such place.
pub(crate) fn offset(text: &str, line: u64, column: u64) -> Option<u32> {
    let mut lines = text.split('\n');
    let line_index = usize::try_from(line.checked_sub(1)?).ok()?;
    let mut before = 0;
    for _ in 0..line_index {
        before += lines.next()?.chars().count() + 1;
    }
    let column = usize::try_from(column).ok().filter(|column| *column >= 1)?;
    let width = lines.next()?.chars().count();
    (column <= width + 1).then(|| u32::try_from(before + column).ok()).flatten()
}

/// Place of the first mention of a table.
pub(crate) fn of_relation(query: Query<'_>, schema: Option<&str>, name: &str) -> Option<u32> {
    let mut search = Search { wanted: Wanted::Relation { schema, name }, found: None };
    let _ = query.statement.visit(&mut search);
    search.place(query.text)
}

/// Place of the first mention of a column, `relation` being the table's name or alias where it was written.
pub(crate) fn of_column(query: Query<'_>, relation: Option<&str>, name: &str) -> Option<u32> {
    let mut search = Search { wanted: Wanted::Column { relation, name }, found: None };
    let _ = query.statement.visit(&mut search);
    search.place(query.text)
}

/// Place of the first call of a function.
pub(crate) fn of_function(query: Query<'_>, name: &str) -> Option<u32> {
    let mut search = Search { wanted: Wanted::Function { name }, found: None };
    let _ = query.statement.visit(&mut search);
    search.place(query.text)
}

/// Place of the first literal with this text.
pub(crate) fn of_literal(query: Query<'_>, text: &str) -> Option<u32> {
    let mut search = Search { wanted: Wanted::Literal { text }, found: None };
    let _ = query.statement.visit(&mut search);
    search.place(query.text)
}

/// The identifier as the catalog spells it.
pub(crate) fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The parts of a dotted name as the catalog spells them.
pub(crate) fn folded_parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(folded).collect()
}

enum Wanted<'a> {
    Relation { schema: Option<&'a str>, name: &'a str },
    Column { relation: Option<&'a str>, name: &'a str },
    Function { name: &'a str },
    Literal { text: &'a str },
}

struct Search<'a> {
    wanted: Wanted<'a>,
    found: Option<Location>,
}

impl Search<'_> {
    fn place(&self, text: &str) -> Option<u32> {
        let at = self.found.filter(|at| at.line > 0)?;
        offset(text, at.line, at.column)
    }

    fn names_relation(&self, parts: &[String]) -> bool {
        let Wanted::Relation { schema, name } = self.wanted else { return false };
        let mut from_last = parts.iter().rev();
        from_last.next().is_some_and(|last| last == name) && from_last.next().map(String::as_str) == schema
    }

    fn names_column(&self, idents: &[Ident]) -> bool {
        let Wanted::Column { relation, name } = self.wanted else { return false };
        let mut from_last = idents.iter().rev().map(folded);
        from_last.next().is_some_and(|last| last == name) && (relation.is_none() || from_last.next().as_deref() == relation)
    }
}

impl Visitor for Search<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if self.names_relation(&folded_parts(relation)) {
            self.found = relation.0.first().and_then(|part| part.as_ident()).map(|ident| ident.span.start);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let found = match expr {
            Expr::Identifier(ident) if self.names_column(std::slice::from_ref(ident)) => Some(ident.span.start),
            Expr::CompoundIdentifier(idents) if self.names_column(idents) => idents.first().map(|ident| ident.span.start),
            Expr::Function(call) => match self.wanted {
                Wanted::Function { name } if folded_parts(&call.name).last().is_some_and(|last| last == name) => {
                    call.name.0.first().and_then(|part| part.as_ident()).map(|ident| ident.span.start)
                }
                _ => None,
            },
            Expr::Value(value) => match (&self.wanted, &value.value) {
                (Wanted::Literal { text }, Value::SingleQuotedString(literal)) if literal == text => Some(value.span.start),
                _ => None,
            },
            _ => None,
        };
        match found {
            Some(at) => {
                self.found = Some(at);
                ControlFlow::Break(())
            }
            None => ControlFlow::Continue(()),
        }
    }
}
