//! The elements of a left row's arrays, `FROM t, unnest(t.a) AS e`, as the engine's own operator over the left: many rows at a time.
//!
//! M1: only where each function unnests an array made of the left's columns, nothing is numbered, and a row without elements is left out.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchemaRef, NullHandling, Result, TableReference, UnnestOptions};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::outer::{has, subquery_of};
use crate::outer_values::is_argument;
use crate::set_functions::{SetColumn, SetScan, Source};

/// A relation that is nothing but such functions (M1).
pub(super) struct Elements {
    alias: Option<TableReference>,
    columns: Vec<SetColumn>,
}

/// The relation as elements of the left's arrays, if it is that.
pub(super) fn of(right: &LogicalPlan, left: &DFSchemaRef) -> Result<Option<Elements>> {
    let (mut plan, mut alias) = (right, None);
    loop {
        plan = match plan {
            LogicalPlan::SubqueryAlias(node) => {
                alias.get_or_insert_with(|| node.alias.clone());
                &node.input
            }
            LogicalPlan::Subquery(node) => &node.subquery,
            _ => break,
        };
    }
    let LogicalPlan::Extension(extension) = plan else { return Ok(None) };
    let Some(scan) = extension.node.as_any().downcast_ref::<SetScan>().filter(|scan| !scan.is_numbered()) else { return Ok(None) };
    let mut columns = scan.columns().to_vec();
    for column in &mut columns {
        if column.source != Source::Elements {
            return Ok(None);
        }
        for arg in &mut column.args {
            let mut is_known = true;
            let changed = std::mem::take(arg).transform_up(|expr| {
                is_known &= !is_argument(&expr) && subquery_of(&expr).is_none();
                match expr {
                    Expr::OuterReferenceColumn(_, outer) if has(left, &outer) => Ok(Transformed::yes(Expr::Column(outer))),
                    other => {
                        is_known &= !matches!(other, Expr::OuterReferenceColumn(..));
                        Ok(Transformed::no(other))
                    }
                }
            })?;
            *arg = changed.data;
            if !is_known {
                return Ok(None);
            }
        }
    }
    Ok(Some(Elements { alias, columns }))
}

impl Elements {
    /// Each row of the left with each of its elements.
    pub(super) fn beside(self, left: LogicalPlan) -> Result<LogicalPlan> {
        let kept = left.schema().iter().map(|(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name())));
        let kept: Vec<Expr> = kept.collect();
        let name = |at: usize| format!("\u{1f}elements {at}");
        let arrays = self.columns.iter().enumerate().filter_map(|(at, column)| Some(column.args.first()?.clone().alias(name(at))));
        let unnested = (0..self.columns.len()).map(|at| Column::from_name(name(at))).collect();
        let shown = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| Expr::Column(Column::from_name(name(at))).alias_qualified(self.alias.clone(), column.name.clone()));
        let options = UnnestOptions { null_handling: NullHandling::Drop, recursions: vec![] };
        LogicalPlanBuilder::from(left)
            .project(kept.iter().cloned().chain(arrays).collect::<Vec<_>>())?
            .unnest_columns_with_options(unnested, options)?
            .project(kept.iter().cloned().chain(shown).collect::<Vec<_>>())?
            .build()
    }
}
