//! RETURNING: the rows a statement wrote, as a list of expressions sees them.
//!
//! Never: reads the table again; it works on the rows at hand.

use std::sync::Arc;

use arrow::array::RecordBatch;
use base::SqlResult;
use engine::TableDef;
use futures::StreamExt;
use futures::stream;
use relational::Shape;
use sqlparser::ast::{ObjectName, SelectItem};

use super::hints::Hints;
use super::{Described, Execution, Planning, rewrite, select};
use crate::names::quoted;
use crate::outcome::{Column, Outcome};
use crate::tables::{MemoryTable, arrow_error};

/// A name no statement can write.
const WRITTEN_ROWS: &str = "\u{1}written rows";

/// A planned RETURNING list.
#[derive(Debug)]
pub(super) struct Returning {
    columns: Arc<[Column]>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Plain columns.
    Positions(Vec<usize>),
    /// Expressions, as a query over the rows.
    Query(Arc<Shape>),
}

impl Returning {
    /// Plans a list. `alias` is what the list may qualify columns by.
    pub(super) fn plan(
        planning: &Planning<'_>,
        table: &TableDef,
        alias: &str,
        items: Option<&[SelectItem]>,
        hints: &mut Hints,
    ) -> SqlResult<Option<Self>> {
        let Some(items) = items else { return Ok(None) };
        if let Some((positions, columns)) = select::plain_columns(table, alias, items) {
            return Ok(Some(Self { columns: columns.into(), source: Source::Positions(positions) }));
        }
        let from = rewrite::named(ObjectName::from(vec![quoted(WRITTEN_ROWS)]), alias);
        let statement = rewrite::select(None, items.to_vec(), vec![from], None);
        let local = written(table, Vec::new());
        let Described { columns, shape, .. } = hints.complete_from(planning, &statement, Some(&local))?;
        Ok(Some(Self { columns: columns.into(), source: Source::Query(shape) }))
    }

    /// Columns of the answer.
    pub(super) fn columns(&self) -> Arc<[Column]> {
        Arc::clone(&self.columns)
    }

    /// The answer over these rows.
    pub(super) async fn answer(
        &self,
        table: &TableDef,
        rows: Vec<RecordBatch>,
        verb: &'static str,
        execution: &mut Execution<'_>,
    ) -> SqlResult<Outcome> {
        let mut batches = Vec::with_capacity(rows.len());
        match &self.source {
            Source::Positions(positions) => {
                for batch in rows {
                    batches.push(Ok(batch.project(positions).map_err(arrow_error)?));
                }
            }
            Source::Query(shape) => {
                let local = written(table, rows);
                let mut answer = execution.rows(shape, Some(&local))?;
                while let Some(batch) = execution.watch.next(&mut answer.stream).await? {
                    batches.push(Ok(batch));
                }
            }
        }
        Ok(Outcome::Rows { columns: Arc::clone(&self.columns), batches: stream::iter(batches).boxed(), tag: verb })
    }
}

fn written(table: &TableDef, batches: Vec<RecordBatch>) -> MemoryTable {
    MemoryTable { name: WRITTEN_ROWS.to_owned(), schema: table.arrow_schema(), batches }
}
