//! Files that are missing, doubled, another's, or not what they were: each refused under its own name.

use crate::journal::{DIR, IDENTITY, SMALL, append, create, open, read, shared};
use base::{Io, LedgerId, SimIo};
use std::path::{Path, PathBuf};
use wal::{Identity, Wal, WalError};

fn path(number: u64) -> PathBuf {
    Path::new(DIR).join(format!("{number:010}.wal"))
}

fn three_files() -> SimIo {
    let io = SimIo::new(0);
    let wal = create(&io);
    for file in 0..3 {
        append(&wal, 1, b"record");
        if file < 2 {
            wal.rotate().unwrap();
        }
    }
    wal.close().unwrap();
    io
}

fn put(io: &SimIo, path: &Path, bytes: &[u8]) {
    drop(io.remove(path));
    io.create_new(path, 0o600).unwrap().write_at(0, bytes).unwrap();
}

#[test]
fn a_missing_file() {
    for number in [2, 3] {
        let io = three_files();
        io.remove(&path(number)).unwrap();
        match open(&io) {
            Err(WalError::Missing { number: found, file }) => assert_eq!((found, file), (number, path(number))),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_copy_under_another_number() {
    let io = three_files();
    put(&io, &path(4), &io.peek(&path(2)).unwrap());
    assert!(matches!(open(&io), Err(WalError::Duplicate { number: 2, .. })));
    let io = three_files();
    put(&io, &Path::new(DIR).join("3.wal"), &io.peek(&path(3)).unwrap());
    assert!(matches!(open(&io), Err(WalError::Duplicate { number: 3, .. })));
    let io = three_files();
    io.rename(&path(3), &path(5)).unwrap();
    assert!(matches!(open(&io), Err(WalError::Damaged { offset: 0, .. })));
}

#[test]
fn another_ledgers_file() {
    let other = LedgerId([0x11; 16]);
    let io = three_files();
    let stranger = SimIo::new(1);
    let wal = Wal::create(shared(&stranger), Path::new(DIR), Identity { ledger: other, incarnation: 1 }, SMALL).unwrap();
    wal.close().unwrap();
    put(&io, &path(1), &stranger.peek(&path(1)).unwrap());
    match open(&io) {
        Err(WalError::WrongLedger { file, found, expected }) => assert_eq!((file, found, expected), (path(1), other, IDENTITY.ledger)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_moved_from_another_ledger_or_incarnation_is_no_record() {
    for identity in [Identity { ledger: LedgerId([1; 16]), ..IDENTITY }, Identity { incarnation: 9, ..IDENTITY }] {
        let (ours, theirs) = (SimIo::new(0), SimIo::new(0));
        create(&ours).append_and_sync(&[(wal::RecordKind(1), &[b"ours"])]).unwrap();
        let wal = Wal::create(shared(&theirs), Path::new(DIR), identity, SMALL).unwrap();
        wal.append_and_sync(&[(wal::RecordKind(1), &[b"their"])]).unwrap();
        let frame = theirs.peek(&path(1)).unwrap()[64..128].to_vec();
        ours.open_write(&path(1)).unwrap().write_at(64, &frame).unwrap();
        let (recovered, entries) = read(&ours, IDENTITY, &[]).unwrap();
        assert!(entries.is_empty() && recovered.cut.is_some());
    }
}

#[test]
fn an_incarnation_of_the_future_or_of_no_past_of_ours() {
    let io = three_files();
    let newer = Identity { incarnation: 3, ..IDENTITY };
    assert!(matches!(read(&io, newer, &[2]), Err(WalError::WrongIncarnation { found: 1, expected: 3, .. })));
    assert_eq!(read(&io, newer, &[1, 2]).unwrap().1.len(), 3);
    let older = Identity { incarnation: 0, ..IDENTITY };
    assert!(matches!(read(&io, older, &[]), Err(WalError::WrongIncarnation { found: 1, expected: 0, .. })));
}

#[test]
fn a_file_that_is_short_long_or_no_log() {
    for (len, offset) in [(0, 0), (10, 10), (63, 63)] {
        let io = three_files();
        io.open_write(&path(2)).unwrap().set_len(len).unwrap();
        match open(&io) {
            Err(WalError::BadHeader { file, offset: found, reason }) => assert_eq!((file, found), (path(2), offset), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    for len in [64, 4095, 4097] {
        let io = three_files();
        io.open_write(&path(3)).unwrap().set_len(len).unwrap();
        assert!(matches!(open(&io), Err(WalError::Damaged { offset, .. }) if offset == len.min(4096)), "{len}");
    }
    let io = three_files();
    put(&io, &path(1), &[b'x'; 4096]);
    assert!(matches!(open(&io), Err(WalError::BadHeader { offset: 0, reason: "this is not a log file", .. })));
}

#[test]
fn a_format_of_the_future() {
    let io = three_files();
    let mut bytes = io.peek(&path(1)).unwrap();
    bytes[8] = 2;
    let crc = crc32fast::hash(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    put(&io, &path(1), &bytes);
    assert!(matches!(open(&io), Err(WalError::UnknownVersion { version: 2, .. })));
}

#[test]
fn no_log_and_a_log_where_none_should_be() {
    let io = SimIo::new(0);
    assert!(!Wal::exists(&shared(&io), Path::new(DIR)).unwrap());
    assert!(matches!(open(&io), Err(WalError::Empty { .. })));
    create(&io).close().unwrap();
    assert!(Wal::exists(&shared(&io), Path::new(DIR)).unwrap());
    assert!(matches!(Wal::create(shared(&io), Path::new(DIR), IDENTITY, SMALL), Err(WalError::Exists { .. })));
}

#[test]
fn files_that_are_not_the_logs_are_left_alone() {
    let io = three_files();
    let note = Path::new(DIR).join("README");
    put(&io, &note, b"hands off");
    put(&io, &Path::new(DIR).join("half.tmp"), b"half made");
    open(&io).unwrap();
    assert!(io.exists(&note) && !io.exists(&Path::new(DIR).join("half.tmp")));
}
