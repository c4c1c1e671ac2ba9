//! Visits what an expression is made of, the queries in it left out: what they hold is theirs.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Function, Query, Visit, VisitMut, Visitor, VisitorMut};

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

/// Whether something calls such a function.
pub(super) fn calls(node: &impl Visit, is_sought: &dyn Fn(&Function) -> bool) -> bool {
    Visit::visit(node, &mut Calls { depth: 0, is_sought }).is_break()
}

struct Calls<'a> {
    depth: u32,
    is_sought: &'a dyn Fn(&Function) -> bool,
}

impl Visitor for Calls<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) if self.depth == 0 && (self.is_sought)(function) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}
