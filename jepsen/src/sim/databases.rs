//! Databases made, renamed and dropped, with power lost at any I/O step: what is there afterwards is the old state or the new one.
//!
//! D1: whatever was acknowledged is there after the restart; the step that power struck has happened as a whole or not at all.
//! D2: a dropped ledger's files stay, every one.
//! Never: looks into a folder while a server has it open.

use std::path::PathBuf;

use base::{Fault, SqlResult};
use engine::roles::FIRST_SUPERUSER;
use engine::{FIRST_DATABASE, Server};

use super::world::World;

type Names = Vec<String>;

/// One change and the databases there are after it.
struct Step {
    what: fn(&Server) -> SqlResult<()>,
    after: &'static [&'static str],
}

const STEPS: &[Step] = &[
    Step { what: |server| create(server, "tenant"), after: &[FIRST_DATABASE, "tenant"] },
    Step { what: |server| write(server, "tenant"), after: &[FIRST_DATABASE, "tenant"] },
    Step { what: |server| create(server, "Other One"), after: &["Other One", FIRST_DATABASE, "tenant"] },
    Step { what: |server| server.rename_database("tenant", "renamed").map(drop), after: &["Other One", "renamed", FIRST_DATABASE] },
    Step { what: |server| server.drop_database("renamed"), after: &["Other One", FIRST_DATABASE] },
    Step { what: |server| create(server, "tenant"), after: &["Other One", FIRST_DATABASE, "tenant"] },
    Step { what: |server| write(server, "Other One"), after: &["Other One", FIRST_DATABASE, "tenant"] },
    Step { what: |server| server.drop_database("Other One"), after: &[FIRST_DATABASE, "tenant"] },
];

fn create(server: &Server, name: &str) -> SqlResult<()> {
    let from = server.ledger(FIRST_DATABASE).ok_or_else(|| base::SqlError::internal("the first database is gone"))?;
    server.create_database(name, FIRST_SUPERUSER, &from).map(drop)
}

fn write(server: &Server, name: &str) -> SqlResult<()> {
    let ledger = server.ledger(name).ok_or_else(|| base::SqlError::internal("the database is gone"))?;
    let mut transaction = ledger.begin("tester");
    transaction.create_schema("written")?;
    transaction.commit_blocking().map(drop)
}

/// Runs the changes until one meets the fault. How many were acknowledged, and whether another was begun.
fn run(world: &World) -> (usize, bool) {
    let Ok(server) = world.open() else { return (0, false) };
    for (at, step) in STEPS.iter().enumerate() {
        if (step.what)(&server).is_err() {
            world.io.crash();
            // Its threads end; the disk takes nothing more.
            let _ = server.close_unsealed();
            return (at, true);
        }
    }
    world.io.crash();
    let _ = server.close_unsealed();
    (STEPS.len(), false)
}

/// I/O steps of the whole run without a fault.
pub fn steps(seed: u64) -> u64 {
    let world = World::new(seed);
    run(&world);
    world.io.steps()
}

/// Loses power at an I/O step, starts again and checks. Errors: the promise broken.
pub fn crash(seed: u64, step: u64) -> Result<(), String> {
    let world = World::new(seed);
    world.io.plan(step, Fault::Crash);
    let (done, is_begun) = run(&world);
    let world = world.restarted(seed ^ step);
    check(&world, done, is_begun).map_err(|what| format!("power lost at I/O step {step}, {done} changes acknowledged: {what}"))
}

fn after(done: usize) -> Names {
    let names: &[&str] = done.checked_sub(1).map_or(&[FIRST_DATABASE], |last| STEPS[last].after);
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn check(world: &World, done: usize, is_begun: bool) -> Result<(), String> {
    let server = world.open().map_err(|error| format!("the server does not start: {error}"))?;
    let names = server.databases();
    let is_new = is_begun && names == after(done + 1);
    if names != after(done) && !is_new {
        return Err(format!("there are {names:?}, neither {:?} nor the next", after(done)));
    }
    for name in &names {
        let ledger = server.ledger(name).ok_or_else(|| format!("{name} is not open"))?;
        let catalog = ledger.snapshot().catalog;
        let has_written = catalog.schema("written").is_some();
        let must_have = matches!((name.as_str(), done), ("tenant", 2..=3) | ("renamed", 4) | ("Other One", 7..));
        if catalog.schema("public").is_none() || (must_have && !has_written) {
            return Err(format!("{name} has lost what it was given"));
        }
        // It goes on.
        let mut transaction = ledger.begin("tester");
        let more = transaction.create_schema("more").and_then(|()| transaction.commit_blocking().map(drop));
        more.map_err(|error| format!("{name} takes no writes: {error}"))?;
    }
    server.close_unsealed().map_err(|error| error.to_string())?;
    let dropped = ["renamed", "Other One"].into_iter().zip([5, 8]).filter(|(_, at)| done >= *at).count();
    let kept = dropped_folders(world);
    if kept.len() < dropped {
        return Err(format!("{dropped} databases were dropped, and the folders of {} are there", kept.len()));
    }
    let whole =
        |folder: &PathBuf| ["ledger.id", "keys/signing.key", "checkpoint"].iter().all(|file| world.options.io.exists(&folder.join(file)));
    match kept.iter().find(|folder| !whole(folder)) {
        Some(folder) => Err(format!("of a dropped ledger not all is kept in {}", folder.display())),
        None => Ok(()),
    }
}

fn dropped_folders(world: &World) -> Vec<PathBuf> {
    let ledgers = World::folder().join("ledgers");
    let names = world.options.io.list(&ledgers).unwrap_or_default();
    let folders = names.iter().map(|name| ledgers.join(name));
    folders.filter(|folder| engine::identity::is_dropped(&*world.options.io, folder)).collect()
}
