//! Branches of CASE that no row can take, by the values a catalog's column can have: what they compute need not be planned.
//!
//! D20: `x.column = 'value'` is never true where the table says that the column never has that value.
//! Never: touches a condition of WHERE, or a column whose values are not told.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, ObjectName, Select, SelectItem, Statement, TableFactor, Value, VisitMut, VisitorMut};

use crate::context::Context;
use crate::hidden;
use crate::position::{folded, folded_parts};

/// Takes such branches out, after SELECT items got their names.
pub(crate) fn prune(statement: &mut Statement, context: &Context<'_>) {
    let ctes = hidden::cte_names(statement);
    let _ = VisitMut::visit(statement, &mut Selects { context, ctes });
}

struct Selects<'a> {
    context: &'a Context<'a>,
    ctes: HashSet<String>,
}

impl VisitorMut for Selects<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let tables = self.tables(select);
        if !tables.is_empty() {
            let mut branches = Branches { context: self.context, tables };
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                    let _ = VisitMut::visit(expr, &mut branches);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl Selects<'_> {
    /// Tables with told values, by the name that the SELECT gives them.
    fn tables(&self, select: &Select) -> HashMap<String, ObjectName> {
        let factors =
            select.from.iter().flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
        let table = |factor: &TableFactor| {
            let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
            let last = folded_parts(name).pop().filter(|last| !self.ctes.contains(last))?;
            let shown = alias.as_ref().map_or(last, |alias| folded(&alias.name));
            self.context.has_told_values(name).then(|| (shown, name.clone()))
        };
        factors.filter_map(table).collect()
    }
}

struct Branches<'a> {
    context: &'a Context<'a>,
    tables: HashMap<String, ObjectName>,
}

impl VisitorMut for Branches<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Case { operand: None, conditions, else_result, .. } = expr {
            conditions.retain(|when| !self.is_impossible(&when.condition));
            if conditions.is_empty() {
                let otherwise = else_result.take().map(|otherwise| *otherwise);
                *expr = otherwise.unwrap_or_else(|| Expr::Value(Value::Null.into()));
            }
        }
        ControlFlow::Continue(())
    }
}

impl Branches<'_> {
    /// D20.
    fn is_impossible(&self, condition: &Expr) -> bool {
        match condition {
            Expr::Nested(inner) => self.is_impossible(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => self.is_impossible(left) || self.is_impossible(right),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                self.never_has(left, right).or_else(|| self.never_has(right, left)).unwrap_or(false)
            }
            _ => false,
        }
    }

    fn never_has(&self, column: &Expr, value: &Expr) -> Option<bool> {
        let Expr::CompoundIdentifier(parts) = column else { return None };
        let [.., table, column] = parts.as_slice() else { return None };
        let Expr::Value(value) = value else { return None };
        let Value::SingleQuotedString(value) = &value.value else { return None };
        let values = self.context.told_values(self.tables.get(&folded(table))?, &folded(column))?;
        Some(!values.iter().any(|known| known == value))
    }
}
