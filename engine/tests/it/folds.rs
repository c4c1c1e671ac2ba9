//! The folds on disk: thrown away, damaged, cut off by a crash or by a full disk, they give the answers of the ledger or are made anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use base::{ColumnId, Fault, Io, Rng, SeededRng, SimClock, SimIo, SqlResult, SqlState};
use engine::{Index, Ledger, Memory, Options, Rules, Server, TableDef, Transaction};

use crate::ledger::{all, create_table, find, insert, many, rows, table};

const IDS: i64 = 60;
const NAMES: u64 = 7;

type Model = BTreeMap<i64, String>;

/// Sizes at which a few dozen commits give several runs, segments and log files.
pub fn options(io: &SimIo, seed: u64) -> Options {
    Options {
        io: Arc::new(io.clone()),
        expressions: Arc::new(crate::computed::Arithmetic),
        clock: Arc::new(SimClock::new(1, 1)),
        rng: Arc::new(SeededRng::new(seed)),
        wal_file_bytes: 1 << 16,
        hash_threads: 1,
        memory: Memory {
            memtable_bytes: 4 << 10,
            blocks_bytes: 8 << 10,
            batches_bytes: 1 << 16,
            staging_bytes: 2 << 10,
            graphs_bytes: 0,
            queries_bytes: 0,
        },
        fold_threads: false,
        scrub_bytes_per_s: 0,
        use_uring: false,
    }
}

fn open(io: &SimIo) -> SqlResult<(Server, Arc<Ledger>)> {
    let server = Server::open(Path::new("/data"), options(io, 7))?;
    let ledger = server.ledger("shockwave").unwrap();
    Ok((server, ledger))
}

fn folds(io: &SimIo) -> Vec<PathBuf> {
    let dir = Path::new("/data/ledgers/shockwave/folds");
    let names = |dir: &Path| io.list(dir).unwrap().into_iter().map(|name| dir.join(name)).collect::<Vec<_>>();
    let inner = names(dir).into_iter().filter(|path| path.to_str().is_some_and(|name| name.contains("tree.")));
    let mut all: Vec<PathBuf> = inner.flat_map(|tree| names(&tree)).collect();
    all.push(dir.join("current"));
    all
}

fn name_of(draw: u64) -> String {
    format!("name {}", draw % NAMES)
}

/// Adds an index to the table, or takes it away.
fn change_index(ledger: &Arc<Ledger>, index: Option<(&str, u32)>) -> SqlResult<()> {
    let mut transaction = ledger.begin("definer");
    let t = Arc::clone(transaction.catalog().table("public", "t").unwrap());
    let made = index.map(|(name, column)| Index {
        id: ledger.next_object_id(),
        name: name.into(),
        columns: vec![ColumnId(column)],
        options: vec![0],
        unique: column == 1,
        ..Index::default()
    });
    let rules = Rules { indexes: made.into_iter().collect(), ..Rules::clone(&t.rules) };
    let version = transaction.next_version(t.id);
    let changed = TableDef::with_rules(t.id, &t.schema, &t.name, version, t.columns.clone(), t.primary_key.clone(), rules)?;
    transaction.alter_table(changed)?;
    transaction.commit_blocking().map(drop)
}

/// Draws one transaction, and what the table is when it has committed.
fn draw(ledger: &Arc<Ledger>, rng: &SeededRng, model: &Model) -> SqlResult<(Transaction, Model)> {
    let mut transaction = ledger.begin("tester");
    let (t, mut after) = (table(ledger), model.clone());
    for _ in 0..1 + rng.next_u64() % 4 {
        let (id, name) = ((rng.next_u64() % IDS as u64) as i64, name_of(rng.next_u64()));
        match (find(&transaction, id), rng.next_u64() % 3) {
            (None, _) => transaction.insert(&t, &rows(&t, &[(id, &name)]))?,
            (Some((row, _)), 0) => {
                transaction.delete(&t, &[row])?;
                after.remove(&id);
                continue;
            }
            (Some((row, _)), _) => transaction.update(&t, &[row], &rows(&t, &[(id, &name)]))?,
        }
        after.insert(id, name);
    }
    Ok((transaction, after))
}

