//! Sessions that meet in the same rows: who waits, for what, until when, and what is found afterwards. Interleaved scripts over the wire.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error};

use crate::server::{TestServer, start, state};

/// Time in which a statement that has nothing to wait for is done.
const SETTLED: Duration = Duration::from_millis(150);
/// A wait that takes longer is taken for a hang.
const HANG: Duration = Duration::from_secs(20);

async fn table(server: &TestServer) -> Client {
    let client = server.connect().await;
    client
        .batch_execute("CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL, w int); INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)")
        .await
        .unwrap();
    client
}

/// A statement that runs beside the test; the client comes back with what it answered.
struct Beside(JoinHandle<(Client, Result<u64, Error>)>);

fn beside(client: Client, sql: &str) -> Beside {
    let sql = sql.to_owned();
    Beside(tokio::spawn(async move {
        let outcome = client.execute(&sql, &[]).await;
        (client, outcome)
    }))
}

impl Beside {
    /// It is still waiting.
    async fn waits(&self) {
        tokio::time::sleep(SETTLED).await;
        assert!(!self.0.is_finished(), "the statement did not wait");
    }

    async fn over(self) -> (Client, Result<u64, Error>) {
        tokio::time::timeout(HANG, self.0).await.expect("the statement hangs").unwrap()
    }
}

async fn value(client: &Client, id: i32) -> i32 {
    client.query_one("SELECT v FROM t WHERE id = $1", &[&id]).await.unwrap().get(0)
}

#[tokio::test]
async fn an_update_waits_and_goes_on_with_the_newest_version() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("BEGIN; UPDATE t SET v = v + 1 WHERE id = 1").await.unwrap();
    two.batch_execute("BEGIN; UPDATE t SET v = v + 10 WHERE id = 2").await.unwrap();
    let waiting = beside(two, "UPDATE t SET v = v + 10 WHERE id = 1");
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    let (two, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 1);
    two.batch_execute("COMMIT").await.unwrap();
    assert_eq!((value(&one, 1).await, value(&one, 2).await), (11, 10));
}

#[tokio::test]
async fn after_the_wait_conditions_are_judged_anew() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("BEGIN; UPDATE t SET v = 5 WHERE id = 1; DELETE FROM t WHERE id = 2").await.unwrap();
    let waiting = beside(two, "UPDATE t SET v = 100 WHERE v = 0");
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    let (two, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 1, "only row 3 still has v = 0");
    assert_eq!((value(&two, 1).await, value(&two, 3).await), (5, 100));
}

#[tokio::test]
async fn what_a_statement_wrote_before_it_had_to_wait_is_written_once() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("BEGIN; UPDATE t SET v = 1 WHERE id = 3").await.unwrap();
    two.batch_execute("BEGIN; INSERT INTO t VALUES (4, 0), (5, 0); UPDATE t SET v = v + 1 WHERE id = 4").await.unwrap();
    let merge = "MERGE INTO t USING (VALUES (1), (4), (6), (3)) s(id) ON t.id = s.id \
                 WHEN MATCHED AND t.id < 3 THEN UPDATE SET v = t.v + 10 WHEN MATCHED THEN UPDATE SET v = t.v + 100 \
                 WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, 7)";
    let waiting = beside(two, merge);
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    let (two, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 4);
    two.batch_execute("COMMIT").await.unwrap();
    let rows = two.query("SELECT v FROM t ORDER BY id", &[]).await.unwrap();
    let values: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(values, [10, 0, 101, 101, 0, 7]);
}

#[tokio::test]
async fn locks_end_with_rollback_savepoint_failure_and_session() {
    let server = start().await;
    let one = table(&server).await;
    let mut two = server.connect().await;
    let undone = ["ROLLBACK", "ROLLBACK TO s", "SELECT 1/0"];
    for undo in undone {
        one.batch_execute("BEGIN; UPDATE t SET w = 1 WHERE id = 2; SAVEPOINT s; UPDATE t SET v = 1 WHERE id = 1").await.unwrap();
        let waiting = beside(two, "UPDATE t SET v = v + 1 WHERE id = 1");
        waiting.waits().await;
        drop(one.batch_execute(undo).await);
        let (client, outcome) = waiting.over().await;
        assert_eq!(outcome.unwrap(), 1, "{undo}");
        two = client;
        one.batch_execute("ROLLBACK").await.unwrap();
    }
    assert_eq!(value(&two, 1).await, 3);
    one.batch_execute("BEGIN; DELETE FROM t WHERE id = 1").await.unwrap();
    let waiting = beside(two, "UPDATE t SET v = v + 1 WHERE id = 1");
    waiting.waits().await;
    drop(one);
    let (two, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 1);
    assert_eq!(value(&two, 1).await, 4);
}

