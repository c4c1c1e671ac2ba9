//! The three engines behind one face, each with its settings.

use crate::settings::{LEVEL_BYTES, MEMTABLE_BYTES, RUN_BYTES, Settings};
use base::{CommitSeq, RealIo};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is timed.
pub trait Engine {
    /// Writes a batch.
    fn write(&self, pairs: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()>;
    /// Writes everything to disk and waits until compaction has nothing left to do.
    fn settle(&self) -> Outcome<()>;
    /// Length of the value.
    fn get(&self, key: &[u8]) -> Outcome<Option<usize>>;
    /// Number and bytes of up to `count` pairs from `key` on, or back from it.
    fn scan(&self, key: &[u8], count: usize, backward: bool) -> Outcome<(usize, usize)>;
    /// Bytes written for each byte flushed, if it is known.
    fn write_amplification(&self) -> Option<f64> {
        None
    }
}

/// Opens an engine on a folder.
pub fn open(name: &str, dir: &Path, settings: &Settings) -> Outcome<Box<dyn Engine>> {
    Ok(match name {
        "lsm" => Box::new(Ours::open(dir, settings)?),
        "rocksdb" => Box::new(Rocks::open(dir, settings)?),
        _ => Box::new(Fjall::open(dir, settings)?),
    })
}

struct Ours {
    tree: lsm::Tree,
    seq: AtomicU64,
}

impl Ours {
    fn open(dir: &Path, settings: &Settings) -> Outcome<Self> {
        let options = lsm::Options {
            memtable_bytes: MEMTABLE_BYTES,
            cache_bytes: settings.cache_bytes(),
            level_bytes: LEVEL_BYTES,
            run_bytes: RUN_BYTES,
            ..lsm::Options::default()
        };
        Ok(Self { tree: lsm::Tree::open(Arc::new(RealIo), dir, options)?, seq: AtomicU64::new(0) })
    }
}

impl Engine for Ours {
    fn write(&self, pairs: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()> {
        let mut batch = lsm::Batch::new();
        pairs.iter().for_each(|(key, value)| batch.put(key, value));
        let seq = CommitSeq(self.seq.fetch_add(1, Ordering::Relaxed));
        self.tree.write(&batch, seq)?;
        self.tree.release(seq);
        Ok(())
    }

    fn settle(&self) -> Outcome<()> {
        self.tree.flush()?;
        Ok(self.tree.settle()?)
    }

    fn get(&self, key: &[u8]) -> Outcome<Option<usize>> {
        // As a statement would: a snapshot, and a copy of the value.
        Ok(self.tree.latest().get(key)?.map(|value| value.len()))
    }

    fn scan(&self, key: &[u8], count: usize, backward: bool) -> Outcome<(usize, usize)> {
        let latest = self.tree.latest();
        let mut scan = if backward { latest.range_rev(..=key)? } else { latest.range(key..)? };
        let (mut found, mut bytes) = (0, 0);
        while found < count
            && let Some((key, value)) = scan.step()?
        {
            (found, bytes) = (found + 1, bytes + key.len() + value.len());
        }
        Ok((found, bytes))
    }

    fn write_amplification(&self) -> Option<f64> {
        Some(self.tree.stats().write_amplification())
    }
}

struct Rocks {
    db: rocksdb::DB,
    write: rocksdb::WriteOptions,
}

impl Rocks {
    fn open(dir: &Path, settings: &Settings) -> Outcome<Self> {
        let mut table = rocksdb::BlockBasedOptions::default();
        table.set_block_cache(&rocksdb::Cache::new_lru_cache(settings.cache_bytes()));
        table.set_bloom_filter(10.0, false);
        table.set_block_size(4 << 10);
        table.set_format_version(6);
        let mut options = rocksdb::Options::default();
        options.create_if_missing(true);
        options.set_write_buffer_size(MEMTABLE_BYTES);
        options.set_max_write_buffer_number(3);
        options.set_max_bytes_for_level_base(LEVEL_BYTES);
        options.set_target_file_size_base(RUN_BYTES);
        options.set_max_background_jobs(2);
        options.set_compression_type(rocksdb::DBCompressionType::Lz4);
        options.set_level_compaction_dynamic_level_bytes(false);
        options.set_block_based_table_factory(&table);
        let mut write = rocksdb::WriteOptions::default();
        write.disable_wal(true);
        Ok(Self { db: rocksdb::DB::open(&options, dir)?, write })
    }

