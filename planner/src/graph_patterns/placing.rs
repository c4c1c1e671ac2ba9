//! What the expressions of a pattern say of its elements and paths, and something in the place of each.
//!
//! Never: changes anything else of an expression; its places in the text stay.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use engine::SqlType;
use sqlparser::ast::{BinaryOperator, Expr, Value, Visit, VisitMut, Visitor, VisitorMut};
use sqlparser::tokenizer::Span;

use super::bound::{Pattern, VariableId};
use super::references::{self, Said};

/// One thing that is said of an element or of a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Atom {
    /// A property of an element.
    Property(VariableId, String),
    /// An element's id.
    Document(VariableId),
    /// A column of an element's key, where it can be of one table only. No expression says it.
    Key(VariableId, usize),
    /// How many edges a path has.
    Length(usize),
    /// The ids of a path's edges, or of its vertices.
    Passed {
        /// Which path.
        path: usize,
        /// Of its edges.
        edges: bool,
    },
}

impl Atom {
    /// The variable that it speaks of; `None` for a path.
    pub(super) fn variable(&self) -> Option<VariableId> {
        match self {
            Self::Property(variable, _) | Self::Document(variable) | Self::Key(variable, _) => Some(*variable),
            Self::Length(_) | Self::Passed { .. } => None,
        }
    }

    /// The part that binds what it speaks of.
    pub(super) fn part(&self, pattern: &Pattern) -> usize {
        match self {
            Self::Property(variable, _) | Self::Document(variable) | Self::Key(variable, _) => pattern.variables[*variable].part,
            Self::Length(path) | Self::Passed { path, .. } => pattern.part_of_path(*path),
        }
    }

    /// Its type; text for a column of a key, of which only its part knows more.
    pub(super) fn sql_type(&self, pattern: &Pattern) -> SqlType {
        match self {
            Self::Property(variable, name) => pattern.variables[*variable].property(name).unwrap_or(SqlType::Text),
            Self::Document(_) | Self::Passed { .. } => SqlType::Jsonb,
            Self::Key(..) => SqlType::Text,
            Self::Length(_) => SqlType::Int4,
        }
    }

    /// What its column is called where a part shows it to those around.
    pub(super) fn column(&self) -> String {
        match self {
            Self::Property(variable, name) => format!("\u{1}property {variable} {name}"),
            Self::Document(variable) => format!("\u{1}id {variable}"),
            Self::Key(variable, at) => format!("\u{1}key {variable} {at}"),
            Self::Length(path) => format!("\u{1}length {path}"),
            Self::Passed { path, edges } => format!("\u{1}passed {path} {edges}"),
        }
    }
}

/// What an expression says, if it is just that.
fn atom(pattern: &Pattern, expr: &Expr) -> Option<Atom> {
    if let Expr::Function(call) = expr {
        return references::said(pattern, call).map(|said| match said {
            Said::Element(variable) => Atom::Document(variable),
            Said::Length(path) => Atom::Length(path),
            Said::Vertices(path) => Atom::Passed { path, edges: false },
            Said::Edges(path) => Atom::Passed { path, edges: true },
        });
    }
    let (variable, name) = references::property(pattern, expr)?;
    pattern.variables[variable].property(&name)?;
    Some(Atom::Property(variable, name))
}

/// All that an expression says of elements and paths.
pub(super) fn atoms(pattern: &Pattern, expr: &Expr) -> BTreeSet<Atom> {
    struct Atoms<'a>(&'a Pattern, BTreeSet<Atom>);
    impl Visitor for Atoms<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.1.extend(atom(self.0, expr));
            ControlFlow::Continue(())
        }
    }
    let mut atoms = Atoms(pattern, BTreeSet::new());
    let _ = Visit::visit(expr, &mut atoms);
    atoms.1
}

/// Where an expression says the first thing that is sought, if it says any.
pub(super) fn place_of(pattern: &Pattern, expr: &Expr, is_sought: &dyn Fn(&Atom) -> bool) -> Option<Span> {
    struct Seek<'a>(&'a Pattern, &'a dyn Fn(&Atom) -> bool);
    impl Visitor for Seek<'_> {
        type Break = Span;
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Span> {
            match atom(self.0, expr).filter(|atom| self.1(atom)) {
                Some(_) => ControlFlow::Break(references::span(expr)),
                None => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(expr, &mut Seek(pattern, is_sought)).break_value()
}

/// The expression with `of` each in its place. Errors: those of `of`.
pub(super) fn place(pattern: &Pattern, expr: &Expr, of: &dyn Fn(&Atom) -> SqlResult<Expr>) -> SqlResult<Expr> {
    struct Place<'a>(&'a Pattern, &'a dyn Fn(&Atom) -> SqlResult<Expr>);
    impl VisitorMut for Place<'_> {
        type Break = SqlError;
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
            match atom(self.0, expr).map(|atom| self.1(&atom)) {
                Some(Ok(placed)) => {
                    *expr = placed;
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Continue(()),
                Some(Err(error)) => ControlFlow::Break(error),
            }
        }
    }
    let mut placed = expr.clone();
    match VisitMut::visit(&mut placed, &mut Place(pattern, of)) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(placed),
    }
}

/// The conditions that AND joins.
pub(super) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => [conjuncts(left), conjuncts(right)].concat(),
        Expr::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// Properties that an expression says to be equal to a constant or a parameter.
pub(super) fn equal_to_constants(pattern: &Pattern, expr: &Expr) -> Vec<(VariableId, String)> {
    let is_constant = |expr: &Expr| match expr {
        Expr::Value(value) => !matches!(value.value, Value::Null),
        Expr::Cast { expr, .. } => matches!(expr.as_ref(), Expr::Value(_)),
        _ => false,
    };
    let equal = |expr: &Expr| match expr {
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_constant(right) => references::property(pattern, left),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if is_constant(left) => references::property(pattern, right),
        _ => None,
    };
    conjuncts(expr).into_iter().filter_map(equal).collect()
}
