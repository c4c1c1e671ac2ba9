//! COPY … FROM STDIN: streamed, refused, broken off.

use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::CopyInSink;

use crate::raw::{Raw, message, query};
use crate::server::{start, state};

const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, name text, age int)";

#[tokio::test]
async fn copies_many_rows_however_they_are_cut() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute(TABLE).await.unwrap();
    let mut data = String::new();
    for id in 0..50_000 {
        data.push_str(&format!("{id}\tname {id}\t{}\n", id % 90));
    }
    let sink: CopyInSink<Bytes> = client.copy_in("COPY t FROM STDIN").await.unwrap();
    let mut sink = std::pin::pin!(sink);
    for piece in data.as_bytes().chunks(7_919) {
        sink.send(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert_eq!(sink.as_mut().finish().await.unwrap(), 50_000);
    let row = client.query_one("SELECT count(*), sum(age)::bigint FROM t", &[]).await.unwrap();
    let ages: i64 = (0..50_000).map(|id| id % 90).sum();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (50_000, ages));
}

#[tokio::test]
async fn csv_with_a_header() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query(TABLE)]).await;
    let data = message(b'd', b"name,id\n\"a, \"\"b\"\"\",1\n,2\n");
    let seen = raw.ask(&[query("COPY t (name, id) FROM STDIN WITH (FORMAT csv, HEADER)"), data, message(b'c', b"")]).await;
    assert_eq!(seen, ["CopyIn 2", "Complete COPY 2", "Ready I"]);
    let seen = raw.ask(&[query("SELECT name FROM t ORDER BY id")]).await;
    assert_eq!(&seen[1..3], ["Row a, \"b\"", "Row NULL"]);
}

#[tokio::test]
async fn a_bad_line_leaves_nothing_and_is_located() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query(TABLE)]).await;
    let seen = raw.ask(&[query("COPY t FROM STDIN"), message(b'd', b"1\ta\t1\n2\tb\n"), message(b'c', b"")]).await;
    assert!(seen[1].starts_with("ERROR 22P04 missing data for column \"age\"") && seen[2] == "Ready I", "{seen:?}");
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 0");
}

#[tokio::test]
async fn data_still_on_its_way_after_an_error_is_ignored() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query(TABLE)]).await;
    let mut bytes = query("COPY t FROM STDIN");
    for _ in 0..50 {
        bytes.extend(message(b'd', &b"no number\tx\t1\n".repeat(1000)));
    }
    bytes.extend(message(b'c', b""));
    bytes.extend(query("SELECT 7 AS seven"));
    raw.send(&bytes).await;
    let seen = raw.until_ready().await;
    assert!(seen[1].starts_with("ERROR 22P02"), "{seen:?}");
    assert_eq!(raw.until_ready().await[1], "Row 7");
}

#[tokio::test]
async fn the_client_may_give_up() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query(TABLE)]).await;
    let seen = raw.ask(&[query("COPY t FROM STDIN"), message(b'd', b"1\ta\t1\n"), message(b'f', b"changed my mind\0")]).await;
    assert_eq!(seen[1], "ERROR 57014 COPY from stdin failed: changed my mind");
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 0");
    let seen = raw.ask(&[query("COPY t FROM STDIN"), query("SELECT 1"), message(b'c', b"")]).await;
    assert!(seen[1].starts_with("ERROR 08P01 unexpected message type 0x51"), "{seen:?}");
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_nothing() {
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute(TABLE).await.unwrap();
    let mut raw = Raw::connect(server.address).await;
    raw.send(&[query("COPY t FROM STDIN"), message(b'd', b"1\ta\t1\n")].concat()).await;
    raw.receive().await.unwrap();
    drop(raw);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let count: i64 = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(count, 0);
}

#[tokio::test]
async fn copy_into_nothing_fails_before_any_data() {
    let server = start().await;
    let client = server.connect().await;
    let result: Result<CopyInSink<Bytes>, _> = client.copy_in("COPY missing FROM STDIN").await;
    assert_eq!(state(result.map(|_| ())), "42P01");
}

/// psycopg reads a row from each message; the server once sent 64 KiB of lines in one.
#[tokio::test]
async fn each_line_going_out_is_a_message() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query(TABLE)]).await;
    raw.ask(&[query("INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', 3)")]).await;
    let seen = raw.ask(&[query("COPY (SELECT * FROM t ORDER BY id) TO STDOUT (FORMAT csv, HEADER)")]).await;
    assert_eq!(seen, ["CopyOut 3", "Data id,name,age\n", "Data 1,a,\n", "Data 2,b,3\n", "CopyDone", "Complete COPY 2", "Ready I"]);
}
