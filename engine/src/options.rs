//! What a server is opened with: the doors to disk, time and randomness, and sizes.

use std::sync::Arc;

use base::{Clock, Io, OsRng, RealClock, RealIo, Rng};

use crate::memory::Memory;
use crate::schema::{Expressions, NoExpressions};

/// Options of a data folder; [`Options::real`] for a server, simulated twins for tests.
#[derive(Clone, Debug)]
pub struct Options {
    /// File system.
    pub io: Arc<dyn Io>,
    /// What computes the expressions that keys are over. Default [`NoExpressions`], for ledgers that have none.
    pub expressions: Arc<dyn Expressions>,
    /// Time of commits.
    pub clock: Arc<dyn Clock>,
    /// Salts, keys, ids.
    pub rng: Arc<dyn Rng>,
    /// Size of a log file, bytes; 1 MiB or more. Default 64 MiB.
    pub wal_file_bytes: u64,
    /// Threads that hash the rows of one large write; 1 or more. Default: the machine's cores, at most 8.
    pub hash_threads: usize,
    /// How much memory is for what.
    pub memory: Memory,
    /// Whether threads write the folds to disk and compact them. Default true; without them whoever commits does, step by step, so that a simulated
    /// run can be replayed.
    pub fold_threads: bool,
    /// How fast what is sealed is read again in the background, bytes a second; 0 is not at all. Default 16 MiB.
    pub scrub_bytes_per_s: u64,
    /// Whether the log may use io_uring where the kernel offers it. Default true.
    pub use_uring: bool,
}

impl Options {
    /// What computes the expressions that keys are over.
    pub fn expressions(&self) -> &dyn Expressions {
        &*self.expressions
    }

    /// Real disk, clock and randomness.
    pub fn real() -> Self {
        Self {
            io: Arc::new(RealIo),
            expressions: Arc::new(NoExpressions),
            clock: Arc::new(RealClock),
            rng: Arc::new(OsRng),
            wal_file_bytes: 64 << 20,
            hash_threads: std::thread::available_parallelism().map_or(1, usize::from).min(8),
            memory: Memory::default(),
            fold_threads: true,
            scrub_bytes_per_s: 16 << 20,
            use_uring: true,
        }
    }
}
