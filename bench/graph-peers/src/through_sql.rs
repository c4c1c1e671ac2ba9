//! The shapes through SQL: our server over the wire beside DuckDB, Ladybug and PostgreSQL; as patterns by operators, as joins by operators, and as joins that
//! are joined; with a fifth of the edges fresh, and as of a commit that is not the newest.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::data::Folder;
use crate::functions;
use crate::latency;
use crate::peer::{Kind, Peer};
use crate::queries::{definitions, joins, pattern, table};
use crate::server::Server;
use crate::{at, median};

/// One shape's milliseconds of CPU time.
struct Figures {
    count: u64,
    planning: f64,
    first: f64,
    pattern: f64,
    joins: f64,
    fresh: f64,
    as_of: f64,
    peers: Vec<f64>,
}

/// Compares a folder's shapes; the counts are to be equal.
pub fn compare(
    folder: &Path,
    tables: &Folder<'_>,
    numbers: &[usize],
    program: &Path,
    python: &Path,
    duckdb: Peer,
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let data = folder.with_extension("server");
    let mut server = Server::start(program, &data, "8GiB")?;
    for sql in definitions(tables) {
        server.ask(&sql)?;
    }
    let parts = split(folder, tables)?;
    for (name, _) in tables.vertices {
        copy(&mut server, name, &folder.join(format!("{name}.csv")))?;
    }
    // The makers of the peers' figures have one thread.
    server.ask("SET max_parallel_workers_per_gather = 0")?;
    server.ask("SET shockwave.graph_operators = on")?;
    parts.iter().try_for_each(|part| copy(&mut server, part.name, &part.first))?;
    // So that what comes now is fresh.
    make_topology(&mut server, "lsqb")?;
    parts.iter().try_for_each(|part| copy(&mut server, part.name, &part.rest))?;
    let mut peers = vec![duckdb];
    for kind in [Kind::Ladybug, Kind::Postgres] {
        peers.push(Peer::start(kind, python, folder)?);
    }
    let fresh = numbers.iter().map(|number| warm(&mut server, &pattern(*number), rounds)).collect::<Result<Vec<_>, _>>()?;
    remake_topology(&mut server)?;
    let mut all = Vec::new();
    for (number, (count, fresh)) in numbers.iter().zip(fresh) {
        let mut figures = of_shape(&mut server, &mut peers, *number, rounds)?;
        check(*number, "with fresh edges", count, figures.count)?;
        figures.fresh = fresh;
        all.push(figures);
    }
    as_of(&mut server, &parts, numbers, rounds, &mut all)?;
    print(&peers, numbers, &all);
    joined(&mut server, numbers, &all)?;
    let ladybug = peers.iter_mut().find(|peer| peer.kind == Kind::Ladybug).ok_or("no Ladybug")?;
    latency::by_key(&mut server, folder, ladybug)?;
    functions::compare(&mut server, folder, python, rounds)
}

/// The edges of a table in two files: four fifths, and the rest.
struct Part<'f> {
    name: &'f str,
    first: PathBuf,
    rest: PathBuf,
}

/// Edges that stand in a file once and are meant both ways stand in its parts both ways.
fn split<'f>(folder: &Path, tables: &Folder<'f>) -> Result<Vec<Part<'f>>, Box<dyn Error>> {
    let of_table = |(name, ..): &(&'f str, &'f str, &'f str, &'f str)| -> Result<Part<'f>, Box<dyn Error>> {
        let text = std::fs::read_to_string(folder.join(format!("{name}.csv")))?;
        let mut parts = ["a|b\n".to_owned(), "a|b\n".to_owned()];
        for (at, line) in text.lines().skip(1).enumerate() {
            let part = &mut parts[usize::from(at % 5 == 4)];
            writeln!(part, "{line}")?;
            if tables.both.contains(name)
                && let Some((a, b)) = line.split_once('|')
            {
                writeln!(part, "{b}|{a}")?;
            }
        }
        let files = ["first", "rest"].map(|which| folder.with_extension(format!("{name}.{which}")));
        files.iter().zip(&parts).try_for_each(|(file, part)| std::fs::write(file, part))?;
        let [first, rest] = files;
        Ok(Part { name, first, rest })
    };
    tables.edges.iter().map(of_table).collect()
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.first);
        let _ = std::fs::remove_file(&self.rest);
    }
}

fn copy(server: &mut Server, name: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    server.ask(&format!("\\copy {} FROM '{}' WITH (FORMAT csv, DELIMITER '|', HEADER)", table(name), file.display())).map(drop)
}

/// Has the graph's topology made, if it is not there.
fn make_topology(server: &mut Server, graph: &str) -> Result<(), Box<dyn Error>> {
    let pattern = format!("GRAPH_TABLE ({graph} MATCH (p IS person)-[IS knows]->(q IS person) COLUMNS (1 AS one))");
    server.count(&format!("SELECT count(*) FROM {pattern}")).map(drop)
}

/// Has it made anew, so that nothing in it is fresh: another name is another definition.
fn remake_topology(server: &mut Server) -> Result<(), Box<dyn Error>> {
    server.ask("ALTER PROPERTY GRAPH lsqb RENAME TO other")?;
    make_topology(server, "other")?;
    server.ask("ALTER PROPERTY GRAPH other RENAME TO lsqb")?;
    make_topology(server, "lsqb")
}

/// What a query counts, and its median once it has been asked.
fn warm(server: &mut Server, sql: &str, rounds: usize) -> Result<(u64, f64), Box<dyn Error>> {
    let (count, _) = server.count(sql)?;
    let figures = (0..rounds).map(|_| Ok(server.count(sql)?.1)).collect::<Result<Vec<f64>, Box<dyn Error>>>()?;
    Ok((count, median(figures)))
}

