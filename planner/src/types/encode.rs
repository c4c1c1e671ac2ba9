//! Prints columns in Postgres's text and binary formats.
//!
//! E1: a value is shorter than 2 GiB in either format, what a message's length field holds.
//! Never: allocates for a value; changes what is already in the output.

use super::arrays::ArrayEncoder;
use super::oids::Oids;
use super::{Manner, any_numeric, boolean, bytea, canonical, documents, floats, integers, numeric, spans, strings};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float32Array, Float64Array,
    Int16Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType,
};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use relational::values::numeric::wire;
use relational::values::{datetime, time, uuid};

/// The two formats of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// What a person reads; code 0.
    Text,
    /// Big-endian binary; code 1.
    Binary,
}

impl Format {
    /// The format of a protocol code; 22023 for an unknown one.
    pub fn from_code(code: i16) -> SqlResult<Self> {
        match code {
            0 => Ok(Self::Text),
            1 => Ok(Self::Binary),
            _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unsupported format code: {code}"))),
        }
    }

    /// The protocol's code.
    pub const fn code(self) -> i16 {
        match self {
            Self::Text => 0,
            Self::Binary => 1,
        }
    }
}

/// Prints the values of one column of one batch.
pub struct ColumnEncoder {
    values: Values,
    format: Format,
    manner: Manner,
}

enum Values {
    Bool(BooleanArray),
    Int2(Int16Array),
    Int4(Int32Array),
    Int8(Int64Array),
    Float4(Float32Array),
    Float8(Float64Array),
    Numeric(Decimal128Array, u8),
    /// Each in the form of `relational::values::numeric::bytes`.
    AnyNumeric(BinaryArray),
    Text(StringArray),
    Bytea(BinaryArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
    Timestamptz(TimestampMicrosecondArray),
    /// Blanks to a length.
    Bpchar(StringArray, Option<u32>),
    Time(Time64MicrosecondArray),
    Interval(IntervalMonthDayNanoArray),
    Uuid(FixedSizeBinaryArray),
    Json(StringArray),
    Jsonb(StringArray),
    Array(Box<ArrayEncoder>),
    Oid(Oids),
}

macro_rules! every_array {
    ($values:expr, $array:ident => $body:expr) => {
        match $values {
            Values::Bool($array) => $body,
            Values::Int2($array) => $body,
            Values::Int4($array) => $body,
            Values::Int8($array) => $body,
            Values::Float4($array) => $body,
            Values::Float8($array) => $body,
            Values::Numeric($array, _) => $body,
            Values::Text($array) => $body,
            Values::Bytea($array) | Values::AnyNumeric($array) => $body,
            Values::Date($array) => $body,
            Values::Timestamp($array) | Values::Timestamptz($array) => $body,
            Values::Bpchar($array, _) | Values::Json($array) | Values::Jsonb($array) => $body,
            Values::Time($array) => $body,
            Values::Interval($array) => $body,
            Values::Uuid($array) => $body,
            Values::Array($array) => $body,
            Values::Oid($array) => $body,
        }
    };
}

impl ColumnEncoder {
    /// Prepares a column, shown as `sql_type`; any layout that can be laid out anew as `sql_type.arrow()` will do.
    pub fn new(array: &ArrayRef, sql_type: SqlType, format: Format) -> SqlResult<Self> {
        Self::in_manner(array, sql_type, format, Manner::default())
    }