    fn number(&self, property: &str) -> Outcome<u64> {
        Ok(self.db.property_int_value(property)?.unwrap_or(0))
    }
}

impl Engine for Rocks {
    fn write(&self, pairs: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()> {
        let mut batch = rocksdb::WriteBatch::default();
        pairs.iter().for_each(|(key, value)| batch.put(key, value));
        Ok(self.db.write_opt(batch, &self.write)?)
    }

    fn settle(&self) -> Outcome<()> {
        self.db.flush()?;
        while self.number("rocksdb.compaction-pending")? + self.number("rocksdb.num-running-compactions")? > 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Outcome<Option<usize>> {
        Ok(self.db.get(key)?.map(|value| value.len()))
    }

    fn scan(&self, key: &[u8], count: usize, backward: bool) -> Outcome<(usize, usize)> {
        let mut iterator = self.db.raw_iterator();
        if backward {
            iterator.seek_for_prev(key)
        } else {
            iterator.seek(key)
        }
        let (mut found, mut bytes) = (0, 0);
        while found < count
            && let Some((key, value)) = iterator.item()
        {
            (found, bytes) = (found + 1, bytes + key.len() + value.len());
            if backward { iterator.prev() } else { iterator.next() }
        }
        iterator.status()?;
        Ok((found, bytes))
    }
}

struct Fjall {
    db: fjall::Database,
    keyspace: fjall::Keyspace,
}

impl Fjall {
    fn open(dir: &Path, settings: &Settings) -> Outcome<Self> {
        let db = fjall::Database::builder(dir)
            .cache_size(settings.cache_bytes() as u64)
            .worker_threads(2)
            .manual_journal_persist(true)
            .max_journaling_size(1 << 30)
            .open()?;
        let create = || {
            fjall::KeyspaceCreateOptions::default()
                .max_memtable_size(MEMTABLE_BYTES as u64)
                .manual_journal_persist(true)
                .data_block_compression_policy(fjall::config::CompressionPolicy::all(fjall::CompressionType::Lz4))
        };
        let keyspace = db.keyspace("bench", create)?;
        Ok(Self { db, keyspace })
    }
}

impl Engine for Fjall {
    fn write(&self, pairs: &[(Vec<u8>, Vec<u8>)]) -> Outcome<()> {
        let mut batch = self.db.batch();
        pairs.iter().for_each(|(key, value)| batch.insert(&self.keyspace, key.as_slice(), value.as_slice()));
        Ok(batch.commit()?)
    }

    fn settle(&self) -> Outcome<()> {
        self.keyspace.rotate_memtable_and_wait()?;
        let busy = || self.db.outstanding_flushes() + self.db.active_compactions() > 0;
        // It does not say what is due, so it is asked until it has been idle for a while; that while does not count.
        let mut idle = 0;
        while idle < 10 {
            idle = if busy() { 0 } else { idle + 1 };
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Outcome<Option<usize>> {
        Ok(self.keyspace.get(key)?.map(|value| value.len()))
    }

    fn scan(&self, key: &[u8], count: usize, backward: bool) -> Outcome<(usize, usize)> {
        let (mut found, mut bytes) = (0, 0);
        let mut take = |guard: fjall::Guard| -> Outcome<()> {
            let (key, value) = guard.into_inner()?;
            (found, bytes) = (found + 1, bytes + key.len() + value.len());
            Ok(())
        };
        if backward {
            self.keyspace.range(..=key).rev().take(count).try_for_each(&mut take)?;
        } else {
            self.keyspace.range(key..).take(count).try_for_each(&mut take)?;
        }
        Ok((found, bytes))
    }
}
