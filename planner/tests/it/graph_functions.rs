//! Graph functions in FROM: against their definitions spelled over lists of edges, and as relations among others.

use std::collections::BTreeMap;

use base::{Rng, SeededRng};

use crate::fixture::{Client, Fixture};
use crate::graph_table::shown;

/// Vertices by number, in the order of their keys; edges with their weights, as they are stored.
struct World {
    count: usize,
    edges: Vec<(usize, usize, f64)>,
}

impl World {
    /// Each edge as it can be passed.
    fn passed(&self, is_directed: bool) -> Vec<(usize, usize, f64)> {
        let back = self.edges.iter().filter(|(a, b, _)| !is_directed && a != b).map(|(a, b, weight)| (*b, *a, *weight));
        self.edges.iter().copied().chain(back).collect()
    }

    fn around(&self, vertex: usize) -> Vec<usize> {
        let joined = |a: usize, b: usize| self.edges.iter().any(|edge| (edge.0, edge.1) == (a, b) || (edge.1, edge.0) == (a, b));
        (0..self.count).filter(|other| *other != vertex && joined(vertex, *other)).collect()
    }

    /// Bellman and Ford's.
    fn distances(&self, source: usize, is_directed: bool, weigh: impl Fn(f64) -> f64) -> Vec<Option<f64>> {
        let mut distances = vec![f64::INFINITY; self.count];
        distances[source] = 0.0;
        for _ in 0..self.count {
            for (a, b, weight) in self.passed(is_directed) {
                distances[b] = distances[b].min(distances[a] + weigh(weight));
            }
        }
        distances.into_iter().map(|distance| distance.is_finite().then_some(distance)).collect()
    }

    fn components(&self) -> Vec<usize> {
        let mut labels: Vec<usize> = (0..self.count).collect();
        for _ in 0..self.count {
            for (a, b, _) in &self.edges {
                let least = labels[*a].min(labels[*b]);
                (labels[*a], labels[*b]) = (least, least);
            }
        }
        labels
    }

    fn pagerank(&self, is_directed: bool, damping: f64, iterations: usize) -> Vec<f64> {
        let (n, edges) = (self.count as f64, self.passed(is_directed));
        let out = |vertex: usize| edges.iter().filter(|edge| edge.0 == vertex).count() as f64;
        let mut ranks = vec![1.0 / n; self.count];
        for _ in 0..iterations {
            let dangling: f64 = (0..self.count).filter(|vertex| out(*vertex) == 0.0).map(|vertex| ranks[vertex]).sum();
            let into = |vertex: usize| edges.iter().filter(|edge| edge.1 == vertex).map(|edge| ranks[edge.0] / out(edge.0)).sum::<f64>();
            ranks = (0..self.count).map(|vertex| (1.0 - damping) / n + damping * into(vertex) + damping * dangling / n).collect();
        }
        ranks
    }

    fn communities(&self, is_directed: bool, iterations: usize) -> Vec<usize> {
        let mut labels: Vec<usize> = (0..self.count).collect();
        for _ in 0..iterations {
            let next = |vertex: usize| {
                let mut times: BTreeMap<usize, usize> = BTreeMap::new();
                for (a, b, _) in self.passed(is_directed) {
                    if a == vertex {
                        *times.entry(labels[b]).or_default() += 1;
                    }
                    if b == vertex && is_directed {
                        *times.entry(labels[a]).or_default() += 1;
                    }
                }
                let most = times.values().copied().max();
                times.iter().find(|(_, count)| Some(**count) == most).map_or(labels[vertex], |(label, _)| *label)
            };
            labels = (0..self.count).map(next).collect();
        }
        labels
    }

    fn clustering(&self, vertex: usize, is_directed: bool) -> f64 {
        let (around, edges) = (self.around(vertex), self.passed(is_directed));
        let has = |a: usize, b: usize| a != b && edges.iter().any(|edge| (edge.0, edge.1) == (a, b));
        let joined = around.iter().flat_map(|a| around.iter().map(move |b| (*a, *b))).filter(|(a, b)| has(*a, *b)).count();
        if around.len() < 2 { 0.0 } else { joined as f64 / (around.len() * (around.len() - 1)) as f64 }
    }

    fn triangles(&self, vertex: usize) -> usize {
        let around = self.around(vertex);
        around.iter().map(|a| self.around(*a).iter().filter(|b| *b > a && around.contains(b)).count()).sum()
    }

