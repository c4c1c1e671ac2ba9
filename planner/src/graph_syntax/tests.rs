//! What reads, what it prints as, and where errors point.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use crate::parse::{Parsed, parse};

fn one(sql: &str) -> Parsed {
    match parse(sql) {
        Ok(mut parsed) if parsed.len() == 1 => parsed.remove(0),
        Ok(parsed) => panic!("{} statements in {sql}", parsed.len()),
        Err(error) => panic!("{sql}\n{error}"),
    }
}

/// The pattern of a clause as it prints.
fn printed(pattern: &str) -> String {
    let parsed = one(&format!("SELECT * FROM GRAPH_TABLE (g MATCH {pattern} COLUMNS (1 AS one))"));
    let text = parsed.graph_tables[0].to_string();
    text.strip_prefix("GRAPH_TABLE (g MATCH ").unwrap().strip_suffix(" COLUMNS (1 AS one))").unwrap().to_owned()
}

#[test]
fn a_past_is_read_before_the_pattern() {
    for version in ["FOR SYSTEM_TIME AS OF COMMIT 7", "FOR SYSTEM_TIME AS OF now() - INTERVAL '1 day'", "FOR SYSTEM_TIME AS OF COMMIT $1"] {
        let text = format!("GRAPH_TABLE (s.g {version} MATCH p = ANY SHORTEST (a)->*(b) COLUMNS (a.x))");
        assert_eq!(one(&format!("SELECT * FROM {text}")).graph_tables[0].to_string(), text);
    }
}

/// T2, and that blanks mean nothing.
#[test]
fn patterns_print_as_they_read() {
    let same = [
        "(a)",
        "()",
        "(a IS person)-[e IS knows]->(b IS person)",
        "(a)<-[e]-(b)-[]-(c)->(d)<-(e)-(f)",
        "(a IS x|y&!z WHERE a.p > 1)-[e WHERE e.t = ']']->(b)",
        "(a IS !(x|y)&%)",
        "(a)-[e]->{1,3}(b)->{2}(c)-{0,4}(d)<-[f]-{5,}(g)",
        "(a)-[e]->*(b)->+(c)-?(d)",
        "((x)-[e]->(y) WHERE x.p < y.p){2,3}(z)",
        "(TRAIL (x)-[e]->(y))*",
        "p = ANY SHORTEST TRAIL (a)->*(b), q = (b)-[e]->(c) WHERE a.x = b.y",
        "ALL SHORTEST (a)->+(b)",
        "SHORTEST 3 (a)->+(b)",
        "SHORTEST 3 GROUPS (a)->+(b)",
        "ANY 2 ACYCLIC (a)->+(b)",
        "ANY CHEAPEST (a)->+(b)",
        "CHEAPEST 2 (a)-[e IS f WHERE e.t > 1 COST e.w * 2]->+(b)",
        "WALK (a)->(b) KEEP SIMPLE",
        "(a)->(b) OPTIONAL MATCH (b)->(c), p = (c)->(d) WHERE b.x = optional",
        "(a) KEEP TRAIL WHERE a.x > 1 OPTIONAL { MATCH (a)->(b) KEEP WALK WHERE b.x OPTIONAL MATCH (b)->(c) } OPTIONAL MATCH (a)-(optional)",
        "(a) WHERE a.x MATCH (a)->(b) KEEP WALK WHERE b.match = match(a.x) OPTIONAL MATCH (b)->(c) MATCH p = (b)->(d)",
        "(a) OPTIONAL { MATCH (a)->(b) WHERE b.x = 1 MATCH (b)->(c) } MATCH ANY SHORTEST (a)->*(d) WHERE d.x IN (1) MATCH (e)",
        "(a) OPTIONAL { MATCH (a)->(b) OPTIONAL { MATCH (b)->(c) OPTIONAL MATCH (c)->(d) } OPTIONAL MATCH (b)->(e) }",
        "(a)->(b) | (a)-(b)",
        "(a)->(b) |+| (a)->(b)->(c)",
        "(\"A b\" IS \"L\" WHERE \"A b\".\"P\" = $1)",
        "(where_is)-[is_it IS is_ WHERE is_it.columns = 2]->(match)",
    ];
    for pattern in same {
        assert_eq!(printed(pattern), pattern);
    }
    for (written, pattern) in [
        (
            "(a) OPTIONAL ( MATCH (a)->(b) WHERE f(b.x) ) optional{match (b)->(c)}",
            "(a) OPTIONAL MATCH (a)->(b) WHERE f(b.x) OPTIONAL MATCH (b)->(c)",
        ),
        ("( a IS person ) <- [ e IS knows ] - ( b )", "(a IS person)<-[e IS knows]-(b)"),
        ("(a:person)-[:knows|likes]->(b)", "(a IS person)-[IS knows|likes]->(b)"),
        ("(a)<-[e]->(b)<->(c)", "(a)-[e]-(b)-(c)"),
        ("(a)-[e]->{,3}(b)->{0,}(c)->{1,}(d)", "(a)-[e]->{0,3}(b)->*(c)->+(d)"),
        (
            "ANY PATH (a)->(b), SHORTEST 2 PATHS GROUP (b)->(c), ALL PATHS (c)->(d)",
            "ANY (a)->(b), SHORTEST 2 GROUPS (b)->(c), ALL (c)->(d)",
        ),
        ("(a)->(b) ONE ROW PER MATCH", "(a)->(b)"),
        ("(a -- a comment\n)-> /* another */ (b)", "(a)->(b)"),
    ] {
        assert_eq!(printed(written), pattern);
        assert_eq!(printed(pattern), pattern);
    }
}

