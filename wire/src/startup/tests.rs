//! What a client may say first, and what it is told.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn options_are_read_as_postgres_reads_them() {
    let read = |text: &str| command_line(text).map_err(|error| error.state());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(read("-c a=1 --statement-timeout=5  -cb=x\\ y"), Ok(vec![pair("a", "1"), pair("statement_timeout", "5"), pair("b", "x y")]));
    assert_eq!(read(""), Ok(vec![]));
    assert_eq!(read("-F"), Err(SqlState::SYNTAX_ERROR));
    assert_eq!(read("-c"), Err(SqlState::SYNTAX_ERROR));
}
