//! Times the graph crate beside DuckDB, and our SQL beside DuckDB, Ladybug and PostgreSQL: the nine shapes of LSQB, two hops by key, shortest paths, fresh
//! edges and older commits.
//!
//! `cargo run --release -- [--scale S] [--rounds N] [--server PROGRAM] [FOLDER…]`, in this folder. With our server's program they are asked through SQL, too. Without folders a network of the scale is generated (0.1 by default).
//! Prints tables in Markdown. A figure counts only if both give the same count, else the run fails. Milliseconds are of CPU time, since other
//! work on the machine says nothing of either; EXPLAIN=1 shows each plan with what happened.
#![allow(clippy::disallowed_methods, reason = "a bench writes the files it compares over; nothing here is simulated")]

#[path = "../../../graph/tests/it/data.rs"]
mod data;
mod functions;
mod generator;
mod latency;
mod peer;
mod queries;
mod server;
#[path = "../../../graph/tests/it/shapes.rs"]
mod shapes;
mod through_sql;

use std::error::Error;
use std::path::{Path, PathBuf};

use base::CommitSeq;
use graph::{
    Answer, Budget, Direction, EdgePattern, Element, FromStatistics, Mode, Output, PathPattern, Pattern, Query, Run, Selector, Snapshot,
    Statistics, Strategy, Topology, Var, VertexPattern, plan, run,
};

use peer::{Kind, Peer};

/// Commits that a folder's edges come in.
const COMMITS: usize = 50;

struct Settings {
    scale: f64,
    rounds: usize,
    folders: Vec<PathBuf>,
    /// Our server's program, where the shapes are to be asked through SQL as well.
    server: Option<PathBuf>,
}

fn settings() -> Result<Settings, Box<dyn Error>> {
    let mut settings = Settings { scale: 0.1, rounds: 5, folders: Vec::new(), server: None };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--scale" => settings.scale = args.next().ok_or("--scale wants a number")?.parse()?,
            "--rounds" => settings.rounds = args.next().ok_or("--rounds wants a number")?.parse()?,
            "--server" => settings.server = Some(args.next().ok_or("--server wants a program")?.into()),
            folder => settings.folders.push(folder.into()),
        }
    }
    Ok(settings)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = settings()?;
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let python = peer::python(&target)?;
    if settings.folders.is_empty() {
        let folder = target.join(format!("network-{}", settings.scale));
        if !folder.join("Person_likes_Comment.csv").exists() {
            generator::write(&folder, settings.scale)?;
        }
        settings.folders.push(folder);
    }
    for folder in &settings.folders {
        compare(folder, &python, &settings)?;
    }
    Ok(())
}

/// CPU time of this thread.
fn cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// A count and milliseconds of CPU time, planning and snapshot included.
fn count(topology: &Topology, at: u64, statistics: &Statistics, query: &Query) -> Result<(u64, f64), Box<dyn Error>> {
    let start = cpu_ms();
    let snapshot = topology.snapshot(CommitSeq(at));
    let answer = answer(&snapshot, statistics, query)?;
    let ms = cpu_ms() - start;
    match answer {
        Answer::Count(count) => Ok((count, ms)),
        Answer::Groups(groups) => Ok((groups.len() as u64, ms)),
        Answer::Rows(rows) => Ok((rows.len() as u64, ms)),
    }
}