/// Everything that can be asked, against the model.
fn compare(ledger: &Arc<Ledger>, model: &Model, context: &str) {
    let reader = ledger.begin("reader");
    assert_eq!(all(&reader), model.clone().into_iter().collect::<Vec<_>>(), "{context}");
    compare_keys(ledger, &reader, model, context);
}

fn compare_keys(ledger: &Arc<Ledger>, reader: &Transaction, model: &Model, context: &str) {
    let t = table(ledger);
    for id in 0..IDS {
        let found = find(reader, id).map(|(_, name)| name);
        assert_eq!(found.as_ref(), model.get(&id), "{context}: row {id}");
        let again = ledger.begin("writer").insert(&t, &rows(&t, &[(id, "again")]));
        assert_eq!(again.is_err(), model.contains_key(&id), "{context}: a second row {id}");
    }
    for def in t.keys().iter().filter(|def| def.positions == [1]) {
        for name in (0..NAMES).map(name_of) {
            let key: ArrayRef = Arc::new(StringArray::from(vec![name.as_str()]));
            let found = reader.view(&t).find_all(def, &[key]).unwrap().unwrap_or_else(|| panic!("{context}: no index"));
            let mut ids: Vec<String> = Vec::new();
            for row in found {
                let batch = reader.view(&t).row_by_id(row).unwrap();
                ids.push(arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(batch.column(0)).value(0).to_string());
            }
            ids.sort();
            let mut expected: Vec<String> = model.iter().filter(|(_, other)| **other == name).map(|(id, _)| id.to_string()).collect();
            expected.sort();
            assert_eq!(ids, expected, "{context}: rows of {name}");
        }
    }
}

/// Commits, seals and defines as drawn; the model of what was acknowledged, and of what may be there beside it.
fn live(ledger: &Arc<Ledger>, rng: &SeededRng, turns: u64, model: &mut Model) -> Result<(), Model> {
    for turn in 0..turns {
        let (before, unsure) = (model.clone(), |_| model.clone());
        match rng.next_u64() % 12 {
            0 => ledger.seal().map_err(unsure)?,
            1 if turn > 10 => change_index(ledger, Some(("by_name", 2))).map_err(unsure)?,
            2 if turn > 20 => change_index(ledger, None).map_err(unsure)?,
            _ => {
                let (transaction, after) = draw(ledger, rng, &before).map_err(unsure)?;
                transaction.commit_blocking().map_err(|_| after.clone())?;
                *model = after;
            }
        }
    }
    Ok(())
}

/// A life of some commits, closed as asked, and what the table is then.
fn lived(io: &SimIo, seed: u64, turns: u64, seal: bool) -> Model {
    let (server, ledger) = open(io).unwrap();
    create_table(&ledger);
    let mut model = Model::new();
    live(&ledger, &SeededRng::new(seed), turns, &mut model).unwrap();
    change_index(&ledger, Some(("by_name", 2))).unwrap();
    if seal { server.shutdown() } else { server.close_unsealed() }.unwrap();
    model
}

