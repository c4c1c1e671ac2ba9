//! Oids that leave a statement as `regclass` and its kin are joined by the names they are shown by.
//!
//! W1: only the columns of the answer are; within the statement such a value is its oid.
//! Never: looks a name up itself; the caller's functions do (`functions::catalog`).

use arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::ContextProvider;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use crate::context::Context;
use crate::functions::catalog;
use crate::origins;

/// The plan with W1's columns shown; the same plan where there are none.
pub(crate) fn show(plan: LogicalPlan, context: &Context<'_>) -> Result<LogicalPlan> {
    let shown_by = |at: usize| {
        let function = catalog::shown_by(origins::declared_oid(&plan, at)?)?;
        (*plan.schema().field(at).data_type() == DataType::UInt32).then(|| context.get_function_meta(function))?
    };
    let functions: Vec<_> = (0..plan.schema().fields().len()).map(shown_by).collect();
    if functions.iter().all(Option::is_none) {
        return Ok(plan);
    }
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .zip(functions)
        .map(|((qualifier, field), function)| {
            let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
            match function {
                Some(function) => Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![column])).alias(field.name()),
                None => column,
            }
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
