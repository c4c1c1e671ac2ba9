//! What must hold when a ledger is opened after a fault, and that it goes on working.
//!
//! V1: every acknowledged commit is there with its rows; what was in flight is there whole or not at all, in log order.
//! V2: leaves and roots up to the fault are those of the fault-free run.
//! V3: an open after a fault succeeds; so do writes after it, and the next open, and fsck.

use std::sync::Arc;

use base::Io;
use engine::FIRST_DATABASE;

use super::driver::{AckedRow, Driver, Halt};
use super::evidence::{Pinned, check_roots, is_engines_own, leaves, valid};
use super::world::World;
use crate::dice::Dice;
use crate::model::{Delta, Model};
use crate::tables::difference;

/// What was known when the fault struck.
#[derive(Clone, Debug)]
pub struct Before {
    /// The seed.
    pub seed: u64,
    /// All acknowledged commits applied.
    pub model: Model,
    /// Commits answered by an I/O error, in order.
    pub uncertain: Vec<Delta>,
    /// Keys and newest checkpoint seen; `None` if the server was never open.
    pub pinned: Option<Pinned>,
    /// Acknowledged rows.
    pub acked_rows: Vec<AckedRow>,
}

impl Before {
    /// From a run that has stopped.
    pub fn of(seed: u64, driver: &Driver) -> Self {
        Self {
            seed,
            model: driver.model.clone(),
            uncertain: driver.uncertain.clone(),
            pinned: driver.pinned.clone(),
            acked_rows: driver.acked_rows.clone(),
        }
    }

    /// The states that may be found (V1): acknowledged commits, and any number of uncertain ones in order.
    fn possible(&self) -> Vec<Model> {
        let mut possible = vec![self.model.clone()];
        let mut model = self.model.clone();
        for delta in &self.uncertain {
            if model.conflict(delta).is_none() {
                model.apply(delta);
                possible.push(model.clone());
            }
        }
        possible
    }
}

/// The fault-free run of a seed.
#[derive(Debug)]
pub struct Straight {
    /// I/O steps it took.
    pub steps: u64,
    /// Its leaves.
    pub leaves: Vec<Vec<u8>>,
    /// The model after each commit.
    pub history: Vec<(u64, Model)>,
}

impl Straight {
    /// The model after the first `size` leaves.
    fn model_at(&self, size: u64) -> Model {
        self.history.iter().rev().find(|(seq, _)| *seq < size).map(|(_, model)| model.clone()).unwrap_or_default()
    }
}

/// Opens after a fault, checks everything, writes on, loses power once more and checks again. Errors: the promise broken.
pub fn check(world: World, before: &Before, straight: Option<&Straight>, loud: bool) -> Result<(), String> {
    let mut dice = Dice::new(before.seed, 77);
    let server = world.open().map_err(|error| format!("open after the fault: {:?} {}", error.state(), error.message()))?;
    let ledger = server.ledger(FIRST_DATABASE).ok_or("the database is gone")?;
    let found = found_model(&ledger, before)?;
    // One state for both: files left by a failed seal are sealed anew in the background, which adds leaves.
    let state = ledger.checkpoint().state;
    let all = leaves(&ledger, state.size).map_err(|error| format!("leaves: {}", error.message()))?;
    check_roots((state.sha_root, state.b3_root), &all)?;
    if let Some(straight) = straight {
        check_leaves(&all, before, straight, &found)?;
    }
    if let Some(pinned) = &before.pinned {
        pinned.check_extended_by(&ledger)?;
        for _ in 0..before.acked_rows.len().min(3) {
            let acked = dice.pick(&before.acked_rows);
            pinned.check_row(&ledger, acked)?;
        }
    }
    drop(ledger);
    let mut driver = Driver::new(world, before.seed, 2 + dice.below(1 << 20), found, loud);
    driver.server = Some(server);
    driver.bulk_left = 1;
    driver.pinned.clone_from(&before.pinned);
    let outcome = go_on(&mut driver, &mut dice, &before.acked_rows);
    driver.abandon();
    outcome
}

/// Which of the possible states is there. Errors: how it differs from the acknowledged one, if it is none of them.
fn found_model(ledger: &Arc<engine::Ledger>, before: &Before) -> Result<Model, String> {
    let reader = ledger.begin("reader");
    let mut first = None;
    for model in before.possible() {
        match difference(&reader, &model).map_err(|error| format!("reading after the fault: {}", error.message()))? {
            None => return Ok(model),
            Some(difference) => first = first.or(Some(difference)),
        }
    }
    Err(format!("after the fault, with {} uncertain: {}", before.uncertain.len(), first.unwrap_or_default()))
}

/// V2.
fn check_leaves(all: &[Vec<u8>], before: &Before, straight: &Straight, found: &Model) -> Result<(), String> {
    let common = all.iter().zip(&straight.leaves).take_while(|(here, there)| here == there).count();
    let acked = before.pinned.as_ref().map_or(0, |pinned| pinned.size as usize);
    if common == 0 && before.pinned.is_none() {
        // Nobody ever saw the ledger: another one was made in its place.
        return Ok(());
    }
    if common < acked {
        return Err(format!("leaf {common} is not the fault-free run's, {acked} were acknowledged"));
    }
    if let Some(at) = all[common..].iter().position(|leaf| !is_engines_own(leaf)) {
        return Err(format!("leaf {} is of a commit that the fault-free run does not have", common + at));
    }
    if *found != straight.model_at(common as u64) {
        return Err(format!("the rows are not those of the fault-free run after {common} leaves"));
    }
    Ok(())
}

/// V3: more work, a power loss or a close while nothing is in flight, another open, fsck.
fn go_on(driver: &mut Driver, dice: &mut Dice, acked_rows: &[AckedRow]) -> Result<(), String> {
    let text = |doing: &str, halt: Halt| match halt {
        Halt::Violation(what) => format!("{doing}: {what}"),
        Halt::Fault(error) => format!("{doing}: {:?} {}", error.state(), error.message()),
    };
    driver.pin().map_err(|halt| text("after recovery", halt))?;
    driver.run(8).map_err(|halt| text("going on after recovery", halt))?;
    if dice.percent(30) {
        driver.seal().map_err(|halt| text("sealing after recovery", halt))?;
    }
    if dice.percent(60) {
        driver.world.io.crash();
        driver.abandon();
        driver.world = driver.world.restarted(dice.seed());
    } else {
        driver.close(dice.percent(50)).map_err(|halt| text("closing after recovery", halt))?;
    }
    driver.open().map_err(|halt| text("the open after that", halt))?;
    let pinned = driver.pinned.clone().ok_or("nothing was pinned")?;
    let ledger = driver.ledger().map_err(|halt| text("the open after that", halt))?;
    for acked in acked_rows.iter().rev().take(1).chain(driver.acked_rows.iter().rev().take(1)) {
        pinned.check_row(&ledger, acked)?;
    }
    drop(ledger);
    driver.close(dice.percent(50)).map_err(|halt| text("the last close", halt))?;
    let io: Arc<dyn Io> = Arc::new(driver.world.io.clone());
    valid("fsck", &pinned.fsck(&io, &World::ledger_folder())?)
}
