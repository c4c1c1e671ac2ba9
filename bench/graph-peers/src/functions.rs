//! Graph functions over who knows whom: ours in SQL, which reads the tables each time, beside NetworKit, which has the graph in its memory already.

use std::error::Error;
use std::path::Path;

use crate::median;
use crate::peer::{Kind, Peer};
use crate::server::Server;

/// Prints the table; what both find has to be equal.
pub fn compare(server: &mut Server, folder: &Path, python: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut peer = Peer::start(Kind::NetworKit, python, folder)?;
    let text = std::fs::read_to_string(folder.join("Person.csv"))?;
    let first = text.lines().nth(1).ok_or("no person")?;
    println!("\n| who knows whom | found | ours in SQL, ms | {} {}, its graph loaded, ms |\n|---|---:|---:|---:|", peer.kind.name(), peer.version);
    let bfs = format!("SELECT count(*) FROM graph_bfs('lsqb', {first}, edges => 'knows', vertices => 'person')");
    let wcc = "SELECT count(DISTINCT component) FROM graph_wcc('lsqb', edges => 'knows', vertices => 'person')".to_owned();
    let pagerank = "SELECT id FROM graph_pagerank('lsqb', edges => 'knows', vertices => 'person') ORDER BY pagerank DESC, id LIMIT 1".to_owned();
    for (name, sql) in [("bfs", bfs), ("wcc", wcc), ("pagerank", pagerank)] {
        let (mut ours, mut theirs, mut found) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            let (answer, ms) = server.count(&sql)?;
            let expected = peer.ask(name)?;
            if answer != expected.count {
                return Err(format!("{name}: {answer} here, {} by {}", expected.count, peer.kind.name()).into());
            }
            found = answer;
            ours.push(ms);
            theirs.push(expected.cpu_ms);
        }
        println!("| {name} | {found} | {:.2} | {:.2} |", median(ours), median(theirs));
    }
    Ok(())
}
