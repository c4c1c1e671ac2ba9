//! A build that proves nothing, for one figure of the bench: what share of a COPY the receipts take (`cargo xtask bench proofs`).
//!
//! U1: only the feature `unproven` makes it one; no other build has a way to it.
//! U2: such a build opens no folder that holds a ledger, so it cannot spoil one, and any other build finds what it wrote tampered with.
//! Never: on in a build that somebody keeps rows in.

use base::{SqlError, SqlResult, SqlState};

/// Whether rows are salted and hashed, as they are in every build but that one.
pub(crate) const IS_PROVEN: bool = !cfg!(feature = "unproven");

/// U2. Errors: 55000 in a build without proofs.
pub(crate) fn may_open_what_is_there() -> SqlResult<()> {
    if IS_PROVEN {
        return Ok(());
    }
    Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "this build proves nothing and opens no ledger that is there already")
        .hint("It is for cargo xtask bench proofs. Build the server without the feature unproven."))
}
