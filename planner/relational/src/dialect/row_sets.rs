//! Comparisons of a row with a query's rows: `(a, b) IN (SELECT …)`, `(a, b) op ANY (SELECT …)`, `(a, b) = (SELECT …)`.
//!
//! D29: what is compared is the query's one row of a verdict: true if a comparison is, else unknown if one is, else false (ALL: the other way).
//! D30: the query's columns get names of their own, so that the row's keep their meaning in there.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Query, SelectItem, SetExpr, Statement, TableAliasColumnDef, TableFactor, UnaryOperator, VisitMut,
    VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// `\u{1}holds` stands for the comparison, the derived table for the query.
const VERDICT: &str = "SELECT CASE WHEN bool_or(\"\u{1}holds\") THEN true WHEN bool_or((\"\u{1}holds\") IS NULL) THEN NULL ELSE false END \
                       FROM (SELECT 1) AS \"\u{1}rows\"";
/// A query of one row: its comparison.
const SINGLE: &str = "SELECT \"\u{1}holds\" FROM (SELECT 1) AS \"\u{1}rows\"";

/// Rewrites the statement in place. Errors: 42601 for rows of different lengths.
pub(crate) fn compare(statement: &mut Statement) -> SqlResult<()> {
    match VisitMut::visit(statement, &mut RowSets) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct RowSets;

impl VisitorMut for RowSets {
    type Break = SqlError;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        match compared(expr) {
            Ok(Some(verdict)) => {
                *expr = verdict;
                ControlFlow::Continue(())
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

fn compared(expr: &Expr) -> SqlResult<Option<Expr>> {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    Ok(match expr {
        Expr::InSubquery { expr: row, subquery, negated } => match columns(row) {
            Some(row) => Some(negate(verdict(VERDICT, row, &Eq, subquery)?, *negated)),
            None => None,
        },
        Expr::AnyOp { left, compare_op, right, .. } => match (columns(left), query(right)) {
            (Some(row), Some(subquery)) => Some(verdict(VERDICT, row, compare_op, subquery)?),
            _ => None,
        },
        Expr::AllOp { left, compare_op, right } => match (columns(left), query(right), opposite(compare_op)) {
            (Some(row), Some(subquery), Some(op)) => Some(negate(verdict(VERDICT, row, &op, subquery)?, true)),
            _ => None,
        },
        Expr::BinaryOp { left, op: op @ (Eq | NotEq | Lt | LtEq | Gt | GtEq), right } => match (columns(left), query(right)) {
            (Some(row), Some(subquery)) => Some(verdict(SINGLE, row, op, subquery)?),
            _ => None,
        },
        _ => None,
    })
}

fn columns(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Nested(inner) => columns(inner),
        Expr::Tuple(columns) if columns.len() > 1 => Some(columns),
        _ => None,
    }
}

fn query(expr: &Expr) -> Option<&Query> {
    match expr {
        Expr::Nested(inner) => query(inner),
        Expr::Subquery(query) => Some(query),
        _ => None,
    }
}

fn opposite(op: &BinaryOperator) -> Option<BinaryOperator> {
    Some(match op {
        BinaryOperator::Eq => BinaryOperator::NotEq,
        BinaryOperator::NotEq => BinaryOperator::Eq,
        BinaryOperator::Lt => BinaryOperator::GtEq,
        BinaryOperator::GtEq => BinaryOperator::Lt,
        BinaryOperator::Gt => BinaryOperator::LtEq,
        BinaryOperator::LtEq => BinaryOperator::Gt,
        _ => return None,
    })
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) } } else { expr }
}

/// How many columns a query has, where its text tells.
fn width(body: &SetExpr) -> Option<usize> {
    match body {
        SetExpr::Select(select) => {
            let is_plain = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
            select.projection.iter().all(is_plain).then_some(select.projection.len())
        }
        SetExpr::Query(query) => width(&query.body),
        SetExpr::SetOperation { left, .. } => width(left),
        SetExpr::Values(values) => values.rows.first().map(|row| row.content.len()),
        _ => None,
    }
}

/// D29, D30.
fn verdict(template: &str, row: &[Expr], op: &BinaryOperator, subquery: &Query) -> SqlResult<Expr> {
    if let Some(width) = width(&subquery.body)
        && width != row.len()
    {
        let message = if width > row.len() { "subquery has too many columns" } else { "subquery has too few columns" };
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
    }
    let unread = || SqlError::internal("D29: the query around compared rows does not parse");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, template).ok().and_then(|mut statements| statements.pop());
    let Some(Statement::Query(mut around)) = parsed else { return Err(unread()) };
    let SetExpr::Select(select) = around.body.as_mut() else { return Err(unread()) };
    let names: Vec<Ident> = (1..=row.len()).map(|at| Ident::with_quote('"', format!("\u{1}column {at}"))).collect();
    if let Some(from) = select.from.first_mut()
        && let TableFactor::Derived { subquery: inner, alias: Some(alias), .. } = &mut from.relation
    {
        **inner = subquery.clone();
        alias.columns = names.iter().map(|name| TableAliasColumnDef { name: name.clone(), data_type: None }).collect();
    }
    let right = Expr::Tuple(names.into_iter().map(Expr::Identifier).collect());
    let holds = Expr::BinaryOp { left: Box::new(Expr::Tuple(row.to_vec())), op: op.clone(), right: Box::new(right) };
    let mut fill = Fill { holds: Expr::Nested(Box::new(holds)) };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item {
            let _ = VisitMut::visit(expr, &mut fill);
        }
    }
    Ok(Expr::Subquery(around))
}

struct Fill {
    holds: Expr,
}

impl VisitorMut for Fill {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(ident) if ident.value == "\u{1}holds") {
            expr.clone_from(&self.holds);
        }
        ControlFlow::Continue(())
    }
}
