//! Rows of erasable tables: sealed wherever they are stored, read back as any others, and gone with their subject's key; the proofs stay.
#![allow(clippy::disallowed_methods, reason = "it looks into files, and puts back an older one")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use base::{ColumnId, Fault, Io, RealIo, RelationId, RowId, SimIo, SqlResult, SqlState};
use engine::erasure::{Erased, Scope};
use engine::fsck::check_export;
use engine::receipt::Disclosed;
use engine::restore::{Request, restore};
use engine::{ColumnDef, Ledger, Rules, Server, Span, SqlType, TableDef, Transaction};
use receipts::{Field, Receipt, Verdict, field_commitment, field_salt, verify_disclosure, verify_receipt};

use crate::backups::{fsck_of, policy, reopened, restore_to};
use crate::backups_broken_off::options as simulated;
use crate::broken_off::stop;
use crate::ledger::open;

/// Who, name, paid; by id.
type People = BTreeMap<i64, (String, Option<String>, Option<bool>)>;

fn definition(id: RelationId, name: &str, erasable_by: Option<ColumnId>) -> SqlResult<TableDef> {
    let column = |id, name: &str, sql_type| ColumnDef { id: ColumnId(id), name: name.into(), sql_type, not_null: false };
    let columns = vec![
        column(1, "id", SqlType::Int8),
        column(2, "who", SqlType::Text),
        column(3, "name", SqlType::Text),
        column(4, "paid", SqlType::Bool),
    ];
    let rules = Rules { erasable_by, ..Rules::default() };
    TableDef::with_rules(id, "public", name, 1, columns, vec![ColumnId(1)], rules)
}

/// `people`, erasable by `who`, and `plain`, which is not.
fn make(ledger: &Arc<Ledger>) -> (Arc<TableDef>, Arc<TableDef>) {
    let mut transaction = ledger.begin("tester");
    for (name, by) in [("people", Some(ColumnId(2))), ("plain", None)] {
        let id = RelationId(ledger.next_object_id());
        transaction.create_table(definition(id, name, by).unwrap()).unwrap();
    }
    transaction.commit_blocking().unwrap();
    (table(ledger, "people"), table(ledger, "plain"))
}

fn table(ledger: &Ledger, name: &str) -> Arc<TableDef> {
    Arc::clone(ledger.snapshot().catalog.table("public", name).unwrap())
}

type Person<'a> = (i64, &'a str, Option<&'a str>, Option<bool>);

fn batch(table: &TableDef, people: &[Person<'_>]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(people.iter().map(|person| person.0).collect::<Int64Array>()),
        Arc::new(people.iter().map(|person| Some(person.1)).collect::<StringArray>()),
        Arc::new(people.iter().map(|person| person.2).collect::<StringArray>()),
        Arc::new(people.iter().map(|person| person.3).collect::<BooleanArray>()),
    ];
    RecordBatch::try_new(table.arrow_schema(), columns).unwrap()
}

fn insert(ledger: &Arc<Ledger>, table: &Arc<TableDef>, people: &[Person<'_>]) -> engine::Committed {
    let mut transaction = ledger.begin("tester");
    transaction.insert(table, &batch(table, people)).unwrap();
    transaction.commit_blocking().unwrap().unwrap()
}

fn lookup(transaction: &Transaction, table: &Arc<TableDef>, id: i64) -> Option<(RowId, RecordBatch)> {
    let key: ArrayRef = Arc::new(Int64Array::from(vec![id]));
    transaction.reading(table).unwrap().lookup(&[key]).unwrap()
}

fn people_of(batch: &RecordBatch) -> People {
    let (ids, who) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
    let (names, paid) = (batch.column(2).as_string::<i32>(), batch.column(3).as_boolean());
    let person = |at: usize| {
        let name = names.is_valid(at).then(|| names.value(at).to_owned());
        (ids.value(at), (who.value(at).to_owned(), name, paid.is_valid(at).then(|| paid.value(at))))
    };
    (0..batch.num_rows()).map(person).collect()
}

fn all(transaction: &Transaction, table: &Arc<TableDef>) -> People {
    let chunks = transaction.reading(table).unwrap().scan(&[0, 1, 2, 3], false);
    chunks.iter().flat_map(|chunk| people_of(&chunk.read().unwrap())).collect()
}

fn scope(table: &Arc<TableDef>, who: &str) -> Scope {
    Scope { table: Arc::clone(table), subject: Arc::new(StringArray::from(vec![who])), shown: who.to_owned() }
}

fn erase(ledger: &Arc<Ledger>, who: &str) -> SqlResult<Erased> {
    ledger.erase("officer", &[scope(&table(ledger, "people"), who)], Some("Art. 17"))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes);
    files_below(folder).into_iter().filter(holds).collect()
}

