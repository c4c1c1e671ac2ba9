//! Ids of elements, and what paths pass: joins and searches have to tell the same.

use base::{Rng, SeededRng};

use crate::fixture::{Client, Fixture};
use crate::graph_table::{matches, social};

fn id(table: &str, key: &str) -> String {
    format!("{{\"key\": {{{key}}}, \"table\": \"{table}\"}}")
}

#[tokio::test]
async fn an_id_tells_an_element_from_all_others() {
    let (_fixture, mut client) = social().await;
    let person = |at: i32| id("person", &format!("\"id\": {at}"));
    let found = matches(&mut client, "(a IS town) COLUMNS (element_id(a) AS id)").await;
    assert_eq!(found, [id("town", "\"code\": \"L\""), id("town", "\"code\": \"T\"")]);
    let of_edge =
        matches(&mut client, "(a IS person WHERE a.id = 1)-[w IS works]->(b) COLUMNS (element_id(w) AS id, element_id(b) AS at)").await;
    assert_eq!(of_edge, [format!("{}|{}", id("works", "\"at\": 1, \"who\": 1"), id("company", "\"id\": 1"))]);
    let elements = "SELECT count(*), count(DISTINCT id) FROM GRAPH_TABLE (social MATCH (a) COLUMNS (element_id(a) AS id))";
    assert_eq!(client.lines(elements).await, ["8|8"]);
    // In conditions, of an element's own pattern too.
    let loops = matches(&mut client, "(a)-[IS knows]->(b) WHERE element_id(a) = element_id(b) COLUMNS (a.name)").await;
    assert_eq!(loops, ["Dee"]);
    let own = format!("(a IS person WHERE element_id(a) = '{}'::jsonb) COLUMNS (a.name)", person(2));
    assert_eq!(matches(&mut client, &own).await, ["Bob"]);
    let inner = "(a WHERE a.id = 1) ((x)-[k IS knows]->(y) WHERE element_id(k) ->> 'table' = 'knows'){2} (b) COLUMNS (b.name)";
    assert_eq!(matches(&mut client, inner).await, ["Ada", "Cyd"]);
    // What did not match has none.
    let perhaps = "(a WHERE a.id = 4)-[w IS works]->?(c) COLUMNS (element_id(w) AS w, element_id(c) AS c)";
    assert_eq!(matches(&mut client, perhaps).await, [format!("∅|{}", person(4))]);
    let choice =
        "(a WHERE a.id = 4) ((x)-[k IS knows]->(y) |+| (x2)-[l IS lives]->(y2)) (b) COLUMNS (element_id(k) AS k, element_id(l) AS l)";
    assert_eq!(matches(&mut client, choice).await, [format!("{}|∅", id("knows", "\"id\": 14"))]);
    let nothing = "(a IS town)-[]->(b IS town) COLUMNS (element_id(a) AS a)";
    assert_eq!(matches(&mut client, nothing).await, [""; 0]);
    // The same ids as graph functions give.
    let ranked = "SELECT name FROM GRAPH_TABLE (social MATCH (a IS named) COLUMNS (a.name, element_id(a) AS vertex)) \
                  JOIN graph_kcore('social') USING (vertex) WHERE core = 2 ORDER BY 1";
    assert_eq!(client.lines(ranked).await, ["Acme", "Ada", "Bob", "Cyd"]);
    let from = "SELECT count(*) FROM GRAPH_TABLE (social MATCH (a IS person WHERE a.id = 1)-[IS works]->(c) COLUMNS (element_id(a) AS ada)), \
                graph_bfs('social', ada) WHERE distance > 0";
    assert_eq!(client.value(from).await, "6");
}

