//! Columns of uuid, time, interval, json, jsonb, character(n) and arrays: written in every way, read back as PostgreSQL 15 shows them.

use engine::SqlType;

use crate::fixture::{Client, Fixture};

const COLUMNS: &str = "u uuid, t time, i interval, j json, b jsonb, c char(3), a int[], s text[]";
const SHOWN: &str =
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|04:05:06|1 day 02:00:00|{\"z\":1, \"a\": 2}|{\"a\": 2, \"z\": 1}|x  |{1,NULL,3}|{\"a b\",c}";

async fn table(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run(&format!("CREATE TABLE t (id int PRIMARY KEY, {COLUMNS})")).await;
    client
}

fn values() -> &'static str {
    r#"'A0EEBC999C0B4EF8BB6D6BB9BD380A11', '04:05:06', '1 day 2 hours', '{"z":1, "a": 2}', '{"z":1, "a": 2}', 'x', '{1,NULL,3}', '{a b,c}'"#
}

#[tokio::test]
async fn every_way_in_stores_the_same() {
    let fixture = Fixture::new();
    let mut client = table(&fixture).await;
    client.run(&format!("INSERT INTO t VALUES (1, {})", values())).await;
    client.run("INSERT INTO t SELECT 2, u, t, i, j, b, c, a, s FROM t").await;
    client
        .run(
            "INSERT INTO t SELECT 3, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '04:05:06'::time, '26 hours'::interval - '2 hours'::interval,
             '{\"z\":1, \"a\": 2}'::json, '{\"z\":1, \"a\": 2}'::jsonb, 'x'::text, ARRAY[1, NULL, 3], '{a b,c}'::text[]",
        )
        .await;
    let prepared = client.prepare("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", &[]).await.unwrap();
    assert_eq!(
        prepared.parameters[1..],
        [
            SqlType::Uuid,
            SqlType::Time,
            SqlType::Interval,
            SqlType::Json,
            SqlType::Jsonb,
            SqlType::Bpchar(Some(3)),
            SqlType::Int4.array().unwrap(),
            SqlType::Text.array().unwrap()
        ]
    );
    let row = [
        "4",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "04:05:06",
        "1 day 02:00",
        "{\"z\":1, \"a\": 2}",
        "{\"z\":1, \"a\": 2}",
        "x",
        "{1,NULL,3}",
        "{a b,c}",
    ];
    client.execute(&prepared, &row.map(Some)).await.unwrap();
    client.copy("COPY t FROM STDIN", "5\ta0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\t04:05:06\t1 day 02:00\t{\"z\":1, \"a\": 2}\t{\"z\":1, \"a\": 2}\tx\t{1,NULL,3}\t{a b,c}\n").await.unwrap();
    client.run("INSERT INTO t (id) VALUES (6)").await;
    client.run(&format!("UPDATE t SET (u, t, i, j, b, c, a, s) = ({}) WHERE id = 6", values())).await;
    for id in [1, 2, 4, 5, 6] {
        assert_eq!(client.lines(&format!("SELECT u, t, i, j, b, c, a, s FROM t WHERE id = {id}")).await, [SHOWN], "row {id} by its key");
    }
    assert_eq!(client.value("SELECT i FROM t WHERE id = 3").await, "24:00:00");
    assert_eq!(client.lines("SELECT u, t, j, b, a, s FROM t WHERE id = 3 OR id = 99").await.len(), 1);
    let all = client.run("SELECT u, t, i, j, b, c, a, s FROM t WHERE id <> 3 ORDER BY id DESC").await;
    assert_eq!(all.lines(), [SHOWN; 5], "by a query");
    assert_eq!(client.lines("SELECT t, i, a FROM t WHERE id IS NULL").await, [""; 0]);
}

#[tokio::test]
async fn null_is_null_in_every_type() {
    let fixture = Fixture::new();
    let mut client = table(&fixture).await;
    client.run("INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)").await;
    client.run("INSERT INTO t (id) VALUES (2)").await;
    client.copy("COPY t FROM STDIN", "3\\N\\N\\N\\N\\N\\N\\N\\N\n".replace("\\N", "\t\\N").as_str()).await.unwrap();
    assert_eq!(client.lines("SELECT u, t, i, j, b, c, a, s FROM t ORDER BY id").await, ["∅|∅|∅|∅|∅|∅|∅|∅"; 3]);
    assert_eq!(client.value("SELECT count(*) FROM t WHERE u IS NULL AND b IS NULL AND a IS NULL AND c IS NULL").await, "3");
}

