//! Sealed files as `ledger.segments` names them, and the removal of those whose rows have expired or lie in others.
//!
//! F1: a file is removed only while nobody copies sealed files, and its folder is synced after.
//! Never: decides what expires or is merged (`expire.rs`, `merging.rs`); removes a file that holds the only copy of a row.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use base::{CommitSeq, RowId, SqlError, SqlResult};
use hashbrown::HashMap;

use crate::catalog::SEGMENTS_TABLE;
use crate::failure::io_failed;
use crate::ledger::Ledger;
use crate::retention::Guard;
use crate::segment::Segment;
use crate::segment::name::SegmentName;
use crate::table::TableState;
use crate::transaction::Transaction;

impl Ledger {
    /// Removes files that others are recorded in the place of (F1). Errors: 58030; the next start or EXPIRE goes on with it.
    pub(crate) fn remove_files(&self, paths: &[PathBuf]) -> SqlResult<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let _nobody_copies = self.sealer().removing();
        let io = &*self.options().io;
        let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
        for path in paths.iter().filter(|path| io.exists(path)) {
            io.remove(path).map_err(|error| removal_failed(io_failed("remove", path, error)))?;
        }
        for folder in folders {
            io.sync_dir(folder).map_err(|error| removal_failed(io_failed("sync folder", folder, error)))?;
        }
        Ok(())
    }
}

fn removal_failed(error: SqlError) -> SqlError {
    error.hint("What is to be removed is committed; the next EXPIRE or start of the server goes on.")
}

/// Row and BLAKE3 of every file that is there, as `ledger.segments` has it.
pub(crate) fn recorded(transaction: &Transaction) -> SqlResult<HashMap<String, (RowId, String)>> {
    let mut all = HashMap::new();
    for chunk in transaction.view(&SEGMENTS_TABLE).scan(&[0, 8], true) {
        let batch = chunk.read()?;
        let (files, hashes) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        let rows = batch.column(2).as_primitive::<Int64Type>();
        all.extend(
            (0..batch.num_rows())
                .map(|at| (files.value(at).to_owned(), (RowId(rows.value(at).cast_unsigned()), hashes.value(at).to_owned()))),
        );
    }
    Ok(all)
}

/// Files of these tables whose rows lie in others and that nothing keeps any more. Errors: 58030, XX001.
pub(crate) fn removable(ledger: &Arc<Ledger>, states: &[Arc<TableState>]) -> SqlResult<Vec<PathBuf>> {
    let io = &*ledger.options().io;
    let mut guard: Option<Guard> = None;
    let mut gone = Vec::new();
    for state in states {
        let layout = state.layout().segments;
        let dir = ledger.folder().join(format!("segments/{}", state.id));
        if layout.is_empty() || !io.exists(&dir) {
            continue;
        }
        for name in SegmentName::all(&io.list(&dir).map_err(|error| io_failed("list", &dir, error))?) {
            let at = layout.partition_point(|segment| segment.end() <= name.first_row);
            let Some(holds) = layout.get(at).filter(|holds| holds.name() != name) else { continue };
            let path = ledger.folder().join(name.file(state.id));
            if holds.expired_at().is_some() {
                gone.push(path);
                continue;
            }
            // One that cannot be read says nothing of what keeps it.
            let Ok(newest) = Segment::open(io, &path).and_then(|segment| segment.commits()) else { continue };
            if guard.is_none() {
                guard = Some(ledger.guard()?);
            }
            let is_kept = match &guard {
                Some(guard) if !name.is_stub => guard.keeps(state.id, CommitSeq(newest.1))?.is_some(),
                _ => true,
            };
            if !is_kept {
                gone.push(path);
            }
        }
    }
    Ok(gone)
}