#[tokio::test]
async fn a_path_tells_what_it_passes() {
    let (_fixture, mut client) = social().await;
    let person = |at: i32| id("person", &format!("\"id\": {at}"));
    let edge = |at: i32| id("knows", &format!("\"id\": {at}"));
    let two = "p = (a IS person WHERE a.id = 1)-[IS knows]->{2}(b IS person WHERE b.id = 3) COLUMNS (vertices(p) AS v, edges(p) AS e, nodes(p) = vertices(p) AS n)";
    let told = format!("[{}, {}, {}]|[{}, {}]|t", person(1), person(2), person(3), edge(10), edge(11));
    assert_eq!(matches(&mut client, two).await, [told]);
    let none = "p = (a IS person WHERE a.id = 1)-[IS knows]->{,1}(b IS person WHERE b.id = 1) COLUMNS (vertices(p) AS v, edges(p) AS e)";
    assert_eq!(matches(&mut client, none).await, [format!("[{}]|[]", person(1))]);
    let back = "p = (a IS person WHERE a.id = 2)<-[IS knows]-(b) COLUMNS (edges(p) AS e, vertices(p) -> 1 AS from)";
    assert_eq!(matches(&mut client, back).await, [format!("[{}]|{}", edge(10), person(1))]);
    let searched = "p = ANY SHORTEST (a IS person WHERE a.id = 2)-[IS knows]->*(b IS person WHERE b.id = 1) \
                    COLUMNS (vertices(p) AS v, edges(p) AS e, path_length(p) AS n, b.name)";
    let told = format!("[{}, {}, {}]|[{}, {}]|2|Ada", person(2), person(3), person(1), edge(11), edge(12));
    assert_eq!(matches(&mut client, searched).await, [told]);
    let through = "p = ALL SHORTEST (a IS person WHERE a.id = 1)-[]-+(b IS company) WHERE jsonb_array_length(vertices(p)) > 2 COLUMNS (edges(p) -> -1 AS e)";
    // Two edges lead from Ada to Cyd.
    assert_eq!(matches(&mut client, through).await, vec![id("works", "\"at\": 2, \"who\": 3"); 2]);
}

/// Trails of all lengths: searched one by one, and written out as joins.
#[tokio::test]
async fn searches_pass_what_joins_pass() {
    let fixture = Fixture::new();
    let (mut client, rng) = (fixture.session(), SeededRng::new(17));
    let below = |n: u64| rng.next_u64() % n;
    client
        .run(
            "CREATE TABLE a (k1 int, k2 text, PRIMARY KEY (k1, k2)); CREATE TABLE b (at date PRIMARY KEY);
             CREATE TABLE aa (id int PRIMARY KEY, f1 int, f2 text, t1 int, t2 text, FOREIGN KEY (f1, f2) REFERENCES a, FOREIGN KEY (t1, t2) REFERENCES a);
             CREATE TABLE ab (id numeric(8,2) PRIMARY KEY, f1 int, f2 text, t date REFERENCES b, FOREIGN KEY (f1, f2) REFERENCES a);
             CREATE TABLE ba (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), f date REFERENCES b, t1 int, t2 text, FOREIGN KEY (t1, t2) REFERENCES a);
             CREATE PROPERTY GRAPH g VERTEX TABLES (a NO PROPERTIES, b AS bee NO PROPERTIES) EDGE TABLES
                (aa SOURCE KEY (f1, f2) REFERENCES a (k1, k2) DESTINATION KEY (t1, t2) REFERENCES a (k1, k2) NO PROPERTIES,
                 ab SOURCE a DESTINATION bee NO PROPERTIES, ba SOURCE bee DESTINATION a NO PROPERTIES);
             INSERT INTO a VALUES (1, 'x'), (1, 'y\"'), (2, 'x'); INSERT INTO b VALUES ('2024-02-29'), ('1999-01-01')",
        )
        .await;
    let (vertices, days) = (["1, 'x'", "1, 'y\"'", "2, 'x'"], ["'2024-02-29'", "'1999-01-01'"]);
    for round in 0..6 {
        client.run("DELETE FROM aa; DELETE FROM ab; DELETE FROM ba").await;
        for at in 0..2 + below(4) {
            let (one, other, day) = (vertices[below(3) as usize], vertices[below(3) as usize], days[below(2) as usize]);
            let sql = match below(3) {
                0 => format!("INSERT INTO aa VALUES ({at}, {one}, {other})"),
                1 => format!("INSERT INTO ab VALUES ({at}.5, {one}, {day})"),
                _ => format!("INSERT INTO ba (f, t1, t2) VALUES ({day}, {one})"),
            };
            client.run(&sql).await;
        }
        for (left, right, mode) in [("-[]-", ">", "TRAIL"), ("<-[]-", "", "ACYCLIC"), ("-[]-", ">", "SIMPLE")] {
            let ask = |quantifier: &str| {
                format!(
                    "SELECT v, e, n FROM GRAPH_TABLE (g MATCH p = {mode} (x){left}{right}{quantifier}(y) \
                     COLUMNS (vertices(p) AS v, edges(p) AS e, path_length(p) AS n)) ORDER BY 1, 2, 3"
                )
            };
            let (searched, joined) = (client.lines(&ask("+")).await, client.lines(&ask("{1,6}")).await);
            assert_eq!(searched, joined, "round {round}: {mode} {left}{right}");
        }
        // Undirected, of few lengths: every edge either way.
        let ask = |quantifier: &str, around: &str| {
            format!(
                "SELECT v, e FROM GRAPH_TABLE (g MATCH p = TRAIL (x IS a)-[IS aa|ab]-{quantifier}(y) COLUMNS (vertices(p) AS v, edges(p) AS e, \
                 path_length(p) AS n)) {around} ORDER BY 1, 2"
            )
        };
        let (searched, joined) = (client.lines(&ask("+", "WHERE n < 3")).await, client.lines(&ask("{1,2}", "")).await);
        assert_eq!(searched, joined, "round {round}: undirected");
    }
}