#[tokio::test]
async fn an_insert_waits_for_the_key_that_another_has_made() {
    let server = start().await;
    let one = table(&server).await;
    let mut two = server.connect().await;
    for (end, expected) in [("COMMIT", "23505"), ("ROLLBACK", "fine")] {
        one.batch_execute("DELETE FROM t WHERE id = 9").await.unwrap();
        one.batch_execute("BEGIN; INSERT INTO t VALUES (9, 0)").await.unwrap();
        let waiting = beside(two, "INSERT INTO t VALUES (9, 1)");
        waiting.waits().await;
        one.batch_execute(end).await.unwrap();
        let (client, outcome) = waiting.over().await;
        assert_eq!(outcome.map_or_else(|error| error.code().unwrap().code().to_owned(), |_| "fine".to_owned()), expected, "{end}");
        two = client;
    }
    // The row that has the key is being deleted.
    one.batch_execute("BEGIN; DELETE FROM t WHERE id = 9").await.unwrap();
    let waiting = beside(two, "INSERT INTO t VALUES (9, 2)");
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    assert_eq!(waiting.over().await.1.unwrap(), 1);
}

#[tokio::test]
async fn on_conflict_waits_and_then_meets_the_row() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("BEGIN; INSERT INTO t VALUES (9, 5)").await.unwrap();
    two.batch_execute("BEGIN").await.unwrap();
    let waiting = beside(two, "INSERT INTO t VALUES (9, 1) ON CONFLICT (id) DO UPDATE SET v = t.v + excluded.v");
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    let (two, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 1);
    let three = server.connect().await;
    let waiting = beside(three, "INSERT INTO t VALUES (9, 1) ON CONFLICT DO NOTHING");
    let (three, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 0, "a row that is being updated keeps its key");
    two.batch_execute("COMMIT").await.unwrap();
    assert_eq!(value(&three, 9).await, 6);
}

