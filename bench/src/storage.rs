//! Many rows under a bound of memory, beside a PostgreSQL with buffers of the same size: how fast they come in and are found, what that costs on the
//! disk, how soon a start answers, and whether a long mixed load keeps its pace.
//!
//! S1: both get the same file, the same statements and the same clients; answers over the loaded rows must be equal.
//! S2: bytes written are those that the system counts for the server's processes, once nothing is written any more.
//! S3: the load under the small bound is ours alone: what is shown is the most memory that the process ever had.
//! Never: times a start without an answer from the table.

pub mod disk;
mod latencies;
mod pace;
mod page;
mod proofs;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::args::Plan;
use crate::client;
use crate::machine;
use crate::postgres::Postgres;
use crate::rows;
use crate::scratch::Scratch;
use crate::shockwave::Shockwave;
use crate::system::{self, LIMIT, System};

use latencies::Latencies;
use pace::Pace;
use page::Page;
use proofs::Proofs;

/// The budget of memory for everything but the small load.
const MEMORY_MIB: u64 = 1024;
/// The budget of the small load.
const SMALL_MIB: u64 = 512;
/// How long rows are read by key.
const READS: Duration = Duration::from_secs(30);
/// A load or a query over everything takes no longer.
const LONG: Duration = Duration::from_secs(1800);
/// Clients of the mixed load.
const CLIENTS: u32 = 16;

/// What is asked of all rows; both must answer the same.
const QUERIES: [&str; 4] = [
    "SELECT count(*), sum(id), sum(age) FROM people",
    "SELECT city, count(*), sum(age) FROM people GROUP BY city ORDER BY city",
    "SELECT name, id FROM people ORDER BY age, name, id LIMIT 5 OFFSET 100000",
    "SELECT count(*) FROM people a JOIN people b ON a.id = b.id + 1 WHERE a.age = b.age",
];

/// What was measured of one system.
#[derive(Debug, Clone)]
struct Found {
    load: Duration,
    /// Bytes written for the load, and the size of the folder then.
    written: u64,
    folder: u64,
    reads: Latencies,
    mixed: Pace,
    after_stop: Duration,
    after_kill: Duration,
    answers: Vec<String>,
}

/// What was measured of the small load.
#[derive(Debug, Clone)]
struct Small {
    load: Duration,
    loaded_peak: u64,
    queried_peak: u64,
}

/// Measures and prints the page.
///
/// # Errors
/// The first step that failed, or answers that differ.
pub fn run(plan: &Plan) -> Outcome<()> {
    let bin = client::find_bin(plan.pg_bin.as_deref())?;
    let scratch = Scratch::create(&plan.dir, plan.keep)?;
    let data = scratch.path().join("people.tsv");
    rows::write(&data, plan.rows)?;
    let raw = std::fs::metadata(&data).map_err(|e| format!("{}: {e}", data.display()))?.len();

    let mut peer = None;
    let mut facts = machine::facts(scratch.path());
    if !plan.only_ours {
        let mut postgres = Postgres::create(&bin, scratch.path())?;
        postgres.stop()?;
        postgres.configure(&[&format!("shared_buffers={MEMORY_MIB}MB")]);
        peer = Some(measure(&mut postgres, plan, &data)?);
        postgres.stop()?;
        facts.push(("PostgreSQL".to_owned(), Postgres::version(&bin, scratch.path())?));
    }
    let mut ours = Shockwave::create(&plan.server, &bin, scratch.path())?;
    ours.configure(&["--memory", &format!("{MEMORY_MIB}MiB")]);
    let found = measure(&mut ours, plan, &data)?;
    let proofs = proofs::measure(&mut ours, plan.rows, READS.min(plan.time))?;
    if let Some(peer) = &peer
        && let Some(at) = (0..QUERIES.len()).find(|at| peer.answers[*at] != found.answers[*at])
    {
        let (ours, theirs) = (&found.answers[at], &peer.answers[at]);
        return Err(format!("`{}` is answered differently:\n{ours}\nPostgreSQL:\n{theirs}", QUERIES[at]));
    }
    ours.configure(&["--memory", &format!("{SMALL_MIB}MiB")]);
    let small = load_small(&mut ours, plan, &data, &found.answers)?;
    ours.stop()?;
    facts.push(("Shockwave".to_owned(), ours.version()));

    let page = Page { ours: found, peer, proofs, small, rows: plan.rows, raw, time: plan.time, facts };
    println!("{}", page.markdown());
    if plan.write {
        std::fs::write("bench/storage.md", page.markdown()).map_err(|e| format!("bench/storage.md: {e}"))?;
    }
    match &plan.python {
        Some(python) if plan.write => page.draw(python, Path::new("bench/plot_pace.py"), Path::new("bench/storage.png"), scratch.path()),
        _ => Ok(()),
    }
}

