//! Paths that are searched in a graph: against walks counted step by step and trails tried one by one, over random graphs that change.

use std::collections::BTreeMap;

use base::{Rng, SeededRng};

use crate::fixture::{Client, Fixture};

const VERTICES: usize = 6;

/// Edges by id: source and target.
type Edges = BTreeMap<u64, (usize, usize)>;
/// By source, target and length: how many paths.
type Counts = BTreeMap<(usize, usize, usize), u64>;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    Right,
    Left,
    Any,
}

/// Steps from a vertex: the edge and where it leads; a loop is passed once, whichever way.
fn steps(edges: &Edges, from: usize, way: Way) -> Vec<(u64, usize)> {
    let mut all = Vec::new();
    for (id, (source, target)) in edges {
        if way != Way::Left && *source == from {
            all.push((*id, *target));
        }
        if way != Way::Right && *target == from && !(way == Way::Any && source == target) {
            all.push((*id, *source));
        }
    }
    all
}

/// Walks by length up to `longest`.
fn walks(edges: &Edges, way: Way, longest: usize) -> Counts {
    let mut counts = Counts::new();
    for from in 0..VERTICES {
        let mut here = BTreeMap::from([(from, 1_u64)]);
        for length in 0..=longest {
            for (to, count) in &here {
                counts.insert((from, *to, length), *count);
            }
            let mut next = BTreeMap::new();
            for (at, count) in &here {
                for (_, to) in steps(edges, *at, way) {
                    *next.entry(to).or_default() += count;
                }
            }
            here = next;
        }
    }
    counts
}

/// Paths of a mode: no edge twice, no vertex twice, no vertex twice but for the ends.
fn restricted(edges: &Edges, way: Way, mode: &str, min: usize) -> Counts {
    fn go(edges: &Edges, way: Way, mode: &str, passed: &mut (Vec<usize>, Vec<u64>), counts: &mut Counts) {
        let (from, at, length) = (passed.0[0], passed.0[passed.0.len() - 1], passed.1.len());
        *counts.entry((from, at, length)).or_default() += 1;
        if mode == "SIMPLE" && length > 0 && from == at {
            return;
        }
        for (edge, to) in steps(edges, at, way) {
            let again = match mode {
                "TRAIL" => passed.1.contains(&edge),
                "ACYCLIC" => passed.0.contains(&to),
                _ => passed.0[1..].contains(&to) || (to == from && passed.0.len() > 1 && passed.0[1..].contains(&from)),
            };
            if !again {
                passed.0.push(to);
                passed.1.push(edge);
                go(edges, way, mode, passed, counts);
                passed.0.pop();
                passed.1.pop();
            }
        }
    }
    let mut counts = Counts::new();
    for from in 0..VERTICES {
        go(edges, way, mode, &mut (vec![from], Vec::new()), &mut counts);
    }
    counts.retain(|(_, _, length), _| *length >= min);
    counts
}

/// Of each pair's paths those that a selector keeps.
fn selected(counts: &Counts, keep: &str) -> Counts {
    let mut kept = Counts::new();
    for (from, to) in counts.keys().map(|(from, to, _)| (*from, *to)).collect::<std::collections::BTreeSet<_>>() {
        let mut wanted = if keep == "SHORTEST 3" { 3 } else { 1 };
        if keep == "SHORTEST 2 GROUPS" {
            let lengths = counts.range((from, to, 0)..=(from, to, usize::MAX)).take(2);
            kept.extend(lengths.map(|(path, count)| (*path, *count)));
            continue;
        }
        for ((_, _, length), count) in counts.range((from, to, 0)..=(from, to, usize::MAX)) {
            let taken = if keep == "ALL SHORTEST" { *count } else { wanted.min(*count) };
            kept.insert((from, to, *length), taken);
            wanted -= if keep == "ALL SHORTEST" { wanted } else { taken };
            if wanted == 0 {
                break;
            }
        }
    }
    kept
}

