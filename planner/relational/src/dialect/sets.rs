//! Comparisons with a subquery's rows: IN, `op ANY`, `op ALL`.
//!
//! D7: the column that ANY and ALL compare with has a name of its own: the engine compares by column names, and a subquery over the table
//!     outside would be compared with itself.
//! D9: where unknown and false differ, IN is `= ANY` and NOT IN is `<> ALL`, which the engine answers with NULL where Postgres does. That is
//!     everywhere but in a conjunct of WHERE or HAVING, and, without NOT, under OR there.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Query, Select, SelectItem, SetExpr, Statement, TableFactor, UnaryOperator, Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::outside;

/// The query put around a subquery whose column cannot be named within.
const AROUND: &str = "SELECT * FROM (SELECT 1) AS compared";

/// Rewrites the statement in place, before SELECT items get their names.
pub(crate) fn compare_by_name(statement: &mut Statement) -> SqlResult<()> {
    let _ = VisitMut::visit(statement, &mut Unknowns);
    match VisitMut::visit(statement, &mut Names { given: 0 }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// D9.
struct Unknowns;

impl VisitorMut for Unknowns {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        select.selection.iter_mut().chain(&mut select.having).for_each(|condition| settle(condition, Place::Conjunct));
        ControlFlow::Continue(())
    }
}

/// What stands above a part of a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Only AND: unknown is false, NOT IN is an anti join.
    Conjunct,
    /// AND and OR: unknown is false.
    Monotone,
}

fn settle(expr: &mut Expr, place: Place) {
    match expr {
        Expr::Nested(inner) => settle(inner, place),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            settle(left, place);
            settle(right, place);
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            settle(left, Place::Monotone);
            settle(right, Place::Monotone);
        }
        Expr::InSubquery { negated, .. } if place == Place::Conjunct || !*negated => {}
        Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } if place == Place::Conjunct && is_in_subquery(inner) => {}
        other => outside::each(other, &mut quantify),
    }
}

fn is_in_subquery(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_in_subquery(inner),
        other => matches!(other, Expr::InSubquery { negated: false, .. }),
    }
}

/// Turns an IN into ANY or ALL.
fn quantify(expr: &mut Expr) {
    if let Expr::InSubquery { .. } = expr
        && let Expr::InSubquery { expr: left, subquery, negated } = std::mem::replace(expr, Expr::Value(Value::Null.into()))
    {
        let right = Box::new(Expr::Subquery(subquery));
        *expr = if negated {
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right }
        } else {
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, is_some: false }
        };
    }
}

/// D7.
struct Names {
    given: usize,
}

impl VisitorMut for Names {
    type Break = SqlError;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        let (Expr::AnyOp { right, .. } | Expr::AllOp { right, .. }) = expr else { return ControlFlow::Continue(()) };
        let Expr::Subquery(query) = right.as_mut() else { return ControlFlow::Continue(()) };
        self.given += 1;
        let name = Ident::with_quote('"', format!("compared\u{1f}{}", self.given));
        match first_item(query) {
            Some(item) => {
                if let SelectItem::UnnamedExpr(expr) = std::mem::replace(item, SelectItem::UnnamedExpr(Expr::Value(Value::Null.into()))) {
                    *item = SelectItem::ExprWithAlias { expr, alias: name };
                }
                ControlFlow::Continue(())
            }
            None => match wrap(query, name) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            },
        }
    }
}

/// The item that names the query's only column, if it has no name yet.
fn first_item(query: &mut Query) -> Option<&mut SelectItem> {
    let mut body = query.body.as_mut();
    loop {
        match body {
            SetExpr::Select(select) => {
                return match select.projection.as_mut_slice() {
                    [item @ SelectItem::UnnamedExpr(_)] => Some(item),
                    _ => None,
                };
            }
            SetExpr::SetOperation { left, .. } => body = left.as_mut(),
            _ => return None,
        }
    }
}

fn wrap(query: &mut Box<Query>, name: Ident) -> SqlResult<()> {
    let inner = std::mem::replace(query, around()?);
    let derived = match query.body.as_mut() {
        SetExpr::Select(select) => select.from.first_mut().map(|from| &mut from.relation),
        _ => None,
    };
    let Some(TableFactor::Derived { subquery, alias: Some(alias), .. }) = derived else {
        return Err(SqlError::internal("D7: the query around a compared set has no derived table"));
    };
    *subquery = inner;
    alias.name = name;
    Ok(())
}

fn around() -> SqlResult<Box<Query>> {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, AROUND).ok().and_then(|mut statements| statements.pop());
    match parsed {
        Some(Statement::Query(query)) => Ok(query),
        _ => Err(SqlError::internal("D7: the query around a compared set does not parse")),
    }
}
