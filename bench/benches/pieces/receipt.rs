//! A receipt of any row of a large commit: made by the ledger, and checked by whoever has the key. The commit lies in sealed segments; rows are asked for in an
//! order that visits all of them.

use criterion::{BenchmarkId, Criterion};
use receipts::{Policy, verify_receipt};
use tempfile::TempDir;

use crate::segment::{ROWS, loaded};

/// Made anew each time, and checked.
pub fn made_and_checked(c: &mut Criterion) {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (server, ledger) = loaded(folder.path());
    ledger.seal().unwrap();
    let seq = ledger.checkpoint().state.size - 1;
    let seq = (0..=seq).find(|seq| ledger.receipt(*seq, Some(ROWS as u64 - 1)).is_ok()).unwrap();
    let policy = Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
    let mut group = c.benchmark_group("receipt of a row");
    let mut row = 0;
    group.bench_function(BenchmarkId::from_parameter("made"), |b| {
        b.iter(|| {
            // A prime that divides no power of two: batch after batch, row after row.
            row = (row + 104_729) % ROWS as u64;
            ledger.receipt(seq, Some(row)).unwrap()
        });
    });
    let receipt = ledger.receipt(seq, Some(row)).unwrap();
    assert_eq!(verify_receipt(receipt.as_bytes(), &policy).exit_code(), 0, "only valid receipts are timed");
    group.bench_function(BenchmarkId::from_parameter("checked"), |b| b.iter(|| verify_receipt(receipt.as_bytes(), &policy)));
    group.finish();
    server.shutdown().unwrap();
}
