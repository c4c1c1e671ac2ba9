//! Ranges and orders out of indexes, against the same rows read one by one: own rows, rows that are ended, NULLs, values too long for a name; after folds
//! were flushed, brought up and made anew.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use base::{ColumnId, Io, RelationId, Rng, RowId, SeededRng, SimIo};
use engine::{ColumnDef, Index, KeyDef, KeyRange, Ledger, Next, Rules, Server, SqlType, Step, TableDef, TableView, Transaction};

use crate::computed;
use crate::folds::options;

pub type Row = (i64, Option<i64>, Option<String>);

pub fn open(io: &SimIo) -> (Server, Arc<Ledger>) {
    let server = Server::open(Path::new("/data"), options(io, 7)).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

pub fn table(transaction: &Transaction) -> Arc<TableDef> {
    Arc::clone(transaction.catalog().table("public", "s").unwrap())
}

/// `s (id bigint primary key, a bigint, b text)`.
pub fn create(ledger: &Arc<Ledger>) {
    let mut transaction = ledger.begin("definer");
    let column = |id, name: &str, sql_type| ColumnDef { id: ColumnId(id), name: name.into(), sql_type, not_null: false };
    let columns = vec![column(1, "id", SqlType::Int8), column(2, "a", SqlType::Int8), column(3, "b", SqlType::Text)];
    let id = RelationId(ledger.next_object_id());
    transaction.create_table(TableDef::new(id, "public", "s", columns, vec![ColumnId(1)]).unwrap()).unwrap();
    transaction.commit_blocking().unwrap();
}

/// Adds indexes over these columns; the last is unique.
pub fn index(ledger: &Arc<Ledger>, all: &[&[u32]]) {
    let mut transaction = ledger.begin("definer");
    let s = table(&transaction);
    let mut rules = Rules::clone(&s.rules);
    for columns in all {
        rules.indexes.push(Index {
            id: ledger.next_object_id(),
            name: format!("by {columns:?}"),
            columns: columns.iter().map(|id| ColumnId(*id)).collect(),
            options: vec![0; columns.len()],
            unique: columns.contains(&1),
            ..Index::default()
        });
    }
    let version = transaction.next_version(s.id);
    let changed = TableDef::with_rules(s.id, &s.schema, &s.name, version, s.columns.clone(), s.primary_key.clone(), rules).unwrap();
    transaction.alter_table(changed).unwrap();
    transaction.commit_blocking().unwrap();
}

fn text(draw: u64) -> String {
    match draw % 12 {
        0 => String::new(),
        // Too long for a name, and alike in what stands there.
        1 => "x".repeat(600) + &(draw % 5).to_string(),
        other => format!("{}{}", "ab".repeat((other % 3) as usize), draw % 7),
    }
}

pub fn batch(s: &TableDef, rows: &[Row]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2.clone()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(s.arrow_schema(), columns).unwrap()
}

fn read(batch: &RecordBatch) -> Vec<(RowId, Row)> {
    let (ids, a, b) =
        (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>(), batch.column(2).as_string::<i32>());
    let rows = batch.column(3).as_primitive::<Int64Type>();
    let row = |at: usize| (ids.value(at), a.is_valid(at).then(|| a.value(at)), b.is_valid(at).then(|| b.value(at).to_owned()));
    (0..batch.num_rows()).map(|at| (RowId(rows.value(at).cast_unsigned()), row(at))).collect()
}

/// What the view shows, read without an index.
pub fn all(view: &TableView) -> Vec<(RowId, Row)> {
    view.scan(&[0, 1, 2], true).iter().flat_map(|chunk| read(&chunk.read().unwrap())).collect()
}

pub fn change(transaction: &mut Transaction, rng: &SeededRng, next: &mut i64) {
    let s = table(transaction);
    let there = all(&transaction.view(&s));
    for _ in 0..1 + rng.next_u64() % 8 {
        let a = (!rng.next_u64().is_multiple_of(6)).then(|| (rng.next_u64() % 9) as i64 - 4);
        let b = (!rng.next_u64().is_multiple_of(6)).then(|| text(rng.next_u64()));
        let victim = there.get((rng.next_u64() % (there.len() as u64 + 1)) as usize);
        // Not one that this transaction has ended already.
        let victim = victim.filter(|(row, _)| all(&transaction.view(&s)).iter().any(|(other, _)| other == row));
        match (victim, rng.next_u64() % 4) {
            (Some((row, _)), 0) => transaction.delete(&s, &[*row]).unwrap(),
            (Some((row, old)), 1) => transaction.update(&s, &[*row], &batch(&s, &[(old.0, a, b)])).unwrap(),
            _ => {
                transaction.insert(&s, &batch(&s, &[(*next, a, b)])).unwrap();
                *next += 1;
            }
        }
    }
}

/// Places of what indexes compute, in the order in which they come to it.
const SQUARE: usize = 3;
const HEAD: usize = 4;
const POSITIVE: usize = 5;
const SOME_TEXT: usize = 6;

/// Whether a row is in a key.
fn is_held(row: &Row, def: &KeyDef) -> bool {
    match def.condition {
        None => true,
        Some(POSITIVE) => row.1.is_some_and(|a| a > 0),
        Some(SOME_TEXT) => row.2.as_ref().is_some_and(|b| !b.is_empty()),
        Some(other) => panic!("no condition at {other}"),
    }
}

/// A value of a column, or a computed one, as it is compared: NULL last.
fn value(row: &Row, position: usize) -> (bool, i64, &str) {
    match position {
        0 => (false, row.0, ""),
        1 => (row.1.is_none(), row.1.unwrap_or(0), ""),
        SQUARE => (row.1.is_none(), row.1.map_or(0, |a| a * a), ""),
        HEAD => (row.2.is_none(), 0, row.2.as_deref().map_or("", |b| &b[..b.len().min(1)])),
        _ => (row.2.is_none(), 0, row.2.as_deref().unwrap_or("")),
    }
}

fn array(rng: &SeededRng, position: usize) -> ArrayRef {
    match position {
        2 => Arc::new(StringArray::from(vec![text(rng.next_u64())])),
        HEAD => Arc::new(StringArray::from(vec![["", "a", "x", "3"][(rng.next_u64() % 4) as usize]])),
        SQUARE => Arc::new(Int64Array::from(vec![(rng.next_u64() % 18) as i64])),
        0 => Arc::new(Int64Array::from(vec![(rng.next_u64() % 90) as i64])),
        _ => Arc::new(Int64Array::from(vec![(rng.next_u64() % 11) as i64 - 5])),
    }
}

fn of_array(array: &ArrayRef) -> (bool, i64, &str) {
    match array.as_string_opt::<i32>() {
        Some(text) => (false, 0, text.value(0)),
        None => (false, array.as_primitive::<Int64Type>().value(0), ""),
    }
}

fn draw_range(rng: &SeededRng, def: &KeyDef) -> KeyRange {
    let count = (rng.next_u64() % (def.positions.len() as u64 + 1)) as usize;
    let equal = def.positions[..count].iter().map(|position| array(rng, *position)).collect();
    let side = || {
        let more = 1 + rng.next_u64() as usize % (def.positions.len() - count);
        let values = || def.positions[count..count + more].iter().map(|position| array(rng, *position)).collect();
        (!rng.next_u64().is_multiple_of(3)).then(|| (values(), rng.next_u64().is_multiple_of(2)))
    };
    let next = match def.positions.get(count) {
        None => Next::Any,
        Some(_) => match rng.next_u64() % 6 {
            0 => Next::Any,
            1 => Next::Null,
            _ => Next::Within(side(), side()),
        },
    };
    KeyRange { equal, next }
}

fn is_within(row: &Row, def: &KeyDef, range: &KeyRange) -> bool {
    let is_equal = range.equal.iter().zip(&def.positions).all(|(wanted, position)| value(row, *position) == of_array(wanted));
    let next = def.positions.get(range.equal.len()).map(|position| value(row, *position));
    is_held(row, def)
        && is_equal
        && match (&range.next, next) {
            (Next::Any, _) | (_, None) => true,
            (Next::Null, Some(next)) => next.0,
            (Next::Within(low, high), Some(next)) => {
                // NULL is after all values of its column.
                let order = |end: &[ArrayRef]| {
                    let columns = end.iter().zip(&def.positions[range.equal.len()..]);
                    let orders = columns.map(|(end, position)| value(row, *position).cmp(&of_array(end)));
                    orders.fold(Ordering::Equal, Ordering::then)
                };
                let low = low.as_ref().is_none_or(|(low, is_in)| order(low).is_gt() || (*is_in && order(low).is_eq()));
                let high = high.as_ref().is_none_or(|(high, is_in)| order(high).is_lt() || (*is_in && order(high).is_eq()));
                !next.0 && low && high
            }
        }
}

/// All that indexes answer of a transaction's table.
pub fn compare(transaction: &Transaction, rng: &SeededRng, context: &str) {
    let s = table(transaction);
    let view = transaction.view(&s);
    for def in s.keys() {
        assert!(view.is_served_by(def), "{context}: {} is whole", def.name);
    }
    compare_view(&view, rng, context);
}

/// All that those indexes answer that serve a view.
pub fn compare_view(view: &TableView, rng: &SeededRng, context: &str) {
    let rows = all(view);
    let is_own = |row: &RowId| row.0 & engine::OWN_ROW != 0;
    for def in view.table().keys().iter().filter(|def| view.is_served_by(def)) {
        for _ in 0..6 {
            let range = draw_range(rng, def);
            let context = format!("{context}: {} {range:?}", def.name);
            let wanted: Vec<&(RowId, Row)> = rows.iter().filter(|(_, row)| is_within(row, def, &range)).collect();
            let found = view.rows_within(def, &range, usize::MAX).unwrap().unwrap();
            let read_back: Vec<(RowId, Row)> = view.gather(&found, &[0, 1, 2], true).unwrap().iter().flat_map(read).collect();
            assert_eq!(read_back.iter().map(|(row, _)| *row).collect::<Vec<_>>(), found, "{context}: gathered in order");
            assert!(read_back.iter().all(|(_, row)| is_held(row, def)), "{context}: rows that are not in it");
            // Values of which an index has the beginning only may come with others (R1).
            let found: Vec<&(RowId, Row)> = read_back.iter().filter(|(_, row)| is_within(row, def, &range)).collect();
            let committed: Vec<&(RowId, Row)> = wanted.iter().copied().filter(|(row, _)| !is_own(row)).collect();
            assert_eq!(found, committed, "{context}: within");
            let columns = view.readable(def);
            let values = view.values_within(def, &range, usize::MAX, columns).unwrap().unwrap();
            assert_eq!(values.len(), columns, "{context}: the columns before the first text");
            for (values, position) in values.iter().zip(&def.positions) {
                let mut values: Vec<Option<i64>> = values.as_primitive::<Int64Type>().iter().collect();
                let of = |(_, row): &(RowId, Row)| match *position {
                    0 => Some(row.0),
                    SQUARE => row.1.map(|a| a * a),
                    _ => row.1,
                };
                let mut expected: Vec<Option<i64>> = read_back.iter().map(of).collect();
                values.sort_unstable();
                expected.sort_unstable();
                assert_eq!(values, expected, "{context}: values of column {position}");
            }
            for backward in [false, true] {
                in_order(view, (def, &range), backward, &wanted, &context);
            }
        }
    }
}

fn in_order(view: &TableView, (def, range): (&KeyDef, &KeyRange), backward: bool, wanted: &[&(RowId, Row)], context: &str) {
    let Some(mut ordered) = view.in_order(def, range, backward).unwrap() else {
        let is_long = |row: &Row| row.2.as_ref().is_some_and(|text| text.len() > 400);
        return assert!(all(view).iter().any(|(_, row)| is_long(row)), "{context}: own rows have an order");
    };
    let mut found = Vec::new();
    loop {
        match ordered.step().unwrap() {
            Step::Row(row) => found.push(row),
            Step::End => break,
            Step::Disorder => {
                let is_long = |row: &Row| row.2.as_ref().is_some_and(|text| text.len() > 400);
                return assert!(def.positions.contains(&2) && all_ever(view).iter().any(is_long), "{context}: disorder");
            }
        }
    }
    let read_back: Vec<(RowId, Row)> = view.gather(&found, &[0, 1, 2], true).unwrap().iter().flat_map(read).collect();
    let keys: Vec<Vec<_>> = read_back.iter().map(|(_, row)| def.positions.iter().map(|position| value(row, *position)).collect()).collect();
    assert!(keys.is_sorted_by(|a, b| if backward { a >= b } else { a <= b }), "{context}: in order, backward {backward}: {keys:?}");
    let mut found: Vec<&(RowId, Row)> = read_back.iter().filter(|(_, row)| is_within(row, def, range)).collect();
    let mut wanted = wanted.to_vec();
    found.sort_by_key(|(row, _)| *row);
    wanted.sort_by_key(|(row, _)| *row);
    assert_eq!(found, wanted, "{context}: all of them in order, backward {backward}");
}

/// Rows that may stand in an index: ended ones too.
fn all_ever(view: &TableView) -> Vec<Row> {
    let mut rows: Vec<Row> = all(view).into_iter().map(|(_, row)| row).collect();
    rows.push((0, None, Some("x".repeat(600))));
    rows
}

pub const INDEXES: [&[u32]; 5] = [&[2], &[3], &[2, 3], &[3, 2], &[2, 3, 1]];

#[test]
fn ranges_and_orders_are_those_of_the_rows() {
    for seed in 0..6 {
        let (io, rng, mut next) = (SimIo::new(seed), SeededRng::new(seed), 0);
        let (mut server, mut ledger) = open(&io);
        create(&ledger);
        index(&ledger, &INDEXES[..2]);
        for turn in 0..60 {
            if turn == 20 {
                index(&ledger, &INDEXES[2..]);
            }
            if turn == 25 {
                computed::index(&ledger, &["square(a)"], None, false).unwrap();
                computed::index(&ledger, &["head(b)", "1"], None, true).unwrap();
                computed::index(&ledger, &["3"], Some("a>0"), false).unwrap();
                computed::index(&ledger, &["square(a)", "3"], Some("b<>''"), false).unwrap();
                let s = table(&ledger.begin("reader"));
                let texts: Vec<&str> = s.all_computed().iter().map(|computed| computed.text.as_str()).collect();
                assert_eq!(texts, ["square(a)", "head(b)", "a>0", "b<>''"]);
            }
            let before = ledger.begin("reader");
            let mut transaction = ledger.begin("tester");
            change(&mut transaction, &rng, &mut next);
            if turn % 4 == 0 {
                compare(&transaction, &rng, &format!("seed {seed}, turn {turn}, before the commit"));
            }
            transaction.commit_blocking().unwrap();
            if turn % 4 == 1 {
                compare(&before, &rng, &format!("seed {seed}, turn {turn}, as it was"));
                compare(&ledger.begin("reader"), &rng, &format!("seed {seed}, turn {turn}"));
            }
            drop(before);
            match turn % 20 {
                7 => ledger.seal().unwrap(),
                17 => {
                    let held = ledger.begin("reader");
                    let mut later = ledger.begin("tester");
                    change(&mut later, &rng, &mut next);
                    later.commit_blocking().unwrap();
                    ledger.remake_folds().unwrap();
                    compare(&held, &rng, &format!("seed {seed}, turn {turn}, held while folds are made anew"));
                }
                13 | 19 => {
                    drop(ledger);
                    if turn % 20 == 13 { server.shutdown() } else { server.close_unsealed() }.unwrap();
                    drop(server);
                    if turn % 40 == 33 {
                        io.remove(Path::new("/data/ledgers/shockwave/folds/current")).unwrap();
                    }
                    (server, ledger) = open(&io);
                    compare(&ledger.begin("reader"), &rng, &format!("seed {seed}, turn {turn}, opened again"));
                }
                _ => {}
            }
        }
        drop(ledger);
        server.shutdown().unwrap();
    }
}

#[test]
fn an_index_does_not_serve_who_sees_an_older_commit() {
    let io = SimIo::new(1);
    let (server, ledger) = open(&io);
    create(&ledger);
    let (mut first, rng) = (ledger.begin("tester"), SeededRng::new(1));
    change(&mut first, &rng, &mut 0);
    first.commit_blocking().unwrap();
    let before = ledger.begin("reader");
    index(&ledger, &INDEXES[..1]);
    let after = ledger.begin("reader");
    let s = table(&after);
    let def = s.keys().iter().find(|def| def.positions == [1]).unwrap();
    assert!(after.view(&s).is_served_by(def));
    assert!(!before.view(&s).is_served_by(def), "I1: it may lack rows that were ended before it was made");
    let past = TableView::past(&ledger, Arc::clone(&s), before.snapshot().seq.unwrap()).unwrap();
    assert!(!past.is_served_by(def), "I1");
    // Nor one that only its maker knows.
    let mut maker = ledger.begin("definer");
    let version = maker.next_version(s.id);
    let mut rules = Rules::clone(&s.rules);
    rules.indexes[0].id = ledger.next_object_id();
    let changed = TableDef::with_rules(s.id, &s.schema, &s.name, version, s.columns.clone(), s.primary_key.clone(), rules).unwrap();
    maker.alter_table(changed).unwrap();
    let s = table(&maker);
    let def = s.keys().iter().find(|def| def.positions == [1]).unwrap();
    assert!(!maker.view(&s).is_served_by(def), "I1");
    drop((before, after, maker, ledger));
    server.shutdown().unwrap();
}

#[test]
fn who_looks_at_too_much_is_told() {
    let io = SimIo::new(1);
    let (server, ledger) = open(&io);
    create(&ledger);
    index(&ledger, &INDEXES[..1]);
    let mut writer = ledger.begin("tester");
    let s = table(&writer);
    let rows: Vec<Row> = (0..200).map(|id| (id, Some(id / 2), None)).collect();
    writer.insert(&s, &batch(&s, &rows)).unwrap();
    writer.commit_blocking().unwrap();
    let reader = ledger.begin("reader");
    let view = reader.view(&s);
    let def = s.keys().iter().find(|def| def.positions == [1]).unwrap();
    let low: ArrayRef = Arc::new(Int64Array::from(vec![90]));
    let range = KeyRange { equal: Vec::new(), next: Next::Within(Some((vec![low], true)), None) };
    assert_eq!(view.rows_within(def, &range, 19).unwrap(), None);
    assert_eq!(view.rows_within(def, &range, 20).unwrap().unwrap().len(), 20);
    let mut ordered = view.in_order(def, &range, true).unwrap().unwrap();
    assert!(matches!(ordered.step().unwrap(), Step::Row(_)));
    assert_eq!(ordered.entries(), 1);
    let wrong = KeyRange { equal: vec![Arc::new(StringArray::from(vec!["x"]))], next: Next::Any };
    assert!(view.rows_within(def, &wrong, 1).is_err());
    drop((reader, ledger));
    server.shutdown().unwrap();
}
