//! INSERT, UPDATE, DELETE and SELECT over them.

use engine::SqlType;

use crate::fixture::{Client, Fixture};

async fn people(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run("CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, age int, city text)").await;
    client.run("INSERT INTO people VALUES (1, 'Ann', 30, 'Rome'), (2, 'Bob', 40, 'Oslo'), (3, 'Cid', NULL, 'Rome')").await;
    client
}

#[tokio::test]
async fn insert_takes_lists_defaults_and_queries() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    assert_eq!(client.tag("INSERT INTO people (name, id) VALUES ('Dee', 4), ('Eve', 5)").await, "INSERT 0 2");
    assert_eq!(client.tag("INSERT INTO people VALUES (6, 'Fay')").await, "INSERT 0 1");
    assert_eq!(client.tag("INSERT INTO people VALUES (7, 'Gus', DEFAULT, DEFAULT)").await, "INSERT 0 1");
    assert_eq!(client.tag("INSERT INTO people SELECT id + 100, upper(name), age, 'Bonn' FROM people WHERE id < 3").await, "INSERT 0 2");
    assert_eq!(client.tag("WITH x AS (SELECT 200 AS id) INSERT INTO people (id, name) SELECT id, 'x' FROM x").await, "INSERT 0 1");
    assert_eq!(
        client.lines("SELECT * FROM people WHERE id > 3 ORDER BY id").await,
        ["4|Dee|∅|∅", "5|Eve|∅|∅", "6|Fay|∅|∅", "7|Gus|∅|∅", "101|ANN|30|Bonn", "102|BOB|40|Bonn", "200|x|∅|∅"]
    );
    client.run("CREATE TABLE d (a int, b text)").await;
    assert_eq!(client.tag("INSERT INTO d DEFAULT VALUES").await, "INSERT 0 1");
    assert_eq!(client.lines("SELECT * FROM d").await, ["∅|∅"]);
}

#[tokio::test]
async fn insert_converts_as_assignment_does() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (i int, n numeric(6,2), f float8, s text, v varchar(4), d date, b boolean)").await;
    client.run("INSERT INTO t VALUES (1.5, 2, 3, 4, 'ab    ', '2024-01-01', 'yes')").await;
    client
        .run(
            "INSERT INTO t VALUES (-2.5, 1.005, 0.1, true, 5, date '2024-01-02', '0'), (2 + 2, 7, 1, 'x' || 'y', 'z', '2024-03-01', 1 = 1)",
        )
        .await;
    client.run("INSERT INTO t (i, s) SELECT 9.0, 12.50").await;
    assert_eq!(
        client.lines("SELECT * FROM t").await,
        ["2|2.00|3|4|ab  |2024-01-01|t", "-3|1.01|0.1|true|5|2024-01-02|f", "4|7.00|1|xy|z|2024-03-01|t", "9|∅|∅|12.50|∅|∅|∅",]
    );
}

#[tokio::test]
async fn update_appends_versions_by_key_and_by_query() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    assert_eq!(client.tag("UPDATE people SET age = 31 WHERE id = 1").await, "UPDATE 1");
    assert_eq!(client.tag("UPDATE people SET age = age + 1, city = upper(city) WHERE age IS NOT NULL").await, "UPDATE 2");
    assert_eq!(client.tag("UPDATE people SET age = DEFAULT WHERE id = 99").await, "UPDATE 0");
    assert_eq!(client.tag("UPDATE people AS p SET (name, age) = (p.name || '!', 1) WHERE p.city = 'Rome'").await, "UPDATE 1");
    assert_eq!(client.lines("SELECT * FROM people ORDER BY id").await, ["1|Ann|32|ROME", "2|Bob|41|OSLO", "3|Cid!|1|Rome"]);
    assert_eq!(client.tag("UPDATE people SET id = id + 10").await, "UPDATE 3");
    assert_eq!(client.lines("SELECT id FROM people ORDER BY id").await, ["11", "12", "13"]);
    assert!(client.lines("SELECT id FROM people WHERE id = 1").await.is_empty());
    assert_eq!(client.value("SELECT name FROM people WHERE id = 11").await, "Ann");
}

