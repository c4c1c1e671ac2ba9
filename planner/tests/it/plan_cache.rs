//! Plans found again: a statement answers from the cache what it answers when it is planned as written.

use crate::fixture::{Client, Fixture};

async fn tables(client: &mut Client) {
    client
        .run(
            "CREATE TABLE t (id int PRIMARY KEY, big bigint, small smallint, n numeric(8,2), f double precision, s text, v varchar(4), d date, \
             ts timestamp, b boolean)",
        )
        .await;
    for id in 0..40 {
        let (big, small, cents) = (id * 3_000_000_000_i64, id % 7, id * 25);
        client
            .run(&format!(
                "INSERT INTO t VALUES ({id}, {big}, {small}, {}.{:02}, {}.5, 'row {}', 'v{}', '2024-01-{:02}', '2024-02-03 04:05:{:02}', {})",
                cents / 100,
                cents % 100,
                id / 2,
                id % 5,
                id % 3,
                id % 28 + 1,
                id % 60,
                id % 2 == 0,
            ))
            .await;
    }
}

/// The same statement behind a comment, which the cache does not look behind.
fn as_written(sql: &str) -> String {
    format!("/* as written */ {sql}")
}

/// Every kind of place a constant can stand in, each with several constants, some of which do not fit.
#[tokio::test]
async fn any_constant_means_the_same() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    tables(&mut client).await;
    let shapes = [
        "SELECT id FROM t WHERE id = {}",
        "SELECT id, s FROM t WHERE id > {} ORDER BY id",
        "SELECT id FROM t WHERE big <= {} ORDER BY id",
        "SELECT id FROM t WHERE small = {} ORDER BY id",
        "SELECT id FROM t WHERE n >= {} ORDER BY id",
        "SELECT id FROM t WHERE f < {} ORDER BY id",
        "SELECT id FROM t WHERE s = {} ORDER BY id",
        "SELECT id FROM t WHERE v = {} ORDER BY id",
        "SELECT id FROM t WHERE d = {} ORDER BY id",
        "SELECT id FROM t WHERE ts > {} ORDER BY id",
        "SELECT id FROM t WHERE id BETWEEN 3 AND {} ORDER BY id",
        "SELECT id FROM t WHERE NOT (id <> {} OR small = 6) ORDER BY id",
        "SELECT small, count(*) FROM t WHERE id < {} GROUP BY 1 ORDER BY 2 DESC, 1",
        "SELECT {} FROM t ORDER BY 1 LIMIT 2",
        "SELECT id FROM t ORDER BY id LIMIT {}",
        "SELECT id + {} FROM t WHERE id = 4",
        "SELECT a.id FROM t a JOIN t b ON a.id = b.id AND b.small = {} ORDER BY a.id",
        "SELECT id FROM t WHERE id IN (1, {}) ORDER BY id",
        "SELECT id FROM t WHERE id = (SELECT max(id) FROM t WHERE small = {})",
        "SELECT id FROM t WHERE -id = {} ORDER BY id",
        "SELECT count(*) FROM t HAVING count(*) > {}",
        "SELECT round(n, 1), {} FROM t WHERE id = {} ORDER BY 1",
    ];
    let constants = [
        "4",
        "-4",
        "0",
        "32768",
        "-40000",
        "3000000000",
        "99999999999999999999",
        "1.5",
        "7.25",
        "7.255",
        "'4'",
        "'row 3'",
        "'v1'",
        "'v1   '",
        "'2024-01-09'",
        "'2024-02-03 04:05:30'",
        "'it''s'",
        "''",
        "NULL",
        "true",
        "'now'",
        "'vvvvvvvvv'",
    ];
    for shape in shapes {
        for round in 0..2 {
            for constant in constants {
                let sql = shape.replace("{}", constant);
                if constant == "'now'" && shape.contains("ts") {
                    continue;
                }
                let cached = client.try_run(&sql).await.map_err(|error| (error.state(), error.message().to_owned()));
                let written = client.try_run(&as_written(&sql)).await.map_err(|error| (error.state(), error.message().to_owned()));
                assert_eq!(cached, written, "{sql}, round {round}");
            }
        }
    }
    let figures = client.lines("SHOW plan_cache").await;
    let hits: u64 = figures[0].split('|').nth(2).unwrap().parse().unwrap();
    assert!(hits > 400, "{figures:?}");
}

