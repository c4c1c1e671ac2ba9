//! A restored ledger answers what the original answered, says that it is another incarnation, and is whole for a stranger.

#![allow(clippy::disallowed_methods, reason = "it looks into folders")]

use std::path::Path;
use std::sync::Arc;

use base::{RealIo, Rng, SeededRng};
use engine::restore::{Request, restore};
use engine::{Ledger, Server};
use receipts::note::Note;
use receipts::{Receipt, verify_receipt};

use crate::backups::{files, fill, fsck_of, policy, reopened, restore_to, rows_at};
use crate::ledger::{all, create_table, insert, many, open, options, rows, table};

#[test]
fn any_commit_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let backup = dir.path().join("backup");
    let size = server.backup(&backup, true).unwrap()[0].size;
    let policy = policy(&ledger);
    let rng = SeededRng::new(11);
    // First, last, both sides of each seal, and some at random.
    let seals: Vec<u64> = engine::checkpoints::sizes(&RealIo, ledger.folder()).unwrap();
    let mut wanted: Vec<u64> = seals.iter().flat_map(|size| [size - 2, size - 1, *size]).chain([0, 1, 2, size - 2, size - 1]).collect();
    wanted.extend((0..8).map(|_| rng.next_u64() % size));
    wanted.sort_unstable();
    wanted.dedup();
    for commit in wanted {
        let to = dir.path().join(format!("to {commit}"));
        let restored = restore_to(&backup, &to, Some(commit)).remove(0);
        assert_eq!((restored.size, restored.left_out, restored.incarnation), (commit + 1, size - commit - 1, 1));
        let verdict = fsck_of(&to, &policy, None);
        assert_eq!(verdict.exit_code(), 0, "to {commit}, before it was opened: {verdict}");
        let (copy, of) = reopened(&to);
        assert_eq!(of.verifier_keys(), ledger.verifier_keys());
        for seq in [commit, commit / 2] {
            assert_eq!(rows_at(&of, seq), rows_at(&ledger, seq), "as of {seq}, restored to {commit}");
        }
        // What is now is what was then.
        let now = of.begin("r");
        assert_eq!(now.catalog().table("public", "t").is_some().then(|| all(&now)), rows_at(&ledger, commit), "to {commit}");
        assert_eq!(roots(&of, commit + 1), roots(&ledger, commit + 1), "to {commit}");
        // It goes on.
        if now.catalog().table("public", "t").is_some() {
            insert(&of, &rows(&table(&of), &[(-1, "after")]));
            assert_eq!(all(&of.begin("r"))[0], (-1, "after".to_owned()));
        }
        drop(now);
        copy.shutdown().unwrap();
        drop((copy, of));
        let verdict = fsck_of(&to, &policy, None);
        assert_eq!(verdict.exit_code(), 0, "to {commit}: {verdict}");
        let says_lost = verdict.to_string().contains(&format!("commits {} to {}", commit + 1, size - 1));
        assert_eq!(says_lost, commit + 1 < size, "{verdict}");
        // Once more, without anything to recover.
        let (copy, of) = reopened(&to);
        assert_eq!(rows_at(&of, commit), rows_at(&ledger, commit));
        copy.shutdown().unwrap();
        std::fs::remove_dir_all(to).unwrap();
    }
    server.shutdown().unwrap();
}

fn leaf_of(receipt: &str) -> Vec<u8> {
    Receipt::parse(receipt.as_bytes()).unwrap().leaf
}

/// Roots of both trees at a size, out of the leaves.
fn roots(ledger: &Arc<Ledger>, size: u64) -> (receipts::Hash, receipts::Hash) {
    let (mut sha, mut b3) = (receipts::Frontier::<receipts::Sha256Tree>::new(), receipts::Frontier::<receipts::Blake3Tree>::new());
    for seq in 0..size {
        let (sha_hash, b3_hash) = receipts::leaf::leaf_hashes(&leaf_of(&ledger.receipt(seq, None).unwrap()));
        sha.append(sha_hash, |_, _, _| ());
        b3.append(b3_hash, |_, _, _| ());
    }
    (sha.root(), b3.root())
}

