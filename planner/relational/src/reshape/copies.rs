//! The number of a row's copy: `row_number()` among the rows equal to it.

use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Cast, Expr, LogicalPlan, LogicalPlanBuilder, Projection};

use super::is_call;
use super::limits::over;
use crate::marks::COPY_NUMBER;

pub(super) fn is_numbered(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_numbered(&alias.expr),
        other => is_call(other, COPY_NUMBER),
    }
}

pub(super) fn number(list: Projection, state: &SessionState) -> Result<LogicalPlan> {
    let columns = list.input.schema().iter().map(|(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name())));
    let numbered = over(state, "row_number", columns.collect(), vec![])?.alias(COPY_NUMBER);
    let input = LogicalPlanBuilder::from(Arc::unwrap_or_clone(list.input)).window(vec![numbered])?.build()?;
    let number = Expr::Cast(Cast::new(Box::new(Expr::Column(Column::from_name(COPY_NUMBER))), arrow::datatypes::DataType::Int64));
    let items = list.expr.into_iter().map(|item| match item {
        Expr::Alias(mut alias) if is_numbered(&alias.expr) => {
            *alias.expr = number.clone();
            Expr::Alias(alias)
        }
        other => other,
    });
    LogicalPlanBuilder::from(input).project(items.collect::<Vec<_>>())?.build()
}
