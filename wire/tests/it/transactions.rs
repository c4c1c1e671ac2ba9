//! Transaction blocks and the status byte of ReadyForQuery.

use crate::raw::{Raw, query};
use crate::server::{start, state};

#[tokio::test]
async fn the_status_byte_follows_the_block() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query("CREATE TABLE t (id int PRIMARY KEY)")]).await;
    assert_eq!(raw.ask(&[query("BEGIN")]).await, ["Complete BEGIN", "Ready T"]);
    assert_eq!(raw.ask(&[query("INSERT INTO t VALUES (1)")]).await, ["Complete INSERT 0 1", "Ready T"]);
    assert_eq!(raw.ask(&[query("SELECT nothing FROM t")]).await.last().unwrap(), "Ready E");
    let seen = raw.ask(&[query("SELECT 1")]).await;
    assert!(seen[0].starts_with("ERROR 25P02") && seen[1] == "Ready E", "{seen:?}");
    assert_eq!(raw.ask(&[query("COMMIT")]).await, ["Complete ROLLBACK", "Ready I"]);
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 0");
}

#[tokio::test]
async fn commit_and_rollback_through_a_driver() {
    let server = start().await;
    let mut client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    transaction.rollback().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO t VALUES (2)", &[]).await.unwrap();
    let inside: i64 = transaction.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    let outside: i64 = server.connect().await.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!((inside, outside), (1, 0));
    transaction.commit().await.unwrap();
    let ids: i32 = client.query_one("SELECT id FROM t", &[]).await.unwrap().get(0);
    assert_eq!(ids, 2);
}

#[tokio::test]
async fn a_duplicate_key_is_named() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)").await.unwrap();
    let error = client.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.code().code(), error.constraint(), error.table()), ("23505", Some("t_pkey"), Some("t")));
    assert_eq!(state(client.execute("INSERT INTO t VALUES (NULL)", &[]).await), "23502");
}
