//! The memory that a way through joins holds, out of the run's pool.
//!
//! Never: holds more than the pool gave.

use std::fmt;

use base::SqlResult;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use crate::errors;
use crate::slot::Slot;
use crate::table::links::RunMemory;

/// See the module.
pub(super) struct Held(MemoryReservation);

impl Held {
    pub(super) fn new(slot: &Slot) -> Self {
        Self(MemoryConsumer::new("Graph").register(slot.context().memory_pool()))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl RunMemory for Held {
    fn take(&self, bytes: usize) -> SqlResult<()> {
        self.0.try_grow(bytes).map_err(|error| errors::unplaced(&error))
    }

    fn give(&self, bytes: usize) {
        self.0.shrink(bytes.min(self.0.size()));
    }
}