    fn cores(&self) -> Vec<usize> {
        let mut cores = vec![0; self.count];
        for k in 1..=self.count {
            let mut left: Vec<usize> = (0..self.count).collect();
            while let Some(at) = left.iter().position(|vertex| self.around(*vertex).iter().filter(|other| left.contains(other)).count() < k)
            {
                left.remove(at);
            }
            left.iter().for_each(|vertex| cores[*vertex] = k);
        }
        cores
    }
}

const TABLES: &str = "CREATE TABLE person (id int PRIMARY KEY, name text);
    CREATE TABLE company (code text, branch int, title text, PRIMARY KEY (code, branch));
    CREATE TABLE knows (id int PRIMARY KEY, a int REFERENCES person, b int REFERENCES person, cost int);
    CREATE TABLE works (id int PRIMARY KEY, who int REFERENCES person, code text, branch int, cost numeric(6,2), FOREIGN KEY (code, branch) REFERENCES company);
    CREATE PROPERTY GRAPH g VERTEX TABLES (person LABEL person LABEL any_of PROPERTIES (name), company LABEL company LABEL any_of PROPERTIES (title AS name))
        EDGE TABLES (knows SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id) LABEL knows PROPERTIES (cost + 1 AS cost),
            works SOURCE person DESTINATION company LABEL works PROPERTIES (cost::int + 1 AS cost))";

/// Rows of a call as key and what is said of it.
async fn said(client: &mut Client, call: &str) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for row in client.run(&format!("SELECT * FROM {call}")).await.rows {
        let (value, key) = row.split_last().unwrap();
        assert!(said.insert(key.join("|"), value.clone()).is_none(), "a vertex twice: {call}");
    }
    said
}

fn near(found: &BTreeMap<String, String>, keys: &[String], expected: &[Option<f64>], about: &str) {
    let is_near = |(key, expected): (&String, &Option<f64>)| match (found.get(key), expected) {
        (Some(found), Some(expected)) => (found.parse::<f64>().unwrap() - expected).abs() < 1e-9,
        (None, None) => true,
        _ => false,
    };
    assert!(keys.iter().zip(expected).all(is_near), "{about}: {found:?} is not {expected:?}");
    assert_eq!(found.len(), expected.iter().flatten().count(), "{about}");
}

/// Every function with `arguments` behind its own.
async fn compare(client: &mut Client, world: &World, keys: &[String], sources: &[String], arguments: &str, rng: &SeededRng) {
    let some = |values: Vec<f64>| values.into_iter().map(Some).collect::<Vec<_>>();
    let counts = |values: Vec<usize>| some(values.into_iter().map(|value| value as f64).collect());
    let named = |found: BTreeMap<String, String>, expected: Vec<usize>, about: &str| {
        let expected: BTreeMap<String, String> = keys.iter().cloned().zip(expected.into_iter().map(|at| keys[at].clone())).collect();
        assert_eq!(found, expected, "{about}");
    };
    near(&said(client, &format!("graph_kcore('g'{arguments})")).await, keys, &counts(world.cores()), "kcore");
    let triangles = (0..world.count).map(|vertex| world.triangles(vertex)).collect();
    near(&said(client, &format!("graph_triangle_count(graph => 'g'{arguments})")).await, keys, &counts(triangles), "triangles");
    named(said(client, &format!("graph_wcc('public.g'{arguments})")).await, world.components(), "wcc");
    for is_directed in [true, false] {
        let rest = format!("{arguments}, directed => {is_directed}");
        let source = (rng.next_u64() % world.count.max(1) as u64) as usize;
        if world.count > 0 {
            let depths = world.distances(source, is_directed, |_| 1.0);
            near(&said(client, &format!("graph_bfs('g', {}{rest})", sources[source])).await, keys, &depths, "bfs");
            let costs = world.distances(source, is_directed, |weight| weight);
            let call = format!("graph_sssp('g', source => {}, weight => 'cost'{rest})", sources[source]);
            near(&said(client, &call).await, keys, &costs, "sssp");
            near(&said(client, &format!("graph_sssp('g', {}{rest})", sources[source])).await, keys, &depths, "sssp without weight");
        }
        let ranks = some(world.pagerank(is_directed, 0.7, 7));
        near(&said(client, &format!("graph_pagerank('g', 0.7, 7{rest})")).await, keys, &ranks, "pagerank");
        let clustering = some((0..world.count).map(|vertex| world.clustering(vertex, is_directed)).collect());
        near(&said(client, &format!("graph_lcc('g'{rest})")).await, keys, &clustering, "lcc");
        named(said(client, &format!("graph_cdlp('g', iterations => 3{rest})")).await, world.communities(is_directed, 3), "cdlp");
    }
}

