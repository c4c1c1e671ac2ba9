//! One format whatever the road: io_uring, plain files and the simulated disk leave the same bytes.

use crate::journal::{DIR, IDENTITY, payload};
use base::{Io, RealIo, SimIo};
use std::path::Path;
use std::sync::Arc;
use wal::{RecordKind, Wal, WalOptions};

fn bytes_left(io: Arc<dyn Io>, dir: &Path, use_uring: bool) -> Vec<(String, Vec<u8>)> {
    let options = WalOptions { file_bytes: 16 << 10, use_uring };
    let wal = Wal::create(Arc::clone(&io), dir, IDENTITY, options).unwrap();
    if use_uring && !wal.uses_uring() {
        eprintln!("the kernel gives no io_uring here; the plain road was taken");
    }
    assert!(use_uring || !wal.uses_uring());
    for n in 0..60u64 {
        let (a, b) = (payload(n, n as usize * 9), payload(n, 20));
        wal.append_and_sync(&[(RecordKind(1), &[&a]), (RecordKind(2), &[&b, &a])]).unwrap();
        if n % 7 == 0 {
            wal.append(RecordKind(3), &[&payload(n, 70_000)]).unwrap();
            wal.append(RecordKind(4), &[&a]).unwrap();
        }
        if n % 20 == 0 {
            wal.rotate().unwrap();
        }
    }
    wal.close().unwrap();
    let names = io.list(dir).unwrap();
    names.into_iter().map(|name| (name.clone(), io.open(&dir.join(name)).unwrap().read_all().unwrap())).collect()
}

#[test]
fn uring_plain_and_simulated_files_are_the_same() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let uring = bytes_left(Arc::new(RealIo), a.path(), true);
    let plain = bytes_left(Arc::new(RealIo), b.path(), false);
    let simulated = bytes_left(Arc::new(SimIo::new(0)), Path::new(DIR), false);
    assert!(uring.len() > 5);
    assert!(uring == plain && plain == simulated);
}
