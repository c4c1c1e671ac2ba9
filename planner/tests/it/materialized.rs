//! Materialized views as tables of the ledger: what a refresh writes, what it leaves, and the past of it.

use crate::fixture::Fixture;

#[tokio::test]
async fn a_refresh_writes_the_difference_and_the_past_stays() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (3, 3)").await;
    client.run("CREATE MATERIALIZED VIEW mv AS SELECT id, n FROM t").await;
    let made = client.run("SELECT max(commit_seq) FROM ledger.commits").await.value().to_owned();
    client.run("UPDATE t SET n = 20 WHERE id = 2; INSERT INTO t VALUES (1, 1); DELETE FROM t WHERE id = 3").await;
    client.run("REFRESH MATERIALIZED VIEW mv").await;
    let all = "SELECT id, n FROM mv ORDER BY id, n";
    assert_eq!(client.lines(all).await, ["1|1", "1|1", "2|20"]);
    // Two new rows, and three that were ended: two deletions of id 3, and the old version of id 2.
    let seq = client.run("SELECT max(commit_seq) FROM ledger.commits").await.value().to_owned();
    assert_eq!(client.lines(&format!("SELECT rows FROM ledger.commits WHERE commit_seq = {seq}")).await, ["5"]);
    let kept = format!("SELECT id, n FROM mv FOR SYSTEM_TIME ALL WHERE _commit = {made} AND _ended_by IS NULL ORDER BY id");
    assert_eq!(client.lines(&kept).await, ["1|1"], "a row that is answered again stays");
    let then = all.replace("FROM mv", &format!("FROM mv FOR SYSTEM_TIME AS OF COMMIT {made}"));
    assert_eq!(client.lines(&then).await, ["1|1", "2|2", "3|3", "3|3"]);
    client.run("REFRESH MATERIALIZED VIEW mv").await;
    assert_eq!(client.run("SELECT max(commit_seq) FROM ledger.commits").await.value(), seq, "nothing changed, nothing is written");
    let receipt = client.run(&format!("SELECT ledger_receipt({seq}, 0)")).await;
    assert!(receipt.value().contains("shockwave"), "{receipt:?}");
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_loses() {
    let fixture = Fixture::new();
    let (mut one, mut other) = (fixture.session(), fixture.session());
    one.run("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW mv AS SELECT id FROM t WITH NO DATA").await;
    one.run("BEGIN; REFRESH MATERIALIZED VIEW mv").await;
    other.run("REFRESH MATERIALIZED VIEW mv").await;
    assert_eq!(one.error("COMMIT").await.state().0, "40001");
    assert_eq!(other.lines("SELECT id FROM mv").await, ["1"]);
}
