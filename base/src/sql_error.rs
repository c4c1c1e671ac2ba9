//! The one error that reaches a user: Postgres's fields, so that drivers read it as they always did.
//!
//! Never: built from a panic message; shown without an SQLSTATE.

use std::fmt;

/// Five characters from Postgres's appendix A (or the SQL standard), e.g. `42P01`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SqlState(pub &'static str);

/// The codes in use; names as in Postgres's `errcodes.txt`.
#[allow(missing_docs, reason = "the names are Postgres's own and say it all")]
impl SqlState {
    pub const CONNECTION_EXCEPTION: Self = Self("08000");
    pub const PROTOCOL_VIOLATION: Self = Self("08P01");
    pub const FEATURE_NOT_SUPPORTED: Self = Self("0A000");
    pub const SEQUENCE_GENERATOR_LIMIT_EXCEEDED: Self = Self("2200H");
    pub const CARDINALITY_VIOLATION: Self = Self("21000");
    pub const STRING_DATA_RIGHT_TRUNCATION: Self = Self("22001");
    pub const NUMERIC_VALUE_OUT_OF_RANGE: Self = Self("22003");
    pub const INVALID_DATETIME_FORMAT: Self = Self("22007");
    pub const DATETIME_FIELD_OVERFLOW: Self = Self("22008");
    pub const DIVISION_BY_ZERO: Self = Self("22012");
    pub const CHARACTER_NOT_IN_REPERTOIRE: Self = Self("22021");
    pub const INVALID_PARAMETER_VALUE: Self = Self("22023");
    pub const INVALID_TEXT_REPRESENTATION: Self = Self("22P02");
    pub const INVALID_BINARY_REPRESENTATION: Self = Self("22P03");
    pub const BAD_COPY_FILE_FORMAT: Self = Self("22P04");
    pub const NOT_NULL_VIOLATION: Self = Self("23502");
    pub const FOREIGN_KEY_VIOLATION: Self = Self("23503");
    pub const UNIQUE_VIOLATION: Self = Self("23505");
    pub const CHECK_VIOLATION: Self = Self("23514");
    pub const ACTIVE_SQL_TRANSACTION: Self = Self("25001");
    pub const NO_ACTIVE_SQL_TRANSACTION: Self = Self("25P01");
    pub const IN_FAILED_SQL_TRANSACTION: Self = Self("25P02");
    pub const IDLE_IN_TRANSACTION_SESSION_TIMEOUT: Self = Self("25P03");
    pub const READ_ONLY_SQL_TRANSACTION: Self = Self("25006");
    pub const INVALID_SQL_STATEMENT_NAME: Self = Self("26000");
    pub const INVALID_AUTHORIZATION: Self = Self("28000");
    pub const INVALID_PASSWORD: Self = Self("28P01");
    pub const DEPENDENT_OBJECTS_STILL_EXIST: Self = Self("2BP01");
    pub const INVALID_GRANT_OPERATION: Self = Self("0LP01");
    pub const INVALID_CURSOR_NAME: Self = Self("34000");
    pub const INVALID_SAVEPOINT_SPECIFICATION: Self = Self("3B001");
    pub const INVALID_CATALOG_NAME: Self = Self("3D000");
    pub const INVALID_SCHEMA_NAME: Self = Self("3F000");
    pub const DUPLICATE_DATABASE: Self = Self("42P04");
    pub const SERIALIZATION_FAILURE: Self = Self("40001");
    pub const DEADLOCK_DETECTED: Self = Self("40P01");
    pub const SYNTAX_ERROR: Self = Self("42601");
    pub const INSUFFICIENT_PRIVILEGE: Self = Self("42501");
    pub const GROUPING_ERROR: Self = Self("42803");
    pub const DATATYPE_MISMATCH: Self = Self("42804");
    pub const UNDEFINED_COLUMN: Self = Self("42703");
    pub const AMBIGUOUS_COLUMN: Self = Self("42702");
    pub const UNDEFINED_FUNCTION: Self = Self("42883");
    pub const GENERATED_ALWAYS: Self = Self("428C9");
    pub const INVALID_FOREIGN_KEY: Self = Self("42830");
    pub const DUPLICATE_OBJECT: Self = Self("42710");
    pub const UNDEFINED_OBJECT: Self = Self("42704");
    pub const UNDEFINED_TABLE: Self = Self("42P01");
    pub const UNDEFINED_PARAMETER: Self = Self("42P02");
    pub const DUPLICATE_SCHEMA: Self = Self("42P06");
    pub const DUPLICATE_TABLE: Self = Self("42P07");
    pub const DUPLICATE_COLUMN: Self = Self("42701");
    pub const AMBIGUOUS_PARAMETER: Self = Self("42P08");
    pub const DUPLICATE_PREPARED_STATEMENT: Self = Self("42P05");
    pub const INVALID_COLUMN_REFERENCE: Self = Self("42P10");
    pub const INVALID_TABLE_DEFINITION: Self = Self("42P16");
    pub const INDETERMINATE_DATATYPE: Self = Self("42P18");
    pub const RESERVED_NAME: Self = Self("42939");
    pub const WRONG_OBJECT_TYPE: Self = Self("42809");
    pub const DISK_FULL: Self = Self("53100");
    pub const CONFIGURATION_LIMIT_EXCEEDED: Self = Self("53400");
    pub const OUT_OF_MEMORY: Self = Self("53200");
    pub const TOO_MANY_CONNECTIONS: Self = Self("53300");
    pub const PROGRAM_LIMIT_EXCEEDED: Self = Self("54000");
    pub const STATEMENT_TOO_COMPLEX: Self = Self("54001");
    pub const OBJECT_NOT_IN_PREREQUISITE_STATE: Self = Self("55000");
    pub const OBJECT_IN_USE: Self = Self("55006");
    pub const CANT_CHANGE_RUNTIME_PARAM: Self = Self("55P02");
    pub const LOCK_NOT_AVAILABLE: Self = Self("55P03");
    pub const QUERY_CANCELED: Self = Self("57014");
    pub const ADMIN_SHUTDOWN: Self = Self("57P01");
    pub const CANNOT_CONNECT_NOW: Self = Self("57P03");
    pub const IO_ERROR: Self = Self("58030");
    pub const SNAPSHOT_TOO_OLD: Self = Self("72000");
    pub const INTERNAL_ERROR: Self = Self("XX000");
    pub const DATA_CORRUPTED: Self = Self("XX001");
}

