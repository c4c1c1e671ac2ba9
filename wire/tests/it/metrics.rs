//! The numbers of a server, as SQL and Prometheus see them.

use std::net::SocketAddr;

use base::SqlState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::{Config, Listener};

use crate::server::{config, start};

/// One request and the whole answer.
async fn ask(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
}

/// The value of a line that begins so.
fn value(text: &str, line: &str) -> f64 {
    let found = text.lines().find_map(|one| one.strip_prefix(line));
    found.unwrap_or_else(|| panic!("no {line} in\n{text}")).trim().parse().unwrap()
}

#[tokio::test]
async fn numbers_are_read_as_prometheus_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let engine = tokio::task::spawn_blocking(move || engine::Server::open(&path, planner::engine_options())).await.unwrap().unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(Config { metrics: Some(loopback), ..config() }, std::sync::Arc::new(engine)).await.unwrap();
    let (address, metrics, shutdown) = (listener.address(), listener.metrics_address().unwrap(), listener.shutdown());
    let running = tokio::spawn(listener.run());
    let url = format!("host=127.0.0.1 port={} user=shockwave dbname=shockwave", address.port());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let before = ask(metrics, &get("/metrics")).await;
    assert!(before.starts_with("HTTP/1.1 200 OK\r\n") && before.contains("content-type: text/plain; version=0.0.4"), "{before}");
    let rows = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100); DELETE FROM t WHERE id <= 40";
    client.batch_execute(rows).await.unwrap();
    let after = ask(metrics, &get("/metrics")).await;
    let grown = |name: &str| {
        value(&after, &format!("{name}{{database=\"shockwave\"}}")) - value(&before, &format!("{name}{{database=\"shockwave\"}}"))
    };
    // The table and its rights are rows of ledger.catalog.
    assert!(grown("shockwave_row_versions") >= 141.0, "{after}");
    assert!(grown("shockwave_row_versions_ended") >= 80.0, "a deleted row and the marker of its deletion are both ended: {after}");
    assert!(grown("shockwave_log_appended_bytes_total") > 0.0);
    assert_eq!(value(&after, "shockwave_sessions{database=\"shockwave\"}"), 1.0);
    assert_eq!(value(&after, "shockwave_writes_stopped{database=\"shockwave\"}"), 0.0);
    for line in after.lines().filter(|line| line.starts_with("shockwave_")) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(name.ends_with('}') && number.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
    }
    let in_sql = "SELECT value FROM ledger.statistics WHERE name = 'shockwave_row_versions'";
    assert_eq!(
        client.query_one(in_sql, &[]).await.unwrap().get::<_, f64>(0),
        value(&after, "shockwave_row_versions{database=\"shockwave\"}")
    );
    assert!(ask(metrics, &get("/")).await.starts_with("HTTP/1.1 404 "));
    let post = ask(metrics, "POST /metrics HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    assert!(ask(metrics, "nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    drop(client);
    shutdown.request();
    running.await.unwrap().unwrap();
    assert!(TcpStream::connect(metrics).await.is_err(), "the port is closed with the server");
}

#[tokio::test]
async fn numbers_are_shown_on_loopback_only() {
    let server = start().await;
    let engine = engine::Server::open(&server.path().join("other"), planner::engine_options()).unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Listener::bind(Config { metrics: Some(everywhere), ..config() }, std::sync::Arc::new(engine)).await;
    assert_eq!(refused.err().map(|error| error.state()), Some(SqlState::FEATURE_NOT_SUPPORTED));
}
