//! Tables, sessions and schemas as of the past, and histories: what was answered then is answered now.

use std::sync::Arc;

use base::{Rng, SeededRng};
use engine::SqlType;
use planner::Session;

use crate::fixture::{Client, Fixture};

async fn newest(client: &mut Client) -> u64 {
    client.value("SELECT max(commit_seq) FROM ledger.commits").await.parse().unwrap()
}

/// What a query answers, its columns included; or the error's code.
async fn answer(client: &mut Client, sql: &str) -> Vec<String> {
    match client.try_run(sql).await {
        Ok(answer) => std::iter::once(answer.columns.join(",")).chain(answer.lines()).collect(),
        Err(error) => vec![error.state().0.to_owned()],
    }
}

/// What a receipt that verifies shows.
fn verified(receipt: &str, keys: &[String]) -> String {
    let policy = receipts::Policy::parse(format!("log {}\nquorum none\n", keys[0]).as_bytes()).unwrap();
    match receipts::verify_receipt(receipt.as_bytes(), &policy) {
        receipts::Verdict::Valid(report) => format!("{report:?}"),
        other => panic!("{other:?}\n{receipt}"),
    }
}

/// A statement that changes rows or definitions; some of them fail.
fn drawn(rng: &SeededRng, names: &mut u64) -> String {
    let draw = |below: u64| rng.next_u64() % below;
    let table = ["t", "u"][draw(2) as usize];
    match draw(14) {
        0 => format!("CREATE TABLE {table} (id int PRIMARY KEY, a int)"),
        1 => format!("DROP TABLE {table}"),
        2 => {
            *names += 1;
            format!("ALTER TABLE {table} ADD COLUMN c{names} int DEFAULT {names}")
        }
        3 => format!("ALTER TABLE {table} DROP COLUMN IF EXISTS c{}", draw(*names + 1)),
        4 => {
            *names += 1;
            format!("ALTER TABLE {table} RENAME COLUMN c{} TO c{names}", draw(*names))
        }
        5 => format!("TRUNCATE {table}"),
        6 | 7 => format!("UPDATE {table} SET a = a + {} WHERE id % 3 = {}", draw(9), draw(3)),
        8 => format!("DELETE FROM {table} WHERE id % 5 = {}", draw(5)),
        _ => format!("INSERT INTO {table} (id, a) VALUES ({}, {}) ON CONFLICT (id) DO UPDATE SET a = excluded.a", draw(30), draw(100)),
    }
}

#[tokio::test]
async fn every_commit_answers_what_it_answered_then() {
    for seed in 0..4 {
        let rng = SeededRng::new(seed);
        let fixture = Fixture::new();
        let mut client = fixture.session();
        let queries = ["SELECT * FROM t ORDER BY id", "SELECT * FROM t WHERE id = 7", "SELECT count(*), sum(u.a) FROM t JOIN u USING (id)"];
        let mut then = Vec::new();
        let mut names = 0;
        for step in 0..60 {
            let _ = client.try_run(&drawn(&rng, &mut names)).await;
            if step == 30 {
                fixture.database.ledger().seal().unwrap();
            }
            let seq = newest(&mut client).await;
            let mut answers = Vec::new();
            for sql in queries {
                answers.push(answer(&mut client, sql).await);
            }
            then.push((seq, answers));
        }
        for (seq, answers) in &then {
            client.run(&format!("SET shockwave.as_of = 'commit {seq}'")).await;
            for (sql, expected) in queries.iter().zip(answers) {
                assert_eq!(&answer(&mut client, sql).await, expected, "seed {seed}, commit {seq}: {sql}");
            }
            client.run("RESET shockwave.as_of").await;
            for (sql, expected) in queries.iter().zip(answers) {
                let table = |name: &str| format!(" {name} FOR SYSTEM_TIME AS OF COMMIT {seq}");
                let sql = sql.replace(" t", &table("t")).replace(" JOIN u", &format!(" JOIN{}", table("u")));
                assert_eq!(&answer(&mut client, &sql).await, expected, "seed {seed}: {sql}");
            }
        }
    }
}

