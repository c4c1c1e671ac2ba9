//! Builds a column value by value from Postgres's text or binary form.
//!
//! B1: an append that fails leaves the column as it was.
//! B2: a column's strings together stay below 2 GiB, what its 32-bit offsets reach.
//! Never: guesses a type; the column has one from the start.

use super::arrays::ArrayBuilder;
use super::errors::invalid_binary;
use super::numeric::Shape;
use super::{Format, Manner, Reading, any_numeric, boolean, bytea, documents, floats, integers, oids, spans, strings};
use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder, Float32Builder, Float64Builder,
    Int16Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use relational::values::{datetime, time, uuid};
use std::sync::Arc;

/// A growing column of one SQL type.
pub struct ColumnBuilder {
    sql_type: SqlType,
    values: Values,
    reading: Reading,
}

enum Values {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Numeric(Decimal128Builder, Shape),
    AnyNumeric(any_numeric::Builder),
    Text(StringBuilder, Option<u32>),
    Bytea(BinaryBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Timestamptz(TimestampMicrosecondBuilder),
    Bpchar(StringBuilder, Option<u32>),
    Time(Time64MicrosecondBuilder),
    Interval(IntervalMonthDayNanoBuilder),
    Uuid(FixedSizeBinaryBuilder),
    Json(StringBuilder),
    Jsonb(StringBuilder),
    Array(Box<ArrayBuilder>),
    Oid(UInt32Builder),
}

/// Bytes of text set aside for each row of a new string column.
const STRING_BYTES_GUESS: usize = 16;

macro_rules! every_builder {
    ($values:expr, $builder:ident => $body:expr) => {
        match $values {
            Values::Bool($builder) => $body,
            Values::Int2($builder) => $body,
            Values::Int4($builder) => $body,
            Values::Int8($builder) => $body,
            Values::Float4($builder) => $body,
            Values::Float8($builder) => $body,
            Values::Numeric($builder, _) => $body,
            Values::AnyNumeric($builder) => $body,
            Values::Text($builder, _) => $body,
            Values::Bytea($builder) => $body,
            Values::Date($builder) => $body,
            Values::Timestamp($builder) | Values::Timestamptz($builder) => $body,
            Values::Bpchar($builder, _) | Values::Json($builder) | Values::Jsonb($builder) => $body,
            Values::Time($builder) => $body,
            Values::Interval($builder) => $body,
            Values::Uuid($builder) => $body,
            Values::Array($builder) => $body,
            Values::Oid($builder) => $body,
        }
    };
}

impl ColumnBuilder {
    /// An empty column with room for `capacity` rows.
    pub fn new(sql_type: SqlType, capacity: usize) -> Self {
        Self::in_manner(sql_type, capacity, Manner::default())
    }

    /// [`ColumnBuilder::new`] that reads text in a session's manner, and by its clock.
    pub fn in_manner(sql_type: SqlType, capacity: usize, reading: impl Into<Reading>) -> Self {
        let reading = reading.into();
        let bytes = capacity.saturating_mul(STRING_BYTES_GUESS);
        let layout = sql_type.arrow();
        let values = match sql_type {
            SqlType::Bool => Values::Bool(BooleanBuilder::with_capacity(capacity)),
            SqlType::Int2 => Values::Int2(Int16Builder::with_capacity(capacity)),
            SqlType::Int4 => Values::Int4(Int32Builder::with_capacity(capacity)),
            SqlType::Int8 => Values::Int8(Int64Builder::with_capacity(capacity)),
            SqlType::Float4 => Values::Float4(Float32Builder::with_capacity(capacity)),
            SqlType::Float8 => Values::Float8(Float64Builder::with_capacity(capacity)),
            SqlType::Numeric { precision, scale } => {
                Values::Numeric(Decimal128Builder::with_capacity(capacity).with_data_type(layout), Shape { precision, scale })
            }
            SqlType::AnyNumeric(limit) => Values::AnyNumeric(any_numeric::Builder::new(limit, capacity)),
            SqlType::Text => Values::Text(StringBuilder::with_capacity(capacity, bytes), None),
            SqlType::Varchar(limit) => Values::Text(StringBuilder::with_capacity(capacity, bytes), limit),
            SqlType::Bytea => Values::Bytea(BinaryBuilder::with_capacity(capacity, bytes)),
            SqlType::Date => Values::Date(Date32Builder::with_capacity(capacity)),
            SqlType::Timestamp => Values::Timestamp(TimestampMicrosecondBuilder::with_capacity(capacity)),
            SqlType::Timestamptz => Values::Timestamptz(TimestampMicrosecondBuilder::with_capacity(capacity).with_data_type(layout)),
            SqlType::Bpchar(length) => Values::Bpchar(StringBuilder::with_capacity(capacity, bytes), length),
            SqlType::Time => Values::Time(Time64MicrosecondBuilder::with_capacity(capacity)),
            SqlType::Interval => Values::Interval(IntervalMonthDayNanoBuilder::with_capacity(capacity)),
            SqlType::Uuid => Values::Uuid(FixedSizeBinaryBuilder::with_capacity(capacity, 16)),
            SqlType::Json => Values::Json(StringBuilder::with_capacity(capacity, bytes)),
            SqlType::Jsonb => Values::Jsonb(StringBuilder::with_capacity(capacity, bytes)),
            SqlType::Array(_) => Values::Array(Box::new(ArrayBuilder::new(sql_type, capacity, reading))),
            SqlType::Catalog(_) => match layout {
                DataType::UInt32 => Values::Oid(UInt32Builder::with_capacity(capacity)),
                DataType::List(_) => Values::Array(Box::new(ArrayBuilder::new(sql_type, capacity, reading))),
                _ => Values::Text(StringBuilder::with_capacity(capacity, bytes), None),
            },
        };
        Self { sql_type, values, reading }
    }

