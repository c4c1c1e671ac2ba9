//! An export verifies without its ledger, and whatever is changed in it is found.
#![allow(clippy::disallowed_methods, reason = "it spoils files of an export")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use base::{ColumnId, Io, RealIo, RelationId, SqlState};
use engine::fsck::{check_export, is_export};
use engine::{ColumnDef, Ledger, SqlType};
use receipts::export::{ExportFiles, Found};
use receipts::{Policy, Verdict, verify_export};

use crate::ledger::{change_all_ways, create_table, insert, many, open, rows, table};

fn check(folder: &Path, policy: &Policy, pinned: Option<&str>) -> Verdict {
    let io: Arc<dyn Io> = Arc::new(RealIo);
    assert!(is_export(&*io, folder));
    check_export(&io, folder, pinned.map(str::as_bytes), policy)
}

fn policy(ledger: &Ledger) -> Policy {
    Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap()
}

/// Large and small commits, updates and deletes of committed and own rows, a table changed and one dropped, more than one bundle of leaves.
fn fill(ledger: &Arc<Ledger>) {
    let t = create_table(ledger);
    insert(ledger, &many(&t, 0, 9_000));
    ledger.seal().unwrap();
    change_all_ways(ledger);
    for i in 0..280 {
        insert(ledger, &many(&t, 30_000 + i, 1));
    }
    let mut change = ledger.begin("c");
    change.create_schema("other").unwrap();
    let id = RelationId(ledger.next_object_id());
    let column = ColumnDef { id: ColumnId(1), name: "x".into(), sql_type: SqlType::Float8, not_null: false };
    change.create_table(engine::TableDef::new(id, "other", "u", vec![column], vec![]).unwrap()).unwrap();
    change.commit_blocking().unwrap();
    let mut change = ledger.begin("c");
    let u = Arc::clone(change.catalog().table("other", "u").unwrap());
    let values: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![Some(-0.0), None, Some(f64::NAN)]));
    change.insert(&u, &RecordBatch::try_new(u.arrow_schema(), vec![values]).unwrap()).unwrap();
    change.commit_blocking().unwrap();
    let mut change = ledger.begin("c");
    change.drop_object(u.id.0).unwrap();
    change.commit_blocking().unwrap();
}

#[test]
fn an_export_of_any_range_is_valid_and_extends_what_was_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    let early = ledger.checkpoint();
    fill(&ledger);
    let policy = policy(&ledger);
    let whole = dir.path().join("whole");
    let exported = ledger.export(&whole, 0, None).unwrap();
    assert_eq!((exported.first, exported.end), (0, exported.size));
    assert!(exported.rows > 9_280 && exported.size > 280, "{exported:?}");
    // Nothing of the ledger is needed any more.
    let state = exported.size;
    for (name, first, end) in [("some", 3, 4), ("late", state - 4, state), ("middle", 200, 270)] {
        ledger.export(&dir.path().join(name), first, Some(end)).unwrap();
    }
    server.shutdown().unwrap();
    std::fs::remove_dir_all(dir.path().join("data")).unwrap();
    for name in ["whole", "some", "late", "middle"] {
        let verdict = check(&dir.path().join(name), &policy, Some(&early.sha_note));
        assert_eq!(verdict.exit_code(), 0, "{name}: {verdict}");
    }
    let said = check(&whole, &policy, None).to_string();
    assert!(said.contains(&format!("{} rows under the row roots", exported.rows)), "{said}");
    let stranger = Policy::parse(b"quorum none\n").unwrap();
    assert_eq!(check(&whole, &stranger, None).exit_code(), 3);
}

#[test]
fn ranges_and_folders_that_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "one")]));
    let state = |first, end| ledger.export(&dir.path().join("new"), first, end).unwrap_err().state();
    assert_eq!(state(3, Some(3)), SqlState::INVALID_PARAMETER_VALUE);
    assert_eq!(state(0, Some(10_000)), SqlState::INVALID_PARAMETER_VALUE);
    assert_eq!(state(10_000, None), SqlState::INVALID_PARAMETER_VALUE);
    assert!(!dir.path().join("new").exists(), "nothing was begun");
    ledger.export(&dir.path().join("new"), 0, None).unwrap();
    let error = ledger.export(&dir.path().join("new"), 0, None).unwrap_err();
    assert_eq!(error.state(), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    assert_eq!(table(&ledger).name, "t");
}

