//! EXPIRE: removes the values of sealed rows that nobody has to keep and nobody sees any more, and leaves proof of what they were.
//!
//! X1: a segment goes as a whole, once all its rows are ended (or its table is dropped), the guard lets go of the newest of them (`retention.rs`), and
//!     with a moment given, had ended by then: what is read as of that moment or later is complete.
//! X2: order: the stub is durable, then a commit puts it in the segment's place in `ledger.segments`, then the segment is removed. A crash leaves either
//!     state: before the commit a stub that nobody names, after it a segment that the next start or EXPIRE removes.
//! X3: the commit is the asker's, and is refused if a retention or a hold was set since the guard looked.
//! Never: removes what is not the recorded bytes; touches the ledger's own tables.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::AsArray;
use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};

use crate::catalog::{SEGMENTS_TABLE, is_own_table};
use crate::ledger::Ledger;
use crate::retention::{Guard, Kept, Ruling};
use crate::sealed_files::{recorded, removable};
use crate::sealer;
use crate::segment::{Segment, SegmentInfo, stub};
use crate::table::TableState;
use crate::transaction::Transaction;

/// How often it begins again where another commit got in between.
const ATTEMPTS_MAX: usize = 8;

/// What is to be removed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    /// Of these tables; `None`: of all that have a retention, dropped ones among them.
    pub tables: Option<Vec<RelationId>>,
    /// Only what had ended by this commit (X1).
    pub before: Option<CommitSeq>,
}

/// What was removed, and what would have been if nothing had kept it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Expired {
    /// Segments removed.
    pub segments: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes, less those of the stubs.
    pub bytes: u64,
    /// The commit that says so; `None` if nothing was removed.
    pub commit: Option<CommitSeq>,
    /// Tables of which ended rows are kept, and why.
    pub kept: Vec<(String, Kept)>,
}

impl Ledger {
    /// Seals what is published, then removes what may go (X1).
    ///
    /// Errors: XX001 where a segment is not as it was recorded; 40001 where others commit definitions all the time; 53100, 58030. After a 58030 of the
    /// removal itself the commit stands, and the removal goes on with the next EXPIRE or start.
    pub fn expire(self: &Arc<Self>, actor: &str, wanted: &Wanted) -> SqlResult<Expired> {
        self.seal()?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.sealer().between_seals(|| self.expire_once(actor, wanted)) {
                Err(error) if error.state() == SqlState::SERIALIZATION_FAILURE && attempts < ATTEMPTS_MAX => {}
                Err(error) => return Err(error),
                // Whoever copies sealed files is waited for here, where seals go on.
                Ok((expired, gone)) => return self.remove_files(&gone).map(|()| expired),
            }
        }
    }

    /// What was expired, and the files to be removed.
    fn expire_once(self: &Arc<Self>, actor: &str, wanted: &Wanted) -> SqlResult<(Expired, Vec<PathBuf>)> {
        let mut gone = settled(self)?;
        let mut transaction = self.begin(actor);
        let guard = transaction.guard()?;
        let mut expired = Expired::default();
        let chosen = self.choose(&transaction, &guard, wanted, &mut expired)?;
        if chosen.is_empty() {
            return Ok((expired, gone));
        }
        let recorded = recorded(&transaction)?;
        let (mut rows, mut infos, mut stubs) = (Vec::new(), Vec::new(), Vec::new());
        for (state, segment) in &chosen {
            let file = segment.file();
            let (row, blake3) = recorded.get(&file).ok_or_else(|| SqlError::internal(format!("{file} is not in ledger.segments")))?;
            if segment.blake3() != *blake3 {
                return Err(SqlError::new(
                    SqlState::DATA_CORRUPTED,
                    format!("\"{}\" is not what ledger.segments says it is", segment.path().display()),
                )
                .detail("Nothing was removed: what it was could not be proved any more.")
                .hint("Restore the file from a copy whose BLAKE3 equals ledger.segments."));
            }
            let info = self.write_stub(segment)?;
            stubs.push((Arc::clone(state), self.open_stub(&info)?));
            expired.segments += 1;
            expired.rows += segment.rows();
            expired.bytes += segment.bytes().saturating_sub(info.bytes);
            rows.push(*row);
            infos.push(info);
        }
        transaction.update(&SEGMENTS_TABLE, &rows, &sealer::rows_of(&infos)?)?;
        expired.commit = transaction.commit_blocking()?.map(|committed| committed.seq);
        stubs.into_iter().for_each(|(state, stub)| self.put_stub(&state, stub));
        gone.extend(chosen.iter().map(|(_, segment)| segment.path().to_owned()));
        Ok((expired, gone))
    }

    /// X1.
    fn choose(
        &self,
        transaction: &Transaction,
        guard: &Guard,
        wanted: &Wanted,
        expired: &mut Expired,
    ) -> SqlResult<Vec<(Arc<TableState>, Arc<Segment>)>> {
        let Some(now) = transaction.snapshot().seq else { return Ok(Vec::new()) };
        let by = wanted.before.map_or(now, |before| before.min(now));
        let mut chosen = Vec::new();
        for ruling in guard.rulings().tables() {
            let id = ruling.table.id;
            let is_wanted = match &wanted.tables {
                Some(tables) => tables.contains(&id),
                None => ruling.table.rules.retention.is_some(),
            };
            if !is_wanted || is_own_table(id) {
                continue;
            }
            let state = self.table_state(id);
            let mut kept = None;
            for segment in state.layout().segments.iter().filter(|segment| segment.expired_at().is_none()) {
                if !is_gone(&state, segment, ruling, by)? {
                    continue;
                }
                match guard.keeps(id, CommitSeq(segment.commits()?.1))? {
                    None => chosen.push((Arc::clone(&state), Arc::clone(segment))),
                    why => kept = why,
                }
            }
            expired.kept.extend(kept.map(|why| (ruling.table.name.clone(), why)));
        }
        Ok(chosen)
    }

    fn write_stub(&self, segment: &Segment) -> SqlResult<SegmentInfo> {
        let id = segment.table().id;
        let first_of = |seq| {
            let missing = || SqlError::new(SqlState::DATA_CORRUPTED, format!("the leaf of commit {seq} names no rows of relation {id}"));
            self.rows_of(CommitSeq(seq), id)?.map(|(first, _)| first).ok_or_else(missing)
        };
        let (size, threads) = (self.checkpoint().state.size, self.options().hash_threads);
        stub::write(&*self.options().io, self.folder(), segment, (size, threads), first_of)
    }

    /// A stub as it was recorded. Errors: XX001 where its bytes are others.
    fn open_stub(&self, info: &SegmentInfo) -> SqlResult<Arc<Segment>> {
        open_recorded(self, &info.file, &info.blake3)
    }

    /// Puts a stub in the place of its segment (S4 of segment.rs).
    fn put_stub(&self, state: &TableState, stub: Arc<Segment>) {
        let (first, rows) = (stub.first_row(), stub.rows());
        state.exchange_segments(&[stub]);
        self.batches().forget(state.id, first, rows);
    }

    /// Refuses to read a table as of a commit that saw rows of it whose values have expired. Errors: 72000; XX001 where a segment is damaged.
    pub fn check_unexpired(&self, table: RelationId, seq: CommitSeq) -> SqlResult<()> {
        // X1: the newest moment sees none of them.
        if self.snapshot().seq == Some(seq) {
            return Ok(());
        }
        let state = self.table_state(table);
        for stub in state.layout().segments.iter().filter(|segment| segment.expired_at().is_some()) {
            if stub.commits()?.0 <= seq.0
                && state.ended_in(stub.first_row(), stub.first_row() + stub.rows(), seq.0)?.len() < rows_by(stub, seq)?
            {
                return Err(stub.expired());
            }
        }
        Ok(())
    }
}

