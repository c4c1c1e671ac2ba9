//! The first rows of a sort, and MIN and MAX, out of an index: a rule over operators, after all others.
//!
//! - `first`: what is looked for in the operators, and what takes its place;
//! - `exec`: the operator that reads the index, and falls back on what it took the place of.
//!
//! Never: takes away the plan that answers without an index.

mod exec;
mod first;

pub(crate) use exec::TopByIndexExec;
pub(crate) use first::TopByIndex;
