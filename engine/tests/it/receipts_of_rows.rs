//! Receipts made by the engine, checked by the verifier with nothing but the key.

use receipts::{Policy, Verdict, verify_consistency, verify_receipt};

use crate::ledger::{create_table, find, insert, many, open, rows};

fn policy(keys: &[String]) -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", keys[0]).as_bytes()).unwrap()
}

fn assert_valid(verdict: &Verdict) {
    assert_eq!(verdict.exit_code(), 0, "{verdict:?}");
}

#[test]
fn every_row_of_small_and_large_commits_has_a_valid_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let large = insert(&ledger, &many(&t, 0, 10_000));
    let small = insert(&ledger, &rows(&t, &[(20_000, "x"), (20_001, "y")]));
    let mut change = ledger.begin("c");
    let (row, _) = find(&change, 5).unwrap();
    change.update(&t, &[row], &rows(&t, &[(5, "five")])).unwrap();
    change.insert(&t, &rows(&t, &[(30_000, "own")])).unwrap();
    let (own, _) = find(&change, 30_000).unwrap();
    change.update(&t, &[own], &rows(&t, &[(30_000, "own again")])).unwrap();
    let (gone, _) = find(&change, 6).unwrap();
    change.delete(&t, &[gone]).unwrap();
    let changed = change.commit_blocking().unwrap().unwrap();
    let policy = policy(&ledger.verifier_keys());
    let check = || {
        for row in [0, 1, 255, 256, 8_191, 8_192, 9_999] {
            assert_valid(&verify_receipt(ledger.receipt(large.seq.0, Some(row)).unwrap().as_bytes(), &policy));
        }
        for row in 0..small.rows {
            assert_valid(&verify_receipt(ledger.receipt(small.seq.0, Some(row)).unwrap().as_bytes(), &policy));
        }
        for row in 0..changed.rows {
            assert_valid(&verify_receipt(ledger.receipt(changed.seq.0, Some(row)).unwrap().as_bytes(), &policy));
        }
        for seq in 0..ledger.checkpoint().state.size {
            assert_valid(&verify_receipt(ledger.receipt(seq, None).unwrap().as_bytes(), &policy));
        }
    };
    check();
    ledger.seal().unwrap();
    check();
    assert!(ledger.receipt(small.seq.0, Some(2)).is_err());
    assert!(ledger.receipt(1_000_000, None).is_err());
}

#[test]
fn consistency_holds_from_every_earlier_size() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let pinned = ledger.checkpoint();
    for i in 0..20 {
        insert(&ledger, &many(&t, i * 10, 10));
    }
    let size = ledger.checkpoint().state.size;
    let proof = ledger.consistency(pinned.state.size, size).unwrap();
    assert_valid(&verify_consistency(pinned.sha_note.as_bytes(), proof.as_bytes(), &policy(&ledger.verifier_keys())));
    assert!(ledger.consistency(0, size).is_err());
    assert!(ledger.consistency(size, size + 1).is_err());
}