#[tokio::test]
async fn functions_say_what_their_definitions_say() {
    let fixture = Fixture::new();
    for seed in 0..14 {
        let (mut client, rng) = (fixture.session(), SeededRng::new(seed));
        let below = |n: usize| (rng.next_u64() % n as u64) as usize;
        client
            .run(&format!("CREATE SCHEMA s{seed}; DROP PROPERTY GRAPH IF EXISTS g; DROP TABLE IF EXISTS works, knows, company, person"))
            .await;
        client.run(TABLES).await;
        // Rows come in another order than their keys, and half of them are this transaction's own.
        let people: Vec<usize> = (0..below(7)).map(|at| (at * 7 + 3) % 31).collect();
        let companies: Vec<(String, usize)> = (0..below(4)).map(|at| (format!("c{}", 9 - at), at % 2)).collect();
        for id in &people {
            client.run(&format!("INSERT INTO person VALUES ({id}, 'p')")).await;
        }
        client.run("BEGIN").await;
        for (code, branch) in &companies {
            client.run(&format!("INSERT INTO company VALUES ('{code}', {branch}, 't')")).await;
        }
        let (mut sorted, mut coded) = (people.clone(), companies.clone());
        sorted.sort_unstable();
        coded.sort();
        let mut all = World { count: sorted.len() + coded.len(), edges: Vec::new() };
        let mut known = World { count: sorted.len(), edges: Vec::new() };
        for id in 0..if people.is_empty() { 0 } else { below(14) } {
            let (a, cost) = (below(sorted.len()), below(5));
            if coded.is_empty() || below(3) > 0 {
                let b = below(sorted.len());
                client.run(&format!("INSERT INTO knows VALUES ({id}, {}, {}, {cost})", sorted[a], sorted[b])).await;
                all.edges.push((a, b, cost as f64 + 1.0));
                known.edges.push((a, b, cost as f64 + 1.0));
            } else {
                let b = below(coded.len());
                client.run(&format!("INSERT INTO works VALUES ({id}, {}, '{}', {}, {cost})", sorted[a], coded[b].0, coded[b].1)).await;
                all.edges.push((a, sorted.len() + b, cost as f64 + 1.0));
            }
        }
        let person = |id: &usize| format!("{{\"key\": {{\"id\": {id}}}, \"table\": \"person\"}}");
        let company = |(code, branch): &(String, usize)| {
            format!("{{\"key\": {{\"code\": \"{code}\", \"branch\": {branch}}}, \"table\": \"company\"}}")
        };
        let keys: Vec<String> = sorted.iter().map(person).chain(coded.iter().map(company)).collect();
        let sources: Vec<String> = keys.iter().map(|key| format!("'{key}'")).collect();
        compare(&mut client, &all, &keys, &sources, "", &rng).await;
        compare(&mut client, &all, &keys, &sources, ", vertices => 'any_of', edges => 'knows|works'", &rng).await;
        let keys: Vec<String> = sorted.iter().map(ToString::to_string).collect();
        compare(&mut client, &known, &keys, &keys, ", vertices => 'person'", &rng).await;
        client.run("COMMIT").await;
    }
}

/// A line of five with a way back, told by name.
async fn line(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run(TABLES).await;
    client.run("INSERT INTO person SELECT i, 'p' || i FROM generate_series(1, 6) i; INSERT INTO knows SELECT i, i, i + 1, i FROM generate_series(1, 4) i").await;
    client.run("CREATE PROPERTY GRAPH people VERTEX TABLES (person) EDGE TABLES (knows SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id))").await;
    client
}

