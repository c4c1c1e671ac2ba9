//! Where in the input an error is, in the words of Postgres's CONTEXT line.
//!
//! Never: shows more than 100 bytes of the user's data.

use base::{SqlError, SqlState};

/// Bytes of data shown.
const SHOWN_BYTES_MAX: usize = 100;

/// A line of the input of a COPY.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The table's name as the user wrote it.
    pub(super) table: &'a str,
    /// From 1; the last line of a row that spans several.
    pub(super) line: u64,
}

impl Place<'_> {
    /// `COPY t, line 3`
    pub(super) fn alone(self, error: SqlError) -> SqlError {
        error.context(format!("COPY {}, line {}", self.table, self.line))
    }

    /// `COPY t, line 3: "the line"`
    pub(super) fn with_line(self, error: SqlError, line: &[u8]) -> SqlError {
        error.context(format!("COPY {}, line {}: \"{}\"", self.table, self.line, shown(line)))
    }

    /// `COPY t, line 3, column x`
    pub(super) fn with_column(self, error: SqlError, column: &str) -> SqlError {
        error.context(format!("COPY {}, line {}, column {column}", self.table, self.line))
    }

    /// `COPY t, line 3, column x: "value"`
    pub(super) fn with_value(self, error: SqlError, column: &str, value: &str) -> SqlError {
        let value = shown(value.as_bytes());
        error.context(format!("COPY {}, line {}, column {column}: \"{value}\"", self.table, self.line))
    }
}

/// The data's beginning, whole characters only, with `...` if there is more.
fn shown(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN_BYTES_MAX {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut end = SHOWN_BYTES_MAX;
    while end > 0 && bytes[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    String::from_utf8_lossy(&bytes[..end]).into_owned() + "..."
}

/// An error in the input's form (22P04).
pub(super) fn bad_format(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::BAD_COPY_FILE_FORMAT, message)
}
