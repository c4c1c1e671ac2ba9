//! `shockwave graph draw`: edges and paths of a graph as SVG, and what is refused.

use std::process::Command;

use crate::program::{path, stdout};
use crate::server::start;

const GRAPH: &str = "CREATE TABLE person (id int PRIMARY KEY, name text);
    CREATE TABLE knows (id int PRIMARY KEY, a int NOT NULL REFERENCES person, b int NOT NULL REFERENCES person, since int);
    CREATE PROPERTY GRAPH social VERTEX TABLES (person) EDGE TABLES
        (knows SOURCE KEY (a) REFERENCES person DESTINATION KEY (b) REFERENCES person);
    INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob <b>'), (3, 'Cyd');
    INSERT INTO knows VALUES (1, 1, 2, 2010), (2, 2, 3, 2012)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_becomes_a_picture() {
    let server = start().await;
    server.connect().await.batch_execute(GRAPH).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.svg");
    let conninfo = format!("host=127.0.0.1 port={} user=shockwave dbname=shockwave", server.address.port());
    let draw = |query: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shockwave"));
        command.args(["graph", "draw", "--server", &conninfo, "--query", query, "-o", path(&file)]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let edges = "SELECT * FROM GRAPH_TABLE (social MATCH (a)-[k IS knows]->(b) COLUMNS (a.name, b.name AS other, k.since))";
    let output = draw(edges).await.unwrap();
    assert!(output.status.success(), "{} {}", stdout(&output), String::from_utf8_lossy(&output.stderr));
    let svg = std::fs::read_to_string(&file).unwrap();
    for part in ["<svg ", "Ada", "Bob &lt;b&gt;", "Cyd", "2010", "2012", "</svg>"] {
        assert!(svg.contains(part), "{part} in {svg}");
    }
    let path = "SELECT * FROM GRAPH_TABLE (social MATCH p = ANY SHORTEST (a WHERE a.id = 1)-[]->+(b WHERE b.id = 3) COLUMNS (vertices(p)))";
    assert!(!draw(path).await.unwrap().status.success(), "a column that no one has named");
    assert!(draw(&path.replace("vertices(p)", "vertices(p) AS along")).await.unwrap().status.success());
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.contains("person 1") && svg.contains("person 2") && svg.contains("person 3"), "{svg}");
    let refused = draw("SELECT nothing").await.unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && told.contains("42703"), "{told}");
    let written = draw("INSERT INTO person VALUES (4, 'Dee')").await.unwrap();
    assert!(String::from_utf8_lossy(&written.stderr).contains("25006"));
    let many = draw("SELECT i, i + 1 FROM generate_series(1, 1000) i").await.unwrap();
    assert!(String::from_utf8_lossy(&many.stderr).contains("LIMIT"));
}