#[tokio::test]
async fn update_from_touches_a_row_once() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    client.run("CREATE TABLE visits (person int, city text)").await;
    client.run("INSERT INTO visits VALUES (1, 'Lima'), (1, 'Lima'), (2, 'Lima')").await;
    assert_eq!(client.tag("UPDATE people SET city = v.city FROM visits v WHERE v.person = people.id").await, "UPDATE 2");
    assert_eq!(client.lines("SELECT id, city FROM people ORDER BY id").await, ["1|Lima", "2|Lima", "3|Rome"]);
    assert_eq!(client.tag("DELETE FROM people p USING visits v WHERE v.person = p.id").await, "DELETE 2");
    assert_eq!(client.lines("SELECT id FROM people").await, ["3"]);
}

#[tokio::test]
async fn delete_ends_rows_and_frees_their_keys() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    assert_eq!(client.tag("DELETE FROM people WHERE id = 2").await, "DELETE 1");
    assert_eq!(client.tag("DELETE FROM people WHERE id = 2").await, "DELETE 0");
    assert_eq!(client.tag("DELETE FROM people WHERE city = 'Rome' AND age IS NULL").await, "DELETE 1");
    assert_eq!(client.lines("SELECT id FROM people").await, ["1"]);
    client.run("INSERT INTO people VALUES (2, 'Bea')").await;
    assert_eq!(client.value("SELECT name FROM people WHERE id = 2").await, "Bea");
    assert_eq!(client.tag("DELETE FROM people").await, "DELETE 2");
    assert_eq!(client.value("SELECT count(*) FROM people").await, "0");
}

#[tokio::test]
async fn returning_gives_what_was_written() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    let answer = client.run("INSERT INTO people (id, name) VALUES (8, 'Hal'), (9, 'Ida') RETURNING id, name AS who").await;
    assert_eq!(
        (answer.columns.join(","), answer.lines(), answer.tag),
        ("id,who".into(), vec!["8|Hal".into(), "9|Ida".into()], "INSERT 0 2".into())
    );
    let answer = client.run("UPDATE people p SET age = 1 WHERE id = 8 RETURNING p.id * 2 AS twice, upper(p.name)").await;
    assert_eq!((answer.lines(), answer.tag), (vec!["16|HAL".to_owned()], "UPDATE 1".to_owned()));
    let answer = client.run("DELETE FROM people WHERE age < 40 RETURNING *").await;
    let mut lines = answer.lines();
    lines.sort();
    assert_eq!((lines.join(" "), answer.tag.as_str()), ("1|Ann|30|Rome 8|Hal|1|∅".to_owned(), "DELETE 2"));
}

#[tokio::test]
async fn a_statement_that_fails_changes_nothing() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    assert_eq!(client.error("INSERT INTO people VALUES (10, 'x'), (1, 'again')").await.state().0, "23505");
    assert_eq!(
        client.error("INSERT INTO people SELECT id + 10, CASE WHEN id = 3 THEN NULL ELSE name END FROM people").await.state().0,
        "23502"
    );
    assert_eq!(client.error("UPDATE people SET age = 1 / (age - 40)").await.state().0, "22012");
    assert_eq!(client.lines("SELECT id, age FROM people ORDER BY id").await, ["1|30", "2|40", "3|∅"]);
}

#[tokio::test]
async fn many_rows_go_through_updates_and_joins() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE n (id bigint PRIMARY KEY, x bigint)").await;
    let values: Vec<String> = (0..20_000).map(|i| format!("({i},{})", i % 7)).collect();
    assert_eq!(client.tag(&format!("INSERT INTO n VALUES {}", values.join(","))).await, "INSERT 0 20000");
    assert_eq!(client.tag("UPDATE n SET x = x + 1 WHERE id % 2 = 0").await, "UPDATE 10000");
    assert_eq!(client.tag("DELETE FROM n WHERE id % 3 = 0").await, "DELETE 6667");
    let expected: i64 = (0..20_000).filter(|i| i % 3 != 0).map(|i| i % 7 + i64::from(i % 2 == 0)).sum();
    assert_eq!(client.lines("SELECT count(*), sum(x) FROM n").await, [format!("13333|{expected}")]);
    assert_eq!(client.value("SELECT count(*) FROM n a JOIN n b ON a.id = b.id + 1").await, "6666");
}

