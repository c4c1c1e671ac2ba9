//! ALTER TABLE, indexes, views, comments and dropping: as in PostgreSQL 15; old rows are read under every later definition.

use std::sync::Arc;

use crate::fixture::{Client, Fixture};

#[tokio::test]
async fn old_rows_show_columns_that_came_later() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let server = engine::Server::open(folder.path(), engine::Options::real()).unwrap();
        let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
        let relational = Arc::new(relational::Relational::new(options).unwrap());
        let ledger = server.ledger("shockwave").unwrap();
        let mut client = Client(planner::Session::new(planner::Database::new(Arc::clone(&ledger), relational), "shockwave", ""));
        if round == 0 {
            client.run("CREATE TABLE t (id int PRIMARY KEY, gone text, kept int)").await;
            client.run("INSERT INTO t VALUES (1, 'x', 10), (2, 'y', 20)").await;
            client.run("ALTER TABLE t ADD COLUMN note text DEFAULT 'old', ADD COLUMN plain int, DROP COLUMN gone").await;
            client.run("INSERT INTO t VALUES (3, 30)").await;
            client.run("ALTER TABLE t ALTER note SET DEFAULT 'newer'; ALTER TABLE t RENAME COLUMN plain TO simple").await;
            client.run("INSERT INTO t (id) VALUES (4)").await;
            client.run("UPDATE t SET simple = 1 WHERE note = 'old' AND id = 2").await;
            client.run("ALTER TABLE t ADD COLUMN gone date").await;
        }
        assert_eq!(
            client.lines("SELECT * FROM t ORDER BY id").await,
            ["1|10|old|∅|∅", "2|20|old|1|∅", "3|30|old|∅|∅", "4|∅|newer|∅|∅"],
            "round {round}"
        );
        assert_eq!(client.lines("SELECT note FROM t WHERE id = 1").await, ["old"], "by key");
        // Every row still has a receipt, under the definition of its commit.
        let commits = client.lines("SELECT commit_seq FROM ledger.commits WHERE rows > 0").await;
        for seq in commits {
            let seq: u64 = seq.parse().unwrap();
            let receipt = ledger.receipt(seq, Some(0)).unwrap();
            let policy = receipts::Policy::parse(format!("log {}\nquorum none\n", ledger.verifier_keys()[0]).as_bytes()).unwrap();
            let verdict = receipts::verify_receipt(receipt.as_bytes(), &policy);
            assert_eq!(verdict.exit_code(), 0, "commit {seq}: {verdict}");
        }
        drop((client, ledger));
        if round == 0 { server.close_unsealed().unwrap() } else { server.shutdown().unwrap() }
    }
}

#[tokio::test]
async fn what_is_added_is_checked_against_the_rows() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int, x int); INSERT INTO t VALUES (1, 5), (1, NULL)").await;
    let error = client.error("ALTER TABLE t ADD PRIMARY KEY (id)").await;
    assert_eq!((error.state().0, error.message()), ("23505", "could not create unique index \"t_pkey\""));
    assert!(error.fields().any(|field| field == (b'D', "Key (id)=(1) is duplicated.")));
    assert_eq!(client.error("ALTER TABLE t ALTER x SET NOT NULL").await.message(), "column \"x\" of relation \"t\" contains null values");
    assert_eq!(
        client.error("ALTER TABLE t ADD CHECK (x > 5)").await.message(),
        "check constraint \"t_x_check\" of relation \"t\" is violated by some row"
    );
    assert_eq!(client.error("ALTER TABLE t ADD COLUMN y int NOT NULL").await.state().0, "23502");
    assert_eq!(client.error("CREATE UNIQUE INDEX ON t (id)").await.state().0, "23505");
    client.run("UPDATE t SET id = 2, x = 6 WHERE x IS NULL").await;
    client.run("ALTER TABLE t ADD PRIMARY KEY (id), ADD CONSTRAINT x5 CHECK (x >= 5), ALTER x SET NOT NULL").await;
    assert_eq!(client.error("INSERT INTO t VALUES (2, 6)").await.state().0, "23505");
    assert_eq!(client.error("INSERT INTO t VALUES (3, 4)").await.state().0, "23514");
    assert_eq!(client.lines("SELECT x FROM t WHERE id = 2").await, ["6"]);
    client.run("ALTER TABLE t DROP CONSTRAINT x5, DROP CONSTRAINT t_pkey, ALTER x DROP NOT NULL").await;
    client.run("INSERT INTO t VALUES (2, NULL)").await;
    assert_eq!(client.error("ALTER TABLE t DROP CONSTRAINT x5").await.state().0, "42704");
    client.run("ALTER TABLE t ALTER x TYPE text").await;
    assert_eq!(client.error("ALTER TABLE t ALTER x TYPE int").await.state().0, "42804");
}

