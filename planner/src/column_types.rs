//! Type names of the syntax tree to the types this version has.
//!
//! Never: guesses; a type that is not stored exactly is refused with its name.

use base::{SqlError, SqlResult, SqlState};
use engine::{CatalogType, SqlType};
use sqlparser::ast::{ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};

use crate::names;

/// The type a column or a cast names. Errors: 0A000 for types of Postgres this version lacks, 42704 for unknown names, 22023 for modifiers out of range.
pub(crate) fn resolve(data_type: &DataType) -> SqlResult<SqlType> {
    Ok(match data_type {
        DataType::Bool | DataType::Boolean => SqlType::Bool,
        DataType::SmallInt(None) | DataType::Int2(None) => SqlType::Int2,
        DataType::Int(None) | DataType::Integer(None) | DataType::Int4(None) => SqlType::Int4,
        DataType::BigInt(None) | DataType::Int8(None) => SqlType::Int8,
        DataType::Real | DataType::Float4 => SqlType::Float4,
        DataType::Float8 | DataType::DoublePrecision | DataType::Double(ExactNumberInfo::None) => SqlType::Float8,
        DataType::Float(info) => float(info)?,
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => numeric(info)?,
        DataType::Text => SqlType::Text,
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => varchar(length)?,
        DataType::Bytea => SqlType::Bytea,
        DataType::Date => SqlType::Date,
        DataType::Timestamp(precision, zone) => timestamp(*precision, *zone)?,
        DataType::Char(length) | DataType::Character(length) => bpchar(length)?,
        DataType::Time(None | Some(..=6), TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => SqlType::Time,
        DataType::Interval { fields: None, precision: None | Some(..=6) } => SqlType::Interval,
        DataType::Uuid => SqlType::Uuid,
        DataType::JSON => SqlType::Json,
        DataType::JSONB => SqlType::Jsonb,
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element)) => {
            let element = resolve(element)?;
            // int[][] is int[] in Postgres too.
            element.array().unwrap_or(element)
        }
        DataType::Custom(name, modifiers) if modifiers.is_empty() => return custom(&name.to_string(), name),
        other => return Err(lacking(&other.to_string().to_lowercase())),
    })
}

/// The type of a parameter: one that columns can have, or one of the catalog's own. Errors: as [`resolve`].
pub(crate) fn of_parameter(data_type: &DataType) -> SqlResult<SqlType> {
    let name = match data_type {
        DataType::Regclass => "regclass".to_owned(),
        DataType::Custom(name, modifiers) if modifiers.is_empty() => match name.0.as_slice() {
            [one] => one.as_ident().map(names::fold).unwrap_or_default(),
            [schema, one] if schema.as_ident().is_some_and(|schema| names::fold(schema) == "pg_catalog") => {
                one.as_ident().map(names::fold).unwrap_or_default()
            }
            _ => String::new(),
        },
        _ => String::new(),
    };
    match CatalogType::named(&name) {
        Some(known) => Ok(SqlType::Catalog(known)),
        None => resolve(data_type),
    }
}

/// Digits after the second that a column is declared to keep, where fewer than six.
pub(crate) fn precision(data_type: &DataType) -> Option<u8> {
    let (DataType::Timestamp(digits, _) | DataType::Time(digits, _) | DataType::Interval { precision: digits, .. }) = data_type else {
        return None;
    };
    u8::try_from((*digits)?).ok().filter(|digits| *digits < 6)
}

/// The type that a column that is there takes: serial is none. Errors: as [`resolve`].
pub(crate) fn resolve_plain(data_type: &DataType) -> SqlResult<SqlType> {
    match data_type {
        DataType::Custom(name, _) if names::simple(name).is_ok_and(|name| SERIAL.contains(&names::fold(name).as_str())) => {
            Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", name.to_string().to_lowercase())))
        }
        other => resolve(other),
    }
}

/// Names of types that are a column's default beside its type.
const SERIAL: [&str; 6] = ["serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"];

fn lacking(name: &str) -> SqlError {
    SqlError::unsupported(format!("type {name}"))
        .hint("Types of this version: boolean, smallint, integer, bigint, real, double precision, numeric(p,s), text, varchar(n), char(n), bytea, date, time, timestamp, timestamptz, interval, uuid, json, jsonb, and arrays of these.")
}