fn measure(system: &mut dyn System, plan: &Plan, data: &Path) -> Outcome<Found> {
    let say = |what: &str, figure: String| eprintln!("  {:<40} {figure}", what);
    eprintln!("{}", system.name());
    system.fresh()?;
    let before = system.written()?;
    let load = load(system, plan.rows, data)?;
    say("loaded", format!("{:.1} s", load.as_secs_f64()));
    let written = disk::settled(system)? - before;
    let folder = disk::size(system.data())?;
    let answers = QUERIES.iter().map(|query| system.client().psql(&[query], LONG)).collect::<Outcome<Vec<_>>>()?;
    let key = format!("\\set id random(0, {})\n", plan.rows - 1);
    let read = format!("{key}SELECT name, age, city FROM people WHERE id = :id;\n");
    let reads = latencies::measure(system.client(), &read, READS.min(plan.time))?;
    say("read by key, p50 and p99", format!("{:.3} and {:.3} ms", reads.p50_ms, reads.p99_ms));
    let write = format!("{key}\\set age random(18, 97)\nUPDATE people SET age = :age WHERE id = :id;\n");
    let mixed = pace::measure(system.client(), &[(&read, 80), (&write, 20)], CLIENTS, plan.time)?;
    say("mixed load", format!("{:.0} per s, slowest second {:.0}", mixed.median(), mixed.slowest()));
    system.stop()?;
    let after_stop = start(system, plan.rows)?;
    system.crash()?;
    let after_kill = start(system, plan.rows)?;
    say("start after a stop, after a kill", format!("{:.3} and {:.3} s", after_stop.as_secs_f64(), after_kill.as_secs_f64()));
    Ok(Found { load, written, folder, reads, mixed, after_stop, after_kill, answers })
}

/// Copies the rows of a file into a new table, and says how long that took.
///
/// # Errors
/// It failed, or another number of rows is there.
pub fn load(system: &dyn System, rows: u64, data: &Path) -> Outcome<Duration> {
    let client = system.client();
    client.psql(&[rows::TABLE], LIMIT)?;
    let time = client.timed(&format!("\\copy people from '{}'", data.display()), LONG)?;
    let count = client.psql(&["SELECT count(*) FROM people"], LONG)?;
    if count.trim() == rows.to_string() { Ok(time) } else { Err(format!("{} of {rows} rows are there", count.trim())) }
}

/// From the start of the program to the first row found by its key.
fn start(system: &mut dyn System, rows: u64) -> Outcome<Duration> {
    let began = Instant::now();
    system.start()?;
    let found = system::wait_for(system, &format!("SELECT id FROM people WHERE id = {}", rows / 2))?;
    let time = began.elapsed();
    if found == (rows / 2).to_string() { Ok(time) } else { Err(format!("after the start the row is {found}")) }
}

/// S3.
fn load_small(ours: &mut Shockwave, plan: &Plan, data: &Path, answers: &[String]) -> Outcome<Small> {
    ours.fresh()?;
    let load = load(ours, plan.rows, data)?;
    let loaded_peak = ours.memory_peak()?;
    for (query, wanted) in QUERIES.iter().zip(answers) {
        let answer = ours.client().psql(&[query], LONG)?;
        if answer != *wanted {
            return Err(format!("under {SMALL_MIB} MiB `{query}` is answered\n{answer}\ninstead of\n{wanted}"));
        }
    }
    Ok(Small { load, loaded_peak, queried_peak: ours.memory_peak()? })
}
