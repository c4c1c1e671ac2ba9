//! Reads again, slowly, all that was sealed and the log above it, and says what is not as it was written.
//!
//! R1: a round reads every recorded segment, every entry bundle, tile and checkpoint that was sealed when it began, and the log as it was then; then the
//!     folds.
//! R2: a segment whose bytes are not the recorded ones is quarantined: who reads it hears XX001, not what it says now. The first round that finds it
//!     whole again opens it anew.
//! R3: damaged folds are made anew from the ledger.
//! R4: what is known are the findings of the newest whole round; one that a stop cuts short leaves none.
//! Never: writes into what it reads; makes a commit wait.

mod history;
mod log;
mod pace;
mod segments;

use std::sync::Arc;
use std::time::Duration;

use base::{RelationId, SqlError, SqlResult};
use parking_lot::{Condvar, Mutex};

use crate::commit::closed;
use crate::ledger::Ledger;
use pace::Pace;

/// From the start of a server to its first round.
const FIRST_AFTER: Duration = Duration::from_secs(60);
/// From the end of a round to the next.
const NEXT_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Path below the ledger's folder.
    pub file: String,
    /// Rows that are in it: table, first row, how many.
    pub rows: Option<(RelationId, u64, u64)>,
    /// What is wrong with it.
    pub why: String,
    /// Whether it has been made anew; what is not must be restored from a copy.
    pub mended: bool,
    /// When it was found, µs since the Unix epoch.
    pub found_us: i64,
}

/// A round, over or still going on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    /// Counted from the server's start, from 1.
    pub number: u64,
    /// When it began, µs since the Unix epoch.
    pub begun_us: i64,
    /// When it ended.
    pub ended_us: Option<i64>,
    /// Files read so far.
    pub files: u64,
    /// Bytes read so far.
    pub bytes: u64,
    /// What is damaged, as far as it is known.
    pub damages: u64,
}

/// What is known of rounds, and that there is one at a time.
#[derive(Debug, Default)]
pub(crate) struct Scrub {
    state: Mutex<State>,
    wake: Condvar,
    running: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    rounds: u64,
    current: Option<Round>,
    last: Option<Round>,
    damages: Vec<Damage>,
}

impl Scrub {
    /// Ends the round that is going on, and the thread.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_all();
    }

    /// Waits so long; false once closed.
    fn wait(&self, duration: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.closed && !duration.is_zero() {
            self.wake.wait_while_for(&mut state, |state| !state.closed, duration);
        }
        !state.closed
    }

    fn begin(&self, now_us: i64) {
        let mut state = self.state.lock();
        state.rounds += 1;
        state.current = Some(Round { number: state.rounds, begun_us: now_us, ended_us: None, files: 0, bytes: 0, damages: 0 });
    }

    fn progress(&self, files: u64, bytes: u64) {
        if let Some(round) = &mut self.state.lock().current {
            round.files += files;
            round.bytes += bytes;
        }
    }

    fn end(&self, now_us: i64, found: Option<Vec<Damage>>) -> Option<Round> {
        let mut state = self.state.lock();
        let round = state.current.take()?;
        let damages = found?;
        let round = Round { ended_us: Some(now_us), damages: damages.len() as u64, ..round };
        (state.damages, state.last) = (damages, Some(round.clone()));
        Some(round)
    }
}

impl Ledger {
    /// Reads all that is sealed again, as fast as the disk gives it. Waits for a round that is going on.
    ///
    /// Errors: what keeps it from reading at all; damage is in the answer, and in [`Ledger::damages`].
    pub fn scrub(self: &Arc<Self>) -> SqlResult<Round> {
        self.scrub_round(None)
    }

    /// The newest whole round and the one that is going on.
    pub fn scrub_rounds(&self) -> Vec<Round> {
        let state = self.scrubbing().state.lock();
        state.last.iter().chain(&state.current).cloned().collect()
    }

    /// What the newest whole round found (R4).
    pub fn damages(&self) -> Vec<Damage> {
        self.scrubbing().state.lock().damages.clone()
    }

    fn scrub_round(self: &Arc<Self>, bytes_per_s: Option<u64>) -> SqlResult<Round> {
        let scrub = self.scrubbing();
        let _one_at_a_time = scrub.running.lock();
        let clock = &self.options().clock;
        scrub.begin(clock.now_us());
        let found = self.look(&mut Pace::new(scrub, &**clock, bytes_per_s));
        let (found, failed) = match found {
            Ok(found) => (Some(found), None),
            Err(error) => (None, Some(error)),
        };
        let round = scrub.end(clock.now_us(), found);
        failed.map_or_else(|| round.ok_or_else(closed), Err)
    }

    fn look(self: &Arc<Self>, pace: &mut Pace<'_>) -> SqlResult<Vec<Damage>> {
        let mut found = segments::look(self, pace)?;
        found.extend(history::look(self, pace)?);
        found.extend(log::look(self, pace)?);
        if self.check_folds()? {
            found.push(self.damage("folds", None, "they were not what the ledger gives".to_owned(), true));
        }
        Ok(found)
    }

    fn damage(&self, file: &str, rows: Option<(RelationId, u64, u64)>, why: String, mended: bool) -> Damage {
        eprintln!("database {}: {file} is damaged: {why}", self.name());
        Damage { file: file.to_owned(), rows, why, mended, found_us: self.options().clock.now_us() }
    }
}

/// Body of the background thread.
pub(crate) fn run(ledger: &Arc<Ledger>) {
    let mut pause = FIRST_AFTER;
    while ledger.scrubbing().wait(pause) {
        if let Err(error) = ledger.scrub_round(Some(ledger.options().scrub_bytes_per_s)) {
            tell(ledger, &error);
        }
        pause = NEXT_AFTER;
    }
}

fn tell(ledger: &Ledger, error: &SqlError) {
    if *error != closed() {
        eprintln!("database {}: what is sealed could not be read again: {error}", ledger.name());
    }
}