/// What a user reads when a statement fails: message, and where known detail, hint, position and the object at fault.
///
/// Message style is Postgres's: lower-case start, no final full stop; detail and hint are sentences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SqlError(Box<Fields>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Fields {
    state: SqlState,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    position: Option<u32>,
    context: Option<String>,
    schema: Option<String>,
    table: Option<String>,
    column: Option<String>,
    constraint: Option<String>,
}

/// A result whose error can be sent to the client as it is.
pub type SqlResult<T> = Result<T, SqlError>;

impl SqlError {
    /// An error with its code and primary message.
    pub fn new(state: SqlState, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            state,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            constraint: None,
        }))
    }

    /// A defect of ours, never the user's: SQLSTATE XX000.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(SqlState::INTERNAL_ERROR, message)
    }

    /// Something the SQL standard or Postgres has and this version does not: SQLSTATE 0A000.
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    /// Adds the DETAIL line.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.0.detail = Some(text.into());
        self
    }

    /// Adds the HINT line.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.0.hint = Some(text.into());
        self
    }

    /// Points at a character of the statement, counted from 1 as Postgres does.
    #[must_use]
    pub fn at(mut self, position: u32) -> Self {
        self.0.position = Some(position);
        self
    }

    /// Says where in the work it happened, such as the line of a COPY: the CONTEXT line.
    #[must_use]
    pub fn context(mut self, text: impl Into<String>) -> Self {
        self.0.context = Some(text.into());
        self
    }

    /// Names the table at fault.
    #[must_use]
    pub fn table(mut self, schema: impl Into<String>, table: impl Into<String>) -> Self {
        self.0.schema = Some(schema.into());
        self.0.table = Some(table.into());
        self
    }

    /// Names the column at fault.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.0.column = Some(column.into());
        self
    }

    /// Names the constraint at fault.
    #[must_use]
    pub fn constraint(mut self, constraint: impl Into<String>) -> Self {
        self.0.constraint = Some(constraint.into());
        self
    }

    /// The SQLSTATE.
    pub fn state(&self) -> SqlState {
        self.0.state
    }

    /// The primary message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// DETAIL, CONTEXT, HINT, schema, table, column and constraint where set, each with Postgres's field letter.
    pub fn fields(&self) -> impl Iterator<Item = (u8, &str)> {
        let f = &self.0;
        [
            (b'D', &f.detail),
            (b'W', &f.context),
            (b'H', &f.hint),
            (b's', &f.schema),
            (b't', &f.table),
            (b'c', &f.column),
            (b'n', &f.constraint),
        ]
        .into_iter()
        .filter_map(|(letter, text)| text.as_deref().map(|text| (letter, text)))
    }

    /// Character of the statement the error points at, from 1.
    pub fn position(&self) -> Option<u32> {
        self.0.position
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.0.message, self.0.state.0)?;
        for (letter, label) in [(b'D', "DETAIL"), (b'H', "HINT"), (b'W', "CONTEXT")] {
            if let Some((_, text)) = self.fields().find(|(l, _)| *l == letter) {
                write!(f, "\n{label}:  {text}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for SqlError {}
