//! Receipts made by the engine, checked by the verifier with nothing but the key.

use engine::receipt::Disclosed;
use receipts::{Policy, Verdict, verify_consistency, verify_disclosure, verify_receipt};

use crate::ledger::{create_table, find, insert, many, open, rows};

fn policy(keys: &[String]) -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", keys[0]).as_bytes()).unwrap()
}

/// The bytes of standard base64.
fn unbase64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text.bytes().filter_map(|c| Some(DIGITS.iter().position(|digit| *digit == c)? as u32)).collect();
    let bits = |chunk: &[u32]| chunk.iter().fold(0, |sum, digit| sum << 6 | digit) << (6 * (4 - chunk.len()));
    digits.chunks(4).flat_map(|chunk| bits(chunk).to_be_bytes()[1..chunk.len()].to_vec()).collect()
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
            assert_valid(&verify_receipt(&ledger.receipt_cose(small.seq.0, Some(row)).unwrap(), &policy));
            let json: serde_json::Value = serde_json::from_str(&ledger.receipt_json(small.seq.0, Some(row)).unwrap()).unwrap();
            assert_valid(&verify_receipt(json["receipt"].as_str().unwrap().as_bytes(), &policy));
        }
        for row in 0..changed.rows {
            assert_valid(&verify_receipt(ledger.receipt(changed.seq.0, Some(row)).unwrap().as_bytes(), &policy));
        }
        for seq in 0..ledger.checkpoint().state.size {
            assert_valid(&verify_receipt(ledger.receipt(seq, None).unwrap().as_bytes(), &policy));
            assert_valid(&verify_receipt(&ledger.receipt_cose(seq, None).unwrap(), &policy));
        }
    };
    check();
    ledger.seal().unwrap();
    check();
    assert!(ledger.receipt(small.seq.0, Some(2)).is_err());
    assert!(ledger.receipt(1_000_000, None).is_err());
}

#[test]
fn a_disclosure_shows_the_named_columns_and_holds_no_other_value() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let first = insert(&ledger, &rows(&t, &[(1, "secret of one"), (2, "secret of two")]));
    let second = insert(&ledger, &rows(&t, &[(3, "secret of three")]));
    let mut change = ledger.begin("c");
    let (gone, _) = find(&change, 2).unwrap();
    change.delete(&t, &[gone]).unwrap();
    let third = change.commit_blocking().unwrap().unwrap();
    let policy = policy(&ledger.verifier_keys());
    let (id, name, none) = (["id".to_owned()], ["name".to_owned()], []);
    let shown = [
        Disclosed { seq: third.seq.0, row: 0, columns: &none },
        Disclosed { seq: first.seq.0, row: 1, columns: &name },
        Disclosed { seq: second.seq.0, row: 0, columns: &id },
    ];
    let check = || {
        let text = ledger.disclose(&shown).unwrap();
        let verdict = verify_disclosure(text.as_bytes(), &policy);
        assert_valid(&verdict);
        let said = verdict.to_string();
        for line in [
            "3 rows of 3 commits",
            "name = \"secret of two\"",
            "id   = (hidden)",
            "id   = 3",
            "name = (hidden)",
            "delete, supersedes row 1",
        ] {
            assert!(said.contains(line), "«{line}» in {said}");
        }
        assert!(!said.contains("secret of one") && !said.contains("secret of three"));
        // Base64 hides a text from a search in all but three alignments.
        let bytes: Vec<u8> = text.lines().filter_map(|line| line.rsplit_once(' ')).flat_map(|(_, part)| unbase64(part)).collect();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("secret of two") && !holds("secret of one") && !holds("secret of three"));
    };
    check();
    ledger.seal().unwrap();
    check();
    let wrong = ["nam".to_owned()];
    let error = ledger.disclose(&[Disclosed { seq: first.seq.0, row: 0, columns: &wrong }]).unwrap_err();
    assert_eq!(error.state(), base::SqlState::UNDEFINED_COLUMN);
    assert!(ledger.disclose(&[]).is_err());
    assert!(ledger.disclose(&[Disclosed { seq: 1_000, row: 0, columns: &none }]).is_err());
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
