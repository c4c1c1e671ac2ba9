//! WITH CHECK OPTION: whether rows that were written are seen through the views they were written through.
//!
//! C1: a view's own condition counts where it has a check option, or where a view above it has a cascaded one.
//! C2: a condition that is NULL does not hold.
//! Never: looks at a row before it is written; the statement as a whole fails.

use std::sync::Arc;

use arrow::array::RecordBatch;
use base::{SqlError, SqlResult, SqlState};
use engine::{CheckOption, TableDef};
use relational::Shape;
use sqlparser::ast::{Expr, ObjectName};

use super::layers::Layers;
use crate::names::quoted;
use crate::rules;
use crate::statements::hints::Hints;
use crate::statements::returning::{PLACE, WRITTEN_ROWS, written};
use crate::statements::{Execution, Planning, rewrite};
use crate::tables::row_ids;

/// What is asked of new rows, inner views first.
#[derive(Debug)]
pub(in crate::statements) struct CheckOptions {
    table: Arc<TableDef>,
    /// A view's name, and the query for the places of the rows that it would not show.
    asked: Vec<(String, Arc<Shape>)>,
}

impl CheckOptions {
    pub(super) fn plan(planning: &Planning<'_>, table: &Arc<TableDef>, layers: &Layers) -> SqlResult<Option<Self>> {
        let mut asked = Vec::new();
        let mut cascades = false;
        for (at, layer) in layers.layers.iter().enumerate() {
            let option = layer.view.check_option;
            cascades |= option == Some(CheckOption::Cascaded);
            let (Some(condition), true) = (&layer.simple.select.selection, cascades || option.is_some()) else { continue };
            let rows = rewrite::named(ObjectName::from(vec![quoted(WRITTEN_ROWS)]), WRITTEN_ROWS).relation;
            let beside = [(PLACE.to_owned(), PLACE.to_owned())];
            let from = layers.beneath(at, Some(&rows), &beside, false);
            let fails = Expr::IsNotTrue(Box::new(Expr::Nested(Box::new(condition.clone()))));
            let items = vec![rewrite::item(rewrite::column(&layer.simple.alias, PLACE), PLACE)];
            let statement = rewrite::select(None, items, vec![from], Some(fails));
            let local = written(table, Vec::new())?;
            let described = Hints::new(&[]).complete_from(planning, &statement, Some(&local))?;
            asked.push((layer.view.name.clone(), described.shape));
        }
        asked.reverse();
        Ok((!asked.is_empty()).then(|| Self { table: Arc::clone(table), asked }))
    }

    /// Errors: 44000.
    pub(in crate::statements) async fn check(&self, rows: &RecordBatch, execution: &mut Execution<'_>) -> SqlResult<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        for (view, shape) in &self.asked {
            let local = written(&self.table, vec![rows.clone()])?;
            let mut found = execution.rows(shape, Some(&local))?;
            while let Some(batch) = execution.watch.next(&mut found.stream).await? {
                let Some(place) = row_ids(batch.column(0))?.values().first().copied() else { continue };
                let row = usize::try_from(place).unwrap_or_default();
                return Err(SqlError::new(SqlState("44000"), format!("new row violates check option for view \"{view}\""))
                    .detail(rules::failing_row(&self.table, rows, row)));
            }
        }
        Ok(())
    }
}
