//! What is asked for, and what all engines are given alike.

/// Sizes of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number of keys.
    pub keys: u64,
    /// Bytes of a value.
    pub value_bytes: usize,
    /// Rounds, of which the median counts.
    pub rounds: usize,
    /// Whether values are random throughout; otherwise half of each is.
    pub random_values: bool,
    only: Option<String>,
}

/// Bytes of a key.
pub const KEY_BYTES: usize = 16;
/// Operations of a batch.
pub const BATCH: usize = 100;
/// Bytes of a memtable, for all.
pub const MEMTABLE_BYTES: usize = 16 << 20;
/// Size of level 1 and of a run, for those that can be told. Small, so that the data fills three levels.
pub const LEVEL_BYTES: u64 = 64 << 20;
/// As [`LEVEL_BYTES`].
pub const RUN_BYTES: u64 = 16 << 20;
/// Names of the engines.
pub const ENGINES: [&str; 3] = ["lsm", "rocksdb", "fjall"];

impl Settings {
    /// From the command line.
    pub fn from_args(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut settings = Self { keys: 2_000_000, value_bytes: 64, rounds: 3, random_values: false, only: None };
        let mut args = args;
        while let Some(arg) = args.next() {
            let mut number = || args.next().and_then(|n| n.parse::<u64>().ok()).ok_or(format!("{arg} needs a number"));
            match arg.as_str() {
                "--keys" => settings.keys = number()?,
                "--value" => settings.value_bytes = number()? as usize,
                "--rounds" => settings.rounds = number()?.max(1) as usize,
                "--random-values" => settings.random_values = true,
                "--only" => settings.only = args.next(),
                other => return Err(format!("unknown: {other}")),
            }
        }
        Ok(settings)
    }

    /// The engines that run.
    pub fn engines(&self) -> Vec<&'static str> {
        ENGINES.into_iter().filter(|name| self.only.as_ref().is_none_or(|only| only == name)).collect()
    }

    /// Bytes of all keys and values.
    pub fn data_bytes(&self) -> f64 {
        (self.keys * (KEY_BYTES + self.value_bytes) as u64) as f64
    }

    /// A quarter of the data.
    pub fn cache_bytes(&self) -> usize {
        (self.data_bytes() / 4.0) as usize
    }

    /// What the table holds for.
    pub fn describe(&self) -> String {
        format!(
            "{} keys of {KEY_BYTES} bytes, values of {} bytes ({}), {:.0} MB in all; cache {:.0} MB; memtable {} MiB, level 1 {} MiB; blocks of 4 KiB, LZ4; no log, or one \
             that is never synced (fjall); batches of {BATCH}; median of {} rounds. CPU time is that of the whole process for fills, of the reading \
             thread for reads.",
            self.keys,
            self.value_bytes,
            if self.random_values { "random" } else { "half of each random" },
            self.data_bytes() / 1e6,
            self.cache_bytes() as f64 / 1e6,
            MEMTABLE_BYTES >> 20,
            LEVEL_BYTES >> 20,
            self.rounds
        )
    }
}
