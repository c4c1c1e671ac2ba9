//! Indexes that are made of a snapshot: others commit meanwhile, the commit adds what they did, and a server that ends in between has none.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::ArrayRef;
use base::{Fault, SeededRng, SimIo, SqlError, SqlResult, SqlState};
use engine::{Computed, Expressions, Ledger, Options, Program, Server, TableDef};

use crate::computed::{Arithmetic, define};
use crate::folds::options;
use crate::indexes::{batch, change, compare, create, open, table};

const NEVER_STOPS: &dyn Fn() -> SqlResult<()> = &|| Ok(());

fn write(ledger: &Arc<Ledger>, rows: std::ops::Range<i64>) {
    let mut transaction = ledger.begin("writer");
    let s = table(&transaction);
    let rows: Vec<_> = rows.map(|id| (id, Some(id % 9 - 4), Some(format!("b{}", id % 5)))).collect();
    transaction.insert(&s, &batch(&s, &rows)).unwrap();
    transaction.commit_blocking().unwrap();
}

/// Computes as [`Arithmetic`] does, but stops before the first value, says so, and waits for a word.
#[derive(Debug)]
struct Held(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Expressions for Held {
    fn compile(&self, table: &TableDef, computed: &Computed) -> SqlResult<Arc<dyn Program>> {
        let gate = self.0.lock().unwrap().take().map(Mutex::new);
        Ok(Arc::new(HeldProgram { gate, inner: Arithmetic.compile(table, computed)? }))
    }
}

#[derive(Debug)]
struct HeldProgram {
    gate: Option<Mutex<(Sender<()>, Receiver<()>)>>,
    inner: Arc<dyn Program>,
}

impl Program for HeldProgram {
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
        if let Some(gate) = &self.gate {
            let gate = gate.lock().unwrap();
            // Once; who computes later finds nobody there.
            if gate.0.send(()).is_ok() {
                let told = gate.1.recv_timeout(Duration::from_secs(60));
                assert!(told.is_ok(), "nobody committed while the index was made");
            }
        }
        self.inner.evaluate(columns, rows)
    }

    fn shown(&self) -> &str {
        self.inner.shown()
    }
}

#[test]
fn others_commit_while_an_index_is_made() {
    for unique in [false, true] {
        let io = SimIo::new(u64::from(unique));
        let ((said, hears), (tells, told)) = (channel(), channel());
        let held = Options { expressions: Arc::new(Held(Mutex::new(Some((said, told))))), ..options(&io, 7) };
        let server = Server::open(Path::new("/data"), held).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        create(&ledger);
        (0..20).for_each(|piece| write(&ledger, piece * 100..piece * 100 + 100));
        let parts: &[&str] = if unique { &["square(a)", "1"] } else { &["square(a)"] };
        std::thread::scope(|scope| {
            let making = std::thread::Builder::new().name("making".into()).spawn_scoped(scope, || {
                let mut transaction = ledger.begin("definer");
                let (changed, id) = define(&mut transaction, parts, None, unique).unwrap();
                transaction.build_index(&changed, id, NEVER_STOPS).unwrap();
                transaction
            });
            hears.recv_timeout(Duration::from_secs(60)).expect("the making begins");
            // It has read no row yet, and none of these waits for it.
            let (rng, mut next) = (SeededRng::new(5), 50_000);
            for turn in 0..10 {
                let mut transaction = ledger.begin("meanwhile");
                change(&mut transaction, &rng, &mut next);
                transaction.commit_blocking().unwrap();
                if turn == 5 {
                    ledger.seal().unwrap();
                }
            }
            drop(hears);
            tells.send(()).unwrap();
            let transaction = making.unwrap().join().unwrap();
            for _ in 0..5 {
                let mut transaction = ledger.begin("before the commit");
                change(&mut transaction, &rng, &mut next);
                transaction.commit_blocking().unwrap();
            }
            transaction.commit_blocking().unwrap();
            compare(&ledger.begin("reader"), &rng, "made while others committed");
            change_and_compare(&ledger, &rng, &mut next);
            drop(server.close_unsealed());
        });
        drop((ledger, server));
        let (_server, ledger) = open(&io);
        compare(&ledger.begin("reader"), &SeededRng::new(6), "after the server ended");
        ledger.remake_folds().unwrap();
        compare(&ledger.begin("reader"), &SeededRng::new(7), "after the folds were made anew");
    }
}

