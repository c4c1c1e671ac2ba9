//! Many commits taken in at once, and what is staged on the way there: the answers of the model, whole or not at all after a crash.

use crate::model::{Model, Operation, batch_of, compare, draw_batch, draw_key, open, seeds, shared, small};
use base::{CommitSeq, Fault, Rng, SeededRng, SimIo};
use lsm::{LsmError, Options, Staging, Tree};
use std::collections::BTreeMap;
use std::path::Path;

type Versions = BTreeMap<(Vec<u8>, std::cmp::Reverse<u64>), Vec<u8>>;

/// Puts of some commits, in the order a tree takes them in, and the same to the model.
fn draw_commits(rng: &SeededRng, model: &mut Model, first: u64, commits: u64) -> Versions {
    let mut versions = Versions::new();
    for seq in first..first + commits {
        for _ in 0..rng.next_u64() % 40 {
            let (key, value) = (draw_key(rng, 200), rng.next_u64().to_le_bytes()[..(rng.next_u64() % 9) as usize].to_vec());
            versions.insert((key, std::cmp::Reverse(seq)), value);
        }
    }
    for seq in first..first + commits {
        let of_commit = versions.iter().filter(|((_, at), _)| at.0 == seq);
        let puts: Vec<Operation> = of_commit.map(|((key, _), value)| Operation::Put(key.clone(), value.clone())).collect();
        model.apply(&puts, seq);
    }
    versions
}

fn ingest(tree: &Tree, last: u64, versions: &Versions) -> Result<(), LsmError> {
    tree.ingest(CommitSeq(last), |ingest| versions.iter().try_for_each(|((key, seq), value)| ingest.put(key, CommitSeq(seq.0), value)))
}

/// Writes and ingests in turn; gives back how far it came.
fn life(tree: &Tree, rng: &SeededRng, model: &mut Model, turns: u64) -> Result<(), (u64, LsmError)> {
    let mut next = tree.applied_seq().map_or(0, |seq| seq.0 + 1);
    for _ in 0..turns {
        if rng.next_u64().is_multiple_of(4) {
            let commits = 1 + rng.next_u64() % 5;
            let versions = draw_commits(rng, model, next, commits);
            next += commits;
            ingest(tree, next - 1, &versions).map_err(|error| (next, error))?;
            assert_eq!(tree.durable_seq(), Some(CommitSeq(next - 1)), "N3");
        } else {
            let operations = draw_batch(rng, 200);
            model.apply(&operations, next);
            next += 1;
            let kept = tree.reserve().and_then(|()| tree.write_reserved(&batch_of(&operations), CommitSeq(next - 1)));
            kept.map_err(|error| (next, error))?;
        }
    }
    Ok(())
}

#[test]
fn ingests_between_writes_answer_as_the_model_does() {
    for seed in seeds(0..12) {
        let io = SimIo::new(seed);
        let (rng, mut model) = (SeededRng::new(seed), Model::default());
        let tree = open(&io, Options { background: seed % 2 == 1, ..small() }).unwrap();
        for round in 0..6 {
            life(&tree, &rng, &mut model, 20).unwrap();
            let context = format!("seed {seed}, round {round}");
            compare(&tree.latest(), &model, &context).unwrap();
            let applied = tree.applied_seq().unwrap();
            for seq in [CommitSeq(applied.0 / 2), applied] {
                compare(&tree.snapshot(seq).unwrap(), &model, &context).unwrap();
                for number in 0..30 {
                    let key = draw_key(&SeededRng::new(number), 200);
                    let expected = model.get(&key, Some(seq));
                    assert_eq!(tree.get_as_of(&key, seq, <[u8]>::to_vec).unwrap(), expected, "{context}, commit {seq}");
                }
            }
            assert_eq!(tree.prefix(b"k0").unwrap().collect().unwrap(), tree.latest().prefix(b"k0").unwrap().collect().unwrap());
            tree.settle().unwrap();
            tree.check().unwrap_or_else(|error| panic!("{context}: {error}"));
        }
    }
}

#[test]
fn after_a_crash_at_any_step_an_ingest_is_there_or_not() {
    for seed in seeds(0..1) {
        let io = SimIo::new(seed);
        let tree = open(&io, Options { memtable_bytes: 4 << 10, ..small() }).unwrap();
        life(&tree, &SeededRng::new(seed), &mut Model::default(), 40).unwrap();
        let steps = io.steps();
        for step in 1..=steps {
            for fault in [Fault::Crash, Fault::Error] {
                let io = SimIo::new(seed * 1_000_003 + step);
                io.plan(step, fault);
                let mut model = Model::default();
                let opened = open(&io, Options { memtable_bytes: 4 << 10, ..small() });
                let outcome = opened.map_err(|error| (0, error)).and_then(|tree| life(&tree, &SeededRng::new(seed), &mut model, 40));
                assert!(outcome.is_err() || fault == Fault::Error, "seed {seed}, step {step}");
                io.crash();
                io.restart();
                let context = format!("{fault:?}, seed {seed}, step {step}");
                let tree = open(&io, small()).unwrap_or_else(|error| panic!("{context}: {error}"));
                compare(&tree.latest(), &model, &context).unwrap();
                tree.check().unwrap_or_else(|error| panic!("{context}: {error}"));
            }
        }
    }
}