#[test]
fn folds_made_anew_and_folds_caught_up_answer_alike() {
    for seed in 0..6 {
        for seal in [true, false] {
            let io = SimIo::new(seed);
            let model = lived(&io, seed, 120, seal);
            let copy = io.copy(seed);
            folds(&copy).iter().for_each(|file| copy.remove(file).unwrap());
            for (what, io) in [("caught up", io), ("made anew", copy)] {
                let (server, ledger) = open(&io).unwrap();
                let mut model = model.clone();
                compare(&ledger, &model, &format!("seed {seed}, sealed {seal}, {what}"));
                live(&ledger, &SeededRng::new(seed + 100), 40, &mut model).unwrap();
                let held = (ledger.begin("held"), model.clone());
                live(&ledger, &SeededRng::new(seed + 200), 40, &mut model).unwrap();
                ledger.remake_folds().unwrap();
                assert_eq!(all(&held.0), held.1.clone().into_iter().collect::<Vec<_>>(), "a view held while folds are made anew");
                for id in 0..IDS {
                    assert_eq!(find(&held.0, id).map(|found| found.1), held.1.get(&id).cloned(), "seed {seed}, held, row {id}");
                }
                compare(&ledger, &model, &format!("seed {seed}, sealed {seal}, {what}, lived on and made anew"));
                server.shutdown().unwrap();
            }
        }
    }
}

#[test]
fn every_file_of_the_folds_may_be_lost_cut_or_flipped() {
    let io = SimIo::new(1);
    let model = lived(&io, 1, 150, true);
    let files = folds(&io);
    assert!(files.len() >= 3, "{files:?}");
    for file in &files {
        let bytes = io.peek(file).unwrap();
        for damage in 0..2 + bytes.len().div_ceil(97) {
            let io = io.copy(damage as u64);
            match damage {
                0 => io.remove(file).unwrap(),
                1 => io.open_write(file).and_then(|open| open.set_len(bytes.len() as u64 / 2)).unwrap(),
                _ => io.flip(file, (damage as u64 - 2) * 97, (damage % 8) as u8).unwrap(),
            }
            let (server, ledger) = open(&io).unwrap_or_else(|error| panic!("{}, damage {damage}: {error}", file.display()));
            compare(&ledger, &model, &format!("{}, damage {damage}", file.display()));
            ledger.check_folds().unwrap();
            assert!(!ledger.check_folds().unwrap(), "what was made anew is whole");
            insert(&ledger, &rows(&table(&ledger), &[(1_000, "after")]));
            server.shutdown().unwrap();
        }
    }
}

#[test]
fn folds_of_another_ledger_or_another_time_are_not_trusted() {
    let (mine, other) = (SimIo::new(1), SimIo::new(2));
    let model = lived(&mine, 1, 60, true);
    let early = mine.copy(3);
    {
        let server = Server::open(Path::new("/data"), options(&other, 8)).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        create_table(&ledger);
        live(&ledger, &SeededRng::new(5), 60, &mut Model::new()).unwrap();
        server.shutdown().unwrap();
    }
    // Later folds of the same ledger: ahead of it.
    let mut later_model = model.clone();
    {
        let (server, ledger) = open(&mine).unwrap();
        live(&ledger, &SeededRng::new(9), 60, &mut later_model).unwrap();
        server.shutdown().unwrap();
    }
    for (what, source) in [("another ledger's", &other), ("later", &mine)] {
        let io = early.copy(4);
        folds(&io).iter().for_each(|file| io.remove(file).unwrap());
        for file in folds(source) {
            let written = io.create_new(&file, 0o644).unwrap();
            written.write_at(0, &source.peek(&file).unwrap()).unwrap();
        }
        let (server, ledger) = open(&io).unwrap();
        compare(&ledger, &model, what);
        server.shutdown().unwrap();
    }
}

