//! How fast a round reads.
//!
//! Never: waits longer than it takes to stop a server.

use std::time::Duration;

use base::{Clock, SqlResult};

use super::Scrub;
use crate::commit::closed;

/// Of one round.
pub(super) struct Pace<'a> {
    scrub: &'a Scrub,
    clock: &'a dyn Clock,
    bytes_per_s: Option<u64>,
    begun_ns: u64,
    bytes: u64,
}

impl<'a> Pace<'a> {
    /// At most so many bytes a second; `None` is without limit.
    pub(super) fn new(scrub: &'a Scrub, clock: &'a dyn Clock, bytes_per_s: Option<u64>) -> Self {
        Self { scrub, clock, bytes_per_s, begun_ns: clock.monotonic_ns(), bytes: 0 }
    }

    /// To be told of what was read; waits until it was not too much. Errors: 57P01 when the server stops.
    pub(super) fn read(&mut self, files: u64, bytes: u64) -> SqlResult<()> {
        self.bytes += bytes;
        self.scrub.progress(files, bytes);
        let due = self.bytes_per_s.map_or(0.0, |rate| self.bytes as f64 / rate.max(1) as f64);
        let passed = Duration::from_nanos(self.clock.monotonic_ns().saturating_sub(self.begun_ns));
        let early = Duration::from_secs_f64(due).saturating_sub(passed);
        if self.scrub.wait(early) { Ok(()) } else { Err(closed()) }
    }
}