fn ledger_folder(data: &Path) -> PathBuf {
    data.join("ledgers/shockwave")
}

/// The secrets of all keys in a file of them: bytes 56 to 87 of each record of 96, behind a header of 32 (docs/formats/folder.md).
fn secrets(file: &[u8]) -> Vec<Vec<u8>> {
    file[32..].chunks(96).filter(|record| record[0] == 1).map(|record| record[56..88].to_vec()).collect()
}

fn assert_valid(verdict: &Verdict) -> String {
    assert_eq!(verdict.exit_code(), 0, "{verdict}");
    verdict.to_string()
}

/// The same writes to both tables, in every way: small and large, updates and deletes of committed and own rows, NULLs.
fn write_both(ledger: &Arc<Ledger>) {
    let (people, plain) = (table(ledger, "people"), table(ledger, "plain"));
    let names: Vec<String> = (0..2_500).map(|n| format!("Name of number {n}, {}", "x".repeat(n % 70))).collect();
    let many: Vec<Person<'_>> = (0..2_500_usize)
        .map(|n| {
            let who = ["ada", "bob", "eve"][n % 3];
            (n as i64, who, (!n.is_multiple_of(7)).then_some(names[n].as_str()), (!n.is_multiple_of(5)).then_some(n.is_multiple_of(2)))
        })
        .collect();
    for table in [&people, &plain] {
        insert(ledger, table, &many);
        insert(ledger, table, &[(5_000, "ada", Some("small"), None), (5_001, "bob", Some(""), Some(true))]);
        let mut change = ledger.begin("tester");
        let row = |change: &Transaction, id| lookup(change, table, id).unwrap().0;
        let rows = [row(&change, 3), row(&change, 4)];
        change.update(table, &rows, &batch(table, &[(3, "ada", Some("three"), Some(false)), (4, "eve", None, None)])).unwrap();
        change.insert(table, &batch(table, &[(6_000, "own", Some("own"), None), (6_001, "own", None, Some(true))])).unwrap();
        let own = row(&change, 6_000);
        change.update(table, &[own], &batch(table, &[(6_000, "ada", Some("own again"), None)])).unwrap();
        let gone = [row(&change, 5), row(&change, 6_001)];
        change.delete(table, &gone).unwrap();
        let mark = change.mark();
        change.insert(table, &batch(table, &[(7_000, "ada", Some("never"), None)])).unwrap();
        assert!(change.rewind(&mark).unwrap());
        assert_eq!(all(&change, table).len(), 2_502, "own rows are read back");
        change.commit_blocking().unwrap();
    }
}

