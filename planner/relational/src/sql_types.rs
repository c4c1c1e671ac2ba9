//! Reads SQL type names into the Arrow types the rest of the server uses.
//!
//! Y1: a type that a column can have gets the layout a column of it has (µs timestamps, Utf8 text, Decimal128 numerics).

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, TimeUnit};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::{DataType as SqlType, ExactNumberInfo, TimezoneInfo};

use crate::position::folded_parts;

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
            Some("int8" | "oid") => DataType::Int64,
            Some("float4") => DataType::Float32,
            Some("float8") => DataType::Float64,
            Some("text" | "varchar" | "bpchar" | "name" | "char") => DataType::Utf8,
            Some("timestamptz") => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Some("bytea") => DataType::Binary,
            _ => {
                return Err(SqlError::new(
                    SqlState::UNDEFINED_OBJECT,
                    format!("type \"{}\" does not exist", sql_type.to_string().to_lowercase()),
                ));
            }
        },
        _ => return Ok(None),
    }))
}

fn numeric(digits: &ExactNumberInfo) -> SqlResult<DataType> {
    let (precision, scale) = match digits {
        ExactNumberInfo::None => (38, 10),
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let invalid = |message| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message);
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p @ 1..=DECIMAL128_MAX_PRECISION), Ok(s)) if (0..=p).contains(&s.unsigned_abs()) && s >= 0 => Ok(DataType::Decimal128(p, s)),
        (Ok(1..=DECIMAL128_MAX_PRECISION), _) => Err(invalid(format!("NUMERIC scale {scale} must be between 0 and precision {precision}"))),
        _ => Err(invalid(format!("NUMERIC precision {precision} must be between 1 and {DECIMAL128_MAX_PRECISION}"))),
    }
}
