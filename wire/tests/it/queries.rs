//! The simple query protocol and prepared statements through a driver.

use tokio_postgres::SimpleQueryMessage;

use crate::raw::{Raw, query};
use crate::server::start;

#[tokio::test]
async fn creates_writes_and_reads() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL, age int)").await.unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2, $3)").await.unwrap();
    for id in 0..20_i64 {
        assert_eq!(client.execute(&insert, &[&id, &format!("n{id}"), &(id as i32 * 2)]).await.unwrap(), 1);
    }
    let row = client.query_one("SELECT name, age FROM t WHERE id = $1", &[&7_i64]).await.unwrap();
    assert_eq!((row.get::<_, String>(0), row.get::<_, i32>(1)), ("n7".to_owned(), 14));
    let sum: i64 = client.query_one("SELECT sum(age)::bigint FROM t WHERE id < $1", &[&10_i64]).await.unwrap().get(0);
    assert_eq!(sum, 90);
    assert_eq!(client.execute("UPDATE t SET age = 1 WHERE id < 5", &[]).await.unwrap(), 5);
    assert_eq!(client.execute("DELETE FROM t WHERE id >= 10", &[]).await.unwrap(), 10);
    let count: i64 = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(count, 10);
}

#[tokio::test]
async fn survives_a_restart() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)").await.unwrap();
    drop(client);
    let server = server.restart().await;
    let client = server.connect().await;
    let count: i64 = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(count, 3);
}

#[tokio::test]
async fn one_string_many_answers() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let seen = raw.ask(&[query("SELECT 1 AS a; SELECT 2 AS b, NULL AS c; SHOW server_encoding")]).await;
    assert_eq!(
        seen,
        [
            "Columns a",
            "Row 1",
            "Complete SELECT 1",
            "Columns b,c",
            "Row 2|NULL",
            "Complete SELECT 1",
            "Columns server_encoding",
            "Row UTF8",
            "Complete SHOW",
            "Ready I"
        ]
    );
}

#[tokio::test]
async fn empty_queries_have_their_own_answer() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    for text in ["", "  ;; ", "-- nothing"] {
        assert_eq!(raw.ask(&[query(text)]).await, ["Empty", "Ready I"], "{text:?}");
    }
}

#[tokio::test]
async fn an_error_ends_the_string_and_rolls_back_all_of_it() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query("CREATE TABLE t (id int PRIMARY KEY)")]).await;
    let seen = raw.ask(&[query("INSERT INTO t VALUES (1); SELECT * FROM missing; INSERT INTO t VALUES (2)")]).await;
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[0] == "Complete INSERT 0 1" && seen[1].starts_with("ERROR 42P01") && seen[2] == "Ready I", "{seen:?}");
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 0");
}

#[tokio::test]
async fn large_results_stream_and_arrive_whole() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, filler text)").await.unwrap();
    let filler = "x".repeat(500);
    for hundred in 0..50 {
        let rows: Vec<String> = (0..400).map(|n| format!("({}, '{filler}')", hundred * 400 + n)).collect();
        client.batch_execute(&format!("INSERT INTO t VALUES {}", rows.join(","))).await.unwrap();
    }
    let rows = client.simple_query("SELECT id, filler FROM t").await.unwrap();
    let mut ids: Vec<i32> = rows
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                assert_eq!(row.get(1).unwrap().len(), 500);
                row.get(0).unwrap().parse().ok()
            }
            _ => None,
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..20_000).collect::<Vec<i32>>());
}

#[tokio::test]
async fn rows_describe_their_origin() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, v varchar(5), n numeric(9,2))").await.unwrap();
    let statement = client.prepare("SELECT v, n, id, id + 1 AS next FROM t").await.unwrap();
    let names: Vec<(&str, u32)> = statement.columns().iter().map(|column| (column.name(), column.type_().oid())).collect();
    // A varchar read through the general query path is described as text.
    let names: Vec<_> = names.into_iter().map(|(name, oid)| (name, if oid == 1043 { 25 } else { oid })).collect();
    assert_eq!(names, [("v", 25), ("n", 1700), ("id", 23), ("next", 23)]);
}
