//! MATCH behind MATCH, unions of path patterns, conditions on what a search passes, subqueries in a pattern, names of paths in parentheses, and rows that are
//! not a match each. Random ones of the first three are compared in `graph_oracle`.

use crate::fixture::{Client, as_role};
use crate::graph_table::{matches, social};

/// That patterns have these rows, by joins and by operators.
async fn expect(client: &mut Client, cases: &[(&str, &[&str])]) {
    for operators in ["off", "on"] {
        client.run(&format!("SET shockwave.graph_operators = {operators}")).await;
        for (pattern, rows) in cases {
            assert_eq!(matches(client, pattern).await, *rows, "operators {operators}: {pattern}");
        }
    }
}

#[tokio::test]
async fn each_match_has_to_match() {
    let (_fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 7] = [
        ("(p IS person) MATCH (p)-[IS works]->(c) COLUMNS (p.name, c.title)", &["Ada|Acme", "Bob|Acme", "Cyd|Bits"]),
        ("(p IS person) WHERE p.age > 30 MATCH (p)-[IS knows]->(q) WHERE q.age > p.age COLUMNS (p.name, q.name AS other)", &["Ada|Cyd"]),
        // What is optional in between is kept, and is none of its business.
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) MATCH (p)-[IS knows]->(q) COLUMNS (p.name, c.title, q.name AS other)",
            &["Ada|Acme|Bob", "Ada|Acme|Cyd", "Bob|Acme|Cyd", "Cyd|Bits|Ada", "Dee|∅|Dee"],
        ),
        // What is NULL matches nothing.
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) MATCH (c)<-[IS works]-(q) WHERE q.id <> p.id COLUMNS (p.name, q.name AS other)",
            &["Ada|Bob", "Bob|Ada"],
        ),
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) MATCH (p)-[IS lives]->(t) WHERE c.title = 'Acme' COLUMNS (p.name, t.code)",
            &["Ada|T", "Bob|L"],
        ),
        (
            "(p IS person) OPTIONAL { MATCH (p)-[IS knows]->(q) MATCH (q)-[IS works]->(c) WHERE c.title = 'Bits' } COLUMNS (p.name, q.name AS other)",
            &["Ada|Cyd", "Bob|Cyd", "Cyd|∅", "Dee|∅"],
        ),
        // KEEP is of its own MATCH.
        (
            "(a IS person WHERE a.id = 1)-[IS knows]->{2}(b) MATCH (b)-[IS knows]->{1,2}(c) KEEP ACYCLIC WHERE c.id = 1 COLUMNS (b.name)",
            &["Cyd"],
        ),
    ];
    expect(&mut client, &cases).await;
    let early = "SELECT * FROM GRAPH_TABLE (social MATCH (p IS person) WHERE q.id = 1 MATCH (p)-[IS knows]->(q) COLUMNS (p.id))";
    let error = client.error(early).await;
    assert_eq!((error.state().0, error.message()), ("42P01", "invalid reference to vertex variable \"q\""));
    client
        .run("CREATE VIEW w AS SELECT * FROM GRAPH_TABLE (social MATCH (p IS person) WHERE p.id < 3 MATCH (p)-[IS works]->(c) COLUMNS (p.name, c.title))")
        .await;
    assert_eq!(client.lines("SELECT * FROM w ORDER BY 1").await, ["Ada|Acme", "Bob|Acme"]);
}

#[tokio::test]
async fn a_search_asks_what_it_passes() {
    let (fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 5] = [
        (
            "p = ANY SHORTEST (a IS person WHERE a.id < 3) ((x)-[IS knows]->(y) WHERE x.age < y.age)+ (b) COLUMNS (a.name, b.name AS to, path_length(p) AS n)",
            &["Ada|Cyd|1", "Bob|Cyd|1"],
        ),
        (
            "p = TRAIL (a IS person WHERE a.id = 1) ((x)-[k IS knows]->(y WHERE y.age > 30) WHERE k.since > 2001)+ (b) COLUMNS (b.name, path_length(p) AS n)",
            &["Ada|2", "Cyd|1"],
        ),
        ("ANY SHORTEST (a IS person WHERE a.id = 1) ((x)-[]->(y IS person))+ (b) COLUMNS (b.name)", &["Ada", "Bob", "Cyd"]),
        ("ANY SHORTEST (a IS town WHERE a.code = 'L') ((x IS town)<-[IS lives]-(y))+ (b) COLUMNS (b.name)", &["Bob"]),
        // Backwards, and between two keys.
        (
            "p = ANY SHORTEST (a IS person WHERE a.id = 3) ((x)<-[IS knows]-(y) WHERE x.age > y.age)* (b IS person WHERE b.id = 2) COLUMNS (path_length(p) AS n)",
            &["1"],
        ),
    ];
    expect(&mut client, &cases).await;
    client.run("CREATE ROLE ada; GRANT SELECT ON PROPERTY GRAPH social TO ada; GRANT SELECT ON knows TO ada; GRANT SELECT (id) ON person TO ada").await;
    let mut ada = as_role(&fixture, "ada");
    let ask = "SELECT * FROM GRAPH_TABLE (social MATCH ANY SHORTEST (a IS person WHERE a.id = 2) ((x)-[IS knows]->(y) WHERE x.age < y.age)+ (b IS person) COLUMNS (b.id))";
    assert_eq!(ada.error(ask).await.state().0, "42501");
    client.run("GRANT SELECT (age) ON person TO ada").await;
    assert_eq!(ada.lines(ask).await, ["3"]);
}

