//! Batches of a segment: what is read of one holds memory of that one.

use arrow::array::Array;
use base::RealIo;
use engine::segment::Segment;
use tempfile::TempDir;

use crate::ledger::{create_table, insert, many, open};

/// Salts do not compress, and are slices of the file as they are. Whoever adds up buffers must not find the whole file in each batch.
#[test]
fn a_batch_counts_its_own_bytes_and_no_other_batchs() {
    let dir = TempDir::new().unwrap();
    let (_server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 60_000));
    ledger.seal().unwrap();
    let path = dir.path().join(format!("data/ledgers/shockwave/segments/{}/{:016}.arrow", t.id, 0));
    let file_bytes = std::fs::metadata(&path).unwrap().len() as usize;
    let segment = Segment::open(&RealIo, &path).unwrap();
    let batch = segment.read(0, None).unwrap();
    let largest = batch.columns().iter().map(|column| column.get_buffer_memory_size()).max().unwrap();
    assert!(largest < file_bytes / 2, "{largest} of {file_bytes} in the first of eight batches");
}