fn change_and_compare(ledger: &Arc<Ledger>, rng: &SeededRng, next: &mut i64) {
    for _ in 0..5 {
        let mut transaction = ledger.begin("later");
        change(&mut transaction, rng, next);
        transaction.commit_blocking().unwrap();
        compare(&ledger.begin("reader"), rng, "later");
    }
}

/// A power loss at every so many steps of the disk between the first row read and the commit: the index is there whole, or not at all.
#[test]
fn a_server_that_ends_in_between_has_the_whole_index_or_none() {
    let (mut had, mut had_not) = (0, 0);
    for crash_after in (0..120).step_by(3) {
        let io = SimIo::new(crash_after);
        let (server, ledger) = open(&io);
        create(&ledger);
        (0..10).for_each(|piece| write(&ledger, piece * 100..piece * 100 + 100));
        io.plan(io.steps() + crash_after, Fault::Crash);
        let made = (|| {
            let mut transaction = ledger.begin("definer");
            let (changed, id) = define(&mut transaction, &["square(a)", "head(b)"], None, false)?;
            transaction.build_index(&changed, id, NEVER_STOPS)?;
            transaction.commit_blocking().map(drop)
        })();
        drop(ledger);
        // A crashed disk refuses that too.
        let _ = server.close_unsealed();
        drop(server);
        io.restart();
        let (_server, ledger) = open(&io);
        let transaction = ledger.begin("reader");
        let is_there = table(&transaction).keys().len() > 1;
        assert!(is_there || made.is_err(), "crash after {crash_after}: what was acknowledged is there");
        (had, had_not) = if is_there { (had + 1, had_not) } else { (had, had_not + 1) };
        compare(&transaction, &SeededRng::new(crash_after), &format!("crash after {crash_after}"));
        let left = base::Io::list(&io, Path::new("/data/ledgers/shockwave/folds")).unwrap();
        let staged = left.iter().filter(|name| name.starts_with("staging"));
        let files = staged.flat_map(|name| base::Io::list(&io, &Path::new("/data/ledgers/shockwave/folds").join(name)).unwrap());
        assert_eq!(files.count(), 0, "crash after {crash_after}: nothing is left behind");
    }
    assert!(had > 0 && had_not > 0, "{had} had it, {had_not} had not");
}

#[test]
fn equal_values_are_met_whenever_they_come() {
    let io = SimIo::new(3);
    let (_server, ledger) = open(&io);
    create(&ledger);
    write(&ledger, 0..3);
    let row = |id: i64, a: i64| {
        let mut transaction = ledger.begin("writer");
        let s = table(&transaction);
        transaction.insert(&s, &batch(&s, &[(id, Some(a), None)]))?;
        transaction.commit_blocking().map(drop)
    };
    let make = |meanwhile: &dyn Fn()| -> Result<(), SqlError> {
        let mut transaction = ledger.begin("definer");
        let (changed, id) = define(&mut transaction, &["square(a)"], None, true)?;
        transaction.build_index(&changed, id, NEVER_STOPS)?;
        meanwhile();
        transaction.commit_blocking().map(drop)
    };
    // −4, −3 and −2 are there; 3 comes meanwhile.
    let refused = make(&|| row(10, 3).unwrap()).unwrap_err();
    assert_eq!(
        (refused.state(), refused.message()),
        (SqlState::UNIQUE_VIOLATION, "could not create unique index \"by [\"square(a)\"] where None\"")
    );
    // Now it is there before.
    assert_eq!(make(&|| ()).unwrap_err().state(), SqlState::UNIQUE_VIOLATION);
    // One goes meanwhile, and another comes in its place.
    let mut transaction = ledger.begin("writer");
    let s = table(&transaction);
    let key: Vec<ArrayRef> = vec![Arc::new(arrow::array::Int64Array::from(vec![10]))];
    let (ten, _) = transaction.view(&s).lookup(&key).unwrap().unwrap();
    transaction.delete(&s, &[ten]).unwrap();
    transaction.commit_blocking().unwrap();
    let swap = || {
        let mut transaction = ledger.begin("writer");
        let s = table(&transaction);
        let key: Vec<ArrayRef> = vec![Arc::new(arrow::array::Int64Array::from(vec![1]))];
        let (one, _) = transaction.view(&s).lookup(&key).unwrap().unwrap();
        transaction.delete(&s, &[one]).unwrap();
        transaction.insert(&s, &batch(&s, &[(11, Some(3), None)])).unwrap();
        transaction.commit_blocking().unwrap();
    };
    make(&swap).unwrap();
    assert_eq!(row(12, -3).unwrap_err().state(), SqlState::UNIQUE_VIOLATION);
    compare(&ledger.begin("reader"), &SeededRng::new(1), "after a swap");
}