#[tokio::test]
async fn times_mean_the_last_commit_at_or_before_them() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int)").await;
    client.run("INSERT INTO t VALUES (1, 10)").await;
    let time = client.value("SELECT max(committed_at) FROM ledger.commits").await;
    client.run("UPDATE t SET a = 11").await;
    client.run("DELETE FROM t").await;
    let at = |time: &str| format!("SELECT a FROM t FOR SYSTEM_TIME AS OF {time}");
    assert_eq!(client.value(&at(&format!("TIMESTAMPTZ '{time}'"))).await, "10");
    assert_eq!(client.value(&at(&format!("'{time}'"))).await, "10");
    assert_eq!(client.value(&at(&format!("('{time}'::timestamptz + interval '0 s')"))).await, "10");
    assert!(client.lines(&at("now() + interval '1 hour'")).await.is_empty());
    assert!(client.lines("SELECT a FROM t FOR SYSTEM_TIME AS OF 'infinity' AS x WHERE x.a > 0").await.is_empty());
    // In any zone and date style.
    client.run(&format!("SET TimeZone = 'America/New_York'; SET shockwave.as_of = '{time}'; SET TimeZone = 'Asia/Tokyo'")).await;
    assert_eq!(client.value("SELECT a FROM t").await, "10");
    assert_eq!(client.value("SHOW shockwave.as_of").await, time);
    client.run("RESET ALL").await;
    assert!(client.lines("SELECT a FROM t").await.is_empty());
    let before = client.error(&at("'2001-01-01'")).await;
    assert_eq!(before.state().0, "22023");
    assert_eq!(before.message(), "the ledger has no commit at or before 2001-01-01 00:00:00+00");
    assert_eq!(before.position(), Some(39));
}

#[tokio::test]
async fn parameters_say_when() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int)").await;
    client.run("INSERT INTO t VALUES (1, 10), (2, 20)").await;
    let seq = newest(&mut client).await;
    let time = client.value("SELECT max(committed_at) FROM ledger.commits").await;
    client.run("UPDATE t SET a = a + 1").await;
    let by_commit = client.prepare("SELECT a FROM t FOR SYSTEM_TIME AS OF COMMIT $2 WHERE id = $1", &[]).await.unwrap();
    assert_eq!(*by_commit.parameters, [SqlType::Int4, SqlType::Int8]);
    for (id, seq, expected) in [("1", seq, "10"), ("2", seq, "20"), ("2", seq + 1, "21")] {
        let answer = client.execute(&by_commit, &[Some(id), Some(&seq.to_string())]).await.unwrap();
        assert_eq!(answer.lines(), [expected]);
    }
    let by_time = client.prepare("SELECT a FROM t FOR SYSTEM_TIME AS OF $1 ORDER BY a", &[]).await.unwrap();
    assert_eq!(*by_time.parameters, [SqlType::Timestamptz]);
    assert_eq!(client.execute(&by_time, &[Some(&time)]).await.unwrap().lines(), ["10", "20"]);
    assert_eq!(client.execute(&by_time, &[None]).await.unwrap_err().state().0, "22004");
    client.run(&format!("PREPARE p(bigint) AS SELECT sum(a) FROM t FOR SYSTEM_TIME AS OF COMMIT $1; EXECUTE p({seq})")).await;
    assert_eq!(client.value(&format!("EXECUTE p({seq})")).await, "30");
    assert_eq!(client.value(&format!("EXECUTE p({})", seq + 1)).await, "32");
}

#[tokio::test]
async fn histories_have_every_version_and_its_receipt() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a text)").await;
    client.run("CREATE TABLE o (id int)").await;
    client.run("INSERT INTO t VALUES (1, 'one'), (2, 'two')").await;
    let first = newest(&mut client).await;
    client.run("BEGIN; INSERT INTO o VALUES (7), (8); UPDATE t SET a = 'zwei' WHERE id = 2; COMMIT").await;
    client.run("DELETE FROM t WHERE id = 1").await;
    client.run("ALTER TABLE t ADD COLUMN b int DEFAULT 5").await;
    let last = newest(&mut client).await;
    let versions = "id, a, b, _commit - $f, _ended_by - $f, _valid_to IS NULL, _row".replace("$f", &first.to_string());
    let all = client.lines(&format!("SELECT {versions} FROM t FOR SYSTEM_TIME ALL ORDER BY id, _commit")).await;
    assert_eq!(all, ["1|one|5|0|2|f|0", "2|two|5|0|1|f|1", "2|zwei|5|1|∅|t|0"]);
    for (clause, expected) in [
        (format!("FROM COMMIT {first} TO COMMIT {}", first + 1), vec!["1|one", "2|two"]),
        (format!("BETWEEN COMMIT {first} AND COMMIT {}", first + 1), vec!["1|one", "2|two", "2|zwei"]),
        (format!("BETWEEN COMMIT {} AND COMMIT {last}", first + 2), vec!["2|zwei"]),
        (format!("FROM COMMIT {first} TO COMMIT {first}"), vec![]),
        (format!("BETWEEN COMMIT {last} AND COMMIT {first}"), vec![]),
        ("FROM '2001-01-01' TO 'infinity'".to_owned(), vec!["1|one", "2|two", "2|zwei"]),
        ("FROM '2001-01-01' TO '2002-01-01'".to_owned(), vec![]),
        ("BETWEEN now() - interval '1 day' AND now() + interval '1 day'".to_owned(), vec!["1|one", "2|two", "2|zwei"]),
    ] {
        let lines = client.lines(&format!("SELECT id, a FROM t FOR SYSTEM_TIME {clause} ORDER BY id, _commit")).await;
        assert_eq!(lines, expected, "{clause}");
    }
    let times =
        "SELECT count(*) FROM t FOR SYSTEM_TIME ALL h JOIN ledger.commits c ON c.commit_seq = h._commit AND c.committed_at = h._valid_from";
    assert_eq!(client.value(times).await, "3");
    let receipts = client.lines("SELECT id, a, ledger_receipt(_commit, _row) FROM t FOR SYSTEM_TIME ALL ORDER BY id, _commit").await;
    let policy = fixture.database.ledger().verifier_keys();
    assert_eq!(receipts.len(), 3);
    for receipt in receipts {
        let (values, text) = receipt.split_once("|c2sp.org").unwrap();
        let shown = verified(&format!("c2sp.org{text}"), &policy);
        let (_, name) = values.split_once('|').unwrap();
        assert!(shown.contains(name), "{values}: {shown}");
    }
}