#[tokio::test]
async fn a_union_has_each_match_once() {
    let (_fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 6] = [
        (
            "(a IS person WHERE a.id = 1) ((x)-[k IS knows]->(y) | (x)-[k IS knows]-(y)) (b) COLUMNS (b.name, k.since)",
            &["Bob|2001", "Cyd|2003", "Cyd|2004"],
        ),
        (
            "(a IS person WHERE a.id = 1) ((x)-[k IS knows]->(y) |+| (x)-[k IS knows]-(y)) (b) COLUMNS (b.name, k.since)",
            &["Bob|2001", "Bob|2001", "Cyd|2003", "Cyd|2004", "Cyd|2004"],
        ),
        // Under another name it is another match.
        (
            "(a IS person WHERE a.id = 1) ((x)-[k IS knows]->(y) | (x)-[l IS knows]->(y)) (b) COLUMNS (k.since, l.since AS l)",
            &["2001|∅", "2004|∅", "∅|2001", "∅|2004"],
        ),
        // A loop is the same whichever way it is passed.
        (
            "p = (a IS person WHERE a.id = 4)-[IS knows]->(b) | (a)<-[IS knows]-(b) COLUMNS (path_length(p) AS n, b.name)",
            &["1|Ada", "1|Ada", "1|Bob", "1|Cyd", "1|Dee"],
        ),
        (
            "(a IS person WHERE a.id = 1) (()-[k IS knows WHERE k.since < 2004]->() | ()-[k IS knows]->()){2} (b) COLUMNS (b.name)",
            &["Ada", "Cyd"],
        ),
        (
            "(p IS person WHERE p.age > 30) | (p IS person WHERE p.age > 40) | (p IS town) COLUMNS (p.name)",
            &["Ada", "Cyd", "London", "Turin"],
        ),
    ];
    expect(&mut client, &cases).await;
}

#[tokio::test]
async fn subqueries_stand_in_patterns() {
    let (_fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 7] = [
        ("(p IS person) WHERE p.age > (SELECT avg(x.age) FROM person x) COLUMNS (p.name)", &["Cyd"]),
        ("(p IS person) WHERE EXISTS (SELECT 1 FROM works w WHERE w.who = p.id AND w.at = 2) COLUMNS (p.name)", &["Cyd"]),
        ("(p IS person) WHERE EXISTS (SELECT 1 FROM works WHERE who = p.id AND at = 2) COLUMNS (p.name)", &["Cyd"]),
        ("(p IS person) WHERE NOT EXISTS (SELECT 1 FROM works w WHERE w.who = p.id) COLUMNS (p.name)", &["Dee"]),
        ("(p IS person) COLUMNS (p.name, (SELECT count(*) FROM knows k WHERE k.a = p.id) AS n)", &["Ada|2", "Bob|1", "Cyd|1", "Dee|1"]),
        (
            "(p IS person WHERE p.id IN (SELECT w.who FROM works w WHERE w.at = 1))-[IS knows]->(q) COLUMNS (p.name, q.name AS other)",
            &["Ada|Bob", "Ada|Cyd", "Bob|Cyd"],
        ),
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS knows]->(q) WHERE q.id IN (SELECT w.who FROM works w WHERE w.at = 2) COLUMNS (p.name, q.name AS other)",
            &["Ada|Cyd", "Bob|Cyd", "Cyd|∅", "Dee|∅"],
        ),
    ];
    expect(&mut client, &cases).await;
    let view = "CREATE VIEW w AS SELECT * FROM GRAPH_TABLE (social MATCH (p IS person) WHERE p.age > (SELECT avg(x.age) FROM person x) COLUMNS (p.name))";
    assert_eq!(client.error(view).await.message(), "a view over GRAPH_TABLE with a subquery in it is not supported");
    // Its tables are opened as the query's own.
    client.run("CREATE ROLE half; GRANT SELECT ON PROPERTY GRAPH social TO half; GRANT SELECT ON person TO half; SET ROLE half").await;
    let ask =
        "SELECT * FROM GRAPH_TABLE (social MATCH (p IS person) WHERE EXISTS (SELECT 1 FROM works w WHERE w.who = p.id) COLUMNS (p.name))";
    assert_eq!(client.error(ask).await.state().0, "42501");
}

