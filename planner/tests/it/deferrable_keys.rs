//! DEFERRABLE keys and NULLS NOT DISTINCT between sessions and over restarts: no order of commits leaves a value twice.

use std::sync::Arc;

use crate::fixture::{Client, Fixture, refused};

async fn two(fixture: &Fixture) -> (Client, Client) {
    let mut one = fixture.session();
    one.run("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, n text)").await;
    one.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
    (one, fixture.session())
}

#[tokio::test]
async fn what_another_committed_meanwhile_is_met_at_commit() {
    let fixture = Fixture::new();
    let (mut one, mut other) = two(&fixture).await;
    one.run("BEGIN; INSERT INTO t VALUES (3, 'one')").await;
    one.run("UPDATE t SET id = 4 WHERE n = 'one'").await;
    other.run("INSERT INTO t VALUES (5, 'other')").await;
    one.run("INSERT INTO t VALUES (5, 'one too')").await;
    refused(&mut one, "COMMIT", "23505", "duplicate key value violates unique constraint \"t_pkey\"").await;
    assert_eq!(other.lines("SELECT id, n FROM t ORDER BY id").await, ["1|a", "2|b", "5|other"]);
    // The value is free again before the commit.
    one.run("BEGIN; INSERT INTO t VALUES (5, 'one')").await;
    other.run("DELETE FROM t WHERE id = 5").await;
    one.run("COMMIT").await;
    assert_eq!(other.lines("SELECT id, n FROM t ORDER BY id").await, ["1|a", "2|b", "5|one"]);
}

