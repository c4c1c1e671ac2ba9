//! Receipts made by the engine, checked by the verifier with nothing but the key.

use std::sync::Arc;

use engine::Ledger;
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

/// What receipts have cost so far: rows hashed, rows decoded, nodes looked up, trees computed from all rows.
fn costs(ledger: &Arc<Ledger>) -> [u64; 4] {
    let gauges = ledger.gauges();
    ["rows_hashed", "rows_decoded", "nodes_read", "trees_made"].map(|what| {
        let name = format!("shockwave_receipt_{what}_total");
        gauges.iter().find(|gauge| gauge.name == name).unwrap().value as u64
    })
}

/// The first version hashed the whole upper tree for each receipt, decoded a batch twice, and read all rows of the commit after a restart.
#[test]
fn a_receipt_of_a_large_commit_costs_its_group_and_a_logarithm_of_nodes() {
    const ROWS: i64 = 40_000;
    const GROUPS: u64 = 157;
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let seq = insert(&ledger, &many(&t, 0, ROWS)).seq.0;
    let policy = policy(&ledger.verifier_keys());
    let prove = |ledger: &Arc<Ledger>, trees_made: u64| {
        let before = costs(ledger);
        for row in [0, 255, 256, 20_000, 39_935, 39_936, ROWS as u64 - 1] {
            let [hashed, decoded, nodes, _] = costs(ledger);
            assert_valid(&verify_receipt(ledger.receipt(seq, Some(row)).unwrap().as_bytes(), &policy));
            let after = costs(ledger);
            if trees_made == 0 {
                assert!(after[0] - hashed <= 256, "H2: {} rows hashed", after[0] - hashed);
                assert!(after[1] - decoded <= 2 * 8_192, "H2: {} rows decoded", after[1] - decoded);
                let levels = u64::from(GROUPS.ilog2() + 1);
                assert!(after[2] - nodes <= 2 * levels + 1, "H2: {} nodes", after[2] - nodes);
            }
        }
        assert_eq!(costs(ledger)[3] - before[3], trees_made);
    };
    prove(&ledger, 0);
    ledger.seal().unwrap();
    prove(&ledger, 0);
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    let file = dir.path().join(format!("ledgers/shockwave/row-trees/{seq:020}"));
    let written = std::fs::read(&file).unwrap();
    assert_eq!(written.len() as u64, 32 + 32 * (0..8).map(|level| GROUPS >> level).sum::<u64>());

    // A later process reads the nodes from the file; one that is damaged or gone costs one computation, and is written anew.
    let (server, ledger) = open(dir.path());
    prove(&ledger, 0);
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    let mut damaged = written.clone();
    damaged[32 + 32 * 78] ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    let (server, ledger) = open(dir.path());
    prove(&ledger, 1);
    prove(&ledger, 0);
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    assert_eq!(std::fs::read(&file).unwrap(), written);
    std::fs::remove_file(&file).unwrap();
    let (_server, ledger) = open(dir.path());
    prove(&ledger, 1);
    assert_eq!(std::fs::read(&file).unwrap(), written);
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
