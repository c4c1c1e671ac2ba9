//! Errors and notices as the client sees them: Postgres's fields S V C M D H P W s t c n.
//!
//! E1: no field holds a NUL byte, whatever the statement or the data held.
//! Never: shows a panic's text or a Rust type to a client.

use base::SqlError;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};
use planner::SqlNotice;

use crate::backend::Output;

/// How bad it is; printed in S and V.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Severity {
    /// The statement failed, the session goes on.
    Error,
    /// The session ends.
    Fatal,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

/// Writes an ErrorResponse.
pub(crate) fn put_error(output: &mut Output, severity: Severity, error: &SqlError) {
    output.truncate();
    output.pgwire(&ErrorResponse::new(fields(severity.name(), error)));
}

/// Writes a NoticeResponse.
pub(crate) fn put_notice(output: &mut Output, notice: &SqlNotice) {
    let error = SqlError::new(notice.state, notice.message.as_str());
    output.pgwire(&NoticeResponse::new(fields(notice.severity, &error)));
}

fn fields(severity: &str, error: &SqlError) -> Vec<(u8, String)> {
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', error.state().0.to_owned()),
        (b'M', without_nul(error.message())),
    ];
    let text = |letters: &'static [u8]| error.fields().filter(move |(letter, _)| letters.contains(letter));
    fields.extend(text(b"DH").map(|(letter, value)| (letter, without_nul(value))));
    fields.extend(error.position().map(|position| (b'P', position.to_string())));
    fields.extend(text(b"W").map(|(letter, value)| (letter, without_nul(value))));
    fields.extend(text(b"stcn").map(|(letter, value)| (letter, without_nul(value))));
    fields
}

/// E1.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}
