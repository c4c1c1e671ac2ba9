//! Dropping a query's stream ends its work.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use relational::Query;

use crate::memory::{Database, numbers, on_runtime, parse};

#[test]
fn dropping_the_stream_stops_the_scans() {
    let mut database = Database::new();
    let table = numbers(1000);
    table.endless.store(true, Ordering::SeqCst);
    database.add("public", "n", table);
    for sql in ["SELECT v FROM n", "SELECT v, count(*) FROM n GROUP BY v", "SELECT a.v FROM n a JOIN person p ON p.id = a.v ORDER BY a.v"] {
        let statement = parse(sql);
        on_runtime(async {
            let query = Query { statement: &statement, text: sql };
            let mut rows = database.relational.execute(query, &database, &database.env, &[]).unwrap();
            // Some of these never yield a batch: give them a moment to be well under way.
            let _ = tokio::time::timeout(Duration::from_millis(100), rows.stream.next()).await;
            drop(rows);
            tokio::time::sleep(Duration::from_millis(100)).await;
            let read = database.memory("n").batches_read.load(Ordering::SeqCst);
            assert!(read > 0, "{sql}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(database.memory("n").batches_read.load(Ordering::SeqCst), read, "{sql}");
        });
    }
}

#[test]
fn a_query_that_never_waits_can_be_timed_out() {
    let mut database = Database::new();
    let table = numbers(1000);
    table.endless.store(true, Ordering::SeqCst);
    database.add("public", "n", table);
    let statement = parse("SELECT sum(v) FROM n WHERE v < 0");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let query = Query { statement: &statement, text: "" };
        let mut rows = database.relational.execute(query, &database, &database.env, &[]).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(200), rows.stream.next()).await.is_err());
    });
}