    /// [`ColumnEncoder::new`] in a session's manner.
    pub fn in_manner(array: &ArrayRef, sql_type: SqlType, format: Format, manner: Manner) -> SqlResult<Self> {
        if let SqlType::Catalog(known) = sql_type
            && known.is_named()
        {
            match (array.as_string_opt::<i32>(), Oids::shown(array)) {
                (Some(names), _) => return Ok(Self { values: Values::Text(names.clone()), format, manner }),
                (None, Some(oids)) => return Ok(Self { values: Values::Oid(oids), format, manner }),
                (None, None) => {}
            }
        }
        let array = canonical(array, sql_type)?;
        let values = match sql_type {
            SqlType::Bool => Values::Bool(array.as_boolean().clone()),
            SqlType::Int2 => Values::Int2(array.as_primitive::<Int16Type>().clone()),
            SqlType::Int4 => Values::Int4(array.as_primitive::<Int32Type>().clone()),
            SqlType::Int8 => Values::Int8(array.as_primitive::<Int64Type>().clone()),
            SqlType::Float4 => Values::Float4(array.as_primitive::<Float32Type>().clone()),
            SqlType::Float8 => Values::Float8(array.as_primitive::<Float64Type>().clone()),
            SqlType::Numeric { scale, .. } => Values::Numeric(array.as_primitive::<Decimal128Type>().clone(), scale),
            SqlType::AnyNumeric(_) => Values::AnyNumeric(any_numeric::checked(&array)?),
            SqlType::Text | SqlType::Varchar(_) => Values::Text(array.as_string::<i32>().clone()),
            SqlType::Bytea => Values::Bytea(array.as_binary::<i32>().clone()),
            SqlType::Date => Values::Date(array.as_primitive::<Date32Type>().clone()),
            SqlType::Timestamp => Values::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone()),
            SqlType::Timestamptz => Values::Timestamptz(array.as_primitive::<TimestampMicrosecondType>().clone()),
            SqlType::Bpchar(length) => Values::Bpchar(array.as_string::<i32>().clone(), length),
            SqlType::Time => Values::Time(array.as_primitive::<Time64MicrosecondType>().clone()),
            SqlType::Interval => Values::Interval(array.as_primitive::<IntervalMonthDayNanoType>().clone()),
            SqlType::Uuid => Values::Uuid(array.as_fixed_size_binary().clone()),
            SqlType::Json => Values::Json(documents::texts(&array)),
            SqlType::Jsonb => Values::Jsonb(documents::texts(&array)),
            SqlType::Array(_) => Values::Array(Box::new(ArrayEncoder::new(array.as_list::<i32>(), sql_type, format, manner)?)),
            SqlType::Catalog(_) => match array.data_type() {
                DataType::UInt32 => Values::Oid(Oids::numbers(&array)),
                DataType::List(_) => Values::Array(Box::new(ArrayEncoder::new(array.as_list::<i32>(), sql_type, format, manner)?)),
                _ => Values::Text(array.as_string::<i32>().clone()),
            },
        };
        Ok(Self { values, format, manner })
    }

    /// Rows of the column.
    pub fn len(&self) -> usize {
        every_array!(&self.values, array => array.len())
    }

