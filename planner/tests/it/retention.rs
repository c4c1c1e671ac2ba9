//! Retentions and legal holds in SQL: options of tables, who may change them, and what shows them.

use crate::fixture::{Fixture, as_role, refused};

const SHOWN: &str = "SELECT table_name, retention, mode, set_by FROM ledger.retention ORDER BY relation_id";

#[tokio::test]
async fn a_retention_is_an_option_of_its_table() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE a (x int) WITH (retention = '7 years', mode = compliance)").await;
    client.run("CREATE TABLE b (x int) WITH (fillfactor = 70, retention = '90 days')").await;
    client.run("CREATE TABLE c (x int) WITH (fillfactor = 70)").await;
    assert_eq!(client.lines(SHOWN).await, ["a|7 years|compliance|shockwave", "b|90 days|governance|shockwave"]);
    let options = "SELECT array_to_string(reloptions, ';') FROM pg_class WHERE relname IN ('a', 'b') ORDER BY relname";
    assert_eq!(client.lines(options).await, ["retention=7 years;mode=compliance", "retention=90 days;mode=governance"]);
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("ALTER TABLE a SET (retention = '10 years')").await;
    client.run("ALTER TABLE b SET (mode = compliance, retention = '1 year')").await;
    client.run("ALTER TABLE c SET (retention = '1 mon 2 days 03:04:05', mode = 'governance')").await;
    client.run("ALTER TABLE c RESET (mode)").await;
    let all = ["a|10 years|compliance|shockwave", "b|1 year|compliance|shockwave", "c|1 mon 2 days 03:04:05|governance|shockwave"];
    assert_eq!(client.lines(SHOWN).await, all);
    client.run("ALTER TABLE c RESET (retention, mode)").await;
    assert_eq!(client.lines(SHOWN).await, all[..2]);
    // It travels with time, and a rollback takes it back.
    client.run(&format!("SET shockwave.as_of = 'commit {before}'")).await;
    assert_eq!(client.lines(options).await, ["retention=7 years;mode=compliance", "retention=90 days;mode=governance"]);
    client.run("RESET shockwave.as_of").await;
    client.run("BEGIN").await;
    client.run("ALTER TABLE a SET (retention = '20 years')").await;
    client.run("ROLLBACK").await;
    assert_eq!(client.lines(SHOWN).await, all[..2]);
    for (sql, state, message) in [
        ("CREATE TABLE d (x int) WITH (retention = 'soon')", "22007", "invalid input syntax for type interval: \"soon\""),
        ("CREATE TABLE d (x int) WITH (retention = '0 days')", "22023", "invalid value for parameter \"retention\": \"0 days\""),
        (
            "CREATE TABLE d (x int) WITH (retention = '1 year -1 day')",
            "22023",
            "invalid value for parameter \"retention\": \"1 year -1 day\"",
        ),
        ("CREATE TABLE d (x int) WITH (retention = 7)", "22023", "invalid value for parameter \"retention\": \"7\""),
        ("CREATE TABLE d (x int) WITH (mode = compliance)", "22023", "parameter \"mode\" needs a retention"),
        ("CREATE TABLE d (x int) WITH (retention = '1 day', mode = strict)", "22023", "invalid value for parameter \"mode\": \"strict\""),
        ("CREATE TABLE d (x int) WITH (user_catalog_table = true)", "22023", "unrecognized parameter \"user_catalog_table\""),
        ("CREATE TEMP TABLE d (x int) WITH (retention = '1 day')", "42P16", "a temporary table cannot have a retention"),
        ("ALTER TABLE ledger.catalog SET (retention = '1 day')", "42501", "permission denied for table catalog"),
    ] {
        refused(&mut client, sql, state, message).await;
    }
}

