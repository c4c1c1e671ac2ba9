//! Power fails, or a call fails, at every step of a life: what was durable is there, whole, in order, and the tree goes on.

use crate::model::{Model, batch_of, compare, draw_batch, open, seeds, small};
use base::{CommitSeq, Fault, Rng, SeededRng, SimIo};
use lsm::{LsmError, Options, Tree};

/// What was done to a tree.
#[derive(Default)]
struct Written {
    model: Model,
    /// Commits whose write was begun.
    begun: u64,
    /// Commits below this are durable: a flush said so.
    durable: u64,
    released: u64,
}

fn options() -> Options {
    Options { memtable_bytes: 4 << 10, ..small() }
}

fn work(tree: &Tree, rng: &SeededRng, written: &mut Written, turns: u64) -> Result<(), LsmError> {
    for _ in 0..turns {
        let draw = rng.next_u64();
        match draw % 12 {
            0 | 1 => {
                tree.flush()?;
                written.durable = written.begun;
            }
            2 => tree.compact()?,
            3 if written.begun > 0 => {
                written.released = written.released.max(draw >> 20 & 0xffff).min(written.begun - 1);
                tree.release(CommitSeq(written.released));
            }
            _ => {
                let operations = draw_batch(rng, 60);
                let seq = written.begun;
                written.model.apply(&operations, seq);
                written.begun += 1;
                tree.write(&batch_of(&operations), CommitSeq(seq))?;
            }
        }
    }
    Ok(())
}

/// Opens what is left and compares it with what the model was at the commit it says it has.
fn recover(io: &SimIo, written: &mut Written, context: &str) -> Tree {
    let tree = open(io, options()).unwrap_or_else(|error| panic!("{context}: {error}"));
    let reached = tree.durable_seq().map_or(0, |seq| seq.0 + 1);
    assert!(reached >= written.durable && reached <= written.begun, "{context}: C2: {reached} of {}", written.begun);
    compare(&tree.latest(), &written.model, context).unwrap_or_else(|error| panic!("{context}: {error}"));
    tree.check().unwrap_or_else(|error| panic!("{context}: {error}"));
    tree
}

/// The commits that the crash took are written again, as the owner does it: same numbers, same operations.
fn replay(tree: &Tree, seed: u64, written: &Written) {
    let rng = SeededRng::new(seed);
    let (mut seq, first) = (0, tree.applied_seq().map_or(0, |seq| seq.0 + 1));
    while seq < written.begun {
        // The draws of `work`, which wrote these commits.
        let draw = rng.next_u64();
        if matches!(draw % 12, 0..=2) || draw % 12 == 3 && seq > 0 {
            continue;
        }
        let operations = draw_batch(&rng, 60);
        if seq >= first {
            tree.write(&batch_of(&operations), CommitSeq(seq)).unwrap();
        }
        seq += 1;
    }
}

fn life(io: &SimIo, seed: u64, background: bool, written: &mut Written) -> Result<(), LsmError> {
    let tree = open(io, Options { background, ..options() })?;
    work(&tree, &SeededRng::new(seed), written, 60)
}

fn at_every_step(fault: Fault, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let io = SimIo::new(seed);
        life(&io, seed, false, &mut Written::default()).unwrap();
        let steps = io.steps();
        assert!(steps > 60, "{steps}");
        for step in 1..=steps {
            let context = format!("{fault:?}, seed {seed}, step {step}");
            let io = SimIo::new(seed * 1_000_003 + step);
            io.plan(step, fault);
            let mut written = Written::default();
            // A stray that cannot be removed is no failure, so a life may end well under an error.
            let outcome = life(&io, seed, false, &mut written);
            assert!(outcome.is_err() || fault == Fault::Error || io.is_crashed(), "{context}");
            io.crash();
            io.restart();
            if step % 3 == 0 {
                // Power is lost again while the tree is opened.
                io.plan(io.steps() + step / 3 % 11 + 1, Fault::Crash);
                drop(open(&io, options()));
                io.crash();
                io.restart();
            }
            let tree = recover(&io, &mut written, &context);
            replay(&tree, seed, &written);
            compare(&tree.latest(), &written.model, &context).unwrap();
            tree.flush().unwrap();
            tree.check().unwrap_or_else(|error| panic!("{context}: {error}"));
        }
    }
}

#[test]
fn power_loss_at_every_step() {
    at_every_step(Fault::Crash, seeds(0..4));
}

#[test]
fn an_error_at_every_step_and_then_power_loss() {
    at_every_step(Fault::Error, seeds(10..12));
}

/// Where the steps of threads fall is not the seed's to say; what must hold is.
#[test]
fn power_loss_beside_threads_at_work() {
    for seed in seeds(0..80) {
        let io = SimIo::new(seed);
        io.plan(1 + seed * 5, if seed % 4 == 3 { Fault::Error } else { Fault::Crash });
        let mut written = Written::default();
        let _ = life(&io, seed, true, &mut written);
        io.crash();
        io.restart();
        let context = format!("seed {seed}");
        let tree = recover(&io, &mut written, &context);
        replay(&tree, seed, &written);
        compare(&tree.latest(), &written.model, &context).unwrap();
    }
}

/// A compaction acted on a release that had come further than the runs, and wrote that down; after a crash the tree refused every commit it had,
/// and `latest` looked for one for ever.
#[test]
fn a_release_ahead_of_the_runs_does_not_outlive_a_crash() {
    let io = SimIo::new(1);
    let write = |tree: &Tree, seq: u64| {
        let mut batch = lsm::Batch::new();
        batch.put(b"key", &seq.to_le_bytes());
        tree.write(&batch, CommitSeq(seq)).unwrap();
    };
    let tree = open(&io, Options { l0_runs_compact: 9, ..options() }).unwrap();
    for seq in 0..2 {
        write(&tree, seq);
        tree.flush().unwrap();
    }
    drop(tree);
    let tree = open(&io, options()).unwrap();
    write(&tree, 2);
    tree.release(CommitSeq(2));
    assert!(matches!(tree.snapshot(CommitSeq(1)), Err(LsmError::Released { .. })));
    tree.settle().unwrap();
    assert_eq!((tree.stats().moves + tree.stats().compactions > 0, tree.durable_seq()), (true, Some(CommitSeq(1))));
    drop(tree);
    io.crash();
    io.restart();
    let tree = open(&io, options()).unwrap();
    assert_eq!(tree.latest().get(b"key").unwrap(), Some(1u64.to_le_bytes().to_vec()), "M4");
    assert_eq!(tree.snapshot(CommitSeq(1)).unwrap().seq(), Some(CommitSeq(1)), "M4");
}
