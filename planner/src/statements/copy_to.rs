//! COPY table or (query) TO STDOUT.
//!
//! Never: writes a file of the server's machine.

use std::sync::{Arc, Mutex, PoisonError};

use base::{SqlError, SqlResult};
use engine::SqlType;
use futures::StreamExt;
use relational::Shape;
use sqlparser::ast::{CopySource, CopyTarget, Expr, SelectItem, Statement};

use super::{Described, Execution, Planning, rewrite};
use crate::copy::{CopyDirection, CopyOptions, CopyWriter};
use crate::names::{Name, fold, quoted};
use crate::outcome::{Column, CopyPiece, Outcome};
use crate::rules;

/// How a COPY TO runs.
#[derive(Debug)]
pub(crate) struct Plan {
    shape: Arc<Shape>,
    columns: Vec<Column>,
    options: CopyOptions,
    /// Types of a table's columns; a query's are known when it runs.
    types: Option<Vec<SqlType>>,
}

pub(super) fn plan(planning: &Planning<'_>, statement: &Statement) -> SqlResult<super::Plan> {
    let Statement::Copy { source, target, .. } = statement else {
        return Err(SqlError::internal("not a COPY"));
    };
    if !matches!(target, CopyTarget::Stdout) {
        return Err(SqlError::unsupported("COPY TO a file or program of the server").hint("Use COPY … TO STDOUT, or psql's \\copy."));
    }
    let options = super::copy_from::options(planning.parsed, CopyDirection::To, planning.view.reading())?;
    let (statement, types) = match source {
        CopySource::Query(query) => (Statement::Query(query.clone()), None),
        CopySource::Table { table_name, columns } => {
            let name = Name::of(table_name, planning.view.database.name())?;
            let stored = planning.scope.stored(name.schema.as_deref(), &name.name).cloned();
            let mut items = Vec::new();
            let mut types = Vec::new();
            for ident in columns {
                if let Some(table) = &stored {
                    let position = super::assignment::position(table, &fold(ident), ident.span, planning.parsed)?;
                    super::copy_from::refuse_generated(table, position)?;
                    types.push(table.columns[position].sql_type);
                }
                items.push(SelectItem::UnnamedExpr(Expr::Identifier(ident.clone())));
            }
            match &stored {
                Some(table) if columns.is_empty() => {
                    for (_, column) in table.columns.iter().enumerate().filter(|(at, _)| !rules::is_generated(table, *at)) {
                        types.push(column.sql_type);
                        items.push(SelectItem::UnnamedExpr(Expr::Identifier(quoted(&column.name))));
                    }
                }
                None if columns.is_empty() => items.push(SelectItem::Wildcard(Default::default())),
                _ => {}
            }
            let from = rewrite::named(table_name.clone(), &name.name);
            (rewrite::select(None, items, vec![from], None), stored.map(|_| types))
        }
    };
    let Described { shape, columns, .. } = planning.describe(&statement, None, &[])?;
    Ok(super::Plan::CopyTo(Box::new(Plan { shape, columns, options, types })))
}

pub(super) fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let rows = execution.rows(&plan.shape, None)?;
    let columns = &plan.columns;
    let types = plan.types.clone().unwrap_or_else(|| columns.iter().map(|column| column.sql_type).collect());
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let writer = CopyWriter::new(plan.options.clone(), &names, types)?;
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    writer.header(&names, &mut head);
    writer.trailer(&mut tail);
    let is_binary = writer.is_binary();
    // A line of names is a piece of its own; the binary header stands before what comes first, in one piece with it, as readers expect.
    let line = if is_binary { Vec::new() } else { std::mem::take(&mut head) };
    let before = Arc::new(Mutex::new(head));
    let first = Arc::clone(&before);
    let batches = execution.watch.clone().stream(rows.stream);
    let lines = batches.map(move |batch| {
        let batch = batch?;
        let mut bytes = if batch.num_rows() > 0 { taken(&first) } else { Vec::new() };
        let ends = writer.write_batch(&batch, &mut bytes)?;
        Ok(CopyPiece { bytes, ends, rows: batch.num_rows() as u64 })
    });
    let end = futures::stream::once(async move { Ok(whole([taken(&before), tail].concat())) });
    let pieces = futures::stream::iter([Ok(whole(line))]).chain(lines).chain(end);
    Ok(Outcome::CopyOut { columns: columns.len(), is_binary, pieces: pieces.boxed() })
}

fn taken(bytes: &Mutex<Vec<u8>>) -> Vec<u8> {
    std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Bytes that go out at once, if there are any.
fn whole(bytes: Vec<u8>) -> CopyPiece {
    CopyPiece { ends: if bytes.is_empty() { Vec::new() } else { vec![bytes.len()] }, bytes, rows: 0 }
}
