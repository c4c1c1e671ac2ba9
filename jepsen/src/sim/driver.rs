//! Runs a seed's workload against the engine and keeps what clients were told.
//!
//! R1: what a seed does next depends on the seed and on answers, so two runs are the same until a fault gives another answer.
//! R2: a commit that got an I/O error for an answer is uncertain: afterwards it is there whole or not at all, in log order.
//! Never: goes on after a violation.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use base::{SqlError, SqlState};
use engine::{Committed, FIRST_DATABASE, Ledger, Server, Transaction};

use super::evidence::Pinned;
use super::world::World;
use crate::dice::Dice;
use crate::model::{Delta, Model, Row};
use crate::tables::{NAMES, difference};

/// A commit is answered within this, or the engine hangs.
pub const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Written since the last seal, after which the workload seals: two log files are never full.
const UNSEALED_BYTES_MAX: u64 = 900_000;

/// Why a run stops.
#[derive(Debug)]
pub enum Halt {
    /// The engine broke a promise.
    Violation(String),
    /// The planned fault reached a client as this error.
    Fault(SqlError),
}

/// A run's result, one operation's or all's.
pub type Run<T = ()> = Result<T, Halt>;

/// A violation with this text.
pub fn violation<T>(what: impl Into<String>) -> Run<T> {
    Err(Halt::Violation(what.into()))
}

/// An engine's error as what it means for the run: the disk's errors are faults, all others were not asked for.
pub fn halted(doing: &str, error: SqlError) -> Halt {
    match error.state() {
        SqlState::IO_ERROR | SqlState::DISK_FULL => Halt::Fault(error),
        state => Halt::Violation(format!("{doing}: unexpected error {state:?}: {}", error.message())),
    }
}

/// Whether a transaction may be told this because another was first.
pub fn is_conflict(error: &SqlError) -> bool {
    [SqlState::SERIALIZATION_FAILURE, SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE].contains(&error.state())
}

/// An open transaction: the engine's, and the model's view of it.
#[derive(Debug)]
pub struct Session {
    /// The engine's.
    pub transaction: Transaction,
    /// The model when it began.
    pub seen: Model,
    /// What it has done since.
    pub delta: Delta,
}

/// A row whose receipt can be asked for: commit, row in it, what it must hold.
#[derive(Clone, Debug)]
pub struct AckedRow {
    /// Commit.
    pub seq: u64,
    /// Row in the commit.
    pub index: u64,
    /// Its values.
    pub row: Row,
}

/// A workload being run; see the module.
#[derive(Debug)]
pub struct Driver {
    /// The machine.
    pub world: World,
    /// The open server, if any.
    pub server: Option<Server>,
    /// Draws of the workload.
    pub dice: Dice,
    /// All acknowledged commits applied.
    pub model: Model,
    /// The model after each acknowledged commit.
    pub history: Vec<(u64, Model)>,
    /// Commits whose answer was an I/O error, in the order submitted (R2).
    pub uncertain: Vec<Delta>,
    /// Rows whose commits were acknowledged.
    pub acked_rows: Vec<AckedRow>,
    /// Keys and the newest checkpoint that a client has seen.
    pub pinned: Option<Pinned>,
    /// Open transactions.
    pub sessions: Vec<Session>,
    /// What was done, a line each; printed as it happens with `loud`.
    pub loud: bool,
    pub(super) versions: u64,
    pub(super) unsealed_bytes: u64,
    pub(super) bulk_left: u32,
}

impl Driver {
    /// A workload that begins with what `model` says is there. `salt` tells phases of one seed apart.
    pub fn new(world: World, seed: u64, salt: u64, model: Model, loud: bool) -> Self {
        Self {
            world,
            server: None,
            dice: Dice::new(seed, salt),
            model,
            history: Vec::new(),
            uncertain: Vec::new(),
            acked_rows: Vec::new(),
            pinned: None,
            sessions: Vec::new(),
            loud,
            versions: (salt + 1) << 32,
            unsealed_bytes: 0,
            bulk_left: 2,
        }
    }

    pub(super) fn say(&self, line: impl FnOnce() -> String) {
        if self.loud {
            println!("{:>6}  {}", self.world.io.steps(), line());
        }
    }

