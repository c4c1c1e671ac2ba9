//! What EXPIRE leaves of a segment: no value and no salt, but for each row its hash, what it did, what it ended, and its commit.
//!
//! B1: hashes are those under the row root of each commit, so every commit is verified as before, and receipts of other rows are made as before.
//! B2: it says which rows were ended by those that are gone, so folds are made anew from it.
//! B3: nothing of a value can be found out from it: each was hashed with a salt of 16 random bytes, which is gone too.
//! Never: made of a segment whose bytes are not the recorded ones.
//! Format: docs/formats/segment.md, «stubs».

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use base::{Io, SqlError, SqlResult, SqlState};
use receipts::Hash;

use super::{BATCH_ROWS, Segment, SegmentFile, SegmentInfo, damaged};
use crate::canonical::row_hashes;
use crate::failure::arrow_failed;
use crate::schema::{COMMIT, OP, SUPERSEDES, TableDef};

/// What the footer says of a stub: the number of commits that there were.
pub(super) const MARK: &str = "shockwave.expired";
const HASH: &str = "_hash";

/// The columns of a stub.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(HASH, DataType::FixedSizeBinary(32), false),
        Field::new(OP, DataType::UInt8, false),
        Field::new(SUPERSEDES, DataType::UInt64, true),
        Field::new(COMMIT, DataType::UInt64, false),
    ]))
}

/// Where columns of the segment are in its stub; `None` if one of them has expired.
pub(super) fn places(table: &TableDef, asked: Option<&[usize]>) -> Option<Vec<usize>> {
    let salt = table.columns.len();
    asked?.iter().map(|at| (*at > salt).then(|| at - salt)).collect()
}

/// Writes the stub of a segment, durably. `first_of` gives the first row that a commit wrote into the table.
///
/// Errors: XX001 where the segment cannot be read; as [`super::write`].
pub(crate) fn write(
    io: &dyn Io,
    ledger_dir: &Path,
    segment: &Segment,
    (size, threads): (u64, usize),
    first_of: impl Fn(u64) -> SqlResult<u64>,
) -> SqlResult<SegmentInfo> {
    let file = SegmentFile {
        name: segment.name().stub(),
        table: &segment.table,
        schema: schema(),
        commits: segment.commits()?,
        mark: Some((MARK, size.to_string())),
    };
    file.write(io, ledger_dir, (0..segment.batches()).map(|index| batch(segment, index, threads, &first_of)))
}

fn batch(segment: &Segment, index: usize, threads: usize, first_of: impl Fn(u64) -> SqlResult<u64>) -> SqlResult<RecordBatch> {
    let stored = segment.read(index, None)?;
    let n = segment.table.columns.len();
    let commits = stored.column(n + 3).as_primitive::<UInt64Type>().values();
    let mut hashes: Vec<Hash> = Vec::with_capacity(stored.num_rows());
    for run in commits.chunk_by(|a, b| a == b) {
        let slice = stored.slice(hashes.len(), run.len());
        hashes.extend(row_hashes(&segment.table, &slice, first_of(run[0])?, threads)?);
    }
    let hashes = FixedSizeBinaryArray::try_from_iter(hashes.iter()).map_err(|error| arrow_failed("make a stub", &error))?;
    let hidden = (n + 1..n + 4).map(|at| Arc::clone(stored.column(at)));
    let columns: Vec<ArrayRef> = std::iter::once(Arc::new(hashes) as ArrayRef).chain(hidden).collect();
    RecordBatch::try_new(schema(), columns).map_err(|error| arrow_failed("make a stub", &error))
}

impl Segment {
    /// The hashes of a stub's batch (B1). Errors: XX001 for damage, XX000 for a segment that is whole.
    pub(crate) fn hashes(&self, index: usize) -> SqlResult<Vec<Hash>> {
        if self.expired_at.is_none() {
            return Err(SqlError::internal("only stubs hold hashes"));
        }
        let batch = self.read_stored(index, Some(&[0]))?;
        let hashes = batch.column(0).as_fixed_size_binary_opt();
        let hashes = hashes.filter(|hashes| hashes.value_length() == 32).ok_or_else(|| damaged(&self.path, "no hashes"))?;
        Ok((0..hashes.len()).map(|at| hashes.value(at).try_into().unwrap_or_default()).collect())
    }

    /// The hashes of rows from `row` on, at most `rows` and at most to the end of their batch.
    pub(crate) fn hashes_from(&self, row: u64, rows: u64) -> SqlResult<Vec<Hash>> {
        let offset = (row - self.first_row) as usize;
        let hashes = self.hashes(offset / BATCH_ROWS)?;
        Ok(hashes.into_iter().skip(offset % BATCH_ROWS).take(usize::try_from(rows).unwrap_or(usize::MAX)).collect())
    }

    /// The error for whoever asks for values that are gone: 72000.
    pub(crate) fn expired(&self) -> SqlError {
        let (table, last) = (&self.table, self.first_row + self.rows - 1);
        let message = format!("rows {} to {last} of table \"{}\" have expired", self.first_row, table.name);
        SqlError::new(SqlState::SNAPSHOT_TOO_OLD, message)
            .detail("EXPIRE removed their values; their hashes are kept, so receipts and proofs are as they were.")
            .hint("Read a later moment. ledger.expired says which rows of which tables have expired, and by which commit.")
            .table(&table.schema, &table.name)
    }
}
