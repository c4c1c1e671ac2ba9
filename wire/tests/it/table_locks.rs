//! LOCK TABLE beside definitions and COPY: who waits, until when, and what `pg_locks`, `pg_blocking_pids` and `pg_stat_activity` say of it meanwhile.

use std::time::Duration;

use bytes::Bytes;
use futures::SinkExt;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use crate::server::{start, state};

/// A wait that takes longer is taken for a hang.
const HANG: Duration = Duration::from_secs(20);
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// Answers as text, a row a line.
async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await.unwrap();
    let line = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).unwrap_or("")).collect::<Vec<_>>().join("|")),
        _ => None,
    };
    messages.iter().filter_map(line).collect()
}

fn beside(client: Client, sql: &str) -> JoinHandle<(Client, Result<(), Error>)> {
    let sql = sql.to_owned();
    tokio::spawn(async move {
        let outcome = client.batch_execute(&sql).await;
        (client, outcome)
    })
}

async fn pid(client: &Client) -> String {
    rows(client, "SELECT pg_backend_pid()").await.remove(0)
}

/// Until one who waits for another's lock is seen.
async fn until_blocked(watcher: &Client, waiter: &str, holder: &str) {
    let looked = async {
        while rows(watcher, &format!("SELECT pg_blocking_pids({waiter})")).await != [format!("{{{holder}}}")] {
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    };
    tokio::time::timeout(HANG, looked).await.expect("nobody waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_wait_for_a_table_that_another_has_locked() {
    let server = start().await;
    let holder = server.connect().await;
    let watcher = server.connect().await;
    let held_by = pid(&holder).await;
    let definitions = [
        "ALTER TABLE t ADD COLUMN more int",
        "ALTER TABLE t RENAME TO u",
        "CREATE INDEX t_b ON t (b)",
        "TRUNCATE t",
        "DROP TABLE t",
        "DROP INDEX t_a",
        "INSERT INTO t VALUES (9, 9)",
    ];
    for definition in definitions {
        watcher.batch_execute("DROP TABLE IF EXISTS t, u; CREATE TABLE t (a int, b int); CREATE INDEX t_a ON t (a)").await.unwrap();
        holder.batch_execute("BEGIN; LOCK TABLE t; INSERT INTO t VALUES (1, 1)").await.unwrap();
        let waiter = server.connect().await;
        let waiting = pid(&waiter).await;
        let outcome = beside(waiter, definition);
        until_blocked(&watcher, &waiting, &held_by).await;
        let locks = "SELECT l.pid, c.relname, l.mode, l.granted FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 't' ORDER BY l.granted DESC, l.mode";
        let seen = rows(&watcher, locks).await;
        assert_eq!(seen[0], format!("{held_by}|t|AccessExclusiveLock|t"), "{definition}: {seen:?}");
        assert_eq!(seen.last(), Some(&format!("{waiting}|t|RowExclusiveLock|f")), "{definition}: {seen:?}");
        let event = rows(&watcher, &format!("SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = {waiting}")).await;
        assert_eq!(event, ["Lock|relation"], "{definition}");
        assert!(!outcome.is_finished(), "{definition}");
        holder.batch_execute("COMMIT").await.unwrap();
        let (_, outcome) = tokio::time::timeout(HANG, outcome).await.expect("it hangs").unwrap();
        assert!(outcome.is_ok(), "{definition}: {outcome:?}");
        assert_eq!(rows(&watcher, "SELECT count(*) FROM pg_locks WHERE locktype = 'relation'").await, ["0"], "{definition}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_a_table_ends_with_its_timeout() {
    let server = start().await;
    let holder = server.connect().await;
    holder.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE t IN SHARE MODE").await.unwrap();
    let waiter = server.connect().await;
    for statement in ["ALTER TABLE t ADD COLUMN b int", "DROP TABLE t", "TRUNCATE t", "COPY t FROM STDIN"] {
        waiter.batch_execute("SET lock_timeout = '50ms'").await.unwrap();
        assert_eq!(state(waiter.batch_execute(statement).await), "55P03", "{statement}");
    }
    assert_eq!(state(waiter.batch_execute("BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE NOWAIT").await), "55P03");
    waiter.batch_execute("ROLLBACK").await.unwrap();
    // Readers wait for nobody, nor does who shares the table.
    assert_eq!(rows(&waiter, "SELECT count(*) FROM t").await, ["0"]);
    waiter.batch_execute("BEGIN; LOCK TABLE t IN SHARE MODE NOWAIT; COMMIT").await.unwrap();
    // A session that has the lock defines the table at once.
    holder.batch_execute("ALTER TABLE t ADD COLUMN b int; COMMIT").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_waits_before_it_asks_for_data() {
    let server = start().await;
    let holder = server.connect().await;
    let watcher = server.connect().await;
    holder.batch_execute("CREATE TABLE t (a int PRIMARY KEY)").await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE; INSERT INTO t VALUES (1)").await.unwrap();
    for in_block in [false, true] {
        let writer = server.connect().await;
        let (waiting, held_by) = (pid(&writer).await, pid(&holder).await);
        let copying = tokio::spawn(async move {
            if in_block {
                writer.batch_execute("BEGIN").await.unwrap();
            }
            let mut sink = Box::pin(writer.copy_in::<_, Bytes>("COPY t FROM STDIN").await.unwrap());
            let line = if in_block { "4\n" } else { "2\n" };
            sink.send(Bytes::from(line)).await.unwrap();
            sink.as_mut().finish().await.unwrap();
            writer
        });
        until_blocked(&watcher, &waiting, &held_by).await;
        holder.batch_execute("COMMIT").await.unwrap();
        let writer = tokio::time::timeout(HANG, copying).await.expect("it hangs").unwrap();
        if in_block {
            // The block has the table's lock until it ends.
            assert_eq!(state(holder.batch_execute("BEGIN; LOCK TABLE t NOWAIT").await), "55P03");
            holder.batch_execute("ROLLBACK").await.unwrap();
            writer.batch_execute("COMMIT").await.unwrap();
        } else {
            holder.batch_execute("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE; INSERT INTO t VALUES (3)").await.unwrap();
        }
    }
    assert_eq!(rows(&watcher, "SELECT a FROM t ORDER BY a").await, ["1", "2", "3", "4"]);
}
