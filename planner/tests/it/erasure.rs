//! Erasable tables in SQL: they answer as any other, and ERASE takes what is sealed of a subject.

use crate::fixture::{Client, as_role, prepared, refused};

/// Columns of every type, with defaults that are computed; `$` stands for the table's name.
const COLUMNS: &str = "id bigint PRIMARY KEY, who int NOT NULL, b boolean, i2 smallint, i4 int, r real, d double precision, n numeric(12,3), \
     any numeric, t text DEFAULT 'none', v varchar(20), c char(6), raw bytea, day date, ts timestamp, tz timestamptz, hour time, span interval, u uuid, j json, jb jsonb, \
     ints int[], texts text[], longer int GENERATED ALWAYS AS (length(t) + 1) STORED, CHECK (i4 < 1000)";

const ROWS: [&str; 5] = [
    "(1, 7, true, -3, 42, 1.1, 'NaN', 12.5, 1e40, 'Ada', 'varchar', 'ab', '\\x00ff', '2026-01-02', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05+02', \
     '04:05:06', '1 year 2 mons -3 days', '00010203-0405-0607-0809-0a0b0c0d0e0f', '{\"a\": 1 }', '{\"b\": [1, null]}', '{1,NULL,3}', '{\"x y\",\"\"}')",
    "(2, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    "(3, 8, false, 0, 0, '-0', '-Infinity', -0.001, 'NaN', '', '', '', '', '-infinity', 'infinity', 'infinity', '24:00', '0', \
     'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', 'null', '{}', '{}')",
    "(4, 9, true, 32767, 999, 3.4e38, 1e-300, 999999999.999, 0.10, 'ünï\u{1F600}', 'x', 'xyz', '\\xdeadbeef', '4713-01-01 BC', '0001-01-01', '1970-01-01', '00:00', \
     '-1 mon', '00000000-0000-0000-0000-000000000000', '[]', '{\"a\": {\"b\": \"c\"}}', '{0}', '{NULL}')",
    "(5, 8, false, 1, 1, 1, 1, 1, 1, repeat('long ', 500), 'v', 'c', '\\x00', '2000-02-29', '2000-02-29', '2000-02-29', '12:00', '1 day', \
     '00000000-0000-0000-0000-000000000001', '1', '1', '{1,2,3}', '{a,b}')",
];

const NAMES: &str = "id, who, b, i2, i4, r, d, n, any, t, v, c, raw, day, ts, tz, hour, span, u, j, jb, ints, texts";

async fn both(client: &mut Client, sql: &str) {
    for table in ["sealed", "plain"] {
        client.run(&sql.replace('$', table)).await;
    }
}

async fn same(client: &mut Client, sql: &str) -> Vec<String> {
    let expected = client.lines(&sql.replace('$', "plain")).await;
    assert_eq!(client.lines(&sql.replace('$', "sealed")).await, expected, "{sql}");
    expected
}