fn float(info: &ExactNumberInfo) -> SqlResult<SqlType> {
    match info {
        ExactNumberInfo::None | ExactNumberInfo::Precision(25..=53) => Ok(SqlType::Float8),
        ExactNumberInfo::Precision(1..=24) => Ok(SqlType::Float4),
        ExactNumberInfo::Precision(0) => Err(out_of_range("precision for type float must be at least 1 bit")),
        _ => Err(out_of_range("precision for type float must be less than 54 bits")),
    }
}

fn numeric(info: &ExactNumberInfo) -> SqlResult<SqlType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(SqlType::AnyNumeric(None)),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    if !(1..=1000).contains(&precision) {
        return Err(out_of_range(&format!("NUMERIC precision {precision} must be between 1 and 1000")));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(out_of_range(&format!("NUMERIC scale {scale} must be between -1000 and 1000")));
    }
    SqlType::numeric(precision as u16, scale as i16).ok_or_else(|| SqlError::internal("a numeric modifier in range has no type"))
}

fn varchar(length: &Option<CharacterLength>) -> SqlResult<SqlType> {
    match length {
        None => Ok(SqlType::Varchar(None)),
        Some(CharacterLength::IntegerLength { length: 0, .. }) => Err(out_of_range("length for type varchar must be at least 1")),
        Some(CharacterLength::IntegerLength { length, .. }) if *length <= 10_485_760 => Ok(SqlType::Varchar(Some(*length as u32))),
        Some(_) => Err(out_of_range("length for type varchar cannot exceed 10485760")),
    }
}

fn bpchar(length: &Option<CharacterLength>) -> SqlResult<SqlType> {
    match length {
        None => Ok(SqlType::Bpchar(Some(1))),
        Some(CharacterLength::IntegerLength { length: 0, .. }) => Err(out_of_range("length for type char must be at least 1")),
        Some(CharacterLength::IntegerLength { length, .. }) if *length <= 10_485_760 => Ok(SqlType::Bpchar(Some(*length as u32))),
        Some(_) => Err(out_of_range("length for type char cannot exceed 10485760")),
    }
}

fn timestamp(precision: Option<u64>, zone: TimezoneInfo) -> SqlResult<SqlType> {
    if !matches!(precision, None | Some(..=6)) {
        return Err(SqlError::unsupported("a timestamp precision greater than 6"));
    }
    Ok(match zone {
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => SqlType::Timestamp,
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => SqlType::Timestamptz,
    })
}

fn custom(shown: &str, name: &sqlparser::ast::ObjectName) -> SqlResult<SqlType> {
    let folded = names::simple(name).map(names::fold).unwrap_or_else(|_| shown.to_lowercase());
    let qualified = folded.strip_prefix("pg_catalog.").map(|own| own.trim_matches('"'));
    if let Some(known) = qualified.and_then(element_named) {
        return Ok(known);
    }
    match folded.as_str() {
        serial if SERIAL.contains(&serial) => Err(SqlError::unsupported(format!("type {folded}"))
            .hint("Declare the column as integer or bigint and give its values with the rows.")),
        "bool" => Ok(SqlType::Bool),
        "bpchar" => Ok(SqlType::Bpchar(None)),
        "timetz" => Err(lacking("time with time zone")),
        array if array.starts_with('_') && element_named(&array[1..]).is_some() => {
            element_named(&array[1..]).and_then(SqlType::array).ok_or_else(|| SqlError::internal(format!("no arrays of {array}")))
        }
        "name" | "money" | "inet" | "cidr" | "macaddr" | "xml" | "oid" | "citext" | "hstore" => Err(lacking(&folded)),
        _ => Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{folded}\" does not exist"))),
    }
}

/// The type that `_name` is the array of, in Postgres's own names.
fn element_named(name: &str) -> Option<SqlType> {
    Some(match name {
        "bool" => SqlType::Bool,
        "int2" => SqlType::Int2,
        "int4" => SqlType::Int4,
        "int8" => SqlType::Int8,
        "float4" => SqlType::Float4,
        "float8" => SqlType::Float8,
        "numeric" => SqlType::AnyNumeric(None),
        "text" => SqlType::Text,
        "varchar" => SqlType::Varchar(None),
        "bpchar" => SqlType::Bpchar(None),
        "bytea" => SqlType::Bytea,
        "date" => SqlType::Date,
        "time" => SqlType::Time,
        "timestamp" => SqlType::Timestamp,
        "timestamptz" => SqlType::Timestamptz,
        "interval" => SqlType::Interval,
        "uuid" => SqlType::Uuid,
        "json" => SqlType::Json,
        "jsonb" => SqlType::Jsonb,
        _ => return None,
    })
}

fn out_of_range(message: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}