    /// Whether the column has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a field of a `DataRow` message: length as big-endian `i32`, then the value; −1 and nothing for NULL.
    ///
    /// # Panics
    /// If `row` is not below `len()`.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&(-1i32).to_be_bytes());
        if self.write_value(row, out) {
            let length = out.len() - start - 4;
            assert!(length <= i32::MAX as usize, "E1: a value of {length} bytes does not fit a message");
            out[start..start + 4].copy_from_slice(&(length as i32).to_be_bytes());
        }
    }

    /// Appends the value alone; false, and nothing appended, for NULL.
    ///
    /// # Panics
    /// If `row` is not below `len()`.
    pub fn write_value(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if every_array!(&self.values, array => array.is_null(row)) {
            return false;
        }
        match self.format {
            Format::Text => self.write_text(row, out),
            Format::Binary => self.write_binary(row, out),
        }
        true
    }

    fn write_text(&self, row: usize, out: &mut Vec<u8>) {
        match &self.values {
            Values::Bool(array) => out.push(boolean::text(array.value(row))),
            Values::Int2(array) => integers::write(array.value(row).into(), out),
            Values::Int4(array) => integers::write(array.value(row).into(), out),
            Values::Int8(array) => integers::write(array.value(row), out),
            Values::Float4(array) => floats::write_float4(array.value(row), out),
            Values::Float8(array) => floats::write_float8(array.value(row), out),
            Values::Numeric(array, scale) => numeric::write_text(array.value(row), *scale, out),
            // Checked when the column was prepared.
            Values::AnyNumeric(array) => _ = wire::write_text(array.value(row), out),
            Values::Text(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Values::Bytea(array) => bytea::write(array.value(row), self.manner.bytes, out),
            Values::Date(array) => datetime::write_date(array.value(row), &self.manner, out),
            Values::Timestamp(array) => datetime::write_timestamp(array.value(row), &self.manner, out),
            Values::Timestamptz(array) => datetime::write_timestamptz(array.value(row), &self.manner, out),
            Values::Bpchar(array, length) => strings::write_padded(array.value(row), *length, out),
            Values::Time(array) => time::write(array.value(row), out),
            Values::Interval(array) => spans::write(array.value(row), self.manner.intervals, out),
            Values::Uuid(array) => uuid::write(array.value(row), out),
            Values::Json(array) | Values::Jsonb(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Values::Array(array) => array.write_text(row, out),
            Values::Oid(array) => array.write_text(row, out),
        }
    }

    fn write_binary(&self, row: usize, out: &mut Vec<u8>) {
        match &self.values {
            Values::Bool(array) => out.push(u8::from(array.value(row))),
            Values::Int2(array) => out.extend_from_slice(&array.value(row).to_be_bytes()),
            Values::Int4(array) => out.extend_from_slice(&array.value(row).to_be_bytes()),
            Values::Int8(array) => out.extend_from_slice(&array.value(row).to_be_bytes()),
            Values::Float4(array) => out.extend_from_slice(&array.value(row).to_be_bytes()),
            Values::Float8(array) => out.extend_from_slice(&array.value(row).to_be_bytes()),
            Values::Numeric(array, scale) => numeric::write_binary(array.value(row), *scale, out),
            Values::AnyNumeric(array) => _ = wire::write_binary(array.value(row), out),
            Values::Text(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Values::Bytea(array) => out.extend_from_slice(array.value(row)),
            Values::Date(array) => out.extend_from_slice(&datetime::date_to_wire(array.value(row)).to_be_bytes()),
            Values::Timestamp(array) | Values::Timestamptz(array) => {
                out.extend_from_slice(&datetime::timestamp_to_wire(array.value(row)).to_be_bytes());
            }
            Values::Bpchar(array, length) => strings::write_padded(array.value(row), *length, out),
            Values::Time(array) => out.extend_from_slice(&array.value(row).to_be_bytes()),
            Values::Interval(array) => spans::write_binary(array.value(row), out),
            Values::Uuid(array) => out.extend_from_slice(array.value(row)),
            Values::Json(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Values::Jsonb(array) => {
                out.push(documents::JSONB_VERSION);
                out.extend_from_slice(array.value(row).as_bytes());
            }
            Values::Array(array) => array.write_binary(row, out),
            Values::Oid(array) => array.write_binary(row, out),
        }
    }
}

/// Appends one value in text format; false for NULL.  For many rows, keep a `ColumnEncoder`.
pub fn encode_text(array: &ArrayRef, row: usize, sql_type: SqlType, out: &mut Vec<u8>) -> SqlResult<bool> {
    Ok(ColumnEncoder::new(&array.slice(row, 1), sql_type, Format::Text)?.write_value(0, out))
}

/// Appends one value in binary format; false for NULL.  For many rows, keep a `ColumnEncoder`.
pub fn encode_binary(array: &ArrayRef, row: usize, sql_type: SqlType, out: &mut Vec<u8>) -> SqlResult<bool> {
    Ok(ColumnEncoder::new(&array.slice(row, 1), sql_type, Format::Binary)?.write_value(0, out))
}

/// One value as text, `None` for NULL: for error details and plans.
pub fn text_of(array: &ArrayRef, row: usize, sql_type: SqlType) -> SqlResult<Option<String>> {
    let mut out = Vec::new();
    if !encode_text(array, row, sql_type, &mut out)? {
        return Ok(None);
    }
    String::from_utf8(out).map(Some).map_err(|_| SqlError::internal("V1: a value's text is not UTF-8"))
}
