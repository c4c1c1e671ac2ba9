//! How fast the log is on this disk: `cargo run --release -p wal --example timing -- FOLDER`.

use base::{Clock, Io, LedgerId, RealClock, RealIo};
use std::path::Path;
use std::sync::Arc;
use wal::{Identity, RecordKind, Wal, WalError, WalOptions};

fn main() -> Result<(), WalError> {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    for use_uring in [true, false] {
        let dir = Path::new(&parent).join(format!("wal-timing-{}-{use_uring}", std::process::id()));
        let outcome = run(&dir, use_uring);
        for name in RealIo.list(&dir).unwrap_or_default() {
            drop(RealIo.remove(&dir.join(name)));
        }
        drop(std::fs::remove_dir(&dir));
        outcome?;
    }
    Ok(())
}

fn run(dir: &Path, use_uring: bool) -> Result<(), WalError> {
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let identity = Identity { ledger: LedgerId([1; 16]), incarnation: 1 };
    let options = WalOptions { use_uring, ..WalOptions::default() };
    let timed = |what: &str, count: u64, bytes: u64, since: u64| {
        let us = (RealClock.monotonic_ns() - since) / 1_000;
        println!("{what:<44} {:>9.1} us each {:>9.1} MB/s", us as f64 / count as f64, (count * bytes) as f64 / us.max(1) as f64);
    };

    let start = RealClock.monotonic_ns();
    let wal = Wal::create(Arc::clone(&io), dir, identity, options)?;
    timed("create", 1, options.file_bytes, start);
    println!("io_uring: {}", wal.uses_uring());

    let small = [7; 250];
    let start = RealClock.monotonic_ns();
    for _ in 0..500 {
        wal.append_and_sync(&[(RecordKind(1), &[&small])])?;
    }
    timed("append_and_sync, 250 bytes", 500, 250, start);
    let start = RealClock.monotonic_ns();
    for _ in 0..50_000 {
        wal.append(RecordKind(1), &[&small])?;
    }
    timed("append, 250 bytes", 50_000, 250, start);
    wal.sync()?;

    let large = vec![9; 300 << 10];
    let start = RealClock.monotonic_ns();
    for _ in 0..2_000 {
        wal.append(RecordKind(2), &[&large])?;
    }
    timed("append, 300 KiB", 2_000, 300 << 10, start);
    let start = RealClock.monotonic_ns();
    wal.sync()?;
    timed("sync of all that", 1, 2_000 * (300 << 10), start);
    wal.close()?;
    drop(wal);

    let start = RealClock.monotonic_ns();
    let (_, recovered) = Wal::open(io, dir, identity, &[], options, &mut |_| Ok::<_, WalError>(()))?;
    timed("open", 1, recovered.bytes, start);
    Ok(())
}
