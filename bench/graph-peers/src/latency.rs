//! How long a client waits: two hops by key and shortest paths between two persons, prepared, one client, by pgbench over the wire; Ladybug in its own process.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::peer::Peer;
use crate::server::Server;
use crate::through_sql::latencies;

/// Statements that are asked of ours, and of Ladybug.
const ASKED: usize = 2_000;
const ASKED_OF_PEERS: usize = 300;
const PGBENCH: &str = "/usr/lib/postgresql/15/bin/pgbench";

/// Prints the table; nothing of a folder whose persons are not numbered from 0 on, which pgbench's random numbers would not meet.
pub fn by_key(server: &mut Server, folder: &Path, ladybug: &mut Peer) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("Person.csv"))?;
    let persons = text.lines().count() - 1;
    if !text.lines().skip(1).enumerate().all(|(at, line)| line == at.to_string()) {
        return Ok(());
    }
    let two_hops =
        "GRAPH_TABLE (lsqb MATCH (p IS person WHERE p.id = :one)-[IS knows]->(q IS person)-[IS knows]->(r IS person) COLUMNS (r.id))";
    let path = "GRAPH_TABLE (lsqb MATCH p = ANY SHORTEST (a IS person WHERE a.id = :one)-[IS knows]->*(b IS person WHERE b.id = :other) \
                COLUMNS (path_length(p) AS steps))";
    println!("\n| prepared, one client, wall time | p50, ms | p95, ms |\n|---|---:|---:|");
    let distinct = format!("SELECT count(DISTINCT id) FROM {two_hops}");
    latencies("two hops by key, over the wire", &mut ours(server, folder, persons, &distinct)?);
    latencies("two hops by key, its rows, over the wire", &mut ours(server, folder, persons, &format!("SELECT id FROM {two_hops}"))?);
    latencies("two hops by key, Ladybug in process", &mut theirs(ladybug, persons, "two_hops")?);
    latencies("shortest path between two, over the wire", &mut ours(server, folder, persons, &format!("SELECT steps FROM {path}"))?);
    latencies("shortest path between two, Ladybug in process", &mut theirs(ladybug, persons, "path")?);
    Ok(())
}

/// Milliseconds of each statement.
fn ours(server: &Server, folder: &Path, persons: usize, sql: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let (script, prefix) = (folder.with_extension("pgbench.sql"), folder.with_extension("pgbench"));
    let last = persons - 1;
    std::fs::write(&script, format!("\\set one random(0, {last})\n\\set other random(0, {last})\n{sql};\n"))?;
    let mut command = Command::new(PGBENCH);
    command.args(["-M", "prepared", "-n", "-c", "1", "--random-seed=7", "-h", "127.0.0.1", "-U", "shockwave", "-l"]);
    command.args(["-p", &server.port.to_string(), "-t", &ASKED.to_string()]).arg("-f").arg(&script);
    command.arg(format!("--log-prefix={}", prefix.display())).arg("shockwave");
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let log = format!("{}.{}", prefix.display(), child.id());
    if !child.wait()?.success() {
        return Err(format!("pgbench failed: {sql}").into());
    }
    // Of a line: client, number, microseconds, ….
    let ms = |line: &str| line.split(' ').nth(2).and_then(|us| us.parse::<f64>().ok()).map(|us| us / 1_000.0);
    let figures = std::fs::read_to_string(&log)?.lines().filter_map(ms).collect();
    std::fs::remove_file(log)?;
    std::fs::remove_file(script)?;
    Ok(figures)
}

fn theirs(peer: &mut Peer, persons: usize, query: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let key = |at: usize| at * 7_919 % persons;
    (0..ASKED_OF_PEERS).map(|at| Ok(peer.ask(&format!("{query} {} {}", key(at), key(at + 1)))?.wall_ms)).collect()
}