fn check(number: usize, who: &str, found: u64, count: u64) -> Result<(), Box<dyn Error>> {
    if found == count { Ok(()) } else { Err(format!("q{number}: {found} {who}, and {count}").into()) }
}

fn of_shape(server: &mut Server, peers: &mut [Peer], number: usize, rounds: usize) -> Result<Figures, Box<dyn Error>> {
    let (pattern, joins) = (pattern(number), joins(number));
    let planning = server.timed(&format!("EXPLAIN {pattern}"))?.1;
    let (count, first) = server.count(&pattern)?;
    check(number, "by joins", server.count(&joins)?.0, count)?;
    let (mut by_pattern, mut by_joins, mut theirs) = (Vec::new(), Vec::new(), vec![Vec::new(); peers.len()]);
    for peer in peers.iter_mut() {
        peer.ask(&format!("q{number}"))?;
    }
    for _ in 0..rounds {
        for (sql, figures) in [(&pattern, &mut by_pattern), (&joins, &mut by_joins)] {
            let (found, ms) = server.count(sql)?;
            check(number, "another time", found, count)?;
            figures.push(ms);
        }
        for (peer, figures) in peers.iter_mut().zip(&mut theirs) {
            let answer = peer.ask(&format!("q{number}"))?;
            check(number, peer.kind.name(), answer.count, count)?;
            figures.push(answer.cpu_ms);
        }
    }
    let peers = theirs.into_iter().map(median).collect();
    Ok(Figures { count, planning, first, pattern: median(by_pattern), joins: median(by_joins), fresh: 0.0, as_of: 0.0, peers })
}

/// A fiftieth of the edges goes; then the shapes are asked as of the commit before.
fn as_of(server: &mut Server, parts: &[Part<'_>], numbers: &[usize], rounds: usize, all: &mut [Figures]) -> Result<(), Box<dyn Error>> {
    let before = server.ask("SELECT max(commit_seq) FROM ledger.commits")?.pop().ok_or("no commit")?;
    server.ask("BEGIN")?;
    for part in parts {
        server.ask(&format!("DELETE FROM {} WHERE (a + b) % 50 = 7", table(part.name)))?;
    }
    server.ask("COMMIT")?;
    server.ask(&format!("SET shockwave.as_of = 'commit {before}'"))?;
    for (number, figures) in numbers.iter().zip(all.iter_mut()) {
        let (count, ms) = warm(server, &pattern(*number), rounds)?;
        check(*number, "as of the commit before", count, figures.count)?;
        figures.as_of = ms;
    }
    // What is asked from here on is asked as of then.
    Ok(())
}

fn print(peers: &[Peer], numbers: &[usize], all: &[Figures]) {
    println!("\n#### Through SQL, over the wire; milliseconds of the server's CPU time\n");
    let names: Vec<String> = peers.iter().map(|peer| format!("{} {}", peer.kind.name(), peer.version)).collect();
    println!(
        "| | count | planning, first | pattern, first | pattern | plain joins | of pattern | a fifth fresh | of pattern | as of | of pattern | {} | of the best |",
        names.join(" | ")
    );
    println!("|---|{}", "---:|".repeat(11 + names.len()));
    let line = |name: &str, count: String, figures: &Figures| {
        let theirs: Vec<String> = figures.peers.iter().map(|ms| format!("{ms:.2}")).collect();
        let best = figures.peers.iter().copied().fold(f64::INFINITY, f64::min);
        let Figures { planning, first, pattern, joins, fresh, as_of, .. } = figures;
        println!(
            "| {name} | {count} | {planning:.2} | {first:.2} | {pattern:.2} | {joins:.2} | {:.2} | {fresh:.2} | {:.2} | {as_of:.2} | {:.2} | {} | {:.2} |",
            joins / pattern,
            fresh / pattern,
            as_of / pattern,
            theirs.join(" | "),
            pattern / best
        );
    };
    for (number, figures) in numbers.iter().zip(all) {
        line(&format!("q{number}"), figures.count.to_string(), figures);
    }
    let sum = |of: &dyn Fn(&Figures) -> f64| all.iter().map(of).sum::<f64>();
    let sums = Figures {
        count: 0,
        planning: sum(&|figures| figures.planning),
        first: sum(&|figures| figures.first),
        pattern: sum(&|figures| figures.pattern),
        joins: sum(&|figures| figures.joins),
        fresh: sum(&|figures| figures.fresh),
        as_of: sum(&|figures| figures.as_of),
        peers: (0..peers.len()).map(|peer| sum(&|figures| figures.peers[peer])).collect(),
    };
    line("sum", String::new(), &sums);
}

/// The joins without operators, each once; where they need more memory than the server gives, the line says so.
fn joined(server: &mut Server, numbers: &[usize], all: &[Figures]) -> Result<(), Box<dyn Error>> {
    server.ask("SET shockwave.graph_operators = off")?;
    let mut told = Vec::new();
    for (number, figures) in numbers.iter().zip(all) {
        let (lines, ms) = server.timed(&joins(*number))?;
        match lines.first().and_then(|line| line.parse().ok()) {
            Some(found) => {
                check(*number, "joined", found, figures.count)?;
                told.push(format!("q{number} {ms:.0}"));
            }
            None => told.push(format!("q{number} refused")),
        }
    }
    server.ask("RESET shockwave.as_of")?;
    server.ask("RESET shockwave.graph_operators")?;
    println!("\nPlain joins without operators (`shockwave.graph_operators = off`), once each, ms: {}.", told.join(", "));
    Ok(())
}

/// Figures of latencies as a line.
pub fn latencies(name: &str, figures: &mut [f64]) {
    if !figures.is_empty() {
        println!("| {name} | {:.3} | {:.3} |", at(figures, 0.5), at(figures, 0.95));
    }
}
