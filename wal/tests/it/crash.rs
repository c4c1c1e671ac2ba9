//! Power fails at every step of a workload, over many seeds: acknowledged records are there, in order, none half there, and the log goes on.

use crate::journal::{DIR, Entry, IDENTITY, SMALL, append, create, open, payload, shared};
use base::{Fault, Rng, SeededRng, SimIo};
use std::path::Path;
use wal::{Position, RecordKind, Wal, WalError};

/// What a workload did to a log.
#[derive(Default)]
struct Written {
    /// Every record whose append was tried, in order; the position is known once the append returned.
    tried: Vec<(Option<u64>, u8, Vec<u8>)>,
    /// How many of them were acknowledged as durable.
    acknowledged: usize,
    /// Records before this may have been released.
    released: u64,
}

impl Written {
    fn try_append(&mut self, wal: &Wal, number: u64, bytes: usize) -> Result<(), WalError> {
        let bytes = payload(number, bytes);
        self.tried.push((None, 7, bytes.clone()));
        let position = wal.append(RecordKind(7), &[&bytes])?;
        self.tried.last_mut().unwrap().0 = Some(position.0);
        Ok(())
    }

    fn try_group(&mut self, wal: &Wal, number: u64, bytes: usize) -> Result<(), WalError> {
        let (a, b) = (payload(number, bytes), payload(number + 1, 3));
        let at = self.tried.len();
        self.tried.push((None, 8, a.clone()));
        self.tried.push((None, 9, b.clone()));
        let positions = wal.append_and_sync(&[(RecordKind(8), &[&a]), (RecordKind(9), &[&b])])?;
        self.tried[at].0 = Some(positions[0].0);
        self.tried[at + 1].0 = Some(positions[1].0);
        self.acknowledged = self.tried.len();
        Ok(())
    }

    /// Recovered records are the tried ones in order, at least the acknowledged ones, less the released. Then the survivors are all there is.
    fn check(&mut self, first: Position, found: &[Entry], context: &str) {
        let gone = self.tried.iter().take_while(|(position, ..)| position.is_some_and(|position| position < first.0)).count();
        assert!(first.0 <= self.released.max(64), "{context}: records from {first} on only, released before {}", self.released);
        let expected = &self.tried[gone..];
        assert!(found.len() <= expected.len(), "{context}: {} records of {}", found.len(), expected.len());
        assert!(gone + found.len() >= self.acknowledged, "{context}: {} acknowledged, {} back", self.acknowledged, gone + found.len());
        for (found, (position, kind, bytes)) in found.iter().zip(expected) {
            assert!(position.is_none_or(|position| position == found.0), "{context}: {position:?} came back at {}", found.0);
            assert!(found.1 == *kind && found.2 == *bytes, "{context}: another record at {}", found.0);
        }
        self.tried.truncate(gone + found.len());
        for (tried, found) in self.tried[gone..].iter_mut().zip(found) {
            tried.0 = Some(found.0);
        }
        // Whoever reads them now may act on them: from here on they must stay.
        self.acknowledged = self.tried.len();
    }
}

fn work(wal: &Wal, rng: &SeededRng, written: &mut Written, turns: u64) -> Result<(), WalError> {
    for _ in 0..turns {
        let number = rng.next_u64();
        let bytes = (number % 900) as usize;
        match rng.next_u64() % 16 {
            0..=6 => written.try_append(wal, number, bytes)?,
            7 => written.try_append(wal, number, 6000)?,
            8..=10 => written.try_group(wal, number, bytes)?,
            11..=13 => {
                wal.sync()?;
                written.acknowledged = written.tried.len();
            }
            14 => drop(wal.rotate()?),
            _ => {
                let records = &written.tried[..written.acknowledged];
                let before = records.get(records.len() / 2).and_then(|record| record.0).unwrap_or(0);
                written.released = written.released.max(before);
                wal.release(Position(before))?;
            }
        }
    }
    Ok(())
}

fn whole_run(io: &SimIo, seed: u64, written: &mut Written) -> Result<(), WalError> {
    let rng = SeededRng::new(seed);
    let wal = Wal::create(shared(io), Path::new(DIR), IDENTITY, SMALL)?;
    work(&wal, &rng, written, 12)?;
    drop(wal);
    let (wal, recovered, entries) = open(io)?;
    assert_eq!(recovered.cut, None, "the process went, not the power");
    written.check(recovered.first, &entries, "restart without power loss");
    work(&wal, &rng, written, 8)?;
    if seed.is_multiple_of(2) {
        wal.close()?;
        written.acknowledged = written.tried.len();
    }
    Ok(())
}