#[test]
fn a_start_after_a_clean_stop_reads_no_segment_and_making_anew_does() {
    let io = SimIo::new(1);
    {
        let (server, ledger) = open(&io).unwrap();
        let t = create_table(&ledger);
        insert(&ledger, &many(&t, 0, 3_000));
        server.shutdown().unwrap();
    }
    let id = {
        let (server, ledger) = open(&io).unwrap();
        let id = table(&ledger).id;
        server.shutdown().unwrap();
        id
    };
    let dir = PathBuf::from(format!("/data/ledgers/shockwave/segments/{id}"));
    let segment = dir.join(&io.list(&dir).unwrap()[0]);
    let bytes = io.peek(&segment).unwrap();
    // The magic of every LZ4 frame: no column can be read.
    let frames: Vec<usize> =
        bytes.windows(4).enumerate().filter(|(_, window)| *window == [0x04, 0x22, 0x4d, 0x18]).map(|found| found.0).collect();
    assert!(!frames.is_empty());
    frames.iter().for_each(|at| io.flip(&segment, *at as u64, 3).unwrap());
    let (server, ledger) = open(&io).unwrap();
    assert!(table(&ledger).id == id && ledger.fold_stats().levels.iter().any(|level| level.runs > 0));
    server.shutdown().unwrap();
    drop((server, ledger));
    folds(&io).iter().for_each(|file| io.remove(file).unwrap());
    assert_eq!(open(&io).map(drop).unwrap_err().state(), SqlState::DATA_CORRUPTED);
}

/// A commit whose sync failed is in the memtable and in no log. It must not come back.
#[test]
fn what_the_log_lost_is_not_in_the_folds() {
    for step in 0..40 {
        let io = SimIo::new(step);
        let (server, ledger) = open(&io).unwrap();
        let t = create_table(&ledger);
        for id in 0..20 + step as i64 {
            insert(&ledger, &rows(&t, &[(id, "kept")]));
        }
        let mut lost = ledger.begin("tester");
        lost.insert(&t, &many(&t, 1_000, 300)).unwrap();
        io.fail_next_sync();
        assert!(lost.commit_blocking().is_err());
        io.crash();
        let _ = server.close_unsealed();
        drop((server, ledger));
        io.restart();
        let (server, ledger) = open(&io).unwrap();
        let found = all(&ledger.begin("r")).len();
        if found == 20 + step as usize {
            // The same keys, as different rows under the same commit number.
            insert(&ledger, &many(&t, 1_000, 200));
            assert!(find(&ledger.begin("r"), 1_199).is_some() && find(&ledger.begin("r"), 1_200).is_none(), "step {step}");
        }
        server.shutdown().unwrap();
    }
}

#[test]
fn power_loss_and_errors_at_every_step() {
    let io = SimIo::new(0);
    lived(&io, 3, 60, true);
    let steps = io.steps();
    for (fault, stride) in [(Fault::Crash, 11), (Fault::Error, 23)] {
        for step in (1..=steps).step_by(stride) {
            let context = format!("{fault:?}, step {step}");
            let io = SimIo::new(step);
            io.plan(step, fault);
            let mut model = Model::new();
            let mut unsure = None;
            if let Ok((server, ledger)) = open(&io) {
                let mut definer = ledger.begin("tester");
                let made = definer.create_table(crate::ledger::definition(base::RelationId(ledger.next_object_id())));
                if made.and_then(|()| definer.commit_blocking()).is_ok() {
                    unsure = live(&ledger, &SeededRng::new(3), 60, &mut model).err();
                    if fault == Fault::Error && unsure.is_some() && ledger.failure().is_none() {
                        // Refused and no more: what was acknowledged goes on being answered.
                        assert_eq!(all(&ledger.begin("r")), model.clone().into_iter().collect::<Vec<_>>(), "{context}");
                    }
                }
                io.crash();
                let _ = server.close_unsealed();
            }
            io.crash();
            io.restart();
            let (server, ledger) = open(&io).unwrap_or_else(|error| panic!("{context}: {error}"));
            if ledger.snapshot().catalog.table("public", "t").is_some() {
                let found: Model = all(&ledger.begin("r")).into_iter().collect();
                assert!(found == model || Some(&found) == unsure.as_ref(), "{context}: {found:?}, acknowledged {model:?}");
                compare(&ledger, &found, &context);
                let mut model = found;
                live(&ledger, &SeededRng::new(step), 5, &mut model).unwrap();
                compare(&ledger, &model, &format!("{context}, lived on"));
            }
            server.shutdown().unwrap();
        }
    }
}

