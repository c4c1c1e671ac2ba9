//! The path of a row under the row root of its commit: the ≤ 256 rows of its group hashed anew, the nodes above them looked up.
//!
//! H1: a path is given only if it leads from the row as it is stored to the committed root.
//! H2: the work for one grows as the logarithm of the commit, but for the first receipt of a commit whose tree is neither in memory nor on disk.
//! Never: trusts a node (E1 of row_trees.rs).

use arrow::array::RecordBatch;
use base::{RelationId, SqlError, SqlResult};
use receipts::row_tree::{GROUP_ROWS, GroupTree, group_root, row_path_from_groups, verify_row_path};
use receipts::tree::NodeReader;
use receipts::{CommitLeaf, Hash};

use super::damaged;
use super::row_trees::Work;
use crate::batch_cache::{Part, name_of};
use crate::canonical::row_hashes;
use crate::ledger::Ledger;
use crate::segment::BATCH_ROWS;
use crate::table::TableState;

/// Whether decoded batches are kept for the next receipt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batches {
    Kept,
    /// All rows of a commit pass once and would push everything else out.
    Passing,
}

/// Rows read at a time where all of a commit are: bounds the memory while large reads stay worthwhile.
const ROWS_AT_ONCE: usize = 32 * GROUP_ROWS;

impl Ledger {
    /// See the module. Errors: XX001 where stored rows are not the committed ones.
    pub(super) fn row_path(&self, seq: u64, commit: &CommitLeaf, index: u64) -> SqlResult<Vec<Hash>> {
        let group_rows = GROUP_ROWS as u64;
        let first = index / group_rows * group_rows;
        let hashes = self.commit_row_hashes(seq, commit, (first, (first + group_rows).min(commit.n_rows)), Batches::Kept)?;
        let own = hashes[(index - first) as usize];
        let path_by = |nodes: &dyn NodeReader| {
            let path = row_path_from_groups(index, commit.n_rows, &hashes, &nodes).map_err(|error| error.to_string())?;
            let is_right = verify_row_path(&own, index, commit.n_rows, &path, &commit.row_root);
            if is_right { Ok(path) } else { Err("its stored rows do not give its row root".to_owned()) }
        };
        if commit.n_rows <= group_rows {
            return path_by(&GroupTree::of(vec![group_root(&hashes)])).map_err(|why| damaged(seq, &why));
        }
        if let Some(known) = self.row_trees().find(seq, commit.n_rows) {
            if let Ok(path) = path_by(&known) {
                return Ok(path);
            }
            self.row_trees().forget(seq);
        }
        let computed = self.row_tree_of(seq, commit)?;
        if computed.root() != commit.row_root {
            return Err(damaged(seq, "its stored rows do not give its row root"));
        }
        path_by(&self.row_trees().add_computed(seq, commit.n_rows, computed)).map_err(|why| damaged(seq, &why))
    }

    /// The tree over the groups of a commit, computed from all its rows.
    fn row_tree_of(&self, seq: u64, commit: &CommitLeaf) -> SqlResult<GroupTree> {
        let mut roots = Vec::new();
        for first in (0..commit.n_rows).step_by(ROWS_AT_ONCE) {
            let rows = (first, (first + ROWS_AT_ONCE as u64).min(commit.n_rows));
            let hashes = self.commit_row_hashes(seq, commit, rows, Batches::Passing)?;
            roots.extend(hashes.chunks(GROUP_ROWS).map(group_root));
        }
        Ok(GroupTree::of(roots))
    }

    /// Hashes of rows `[first, end)` of a commit, computed from what is stored.
    fn commit_row_hashes(&self, seq: u64, commit: &CommitLeaf, (first, end): (u64, u64), batches: Batches) -> SqlResult<Vec<Hash>> {
        let mut hashes = Vec::with_capacity((end - first) as usize);
        let mut span_start = 0;
        for span in &commit.tables {
            let (from, to) = (first.max(span_start), end.min(span_start + span.rows));
            if from < to {
                let state = self.table_state(RelationId(span.relation));
                let mut row = span.first_row + (from - span_start);
                let stop = span.first_row + (to - span_start);
                while row < stop {
                    row += self.hash_run(&state, (row, stop), span.first_row, batches, &mut hashes)?;
                }
            }
            span_start += span.rows;
        }
        if hashes.len() as u64 != end - first {
            return Err(damaged(seq, "rows are missing"));
        }
        Work::add(&self.row_trees().work.rows_hashed, end - first);
        Ok(hashes)
    }

    /// Hashes rows from `row` on as far as they lie in one stored batch; how many.
    fn hash_run(
        &self,
        state: &TableState,
        (row, stop): (u64, u64),
        span_first: u64,
        batches: Batches,
        hashes: &mut Vec<Hash>,
    ) -> SqlResult<u64> {
        if let Some(stub) = state.segment(row).filter(|segment| segment.expired_at().is_some()) {
            let of_stub = stub.hashes_from(row, stop - row)?;
            let n = of_stub.len() as u64;
            hashes.extend(of_stub);
            return Ok(n);
        }
        let table = self.table_of_row(state, row)?;
        let (batch, offset) = match batches {
            Batches::Kept => self.proven_batch(state, row)?,
            Batches::Passing => self.stored_batch(state, row)?,
        };
        let n = ((batch.num_rows() - offset) as u64).min(stop - row);
        hashes.extend(row_hashes(&table, &batch.slice(offset, n as usize), span_first, self.options().hash_threads)?);
        Ok(n)
    }

    /// The batch that holds a row, with all that its hash covers, and the row's offset in it; decoded batches of segments are kept for the next receipt.
    ///
    /// Errors: as [`Ledger::stored_batch`].
    pub(super) fn proven_batch(&self, state: &TableState, row: u64) -> SqlResult<(RecordBatch, usize)> {
        // A row moves from tail to segment once; looking in this order twice cannot miss it.
        for _ in 0..2 {
            if let Some(chunk) = state.tail_chunk(row) {
                return Ok((chunk.batch.clone(), (row - chunk.first_row) as usize));
            }
            if let Some(segment) = state.segment(row) {
                let offset = (row - segment.first_row()) as usize;
                let index = offset / BATCH_ROWS;
                let name = name_of(&segment, index, Part::Hashed);
                let columns: Vec<usize> = (0..segment.table().columns.len() + 3).collect();
                let read = || {
                    let batch = segment.read(index, Some(&columns))?;
                    Work::add(&self.row_trees().work.rows_decoded, batch.num_rows() as u64);
                    Ok(batch)
                };
                return Ok((self.batches().get(name, read)?, offset % BATCH_ROWS));
            }
        }
        Err(SqlError::internal(format!("row {row} of relation {} does not exist", state.id)))
    }
}