#[tokio::test]
async fn an_erasable_table_answers_as_any_other_with_every_type() {
    let (fixture, mut client) = prepared(&[]).await;
    client.run(&format!("CREATE TABLE sealed ({COLUMNS}) WITH (erasable_by = who)")).await;
    client.run(&format!("CREATE TABLE plain ({COLUMNS})")).await;
    both(&mut client, "CREATE INDEX $_who ON $ (who)").await;
    for row in ROWS {
        both(&mut client, &format!("INSERT INTO $ ({NAMES}) VALUES {row}")).await;
    }
    both(&mut client, &format!("INSERT INTO $ ({NAMES}) SELECT g, g % 50, {} FROM generate_series(100, 400) g", ["NULL"; 21].join(", ")))
        .await;
    both(&mut client, "UPDATE $ SET t = 'n ' || id, i4 = id % 900 WHERE id > 100").await;
    both(&mut client, "DELETE FROM $ WHERE id % 10 = 3 AND id > 100").await;
    let questions = [
        "SELECT * FROM $ ORDER BY id",
        "SELECT * FROM $ WHERE id = 4",
        "SELECT t, longer FROM $ WHERE who = 8 ORDER BY id",
        "SELECT count(*), count(t), sum(i4), max(t) FROM $",
        "SELECT who, count(*) FROM $ WHERE t LIKE 'n %' GROUP BY who ORDER BY who",
        "SELECT a.id FROM $ a JOIN $ b ON a.t = b.t AND a.id <> b.id ORDER BY 1",
        "SELECT texts[1], ints[3], jb->'b' FROM $ WHERE id < 10 ORDER BY id",
        "SELECT id FROM $ ORDER BY t DESC NULLS LAST, id LIMIT 7",
    ];
    for sql in questions {
        assert!(!same(&mut client, sql).await.is_empty() || sql.contains("JOIN"), "{sql}");
    }
    fixture.database.ledger().seal().unwrap();
    for sql in questions {
        same(&mut client, sql).await;
    }
    client.run("BEGIN").await;
    both(&mut client, "INSERT INTO $ (id, who, t) VALUES (5000, 1, 'own')").await;
    both(&mut client, "UPDATE $ SET t = t || '!' WHERE id IN (1, 5000)").await;
    both(&mut client, "ALTER TABLE $ ADD COLUMN more text DEFAULT 'more'").await;
    for sql in questions {
        same(&mut client, sql).await;
    }
    client.run("COMMIT").await;
    both(&mut client, "ALTER TABLE $ ALTER COLUMN i2 TYPE int, ALTER COLUMN v TYPE text, ALTER COLUMN day TYPE text USING 'd' || day")
        .await;
    for sql in questions {
        same(&mut client, sql).await;
    }
    both(&mut client, "ALTER TABLE $ DROP COLUMN jb").await;
    same(&mut client, "SELECT * FROM $ ORDER BY id").await;
    for table in ["sealed", "plain"] {
        assert_eq!(client.error(&format!("INSERT INTO {table} (id, who, i4) VALUES (6000, 1, 1000)")).await.state().0, "23514");
        assert_eq!(client.error(&format!("INSERT INTO {table} (id, who) VALUES (1, 1)")).await.state().0, "23505");
    }
}

#[tokio::test]
async fn erase_takes_the_values_of_a_subject_now_and_in_the_past() {
    let (fixture, mut client) = prepared(&[
        "CREATE TABLE customers (id int PRIMARY KEY, customer int, name text, vip boolean) WITH (erasable_by = customer)",
        "CREATE TABLE letters (id int PRIMARY KEY, who text, words text) WITH (erasable_by = 'who')",
        "CREATE TABLE plain (id int PRIMARY KEY, name text)",
        "INSERT INTO customers VALUES (1, 7, 'Ada', true), (2, 7, 'Ada King', NULL), (3, 8, 'Bob', false)",
        "INSERT INTO letters VALUES (1, '7', 'Dear Ada'), (2, 'x', 'Dear X')",
    ])
    .await;
    assert_eq!(client.lines("SELECT count(*) FROM ledger.erasures").await, ["0"]);
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    for sql in ["SELECT name FROM customers WHERE id = 1", "SELECT name FROM customers ORDER BY id"] {
        client.run(sql).await;
    }
    assert_eq!(client.tag("ERASE FROM customers WHERE customer = 7 BECAUSE 'Art. 17'").await, "ERASE 1");
    assert_eq!(client.lines("SELECT * FROM customers ORDER BY id").await, ["1|7|∅|∅", "2|7|∅|∅", "3|8|Bob|f"]);
    assert_eq!(client.lines("SELECT name FROM customers WHERE id = 1").await, ["∅"]);
    let past = format!("SELECT name FROM customers FOR SYSTEM_TIME AS OF COMMIT {before} ORDER BY id");
    assert_eq!(client.lines(&past).await, ["∅", "∅", "Bob"]);
    assert_eq!(
        client.lines("SELECT actor, schema_name, relation_name, column_name, subject, basis, length(key) FROM ledger.erasures").await,
        ["shockwave|public|customers|customer|7|Art. 17|32"]
    );
    let place = client.lines("SELECT commit_seq, row FROM ledger.receipts WHERE table_name = 'customers' AND row_id = 0").await.remove(0);
    let (seq, row) = place.split_once('|').unwrap();
    let receipt = client.value(&format!("SELECT ledger_receipt({seq}, {row})")).await;
    let policy = format!("log {}\nquorum none\n", fixture.database.ledger().verifier_keys()[0]);
    let said = receipts::verify_receipt(receipt.as_bytes(), &receipts::Policy::parse(policy.as_bytes()).unwrap());
    assert!(said.exit_code() == 0 && said.to_string().contains("  name     = REDACTED\n"), "{said}");
    // The erasure itself is a row with a receipt.
    assert_eq!(client.lines("SELECT count(*) FROM ledger.receipts WHERE table_name = 'erased'").await, ["1"]);
    assert_eq!(client.tag("ERASE SUBJECT '7' IN customers, letters").await, "ERASE 1");
    assert_eq!(client.lines("SELECT words FROM letters ORDER BY id").await, ["∅", "Dear X"]);
    client.run("INSERT INTO customers VALUES (4, 8, 'Bob again', true), (5, 7, 'Ada again', NULL)").await;
    // No customer is called x: there the type has no such value.
    assert_eq!(client.tag("ERASE SUBJECT 'x'").await, "ERASE 1");
    assert_eq!(client.tag("ERASE SUBJECT 8 BECAUSE 'both'").await, "ERASE 1");
    assert_eq!(client.tag("ERASE SUBJECT -1").await, "ERASE 0");
    assert_eq!(client.lines("SELECT name FROM customers ORDER BY id").await, ["∅", "∅", "∅", "∅", "Ada again"]);
    assert_eq!(client.lines("SELECT subject FROM ledger.erasures ORDER BY commit_seq").await, ["7", "7", "x", "8"]);
    // What was dropped is in the past still.
    client.run("INSERT INTO letters VALUES (3, '9', 'Dear Nine')").await;
    let then = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    client.run("DROP TABLE letters").await;
    let past = format!("SELECT words FROM letters FOR SYSTEM_TIME AS OF COMMIT {then} WHERE id = 3");
    assert_eq!(client.lines(&past).await, ["Dear Nine"]);
    assert_eq!(client.tag("ERASE SUBJECT 9").await, "ERASE 1");
    assert_eq!(client.lines(&past).await, ["∅"]);
    assert_eq!(client.error("DELETE FROM ledger.erased").await.state().0, "42501");
    assert_eq!(client.error("DELETE FROM ledger.erasures").await.state().0, "42501");
}