#[tokio::test]
async fn a_search_asks_for_the_tables_that_it_passes() {
    let (fixture, mut root) = social().await;
    root.run("CREATE ROLE ada LOGIN; GRANT SELECT ON PROPERTY GRAPH social TO ada; GRANT SELECT ON person TO ada").await;
    let mut ada = Client(planner::Session::new(std::sync::Arc::clone(&fixture.database), "ada", "tests"));
    let ask = |columns: &str| {
        format!(
            "SELECT * FROM GRAPH_TABLE (social MATCH p = ANY SHORTEST (a IS person WHERE a.id = 1)-[IS knows]->+(b IS person) COLUMNS ({columns}))"
        )
    };
    let refused = |error: base::SqlError| (error.state().0, error.message().to_owned());
    let table = |name: &str| ("42501", format!("permission denied for table {name}"));
    assert_eq!(refused(ada.error(&ask("b.id")).await), table("knows"));
    root.run("GRANT SELECT (a, b) ON knows TO ada").await;
    assert_eq!(ada.lines(&ask("b.id")).await.len(), 3);
    // A path may pass vertices of any table.
    assert_eq!(ada.error(&ask("edges(p) AS e")).await.state().0, "42501");
    root.run("GRANT SELECT (id) ON company TO ada; GRANT SELECT (code) ON town TO ada").await;
    assert_eq!(refused(ada.error(&ask("edges(p) AS e")).await), table("knows"), "the key of an edge");
    root.run("GRANT SELECT (id) ON knows TO ada").await;
    assert_eq!(ada.lines(&ask("edges(p) AS e")).await.len(), 3);
    root.run("REVOKE SELECT (b) ON knows FROM ada").await;
    assert_eq!(refused(ada.error(&ask("b.id")).await), table("knows"));
}

#[tokio::test]
async fn a_search_stands_beside_bare_names_of_relations_around() {
    let (_fixture, mut client) = social().await;
    let sql = "SELECT name, n FROM town t, GRAPH_TABLE (social MATCH p = ANY SHORTEST (a IS person WHERE a.id = 1)-[]->+(b IS town WHERE b.code = code) \
               COLUMNS (path_length(p) AS n)) ORDER BY 1";
    assert_eq!(client.lines(sql).await, ["London|2", "Turin|1"]);
}
