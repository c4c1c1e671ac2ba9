//! What must not be removed yet: rows within their table's retention, and those of tables under a legal hold.
//!
//! G1: whoever removes bytes of rows, or makes them unreadable, asks the guard first. Nobody passes it, superusers included.
//! G2: a dropped table is under its last definition's retention, and under its holds.
//! G3: the time that decides is the ledger's (`ledger_time.rs`), and where witnesses are asked never later than what they have signed.
//! Never: removes anything; knows a role.

mod rulings;

use std::fmt;
use std::sync::Arc;

use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};
use receipts::Leaf;
use receipts::cosignature::WitnessKey;
use receipts::note::Note;

pub use rulings::{Held, Ruling, Rulings};

use crate::catalog::CATALOG;
use crate::ledger::Ledger;
use crate::ledger_time::Counted;
use crate::period::{Mode, Retention};
use crate::transaction::Transaction;

/// Why something is kept, and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// A retention.
    Until {
        /// Which.
        retention: Retention,
        /// When it ends, µs since 1970-01-01 UTC, by the ledger's time (G3).
        until_us: i64,
    },
    /// A legal hold, until it is released.
    Hold {
        /// Its name.
        name: String,
        /// Why it was set.
        reason: Option<String>,
    },
}

impl Kept {
    /// The error for somebody who wanted to do `what` («expire rows of table "t"»): 55000.
    pub fn error(&self, what: impl fmt::Display) -> SqlError {
        let error = SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("cannot {what}"));
        let text = self.to_string();
        let detail = format!("{}{}.", text[..1].to_uppercase(), &text[1..]);
        match self {
            Self::Until { retention, .. } => error.detail(detail).hint(match retention.mode {
                Mode::Governance => "Wait until it has passed; a member of shockwave_custodian can shorten it with ALTER TABLE.",
                Mode::Compliance => "Nobody can before it has passed.",
            }),
            Self::Hold { .. } => error.detail(detail).hint("DROP LEGAL HOLD releases it."),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until { retention, .. } => write!(f, "they are kept for {} ({} mode)", retention.period, retention.mode.name()),
            Self::Hold { name, reason: None } => write!(f, "legal hold \"{name}\" is on them"),
            Self::Hold { name, reason: Some(reason) } => write!(f, "legal hold \"{name}\" is on them ({reason})"),
        }
    }
}

/// What may be removed as of one moment; see the module.
#[derive(Debug)]
pub struct Guard {
    ledger: Arc<Ledger>,
    rulings: Rulings,
    counted: Counted,
    now_us: i64,
}

impl Ledger {
    /// The guard as of now, to be looked at; who removes something asks [`Transaction::guard`]. The first one of a process reads every leaf.
    ///
    /// Errors: XX001 for unreadable leaves or definitions.
    pub fn guard(self: &Arc<Self>) -> SqlResult<Guard> {
        self.guard_at(self.checkpoint().state.size)
    }

    fn guard_at(self: &Arc<Self>, size: u64) -> SqlResult<Guard> {
        let counted = self.count_time()?;
        let mut now_us = counted.now(self.options().clock.now_us());
        if let Some(witnessed_us) = self.witnessed_us() {
            now_us = now_us.min(witnessed_us);
        }
        Ok(Guard { rulings: Rulings::read(self, size)?, ledger: Arc::clone(self), counted, now_us })
    }

    /// The ledger's time along all published commits.
    fn count_time(&self) -> SqlResult<Counted> {
        let mut counted = self.counted().lock();
        let size = self.checkpoint().state.size;
        while counted.size() < size {
            for leaf in self.merkle().read().leaves_from(counted.size())?.iter().take((size - counted.size()) as usize) {
                let leaf = Leaf::decode(leaf).map_err(|error| {
                    SqlError::new(SqlState::DATA_CORRUPTED, format!("a leaf is unreadable: {error}"))
                        .hint("Run shockwave verify fsck on the data folder.")
                })?;
                counted.count(leaf.time_us());
            }
        }
        Ok(counted.clone())
    }

    /// The earliest time on the newest cosigned checkpoint, of the witnesses that are asked; `None` where none are, or none has answered yet.
    fn witnessed_us(&self) -> Option<i64> {
        let note = Note::parse(&self.cosigned()?.note).ok()?;
        let times = self.witnesses().into_iter().filter_map(|witness| {
            let seconds = WitnessKey::parse(&witness.key).ok()?.cosigned(&note).ok()??;
            Some(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000))
        });
        times.min()
    }

    /// Refuses what would take the ledger away while something of it must be kept (G1). Errors: 55000.
    pub(crate) fn check_removable(self: &Arc<Self>) -> SqlResult<()> {
        let guard = self.guard()?;
        for ruling in guard.rulings.tables() {
            let Some(newest) = self.table_state(ruling.table.id).newest_commit()? else { continue };
            if let Some(kept) = guard.keeps(ruling.table.id, newest)? {
                let of = if ruling.dropped.is_some() { "dropped table" } else { "table" };
                let rows = format!("rows of {of} \"{}\" in it must be kept", ruling.table.name);
                return Err(kept.error(format!("drop database \"{}\": {rows}", self.name())));
            }
        }
        Ok(())
    }
}

impl Transaction {
    /// The guard for what this transaction removes: its commit is refused with 40001 if a retention or a hold was set meanwhile.
    ///
    /// Errors: as [`Ledger::guard`].
    pub fn guard(&mut self) -> SqlResult<Guard> {
        self.rely_on(CATALOG);
        let size = self.snapshot().seq.map_or(0, |seq| seq.0 + 1);
        self.ledger().guard_at(size)
    }
}

impl Guard {
    /// What keeps rows of a table, the newest of which is of this commit; `None` if they may be removed. Errors: 22023, XX001.
    pub fn keeps(&self, table: RelationId, newest: CommitSeq) -> SqlResult<Option<Kept>> {
        if let Some(held) = self.rulings.holds().iter().find(|held| held.released.is_none() && held.hold.tables.contains(&table)) {
            return Ok(Some(Kept::Hold { name: held.hold.name.clone(), reason: held.hold.reason.clone() }));
        }
        let Some(retention) = self.rulings.of(table).and_then(|ruling| ruling.table.rules.retention) else { return Ok(None) };
        let until_us = retention.period.after(self.counted.of(newest.0, self.ledger.time_of(newest)?));
        Ok((self.now_us < until_us).then_some(Kept::Until { retention, until_us }))
    }

    /// [`Guard::keeps`] as an error for somebody who wants to do `what`. Errors: 55000.
    pub fn may_remove(&self, table: RelationId, newest: CommitSeq, what: impl fmt::Display) -> SqlResult<()> {
        self.keeps(table, newest)?.map_or(Ok(()), |kept| Err(kept.error(what)))
    }

    /// The time that decides, µs since 1970-01-01 UTC (G3).
    pub fn now_us(&self) -> i64 {
        self.now_us
    }

    /// What is ruled.
    pub fn rulings(&self) -> &Rulings {
        &self.rulings
    }
}