#[tokio::test]
async fn a_call_is_a_relation_like_any_other() {
    let fixture = Fixture::new();
    let mut client = line(&fixture).await;
    let far = "SELECT name, distance FROM graph_bfs('people', 1) JOIN person USING (id) ORDER BY distance";
    assert_eq!(client.lines(far).await, ["p1|0", "p2|1", "p3|2", "p4|3", "p5|4"]);
    // What a recursive query finds.
    let walked = "WITH RECURSIVE r (id, n) AS (SELECT 1, 0 UNION SELECT b, n + 1 FROM r JOIN knows ON a = r.id WHERE n < 9) \
                  SELECT name, min(n) FROM r JOIN person USING (id) GROUP BY name ORDER BY 2";
    assert_eq!(client.lines(walked).await, client.lines(far).await);
    let answer = client.run("SELECT * FROM graph_sssp('people', 2, 'cost') AS s (who) ORDER BY who").await;
    assert_eq!((answer.columns, answer.rows.len()), (vec!["who".to_owned(), "distance".to_owned()], 4));
    // Lateral, with and without the word, by a bare name, and from a scalar subquery.
    for call in ["graph_bfs('people', p.id)", "LATERAL graph_bfs('people', source => p.id)", "graph_bfs('people', id)"] {
        let sql = format!("SELECT p.id, count(*) FROM person p, {call} f GROUP BY 1 ORDER BY 1");
        assert_eq!(client.lines(&sql).await, ["1|5", "2|4", "3|3", "4|2", "5|1", "6|1"], "{call}");
    }
    let named = "SELECT max(distance) FROM graph_bfs('people', (SELECT id FROM person WHERE name = 'p3'))";
    assert_eq!(client.value(named).await, "2");
    assert_eq!(client.lines("SELECT 1 FROM graph_bfs('people', 77)").await, [""; 0], "no such vertex");
    assert_eq!(client.lines("SELECT 1 FROM graph_bfs('people', NULL)").await, [""; 0]);
    let grouped = "SELECT core, count(*), max(vertex ->> 'table') FROM graph_kcore('g') GROUP BY 1 ORDER BY 1";
    assert_eq!(client.lines(grouped).await, ["0|1|person", "1|5|person"]);
    // Parameters, and a plan that is kept sees what was committed since.
    let prepared = client.prepare("SELECT count(*) FROM graph_bfs('people', $1, directed => $2)", &[]).await.unwrap();
    assert_eq!(client.execute(&prepared, &[Some("3"), Some("t")]).await.unwrap().lines(), ["3"]);
    assert_eq!(client.execute(&prepared, &[Some("3"), Some("f")]).await.unwrap().lines(), ["5"]);
    fixture.session().run("INSERT INTO knows VALUES (9, 5, 6, 1)").await;
    assert_eq!(client.execute(&prepared, &[Some("3"), Some("t")]).await.unwrap().lines(), ["4"]);
    // One snapshot.
    client.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(client.value("SELECT count(*) FROM graph_wcc('people') WHERE component = 1").await, "6");
    fixture.session().run("DELETE FROM knows WHERE id = 9").await;
    assert_eq!(client.value("SELECT count(*) FROM graph_wcc('people') WHERE component = 1").await, "6");
    client.run("COMMIT").await;
    assert_eq!(client.value("SELECT count(*) FROM graph_wcc('people') WHERE component = 1").await, "5");
    // The past.
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("DELETE FROM knows").await;
    assert_eq!(client.value("SELECT count(DISTINCT component) FROM graph_wcc('people')").await, "6");
    client.run(&format!("SET shockwave.as_of = 'COMMIT {before}'")).await;
    assert_eq!(client.value("SELECT count(DISTINCT component) FROM graph_wcc('people')").await, "2");
    client.run("RESET shockwave.as_of").await;
    // As the source of writes, in a cursor, in EXPLAIN.
    client.run("CREATE TABLE ranks AS SELECT id, pagerank FROM graph_pagerank('people')").await;
    assert_eq!(client.value("SELECT round(sum(pagerank)::numeric, 9) FROM ranks").await, "1.000000000");
    client.run("BEGIN; DECLARE c CURSOR FOR SELECT id FROM graph_kcore('people') ORDER BY 1").await;
    assert_eq!(client.lines("FETCH 2 FROM c").await, ["1", "2"]);
    client.run("COMMIT; EXPLAIN SELECT * FROM graph_lcc('people')").await;
}

#[tokio::test]
async fn a_serializable_transaction_notes_what_a_function_read() {
    let fixture = Fixture::new();
    let mut client = line(&fixture).await;
    client.run("BEGIN ISOLATION LEVEL SERIALIZABLE").await;
    assert_eq!(client.value("SELECT count(DISTINCT component) FROM graph_wcc('people')").await, "2");
    fixture.session().run("DELETE FROM knows WHERE id = 2").await;
    client.run("INSERT INTO person VALUES (50, 'alone')").await;
    assert_eq!(client.error("COMMIT").await.state().0, "40001");
}

