//! Joins that a [`crate::table::links`] knows a way through: a rule over operators, after all others, and the operator that takes it.
//!
//! - `tree`: a tree of joins over scans, read from operators;
//! - `find`: what is looked for, and what takes its place;
//! - `exec`: the operator, which decides in each run, and falls back on the joins that it took the place of;
//! - `passing`: rows of a relation that pass its own conditions;
//! - `rows`: columns of rows by their numbers, conditions over them, and batches of both;
//! - `held`: the memory that a run holds.
//!
//! Never: takes away the joins.

mod exec;
mod find;
mod held;
mod passing;
mod rows;
mod tree;

pub(crate) use exec::AlongEdgesExec;
pub(crate) use find::AlongEdges;
