//! VALUES that hold parameters or columns of queries around: the engine computes VALUES when it plans, these are computed when they are read.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Extension, LogicalPlan, Values};

use crate::set_functions::{SetColumn, SetScan, Source};

/// Whether a value is known only when it is read.
pub(super) fn is_late(values: &Values) -> Result<bool> {
    for value in values.values.iter().flatten() {
        if value.exists(|expr| Ok(matches!(expr, Expr::Placeholder(_) | Expr::OuterReferenceColumn(..))))? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn scanned(values: &Values) -> Result<LogicalPlan> {
    let column = |(at, field): (usize, &Arc<arrow::datatypes::Field>)| {
        let typed = |row: &Vec<Expr>| {
            let value = row[at].clone();
            let is_typed = value.get_type(&DFSchema::empty()).is_ok_and(|known| known == *field.data_type());
            if is_typed { value } else { Expr::Cast(Cast::new(Box::new(value), field.data_type().clone())) }
        };
        let args = values.values.iter().map(typed).collect();
        SetColumn { source: Source::Rows, args, name: field.name().clone(), data_type: field.data_type().clone() }
    };
    let columns = values.schema.fields().iter().enumerate().map(column).collect();
    Ok(LogicalPlan::Extension(Extension { node: Arc::new(SetScan::new(columns, None)?) }))
}