#[tokio::test]
async fn a_transaction_may_make_fill_and_change_a_table() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("BEGIN; CREATE TABLE t (id int, x text); INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    client.run("ALTER TABLE t ADD COLUMN n serial").await;
    client.run("DELETE FROM t WHERE id = 2; INSERT INTO t (id, x) VALUES (3, 'c')").await;
    client.run("ALTER TABLE t ADD PRIMARY KEY (id)").await;
    client.run("CREATE UNIQUE INDEX u ON t (x); CREATE INDEX ON t (n)").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|a|1", "3|c|3"]);
    client.run("SAVEPOINT s; ALTER TABLE t DROP COLUMN x; ROLLBACK TO s; COMMIT").await;
    assert_eq!(client.lines("SELECT * FROM t WHERE id = 3").await, ["3|c|3"]);
    assert_eq!(client.error("INSERT INTO t VALUES (4, 'c')").await.state().0, "23505");
    assert_eq!(client.lines("SELECT id FROM t WHERE n = 1").await, ["1"]);
}

#[tokio::test]
async fn an_index_finds_what_a_scan_finds() {
    let fixture = Fixture::new();
    let (mut client, mut other) = (fixture.session(), fixture.session());
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text)").await;
    for i in 0..50 {
        client.run(&format!("INSERT INTO t VALUES ({i}, {}, 'v{}')", i % 5, i % 3)).await;
    }
    let before = client.lines("SELECT id FROM t WHERE a = 3 AND b = 'v1' ORDER BY id").await;
    other.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t").await;
    client.run("CREATE INDEX ab ON t (a, b); CREATE INDEX IF NOT EXISTS ab ON t (b)").await;
    assert_eq!(client.lines("SELECT id FROM t WHERE a = 3 AND b = 'v1' ORDER BY id").await, before);
    client.run("UPDATE t SET a = 9 WHERE id = 13; DELETE FROM t WHERE id = 28").await;
    client.run("BEGIN; INSERT INTO t VALUES (100, 3, 'v1'); UPDATE t SET b = 'other' WHERE id = 43").await;
    assert_eq!(client.lines("SELECT id FROM t WHERE a = 3 AND b = 'v1' ORDER BY id").await, ["100"]);
    client.run("ROLLBACK").await;
    assert_eq!(client.lines("SELECT id FROM t WHERE a = 3 AND b = 'v1' ORDER BY id").await, ["43"]);
    assert_eq!(other.lines("SELECT id FROM t WHERE a = 3 AND b = 'v1' ORDER BY id").await, before, "an old snapshot sees what it saw");
    client.run("DROP INDEX ab").await;
    assert_eq!(client.lines("SELECT id FROM t WHERE a = 3 AND b = 'v1'").await, ["43"]);
    assert_eq!(client.error("DROP INDEX ab").await.state().0, "42704");
    assert_eq!(client.error("DROP INDEX t_pkey").await.state().0, "2BP01");
}

