//! Casts from and to numeric of any length, dates, timestamps, uuid, time, interval, json, jsonb and arrays, and from text, each as Postgres does it.
//!
//! F14: every cast of these types is here, so that Arrow's own never meets one of them: it knows neither their texts nor their limits.
//! F15: a cast of an array is the cast of its elements.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryBuilder, IntervalMonthDayNanoArray, ListArray, StringArray, StringBuilder,
    Time64MicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, DurationMicrosecondType, Field, IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::functions::{casts, moments, numerics, plain_input, records, types};
use crate::layouts::{self, INTERVAL, TIME, UUID};
use crate::session_options::manner_of;
use crate::values::interval::{self, Interval};
use crate::values::manner::Manner;
use crate::values::{array, json, time, uuid};

/// The function for a cast of F14, if it is one.
pub(crate) fn checked(from: &DataType, to: &DataType) -> Option<Arc<ScalarUDF>> {
    let is_plain = layouts::is_text(from) && (plain_input::reads(to) || is_read(from, to));
    if from == to || from.is_null() || !(is_plain || is_ours(from) || is_ours(to) || is_wide(from)) {
        return None;
    }
    let signature = Signature::exact(vec![from.clone()], Volatility::Immutable);
    let name = format!("{}_as_{}", types::name(from), types::name(to));
    Some(Arc::new(ScalarUDF::from(Conversion { name, to: to.clone(), signature })))
}

/// Texts of decimals, which Arrow reads otherwise: exponents, NaN, what does not fit.
fn is_read(from: &DataType, to: &DataType) -> bool {
    layouts::is_text(from) && matches!(to, DataType::Decimal128(..))
}

/// Arrow's own casts from these would cut where PostgreSQL rounds.
fn is_wide(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal256(..))
}

fn is_ours(data_type: &DataType) -> bool {
    moments::concerns(data_type)
        || *data_type == TIME
        || *data_type == INTERVAL
        || *data_type == UUID
        || layouts::is_any_numeric(data_type)
        || layouts::document_name(data_type).is_some()
        || layouts::element(data_type).is_some()
        || layouts::record(data_type).is_some()
        || matches!(data_type, DataType::Duration(_))
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Conversion {
    name: String,
    to: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Conversion {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(value) = args.args.first() else {
            return Err(DataFusionError::Internal(format!("{} takes one argument", self.name)));
        };
        let answer = convert_in(&value.to_array(args.number_rows)?, &self.to, &manner_of(&args.config_options));
        Ok(ColumnarValue::Array(answer.map_err(|error| DataFusionError::External(Box::new(error)))?))
    }
}

/// A column as another type, as an explicit cast of Postgres would have it. Errors: the types' own; 42846 where there is no cast.
pub fn convert(array: &ArrayRef, to: &DataType) -> SqlResult<ArrayRef> {
    convert_in(array, to, &Manner::default())
}

/// [`convert`] in a session's manner.
pub fn convert_in(array: &ArrayRef, to: &DataType, manner: &Manner) -> SqlResult<ArrayRef> {
    let from = array.data_type();
    if from == to {
        return Ok(Arc::clone(array));
    }
    if matches!(from, DataType::Timestamp(unit, _) if *unit != TimeUnit::Microsecond) {
        return convert_in(&arrow_cast(array, &micros(from))?, to, manner);
    }
    if matches!(to, DataType::Timestamp(unit, _) if *unit != TimeUnit::Microsecond) {
        return arrow_cast(&convert_in(array, &micros(to), manner)?, to);
    }
    if layouts::is_text(from) && (is_ours(to) || plain_input::reads(to)) {
        return from_text(&arrow_cast(array, &DataType::Utf8)?, to, manner);
    }
    if *to == DataType::Utf8 && is_ours(from) {
        return to_text(array, manner);
    }
    if let Some(moved) = moments::between(array, to, manner) {
        return moved;
    }
    if layouts::is_any_numeric(to)
        && let Some(cast) = numerics::casts::to_any(array)
    {
        return cast;
    }
    if is_read(from, to) {
        return convert(&from_text(&arrow_cast(array, &DataType::Utf8)?, &layouts::any_numeric(), manner)?, to);
    }
    if is_wide(from)
        && !is_wide(to)
        && let Some(any) = numerics::casts::to_any(array)
    {
        return convert(&any?, to);
    }
    if layouts::is_any_numeric(from)
        && let Some(cast) = numerics::casts::from_any(array, to)
    {
        return cast;
    }
    match (from, to) {
        (DataType::List(_), DataType::List(item)) => return elements(array, item, manner),
        (from, to) if layouts::document_name(from).is_some() && layouts::document_name(to).is_some() => {
            return document_to_document(array, to);
        }
        (from, _) if layouts::is_jsonb(from) => return scalar_of(array, to),
        (from, to) if *from == TIME && *to == INTERVAL => return interval_of_time(array),
        (from, to) if *from == INTERVAL && *to == TIME => return Ok(time_of_interval(array)),
        (DataType::Duration(_), to) if *to == INTERVAL => {
            return interval_of_duration(&arrow_cast(array, &DataType::Duration(TimeUnit::Microsecond))?);
        }
        _ => {}
    }
    if (is_ours(from) || is_ours(to)) && !from.is_null() {
        let message = format!("cannot cast type {} to {}", types::name(from), types::name(to));
        return Err(SqlError::new(SqlState("42846"), message));
    }
    casts::apply(array, to, manner).unwrap_or_else(|| arrow_cast(array, to))
}

fn micros(timestamp: &DataType) -> DataType {
    match timestamp {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        other => other.clone(),
    }
}

fn arrow_cast(array: &ArrayRef, to: &DataType) -> SqlResult<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &options).map_err(|error| crate::errors::unplaced(&error.into()))
}

