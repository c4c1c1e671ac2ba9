//! The past is what it was: every older commit answers what a reader saw then, and history has every version with its span.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use base::{CommitSeq, Rng, SeededRng, SqlState};
use engine::{Ledger, Span};

use crate::ledger::{all, create_table, find, open, rows, table};

/// What `t` held after each commit.
type Model = BTreeMap<u64, BTreeMap<i64, String>>;

fn draw(rng: &SeededRng, below: u64) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

/// A few random changes in one commit.
fn change(ledger: &Arc<Ledger>, rng: &SeededRng, held: &mut BTreeMap<i64, String>) -> u64 {
    let t = table(ledger);
    let mut transaction = ledger.begin("tester");
    for _ in 0..=draw(rng, 4) {
        let id = draw(rng, 40).cast_signed();
        let name = format!("v{}", draw(rng, 1_000_000));
        match (find(&transaction, id), draw(rng, 3)) {
            (None, _) => {
                transaction.insert(&t, &rows(&t, &[(id, &name)])).unwrap();
                held.insert(id, name);
            }
            (Some((row, _)), 0) => {
                transaction.delete(&t, &[row]).unwrap();
                held.remove(&id);
            }
            (Some((row, _)), _) => {
                transaction.update(&t, &[row], &rows(&t, &[(id, &name)])).unwrap();
                held.insert(id, name);
            }
        }
    }
    transaction.commit_blocking().unwrap().unwrap().seq.0
}

fn check_all(ledger: &Arc<Ledger>, model: &Model) {
    let first = *model.keys().next().unwrap();
    for seq in first..=ledger.snapshot().seq.unwrap().0 {
        // Commits between are the ledger's own: they change nothing here.
        let (_, held) = model.range(..=seq).next_back().unwrap();
        let mut then = ledger.begin("auditor");
        then.travel(ledger.moment(CommitSeq(seq)).unwrap());
        then.refresh().unwrap();
        assert_eq!(all(&then), held.iter().map(|(id, name)| (*id, name.clone())).collect::<Vec<_>>(), "commit {seq}");
        for id in [0, 7, 39] {
            assert_eq!(find(&then, id).map(|(_, name)| name).as_ref(), held.get(&id), "commit {seq}, row {id}");
        }
    }
}

/// Versions of a span as `(id, name, begun, ended)`, in the order they were written.
fn versions(ledger: &Arc<Ledger>, span: Span) -> Vec<(i64, String, u64, Option<u64>)> {
    let mut found = Vec::new();
    for versions in ledger.versions(&table(ledger), span) {
        let told = versions.read().unwrap();
        let (ids, names) = (told.rows.column(0).as_primitive::<Int64Type>(), told.rows.column(1).as_string::<i32>());
        for at in 0..told.rows.num_rows() {
            let ended = told.ended.is_valid(at).then(|| told.ended.value(at).cast_unsigned());
            found.push((ids.value(at), names.value(at).to_owned(), told.begun.value(at).cast_unsigned(), ended));
        }
    }
    found
}

/// The same from the model: a version lives from the commit after which it is there until the one after which it is not.
fn versions_of(model: &Model, first: Option<u64>, last: u64) -> Vec<(i64, String, u64, Option<u64>)> {
    let mut all: Vec<(i64, String, u64, Option<u64>)> = Vec::new();
    let mut open: BTreeMap<i64, usize> = BTreeMap::new();
    for (seq, held) in model.range(..=last) {
        let gone: Vec<i64> = open.iter().filter(|(id, at)| held.get(id) != Some(&all[**at].1)).map(|(id, _)| *id).collect();
        for id in gone {
            let at = open.remove(&id).unwrap();
            all[at].3 = Some(*seq);
        }
        for (id, name) in held {
            if !open.contains_key(id) {
                open.insert(*id, all.len());
                all.push((*id, name.clone(), *seq, None));
            }
        }
    }
    all.retain(|(.., ended)| ended.is_none_or(|ended| first.is_none_or(|first| ended > first)));
    all
}

#[test]
fn every_commit_can_be_gone_back_to() {
    for seed in 0..6 {
        let rng = SeededRng::new(seed);
        let dir = tempfile::tempdir().unwrap();
        let (mut server, mut ledger) = open(dir.path());
        create_table(&ledger);
        let mut held = BTreeMap::new();
        let mut model: Model = BTreeMap::from([(ledger.snapshot().seq.unwrap().0, BTreeMap::new())]);
        for round in 0..4 {
            for _ in 0..25 {
                let seq = change(&ledger, &rng, &mut held);
                model.insert(seq, held.clone());
            }
            check_all(&ledger, &model);
            match (seed + round) % 3 {
                0 => ledger.seal().unwrap(),
                1 => {
                    server.shutdown().unwrap();
                    drop((server, ledger));
                    (server, ledger) = open(dir.path());
                }
                _ => {}
            }
            check_all(&ledger, &model);
            let newest = ledger.snapshot().seq.unwrap().0;
            for _ in 0..10 {
                let (a, b) = (draw(&rng, newest + 1), draw(&rng, newest + 1));
                let first = (a.min(b) > 0).then(|| a.min(b));
                let span = Span { first: first.map(CommitSeq), last: CommitSeq(a.max(b)) };
                let mut expected = versions_of(&model, first, a.max(b));
                let mut found = versions(&ledger, span);
                expected.sort();
                found.sort();
                assert_eq!(found, expected, "seed {seed}, {span:?}");
            }
        }
        server.shutdown().unwrap();
    }
}

#[test]
fn times_lead_to_commits() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    create_table(&ledger);
    let newest = ledger.snapshot().seq.unwrap();
    for seq in 0..=newest.0 {
        let time = ledger.time_of(CommitSeq(seq)).unwrap();
        let found = ledger.commit_by(time).unwrap().unwrap();
        assert!(found.0 >= seq && ledger.time_of(found).unwrap() == time);
        let before = ledger.commit_by(time - 1).unwrap();
        assert!(before.is_none_or(|before| before.0 < seq));
    }
    assert_eq!(ledger.commit_by(i64::MAX).unwrap(), Some(newest));
    assert_eq!(ledger.commit_by(i64::MIN).unwrap(), None);
    let error = ledger.moment(CommitSeq(newest.0 + 1)).unwrap_err();
    assert_eq!(error.state(), SqlState::INVALID_PARAMETER_VALUE);
}

#[test]
fn relations_travel_too() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, ledger) = open(dir.path());
    let before = ledger.snapshot().seq.unwrap();
    let t = create_table(&ledger);
    let made = ledger.snapshot().seq.unwrap();
    let mut transaction = ledger.begin("tester");
    transaction.drop_object(t.id.0).unwrap();
    transaction.commit_blocking().unwrap();
    let at = |seq| ledger.moment(seq).unwrap().catalog.table("public", "t").cloned();
    assert_eq!(at(before), None);
    assert_eq!(at(made), Some(t));
    assert_eq!(ledger.snapshot().catalog.table("public", "t"), None);
}
