//! Postgres's value formats: every SQL type's text and binary form, to and from Arrow columns.
//!
//! V1: what a type prints, it reads back to the same value.
//! V2: a value has the same bytes here as in PostgreSQL 15 in the session's `DateStyle`, `TimeZone`, `IntervalStyle` and `bytea_output`, and with
//!     `extra_float_digits = 1`.
//! V3: a column built or cast here has the layout `SqlType::arrow()`.
//! V4: a `character(n)` is kept without the blanks at its end and shown with them.
//! Never: knows a table, a statement, a socket or the canonical bytes that receipts commit to.
//!
//! Not held: `NaN` in a `numeric(p, s)` of up to 38 digits.

mod any_numeric;
mod arrays;
mod boolean;
mod builder;
mod bytea;
mod cast;
mod coerce;
pub(crate) mod documents;
mod encode;
mod errors;
mod floats;
mod integers;
mod numeric;
mod oids;
mod reading;
mod spans;
mod strings;

use relational::values::datetime;
pub(crate) use relational::values::datetime::names_clock;
pub use relational::values::manner::Manner;

/// The instant that a text means, µs since 1970-01-01 UTC. Errors: 22007, 22008.
pub(crate) fn parse_instant_us(text: &str, manner: &Manner) -> base::SqlResult<i64> {
    datetime::parse_timestamptz(text, manner)
}

#[cfg(test)]
mod tests;

pub use builder::{ColumnBuilder, parse_text, parse_text_in};
pub use coerce::{Assignment, assignable, canonical, coerce, mismatch};
pub use encode::{ColumnEncoder, Format, encode_binary, encode_text, text_of};

pub use reading::Reading;
pub(crate) use strings::invalid_utf8;