#[test]
fn receipts_and_checkpoints_from_before_hold_and_new_ones_are_made() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let (early, policy) = (ledger.checkpoint(), policy(&ledger));
    let seq = early.state.size - 1;
    let receipt = ledger.receipt(seq, Some(0)).unwrap();
    for i in 0..5 {
        insert(&ledger, &rows(&table(&ledger), &[(90_000 + i, "lost")]));
    }
    let late = ledger.checkpoint();
    let backup = dir.path().join("backup");
    server.backup(&backup, true).unwrap();
    server.shutdown().unwrap();
    let to = dir.path().join("restored");
    restore_to(&backup, &to, Some(seq));
    let (copy, of) = reopened(&to);
    assert_eq!(verify_receipt(receipt.as_bytes(), &policy).exit_code(), 0);
    let again = of.receipt(seq, Some(0)).unwrap();
    assert_eq!(verify_receipt(again.as_bytes(), &policy).exit_code(), 0);
    assert_eq!(leaf_of(&again), leaf_of(&receipt));
    // The leaf of the new incarnation has a receipt like any other.
    assert_eq!(verify_receipt(of.receipt(seq + 1, None).unwrap().as_bytes(), &policy).exit_code(), 0);
    copy.shutdown().unwrap();
    let verdict = fsck_of(&to, &policy, Some(&early.sha_note));
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    // Whoever kept a checkpoint of what was left out sees that it was.
    let verdict = fsck_of(&to, &policy, Some(&late.sha_note));
    assert_eq!(verdict.exit_code(), 1, "{verdict}");
}

#[test]
fn incarnations_follow_one_another_and_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let policy = policy(&ledger);
    let mut backup = dir.path().join("backup 0");
    server.backup(&backup, true).unwrap();
    server.shutdown().unwrap();
    for number in 1..4_u32 {
        let to = dir.path().join(format!("life {number}"));
        // The second restore goes back beyond the leaf of the first.
        let commit = (number == 2).then_some(5);
        assert_eq!(restore_to(&backup, &to, commit)[0].incarnation, number);
        let (copy, of) = reopened(&to);
        insert(&of, &rows(&table(&of), &[(-i64::from(number), "life")]));
        of.seal().unwrap();
        insert(&of, &rows(&table(&of), &[(-100 - i64::from(number), "life")]));
        backup = dir.path().join(format!("backup {number}"));
        copy.backup(&backup, true).unwrap();
        copy.shutdown().unwrap();
        let verdict = fsck_of(&to, &policy, None);
        assert_eq!(verdict.exit_code(), 0, "{verdict}");
    }
    let id = dir.path().join("life 3/ledgers/shockwave/ledger.id");
    let text = std::fs::read_to_string(&id).unwrap();
    std::fs::write(&id, text.replace("incarnation 3", "incarnation 4")).unwrap();
    let verdict = fsck_of(&dir.path().join("life 3"), &policy, None);
    assert_eq!(verdict.exit_code(), 1, "{verdict}");
    assert!(verdict.to_string().contains("ledger.id"), "{verdict}");
}

#[test]
fn keys_may_come_from_elsewhere_and_without_them_there_is_no_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (server, ledger) = open(&data);
    fill(&ledger);
    let verifier = ledger.keep_verifier("SCRAM-SHA-256$4096:c2FsdA==$a:b").unwrap();
    let (backup, keys) = (dir.path().join("backup"), dir.path().join("keys"));
    server.backup(&keys, true).unwrap();
    insert(&ledger, &rows(&table(&ledger), &[(-5, "later")]));
    server.backup(&backup, false).unwrap();
    server.shutdown().unwrap();
    let request =
        |to: &Path, keys: Option<&Path>| restore(&options(), &Request { from: &backup, to, database: None, to_commit: None, keys });
    let to = dir.path().join("none");
    let error = request(&to, None).unwrap_err();
    assert_eq!(error.state().0, "55000", "{error}");
    assert!(!to.exists(), "nothing was begun");
    let (other, _) = open(&dir.path().join("other"));
    other.shutdown().unwrap();
    assert_eq!(request(&to, Some(&dir.path().join("other"))).unwrap_err().state().0, "55000");
    for (name, keys) in [("by backup", &keys), ("by data", &data)] {
        let to = dir.path().join(name);
        request(&to, Some(keys)).unwrap();
        let (copy, of) = reopened(&to);
        assert_eq!(all(&of.begin("r"))[0], (-5, "later".to_owned()));
        assert_eq!(of.verifier(&verifier).unwrap().as_deref(), Some("SCRAM-SHA-256$4096:c2FsdA==$a:b"));
        copy.shutdown().unwrap();
    }
}