#[tokio::test]
async fn the_past_is_read_only_and_the_way_back_is_open() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int)").await;
    client.run("INSERT INTO t VALUES (1, 10)").await;
    let seq = newest(&mut client).await;
    client.run("UPDATE t SET a = 11").await;
    client.run(&format!("SET shockwave.as_of = 'commit {seq}'")).await;
    for sql in [
        "INSERT INTO t VALUES (2, 1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "TRUNCATE t",
        "DROP TABLE t",
        "CREATE TABLE x (a int)",
        "CREATE DATABASE d",
    ] {
        let error = client.error(sql).await;
        assert_eq!(error.state().0, "25006", "{sql}: {error}");
    }
    assert_eq!(client.copy("COPY t FROM STDIN", "3\t3\n").await.unwrap_err().state().0, "25006");
    assert_eq!(client.error("UPDATE t SET a = 1").await.message(), "cannot execute UPDATE in the past");
    let future = client.error(&format!("SET shockwave.as_of = 'commit {}'", seq + 100)).await;
    assert_eq!((future.state().0, future.message()), ("22023", format!("commit {} does not exist", seq + 100).as_str()));
    assert_eq!(client.value("SELECT a FROM t").await, "10", "a moment that is not there changes nothing");
    assert_eq!(client.error("SET shockwave.as_of = 'the day before'").await.state().0, "22007");
    client.run("SET shockwave.as_of = ''").await;
    assert_eq!(client.value("SELECT a FROM t").await, "11");

    client.run("BEGIN").await;
    client.run(&format!("SET LOCAL shockwave.as_of = 'commit {seq}'")).await;
    assert_eq!(client.value("SELECT a FROM t").await, "10");
    client.run("COMMIT").await;
    assert_eq!(client.value("SELECT a FROM t").await, "11");

    client.run("BEGIN; UPDATE t SET a = 12").await;
    client.run(&format!("SET shockwave.as_of = 'commit {seq}'")).await;
    let error = client.error("SELECT a FROM t").await;
    assert_eq!(error.state().0, "25001", "{error}");
    client.run("ROLLBACK").await;
    client.run("RESET shockwave.as_of").await;
    assert_eq!(client.value("SELECT a FROM t").await, "11");
}