#[tokio::test]
async fn the_new_types_are_primary_keys() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE k (id uuid PRIMARY KEY, v int)").await;
    client.run("INSERT INTO k VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1), ('00000000-0000-0000-0000-000000000001', 2)").await;
    assert_eq!(client.value("SELECT v FROM k WHERE id = 'A0EEBC999C0B4EF8BB6D6BB9BD380A11'").await, "1");
    assert_eq!(client.lines("SELECT id FROM k ORDER BY id").await.len(), 2);
    assert_eq!(client.value("SELECT v FROM k WHERE id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AND v > 0").await, "1");
    let error = client.error("INSERT INTO k VALUES ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 3)").await;
    assert_eq!(error.state().0, "23505");
    client.run("CREATE TABLE n (i interval PRIMARY KEY)").await;
    client.run("INSERT INTO n VALUES ('1 month')").await;
    assert_eq!(client.error("INSERT INTO n VALUES ('30 days')").await.state().0, "23505", "a month is thirty days to a key");
    client.run("CREATE TABLE c (c char(4) PRIMARY KEY, a int[])").await;
    client.run("INSERT INTO c VALUES ('ab', '{1}')").await;
    assert_eq!(client.error("INSERT INTO c VALUES ('ab  ', '{1}')").await.state().0, "23505");
    assert_eq!(client.lines("SELECT c FROM c WHERE c = 'ab'").await, ["ab  "]);
    assert_eq!(client.lines("SELECT c FROM c WHERE c = 'ab   '").await, ["ab  "]);
    assert_eq!(client.value("SELECT length(c) FROM c").await, "2");
    client.run("CREATE TABLE a (a text[] PRIMARY KEY)").await;
    client.run("INSERT INTO a VALUES ('{a,b}')").await;
    assert_eq!(client.error("INSERT INTO a VALUES ('{\"a\",b}')").await.state().0, "23505");
}

#[tokio::test]
async fn copy_writes_what_it_reads() {
    let fixture = Fixture::new();
    let mut client = table(&fixture).await;
    client.run(&format!("INSERT INTO t VALUES (1, {})", values())).await;
    let lines = client.lines("COPY t TO STDOUT").await;
    assert_eq!(
        lines,
        [
            "1\ta0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\t04:05:06\t1 day 02:00:00\t{\"z\":1, \"a\": 2}\t{\"a\": 2, \"z\": 1}\tx  \t{1,NULL,3}\t{\"a b\",c}"
        ]
    );
    let csv = client.lines("COPY (SELECT b, a, s FROM t) TO STDOUT (FORMAT csv)").await;
    assert_eq!(csv, ["\"{\"\"a\"\": 2, \"\"z\"\": 1}\",\"{1,NULL,3}\",\"{\"\"a b\"\",c}\""]);
    client.run("TRUNCATE t").await;
    client.copy("COPY t FROM STDIN", &(lines[0].clone() + "\n")).await.unwrap();
    assert_eq!(client.lines("SELECT u, t, i, j, b, c, a, s FROM t").await, [SHOWN]);
}

/// Statements and what PostgreSQL 15 answered them: rows with `∅` for NULL, or the error's SQLSTATE.
const GOLDEN: &str = include_str!("../golden/types.txt");

#[tokio::test]
async fn operators_and_functions_answer_as_postgres_does() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    let mut wrong = Vec::new();
    for case in GOLDEN.split("\n> ") {
        let (statement, expected) = case.split_once('\n').unwrap_or((case, ""));
        let statement = statement.trim_start_matches("> ");
        let expected = expected.trim_end_matches('\n');
        let found = match client.try_run(statement).await {
            Ok(answer) => answer.lines().join("\n"),
            Err(error) if expected.starts_with("ERROR") => format!("ERROR {}", error.state().0),
            Err(error) => format!("{} {}", error.state().0, error.message()),
        };
        if found != expected {
            wrong.push(format!("{statement}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
