//! Graph functions over a projection, each to the definition of LDBC Graphalytics 1.0 where that has one.
//!
//! Never: sees an edge whose end does not exist; goes on once cancelled.

mod breadth;
mod clustering;
mod components;
mod cores;
mod labels;
mod pagerank;
mod projection;
mod shortest;

pub use projection::{Edges, Projection, View};
