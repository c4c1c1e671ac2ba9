//! How much a client may ask for.

use crate::raw::{Raw, query, startup, sync};
use crate::server::{TestServer, config, start, start_with};

#[tokio::test]
async fn one_session_too_many_is_told_so() {
    let server = start_with(wire::Config { connections_max: 3, ..config() }).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Raw::connect(server.address).await);
    }
    let mut late = Raw::open(server.address).await;
    late.send(&startup(&[("user", "shockwave")])).await;
    assert_eq!(late.until_ready().await, ["FATAL 53300 sorry, too many clients already"]);
    let mut leaving = clients.pop().unwrap();
    leaving.send(&crate::raw::message(b'X', b"")).await;
    assert!(leaving.receive().await.is_none());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    Raw::connect(server.address).await;
}

#[tokio::test]
async fn a_thousand_sessions_are_served() {
    let server = start().await;
    let mut clients = Vec::new();
    for _ in 0..1000 {
        clients.push(Raw::connect(server.address).await);
    }
    for client in &mut clients {
        assert_eq!(client.ask(&[query("SELECT 1 AS a")]).await[1], "Row 1");
    }
    let mut late = Raw::open(server.address).await;
    late.send(&startup(&[("user", "shockwave")])).await;
    assert!(late.until_ready().await[0].starts_with("FATAL 53300"));
}

#[tokio::test]
async fn a_statement_too_long_is_skipped_not_kept() {
    let server = start_with(wire::Config { statement_bytes_max: 4096, ..config() }).await;
    let mut raw = Raw::connect(server.address).await;
    let long = format!("SELECT '{}'", "x".repeat(1 << 20));
    let seen = raw.ask(&[query(&long)]).await;
    assert!(seen[0].starts_with("ERROR 54000") && seen[1] == "Ready I", "{seen:?}");
    let seen = raw.ask(&[crate::raw::parse("", &long), sync()]).await;
    assert!(seen[0].starts_with("ERROR 54000") && seen[1] == "Ready I", "{seen:?}");
    assert_eq!(raw.ask(&[query("SELECT 1 AS a")]).await[1], "Row 1");
}

#[tokio::test]
async fn a_message_too_long_ends_the_session() {
    let server = start_with(wire::Config { message_bytes_max: 1 << 20, ..config() }).await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(&[&[b'B'][..], &(2_u32 << 20).to_be_bytes()].concat()).await;
    let seen = raw.until_ready().await;
    assert!(seen.len() == 1 && seen[0].starts_with("FATAL 08P01"), "{seen:?}");
}

/// What a statement may not hold in memory it holds on disk, in the data folder, and leaves nothing there.
#[tokio::test]
async fn statements_go_to_disk_and_no_further_than_they_may() {
    let server = start_with(wire::Config { temp_file_bytes_max: 2 << 20, ..config() }).await;
    let spill = server.path().join("spill");
    let client = server.connect().await;
    client
        .batch_execute(
            "CREATE TABLE t (id int PRIMARY KEY, body text);
             INSERT INTO t SELECT i, lpad((i * 7919 % 60000)::text, 100, '0') FROM generate_series(1, 60000) AS s(i);
             SET statement_mem = '8MB'",
        )
        .await
        .unwrap();
    let answered = client.query("SELECT id, body FROM t ORDER BY body, id", &[]).await;
    let error = answered.map(|rows| rows.len()).unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.code().code(), error.message()), ("53400", "temporary file size exceeds temp-file-limit"));
    assert!(error.hint().unwrap().contains("--temp-file-limit"));

    let folder = server.closed().await;
    let server = TestServer::again(config(), folder).await;
    let client = server.connect().await;
    let sorted = client.query("SELECT id, body FROM t ORDER BY body, id", &[]).await.unwrap();
    client.batch_execute("SET statement_mem = '8MB'").await.unwrap();
    let on_disk = client.query("SELECT id, body FROM t ORDER BY body, id", &[]).await.unwrap();
    let row = |row: &tokio_postgres::Row| (row.get::<_, i32>(0), row.get::<_, String>(1));
    assert!(sorted.iter().map(row).eq(on_disk.iter().map(row)));
    let left: Vec<_> = std::fs::read_dir(&spill).unwrap().flat_map(|made| std::fs::read_dir(made.unwrap().path()).unwrap()).collect();
    assert!(left.is_empty(), "{left:?}");
}
