//! Sealing, closing, crashing and opening again: the same answers and the same roots.

use base::SqlState;
use engine::Server;

use crate::ledger::{all, create_table, find, insert, many, open, options, rows, table};

#[test]
fn a_restart_without_sealing_reads_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 3_000));
    insert(&ledger, &rows(&t, &[(5_000, "x")]));
    let (before, root) = (all(&ledger.begin("r")), ledger.checkpoint().state);
    server.close_unsealed().unwrap();
    drop((server, ledger));
    let (_server, ledger) = open(dir.path());
    assert_eq!(ledger.checkpoint().state, root);
    assert_eq!(all(&ledger.begin("r")), before);
    insert(&ledger, &rows(&table(&ledger), &[(5_001, "y")]));
    assert_eq!(find(&ledger.begin("r"), 5_001).unwrap().1, "y");
}

#[test]
fn sealing_changes_no_answer_and_survives_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 20_000));
    let mut change = ledger.begin("c");
    let (row, _) = find(&change, 77).unwrap();
    change.update(&t, &[row], &rows(&t, &[(77, "changed")])).unwrap();
    let (row, _) = find(&change, 78).unwrap();
    change.delete(&t, &[row]).unwrap();
    change.commit_blocking().unwrap();
    let held = ledger.begin("held");
    let before = all(&held);
    ledger.seal().unwrap();
    assert_eq!(all(&held), before, "a view held across a seal");
    assert_eq!(all(&ledger.begin("r")), before);
    insert(&ledger, &rows(&t, &[(90_000, "after the seal")]));
    drop(held);
    server.shutdown().unwrap();
    drop((server, ledger));
    for _ in 0..2 {
        let (server, ledger) = open(dir.path());
        let now = all(&ledger.begin("r"));
        assert_eq!(now.len(), before.len() + 1);
        assert_eq!(find(&ledger.begin("r"), 77).unwrap().1, "changed");
        assert_eq!(find(&ledger.begin("r"), 78), None);
        server.shutdown().unwrap();
    }
}

#[test]
fn two_servers_cannot_open_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, _ledger) = open(dir.path());
    let error = Server::open(dir.path(), options()).unwrap_err();
    assert_eq!(error.state(), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    assert!(error.message().contains("in use by another server"), "{error}");
}

#[test]
fn a_rolled_back_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 10));
    server.close_unsealed().unwrap();
    drop((server, ledger));
    let wal = dir.path().join("ledgers/shockwave/wal");
    let copy = tempfile::tempdir().unwrap();
    let files: Vec<_> = std::fs::read_dir(&wal).unwrap().map(|entry| entry.unwrap().path()).collect();
    for file in &files {
        std::fs::copy(file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    let (server, ledger) = open(dir.path());
    insert(&ledger, &rows(&table(&ledger), &[(99, "will be rolled back")]));
    server.close_unsealed().unwrap();
    drop((server, ledger));
    for file in &files {
        std::fs::copy(copy.path().join(file.file_name().unwrap()), file).unwrap();
    }
    let error = Server::open(dir.path(), options()).unwrap_err();
    assert_eq!(error.state(), SqlState::DATA_CORRUPTED);
    assert!(error.message().contains("the last 1 are missing"), "{error}");
}

#[test]
fn dropped_tables_stay_dropped_and_ids_are_not_reused() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 10));
    let mut transaction = ledger.begin("d");
    transaction.drop_object(t.id.0).unwrap();
    transaction.commit_blocking().unwrap();
    server.shutdown().unwrap();
    drop((server, ledger));
    let (_server, ledger) = open(dir.path());
    assert!(ledger.snapshot().catalog.table("public", "t").is_none());
    let again = create_table(&ledger);
    assert!(again.id > t.id);
    assert_eq!(all(&ledger.begin("r")), vec![]);
}
