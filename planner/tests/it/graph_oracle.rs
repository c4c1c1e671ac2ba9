//! GRAPH_TABLE beside a matcher that is spelled from the definition (`graph_matcher`), over random graphs and patterns (`graph_random`).
//!
//! Rows are compared as multisets, as joins give them and as graph operators do, as of now and, once the graph has changed, as of then; so are counts,
//! groups and distinct values, which operators do not flatten.
//! `SHOCKWAVE_SEEDS=100..200` runs other seeds than the usual.

use crate::fixture::{Client, Fixture};
use crate::graph_matcher::{STATES_MAX, expected};
use crate::graph_random::{Dice, EDGE_TABLES, Graph, Maker, VERTEX_TABLES, graph};

/// Of edges whose source's key has another type than the vertices' there are joins only.
async fn store(client: &mut Client, graph: &Graph, source: &str) {
    let show = |w: Option<i32>| w.map_or("NULL".to_owned(), |w| w.to_string());
    let mut tables = Vec::new();
    for (at, (table, labels)) in VERTEX_TABLES.iter().enumerate() {
        client.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, w int)")).await;
        for vertex in graph.vertices.iter().filter(|vertex| vertex.table == at) {
            client.run(&format!("INSERT INTO {table} VALUES ({}, {})", vertex.id, show(vertex.w))).await;
        }
        let properties = format!("PROPERTIES ('{table}:' || id AS k, w)");
        tables.push(format!("{table} LABEL {} {properties} LABEL {} {properties}", labels[0], labels[1]));
    }
    let mut edges = Vec::new();
    for (at, (table, from, to, labels)) in EDGE_TABLES.iter().enumerate() {
        client.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, f {source}, t int, w int)")).await;
        for edge in graph.edges.iter().filter(|edge| edge.table == at) {
            client.run(&format!("INSERT INTO {table} VALUES ({}, {}, {}, {})", edge.id, edge.from.1, edge.to.1, show(edge.w))).await;
        }
        let (from, to) = (VERTEX_TABLES[*from].0, VERTEX_TABLES[*to].0);
        let properties = format!("PROPERTIES ('{table}:' || id AS k, w)");
        edges.push(format!(
            "{table} SOURCE KEY (f) REFERENCES {from} (id) DESTINATION KEY (t) REFERENCES {to} (id) LABEL {} {properties} LABEL {} {properties}",
            labels[0], labels[1]
        ));
    }
    client.run(&format!("CREATE PROPERTY GRAPH g VERTEX TABLES ({}) EDGE TABLES ({})", tables.join(", "), edges.join(", "))).await;
}

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("SHOCKWAVE_SEEDS").ok();
    let range = asked.as_deref().and_then(|text| text.split_once("..")).map(|(from, to)| from.parse().unwrap()..to.parse().unwrap());
    range.unwrap_or(0..8)
}

const PATTERNS: usize = 20;

#[tokio::test]
async fn random_patterns_match_what_the_definition_says() {
    let (mut compared, mut with_rows, mut refused, mut by_operators, mut with_optional) = (0, 0, 0, 0, 0);
    for seed in seeds() {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
        let graph = graph(&mut dice);
        let fixture = Fixture::new();
        let mut client = fixture.session();
        store(&mut client, &graph, if seed % 4 == 3 { "bigint" } else { "int" }).await;
        let commit = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
        let mut then = Vec::new();
        for number in 0..PATTERNS {
            let pattern = Maker { dice: &mut dice, made: 0, shown: Vec::new(), scope: Vec::new() }.pattern();
            let sql = pattern.sql(None);
            if std::env::var_os("SHOCKWAVE_SHOW").is_some() {
                eprintln!("{sql}");
            }
            let Some(rows) = expected(&graph, &pattern).filter(|rows| rows.len() <= STATES_MAX) else { continue };
            let mut queries = vec![(sql.clone(), rows.clone())];
            queries.extend(pattern.aggregated(&rows, &mut dice));
            match client.try_run(&sql).await {
                Ok(_) => {}
                // Too many lengths or joins for one query: refused, never answered in part.
                // So is what nested parts mention of parts that are not around them.
                Err(error) if error.state().0 == "54001" || error.message().contains("nested in a later OPTIONAL") => {
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("seed {seed}, pattern {number}: {sql}\n{error}"),
            }
            for operators in ["on", "off"] {
                client.run(&format!("SET shockwave.graph_operators = {operators}")).await;
                for (sql, rows) in &queries {
                    let mut found = client.lines(sql).await;
                    found.sort();
                    assert_eq!(found, *rows, "operators {operators}, seed {seed}, pattern {number}: {sql}\n{graph:?}");
                }
                let plan = client.lines(&format!("EXPLAIN {}", queries[1].0)).await.join("\n");
                assert!(operators == "on" || !plan.contains("Graph:"), "{plan}");
                by_operators += usize::from(plan.contains("Graph:"));
            }
            then.push((pattern.sql(Some(&commit)), rows.clone()));
            compared += 1;
            // That a part was there for some and not for others is what can go wrong.
            with_optional += usize::from(!pattern.optional.is_empty() && rows.iter().any(|row| row.contains('∅')) && rows.len() > 1);
            with_rows += usize::from(!rows.is_empty());
        }
        client.run("DELETE FROM ta WHERE id > 0; DELETE FROM saa; DELETE FROM sbb WHERE id = 0; UPDATE tb SET w = 7").await;
        for (sql, rows) in then {
            let mut found = client.lines(&sql).await;
            found.sort();
            assert_eq!(found, rows, "seed {seed}, as of then: {sql}\n{graph:?}");
        }
    }
    assert!(6 * with_optional > compared, "{with_optional} of {compared} with optional parts");
    assert!(4 * by_operators > compared, "{by_operators} of {compared} by operators");
    assert!(compared > 4 * refused && 3 * with_rows > compared, "{compared} compared, {with_rows} with rows, {refused} refused");
    eprintln!("{compared} patterns compared, {with_rows} of them with rows, {by_operators} by operators; {refused} too large");
}
