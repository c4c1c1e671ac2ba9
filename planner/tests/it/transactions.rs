//! BEGIN … COMMIT, isolation, implicit blocks, conflicts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use planner::TransactionStatus;

use crate::fixture::{Client, Fixture};

async fn counter(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, n int)").await;
    client.run("INSERT INTO t VALUES (1, 0), (2, 0)").await;
    client
}

#[tokio::test]
async fn a_block_commits_or_rolls_back_as_a_whole() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    let mut other = fixture.session();
    assert_eq!(client.tag("BEGIN").await, "BEGIN");
    assert_eq!(client.0.status(), TransactionStatus::InTransaction);
    client.run("UPDATE t SET n = 5 WHERE id = 1").await;
    client.run("INSERT INTO t VALUES (3, 7)").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|5", "2|0", "3|7"]);
    assert_eq!(other.lines("SELECT * FROM t ORDER BY id").await, ["1|0", "2|0"]);
    assert_eq!(client.tag("COMMIT").await, "COMMIT");
    assert_eq!(other.lines("SELECT * FROM t ORDER BY id").await, ["1|5", "2|0", "3|7"]);
    client.run("START TRANSACTION; DELETE FROM t; ROLLBACK").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "3");
    assert_eq!(client.0.status(), TransactionStatus::Idle);
}

#[tokio::test]
async fn a_failed_block_hears_only_its_end() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    client.run("BEGIN").await;
    client.run("INSERT INTO t VALUES (3, 0)").await;
    assert_eq!(client.error("INSERT INTO t VALUES (1, 0)").await.state().0, "23505");
    assert_eq!(client.0.status(), TransactionStatus::Failed);
    assert_eq!(client.error("SELECT 1").await.state().0, "25P02");
    assert_eq!(client.error("BEGIN").await.state().0, "25P02");
    assert_eq!(client.tag("COMMIT").await, "ROLLBACK");
    assert_eq!(client.0.status(), TransactionStatus::Idle);
    assert_eq!(client.value("SELECT count(*) FROM t").await, "2");
    client.run("BEGIN").await;
    assert_eq!(client.error("SELECT syntax error here from").await.state().0, "42601");
    assert_eq!(client.error("SELECT 1").await.state().0, "25P02");
    assert_eq!(client.tag("ROLLBACK").await, "ROLLBACK");
}

#[tokio::test]
async fn blocks_out_of_place_warn_as_postgres_does() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("COMMIT").await;
    client.run("ROLLBACK").await;
    client.run("BEGIN").await;
    client.run("BEGIN").await;
    client.run("END").await;
    assert_eq!(
        client.notices(),
        [
            "WARNING 25P01: there is no transaction in progress",
            "WARNING 25P01: there is no transaction in progress",
            "WARNING 25001: there is already a transaction in progress",
        ]
    );
    assert_eq!(client.error("COMMIT AND CHAIN").await.state().0, "25P01");
}

#[tokio::test]
async fn read_committed_sees_new_commits_and_repeatable_read_does_not() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    let mut other = fixture.session();
    client.run("BEGIN").await;
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "0");
    other.run("UPDATE t SET n = 1 WHERE id = 1").await;
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "1");
    client.run("COMMIT").await;
    client.run("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    assert_eq!(client.value("SHOW transaction_isolation").await, "repeatable read");
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "1");
    other.run("UPDATE t SET n = 2 WHERE id = 1").await;
    other.run("INSERT INTO t VALUES (9, 9)").await;
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "1");
    assert_eq!(client.value("SELECT count(*) FROM t").await, "2");
    let error = client.error("UPDATE t SET n = n + 10 WHERE id = 1").await;
    assert_eq!((error.state().0, error.message()), ("40001", "could not serialize access due to concurrent update"));
    client.run("ROLLBACK").await;
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "2");
}

