//! What proofs cost: their share of a COPY, beside a build of the same server without them; and how long each verifier takes for an export of everything.
//!
//! Q1: both builds get the same file, one after the other, and the order alternates; medians are shown.
//! Q2: a verifier counts only if it ends with the verdict valid; it is a process that knows the key and the export's folder.
//! Never: takes a figure from the build without proofs but the time of its COPY.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::args::Plan;
use crate::client;
use crate::figures::{self, thousands};
use crate::machine;
use crate::process;
use crate::rows;
use crate::scratch::Scratch;
use crate::shockwave::Shockwave;
use crate::storage::{disk, load};
use crate::system::System;

/// An export is written, and verified by the slowest, within this.
const LONG: Duration = Duration::from_secs(1800);

/// How long the export took to write, and its size.
struct Export {
    time: Duration,
    bytes: u64,
}

/// How one verifier fared with the export.
struct Checked {
    name: String,
    time: Duration,
    memory_peak: u64,
}

/// Measures and prints the page.
///
/// # Errors
/// The first step that failed, or a verifier that does not say valid.
pub fn run(plan: &Plan) -> Outcome<()> {
    let bin = client::find_bin(plan.pg_bin.as_deref())?;
    let scratch = Scratch::create(&plan.dir, plan.keep)?;
    let data = scratch.path().join("people.tsv");
    rows::write(&data, plan.rows)?;
    let unproven = plan.unproven.as_deref().ok_or("`proofs` needs --unproven, a server built with --features unproven")?;
    let copies = copies(plan, (&bin, unproven), scratch.path(), &data)?;

    let mut ours = Shockwave::create(&plan.server, &bin, scratch.path())?;
    ours.fresh()?;
    load(&ours, plan.rows, &data)?;
    let folder = scratch.path().join("export");
    let began = Instant::now();
    ours.client().psql(&[&format!("SELECT ledger_export('{}')", folder.display())], LONG)?;
    let export = Export { time: began.elapsed(), bytes: disk::size(&folder)? };
    let keys = ours.verifier_keys()?;
    ours.stop()?;
    let mut checked = vec![check("Rust", ours.command(&["verify"]), &folder, &keys, scratch.path())?];
    for (name, words) in &plan.verifiers {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        checked.push(check(name, command, &folder, &keys, scratch.path())?);
    }
    let text = page(plan, copies, &export, &checked, &ours.version());
    println!("{text}");
    if plan.write {
        std::fs::write("bench/proofs.md", text).map_err(|e| format!("bench/proofs.md: {e}"))?;
    }
    Ok(())
}

/// Median seconds of the COPY with proofs and without (Q1).
fn copies(plan: &Plan, (bin, unproven): (&Path, &Path), scratch: &Path, data: &Path) -> Outcome<[f64; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..plan.rounds {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let program = if which == 0 { plan.server.as_path() } else { unproven };
            let mut server = Shockwave::create(program, bin, scratch)?;
            server.fresh()?;
            let time = load(&server, plan.rows, data)?.as_secs_f64();
            server.stop()?;
            eprintln!("  COPY {} proofs: {time:.2} s", ["with", "without"][which]);
            times[which].push(time);
        }
    }
    Ok(times.map(|times| figures::median(&times).unwrap_or_default()))
}

/// Q2.
fn check(name: &str, mut command: Command, export: &Path, keys: &[String], scratch: &Path) -> Outcome<Checked> {
    command.arg("fsck").arg(export);
    for key in keys {
        command.args(["--key", key]);
    }
    let finished = process::run(&mut command, scratch, LONG).map_err(|why| format!("the verifier in {name}: {why}"))?;
    if !finished.stdout.starts_with("VALID: ") {
        return Err(format!("the verifier in {name} says {}", finished.stdout));
    }
    eprintln!("  {name}: {:.1} s", finished.time.as_secs_f64());
    Ok(Checked { name: name.to_owned(), time: finished.time, memory_peak: finished.memory_peak })
}

fn page(plan: &Plan, [with, without]: [f64; 2], export: &Export, checked: &[Checked], version: &str) -> String {
    let rows = thousands(plan.rows as f64);
    let per_s = |seconds: f64| thousands(plan.rows as f64 / seconds);
    let share = 1.0 - without / with;
    let met = if share < 0.3 { "met" } else { "missed" };
    let mut text = format!(
        "# What proofs cost\n\nWritten by `cargo xtask bench proofs --write`. The second server is the same but for the feature `unproven`: its rows have no random salts, are \
         not hashed and stand in no row tree; the 16 bytes of each salt are stored all the same.\n\n| COPY of {rows} rows, middle of {} | rows/s |\n|---|---:|\n\
         | with proofs | {} |\n| without | {} |\n| share of the time that proofs take | {:.0} % (target: < 30 %, {met}) |\n\n\
         An export of the whole ledger took {:.1} s to write and has {} MB.\n\n| verifier of it | time | rows/s | most memory |\n|---|---:|---:|---:|\n",
        plan.rounds,
        per_s(with),
        per_s(without),
        share * 100.0,
        export.time.as_secs_f64(),
        thousands(export.bytes as f64 / 1e6),
    );
    for Checked { name, time, memory_peak } in checked {
        let seconds = time.as_secs_f64();
        let _ = writeln!(text, "| {name} | {seconds:.1} s | {} | {} MiB |", per_s(seconds), memory_peak >> 20);
    }
    text.push('\n');
    for (name, value) in machine::facts(&plan.dir) {
        let _ = writeln!(text, "- {name}: {value}");
    }
    let _ = writeln!(text, "- Shockwave: {version}");
    text
}
