//! COPY's text, CSV and binary formats: bytes to columns, and columns to bytes.
//!
//! Y1: any way of cutting the input into chunks gives the same columns and the same error.
//! Y2: memory is bounded by one batch and one row, whatever the input's length.
//! Y3: the format is PostgreSQL 15's, byte for byte.
//! Never: knows a table's rows or a socket; transcodes (input is UTF-8).

mod binary;
mod csv;
mod lines;
mod options;
mod parser;
mod place;
mod rows;
mod text;
mod writer;

#[cfg(test)]
mod tests;

pub use options::{CopyColumns, CopyDirection, CopyFormat, CopyHeader, CopyOptions};
pub use parser::{CopyParser, CopySink};
pub use writer::CopyWriter;
