//! Threads that flush and compact beside a writer and readers, over a simulated and a real disk.

use crate::model::{DIR, shared, small};
use base::{CommitSeq, Io, RealIo, SimIo};
use lsm::{Batch, Options, Tree};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const KEYS: u64 = 64;

/// Every commit gives all keys its number; a reader must see one number everywhere.
fn commit(seq: u64) -> Batch {
    let mut batch = Batch::new();
    if seq % 50 == 49 {
        batch.delete_range(&[0], &[255]);
    }
    (0..KEYS).for_each(|key| batch.put(&key.to_le_bytes(), &seq.to_le_bytes()));
    batch
}

fn read_on(tree: &Tree, done: &AtomicBool) -> u64 {
    let mut reads = 0;
    while !done.load(Ordering::Acquire) {
        let latest = tree.latest();
        let Some(seq) = latest.seq() else { continue };
        let value = seq.0.to_le_bytes().to_vec();
        for key in (0..KEYS).step_by(13) {
            assert_eq!(latest.get(&key.to_le_bytes()).unwrap(), Some(value.clone()), "C1");
        }
        let (on, back) = (latest.range(..).unwrap().collect().unwrap(), latest.range_rev(..).unwrap().collect().unwrap());
        assert!(on.len() as u64 == KEYS && on.iter().rev().eq(back.iter()) && on.iter().all(|(_, found)| *found == value), "C1");
        reads += 1;
    }
    reads
}

fn live(io: Arc<dyn Io>, dir: &Path, commits: u64) -> Tree {
    let tree = Tree::open(io, dir, Options { background: true, ..small() }).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| read_on(&tree, &done))).collect();
        for seq in 0..commits {
            tree.write(&commit(seq), CommitSeq(seq)).unwrap();
            if seq % 10 == 0 {
                tree.release(CommitSeq(seq));
            }
        }
        done.store(true, Ordering::Release);
        assert!(readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u64>() > 0);
    });
    tree.flush().unwrap();
    tree.settle().unwrap();
    tree.check().unwrap();
    assert!(tree.stats().compactions > 3, "{:?}", tree.stats());
    tree
}

#[test]
fn readers_see_whole_commits_while_threads_work() {
    live(shared(&SimIo::new(1)), Path::new(DIR), 400);
}

#[test]
fn a_real_disk_holds_runs_that_nobody_may_write() {
    let dir = tempfile::tempdir().unwrap();
    let tree = live(Arc::new(RealIo), dir.path(), 400);
    let in_use: usize = tree.stats().levels.iter().map(|level| level.runs).sum();
    let durable = tree.durable_seq();
    drop(tree);
    let runs: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap()).collect();
    let runs: Vec<_> = runs.iter().filter(|entry| entry.file_name().to_string_lossy().ends_with(".run")).collect();
    assert_eq!(runs.len(), in_use, "runs that were replaced are gone");
    assert!(runs.iter().all(|run| run.metadata().unwrap().permissions().mode() & 0o777 == 0o444), "R1");
    let tree = Tree::open(Arc::new(RealIo), dir.path(), small()).unwrap();
    assert_eq!(tree.durable_seq(), durable);
    tree.check().unwrap();
}

#[test]
fn a_tree_closes_while_work_is_going_on() {
    for seed in 0..10 {
        let io = SimIo::new(seed);
        let tree = Tree::open(shared(&io), Path::new(DIR), Options { background: true, ..small() }).unwrap();
        for seq in 0..40 + seed * 7 {
            tree.write(&commit(seq), CommitSeq(seq)).unwrap();
        }
        let snapshot = tree.latest();
        drop(tree);
        assert_eq!(snapshot.range(..).unwrap().collect().unwrap().len() as u64, KEYS);
        let tree = Tree::open(shared(&io), Path::new(DIR), small()).unwrap();
        tree.check().unwrap();
    }
}