#[test]
fn sealed_rows_are_read_back_as_those_of_any_other_table() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let (people, plain) = make(&ledger);
    write_both(&ledger);
    let check = |ledger: &Arc<Ledger>| {
        let reader = ledger.begin("reader");
        let expected = all(&reader, &plain);
        assert_eq!(all(&reader, &people), expected);
        for id in [0, 3, 4, 5, 2_499, 5_000, 5_001, 6_000, 6_001, 7_000] {
            let [one, other] = [&people, &plain].map(|table| lookup(&reader, table, id).map(|(_, row)| people_of(&row)));
            assert_eq!(one, other, "row {id}");
        }
        let last = ledger.snapshot().seq.unwrap();
        let told = |table: &Arc<TableDef>| -> Vec<People> {
            ledger.versions(table, Span { first: None, last }).iter().map(|versions| people_of(&versions.read().unwrap().rows)).collect()
        };
        assert_eq!(told(&people), told(&plain), "all versions");
        expected.len()
    };
    assert_eq!(check(&ledger), 2_502);
    ledger.seal().unwrap();
    check(&ledger);
    insert(&ledger, &people, &[(8_000, "ada", Some("late"), None)]);
    insert(&ledger, &plain, &[(8_000, "ada", Some("late"), None)]);
    check(&ledger);
    drop(ledger);
    server.close_unsealed().unwrap();
    drop(server);
    let (server, ledger) = open(dir.path());
    assert_eq!(check(&ledger), 2_503);
    let policy = policy(&ledger);
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    assert_valid(&fsck_of(dir.path(), &policy, None));
    let (_server, ledger) = open(dir.path());
    check(&ledger);
}

#[test]
fn values_and_keys_are_in_no_file_and_receipts_of_before_verify_as_redacted() {
    const SECRET: &str = "Augusta Ada King-Noel, Ockham Park";
    let dir = tempfile::tempdir().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    let (server, ledger) = open(&data);
    let (people, _) = make(&ledger);
    let policy = policy(&ledger);
    write_both(&ledger);
    let small = insert(&ledger, &people, &[(9_000, "ada", Some(SECRET), Some(true)), (9_001, "bob", Some("Bob"), None)]);
    ledger.seal().unwrap();
    insert(&ledger, &people, &[(9_002, "ada", Some(SECRET), Some(false))]);
    server.backup(&backup, true).unwrap();
    assert!(
        holding(&data, SECRET.as_bytes()).is_empty() && holding(&backup, SECRET.as_bytes()).is_empty(),
        "nothing is stored in the clear"
    );
    let before = ledger.receipt(small.seq.0, Some(0)).unwrap();
    assert!(assert_valid(&verify_receipt(before.as_bytes(), &policy)).contains(SECRET));
    let root = ledger.checkpoint();
    let all_secrets = secrets(&std::fs::read(ledger_folder(&data).join("keys/subjects")).unwrap());
    assert!(all_secrets.iter().all(|secret| holding(&data, secret).len() == 1 && holding(&backup, secret).len() == 1));
    let kept = |folder: &Path| all_secrets.iter().filter(|secret| !holding(folder, secret).is_empty()).count();

    let erased = erase(&ledger, "ada").unwrap();
    assert_eq!(erased.keys, 1);
    assert_eq!(kept(&data), all_secrets.len() - 1, "the key is gone from every file of the data folder");
    server.backup(&backup, true).unwrap();
    assert_eq!(kept(&backup), all_secrets.len() - 1, "and from the backup, once it is brought up to date");
    for folder in [&data, &backup] {
        assert!(holding(folder, SECRET.as_bytes()).is_empty());
    }

    let check = |ledger: &Arc<Ledger>| {
        let reader = ledger.begin("reader");
        let shown = all(&reader, &people);
        assert!(shown.values().filter(|person| person.0 == "ada").all(|person| person.1.is_none() && person.2.is_none()));
        assert_eq!(shown[&9_001], ("bob".to_owned(), Some("Bob".to_owned()), None), "others are as they were");
        let mut past = ledger.begin("reader");
        past.travel(ledger.moment(small.seq).unwrap());
        assert_eq!(all(&past, &people)[&9_000], ("ada".to_owned(), None, None), "and so is the past");
        // The receipt of before still verifies; that of the same row now, and the one of before redacted, show what was erased as such.
        assert_valid(&verify_receipt(before.as_bytes(), &policy));
        let mut redacted = Receipt::parse(before.as_bytes()).unwrap();
        [2, 3].into_iter().for_each(|at| redacted.row.as_mut().unwrap().redact(at).unwrap());
        for text in [ledger.receipt(small.seq.0, Some(0)).unwrap(), redacted.to_text().unwrap()] {
            let said = assert_valid(&verify_receipt(text.as_bytes(), &policy));
            assert!(said.contains("  name = REDACTED\n  paid = REDACTED\n") && said.contains("the values of 2 redacted fields"), "{said}");
            assert!(said.contains("  id   = 9000\n  who  = \"ada\"\n"), "{said}");
        }
        assert_valid(&verify_receipt(&ledger.receipt_cose(small.seq.0, Some(0)).unwrap(), &policy));
        assert!(ledger.receipt_json(small.seq.0, Some(0)).unwrap().contains("\"erased\""));
        let columns = ["name".to_owned()];
        let disclosed = ledger.disclose(&[Disclosed { seq: small.seq.0, row: 0, columns: &columns }]).unwrap();
        let said = assert_valid(&verify_disclosure(disclosed.as_bytes(), &policy));
        assert!(said.contains("REDACTED") && said.contains("the values of 3 hidden fields"), "{said}");
    };
    check(&ledger);
    ledger.seal().unwrap();
    check(&ledger);
    let export = dir.path().join("export");
    ledger.export(&export, 0, None).unwrap();
    let io: Arc<dyn Io> = Arc::new(RealIo);
    let said = assert_valid(&check_export(&io, &export, Some(root.sha_note.as_bytes()), &policy));
    assert!(said.contains("redacted fields"), "{said}");
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    assert_valid(&fsck_of(&data, &policy, Some(&root.sha_note)));
    let (_server, ledger) = open(&data);
    check(&ledger);
    assert_eq!(kept(&data), all_secrets.len() - 1);
    assert!(holding(&data, SECRET.as_bytes()).is_empty() && holding(&export, SECRET.as_bytes()).is_empty());
}