#[tokio::test]
async fn repeatable_read_waits_and_then_refuses() {
    let server = start().await;
    let one = table(&server).await;
    let mut two = server.connect().await;
    for (end, expected) in [("ROLLBACK", None), ("COMMIT", Some("could not serialize access due to concurrent update"))] {
        two.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t").await.unwrap();
        one.batch_execute("BEGIN; UPDATE t SET v = v + 1 WHERE id = 1").await.unwrap();
        let waiting = beside(two, "UPDATE t SET v = v + 1 WHERE id = 1");
        waiting.waits().await;
        one.batch_execute(end).await.unwrap();
        let (client, outcome) = waiting.over().await;
        let error = outcome.err();
        let error = error.as_ref().map(|error| error.as_db_error().unwrap());
        assert_eq!(error.map(|error| error.message()), expected);
        assert!(error.is_none_or(|error| error.code().code() == "40001" && error.hint().is_some()));
        two = client;
        two.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn a_circle_of_waiters_is_refused_at_once() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("BEGIN; UPDATE t SET v = 1 WHERE id = 1").await.unwrap();
    two.batch_execute("BEGIN; UPDATE t SET v = 2 WHERE id = 2").await.unwrap();
    let waiting = beside(two, "UPDATE t SET v = 2 WHERE id = 1");
    waiting.waits().await;
    let refused = one.execute("UPDATE t SET v = 1 WHERE id = 2", &[]).await.unwrap_err();
    let refused = refused.as_db_error().unwrap();
    assert_eq!((refused.code().code(), refused.message()), ("40P01", "deadlock detected"));
    assert!(refused.hint().is_some() && refused.detail().is_some());
    // The failed transaction's locks are gone: the other goes on.
    let (two, outcome) = waiting.over().await;
    assert_eq!(outcome.unwrap(), 1);
    two.batch_execute("COMMIT").await.unwrap();
    one.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!((value(&one, 1).await, value(&one, 2).await), (2, 2));
}

#[tokio::test]
async fn for_update_and_its_kin_allow_what_postgres_allows() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("CREATE TABLE u (id int, t int); INSERT INTO u VALUES (1, 1)").await.unwrap();
    // What one has, whether two may lock at all by each strength, and by which writes.
    let cases = [
        ("FOR UPDATE", [false, false, false, false], [false, false]),
        ("FOR NO KEY UPDATE", [false, false, false, true], [false, false]),
        ("FOR SHARE", [false, false, true, true], [false, false]),
        ("FOR KEY SHARE", [false, true, true, true], [true, false]),
    ];
    two.batch_execute("SET lock_timeout = '50ms'").await.unwrap();
    for (has, locks, writes) in cases {
        one.batch_execute(&format!("BEGIN; SELECT * FROM t WHERE id = 1 {has}")).await.unwrap();
        for (wanted, is_free) in ["FOR UPDATE", "FOR NO KEY UPDATE", "FOR SHARE", "FOR KEY SHARE"].into_iter().zip(locks) {
            let by_key = two.query(&format!("SELECT id FROM t WHERE id = 1 {wanted} NOWAIT"), &[]).await;
            assert_eq!(by_key.is_ok(), is_free, "{has}, then {wanted}: {by_key:?}");
            let joined = format!("SELECT t.v FROM t JOIN u ON t.id = u.t ORDER BY t.v {wanted} OF t, u SKIP LOCKED");
            assert_eq!(two.query(&joined, &[]).await.unwrap().len(), usize::from(is_free), "{has}, then {wanted}");
        }
        for (write, is_free) in
            ["UPDATE t SET v = v WHERE id = 1", "DELETE FROM t WHERE id = 1 AND false IS NOT TRUE"].into_iter().zip(writes)
        {
            two.batch_execute("BEGIN").await.unwrap();
            let written = two.execute(write, &[]).await;
            two.batch_execute("ROLLBACK").await.unwrap();
            match written {
                Ok(_) => assert!(is_free, "{has}, then {write}"),
                refused => assert_eq!((state(refused).as_str(), is_free), ("55P03", false), "{has}, then {write}"),
            }
        }
        one.batch_execute("COMMIT").await.unwrap();
    }
    assert_eq!(state(two.query("SELECT count(*) FROM t FOR UPDATE", &[]).await), "0A000");
    assert_eq!(state(two.query("SELECT id FROM t FOR UPDATE OF x", &[]).await), "42P01");
    assert_eq!(state(two.query("BEGIN READ ONLY", &[]).await.and(two.query("SELECT id FROM t FOR UPDATE", &[]).await)), "25006");
}