#[tokio::test]
async fn nobody_shortens_a_compliance_retention() {
    let fixture = Fixture::new();
    let mut root = fixture.session();
    root.run("CREATE TABLE a (x int) WITH (retention = '7 years', mode = compliance)").await;
    root.run("INSERT INTO a VALUES (1)").await;
    for (sql, verb) in [
        ("ALTER TABLE a SET (retention = '6 years')", "shorten"),
        ("ALTER TABLE a SET (mode = governance)", "shorten"),
        ("ALTER TABLE a SET (mode = governance, retention = '9 years')", "shorten"),
        ("ALTER TABLE a RESET (mode)", "shorten"),
        ("ALTER TABLE a RESET (retention)", "remove"),
        ("ALTER TABLE a RESET (retention, mode)", "remove"),
        ("ALTER TABLE a SET (retention = '2555 days')", "shorten"),
    ] {
        let message = format!("cannot {verb} the retention of table \"a\": it is in compliance mode");
        refused(&mut root, sql, "55000", &message).await;
    }
    // A table of another name, a schema that is dropped: the retention is the rows', not the name's.
    root.run("ALTER TABLE a RENAME TO b").await;
    root.run("CREATE SCHEMA s").await;
    root.run("ALTER TABLE b SET SCHEMA s").await;
    root.run("ALTER TABLE s.b ADD COLUMN y int DEFAULT 5").await;
    root.run("DROP SCHEMA s CASCADE").await;
    let shown = "SELECT table_schema, table_name, retention, dropped_commit_seq IS NOT NULL FROM ledger.retention";
    assert_eq!(root.lines(shown).await, ["s|b|7 years|t"]);
}

#[tokio::test]
async fn a_governance_retention_is_shortened_by_custodians() {
    let fixture = Fixture::new();
    let mut root = fixture.session();
    for sql in
        ["CREATE ROLE ada LOGIN", "GRANT CREATE ON SCHEMA public TO ada", "CREATE ROLE eve LOGIN", "GRANT shockwave_custodian TO eve"]
    {
        root.run(sql).await;
    }
    let (mut ada, mut eve) = (as_role(&fixture, "ada"), as_role(&fixture, "eve"));
    ada.run("CREATE TABLE t (x int) WITH (retention = '1 year')").await;
    ada.run("ALTER TABLE t SET (retention = '2 years')").await;
    refused(&mut ada, "ALTER TABLE t SET (retention = '1 year')", "42501", "permission denied to shorten the retention of table \"t\"")
        .await;
    refused(&mut ada, "ALTER TABLE t RESET (retention)", "42501", "permission denied to shorten the retention of table \"t\"").await;
    refused(&mut eve, "ALTER TABLE t SET (retention = '1 year')", "42501", "must be owner of table t").await;
    root.run("GRANT shockwave_custodian TO ada").await;
    ada.run("ALTER TABLE t SET (retention = '1 year')").await;
    assert_eq!(root.lines(SHOWN).await, ["t|1 year|governance|ada"]);
    root.run("ALTER TABLE t RESET (retention)").await;
    assert_eq!(root.lines(SHOWN).await, [""; 0]);
}

