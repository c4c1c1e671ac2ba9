//! Indexes over expressions and over part of the rows: what they refuse, who uses them, and what becomes of them when their columns change.

use crate::fixture::{Client, Fixture};

async fn people(client: &mut Client) {
    client.run("CREATE TABLE person (id int PRIMARY KEY, name text, a int, b int, gone timestamptz)").await;
    client.run("INSERT INTO person SELECT n, 'Name ' || n, n % 50, n / 50 FROM generate_series(1, 5000) AS g(n)").await;
    client.run("UPDATE person SET gone = '2024-01-01' WHERE id % 100 <> 0").await;
}

async fn plan(client: &mut Client, sql: &str) -> String {
    client.lines(&format!("EXPLAIN {sql}")).await.join("\n")
}

#[tokio::test]
async fn queries_with_the_same_expression_read_the_index() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    people(&mut client).await;
    client.run("CREATE INDEX ON person (lower(name)); CREATE INDEX both_sum ON person ((a + b), id)").await;
    for (sql, condition, answer) in [
        ("SELECT id FROM person WHERE lower(name) = 'name 77'", "Index Cond: (lower(name) = name 77)", "77"),
        ("SELECT id FROM person p WHERE 'name 77' = (lower(p.name))", "Index Cond: (lower(name) = name 77)", "77"),
        ("SELECT count(*) FROM person WHERE lower(name) > 'name 99' AND lower(name) <= 'name 990'", "lower(name) > name 99", "1"),
        ("SELECT count(*) FROM person WHERE a + b = 3 AND id > 60", "(((a + b) = 3) AND (id > 60))", "2"),
        ("SELECT id FROM person ORDER BY lower(name) DESC LIMIT 1", "Index Scan Backward using person_lower_idx", "999"),
        ("SELECT id FROM person ORDER BY a + b, id DESC LIMIT 1", "SegmentScan", "50"),
        ("SELECT id FROM person ORDER BY a + b, id LIMIT 1", "Index Scan using both_sum", "1"),
        ("SELECT max(a + b) FROM person", "Index Scan Backward using both_sum", "148"),
        ("SELECT id FROM person WHERE lower(name) = lower('NAME 5')", "Index Cond: (lower(name) = name 5)", "5"),
    ] {
        let plan = plan(&mut client, sql).await;
        assert!(plan.contains(condition), "{sql}\n{plan}");
        assert_eq!(client.value(sql).await, answer, "{sql}");
    }
    // Another expression of the same columns.
    let other = plan(&mut client, "SELECT id FROM person WHERE upper(name) = 'NAME 5' AND b + a = 3").await;
    assert!(!other.contains("Index"), "{other}");
    let prepared = client.prepare("SELECT id FROM person WHERE lower(name) = $1", &[]).await.unwrap();
    for n in ["17", "4000"] {
        assert_eq!(client.execute(&prepared, &[Some(&format!("name {n}"))]).await.unwrap().value(), n);
    }
    assert_eq!(client.tag("UPDATE person SET name = 'Changed' WHERE lower(name) = 'name 9'").await, "UPDATE 1");
    assert_eq!(client.tag("DELETE FROM person WHERE lower(name) = 'changed'").await, "DELETE 1");
    client.run("BEGIN").await;
    assert_eq!(client.value("SELECT id FROM person WHERE lower(name) = 'name 10' FOR UPDATE").await, "10");
    client.run("INSERT INTO person VALUES (9000, 'NAME 10')").await;
    assert_eq!(client.value("SELECT count(*) FROM person WHERE lower(name) = 'name 10'").await, "2");
    client.run("COMMIT").await;
}