#[tokio::test]
async fn views_keep_calls_and_follow_their_graphs() {
    let fixture = Fixture::new();
    let mut client = line(&fixture).await;
    client.run("CREATE SCHEMA other; SET search_path = other, public").await;
    client.run("CREATE VIEW near AS SELECT * FROM graph_bfs('people', 2) f WHERE f.distance < 2").await;
    client.run("CREATE VIEW whole AS SELECT f.* FROM graph_wcc(vertices => 'person', graph => 'g') f").await;
    client.run("RESET search_path").await;
    assert_eq!(client.run("SELECT * FROM other.near ORDER BY id").await.columns, ["id", "distance"]);
    assert_eq!(client.lines("SELECT * FROM other.near ORDER BY id").await, ["2|0", "3|1"]);
    assert_eq!(client.error("DROP PROPERTY GRAPH people").await.state().0, "2BP01");
    assert_eq!(client.error("ALTER PROPERTY GRAPH g ALTER VERTEX TABLE person DROP LABEL person").await.state().0, "2BP01");
    client.run("CREATE SCHEMA far; ALTER PROPERTY GRAPH people RENAME TO folk; ALTER PROPERTY GRAPH folk SET SCHEMA far; ALTER TABLE person RENAME TO human").await;
    assert_eq!(client.lines("SELECT * FROM other.near ORDER BY id").await, ["2|0", "3|1"]);
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("DELETE FROM knows").await;
    assert_eq!(client.lines("SELECT * FROM other.near").await, ["2|0"]);
    assert_eq!(client.lines(&format!("SELECT * FROM other.near FOR SYSTEM_TIME AS OF COMMIT {before} ORDER BY id")).await, ["2|0", "3|1"]);
    assert_eq!(client.value("SELECT count(*) FROM other.whole").await, "6");
    client.run("DROP PROPERTY GRAPH far.folk CASCADE").await;
    assert_eq!(client.error("SELECT * FROM other.near").await.state().0, "42P01");
}

#[tokio::test]
async fn rights_are_those_of_the_graph_and_its_tables() {
    let fixture = Fixture::new();
    let mut root = line(&fixture).await;
    root.run("CREATE ROLE ada LOGIN; CREATE VIEW near AS SELECT id FROM graph_bfs('people', 2)").await;
    let mut ada = Client(planner::Session::new(std::sync::Arc::clone(&fixture.database), "ada", "tests"));
    let call = "SELECT count(*) FROM graph_bfs('people', 1)";
    let cheap = "SELECT count(*) FROM graph_sssp('people', 1, 'cost')";
    let refused = "permission denied for";
    assert_eq!(ada.error(call).await.message(), format!("{refused} property graph people"));
    root.run("GRANT SELECT ON PROPERTY GRAPH people TO ada").await;
    assert_eq!(ada.error(call).await.message(), format!("{refused} table person"));
    root.run("GRANT SELECT ON person TO ada").await;
    assert_eq!(ada.error(call).await.message(), format!("{refused} table knows"));
    root.run("GRANT SELECT (a, b) ON knows TO ada").await;
    assert_eq!(ada.value(call).await, "5");
    assert_eq!(ada.error(cheap).await.message(), format!("{refused} table knows"), "the weight's column");
    root.run("GRANT SELECT (cost) ON knows TO ada").await;
    assert_eq!(ada.value(cheap).await, "5");
    root.run("REVOKE ALL ON PROPERTY GRAPH people FROM ada; REVOKE ALL ON person, knows FROM ada; GRANT SELECT ON near TO ada").await;
    assert_eq!(ada.value("SELECT count(*) FROM near").await, "4", "by the rights of the view's owner");
    assert_eq!(ada.error(call).await.state().0, "42501");
}

#[tokio::test]
async fn errors_name_what_would_work() {
    let fixture = Fixture::new();
    let mut client = line(&fixture).await;
    client.run("INSERT INTO knows VALUES (20, 1, 2, NULL), (21, 1, 3, -7); ALTER TABLE knows ADD COLUMN note text").await;
    client.run("CREATE PROPERTY GRAPH noted VERTEX TABLES (person) EDGE TABLES (knows SOURCE KEY (a) REFERENCES person (id) DESTINATION KEY (b) REFERENCES person (id))").await;
    let cases = include_str!("../golden/graph_functions_errors.txt");
    let mut found = String::new();
    for case in cases.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let sql = case.lines().take_while(|line| !line.starts_with("-- ")).collect::<Vec<_>>().join("\n");
        let error = client.error(&sql).await;
        found.push_str(&format!("{sql}\n{}\n\n", shown(&error)));
    }
    crate::graph_table::compare_golden("graph_functions_errors.txt", cases, &found);
}

#[tokio::test]
async fn a_function_ends_with_its_statement_and_keeps_to_its_memory() {
    let fixture = Fixture::new();
    let mut client = line(&fixture).await;
    client.run("INSERT INTO person SELECT i, 'p' FROM generate_series(100, 2099) i; INSERT INTO knows SELECT i, i, 100 + i * 7 % 2000, 1 FROM generate_series(100, 2099) i").await;
    client.run("SET statement_timeout = '300ms'").await;
    assert_eq!(client.error("SELECT count(*) FROM graph_pagerank('people', iterations => 100000)").await.state().0, "57014");
    client.run("SET statement_timeout = 0").await;
    assert_eq!(client.value("SELECT count(*) FROM graph_pagerank('people')").await, "2006");
}
