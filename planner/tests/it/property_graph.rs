//! CREATE, ALTER, DROP PROPERTY GRAPH: what they accept, refuse and leave behind, with PostgreSQL 19's SQLSTATEs.

use std::sync::Arc;

use engine::{Options, Server};
use planner::{Database, Session};
use relational::Relational;

use crate::fixture::{Client, Fixture, as_role, refused};
use crate::graph_table::detail;

const TABLES: [&str; 6] = [
    "CREATE TABLE t1 (a int, b text)",
    "CREATE TABLE t2 (i int PRIMARY KEY, j int, k int)",
    "CREATE TABLE t3 (x int, y text, z text)",
    "CREATE TABLE e1 (a int, i int, t text, PRIMARY KEY (a, i))",
    "CREATE TABLE e2 (a int, x int, t text)",
    "CREATE TABLE e3 (id bigint PRIMARY KEY, a int REFERENCES t2, b int REFERENCES t2)",
];

const G2: &str = "CREATE PROPERTY GRAPH g2 \
    VERTEX TABLES (t1 KEY (a), t2 DEFAULT LABEL, t3 KEY (x) LABEL t3l1 LABEL t3l2) \
    EDGE TABLES (e1 SOURCE KEY (a) REFERENCES t1 (a) DESTINATION KEY (i) REFERENCES t2 (i), \
        e2 KEY (a, x) SOURCE KEY (a) REFERENCES t1 (a) DESTINATION KEY (x, t) REFERENCES t3 (x, y))";

async fn with(statements: &[&str]) -> (Fixture, Client) {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for sql in TABLES.iter().chain(statements) {
        client.run(sql).await;
    }
    (fixture, client)
}

async fn definition(client: &mut Client, graph: &str) -> String {
    client.value(&format!("SELECT pg_get_propgraphdef('{graph}'::regclass)")).await
}

#[tokio::test]
async fn keys_and_references_are_inferred() {
    let (_fixture, mut client) = with(&[
        "CREATE TABLE t11 (a int PRIMARY KEY)",
        "CREATE TABLE t12 (b int PRIMARY KEY)",
        "CREATE TABLE t13 (c int PRIMARY KEY, d int REFERENCES t11, e int REFERENCES t12)",
        "CREATE PROPERTY GRAPH g5 VERTEX TABLES (t11, t12) EDGE TABLES (t13 SOURCE t11 DESTINATION t12)",
        "CREATE PROPERTY GRAPH g6 VERTEX TABLES (t11) EDGE TABLES (t13 SOURCE KEY (d) REFERENCES t11 DESTINATION KEY (e) REFERENCES t11 (a))",
    ])
    .await;
    assert_eq!(
        definition(&mut client, "g5").await,
        "CREATE PROPERTY GRAPH public.g5\n    VERTEX TABLES (\n        t11 KEY (a) PROPERTIES (a),\n        t12 KEY (b) PROPERTIES (b)\n    )\n    \
         EDGE TABLES (\n        t13 KEY (c) SOURCE KEY (d) REFERENCES t11 (a) DESTINATION KEY (e) REFERENCES t12 (b) PROPERTIES (c, d, e)\n    )"
    );
    assert!(definition(&mut client, "g6").await.contains("SOURCE KEY (d) REFERENCES t11 (a) DESTINATION KEY (e) REFERENCES t11 (a)"));
}

