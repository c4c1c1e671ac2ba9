//! Records come back as they went in: through the map, after a restart, over file ends, from many threads.

use crate::journal::{DIR, Entry, IDENTITY, SMALL, append, assert_readable, create, open, open_in, payload, read, shared};
use base::{Io, RealIo, SimIo};
use std::path::Path;
use std::sync::Arc;
use wal::{Identity, Position, RecordKind, Wal, WalError, WalOptions};

#[test]
fn records_of_every_length_come_back() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let entries: Vec<Entry> = (0..200u64).map(|n| append(&wal, (n % 253) as u8 + 1, &payload(n, n as usize * 7))).collect();
    assert!(wal.files().len() > 10, "many files: {}", wal.files().len());
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0) && entries.iter().all(|entry| entry.0 % 32 == 0));
    assert_readable(&wal, &entries);
    assert!(wal.durable() < wal.appended());
    assert_eq!(wal.sync().unwrap(), wal.appended());
    wal.close().unwrap();
    let (wal, recovered, again) = open(&io).unwrap();
    assert_eq!(again, entries);
    assert!(recovered.clean && recovered.cut.is_none());
    assert_eq!((wal.durable(), recovered.end), (wal.appended(), wal.appended()));
    assert_readable(&wal, &entries);
}

#[test]
fn parts_are_joined_and_a_record_may_be_larger_than_a_file() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let long = payload(1, 200_000);
    let position = wal.append(RecordKind(2), &[b"head", &long[..100], &long[100..150_000], b"", &long[150_000..]]).unwrap();
    let expected = [b"head", long.as_slice()].concat();
    assert_eq!(&*wal.payload(position).unwrap(), expected.as_slice());
    let after = append(&wal, 3, b"after");
    let bytes: Vec<u64> = wal.files().iter().map(|file| file.bytes).collect();
    assert_eq!((bytes[0], bytes[1] > 200_000), (4096, true), "{bytes:?}");
    drop(wal);
    let (_, recovered, entries) = open(&io).unwrap();
    assert_eq!(entries, [(position.0, 2, expected), after]);
    assert!(!recovered.clean);
}

#[test]
fn a_group_is_durable_on_return_whether_the_log_was_quiet_or_not() {
    let io = SimIo::new(0);
    let wal = create(&io);
    for round in 0..40u64 {
        if round % 3 == 0 {
            append(&wal, 1, &payload(round, 500));
        }
        let (a, b) = (payload(round, 40), payload(round, 700));
        let positions = wal.append_and_sync(&[(RecordKind(1), &[&a]), (RecordKind(2), &[&b[..5], &b[5..]])]).unwrap();
        assert_eq!(wal.durable(), wal.appended());
        assert_eq!((&*wal.payload(positions[0]).unwrap(), &*wal.payload(positions[1]).unwrap()), (a.as_slice(), b.as_slice()));
    }
    io.crash();
    io.restart();
    let (_, _, entries) = open(&io).unwrap();
    assert_eq!(entries.len(), 80 + 14);
}

#[test]
fn released_files_go_and_their_records_stay_readable_while_held() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let early = append(&wal, 1, b"early");
    let held = wal.payload(Position(early.0)).unwrap();
    let start = wal.rotate().unwrap();
    assert_eq!(wal.rotate().unwrap(), start, "an empty file is not left for another");
    assert!(wal.release(start).unwrap().is_empty(), "not durable yet");
    let late = append(&wal, 2, b"late");
    wal.sync().unwrap();
    assert!(wal.release(Position(start.0 - 65)).unwrap().is_empty(), "the file ends after this");
    assert_eq!(wal.release(Position(u64::MAX)).unwrap(), [Path::new(DIR).join("0000000001.wal")]);
    assert_eq!(&*held, b"early");
    assert!(matches!(wal.payload(Position(early.0)), Err(WalError::NoRecord { .. })));
    io.crash();
    io.restart();
    let (_, recovered, entries) = open(&io).unwrap();
    assert_eq!((entries, recovered.first), (vec![late], start));
}

#[test]
fn what_is_not_a_records_place_is_named() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let entry = append(&wal, 1, &payload(0, 100));
    for place in [0, 32, entry.0 + 32, entry.0 + 1, entry.0 + 160, 4095, 4096, u64::MAX, u64::MAX - 31] {
        assert!(matches!(wal.payload(Position(place)), Err(WalError::NoRecord { .. })), "{place}");
    }
}

#[test]
fn a_closed_log_takes_nothing_more() {
    let io = SimIo::new(0);
    let wal = create(&io);
    append(&wal, 1, b"x");
    wal.close().unwrap();
    wal.close().unwrap();
    assert!(matches!(wal.append(RecordKind(1), &[b"y"]), Err(WalError::Closed)));
    assert!(matches!(wal.append_and_sync(&[(RecordKind(1), &[b"y"])]), Err(WalError::Closed)));
    assert!(matches!(wal.rotate(), Err(WalError::Closed)));
    assert_eq!(wal.sync().unwrap(), wal.appended());
    for kind in [0, 254, 255] {
        assert!(matches!(wal.append(RecordKind(kind), &[]), Err(WalError::ReservedKind { .. })));
    }
}