/// F14, input functions.
fn from_text(array: &ArrayRef, to: &DataType, manner: &Manner) -> SqlResult<ArrayRef> {
    let text = array.as_string::<i32>();
    if moments::concerns(to) {
        return moments::from_text(text, to, manner);
    }
    if plain_input::reads(to) {
        return plain_input::read(text, to);
    }
    if *to == UUID {
        let mut builder = FixedSizeBinaryBuilder::with_capacity(text.len(), 16);
        for value in text {
            match value {
                Some(value) => builder.append_value(uuid::parse(value)?).map_err(|error| SqlError::internal(error.to_string()))?,
                None => builder.append_null(),
            }
        }
        return Ok(Arc::new(builder.finish()));
    }
    if *to == TIME {
        let times = text.iter().map(|value| value.map(time::parse).transpose()).collect::<SqlResult<Time64MicrosecondArray>>();
        return Ok(Arc::new(times?));
    }
    if *to == INTERVAL {
        let read = |value: &str| interval::parse(value, manner.intervals)?.to_arrow();
        let intervals = text.iter().map(|value| value.map(read).transpose()).collect::<SqlResult<IntervalMonthDayNanoArray>>();
        return Ok(Arc::new(intervals?));
    }
    if let Some(name) = layouts::document_name(to) {
        return layouts::wrap(documents(text, name)?, to);
    }
    if layouts::is_any_numeric(to)
        && let Some(numbers) = numerics::casts::to_any(array)
    {
        return numbers;
    }
    if let DataType::List(item) = to {
        return arrays(text, item, manner);
    }
    arrow_cast(array, to)
}

fn documents(text: &StringArray, name: &str) -> SqlResult<StringArray> {
    let read = |value: &str| {
        if name == "jsonb" { json::normalise(value) } else { json::parse(value, false).map(|_| value.to_owned()) }
    };
    text.iter().map(|value| value.map(read).transpose()).collect()
}

fn arrays(text: &StringArray, item: &Arc<Field>, manner: &Manner) -> SqlResult<ArrayRef> {
    let (mut elements, mut lengths) = (StringBuilder::new(), Vec::with_capacity(text.len()));
    let is_vector = layouts::is_vector(&DataType::List(Arc::clone(item)));
    let parse = |value: &str| match is_vector && !value.starts_with('{') {
        true => Ok(value.split_whitespace().map(|element| Some(element.to_owned())).collect()),
        false => array::parse(value),
    };
    for value in text {
        let parsed = value.map(parse).transpose()?.unwrap_or_default();
        lengths.push(parsed.len());
        parsed.into_iter().for_each(|element| elements.append_option(element));
    }
    let elements: ArrayRef = Arc::new(elements.finish());
    list(item, OffsetBuffer::from_lengths(lengths), convert_in(&elements, item.data_type(), manner)?, text.nulls().cloned())
}

