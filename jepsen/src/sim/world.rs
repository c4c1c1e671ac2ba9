//! The simulated machine: disk, clock and randomness of one seed, and the data folder on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{SeededRng, SimClock, SimIo, SqlResult};
use engine::{FIRST_DATABASE, Memory, Options, Server};

/// Size of a log file. A workload seals well before three are there, so the background sealer never has work.
const WAL_FILE_BYTES: u64 = 1 << 20;
const START_US: i64 = 1_700_000_000_000_000;

/// A machine; clones share its disk.
#[derive(Clone, Debug)]
pub struct World {
    /// The disk.
    pub io: SimIo,
    /// What servers on it are opened with.
    pub options: Options,
}

impl World {
    /// An empty machine: every draw of disk, salts, keys and ids comes from `seed`.
    pub fn new(seed: u64) -> Self {
        Self::on(SimIo::new(seed), seed)
    }

    /// A machine with this disk, its own draws from `seed`.
    pub fn on(io: SimIo, seed: u64) -> Self {
        let options = Options {
            io: Arc::new(io.clone()),
            expressions: Arc::new(engine::NoExpressions),
            clock: Arc::new(SimClock::new(START_US, 7)),
            rng: Arc::new(SeededRng::new(seed ^ 0x005a_1ead)),
            wal_file_bytes: WAL_FILE_BYTES,
            hash_threads: 1,
            memory: Memory {
                memtable_bytes: 4 << 10,
                blocks_bytes: 64 << 10,
                batches_bytes: 1 << 16,
                staging_bytes: 64 << 10,
                graphs_bytes: 0,
                queries_bytes: 0,
            },
            fold_threads: false,
            scrub_bytes_per_s: 0,
            use_uring: false,
        };
        Self { io, options }
    }

    /// The same disk after a power loss, as another boot of the machine.
    pub fn restarted(&self, seed: u64) -> Self {
        self.io.restart();
        Self::on(self.io.clone(), seed)
    }

    /// A second machine with the same disk content, all of it durable.
    pub fn copy(&self, seed: u64) -> Self {
        Self::on(self.io.copy(seed), seed)
    }

    /// The data folder.
    pub fn folder() -> &'static Path {
        Path::new("/data")
    }

    /// The first database's folder.
    pub fn ledger_folder() -> PathBuf {
        Self::folder().join("ledgers").join(FIRST_DATABASE)
    }

    /// Opens a server. Errors: the engine's.
    pub fn open(&self) -> SqlResult<Server> {
        Server::open(Self::folder(), self.options.clone())
    }
}
