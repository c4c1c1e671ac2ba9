//! `x IN (a, b)` where the list is not of constants.
//!
//! D31: it is `x = a OR x = b`: of two such lists over one value, joined by AND, the engine would keep what both spell alike, as if each
//!      expression were a value of its own. Long lists stay; who writes two of them over one value is not known.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value, Visit, Visitor};

/// Longest list that is spelled out.
const SPELLED_MAX: usize = 32;

/// Rewrites the expression itself, after rows were compared column by column.
pub(super) fn spell_out(expr: &mut Expr) {
    let Expr::InList { expr: value, list, negated } = expr else { return };
    if list.len() > SPELLED_MAX || !list.iter().any(|element| Visit::visit(element, &mut Changing).is_break()) {
        return;
    }
    let nested = |expr: &Expr| Box::new(Expr::Nested(Box::new(expr.clone())));
    let equal = |element: &Expr| Expr::BinaryOp { left: nested(value), op: BinaryOperator::Eq, right: nested(element) };
    let or = |left: Expr, right: Expr| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Or, right: Box::new(right) };
    let Some(any) = list.iter().map(equal).reduce(or) else { return };
    let any = Expr::Nested(Box::new(any));
    *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) } } else { any };
}

/// Stops at what may be another value in another row or run.
struct Changing;

impl Visitor for Changing {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let changes = match expr {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) | Expr::Function(_) => true,
            Expr::Value(value) => matches!(value.value, Value::Placeholder(_)),
            _ => false,
        };
        if changes { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
