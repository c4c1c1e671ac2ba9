//! A backup or a restore that is broken off at any step: by power loss, by an error, by a full disk.

use std::path::Path;
use std::sync::Arc;

use base::{Fault, Io, SeededRng, SimClock, SimIo, SqlResult};
use engine::restore::{Request, check, restore};
use engine::{Memory, Options, Server};

use crate::broken_off::stop;
use crate::ledger::{all, create_table, insert, many, rows, table};

const BACKUP: &str = "/backup";

/// All of `t`.
type Rows = Vec<(i64, String)>;

pub fn options(io: &SimIo) -> Options {
    Options {
        io: Arc::new(io.clone()),
        expressions: Arc::new(engine::NoExpressions),
        clock: Arc::new(SimClock::new(1, 1)),
        rng: Arc::new(SeededRng::new(7)),
        wal_file_bytes: 1 << 16,
        hash_threads: 1,
        memory: Memory {
            memtable_bytes: 4 << 10,
            blocks_bytes: 64 << 10,
            batches_bytes: 1 << 16,
            staging_bytes: 64 << 10,
            graphs_bytes: 0,
            queries_bytes: 0,
        },
        fold_threads: false,
        scrub_bytes_per_s: 0,
        use_uring: false,
    }
}

fn open(io: &SimIo) -> Server {
    Server::open(Path::new("/data"), options(io)).unwrap()
}

fn restored(io: &SimIo, to: &str) -> SqlResult<Rows> {
    restore(&options(io), &Request { from: Path::new(BACKUP), to: Path::new(to), database: None, to_commit: None, keys: None })?;
    let server = Server::open(Path::new(to), options(io))?;
    let found = all(&server.ledger("shockwave").unwrap().begin("r"));
    server.shutdown()?;
    Ok(found)
}

/// A disk with a ledger, a backup of it, and commits and a seal since; and the rows of then and of now.
fn before(io: &SimIo) -> (Rows, Rows) {
    let server = open(io);
    let ledger = server.ledger("shockwave").unwrap();
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 1_200));
    ledger.seal().unwrap();
    insert(&ledger, &rows(&t, &[(5_000, "above")]));
    server.backup(Path::new(BACKUP), true).unwrap();
    let then = all(&ledger.begin("r"));
    insert(&ledger, &many(&table(&ledger), 6_000, 300));
    ledger.seal().unwrap();
    insert(&ledger, &many(&table(&ledger), 7_000, 1_100));
    let now = all(&ledger.begin("r"));
    server.close_unsealed().unwrap();
    (then, now)
}

#[test]
fn a_backup_broken_off_at_any_step_leaves_the_earlier_one_or_is_whole() {
    let ground = SimIo::new(3);
    let (then, now) = before(&ground);
    for fault in [Fault::Crash, Fault::Error] {
        let mut seen = [0, 0];
        for step in 1.. {
            let io = ground.copy(step);
            let server = open(&io);
            io.plan(io.steps() + step, fault);
            let begun = io.steps();
            let answer = server.backup(Path::new(BACKUP), true);
            let is_over = io.steps() < begun + step;
            stop(server, &io, fault, is_over).unwrap();
            check(&options(&io), Path::new(BACKUP)).unwrap_or_else(|error| panic!("{fault:?} at step {step}: {error}"));
            let found = restored(&io, "/restored").unwrap_or_else(|error| panic!("{fault:?} at step {step}: {error}"));
            assert!(found == then || found == now, "{fault:?} at step {step}: {} rows", found.len());
            assert!(answer.is_err() || found == now, "{fault:?} at step {step}: it was said to be there");
            seen[usize::from(found == now)] += 1;
            // And the next one makes up for it.
            if step % 5 == 0 {
                let server = open(&io);
                server.backup(Path::new(BACKUP), true).unwrap();
                server.close_unsealed().unwrap();
                drop(server);
                assert_eq!(restored(&io, "/next").unwrap(), now, "{fault:?} at step {step}");
            }
            if is_over {
                break;
            }
        }
        assert!(seen[0] > 60 && seen[1] > 0, "{fault:?}: {seen:?}");
    }
}

#[test]
fn a_restore_broken_off_at_any_step_is_no_server_and_the_next_one_is() {
    let ground = SimIo::new(4);
    let (then, _) = before(&ground);
    for fault in [Fault::Crash, Fault::Error] {
        for step in 1.. {
            let io = ground.copy(step);
            io.plan(step, fault);
            let request = Request { from: Path::new(BACKUP), to: Path::new("/restored"), database: None, to_commit: None, keys: None };
            let answer = restore(&options(&io), &request);
            let is_over = io.steps() < step;
            if fault == Fault::Crash && !is_over {
                io.restart();
            }
            io.forget_faults();
            let opened = Server::open(Path::new("/restored"), options(&io));
            match (&answer, opened) {
                (_, Ok(server)) => {
                    // An error may come after the end of the work, or before its beginning.
                    let ledger = server.ledger("shockwave").unwrap();
                    let is_whole = ledger.snapshot().catalog.table("public", "t").is_some() && all(&ledger.begin("r")) == then;
                    let is_new = ledger.snapshot().catalog.table("public", "t").is_none();
                    assert!(is_whole || (answer.is_err() && is_new && step < 40), "{fault:?} at step {step}: half of it is served");
                    server.close_unsealed().unwrap();
                }
                (Err(_), Err(error)) => assert_eq!(error.state().0, "55000", "{fault:?} at step {step}: {error}"),
                (Ok(_), Err(error)) => panic!("{fault:?} at step {step}: restored, and not opened: {error}"),
            }
            if step % 7 == 0 {
                assert_eq!(restored(&io, "/again").unwrap(), then, "{fault:?} at step {step}");
            }
            if is_over {
                assert!(step > 80, "few steps: {step}");
                break;
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let ground = SimIo::new(5);
    let (then, now) = before(&ground);
    let mut refusals = 0;
    for room in (used_bytes(&ground)..).step_by(12_000) {
        let io = ground.copy(room);
        let server = open(&io);
        io.limit_space(Some(room));
        let answer = server.backup(Path::new(BACKUP), true);
        io.limit_space(None);
        server.close_unsealed().unwrap();
        drop(server);
        let found = restored(&io, "/restored").unwrap();
        match answer {
            Err(error) => {
                assert_eq!(error.state().0, "53100", "{error}");
                assert_eq!(found, then, "with {room} bytes");
                refusals += 1;
            }
            Ok(_) => {
                assert_eq!(found, now, "with {room} bytes");
                break;
            }
        }
    }
    assert!(refusals > 3, "{refusals}");
    let copy = ground.copy(2);
    copy.limit_space(Some(used_bytes(&copy)));
    let request = Request { from: Path::new(BACKUP), to: Path::new("/small"), database: None, to_commit: None, keys: None };
    let error = restore(&options(&copy), &request).unwrap_err();
    assert_eq!(error.state().0, "53100", "{error}");
    copy.limit_space(None);
    assert_eq!(Server::open(Path::new("/small"), options(&copy)).unwrap_err().state().0, "55000");
}

/// Bytes of all files.
fn used_bytes(io: &SimIo) -> u64 {
    let (mut bytes, mut folders) = (0, vec![std::path::PathBuf::from("/")]);
    while let Some(folder) = folders.pop() {
        for name in io.list(&folder).unwrap() {
            let path = folder.join(name);
            match io.open(&path) {
                Ok(file) => bytes += file.len().unwrap(),
                Err(_) => folders.push(path),
            }
        }
    }
    bytes
}