async fn found(client: &mut Client, prefix: &str, way: Way, quantifier: &str, around: &str) -> Counts {
    searched(client, prefix, way, quantifier, "", around).await
}

/// Of pairs of ends.
async fn between(client: &mut Client, prefix: &str, way: Way, quantifier: &str, ends: &str) -> Counts {
    searched(client, prefix, way, quantifier, ends, "").await
}

async fn searched(client: &mut Client, prefix: &str, way: Way, quantifier: &str, within: &str, around: &str) -> Counts {
    let edge = match way {
        Way::Right => format!("-[IS knows]->{quantifier}"),
        Way::Left => format!("<-[IS knows]-{quantifier}"),
        Way::Any => format!("-[IS knows]-{quantifier}"),
    };
    let sql = format!(
        "SELECT a, b, n, count(*) FROM GRAPH_TABLE (g MATCH p = {prefix} (x){edge}(y) {within} COLUMNS (x.id AS a, y.id AS b, path_length(p) AS n)) {around} \
         GROUP BY a, b, n ORDER BY a, b, n"
    );
    let number = |text: &str| text.parse::<u64>().unwrap();
    let row = |line: String| {
        let parts: Vec<u64> = line.split('|').map(number).collect();
        ((parts[0] as usize, parts[1] as usize, parts[2] as usize), parts[3])
    };
    client.lines(&sql).await.into_iter().map(row).collect()
}

const TABLES: &str = "CREATE TABLE person (id int PRIMARY KEY, name text);
    CREATE TABLE knows (id int PRIMARY KEY, a int REFERENCES person, b int REFERENCES person);
    CREATE PROPERTY GRAPH g VERTEX TABLES (person) EDGE TABLES
        (knows SOURCE KEY (a) REFERENCES person DESTINATION KEY (b) REFERENCES person);";

#[tokio::test]
async fn searches_find_what_trying_everything_finds() {
    let fixture = Fixture::new();
    let (mut client, rng) = (fixture.session(), SeededRng::new(3));
    client.run(TABLES).await;
    client.run(&format!("INSERT INTO person SELECT i, 'p' || i FROM generate_series(0, {}) i", VERTICES - 1)).await;
    let mut edges = Edges::new();
    for round in 0..12_u64 {
        let below = |n: usize| (rng.next_u64() % n as u64) as usize;
        for _ in 0..3 {
            let (id, ends) = (below(7) as u64, (below(VERTICES), below(VERTICES)));
            let sql = match (edges.contains_key(&id), below(3)) {
                (false, _) => format!("INSERT INTO knows VALUES ({id}, {}, {})", ends.0, ends.1),
                (true, 0) => {
                    edges.remove(&id);
                    client.run(&format!("DELETE FROM knows WHERE id = {id}")).await;
                    continue;
                }
                (true, _) => format!("UPDATE knows SET a = {}, b = {} WHERE id = {id}", ends.0, ends.1),
            };
            client.run(&sql).await;
            edges.insert(id, ends);
        }
        client.run(&format!("UPDATE person SET name = name || '+' WHERE id = {}", below(VERTICES))).await;
        for way in [Way::Right, Way::Left, Way::Any] {
            let walks = walks(&edges, way, 12);
            for (quantifier, min) in [("*", 0), ("+", 1)] {
                let long: Counts = walks.iter().filter(|((_, _, n), _)| *n >= min).map(|(path, count)| (*path, *count)).collect();
                for keep in ["ANY SHORTEST", "ALL SHORTEST", "SHORTEST 3", "SHORTEST 2 GROUPS"] {
                    let (expected, got) = (selected(&long, keep), found(&mut client, keep, way, quantifier, "").await);
                    assert_eq!(got, expected, "round {round}: {keep} {way:?} {quantifier} in {edges:?}");
                    // One end to another: both are known before anything is searched.
                    let (from, to) = (below(VERTICES), below(VERTICES));
                    let expected: Counts = expected.into_iter().filter(|((a, b, _), _)| (*a, *b) == (from, to)).collect();
                    for ends in
                        [format!("WHERE x.id = {from} AND {to} = y.id"), format!("WHERE (y.id = {to}) AND y.name <> '' AND x.id = {from}")]
                    {
                        let got = between(&mut client, keep, way, quantifier, &ends).await;
                        assert_eq!(got, expected, "round {round}: {keep} {way:?} {quantifier} {ends} in {edges:?}");
                    }
                }
                for mode in ["TRAIL", "ACYCLIC", "SIMPLE"] {
                    let expected = restricted(&edges, way, mode, min);
                    let got = found(&mut client, mode, way, quantifier, "").await;
                    assert_eq!(got, expected, "round {round}: {mode} {way:?} {quantifier} in {edges:?}");
                }
            }
        }
    }
}

