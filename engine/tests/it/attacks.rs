//! Attacks of docs/security/attacks.md that need a real ledger's folder: what a thief, an operator or a restored backup can do to it, and who notices.
#![allow(clippy::disallowed_methods, reason = "it does to files what an attacker would")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Io, RealIo, SqlState};
use engine::fsck::{Request, check, check_export};
use engine::{Ledger, Server};
use receipts::{Policy, Verdict, verify_consistency, verify_receipt};

use crate::ledger::{create_table, insert, many, open, options, rows, table};

const LEDGER: &str = "ledgers/shockwave";

fn policy(ledger: &Ledger) -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap()
}

fn fsck(data: &Path, policy: &Policy, pinned: Option<&str>) -> Verdict {
    let io: Arc<dyn Io> = Arc::new(RealIo);
    check(&io, &Request { folder: &data.join(LEDGER), policy, pinned, threads: 1 }).0
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// A ledger of a few commits, closed; `seal` says whether its log became segments.
fn closed(data: &Path, seal: bool) -> (Policy, String) {
    let (server, ledger) = open(data);
    let t = create_table(&ledger);
    for i in 0..4 {
        insert(&ledger, &rows(&t, &[(i, "same length")]));
    }
    let found = (policy(&ledger), ledger.checkpoint().sha_note.to_string());
    if seal { server.shutdown() } else { server.close_unsealed() }.unwrap();
    found
}

/// Bitwise CRC-32, so that an attacker's log has checksums as good as an honest one's.
fn crc(parts: &[&[u8]]) -> u32 {
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()));
    !parts.iter().flat_map(|part| part.iter()).fold(!0, byte)
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Where the payloads of a log file's commits are (docs/formats/wal.md, docs/formats/folder.md).
fn commits(log: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 64;
    while u32_at(log, at) > 0 {
        if log[at + 8] == 2 {
            found.push((at, u32_at(log, at)));
        }
        at += (32 + u32_at(log, at)).next_multiple_of(32);
    }
    found
}

fn log_file(data: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(data.join(LEDGER).join("wal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wal"));
    files.sort();
    files.remove(0)
}

#[test]
fn two_records_of_one_length_swapped_in_the_log_are_refused() {
    for mends_checksums in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (policy, _) = closed(dir.path(), false);
        let path = log_file(dir.path());
        let mut log = std::fs::read(&path).unwrap();
        let all = commits(&log);
        let (one, two) = all.iter().zip(&all[1..]).map(|(a, b)| (*a, *b)).rfind(|(a, b)| a.1 == b.1).expect("commits of one length");
        let (first, second) = (log[one.0 + 32..one.0 + 32 + one.1].to_vec(), log[two.0 + 32..two.0 + 32 + two.1].to_vec());
        assert_ne!(first, second);
        log[one.0 + 32..one.0 + 32 + one.1].copy_from_slice(&second);
        log[two.0 + 32..two.0 + 32 + two.1].copy_from_slice(&first);
        if mends_checksums {
            for (at, length) in [one, two] {
                let sum = crc(&[&log[16..32], &log[12..16], &log[at..at + 4], &log[at + 8..at + 32 + length]]);
                log[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
            }
        }
        std::fs::write(&path, &log).unwrap();
        let error = Server::open(dir.path(), options()).unwrap_err();
        assert_eq!(error.state(), SqlState::DATA_CORRUPTED, "{error}");
        let verdict = fsck(dir.path(), &policy, None);
        assert!([1, 2].contains(&verdict.exit_code()), "{verdict}");
    }
}

#[test]
fn a_tail_cut_after_a_receipt_left_is_refused_and_missed() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 10));
    let last = insert(&ledger, &rows(&t, &[(99, "acknowledged")]));
    let (receipt, policy) = (ledger.receipt(last.seq.0, Some(0)).unwrap(), policy(&ledger));
    let pinned = ledger.checkpoint().sha_note.to_string();
    server.close_unsealed().unwrap();
    drop((server, ledger));
    let path = log_file(dir.path());
    let mut log = std::fs::read(&path).unwrap();
    let (at, _) = *commits(&log).last().unwrap();
    log[at..].fill(0);
    std::fs::write(&path, &log).unwrap();
    let error = Server::open(dir.path(), options()).unwrap_err();
    assert_eq!(error.state(), SqlState::DATA_CORRUPTED, "last_signed knows of it: {error}");
    // Whoever cuts the record of what was signed last as well is found out by the checkpoint that the receipt's holder kept.
    let verdict = fsck(dir.path(), &policy, Some(&pinned));
    assert_eq!(verdict.exit_code(), 1, "{verdict}");
    assert_eq!(verify_receipt(receipt.as_bytes(), &policy).exit_code(), 0, "the receipt stays good: it is the proof of what was cut");
}

