//! COPY's options: Postgres's names, defaults, checks and error texts.
//!
//! O1: an option given twice is an error.
//! Never: knows the statement's syntax; it gets names and values.

use crate::types::Reading;
use base::{SqlError, SqlResult, SqlState};

/// How rows are written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyFormat {
    /// One line a row, backslash escapes.
    Text,
    /// Quoted fields.
    Csv,
    /// Lengths and binary values.
    Binary,
}

/// What the first line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyHeader {
    /// A row like any other.
    No,
    /// Column names: skipped on the way in, written on the way out.
    Yes,
    /// Column names that must be those of the columns, in order.
    Match,
}

/// Which way the data goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CopyDirection {
    /// Into a table.
    From,
    /// Out of a table or query.
    To,
}

/// All that shapes the bytes of a COPY.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyOptions {
    /// Text or CSV.
    pub format: CopyFormat,
    /// One byte between fields.
    pub delimiter: u8,
    /// What stands for NULL when unquoted.
    pub null: String,
    /// What the first line is.
    pub header: CopyHeader,
    /// CSV: the byte around quoted fields.
    pub quote: u8,
    /// CSV: the byte before a quote or itself inside quotes.
    pub escape: u8,
    /// CSV out: columns whose values are always quoted.
    pub force_quote: CopyColumns,
    /// CSV in: columns in which what stands for NULL is a value.
    pub force_not_null: CopyColumns,
    /// CSV in: columns in which what stands for NULL does so in quotes too.
    pub force_null: CopyColumns,
    /// How the session reads and writes values.
    pub reading: Reading,
}

/// Some of the columns of a COPY.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum CopyColumns {
    /// None of them.
    #[default]
    None,
    /// `*`
    All,
    /// Those of these names.
    Named(Vec<String>),
}

impl CopyColumns {
    fn of(list: &str) -> Self {
        match list {
            "*" => Self::All,
            list => Self::Named(list.split(',').map(str::to_owned).collect()),
        }
    }

    /// Whether each of the columns is among them. Errors: 42P10 for a name that is not one of theirs.
    pub(super) fn among(&self, columns: &[&str], option: &str) -> SqlResult<Vec<bool>> {
        match self {
            Self::None => Ok(vec![false; columns.len()]),
            Self::All => Ok(vec![true; columns.len()]),
            Self::Named(names) => {
                if let Some(unknown) = names.iter().find(|name| !columns.contains(&name.as_str())) {
                    let message = format!("{option} column \"{unknown}\" not referenced by COPY");
                    return Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message));
                }
                Ok(columns.iter().map(|column| names.iter().any(|name| name == column)).collect())
            }
        }
    }
}

#[derive(Default)]
struct Given<'a> {
    format: Option<&'a str>,
    delimiter: Option<&'a str>,
    null: Option<&'a str>,
    header: Option<CopyHeader>,
    quote: Option<&'a str>,
    escape: Option<&'a str>,
    encoding: Option<&'a str>,
    force_quote: Option<&'a str>,
    force_not_null: Option<&'a str>,
    force_null: Option<&'a str>,
    freeze: Option<()>,
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn unsupported(message: &str) -> SqlError {
    SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
}

fn syntax(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, message)
}

impl CopyOptions {
    /// The text format's defaults: tab, `\N`, no header.
    pub fn text() -> Self {
        Self::plain(CopyFormat::Text, b'\t', "\\N")
    }

    /// The CSV format's defaults: comma, empty NULL, no header, `"` as quote and escape.
    pub fn csv() -> Self {
        Self::plain(CopyFormat::Csv, b',', "")
    }

    /// The binary format, which has no options.
    pub fn binary() -> Self {
        Self::plain(CopyFormat::Binary, b'\t', "\\N")
    }

    fn plain(format: CopyFormat, delimiter: u8, null: &str) -> Self {
        Self {
            format,
            delimiter,
            null: null.to_owned(),
            header: CopyHeader::No,
            quote: b'"',
            escape: b'"',
            force_quote: CopyColumns::None,
            force_not_null: CopyColumns::None,
            force_null: CopyColumns::None,
            reading: Reading::default(),
        }
    }