#[test]
fn an_older_copy_of_the_keys_put_back_after_the_erasure_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let (people, _) = make(&ledger);
    insert(&ledger, &people, &[(1, "ada", Some("Ada"), Some(true)), (2, "bob", Some("Bob"), None)]);
    let file = ledger_folder(dir.path()).join("keys/subjects");
    let older = std::fs::read(&file).unwrap();
    let [ada, bob] = &secrets(&older)[..] else { panic!("two keys") };
    erase(&ledger, "ada").unwrap();
    let last = insert(&ledger, &people, &[(3, "ada", Some("Ada again"), None)]);
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    let newer = std::fs::read(&file).unwrap();
    std::fs::write(&file, &older).unwrap();
    let (server, ledger) = open(dir.path());
    let (gone, there): (Vec<_>, Vec<_>) = [ada, bob].into_iter().partition(|secret| holding(dir.path(), secret).is_empty());
    assert_eq!((gone.len(), there.len()), (1, 1), "the ledger's record says which key to destroy again");
    let reader = ledger.begin("reader");
    assert_eq!(people_of(&lookup(&reader, &people, 1).unwrap().1)[&1].1, None);
    assert_eq!(people_of(&lookup(&reader, &people, 2).unwrap().1)[&2].1.as_deref(), Some("Bob"));
    // The older copy lacks a key that was drawn later: that is damage, not an erasure.
    let chunks = reader.reading(&people).unwrap().scan(&[2], false);
    let failed = chunks.iter().find_map(|chunk| chunk.read().err()).unwrap();
    assert_eq!(failed.state(), SqlState::DATA_CORRUPTED);
    assert_eq!(ledger.receipt(last.seq.0, Some(0)).unwrap_err().state(), SqlState::DATA_CORRUPTED);
    drop((reader, ledger));
    server.shutdown().unwrap();
    drop(server);
    std::fs::write(&file, newer).unwrap();
    let (_server, ledger) = open(dir.path());
    assert_eq!(all(&ledger.begin("reader"), &people)[&3].1.as_deref(), Some("Ada again"));
}

