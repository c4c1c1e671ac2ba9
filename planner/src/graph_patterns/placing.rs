//! Puts what they stand for in place of properties, element ids, and what is said of paths.
//!
//! Never: changes anything else of an expression; its places in the text stay.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use base::SqlError;
use base::SqlResult;
use engine::SqlType;
use sqlparser::ast::{Expr, Value, VisitMut, VisitorMut};

use super::bound::{Pattern, VariableId};
use super::branches::{Passed, Searching};
use super::found;
use super::joins::null;
use super::references::{self, Said};
use crate::rule_text;

/// What the elements of slots are in a query.
pub(super) struct Elements<'a> {
    /// A property of the element of a slot.
    pub(super) property: &'a dyn Fn(usize, &str, SqlType) -> SqlResult<Expr>,
    /// Its id.
    pub(super) document: &'a dyn Fn(usize) -> SqlResult<Expr>,
    /// The searches of the branch.
    pub(super) searched: &'a [Searching],
}

/// An expression of a pattern as one over a join.
pub(super) struct Placing<'a> {
    pub(super) pattern: &'a Pattern,
    /// The slots of variables.
    pub(super) names: &'a BTreeMap<VariableId, usize>,
    /// By path.
    pub(super) passed: &'a [Passed],
    pub(super) elements: &'a Elements<'a>,
}

impl Placing<'_> {
    /// Errors: 42601 for the text of a property; XX000.
    pub(super) fn place(&self, expr: &Expr) -> SqlResult<Expr> {
        struct Place<'a>(&'a Placing<'a>);
        impl VisitorMut for Place<'_> {
            type Break = SqlError;
            fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
                match self.0.replacement(expr) {
                    Ok(Some(placed)) => {
                        *expr = placed;
                        ControlFlow::Continue(())
                    }
                    Ok(None) => ControlFlow::Continue(()),
                    Err(error) => ControlFlow::Break(error),
                }
            }
        }
        let mut placed = expr.clone();
        match VisitMut::visit(&mut placed, &mut Place(self)) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(placed),
        }
    }

    fn replacement(&self, expr: &Expr) -> SqlResult<Option<Expr>> {
        if let Expr::Function(call) = expr {
            return references::said(self.pattern, call).map(|said| self.said(said)).transpose();
        }
        let Some((variable, name)) = references::property(self.pattern, expr) else { return Ok(None) };
        let Some(sql_type) = self.pattern.variables[variable].property(&name) else { return Ok(None) };
        match self.names.get(&variable) {
            Some(slot) => (self.elements.property)(*slot, &name, sql_type).map(Some),
            // It is not on this branch, or there is no branch.
            None => null(sql_type).map(Some),
        }
    }

    fn said(&self, said: Said) -> SqlResult<Expr> {
        let (path, is_edges) = match said {
            Said::Element(variable) => {
                return match self.names.get(&variable) {
                    Some(slot) => (self.elements.document)(*slot),
                    None => null(SqlType::Jsonb),
                };
            }
            Said::Length(path) => return self.length(path),
            Said::Vertices(path) => (path, false),
            Said::Edges(path) => (path, true),
        };
        match self.passed.get(path) {
            Some(Passed::Searched(at)) => found::elements(*at, is_edges),
            Some(Passed::Written { vertices, edges }) => {
                let slots = if is_edges { edges } else { vertices };
                let documents = slots.iter().map(|slot| Ok((self.elements.document)(*slot)?.to_string())).collect::<SqlResult<Vec<_>>>()?;
                rule_text::expression(&format!("jsonb_build_array({})", documents.join(", ")))
            }
            None => null(SqlType::Jsonb),
        }
    }

    fn length(&self, path: usize) -> SqlResult<Expr> {
        let number = |length: usize| Expr::Value(Value::Number(length.to_string(), false).into());
        match self.passed.get(path) {
            Some(Passed::Searched(at)) => match self.elements.searched.get(*at) {
                Some(search) => found::length(*at, search.spec.shows),
                None => Err(SqlError::internal("a path of a search that there is not")),
            },
            Some(Passed::Written { edges, .. }) => Ok(number(edges.len())),
            None => Ok(number(0)),
        }
    }
}
