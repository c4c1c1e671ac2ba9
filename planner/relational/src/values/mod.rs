//! Values of numeric, uuid, time, interval, json, jsonb and arrays: their text, as PostgreSQL 15 reads and prints it.
//!
//! V1: what a type prints, it reads back to the same value.
//! Never: sees a plan.

pub mod array;
pub mod datetime;
pub mod interval;
pub mod json;
pub mod manner;
pub mod numeric;
pub(crate) mod pattern;
pub mod time;
pub mod uuid;
pub mod zone;

use base::{SqlError, SqlState};

/// `invalid input syntax for type uuid: "x"` (22P02).
pub(crate) fn invalid_syntax(type_name: &str, text: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type {type_name}: \"{text}\""))
}

/// `invalid input syntax for type interval: "x"` (22007).
pub(crate) fn invalid_moment(type_name: &str, text: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_DATETIME_FORMAT, format!("invalid input syntax for type {type_name}: \"{text}\""))
}