#[tokio::test]
async fn an_index_of_some_rows_answers_where_its_condition_is_implied() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    people(&mut client).await;
    client.run("CREATE INDEX live ON person (name) WHERE gone IS NULL; CREATE INDEX low ON person (b) WHERE a < 3 AND b IS NOT NULL").await;
    client.run("CREATE INDEX forty ON person (id) WHERE a = 40").await;
    for (sql, index, answer) in [
        ("SELECT id FROM person WHERE name = 'Name 100' AND gone IS NULL", "live", "100"),
        ("SELECT count(*) FROM person WHERE gone IS NULL", "live", "50"),
        ("SELECT id FROM person WHERE gone IS NULL ORDER BY name LIMIT 1", "live", "100"),
        ("SELECT count(*) FROM person WHERE b = 4 AND a = 2", "low", "1"),
        ("SELECT count(*) FROM person WHERE b = 4 AND a <= 2", "low", "3"),
        ("SELECT count(*) FROM person WHERE b = 4 AND a < 3", "low", "3"),
        ("SELECT id FROM person WHERE a = 40 AND id > 4900", "forty", "4940"),
    ] {
        let plan = plan(&mut client, sql).await;
        let scan = if sql.contains("max") { "Index Scan Backward" } else { "Scan" };
        assert!(plan.contains(&format!("{scan} using {index} on person")), "{sql}\n{plan}");
        assert_eq!(client.lines(sql).await[0], answer, "{sql}");
    }
    for sql in [
        "SELECT id FROM person WHERE name = 'Name 100'",
        "SELECT count(*) FROM person WHERE b = 4 AND a < 4",
        "SELECT count(*) FROM person WHERE b = 4 AND a <= 3",
        "SELECT id FROM person WHERE name = 'Name 100' AND gone IS NOT NULL",
        "SELECT id FROM person ORDER BY name LIMIT 1",
    ] {
        let plan = plan(&mut client, sql).await;
        assert!(!plan.contains("Index"), "{sql}\n{plan}");
    }
    // A kept plan asks the index or does not, as its values are.
    let prepared = client.prepare("SELECT count(*) FROM person WHERE b = $1 AND a < $2", &[]).await.unwrap();
    for (a, answer) in [("3", "3"), ("2", "2"), ("40", "40"), ("0", "0")] {
        assert_eq!(client.execute(&prepared, &[Some("4"), Some(a)]).await.unwrap().value(), answer, "a < {a}");
    }
    client.run("CREATE INDEX odd ON person (a, b) WHERE a <> 7").await;
    for (sql, is_asked) in [("a = 8 AND b = 3", true), ("a = 8 AND b < 20", true), ("a = 7 AND b = 3", false), ("a >= 7 AND a < 9", false)]
    {
        let plan = plan(&mut client, &format!("SELECT count(*) FROM person WHERE {sql}")).await;
        assert_eq!(plan.contains("using odd"), is_asked, "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn unique_expressions_and_parts_refuse_and_arbitrate() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client
        .run("CREATE TABLE u (id int PRIMARY KEY, mail varchar(40), a int, b int, gone bool NOT NULL DEFAULT false, n int DEFAULT 0)")
        .await;
    client.run("CREATE UNIQUE INDEX u_mail ON u (lower(mail)); CREATE UNIQUE INDEX u_sum ON u ((a + b)) WHERE NOT gone").await;
    client.run("INSERT INTO u VALUES (1, 'Ann@x', 1, 2)").await;
    let error = client.error("INSERT INTO u VALUES (2, 'ANN@X', 5, 5)").await;
    let detail = error.fields().find(|(letter, _)| *letter == b'D').map(|(_, detail)| detail.to_owned());
    assert_eq!((error.state().0, error.message()), ("23505", "duplicate key value violates unique constraint \"u_mail\""));
    assert_eq!(detail.as_deref(), Some("Key (lower(mail::text))=(ann@x) already exists."));
    let error = client.error("INSERT INTO u VALUES (2, 'bob', 3, 0)").await;
    let detail = error.fields().find(|(letter, _)| *letter == b'D').map(|(_, detail)| detail.to_owned());
    assert_eq!(detail.as_deref(), Some("Key ((a + b))=(3) already exists."));
    client.run("INSERT INTO u VALUES (2, 'bob', 3, 0, true), (3, 'cid', 3, 0, true)").await;
    assert_eq!(client.error("UPDATE u SET gone = false WHERE id = 2").await.state().0, "23505");
    let add = "INSERT INTO u (id, mail, a, b, n) VALUES";
    client.run(&format!("{add} (9, 'aNN@x', 7, 7, 5) ON CONFLICT (lower(mail)) DO UPDATE SET n = u.n + excluded.n")).await;
    client.run(&format!("{add} (9, 'new', 2, 1, 10) ON CONFLICT ((a+b)) WHERE NOT gone DO UPDATE SET n = u.n + excluded.n")).await;
    assert_eq!(client.value("SELECT n FROM u WHERE id = 1").await, "15");
    assert_eq!(client.tag(&format!("{add} (9, 'ANN@x', 8, 8, 1) ON CONFLICT DO NOTHING")).await, "INSERT 0 0");
    for target in ["((a + b))", "((a + b)) WHERE gone", "(mail)", "(upper(mail))", "(lower(mail), id)"] {
        let error = client.error(&format!("{add} (9, 'x', 2, 1, 1) ON CONFLICT {target} DO NOTHING")).await;
        assert_eq!(error.state().0, "42P10", "{target}");
    }
    // Rows that break it are named when it is made.
    let error = client.error("CREATE UNIQUE INDEX ON u ((n % 5))").await;
    assert_eq!((error.state().0, error.message()), ("23505", "could not create unique index \"u_expr_idx\""));
    // None of them is what a foreign key needs.
    assert_eq!(client.error("CREATE TABLE c (s int REFERENCES u (a))").await.state().0, "42830");
    assert_eq!(
        client.error("ALTER TABLE u ADD CONSTRAINT x UNIQUE USING INDEX u_mail").await.message(),
        "index \"u_mail\" contains expressions"
    );
    client.run("CREATE UNIQUE INDEX u_part ON u (id) WHERE gone").await;
    assert_eq!(client.error("ALTER TABLE u ADD CONSTRAINT x UNIQUE USING INDEX u_part").await.message(), "\"u_part\" is a partial index");
}

#[tokio::test]
async fn what_an_index_cannot_be_over_is_refused() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (a int, b text, at timestamptz, d date, j json)").await;
    for (index, state, message) in [
        ("((a + random()))", "42P17", "functions in index expression must be marked IMMUTABLE"),
        ("((at::date))", "42P17", "functions in index expression must be marked IMMUTABLE"),
        ("((d::text))", "42P17", "functions in index expression must be marked IMMUTABLE"),
        ("(to_char(d, 'YYYY'))", "42P17", "functions in index expression must be marked IMMUTABLE"),
        ("(date_trunc('day', at))", "42P17", "functions in index expression must be marked IMMUTABLE"),
        ("(a) WHERE at < now()", "42P17", "functions in index predicate must be marked IMMUTABLE"),
        ("(a) WHERE d < current_date", "42P17", "functions in index predicate must be marked IMMUTABLE"),
        ("(a) WHERE a + 1", "42804", "argument of WHERE must be type boolean, not type integer"),
        ("((SELECT 1))", "0A000", "cannot use subquery in index expression"),
        ("(a) WHERE a IN (SELECT 1)", "0A000", "cannot use subquery in index predicate"),
        ("(max(a))", "42803", "aggregate functions are not allowed in index expressions"),
        ("((c + 1))", "42703", "column \"c\" does not exist"),
        ("(a) INCLUDE (c)", "42703", "column \"c\" does not exist"),
        ("(nonesuch(a))", "42883", "function nonesuch does not exist"),
        ("(j)", "42704", "data type json has no default operator class for access method \"btree\""),
    ] {
        let error = client.error(&format!("CREATE INDEX ON t {index}")).await;
        assert_eq!((error.state().0, error.message()), (state, message), "{index}");
    }
    for index in [
        "((at AT TIME ZONE 'UTC'))",
        "(date_trunc('day', at AT TIME ZONE 'UTC'))",
        "((d + 1))",
        "(coalesce(a, 0)) WHERE at > '2024-01-01 00:00:00+00'",
        "(left(b, 2), length(b))",
    ] {
        client.run(&format!("CREATE INDEX ON t {index}")).await;
    }
    client.run("CREATE TABLE e (id int PRIMARY KEY, who text, what text) WITH (erasable_by = who)").await;
    assert_eq!(client.error("CREATE INDEX ON e (lower(what))").await.state().0, "0A000");
    assert_eq!(client.error("CREATE INDEX ON e (id) WHERE what = 'x'").await.state().0, "0A000");
    client.run("CREATE INDEX ON e (lower(who)); INSERT INTO e VALUES (1, 'Ann', 'x'), (2, 'Bob', 'y')").await;
    for condition in ["lower(who) = 'bob'", "lower(who) = 'bob' AND NOT _erased"] {
        assert_eq!(client.lines(&format!("SELECT id FROM e WHERE {condition} ORDER BY _erased LIMIT 3")).await, ["2"], "{condition}");
    }
    assert!(plan(&mut client, "SELECT id FROM e WHERE lower(who) = 'bob'").await.contains("using e_lower_idx"));
}

