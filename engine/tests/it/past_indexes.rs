//! What indexes answer for moments of the past, against the rows of then read one by one: after updates, drops of an index, clean stops, kills, and folds
//! that were made anew, also while somebody reads.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use base::{CommitSeq, Io, Rng, RowId, SeededRng, SimIo};
use engine::{KeyRange, Ledger, Next, Rules, Step, TableDef, TableView};

use crate::indexes::{INDEXES, all, batch, change, compare_view, create, index, open, table};

/// The table after commit `seq`, if there was one.
fn then(ledger: &Arc<Ledger>, seq: u64) -> Option<TableView> {
    let moment = ledger.moment(CommitSeq(seq)).unwrap();
    let s = Arc::clone(moment.catalog.table("public", "s")?);
    Some(TableView::past(ledger, s, CommitSeq(seq)).unwrap())
}

fn newest(ledger: &Arc<Ledger>) -> u64 {
    ledger.begin("reader").snapshot().seq.unwrap().0
}

fn drop_index(ledger: &Arc<Ledger>, columns: &[usize]) {
    let mut transaction = ledger.begin("definer");
    let s = table(&transaction);
    let gone = s.keys().iter().find(|def| def.positions == columns).unwrap().id;
    let mut rules = Rules::clone(&s.rules);
    rules.indexes.retain(|index| index.id != gone);
    let version = transaction.next_version(s.id);
    let changed = TableDef::with_rules(s.id, &s.schema, &s.name, version, s.columns.clone(), s.primary_key.clone(), rules).unwrap();
    transaction.alter_table(changed).unwrap();
    transaction.commit_blocking().unwrap();
}

/// Compares all that can be asked at a moment; how many of its keys have an index that serves it, of how many.
fn compare_then(ledger: &Arc<Ledger>, rng: &SeededRng, seq: u64, context: &str) -> (usize, usize) {
    let Some(view) = then(ledger, seq) else { return (0, 0) };
    let context = format!("{context}, as of {seq}");
    compare_view(&view, rng, &context);
    let rows = all(&view);
    for id in 0..60 {
        let key: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![id]))];
        let found = view.lookup(&key).unwrap().map(|(row, _)| row);
        let wanted = rows.iter().find(|(_, row)| row.0 == id).map(|(row, _)| *row);
        assert_eq!(found, wanted, "{context}: row of key {id}");
    }
    let keys = view.table().keys();
    for def in keys.iter().filter(|def| def.positions == [1]) {
        for a in -4..5 {
            let key: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![a]))];
            let wanted: Vec<RowId> = rows.iter().filter(|(_, row)| row.1 == Some(a)).map(|(row, _)| *row).collect();
            let found = view.find_all(def, &key).unwrap();
            assert_eq!(found, view.is_served_by(def).then_some(wanted), "{context}: rows of {a}");
        }
    }
    (keys.iter().filter(|def| view.is_served_by(def)).count(), keys.len())
}

#[test]
fn indexes_answer_for_the_past() {
    let (mut served, mut unserved, mut after_a_kill) = (0, 0, 0);
    for seed in 0..2 {
        let (io, rng, mut next) = (SimIo::new(seed), SeededRng::new(seed), 0);
        let (mut server, mut ledger) = open(&io);
        create(&ledger);
        index(&ledger, &INDEXES[..3]);
        let (mut is_whole, mut made) = (true, newest(&ledger));
        for turn in 0..48 {
            if turn == 14 {
                index(&ledger, &INDEXES[3..]);
            }
            if turn == 28 {
                drop_index(&ledger, &[1, 2]);
            }
            let mut transaction = ledger.begin("tester");
            change(&mut transaction, &rng, &mut next);
            transaction.commit_blocking().unwrap();
            match turn % 12 {
                3 => ledger.seal().unwrap(),
                5 | 9 => {
                    drop(ledger);
                    let is_clean = turn % 12 == 5 || seed % 2 == 0;
                    if is_clean { server.shutdown() } else { server.close_unsealed() }.unwrap();
                    drop(server);
                    // A kill may cost the moments since the last flush.
                    is_whole &= is_clean;
                    (server, ledger) = open(&io);
                }
                _ => {}
            }
            if turn == 40 {
                ledger.remake_folds().unwrap();
                made = newest(&ledger);
            }
            let size = newest(&ledger) + 1;
            for seq in (0..3).map(|_| rng.next_u64() % size).chain([size - 1]) {
                let context = format!("seed {seed}, turn {turn}");
                let (by, of) = compare_then(&ledger, &rng, seq, &context);
                served += by;
                unserved += of - by;
                after_a_kill += if is_whole { 0 } else { by };
                if (is_whole && seq >= made) || seq == size - 1 {
                    assert_eq!(by, of, "{context}: indexes serve commit {seq}");
                }
                if turn >= 40 && seq < made {
                    assert_eq!(by, 0, "{context}: folds made anew lack what had ended");
                }
            }
        }
        drop(ledger);
        server.shutdown().unwrap();
    }
    assert!(served > unserved && unserved > 0 && after_a_kill > 0, "{served} served, {after_a_kill} of them after a kill, {unserved} not");
}