fn list(item: &Arc<Field>, offsets: OffsetBuffer<i32>, elements: ArrayRef, nulls: Option<NullBuffer>) -> SqlResult<ArrayRef> {
    let list = ListArray::try_new(Arc::clone(item), offsets, elements, nulls);
    Ok(Arc::new(list.map_err(|error| SqlError::internal(format!("F15: {error}")))?))
}

/// F15.
fn elements(array: &ArrayRef, item: &Arc<Field>, manner: &Manner) -> SqlResult<ArrayRef> {
    let lists = array.as_list::<i32>();
    list(item, lists.offsets().clone(), convert_in(lists.values(), item.data_type(), manner)?, lists.nulls().cloned())
}

/// F14, output functions.
fn to_text(array: &ArrayRef, manner: &Manner) -> SqlResult<ArrayRef> {
    let data_type = array.data_type();
    if moments::concerns(data_type) {
        return moments::to_text(array, manner);
    }
    if layouts::document_name(data_type).is_some() {
        return Ok(Arc::new(layouts::texts(array)?));
    }
    if layouts::is_any_numeric(data_type)
        && let Some(texts) = numerics::casts::from_any(array, &DataType::Utf8)
    {
        return texts;
    }
    if let DataType::List(item) = data_type {
        return match layouts::is_vector(data_type) {
            true => vectors_to_text(array.as_list::<i32>(), manner),
            false => lists_to_text(array.as_list::<i32>(), item.data_type(), manner),
        };
    }
    if layouts::record(data_type).is_some() {
        return records::to_text(array, manner);
    }
    let mut text = StringBuilder::with_capacity(array.len(), array.len() * 16);
    let mut bytes = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            text.append_null();
            continue;
        }
        bytes.clear();
        if *data_type == UUID {
            uuid::write(array.as_fixed_size_binary().value(row), &mut bytes);
        } else if *data_type == TIME {
            time::write(array.as_primitive::<Time64MicrosecondType>().value(row), &mut bytes);
        } else if *data_type == INTERVAL {
            let value = Interval::from_arrow(array.as_primitive::<IntervalMonthDayNanoType>().value(row));
            interval::write_in(value, manner.intervals, &mut bytes);
        } else if let DataType::Duration(TimeUnit::Microsecond) = data_type {
            let micros = array.as_primitive::<DurationMicrosecondType>().value(row);
            interval::write_in(justified(micros), manner.intervals, &mut bytes);
        } else {
            return arrow_cast(array, &DataType::Utf8);
        }
        text.append_value(str::from_utf8(&bytes).map_err(|_| SqlError::internal("V1: a value's text is not UTF-8"))?);
    }
    Ok(Arc::new(text.finish()))
}

fn lists_to_text(lists: &ListArray, element: &DataType, manner: &Manner) -> SqlResult<ArrayRef> {
    let texts = element_texts(lists.values(), element, manner)?;
    let mut text = StringBuilder::with_capacity(lists.len(), lists.len() * 16);
    let mut bytes = Vec::new();
    for (row, bounds) in lists.offsets().windows(2).enumerate() {
        if lists.is_null(row) {
            text.append_null();
            continue;
        }
        bytes.clear();
        let (first, last) = (bounds[0] as usize, bounds[1] as usize);
        let each = |at: usize, out: &mut Vec<u8>| {
            let value = texts.is_valid(first + at).then(|| texts.value(first + at));
            out.extend_from_slice(value.unwrap_or_default().as_bytes());
            value.is_some()
        };
        array::write(last - first, each, &mut bytes);
        text.append_value(str::from_utf8(&bytes).map_err(|_| SqlError::internal("V1: a value's text is not UTF-8"))?);
    }
    Ok(Arc::new(text.finish()))
}