/// A definition made from the printed text prints the same, whatever it has in it.
#[tokio::test]
async fn definitions_round_trip() {
    let (_fixture, mut client) = with(&[
        G2,
        "CREATE SCHEMA \"S 1\"",
        "CREATE TABLE \"S 1\".\"T\" (\"Id\" int PRIMARY KEY, \"select\" varchar(7), n numeric(8,2))",
        "CREATE VIEW v AS SELECT i, j FROM t2",
        "CREATE PROPERTY GRAPH empty",
        "CREATE PROPERTY GRAPH \"S 1\".\"G\" VERTEX TABLES (\
            \"S 1\".\"T\" AS \"Node\" LABEL \"L 1\" PROPERTIES (\"Id\" + 1 AS \"Next\", upper(\"select\") AS up, \"select\") \
                DEFAULT LABEL NO PROPERTIES LABEL x PROPERTIES (n * 2 AS twice, 'a''b'::varchar(3) AS tag), \
            v KEY (i) PROPERTIES ALL COLUMNS EXCEPT (j)) \
         EDGE TABLES (e3 AS link SOURCE KEY (a) REFERENCES v (i) DESTINATION KEY (b) REFERENCES \"Node\")",
    ])
    .await;
    for graph in ["g2", "empty", "\"S 1\".\"G\""] {
        let first = definition(&mut client, graph).await;
        client.run(&format!("DROP PROPERTY GRAPH {graph}")).await;
        client.run(&first).await;
        assert_eq!(definition(&mut client, graph).await, first);
    }
    let text = definition(&mut client, "\"S 1\".\"G\"").await;
    for part in [
        "\"S 1\".\"T\" AS \"Node\" KEY (\"Id\") LABEL \"L 1\" PROPERTIES ((\"Id\" + 1) AS \"Next\", upper(\"select\") AS up, \"select\")",
        " DEFAULT LABEL NO PROPERTIES LABEL x PROPERTIES ((n * 2) AS twice, ",
        "v KEY (i) PROPERTIES (i)",
        "e3 AS link KEY (id) SOURCE KEY (a) REFERENCES v (i) DESTINATION KEY (b) REFERENCES \"Node\" (\"Id\")",
    ] {
        assert!(text.contains(part), "{part}\nin {text}");
    }
}

#[tokio::test]
async fn what_is_refused_and_where() {
    let (_fixture, mut client) = with(&[
        G2,
        "CREATE PROPERTY GRAPH g3 VERTEX TABLES (t3 KEY (x))",
        "CREATE PROPERTY GRAPH g4 VERTEX TABLES (t1 KEY (a) NO PROPERTIES, t3 KEY (x) LABEL l PROPERTIES (x, y AS yy))",
        "CREATE TABLE v1 (a int PRIMARY KEY, b text)",
        "CREATE TABLE e (k1 text, k2 text)",
        "CREATE SEQUENCE s",
    ])
    .await;
    let cases = include_str!("../golden/property_graph_errors.txt");
    let mut found = String::new();
    for case in cases.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let sql = case.lines().take_while(|line| !line.starts_with("-- ")).collect::<Vec<_>>().join("\n");
        let error = client.error(&sql).await;
        found.push_str(&format!("{sql}\n{}\n\n", crate::graph_table::shown(&error)));
    }
    crate::graph_table::compare_golden("property_graph_errors.txt", cases, &found);
}

