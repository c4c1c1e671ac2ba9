//! RETURNING: the rows a statement wrote, as a list of expressions sees them.
//!
//! R1: `_receipt` is the receipt of the row's commit. There is none before the commit, so the list answers the row's place in it, which the session
//!     turns into the receipt once the commit is signed; inside a block it is refused.
//! Never: reads the table again; it works on the rows at hand.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use base::SqlResult;
use engine::{SqlType, TableDef};
use futures::StreamExt;
use futures::stream;
use relational::{HIDDEN, Shape};
use sqlparser::ast::{Expr, ObjectName, SelectItem};

use super::hints::Hints;
use super::write_target::Target;
use super::{Described, Execution, Planning, rewrite, select};
use crate::names::{fold, quoted};
use crate::outcome::{Column, Outcome};
use crate::tables::{MemoryTable, arrow_error};

/// A name no statement can write.
pub(super) const WRITTEN_ROWS: &str = "\u{1}written rows";

/// What a list calls the receipt of a row's commit.
const RECEIPT: &str = "_receipt";
/// Where the written rows say which they are among those the statement wrote; no statement can write the name.
pub(super) const PLACE: &str = "_\u{1}place";

/// A planned RETURNING list.
#[derive(Debug)]
pub(super) struct Returning {
    columns: Arc<[Column]>,
    source: Source,
    /// Columns of the answer that are to become receipts (R1).
    receipts: Vec<usize>,
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
        target: &Target,
        alias: &str,
        items: Option<&[SelectItem]>,
        hints: &mut Hints,
    ) -> SqlResult<Option<Self>> {
        let Some(items) = items else { return Ok(None) };
        let table = &*target.table;
        if let (Some((positions, columns)), true) = (select::plain_columns(table, alias, items), target.is_table()) {
            return Ok(Some(Self { columns: columns.into(), source: Source::Positions(positions), receipts: Vec::new() }));
        }
        let rows = rewrite::named(ObjectName::from(vec![quoted(WRITTEN_ROWS)]), alias);
        let from = target.over(rows, alias, PLACE);
        let has_receipt = table.columns.iter().any(|column| column.name == RECEIPT);
        let items = target.listed(items, alias);
        let items = items.iter().map(|item| if has_receipt { item.clone() } else { with_place(item) }).collect();
        let statement = rewrite::select(None, items, vec![from], None);
        let local = written(table, Vec::new())?;
        let Described { mut columns, shape, .. } = hints.complete_from(planning, &statement, Some(&local))?;
        let mut receipts = Vec::new();
        for (at, column) in columns.iter_mut().enumerate() {
            if let Some(shown) = column.name.strip_prefix(PLACE) {
                *column = Column::computed(shown.to_owned(), SqlType::Text);
                receipts.push(at);
            }
        }
        Ok(Some(Self { columns: columns.into(), source: Source::Query(shape), receipts }))
    }

    /// Columns of the answer that hold a row's place in the commit and are to become its receipt.
    pub(super) fn receipts(&self) -> &[usize] {
        &self.receipts
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
                let local = written(table, rows)?;
                let mut answer = execution.rows(shape, Some(&local))?;
                while let Some(batch) = execution.watch.next(&mut answer.stream).await? {
                    batches.push(Ok(batch));
                }
            }
        }
        Ok(Outcome::Rows { columns: Arc::clone(&self.columns), batches: stream::iter(batches).boxed(), tag: verb })
    }
}

/// An item that asks for the receipt, as one that asks for the place under a name that is told apart.
fn with_place(item: &SelectItem) -> SelectItem {
    let (expr, shown) = match item {
        SelectItem::UnnamedExpr(expr) => (expr, RECEIPT.to_owned()),
        SelectItem::ExprWithAlias { expr, alias } => (expr, fold(alias)),
        other => return other.clone(),
    };
    match expr {
        Expr::Identifier(ident) if fold(ident) == RECEIPT => rewrite::item(Expr::Identifier(quoted(PLACE)), format!("{PLACE}{shown}")),
        _ => item.clone(),
    }
}

/// The rows and their places; `*` leaves the place out.
pub(super) fn written(table: &TableDef, batches: Vec<RecordBatch>) -> SqlResult<MemoryTable> {
    let user = table.arrow_schema();
    let metadata = HashMap::from([(HIDDEN.to_owned(), "true".to_owned())]);
    let place = Field::new(PLACE, DataType::Int64, false).with_metadata(metadata);
    let fields = user.fields().iter().map(|field| field.as_ref().clone()).chain([place]).collect::<Vec<_>>();
    let schema = Arc::new(Schema::new(fields));
    let mut numbered = Vec::with_capacity(batches.len());
    let mut first = 0;
    for batch in batches {
        let end = first + batch.num_rows() as i64;
        let places: ArrayRef = Arc::new((first..end).collect::<Int64Array>());
        let columns = batch.columns().iter().cloned().chain([places]).collect();
        numbered.push(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(arrow_error)?);
        first = end;
    }
    Ok(MemoryTable { name: WRITTEN_ROWS.to_owned(), oid: Some(table.id.0), schema, batches: numbered })
}
