//! Running a plan: batches of matches pushed from step to step, into a sink.
//!
//! Never: plans; holds more than one batch a step, but for what tails remember and paths keep.

mod batch;
mod expand;
mod parts;
mod pathstep;
mod pipeline;
mod sink;
mod weigh;

pub use pipeline::{Actual, Run, run, stream};
pub use sink::{Answer, Take, Value};