#[tokio::test]
async fn what_depends_on_a_table_is_named_or_goes() {
    let (_fixture, mut client) = with(&[G2]).await;
    let error = client.error("DROP TABLE t1").await;
    assert_eq!((error.state().0, error.message()), ("2BP01", "cannot drop table t1 because other objects depend on it"));
    assert_eq!(
        detail(&error),
        Some(
            "vertex t1 of property graph g2 depends on table t1\nedge e1 of property graph g2 depends on table t1\nedge e2 of property graph g2 depends on table t1"
        )
    );
    let error = client.error("ALTER TABLE t1 DROP COLUMN b").await;
    assert_eq!(detail(&error), Some("property b of label t1 of vertex t1 of property graph g2 depends on column b of table t1"));
    let error = client.error("ALTER TABLE t1 DROP COLUMN a").await;
    assert_eq!(
        detail(&error),
        Some(
            "vertex t1 of property graph g2 depends on column a of table t1\nedge e1 of property graph g2 depends on column a of table t1\nedge e2 of property graph g2 depends on column a of table t1"
        )
    );
    // A column that only a property has takes the property along.
    client.run("ALTER TABLE t1 DROP COLUMN b CASCADE").await;
    assert!(definition(&mut client, "g2").await.contains("t1 KEY (a) PROPERTIES (a)"));
    // A view keeps its graph from changing beneath it.
    client.run("CREATE VIEW v AS SELECT * FROM GRAPH_TABLE (g2 MATCH (n IS t3l1)<-[IS e2]-(m) COLUMNS (n.y, m.a AS ma))").await;
    let error = client.error("ALTER PROPERTY GRAPH g2 ALTER VERTEX TABLE t3 DROP LABEL t3l1").await;
    assert_eq!(error.state().0, "2BP01");
    assert!(detail(&error).is_some_and(|text| text.starts_with("view v depends on property graph g2")), "{error:?}");
    assert_eq!(client.error("DROP PROPERTY GRAPH g2").await.state().0, "2BP01");
    assert_eq!(client.error("DROP TABLE t3").await.state().0, "2BP01");
    client.run("ALTER PROPERTY GRAPH g2 ALTER VERTEX TABLE t3 DROP LABEL t3l2").await;
    client.run("DROP TABLE t3 CASCADE").await;
    assert_eq!(client.error("SELECT * FROM v").await.state().0, "42P01");
    let text = definition(&mut client, "g2").await;
    assert!(!text.contains("t3") && !text.contains("e2") && text.contains("e1 KEY (a, i)"), "{text}");
    client.run("DROP TABLE t1 CASCADE").await;
    assert_eq!(
        definition(&mut client, "g2").await,
        "CREATE PROPERTY GRAPH public.g2\n    VERTEX TABLES (\n        t2 KEY (i) PROPERTIES (i, j, k)\n    )"
    );
    client.run("DROP PROPERTY GRAPH g2").await;
    refused(&mut client, "DROP PROPERTY GRAPH g2", "42P01", "property graph \"g2\" does not exist").await;
    client.run("DROP PROPERTY GRAPH IF EXISTS g2").await;
    client.run("CREATE PROPERTY GRAPH g VERTEX TABLES (t2)").await;
    client.run("CREATE PROPERTY GRAPH IF NOT EXISTS g").await;
    refused(&mut client, "CREATE PROPERTY GRAPH g", "42P07", "relation \"g\" already exists").await;
    refused(&mut client, "CREATE TABLE g (a int)", "42P07", "relation \"g\" already exists").await;
    refused(&mut client, "DROP TABLE g", "42809", "\"g\" is not a table").await;
    refused(&mut client, "DROP PROPERTY GRAPH t2", "42809", "\"t2\" is not a property graph").await;
}