#[test]
fn an_erased_boolean_cannot_be_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ledger) = open(dir.path());
    let (people, _) = make(&ledger);
    let committed = insert(&ledger, &people, &[(1, "ada", None, Some(true)), (2, "ada", None, Some(false)), (3, "ada", None, None)]);
    ledger.seal().unwrap();
    let before: Vec<_> =
        (0..3).map(|row| Receipt::parse(ledger.receipt(committed.seq.0, Some(row)).unwrap().as_bytes()).unwrap()).collect();
    erase(&ledger, "ada").unwrap();
    let stored = stored_rows(&ledger, &people);
    let (salts, sealed) = (stored.column(4).as_fixed_size_binary(), stored.column(3).as_binary::<i32>());
    let lengths: Vec<usize> = (0..3).map(|row| sealed.value(row).len()).collect();
    assert!(lengths.iter().all(|length| *length == lengths[0]), "true, false and NULL are stored alike: {lengths:?}");
    for (row, earlier) in before.iter().enumerate() {
        let receipt = Receipt::parse(ledger.receipt(committed.seq.0, Some(row as u64)).unwrap().as_bytes()).unwrap();
        let Field::Erased(commitment) = receipt.row.unwrap().fields[3] else { panic!("it is erased") };
        let row_salt: [u8; 16] = salts.value(row).try_into().unwrap();
        // Every salt that is left: of the row, of its fields in the clear, and what the row's salt gives for this field.
        let mut known = vec![row_salt, [0; 16]];
        known.extend((0..16).map(|index| field_salt(&row_salt, index)));
        for salt in known {
            for guess in [Some(&[1][..]), Some(&[0][..]), None] {
                assert_ne!(field_commitment(&salt, 4, 16, guess), commitment, "row {row}: {guess:?} is confirmed");
            }
        }
        // The salt of before does: it was what had to go.
        let Field::Shown { salt, value } = &earlier.row.as_ref().unwrap().fields[3] else { panic!("it was shown") };
        assert_eq!(field_commitment(salt, 4, 16, value.as_deref()), commitment);
        assert!(holding(dir.path(), salt).is_empty(), "it is stored nowhere");
    }
    drop(server);
}

/// The rows of a table's only segment as they are stored.
fn stored_rows(ledger: &Ledger, table: &TableDef) -> RecordBatch {
    let path = ledger.folder().join(engine::segment::name::SegmentName::sealed(0).file(table.id));
    engine::segment::Segment::open(&RealIo, &path).unwrap().read(0, None).unwrap()
}

