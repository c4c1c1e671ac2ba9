//! A session in the past: while `shockwave.as_of` is set, its statements read the ledger as it was then, and write nothing.
//!
//! P1: a transaction that has written does not leave the present.
//! P2: where the moment cannot be read, statements fail; they never read the present instead.
//! Never: reads the past of temporary tables: they have none.

use base::{SqlError, SqlResult, SqlState};
use engine::{Isolation, Snapshot, Transaction};

use super::Session;
use crate::settings::AS_OF;
use crate::statements::Plan;

impl Session {
    /// The snapshot that `shockwave.as_of` names, if it names one. Errors: 22023, XX001.
    pub(super) fn moment(&self) -> SqlResult<Option<Snapshot>> {
        self.settings.as_of().map(|as_of| as_of.moment(&self.database.ledger)).transpose()
    }

    /// Takes an open transaction to where the session is by now. Errors: 25001 (P1), and as [`Session::moment`].
    pub(super) fn place(&self, transaction: &mut Transaction, isolation: Isolation) -> SqlResult<()> {
        match self.moment()? {
            None if transaction.is_past() => *transaction = self.begin(isolation)?,
            None => {}
            Some(moment) => {
                if !transaction.is_read_only() {
                    let message = format!("{AS_OF} cannot be set in a transaction that has written");
                    return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message)
                        .hint("COMMIT or ROLLBACK first; what a transaction has written is not in the past."));
                }
                transaction.travel(moment);
            }
        }
        Ok(())
    }

    /// Whether the moment can be gone to, as SET finds out. Errors: 22023, XX001.
    pub(super) fn check_moment(&self, name: &str) -> SqlResult<()> {
        if name.eq_ignore_ascii_case(AS_OF) { self.moment().map(drop) } else { Ok(()) }
    }

    /// 25006 for a statement that would write where nothing may be written, or in the past.
    pub(super) fn refuse_write(&self, plan: &Plan, read_only: bool) -> SqlResult<()> {
        let Some(verb) = plan.write_verb() else { return Ok(()) };
        let refused = |place: &str| SqlError::new(SqlState::READ_ONLY_SQL_TRANSACTION, format!("cannot execute {verb} in {place}"));
        match self.settings.as_of() {
            _ if read_only => Err(refused("a read-only transaction")),
            Some(as_of) => Err(refused("the past")
                .detail(format!("The session reads the database as of {as_of}."))
                .hint(format!("RESET {AS_OF} returns to the present."))),
            None => Ok(()),
        }
    }
}
