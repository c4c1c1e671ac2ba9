//! Behaviour of the graph: it answers as the naive matcher does, whatever the plan, the delta and the commit asked for.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests read data files directly")]

mod data;
mod draw;
mod fold;
mod functions;
mod hostile;
mod lsqb;
mod model;
mod naive;
mod oracle;
mod queries;
mod shapes;
mod storage;
