//! `t.a[1]` is a subscript of the column `t.a`: the parser reads a chain of steps from `t`.

use std::ops::ControlFlow;

use sqlparser::ast::{AccessExpr, Expr, Statement, VisitMut, VisitorMut};

/// Rewrites the statement in place, before anything looks for names of columns.
pub(crate) fn qualify(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Qualify);
}

struct Qualify;

impl VisitorMut for Qualify {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::CompoundFieldAccess { root, access_chain } = expr else { return ControlFlow::Continue(()) };
        let mut parts = match root.as_ref() {
            Expr::Identifier(name) => vec![name.clone()],
            Expr::CompoundIdentifier(names) => names.clone(),
            _ => return ControlFlow::Continue(()),
        };
        let steps = access_chain.iter().take_while(|step| matches!(step, AccessExpr::Dot(Expr::Identifier(_)))).count();
        if steps == 0 {
            return ControlFlow::Continue(());
        }
        for step in access_chain.drain(..steps) {
            if let AccessExpr::Dot(Expr::Identifier(name)) = step {
                parts.push(name);
            }
        }
        let column = Expr::CompoundIdentifier(parts);
        if access_chain.is_empty() {
            *expr = column;
        } else {
            **root = column;
        }
        ControlFlow::Continue(())
    }
}
