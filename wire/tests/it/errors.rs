//! Errors keep their code, position and hint, and leave the session usable.

use tokio_postgres::error::ErrorPosition;

use crate::raw::{Raw, message, query, sync};
use crate::server::start;

/// (statement, SQLSTATE, position)
const WRONG: &[(&str, &str, Option<u32>)] = &[
    ("SELEC 1", "42601", Some(1)),
    ("SELECT * FROM nowhere", "42P01", Some(15)),
    ("SELECT nothing FROM t", "42703", Some(8)),
    ("SELECT 1/0", "22012", None),
    ("INSERT INTO t VALUES ('x')", "22P02", None),
    ("SET flavour = 1", "42704", None),
];

#[tokio::test]
async fn codes_and_positions_reach_the_driver() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    for (statement, code, position) in WRONG {
        let error = client.simple_query(statement).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), *code, "{statement}: {error}");
        if let Some(position) = position {
            assert_eq!(error.position(), Some(&ErrorPosition::Original(*position)), "{statement}");
        }
    }
    client.simple_query("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn malformed_bodies_are_protocol_violations_not_the_end() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let seen = raw.ask(&[message(b'Q', b"SELECT 1")]).await;
    assert!(seen[0].starts_with("ERROR 08P01") && seen[1] == "Ready I", "{seen:?}");
    for tag in [b'P', b'B', b'D', b'E', b'C'] {
        let seen = raw.ask(&[message(tag, b"\xff\xfe\xfd"), sync()]).await;
        assert!(seen[0].starts_with("ERROR 08P01") && seen[1] == "Ready I", "{}: {seen:?}", tag as char);
    }
    assert_eq!(raw.ask(&[query("SELECT 1 AS a")]).await[1], "Row 1");
}

#[tokio::test]
async fn bad_utf8_is_refused() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let seen = raw.ask(&[message(b'Q', b"SELECT '\xc3\x28'\0")]).await;
    assert!(seen[0].starts_with("ERROR 22021 invalid byte sequence for encoding \"UTF8\": 0xc3"), "{seen:?}");
    assert_eq!(seen[1], "Ready I");
}

#[tokio::test]
async fn the_function_call_message_is_not_supported() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let seen = raw.ask(&[message(b'F', &[0; 10])]).await;
    assert!(seen[0].starts_with("ERROR 0A000") && seen[1] == "Ready I", "{seen:?}");
}
