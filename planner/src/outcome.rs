//! What a statement answers: a command tag, rows, or a request for COPY data.
//!
//! Never: encodes anything for the wire.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use base::{SqlResult, SqlState};
use engine::SqlType;
use futures::stream::BoxStream;

use crate::copy_in::CopyIn;

/// One column of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Shown name; names may repeat.
    pub name: String,
    /// Type, with its modifier where known.
    pub sql_type: SqlType,
    /// Oid of the table it is a plain column of; 0 for anything computed.
    pub table_oid: u32,
    /// Position in that table, from 1; 0 for anything computed.
    pub column_attnum: i16,
    /// Oid of `record` or `record[]` where its values are the texts of such.
    pub record_oid: Option<u32>,
}

/// Oids of the types `record` and `record[]`.
pub(crate) const RECORDS: [u32; 2] = [2249, 2287];

impl Column {
    /// A computed column.
    pub fn computed(name: impl Into<String>, sql_type: SqlType) -> Self {
        Self { name: name.into(), sql_type, table_oid: 0, column_attnum: 0, record_oid: None }
    }

    /// Oid of the type that a client is told.
    pub fn type_oid(&self) -> u32 {
        self.record_oid.unwrap_or_else(|| self.sql_type.oid())
    }

    /// Computed columns of type text.
    pub(crate) fn texts(names: &[&str]) -> Arc<[Self]> {
        names.iter().map(|name| Self::computed(*name, SqlType::Text)).collect()
    }
}

/// The command tag of a finished statement; displays as Postgres's CommandComplete text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// `INSERT`, `CREATE TABLE`, `BEGIN`, …
    pub verb: &'static str,
    /// Rows affected or returned; `None` for commands that count nothing.
    pub rows: Option<u64>,
}

impl Tag {
    /// A command that counts nothing.
    pub const fn command(verb: &'static str) -> Self {
        Self { verb, rows: None }
    }

    /// A command that touched `rows` rows.
    pub const fn counted(verb: &'static str, rows: u64) -> Self {
        Self { verb, rows: Some(rows) }
    }

    /// The tag after `rows` rows of an [`Outcome::Rows`] with this `verb` were sent: SHOW and EXPLAIN count nothing.
    pub fn after_rows(verb: &'static str, rows: u64) -> Self {
        if matches!(verb, "SHOW" | "EXPLAIN") { Self::command(verb) } else { Self::counted(verb, rows) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verb, self.rows) {
            ("INSERT", Some(rows)) => write!(f, "INSERT 0 {rows}"),
            (verb, Some(rows)) => write!(f, "{verb} {rows}"),
            (verb, None) => f.write_str(verb),
        }
    }
}

/// The answer of one execution.
pub enum Outcome {
    /// An empty query string.
    Empty,
    /// Done, with its tag.
    Command(Tag),
    /// Rows to be streamed. A commit the statement needed (INSERT … RETURNING) is already durable, or is part of the open transaction.
    Rows {
        /// One entry a column of every batch.
        columns: Arc<[Column]>,
        /// Batches of at most 8,192 rows; ends after the first error, which fails an open transaction ([`crate::Session::fail`]).
        batches: BoxStream<'static, SqlResult<RecordBatch>>,
        /// The verb for [`Tag::after_rows`].
        tag: &'static str,
    },
    /// The client must send COPY data now, then [`crate::Session::finish_copy`] or [`crate::Session::abort_copy`].
    CopyIn(CopyIn),
    /// The client gets COPY data, a message a line.
    CopyOut {
        /// Columns a line.
        columns: usize,
        /// Whether the data is in the binary format.
        is_binary: bool,
        /// Encoded text, CSV or binary rows.
        pieces: BoxStream<'static, SqlResult<CopyPiece>>,
    },
}

/// Some encoded lines of a COPY TO STDOUT.
pub struct CopyPiece {
    /// The lines' bytes, each line ended.
    pub bytes: Vec<u8>,
    /// Where each line ends in `bytes`: clients read a row from each message, as Postgres sends them.
    pub ends: Vec<usize>,
    /// Table rows among them (a header line is none).
    pub rows: u64,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Command(tag) => write!(f, "Command({tag})"),
            Self::Rows { columns, tag, .. } => f.debug_struct("Rows").field("columns", columns).field("tag", tag).finish_non_exhaustive(),
            Self::CopyIn(copy) => write!(f, "CopyIn({} columns)", copy.column_count()),
            Self::CopyOut { columns, .. } => write!(f, "CopyOut({columns} columns)"),
        }
    }
}

/// Where a session's transaction stands; the byte of ReadyForQuery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionStatus {
    /// `I`: none open.
    Idle,
    /// `T`: a block is open.
    InTransaction,
    /// `E`: a block is open and only ROLLBACK or COMMIT will be heard.
    Failed,
}

impl TransactionStatus {
    /// The byte of ReadyForQuery.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InTransaction => b'T',
            Self::Failed => b'E',
        }
    }
}

/// Something worth telling the client beside the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// `NOTICE` or `WARNING`.
    pub severity: &'static str,
    /// As in an error; `00000` where there is none of its own.
    pub state: SqlState,
    /// Primary message.
    pub message: String,
}

/// Another name for [`Notice`], as the protocol's side calls it.
pub type SqlNotice = Notice;

impl Notice {
    /// A NOTICE.
    pub fn new(state: SqlState, message: impl Into<String>) -> Self {
        Self { severity: "NOTICE", state, message: message.into() }
    }

    /// A WARNING.
    pub fn warning(state: SqlState, message: impl Into<String>) -> Self {
        Self { severity: "WARNING", state, message: message.into() }
    }
}