    /// Options by name (any case) and value; without a value an option is on.
    ///
    /// # Errors
    /// 42601 unknown or repeated option; 22023 and 0A000 for values Postgres refuses and for encodings other than UTF-8.
    pub fn from_list(direction: CopyDirection, options: &[(&str, Option<&str>)]) -> SqlResult<Self> {
        let mut given = Given::default();
        for (name, value) in options {
            given.take(&name.to_ascii_lowercase(), *value, direction)?;
        }
        given.build(direction)
    }

    /// Errors: 42P10 if a FORCE_ option names a column that is not among these.
    pub fn check_columns(&self, columns: &[&str]) -> SqlResult<()> {
        self.force_quote.among(columns, "FORCE_QUOTE")?;
        self.force_not_null.among(columns, "FORCE_NOT_NULL")?;
        self.force_null.among(columns, "FORCE_NULL")?;
        Ok(())
    }

    fn check(&self) -> SqlResult<()> {
        let csv = self.format == CopyFormat::Csv;
        if matches!(self.delimiter, b'\n' | b'\r') {
            return Err(invalid("COPY delimiter cannot be newline or carriage return"));
        }
        if self.null.contains(['\n', '\r']) {
            return Err(invalid("COPY null representation cannot use newline or carriage return"));
        }
        // A letter, digit, backslash or point would be taken for part of an escape or of the end marker.
        if !csv && b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&self.delimiter) {
            return Err(invalid(format!("COPY delimiter cannot be \"{}\"", char::from(self.delimiter))));
        }
        if csv && self.delimiter == self.quote {
            return Err(invalid("COPY delimiter and quote must be different"));
        }
        if self.null.as_bytes().contains(&self.delimiter) {
            return Err(unsupported("COPY delimiter must not appear in the NULL specification"));
        }
        if csv && self.null.as_bytes().contains(&self.quote) {
            return Err(unsupported("CSV quote character must not appear in the NULL specification"));
        }
        Ok(())
    }
}

impl<'a> Given<'a> {
    fn take(&mut self, name: &str, value: Option<&'a str>, direction: CopyDirection) -> SqlResult<()> {
        let text = || value.ok_or_else(|| syntax(format!("{name} requires a parameter")));
        let repeated = match name {
            "format" => self.format.replace(text()?).is_some(),
            "delimiter" => self.delimiter.replace(text()?).is_some(),
            "null" => self.null.replace(text()?).is_some(),
            "quote" => self.quote.replace(text()?).is_some(),
            "escape" => self.escape.replace(text()?).is_some(),
            "encoding" => self.encoding.replace(text()?).is_some(),
            "header" => self.header.replace(header(value, direction)?).is_some(),
            "freeze" => {
                boolean(value).ok_or_else(|| syntax("freeze requires a Boolean value"))?;
                self.freeze.replace(()).is_some()
            }
            "force_quote" | "force_not_null" | "force_null" => {
                let list = || syntax(format!("argument to option \"{name}\" must be a list of column names"));
                let columns = value.filter(|value| name == "force_quote" || *value != "*").ok_or_else(list)?;
                let slot = match name {
                    "force_quote" => &mut self.force_quote,
                    "force_null" => &mut self.force_null,
                    _ => &mut self.force_not_null,
                };
                slot.replace(columns).is_some()
            }
            _ => return Err(syntax(format!("option \"{name}\" not recognized"))),
        };
        if repeated { Err(syntax("conflicting or redundant options")) } else { Ok(()) }
    }

