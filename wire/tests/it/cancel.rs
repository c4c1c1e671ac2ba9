//! Cancel requests: the right secret stops the running statement, a wrong one does nothing.

use std::time::Duration;

use tokio_postgres::NoTls;

use crate::raw::{Raw, message, query};
use crate::server::{start, state};

/// Long enough that only a cancel ends it in a test's time.
const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n";

#[tokio::test]
async fn a_running_statement_is_cancelled() {
    let server = start().await;
    let client = server.connect().await;
    let token = client.cancel_token();
    let running = tokio::spawn(async move {
        let result = client.simple_query(LONG).await;
        (client, result)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    token.cancel_query(NoTls).await.unwrap();
    let (client, result) = tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    assert_eq!(state(result), "57014");
    client.simple_query("SELECT 1").await.unwrap();
    // A cancel that comes too late is forgotten.
    token.cancel_query(NoTls).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.simple_query("SELECT 1").await.unwrap();
}

/// On several threads, as the server runs: a sleeper keeps one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sleeper_is_cancelled() {
    let server = start().await;
    let client = server.connect().await;
    let token = client.cancel_token();
    let running = tokio::spawn(async move { client.simple_query("SELECT pg_sleep(3600)").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    token.cancel_query(NoTls).await.unwrap();
    let result = tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    assert_eq!(state(result), "57014");
    let client = server.connect().await;
    assert_eq!(state(client.batch_execute("SET statement_timeout = 50; SELECT pg_sleep(3600)").await), "57014");
}

#[tokio::test]
async fn waiting_for_copy_data_is_cancelled() {
    let server = start().await;
    let mut raw = Raw::open(server.address).await;
    raw.send(&crate::raw::startup(&[("user", "shockwave")])).await;
    let (mut process, mut secret) = (0, 0);
    loop {
        match raw.receive().await.unwrap() {
            pgwire::messages::PgWireBackendMessage::BackendKeyData(key) => {
                process = key.pid;
                secret = key.secret_key.as_i32().unwrap();
            }
            pgwire::messages::PgWireBackendMessage::ReadyForQuery(_) => break,
            _ => {}
        }
    }
    raw.ask(&[query("CREATE TABLE t (id int PRIMARY KEY)")]).await;
    raw.send(&[query("COPY t FROM STDIN"), message(b'd', b"1\n")].concat()).await;
    raw.receive().await.unwrap();
    cancel(&server, process, secret ^ 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    raw.send(&message(b'd', b"2\n")).await;
    cancel(&server, process, secret).await;
    assert_eq!(raw.until_ready().await, ["ERROR 57014 canceling statement due to user request", "Ready I"]);
}

async fn cancel(server: &crate::server::TestServer, process: i32, secret: i32) {
    let mut other = Raw::open(server.address).await;
    let numbers = [16_u32, 80_877_102, process as u32, secret as u32];
    other.send(&numbers.map(u32::to_be_bytes).concat()).await;
    assert!(other.receive().await.is_none(), "a cancel request was answered");
}