    /// The column's type.
    pub fn sql_type(&self) -> SqlType {
        self.sql_type
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        use arrow::array::ArrayBuilder as _;
        every_builder!(&self.values, builder => builder.len())
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends NULL.
    pub fn append_null(&mut self) {
        every_builder!(&mut self.values, builder => builder.append_null());
    }

    /// Appends a value, or NULL, in either format.
    pub fn append(&mut self, format: Format, bytes: Option<&[u8]>) -> SqlResult<()> {
        match (format, bytes) {
            (_, None) => {
                self.append_null();
                Ok(())
            }
            (Format::Text, Some(bytes)) => self.append_text(bytes),
            (Format::Binary, Some(bytes)) => self.append_binary(bytes),
        }
    }

    /// Appends a value in text format; 22021 if the bytes are not UTF-8, else as `append_str`.
    pub fn append_text(&mut self, bytes: &[u8]) -> SqlResult<()> {
        self.append_clean(strings::utf8(bytes)?)
    }

    /// Appends a value in text format; the type's own errors (22P02, 22003, 22001, 22007, 22008 …), 54000 when the column is full.
    pub fn append_str(&mut self, text: &str) -> SqlResult<()> {
        self.append_clean(strings::without_nul(text)?)
    }

    /// As `append_str`, for text known to have no NUL.
    pub(crate) fn append_clean(&mut self, text: &str) -> SqlResult<()> {
        match self.append_written(text) {
            Err(error) if self.reads_clock() => match self.reading.without_clock(text) {
                Some(written) => self.append_written(&written),
                None => Err(error),
            },
            done => done,
        }
    }

    fn reads_clock(&self) -> bool {
        matches!(self.values, Values::Date(_) | Values::Timestamp(_) | Values::Timestamptz(_) | Values::Time(_))
    }

    fn append_written(&mut self, text: &str) -> SqlResult<()> {
        let manner = &self.reading.manner;
        match &mut self.values {
            Values::Int8(builder) => builder.append_value(integers::parse_int8(text)?),
            Values::Int4(builder) => builder.append_value(integers::parse_int4(text)?),
            Values::Text(builder, limit) => append_string(builder, strings::fit(text, *limit)?)?,
            Values::Int2(builder) => builder.append_value(integers::parse_int2(text)?),
            Values::Bool(builder) => builder.append_value(boolean::parse(text)?),
            Values::Float4(builder) => builder.append_value(floats::parse_float4(text)?),
            Values::Float8(builder) => builder.append_value(floats::parse_float8(text)?),
            Values::Numeric(builder, shape) => builder.append_value(shape.parse(text)?),
            Values::AnyNumeric(builder) => builder.append_text(text)?,
            Values::Bytea(builder) => {
                let value = bytea::parse(text)?;
                check_room(builder.values_slice().len(), value.len())?;
                builder.append_value(value);
            }
            Values::Date(builder) => builder.append_value(datetime::parse_date(text, manner)?),
            Values::Timestamp(builder) => builder.append_value(datetime::parse_timestamp(text, manner)?),
            Values::Timestamptz(builder) => builder.append_value(datetime::parse_timestamptz(text, manner)?),
            Values::Bpchar(builder, length) => append_string(builder, strings::fit_blank_padded(text, *length)?)?,
            Values::Time(builder) => builder.append_value(time::parse(text)?),
            Values::Interval(builder) => builder.append_value(spans::parse(text, manner.intervals)?),
            Values::Uuid(builder) => append_uuid(builder, &uuid::parse(text)?)?,
            Values::Json(builder) => append_string(builder, documents::parse_json(text)?)?,
            Values::Jsonb(builder) => append_string(builder, &documents::parse_jsonb(text)?)?,
            Values::Array(builder) => builder.append_text(text)?,
            Values::Oid(builder) => builder.append_value(oids::parse(text)?),
        }
        Ok(())
    }

    /// Appends a value in binary format; 22P03 for a wrong length or impossible contents.
    pub fn append_binary(&mut self, bytes: &[u8]) -> SqlResult<()> {
        let name = self.sql_type;
        match &mut self.values {
            Values::Bool(builder) => builder.append_value(fixed::<1>(bytes, name)? != [0]),
            Values::Int2(builder) => builder.append_value(i16::from_be_bytes(fixed(bytes, name)?)),
            Values::Int4(builder) => builder.append_value(i32::from_be_bytes(fixed(bytes, name)?)),
            Values::Int8(builder) => builder.append_value(i64::from_be_bytes(fixed(bytes, name)?)),
            Values::Float4(builder) => builder.append_value(f32::from_be_bytes(fixed(bytes, name)?)),
            Values::Float8(builder) => builder.append_value(f64::from_be_bytes(fixed(bytes, name)?)),
            Values::Numeric(builder, shape) => builder.append_value(shape.read_binary(bytes)?),
            Values::AnyNumeric(builder) => builder.append_binary(bytes)?,
            Values::Text(builder, limit) => append_string(builder, strings::fit(strings::utf8(bytes)?, *limit)?)?,
            Values::Bytea(builder) => {
                check_room(builder.values_slice().len(), bytes.len())?;
                builder.append_value(bytes);
            }
            Values::Date(builder) => builder.append_value(datetime::date_from_wire(i32::from_be_bytes(fixed(bytes, name)?))?),
            Values::Timestamp(builder) | Values::Timestamptz(builder) => {
                builder.append_value(datetime::timestamp_from_wire(i64::from_be_bytes(fixed(bytes, name)?))?);
            }
            Values::Bpchar(builder, length) => append_string(builder, strings::fit_blank_padded(strings::utf8(bytes)?, *length)?)?,
            Values::Time(builder) => builder.append_value(spans::time_from_wire(i64::from_be_bytes(fixed(bytes, name)?))?),
            Values::Interval(builder) => builder.append_value(spans::read_binary(fixed(bytes, name)?)?),
            Values::Uuid(builder) => append_uuid(builder, &fixed::<16>(bytes, name)?)?,
            Values::Json(builder) => append_string(builder, documents::parse_json(strings::utf8(bytes)?)?)?,
            Values::Jsonb(builder) => {
                let text = strings::utf8(documents::jsonb_text(bytes)?)?;
                append_string(builder, &documents::parse_jsonb(text)?)?;
            }
            Values::Array(builder) => builder.append_binary(bytes)?,
            Values::Oid(builder) => builder.append_value(u32::from_be_bytes(fixed(bytes, name)?)),
        }
        Ok(())
    }

    /// The column, of layout `SqlType::arrow()`; the builder is empty again.
    pub fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Json(builder) | Values::Jsonb(builder) => documents::finish(builder, self.sql_type),
            Values::Array(builder) => builder.finish(),
            Values::AnyNumeric(builder) => builder.finish(),
            values => every_builder!(values, builder => Arc::new(builder.finish())),
        }
    }
}

