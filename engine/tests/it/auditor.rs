//! The prepared exports of docs/auditor: an honest one, one with a changed amount, and one of a history written anew with the ledger's own keys.
//! `UPDATE_GOLDEN=1 cargo test -p engine auditor` writes them; they are the same bytes on every run.
#![allow(clippy::disallowed_methods, reason = "the exports are files of the repository")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use base::{ColumnId, Io, RealIo, RelationId, SeededRng, SimClock};
use engine::fsck::check_export;
use engine::receipt::Disclosed;
use engine::{ColumnDef, Ledger, Memory, Options, Server, SqlType, TableDef};
use receipts::Policy;

type Files = BTreeMap<String, Vec<u8>>;

const PAYMENTS: [(i64, &str, i64); 6] = [
    (1, "Lovelace & Co", 1200),
    (2, "Hopper Ltd", 870),
    (3, "Noether AG", 4300),
    (4, "Hopper Ltd", 250),
    (5, "Lamarr Inc", 999),
    (6, "Noether AG", 75),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/auditor")
}

/// A ledger whose clock stands still and whose draws are seeded: of two with one seed, keys and id are the same.
fn serve(folder: &Path) -> (Server, Arc<Ledger>) {
    let options = Options {
        io: Arc::new(RealIo),
        expressions: Arc::new(engine::NoExpressions),
        clock: Arc::new(SimClock::new(1_767_258_000_000_000, 0)),
        rng: Arc::new(SeededRng::new(2026)),
        wal_file_bytes: 1 << 16,
        hash_threads: 1,
        memory: Memory::of(0),
        fold_threads: false,
        scrub_bytes_per_s: 0,
        use_uring: false,
    };
    let server = Server::open(folder, options).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

fn pay(ledger: &Arc<Ledger>, payments: &[(i64, &str, i64)]) {
    let mut transaction = ledger.begin("clerk");
    let table = Arc::clone(transaction.catalog().table("public", "payments").unwrap());
    let ids: ArrayRef = Arc::new(payments.iter().map(|(id, ..)| *id).collect::<Int64Array>());
    let payees: ArrayRef = Arc::new(payments.iter().map(|(_, payee, _)| Some(*payee)).collect::<StringArray>());
    let amounts: ArrayRef = Arc::new(payments.iter().map(|(.., amount)| *amount).collect::<Int64Array>());
    transaction.insert(&table, &RecordBatch::try_new(table.arrow_schema(), vec![ids, payees, amounts]).unwrap()).unwrap();
    transaction.commit_blocking().unwrap();
}

fn fill(ledger: &Arc<Ledger>, payments: &[(i64, &str, i64)]) {
    let mut change = ledger.begin("clerk");
    let column = |id, name: &str, sql_type| ColumnDef { id: ColumnId(id), name: name.into(), sql_type, not_null: true };
    let columns = vec![column(1, "id", SqlType::Int8), column(2, "payee", SqlType::Text), column(3, "amount", SqlType::Int8)];
    let id = RelationId(ledger.next_object_id());
    change.create_table(TableDef::new(id, "public", "payments", columns, vec![ColumnId(1)]).unwrap()).unwrap();
    change.commit_blocking().unwrap();
    pay(ledger, &payments[..3]);
}

fn read(folder: &Path, below: &str, files: &mut Files) {
    for entry in std::fs::read_dir(folder.join(below)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if folder.join(&path).is_dir() {
            read(folder, &path, files);
        } else {
            files.insert(path.clone(), std::fs::read(folder.join(path)).unwrap());
        }
    }
}

/// Everything below docs/auditor.
fn prepared() -> Files {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Files::new();
    for (name, amount) in [("honest", 250), ("rewritten", 25)] {
        let (server, ledger) = serve(&dir.path().join(name));
        let mut payments = PAYMENTS;
        payments[3].2 = amount;
        fill(&ledger, &payments);
        let kept = ledger.checkpoint();
        pay(&ledger, &payments[3..]);
        if name == "honest" {
            let later = ledger.checkpoint();
            let columns = ["payee".to_owned()];
            let shown: Vec<Disclosed<'_>> = (0..3).map(|row| Disclosed { seq: later.state.size - 1, row, columns: &columns }).collect();
            files.insert("kept.txt".to_owned(), later.sha_note.as_bytes().to_vec());
            files.insert("first.txt".to_owned(), kept.sha_note.as_bytes().to_vec());
            files.insert("proof.txt".to_owned(), ledger.consistency(kept.state.size, later.state.size).unwrap().into_bytes());
            files.insert("receipt.txt".to_owned(), ledger.receipt(later.state.size - 1, Some(0)).unwrap().into_bytes());
            files.insert("receipt.cose".to_owned(), ledger.receipt_cose(later.state.size - 1, Some(0)).unwrap());
            files.insert("disclosure.txt".to_owned(), ledger.disclose(&shown).unwrap().into_bytes());
            let keys: String = ledger.verifier_keys().iter().map(|key| format!("log {key}\n")).collect();
            files.insert("policy.txt".to_owned(), format!("{keys}quorum none\n").into_bytes());
        }
        let export = dir.path().join(format!("{name}-export"));
        ledger.export(&export, 0, None).unwrap();
        server.shutdown().unwrap();
        let mut exported = Files::new();
        read(&export, "", &mut exported);
        files.extend(exported.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
    }
    let honest: Vec<(String, Vec<u8>)> =
        files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("honest/")?.to_owned(), bytes.clone()))).collect();
    files.extend(honest.into_iter().map(|(path, bytes)| (format!("tampered/{path}"), bytes)));
    // One amount: 870 becomes 8,870.
    let rows = files.get_mut("tampered/rows/000").unwrap();
    let at = rows.windows(8).position(|eight| eight == 870i64.to_le_bytes()).unwrap();
    rows[at..at + 8].copy_from_slice(&8870i64.to_le_bytes());
    files
}

#[test]
fn the_prepared_exports_are_what_they_are_said_to_be() {
    let expected = prepared();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = std::fs::remove_dir_all(docs());
        for (path, bytes) in &expected {
            std::fs::create_dir_all(docs().join(path).parent().unwrap()).unwrap();
            std::fs::write(docs().join(path), bytes).unwrap();
        }
    }
    let mut found = Files::new();
    read(&docs(), "", &mut found);
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (path, bytes) in &expected {
        assert!(found[path] == *bytes, "{path} is out of date: UPDATE_GOLDEN=1 cargo test -p engine auditor");
    }
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let policy = Policy::parse(&found["policy.txt"]).unwrap();
    let kept = &found["kept.txt"][..];
    for (name, pinned, code, says) in [
        ("honest", None, 0, "VALID: commits 0 to"),
        ("honest", Some(kept), 0, "VALID: commits 0 to"),
        ("tampered", None, 1, "TAMPERED: rows/000, commit"),
        ("rewritten", None, 0, "VALID: commits 0 to"),
        ("rewritten", Some(kept), 1, "TAMPERED: consistency"),
    ] {
        let verdict = check_export(&io, &docs().join(name), pinned, &policy);
        assert_eq!(verdict.exit_code(), code, "{name}: {verdict}");
        assert!(verdict.to_string().starts_with(says), "{name}: {verdict}");
    }
}
