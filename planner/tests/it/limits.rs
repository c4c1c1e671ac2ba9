//! Cancellation, time limits, and statements too deep to run.

use std::time::Duration;

use crate::fixture::Fixture;

const LONG: &str = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100000000) SELECT sum(n) FROM r";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_statement_can_be_cancelled() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    let canceller = client.0.canceller();
    canceller.cancel();
    assert_eq!(client.value("SELECT 1").await, "1", "a request to an idle session is forgotten");
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        canceller.cancel();
    });
    let error = client.error(LONG).await;
    assert_eq!((error.state().0, error.message()), ("57014", "canceling statement due to user request"));
    later.await.unwrap();
    assert_eq!(client.value("SELECT 2").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_ends_when_its_time_is_up() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("SET statement_timeout = 200").await;
    let error = client.error(LONG).await;
    assert_eq!((error.state().0, error.message()), ("57014", "canceling statement due to statement timeout"));
    client.run("SET statement_timeout = 0").await;
}

/// Stack of a server's worker threads; deep statements within the limits must fit.
const STACK_BYTES: usize = 16 << 20;

fn on_a_worker_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("worker".into()).stack_size(STACK_BYTES).spawn(test).unwrap();
    thread.join().unwrap();
}

#[test]
fn nesting_and_chains_are_bounded() {
    on_a_worker_stack(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new();
            let mut client = fixture.session();
            let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
            assert_eq!(client.value(&nested(50)).await, "1");
            assert_eq!(client.error(&nested(5_000)).await.state().0, "54001");
            let chain = |links: usize| format!("SELECT 1{}", " + 1".repeat(links));
            assert_eq!(client.value(&chain(400)).await, "401");
            assert_eq!(client.error(&chain(20_000)).await.state().0, "54001");
            let long = "SELECT 1 WHERE 1 IN (".to_owned() + &"2, ".repeat(5_000) + "1)";
            assert_eq!(client.value(&long).await, "1");
        });
    });
}

/// Planning took a lock for every input of a union, and tokio, after 128 of them, had the task wait for a scheduler that was not asked: the session
/// stood still for ever, and could not be cancelled.
#[tokio::test]
async fn a_union_of_many_is_planned() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (a int)").await;
    client.run("INSERT INTO t VALUES (1)").await;
    // By halves, for the tree is walked by recursion.
    fn union(from: usize, to: usize) -> String {
        match to - from {
            1 => format!("SELECT a + {from} AS n FROM t"),
            more => format!("({}) UNION ALL ({})", union(from, from + more / 2), union(from + more / 2, to)),
        }
    }
    assert_eq!(client.value(&format!("SELECT sum(n) FROM ({}) q", union(0, 200))).await, "20100");
}

/// A sort that leaves out a constant below a union was taken for no sort at all.
#[tokio::test]
async fn branches_with_constants_are_ordered() {
    let fixture = Fixture::new();
    let mut client = fixture.session();
    client.run("CREATE TABLE t (a int, b int)").await;
    client.run("INSERT INTO t VALUES (1, 10), (2, 20)").await;
    let sql = "SELECT * FROM (SELECT a::text || 'x' AS p, b, a::text || 'x' AS q, b AS c, 0 AS n FROM t \
        UNION ALL SELECT a::text || 'x', b, a::text || 'y', b, 1 FROM t UNION ALL SELECT 'z', b, a::text, NULL, 2 FROM t) u ORDER BY 1, 2, 3, 4, 5";
    let rows = ["1x|10|1x|10|0", "1x|10|1y|10|1", "2x|20|2x|20|0", "2x|20|2y|20|1", "z|10|1|∅|2", "z|20|2|∅|2"];
    assert_eq!(client.lines(sql).await, rows);
}
