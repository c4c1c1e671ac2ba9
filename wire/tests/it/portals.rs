//! Row limits: Execute with a maximum, PortalSuspended, and where portals end.

use crate::raw::{Raw, bind, execute, parse, query, sync};
use crate::server::start;

async fn with_rows(count: u32) -> (crate::server::TestServer, Raw) {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let rows: Vec<String> = (0..count).map(|id| format!("({id})")).collect();
    raw.ask(&[query(&format!("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES {}", rows.join(",")))]).await;
    (server, raw)
}

#[tokio::test]
async fn a_result_is_sent_in_helpings() {
    let (_server, mut raw) = with_rows(5).await;
    let seen = raw
        .ask(&[
            parse("", "SELECT id FROM t ORDER BY id"),
            bind("p", "", &[]),
            execute("p", 2),
            execute("p", 2),
            execute("p", 2),
            execute("p", 2),
            sync(),
        ])
        .await;
    assert_eq!(
        seen,
        [
            "Parsed",
            "Bound",
            "Row 0",
            "Row 1",
            "Suspended",
            "Row 2",
            "Row 3",
            "Suspended",
            "Row 4",
            "Complete SELECT 1",
            "Complete SELECT 0",
            "Ready I"
        ]
    );
}

#[tokio::test]
async fn other_statements_run_between_the_helpings() {
    let (_server, mut raw) = with_rows(3).await;
    raw.ask(&[query("BEGIN")]).await;
    let seen = raw.ask(&[parse("", "SELECT id FROM t ORDER BY id"), bind("p", "", &[]), execute("p", 1), sync()]).await;
    assert_eq!(seen, ["Parsed", "Bound", "Row 0", "Suspended", "Ready T"]);
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 3");
    assert_eq!(raw.ask(&[execute("p", 0), sync()]).await, ["Row 1", "Row 2", "Complete SELECT 2", "Ready T"]);
    raw.ask(&[query("COMMIT")]).await;
    let seen = raw.ask(&[execute("p", 0), sync()]).await;
    assert!(seen[0].starts_with("ERROR 34000"), "a portal outlived its transaction: {seen:?}");
}

#[tokio::test]
async fn a_portal_ends_with_its_implicit_transaction() {
    let (_server, mut raw) = with_rows(3).await;
    raw.ask(&[parse("", "SELECT id FROM t"), bind("p", "", &[]), execute("p", 1), sync()]).await;
    let seen = raw.ask(&[execute("p", 0), sync()]).await;
    assert!(seen[0].starts_with("ERROR 34000"), "{seen:?}");
}

#[tokio::test]
async fn a_command_runs_once() {
    let (_server, mut raw) = with_rows(1).await;
    let seen = raw.ask(&[parse("", "INSERT INTO t VALUES (100)"), bind("p", "", &[]), execute("p", 0), execute("p", 0), sync()]).await;
    assert!(seen[3].starts_with("ERROR 55000"), "{seen:?}");
}

#[tokio::test]
async fn a_portal_is_moved_like_the_cursor_it_is() {
    let (_server, mut raw) = with_rows(9).await;
    raw.ask(&[query("BEGIN")]).await;
    raw.ask(&[parse("", "SELECT id FROM t ORDER BY id"), bind("p", "", &[]), sync()]).await;
    assert_eq!(raw.ask(&[query("MOVE 2 FROM p")]).await, ["Complete MOVE 2", "Ready T"]);
    assert_eq!(raw.ask(&[execute("p", 2), sync()]).await, ["Row 2", "Row 3", "Suspended", "Ready T"]);
    assert_eq!(raw.ask(&[query("MOVE FORWARD 3 IN p")]).await, ["Complete MOVE 3", "Ready T"]);
    assert_eq!(raw.ask(&[execute("p", 1), sync()]).await, ["Row 7", "Suspended", "Ready T"]);
    assert_eq!(raw.ask(&[query("MOVE ALL FROM p")]).await, ["Complete MOVE 1", "Ready T"]);
    assert_eq!(raw.ask(&[query("MOVE 1 FROM p")]).await, ["Complete MOVE 0", "Ready T"]);
    assert_eq!(raw.ask(&[execute("p", 0), sync()]).await, ["Complete SELECT 0", "Ready T"]);
    let seen = raw.ask(&[query("MOVE 1 FROM q")]).await;
    assert!(seen[0].starts_with("ERROR 34000"), "{seen:?}");
}

#[tokio::test]
async fn a_binary_cursor_says_the_format_where_nobody_else_does() {
    let (_server, mut raw) = with_rows(3).await;
    raw.ask(&[query("BEGIN"), query("DECLARE b BINARY CURSOR FOR SELECT id, id::text AS t FROM t ORDER BY id")]).await;
    raw.until_ready().await;
    let seen = raw.ask(&[query("FETCH 2 FROM b")]).await;
    assert_eq!(seen, ["Columns id,t", "Row \0\0\0\0|0", "Row \0\0\0\u{1}|1", "Complete FETCH 2", "Ready T"]);
    // In the extended protocol Bind says it.
    let seen = raw.ask(&[parse("", "FETCH 1 FROM b"), bind("", "", &[]), execute("", 0), sync()]).await;
    assert_eq!(seen, ["Parsed", "Bound", "Row 2|2", "Complete FETCH 1", "Ready T"]);
}