/// Who writes the table in the transaction that makes the key has its own rows compared too.
#[test]
fn own_rows_meet_those_of_others() {
    let io = SimIo::new(4);
    let (_server, ledger) = open(&io);
    create(&ledger);
    write(&ledger, 0..2);
    let mut transaction = ledger.begin("definer");
    let (changed, id) = define(&mut transaction, &["square(a)"], None, true).unwrap();
    transaction.build_index(&changed, id, NEVER_STOPS).unwrap();
    let taken = transaction.insert(&changed, &batch(&changed, &[(20, Some(4), None)])).unwrap_err();
    assert_eq!(taken.state(), SqlState::UNIQUE_VIOLATION);
    transaction.insert(&changed, &batch(&changed, &[(21, Some(7), None)])).unwrap();
    let mut other = ledger.begin("writer");
    let s = table(&other);
    other.insert(&s, &batch(&s, &[(22, Some(-7), None)])).unwrap();
    other.commit_blocking().unwrap();
    assert_eq!(transaction.commit_blocking().unwrap_err().state(), SqlState::SERIALIZATION_FAILURE);
}

/// Computes as [`Arithmetic`] does, and counts the rows of each expression.
#[derive(Debug, Default)]
struct Counting(Mutex<BTreeMap<String, Arc<AtomicUsize>>>);

impl Counting {
    fn of(&self, text: &str) -> Arc<AtomicUsize> {
        Arc::clone(self.0.lock().unwrap().entry(text.to_owned()).or_default())
    }

    fn take(&self, text: &str) -> usize {
        self.of(text).swap(0, Ordering::Relaxed)
    }
}

impl Expressions for Counting {
    fn compile(&self, table: &TableDef, computed: &Computed) -> SqlResult<Arc<dyn Program>> {
        Ok(Arc::new(CountingProgram { rows: self.of(&computed.text), inner: Arithmetic.compile(table, computed)? }))
    }
}

#[derive(Debug)]
struct CountingProgram {
    rows: Arc<AtomicUsize>,
    inner: Arc<dyn Program>,
}

impl Program for CountingProgram {
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.inner.evaluate(columns, rows)
    }

    fn shown(&self) -> &str {
        self.inner.shown()
    }
}

/// Of all indexes of a transaction the commit looks at the rows since their snapshots, and at no other.
#[test]
fn several_indexes_of_one_transaction_are_made_of_snapshots() {
    const KEYS: [(&str, &[&str], bool); 3] =
        [("square(a)", &["square(a)"], false), ("head(b)", &["head(b)", "1"], true), ("square(a)", &["square(a)", "2"], false)];
    for kept in [3, 2] {
        let io = SimIo::new(kept);
        let counting = Arc::new(Counting::default());
        let counted = Options { expressions: Arc::clone(&counting) as Arc<dyn Expressions>, ..options(&io, 7) };
        let server = Server::open(Path::new("/data"), counted).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        create(&ledger);
        (0..20).for_each(|piece| write(&ledger, piece * 100..piece * 100 + 100));
        let mut transaction = ledger.begin("definer");
        for (at, (text, parts, unique)) in KEYS.into_iter().enumerate() {
            let mut before = transaction.clone();
            let (changed, id) = define(&mut transaction, parts, None, unique).unwrap();
            transaction.build_index(&changed, id, NEVER_STOPS).unwrap();
            assert!(counting.take(text) >= 2_000, "{text} is computed of what is there");
            // The last is taken back, as a savepoint does it.
            if kept == 2 && at == 2 {
                std::mem::swap(&mut transaction, &mut before);
            }
        }
        write(&ledger, 5_000..5_040);
        transaction.commit_blocking().unwrap();
        for text in ["square(a)", "head(b)"] {
            let computed = counting.take(text);
            assert!(kept == 2 || (40..=200).contains(&computed), "{text} is computed of {computed} rows by the commit");
        }
        assert_eq!(table(&ledger.begin("reader")).keys().len(), 1 + kept as usize);
        let (rng, mut next) = (SeededRng::new(9), 50_000);
        compare(&ledger.begin("reader"), &rng, "made together");
        change_and_compare(&ledger, &rng, &mut next);
        drop(ledger);
        drop(server.close_unsealed());
        drop(server);
        let (_server, ledger) = open(&io);
        compare(&ledger.begin("reader"), &SeededRng::new(6), "after the server ended");
        ledger.remake_folds().unwrap();
        compare(&ledger.begin("reader"), &SeededRng::new(7), "after the folds were made anew");
    }
}