/// The least sum of ids of edges from each vertex to each other, over one edge at least, that pass `least`: Floyd and Warshall's.
fn cheapest(edges: &Edges, way: Way, least: u64) -> BTreeMap<(usize, usize), u64> {
    let kept: Edges = edges.iter().filter(|(id, _)| **id >= least).map(|(id, ends)| (*id, *ends)).collect();
    let mut costs: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let better = |costs: &mut BTreeMap<(usize, usize), u64>, pair, cost: u64| {
        let known = costs.entry(pair).or_insert(cost);
        *known = cost.min(*known);
    };
    for from in 0..VERTICES {
        for (id, to) in steps(&kept, from, way) {
            better(&mut costs, (from, to), id);
        }
    }
    for by in 0..VERTICES {
        for from in 0..VERTICES {
            for to in 0..VERTICES {
                if let (Some(one), Some(other)) = (costs.get(&(from, by)).copied(), costs.get(&(by, to)).copied()) {
                    better(&mut costs, (from, to), one + other);
                }
            }
        }
    }
    costs
}

#[tokio::test]
async fn the_cheapest_paths_cost_least_and_conditions_leave_edges_out() {
    let fixture = Fixture::new();
    let (mut client, rng) = (fixture.session(), SeededRng::new(5));
    client.run(TABLES).await;
    client.run(&format!("INSERT INTO person SELECT i, 'p' || i FROM generate_series(0, {}) i", VERTICES - 1)).await;
    let mut edges = Edges::new();
    for round in 0..10_u64 {
        let below = |n: usize| (rng.next_u64() % n as u64) as usize;
        for _ in 0..2 {
            let (id, ends) = (edges.len() as u64, (below(VERTICES), below(VERTICES)));
            client.run(&format!("INSERT INTO knows VALUES ({id}, {}, {})", ends.0, ends.1)).await;
            edges.insert(id, ends);
        }
        for (way, left, right) in [(Way::Right, "-", "->"), (Way::Left, "<-", "-"), (Way::Any, "-", "-")] {
            for least in [0, 4] {
                let sql = format!(
                    "SELECT a, b, (SELECT sum((e -> 'key' ->> 'id')::int) FROM jsonb_array_elements(along) e) FROM GRAPH_TABLE (g MATCH \
                     p = ANY CHEAPEST (x){left}[e IS knows WHERE e.id >= {least} COST e.id + 0.0]{right}+(y) COLUMNS (x.id AS a, y.id AS b, edges(p) AS along))"
                );
                let row = |line: String| {
                    let parts: Vec<u64> = line.split('|').map(|part| part.parse().unwrap()).collect();
                    ((parts[0] as usize, parts[1] as usize), parts[2])
                };
                let found: BTreeMap<(usize, usize), u64> = client.lines(&sql).await.into_iter().map(row).collect();
                assert_eq!(found, cheapest(&edges, way, least), "round {round}: {sql} in {edges:?}");
            }
            let kept: Edges = edges.iter().filter(|(id, _)| **id > 2).map(|(id, ends)| (*id, *ends)).collect();
            let long: Counts = walks(&kept, way, 12).into_iter().filter(|((_, _, n), _)| *n >= 1).collect();
            let sql = format!(
                "SELECT a, b, n, count(*) FROM GRAPH_TABLE (g MATCH p = ALL SHORTEST (x){left}[e IS knows WHERE e.id > 2]{right}+(y) \
                 COLUMNS (x.id AS a, y.id AS b, path_length(p) AS n)) GROUP BY a, b, n"
            );
            let row = |line: String| {
                let parts: Vec<u64> = line.split('|').map(|part| part.parse().unwrap()).collect();
                ((parts[0] as usize, parts[1] as usize, parts[2] as usize), parts[3])
            };
            let found: Counts = client.lines(&sql).await.into_iter().map(row).collect();
            assert_eq!(found, selected(&long, "ALL SHORTEST"), "round {round}: {sql} in {edges:?}");
        }
    }
}

