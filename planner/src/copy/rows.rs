//! Turns one row's text into one value a column.
//!
//! R1: a row either adds one value to every column, or fails and the COPY with it.
//! Never: looks for line ends; holds more than one batch.

use super::lines::Row;
use super::options::{CopyFormat, CopyHeader, CopyOptions};
use super::place::{Place, bad_format};
use super::{csv, text};
use crate::types::{ColumnBuilder, invalid_utf8};
use arrow::array::ArrayRef;
use base::{SqlError, SqlResult};
use engine::SqlType;

/// The columns of the batch being filled.
pub(super) struct Rows {
    options: CopyOptions,
    table: String,
    names: Vec<String>,
    builders: Vec<ColumnBuilder>,
    /// Columns in which what stands for NULL is a value, and those in which it stands for it in quotes too.
    not_null: Vec<bool>,
    quoted_null: Vec<bool>,
    /// An unescaped value, kept for its memory.
    value: Vec<u8>,
}

/// A field: its value, `None` for NULL, and the bytes of the row that it takes.
struct Field<'a> {
    value: Option<&'a str>,
    raw: usize,
    quoted: bool,
}

impl Rows {
    pub(super) fn new(options: CopyOptions, table: &str, columns: Vec<(String, SqlType)>, capacity: usize) -> Self {
        let (names, types): (Vec<String>, Vec<_>) = columns.into_iter().unzip();
        let builders = types.into_iter().map(|sql_type| ColumnBuilder::in_manner(sql_type, capacity, options.reading)).collect();
        // `CopyOptions::check_columns` has seen that the names are there.
        let shown: Vec<&str> = names.iter().map(String::as_str).collect();
        let not_null = options.force_not_null.among(&shown, "FORCE_NOT_NULL").unwrap_or_default();
        let quoted_null = options.force_null.among(&shown, "FORCE_NULL").unwrap_or_default();
        Self { options, table: table.to_owned(), names, builders, not_null, quoted_null, value: Vec::new() }
    }

    pub(super) fn place(&self, line: u64) -> Place<'_> {
        Place { table: &self.table, line }
    }

    /// The columns so far; empties them.
    pub(super) fn finish(&mut self) -> Vec<ArrayRef> {
        self.builders.iter_mut().map(ColumnBuilder::finish).collect()
    }

    /// Adds the row `row`, whose text is `line`.
    pub(super) fn append(&mut self, row: &Row, line: &str) -> SqlResult<()> {
        if self.builders.is_empty() && line.is_empty() {
            return Ok(());
        }
        let appended = if row.plain { self.append_plain(row, line) } else { self.append_escaped(row, line) };
        appended.map_err(|error| self.prefer_form(error, row, line))
    }

    fn append_plain(&mut self, row: &Row, line: &str) -> SqlResult<()> {
        let Self { options, builders, names, table, not_null, .. } = self;
        let place = Place { table, line: row.line };
        let null = options.null.as_str();
        let mut rest = Some(line);
        for (at, builder) in builders.iter_mut().enumerate() {
            let Some(fields) = rest else { return Err(missing(place, &names[at], line)) };
            let field = match memchr::memchr(options.delimiter, fields.as_bytes()) {
                Some(end) => {
                    rest = Some(&fields[end + 1..]);
                    &fields[..end]
                }
                None => {
                    rest = None;
                    fields
                }
            };
            if field == null && !not_null[at] {
                builder.append_null();
            } else if let Err(error) = builder.append_clean(field) {
                return Err(place.with_value(error, &names[at], field));
            }
        }
        if rest.is_some() { Err(extra(place, line)) } else { Ok(()) }
    }

    fn append_escaped(&mut self, row: &Row, line: &str) -> SqlResult<()> {
        let Self { options, builders, names, table, not_null, quoted_null, value } = self;
        let place = Place { table, line: row.line };
        let mut rest = Some(line);
        for (at, builder) in builders.iter_mut().enumerate() {
            let Some(fields) = rest else { return Err(missing(place, &names[at], line)) };
            let field = read(options, fields, value).map_err(|error| place.with_line(error, line.as_bytes()))?;
            let value = match field.value {
                None if not_null[at] => Some(options.null.as_str()),
                Some(value) if field.quoted && quoted_null[at] && value == options.null => None,
                value => value,
            };
            match value {
                None => builder.append_null(),
                Some(value) => builder.append_clean(value).map_err(|error| place.with_value(error, &names[at], value))?,
            }
            rest = fields.get(field.raw + 1..);
        }
        if rest.is_some() { Err(extra(place, line)) } else { Ok(()) }
    }

    /// Postgres takes a row apart before it reads a field: what is wrong with its form comes before what is wrong with a value.
    fn prefer_form(&mut self, error: SqlError, row: &Row, line: &str) -> SqlError {
        let mut rest = Some(line);
        let mut fields_found = 0;
        while let Some(fields) = rest {
            match read(&self.options, fields, &mut self.value) {
                Ok(field) => rest = fields.get(field.raw + 1..),
                Err(wrong) => return self.place(row.line).with_line(wrong, line.as_bytes()),
            }
            fields_found += 1;
        }
        if fields_found > self.builders.len() { extra(self.place(row.line), line) } else { error }
    }

    /// Checks a header line against the column names, if the options ask for it.
    pub(super) fn check_header(&mut self, row: &Row, line: &str) -> SqlResult<()> {
        if self.options.header != CopyHeader::Match {
            return Ok(());
        }
        let Self { options, names, table, value, .. } = self;
        let place = Place { table, line: row.line };
        let fail = |error| place.with_line(error, line.as_bytes());
        let mut found = Vec::new();
        let mut rest = Some(line);
        while let Some(fields) = rest {
            let field = read(options, fields, value).map_err(fail)?;
            found.push(field.value.map(str::to_owned));
            rest = fields.get(field.raw + 1..);
        }
        if found.len() != names.len() {
            let message = format!("wrong number of fields in header line: got {}, expected {}", found.len(), names.len());
            return Err(fail(bad_format(message)));
        }
        for (at, (found, name)) in found.iter().zip(names).enumerate() {
            let got = match found {
                Some(found) if found == name => continue,
                Some(found) => format!("\"{found}\""),
                None => format!("null value (\"{}\")", options.null),
            };
            let message = format!("column name mismatch in header line field {}: got {got}, expected \"{name}\"", at + 1);
            return Err(fail(bad_format(message)));
        }
        Ok(())
    }
}