#[tokio::test]
async fn graphs_are_altered() {
    let (_fixture, mut client) = with(&[
        "CREATE PROPERTY GRAPH g3",
        "ALTER PROPERTY GRAPH g3 ADD VERTEX TABLES (t1 KEY (a), t2 DEFAULT LABEL)",
        "ALTER PROPERTY GRAPH g3 ADD VERTEX TABLES (t3 KEY (x) LABEL t3l1) \
         ADD EDGE TABLES (e1 SOURCE KEY (a) REFERENCES t1 (a) DESTINATION KEY (i) REFERENCES t2 (i), \
            e2 KEY (a, x) SOURCE KEY (a) REFERENCES t1 (a) DESTINATION KEY (x, t) REFERENCES t3 (x, y))",
        "ALTER PROPERTY GRAPH g3 ALTER VERTEX TABLE t3 ADD LABEL t3l2 PROPERTIES ALL COLUMNS ADD LABEL t3l3",
        "ALTER PROPERTY GRAPH g3 ALTER VERTEX TABLE t3 DROP LABEL t3l3",
    ])
    .await;
    client.run(G2).await;
    let g2 = definition(&mut client, "g2").await;
    assert_eq!(definition(&mut client, "g3").await, g2.replace("public.g2", "public.g3"), "as if made at once");
    refused(
        &mut client,
        "ALTER PROPERTY GRAPH g3 DROP VERTEX TABLES (t2)",
        "2BP01",
        "cannot drop vertex t2 of property graph g3 because other objects depend on it",
    )
    .await;
    client.run("ALTER PROPERTY GRAPH g3 DROP VERTEX TABLES (t2) CASCADE").await;
    client.run("ALTER PROPERTY GRAPH g3 DROP EDGE TABLES (e2)").await;
    assert_eq!(
        client
            .lines("SELECT element_table_alias FROM information_schema.pg_element_tables WHERE property_graph_name = 'g3' ORDER BY 1")
            .await,
        ["t1", "t3"]
    );
    client.run("CREATE PROPERTY GRAPH g4 VERTEX TABLES (t2 PROPERTIES (i + j AS i_j, k))").await;
    client.run("ALTER PROPERTY GRAPH g4 ALTER VERTEX TABLE t2 ALTER LABEL t2 ADD PROPERTIES (k * 2 AS kk)").await;
    client.run("ALTER PROPERTY GRAPH g4 ALTER VERTEX TABLE t2 ALTER LABEL t2 DROP PROPERTIES (k)").await;
    assert!(definition(&mut client, "g4").await.contains("t2 KEY (i) PROPERTIES ((i + j) AS i_j, (k * 2) AS kk)"));
    // Names change, of graph, table and column; what is written over the graph goes on.
    client.run("INSERT INTO t2 VALUES (1, 2, 3)").await;
    client.run("CREATE SCHEMA s").await;
    client
        .run("CREATE VIEW v AS SELECT * FROM GRAPH_TABLE (g4 MATCH (n) WHERE n.kk > 0 COLUMNS (n.i_j, n.kk AS twice)) WHERE twice < 100")
        .await;
    for sql in [
        "ALTER TABLE t2 RENAME COLUMN k TO \"K k\"",
        "ALTER TABLE t2 RENAME COLUMN i TO key",
        "ALTER TABLE t2 RENAME TO t2b",
        "ALTER TABLE t2b SET SCHEMA s",
        "ALTER PROPERTY GRAPH g4 RENAME TO \"G\"",
        "ALTER PROPERTY GRAPH \"G\" SET SCHEMA s",
    ] {
        client.run(sql).await;
        assert_eq!(client.lines("SELECT * FROM v").await, ["3|6"], "after {sql}");
    }
    assert_eq!(
        definition(&mut client, "s.\"G\"").await,
        "CREATE PROPERTY GRAPH s.\"G\"\n    VERTEX TABLES (\n        s.t2b AS t2 KEY (key) PROPERTIES ((key + j) AS i_j, (\"K k\" * 2) AS kk)\n    )"
    );
    refused(&mut client, "ALTER PROPERTY GRAPH s.\"G\" RENAME TO t2b", "42P07", "relation \"t2b\" already exists").await;
    client.run("ALTER PROPERTY GRAPH IF EXISTS none RENAME TO x").await;
    refused(&mut client, "ALTER TABLE s.\"G\" RENAME TO x", "42809", "\"G\" is not a table").await;
    // A definition is part of its transaction.
    client.run("BEGIN").await;
    client.run("ALTER PROPERTY GRAPH s.\"G\" RENAME TO h").await;
    client.run("ROLLBACK").await;
    assert_eq!(client.lines("SELECT * FROM v").await, ["3|6"]);
}

#[tokio::test]
async fn a_graph_is_never_a_table() {
    let (_fixture, mut client) = with(&[G2]).await;
    for sql in
        ["SELECT * FROM g2", "COPY g2 TO STDOUT", "INSERT INTO g2 VALUES (1)", "UPDATE g2 SET a = 1", "DELETE FROM g2", "TRUNCATE g2"]
    {
        refused(&mut client, sql, "42809", "cannot open relation \"g2\"").await;
    }
}