#[tokio::test]
async fn what_was_erased_is_told_from_nulls() {
    let (_fixture, mut client) = prepared(&[
        "CREATE TABLE customers (id int PRIMARY KEY, customer int, name text, vip boolean) WITH (erasable_by = customer)",
        "CREATE TABLE plain (id int PRIMARY KEY, name text)",
        "INSERT INTO customers VALUES (1, 7, 'Ada', true), (2, 7, 'Ada King', NULL), (3, 8, 'Bob', false)",
    ])
    .await;
    let before = client.value("SELECT max(commit_seq) FROM ledger.commits").await;
    assert_eq!(client.lines("SELECT count(*) FROM customers WHERE _erased").await, ["0"]);
    assert_eq!(client.tag("ERASE SUBJECT 7 IN customers").await, "ERASE 1");
    client.run("INSERT INTO customers VALUES (4, 7, NULL, true), (5, 9, NULL, NULL)").await;
    for (sql, expected) in [
        ("SELECT id, name, _erased FROM customers ORDER BY id", vec!["1|∅|t", "2|∅|t", "3|Bob|f", "4|∅|f", "5|∅|f"]),
        ("SELECT _erased, id, _row_id IS NULL FROM customers WHERE id = 2", vec!["t|2|f"]),
        ("SELECT id FROM customers WHERE _erased ORDER BY id DESC LIMIT 1", vec!["2"]),
        ("SELECT c.id FROM customers c WHERE c.name IS NULL AND NOT c._erased ORDER BY 1", vec!["4", "5"]),
        ("SELECT _erased, count(*) FROM customers GROUP BY 1 ORDER BY 1", vec!["f|3", "t|2"]),
        ("SELECT * FROM customers WHERE id = 3", vec!["3|8|Bob|f"]),
        ("SELECT id, _erased FROM customers FOR SYSTEM_TIME ALL ORDER BY id", vec!["1|t", "2|t", "3|f", "4|f", "5|f"]),
        ("SELECT count(*) FROM information_schema.columns WHERE table_name = 'customers' AND column_name = '_erased'", vec!["0"]),
    ] {
        assert_eq!(client.lines(sql).await, expected, "{sql}");
    }
    let past = format!("SELECT id, _erased FROM customers FOR SYSTEM_TIME AS OF COMMIT {before} ORDER BY id");
    assert_eq!(client.lines(&past).await, ["1|t", "2|t", "3|f"]);
    // What a transaction has not committed is nobody's yet, and not erased.
    client.run("BEGIN").await;
    client.run("UPDATE customers SET name = 'Ada again' WHERE id = 1").await;
    client.run("INSERT INTO customers VALUES (6, 7, NULL, NULL)").await;
    assert_eq!(client.lines("SELECT id, _erased FROM customers ORDER BY id").await, ["1|f", "2|t", "3|f", "4|f", "5|f", "6|f"]);
    client.run("ROLLBACK").await;
    client.run("CREATE VIEW shown AS SELECT id, CASE WHEN _erased THEN 'REDACTED' ELSE name END AS name FROM customers").await;
    assert_eq!(client.lines("SELECT name FROM shown ORDER BY id").await, ["REDACTED", "REDACTED", "Bob", "∅", "∅"]);
    client.run("CREATE TABLE own (id int PRIMARY KEY, who int, _erased text) WITH (erasable_by = who)").await;
    client.run("INSERT INTO own VALUES (1, 1, 'mine')").await;
    assert_eq!(client.lines("SELECT _erased FROM own").await, ["mine"]);
    assert_eq!(client.error("SELECT _erased FROM plain").await.state().0, "42703");
    client.run("DELETE FROM customers WHERE _erased").await;
    assert_eq!(client.lines("SELECT id FROM customers ORDER BY id").await, ["3", "4", "5"]);
}

