//! COPY … FROM STDIN: the client's bytes straight into columns of the table.
//!
//! F1: memory is bounded by one batch of rows, whatever the length of the data; large writes go ahead into the log as they come.
//! Never: reads a file of the server's machine or runs a program.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{TableDef, Transaction};
use sqlparser::ast::{CopySource, CopyTarget, Statement};

use super::Planning;
use super::assignment::whole_rows;
use crate::copy::{CopyDirection, CopyOptions, CopyParser};
use crate::names::{Name, fold};
use crate::parse::Parsed;
use crate::resolver::Scope;
use crate::session::BlockOfCopy;
use crate::session::cancel::Watch;

/// Rows handed to the engine at once.
const BATCH_ROWS: usize = 32_768;

/// A COPY FROM whose names were found when it was planned.
#[derive(Debug)]
pub(crate) struct Plan;

pub(super) fn plan(planning: &Planning<'_>, _statement: &Statement) -> SqlResult<super::Plan> {
    bind(planning.parsed, planning.scope, planning.view.database.name())?;
    Ok(super::Plan::CopyFrom(Plan))
}

/// Where the rows go: the table, the positions of the columns listed, how the data is written.
struct Bound {
    table: Arc<TableDef>,
    positions: Vec<usize>,
    options: CopyOptions,
}

fn bind(parsed: &Parsed, scope: &Scope, database: &str) -> SqlResult<Bound> {
    let Statement::Copy { source, target, .. } = &*parsed.statement else {
        return Err(SqlError::internal("not a COPY"));
    };
    if !matches!(target, CopyTarget::Stdin) {
        return Err(SqlError::unsupported("COPY FROM a file or program of the server").hint("Use COPY … FROM STDIN, or psql's \\copy."));
    }
    let CopySource::Table { table_name, columns } = source else {
        return Err(SqlError::unsupported("COPY (query) FROM"));
    };
    let name = Name::of(table_name, database)?;
    let table = scope.writable(&name).map_err(|error| parsed.point(error, name.span))?;
    let mut positions = Vec::with_capacity(columns.len());
    for ident in columns {
        let column = fold(ident);
        let position = super::assignment::position(table, &column, ident.span, parsed)?;
        if positions.contains(&position) {
            let error = SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{column}\" specified more than once"));
            return Err(parsed.point(error, ident.span));
        }
        positions.push(position);
    }
    if columns.is_empty() {
        positions = (0..table.columns.len()).collect();
    }
    Ok(Bound { table: Arc::clone(table), positions, options: options(parsed, CopyDirection::From)? })
}

/// The options as written. Errors: 22023, 0A000, 42601.
pub(super) fn options(parsed: &Parsed, direction: CopyDirection) -> SqlResult<CopyOptions> {
    let list: Vec<(&str, Option<&str>)> = parsed.copy_options.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    CopyOptions::from_list(direction, &list)
}

/// Begins a COPY; names are looked up again, in the transaction it runs in.
pub(crate) fn start(parsed: &Parsed, scope: &Scope, database: &str, watch: Watch) -> SqlResult<Sink> {
    let Bound { table, positions, options } = bind(parsed, scope, database)?;
    let columns = positions.iter().map(|at| (table.columns[*at].name.clone(), table.columns[*at].sql_type)).collect();
    let parser = CopyParser::new(options, &table.name, columns, BATCH_ROWS);
    Ok(Sink { parser, table, positions, watch })
}

/// Rows on their way into a table.
pub(crate) struct Sink {
    parser: CopyParser,
    table: Arc<TableDef>,
    positions: Vec<usize>,
    watch: Watch,
}

impl Sink {
    fn feed(&mut self, transaction: &mut Transaction, bytes: Option<&[u8]>) -> SqlResult<u64> {
        self.watch.check()?;
        let Self { parser, table, positions, watch } = self;
        let mut insert = |arrays: Vec<arrow::array::ArrayRef>, rows: usize| -> SqlResult<()> {
            watch.check()?;
            let given = positions.iter().copied().zip(arrays).collect();
            transaction.insert(table, &whole_rows(table, rows, given)?)
        };
        match bytes {
            Some(bytes) => parser.push(bytes, &mut insert).map(|()| 0),
            None => parser.finish(&mut insert),
        }
    }

    /// Ends the data; the rows in all.
    pub(crate) fn finish(mut self, transaction: &mut Transaction) -> SqlResult<u64> {
        self.feed(transaction, None)
    }
}

/// A COPY that waits for the client's data. Dropping it forgets every row of it.
pub struct CopyIn {
    pub(crate) sink: Sink,
    pub(crate) transaction: Transaction,
    pub(crate) block: Option<BlockOfCopy>,
}

impl CopyIn {
    /// Columns of a line.
    pub fn column_count(&self) -> usize {
        self.sink.positions.len()
    }

    /// Whether the data is in the binary format; this version has none.
    pub fn is_binary(&self) -> bool {
        false
    }

    /// Takes the next bytes, cut anywhere. Blocks while it computes and while the log takes rows in.
    ///
    /// Errors: 22P04 and the like for bad data, 23502, 23505, 57014; then only [`crate::Session::abort_copy`] makes sense.
    pub fn push(&mut self, bytes: &[u8]) -> SqlResult<()> {
        self.sink.feed(&mut self.transaction, Some(bytes)).map(drop)
    }
}