#[test]
fn what_was_sealed_before_an_erasure_is_not_committed_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let (people, _) = make(&ledger);
    insert(&ledger, &people, &[(1, "ada", Some("one"), None)]);
    let names: Vec<(i64, String)> = (100..2_000).map(|n| (n, format!("n {n}"))).collect();
    let large: Vec<Person<'_>> = names.iter().map(|(id, name)| (*id, "ada", Some(name.as_str()), None)).collect();
    let late = |rows: &[Person<'_>]| {
        let mut transaction = ledger.begin("tester");
        transaction.insert(&people, &batch(&people, rows)).unwrap();
        transaction
    };
    let (small_late, large_late, of_another) =
        (late(&[(2, "ada", Some("two"), None)]), late(&large), late(&[(3, "bob", Some("three"), None)]));
    assert_eq!(erase(&ledger, "ada").unwrap().keys, 1);
    for transaction in [small_late, large_late] {
        assert_eq!(transaction.commit_blocking().unwrap_err().state(), SqlState::SERIALIZATION_FAILURE);
    }
    of_another.commit_blocking().unwrap();
    // Who comes back is another subject to the keys.
    insert(&ledger, &people, &[(2, "ada", Some("two"), None)]);
    let now = all(&ledger.begin("reader"), &people);
    assert_eq!(now.values().map(|person| person.1.as_deref()).collect::<Vec<_>>(), [None, Some("two"), Some("three")]);
    // A new version of an erased row is a row as any.
    let mut change = ledger.begin("tester");
    let row = lookup(&change, &people, 1).unwrap().0;
    change.update(&people, &[row], &batch(&people, &[(1, "ada", Some("one again"), None)])).unwrap();
    change.commit_blocking().unwrap();
    assert_eq!(all(&ledger.begin("reader"), &people)[&1].1.as_deref(), Some("one again"));
    assert_eq!(erase(&ledger, "ada").unwrap().keys, 1);
    assert_eq!(erase(&ledger, "ada").unwrap(), Erased { keys: 0, seq: None }, "there is nothing left to erase");
    assert_eq!(erase(&ledger, "nobody").unwrap(), Erased { keys: 0, seq: None });
    let all = all(&ledger.begin("reader"), &people);
    assert_eq!(all.values().map(|person| person.1.as_deref()).collect::<Vec<_>>(), [None, None, Some("three")]);
}

#[test]
fn an_erasure_broken_off_at_any_step_is_whole_or_never_was() {
    let ground = SimIo::new(5);
    let (people, secret) = {
        let server = Server::open(Path::new("/data"), simulated(&ground)).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        let (people, _) = make(&ledger);
        insert(&ledger, &people, &[(1, "ada", Some("Ada"), Some(true))]);
        ledger.seal().unwrap();
        insert(&ledger, &people, &[(2, "ada", Some("Ada King"), None), (3, "bob", Some("Bob"), None)]);
        server.close_unsealed().unwrap();
        let file = ground.peek(Path::new("/data/ledgers/shockwave/keys/subjects")).unwrap();
        (people, secrets(&file))
    };
    for fault in [Fault::Crash, Fault::Error] {
        let mut seen = [0, 0];
        for step in 1.. {
            let io = ground.copy(step);
            let server = Server::open(Path::new("/data"), simulated(&io)).unwrap();
            let ledger = server.ledger("shockwave").unwrap();
            io.plan(io.steps() + step, fault);
            let begun = io.steps();
            let erased = erase(&ledger, "ada");
            // A new key, and a commit that needs it.
            let mut change = ledger.begin("tester");
            let added = change.insert(&people, &batch(&people, &[(4, "eve", Some("Eve"), None)])).and_then(|()| change.commit_blocking());
            let is_over = io.steps() < begun + step;
            drop(ledger);
            let _ = stop(server, &io, fault, is_over);
            let place = format!("{fault:?} at step {step}");
            let server = Server::open(Path::new("/data"), simulated(&io)).unwrap_or_else(|error| panic!("{place}: {error}"));
            let ledger = server.ledger("shockwave").unwrap();
            let now = all(&ledger.begin("reader"), &people);
            let names: Vec<Option<&str>> = now.values().map(|person| person.1.as_deref()).collect();
            let is_erased = match names[..3] {
                [None, None, Some("Bob")] => true,
                [Some("Ada"), Some("Ada King"), Some("Bob")] => false,
                _ => panic!("{place}: half erased, {names:?}"),
            };
            assert!(erased.is_err() || is_erased, "{place}: an acknowledged erasure came back");
            assert!(added.is_err() || names.get(3) == Some(&Some("Eve")), "{place}: an acknowledged commit lost its key");
            assert!(names.get(3).is_none_or(|name| *name == Some("Eve")), "{place}: {names:?}");
            let records = system_rows(&ledger, "erasures");
            assert_eq!(records, usize::from(is_erased), "{place}: the ledger says what was done");
            if is_erased {
                let left = simulated_files(&io, Path::new("/data")).into_iter().filter(|path| {
                    let bytes = io.peek(path).unwrap();
                    secret.iter().filter(|secret| bytes.windows(32).any(|window| window == &secret[..])).count() > 1
                });
                assert_eq!(left.count(), 0, "{place}: the key is in a file still");
            }
            seen[usize::from(is_erased)] += 1;
            server.close_unsealed().unwrap();
            if is_over {
                assert!(erased.is_ok() && added.is_ok());
                break;
            }
        }
        assert!(seen[0] > 0 && seen[1] > 5, "{fault:?}: {seen:?}");
    }
}

