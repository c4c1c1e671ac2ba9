//! The extended protocol message by message: pipelines, skipping to Sync, names.

use crate::raw::{Raw, bind, close_statement, describe_portal, describe_statement, execute, flush, message, parse, query, sync};
use crate::server::start;

#[tokio::test]
async fn describes_statements_and_portals() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query("CREATE TABLE t (id bigint PRIMARY KEY, name text)")]).await;
    let seen = raw
        .ask(&[
            parse("s", "SELECT name FROM t WHERE id = $1"),
            describe_statement("s"),
            bind("", "s", &["1"]),
            describe_portal(""),
            parse("i", "INSERT INTO t VALUES ($1, $2)"),
            describe_statement("i"),
            close_statement("i"),
            close_statement("never was"),
            sync(),
        ])
        .await;
    assert_eq!(
        seen,
        [
            "Parsed",
            "Parameters [20]",
            "Columns name",
            "Bound",
            "Columns name",
            "Parsed",
            "Parameters [20, 25]",
            "NoData",
            "Closed",
            "Closed",
            "Ready I"
        ]
    );
}

#[tokio::test]
async fn after_an_error_everything_up_to_sync_is_skipped() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query("CREATE TABLE t (id int PRIMARY KEY)")]).await;
    let seen = raw
        .ask(&[
            parse("", "INSERT INTO t VALUES (1)"),
            bind("", "", &[]),
            execute("", 0),
            parse("", "SELECT * FROM missing"),
            bind("", "", &[]),
            execute("", 0),
            query("SELECT 1"),
            sync(),
        ])
        .await;
    assert_eq!(&seen[..3], ["Parsed", "Bound", "Complete INSERT 0 1"]);
    assert!(seen.len() == 5 && seen[3].starts_with("ERROR 42P01") && seen[4] == "Ready I", "{seen:?}");
    // The whole pipeline was one implicit transaction.
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 0");
}

#[tokio::test]
async fn a_pipeline_commits_at_sync() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query("CREATE TABLE t (id int PRIMARY KEY)")]).await;
    let mut messages = vec![parse("i", "INSERT INTO t VALUES ($1)")];
    for id in ["1", "2", "3"] {
        messages.extend([bind("", "i", &[id]), execute("", 0)]);
    }
    messages.push(sync());
    let seen = raw.ask(&messages).await;
    assert_eq!(seen.iter().filter(|line| *line == "Complete INSERT 0 1").count(), 3, "{seen:?}");
    assert_eq!(seen.last().unwrap(), "Ready I");
    let mut other = Raw::connect(server.address).await;
    assert_eq!(other.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 3");
}

#[tokio::test]
async fn flush_sends_what_there_is() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(&[parse("", "SELECT 5 AS five"), describe_statement(""), flush()].concat()).await;
    for wanted in ["ParseComplete", "ParameterDescription", "RowDescription"] {
        let message = format!("{:?}", raw.receive().await.unwrap());
        assert!(message.starts_with(wanted), "{message}");
    }
    assert_eq!(raw.ask(&[bind("", "", &[]), execute("", 0), sync()]).await, ["Bound", "Row 5", "Complete SELECT 1", "Ready I"]);
}

#[tokio::test]
async fn names_that_are_missing_or_taken() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    for (messages, wanted) in [
        (vec![bind("", "gone", &[])], "ERROR 26000 prepared statement \"gone\" does not exist"),
        (vec![execute("gone", 0)], "ERROR 34000 portal \"gone\" does not exist"),
        (vec![describe_portal("gone")], "ERROR 34000 portal \"gone\" does not exist"),
        (vec![parse("p", "SELECT 1"), parse("p", "SELECT 2")], "ERROR 42P05 prepared statement \"p\" already exists"),
        (vec![bind("c", "p", &[]), bind("c", "p", &[])], "ERROR 42P03 cursor \"c\" already exists"),
        (vec![parse("", "SELECT 1; SELECT 2")], "ERROR 42601 cannot insert multiple commands into a prepared statement"),
        (vec![bind("", "p", &["1"])], "ERROR 08P01 bind message supplies 1 parameters, but prepared statement \"p\" requires 0"),
        (vec![message(b'D', b"X\0")], "ERROR 08P01 invalid DESCRIBE message subtype 88"),
    ] {
        // `p` is a statement of the session and outlives each failed pipeline that made it.
        let seen = raw.ask(&[messages.concat(), sync()]).await;
        let error = seen.iter().find(|line| line.starts_with("ERROR")).map_or("no error", String::as_str);
        assert_eq!(error, wanted);
        assert_eq!(seen.last().unwrap(), "Ready I");
    }
}

#[tokio::test]
async fn an_empty_statement_can_be_prepared() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    let seen = raw.ask(&[parse("", ""), describe_statement(""), bind("", "", &[]), execute("", 0), sync()]).await;
    assert_eq!(seen, ["Parsed", "Parameters []", "NoData", "Bound", "Empty", "Ready I"]);
}

#[tokio::test]
async fn begin_and_commit_inside_a_pipeline() {
    let server = start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.ask(&[query("CREATE TABLE t (id int PRIMARY KEY)")]).await;
    let run = |text: &str| [parse("", text), bind("", "", &[]), execute("", 0)].concat();
    let seen = raw.ask(&[run("BEGIN"), run("INSERT INTO t VALUES (1)"), sync()]).await;
    assert_eq!(seen.last().unwrap(), "Ready T", "{seen:?}");
    let seen = raw.ask(&[run("COMMIT"), sync()]).await;
    assert_eq!(&seen[2..], ["Complete COMMIT", "Ready I"]);
    assert_eq!(raw.ask(&[query("SELECT count(*) FROM t")]).await[1], "Row 1");
}
