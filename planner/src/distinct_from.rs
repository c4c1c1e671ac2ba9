//! `a IS DISTINCT FROM b AND c`: sqlparser reads everything behind FROM as one operand; Postgres ends it at AND and OR.
//!
//! D1: what stands in parentheses is left alone.
//! Never: changes a statement without IS [NOT] DISTINCT FROM.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Statement, UnaryOperator, Value, VisitMut, VisitorMut};

/// Puts operands where Postgres has them.
pub(crate) fn mend(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Mender);
}

struct Mender;

impl VisitorMut for Mender {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        use BinaryOperator::{And, Or};
        let taken = std::mem::replace(expr, nothing());
        *expr = match taken {
            Expr::IsDistinctFrom(left, right) => over(*right, &[And, Or], |right| Expr::IsDistinctFrom(left, Box::new(right))),
            Expr::IsNotDistinctFrom(left, right) => over(*right, &[And, Or], |right| Expr::IsNotDistinctFrom(left, Box::new(right))),
            // What was read as an operand may have become looser than the operator above it.
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                over(*expr, &[And, Or], |expr| Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) })
            }
            Expr::BinaryOp { left, op: And, right } => {
                over(*right, &[Or], |right| Expr::BinaryOp { left, op: And, right: Box::new(right) })
            }
            other => other,
        };
        ControlFlow::Continue(())
    }
}

/// The chain of these operators with its leftmost operand wrapped; an expression that is no such chain is wrapped whole.
fn over(expr: Expr, operators: &[BinaryOperator], wrap: impl FnOnce(Expr) -> Expr) -> Expr {
    match expr {
        Expr::BinaryOp { left, op, right } if operators.contains(&op) => {
            Expr::BinaryOp { left: Box::new(over(*left, operators, wrap)), op, right }
        }
        other => wrap(other),
    }
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_text::expression;

    /// With every operator in parentheses.
    fn shown(expr: &Expr) -> String {
        match expr {
            Expr::Nested(inner) => shown(inner),
            Expr::BinaryOp { left, op, right } => format!("({} {op} {})", shown(left), shown(right)),
            Expr::IsDistinctFrom(left, right) => format!("({} <> {})", shown(left), shown(right)),
            Expr::IsNotDistinctFrom(left, right) => format!("({} == {})", shown(left), shown(right)),
            Expr::UnaryOp { expr, .. } => format!("(not {})", shown(expr)),
            other => other.to_string(),
        }
    }

    #[test]
    fn operands_end_where_postgres_ends_them() {
        for (written, meant) in [
            ("a IS DISTINCT FROM b AND c", "((a <> b) AND c)"),
            ("a IS NOT DISTINCT FROM b + 1 OR c AND d", "((a == (b + 1)) OR (c AND d))"),
            ("x AND a IS DISTINCT FROM b OR c", "((x AND (a <> b)) OR c)"),
            ("NOT a IS DISTINCT FROM b AND c", "((not (a <> b)) AND c)"),
            ("a IS DISTINCT FROM b AND c IS DISTINCT FROM d OR e", "(((a <> b) AND (c <> d)) OR e)"),
            ("a IS DISTINCT FROM (b AND c)", "(a <> (b AND c))"),
            ("a IS DISTINCT FROM b || c AND d = e", "((a <> (b || c)) AND (d = e))"),
        ] {
            assert_eq!(shown(&expression(written).unwrap()), meant, "{written}");
        }
    }
}
