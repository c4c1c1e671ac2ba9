//! What transactions see and which of them win.

use base::SqlState;

use crate::ledger::{all, create_table, definition, find, insert, many, open, rows, table};

#[test]
fn own_writes_are_seen_by_their_transaction_only() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "one"), (2, "two")]));
    let mut writer = ledger.begin("tester");
    writer.insert(&t, &rows(&t, &[(3, "three")])).unwrap();
    let (two, _) = find(&writer, 2).unwrap();
    writer.update(&t, &[two], &rows(&t, &[(2, "zwei")])).unwrap();
    let (three, _) = find(&writer, 3).unwrap();
    writer.update(&t, &[three], &rows(&t, &[(3, "drei")])).unwrap();
    let (one, _) = find(&writer, 1).unwrap();
    writer.delete(&t, &[one]).unwrap();
    let expected = vec![(2, "zwei".to_owned()), (3, "drei".to_owned())];
    assert_eq!(all(&writer), expected);
    let before = vec![(1, "one".to_owned()), (2, "two".to_owned())];
    let reader = ledger.begin("reader");
    assert_eq!(all(&reader), before);
    writer.commit_blocking().unwrap();
    assert_eq!(all(&reader), before, "a snapshot does not move");
    assert_eq!(all(&ledger.begin("reader")), expected);
    assert_eq!(find(&reader, 1).unwrap().1, "one");
    assert_eq!(find(&ledger.begin("reader"), 1), None);
}

#[test]
fn the_first_committer_wins() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "one")]));
    let (mut a, mut b) = (ledger.begin("a"), ledger.begin("b"));
    let (row, _) = find(&a, 1).unwrap();
    a.update(&t, &[row], &rows(&t, &[(1, "a")])).unwrap();
    b.update(&t, &[row], &rows(&t, &[(1, "b")])).unwrap();
    b.commit_blocking().unwrap();
    let error = a.commit_blocking().unwrap_err();
    assert_eq!(error.state(), SqlState::SERIALIZATION_FAILURE);
    assert_eq!(all(&ledger.begin("r")), vec![(1, "b".to_owned())]);
}

#[test]
fn a_key_is_taken_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "one")]));
    let mut late = ledger.begin("late");
    late.insert(&t, &rows(&t, &[(7, "late")])).unwrap();
    let error = late.insert(&t, &rows(&t, &[(1, "again")])).unwrap_err();
    assert_eq!(error.state(), SqlState::UNIQUE_VIOLATION);
    assert_eq!(error.message(), "duplicate key value violates unique constraint \"t_pkey\"");
    assert!(error.fields().any(|field| field == (b'D', "Key (id)=(1) already exists.")));
    insert(&ledger, &rows(&t, &[(7, "first")]));
    assert_eq!(late.commit_blocking().unwrap_err().state(), SqlState::UNIQUE_VIOLATION, "checked again at commit");
    let twice = ledger.begin("twice").insert(&t, &rows(&t, &[(8, "x"), (8, "y")])).unwrap_err();
    assert_eq!(twice.state(), SqlState::UNIQUE_VIOLATION);
    let mut again = ledger.begin("again");
    let (row, _) = find(&again, 1).unwrap();
    again.delete(&t, &[row]).unwrap();
    again.insert(&t, &rows(&t, &[(1, "anew")])).unwrap();
    again.commit_blocking().unwrap();
    assert_eq!(find(&ledger.begin("r"), 1).unwrap().1, "anew");
}

#[test]
fn many_sessions_commit_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    create_table(&ledger);
    std::thread::scope(|scope| {
        for session in 0..8 {
            let ledger = &ledger;
            scope.spawn(move || {
                for i in 0..50 {
                    insert(ledger, &many(&table(ledger), session * 1_000 + i, 1));
                }
            });
        }
    });
    assert_eq!(all(&ledger.begin("r")).len(), 400);
    let size = ledger.checkpoint().state.size;
    assert_eq!(size, 2 + 1 + 400, "one leaf a commit, after key, schema and table");
}

#[test]
fn a_large_write_goes_ahead_into_the_log_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    let mut transaction = ledger.begin("bulk");
    for first in (0..40_000).step_by(5_000) {
        transaction.insert(&t, &many(&t, first, 5_000)).unwrap();
    }
    assert_eq!(all(&transaction).len(), 40_000);
    transaction.commit_blocking().unwrap();
    let seen = all(&ledger.begin("r"));
    assert_eq!(seen.len(), 40_000);
    assert_eq!(seen[39_999], (39_999, "name 39999".to_owned()));
}

/// CREATE TABLE and INSERT in one transaction were refused with 40001: the commit looked for the table in the committed catalog only.
#[test]
fn a_transaction_fills_the_table_it_makes() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let mut transaction = ledger.begin("tester");
    let id = base::RelationId(ledger.next_object_id());
    transaction.create_table(definition(id)).unwrap();
    let t = std::sync::Arc::clone(transaction.catalog().table("public", "t").unwrap());
    transaction.insert(&t, &rows(&t, &[(1, "one")])).unwrap();
    let made = transaction.commit_blocking().unwrap().unwrap();
    assert!(ledger.receipt(made.seq.0, Some(1)).is_ok(), "row 0 is the definition, row 1 the table's first");
    let mut gone = ledger.begin("tester");
    let other = engine::TableDef::new(base::RelationId(ledger.next_object_id()), "public", "u", t.columns.clone(), vec![]).unwrap();
    gone.create_table(other).unwrap();
    let u = std::sync::Arc::clone(gone.catalog().table("public", "u").unwrap());
    gone.insert(&u, &rows(&u, &[(1, "one")])).unwrap();
    gone.drop_object(u.id.0).unwrap();
    gone.commit_blocking().unwrap();
    server.close_unsealed().unwrap();
    drop((server, ledger));
    let (server, ledger) = open(dir.path());
    assert_eq!(all(&ledger.begin("r")), vec![(1, "one".to_owned())]);
    let policy = receipts::Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
    server.close_unsealed().unwrap();
    let io: std::sync::Arc<dyn base::Io> = std::sync::Arc::new(base::RealIo);
    let folder = dir.path().join("ledgers/shockwave");
    let request = engine::fsck::Request { folder: &folder, policy: &policy, pinned: None, threads: 1 };
    let (verdict, _) = engine::fsck::check(&io, &request);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
}
