//! The rows of a range of commits, as files of records.
//!
//! Never: holds more than one stored batch a table, and a megabyte of records.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use base::{RelationId, SqlError, SqlResult, SqlState};
use receipts::export::{ExportRow, Manifest, rows_path};
use receipts::{CommitLeaf, Leaf, RowTree, TableSpan};

use super::{Folder, Growing, too_long, within};
use crate::canonical::RowHasher;
use crate::ledger::Ledger;
use crate::schema::TableDef;
use crate::sealing;

const BUFFERED_BYTES_MAX: usize = 1 << 20;

/// Rows on their way into an export.
pub(super) struct Rows<'a> {
    ledger: &'a Ledger,
    out: &'a Folder<'a>,
    /// Of each table the batch that was read last, and its first row.
    batches: HashMap<RelationId, (u64, RecordBatch, Arc<TableDef>)>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(ledger: &'a Ledger, out: &'a Folder<'a>) -> Self {
        Self { ledger, out, batches: HashMap::new() }
    }

    /// Writes one file a bundle; how many rows.
    pub(super) fn write(mut self, range: Range<u64>) -> SqlResult<u64> {
        let mut rows = 0;
        for bundle in (Manifest { first: range.start, end: range.end }).bundles() {
            let mut file = Records { file: self.out.create(&rows_path(bundle))?, buffer: Vec::new() };
            for seq in within(bundle, &range) {
                let bytes = self.ledger.merkle().read().leaf(seq)?;
                if let Leaf::Commit(commit) = Leaf::decode(&bytes).map_err(|error| damaged(seq, &error.to_string()))? {
                    self.write_commit(&commit, &mut file)?;
                    rows += commit.n_rows;
                }
            }
            file.finish()?;
        }
        Ok(rows)
    }

    fn write_commit(&mut self, commit: &CommitLeaf, file: &mut Records<'_>) -> SqlResult<()> {
        let mut tree = RowTree::new();
        for span in &commit.tables {
            let mut row = span.first_row;
            while row < span.first_row + span.rows {
                row += self.write_run(span, row, &mut tree, file)?;
            }
        }
        if tree.root() != commit.row_root {
            return Err(damaged(commit.seq, "its stored rows do not give its row root"));
        }
        Ok(())
    }

    /// Writes the rows of a span from `row` on as far as they lie in one stored batch; how many.
    fn write_run(&mut self, span: &TableSpan, row: u64, tree: &mut RowTree, file: &mut Records<'_>) -> SqlResult<u64> {
        let (first, batch, table) = self.batch_of(RelationId(span.relation), row)?;
        let offset = (row - first) as usize;
        let n = (batch.num_rows() - offset).min((span.first_row + span.rows - row) as usize);
        let hasher = RowHasher::new(&table, &batch, span.first_row)?;
        tree.extend(&hasher.hashes(offset, n));
        let open = sealing::opener(self.ledger.subjects());
        for at in offset..offset + n {
            file.push(&ExportRow { header: hasher.header(at), fields: hasher.shown(at, &open)? })?;
        }
        Ok(n as u64)
    }

    fn batch_of(&mut self, relation: RelationId, row: u64) -> SqlResult<(u64, RecordBatch, Arc<TableDef>)> {
        if let Some((first, batch, table)) = self.batches.get(&relation)
            && (*first..*first + batch.num_rows() as u64).contains(&row)
        {
            return Ok((*first, batch.clone(), Arc::clone(table)));
        }
        let state = self.ledger.table_state(relation);
        let table = self.ledger.table_of_row(&state, row)?;
        let (batch, offset) = self.ledger.stored_batch(&state, row)?;
        let found = (row - offset as u64, batch, table);
        self.batches.insert(relation, found.clone());
        Ok(found)
    }
}

/// A file of records that is written a megabyte at a time.
struct Records<'a> {
    file: Growing<'a>,
    buffer: Vec<u8>,
}

impl Records<'_> {
    fn push(&mut self, row: &ExportRow) -> SqlResult<()> {
        row.encode(&mut self.buffer).map_err(|error| too_long(&error))?;
        if self.buffer.len() >= BUFFERED_BYTES_MAX {
            self.file.append(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> SqlResult<()> {
        self.file.append(&self.buffer)?;
        self.file.finish()
    }
}

fn damaged(seq: u64, why: &str) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("commit {seq} cannot be exported: {why}"))
        .hint("Run shockwave verify fsck on the data folder; it names the first bad position.")
}
