//! Writes and syncs that fail: the log stops for good and says why; a full disk met in time does not stop it.

use crate::journal::{DIR, IDENTITY, SMALL, append, create, open, payload, shared};
use base::{Fault, Io, SimIo, SqlError, SqlState};
use std::path::Path;
use wal::{RecordKind, Wal, WalError};

fn assert_stopped(wal: &Wal) {
    assert!(matches!(wal.append(RecordKind(1), &[b"x"]), Err(WalError::Poisoned { .. })));
    assert!(matches!(wal.append_and_sync(&[(RecordKind(1), &[b"x"])]), Err(WalError::Poisoned { .. })));
    assert!(matches!(wal.rotate(), Err(WalError::Poisoned { .. })));
    assert!(matches!(wal.close(), Err(WalError::Poisoned { .. })));
    assert!(wal.durable() == wal.appended() || matches!(wal.sync(), Err(WalError::Poisoned { .. })));
}

#[test]
fn a_failed_sync_stops_the_log_for_good() {
    let io = SimIo::new(0);
    let wal = create(&io);
    append(&wal, 1, b"lost?");
    io.fail_next_sync();
    let error = wal.sync().unwrap_err();
    assert!(matches!(error, WalError::Io { action: "sync", .. }));
    assert!(matches!(wal.sync(), Err(WalError::Poisoned { .. })), "the second sync must not succeed");
    assert_stopped(&wal);
    let told = SqlError::from(wal.sync().unwrap_err());
    assert_eq!(told.state(), SqlState::IO_ERROR);
    assert!(told.to_string().contains("HINT:") && told.message().contains("simulated I/O error"), "{told}");
}

#[test]
fn a_failed_sync_of_a_group_or_of_a_file_left_behind_stops_it_too() {
    let io = SimIo::new(0);
    let wal = create(&io);
    io.fail_next_sync();
    assert!(wal.append_and_sync(&[(RecordKind(1), &[b"x"])]).is_err());
    assert_stopped(&wal);
    let io = SimIo::new(0);
    let wal = create(&io);
    append(&wal, 1, b"in the first file");
    wal.rotate().unwrap();
    append(&wal, 1, b"in the second");
    io.fail_next_sync();
    assert!(wal.sync().is_err());
    assert_stopped(&wal);
}

#[test]
fn an_error_at_any_step_never_loses_what_was_acknowledged() {
    for step in 1..60 {
        let io = SimIo::new(step);
        let wal = create(&io);
        io.plan(io.steps() + step, Fault::Error);
        let mut acknowledged = 0;
        let mut failed = false;
        for n in 0..30u64 {
            match wal.append_and_sync(&[(RecordKind(1), &[&payload(n, 700)])]) {
                Ok(_) => {
                    assert!(!failed, "step {step}: acknowledged after a failure");
                    acknowledged += 1;
                }
                Err(_) => failed = true,
            }
        }
        assert!(failed, "step {step}");
        drop(wal);
        io.crash();
        io.restart();
        let (_, _, entries) = open(&io).unwrap();
        assert!((acknowledged..=acknowledged + 1).contains(&entries.len()), "step {step}: {} of {acknowledged}", entries.len());
    }
}

/// The process gives up at any step and a new one takes over without a power loss, so it sees what the first had not made durable, file names
/// included. What the new one acknowledges must not hang on any of it.
#[test]
fn a_restart_after_an_error_builds_on_nothing_unsynced() {
    for step in 1..80 {
        for seed in 0..4 {
            let io = SimIo::new(step * 10 + seed);
            let wal = create(&io);
            io.plan(io.steps() + step, Fault::Error);
            for n in 0..30u64 {
                drop(wal.append_and_sync(&[(RecordKind(1), &[&payload(n, 700)])]));
            }
            drop(wal);
            let (wal, _, mut kept) = open(&io).unwrap();
            let position = wal.append_and_sync(&[(RecordKind(2), &[b"acknowledged"])]).unwrap()[0];
            kept.push((position.0, 2, b"acknowledged".to_vec()));
            drop(wal);
            io.crash();
            io.restart();
            assert_eq!(open(&io).unwrap().2, kept, "step {step}, seed {seed}");
        }
    }
}

/// A sync failed and the process restarted without a power loss: the kernel still shows the bytes and counts them as written, though the disk
/// never got them (PostgreSQL's "fsyncgate", 2018). What recovery then hands out must be on the disk all the same.
#[test]
fn what_recovery_hands_out_after_a_failed_sync_is_durable() {
    for seed in 0..40 {
        let io = SimIo::new(seed);
        let wal = create(&io);
        wal.append_and_sync(&[(RecordKind(1), &[b"first"])]).unwrap();
        for n in 0..9 {
            append(&wal, 2, &payload(n, 600));
        }
        io.fail_next_sync();
        assert!(wal.sync().is_err());
        drop(wal);
        let (wal, _, shown) = open(&io).unwrap();
        assert_eq!(shown.len(), 10);
        drop(wal);
        io.crash();
        io.restart();
        let (_, _, kept) = open(&io).unwrap();
        assert_eq!(kept, shown, "V3, seed {seed}");
    }
}

#[test]
fn a_full_disk_refuses_records_until_there_is_room() {
    let io = SimIo::new(0);
    let wal = create(&io);
    io.limit_space(Some(4096));
    let mut entries = Vec::new();
    let error = loop {
        match wal.append(RecordKind(1), &[&payload(1, 300)]) {
            Ok(position) => entries.push((position.0, 1, payload(1, 300))),
            Err(error) => break error,
        }
    };
    assert!(error.is_full(), "{error}");
    assert_eq!(SqlError::from(error).state(), SqlState::DISK_FULL);
    assert!(entries.len() > 5, "the first file was filled");
    assert!(wal.append(RecordKind(1), &[&payload(1, 300)]).unwrap_err().is_full(), "still full, not poisoned");
    wal.sync().unwrap();
    io.limit_space(None);
    entries.push(append(&wal, 1, &payload(1, 300)));
    wal.close().unwrap();
    assert_eq!(open(&io).unwrap().2, entries);
    assert_eq!(io.list(Path::new(DIR)).unwrap().len(), 2);
}

#[test]
fn a_log_that_cannot_be_created_is_none_or_whole() {
    let whole = SimIo::new(0);
    create(&whole);
    for (step, seed) in (1..=whole.steps()).flat_map(|step| (0..8).map(move |seed| (step, seed))) {
        let io = SimIo::new(seed);
        io.plan(step, Fault::Error);
        assert!(Wal::create(shared(&io), Path::new(DIR), IDENTITY, SMALL).is_err(), "step {step}");
        if !Wal::exists(&shared(&io), Path::new(DIR)).unwrap() {
            create(&io).close().unwrap();
        }
        let (wal, _, none) = open(&io).unwrap();
        assert_eq!(none, []);
        wal.append_and_sync(&[(RecordKind(1), &[b"kept"])]).unwrap();
        drop(wal);
        io.crash();
        io.restart();
        assert_eq!(open(&io).unwrap().2.len(), 1, "step {step}: the file's name was never made durable");
    }
}
