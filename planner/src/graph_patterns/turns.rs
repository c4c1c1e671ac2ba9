//! Which MATCHes of a clause are matched together.
//!
//! M1: a MATCH that is not optional is matched with the one before it unless it mentions what something in between binds: what is optional in between
//!     neither adds to nor takes from the rows that it is matched with.
//! Never: resolves a name.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Visit, Visitor};

use crate::graph_syntax::{Element, Factor, Match, PathExpr, Primary};
use crate::names::fold;

/// A MATCH, and its number in the text.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) number: usize,
    pub(super) of: &'a Match,
}

/// A MATCH with those that are matched together with it, and those that follow (M1).
pub(super) fn grouped(first: Turn<'_>) -> (Vec<Turn<'_>>, Vec<Turn<'_>>) {
    let (mut together, mut following) = (vec![first], Vec::new());
    let (mut known, mut others) = (own_names(first.of).bound, BTreeSet::new());
    let mut number = first.number + 1;
    for of in &first.of.following {
        let names = names(of);
        let turn = Turn { number, of };
        number += count(of);
        if !of.is_optional && names.bound.is_disjoint(&others) && names.mentioned.is_disjoint(&others) {
            known.extend(names.bound);
            together.push(turn);
        } else {
            others.extend(names.bound.difference(&known).cloned());
            following.push(turn);
        }
    }
    (together, following)
}

/// How many MATCHes one is, with those that follow it.
fn count(of: &Match) -> usize {
    1 + of.following.iter().map(count).sum::<usize>()
}

/// Names of variables and paths, and all that expressions mention.
#[derive(Default)]
struct Names {
    bound: BTreeSet<String>,
    mentioned: BTreeSet<String>,
}

fn names(of: &Match) -> Names {
    let mut names = own_names(of);
    for inner in &of.following {
        let inner = self::names(inner);
        names.bound.extend(inner.bound);
        names.mentioned.extend(inner.mentioned);
    }
    names
}

fn own_names(of: &Match) -> Names {
    let mut names = Names::default();
    for path in &of.paths {
        names.bound.extend(path.variable.as_ref().map(fold));
        names.path(&path.path);
    }
    of.condition.iter().for_each(|expr| names.expr(expr));
    names
}

impl Names {
    fn path(&mut self, path: &PathExpr) {
        match path {
            PathExpr::Sequence(factors) => factors.iter().for_each(|factor| self.factor(factor)),
            PathExpr::Choice { paths, .. } => paths.iter().for_each(|path| self.path(path)),
        }
    }

    fn factor(&mut self, factor: &Factor) {
        match &factor.primary {
            Primary::Vertex(element) | Primary::Edge { element, .. } => self.element(element),
            Primary::Nested(nested) => {
                self.bound.extend(nested.variable.as_ref().map(fold));
                self.path(&nested.path);
                nested.condition.iter().for_each(|expr| self.expr(expr));
            }
        }
    }

    fn element(&mut self, element: &Element) {
        self.bound.extend(element.variable.as_ref().map(fold));
        element.condition.iter().chain(&element.cost).for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &Expr) {
        struct Idents<'a>(&'a mut BTreeSet<String>);
        impl Visitor for Idents<'_> {
            type Break = ();
            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                match expr {
                    Expr::Identifier(ident) => self.0.extend([fold(ident)]),
                    Expr::CompoundIdentifier(parts) => self.0.extend(parts.first().map(fold)),
                    _ => {}
                }
                ControlFlow::Continue(())
            }
        }
        let _ = Visit::visit(expr, &mut Idents(&mut self.mentioned));
    }
}