#[tokio::test]
async fn what_cannot_be_kept_secret_or_erased_is_refused() {
    let (_fixture, mut client) = prepared(&[
        "CREATE TABLE p (id int PRIMARY KEY, who int, name text) WITH (erasable_by = who)",
        "CREATE TABLE plain (id int PRIMARY KEY, name text UNIQUE)",
        "INSERT INTO p VALUES (1, 7, 'Ada')",
    ])
    .await;
    for sql in [
        "CREATE INDEX ON p (name)",
        "CREATE UNIQUE INDEX ON p (id, name)",
        "ALTER TABLE p ADD UNIQUE (name)",
        "ALTER TABLE p ADD FOREIGN KEY (name) REFERENCES plain (name)",
        "ALTER TABLE p DROP CONSTRAINT p_pkey",
        "CREATE TABLE q (id int PRIMARY KEY, who int, name text UNIQUE) WITH (erasable_by = who)",
        "CREATE TABLE q (id int PRIMARY KEY, who int, name text REFERENCES plain (name)) WITH (erasable_by = who)",
        "ALTER TABLE p ALTER COLUMN who TYPE bigint",
        "CREATE TEMPORARY TABLE q (id int, who int) WITH (erasable_by = who)",
        "ALTER TABLE plain SET (erasable_by = name)",
    ] {
        assert_eq!(client.error(sql).await.state().0, "0A000", "{sql}");
    }
    assert_eq!(client.error("CREATE TABLE q (id int) WITH (erasable_by = who)").await.state().0, "42703");
    assert_eq!(client.error("CREATE TABLE q (id int) WITH (erasable_by = 1 + 1)").await.state().0, "22023");
    assert_eq!(client.error("ALTER TABLE p DROP COLUMN who").await.state().0, "42P16");
    assert_eq!(client.error("INSERT INTO p VALUES (2, NULL, 'x')").await.state().0, "23502");
    client.run("CREATE INDEX ON p (who)").await;
    client.run("ALTER TABLE p ADD FOREIGN KEY (who) REFERENCES plain (id) NOT VALID").await;
    refused(&mut client, "ERASE FROM plain WHERE name = 'x'", "42809", "rows of \"plain\" cannot be erased").await;
    refused(&mut client, "ERASE FROM p WHERE name = 'Ada'", "42P10", "rows of \"p\" are not erased by column \"name\"").await;
    refused(&mut client, "ERASE FROM p WHERE nothing = 1", "42703", "column \"nothing\" of relation \"p\" does not exist").await;
    refused(&mut client, "ERASE FROM nowhere WHERE who = 1", "42P01", "relation \"nowhere\" does not exist").await;
    assert_eq!(client.error("ERASE FROM p WHERE who = 'seven'").await.state().0, "22P02");
    for sql in [
        "ERASE",
        "ERASE p",
        "ERASE FROM p",
        "ERASE FROM p WHERE who > 1",
        "ERASE SUBJECT",
        "ERASE SUBJECT 1 BECAUSE",
        "ERASE SUBJECT 1 IN",
        "ERASE SUBJECT 1 x",
    ] {
        assert_eq!(client.error(sql).await.state().0, "42601", "{sql}");
    }
    client.run("BEGIN").await;
    refused(&mut client, "ERASE SUBJECT 7", "25001", "ERASE cannot run inside a transaction block").await;
    client.run("ROLLBACK").await;
    client.run("SET default_transaction_read_only = on").await;
    refused(&mut client, "ERASE SUBJECT 7", "25006", "cannot execute ERASE in a read-only transaction").await;
    client.run("SET default_transaction_read_only = off").await;
    assert_eq!(client.lines("SELECT name FROM p").await, ["Ada"]);
}

