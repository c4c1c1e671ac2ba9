//! All faults of a seed, or one of them, and the counts that a run ends with.
//!
//! Never: stops a campaign at a first violation; each is printed with the command that replays it.

use std::fmt;

use super::faults::{crash, error, full_disk, straight};
use super::rot::{Outcome, flip};
use crate::dice::Dice;

/// How much of each fault a seed gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// Crash points; `None` is every step.
    pub crashes: Option<u64>,
    /// Calls that fail; `None` is every step.
    pub errors: Option<u64>,
    /// Sizes of full disks.
    pub full_disks: u64,
    /// Bits flipped.
    pub flips: u64,
}

impl Effort {
    /// Every step crashes and fails once.
    pub const ALL: Self = Self { crashes: None, errors: None, full_disks: 12, flips: 60 };
    /// A sample that takes about a second a seed.
    pub const SAMPLE: Self = Self { crashes: Some(12), errors: Some(8), full_disks: 2, flips: 10 };
}

/// One fault of a seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// Power lost at this step.
    Crash(u64),
    /// The call at this step fails.
    Error(u64),
    /// The disk holds this many bytes.
    Full(u64),
}

/// What was run and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Seeds.
    pub seeds: u64,
    /// I/O steps of the fault-free runs.
    pub steps: u64,
    /// Commits acknowledged in the fault-free runs.
    pub commits: u64,
    /// Crashes recovered from.
    pub crashes: u64,
    /// Single errors lived through.
    pub errors: u64,
    /// Full disks lived through.
    pub full_disks: u64,
    /// Bits flipped, and how many of them fsck named, only an open refused, or changed nothing.
    pub flips: [u64; 4],
    /// Promises broken, each with the command that replays it.
    pub violations: Vec<String>,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [flips, named, refused, harmless] = self.flips;
        write!(
            f,
            "{} seeds, {} steps, {} commits; {} crashes, {} errors, {} full disks, {flips} flips ({named} named, {refused} refused, {harmless} \
             harmless): {} violations",
            self.seeds,
            self.steps,
            self.commits,
            self.crashes,
            self.errors,
            self.full_disks,
            self.violations.len()
        )
    }
}

impl Count {
    fn violation(&mut self, seed: u64, option: &str, what: &str) {
        let line = format!("seed {seed}{option}: {what}\n    replay: cargo run -p jepsen -- sim --seed {seed}{option}");
        println!("VIOLATION {line}");
        self.violations.push(line);
    }
}

/// Steps to strike: all of them, or a sample.
fn points(dice: &mut Dice, steps: u64, count: Option<u64>) -> Vec<u64> {
    match count {
        None => (1..=steps).collect(),
        Some(count) => (0..count).map(|_| 1 + dice.below(steps)).collect(),
    }
}

/// All faults of one seed, as much as `effort` says.
pub fn seed(seed: u64, effort: Effort, count: &mut Count) {
    count.seeds += 1;
    let (straight, closed) = match straight(seed, false) {
        Ok(ran) => ran,
        Err(what) => return count.violation(seed, "", &what),
    };
    count.steps += straight.steps;
    count.commits += straight.history.len() as u64;
    let mut dice = Dice::new(seed, 3);
    for step in points(&mut dice, straight.steps, effort.crashes) {
        count.crashes += 1;
        if let Err(what) = crash(seed, step, &straight, step.is_multiple_of(4), false) {
            count.violation(seed, &format!(" --crash-at {step}"), &what);
        }
    }
    for step in points(&mut dice, straight.steps, effort.errors) {
        count.errors += 1;
        if let Err(what) = error(seed, step, false) {
            count.violation(seed, &format!(" --error-at {step}"), &what);
        }
    }
    for _ in 0..effort.full_disks {
        count.full_disks += 1;
        let bytes = (1 << 19) + dice.below(7 << 20);
        if let Err(what) = full_disk(seed, bytes, false) {
            count.violation(seed, &format!(" --disk-bytes {bytes}"), &what);
        }
    }
    let Some(pinned) = closed.pinned.clone() else { return count.violation(seed, "", "nothing was pinned") };
    for flip_at in 0..effort.flips {
        count.flips[0] += 1;
        match flip(&closed, &pinned, &mut Dice::new(seed, 1_000 + flip_at), false) {
            Ok(Outcome::Named) => count.flips[1] += 1,
            Ok(Outcome::Refused) => count.flips[2] += 1,
            Ok(Outcome::Harmless) => count.flips[3] += 1,
            Err(what) => count.violation(seed, &format!(" --flip {flip_at}"), &what),
        }
    }
}

/// Replays one seed, printing every operation with the I/O step it begins at; with `point`, up to that fault and what follows it.
pub fn replay(seed: u64, point: Option<Point>, flip_at: Option<u64>, count: &mut Count) {
    count.seeds += 1;
    let loud = point.is_none() && flip_at.is_none();
    let (straight, closed) = match straight(seed, loud) {
        Ok(ran) => ran,
        Err(what) => return count.violation(seed, "", &what),
    };
    count.steps += straight.steps;
    count.commits += straight.history.len() as u64;
    let outcome = match point {
        None => Ok(()),
        Some(Point::Crash(step)) => {
            count.crashes += 1;
            crash(seed, step, &straight, step.is_multiple_of(4), true).map_err(|what| (format!(" --crash-at {step}"), what))
        }
        Some(Point::Error(step)) => {
            count.errors += 1;
            error(seed, step, true).map_err(|what| (format!(" --error-at {step}"), what))
        }
        Some(Point::Full(bytes)) => {
            count.full_disks += 1;
            full_disk(seed, bytes, true).map_err(|what| (format!(" --disk-bytes {bytes}"), what))
        }
    };
    if let Err((option, what)) = outcome {
        count.violation(seed, &option, &what);
    }
    let (Some(flip_at), Some(pinned)) = (flip_at, closed.pinned.clone()) else { return };
    count.flips[0] += 1;
    if let Err(what) = flip(&closed, &pinned, &mut Dice::new(seed, 1_000 + flip_at), true) {
        count.violation(seed, &format!(" --flip {flip_at}"), &what);
    }
}