#[test]
fn reading_changes_nothing() {
    let io = SimIo::new(0);
    let wal = create(&io);
    append(&wal, 1, b"x");
    drop(wal);
    let path = Path::new(DIR).join("0000000001.wal");
    io.flip(&path, 2000, 3).unwrap();
    let before = io.peek(&path).unwrap();
    let (recovered, _) = read(&io, IDENTITY, &[]).unwrap();
    let cut = recovered.cut.unwrap();
    assert_eq!((cut.offset, cut.bytes, cut.files.len()), (128, 2001 - 128, 0));
    assert_eq!(io.peek(&path).unwrap(), before, "V1");
    open(&io).unwrap();
    assert_eq!(io.peek(&path).unwrap()[128..], [0; 4096 - 128], "V2");
}

#[test]
fn a_new_incarnation_goes_on_in_a_new_file() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let old = append(&wal, 1, b"old");
    drop(wal);
    let second = Identity { incarnation: 2, ..IDENTITY };
    let (wal, _) = Wal::open(shared(&io), Path::new(DIR), second, &[1], SMALL, &mut |_| Ok::<_, WalError>(())).unwrap();
    let new = append(&wal, 1, b"new");
    wal.sync().unwrap();
    assert_eq!(wal.files().len(), 2);
    assert_eq!(read(&io, second, &[1]).unwrap().1, [old, new]);
    assert!(matches!(read(&io, IDENTITY, &[]), Err(WalError::WrongIncarnation { found: 2, expected: 1, .. })));
    assert!(matches!(read(&io, second, &[]), Err(WalError::WrongIncarnation { found: 1, expected: 2, .. })));
}

#[test]
fn threads_share_the_log_and_its_syncs() {
    let dir = tempfile::tempdir().unwrap();
    let options = WalOptions { file_bytes: 1 << 20, use_uring: true };
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let wal = Wal::create(Arc::clone(&io), dir.path(), IDENTITY, options).unwrap();
    let mut written: Vec<Entry> = std::thread::scope(|scope| {
        let write = |thread: u64| {
            let wal = &wal;
            move || {
                let mut entries = Vec::new();
                for n in 0..60u64 {
                    let bytes = payload(thread * 1000 + n, if thread == 0 { 60_000 } else { 100 + n as usize });
                    entries.push(append(wal, thread as u8 + 1, &bytes));
                    if thread > 0 && n % 4 == 0 {
                        let position = wal.append_and_sync(&[(RecordKind(99), &[&bytes])]).unwrap()[0];
                        entries.push((position.0, 99, bytes));
                        assert!(wal.durable() > position);
                    }
                }
                assert!(wal.sync().unwrap().0 > entries.last().unwrap().0);
                entries
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(write(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    written.sort();
    assert_readable(&wal, &written);
    assert!(wal.files().len() > 3);
    drop(wal);
    let (wal, _, entries) = open_in(io, dir.path(), options).unwrap();
    assert_eq!(entries, written);
    assert_readable(&wal, &entries);
    wal.close().unwrap();
    assert!(RealIo.list(dir.path()).unwrap().iter().all(|name| name.ends_with(".wal")), "no half-made file is left behind");
}

#[test]
fn what_is_held_is_read_as_it_was_while_others_write_and_release() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let before: Vec<Entry> = (0..120u64).map(|n| append(&wal, 1, &payload(n, n as usize * 9))).collect();
    wal.sync().unwrap();
    let held = wal.hold();
    assert_eq!(held.end(), wal.appended());
    // The active file goes on, files before it go.
    let later: Vec<Entry> = (0..40u64).map(|n| append(&wal, 2, &payload(n, 300))).collect();
    wal.sync().unwrap();
    let position = wal.rotate().unwrap();
    wal.sync().unwrap();
    assert!(wal.release(position).unwrap().len() > 5);
    let mut found = Vec::new();
    held.read(&mut |record| {
        found.push(crate::journal::entry(&record));
        Ok::<_, WalError>(())
    })
    .unwrap();
    assert_eq!(found, before);
    // The next one that asks sees what is there now.
    let mut found = Vec::new();
    wal.hold()
        .read(&mut |record| {
            found.push(crate::journal::entry(&record));
            Ok::<_, WalError>(())
        })
        .unwrap();
    assert!(found.is_empty(), "{} records of {} later ones are in the file that is left", found.len(), later.len());
}

#[test]
fn a_byte_that_rots_under_what_is_held_is_named() {
    let io = SimIo::new(0);
    let wal = create(&io);
    let entries: Vec<Entry> = (0..3u64).map(|n| append(&wal, 1, &payload(n, 40))).collect();
    let held = wal.hold();
    let path = wal.files()[0].path.clone();
    io.flip(&path, entries[1].0 + 40, 3).unwrap();
    let mut read = 0;
    let error = held
        .read(&mut |_| {
            read += 1;
            Ok::<_, WalError>(())
        })
        .unwrap_err();
    assert!(matches!(error, WalError::Damaged { offset, .. } if offset == entries[1].0), "{error}");
    assert_eq!(read, 1);
}
