//! Joins small sealed files of a table into larger ones, so that a table that was written a row at a time is read like one that was loaded at once.
//!
//! J1: a merged file is a new one, durable and read back before a commit puts it in the place of the others in `ledger.segments`: that row supersedes one
//!     of theirs, and the same commit ends the rest. Rows, their ids and their commits stay, so no proof changes.
//! J2: nothing is merged that is not the recorded bytes, that has expired, or that was written under another definition.
//! J3: files that were merged go only when the guard lets go of the newest row in them (`retention.rs`); until then they stay beside the new one.
//! J4: a crash leaves either state: before the commit a file that nobody names, which the next start removes, after it files that somebody still has to
//!     remove.
//! J5: a row is written anew at most once for each sixteenfold its file grows, and only once where the old files are kept.
//! Never: keeps a seal waiting for longer than one merge takes; changes an answer.

mod due;
mod settle;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{CommitSeq, RowId, SqlError, SqlResult, SqlState};

pub(crate) use due::Pace;
pub(crate) use settle::settle;

use crate::catalog::SEGMENTS_TABLE;
use crate::ledger::Ledger;
use crate::sealed_files::recorded;
use crate::sealer::{self, ACTOR};
use crate::segment::name::SegmentName;
use crate::segment::rebatch::Rebatched;
use crate::segment::{self, Segment, SegmentInfo, SegmentRows};
use crate::table::TableState;
use crate::transaction::Transaction;

/// What merging has done.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Merged {
    /// Files that were merged.
    pub from: u64,
    /// Files that they became.
    pub into: u64,
}

impl Ledger {
    /// Merges what is due, until nothing is or the sealer has something to do.
    ///
    /// Errors: XX001 where `ledger.segments` does not name a file; 53100, 58030; nothing is lost by any of them.
    pub fn merge_segments(self: &Arc<Self>) -> SqlResult<Merged> {
        let mut merged = Merged::default();
        for state in self.table_states() {
            while let Some(run) = self.next_run(&state)? {
                match self.sealer().between_seals(|| self.merge(&state, &run)) {
                    Ok(gone) => self.remove_files(&gone)?,
                    // A retention or a hold was set meanwhile, or a file is not as it was: it is looked at again after the next seal.
                    Err(error) if error.state() == SqlState::SERIALIZATION_FAILURE => break,
                    Err(error) => return Err(error),
                }
                merged.from += run.len() as u64;
                merged.into += 1;
                if self.sealer().is_wanted() {
                    return Ok(merged);
                }
            }
        }
        Ok(merged)
    }

    fn next_run(self: &Arc<Self>, state: &TableState) -> SqlResult<Option<Vec<Arc<Segment>>>> {
        let segments = state.layout().segments;
        // The guard reads definitions: it is asked where something may be due.
        if due::first(&segments, &Pace::Free)?.is_none() {
            return Ok(None);
        }
        let pace = Pace::of(self, state.id)?;
        Ok(due::first(&segments, &pace)?.map(|run| segments[run].to_vec()))
    }

    /// Merges these files; which of them may go.
    fn merge(self: &Arc<Self>, state: &TableState, run: &[Arc<Segment>]) -> SqlResult<Vec<PathBuf>> {
        let mut transaction = self.begin(ACTOR);
        let guard = transaction.guard()?;
        let rows = self.recorded_rows(&transaction, run)?;
        let info = self.write_merged(run)?;
        let path = self.folder().join(&info.file);
        let put = Segment::open(&*self.options().io, &path).and_then(|opened| {
            if opened.blake3() != info.blake3 {
                return Err(SqlError::new(SqlState::IO_ERROR, format!("\"{}\" is not read as it was written", path.display())));
            }
            put_in_place(&mut transaction, &rows, &info)?;
            Ok(opened)
        });
        let merged = put.inspect_err(|_| self.drop_unnamed(&path))?;
        transaction.commit_blocking().inspect_err(|error| {
            // Of any other failure the next start knows whether the commit is there, which names the file.
            if error.state() == SqlState::SERIALIZATION_FAILURE {
                self.drop_unnamed(&path);
            }
        })?;
        let (first, rows) = (merged.first_row(), merged.rows());
        state.exchange_segments(&[Arc::new(merged)]);
        self.batches().forget(state.id, first, rows);
        let mut gone = Vec::new();
        for segment in run {
            if guard.keeps(state.id, CommitSeq(segment.commits()?.1))?.is_none() {
                gone.push(segment.path().to_owned());
            }
        }
        Ok(gone)
    }

    /// Removes a file that no commit names; where that fails, the next start does.
    fn drop_unnamed(&self, path: &Path) {
        let _ = self.options().io.remove(path);
    }

    /// The rows of `ledger.segments` that name these files (J2). Errors: 40001 for a file of other bytes, which is not read from here on.
    fn recorded_rows(&self, transaction: &Transaction, run: &[Arc<Segment>]) -> SqlResult<Vec<RowId>> {
        let recorded = recorded(transaction)?;
        let row_of = |segment: &Arc<Segment>| {
            let file = segment.file();
            let (row, blake3) = recorded.get(&file).ok_or_else(|| SqlError::internal(format!("{file} is not in ledger.segments")))?;
            if segment.blake3() == *blake3 {
                return Ok(*row);
            }
            segment.quarantine();
            self.batches().forget(segment.table().id, segment.first_row(), segment.rows());
            eprintln!("database {}: {file} is not what ledger.segments says it is, and was not merged", self.name());
            Err(SqlError::new(SqlState::SERIALIZATION_FAILURE, format!("\"{}\" is damaged", segment.path().display())))
        };
        run.iter().map(row_of).collect()
    }

    fn write_merged(&self, run: &[Arc<Segment>]) -> SqlResult<SegmentInfo> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Err(SqlError::internal("nothing to merge")) };
        let batches = run.iter().flat_map(|segment| (0..segment.batches()).map(|index| segment.read(index, None)));
        let rows = SegmentRows {
            table: first.table(),
            commits: (first.commits()?.0, last.commits()?.1),
            name: SegmentName::merged(first.first_row(), last.end() - first.first_row()),
        };
        segment::write(&*self.options().io, self.folder(), &rows, Rebatched::new(batches))
    }
}

/// J1: in the place of the first, and of the others nothing.
fn put_in_place(transaction: &mut Transaction, rows: &[RowId], merged: &SegmentInfo) -> SqlResult<()> {
    let Some((first, others)) = rows.split_first() else { return Err(SqlError::internal("nothing was merged")) };
    if !others.is_empty() {
        transaction.delete(&SEGMENTS_TABLE, others)?;
    }
    transaction.update(&SEGMENTS_TABLE, &[*first], &sealer::rows_of(std::slice::from_ref(merged))?)
}