#[tokio::test]
async fn values_lists_mix_constants_and_expressions() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    let insert = "INSERT INTO people (id, name, age) VALUES ((SELECT max(id) FROM people) + 1, 'Dee', 5), (20, upper('eve'), 2 * 3), (2 + 19, 'Fay', NULL)";
    assert_eq!(client.tag(insert).await, "INSERT 0 3");
    assert_eq!(client.lines("SELECT id, name, age FROM people WHERE id > 3 ORDER BY id").await, ["4|Dee|5", "20|EVE|6", "21|Fay|∅"]);
    let prepared = client.prepare("INSERT INTO people (id, name) VALUES ($1 + 1, $2), (31, lower($2))", &[]).await.unwrap();
    client.execute(&prepared, &[Some("29"), Some("GUS")]).await.unwrap();
    assert_eq!(client.lines("SELECT id, name FROM people WHERE id >= 30 ORDER BY id").await, ["30|GUS", "31|gus"]);
    client.run("CREATE TABLE many (id int PRIMARY KEY, twice int)").await;
    let list: Vec<String> = (0..3_000).map(|i| if i % 2 == 0 { format!("({i}, {i} * 2)") } else { format!("({i}, {})", i * 2) }).collect();
    assert_eq!(client.tag(&format!("INSERT INTO many VALUES {}", list.join(", "))).await, "INSERT 0 3000");
    assert_eq!(client.value("SELECT count(*) FROM many WHERE twice = id * 2").await, "3000");
}

#[tokio::test]
async fn ctes_stand_before_writes_and_never_for_their_target() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    assert_eq!(
        client
            .tag("WITH old AS (SELECT id FROM people WHERE age > 35) UPDATE people SET city = 'Bern' WHERE id IN (SELECT id FROM old)")
            .await,
        "UPDATE 1"
    );
    assert_eq!(client.tag("WITH people AS (SELECT 1 AS id) UPDATE people SET age = 99 WHERE id = 2").await, "UPDATE 1");
    assert_eq!(client.tag("WITH x AS (SELECT 3 AS id) DELETE FROM people USING x WHERE people.id = x.id").await, "DELETE 1");
    assert_eq!(client.lines("SELECT * FROM people ORDER BY id").await, ["1|Ann|30|Rome", "2|Bob|99|Bern"]);
    assert_eq!(client.lines("EXPLAIN ANALYZE SELECT * FROM people WHERE id = 2").await[0], "KeyLookup: table=public.people, key=(id)");
}

#[tokio::test]
async fn truncate_ends_every_row_and_keeps_every_version() {
    let fixture = Fixture::new();
    let mut client = people(&fixture).await;
    client.run("CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)").await;
    client.run("BEGIN").await;
    client.run("INSERT INTO people (id, name) VALUES (90, 'New')").await;
    assert_eq!(client.tag("TRUNCATE TABLE people, other").await, "TRUNCATE TABLE");
    assert_eq!(client.value("SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM other)").await, "0");
    client.run("COMMIT").await;
    let markers = "SELECT count(*) FROM ledger.receipts WHERE op = 'DELETE' AND table_name IN ('people', 'other')";
    assert_eq!(client.value(markers).await, "5");
    client.run("INSERT INTO people (id, name) VALUES (1, 'Again')").await;
    assert_eq!(client.lines("SELECT id, name FROM people").await, ["1|Again"]);
    assert_eq!(client.error("TRUNCATE nowhere").await.state().0, "42P01");
    assert_eq!(client.error("TRUNCATE ledger.commits").await.state().0, "42501");
}

