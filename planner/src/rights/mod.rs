//! What roles may do: the arithmetic of privileges over one catalog, without names and without statements.
//!
//! Never: knows a statement or a search path.

pub(crate) mod access;
pub(crate) mod things;

/// How much of a table may be read.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    Whole,
    /// By position.
    Columns(Vec<bool>),
}
