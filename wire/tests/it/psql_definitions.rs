//! psql's backslash commands over constraints, indexes, sequences and views.
//!
//! `psql_definitions.txt` is what PostgreSQL 15 printed for the statements of `psql_definitions.sql`, run by a role and in a database of the same
//! names.

use crate::psql::shown;
use crate::server::start;

const STATEMENTS: &str = include_str!("psql_definitions.sql");
const PRINTED: &str = include_str!("psql_definitions.txt");

#[tokio::test]
async fn backslash_commands_describe_constraints_as_postgres_does() {
    let server = start().await;
    let client = server.connect().await;
    // One by one: several in one message would be one transaction.
    for statement in STATEMENTS.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        client.batch_execute(statement).await.unwrap();
    }
    for section in PRINTED.split("=== ").skip(1) {
        let (command, expected) = section.split_once('\n').unwrap();
        let Some(printed) = shown(&server, command).await else {
            eprintln!("skipped: psql is not installed");
            return;
        };
        assert_eq!(printed, expected, "{command}\n{printed}");
    }
}