/// What PostgreSQL 15 answers to the same statements.
#[tokio::test]
async fn parts_of_a_statement_write() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)").await;
    let moved = "WITH new AS (INSERT INTO a VALUES (1, 'x'), (2, 'y') RETURNING id, upper(v) AS big) \
                 SELECT (SELECT count(*) FROM a), id, big FROM new ORDER BY id";
    assert_eq!(client.lines(moved).await, ["0|1|X", "0|2|Y"], "all parts see the rows from before");
    assert_eq!(client.lines("SELECT * FROM a ORDER BY id").await, ["1|x", "2|y"]);
    let archived = "WITH gone AS (DELETE FROM a WHERE id = 1 RETURNING *), kept AS (SELECT max(id) AS id FROM a) \
                    INSERT INTO b SELECT gone.id + kept.id, gone.v FROM gone, kept";
    assert_eq!(client.tag(archived).await, "INSERT 0 1");
    assert_eq!(client.lines("SELECT * FROM a").await, ["2|y"]);
    assert_eq!(client.lines("SELECT * FROM b").await, ["3|x"]);
    let unread = "WITH w(k) AS (UPDATE a SET v = 'z' RETURNING id) SELECT 1";
    assert_eq!(client.lines(unread).await, ["1"]);
    assert_eq!(client.lines("SELECT v FROM a").await, ["z"], "a part that nobody reads runs too");
    assert_eq!(client.lines("WITH w(k) AS (UPDATE a SET v = 'q' RETURNING id) SELECT k FROM w").await, ["2"]);
    let nested = client.error("SELECT * FROM (WITH w AS (DELETE FROM a RETURNING id) SELECT * FROM w) AS x").await;
    assert_eq!(nested.state().0, "0A000");
    client.run("BEGIN READ ONLY").await;
    assert_eq!(client.error(unread).await.state().0, "25006");
    client.run("ROLLBACK").await;
    let prepared = client.prepare("WITH w AS (INSERT INTO a VALUES ($1, $2) RETURNING id) SELECT id * 10 FROM w", &[]).await.unwrap();
    for id in ["7", "8"] {
        let answer = client.execute(&prepared, &[Some(id), Some("p")]).await.unwrap();
        assert_eq!(answer.lines(), [format!("{id}0")]);
    }
}

/// What PostgreSQL 15 answers to the same statements.
#[tokio::test]
async fn merge_takes_the_first_clause_that_fits() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE stock (item text PRIMARY KEY, n int, note text); CREATE TABLE moves (item text, delta int)").await;
    client.run("INSERT INTO stock VALUES ('a', 5, 'old'), ('b', 1, 'old'), ('c', 2, 'old')").await;
    client.run("INSERT INTO moves VALUES ('a', 3), ('b', -1), ('d', 7), ('e', -2)").await;
    let merge = "MERGE INTO stock s USING moves AS m ON s.item = m.item \
                 WHEN MATCHED AND s.n + m.delta = 0 THEN DELETE \
                 WHEN MATCHED THEN UPDATE SET n = s.n + m.delta, note = 'new' \
                 WHEN NOT MATCHED AND m.delta < 0 THEN DO NOTHING \
                 WHEN NOT MATCHED THEN INSERT (item, n) VALUES (m.item, m.delta)";
    assert_eq!(client.tag(merge).await, "MERGE 3");
    assert_eq!(client.lines("SELECT * FROM stock ORDER BY item").await, ["a|8|new", "c|2|old", "d|7|∅"]);
    let twice = "MERGE INTO stock USING (VALUES ('a'), ('a')) AS v(item) ON stock.item = v.item WHEN MATCHED THEN UPDATE SET n = 1";
    assert_eq!(client.error(twice).await.state().0, "21000");
    let untouched = "MERGE INTO stock USING (VALUES ('a', 0), ('c', 2)) AS v(item, d) ON stock.item = v.item \
                     WHEN MATCHED AND d = 0 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET n = n / d";
    assert_eq!(client.tag(untouched).await, "MERGE 1");
    assert_eq!(client.lines("SELECT item, n FROM stock ORDER BY item").await, ["a|8", "c|1", "d|7"]);
    client.run("BEGIN READ ONLY").await;
    assert_eq!(client.error(merge).await.state().0, "25006");
    client.run("ROLLBACK").await;
}