#[test]
fn replaced_keys_are_those_of_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let (backup, early) = (dir.path().join("backup"), dir.path().join("early"));
    let old = policy(&ledger);
    server.backup(&early, true).unwrap();
    server.backup(&backup, true).unwrap();
    let key = |folder: &Path| files(folder).into_keys().filter(|name| name.contains("signing.key")).collect::<Vec<_>>();
    let before = key(&backup);
    let rotated = ledger.rotate_keys().unwrap().0;
    insert(&ledger, &rows(&table(&ledger), &[(-7, "under new keys")]));
    ledger.seal().unwrap();
    server.backup(&backup, false).unwrap();
    assert!(key(&backup).len() == 1 && key(&backup) != before, "the old private keys are gone");
    let new = policy(&ledger);
    server.shutdown().unwrap();
    let request = |to: &Path, commit, keys: Option<&Path>| {
        restore(&options(), &Request { from: &backup, to, database: None, to_commit: Some(commit), keys })
    };
    let to = dir.path().join("refused");
    for keys in [None, Some(&*dir.path().join("data"))] {
        let error = request(&to, rotated - 1, keys).unwrap_err();
        assert!(error.state().0 == "55000" && !to.exists(), "{error}");
    }
    for (name, commit, keys, policy) in
        [("new", rotated, None, &new), ("newer", rotated + 1, None, &new), ("old", rotated - 1, Some(&*early), &old)]
    {
        let to = dir.path().join(name);
        request(&to, commit, keys).unwrap();
        let (copy, of) = reopened(&to);
        insert(&of, &rows(&table(&of), &[(-8, "goes on")]));
        copy.shutdown().unwrap();
        let verdict = fsck_of(&to, policy, None);
        assert_eq!(verdict.exit_code(), 0, "{name}: {verdict}");
    }
}

#[test]
fn what_witnesses_cosigned_comes_along_as_far_as_it_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let cosigned = ledger.checkpoint();
    ledger.keep_cosigned(&Note::parse(&cosigned.sha_note).unwrap()).unwrap();
    insert(&ledger, &rows(&table(&ledger), &[(-7, "later")]));
    let backup = dir.path().join("backup");
    server.backup(&backup, true).unwrap();
    let size = cosigned.state.size;
    server.shutdown().unwrap();
    for (commit, wanted) in [(size, Some(size)), (size - 1, Some(size)), (size - 2, None)] {
        let to = dir.path().join(format!("to {commit}"));
        restore_to(&backup, &to, Some(commit));
        let (copy, of) = reopened(&to);
        assert_eq!(of.cosigned().map(|cosigned| cosigned.size), wanted, "restored to {commit}");
        copy.shutdown().unwrap();
    }
}

#[test]
fn databases_are_restored_together_or_one_of_them_even_if_it_was_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    fill(&ledger);
    let tenant = server.create_database("Tenant 1", 10, &ledger).unwrap();
    let t = create_table(&tenant);
    insert(&tenant, &many(&t, 0, 10));
    drop((tenant, t));
    let backup = dir.path().join("backup");
    assert_eq!(server.backup(&backup, true).unwrap().len(), 2);
    let request = |name: &str, database, to_commit| {
        let to = dir.path().join(name);
        let restored = restore(&options(), &Request { from: &backup, to: &to, database, to_commit, keys: None });
        restored.map(|_| {
            let copy = Server::open(&to, options()).unwrap();
            let names = copy.databases();
            copy.shutdown().unwrap();
            names
        })
    };
    assert_eq!(request("both", None, None).unwrap(), ["Tenant 1", "shockwave"]);
    assert_eq!(request("which", None, Some(3)).unwrap_err().state().0, "22023");
    assert_eq!(request("one", Some("Tenant 1"), Some(3)).unwrap(), ["Tenant 1"]);
    assert_eq!(request("beyond", Some("Tenant 1"), Some(9_999)).unwrap_err().state().0, "22023");
    assert_eq!(request("nobody", Some("nobody"), None).unwrap_err().state().0, "3D000");
    assert_eq!(request("both", None, None).unwrap_err().state().0, "55000");
    server.drop_database("Tenant 1").unwrap();
    assert_eq!(server.backup(&backup, true).unwrap().len(), 1);
    assert_eq!(request("rest", None, None).unwrap(), ["shockwave"]);
    assert_eq!(request("back", Some("Tenant 1"), None).unwrap(), ["Tenant 1"]);
    server.shutdown().unwrap();
}