#[test]
fn large_commits_pass_the_memtable_by() {
    let io = SimIo::new(1);
    let mut memory = options(&io, 1).memory;
    memory.staging_bytes = 256 << 10;
    let options = Options { wal_file_bytes: 4 << 20, memory, ..options(&io, 1) };
    let server = Server::open(Path::new("/data"), options.clone()).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    let t = create_table(&ledger);
    let n = 100_000;
    insert(&ledger, &rows(&t, &[(n - 1, "taken")]));
    let mut second = ledger.begin("second");
    second.insert(&t, &many(&t, n, 10)).unwrap();
    let mut loader = ledger.begin("loader");
    for first in (0..n - 1).step_by(8_000) {
        loader.insert(&t, &many(&t, first, 8_000.min(n - 1 - first))).unwrap();
    }
    loader.insert(&t, &many(&t, n + 9, 1)).unwrap();
    loader.commit_blocking().unwrap();
    assert!(ledger.fold_stats().levels.iter().map(|level| level.versions).sum::<u64>() >= n as u64);
    assert_eq!(second.commit_blocking().unwrap_err().state(), SqlState::UNIQUE_VIOLATION);
    let check = |ledger: &Arc<Ledger>| {
        let reader = ledger.begin("r");
        assert_eq!(all(&reader).len() as i64, n + 1);
        for id in [0, 1, 7_999, 8_000, 77_777, n - 2] {
            assert_eq!(find(&reader, id).unwrap().1, format!("name {id}"));
        }
        assert_eq!((find(&reader, n - 1).unwrap().1.as_str(), find(&reader, n), find(&reader, -1)), ("taken", None, None));
        let again = ledger.begin("w").insert(&t, &many(&t, 50_000, 1)).unwrap_err();
        assert_eq!(again.state(), SqlState::UNIQUE_VIOLATION);
    };
    check(&ledger);
    change_index(&ledger, Some(("by_name", 2))).unwrap();
    let key: ArrayRef = Arc::new(StringArray::from(vec!["name 4711"]));
    let t = table(&ledger);
    assert_eq!(ledger.begin("r").view(&t).find_all(t.keys().last().unwrap(), &[key]).unwrap().unwrap().len(), 1);
    server.close_unsealed().unwrap();
    drop((server, ledger));
    for _ in 0..2 {
        let server = Server::open(Path::new("/data"), options.clone()).unwrap();
        check(&server.ledger("shockwave").unwrap());
        server.shutdown().unwrap();
        folds(&io).iter().for_each(|file| io.remove(file).unwrap());
    }
}

