//! The graceful end: idle sessions are told, running statements get their time, committed rows stay.

use std::time::Duration;

use crate::raw::{Raw, query};
use crate::server::start;

#[tokio::test]
async fn idle_sessions_hear_57p01_and_run_returns() {
    let server = start().await;
    let mut idle = Raw::connect(server.address).await;
    let mut open = Raw::connect(server.address).await;
    open.ask(&[query("BEGIN")]).await;
    server.shutdown.request();
    for raw in [&mut idle, &mut open] {
        assert_eq!(raw.until_ready().await, ["FATAL 57P01 terminating connection due to administrator command"]);
    }
    tokio::time::timeout(Duration::from_secs(10), server.running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_statement_that_does_not_end_is_cancelled_after_the_grace() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n";
    raw.send(&query(long)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.request();
    tokio::time::timeout(Duration::from_secs(20), server.running).await.unwrap().unwrap().unwrap();
    let seen = raw.until_ready().await;
    assert!(seen.iter().any(|line| line.contains("57014") || line.contains("57P01")), "{seen:?}");
}
