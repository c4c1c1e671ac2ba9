//! The write-ahead log: bulk appends into the page cache, and the durable commit of one client.

use std::sync::Arc;

use base::{LedgerId, RealIo};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use tempfile::TempDir;
use wal::{Identity, RecordKind, Wal, WalOptions};

const DATA: RecordKind = RecordKind(1);
/// What a COPY appends at a time.
const BULK: &[u8] = &[7; 300 * 1024];

fn open(use_uring: bool) -> (Wal, TempDir) {
    // On the disk of the build, not in the system's temporary folder, which may be in memory.
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let identity = Identity { ledger: LedgerId([7; 16]), incarnation: 1 };
    let options = WalOptions { use_uring, ..WalOptions::default() };
    let log = Wal::create(Arc::new(RealIo), &folder.path().join("wal"), identity, options).unwrap();
    (log, folder)
}

/// 32 records of 300 KiB, not synced: a fresh log each time, so that no file is zeroed meanwhile.
pub fn append(c: &mut Criterion) {
    const RECORDS: u64 = 32;
    let mut group = c.benchmark_group("wal append");
    group.throughput(Throughput::Bytes(RECORDS * BULK.len() as u64)).sample_size(10);
    group.bench_function("300 KiB records", |b| {
        b.iter_batched_ref(
            || open(false),
            |(log, _)| (0..RECORDS).map(|_| log.append(DATA, &[BULK]).unwrap()).max(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// One small record made durable.
pub fn commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("wal append_and_sync");
    for (name, use_uring) in [("plain", false), ("io_uring", true)] {
        let (log, _folder) = open(use_uring);
        if log.uses_uring() != use_uring {
            eprintln!("{name}: this kernel has no io_uring; left out");
            continue;
        }
        group.bench_function(BenchmarkId::new("256 bytes", name), |b| {
            b.iter(|| log.append_and_sync(&[(DATA, &[&BULK[..256]])]).unwrap());
        });
    }
    group.finish();
}