#[tokio::test]
async fn writes_take_their_constants_along() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE w (id int PRIMARY KEY, v bigint, s varchar(5), n numeric(6,2), f real)").await;
    for id in 1..=5 {
        client.run(&format!("INSERT INTO w VALUES ({id}, {}, 'r{id}', {id}.005, {id}.25)", id * -10)).await;
    }
    assert_eq!(client.lines("SELECT * FROM w WHERE id < 3 ORDER BY id").await, ["1|-10|r1|1.01|1.25", "2|-20|r2|2.01|2.25"]);
    for id in 1..=5 {
        assert_eq!(client.tag(&format!("UPDATE w SET v = v + {}, s = 'x' WHERE id = {id}", id * 7)).await, "UPDATE 1");
        assert_eq!(client.tag(&format!("UPDATE w SET v = v + -{id} WHERE id = {id}")).await, "UPDATE 1");
    }
    assert_eq!(client.lines("SELECT id, v FROM w ORDER BY id").await, ["1|-4", "2|-8", "3|-12", "4|-16", "5|-20"]);
    // Constants that their columns refuse are refused as written.
    for (sql, state) in [
        ("INSERT INTO w VALUES (6, 0, 'too long', 0, 0)", "22001"),
        ("INSERT INTO w VALUES (2147483648, 0, 'a', 0, 0)", "22003"),
        ("INSERT INTO w VALUES ('x', 0, 'a', 0, 0)", "22P02"),
        ("INSERT INTO w VALUES (1, 0, 'a', 0, 0)", "23505"),
        ("UPDATE w SET v = v + 9223372036854775807 WHERE id = 99", ""),
        ("UPDATE w SET s = 'abcdef' WHERE id = 1", "22001"),
    ] {
        for _ in 0..2 {
            let refused = client.try_run(sql).await.err().map_or(String::new(), |error| error.state().0.to_owned());
            assert_eq!(refused, state, "{sql}");
        }
    }
    assert_eq!(client.tag("DELETE FROM w WHERE id = 4").await, "DELETE 1");
    assert_eq!(client.tag("DELETE FROM w WHERE id = 4").await, "DELETE 0");
    assert_eq!(client.tag("DELETE FROM w WHERE id = 5").await, "DELETE 1");
}

/// A plan made under other definitions is not used.
#[tokio::test]
async fn ddl_and_settings_make_other_plans() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    let mut other = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one')").await;
    for session in [&mut client, &mut other] {
        assert_eq!(session.lines("SELECT * FROM t WHERE id = 1").await, ["1|one"]);
    }
    other.run("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, w bigint); INSERT INTO t VALUES (1, 'uno', 7)").await;
    assert_eq!(client.lines("SELECT * FROM t WHERE id = 1").await, ["1|uno|7"]);
    client.run("CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, v text); INSERT INTO s.t VALUES (1, 'in s')").await;
    assert_eq!(client.lines("SELECT v FROM t WHERE id = 1").await, ["uno"]);
    client.run("SET search_path = s").await;
    assert_eq!(client.lines("SELECT v FROM t WHERE id = 1").await, ["in s"]);
    assert_eq!(other.lines("SELECT v FROM t WHERE id = 1").await, ["uno"]);
    client.run("BEGIN; DROP TABLE s.t; SET LOCAL search_path = s, public").await;
    assert_eq!(client.lines("SELECT v FROM t WHERE id = 1").await, ["uno"]);
    client.run("ROLLBACK").await;
    assert_eq!(client.lines("SELECT v FROM t WHERE id = 1").await, ["in s"]);
}

/// A plan binds its tables when it runs: rows that came and went since it was made are seen or not as the snapshot says.
#[tokio::test]
async fn snapshots_are_those_of_the_run() {
    let fixture = Fixture::new();
    let (mut writer, mut reader) = (fixture.session(), fixture.session());
    writer.run("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE TABLE b (id int PRIMARY KEY, v int)").await;
    let query = "SELECT count(*), sum(a.v), max(b.v) FROM a LEFT JOIN b ON a.id = b.id WHERE a.v >= 0";
    assert_eq!(reader.lines(query).await, ["0|∅|∅"]);
    writer.run("INSERT INTO a SELECT g, g FROM generate_series(1, 30000) AS g(g)").await;
    assert_eq!(reader.lines(query).await, ["30000|450015000|∅"]);
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(reader.lines(query).await, ["30000|450015000|∅"]);
    writer.run("INSERT INTO b VALUES (1, 5); DELETE FROM a WHERE id > 2").await;
    assert_eq!(reader.lines(query).await, ["30000|450015000|∅"]);
    assert_eq!(writer.lines(query).await, ["2|3|5"]);
    reader.run("COMMIT").await;
    assert_eq!(reader.lines(query).await, ["2|3|5"]);
}

