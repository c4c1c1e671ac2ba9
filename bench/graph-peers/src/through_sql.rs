//! The shapes through SQL: our server over the wire beside DuckDB, as patterns by operators, as joins by operators, and as joins that are joined.

use std::error::Error;
use std::path::Path;

use crate::data::Folder;
use crate::duckdb::DuckDb;
use crate::queries::{definitions, joins, pattern, table};
use crate::server::Server;
use crate::{at, median};

/// Compares a folder's shapes; the counts are to be equal.
pub fn compare(folder: &Path, tables: &Folder<'_>, numbers: &[usize], program: &Path, duckdb: &mut DuckDb, rounds: usize) -> Result<(), Box<dyn Error>> {
    let data = folder.with_extension("server");
    let mut server = Server::start(program, &data, "8GiB")?;
    load(&mut server, folder, tables)?;
    // The makers of the peers' figures have one thread.
    server.ask("SET max_parallel_workers_per_gather = 0")?;
    println!("\n#### Through SQL, over the wire; milliseconds of the server's CPU time\n");
    println!("| | count | pattern, first | pattern | plain joins | joined | DuckDB | ratio |\n|---|---:|---:|---:|---:|---:|---:|---:|");
    let (mut of_ours, mut of_duckdb) = (0.0, 0.0);
    for number in numbers {
        let (pattern, joins) = (pattern(*number), joins(*number));
        server.ask("SET shockwave.graph_operators = on")?;
        let (count, first) = server.count(&pattern)?;
        let (mut by_pattern, mut by_joins, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let mut ours = [(&pattern, &mut by_pattern), (&joins, &mut by_joins)];
            for (sql, figures) in &mut ours {
                let (found, ms) = server.count(sql)?;
                if found != count {
                    return Err(format!("q{number}: {found} and {count}: {sql}").into());
                }
                figures.push(ms);
            }
            let (expected, ms) = duckdb.ask(&format!("q{number}"))?;
            if expected != count {
                return Err(format!("q{number}: {count} here, {expected} by DuckDB").into());
            }
            theirs.push(ms);
        }
        server.ask("SET shockwave.graph_operators = off")?;
        let (found, joined) = server.count(&joins)?;
        if found != count {
            return Err(format!("q{number}: {found} joined, {count} by operators").into());
        }
        let (by_pattern, by_joins, theirs) = (median(by_pattern), median(by_joins), median(theirs));
        println!(
            "| q{number} | {count} | {first:.2} | {by_pattern:.2} | {by_joins:.2} | {joined:.2} | {theirs:.2} | {:.2} |",
            by_pattern / theirs
        );
        (of_ours, of_duckdb) = (of_ours + by_pattern, of_duckdb + theirs);
    }
    println!("| sum | | | {of_ours:.2} | | | {of_duckdb:.2} | {:.2} |", of_ours / of_duckdb);
    by_key(&mut server, duckdb)
}

fn load(server: &mut Server, folder: &Path, tables: &Folder<'_>) -> Result<(), Box<dyn Error>> {
    for sql in definitions(tables) {
        server.ask(&sql)?;
    }
    let names = tables.vertices.iter().map(|(name, _)| *name).chain(tables.edges.iter().map(|(name, ..)| *name));
    for name in names {
        let file = folder.join(format!("{name}.csv"));
        server.ask(&format!("\\copy {} FROM '{}' WITH (FORMAT csv, DELIMITER '|', HEADER)", table(name), file.display()))?;
        if tables.both.contains(&name) {
            server.ask(&format!("INSERT INTO {0} SELECT b, a FROM {0}", table(name)))?;
        }
    }
    Ok(())
}

/// Two hops by key, prepared once.
fn by_key(server: &mut Server, duckdb: &mut DuckDb) -> Result<(), Box<dyn Error>> {
    let found = "GRAPH_TABLE (lsqb MATCH (p IS person WHERE p.id = $1)-[IS knows]->(q IS person)-[IS knows]->(r IS person) COLUMNS (r.id))";
    server.ask("SET shockwave.graph_operators = on")?;
    server.ask(&format!("PREPARE two_hops (bigint) AS SELECT count(DISTINCT id) FROM {found}"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for at in 0..200 {
        let key = at * 7_919 % 1_000;
        let (count, ms) = server.count(&format!("EXECUTE two_hops ({key})"))?;
        let (expected, duckdb_ms) = duckdb.ask(&format!("two_hops {key}"))?;
        if count != expected {
            return Err(format!("two hops from {key}: {count} here, {expected} by DuckDB").into());
        }
        ours.push(ms);
        theirs.push(duckdb_ms);
    }
    println!("\n| two hops by key, prepared | p50, ms | p95, ms |\n|---|---:|---:|");
    println!("| ours, over the wire | {:.3} | {:.3} |", at(&mut ours, 0.5), at(&mut ours, 0.95));
    println!("| DuckDB | {:.3} | {:.3} |", at(&mut theirs, 0.5), at(&mut theirs, 0.95));
    Ok(())
}
