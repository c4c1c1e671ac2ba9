//! A log file overwritten with anything at any place: it is read in order, cut or refused, and never panics.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use base::{Io, LedgerId, SimIo};
use libfuzzer_sys::fuzz_target;
use wal::{Identity, Position, Record, RecordKind, Recovery, Wal, WalError, WalOptions};

const OPTIONS: WalOptions = WalOptions { file_bytes: 4096, use_uring: false };
const IDENTITY: Identity = Identity { ledger: LedgerId([7; 16]), incarnation: 1 };

fuzz_target!(|input: (u16, &[u8])| {
    let (place, bytes) = input;
    let io: Arc<dyn Io> = Arc::new(SimIo::new(1));
    let folder = Path::new("/log");
    overwrite(&io, folder, u64::from(place), bytes).expect("the simulated disk has no faults planned");
    let mut last = Position(0);
    let mut replay = |record: Record| -> Result<(), WalError> {
        assert!(record.position > last, "records come back in order");
        last = record.position;
        Ok(())
    };
    if let Ok(recovery) = Recovery::read(Arc::clone(&io), folder, IDENTITY, &[], OPTIONS, &mut replay) {
        // What was read can be gone on with, unless the disk says otherwise.
        if let Ok(log) = recovery.accept() {
            assert!(log.append(RecordKind(1), &[b"next"]).is_ok_and(|position| position > last), "the log goes on after its end");
        }
    }
});

/// Makes a log of a few records and writes `bytes` over its first file.
fn overwrite(io: &Arc<dyn Io>, folder: &Path, place: u64, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let log = Wal::create(Arc::clone(io), folder, IDENTITY, OPTIONS)?;
    for payload in [b"one".as_slice(), &[2; 100], &[3; 1000], b""] {
        log.append_and_sync(&[(RecordKind(1), &[payload])])?;
    }
    let first = log.files().first().map(|file| file.path.clone()).ok_or("no file")?;
    drop(log);
    let file = io.open_write(&first)?;
    let place = place % file.len()?;
    let room = usize::try_from(file.len()? - place)?;
    file.write_at(place, &bytes[..bytes.len().min(room)])?;
    file.sync()?;
    Ok(())
}
