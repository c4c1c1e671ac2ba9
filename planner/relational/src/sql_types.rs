//! Reads SQL type names into the Arrow types the rest of the server uses.
//!
//! Y1: a type that a column can have gets the layout a column of it has (µs timestamps, Utf8 text, Decimal128 for a numeric that it has room for).

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, TimeUnit};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::{ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, TimezoneInfo};

use crate::layouts::{self, INTERVAL, TIME, UUID};
use crate::position::folded_parts;
use crate::values::numeric::Limit;

/// Answers for every type DataFusion would read otherwise; has no state.
#[derive(Debug)]
pub(crate) struct PostgresTypes;

impl TypePlanner for PostgresTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let data_type = arrow_of(sql_type).map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(data_type.map(|data_type| Arc::new(Field::new("", data_type, true))))
    }
}

/// The Arrow type, or `None` to leave the name to DataFusion's reader.
pub(crate) fn arrow_of(sql_type: &SqlType) -> SqlResult<Option<DataType>> {
    Ok(Some(match sql_type {
        SqlType::Varchar(_)
        | SqlType::CharVarying(_)
        | SqlType::CharacterVarying(_)
        | SqlType::Char(_)
        | SqlType::Character(_)
        | SqlType::Text
        | SqlType::String(_) => DataType::Utf8,
        SqlType::Timestamp(_, zone) => {
            let zone = matches!(zone, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone).then(|| "UTC".into());
            DataType::Timestamp(TimeUnit::Microsecond, zone)
        }
        SqlType::Uuid => UUID,
        SqlType::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => TIME,
        SqlType::Interval { .. } => INTERVAL,
        SqlType::JSON => layouts::json(),
        SqlType::JSONB => layouts::jsonb(),
        SqlType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element)) => {
            // An array of arrays is an array of more dimensions, which is the same type.
            match whole(element)? {
                Some(nested @ DataType::List(_)) => nested,
                Some(element) => layouts::array_of(element),
                None => return Ok(None),
            }
        }
        SqlType::Float(ExactNumberInfo::None) => DataType::Float64,
        SqlType::Float(ExactNumberInfo::Precision(bits)) => {
            if *bits <= 24 {
                DataType::Float32
            } else {
                DataType::Float64
            }
        }
        SqlType::Numeric(digits) | SqlType::Decimal(digits) | SqlType::Dec(digits) => numeric(digits)?,
        SqlType::Custom(name, _) => match folded_parts(name).last().map(String::as_str) {
            Some("bool") => DataType::Boolean,
            Some("int2") => DataType::Int16,
            Some("int4") => DataType::Int32,
            Some("int8") => DataType::Int64,
            Some("oid" | "xid" | "regclass" | "regtype" | "regproc" | "regprocedure" | "regrole" | "regnamespace") => DataType::UInt32,
            Some("int2vector") => layouts::vector_of(DataType::Int16),
            Some("oidvector") => layouts::vector_of(DataType::UInt32),
            Some("float4") => DataType::Float32,
            Some("float8") => DataType::Float64,
            Some("text" | "varchar" | "bpchar" | "name" | "char") => DataType::Utf8,
            Some("timestamptz") => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Some("bytea") => DataType::Binary,
            Some("uuid") => UUID,
            Some("time") => TIME,
            Some("interval") => INTERVAL,
            Some("json") => layouts::json(),
            Some("jsonb") => layouts::jsonb(),
            Some("date") => DataType::Date32,
            Some("timestamp") => DataType::Timestamp(TimeUnit::Microsecond, None),
            Some("numeric") => numeric(&ExactNumberInfo::None)?,
            Some(array) if array.starts_with('_') => match element_of(&array[1..]) {
                Some(element) => layouts::array_of(element),
                None => return Err(no_type(sql_type)),
            },
            _ => {
                return Err(no_type(sql_type));
            }
        },
        _ => return Ok(None),
    }))
}

fn no_type(sql_type: &SqlType) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", sql_type.to_string().to_lowercase()))
}

/// The Arrow type of any type there is, those that DataFusion reads as we would included.
pub(crate) fn whole(sql_type: &SqlType) -> SqlResult<Option<DataType>> {
    Ok(match sql_type {
        SqlType::Boolean | SqlType::Bool => Some(DataType::Boolean),
        SqlType::SmallInt(_) | SqlType::Int2(_) => Some(DataType::Int16),
        SqlType::Int(_) | SqlType::Integer(_) | SqlType::Int4(_) => Some(DataType::Int32),
        SqlType::BigInt(_) | SqlType::Int8(_) => Some(DataType::Int64),
        SqlType::Real | SqlType::Float4 => Some(DataType::Float32),
        SqlType::DoublePrecision | SqlType::Float8 | SqlType::Double(_) => Some(DataType::Float64),
        SqlType::Date => Some(DataType::Date32),
        SqlType::Bytea => Some(DataType::Binary),
        other => arrow_of(other)?,
    })
}

/// The type that `_name` is the array of.
fn element_of(name: &str) -> Option<DataType> {
    Some(match name {
        "bool" => DataType::Boolean,
        "int2" => DataType::Int16,
        "int4" => DataType::Int32,
        "int8" => DataType::Int64,
        "oid" | "xid" | "regclass" | "regtype" | "regproc" | "regprocedure" | "regrole" | "regnamespace" => DataType::UInt32,
        "float4" => DataType::Float32,
        "float8" => DataType::Float64,
        "text" | "varchar" | "bpchar" | "name" | "char" => DataType::Utf8,
        "date" => DataType::Date32,
        "time" => TIME,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "interval" => INTERVAL,
        "uuid" => UUID,
        "json" => layouts::json(),
        "jsonb" => layouts::jsonb(),
        "bytea" => DataType::Binary,
        "numeric" => numeric(&ExactNumberInfo::None).ok()?,
        _ => return None,
    })
}

/// A numeric that Arrow's decimals have no room for is one of any length; its limit is kept by the cast (`dialect::numbers`).
fn numeric(digits: &ExactNumberInfo) -> SqlResult<DataType> {
    Ok(match numeric_limit(digits)? {
        Some(Limit { precision, scale }) => match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(p @ ..=DECIMAL128_MAX_PRECISION), Ok(s)) if s >= 0 && s.unsigned_abs() <= p => DataType::Decimal128(p, s),
            _ => layouts::any_numeric(),
        },
        None => layouts::any_numeric(),
    })
}

/// Precision and scale, where they are given. Errors: 22023.
pub(crate) fn numeric_limit(digits: &ExactNumberInfo) -> SqlResult<Option<Limit>> {
    let (precision, scale) = match digits {
        ExactNumberInfo::None => return Ok(None),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let invalid = |message| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message);
    let given = u16::try_from(precision).ok().filter(|precision| (1..=1_000).contains(precision));
    let precision = given.ok_or_else(|| invalid(format!("NUMERIC precision {precision} must be between 1 and 1000")))?;
    let given = i16::try_from(scale).ok().filter(|scale| (-1_000..=1_000).contains(scale));
    let scale = given.ok_or_else(|| invalid(format!("NUMERIC scale {scale} must be between -1000 and 1000")))?;
    Ok(Some(Limit { precision, scale }))
}