#[tokio::test]
async fn holds_are_set_and_released_by_custodians() {
    let fixture = Fixture::new();
    let mut root = fixture.session();
    for sql in [
        "CREATE ROLE ada LOGIN",
        "GRANT CREATE ON SCHEMA public TO ada",
        "CREATE ROLE eve LOGIN",
        "GRANT shockwave_custodian TO eve",
        "CREATE ROLE aud LOGIN",
        "GRANT shockwave_custodian, shockwave_auditor TO aud",
    ] {
        root.run(sql).await;
    }
    let (mut ada, mut eve, mut aud) = (as_role(&fixture, "ada"), as_role(&fixture, "eve"), as_role(&fixture, "aud"));
    ada.run("CREATE TABLE t (x int)").await;
    ada.run("CREATE TABLE u (x int)").await;
    let denied = "permission denied to set or release a legal hold";
    refused(&mut ada, "CREATE LEGAL HOLD h ON TABLE t", "42501", denied).await;
    refused(&mut aud, "CREATE LEGAL HOLD h ON TABLE t", "42501", denied).await;
    assert_eq!(eve.tag("CREATE LEGAL HOLD h ON TABLE public.t, u REASON 'case 7'").await, "CREATE LEGAL HOLD");
    refused(&mut eve, "CREATE LEGAL HOLD h ON TABLE t", "42710", "legal hold \"h\" already exists").await;
    refused(&mut eve, "CREATE LEGAL HOLD g ON TABLE nothing", "42P01", "relation \"nothing\" does not exist").await;
    refused(&mut eve, "CREATE LEGAL HOLD g ON TABLE 99", "42P01", "there was never a table with number 99").await;
    refused(&mut eve, "CREATE LEGAL HOLD g ON TABLE", "42601", "syntax error at end of input").await;
    let shown = "SELECT name, table_schema, table_name, reason, set_by, commit_seq IS NOT NULL FROM ledger.holds WHERE released_by IS NULL ORDER BY name, relation_id";
    assert_eq!(root.lines(shown).await, ["h|public|t|case 7|eve|t", "h|public|u|case 7|eve|t"]);
    let t = root.value("SELECT relation_id FROM ledger.holds WHERE table_name = 't'").await;
    ada.run("DROP TABLE t").await;
    // A table that has no name any more is held by its number.
    eve.run(&format!("CREATE LEGAL HOLD g ON TABLE {t}")).await;
    assert_eq!(root.lines(shown).await, ["g|public|t|∅|eve|t", "h|public|t|case 7|eve|t", "h|public|u|case 7|eve|t"]);
    refused(&mut ada, "DROP LEGAL HOLD h", "42501", denied).await;
    assert_eq!(eve.tag("DROP LEGAL HOLD h, g").await, "DROP LEGAL HOLD");
    assert_eq!(root.lines(shown).await, [""; 0]);
    refused(&mut eve, "DROP LEGAL HOLD h", "42704", "legal hold \"h\" does not exist").await;
    assert_eq!(eve.tag("DROP LEGAL HOLD IF EXISTS h").await, "DROP LEGAL HOLD");
    // Who set and who released one is known for ever.
    let history =
        "SELECT name, table_name, set_by, released_by, released_commit_seq > commit_seq FROM ledger.holds ORDER BY 1, relation_id";
    assert_eq!(root.lines(history).await, ["g|t|eve|eve|t", "h|t|eve|eve|t", "h|u|eve|eve|t"]);
}