    fn build(self, direction: CopyDirection) -> SqlResult<CopyOptions> {
        let mut options = match self.format {
            None | Some("text") => CopyOptions::text(),
            Some("csv") => CopyOptions::csv(),
            Some("binary") => return self.build_binary(),
            Some(other) => return Err(invalid(format!("COPY format \"{other}\" not recognized"))),
        };
        if let Some(encoding) = self.encoding {
            utf8(encoding)?;
        }
        if let Some(delimiter) = self.delimiter {
            options.delimiter = one_byte(delimiter, "delimiter")?;
        }
        if let Some(null) = self.null {
            options.null = null.to_owned();
        }
        let csv = options.format == CopyFormat::Csv;
        if let Some(quote) = self.quote {
            if !csv {
                return Err(unsupported("COPY quote available only in CSV mode"));
            }
            options.quote = one_byte(quote, "quote")?;
            options.escape = options.quote;
        }
        if let Some(escape) = self.escape {
            if !csv {
                return Err(unsupported("COPY escape available only in CSV mode"));
            }
            options.escape = one_byte(escape, "escape")?;
        }
        options.header = self.header.unwrap_or(CopyHeader::No);
        options.force_quote = forced(self.force_quote, "force quote", csv, direction, CopyDirection::To)?;
        options.force_not_null = forced(self.force_not_null, "force not null", csv, direction, CopyDirection::From)?;
        options.force_null = forced(self.force_null, "force null", csv, direction, CopyDirection::From)?;
        options.check()?;
        Ok(options)
    }

    fn build_binary(self) -> SqlResult<CopyOptions> {
        if self.delimiter.is_some() {
            return Err(syntax("cannot specify DELIMITER in BINARY mode"));
        }
        if self.null.is_some() {
            return Err(syntax("cannot specify NULL in BINARY mode"));
        }
        if self.header.is_some_and(|header| header != CopyHeader::No) {
            return Err(unsupported("cannot specify HEADER in BINARY mode"));
        }
        for (given, what) in [(self.quote.is_some(), "quote"), (self.escape.is_some(), "escape")] {
            if given {
                return Err(unsupported(&format!("COPY {what} available only in CSV mode")));
            }
        }
        let forced = [(self.force_quote, "force quote"), (self.force_not_null, "force not null"), (self.force_null, "force null")];
        if let Some((_, what)) = forced.iter().find(|(given, _)| given.is_some()) {
            return Err(unsupported(&format!("COPY {what} available only in CSV mode")));
        }
        Ok(CopyOptions::binary())
    }
}

fn forced(given: Option<&str>, what: &str, csv: bool, direction: CopyDirection, only: CopyDirection) -> SqlResult<CopyColumns> {
    let Some(list) = given else { return Ok(CopyColumns::None) };
    if !csv {
        return Err(unsupported(&format!("COPY {what} available only in CSV mode")));
    }
    if direction != only {
        let way = if only == CopyDirection::To { "TO" } else { "FROM" };
        return Err(unsupported(&format!("COPY {what} only available using COPY {way}")));
    }
    Ok(CopyColumns::of(list))
}

fn one_byte(value: &str, what: &str) -> SqlResult<u8> {
    match value.as_bytes() {
        // A byte of a longer character would cut characters apart.
        [byte] => Ok(*byte),
        _ => Err(unsupported(&format!("COPY {what} must be a single one-byte character"))),
    }
}

fn utf8(encoding: &str) -> SqlResult<()> {
    let plain: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "utf8" | "unicode" => Ok(()),
        _ => Err(SqlError::unsupported(format_args!("COPY encoding \"{encoding}\"")).hint("Convert the data to UTF-8.")),
    }
}

fn boolean(value: Option<&str>) -> Option<bool> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("true" | "on" | "1") => Some(true),
        Some("false" | "off" | "0") => Some(false),
        Some(_) => None,
    }
}

fn header(value: Option<&str>, direction: CopyDirection) -> SqlResult<CopyHeader> {
    match boolean(value) {
        Some(true) => Ok(CopyHeader::Yes),
        Some(false) => Ok(CopyHeader::No),
        None if value.is_some_and(|value| value.eq_ignore_ascii_case("match")) => match direction {
            CopyDirection::From => Ok(CopyHeader::Match),
            CopyDirection::To => Err(invalid("cannot use \"match\" with HEADER in COPY TO")),
        },
        None => Err(syntax("header requires a Boolean value or \"match\"")),
    }
}