/// Opens after a power loss, perhaps losing power again in the middle of recovery.
fn recover(io: &SimIo, written: &mut Written, again_after: Option<u64>, context: &str) -> Option<Wal> {
    io.restart();
    if let Some(steps) = again_after {
        io.plan(io.steps() + steps, Fault::Crash);
    }
    match open(io) {
        Ok((wal, recovered, entries)) => {
            written.check(recovered.first, &entries, context);
            assert_eq!((wal.durable(), wal.appended()), (recovered.end, recovered.end), "{context}: V2");
            Some(wal)
        }
        Err(_) if io.is_crashed() => recover(io, written, None, context),
        Err(WalError::Empty { .. }) if written.tried.is_empty() => None,
        Err(error) => panic!("{context}: {error}"),
    }
}

#[test]
fn power_loss_at_every_step() {
    for seed in 0..24 {
        let io = SimIo::new(seed);
        let mut written = Written::default();
        whole_run(&io, seed, &mut written).unwrap();
        assert!(written.tried.len() > 5);
        for step in 1..=io.steps() {
            let context = format!("seed {seed}, step {step}");
            let io = SimIo::new(seed * 1_000_003 + step);
            io.plan(step, Fault::Crash);
            let mut written = Written::default();
            whole_run(&io, seed, &mut written).expect_err(&context);
            let again = (step % 3 == 0).then_some(step / 3 % 17 + 1);
            let Some(wal) = recover(&io, &mut written, again, &context) else { continue };
            // Life goes on, and stale bytes of the first life must not come back in the third.
            let rng = SeededRng::new(step);
            io.plan(io.steps() + 1 + step % 23, Fault::Crash);
            let outcome = work(&wal, &rng, &mut written, 10);
            assert!(outcome.is_ok() || io.is_crashed(), "{context}: {outcome:?}");
            io.crash();
            recover(&io, &mut written, None, &format!("{context}, second life"));
        }
    }
}

/// The first of several unsynced records is lost, a later one survives. The log ends before the lost one; once it is written again with the same
/// length, the survivor would stand right behind it and, still valid, come back from the dead.
#[test]
fn a_stale_record_behind_the_cut_does_not_come_back() {
    let mut torn = 0;
    for seed in 0..60 {
        let io = SimIo::new(seed);
        let wal = create(&io);
        for n in 0..4 {
            append(&wal, 1, &payload(n, 450));
        }
        drop(wal);
        io.crash();
        io.restart();
        let (wal, recovered, mut kept) = open(&io).unwrap();
        torn += u32::from(recovered.cut.is_some_and(|cut| cut.bytes > 512));
        kept.push(append(&wal, 2, &payload(9, 450)));
        wal.sync().unwrap();
        drop(wal);
        assert_eq!(open(&io).unwrap().2, kept, "seed {seed}: V2");
    }
    assert!(torn > 5, "{torn}");
}

/// Recovery drops several files behind a torn tail, and loses power at each of its own steps.
#[test]
fn power_loss_at_every_step_of_dropping_files() {
    let mut dropped = 0;
    for seed in 0..30 {
        for step in 1.. {
            let io = SimIo::new(seed);
            let wal = create(&io);
            let safe = append(&wal, 1, b"safe");
            wal.sync().unwrap();
            append(&wal, 1, &payload(1, 1000));
            for n in 0..3 {
                wal.rotate().unwrap();
                append(&wal, 1, &payload(n, 1000));
            }
            drop(wal);
            io.crash();
            io.restart();
            io.plan(io.steps() + step, Fault::Crash);
            let finished = match open(&io) {
                Ok((_, recovered, _)) => {
                    dropped += recovered.cut.map_or(0, |cut| cut.files.len());
                    true
                }
                Err(error) => {
                    assert!(io.is_crashed(), "seed {seed}, step {step}: {error}");
                    false
                }
            };
            io.crash();
            io.restart();
            let (_, _, kept) = open(&io).unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}"));
            assert_eq!(kept[0], safe);
            if finished {
                break;
            }
        }
    }
    assert!(dropped > 20, "{dropped}");
}