/// A value that another transaction has written and not committed is waited for.
#[tokio::test]
async fn one_value_is_written_by_one_at_a_time() {
    for (ending, expected) in [("COMMIT", Err("23505")), ("ROLLBACK", Ok(["1|a", "2|b", "9|other"]))] {
        let fixture = Fixture::new();
        let (mut one, mut other) = two(&fixture).await;
        one.run("BEGIN; INSERT INTO t VALUES (9, 'one')").await;
        let waiting = tokio::spawn(async move {
            let answer = other.try_run("INSERT INTO t VALUES (9, 'other')").await;
            (other, answer)
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!waiting.is_finished(), "it waits for the end of the one");
        one.run(ending).await;
        let (mut other, answer) = waiting.await.unwrap();
        match expected {
            Err(state) => assert_eq!(answer.unwrap_err().state().0, state),
            Ok(lines) => {
                answer.unwrap();
                assert_eq!(other.lines("SELECT id, n FROM t ORDER BY id").await, lines);
            }
        }
    }
}

/// At COMMIT a row that another is about to end is waited for.
#[tokio::test]
async fn a_commit_waits_for_who_is_about_to_give_the_value_up() {
    for (ending, expected) in [("COMMIT", None), ("ROLLBACK", Some("23505"))] {
        let fixture = Fixture::new();
        let (mut one, mut other) = two(&fixture).await;
        other.run("BEGIN; DELETE FROM t WHERE id = 2").await;
        one.run("BEGIN; INSERT INTO t VALUES (2, 'one')").await;
        let waiting = tokio::spawn(async move {
            let answer = one.try_run("COMMIT").await;
            (one, answer)
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert!(!waiting.is_finished(), "the commit waits");
        other.run(ending).await;
        let (mut one, answer) = waiting.await.unwrap();
        assert_eq!(answer.err().map(|error| error.state().0), expected, "{ending}");
        let row = if expected.is_some() { "2|b" } else { "2|one" };
        assert_eq!(one.lines("SELECT id, n FROM t ORDER BY id").await, ["1|a", row]);
    }
}

#[tokio::test]
async fn many_rows_move_at_once() {
    let fixture = Fixture::new();
    let (mut one, mut other) = two(&fixture).await;
    one.run("INSERT INTO t SELECT i, 'n' || i FROM generate_series(3, 20000) i").await;
    one.run("UPDATE t SET id = id + 1").await;
    one.run("UPDATE t SET id = 20002 - id").await;
    assert_eq!(one.lines("SELECT id, n FROM t WHERE id IN (1, 2, 20000) ORDER BY id").await, ["1|n20000", "2|n19999", "20000|a"]);
    assert_eq!(one.error("UPDATE t SET id = id / 2").await.state().0, "23505");
    // One that was there twice for a while, among many.
    one.run("BEGIN; INSERT INTO t SELECT i, 'again' FROM generate_series(1, 20000) i").await;
    assert_eq!(one.value("SELECT count(*) FROM t WHERE id = 77").await, "2");
    one.run("DELETE FROM t WHERE n <> 'again' OR id > 19990").await;
    other.run("INSERT INTO t VALUES (30000, 'other')").await;
    one.run("COMMIT").await;
    assert_eq!(one.value("SELECT count(*) FROM t WHERE n = 'again'").await, "19990");
    one.run("INSERT INTO t VALUES (20000, 'free')").await;
    assert_eq!(one.error("INSERT INTO t VALUES (19990, 'taken')").await.state().0, "23505");
}

#[tokio::test]
async fn keys_outlive_a_restart_and_are_made_anew_from_rows() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..4 {
        if round == 3 {
            // Indexes are folds: without them they come out of the ledger.
            std::fs::remove_dir_all(folder.path().join("ledgers/shockwave/folds")).unwrap();
        }
        let server = engine::Server::open(folder.path(), planner::engine_options()).unwrap();
        let options = relational::Options { memory_bytes: 64 << 20, run_memory_bytes: 64 << 20, partitions: 1, batch_rows: 8_192 };
        let relational = Arc::new(relational::Relational::new(options).unwrap());
        let database = planner::Database::new(server.ledger("shockwave").unwrap(), relational);
        let mut client = Client(planner::Session::new(database, "shockwave", ""));
        if round == 0 {
            client.run("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, u int UNIQUE NULLS NOT DISTINCT)").await;
            client.run("INSERT INTO t VALUES (1, NULL), (2, 2)").await;
        }
        client.run("BEGIN; INSERT INTO t VALUES (1, 7); UPDATE t SET id = 3 WHERE u = 7").await;
        client.run("UPDATE t SET id = 4 - id WHERE id <> 2; COMMIT").await;
        client.run("DELETE FROM t WHERE u = 7").await;
        client.run("UPDATE t SET id = 1 WHERE u IS NULL").await;
        assert_eq!(client.lines("SELECT id, u FROM t ORDER BY id").await, ["1|∅", "2|2"], "round {round}");
        let twice = client.error("INSERT INTO t VALUES (1, 1)").await;
        assert_eq!((twice.state().0, twice.message()), ("23505", "duplicate key value violates unique constraint \"t_pkey\""));
        refused(&mut client, "INSERT INTO t VALUES (9, NULL)", "23505", "duplicate key value violates unique constraint \"t_u_key\"").await;
        assert_eq!(client.lines("SELECT id FROM t WHERE u IS NULL").await, ["1"]);
        assert_eq!(client.lines("SELECT u FROM t WHERE id = 2").await, ["2"]);
        drop(client);
        server.shutdown().unwrap();
    }
}

/// NULL is waited for and met as any value is.
#[tokio::test]
async fn two_sessions_write_null_where_nulls_are_equal() {
    let fixture = Fixture::new();
    let (mut one, mut other) = (fixture.session(), fixture.session());
    one.run("CREATE TABLE n (id int PRIMARY KEY, u int UNIQUE NULLS NOT DISTINCT)").await;
    one.run("BEGIN; INSERT INTO n VALUES (1, NULL)").await;
    let waiting = tokio::spawn(async move { other.try_run("INSERT INTO n VALUES (2, NULL)").await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "it waits");
    one.run("COMMIT").await;
    assert_eq!(waiting.await.unwrap().unwrap_err().state().0, "23505");
    let mut other = fixture.session();
    other.run("INSERT INTO n VALUES (2, NULL) ON CONFLICT (u) DO UPDATE SET id = 5").await;
    assert_eq!(one.lines("SELECT id, u FROM n").await, ["5|∅"]);
}
