//! Decides which constants of a statement may become parameters of its plan.
//!
//! Y1: a constant is lifted only where no plan depends on its value and its type follows from its place: an operand of a comparison or of `+`
//!     and `-` in WHERE, ON or SET, a bound of BETWEEN there, a whole SET value, a cell of VALUES. All others stay text: LIMIT, ordinals, casts,
//!     intervals, arguments of functions, SELECT lists.
//! Never: lifts out of a statement kind other than SELECT, INSERT, UPDATE and DELETE.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Delete, Expr, Insert, JoinConstraint, JoinOperator, Query, Select, SetExpr, Spanned, Statement, TableWithJoins,
    UnaryOperator, Update, Value, Visit, Visitor,
};
use sqlparser::tokenizer::Location;

use super::lexer::{Kind, Lexed};
use super::template::{Role, Slot};
use crate::position;

/// What becomes of each constant of the text; `source` is what the client sent and the statement was parsed from.
pub(crate) fn slots(statement: &Statement, source: &str, lexed: &Lexed<'_>) -> Vec<Slot> {
    let mut finder = Finder { lexed, source, slots: vec![Slot::Pinned; lexed.constants.len()] };
    match statement {
        Statement::Query(_) => {}
        Statement::Insert(insert) => finder.insert(insert),
        Statement::Update(update) => finder.update(update),
        Statement::Delete(Delete { selection, .. }) => selection.iter().for_each(|selection| finder.condition(selection)),
        _ => return finder.slots,
    }
    let _ = Visit::visit(statement, &mut finder);
    finder.slots
}

struct Finder<'a> {
    lexed: &'a Lexed<'a>,
    source: &'a str,
    slots: Vec<Slot>,
}

impl Visitor for Finder<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.body(&query.body);
        ControlFlow::Continue(())
    }
}

impl Finder<'_> {
    fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left);
                self.body(right);
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &Select) {
        select.selection.iter().for_each(|selection| self.condition(selection));
        select.from.iter().for_each(|from| self.joins(from));
    }

    fn joins(&mut self, from: &TableWithJoins) {
        for join in &from.joins {
            if let JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::Left(on) | JoinOperator::LeftOuter(on) =
                &join.join_operator
                && let JoinConstraint::On(condition) = on
            {
                self.condition(condition);
            }
        }
    }

    fn insert(&mut self, insert: &Insert) {
        if let Some(source) = &insert.source
            && let SetExpr::Values(values) = source.body.as_ref()
        {
            values.rows.iter().flat_map(|row| &row.content).for_each(|cell| self.lift(cell, Role::Assigned));
        }
    }

    fn update(&mut self, update: &Update) {
        for assignment in &update.assignments {
            self.lift(&assignment.value, Role::Assigned);
            self.operands(&assignment.value);
        }
        update.selection.iter().for_each(|selection| self.condition(selection));
    }

    /// Comparisons joined by AND, OR and NOT.
    fn condition(&mut self, condition: &Expr) {
        use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
        match condition {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => self.condition(inner),
            Expr::BinaryOp { left, op: And | Or, right } => {
                self.condition(left);
                self.condition(right);
            }
            Expr::BinaryOp { left, op: Eq | NotEq | Lt | LtEq | Gt | GtEq, right } => match (is_constant(left), is_constant(right)) {
                (false, true) => self.compared(left, right),
                (true, false) => self.compared(right, left),
                _ => {}
            },
            Expr::Between { expr, low, high, .. } if is_column(expr) => {
                self.lift(low, Role::Compared);
                self.lift(high, Role::Compared);
            }
            _ => {}
        }
    }

    /// A constant takes its type from what it is compared with: only a column has one that does not depend on another constant.
    fn compared(&mut self, with: &Expr, constant: &Expr) {
        if is_column(with) {
            self.lift(constant, Role::Compared);
        }
    }

    /// Integers added to a column.
    fn operands(&mut self, value: &Expr) {
        if let Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right } = value
            && is_column(left)
        {
            self.lift(right, Role::Operand);
        }
    }

    fn lift(&mut self, expr: &Expr, role: Role) {
        let Some((negative, start)) = constant(expr) else { return };
        let Some(start) = position::byte(self.source, start).checked_sub(self.lexed.offset) else { return };
        let Some(index) = self.lexed.constants.iter().position(|constant| constant.start == start) else { return };
        let constant = &self.lexed.constants[index];
        if role == Role::Operand && constant.kind != Kind::Integer {
            return;
        }
        let sign = match negative {
            false => 0,
            // The sign and whatever stands between belong to the constant.
            true => match self.lexed.text[..start].rfind('-') {
                Some(at) => start - at,
                None => return,
            },
        };
        self.slots[index] = Slot::Lifted { role, sign };
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn is_constant(expr: &Expr) -> bool {
    constant(expr).is_some()
}

/// Whether a constant is negated, and where its digits or its quote begin.
fn constant(expr: &Expr) -> Option<(bool, Location)> {
    match expr {
        Expr::Value(value) if matches!(value.value, Value::Number(..) | Value::SingleQuotedString(_)) => Some((false, value.span.start)),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) if matches!(value.value, Value::Number(..)) => Some((true, value.span().start)),
            _ => None,
        },
        _ => None,
    }
}
