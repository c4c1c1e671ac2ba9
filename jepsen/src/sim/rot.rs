//! Bits that rot on a disk at rest.
//!
//! B1: after any bit of any file has flipped, fsck under a pinned key and checkpoint names what is damaged, or the rows and roots are the same.
//! B2: neither fsck nor an open panics, whatever bit it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Io;
use engine::FIRST_DATABASE;
use receipts::Verdict;

use super::driver::Driver;
use super::evidence::Pinned;
use super::world::World;
use crate::dice::Dice;
use crate::tables::difference;

/// What became of one flipped bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Fsck named it.
    Named,
    /// Fsck did not, and opening was refused.
    Refused,
    /// Neither, and every answer is the same.
    Harmless,
}

/// Flips one bit of a closed ledger on a copy of its disk. Errors: the promise broken.
pub fn flip(closed: &Driver, pinned: &Pinned, dice: &mut Dice, loud: bool) -> Result<Outcome, String> {
    let world = closed.world.copy(dice.seed());
    let files = files(&world, World::folder());
    let file = dice.pick(&files).clone();
    let bytes = world.io.peek(&file).map_err(|error| error.to_string())?;
    let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    if used == 0 {
        return Ok(Outcome::Harmless);
    }
    // Sometimes a little into the zeros after what was written.
    let offset = dice.below((used as u64 + 64).min(bytes.len() as u64));
    let bit = dice.below(8) as u8;
    world.io.flip(&file, offset, bit).map_err(|error| error.to_string())?;
    let place = format!("bit {bit} of byte {offset} of {}", file.display());
    let outcome = judge(&world, closed, pinned, &file).map_err(|what| format!("{place}: {what}"))?;
    if loud {
        println!("        {place}: {outcome:?}");
    }
    Ok(outcome)
}

fn judge(world: &World, closed: &Driver, pinned: &Pinned, file: &Path) -> Result<Outcome, String> {
    let io: Arc<dyn Io> = Arc::new(world.io.clone());
    let verdict = catch_unwind(AssertUnwindSafe(|| pinned.fsck(&io, &World::ledger_folder()))).map_err(|_| "fsck panicked")??;
    let answers = catch_unwind(AssertUnwindSafe(|| answers(world, closed, pinned))).map_err(|_| "an open panicked")?;
    if let Some(finding) = verdict.finding() {
        // Another name in `ledger.id` makes it a ledger that no pinned key is for; then opening must refuse it.
        if matches!(verdict, Verdict::Inconclusive(_)) {
            return match answers {
                Err(_) if file.ends_with("ledger.id") => Ok(Outcome::Refused),
                _ => Err(format!("fsck is inconclusive: {}: {}", finding.what, finding.why)),
            };
        }
        return named(file, &format!("{}: {}", finding.what, finding.why)).map(|()| Outcome::Named);
    }
    match answers {
        Ok(None) => Ok(Outcome::Harmless),
        Ok(Some(difference)) => Err(format!("fsck finds nothing, and {difference}")),
        Err(_) => Ok(Outcome::Refused),
    }
}

/// A sealed file that is damaged must be named by its path below the ledger's folder.
fn named(file: &Path, finding: &str) -> Result<(), String> {
    let path = file.strip_prefix(World::ledger_folder()).unwrap_or(file).to_string_lossy().into_owned();
    let sealed = ["segments/", "tile/", "b3/", "checkpoint"].iter().any(|start| path.starts_with(start));
    if !sealed || finding.contains(&path) {
        return Ok(());
    }
    Err(format!("fsck does not name the file but says: {finding}"))
}

/// What differs from before the flip; an error where opening or reading is refused.
fn answers(world: &World, closed: &Driver, pinned: &Pinned) -> Result<Option<String>, String> {
    let server = world.open().map_err(|error| error.message().to_owned())?;
    let Some(ledger) = server.ledger(FIRST_DATABASE) else { return Ok(Some("the database is gone".into())) };
    let differs = match difference(&ledger.begin("reader"), &closed.model) {
        Ok(None) => pinned.check_extended_by(&ledger).err(),
        Ok(Some(difference)) => Some(difference),
        Err(error) => {
            drop(ledger);
            // Refused already; the close can only fail after that.
            let _ = server.close_unsealed();
            return Err(error.message().to_owned());
        }
    };
    drop(ledger);
    server.close_unsealed().map_err(|error| error.message().to_owned())?;
    Ok(differs)
}

/// All files below a folder.
fn files(world: &World, folder: &Path) -> Vec<PathBuf> {
    let Ok(names) = world.io.list(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for name in names {
        let path = folder.join(name);
        if world.io.peek(&path).is_ok() {
            found.push(path);
        } else {
            found.extend(files(world, &path));
        }
    }
    found
}