/// Appends to a string column (B2).
fn append_string(builder: &mut StringBuilder, text: &str) -> SqlResult<()> {
    check_room(builder.values_slice().len(), text.len())?;
    builder.append_value(text);
    Ok(())
}

fn append_uuid(builder: &mut FixedSizeBinaryBuilder, bytes: &[u8; 16]) -> SqlResult<()> {
    builder.append_value(bytes).map_err(|error| SqlError::internal(format!("V3: {error}")))
}

/// A value of exactly `N` bytes.
fn fixed<const N: usize>(bytes: &[u8], sql_type: SqlType) -> SqlResult<[u8; N]> {
    bytes.try_into().map_err(|_| invalid_binary(&sql_type.name()))
}

/// 54000 if a column's strings would reach 2 GiB (B2).
pub(super) fn check_room(held: usize, more: usize) -> SqlResult<()> {
    if held + more < i32::MAX as usize {
        return Ok(());
    }
    Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "the strings of one batch exceed 2 GiB"))
}

/// One value in Postgres's text format as a column of one row.
pub fn parse_text(sql_type: SqlType, text: &str) -> SqlResult<ArrayRef> {
    parse_text_in(sql_type, text, Manner::default())
}

/// [`parse_text`] in a session's manner.
pub fn parse_text_in(sql_type: SqlType, text: &str, reading: impl Into<Reading>) -> SqlResult<ArrayRef> {
    let mut builder = ColumnBuilder::in_manner(sql_type, 1, reading);
    builder.append_str(text)?;
    Ok(builder.finish())
}