    /// The open ledger. A violation where none is.
    pub fn ledger(&self) -> Run<Arc<Ledger>> {
        match self.server.as_ref().and_then(|server| server.ledger(FIRST_DATABASE)) {
            Some(ledger) => Ok(ledger),
            None => violation("no ledger is open"),
        }
    }

    /// Opens the server and checks that all acknowledged rows are there.
    pub fn open(&mut self) -> Run {
        self.say(|| "open".into());
        self.server = Some(self.world.open().map_err(|error| halted("open", error))?);
        self.pin()?;
        self.verify()
    }

    /// Remembers the newest checkpoint as a client would, after making sure that the keys stay the same.
    pub fn pin(&mut self) -> Run {
        let ledger = self.ledger()?;
        let pinned = Pinned::of(&ledger);
        if let Some(before) = &self.pinned {
            before.precedes(&pinned).map_err(Halt::Violation)?;
        }
        self.pinned = Some(pinned);
        Ok(())
    }

    /// Runs `operations` operations, opening first if need be.
    pub fn run(&mut self, operations: u32) -> Run {
        if self.server.is_none() {
            self.open()?;
        }
        for _ in 0..operations {
            self.operation()?;
        }
        Ok(())
    }

    /// One operation of the workload.
    pub fn operation(&mut self) -> Run {
        if self.unsealed_bytes > UNSEALED_BYTES_MAX {
            return self.seal();
        }
        if self.model.tables.is_empty() {
            return self.create_table();
        }
        match self.dice.below(100) {
            0..12 => self.begin(),
            12..50 => self.session_statement(),
            50..66 => self.session_commit(),
            66..69 => self.session_rollback(),
            69..79 => self.group(),
            79..84 => self.bulk(),
            84..88 => self.create_table(),
            88..90 => self.drop_table(),
            90..93 => self.verify(),
            93..97 => self.seal(),
            _ => self.reopen(),
        }
    }

    fn begin(&mut self) -> Run {
        if self.sessions.len() >= 3 {
            return self.session_commit();
        }
        let transaction = self.ledger()?.begin("session");
        self.say(|| format!("begin ({} open)", self.sessions.len() + 1));
        self.sessions.push(Session { transaction, seen: self.model.clone(), delta: Delta::default() });
        Ok(())
    }

    fn session_commit(&mut self) -> Run {
        if self.sessions.is_empty() {
            return self.begin();
        }
        let at = self.dice.below(self.sessions.len() as u64) as usize;
        let Session { transaction, delta, .. } = self.sessions.swap_remove(at);
        self.commit(transaction, &delta)
    }

    fn session_rollback(&mut self) -> Run {
        self.say(|| "rollback".into());
        self.sessions.pop();
        Ok(())
    }

    /// Commits and takes the answer.
    pub(super) fn commit(&mut self, transaction: Transaction, delta: &Delta) -> Run {
        let (sender, receiver) = mpsc::channel();
        // Both ways of deciding must hold; which one is the seed's choice.
        let done = Box::new(move |answer| {
            // The receiver waits below.
            let _ = sender.send(answer);
        });
        if self.dice.percent(50) {
            transaction.commit_here(done);
        } else {
            transaction.commit(done);
        }
        let Ok(answer) = receiver.recv_timeout(ANSWER_MAX) else { return violation("a commit was never answered") };
        self.answered(answer, delta)
    }

    /// Compares an answer with what the model says must be answered, and takes note of it.
    pub(super) fn answered(&mut self, answer: Result<Option<Committed>, SqlError>, delta: &Delta) -> Run {
        let conflict = self.model.conflict(delta);
        match answer {
            Ok(None) if delta.is_empty() => Ok(()),
            Ok(None) => violation("a transaction with writes was answered as if it had none"),
            Ok(Some(committed)) => {
                if let Some(why) = conflict {
                    return violation(format!("commit {} was accepted though {why}", committed.seq));
                }
                self.accepted(&committed, delta)
            }
            Err(error) if is_conflict(&error) => {
                self.say(|| format!("commit refused: {}", error.message()));
                match conflict {
                    None if self.uncertain.is_empty() => violation(format!("a commit was refused without a conflict: {}", error.message())),
                    _ => Ok(()),
                }
            }
            Err(error) => {
                self.say(|| format!("commit failed: {}", error.message()));
                self.uncertain.push(delta.clone());
                Err(halted("commit", error))
            }
        }
    }

