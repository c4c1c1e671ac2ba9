//! Derived state that outgrows memory: keys and ended rows, in a log-structured tree beside the ledger.
//!
//! In reading order: the names that things have in the tree; what is too large for memory; what a commit does to them; what of the past they answer for;
//! the tree and its folder.
//!
//! Never: a second truth. Whatever is in here follows from the rows, and is thrown away where it might not.

pub(crate) mod changes;
pub(crate) mod names;
pub(crate) mod staged;
pub(crate) mod store;
pub(crate) mod whole;

pub(crate) use changes::{Changes, Commits};
pub(crate) use names::Name;
pub(crate) use store::FoldStore;