#[tokio::test]
async fn catalogs_show_graphs() {
    let (_fixture, mut client) = with(&[G2, "COMMENT ON PROPERTY GRAPH g2 IS 'a graph'"]).await;
    let expected: [(&str, &[&str]); 11] = [
        ("SELECT relkind, relnatts, obj_description(oid, 'pg_class') FROM pg_class WHERE relname = 'g2'", &["g|0|a graph"]),
        ("SELECT kind, name FROM ledger.catalog WHERE name = 'g2'", &["property graph|g2"]),
        ("SELECT * FROM information_schema.property_graphs", &["shockwave|public|g2"]),
        (
            "SELECT element_table_alias, element_table_kind, table_name FROM information_schema.pg_element_tables ORDER BY 1",
            &["e1|EDGE|e1", "e2|EDGE|e2", "t1|VERTEX|t1", "t2|VERTEX|t2", "t3|VERTEX|t3"],
        ),
        (
            "SELECT element_table_alias, column_name, ordinal_position FROM information_schema.pg_element_table_key_columns ORDER BY 1, 3",
            &["e1|a|1", "e1|i|2", "e2|a|1", "e2|x|2", "t1|a|1", "t2|i|1", "t3|x|1"],
        ),
        (
            "SELECT edge_table_alias, vertex_table_alias, edge_end, edge_table_column_name, vertex_table_column_name, ordinal_position \
             FROM information_schema.pg_edge_table_components ORDER BY 1, 3, 6",
            &["e1|t2|DESTINATION|i|i|1", "e1|t1|SOURCE|a|a|1", "e2|t3|DESTINATION|x|x|1", "e2|t3|DESTINATION|t|y|2", "e2|t1|SOURCE|a|a|1"],
        ),
        (
            "SELECT element_table_alias, label_name FROM information_schema.pg_element_table_labels ORDER BY 1, 2",
            &["e1|e1", "e2|e2", "t1|t1", "t2|t2", "t3|t3l1", "t3|t3l2"],
        ),
        ("SELECT label_name FROM information_schema.pg_labels ORDER BY 1", &["e1", "e2", "t1", "t2", "t3l1", "t3l2"]),
        (
            "SELECT property_name, property_expression FROM information_schema.pg_element_table_properties WHERE element_table_alias = 't3' ORDER BY 1",
            &["x|x", "y|y", "z|z"],
        ),
        ("SELECT property_name FROM information_schema.pg_label_properties WHERE label_name = 't2' ORDER BY 1", &["i", "j", "k"]),
        (
            "SELECT property_name, data_type, user_defined_type_name FROM information_schema.pg_property_data_types WHERE property_name < 'j' ORDER BY 1",
            &["a|integer|int4", "b|text|text", "i|integer|int4"],
        ),
    ];
    for (sql, rows) in expected {
        assert_eq!(client.lines(sql).await, rows, "{sql}");
    }
}

#[tokio::test]
async fn reading_a_graph_needs_select_on_it_and_on_its_tables() {
    let (fixture, mut root) = with(&[
        "CREATE PROPERTY GRAPH g VERTEX TABLES (t2 PROPERTIES (i, j))",
        "INSERT INTO t2 VALUES (1, 2, 3)",
        "CREATE VIEW v AS SELECT * FROM GRAPH_TABLE (g MATCH (n) COLUMNS (n.i))",
        "CREATE VIEW asked WITH (security_invoker = true) AS SELECT * FROM GRAPH_TABLE (g MATCH (n) COLUMNS (n.i))",
        "CREATE ROLE ada LOGIN",
        "CREATE ROLE bob LOGIN",
        "GRANT SELECT (i) ON t2 TO ada",
        "GRANT SELECT ON t2 TO bob",
    ])
    .await;
    let mut ada = as_role(&fixture, "ada");
    let match_i = "SELECT * FROM GRAPH_TABLE (g MATCH (n) COLUMNS (n.i))";
    let match_j = "SELECT * FROM GRAPH_TABLE (g MATCH (n) COLUMNS (n.j))";
    let through_views = ["SELECT * FROM v", "WITH w AS (SELECT * FROM v) SELECT count(*) FROM w"];
    refused(&mut ada, match_i, "42501", "permission denied for property graph g").await;
    for sql in through_views {
        refused(&mut ada, sql, "42501", "permission denied for view v").await;
    }
    root.run("GRANT SELECT ON v, asked TO ada").await;
    refused(&mut ada, "SELECT * FROM asked", "42501", "permission denied for property graph g").await;
    // Its owner reads the graph, and no grant on the tables is asked of who reads the view.
    for sql in through_views {
        assert_eq!(ada.lines(sql).await, ["1"], "{sql}");
    }
    refused(&mut root, "GRANT UPDATE ON PROPERTY GRAPH g TO ada", "0LP01", "invalid privilege type UPDATE for property graph").await;
    let prepared = ada.prepare(match_i, &[]).await.unwrap();
    root.run("GRANT SELECT ON PROPERTY GRAPH g TO ada").await;
    assert_eq!(ada.lines(match_i).await, ["1"]);
    assert_eq!(ada.lines("SELECT * FROM asked").await, ["1"]);
    assert!(ada.0.execute(&prepared, Vec::new()).await.is_ok(), "a right counts for what was prepared before");
    refused(&mut ada, match_j, "42501", "permission denied for table t2").await;
    assert_eq!(
        root.lines("SELECT grantee, privilege_type, is_grantable FROM information_schema.pg_property_graph_privileges ORDER BY 1").await,
        ["ada|SELECT|NO", "shockwave|SELECT|YES"]
    );
    assert_eq!(ada.value("SELECT has_table_privilege('g', 'SELECT')").await, "t");
    root.run("REVOKE SELECT ON PROPERTY GRAPH g FROM ada").await;
    refused(&mut ada, match_i, "42501", "permission denied for property graph g").await;
    // Making one: CREATE on the schema, and the tables are one's own.
    refused(&mut ada, "CREATE PROPERTY GRAPH h", "42501", "permission denied for schema public").await;
    root.run("GRANT CREATE ON SCHEMA public TO bob").await;
    let mut bob = as_role(&fixture, "bob");
    refused(&mut bob, "CREATE PROPERTY GRAPH h VERTEX TABLES (t2)", "42501", "must be owner of table t2").await;
    bob.run("CREATE TABLE own (a int PRIMARY KEY)").await;
    bob.run("CREATE PROPERTY GRAPH h VERTEX TABLES (own)").await;
    assert_eq!(bob.lines("SELECT * FROM GRAPH_TABLE (h MATCH (n) COLUMNS (n.a))").await, [""; 0]);
    for sql in [
        "ALTER PROPERTY GRAPH g ADD VERTEX TABLES (own)",
        "DROP PROPERTY GRAPH g",
        "COMMENT ON PROPERTY GRAPH g IS 'x'",
        "ALTER PROPERTY GRAPH g RENAME TO x",
    ] {
        refused(&mut bob, sql, "42501", "must be owner of property graph g").await;
    }
    root.run("ALTER PROPERTY GRAPH g OWNER TO bob").await;
    bob.run("COMMENT ON PROPERTY GRAPH g IS 'x'").await;
    bob.run("DROP PROPERTY GRAPH g CASCADE").await;
}