    fn accepted(&mut self, committed: &Committed, delta: &Delta) -> Run {
        let seq = committed.seq.0;
        self.say(|| format!("commit {seq}: {} rows", committed.rows));
        if self.history.last().is_some_and(|(last, _)| *last >= seq) {
            return violation(format!("commit {seq} was acknowledged after a later one"));
        }
        if !self.uncertain.is_empty() {
            return violation(format!("commit {seq} was accepted after a commit had failed"));
        }
        self.model.apply(delta);
        self.unsealed_bytes += 1_200 + committed.rows * 90;
        if committed.rows == 1
            && let Some(row) = single_insert(delta)
        {
            self.acked_rows.push(AckedRow { seq, index: 0, row });
        }
        self.history.push((seq, self.model.clone()));
        self.pin()?;
        match &self.pinned {
            Some(pinned) if pinned.size > seq => Ok(()),
            _ => violation(format!("commit {seq} was acknowledged before a signed checkpoint covered it")),
        }
    }

    /// Everything visible is what the model says, now and in every open transaction.
    pub fn verify(&mut self) -> Run {
        self.say(|| format!("verify {} rows", self.model.row_count()));
        let now = self.ledger()?.begin("reader");
        self.compare(&now, &self.model, "now")?;
        for (at, session) in self.sessions.iter().enumerate() {
            self.compare(&session.transaction, &session.seen.with(&session.delta), &format!("in session {at}"))?;
        }
        Ok(())
    }

    fn compare(&self, transaction: &Transaction, model: &Model, when: &str) -> Run {
        match difference(transaction, model) {
            Ok(None) => Ok(()),
            Ok(Some(difference)) => violation(format!("{when}: {difference}")),
            Err(error) => violation(format!("{when}: {}", error.message())),
        }
    }

    /// Seals explicitly.
    pub fn seal(&mut self) -> Run {
        self.say(|| "seal".into());
        self.ledger()?.seal().map_err(|error| halted("seal", error))?;
        self.unsealed_bytes = 0;
        self.pin()
    }

    fn reopen(&mut self) -> Run {
        if !self.uncertain.is_empty() {
            // What became of them is for the check after the fault to find out.
            return self.verify();
        }
        let seal = self.dice.percent(50);
        self.say(|| format!("close{}", if seal { " with a seal" } else { "" }));
        self.close(seal)?;
        if seal {
            self.unsealed_bytes = 0;
        }
        self.open()
    }

    /// Closes the server as a good shutdown does.
    pub fn close(&mut self, seal: bool) -> Run {
        self.sessions.clear();
        let Some(server) = self.server.take() else { return Ok(()) };
        let closed = if seal { server.shutdown() } else { server.close_unsealed() };
        closed.map_err(|error| halted("close", error))
    }

    /// Ends the server's threads, whatever state its disk is in.
    pub fn abandon(&mut self) {
        self.sessions.clear();
        if let Some(server) = self.server.take() {
            // The disk may be gone; only the threads have to end.
            let _ = server.close_unsealed();
        }
    }

    pub(super) fn next_row(&mut self) -> Row {
        self.versions += 1;
        let body = (!self.dice.percent(10)).then(|| format!("body {} {}", self.versions, "x".repeat(self.dice.below(30) as usize)));
        let n = (!self.dice.percent(10)).then(|| self.dice.below(1_000) as i32);
        Row { body, n, version: self.versions }
    }

    fn create_table(&mut self) -> Run {
        let missing: Vec<_> = NAMES.iter().filter(|(name, _)| !self.model.tables.contains_key(*name)).copied().collect();
        let Some((name, kind)) = missing.first().copied() else { return self.session_statement() };
        self.define_table(name, kind)
    }
}

/// The row of a transaction that inserts one row and does nothing else.
fn single_insert(delta: &Delta) -> Option<Row> {
    let mut tables = delta.tables.values();
    let (table, None) = (tables.next()?, tables.next()) else { return None };
    let mut keys = table.keys.values();
    let (change, None) = (keys.next()?, keys.next()) else { return None };
    (table.created.is_none() && change.base.is_none()).then(|| change.row.clone())?
}