#[tokio::test]
async fn waits_end_with_timeouts_and_cancel() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("BEGIN; SELECT * FROM t WHERE id = 1 FOR UPDATE").await.unwrap();
    two.batch_execute("SET lock_timeout = 60").await.unwrap();
    let refused = two.execute("UPDATE t SET v = 1 WHERE id = 1", &[]).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().message(), "canceling statement due to lock timeout");
    assert_eq!(state::<u64>(Err(refused)), "55P03");
    two.batch_execute("SET lock_timeout = 0; SET statement_timeout = 60").await.unwrap();
    assert_eq!(state(two.execute("DELETE FROM t WHERE id = 1", &[]).await), "57014");
    two.batch_execute("SET statement_timeout = 0").await.unwrap();
    let cancel = two.cancel_token();
    let waiting = beside(two, "SELECT * FROM t WHERE id = 1 FOR SHARE");
    waiting.waits().await;
    cancel.cancel_query(tokio_postgres::NoTls).await.unwrap();
    let (two, outcome) = waiting.over().await;
    assert_eq!(state(outcome), "57014");
    one.batch_execute("COMMIT").await.unwrap();
    assert_eq!(two.execute("UPDATE t SET v = 1 WHERE id = 1", &[]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_queue_of_jobs_gives_each_job_once() {
    const JOBS: usize = 40;
    let server = start().await;
    let client = server.connect().await;
    client.batch_execute("CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL)").await.unwrap();
    client.execute(&format!("INSERT INTO jobs SELECT i, 'new' FROM generate_series(1, {JOBS}) i"), &[]).await.unwrap();
    let forms = [
        "UPDATE jobs SET state = 'done' WHERE id = (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
        "WITH next AS (SELECT id FROM jobs WHERE state = 'new' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) \
         UPDATE jobs SET state = 'done' FROM next WHERE jobs.id = next.id RETURNING jobs.id",
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
    ];
    let mut workers = Vec::new();
    for worker in 0..6 {
        let client = server.connect().await;
        workers.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            loop {
                client.batch_execute("BEGIN").await.unwrap();
                let rows = client.query(forms[worker % forms.len()], &[]).await.unwrap();
                client.batch_execute("COMMIT").await.unwrap();
                match rows.first() {
                    Some(row) => taken.push(row.get::<_, i32>(0)),
                    None => return taken,
                }
            }
        }));
    }
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(tokio::time::timeout(HANG, worker).await.expect("a worker hangs").unwrap());
    }
    taken.sort_unstable();
    assert_eq!(taken, (1..=JOBS as i32).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reference_and_the_end_of_its_row_wait_for_each_other() {
    let server = start().await;
    let one = table(&server).await;
    let two = server.connect().await;
    one.batch_execute("CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t)").await.unwrap();
    one.batch_execute("BEGIN; INSERT INTO c VALUES (1, 1)").await.unwrap();
    two.execute("UPDATE t SET v = 1 WHERE id = 1", &[]).await.unwrap();
    let waiting = beside(two, "DELETE FROM t WHERE id = 1");
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    let (two, outcome) = waiting.over().await;
    assert_eq!(state(outcome), "23503");
    one.batch_execute("BEGIN; DELETE FROM t WHERE id = 2").await.unwrap();
    let waiting = beside(two, "INSERT INTO c VALUES (2, 2)");
    waiting.waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    assert_eq!(state(waiting.over().await.1), "23503");
}

#[tokio::test]
async fn a_locked_table_is_written_when_its_lock_ends() {
    let server = start().await;
    let one = table(&server).await;
    let (two, three) = (server.connect().await, server.connect().await);
    one.batch_execute("BEGIN; LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE; UPDATE t SET v = 1 WHERE id = 1").await.unwrap();
    // One alone, one in a block, and who only reads.
    let alone = beside(two, "UPDATE t SET v = v + 10 WHERE id = 1");
    three.batch_execute("BEGIN").await.unwrap();
    let in_block = beside(three, "INSERT INTO t VALUES (4, 4)");
    alone.waits().await;
    in_block.waits().await;
    let reader = server.connect().await;
    assert_eq!(value(&reader, 1).await, 0);
    one.batch_execute("COMMIT").await.unwrap();
    let ((two, first), (three, second)) = (alone.over().await, in_block.over().await);
    assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
    assert_eq!(value(&reader, 1).await, 11);
    // The block holds the table open until it ends; then the locker sees what it did.
    one.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    let locker = beside(one, "LOCK t");
    locker.waits().await;
    // Who comes later stands behind who waits.
    let late = beside(two, "DELETE FROM t WHERE id = 2");
    late.waits().await;
    three.batch_execute("COMMIT").await.unwrap();
    let (one, locked) = locker.over().await;
    locked.unwrap();
    assert_eq!(value(&one, 4).await, 4);
    late.waits().await;
    one.batch_execute("UPDATE t SET v = 5 WHERE id = 2; COMMIT").await.unwrap();
    assert_eq!(late.over().await.1.unwrap(), 1);
}

/// A lock that is worth its name: a sum that is read and written under it loses nothing, whoever else writes, alone or in a block.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_under_a_tables_lock_is_so_until_it_ends() {
    const ROUNDS: i32 = 12;
    let server = start().await;
    let one = table(&server).await;
    let mut tasks = Vec::new();
    for session in 0..4 {
        let client = server.connect().await;
        tasks.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                match session {
                    0 | 1 => {
                        client.batch_execute("BEGIN; LOCK t IN SHARE ROW EXCLUSIVE MODE").await.unwrap();
                        let sum: i64 = client.query_one("SELECT sum(v) FROM t", &[]).await.unwrap().get(0);
                        let row = format!("INSERT INTO t VALUES ({}, 1, {sum})", 1_000 * (session + 1) + round);
                        client.batch_execute(&format!("{row}; COMMIT")).await.unwrap();
                    }
                    2 => client.batch_execute(&format!("INSERT INTO t VALUES ({}, 1)", 5_000 + round)).await.unwrap(),
                    _ => {
                        let row = format!("INSERT INTO t VALUES ({}, 1)", 6_000 + round);
                        client.batch_execute(&format!("BEGIN; {row}; COMMIT")).await.unwrap();
                    }
                }
            }
        }));
    }
    for task in tasks {
        tokio::time::timeout(HANG, task).await.expect("a session hangs").unwrap();
    }
    // In the order of commits: each saw the rows before it and none else.
    let rows = one.query("SELECT w FROM t FOR SYSTEM_TIME ALL WHERE id > 3 ORDER BY _commit", &[]).await.unwrap();
    assert_eq!(rows.len(), 4 * ROUNDS as usize);
    for (before, row) in (0_i32..).zip(rows) {
        let seen: Option<i32> = row.get(0);
        assert!(seen.is_none_or(|seen| seen == before), "{seen:?} seen of {before}");
    }
}