/// Plans with state of their own start anew in each run; the fixture runs each query twice.
#[tokio::test]
async fn a_kept_plan_forgets_its_last_run() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, g int); INSERT INTO t SELECT x, x % 3 FROM generate_series(1, 12) AS x(x)").await;
    let queries = [
        ("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r", "15"),
        ("SELECT sum(a.id * b.id) FROM t a, t b WHERE a.g < b.g", "2012"),
        ("SELECT sum(id) FROM (SELECT id FROM t ORDER BY g DESC, id LIMIT 4) AS x", "26"),
        ("SELECT max(s) FROM (SELECT sum(id) OVER (PARTITION BY g ORDER BY id) AS s FROM t) AS x", "30"),
        ("SELECT count(*) FROM t WHERE id > (SELECT avg(id) FROM t WHERE g = 1)", "7"),
        ("SELECT sum(id) FROM t WHERE g IN (SELECT g FROM t WHERE id < 2) OR id = 3", "25"),
        ("SELECT sum(x) FROM (SELECT id AS x FROM t UNION SELECT g FROM t) AS u", "78"),
        ("SELECT count(*) FROM t a FULL JOIN t b ON a.id = b.id + 6", "18"),
        ("SELECT sum(x) FROM generate_series(1, 4) AS s(x)", "10"),
        ("SELECT count(DISTINCT g) FROM t WHERE id > 1", "3"),
    ];
    for (sql, answer) in queries {
        for _ in 0..3 {
            assert_eq!(client.value(sql).await, answer, "{sql}");
        }
    }
}

/// Several sessions run one kept plan at once, each with its own values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_text_serves_many_sessions() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, g int); INSERT INTO t SELECT x, x % 10 FROM generate_series(1, 20000) AS x(x)").await;
    let mut tasks = Vec::new();
    for task in 0..6_i64 {
        let mut session = fixture.session();
        tasks.push(tokio::spawn(async move {
            for round in 0..40 {
                let most = (task * 40 + round) * 10;
                let sql = format!("SELECT g, count(*) FROM t WHERE id <= {most} AND g < 3 GROUP BY g ORDER BY g");
                let each = most / 10;
                let expected: Vec<String> = if most == 0 { vec![] } else { (0..3).map(|g| format!("{g}|{each}")).collect() };
                assert_eq!(session.lines(&sql).await, expected, "{sql}");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// The time is the run's, not the plan's.
#[tokio::test]
async fn time_passes() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    let prepared = client.prepare("SELECT now(), statement_timestamp(), now() - interval '1 day' < now()", &[]).await.unwrap();
    let first = client.execute(&prepared, &[]).await.unwrap().lines();
    let mut later = first.clone();
    while later == first {
        later = client.execute(&prepared, &[]).await.unwrap().lines();
    }
    assert!(later > first && later[0].ends_with("|t"), "{first:?} {later:?}");
}

/// A text without constants is its own shape: the plan must not take the place of what is known of the shape, nor the other way.
#[tokio::test]
async fn texts_without_constants_are_kept() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    tables(&mut client).await;
    client
        .run(
            "CREATE TABLE e (a int REFERENCES t, b int REFERENCES t, PRIMARY KEY (a, b)); INSERT INTO e VALUES (1, 2), (2, 3);
             CREATE PROPERTY GRAPH g VERTEX TABLES (t PROPERTIES (id)) EDGE TABLES (e SOURCE KEY (a) REFERENCES t (id) DESTINATION KEY (b) REFERENCES t (id) NO PROPERTIES)",
        )
        .await;
    for (sql, answer) in [
        ("SELECT count(*) FROM e x JOIN e y ON y.a = x.b", "1"),
        ("SELECT count(*) FROM GRAPH_TABLE (g MATCH (p)-[IS e]->(q)-[IS e]->(r) COLUMNS (p.id))", "1"),
        ("SELECT count(*) FROM GRAPH_TABLE (g MATCH ANY SHORTEST (p)-[IS e]->+(q) COLUMNS (p.id))", "3"),
        ("SELECT max(s) FROM t", "row 4"),
    ] {
        assert_eq!(client.value(sql).await, answer);
        let hits = |figures: Vec<String>| figures[0].split('|').nth(2).unwrap().parse::<u64>().unwrap();
        let before = hits(client.lines("SHOW plan_cache").await);
        assert!(client.0.recall(sql).is_some(), "{sql}");
        assert_eq!(client.value(sql).await, answer);
        assert!(hits(client.lines("SHOW plan_cache").await) > before, "{sql}");
    }
    // What was committed since is there.
    client.run("INSERT INTO e VALUES (3, 1)").await;
    assert_eq!(client.value("SELECT count(*) FROM GRAPH_TABLE (g MATCH ANY SHORTEST (p)-[IS e]->+(q) COLUMNS (p.id))").await, "9");
}