#[tokio::test]
async fn a_search_composes_with_everything_else() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run(TABLES).await;
    client.run("INSERT INTO person SELECT i, 'p' || i FROM generate_series(1, 6) i; INSERT INTO knows SELECT i, i, i + 1 FROM generate_series(1, 4) i").await;
    let from_to = "SELECT n FROM GRAPH_TABLE (g MATCH p = ANY SHORTEST (x WHERE x.id = 1)-[]->*(y WHERE y.name = 'p4') COLUMNS (path_length(p) AS n))";
    assert_eq!(client.lines(from_to).await, ["3"]);
    client.run(&format!("CREATE VIEW far AS {from_to}")).await;
    assert_eq!(client.lines("SELECT n + 1 FROM far").await, ["4"]);
    let prepared = client.prepare(&from_to.replace("x.id = 1", "x.id = $1"), &[]).await.unwrap();
    for (from, lengths) in [("1", vec!["3"]), ("3", vec!["1"]), ("4", vec!["0"]), ("5", vec![])] {
        assert_eq!(client.execute(&prepared, &[Some(from)]).await.unwrap().lines(), lengths, "{from}");
    }
    // A plan that is kept sees what was committed since.
    fixture.session().run("INSERT INTO knows VALUES (9, 1, 4)").await;
    assert_eq!(client.lines(from_to).await, ["1"]);
    assert_eq!(client.execute(&prepared, &[Some("1")]).await.unwrap().lines(), ["1"]);
    let two = "SELECT a, c FROM GRAPH_TABLE (g MATCH ANY SHORTEST (x WHERE x.id = 1)-[]->+(y), (y)-[IS knows]->(z) COLUMNS (x.id AS a, z.id AS c)) ORDER BY c";
    assert_eq!(client.lines(two).await, ["1|3", "1|4", "1|5"]);
    assert_eq!(
        client
            .lines(
                "SELECT id FROM person WHERE EXISTS (SELECT 1 FROM GRAPH_TABLE (g MATCH ANY (x)-[]->+(y) COLUMNS (x.id AS a)) WHERE a = id)"
            )
            .await
            .len(),
        4
    );
    client.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(client.lines(from_to).await, ["1"]);
    fixture.session().run("DELETE FROM knows WHERE id = 9").await;
    assert_eq!(client.lines(from_to).await, ["1"], "P1");
    client.run("COMMIT").await;
    assert_eq!(client.lines(from_to).await, ["3"]);
    client.run("BEGIN; INSERT INTO knows VALUES (10, 1, 4)").await;
    let refused = client.error(from_to).await;
    assert_eq!((refused.state().0, refused.message()), ("0A000", "a search for paths in a transaction that has written is not supported"));
    client.run("ROLLBACK").await;
    client.run("BEGIN ISOLATION LEVEL SERIALIZABLE").await;
    assert_eq!(client.error(from_to).await.message(), "a search for paths in a SERIALIZABLE transaction is not supported");
    client.run("ROLLBACK").await;
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("INSERT INTO knows VALUES (11, 1, 4)").await;
    assert_eq!(client.lines(from_to).await, ["1"]);
    client.run(&format!("SET shockwave.as_of = 'COMMIT {before}'")).await;
    assert_eq!(client.lines(from_to).await, ["3"], "as it was");
    client.run("RESET shockwave.as_of; DELETE FROM knows WHERE id = 11").await;
    client.run("ALTER PROPERTY GRAPH g ADD VERTEX TABLES (knows AS link KEY (id))").await;
    assert_eq!(client.lines(from_to).await, ["3"], "L1: of the new definition");
}