#[tokio::test]
async fn views_are_read_like_tables() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, x text, n int); INSERT INTO t VALUES (1, 'a', 10), (2, 'b', 20)").await;
    client.run("CREATE VIEW v AS SELECT * FROM t WHERE n > 10").await;
    client.run("CREATE VIEW w (key, total) AS SELECT v.id, sum(t.n) FROM v JOIN t ON t.id >= v.id GROUP BY v.id").await;
    assert_eq!(client.lines("SELECT * FROM v").await, ["2|b|20"]);
    assert_eq!(client.lines("SELECT w.total, t.x FROM w JOIN t ON t.id = w.key").await, ["20|b"]);
    client.run("ALTER TABLE t ADD COLUMN later int").await;
    assert_eq!(client.lines("SELECT * FROM v").await, ["2|b|20"], "a view keeps its columns");
    client.run("CREATE SCHEMA s; CREATE TABLE s.t (id int); SET search_path TO s, public").await;
    assert_eq!(client.lines("SELECT * FROM v").await, ["2|b|20"], "a view keeps its tables");
    client.run("SET search_path TO public").await;
    assert_eq!(client.error("CREATE VIEW v AS SELECT 1 AS one").await.message(), "relation \"v\" already exists");
    assert_eq!(client.error("CREATE OR REPLACE VIEW v AS SELECT id FROM t").await.message(), "cannot drop columns from view");
    client.run("CREATE OR REPLACE VIEW v AS SELECT id, x, n, 1 AS one FROM t").await;
    assert_eq!(client.lines("SELECT one FROM v WHERE id = 1").await, ["1"]);
    client.run("CREATE OR REPLACE VIEW d AS SELECT DISTINCT id FROM t").await;
    assert_eq!(client.error("INSERT INTO d VALUES (1)").await.state().0, "55000");
    client.run("DROP VIEW d").await;
    assert_eq!(client.error("DROP TABLE v").await.message(), "\"v\" is not a table");
    assert_eq!(client.error("ALTER TABLE t DROP COLUMN n").await.state().0, "2BP01");
    let error = client.error("DROP TABLE t").await;
    assert!(error.fields().any(|field| field == (b'D', "view v depends on table t\nview w depends on table t")), "{error}");
    client.run("ALTER TABLE t RENAME TO renamed").await;
    assert_eq!(client.lines("SELECT x FROM v WHERE id = 2").await, ["b"]);
    client.run("DROP TABLE renamed CASCADE").await;
    assert!(client.notices().contains(&"NOTICE 00000: drop cascades to 2 other objects".to_owned()));
    assert_eq!(client.error("SELECT * FROM v").await.state().0, "42P01");
}

#[tokio::test]
async fn objects_are_described_and_renamed() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id serial PRIMARY KEY, x int CHECK (x > 0)); CREATE SCHEMA s").await;
    client.run("COMMENT ON TABLE t IS 'things'; COMMENT ON COLUMN t.x IS 'how many'; COMMENT ON SCHEMA s IS 'side'").await;
    assert_eq!(client.value("SELECT obj_description('t'::regclass)").await, "things");
    assert_eq!(client.value("SELECT col_description('t'::regclass, 2)").await, "how many");
    client.run("COMMENT ON TABLE t IS NULL").await;
    assert_eq!(client.value("SELECT obj_description('t'::regclass)").await, "∅");
    client.run("ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME x TO y; ALTER SEQUENCE t_id_seq RENAME TO q").await;
    client.run("ALTER TABLE u SET SCHEMA s; INSERT INTO s.u (y) VALUES (1)").await;
    assert_eq!(client.error("INSERT INTO s.u (y) VALUES (0)").await.state().0, "23514");
    assert_eq!(client.lines("SELECT * FROM s.u").await, ["1|1"]);
    assert_eq!(client.value("SELECT pg_get_serial_sequence('s.u', 'id')").await, "s.q");
    assert_eq!(
        client.lines("SELECT column_name, column_default FROM information_schema.columns WHERE table_name = 'u' ORDER BY 1").await,
        ["id|nextval('s.q'::regclass)", "y|∅"]
    );
}

#[tokio::test]
async fn receipts_tell_of_rows_under_the_definition_they_were_written_with() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for sql in [
        "CREATE TABLE t (id int PRIMARY KEY, a int)",
        "INSERT INTO t VALUES (1, 1)",
        "ALTER TABLE t ADD COLUMN b int DEFAULT 7",
        "UPDATE t SET a = 2",
        "ALTER TABLE t DROP COLUMN a",
    ] {
        client.run(sql).await;
    }
    let told = "SELECT op, count(row_hash) FROM ledger.receipts WHERE table_name = 't' GROUP BY op ORDER BY op";
    assert_eq!(client.lines(told).await, ["INSERT|1", "UPDATE|1"]);
    let receipts =
        client.lines("SELECT ledger_receipt(commit_seq, row) FROM ledger.receipts WHERE table_name = 't' ORDER BY commit_seq").await;
    assert!(receipts.len() == 2 && receipts.iter().all(|receipt| receipt.contains("c2sp.org/tlog-proof")), "{receipts:?}");
}
