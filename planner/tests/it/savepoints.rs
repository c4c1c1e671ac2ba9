//! SAVEPOINT, RELEASE, ROLLBACK TO.

use planner::TransactionStatus;

use crate::fixture::{Client, Fixture};

async fn table(fixture: &Fixture) -> Client {
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int PRIMARY KEY, n int)").await;
    client
}

#[tokio::test]
async fn a_block_goes_on_from_where_it_returned_to() {
    let fixture = Fixture::new();
    let mut client = table(&fixture).await;
    client.run("BEGIN").await;
    client.run("INSERT INTO t VALUES (1, 0)").await;
    assert_eq!(client.tag("SAVEPOINT a").await, "SAVEPOINT");
    client.run("INSERT INTO t VALUES (2, 0); ").await;
    client.run("UPDATE t SET n = 9 WHERE id = 1").await;
    client.run("CREATE TABLE later (id int PRIMARY KEY)").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|9", "2|0"]);
    assert_eq!(client.tag("ROLLBACK TO SAVEPOINT a").await, "ROLLBACK");
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|0"]);
    assert_eq!(client.error("SELECT * FROM later").await.state().0, "42P01");
    // The savepoint is still there, and the failed block is well again.
    assert_eq!(client.0.status(), TransactionStatus::Failed);
    client.run("ROLLBACK TO a").await;
    assert_eq!(client.0.status(), TransactionStatus::InTransaction);
    client.run("INSERT INTO t VALUES (2, 5)").await;
    client.run("COMMIT").await;
    assert_eq!(fixture.session().lines("SELECT * FROM t ORDER BY id").await, ["1|0", "2|5"]);
}

#[tokio::test]
async fn the_later_of_two_of_one_name_is_meant_until_it_is_gone() {
    let fixture = Fixture::new();
    let mut client = table(&fixture).await;
    client.run("BEGIN").await;
    client.run("SAVEPOINT a").await;
    client.run("INSERT INTO t VALUES (1, 0)").await;
    client.run("SAVEPOINT a").await;
    client.run("INSERT INTO t VALUES (2, 0)").await;
    client.run("SAVEPOINT b").await;
    client.run("ROLLBACK TO a").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "1");
    assert_eq!(client.tag("RELEASE a").await, "RELEASE");
    client.run("ROLLBACK TO SAVEPOINT a").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "0");
    let error = client.error("RELEASE SAVEPOINT b").await;
    assert_eq!((error.state().0, error.message()), ("3B001", "savepoint \"b\" does not exist"));
    assert_eq!(client.tag("COMMIT").await, "ROLLBACK");
}

#[tokio::test]
async fn settings_and_kept_keys_return_too() {
    let fixture = Fixture::new();
    let mut client = table(&fixture).await;
    client.run("BEGIN").await;
    client.run("SET application_name = 'before'").await;
    client.run("SAVEPOINT a").await;
    client.run("SET application_name = 'after'").await;
    client.run("INSERT INTO t SELECT i, i FROM (VALUES (1), (2), (3)) AS v (i)").await;
    client.run("ROLLBACK TO a").await;
    assert_eq!(client.value("SHOW application_name").await, "before");
    // The keys of rows that were undone are free again.
    client.run("INSERT INTO t VALUES (3, 0)").await;
    assert_eq!(client.error("INSERT INTO t VALUES (3, 1)").await.state().0, "23505");
    client.run("ROLLBACK").await;
    assert_eq!(client.value("SELECT count(*) FROM t").await, "0");
}

#[tokio::test]
async fn outside_a_block_there_is_nothing_to_return_to() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    for (statement, verb) in [("SAVEPOINT a", "SAVEPOINT"), ("RELEASE a", "RELEASE SAVEPOINT"), ("ROLLBACK TO a", "ROLLBACK TO SAVEPOINT")]
    {
        let error = client.error(statement).await;
        assert_eq!(error.state().0, "25P01");
        assert_eq!(error.message(), format!("{verb} can only be used in transaction blocks"));
    }
    client.run("BEGIN").await;
    assert_eq!(client.error("ROLLBACK TO nowhere").await.state().0, "3B001");
    assert_eq!(client.error("RELEASE nowhere").await.state().0, "25P02");
    client.run("ROLLBACK").await;
}