/// Reads the field that `fields` begins with; most need no copy.
fn read<'a>(options: &CopyOptions, fields: &'a str, value: &'a mut Vec<u8>) -> SqlResult<Field<'a>> {
    let bytes = fields.as_bytes();
    match options.format {
        CopyFormat::Text => {
            let raw = text::raw_field(bytes, options.delimiter);
            let field = &fields[..raw];
            if field == options.null {
                return Ok(Field { value: None, raw, quoted: false });
            }
            if memchr::memchr(b'\\', field.as_bytes()).is_none() {
                return Ok(Field { value: Some(field), raw, quoted: false });
            }
            text::unescape(field.as_bytes(), value);
            Ok(Field { value: Some(checked(value)?), raw, quoted: false })
        }
        CopyFormat::Binary => Err(SqlError::internal("Y3: a binary row is read as a line")),
        CopyFormat::Csv => {
            let CopyOptions { delimiter, quote, escape, .. } = *options;
            if let Some(inner) = csv::wholly_quoted(bytes, delimiter, quote, escape) {
                return Ok(Field { value: Some(&fields[1..=inner]), raw: inner + 2, quoted: true });
            }
            let field = csv::field(bytes, delimiter, quote, escape, value)?;
            let raw = field.raw;
            if !field.quoted {
                let unquoted = &fields[..raw];
                return Ok(Field { value: (unquoted != options.null).then_some(unquoted), raw, quoted: false });
            }
            Ok(Field { value: Some(checked(value)?), raw, quoted: true })
        }
    }
}

/// The unescaped value as text: octal and hex escapes can make anything of it.
fn checked(value: &[u8]) -> SqlResult<&str> {
    let text = str::from_utf8(value).map_err(|error| invalid_utf8(&value[error.valid_up_to()..]))?;
    match memchr::memchr(0, value) {
        Some(at) => Err(invalid_utf8(&value[at..])),
        None => Ok(text),
    }
}

fn missing(place: Place<'_>, column: &str, line: &str) -> SqlError {
    place.with_line(bad_format(format!("missing data for column \"{column}\"")), line.as_bytes())
}

fn extra(place: Place<'_>, line: &str) -> SqlError {
    place.with_line(bad_format("extra data after last expected column"), line.as_bytes())
}
