//! `x IN (subquery)`, `x op ANY (subquery)`, `x op ALL (subquery)` as a value: true, false or unknown.
//!
//! Q1: ANY is true if a comparison is, else unknown if one is, else false; ALL is false if a comparison is, else unknown if one is, else true.

use std::sync::Arc;

use datafusion::common::{Column, Result, ScalarValue, plan_datafusion_err};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr::{AggregateFunction, SetQuantifier};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, LogicalPlan, LogicalPlanBuilder, Operator};

/// The query of the one row that says how `value` compares to the rows of `plan`.
pub(super) fn compared(
    state: &SessionState,
    plan: LogicalPlan,
    value: Expr,
    op: Operator,
    quantifier: SetQuantifier,
) -> Result<LogicalPlan> {
    let any = state.aggregate_functions().get("bool_or").ok_or_else(|| plan_datafusion_err!("bool_or is missing"))?;
    let (relation, field) = plan.schema().qualified_field(0);
    let element = Expr::Column(Column::new(relation.cloned(), field.name()));
    let comparison = Expr::BinaryExpr(BinaryExpr::new(Box::new(value), op, Box::new(element)));
    // What decides: a comparison that holds for ANY, one that does not for ALL.
    let (decisive, decided) = match quantifier {
        SetQuantifier::Any => (comparison, true),
        SetQuantifier::All => (Expr::Not(Box::new(comparison)), false),
    };
    let some = |expr: Expr, name: &str| {
        Expr::AggregateFunction(AggregateFunction::new_udf(Arc::clone(any), vec![expr], false, None, vec![], None)).alias(name)
    };
    let named = |name: &str| Box::new(Expr::Column(Column::from_name(name)));
    let boolean = |value: Option<bool>| Box::new(Expr::Literal(ScalarValue::Boolean(value), None));
    let verdict = Expr::Case(Case::new(
        None,
        vec![(named("is_decided"), boolean(Some(decided))), (named("is_unknown"), boolean(None))],
        Some(boolean(Some(!decided))),
    ));
    LogicalPlanBuilder::from(plan)
        .project(vec![decisive.alias("comparison")])?
        .aggregate(
            Vec::<Expr>::new(),
            vec![some(*named("comparison"), "is_decided"), some(Expr::IsNull(named("comparison")), "is_unknown")],
        )?
        .project(vec![verdict.alias("verdict")])?
        .build()
}