fn simulated_files(io: &SimIo, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in Io::list(io, folder).unwrap() {
        let path = folder.join(name);
        match Io::list(io, &path) {
            Ok(_) if io.peek(&path).is_err() => found.extend(simulated_files(io, &path)),
            _ => found.push(path),
        }
    }
    found
}

fn system_rows(ledger: &Arc<Ledger>, name: &str) -> usize {
    ledger.system_table(name).unwrap().scan(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).map(|batch| batch.unwrap().num_rows()).sum()
}

#[test]
fn backups_lose_the_key_with_the_next_run_and_a_restore_brings_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup, bare) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("bare"));
    let (server, ledger) = open(&data);
    let (people, _) = make(&ledger);
    let first = insert(&ledger, &people, &[(1, "ada", Some("Ada"), Some(true)), (2, "bob", Some("Bob"), None)]);
    server.backup(&backup, true).unwrap();
    server.backup(&bare, false).unwrap();
    let older = dir.path().join("older");
    copy(&data, &older);
    let of_backup = backup.join("ledgers/shockwave/keys");
    assert!(files_below(&bare).iter().all(|path| !path.to_string_lossy().contains("subjects")), "no keys unless they are asked for");
    // Copies that a run left which was broken off: one without its name, one that no manifest names.
    let subjects: Vec<PathBuf> = files_below(&of_backup).into_iter().filter(|path| path.to_string_lossy().contains("subjects")).collect();
    let [copied] = &subjects[..] else { panic!("one copy of the keys: {subjects:?}") };
    let bytes = std::fs::read(copied).unwrap();
    std::fs::write(of_backup.join("subjects.00ff.writing"), &bytes).unwrap();
    std::fs::write(of_backup.join("subjects.00ff"), &bytes).unwrap();
    let all_secrets = secrets(&bytes);
    erase(&ledger, "ada").unwrap();
    server.backup(&backup, true).unwrap();
    server.backup(&bare, false).unwrap();
    let left: Vec<usize> = all_secrets.iter().map(|secret| holding(&backup, secret).len()).collect();
    assert!(left == [0, 1] || left == [1, 0], "B5: {left:?}");
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    let names = |to: &Path| {
        let (server, ledger) = reopened(to);
        let names: Vec<Option<String>> = all(&ledger.begin("reader"), &people).into_values().map(|person| person.1).collect();
        let subjects = std::fs::read(ledger_folder(to).join("keys/subjects")).unwrap();
        server.shutdown().unwrap();
        (names, secrets(&subjects).len())
    };
    let expected = (vec![None, Some("Bob".to_owned())], 1);
    // To now, and to the commit before the erasure, of which the ledger there says nothing any more.
    for to_commit in [None, Some(first.seq.0)] {
        let to = dir.path().join(format!("restored {to_commit:?}"));
        restore_to(&backup, &to, to_commit);
        assert_eq!(names(&to), expected, "to {to_commit:?}");
        // Keys from a copy of the data folder that was made before the erasure.
        let to = dir.path().join(format!("with older keys {to_commit:?}"));
        let request = Request { from: &bare, to: &to, database: None, to_commit, keys: Some(&older) };
        restore(&crate::ledger::options(), &request).unwrap();
        assert_eq!(names(&to), expected, "to {to_commit:?}, with older keys");
    }
}

