//! The faults: power lost at a step, lost again in recovery, a call that fails, a disk that is full.
//!
//! F1: an I/O error reaches clients as 58030 or 53100 and nothing else, a full disk as 53100.
//! F2: after an I/O error reads go on; writes either go on or are refused for good, and nothing acknowledged is lost either way.

use base::{Fault, SqlState};

use super::driver::{Driver, Halt};
use super::recovery::{Before, Straight, check};
use super::world::World;
use crate::dice::Dice;
use crate::model::Model;
use crate::sim::evidence::leaves;

/// Operations of one workload.
pub const OPERATIONS: u32 = 45;
/// Operations tried after a fault that leaves the server running.
const AFTER_FAULT: u32 = 6;

fn driver(seed: u64, loud: bool) -> Driver {
    Driver::new(World::new(seed), seed, 1, Model::default(), loud)
}

fn fault_free(halt: Halt) -> String {
    match halt {
        Halt::Violation(what) => what,
        Halt::Fault(error) => format!("an I/O error without a fault: {}", error.message()),
    }
}

/// Runs a seed without faults; the run, and the machine it leaves with the server closed unsealed or, by the seed, sealed. Errors: the promise
/// broken.
pub fn straight(seed: u64, loud: bool) -> Result<(Straight, Driver), String> {
    let mut driver = driver(seed, loud);
    let ran = driver.run(OPERATIONS).and_then(|()| driver.verify());
    if let Err(halt) = ran {
        driver.abandon();
        return Err(fault_free(halt));
    }
    let steps = driver.world.io.steps();
    let ledger = driver.ledger().map_err(fault_free)?;
    let leaves = leaves(&ledger, ledger.checkpoint().state.size).map_err(|error| error.message().to_owned())?;
    drop(ledger);
    driver.close(seed.is_multiple_of(2)).map_err(fault_free)?;
    Ok((Straight { steps, leaves, history: driver.history.clone() }, driver))
}

/// Loses power at `step`, recovers and checks; with `again`, loses power once more at several steps of the recovery. Errors: the promise broken.
pub fn crash(seed: u64, step: u64, straight: &Straight, again: bool, loud: bool) -> Result<(), String> {
    let mut driver = driver(seed, loud);
    driver.world.io.plan(step, Fault::Crash);
    let ran = driver.run(OPERATIONS);
    driver.abandon();
    match ran {
        Err(Halt::Violation(what)) => return Err(what),
        Err(Halt::Fault(error)) if !driver.world.io.is_crashed() => {
            return Err(format!("an I/O error before the fault: {}", error.message()));
        }
        // A crash that nobody met: it struck a step whose result does not matter, such as one of a read-ahead or of the last call.
        Ok(()) | Err(Halt::Fault(_)) => {}
    }
    let before = Before::of(seed, &driver);
    let mut dice = Dice::new(seed, step);
    driver.say(|| format!("power lost at step {step}; {} uncertain", before.uncertain.len()));
    let world = driver.world.restarted(dice.seed());
    if again {
        crash_in_recovery(&world, &mut dice, &before, straight, loud)?;
    }
    check(world, &before, Some(straight), loud)
}

fn crash_in_recovery(world: &World, dice: &mut Dice, before: &Before, straight: &Straight, loud: bool) -> Result<(), String> {
    let (disk_seed, boot_seed) = (dice.seed(), dice.seed());
    let copy = || World::on(world.io.copy(disk_seed), boot_seed);
    let whole = copy();
    let opened = whole.open().map_err(|error| format!("recovery: {}", error.message()))?;
    let steps = whole.io.steps();
    // The close is not what is tried here.
    let _ = opened.close_unsealed();
    for _ in 0..3 {
        let step = 1 + dice.below(steps);
        let second = copy();
        second.io.plan(step, Fault::Crash);
        if let Ok(server) = second.open() {
            second.io.crash();
            let _ = server.close_unsealed();
        }
        let third = second.restarted(dice.seed());
        check(third, before, Some(straight), loud).map_err(|what| format!("power lost again at step {step} of recovery: {what}"))?;
    }
    Ok(())
}

/// Lets the call at `step` fail, goes on, then restarts the server (with or without losing power) and checks. Errors: the promise broken.
pub fn error(seed: u64, step: u64, loud: bool) -> Result<(), String> {
    let driver = driver(seed, loud);
    driver.world.io.plan(step, Fault::Error);
    survive(driver, seed, step, None, loud)
}

/// Lets the disk hold no more than `bytes`, goes on until it is full and a little further, then gives space and checks. Errors: the promise
/// broken.
pub fn full_disk(seed: u64, bytes: u64, loud: bool) -> Result<(), String> {
    let driver = driver(seed, loud);
    driver.world.io.limit_space(Some(bytes));
    survive(driver, seed, bytes, Some(SqlState::DISK_FULL), loud)
}

/// Runs into a fault that leaves the machine running (F2); `state`: what the first client to meet it must be told (F1).
fn survive(mut driver: Driver, seed: u64, salt: u64, state: Option<SqlState>, loud: bool) -> Result<(), String> {
    let mut met = false;
    let mut left = OPERATIONS;
    while left > 0 {
        left -= 1;
        let ran = if driver.server.is_none() { driver.open() } else { driver.operation() };
        let Err(halt) = ran else { continue };
        let outcome = match halt {
            Halt::Violation(what) => Err(what),
            Halt::Fault(error) if !met && state.is_some_and(|state| error.state() != state) => {
                Err(format!("the first error is {:?} {}", error.state(), error.message()))
            }
            Halt::Fault(error) => {
                driver.say(|| format!("{:?} {}", error.state(), error.message()));
                read_on(&mut driver)
            }
        };
        if let Err(what) = outcome {
            driver.abandon();
            return Err(what);
        }
        if !met {
            met = true;
            left = left.min(AFTER_FAULT);
        }
        // A server that could not open is not asked again in the same breath: its process has ended.
        if driver.server.is_none() {
            break;
        }
    }
    driver.abandon();
    let before = Before::of(seed, &driver);
    let mut dice = Dice::new(seed, salt ^ 0xe44);
    driver.world.io.limit_space(None);
    // A fault of a step that only a run without faults reaches must not strike the check.
    driver.world.io.forget_faults();
    let world = if dice.percent(50) {
        driver.say(|| "the machine loses power".into());
        driver.world.io.crash();
        driver.world.restarted(dice.seed())
    } else {
        driver.say(|| "the server is started again".into());
        World::on(driver.world.io.clone(), dice.seed())
    };
    check(world, &before, None, loud)
}

/// F2: what was acknowledged is still read.
fn read_on(driver: &mut Driver) -> Result<(), String> {
    if driver.server.is_none() {
        return Ok(());
    }
    match driver.verify() {
        Ok(()) => Ok(()),
        Err(Halt::Violation(what)) => Err(format!("reading after an I/O error: {what}")),
        Err(Halt::Fault(error)) => Err(format!("reading after an I/O error: {}", error.message())),
    }
}
