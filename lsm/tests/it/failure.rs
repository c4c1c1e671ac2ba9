//! A disk that fills or fails: what was said stays true, nothing is tried twice, reads go on.

use crate::model::{DIR, Model, Operation, batch_of, compare, open, shared, small};
use base::{CommitSeq, Io, Rng, SeededRng, SimIo};
use lsm::{Batch, LsmError, Options, Tree};
use std::path::Path;

/// Writes commits of random values until something is refused.
fn write_until_refused(tree: &Tree, model: &mut Model, seq: &mut u64, commits: u64) -> Result<(), LsmError> {
    let rng = SeededRng::new(*seq);
    for _ in 0..commits {
        let mut value = vec![0; 200];
        rng.fill(&mut value);
        let operations = [Operation::Put((rng.next_u64() % 500).to_be_bytes().to_vec(), value)];
        tree.write(&batch_of(&operations), CommitSeq(*seq))?;
        model.apply(&operations, *seq);
        *seq += 1;
    }
    Ok(())
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    for background in [false, true] {
        let io = SimIo::new(5);
        let tree = open(&io, Options { background, ..small() }).unwrap();
        let (mut model, mut seq) = (Model::default(), 0);
        write_until_refused(&tree, &mut model, &mut seq, 100).unwrap();
        tree.flush().unwrap();
        let durable = tree.durable_seq();
        io.limit_space(Some(40_000));
        let mut error = write_until_refused(&tree, &mut model, &mut seq, 5000).unwrap_err();
        for _ in 0..3 {
            assert!(error.is_full(), "{error}");
            compare(&tree.latest(), &model, "full").unwrap();
            error = tree.flush().unwrap_err();
        }
        assert!(tree.durable_seq() >= durable);
        io.limit_space(None);
        // A thread may have met the limit before it was lifted.
        while let Err(error) = tree.flush() {
            assert!(error.is_full(), "{error}");
        }
        assert_eq!(tree.durable_seq(), tree.applied_seq());
        while let Err(error) = write_until_refused(&tree, &mut model, &mut seq, 200) {
            assert!(error.is_full(), "{error}");
        }
        compare(&tree.latest(), &model, "room again").unwrap();
        tree.settle().unwrap();
        tree.check().unwrap();
        let files = io.list(Path::new(DIR)).unwrap().iter().filter(|name| name.ends_with(".run")).count();
        assert_eq!(files, tree.stats().levels.iter().map(|level| level.runs).sum::<usize>(), "T3: refused work leaves nothing behind");
    }
}

#[test]
fn a_failed_sync_ends_writing_and_only_that() {
    for background in [false, true] {
        let io = SimIo::new(6);
        let tree = open(&io, Options { background, ..small() }).unwrap();
        let (mut model, mut seq) = (Model::default(), 0);
        write_until_refused(&tree, &mut model, &mut seq, 20).unwrap();
        tree.flush().unwrap();
        write_until_refused(&tree, &mut model, &mut seq, 5).unwrap();
        io.fail_next_sync();
        let error = tree.flush().unwrap_err();
        assert!(error.to_string().contains("sync") && !error.is_full(), "{error}");
        let again = tree.flush().unwrap_err();
        assert!(matches!(again, LsmError::Poisoned { .. }) && again.to_string().contains("could not sync"), "T2: {again}");
        assert!(matches!(tree.write(&Batch::new(), CommitSeq(seq)), Err(LsmError::Poisoned { .. })), "T2");
        compare(&tree.latest(), &model, "after a failed sync").unwrap();
        drop(tree);
        io.crash();
        io.restart();
        let tree = open(&io, small()).unwrap();
        assert_eq!(tree.durable_seq(), Some(CommitSeq(19)));
        compare(&tree.latest(), &model, "reopened").unwrap();
    }
}

#[test]
fn failures_of_the_caller_are_told_and_change_nothing() {
    let io = SimIo::new(1);
    let tree = open(&io, small()).unwrap();
    assert!(matches!(tree.snapshot(CommitSeq(3)), Err(LsmError::Ahead { seq: CommitSeq(3), applied: None })));
    drop(tree);
    // A folder where a file is.
    let path = Path::new("/tree/manifest");
    assert!(matches!(Tree::open(shared(&io), path, small()), Err(LsmError::Io { action: "create", .. })));
}