#[tokio::test]
async fn only_owners_and_superusers_erase() {
    let (fixture, mut root) = prepared(&[
        "CREATE ROLE ada LOGIN",
        "CREATE ROLE bob LOGIN",
        "CREATE ROLE eve LOGIN IN ROLE shockwave_auditor",
        "CREATE TABLE p (id int PRIMARY KEY, who int, name text) WITH (erasable_by = who)",
        "CREATE TABLE other (id int PRIMARY KEY, who int, name text) WITH (erasable_by = who)",
        "ALTER TABLE p OWNER TO ada",
        "GRANT ALL ON p TO bob",
        "INSERT INTO p VALUES (1, 7, 'Ada'), (2, 8, 'Bob')",
        "INSERT INTO other VALUES (1, 7, 'Ada')",
    ])
    .await;
    let session = |role: &str| as_role(&fixture, role);
    for role in ["bob", "eve"] {
        for sql in ["ERASE FROM p WHERE who = 7", "ERASE SUBJECT 7 IN p", "ERASE SUBJECT 7"] {
            refused(&mut session(role), sql, "42501", "must be owner of table p").await;
        }
    }
    let mut ada = session("ada");
    refused(&mut ada, "ERASE SUBJECT 7", "42501", "must be owner of table other").await;
    refused(&mut ada, "ERASE SUBJECT 7 IN p, other", "42501", "must be owner of table other").await;
    ada.run("ERASE FROM p WHERE who = 7").await;
    assert_eq!(root.lines("SELECT name FROM p ORDER BY id").await, ["∅", "Bob"]);
    assert_eq!(root.lines("SELECT name FROM other").await, ["Ada"]);
    assert_eq!(root.lines("SELECT actor FROM ledger.erasures").await, ["ada"]);
    root.run("ERASE SUBJECT 7").await;
    assert_eq!(root.lines("SELECT name FROM other").await, ["∅"]);
    refused(&mut session("bob"), "SELECT * FROM ledger.erasures", "42501", "permission denied for table erasures").await;
    assert_eq!(session("eve").lines("SELECT count(*) FROM ledger.erasures").await, ["2"]);
}

#[tokio::test]
async fn what_is_held_or_must_be_kept_is_not_erased() {
    let (fixture, mut client) = prepared(&[
        "CREATE TABLE p (id int PRIMARY KEY, who int, name text) WITH (erasable_by = who)",
        "CREATE TABLE kept (id int PRIMARY KEY, who int, name text) WITH (erasable_by = who, retention = '7 years')",
        "INSERT INTO p VALUES (1, 7, 'Ada'), (2, 8, 'Bob')",
        "INSERT INTO kept VALUES (1, 7, 'Ada')",
        "CREATE LEGAL HOLD h ON TABLE p REASON 'case 7'",
    ])
    .await;
    assert_eq!(
        client.lines("SELECT array_to_string(reloptions, ';') FROM pg_class WHERE relname = 'kept'").await,
        ["erasable_by=who;retention=7 years;mode=governance"]
    );
    let error = client.error("ERASE FROM p WHERE who = 7").await;
    assert_eq!((error.state().0, error.message()), ("55000", "cannot erase a subject of table \"p\""));
    refused(&mut client, "ERASE SUBJECT 7 IN p, kept", "55000", "cannot erase a subject of table \"p\"").await;
    refused(&mut client, "ERASE FROM kept WHERE who = 7", "55000", "cannot erase a subject of table \"kept\"").await;
    client.run("DROP LEGAL HOLD h").await;
    // Of several tables all are erased or none is.
    refused(&mut client, "ERASE SUBJECT 7", "55000", "cannot erase a subject of table \"kept\"").await;
    assert_eq!(client.lines("SELECT name FROM p ORDER BY id").await, ["Ada", "Bob"]);
    assert_eq!(client.tag("ERASE FROM p WHERE who = 7").await, "ERASE 1");
    client.run("ALTER TABLE kept RESET (retention)").await;
    assert_eq!(client.tag("ERASE SUBJECT 7").await, "ERASE 1");
    assert_eq!(client.lines("SELECT name FROM kept").await, ["∅"]);
    assert_eq!(client.lines("SELECT count(*) FROM ledger.erasures").await, ["2"]);
    drop(fixture);
}