#[tokio::test]
async fn many_waiters_are_all_served() {
    let server = start().await;
    let one = table(&server).await;
    one.batch_execute("BEGIN; UPDATE t SET v = v + 1 WHERE id = 1").await.unwrap();
    let mut waiting = Vec::new();
    for _ in 0..12 {
        waiting.push(beside(server.connect().await, "UPDATE t SET v = v + 1 WHERE id = 1"));
    }
    waiting[0].waits().await;
    one.batch_execute("COMMIT").await.unwrap();
    for waiting in waiting {
        assert_eq!(waiting.over().await.1.unwrap(), 1);
    }
    assert_eq!(value(&one, 1).await, 13);
}

/// The story: pgbench with four clients over tables with foreign keys hung for ever. Every INSERT into the history asks for the keys of the rows that
/// others are changing at that time, each transaction in another order; whoever was left behind in a queue for nobody closed a circle that no search
/// saw. Here all of it ends, whoever was refused begins anew, and the sums agree.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_under_foreign_keys_end() {
    const CLIENTS: i32 = 6;
    const TURNS: i32 = 25;
    let server = start().await;
    let setup = server.connect().await;
    setup
        .batch_execute(
            "CREATE TABLE branch (id int PRIMARY KEY, sum int NOT NULL);
             CREATE TABLE teller (id int PRIMARY KEY, branch int NOT NULL REFERENCES branch, sum int NOT NULL);
             CREATE TABLE account (id int PRIMARY KEY, branch int NOT NULL REFERENCES branch, sum int NOT NULL);
             CREATE TABLE history (teller int REFERENCES teller, branch int REFERENCES branch, account int REFERENCES account, delta int);
             INSERT INTO branch VALUES (1, 0), (2, 0);
             INSERT INTO teller VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0);
             INSERT INTO account VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0), (4, 2, 0)",
        )
        .await
        .unwrap();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let client = server.connect().await;
        clients.push(tokio::spawn(async move {
            let mut refused = 0;
            for turn in 0..TURNS {
                let seed = number * 7 + turn * 5;
                let (account, teller, branch) = (seed % 4 + 1, seed % 3 + 1, (seed / 2) % 2 + 1);
                let mut steps = [
                    format!("UPDATE account SET sum = sum + 1 WHERE id = {account}"),
                    format!("UPDATE teller SET sum = sum + 1 WHERE id = {teller}"),
                    format!("UPDATE branch SET sum = sum + 1 WHERE id = {branch}"),
                    format!("INSERT INTO history VALUES ({teller}, {branch}, {account}, 1)"),
                    format!("SELECT sum FROM branch WHERE id = {} FOR SHARE", 3 - branch),
                ];
                steps.rotate_left((number % 5) as usize);
                let script = format!("BEGIN; {}; COMMIT", steps.join("; "));
                while let Err(error) = client.batch_execute(&script).await {
                    let state = error.code().map_or("none", |code| code.code());
                    assert!(["40P01", "40001"].contains(&state), "{state}: {error}");
                    refused += 1;
                    client.batch_execute("ROLLBACK").await.unwrap();
                }
            }
            refused
        }));
    }
    for client in clients {
        tokio::time::timeout(HANG * 3, client).await.expect("a transfer hangs").unwrap();
    }
    let sums = "SELECT (SELECT sum(sum) FROM branch), (SELECT sum(sum) FROM teller), (SELECT sum(sum) FROM account), (SELECT count(*) FROM history)";
    let row = setup.query_one(sums, &[]).await.unwrap();
    let all = i64::from(CLIENTS * TURNS);
    assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2), row.get(3)], [all; 4]);
}
