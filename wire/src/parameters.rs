//! Bind's parameters and format codes, turned into one-row arrays and formats.
//!
//! Never: knows a type's syntax; `planner::types` reads every value.

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use planner::types::{ColumnBuilder, Format, Reading};

use crate::frontend::Bind;

/// The formats of a result's columns.
#[derive(Clone, Debug)]
pub(crate) enum Formats {
    /// One for all.
    All(Format),
    /// One a column.
    Each(Box<[Format]>),
}

impl Formats {
    pub fn of(&self, column: usize) -> Format {
        match self {
            Self::All(format) => *format,
            Self::Each(formats) => formats.get(column).copied().unwrap_or(Format::Text),
        }
    }
}

fn violation(message: String) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, message)
}

fn format(code: i16) -> SqlResult<Format> {
    match code {
        0 => Ok(Format::Text),
        1 => Ok(Format::Binary),
        other => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unsupported format code: {other}"))),
    }
}

/// The result formats of a Bind for a query with `columns` columns.
pub(crate) fn result_formats(codes: &[i16], columns: usize) -> SqlResult<Formats> {
    match codes {
        [] => Ok(Formats::All(Format::Text)),
        [one] => format(*one).map(Formats::All),
        each if each.len() == columns => each.iter().map(|code| format(*code)).collect::<SqlResult<_>>().map(Formats::Each),
        other => Err(violation(format!("bind message has {} result formats but query has {columns} columns", other.len()))),
    }
}

/// The parameters of a Bind as one-row arrays of the statement's `types`.
pub(crate) fn decode(bind: &Bind<'_>, types: &[SqlType], reading: Reading) -> SqlResult<Vec<ArrayRef>> {
    let (given, codes) = (bind.parameters.len(), &bind.parameter_formats);
    if given != types.len() {
        let needs = types.len();
        return Err(violation(format!(
            "bind message supplies {given} parameters, but prepared statement \"{}\" requires {needs}",
            bind.statement
        )));
    }
    if codes.len() > 1 && codes.len() != given {
        return Err(violation(format!("bind message has {} parameter formats but {given} parameters", codes.len())));
    }
    let mut arrays = Vec::with_capacity(given);
    for (index, (value, sql_type)) in bind.parameters.iter().zip(types).enumerate() {
        let code = codes.get(index).or(codes.first()).copied().unwrap_or(0);
        let mut builder = ColumnBuilder::in_manner(*sql_type, 1, reading);
        match (value, format(code)?) {
            (None, _) => builder.append_null(),
            (Some(bytes), Format::Text) => builder.append_text(bytes)?,
            (Some(bytes), Format::Binary) => builder.append_binary(bytes)?,
        }
        arrays.push(builder.finish());
    }
    Ok(arrays)
}

/// The types a Parse message names; `None` where it leaves the choice to the server (oid 0, and 705 «unknown»).
pub(crate) fn declared_types(oids: &[u32]) -> SqlResult<Vec<Option<SqlType>>> {
    const UNKNOWN: u32 = 705;
    const NAME: u32 = 19;
    const BPCHAR: u32 = 1042;
    oids.iter()
        .map(|oid| match *oid {
            0 | UNKNOWN => Ok(None),
            NAME => Ok(Some(SqlType::Text)),
            BPCHAR => Ok(Some(SqlType::Varchar(None))),
            oid => match SqlType::from_oid(oid) {
                Some(sql_type) => Ok(Some(sql_type)),
                None => Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type with OID {oid} is not supported for parameters"))
                    .hint("Leave the parameter's type unspecified (OID 0), or cast it in the statement.")),
            },
        })
        .collect()
}