fn copy(from: &Path, to: &Path) {
    for path in files_below(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

#[test]
fn keys_over_sealed_columns_and_changes_of_what_is_sealed_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let (people, plain) = make(&ledger);
    let refused = |table: TableDef| {
        let mut change = ledger.begin("tester");
        change.alter_table(table).unwrap_err().state()
    };
    let with = |of: &TableDef, by: Option<u32>, key: &[u32]| {
        let rules = Rules { erasable_by: by.map(ColumnId), ..of.rules.as_ref().clone() };
        let key = key.iter().copied().map(ColumnId).collect();
        TableDef::with_rules(of.id, "public", &of.name, 2, of.columns.clone(), key, rules).unwrap()
    };
    for table in [
        with(&plain, Some(2), &[1]),
        with(&people, None, &[1]),
        with(&people, Some(1), &[1]),
        with(&people, Some(2), &[]),
        with(&people, Some(2), &[1, 3]),
    ] {
        assert_eq!(refused(table), SqlState::FEATURE_NOT_SUPPORTED);
    }
    let index =
        engine::Index { id: 99_999, name: "people_name".into(), columns: vec![ColumnId(3)], options: vec![0], ..engine::Index::default() };
    let mut rules = people.rules.as_ref().clone();
    rules.indexes = vec![index.clone()];
    let indexed = TableDef::with_rules(people.id, "public", "people", 2, people.columns.clone(), people.primary_key.clone(), rules.clone());
    assert_eq!(indexed.unwrap_err().state(), SqlState::FEATURE_NOT_SUPPORTED);
    // The subject's own column can be indexed.
    rules.indexes[0].columns = vec![ColumnId(2)];
    TableDef::with_rules(people.id, "public", "people", 2, people.columns.clone(), people.primary_key.clone(), rules).unwrap();
    let gone = people.columns.iter().filter(|column| column.id != ColumnId(2)).cloned().collect();
    let without = TableDef::with_rules(people.id, "public", "people", 2, gone, vec![ColumnId(1)], people.rules.as_ref().clone());
    assert_eq!(without.unwrap_err().state(), SqlState::INVALID_TABLE_DEFINITION);
}

#[test]
fn own_rows_of_a_changed_definition_are_sealed_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let (people, _) = make(&ledger);
    insert(&ledger, &people, &[(1, "ada", Some("Ada"), Some(true))]);
    let mut change = ledger.begin("tester");
    change.insert(&people, &batch(&people, &[(2, "bob", Some("Bob"), None)])).unwrap();
    let row = lookup(&change, &people, 1).unwrap().0;
    change.update(&people, &[row], &batch(&people, &[(1, "ada", Some("Ada King"), None)])).unwrap();
    let mut columns = people.columns.clone();
    columns.push(ColumnDef { id: ColumnId(5), name: "more".into(), sql_type: SqlType::Text, not_null: false });
    let rules = people.rules.as_ref().clone();
    let wider = TableDef::with_rules(people.id, "public", "people", 2, columns, vec![ColumnId(1)], rules).unwrap();
    let wider = change.alter_table(wider).unwrap();
    assert!(wider.is_sealed(4));
    change.commit_blocking().unwrap();
    let now = all(&ledger.begin("reader"), &wider);
    assert_eq!(now.values().map(|person| person.1.as_deref()).collect::<Vec<_>>(), [Some("Ada King"), Some("Bob")]);
    let seq = ledger.snapshot().seq.unwrap();
    let policy = policy(&ledger);
    for row in 0..3 {
        assert_valid(&verify_receipt(ledger.receipt(seq.0, Some(row)).unwrap().as_bytes(), &policy));
    }
    assert_eq!(erase(&ledger, "ada").unwrap().keys, 1);
    assert_eq!(all(&ledger.begin("reader"), &wider)[&1].1, None);
}