/// How many rows of a stub were there after a commit.
fn rows_by(stub: &Segment, seq: CommitSeq) -> SqlResult<usize> {
    let commits_at = stub.table().columns.len() + 3;
    let mut rows = 0;
    for index in 0..stub.batches() {
        let batch = stub.read(index, Some(&[commits_at]))?;
        rows += batch.column(0).as_primitive::<arrow::datatypes::UInt64Type>().values().partition_point(|commit| *commit <= seq.0);
    }
    Ok(rows)
}

/// Whether nobody who reads as of `by` or later sees a row of it (X1).
fn is_gone(state: &TableState, segment: &Segment, ruling: &Ruling, by: CommitSeq) -> SqlResult<bool> {
    if let Some(dropped) = ruling.dropped {
        return Ok(dropped <= by.0);
    }
    let (first, rows) = (segment.first_row(), segment.rows());
    Ok(state.ended_in(first, first + rows, by.0)?.len() as u64 == rows)
}

fn open_recorded(ledger: &Ledger, file: &str, blake3: &str) -> SqlResult<Arc<Segment>> {
    let path = ledger.folder().join(file);
    let stub = Segment::open(&*ledger.options().io, &path)?;
    if stub.blake3() != blake3 || stub.expired_at().is_none() {
        return Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is not what ledger.segments says it is", path.display()))
            .hint("Restore the file from a copy whose BLAKE3 equals ledger.segments."));
    }
    Ok(Arc::new(stub))
}

/// Ends what an EXPIRE that was broken off has committed (X2), and refuses stubs that no commit put in the place of their segments.
///
/// Errors: XX001; 58030.
pub(crate) fn settle(ledger: &Arc<Ledger>) -> SqlResult<()> {
    ledger.remove_files(&settled(ledger)?)
}

/// The files to be removed for it, and those that were merged into others and are kept no longer.
fn settled(ledger: &Arc<Ledger>) -> SqlResult<Vec<PathBuf>> {
    let mut recorded_once = None;
    let mut gone = Vec::new();
    for state in ledger.table_states() {
        for segment in state.layout().segments.iter() {
            let (whole, stub) = (segment.name().whole().file(state.id), segment.name().stub().file(state.id));
            let is_stub = segment.expired_at().is_some();
            if !is_stub && !ledger.options().io.exists(&ledger.folder().join(&stub)) {
                continue;
            }
            if recorded_once.is_none() {
                recorded_once = Some(recorded(&ledger.begin("shockwave"))?);
            }
            match recorded_once.as_ref().and_then(|recorded| recorded.get(&stub)) {
                Some((_, blake3)) => {
                    if !is_stub {
                        ledger.put_stub(&state, open_recorded(ledger, &stub, blake3)?);
                    }
                    gone.push(ledger.folder().join(&whole));
                }
                // A stub that no commit names: its EXPIRE was broken off before.
                None if !is_stub => {}
                None => {
                    return Err(SqlError::new(
                        SqlState::DATA_CORRUPTED,
                        format!("segment \"{}\" is missing", ledger.folder().join(&whole).display()),
                    )
                    .detail("There is a stub of it, and no commit says that it has expired.")
                    .hint("Restore the file from a copy whose BLAKE3 equals ledger.segments."));
                }
            }
        }
    }
    gone.extend(removable(ledger, &ledger.table_states())?);
    gone.retain(|path| ledger.options().io.exists(path));
    Ok(gone)
}