#[test]
fn a_clause_stands_wherever_a_relation_may() {
    let clause = "GRAPH_TABLE (g MATCH (a) COLUMNS (a.x))";
    for (sql, clauses) in [
        (format!("SELECT * FROM {clause}"), 1),
        (format!("SELECT * FROM t, {clause} AS q (x), LATERAL (SELECT * FROM {clause} r) s"), 2),
        (format!("WITH w AS (SELECT * FROM {clause}) SELECT (SELECT max(x) FROM {clause} m) FROM w JOIN {clause} n ON w.x = n.x"), 3),
        (format!("INSERT INTO t SELECT * FROM {clause}"), 1),
        (format!("UPDATE t SET x = q.x FROM {clause} q WHERE t.y = q.x"), 1),
        (format!("COPY (SELECT * FROM {clause}) TO STDOUT"), 1),
        (format!("EXPLAIN SELECT * FROM {clause}"), 1),
        (format!("PREPARE p AS SELECT * FROM {clause}"), 1),
        (format!("DECLARE c CURSOR FOR SELECT * FROM {clause}"), 1),
        (format!("CREATE VIEW v AS SELECT * FROM {clause}"), 1),
        ("SELECT graph_table FROM graph_table".to_owned(), 0),
        ("SELECT * FROM s.graph_table(1)".to_owned(), 0),
    ] {
        assert_eq!(one(&sql).graph_tables.len(), clauses, "{sql}");
    }
}

#[test]
fn errors_point_at_what_does_not_fit() {
    for (sql, state, message, at) in [
        ("SELECT * FROM GRAPH_TABLE (g MATCH COLUMNS (1 AS c))", "42601", "syntax error at or near \"COLUMNS\"", "COLUMNS"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a)-[e IS x] COLUMNS (1 AS c))", "42601", "syntax error at or near \"COLUMNS\"", "COLUMNS"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a) COLUMNS (a.))", "42601", "syntax error at or near \")\"", "))"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a WHERE) COLUMNS (a.x))", "42601", "syntax error at or near \")\"", ") COL"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a WHERE a.x +) COLUMNS (a.x))", "42601", "syntax error at or near \")\"", ") COL"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a) COLUMNS ())", "42601", "syntax error at or near \")\"", "))"),
        ("SELECT * FROM GRAPH_TABLE (g (a) COLUMNS (1 AS c))", "42601", "syntax error at or near \"(\"", "(a)"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a)-[e]>(b) COLUMNS (1 AS c))", "42601", "syntax error at or near \">\"", ">(b)"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a)->{}(b) COLUMNS (1 AS c))", "42601", "syntax error at or near \"}\"", "}"),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a)~[e]~(b) COLUMNS (1 AS c))", "0A000", "an undirected edge is not supported", "~[e]"),
        (
            "SELECT * FROM GRAPH_TABLE (g MATCH (a)->{3,2}(b) COLUMNS (1 AS c))",
            "42601",
            "a path cannot be repeated 3 times at least and 2 times at most",
            "{3",
        ),
        ("SELECT * FROM GRAPH_TABLE (g MATCH (a) COLUMNS (*))", "0A000", "\"*\" is not supported here", ""),
    ] {
        let error = parse(sql).unwrap_err();
        assert_eq!((error.state().0, error.message()), (state, message), "{sql}");
        let expected = (!at.is_empty()).then(|| u32::try_from(sql.find(at).unwrap() + 1).unwrap());
        assert_eq!(error.position(), expected, "{sql}");
    }
    let open = parse("SELECT * FROM GRAPH_TABLE (g MATCH (a").unwrap_err();
    assert_eq!((open.state().0, open.message()), ("42601", "syntax error at end of input"));
    let deep = format!("SELECT * FROM GRAPH_TABLE (g MATCH {}(a){} COLUMNS (1 AS c))", "(".repeat(500), ")".repeat(500));
    assert_eq!(parse(&deep).unwrap_err().state().0, "54001");
    let labels = format!("SELECT * FROM GRAPH_TABLE (g MATCH (a IS {}x) COLUMNS (1 AS c))", "!".repeat(5_000));
    assert_eq!(parse(&labels).unwrap_err().state().0, "54001");
}