/// Definitions are commits: they come back when the server does, with the schema root that they had.
#[tokio::test]
async fn graphs_outlive_their_server() {
    let folder = tempfile::tempdir().unwrap();
    let open = |folder: &std::path::Path| {
        let server = Server::open(folder, Options::real()).unwrap();
        let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
        let database = Database::new(server.ledger("shockwave").unwrap(), Arc::new(Relational::new(options).unwrap()));
        (server, database)
    };
    let statements = TABLES.into_iter().chain([
        G2,
        "COMMENT ON PROPERTY GRAPH g2 IS 'kept'",
        "CREATE PROPERTY GRAPH gone",
        "DROP PROPERTY GRAPH gone",
        "INSERT INTO t1 VALUES (1, 'one')",
        "INSERT INTO t2 VALUES (7, 8, 9)",
        "INSERT INTO e1 VALUES (1, 7, 'e')",
        "CREATE VIEW v AS SELECT * FROM GRAPH_TABLE (g2 MATCH (n IS t1)-[e IS e1]->(m) COLUMNS (n.b, e.t, m.j))",
    ]);
    let (before, root) = {
        let (_server, database) = open(folder.path());
        let mut client = Client(Session::new(Arc::clone(&database), "shockwave", "tests"));
        for sql in statements {
            client.run(sql).await;
        }
        (definition(&mut client, "g2").await, database.ledger().snapshot().catalog.schema_root())
    };
    let (_server, database) = open(folder.path());
    let mut client = Client(Session::new(Arc::clone(&database), "shockwave", "tests"));
    assert_eq!(database.ledger().snapshot().catalog.schema_root(), root);
    assert_eq!(definition(&mut client, "g2").await, before);
    assert_eq!(client.lines("SELECT * FROM v").await, ["one|e|8"]);
    assert_eq!(client.lines("SELECT property_graph_name FROM information_schema.property_graphs").await, ["g2"]);
    assert_eq!(client.value("SELECT obj_description('g2'::regclass, 'pg_class')").await, "kept");
}