type ByPath = BTreeMap<String, Vec<u8>>;

/// The files of an export in memory, so that many changes of it are judged quickly.
#[derive(Clone)]
struct Files(ByPath);

impl Files {
    fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
                }
            }
        }
        Self(files)
    }
}

impl ExportFiles for Files {
    fn paths(&self, each: &mut dyn FnMut(&str) -> bool) -> Found<()> {
        let _ = self.0.keys().all(|path| each(path));
        Found::Here(())
    }

    fn open(&self, path: &str) -> Found<Box<dyn std::io::Read + '_>> {
        self.0.get(path).map_or(Found::Absent, |bytes| Found::Here(Box::new(bytes.as_slice())))
    }
}

#[test]
fn a_changed_cut_or_missing_file_of_a_real_export_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 40));
    for i in 0..260 {
        insert(&ledger, &many(&t, 100 + i, 1));
    }
    let folder: PathBuf = dir.path().join("export");
    ledger.export(&folder, 0, None).unwrap();
    let (files, policy) = (Files::read(&folder), policy(&ledger));
    assert_eq!(verify_export(&files, None, &policy).exit_code(), 0);
    for (path, bytes) in files.0.iter().filter(|(path, _)| !["README.md", "policy.txt", "export"].contains(&path.as_str())) {
        let spoilt = |change: &dyn Fn(&mut ByPath)| {
            let mut changed = files.clone();
            change(&mut changed.0);
            let verdict = verify_export(&changed, None, &policy);
            assert!([1, 2].contains(&verdict.exit_code()), "{path}: {verdict}");
        };
        let stride = (bytes.len() / 7).max(1);
        for at in (0..bytes.len()).step_by(stride).chain([bytes.len() - 1]) {
            spoilt(&|files| files.get_mut(path).unwrap()[at] ^= 1);
        }
        spoilt(&|files| files.get_mut(path).unwrap().truncate(bytes.len() - 1));
        spoilt(&|files| files.get_mut(path).unwrap().push(0));
        spoilt(&|files| drop(files.remove(path)));
    }
}

/// Such rows once stood in a commit whose catalog had no definition to prove them by: no receipt could be made of them, and the export was called tampered.
#[test]
fn rows_of_what_a_transaction_drops_are_in_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(&dir.path().join("data"));
    let t = create_table(&ledger);
    insert(&ledger, &many(&t, 0, 10));
    let mut change = ledger.begin("c");
    let id = RelationId(ledger.next_object_id());
    let column = ColumnDef { id: ColumnId(1), name: "x".into(), sql_type: SqlType::Int8, not_null: false };
    change.create_table(engine::TableDef::new(id, "public", "u", vec![column], vec![]).unwrap()).unwrap();
    let u = Arc::clone(change.catalog().table("public", "u").unwrap());
    for table in [&t, &u] {
        let values: ArrayRef = Arc::new(arrow::array::Int64Array::from((100..3_100).collect::<Vec<i64>>()));
        let batch = if table.id == t.id { many(table, 100, 3_000) } else { RecordBatch::try_new(u.arrow_schema(), vec![values]).unwrap() };
        change.insert(table, &batch).unwrap();
        change.insert(table, &batch.slice(0, 0)).unwrap();
    }
    let (seventh, _) = crate::ledger::find(&change, 7).unwrap();
    change.delete(&t, &[seventh]).unwrap();
    change.drop_object(t.id.0).unwrap();
    change.drop_object(u.id.0).unwrap();
    let committed = change.commit_blocking().unwrap().unwrap();
    for row in 0..committed.rows {
        ledger.receipt(committed.seq.0, Some(row)).unwrap();
    }
    assert!(committed.rows < 10, "rows of ledger.catalog only: {committed:?}");
    let policy = policy(&ledger);
    ledger.export(&dir.path().join("whole"), 0, None).unwrap();
    server.shutdown().unwrap();
    let verdict = check(&dir.path().join("whole"), &policy, None);
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
}
