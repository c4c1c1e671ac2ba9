//! Backups of a ledger at work, and what is restored from them: what the original answered, at any commit, or nothing.
#![allow(clippy::disallowed_methods, reason = "it looks into folders and spoils files of a backup")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{CommitSeq, Io, RealIo};
use engine::fsck::{self, check};
use engine::restore::{Request, Restored, restore};
use engine::{Ledger, Options, Server};
use receipts::{Policy, Verdict};

use crate::ledger::{all, change_all_ways, create_table, insert, many, open, options, rows, table};

/// Every file below a folder, by path.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Rows of `t` as of a commit; `None` where there is no such table yet.
pub fn rows_at(ledger: &Arc<Ledger>, seq: u64) -> Option<Vec<(i64, String)>> {
    let moment = ledger.moment(CommitSeq(seq)).unwrap();
    let mut transaction = ledger.begin("r");
    transaction.travel(moment);
    transaction.catalog().table("public", "t").is_some().then(|| all(&transaction))
}

pub fn restore_to(from: &Path, to: &Path, commit: Option<u64>) -> Vec<Restored> {
    restore(&options(), &Request { from, to, database: None, to_commit: commit, keys: None }).unwrap()
}

pub fn policy(ledger: &Ledger) -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap()
}

pub fn fsck_of(data: &Path, policy: &Policy, pinned: Option<&str>) -> Verdict {
    let io: Arc<dyn Io> = Arc::new(RealIo);
    check(&io, &fsck::Request { folder: &data.join("ledgers/shockwave"), policy, pinned, threads: 2 }).0
}

pub fn ledger_backup(backup: &Path) -> PathBuf {
    backup.join("ledgers/shockwave")
}

/// A little of everything, sealed twice, with commits above: large and small ones, updates and deletes of committed and own rows.
pub fn fill(ledger: &Arc<Ledger>) {
    let t = create_table(ledger);
    insert(ledger, &many(&t, 0, 9_000));
    ledger.seal().unwrap();
    change_all_ways(ledger);
    for i in 0..30 {
        insert(ledger, &many(&t, 30_000 + i, 1));
    }
    insert(ledger, &many(&t, 50_000, 3_000));
    ledger.seal().unwrap();
    insert(ledger, &many(&t, 60_000, 1_500));
    insert(ledger, &rows(&t, &[(70_000, "last")]));
}

pub fn reopened(data: &Path) -> (Server, Arc<Ledger>) {
    let server = Server::open(data, Options { wal_file_bytes: 1 << 20, ..Options::real() }).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

#[test]
fn what_is_sealed_is_copied_once() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let backup = dir.path().join("backup");
    let first = server.backup(&backup, false).unwrap().remove(0);
    assert_eq!((first.size, first.copied.kept, first.has_keys), (ledger.checkpoint().state.size, 0, false));
    let before = files(&backup);
    assert!(!before.keys().any(|name| name.contains("keys")), "keys were not asked for");
    // Nothing new: only what is above the seal, three files, is written again.
    let again = server.backup(&backup, false).unwrap().remove(0);
    assert_eq!((again.size, again.copied.files), (first.size, 3));
    assert_eq!(files(&backup), before);
    insert(&ledger, &many(&table(&ledger), 80_000, 5_000));
    ledger.seal().unwrap();
    let third = server.backup(&backup, true).unwrap().remove(0);
    let after = files(&backup);
    let segments = |files: &BTreeMap<String, Vec<u8>>| files.keys().filter(|name| name.contains("segments/")).cloned().collect::<Vec<_>>();
    assert!(segments(&after).len() > segments(&before).len());
    assert!(segments(&before).iter().all(|name| after[name] == before[name]));
    assert!(third.copied.kept >= segments(&before).len() as u64, "{third:?}");
    // One state at a time: the log's old copy is gone, and so are tiles that were widened.
    assert_eq!(after.keys().filter(|name| name.contains("/log/")).count(), 1);
    assert_eq!(after.keys().filter(|name| name.contains("/keys/signing.key.")).count(), 1);
    // Once asked for, keys stay.
    assert!(server.backup(&backup, false).unwrap()[0].has_keys);
    server.shutdown().unwrap();
}

#[test]
fn a_folder_is_extended_only_by_what_it_is_of() {
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("backup");
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    server.backup(&backup, true).unwrap();
    let before = files(&backup);
    let refused = |server: &Server, what: &str| {
        let error = server.backup(&backup, true).unwrap_err();
        assert_eq!(error.state().0, "55000", "{error}");
        assert!(error.message().contains(what), "{error}");
    };
    let (other, _) = open(&dir.path().join("other"));
    refused(&other, "holds a backup of shockwave/");
    other.shutdown().unwrap();
    restore_to(&backup, &dir.path().join("restored"), None);
    let (restored, _) = reopened(&dir.path().join("restored"));
    refused(&restored, "holds a backup of incarnation 0, the ledger is incarnation 1");
    restored.shutdown().unwrap();
    let error = ledger.backup(ledger.folder(), false).unwrap_err();
    assert_eq!(error.state().0, "55000", "{error}");
    assert_eq!(files(&backup), before);
    server.shutdown().unwrap();
}

#[test]
fn backups_go_on_beside_writers_and_seals() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 2_000));
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut taken = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1.. {
                insert(&ledger, &many(&table(&ledger), round * 10_000, if round % 3 == 0 { 2_000 } else { 1 }));
                if done.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
            }
        });
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                ledger.seal().unwrap();
            }
        });
        for round in 0..12 {
            // A folder of its own at times, so that whole and incremental ones meet every moment of a seal.
            let backup = dir.path().join(format!("backup {}", round / 4));
            taken.push((backup.clone(), server.backup(&backup, true).unwrap()[0].size));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let newest: BTreeMap<PathBuf, u64> = taken.into_iter().collect();
    for (at, (backup, size)) in newest.iter().enumerate() {
        let to = dir.path().join(format!("restored {at}"));
        assert_eq!(restore_to(backup, &to, None)[0].size, *size);
        let (copy, of) = reopened(&to);
        assert_eq!(rows_at(&of, size - 1), rows_at(&ledger, size - 1), "of {size}");
        copy.shutdown().unwrap();
        let verdict = fsck_of(&to, &policy(&ledger), None);
        assert_eq!(verdict.exit_code(), 0, "{verdict}");
    }
    server.shutdown().unwrap();
}
