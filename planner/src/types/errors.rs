//! The errors that all value parsers share, in Postgres's words.
//!
//! Never: shortens or escapes the user's text; Postgres does not either.

use base::{SqlError, SqlState};

/// `invalid input syntax for type integer: "abc"` (22P02).
pub(super) fn invalid_syntax(type_name: &str, text: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {type_name}: \"{text}\""))
}

/// `value "99999999999" is out of range for type integer` (22003).
pub(super) fn value_out_of_range(type_name: &str, text: &str) -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {type_name}"))
}

/// `integer out of range` (22003): a cast's target cannot hold the value.
pub(super) fn out_of_range(type_name: &str) -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{type_name} out of range"))
}

/// A binary value of the wrong length or with impossible contents (22P03).
pub(super) fn invalid_binary(type_name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, format!("invalid binary representation of type {type_name}"))
}

/// Adds where an error happened.
pub(crate) fn with_context(error: SqlError, context: &str) -> SqlError {
    error.context(context)
}
