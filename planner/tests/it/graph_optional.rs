//! OPTIONAL in GRAPH_TABLE: what is kept where a part does not match, what a part's WHERE decides, and that it stands wherever a pattern may.
//! Random patterns are compared in `graph_oracle`.

use crate::fixture::Client;
use crate::graph_table::social;

/// The rows of a pattern with so many columns.
async fn matches(client: &mut Client, pattern: &str, columns: usize) -> Vec<String> {
    let order: Vec<String> = (1..=columns).map(|at| at.to_string()).collect();
    let mut lines = client.lines(&format!("SELECT * FROM GRAPH_TABLE (social MATCH {pattern}) ORDER BY {}", order.join(", "))).await;
    lines.sort();
    lines
}

#[tokio::test]
async fn parts_that_do_not_match_are_null() {
    let (_fixture, mut client) = social().await;
    let cases: [(&str, &[&str]); 16] = [
        ("(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) COLUMNS (p.name, c.title)", &["Ada|Acme", "Bob|Acme", "Cyd|Bits", "Dee|∅"]),
        // WHERE of a part decides whether it matches, that of MATCH what there is.
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) WHERE c.title = 'Acme' COLUMNS (p.name, c.title)",
            &["Ada|Acme", "Bob|Acme", "Cyd|∅", "Dee|∅"],
        ),
        (
            "(p IS person) OPTIONAL MATCH (p)-[k IS knows]->(q) WHERE q.age > p.age AND k.since > 2001 COLUMNS (p.name, q.name AS other)",
            &["Ada|Cyd", "Bob|Cyd", "Cyd|∅", "Dee|∅"],
        ),
        ("(p IS person) WHERE p.age > 30 OPTIONAL MATCH (p)-[IS lives]->(t) COLUMNS (p.name, t.code)", &["Ada|T", "Cyd|T"]),
        (
            "(p IS person) OPTIONAL MATCH (p WHERE p.age > 30)-[IS works]->(c) COLUMNS (p.name, c.title)",
            &["Ada|Acme", "Bob|∅", "Cyd|Bits", "Dee|∅"],
        ),
        // Several, each beside what was there before it.
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) OPTIONAL MATCH (p)-[IS lives]->(t) COLUMNS (p.name, c.title, t.code)",
            &["Ada|Acme|T", "Bob|Acme|L", "Cyd|Bits|T", "Dee|∅|∅"],
        ),
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS works]->(c) OPTIONAL MATCH (c)<-[IS works]-(q) WHERE q.id <> p.id \
             COLUMNS (p.name, c.title, q.name AS colleague)",
            &["Ada|Acme|Bob", "Bob|Acme|Ada", "Cyd|Bits|∅", "Dee|∅|∅"],
        ),
        // One within another: of the inner one there is nothing where the outer one does not match.
        (
            "(p IS person) OPTIONAL { MATCH (p)-[IS knows]->(q) WHERE q.id <> p.id OPTIONAL MATCH (q)-[IS works]->(c) WHERE c.title = 'Bits' } \
             COLUMNS (p.name, q.name AS other, c.title)",
            &["Ada|Bob|∅", "Ada|Cyd|Bits", "Bob|Cyd|Bits", "Cyd|Ada|∅", "Dee|∅|∅"],
        ),
        (
            "(p IS person) OPTIONAL (MATCH (p)-[IS knows]->(q) OPTIONAL MATCH (q)-[IS knows]->(r) WHERE r.age > p.age) \
             COLUMNS (p.name, q.name AS q, r.name AS r)",
            &["Ada|Bob|Cyd", "Ada|Cyd|∅", "Bob|Cyd|Ada", "Cyd|Ada|∅", "Dee|Dee|∅"],
        ),
        // Edges of two tables, and what they lead to as the beginning of the next part.
        (
            "(p IS person) OPTIONAL MATCH (p)-[IS of]->(x) COLUMNS (p.name, x.title, x.code)",
            &["Ada|Acme|∅", "Ada|∅|T", "Bob|Acme|∅", "Bob|∅|L", "Cyd|Bits|∅", "Cyd|∅|T", "Dee|∅|∅"],
        ),
        (
            "(p IS person WHERE p.id IN (1, 4)) OPTIONAL MATCH (p)-[IS of]->(x) OPTIONAL MATCH (x)<-[IS of]-(q) WHERE q.id <> p.id \
             COLUMNS (p.name, x.code, x.title, q.name AS other)",
            &["Ada|T|∅|Cyd", "Ada|∅|Acme|Bob", "Dee|∅|∅|∅"],
        ),
        // Both ways between what is known.
        (
            "(p IS person), (q IS person) WHERE p.id < q.id OPTIONAL MATCH (p)-[k IS knows]-(q) COLUMNS (p.id AS a, q.id AS b, k.since)",
            &["1|2|2001", "1|3|2003", "1|3|2004", "1|4|∅", "2|3|2002", "2|4|∅", "3|4|∅"],
        ),
        ("(c IS company) OPTIONAL MATCH (t IS town WHERE t.code = 'X') COLUMNS (c.title, t.code)", &["Acme|∅", "Bits|∅"]),
        // No element of a table that the part does not admit.
        ("(c IS company) OPTIONAL MATCH (c IS town) COLUMNS (c.title)", &["Acme", "Bits"]),
        (
            "(p IS person) OPTIONAL MATCH w = (p)-[IS knows]->{2}(q WHERE q.id = 2) COLUMNS (p.name, path_length(w) AS n)",
            &["Ada|∅", "Bob|∅", "Cyd|2", "Dee|∅"],
        ),
        (
            "(p IS person WHERE p.id = 4) OPTIONAL MATCH w = (p)-[IS works]->(c) \
             COLUMNS (element_id(c) AS c, vertices(w) AS v, path_length(w) AS n, coalesce(c.title, 'none') AS t)",
            &["∅|∅|∅|none"],
        ),
    ];
    for operators in ["off", "on"] {
        client.run(&format!("SET shockwave.graph_operators = {operators}")).await;
        for (pattern, rows) in cases {
            assert_eq!(matches(&mut client, pattern, rows[0].split('|').count()).await, rows, "operators {operators}: {pattern}");
        }
    }
}