#[tokio::test]
async fn paths_in_parentheses_have_names() {
    let (_fixture, mut client) = social().await;
    let works = |who: i32, at: i32| format!("[{{\"key\": {{\"at\": {at}, \"who\": {who}}}, \"table\": \"works\"}}]");
    let (of_bob, of_cyd) = (format!("Acme|1|{}", works(2, 1)), format!("Bits|1|{}", works(3, 2)));
    let cases: [(&str, &[&str]); 4] = [
        (
            "(a IS person WHERE a.id = 1)-[IS knows]->(m) (p = (x)-[IS works]->(y)) (b) COLUMNS (b.title, path_length(p) AS n, edges(p) AS e)",
            &[&of_bob, &of_cyd],
        ),
        (
            "q = (a IS person WHERE a.id = 1) (p = (x)-[IS knows]->(y)-[IS knows]->(z) WHERE path_length(p) = 2)-[IS works]->(b) \
             COLUMNS (path_length(p) AS p, path_length(q) AS q, b.title)",
            &["2|3|Acme", "2|3|Bits"],
        ),
        (
            "(a IS person) OPTIONAL MATCH (a) (p = (x)-[IS works]->(y)) (b) COLUMNS (a.name, path_length(p) AS n)",
            &["Ada|1", "Bob|1", "Cyd|1", "Dee|∅"],
        ),
        (
            "(a IS person WHERE a.id = 1) ((p = (x)-[IS works]->(y)) |+| (r = (x2)-[IS lives]->(y2))) (b) COLUMNS (path_length(p) AS p, path_length(r) AS r)",
            &["1|∅", "∅|1"],
        ),
    ];
    expect(&mut client, &cases).await;
    for (pattern, state, message) in [
        ("(a) (p = (x)-[IS knows]->(y)){2} (b)", "0A000", "a variable of a path that is repeated is not supported"),
        ("p = (a) (p = (x)-[IS knows]->(y)) (b)", "42601", "path variable \"p\" is declared more than once"),
    ] {
        let error = client.error(&format!("SELECT 1 FROM GRAPH_TABLE (social MATCH {pattern} COLUMNS (1 AS one))")).await;
        assert_eq!((error.state().0, error.message()), (state, message), "{pattern}");
    }
}

#[tokio::test]
async fn a_row_can_be_a_vertex_or_a_step() {
    let (_fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 4] = [
        (
            "p = (a IS person WHERE a.id = 1)-[IS knows]->{1,2}(b IS person WHERE b.id = 3) ONE ROW PER VERTEX (v) COLUMNS (path_length(p) AS n, v.name)",
            &["1|Ada", "1|Cyd", "2|Ada", "2|Bob", "2|Cyd"],
        ),
        (
            "p = (a IS person WHERE a.id = 1)-[IS knows]->(b)-[IS works]->(c), (x IS town WHERE x.code = 'L') ONE ROW PER STEP (v, e, w) IN (p) \
             COLUMNS (b.name, v.name AS f, e.since, w.title)",
            &["Bob|Ada|2001|∅", "Bob|Bob|∅|Acme", "Cyd|Ada|2004|∅", "Cyd|Cyd|∅|Bits"],
        ),
        // Without an edge there is a step all the same.
        (
            "p = (a IS person WHERE a.id = 4)-[IS works]->{,1}(b) ONE ROW PER STEP (v, e, w) COLUMNS (v.name, element_id(e) AS e, w.title)",
            &["Dee|∅|∅"],
        ),
        ("(a IS person)-[IS works]->(c) WHERE c.title = 'Bits' ONE ROW PER NODE (v) COLUMNS (v.name)", &["Bits", "Cyd"]),
    ];
    expect(&mut client, &cases).await;
    client.run("CREATE VIEW w AS SELECT * FROM GRAPH_TABLE (social MATCH p = (a)-[IS works]->(b) ONE ROW PER VERTEX (v) IN (p) COLUMNS (v.name))").await;
    assert_eq!(client.value("SELECT count(*) FROM w").await, "6");
    for (pattern, state, message) in [
        (
            "p = ANY SHORTEST (a)-[IS knows]->*(b) ONE ROW PER VERTEX (v)",
            "0A000",
            "a row for each vertex or step of a path that is searched, or optional is not supported",
        ),
        ("(a), (b) ONE ROW PER VERTEX (v)", "42601", "one of several paths has to be named"),
        ("(a) ONE ROW PER VERTEX (v) IN (q)", "42P01", "path variable \"q\" does not exist"),
        ("(a) ONE ROW PER STEP (a, e, b)", "42601", "variable \"a\" is declared more than once"),
        ("(a) WHERE v.name = 'Ada' ONE ROW PER VERTEX (v)", "42P01", "invalid reference to vertex variable \"v\""),
    ] {
        let error = client.error(&format!("SELECT 1 FROM GRAPH_TABLE (social MATCH {pattern} COLUMNS (1 AS one))")).await;
        assert_eq!((error.state().0, error.message()), (state, message), "{pattern}");
    }
}