#[tokio::test]
async fn two_blocks_that_change_one_row_take_turns() {
    let fixture = Fixture::new();
    let mut one = counter(&fixture).await;
    let mut two = fixture.session();
    one.run("BEGIN").await;
    two.run("BEGIN").await;
    one.run("UPDATE t SET n = n + 1 WHERE id = 1").await;
    tokio::join!(two.run("UPDATE t SET n = n + 1 WHERE id = 1"), one.run("COMMIT"));
    two.run("COMMIT").await;
    assert_eq!(one.value("SELECT n FROM t WHERE id = 1").await, "2");
    // On snapshots of their own the first to commit wins.
    one.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT n FROM t").await;
    two.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT n FROM t").await;
    one.run("UPDATE t SET n = n + 1 WHERE id = 1").await;
    let (lost, _) = tokio::join!(two.error("UPDATE t SET n = n + 1 WHERE id = 1"), one.run("COMMIT"));
    assert_eq!(lost.state().0, "40001");
    two.run("ROLLBACK").await;
    assert_eq!(two.0.status(), TransactionStatus::Idle);
    assert_eq!(one.value("SELECT n FROM t WHERE id = 1").await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_increments_outside_blocks_all_count() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    let mut workers = Vec::new();
    for _ in 0..4 {
        let mut session = fixture.session();
        workers.push(tokio::spawn(async move {
            for _ in 0..25 {
                assert_eq!(session.tag("UPDATE t SET n = n + 1 WHERE id = 2").await, "UPDATE 1");
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(client.value("SELECT n FROM t WHERE id = 2").await, "100");
}

#[tokio::test]
async fn a_query_string_is_one_transaction() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    assert_eq!(client.error("INSERT INTO t VALUES (5, 5); INSERT INTO t VALUES (1, 1)").await.state().0, "23505");
    assert_eq!(client.value("SELECT count(*) FROM t").await, "2");
    client.run("INSERT INTO t VALUES (5, 5); COMMIT; INSERT INTO t VALUES (6, 6)").await;
    assert_eq!(client.error("INSERT INTO t VALUES (7, 7); COMMIT; INSERT INTO t VALUES (1, 1)").await.state().0, "23505");
    assert_eq!(client.lines("SELECT id FROM t ORDER BY id").await, ["1", "2", "5", "6", "7"]);
    client.run("INSERT INTO t VALUES (8, 8); BEGIN; INSERT INTO t VALUES (9, 9)").await;
    assert_eq!(client.0.status(), TransactionStatus::InTransaction);
    client.run("ROLLBACK").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "5");
}

#[tokio::test]
async fn others_wait_for_the_end_of_an_implicit_block() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    let mut other = fixture.session();
    let update = client.prepare("UPDATE t SET n = n + 1 WHERE id = 1", &[]).await.unwrap();
    client.0.begin_implicit();
    assert_eq!(client.execute(&update, &[]).await.unwrap().tag, "UPDATE 1");
    let (_, ended) = tokio::join!(other.run("UPDATE t SET n = 10 WHERE id = 1"), client.0.end_implicit(true));
    ended.unwrap();
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "10");
    client.0.begin_implicit();
    client.execute(&update, &[]).await.unwrap();
    let (_, ended) = tokio::join!(other.run("DELETE FROM t WHERE id = 1 AND n = 10"), client.0.end_implicit(true));
    ended.unwrap();
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, "11", "the condition was judged again by the row as it was left");
}

#[tokio::test]
async fn read_only_blocks_refuse_writes() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    for (sql, verb) in [
        ("INSERT INTO t VALUES (3, 3)", "INSERT"),
        ("UPDATE t SET n = 1", "UPDATE"),
        ("DELETE FROM t", "DELETE"),
        ("CREATE TABLE u (x int)", "CREATE TABLE"),
        ("DROP TABLE t", "DROP TABLE"),
        ("COPY t FROM STDIN", "COPY FROM"),
    ] {
        client.run("BEGIN READ ONLY").await;
        assert_eq!(client.value("SELECT count(*) FROM t").await, "2");
        let error = client.error(sql).await;
        assert_eq!((error.state().0, error.message()), ("25006", format!("cannot execute {verb} in a read-only transaction").as_str()));
        client.run("ROLLBACK").await;
    }
    client.run("SET default_transaction_read_only = on").await;
    assert_eq!(client.error("DELETE FROM t").await.state().0, "25006");
    client.run("BEGIN READ WRITE; DELETE FROM t; COMMIT").await;
}

#[tokio::test]
async fn transaction_modes_belong_before_the_first_query() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    client.run("BEGIN").await;
    client.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await;
    client.run("SELECT * FROM t").await;
    assert_eq!(client.error("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await.state().0, "25001");
    client.run("ROLLBACK").await;
}

#[tokio::test]
async fn now_stands_still_within_a_block() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("BEGIN").await;
    let first = client.value("SELECT now()").await;
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    assert_eq!(client.value("SELECT now()").await, first);
    client.run("COMMIT").await;
    assert_ne!(client.value("SELECT now()").await, first);
}

/// A statement that is slower than others change its row never saw the newest version, and gave up with 40001 after ten times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_catches_a_row_that_others_change_all_the_time() {
    let fixture = Fixture::new();
    let mut client = counter(&fixture).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let (mut other, over) = (fixture.session(), Arc::clone(&is_over));
    let busy = tokio::spawn(async move {
        let mut times = 0;
        while !over.load(Ordering::Relaxed) {
            other.run("UPDATE t SET n = n + 1 WHERE id = 1").await;
            times += 1;
        }
        times
    });
    let slow = "UPDATE t SET n = n + 1 WHERE id = 1 AND (SELECT sum(i) FROM generate_series(1, 300000) i) > 0";
    for _ in 0..3 {
        assert_eq!(client.tag(slow).await, "UPDATE 1");
        client.run("BEGIN").await;
        assert_eq!(client.tag(slow).await, "UPDATE 1");
        client.run("COMMIT").await;
    }
    is_over.store(true, Ordering::Relaxed);
    let times = busy.await.unwrap();
    assert_eq!(client.value("SELECT n FROM t WHERE id = 1").await, (times + 6).to_string());
}