fn answer(snapshot: &Snapshot, statistics: &Statistics, query: &Query) -> Result<Answer, base::SqlError> {
    let cardinality = FromStatistics { schema: snapshot.schema(), statistics };
    let plan = plan(query, snapshot.schema(), &cardinality, Strategy::Cheapest)?;
    let clock = base::RealClock;
    let is_explained = std::env::var_os("EXPLAIN").is_some();
    let how = Run { budget: Budget::new(4 << 30), limit: None, clock: is_explained.then_some(&clock as &dyn base::Clock), threads: 1 };
    let (answer, actual) = run(&plan, snapshot, &how)?;
    if is_explained {
        eprintln!("{}", plan.explain(snapshot.schema(), &|var| char::from(b'a' + var.0 as u8).to_string(), Some(&actual)));
    }
    Ok(answer)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn at(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[((figures.len() - 1) as f64 * share) as usize]
}

fn compare(folder: &Path, python: &Path, settings: &Settings) -> Result<(), Box<dyn Error>> {
    let rounds = settings.rounds;
    let is_whole = folder.join("Person_likes_Comment.csv").exists();
    let (tables, numbers): (&data::Folder<'_>, Vec<usize>) =
        if is_whole { (&shapes::ALL, (1..=9).collect()) } else { (&shapes::PART, vec![3, 6, 9]) };
    let mut duckdb = Peer::start(Kind::DuckDb, python, folder)?;
    let topology = tables.load(folder, COMMITS);
    let last = COMMITS as u64 - 1;
    let statistics = Statistics::of(&topology.snapshot(CommitSeq(last)));
    // The newest fifth lies in runs of its own first.
    let fresh = shapes_of(&topology, last, &statistics, &numbers, rounds)?;
    topology.compact();
    let memory = topology.memory();
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "\n### {name}: {} persons, {} edges, {:.1} bytes an edge, both directions; DuckDB {}\n",
        topology.snapshot(CommitSeq(last)).existing(shapes::place(tables, "Person")).count(),
        memory.edges,
        memory.bytes_per_edge(),
        duckdb.version
    );
    println!(
        "| | count | planning, ms | ours, first, ms | ours, ms | DuckDB, ms | ratio | not compacted, ms |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    );
    let (mut of_ours, mut of_duckdb, mut of_fresh) = (0.0, 0.0, 0.0);
    for (at, number) in numbers.iter().enumerate() {
        let query = shapes::shape(*number, topology.schema());
        let start = cpu_ms();
        let cardinality = FromStatistics { schema: topology.schema(), statistics: &statistics };
        plan(&query, topology.schema(), &cardinality, Strategy::Cheapest)?;
        let planning_ms = cpu_ms() - start;
        let (first_count, first_ms) = count(&topology, last, &statistics, &query)?;
        duckdb.ask(&format!("q{number}"))?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (found, ms) = count(&topology, last, &statistics, &query)?;
            let expected = duckdb.ask(&format!("q{number}"))?;
            if found != expected.count || found != first_count {
                return Err(format!("q{number}: {found} here, {} by DuckDB", expected.count).into());
            }
            ours.push(ms);
            theirs.push(expected.cpu_ms);
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "| q{number} | {first_count} | {planning_ms:.2} | {first_ms:.2} | {ours:.2} | {theirs:.2} | {:.2} | {:.2} |",
            ours / theirs,
            fresh[at]
        );
        (of_ours, of_duckdb, of_fresh) = (of_ours + ours, of_duckdb + theirs, of_fresh + fresh[at]);
    }
    println!("| sum | | | | {of_ours:.2} | {of_duckdb:.2} | {:.2} | {of_fresh:.2} |", of_ours / of_duckdb);
    older(&topology, &statistics, &numbers, rounds)?;
    by_key(&topology, last, &statistics, tables, &mut duckdb)?;
    match &settings.server {
        Some(program) => through_sql::compare(folder, tables, &numbers, program, python, duckdb, rounds),
        None => Ok(()),
    }
}

fn shapes_of(topology: &Topology, at: u64, statistics: &Statistics, numbers: &[usize], rounds: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let shape = |number: &usize| {
        let query = shapes::shape(*number, topology.schema());
        let figures = (0..=rounds).map(|_| Ok(count(topology, at, statistics, &query)?.1)).collect::<Result<Vec<f64>, Box<dyn Error>>>()?;
        Ok(median(figures[1..].to_vec()))
    };
    numbers.iter().map(shape).collect()
}

/// The graph as it was before the newest fiftieth of its edges.
fn older(topology: &Topology, statistics: &Statistics, numbers: &[usize], rounds: usize) -> Result<(), Box<dyn Error>> {
    let now: f64 = shapes_of(topology, COMMITS as u64 - 1, statistics, numbers, rounds)?.iter().sum();
    let before: f64 = shapes_of(topology, COMMITS as u64 - 2, statistics, numbers, rounds)?.iter().sum();
    println!("\nThe sum as of the commit before the last, which brought a fiftieth of the edges: {before:.2} ms, against {now:.2} ms now.");
    Ok(())
}

/// Two hops by key beside DuckDB, and shortest paths between two persons.
fn by_key(
    topology: &Topology,
    last: u64,
    statistics: &Statistics,
    tables: &data::Folder<'_>,
    duckdb: &mut Peer,
) -> Result<(), Box<dyn Error>> {
    let schema = topology.schema();
    let person = shapes::place(tables, "Person");
    let persons = topology.snapshot(CommitSeq(last)).existing(person).count() as usize;
    let vertex = |var, only: Option<usize>| VertexPattern {
        var: Var(var),
        tables: schema.vertex_tables(&["Person"]),
        only: only.map(|person_| [Element::new(person, person_ as u64)].into()),
    };
    let edge = |var, from, to, path| EdgePattern {
        var: Var(var),
        from: Var(from),
        to: Var(to),
        tables: schema.edge_tables(&["knows"]),
        direction: Direction::Forward,
        path,
    };
    let keys: Vec<usize> = (0..500).map(|at| at * 7_919 % persons).collect();
    let (mut ours, mut theirs, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    let is_numbered = !folder_has_ids(tables);
    for (at, key) in keys.iter().enumerate() {
        let pattern = Pattern {
            vertices: vec![vertex(0, Some(*key)), vertex(1, None), vertex(2, None)],
            edges: vec![edge(3, 0, 1, None), edge(4, 1, 2, None)],
            ..Pattern::default()
        };
        let (found, ms) = count(topology, last, statistics, &Query { pattern, output: Output::Distinct(vec![Var(2)]) })?;
        ours.push(ms);
        if is_numbered {
            let expected = duckdb.ask(&format!("two_hops {key}"))?;
            theirs.push(expected.cpu_ms);
            if found != expected.count {
                return Err(format!("two hops from {key}: {found} here, {} by DuckDB", expected.count).into());
            }
        }
        let path = PathPattern { min: 0, max: None, mode: Mode::Walk, selector: Selector::AnyShortest, step: None, weight: None };
        let pattern = Pattern {
            vertices: vec![vertex(0, Some(*key)), vertex(1, Some(keys[(at + 1) % keys.len()]))],
            edges: vec![edge(2, 0, 1, Some(path))],
            ..Pattern::default()
        };
        paths.push(count(topology, last, statistics, &Query { pattern, output: Output::Rows(vec![Var(2)]) })?.1);
    }
    let line = |name: &str, figures: &mut Vec<f64>| {
        if !figures.is_empty() {
            println!("| {name} | {:.3} | {:.3} |", at(figures, 0.5), at(figures, 0.95));
        }
    };
    println!("\n| planned each time | p50, ms | p95, ms |\n|---|---:|---:|");
    line("two hops by key, distinct", &mut ours);
    line("the same, DuckDB, prepared", &mut theirs);
    line("shortest path between two, with its elements", &mut paths);
    Ok(())
}

/// Only the generated network's ids are the dense ones that keys are drawn from.
fn folder_has_ids(tables: &data::Folder<'_>) -> bool {
    std::env::args().any(|arg| arg.contains("lsqb")) || tables.vertices.is_empty()
}
