//! The trait behind everything that is derived from the ledger.
//!
//! F1: a fold's state is a function of the commits it was given, in order; thrown away and fed again it answers the same.
//! F2: a fold applies a commit before readers can see it, and answers for older snapshots afterwards as before.
//! Never: is asked whether a commit may happen.

use base::{CommitSeq, SqlResult};

use crate::table::TailChunk;

/// The rows one commit added to one table.
#[derive(Debug)]
pub struct AppliedTable<'a> {
    /// Dense from the table's former end.
    pub chunks: &'a [TailChunk],
}

/// One commit as folds see it.
#[derive(Debug)]
pub struct AppliedCommit<'a> {
    /// Its place in the ledger.
    pub seq: CommitSeq,
    /// One entry for each table with new rows.
    pub tables: &'a [AppliedTable<'a>],
}

/// Derived state, fed commit by commit from the single committer thread and read from any thread.
pub trait Fold: Send + Sync + std::fmt::Debug {
    /// Short name for logs and `ledger.*` views.
    fn name(&self) -> &'static str;

    /// Takes one more commit in. Errors stop the ledger's writes: a fold that cannot follow must not answer.
    fn apply(&self, commit: &AppliedCommit<'_>) -> SqlResult<()>;
}
