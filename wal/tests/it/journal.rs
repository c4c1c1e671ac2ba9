//! What a test wrote, to hold against what the log gives back.

use base::{Io, LedgerId, SimIo};
use std::path::Path;
use std::sync::Arc;
use wal::{Identity, Position, Record, RecordKind, Recovered, Recovery, Wal, WalError, WalOptions};

pub const DIR: &str = "/ledger/wal";
pub const IDENTITY: Identity = Identity { ledger: LedgerId([0xa5; 16]), incarnation: 1 };
pub const SMALL: WalOptions = WalOptions { file_bytes: 4096, use_uring: false };

/// Position, kind and bytes of a record.
pub type Entry = (u64, u8, Vec<u8>);

pub fn shared(io: &SimIo) -> Arc<dyn Io> {
    Arc::new(io.clone())
}

pub fn entry(record: &Record) -> Entry {
    (record.position.0, record.kind.0, record.payload.to_vec())
}

pub fn create(io: &SimIo) -> Wal {
    Wal::create(shared(io), Path::new(DIR), IDENTITY, SMALL).unwrap()
}

pub fn open_in(io: Arc<dyn Io>, dir: &Path, options: WalOptions) -> Result<(Wal, Recovered, Vec<Entry>), WalError> {
    let mut entries = Vec::new();
    let (wal, recovered) = Wal::open(io, dir, IDENTITY, &[], options, &mut |record| {
        entries.push(entry(&record));
        Ok::<_, WalError>(())
    })?;
    assert_eq!(recovered.records as usize, entries.len());
    Ok((wal, recovered, entries))
}

pub fn open(io: &SimIo) -> Result<(Wal, Recovered, Vec<Entry>), WalError> {
    open_in(shared(io), Path::new(DIR), SMALL)
}

/// Reads without taking over.
pub fn read(io: &SimIo, identity: Identity, past: &[u32]) -> Result<(Recovered, Vec<Entry>), WalError> {
    let mut entries = Vec::new();
    let recovery = Recovery::read(shared(io), Path::new(DIR), identity, past, SMALL, &mut |record| {
        entries.push(entry(&record));
        Ok::<_, WalError>(())
    })?;
    Ok((recovery.recovered().clone(), entries))
}

/// A payload that names its record, of a length that depends on it.
pub fn payload(number: u64, bytes: usize) -> Vec<u8> {
    (0..bytes as u64).map(|i| (number.wrapping_mul(31).wrapping_add(i) % 255) as u8 + 1).collect()
}

pub fn append(wal: &Wal, kind: u8, bytes: &[u8]) -> Entry {
    let position = wal.append(RecordKind(kind), &[bytes]).unwrap();
    (position.0, kind, bytes.to_vec())
}

pub fn assert_readable(wal: &Wal, entries: &[Entry]) {
    for (position, _, bytes) in entries {
        assert_eq!(&*wal.payload(Position(*position)).unwrap(), bytes.as_slice(), "record at {position}");
    }
}