#[test]
fn folds_made_anew_while_the_past_is_read_take_nothing_away() {
    let io = SimIo::new(1);
    let (server, ledger) = open(&io);
    create(&ledger);
    index(&ledger, &INDEXES[..1]);
    let mut writer = ledger.begin("tester");
    let s: Arc<TableDef> = table(&writer);
    let rows: Vec<_> = (0..500).map(|id| (id, Some(id), None)).collect();
    writer.insert(&s, &batch(&s, &rows)).unwrap();
    writer.commit_blocking().unwrap();
    let seq = newest(&ledger);
    let mut writer = ledger.begin("tester");
    let there: Vec<RowId> = all(&writer.view(&s)).iter().map(|(row, _)| *row).collect();
    writer.delete(&s, &there).unwrap();
    writer.commit_blocking().unwrap();

    let view = then(&ledger, seq).unwrap();
    let def = s.keys().iter().find(|def| def.positions == [1]).unwrap();
    let range = KeyRange { equal: Vec::new(), next: Next::Any };
    assert_eq!(view.rows_within(def, &range, usize::MAX).unwrap().map(|rows| rows.len()), Some(500));
    let mut ordered = view.in_order(def, &range, false).unwrap().unwrap();
    assert!(matches!(ordered.step().unwrap(), Step::Row(_)));

    ledger.remake_folds().unwrap();
    let steps = std::iter::from_fn(|| match ordered.step().unwrap() {
        Step::Row(_) => Some(()),
        Step::End => panic!("I1: the end, with rows missing"),
        Step::Disorder => None,
    });
    assert!(steps.count() < 499, "I1: it stops where it cannot know");
    assert!(!view.is_served_by(def) && view.rows_within(def, &range, usize::MAX).unwrap().is_none(), "I1");
    assert_eq!(view.values_within(def, &range, usize::MAX, 1).unwrap(), None, "I1");
    let key: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![7]))];
    assert_eq!(view.find_all(def, &key).unwrap(), None, "I1");
    assert!(view.lookup(&key).unwrap().is_some(), "found in the table");
    drop((view, ordered, ledger));
    server.shutdown().unwrap();
}

#[test]
fn gaps_are_remembered() {
    let io = SimIo::new(3);
    let rng = SeededRng::new(3);
    let mut next = 0;
    let (server, ledger) = open(&io);
    create(&ledger);
    index(&ledger, &INDEXES[..1]);
    for _ in 0..10 {
        let mut transaction = ledger.begin("tester");
        change(&mut transaction, &rng, &mut next);
        transaction.commit_blocking().unwrap();
    }
    drop(ledger);
    server.shutdown().unwrap();
    drop(server);
    io.remove(Path::new("/data/ledgers/shockwave/folds/current")).unwrap();
    let mut whole = None;
    for opening in 0..3 {
        let (server, ledger) = open(&io);
        let whole = *whole.get_or_insert(newest(&ledger));
        for seq in 0..=newest(&ledger) {
            let Some(view) = then(&ledger, seq) else { continue };
            for def in view.table().keys() {
                assert_eq!(view.is_served_by(def), seq >= whole, "opening {opening}, commit {seq}");
            }
        }
        drop(ledger);
        server.shutdown().unwrap();
    }
}
