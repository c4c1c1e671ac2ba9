//! Comparisons of columns of `char(n)`: blanks at the end of what they are compared with say nothing.
//!
//! B3: such a column holds no blanks at its end; a literal, a parameter or a `varchar` beside it loses its own.
//! Never: touches what is compared with a `text`, whose blanks count.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

use crate::calls::call;
use crate::mapping::map_named;
use crate::origins;

/// Oids of the types.
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;

/// The rule, for the analyzer.
pub(crate) fn rule() -> Arc<dyn AnalyzerRule + Send + Sync> {
    Arc::new(Padded)
}

#[derive(Debug)]
struct Padded;

impl AnalyzerRule for Padded {
    fn name(&self) -> &str {
        "padded"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let inputs: Vec<LogicalPlan> = plan.inputs().into_iter().cloned().collect();
            let scope = Scope { inputs };
            map_named(plan, &mut |expr, _| scope.settle(expr))
        })?;
        Ok(plan.data)
    }
}

struct Scope {
    inputs: Vec<LogicalPlan>,
}

impl Scope {
    fn settle(&self, expr: Expr) -> Result<Transformed<Expr>> {
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) => {
                let (left_is, right_is) = (self.is_padded(&left), self.is_padded(&right));
                if left_is == right_is {
                    return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
                }
                let (left, right) =
                    if left_is { (left, Box::new(self.unpadded(*right)?)) } else { (Box::new(self.unpadded(*left)?), right) };
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            Expr::InList(list) if self.is_padded(&list.expr) => {
                let others = list.list.into_iter().map(|other| self.unpadded(other)).collect::<Result<Vec<_>>>()?;
                Transformed::yes(Expr::InList(InList::new(list.expr, others, list.negated)))
            }
            Expr::Between(Between { expr, negated, low, high }) if self.is_padded(&expr) => Transformed::yes(Expr::Between(Between::new(
                expr,
                negated,
                Box::new(self.unpadded(*low)?),
                Box::new(self.unpadded(*high)?),
            ))),
            other => Transformed::no(other),
        })
    }

    fn declared(&self, expr: &Expr) -> Option<u32> {
        let Expr::Column(column) = expr else { return None };
        self.inputs.iter().find_map(|input| origins::declared_oid(input, place_of(input, column)?))
    }

    fn is_padded(&self, expr: &Expr) -> bool {
        self.declared(expr) == Some(BPCHAR)
    }

    /// B3.
    fn unpadded(&self, expr: Expr) -> Result<Expr> {
        match expr {
            Expr::Literal(ScalarValue::Utf8(Some(text)), metadata) => {
                Ok(Expr::Literal(ScalarValue::Utf8(Some(text.trim_end_matches(' ').to_owned())), metadata))
            }
            Expr::Placeholder(_) => call("rtrim", vec![expr]),
            other if self.declared(&other) == Some(VARCHAR) => call("rtrim", vec![other]),
            other => Ok(other),
        }
    }
}

fn place_of(input: &LogicalPlan, column: &Column) -> Option<usize> {
    input.schema().maybe_index_of_column(column)
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}