#[tokio::test]
async fn searches_stand_in_optional_parts() {
    let (_fixture, mut client) = social().await;
    for (pattern, rows) in [
        (
            "(p IS person) OPTIONAL MATCH w = ANY SHORTEST (p)-[IS knows]->+(q IS person WHERE q.id = 2) COLUMNS (p.name, path_length(w) AS n)",
            &["Ada|1", "Bob|3", "Cyd|2", "Dee|∅"][..],
        ),
        (
            "(p IS person), (q IS person) WHERE p.id = 4 OPTIONAL MATCH w = TRAIL (p)-[IS knows]->+(q) COLUMNS (q.name, path_length(w) AS n)",
            &["Ada|∅", "Bob|∅", "Cyd|∅", "Dee|1"],
        ),
    ] {
        assert_eq!(matches(&mut client, pattern, rows[0].split('|').count()).await, rows, "{pattern}");
    }
}

/// What every value around a pattern does, it does around optional parts.
#[tokio::test]
async fn optional_parts_stand_wherever_a_pattern_does() {
    let (_fixture, mut client) = social().await;
    let lateral = "SELECT t.code, q.* FROM town t, GRAPH_TABLE (social MATCH (p IS person WHERE p.id < 3) \
        OPTIONAL MATCH (p)-[IS lives]->(x WHERE x.code = t.code) COLUMNS (p.name, x.name AS town)) q ORDER BY 1, 2";
    assert_eq!(client.lines(lateral).await, ["L|Ada|∅", "L|Bob|London", "T|Ada|Turin", "T|Bob|∅"]);
    let across = "SELECT v.least, q.* FROM (VALUES (30), (60)) AS v (least), GRAPH_TABLE (social MATCH (p IS person WHERE p.id < 3) \
        OPTIONAL MATCH (p)-[IS knows]->(q) WHERE q.age > least AND q.age > p.age COLUMNS (p.name, q.name AS other)) q ORDER BY 1, 2";
    assert_eq!(client.lines(across).await, ["30|Ada|Cyd", "30|Bob|Cyd", "60|Ada|∅", "60|Bob|∅"]);
    client
        .run("PREPARE k (int) AS SELECT * FROM GRAPH_TABLE (social MATCH (p IS person WHERE p.id = $1) OPTIONAL MATCH (p)-[IS works]->(c) COLUMNS (p.name, c.title))")
        .await;
    assert_eq!(client.lines("EXECUTE k(4)").await, ["Dee|∅"]);
    assert_eq!(client.lines("EXECUTE k(1)").await, ["Ada|Acme"]);
    client
        .run("CREATE VIEW w AS SELECT * FROM GRAPH_TABLE (social MATCH (p IS person) OPTIONAL { MATCH (p)-[IS knows]->(q) OPTIONAL MATCH (q)-[IS works]->(c) WHERE c.title = 'Bits' } COLUMNS (p.name, q.name AS other, c.title))")
        .await;
    let view = "SELECT * FROM w ORDER BY 1, 2";
    let rows = ["Ada|Bob|∅", "Ada|Cyd|Bits", "Bob|Cyd|Bits", "Cyd|Ada|∅", "Dee|Dee|∅"];
    assert_eq!(client.lines(view).await, rows);
    let kept = client.value("SELECT pg_get_viewdef('w'::regclass)").await;
    assert!(kept.contains("OPTIONAL { MATCH (p)-[IS knows]->(q) OPTIONAL MATCH (q)-[IS works]->(c) WHERE c.title = 'Bits' }"), "{kept}");
    let commit = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("DELETE FROM works; DELETE FROM knows WHERE a = 1").await;
    assert_eq!(client.lines(view).await, ["Ada|∅|∅", "Bob|Cyd|∅", "Cyd|Ada|∅", "Dee|Dee|∅"]);
    let then = format!(
        "SELECT * FROM GRAPH_TABLE (social FOR SYSTEM_TIME AS OF COMMIT {commit} MATCH (p IS person) OPTIONAL MATCH (p)-[IS works]->(c) COLUMNS (p.name, c.title)) ORDER BY 1"
    );
    assert_eq!(client.lines(&then).await, ["Ada|Acme", "Bob|Acme", "Cyd|Bits", "Dee|∅"]);
    // Rights are asked for what a part reads, too.
    client.run("CREATE ROLE half; GRANT SELECT ON PROPERTY GRAPH social TO half; GRANT SELECT ON person TO half; SET ROLE half").await;
    assert_eq!(matches(&mut client, "(p IS person WHERE p.id = 1) COLUMNS (p.name)", 1).await, ["Ada"]);
    let error =
        client.error("SELECT * FROM GRAPH_TABLE (social MATCH (p IS person) OPTIONAL MATCH (p)-[IS lives]->(t) COLUMNS (p.name))").await;
    assert_eq!(error.state().0, "42501");
}

/// Joined to the left along edges, a part is one of the operators' own.
#[tokio::test]
async fn operators_answer_optional_parts() {
    let (_fixture, mut client) = social().await;
    client.run("SET shockwave.graph_operators = on").await;
    let sql = "SELECT count(*) FROM GRAPH_TABLE (social MATCH (a IS person)-[IS knows]->(b IS person) OPTIONAL MATCH (b)-[IS knows]->(c IS person) COLUMNS (1 AS one))";
    let plan = client.lines(&format!("EXPLAIN {sql}")).await.join("\n");
    assert!(plan.contains("Graph: social") && plan.contains("at least 1"), "{plan}");
    assert_eq!(client.value(sql).await, "6");
    client.run("SET shockwave.graph_operators = off").await;
    let plan = client.lines(&format!("EXPLAIN {sql}")).await.join("\n");
    assert!(plan.contains("join_type=Left") || plan.contains("join_type=Right"), "{plan}");
    assert_eq!(client.value(sql).await, "6");
}