#[tokio::test]
async fn rows_are_expired_by_who_may() {
    let fixture = Fixture::new();
    let mut root = fixture.session();
    for sql in [
        "CREATE ROLE ada LOGIN",
        "GRANT CREATE ON SCHEMA public TO ada",
        "CREATE ROLE eve LOGIN",
        "GRANT shockwave_custodian TO eve",
        "CREATE ROLE bob LOGIN",
    ] {
        root.run(sql).await;
    }
    let (mut ada, mut eve, mut bob) = (as_role(&fixture, "ada"), as_role(&fixture, "eve"), as_role(&fixture, "bob"));
    ada.run("CREATE TABLE t (id int PRIMARY KEY, name text)").await;
    ada.run("INSERT INTO t SELECT i, 'name ' || i FROM generate_series(1, 100) AS i").await;
    fixture.database.ledger().seal().unwrap();
    let before = root.value("SELECT max(commit_seq) FROM ledger.commits").await;
    ada.run("DELETE FROM t").await;
    ada.run("INSERT INTO t VALUES (1, 'new')").await;
    let ended = root.value("SELECT max(commit_seq) FROM ledger.commits").await;
    refused(&mut ada, "EXPIRE TABLE t", "22023", "table \"t\" has no retention").await;
    refused(&mut bob, "EXPIRE TABLE t BEFORE COMMIT 1", "42501", "must be owner of table t").await;
    refused(&mut ada, "EXPIRE SEGMENTS", "42501", "permission denied to expire rows of all tables").await;
    refused(&mut ada, "EXPIRE TABLE nothing", "42P01", "relation \"nothing\" does not exist").await;
    refused(&mut ada, "EXPIRE TABLE ledger.catalog", "42501", "permission denied for table catalog").await;
    refused(&mut ada, "EXPIRE t", "42601", "syntax error at or near \"t\"").await;
    refused(&mut ada, "EXPIRE TABLE t BEFORE COMMIT 99999", "22023", "commit 99999 does not exist").await;
    refused(&mut ada, "EXPIRE TABLE t BEFORE 'soon'", "22007", "invalid input syntax for type timestamp with time zone: \"soon\"").await;
    ada.run("BEGIN").await;
    refused(&mut ada, "EXPIRE TABLE t BEFORE COMMIT 1", "25001", "EXPIRE cannot run inside a transaction block").await;
    ada.run("ROLLBACK").await;
    eve.run("CREATE LEGAL HOLD h ON TABLE t REASON 'case 7'").await;
    refused(&mut ada, &format!("EXPIRE TABLE t BEFORE COMMIT {ended}"), "55000", "cannot expire rows of table \"t\"").await;
    eve.run("DROP LEGAL HOLD h").await;
    assert_eq!(ada.tag(&format!("EXPIRE TABLE t BEFORE COMMIT {before}")).await, "EXPIRE 0", "they were seen then");
    root.run("ALTER TABLE t SET (retention = '7 years')").await;
    assert_eq!(ada.tag("EXPIRE TABLE t").await, "EXPIRE 0");
    assert_eq!(eve.tag("EXPIRE SEGMENTS").await, "EXPIRE 0");
    root.run("ALTER TABLE t RESET (retention)").await;
    assert_eq!(ada.tag(&format!("EXPIRE TABLE public.t BEFORE COMMIT {ended}")).await, "EXPIRE 1");
    assert_eq!(ada.lines("SELECT id, name FROM t").await, ["1|new"]);
    assert_eq!(ada.value(&format!("SELECT count(*) FROM t FOR SYSTEM_TIME AS OF COMMIT {ended}")).await, "1");
    let past = format!("SELECT count(name) FROM t FOR SYSTEM_TIME AS OF COMMIT {before}");
    let error = root.error(&past).await;
    assert_eq!((error.state().0, error.message()), ("72000", "rows 0 to 99 of table \"t\" have expired"), "{error}");
    let files = "SELECT first_row_id, rows FROM ledger.segments WHERE file LIKE '%.expired'";
    assert_eq!(root.lines(files).await, ["0|100"]);
    let said = "SELECT expired_by, table_name, first_row_id, rows, file LIKE '%.arrow', length(blake3), stub LIKE '%.expired', length(stub_blake3) FROM ledger.expired";
    assert_eq!(root.lines(said).await, ["ada|t|0|100|t|64|t|64"]);
    // What the ledger says of the rows is as it was, but for their values.
    let rows = "SELECT count(*), count(row_hash) FROM ledger.receipts WHERE table_name = 't'";
    assert_eq!(root.lines(rows).await, ["201|201"]);
    refused(&mut eve, "EXPIRE SEGMENTS BEFORE '2020-01-01'", "22023", "the ledger has no commit at or before 2020-01-01 00:00:00+00").await;
}

/// A topology is made of what is there: it would answer without the edges that have expired, where joins say that they have.
#[tokio::test]
async fn graphs_of_moments_that_saw_expired_edges_are_refused_however_they_are_answered() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for sql in [
        "CREATE TABLE v (id int PRIMARY KEY)",
        "CREATE TABLE e (id int PRIMARY KEY, a int NOT NULL REFERENCES v, b int NOT NULL REFERENCES v)",
        "INSERT INTO v SELECT generate_series(1, 3)",
        "INSERT INTO e VALUES (1, 1, 2), (2, 2, 3)",
        "CREATE PROPERTY GRAPH g VERTEX TABLES (v) EDGE TABLES (e SOURCE KEY (a) REFERENCES v (id) DESTINATION KEY (b) REFERENCES v (id))",
    ] {
        client.run(sql).await;
    }
    fixture.database.ledger().seal().unwrap();
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("DELETE FROM e").await;
    let ended = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    assert_eq!(client.tag(&format!("EXPIRE TABLE e BEFORE COMMIT {ended}")).await, "EXPIRE 2");
    let count = "SELECT count(*) FROM GRAPH_TABLE (g MATCH (x IS v)-[IS e]->(y IS v) COLUMNS (x.id AS x, y.id AS y))";
    for operators in ["on", "off"] {
        client.run(&format!("SET shockwave.graph_operators = {operators}")).await;
        assert_eq!(client.value(count).await, "0", "{operators}");
        client.run(&format!("SET shockwave.as_of = 'commit {before}'")).await;
        assert_eq!(client.error(count).await.state().0, "72000", "{operators}");
        client.run("RESET shockwave.as_of").await;
    }
}