/// `1 2`
fn vectors_to_text(vectors: &ListArray, manner: &Manner) -> SqlResult<ArrayRef> {
    let texts = element_texts(vectors.values(), vectors.values().data_type(), manner)?;
    let shown = |(row, bounds): (usize, &[i32])| {
        let elements = (bounds[0] as usize..bounds[1] as usize).map(|at| texts.value(at));
        vectors.is_valid(row).then(|| elements.collect::<Vec<_>>().join(" "))
    };
    Ok(Arc::new(vectors.offsets().windows(2).enumerate().map(shown).collect::<StringArray>()))
}

/// Elements as an array's text has them: a boolean by its letter.
pub(crate) fn element_texts(elements: &ArrayRef, data_type: &DataType, manner: &Manner) -> SqlResult<StringArray> {
    if *data_type == DataType::Boolean {
        let letter = |value: bool| if value { "t" } else { "f" };
        return Ok(elements.as_boolean().iter().map(|value| value.map(letter)).collect());
    }
    Ok(convert_in(elements, &DataType::Utf8, manner)?.as_string::<i32>().clone())
}

fn document_to_document(array: &ArrayRef, to: &DataType) -> SqlResult<ArrayRef> {
    let texts = layouts::texts(array)?;
    let texts = if layouts::is_jsonb(to) { documents(&texts, "jsonb")? } else { texts };
    layouts::wrap(texts, to)
}

/// `jsonb` to a boolean or a number.
fn scalar_of(array: &ArrayRef, to: &DataType) -> SqlResult<ArrayRef> {
    let wanted = types::name(to);
    let is_boolean = *to == DataType::Boolean;
    let is_number = to.is_numeric() || layouts::is_any_numeric(to);
    let read = |text: &str| -> SqlResult<String> {
        let value = json::parse(text, true)?;
        match value.kind {
            json::Kind::Bool(_) if is_boolean => Ok(text.to_owned()),
            json::Kind::Number if is_number => Ok(text.to_owned()),
            kind => {
                let kind = match kind.name() {
                    "number" => "numeric",
                    other => other,
                };
                Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("cannot cast jsonb {kind} to type {wanted}")))
            }
        }
    };
    if !is_boolean && !is_number {
        let message = format!("cannot cast type jsonb to {wanted}");
        return Err(SqlError::new(SqlState("42846"), message));
    }
    let texts: StringArray = layouts::texts(array)?.iter().map(|text| text.map(read).transpose()).collect::<SqlResult<_>>()?;
    let texts: ArrayRef = Arc::new(texts);
    match to {
        // Rounded, as a cast from numeric is.
        DataType::Int16 | DataType::Int32 | DataType::Int64 => convert(&convert(&texts, &layouts::any_numeric())?, to),
        to if layouts::is_any_numeric(to) => convert(&texts, to),
        _ => arrow_cast(&texts, to),
    }
}

fn interval_of_time(times: &ArrayRef) -> SqlResult<ArrayRef> {
    let interval = |micros| Interval { micros, ..Interval::default() }.to_arrow();
    let intervals: IntervalMonthDayNanoArray = times.as_primitive::<Time64MicrosecondType>().try_unary(interval)?;
    Ok(Arc::new(intervals))
}

fn time_of_interval(intervals: &ArrayRef) -> ArrayRef {
    let time = |value| Interval::from_arrow(value).micros.rem_euclid(time::DAY_MICROS);
    let times: Time64MicrosecondArray = intervals.as_primitive::<IntervalMonthDayNanoType>().unary(time);
    Arc::new(times)
}

/// Whole days of µs as days, as the difference of two timestamps is.
pub(crate) fn justified(micros: i64) -> Interval {
    let days = micros / time::DAY_MICROS;
    Interval { months: 0, days: i32::try_from(days).unwrap_or(i32::MAX), micros: micros % time::DAY_MICROS }
}

fn interval_of_duration(durations: &ArrayRef) -> SqlResult<ArrayRef> {
    let intervals: IntervalMonthDayNanoArray =
        durations.as_primitive::<DurationMicrosecondType>().try_unary(|micros| justified(micros).to_arrow())?;
    Ok(Arc::new(intervals))
}