#[test]
fn a_full_disk_leaves_the_tree_as_it_was_and_passes() {
    let io = SimIo::new(3);
    let (rng, mut model) = (SeededRng::new(3), Model::default());
    let tree = open(&io, small()).unwrap();
    life(&tree, &rng, &mut model, 20).unwrap();
    tree.flush().unwrap();
    let (before, next) = (model.clone(), tree.applied_seq().unwrap().0 + 1);
    let versions = draw_commits(&rng, &mut model, next, 50);
    io.limit_space(Some(1));
    let error = ingest(&tree, next + 49, &versions).unwrap_err();
    assert!(error.is_full(), "{error}");
    compare(&tree.latest(), &before, "a full disk").unwrap();
    io.limit_space(None);
    ingest(&tree, next + 49, &versions).unwrap();
    compare(&tree.latest(), &model, "with room again").unwrap();
    tree.check().unwrap();
}

/// An owner whose log is behind: until it says so, nothing of what it wrote reaches the disk.
#[test]
fn what_was_written_in_reserve_stays_in_memory() {
    let io = SimIo::new(1);
    let tree = open(&io, Options { memtable_bytes: 4 << 10, ..small() }).unwrap();
    for seq in 0..200 {
        tree.write_reserved(&batch_of(&[Operation::Put(vec![seq as u8; 100], vec![0; 100])]), CommitSeq(seq)).unwrap();
    }
    assert_eq!(tree.durable_seq(), None);
    tree.reserve().unwrap();
    assert_eq!(tree.durable_seq(), Some(CommitSeq(199)));
}

#[test]
fn an_ingest_takes_only_commits_that_are_new() {
    let io = SimIo::new(1);
    let tree = open(&io, small()).unwrap();
    tree.write(&batch_of(&[Operation::Put(vec![1], vec![1])]), CommitSeq(5)).unwrap();
    assert!(matches!(tree.ingest(CommitSeq(5), |_| Ok(())), Err(LsmError::OutOfOrder { .. })));
    for seq in [5, 9] {
        let refused = tree.ingest(CommitSeq(8), |ingest| ingest.put(b"a", CommitSeq(seq), b"b"));
        assert!(matches!(refused, Err(LsmError::OutOfOrder { .. })));
    }
    assert_eq!(tree.get_with(b"a", <[u8]>::to_vec).unwrap(), None);
    assert_eq!(tree.applied_seq(), Some(CommitSeq(5)));
}

#[test]
fn what_is_staged_comes_out_sorted_and_is_found() {
    let dir = Path::new("/staging");
    for seed in seeds(0..20) {
        let io = SimIo::new(seed);
        let rng = SeededRng::new(seed);
        let mut all = Versions::new();
        let mut staging = Staging::create(shared(&io), dir, (seed % 2) as usize * 4096).unwrap();
        let mut number = 0;
        for _ in 0..rng.next_u64() % 6 {
            let mut run = Versions::new();
            for _ in 0..rng.next_u64() % 300 {
                number += 1;
                run.insert((draw_key(&rng, 150), std::cmp::Reverse(number)), vec![number as u8; (number % 20) as usize]);
            }
            staging.add(run.iter().map(|((key, number), value)| (key.as_slice(), number.0, value.as_slice()))).unwrap();
            all.append(&mut run);
        }
        let mut scan = staging.scan().unwrap();
        for ((key, number), value) in &all {
            assert_eq!(scan.step().unwrap(), Some((key.as_slice(), number.0, value.as_slice())), "seed {seed}");
        }
        assert_eq!(scan.step().unwrap(), None);
        for draw in 0..200 {
            let key = draw_key(&SeededRng::new(draw), 150);
            let expected = all.keys().filter(|(other, _)| *other == key).map(|(_, number)| number.0).max();
            assert_eq!(staging.newest(&key).unwrap(), expected, "seed {seed}");
        }
        drop(staging);
        let left = base::Io::list(&io, dir).unwrap();
        assert!(left.is_empty(), "G3: {left:?}");
    }
}

/// A process that was killed leaves its runs behind; whoever comes after begins with an empty folder.
#[test]
fn what_a_killed_process_staged_is_gone() {
    let (io, dir) = (SimIo::new(1), Path::new("/staging"));
    let mut left = Staging::create(shared(&io), dir, 0).unwrap();
    left.add([(&b"a"[..], 1, &b""[..])]).unwrap();
    std::mem::forget(left);
    let staging = Staging::create(shared(&io), dir, 0).unwrap();
    assert_eq!((staging.newest(b"a").unwrap(), staging.runs()), (None, 0));
}
