//! Visits what an expression is made of, the queries in it left out: what they hold is theirs.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, VisitMut, VisitorMut};

/// Changes the expression and what is below it, from the leaves up.
pub(super) fn each(expr: &mut Expr, change: &mut dyn FnMut(&mut Expr)) {
    let _ = VisitMut::visit(expr, &mut Outside { depth: 0, change });
}

struct Outside<'a> {
    depth: u32,
    change: &'a mut dyn FnMut(&mut Expr),
}

impl VisitorMut for Outside<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            (self.change)(expr);
        }
        ControlFlow::Continue(())
    }
}