#[test]
fn a_folder_rolled_back_whole_and_written_on_is_not_what_was_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    closed(&data, true);
    copy(&data, &backup);
    let (server, ledger) = open(&data);
    insert(&ledger, &rows(&table(&ledger), &[(50, "paid")]));
    let (policy, pinned) = (policy(&ledger), ledger.checkpoint());
    server.shutdown().unwrap();
    drop((server, ledger));
    std::fs::remove_dir_all(&data).unwrap();
    copy(&backup, &data);
    let (server, ledger) = open(&data);
    insert(&ledger, &rows(&table(&ledger), &[(50, "never paid")]));
    insert(&ledger, &rows(&table(&ledger), &[(51, "more")]));
    let export = dir.path().join("export");
    ledger.export(&export, 0, None).unwrap();
    let newest = ledger.checkpoint().state.size;
    let proof = ledger.consistency(pinned.state.size, newest).unwrap();
    server.shutdown().unwrap();
    assert_eq!(fsck(&data, &policy, None).exit_code(), 0, "alone it looks like any other ledger");
    assert_eq!(fsck(&data, &policy, Some(&pinned.sha_note)).exit_code(), 1);
    let verdict = verify_consistency(pinned.sha_note.as_bytes(), proof.as_bytes(), &policy);
    assert!(verdict.to_string().contains("history was rewritten"), "{verdict}");
    let io: Arc<dyn Io> = Arc::new(RealIo);
    assert_eq!(check_export(&io, &export, None, &policy).exit_code(), 0);
    let verdict = check_export(&io, &export, Some(pinned.sha_note.as_bytes()), &policy);
    assert!(verdict.to_string().starts_with("TAMPERED: consistency"), "{verdict}");
}

#[test]
fn two_copies_that_both_write_on_have_two_roots_at_one_size() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    closed(&one, true);
    copy(&one, &two);
    let mut notes = Vec::new();
    for (data, name) in [(&one, "to Ada"), (&two, "to Eve")] {
        let (server, ledger) = open(data);
        insert(&ledger, &rows(&table(&ledger), &[(60, name)]));
        notes.push((policy(&ledger), ledger.checkpoint()));
        server.close_unsealed().unwrap();
    }
    let [(policy, first), (_, second)] = &notes[..] else { unreachable!("two copies") };
    assert_eq!(first.state.size, second.state.size);
    assert_ne!(first.state.sha_root, second.state.sha_root);
    let proof = format!("old {}\n\n{}", first.state.size, second.sha_note);
    let verdict = verify_consistency(first.sha_note.as_bytes(), proof.as_bytes(), policy);
    assert!(verdict.to_string().contains("history was rewritten"), "{verdict}");
}

type Spoil = dyn Fn(&Path, &[PathBuf]);

#[test]
fn a_segment_repeated_or_put_in_the_place_of_another_is_named() {
    let spoil: [&Spoil; 3] = [
        // The first under the name of the one that would come next.
        &|folder, all| {
            std::fs::copy(&all[0], folder.join("0000000000000030.arrow")).unwrap();
        },
        // Names of the two changed over.
        &|folder, all| {
            std::fs::rename(&all[0], folder.join("other")).unwrap();
            std::fs::rename(&all[1], &all[0]).unwrap();
            std::fs::rename(folder.join("other"), &all[1]).unwrap();
        },
        // The first twice.
        &|_, all| {
            std::fs::remove_file(&all[1]).unwrap();
            std::fs::copy(&all[0], &all[1]).unwrap();
        },
    ];
    for spoil in spoil {
        let dir = tempfile::tempdir().unwrap();
        let (server, ledger) = open(dir.path());
        let t = create_table(&ledger);
        for first in [0, 15] {
            insert(&ledger, &many(&t, first, 15));
            ledger.seal().unwrap();
        }
        let policy = policy(&ledger);
        server.shutdown().unwrap();
        drop((server, ledger));
        let folder = dir.path().join(LEDGER).join(format!("segments/{}", t.id));
        let mut all: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        assert_eq!(all.len(), 2);
        assert_eq!(fsck(dir.path(), &policy, None).exit_code(), 0);
        spoil(&folder, &all);
        let verdict = fsck(dir.path(), &policy, None);
        assert!([1, 2].contains(&verdict.exit_code()), "{verdict}");
        assert!(verdict.to_string().contains(&format!("segments/{}", t.id)), "{verdict}");
    }
}

#[test]
fn an_aborted_transaction_leaves_no_leaf_and_no_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "one")]));
    let before = ledger.checkpoint().state;
    let mut aborted = ledger.begin("a");
    aborted.insert(&t, &rows(&t, &[(2, "never")])).unwrap();
    drop(aborted);
    let mut refused = ledger.begin("a");
    refused.insert(&t, &rows(&t, &[(1, "again")])).map(|_| ()).and_then(|()| refused.commit_blocking().map(|_| ())).unwrap_err();
    assert_eq!(ledger.checkpoint().state, before, "neither of them is a leaf");
    assert_eq!(ledger.receipt(before.size, None).unwrap_err().state(), SqlState::INVALID_PARAMETER_VALUE);
    let next = insert(&ledger, &rows(&t, &[(3, "three")]));
    assert_eq!((next.seq.0, next.rows), (before.size, 1), "the next commit takes the place, and holds its own row only");
}

#[test]
fn every_acknowledged_row_is_in_the_leaf_and_the_export() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    let policy = policy(&ledger);
    for i in 0..20 {
        let committed = insert(&ledger, &many(&t, i * 100, i + 1));
        for row in 0..committed.rows {
            let verdict = verify_receipt(ledger.receipt(committed.seq.0, Some(row)).unwrap().as_bytes(), &policy);
            assert!(verdict.to_string().contains(&format!("id   = {}", i as u64 * 100 + row)), "{verdict}");
        }
        assert!(ledger.receipt(committed.seq.0, Some(committed.rows)).is_err(), "and none but those");
    }
    let exported = ledger.export(&dir.path().join("export"), 0, None).unwrap();
    assert!(exported.rows >= (1..=20).sum::<u64>());
    let io: Arc<dyn Io> = Arc::new(RealIo);
    assert_eq!(check_export(&io, &dir.path().join("export"), None, &policy).exit_code(), 0);
}