#[tokio::test]
async fn indexes_follow_their_columns() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text, c int)").await;
    client.run("CREATE UNIQUE INDEX x ON t ((a * 2), lower(b)) INCLUDE (c) WHERE c > 0; CREATE INDEX y ON t (c) WHERE b = 'q'").await;
    client.run("INSERT INTO t SELECT n, n, 'B' || n, n FROM generate_series(1, 1000) g(n)").await;
    let definition = "SELECT pg_get_indexdef('x'::regclass)";
    assert_eq!(
        client.value(definition).await,
        "CREATE UNIQUE INDEX x ON public.t USING btree (((a * 2)), lower(b)) INCLUDE (c) WHERE (c > 0)"
    );
    client.run("ALTER TABLE t RENAME COLUMN a TO \"A\"; ALTER TABLE t RENAME TO t2; ALTER TABLE t2 RENAME COLUMN c TO z").await;
    assert_eq!(
        client.value(definition).await,
        "CREATE UNIQUE INDEX x ON public.t2 USING btree (((\"A\" * 2)), lower(b)) INCLUDE (z) WHERE (z > 0)"
    );
    let sql = "SELECT id FROM t2 WHERE \"A\" * 2 = 14 AND lower(b) = 'b7' AND z > 0";
    assert!(plan(&mut client, sql).await.contains("using x"), "{}", plan(&mut client, sql).await);
    client.run("ALTER TABLE t2 ALTER COLUMN \"A\" TYPE bigint").await;
    assert!(plan(&mut client, sql).await.contains("using x"), "{}", plan(&mut client, sql).await);
    assert_eq!(client.value(sql).await, "7");
    assert_eq!(client.error("INSERT INTO t2 VALUES (2000, 7, 'b7', 1)").await.state().0, "23505");
    client.run("CREATE TABLE copy (LIKE t2 INCLUDING INDEXES)").await;
    assert_eq!(
        client.value("SELECT indexdef FROM pg_indexes WHERE tablename = 'copy' AND indexdef LIKE '%lower%'").await,
        "CREATE UNIQUE INDEX copy_expr_lower_c_idx ON public.copy USING btree (((\"A\" * 2)), lower(b)) INCLUDE (z) WHERE (z > 0)"
    );
    assert_eq!(client.value("SELECT attname FROM pg_attribute WHERE attrelid = 'x'::regclass AND attnum = 1").await, "expr");
    assert_eq!(client.value("SELECT indkey::text FROM pg_index WHERE indexrelid = 'x'::regclass").await, "0 0 4");
    assert_eq!(client.value("SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'x'::regclass").await, "(z > 0)");
    assert_eq!(
        client.value("SELECT pg_get_expr(indexprs, indrelid) FROM pg_index WHERE indexrelid = 'x'::regclass").await,
        "(\"A\" * 2), lower(b)"
    );
    // Its column goes, and with it what is over it.
    client.run("ALTER TABLE t2 DROP COLUMN b").await;
    assert_eq!(client.value("SELECT count(*) FROM pg_indexes WHERE tablename = 't2'").await, "1");
}