#[test]
fn keys_put_aside_meet_what_their_own_transaction_and_others_wrote() {
    let io = SimIo::new(1);
    let options = Options { wal_file_bytes: 4 << 20, ..options(&io, 1) };
    let server = Server::open(Path::new("/data"), options).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    let t = create_table(&ledger);
    let load = || {
        let mut loader = ledger.begin("loader");
        (0..10).for_each(|piece| loader.insert(&t, &many(&t, piece * 500, 500)).unwrap());
        loader
    };
    let is_taken = |transaction: &mut Transaction, id: i64| {
        let again = transaction.insert(&t, &many(&t, id, 1));
        again.is_err_and(|error| error.state() == SqlState::UNIQUE_VIOLATION)
    };
    let mut loader = load();
    assert_eq!(find(&loader, 4_321).unwrap().1, "name 4321");
    assert!([0, 499, 500, 4_999].iter().all(|id| is_taken(&mut loader, *id)) && !is_taken(&mut loader, 5_000));
    // A savepoint goes on from where it was taken, whatever the branch that was left put aside.
    let saved = loader.clone();
    (20..26).for_each(|piece| loader.insert(&t, &many(&t, piece * 500, 500)).unwrap());
    assert!(is_taken(&mut loader, 11_000));
    loader = saved;
    assert!(is_taken(&mut loader, 4_000) && !is_taken(&mut loader, 11_000));
    // So does a statement that is run again.
    let mark = loader.mark();
    (30..36).for_each(|piece| loader.insert(&t, &many(&t, piece * 500, 500)).unwrap());
    assert!(loader.rewind(&mark).unwrap());
    assert!(is_taken(&mut loader, 11_000) && is_taken(&mut loader, 17) && !is_taken(&mut loader, 15_000));
    // Rows of its own that it has ended are free again.
    let (row, _) = find(&loader, 77).unwrap();
    loader.delete(&t, &[row]).unwrap();
    assert!(find(&loader, 77).is_none() && !is_taken(&mut loader, 77) && is_taken(&mut loader, 77));
    // What another commits meanwhile, and still has, is in the way.
    insert(&ledger, &rows(&t, &[(1_234, "first")]));
    assert_eq!(loader.commit_blocking().unwrap_err().state(), SqlState::UNIQUE_VIOLATION);
    let mut remover = ledger.begin("remover");
    let (row, _) = find(&remover, 1_234).unwrap();
    remover.delete(&t, &[row]).unwrap();
    let mut loader = ledger.begin("loader");
    // It does not count as taken here, where it is ended.
    loader.insert(&t, &rows(&t, &[(-1, "own")])).unwrap();
    remover.commit_blocking().unwrap();
    (0..10).for_each(|piece| loader.insert(&t, &many(&t, piece * 500, 500)).unwrap());
    let mut passing = ledger.begin("passing");
    passing.insert(&t, &rows(&t, &[(9_999, "and gone")])).unwrap();
    passing.commit_blocking().unwrap();
    loader.commit_blocking().unwrap();
    assert_eq!(all(&ledger.begin("r")).len(), 5_002);
    server.shutdown().unwrap();
}

/// Two rows with one value, of which the one is deleted by the very transaction that makes the value unique.
#[test]
fn an_index_begins_without_rows_that_its_own_commit_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = crate::ledger::open(dir.path());
    let t = create_table(&ledger);
    insert(&ledger, &rows(&t, &[(1, "twice"), (2, "twice")]));
    let mut transaction = ledger.begin("definer");
    let (second, _) = find(&transaction, 2).unwrap();
    transaction.delete(&t, &[second]).unwrap();
    let index = Index {
        id: ledger.next_object_id(),
        name: "once".into(),
        columns: vec![ColumnId(2)],
        options: vec![0],
        unique: true,
        ..Index::default()
    };
    let (id, rules) = (index.id, Rules { indexes: vec![index], ..Rules::clone(&t.rules) });
    let version = transaction.next_version(t.id);
    let changed = TableDef::with_rules(t.id, "public", "t", version, t.columns.clone(), t.primary_key.clone(), rules).unwrap();
    let changed = transaction.alter_table(changed).unwrap();
    transaction.check_unique(&changed, id).unwrap();
    transaction.commit_blocking().unwrap();
    let error = ledger.begin("w").insert(&table(&ledger), &rows(&t, &[(3, "twice")])).unwrap_err();
    assert_eq!(error.state(), SqlState::UNIQUE_VIOLATION);
    let key: ArrayRef = Arc::new(StringArray::from(vec!["twice"]));
    let t = table(&ledger);
    let found = ledger.begin("r").view(&t).lookup_by(t.key(id).unwrap(), &[key]).unwrap().unwrap();
    assert_eq!(found.1.column(0).as_ref(), &Int64Array::from(vec![1]));
}

#[test]
fn a_stopped_servers_folds_are_made_anew_on_demand() {
    let io = SimIo::new(1);
    let model = lived(&io, 4, 80, true);
    assert_eq!(Server::rebuild_folds(Path::new("/data"), options(&io, 7)).unwrap(), ["shockwave"]);
    let steps = io.steps();
    let (server, ledger) = open(&io).unwrap();
    compare(&ledger, &model, "made anew on demand");
    assert!(io.steps() > steps);
    server.shutdown().unwrap();
}
