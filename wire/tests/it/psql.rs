//! The real psql against the server.

use std::process::{Command, Stdio};

use crate::server::{TestServer, start};

/// psql's standard output and standard error for a script; `None` if psql is not installed.
async fn psql(server: &TestServer, script: &str) -> Option<(String, String)> {
    let port = server.address.port().to_string();
    let script = script.to_owned();
    let run = move || {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", &port, "-U", "shockwave", "-d", "shockwave"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
        std::io::Write::write_all(&mut child.stdin.take()?, script.as_bytes()).ok()?;
        child.wait_with_output().ok()
    };
    let Some(output) = tokio::task::spawn_blocking(run).await.unwrap() else {
        eprintln!("skipped: psql is not installed");
        return None;
    };
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[tokio::test]
async fn a_session_of_a_user() {
    let server = start().await;
    let script = "\
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL);
COPY people FROM STDIN WITH (FORMAT csv);
1,Ada
2,\"Grace, Admiral\"
\\.
UPDATE people SET name = 'Ada Lovelace' WHERE id = 1;
SELECT id, name FROM people ORDER BY id;
SELEC 1;
SELECT count(*) FROM people;
";
    let Some((out, err)) = psql(&server, script).await else { return };
    assert_eq!(out, "1|Ada Lovelace\n2|Grace, Admiral\n2\n", "{err}");
    assert!(err.contains("syntax error at or near \"SELEC\"") && err.contains("LINE 1: SELEC 1;") && err.contains('^'), "{err}");
}

#[tokio::test]
async fn prepared_statements_and_errors_in_a_block() {
    let server = start().await;
    let script = "\
CREATE TABLE t (id int PRIMARY KEY);
BEGIN;
INSERT INTO t VALUES (1);
SELECT * FROM missing;
INSERT INTO t VALUES (2);
ROLLBACK;
SELECT count(*) FROM t;
";
    let Some((out, err)) = psql(&server, script).await else { return };
    assert_eq!(out, "0\n");
    assert!(err.contains("relation \"missing\" does not exist") && err.contains("current transaction is aborted"), "{err}");
}