#[tokio::test]
async fn the_past_stands_in_any_query() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, a int); CREATE VIEW v AS SELECT t.id, a * 2 AS twice FROM t").await;
    client.run("INSERT INTO t VALUES (1, 10), (2, 20)").await;
    let seq = newest(&mut client).await;
    client.run("UPDATE t SET a = 99 WHERE id = 1").await;
    client.run("DELETE FROM t WHERE id = 2").await;
    let then = format!("FOR SYSTEM_TIME AS OF COMMIT {seq}");
    for (sql, expected) in [
        (format!("SELECT old.id, old.a, t.a FROM t {then} old LEFT JOIN t USING (id) ORDER BY 1"), vec!["1|10|99", "2|20|∅"]),
        (format!("SELECT id FROM t {then} EXCEPT SELECT id FROM t"), vec!["2"]),
        (format!("WITH was AS (SELECT * FROM t {then}) SELECT sum(a) FROM was"), vec!["30"]),
        (format!("SELECT (SELECT max(a) FROM public.t {then}), (SELECT max(a) FROM t)"), vec!["20|99"]),
        (format!("SELECT * FROM v {then} ORDER BY 1"), vec!["1|20", "2|40"]),
        (format!("SELECT v.twice FROM v {then} WHERE v.id = 2"), vec!["40"]),
        (format!("SELECT t.a FROM t {then} WHERE t.id = 2"), vec!["20"]),
    ] {
        assert_eq!(client.lines(&sql).await, expected, "{sql}");
    }
    client.run(&format!("CREATE TABLE was AS SELECT * FROM t {then}")).await;
    assert_eq!(client.value("SELECT sum(a) FROM was").await, "30");
    client.run(&format!("INSERT INTO t SELECT * FROM t {then} WHERE id NOT IN (SELECT id FROM t)")).await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|99", "2|20"], "a row is brought back");
    let explained = client.lines(&format!("EXPLAIN SELECT * FROM t {then}")).await.join("\n");
    assert!(explained.contains(&format!("table=t as of {seq},")), "{explained}");
    for (sql, state) in [
        (format!("CREATE VIEW w AS SELECT * FROM t {then}"), "0A000"),
        ("SELECT * FROM v FOR SYSTEM_TIME ALL".to_owned(), "0A000"),
        ("SELECT * FROM pg_catalog.pg_class FOR SYSTEM_TIME ALL".to_owned(), "0A000"),
        ("SELECT * FROM nowhere FOR SYSTEM_TIME ALL".to_owned(), "42P01"),
        (format!("SELECT * FROM t FOR SYSTEM_TIME AS OF COMMIT {}", seq + 1_000), "22023"),
        ("SELECT * FROM t FOR SYSTEM_TIME AS OF NULL".to_owned(), "22004"),
        ("SELECT * FROM t FOR SYSTEM_TIME AS OF id".to_owned(), "42703"),
        ("SELECT * FROM t FOR SYSTEM_TIME BETWEEN now()".to_owned(), "42601"),
        (format!("UPDATE t {then} SET a = 1"), "0A000"),
        (format!("DELETE FROM t {then}"), "0A000"),
    ] {
        let error = client.error(&sql).await;
        assert_eq!(error.state().0, state, "{sql}: {error}");
    }
    // The words are free elsewhere.
    client.run("CREATE TABLE system_time (at int)").await;
    assert!(client.lines("SELECT at.at FROM system_time at").await.is_empty());
}

#[tokio::test]
async fn rights_are_those_of_today() {
    let fixture = Fixture::new();
    let mut root = fixture.session();
    root.run("CREATE TABLE t (id int PRIMARY KEY, secret text); CREATE TABLE gone (id int); CREATE ROLE ada LOGIN").await;
    root.run("GRANT SELECT ON t TO ada; GRANT SELECT ON gone TO ada; INSERT INTO t VALUES (1, 'x')").await;
    let seq = newest(&mut root).await;
    let mut ada = Client(Session::new(Arc::clone(&fixture.database), "ada", "tests"));
    let then = format!("FOR SYSTEM_TIME AS OF COMMIT {seq}");
    assert_eq!(ada.lines(&format!("SELECT * FROM t {then}")).await, ["1|x"]);
    root.run("REVOKE SELECT ON t FROM ada; DROP TABLE gone").await;
    let queries = [
        format!("SELECT * FROM t {then}"),
        format!("SELECT * FROM gone {then}"),
        format!("SELECT secret FROM t {then} WHERE id = 1"),
        "SELECT * FROM t FOR SYSTEM_TIME ALL".to_owned(),
        format!("SELECT * FROM \"t\u{1}as of {seq}\""),
    ];
    for sql in queries {
        assert_eq!(ada.error(&sql).await.state().0, "42501", "{sql}");
    }
    ada.run(&format!("SET shockwave.as_of = 'commit {seq}'")).await;
    for sql in ["SELECT * FROM t", "SELECT secret FROM t WHERE id = 1", "SELECT * FROM gone"] {
        assert_eq!(ada.error(sql).await.state().0, "42501", "{sql}");
    }
    root.run("GRANT SELECT (id) ON t TO ada").await;
    assert_eq!(ada.lines("SELECT id FROM t").await, ["1"]);
    assert_eq!(ada.error("SELECT secret FROM t").await.state().0, "42501");
    ada.run("RESET shockwave.as_of").await;
    assert_eq!(ada.error("SELECT id FROM t FOR SYSTEM_TIME ALL").await.state().0, "42501", "H1");
    root.run(&format!("SET shockwave.as_of = 'commit {seq}'")).await;
    assert!(root.lines("SELECT * FROM gone").await.is_empty());
}
