//! Rows as values: `ROW(a, b)`, `(a, b)` in a list, and a relation's name where a value stands (`row_to_json(t)`, `SELECT t`, `count(t.*)`).
//!
//! D26: a row is a struct of named fields: those of the relation, or f1, f2, ….
//! D27: a name is a relation's row only if no relation in the same FROM has a column of that name.
//! D28: the row of a relation that an outer join may leave out is NULL where all its columns are.
//! Never: guesses the columns of a relation it cannot list; its name stays a column's, which planning will miss.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Select, SelectItem, Statement,
    Value, VisitMut, VisitorMut,
};
use sqlparser::tokenizer::Span;

use super::listed::{Ctes, Listing, Relation};
use super::spelling::call;
use super::{outside, rows};
use crate::context::Context;
use crate::position::folded;
use crate::{layouts, names};

/// Rewrites every mention of a relation's row, before SELECT items get their names.
pub(crate) fn expand(statement: &mut Statement, context: &Context<'_>) {
    let _ = VisitMut::visit(
        statement,
        &mut Rows { listing: Listing { context }, ctes: vec![Ctes::default()], scopes: Vec::new(), fields: Vec::new() },
    );
}

struct Rows<'a> {
    listing: Listing<'a>,
    ctes: Vec<Ctes>,
    /// Relations of each SELECT around, from the outermost; `None` where some cannot be listed.
    scopes: Vec<Vec<Option<Relation>>>,
    /// Where names of fields stand, `n` in `(f(x)).n`: none of a relation, whatever relations are called.
    fields: Vec<Span>,
}

impl VisitorMut for Rows<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let known = self.listing.with(query, self.ctes.last().cloned().unwrap_or_default());
        self.ctes.push(known);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.ctes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let ctes = self.ctes.last().cloned().unwrap_or_default();
        let mut relations = Vec::new();
        select.from.iter().for_each(|from| self.listing.relations(from, &ctes, false, &mut relations));
        self.scopes.push(relations);
        for item in &mut select.projection {
            // What is written names the column, not what it becomes.
            if let SelectItem::UnnamedExpr(expr @ (Expr::Identifier(_) | Expr::Cast { .. })) = item
                && let Some(row) = self.row_within(expr)
            {
                let alias = Ident::with_quote('"', names::figured(expr));
                *item = SelectItem::ExprWithAlias { expr: row, alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _select: &mut Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundFieldAccess { access_chain, .. } => {
                let name = |access: &AccessExpr| match access {
                    AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident.span),
                    _ => None,
                };
                self.fields.extend(access_chain.iter().filter_map(name));
            }
            Expr::Identifier(ident) if self.fields.contains(&ident.span) && ident.span != Span::empty() => {}
            Expr::Identifier(ident) => {
                if let Some(row) = self.row(ident) {
                    *expr = row;
                }
            }
            Expr::Function(function) => self.arguments(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Rows<'_> {
    /// `f(t.*)` is `f(t)`.
    fn arguments(&self, function: &mut Function) {
        let FunctionArguments::List(list) = &mut function.args else { return };
        for arg in &mut list.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name)) = arg
                && let [part] = name.0.as_slice()
                && let Some(row) = part.as_ident().and_then(|ident| self.row(ident))
            {
                *arg = FunctionArg::Unnamed(FunctionArgExpr::Expr(row));
            }
        }
    }

    /// The expression with the row that it is, or that it casts.
    fn row_within(&self, expr: &Expr) -> Option<Expr> {
        match expr {
            Expr::Identifier(ident) => self.row(ident),
            Expr::Cast { kind, expr, data_type, array, format } => {
                let expr = Box::new(self.row_within(expr)?);
                Some(Expr::Cast { kind: kind.clone(), expr, data_type: data_type.clone(), array: *array, format: format.clone() })
            }
            Expr::Nested(inner) => self.row_within(inner),
            _ => None,
        }
    }

    /// The row that a bare name is, if it is one (D27).
    fn row(&self, ident: &Ident) -> Option<Expr> {
        let name = folded(ident);
        for scope in self.scopes.iter().rev() {
            let known: Option<Vec<&Relation>> = scope.iter().map(Option::as_ref).collect();
            let is_column = known.as_ref().is_none_or(|known| known.iter().any(|relation| relation.columns.contains(&name)));
            if is_column {
                return None;
            }
            if let Some(found) = known?.into_iter().find(|relation| relation.name == name) {
                return Some(found.row());
            }
        }
        None
    }
}

impl Relation {
    fn row(&self) -> Expr {
        let column = |column: &String| Expr::CompoundIdentifier(vec![Ident::with_quote('"', &self.name), Ident::with_quote('"', column)]);
        let row = record(self.columns.iter().map(|name| (name.clone(), column(name))).collect());
        if !self.may_be_absent || self.columns.is_empty() {
            return row;
        }
        // D28
        let known = call("num_nonnulls", self.columns.iter().map(|name| FunctionArgExpr::Expr(column(name))).collect());
        let zero = Expr::Value(Value::Number("0".into(), false).into());
        let condition = Expr::BinaryOp { left: Box::new(known), op: sqlparser::ast::BinaryOperator::Gt, right: Box::new(zero) };
        Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions: vec![CaseWhen { condition, result: row }],
            else_result: None,
        }
    }
}

/// D26.
fn record(fields: Vec<(String, Expr)>) -> Expr {
    let named = |(name, value): (String, Expr)| [Expr::Value(Value::SingleQuotedString(layouts::record_field(&name)).into()), value];
    call("named_struct", fields.into_iter().flat_map(named).map(FunctionArgExpr::Expr).collect())
}

/// Rows written out in a SELECT list, after comparisons of rows were taken apart.
pub(super) fn name_fields(item: &mut Expr) {
    outside::each(item, &mut |expr| {
        if let Some(columns) = rows::columns(expr).map(<[Expr]>::to_vec).or_else(|| rows::called(expr)) {
            *expr = record(columns.into_iter().enumerate().map(|(at, value)| (format!("f{}", at + 1), value)).collect());
        }
    });
}