#[tokio::test]
async fn explain_runs_what_it_analyzes() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10), (2, 20)").await;
    let analyzed = client.lines("EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM t WHERE v > 10").await;
    assert!(analyzed.iter().any(|line| line.contains("SegmentScan: table=t") && line.contains("actual rows=2")), "{analyzed:?}");
    assert!(analyzed.last().unwrap().starts_with("Execution Time: "), "{analyzed:?}");
    let written = client.lines("EXPLAIN ANALYZE UPDATE t SET v = v + 1").await;
    assert!(written[0].starts_with("Update on public.t (actual rows=2)"), "{written:?}");
    assert_eq!(client.lines("SELECT v FROM t ORDER BY id").await, ["11", "21"], "its writes are real");
    let json = client.value("EXPLAIN (FORMAT JSON) SELECT v FROM t WHERE id = 1").await;
    assert_eq!(json.replace(['\n', ' '], ""), r#"[{"Plan":{"Detail":"table=public.t,key=(id)","NodeType":"KeyLookup"}}]"#);
    client.run("PREPARE one AS SELECT v FROM t WHERE id = $1").await;
    for (sql, sql_type) in [
        ("EXPLAIN (FORMAT JSON) SELECT 1", SqlType::Json),
        ("EXPLAIN (FORMAT JSON) EXECUTE one(1)", SqlType::Json),
        ("EXPLAIN (FORMAT TEXT) EXECUTE one(1)", SqlType::Text),
    ] {
        let described = client.prepare(sql, &[]).await.unwrap().columns.clone().unwrap();
        assert_eq!(described[0].sql_type, sql_type, "{sql}");
    }
    for (sql, state) in [
        ("EXPLAIN (TIMING) SELECT 1", "22023"),
        ("EXPLAIN (NOTHING) SELECT 1", "42601"),
        ("EXPLAIN (FORMAT XML) SELECT 1", "0A000"),
        ("EXPLAIN (FORMAT other) SELECT 1", "22023"),
    ] {
        assert_eq!(client.error(sql).await.state().0, state, "{sql}");
    }
    client.run("BEGIN READ ONLY").await;
    assert_eq!(client.error("EXPLAIN ANALYZE DELETE FROM t").await.state().0, "25006");
}

#[tokio::test]
async fn receipts_come_with_the_rows() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, v text)").await;
    let receipt = "SELECT ledger_receipt((SELECT max(commit_seq) FROM ledger.commits), 1)";
    let inserted = client.run("INSERT INTO t VALUES (1, 'a'), (2, 'b') RETURNING _receipt AS proof, *, upper(v)").await;
    assert_eq!(inserted.columns, ["proof", "id", "v", "upper"]);
    assert_eq!(inserted.rows[1], [client.value(receipt).await.as_str(), "2", "b", "B"]);
    assert_ne!(inserted.rows[0][0], inserted.rows[1][0]);
    let updated = client.run("UPDATE t SET v = 'c' RETURNING id, _receipt").await;
    assert_eq!((updated.columns[1].as_str(), &updated.rows[1][1]), ("_receipt", &client.value(receipt).await));
    let deleted = client.run("DELETE FROM t WHERE id = 2 RETURNING _receipt").await;
    assert_eq!(deleted.rows[0][0], client.value(&receipt.replace("1)", "0)")).await);
    client.run("BEGIN").await;
    assert_eq!(client.error("DELETE FROM t RETURNING _receipt").await.state().0, "0A000");
    client.run("ROLLBACK").await;
    assert_eq!(client.error("WITH w AS (DELETE FROM t RETURNING _receipt) SELECT 1").await.state().0, "0A000");
    assert_eq!(client.error("SELECT _receipt FROM t").await.state().0, "42703");
}