/// Between 14 persons who all know one another there are more trails than anybody counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_explosion_of_paths_is_bounded_in_memory_and_time() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run(TABLES).await;
    client.run("INSERT INTO person SELECT i, 'p' || i FROM generate_series(0, 13) i").await;
    client.run("INSERT INTO knows SELECT i * 14 + j, i, j FROM generate_series(0, 13) i, generate_series(0, 13) j").await;
    let trails = "SELECT count(*) FROM GRAPH_TABLE (g MATCH TRAIL (x WHERE x.id = 0)-[]->+(y) COLUMNS (y.id))";
    client.run("SET statement_mem = '4MB'").await;
    assert_eq!(client.error(trails).await.state().0, "53200");
    client.run("RESET statement_mem; SET statement_timeout = '50ms'").await;
    let begun = tokio::time::Instant::now();
    assert_eq!(client.error(trails).await.state().0, "57014");
    assert!(begun.elapsed().as_millis() < 1_000, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_cannot_be_searched_is_refused_at_its_place() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run(TABLES).await;
    client.run("CREATE TABLE loose (id int, of int); CREATE VIEW seen AS SELECT * FROM person").await;
    client.run("CREATE PROPERTY GRAPH l VERTEX TABLES (loose KEY (id)) EDGE TABLES (loose AS up KEY (id, of) SOURCE KEY (id) REFERENCES loose (id) DESTINATION KEY (of) REFERENCES loose (id))").await;
    client.run("INSERT INTO loose VALUES (1, 1); INSERT INTO person VALUES (1, 'p'); INSERT INTO knows VALUES (1, 1, 1)").await;
    for (pattern, state, message) in [
        ("g MATCH (x)-[]->*(y)", "42601", "an unbounded quantifier needs a path mode or a selector"),
        ("g MATCH CHEAPEST 2 (x)-[]->*(y)", "42601", "the path selector CHEAPEST 2 needs a cost"),
        ("g MATCH ANY (x)-[e COST e.id]->*(y)", "42601", "COST stands at the edge of a path of which the cheapest are wanted"),
        ("g MATCH ANY CHEAPEST (x)-[e COST e.id - 9]->+(y)", "22003", "the weight of an edge must not be negative"),
        ("g MATCH ANY CHEAPEST (x)-[e COST NULL::int]->+(y)", "22004", "the cost of an edge must not be null"),
        ("g MATCH ANY CHEAPEST (x)-[e COST e.nothing]->*(y)", "42601", "property \"nothing\" does not exist"),
        ("g MATCH SHORTEST 0 GROUPS (x)-[]->*(y)", "22023", "the number of paths must be greater than zero"),
        ("g MATCH ANY SHORTEST (x)-[]->*(y)-[]->(z)", "0A000", "a search for paths of more than one quantified edge is not supported"),
        (
            "g MATCH TRAIL (x) ((v)-[e]->(u)-[f]->(w))* (y)",
            "0A000",
            "a search for paths that repeat more than an edge between two vertices is not supported",
        ),
        (
            "g MATCH TRAIL (x) ((v)-[e]->(w) WHERE v.id < x.id)* (y)",
            "0A000",
            "a search for paths with parameters, or with columns of anything else, within its steps is not supported",
        ),
        ("l MATCH ANY (x)-[]->+(y)", "0A000", "a search for paths over the vertex table \"loose\" is not supported"),
    ] {
        let error = client.error(&format!("SELECT 1 FROM GRAPH_TABLE ({pattern} COLUMNS (x.id))")).await;
        assert_eq!((error.state().0, error.message()), (state, message), "{pattern}");
    }
}