#[test]
fn definitions_are_read_whole() {
    for sql in [
        "CREATE PROPERTY GRAPH g",
        "CREATE PROPERTY GRAPH IF NOT EXISTS s.g VERTEX TABLES (t AS a KEY (x, y) LABEL l NO PROPERTIES DEFAULT LABEL PROPERTIES (x + 1 AS z, y))",
        "CREATE PROPERTY GRAPH g NODE TABLES (t, u PROPERTIES ALL COLUMNS EXCEPT (secret)) RELATIONSHIP TABLES (e SOURCE t DESTINATION u)",
        "CREATE PROPERTY GRAPH g EDGE TABLES (e KEY (k) SOURCE KEY (a) REFERENCES t (x) DESTINATION KEY (b) REFERENCES u LABEL l PROPERTIES ARE ALL COLUMNS)",
        "ALTER PROPERTY GRAPH g ADD VERTEX TABLES (t) ADD EDGE TABLES (e SOURCE t DESTINATION t)",
        "ALTER PROPERTY GRAPH g DROP NODE TABLES (a, b) CASCADE",
        "ALTER PROPERTY GRAPH g ALTER EDGE TABLE e ADD LABEL l ADD LABEL m NO PROPERTIES",
        "ALTER PROPERTY GRAPH g ALTER VERTEX TABLE t DROP LABEL l RESTRICT",
        "ALTER PROPERTY GRAPH g ALTER VERTEX TABLE t ALTER LABEL l ADD PROPERTIES (a, b AS c)",
        "ALTER PROPERTY GRAPH g ALTER VERTEX TABLE t ALTER LABEL l DROP PROPERTIES (a, b) CASCADE",
        "ALTER PROPERTY GRAPH IF EXISTS g RENAME TO h",
        "ALTER PROPERTY GRAPH g SET SCHEMA s",
        "ALTER PROPERTY GRAPH g OWNER TO ada",
        "DROP PROPERTY GRAPH IF EXISTS a, s.b CASCADE",
        "COMMENT ON PROPERTY GRAPH g IS 'a graph'",
        "COMMENT ON PROPERTY GRAPH g IS NULL",
        "GRANT SELECT ON PROPERTY GRAPH g TO ada",
        "REVOKE ALL ON PROPERTY GRAPH g FROM ada",
    ] {
        assert!(one(sql).own.is_some(), "{sql}");
    }
    for (sql, message) in [
        ("CREATE PROPERTY GRAPH", "syntax error at end of input"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES ()", "syntax error at or near \")\""),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (t SOURCE u DESTINATION u)", "syntax error at or near \"SOURCE\""),
        ("CREATE PROPERTY GRAPH g EDGE TABLES (t)", "syntax error at or near \")\""),
        ("CREATE PROPERTY GRAPH g EDGE TABLES (t SOURCE u DESTINATION u) VERTEX TABLES (u)", "syntax error at or near \"VERTEX\""),
        ("ALTER PROPERTY GRAPH g", "syntax error at end of input"),
        ("ALTER PROPERTY GRAPH g ALTER VERTEX TABLE t", "syntax error at end of input"),
        ("DROP PROPERTY GRAPH g, ;", "syntax error at or near \";\""),
        ("CREATE UNLOGGED PROPERTY GRAPH g", "property graphs cannot be unlogged because they do not have storage"),
    ] {
        let error = parse(sql).unwrap_err();
        assert_eq!((error.state().0, error.message()), ("42601", message), "{sql}");
    }
}
