//! A COPY FROM STDIN that is under way: the client's bytes, the parser, the transaction the rows go into.
//!
//! F1: memory is bounded by one batch of rows, whatever the length of the data; large writes go ahead into the log as they come.
//! Never: commits; waits for the client.

use std::sync::Arc;

use arrow::array::ArrayRef;
use base::SqlResult;
use engine::{TableDef, Transaction};

use crate::cancel::Watch;
use crate::copy::CopyParser;
use crate::rules::Guard;

/// A COPY that waits for the client's data. Dropping it forgets every row of it.
pub struct CopyIn(Box<Inner>);

struct Inner {
    parser: CopyParser,
    table: Arc<TableDef>,
    positions: Vec<usize>,
    guard: Guard,
    transaction: Transaction,
    watch: Watch,
}

impl CopyIn {
    pub(crate) fn new(
        parser: CopyParser,
        table: Arc<TableDef>,
        positions: Vec<usize>,
        guard: Guard,
        transaction: Transaction,
        watch: Watch,
    ) -> Self {
        Self(Box::new(Inner { parser, table, positions, guard, transaction, watch }))
    }

    /// Columns of a line.
    pub fn column_count(&self) -> usize {
        self.0.positions.len()
    }

    /// Whether the data is in the binary format.
    pub fn is_binary(&self) -> bool {
        self.0.parser.is_binary()
    }

    /// Takes the next bytes, cut anywhere. Blocks while it computes and while the log takes rows in.
    ///
    /// Errors: 22P04 and the like for bad data, 23502, 23505, 57014; then only [`crate::Session::abort_copy`] makes sense.
    pub fn push(&mut self, bytes: &[u8]) -> SqlResult<()> {
        self.0.feed(Some(bytes)).map(drop)
    }

    /// Ends the data: the rows in all, and the transaction that holds them.
    pub(crate) fn finish(mut self) -> SqlResult<(u64, Transaction)> {
        let rows = self.0.feed(None)?;
        self.0.transaction.check_references()?;
        Ok((rows, self.0.transaction))
    }
}

impl Inner {
    fn feed(&mut self, bytes: Option<&[u8]>) -> SqlResult<u64> {
        self.watch.check()?;
        let Self { parser, table, positions, guard, transaction, watch } = self;
        let mut insert = |arrays: Vec<ArrayRef>, rows: usize| -> SqlResult<()> {
            watch.check()?;
            let given = positions.iter().copied().zip(arrays).collect();
            let rows = guard.settle(guard.complete(rows, given)?)?;
            transaction.insert(table, &rows)
        };
        match bytes {
            Some(bytes) => parser.push(bytes, &mut insert).map(|()| 0),
            None => parser.finish(&mut insert),
        }
    }
}
