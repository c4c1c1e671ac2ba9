//! A log-structured merge tree of sorted runs: the home of folds from keys to values that outgrow memory.
//!
//! It is derived state. It keeps no log; after a crash it is what its last manifest names, tells how far that reaches
//! ([`Tree::durable_seq`]), and its owner replays later commits into it. Every version of a key carries the commit that wrote it, so a
//! [`Snapshot`] reads the tree as any commit left it.
//!
//! Reading order, from one version of a key to the whole tree: versions and what a batch does to them; the memtable; the parts of a run and the
//! run; levels of runs and the manifest that names them; reading all of it as one; who reads, and what may therefore go; the policy and the doing of
//! flush and compaction; the tree.
//!
//! ```
//! use base::{CommitSeq, SimIo};
//! use lsm::{Batch, Options, Tree};
//! use std::{path::Path, sync::Arc};
//!
//! let tree = Tree::open(Arc::new(SimIo::new(1)), Path::new("/tree"), Options::default())?;
//! let mut batch = Batch::new();
//! batch.put(b"key", b"value");
//! tree.write(&batch, CommitSeq(0))?;
//! let before = tree.snapshot(CommitSeq(0))?;
//! batch.clear();
//! batch.delete(b"key");
//! tree.write(&batch, CommitSeq(1))?;
//! assert_eq!(before.get(b"key")?, Some(b"value".to_vec()));
//! assert_eq!(tree.latest().get(b"key")?, None);
//! tree.flush()?;
//! assert_eq!(tree.durable_seq(), Some(CommitSeq(1)));
//! # Ok::<(), lsm::LsmError>(())
//! ```
//!
//! Never: knows a log, a table or SQL; looks into a key; changes a run.
//! Formats: docs/formats/run.md, docs/formats/manifest.md.
//! Module order: varint, version, error, options, batch, tombstone, memtable, block, index, filter, cache, span, run, levels, manifest, merge, view, scan, readers, retain, policy, pacing, stats, store, rewrite, flush, compaction, ingest, staging, check, workers, snapshot, tree

mod varint;
mod version;

mod error;
pub use error::LsmError;

mod options;
pub use options::Options;

mod batch;
pub use batch::{BATCH_BYTES_MAX, Batch, KEY_BYTES_MAX, VALUE_BYTES_MAX};

mod tombstone;

mod memtable;

mod block;
mod index;

mod filter;

mod cache;
mod span;

mod run;

mod levels;
mod manifest;

mod merge;
mod view;

mod scan;
pub use scan::{OwnedPair, Pair, Scan};

mod readers;
mod retain;

mod pacing;
mod policy;

mod stats;
pub use stats::{LevelStats, Stats};

mod store;

mod check;
mod compaction;
mod flush;
mod ingest;
mod rewrite;
mod staging;
mod workers;

pub use ingest::Ingest;
pub use staging::{StagedScan, StagedVersion, Staging};

mod snapshot;
pub use snapshot::Snapshot;

mod tree;
pub use tree::{FlushTarget, Tree};
