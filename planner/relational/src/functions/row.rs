//! Functions that are computed a row at a time: their arguments, the choice among forms of one name, and the loop.
//!
//! F20: the form is chosen as Postgres chooses: most exact argument types first, then the cheapest implicit casts; a text literal may be anything.
//! F21: a form answers NULL for a NULL argument unless it is [`Form::lenient`].
//! F22: what a body fails with reaches the user as it is.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder, Float64Builder,
    Int16Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder, ListBuilder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType,
    IntervalUnit, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::functions::numerics::columns::{self, Column};
use crate::functions::types;
use crate::session_options::manner_of;
use crate::values::manner::Manner;
use crate::values::numeric::{Limit, Numeric};
use crate::{exact, layouts};

/// The types that forms are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Bytes,
    Date,
    Stamp,
    Instant,
    Time,
    Span,
    /// Whatever is given, as the text Postgres prints.
    Printed,
}

/// What a form answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Returns {
    Is(Kind),
    /// `numeric` with so many digits after the point in every row.
    Scale(i8),
    /// `text[]`
    Texts,
    /// Rows of `text[]`, for a set to unnest.
    TextLists,
}

/// An interval: months, days and microseconds, each with its own sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Span {
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) micros: i64,
}

/// A value that is not NULL. Integers of every width are `Int`, both floats `Float`; timestamps and times are microseconds, dates days.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Numeric(Numeric),
    Text(String),
    Bytes(Vec<u8>),
    Date(i32),
    Stamp(i64),
    Time(i64),
    Span(Span),
    Texts(Vec<Option<String>>),
    Lists(Vec<Vec<Option<String>>>),
}

/// What a body gives.
pub(super) type Answer = SqlResult<Option<Value>>;
type Plain = fn(&[Option<Value>]) -> Answer;
type InManner = fn(&[Option<Value>], &Manner) -> Answer;

/// What computes a row.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Plain(Plain),
    /// By the session's zone and styles.
    InManner(InManner),
}

/// One signature of a function.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) takes: &'static [Kind],
    /// The type of any number of further arguments.
    pub(super) rest: Option<Kind>,
    pub(super) gives: Returns,
    pub(super) body: Body,
    /// F21.
    pub(super) lenient: bool,
}

/// Functions whose constants have their types before a form is chosen: none of these takes a `bigint` for an `integer`.
pub(crate) const OF_INTEGERS: [&str; 10] =
    ["chr", "left", "lpad", "overlay", "repeat", "right", "rpad", "split_part", "substr", "substring"];

/// A form that takes exactly these arguments and knows no NULL.
pub(super) const fn form(takes: &'static [Kind], gives: Returns, body: Plain) -> Form {
    Form { takes, rest: None, gives, body: Body::Plain(body), lenient: false }
}

/// [`form`] with a body that knows the session's manner.
pub(super) const fn in_manner(takes: &'static [Kind], gives: Returns, body: InManner) -> Form {
    Form { takes, rest: None, gives, body: Body::InManner(body), lenient: false }
}

impl Form {
    pub(super) const fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    pub(super) const fn and_more(mut self, rest: Kind) -> Self {
        self.rest = Some(rest);
        self
    }

    fn kinds(&self, count: usize) -> Option<Vec<Kind>> {
        let rest = count.checked_sub(self.takes.len())?;
        match self.rest {
            None if rest > 0 => None,
            more => Some(self.takes.iter().copied().chain(more.into_iter().cycle().take(rest)).collect()),
        }
    }
}

/// A function of all its forms.
pub(super) fn function(name: &'static str, forms: &[Form]) -> ScalarUDF {
    with_volatility(name, forms, Volatility::Immutable)
}

/// A function whose answer may change from row to row.
pub(super) fn volatile(name: &'static str, forms: &[Form]) -> ScalarUDF {
    with_volatility(name, forms, Volatility::Volatile)
}

fn with_volatility(name: &'static str, forms: &[Form], volatility: Volatility) -> ScalarUDF {
    ScalarUDF::from(RowFunction { name, forms: forms.to_vec(), signature: Signature::user_defined(volatility) })
}

pub(crate) struct RowFunction {
    name: &'static str,
    forms: Vec<Form>,
    signature: Signature,
}

impl std::fmt::Debug for RowFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowFunction").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RowFunction {}

impl Hash for RowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl RowFunction {
    /// Whether there is a form for these arguments, given which of them are literals without a type: a text that is none is only text.
    pub(crate) fn takes(&self, given: &[(DataType, bool)]) -> bool {
        let fits = |form: &Form| {
            form.kinds(given.len()).is_some_and(|kinds| {
                given.iter().zip(kinds).all(|((given, is_literal), kind)| {
                    let is_read = !is_literal && kind_of(given) == Some(Kind::Text) && !matches!(kind, Kind::Text | Kind::Printed);
                    !is_read && cost(given, kind).is_some()
                })
            })
        };
        self.forms.iter().any(fits)
    }

    /// F20.
    fn choose(&self, given: &[DataType]) -> Option<(&Form, Vec<Kind>)> {
        let priced = self.forms.iter().filter_map(|form| {
            let kinds = form.kinds(given.len())?;
            let is_too_wide =
                |given: &DataType, kind: Kind| kind == Kind::Int4 && kind_of(given) == Some(Kind::Int8) && OF_INTEGERS.contains(&self.name);
            let cost = |(given, kind): (&DataType, &Kind)| if is_too_wide(given, *kind) { None } else { cost(given, *kind) };
            let costs: Option<Vec<u32>> = given.iter().zip(&kinds).map(cost).collect();
            Some((costs?.iter().sum::<u32>(), form, kinds))
        });
        priced.min_by_key(|(cost, ..)| *cost).map(|(_, form, kinds)| (form, kinds))
    }
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match self.choose(given) {
            Some((_, kinds)) => Ok(given.iter().zip(kinds).map(|(given, kind)| coerced(given, kind)).collect()),
            None => {
                let given: Vec<String> = given.iter().map(types::name).collect();
                plan_err!("No function matches the given name and argument types '{}({})'.", self.name, given.join(", "))
            }
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let Some((form, _)) = self.choose(given) else { return plan_err!("No function matches the given name '{}'.", self.name) };
        Ok(match form.gives {
            Returns::Is(kind) => data_type(kind),
            Returns::Scale(scale) => DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale),
            Returns::Texts => DataType::new_list(DataType::Utf8, true),
            Returns::TextLists => DataType::new_list(DataType::new_list(DataType::Utf8, true), true),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let Some((form, kinds)) = self.choose(&given) else {
            return Err(DataFusionError::Internal(format!("F20: {} was not coerced", self.name)));
        };
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let manner = manner_of(&args.config_options);
        let answer = compute(form, &kinds, &arrays, rows, args.return_field.data_type(), &manner);
        let answer = answer.map_err(|error| DataFusionError::External(Box::new(error)))?;
        if is_constant && self.signature.volatility != Volatility::Volatile {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&answer, 0)?));
        }
        Ok(ColumnarValue::Array(if is_constant && args.number_rows != 1 { repeat(form, &kinds, &arrays, &args)? } else { answer }))
    }
}

/// A volatile function without columns, called for each row anew.
fn repeat(form: &Form, kinds: &[Kind], arrays: &[ArrayRef], args: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let zeros = arrow::array::UInt32Array::from(vec![0; args.number_rows]);
    let spread = arrays.iter().map(|array| Ok(arrow::compute::take(array, &zeros, None)?)).collect::<Result<Vec<_>>>()?;
    let manner = manner_of(&args.config_options);
    let answer = compute(form, kinds, &spread, args.number_rows, args.return_field.data_type(), &manner);
    answer.map_err(|error| DataFusionError::External(Box::new(error)))
}

fn compute(form: &Form, kinds: &[Kind], arrays: &[ArrayRef], rows: usize, returns: &DataType, manner: &Manner) -> SqlResult<ArrayRef> {
    let mut answers = Vec::with_capacity(rows);
    let mut values = Vec::with_capacity(arrays.len());
    for row in 0..rows {
        values.clear();
        for (array, kind) in arrays.iter().zip(kinds) {
            let value = match (read(array, row)?, kind) {
                (Some(Value::Bool(value)), Kind::Printed) => Some(Value::Text(if value { "t" } else { "f" }.to_owned())),
                (Some(Value::Numeric(value)), Kind::Printed) => Some(Value::Text(value.to_string())),
                (Some(Value::Numeric(value)), Kind::Float4 | Kind::Float8) => Some(Value::Float(value.to_float())),
                (Some(Value::Text(value)), Kind::Numeric) => Some(Value::Numeric(Numeric::parse(&value)?)),
                (Some(Value::Int(value)), Kind::Numeric) => Some(Value::Numeric(Numeric::integer(value))),
                (value, _) => value,
            };
            values.push(value);
        }
        let is_known = form.lenient || values.iter().all(Option::is_some);
        answers.push(match form.body {
            _ if !is_known => None,
            Body::Plain(body) => body(&values)?,
            Body::InManner(body) => body(&values, manner)?,
        });
    }
    build(answers, returns)
}

/// What it costs to take a value of this type for the kind; `None` if it cannot be.
fn cost(given: &DataType, kind: Kind) -> Option<u32> {
    use Kind::{Bool, Bytes, Date, Float4, Float8, Instant, Int2, Int4, Int8, Numeric, Printed, Span, Stamp, Text, Time};
    Some(match (kind_of(given), kind) {
        (_, Printed) => 1,
        (None, _) if given.is_null() => 0,
        (Some(given), kind) if given == kind => 0,
        (Some(Int2), Int4) | (Some(Int4), Int8) | (Some(Float4), Float8) | (Some(Date), Instant) => 1,
        (Some(Int2), Int8) | (Some(Date), Stamp) => 2,
        (Some(Int2 | Int4 | Int8), Float8) => 3,
        (Some(Stamp), Instant) | (Some(Numeric), Float8) => 3,
        (Some(Int2 | Int4 | Int8), Numeric) => 4,
        // A constant that fits is an integer before it is anything else.
        (Some(Int8), Int4) => 2,
        (Some(Time), Span) => 5,
        // Of the types a literal may have, those that Postgres prefers.
        (Some(Text), Bool | Float8 | Instant | Span) => 5,
        (Some(Text), Int2 | Int4 | Int8 | Numeric | Bytes | Date | Stamp | Time) => 6,
        _ => return None,
    })
}

fn kind_of(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Boolean => Kind::Bool,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Kind::Int2,
        DataType::Int32 | DataType::UInt16 => Kind::Int4,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Kind::Int8,
        DataType::Float32 => Kind::Float4,
        DataType::Float64 => Kind::Float8,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => Kind::Numeric,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Bytes,
        DataType::Date32 => Kind::Date,
        DataType::Timestamp(_, None) => Kind::Stamp,
        DataType::Timestamp(_, Some(_)) => Kind::Instant,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Time,
        DataType::Interval(_) => Kind::Span,
        any if layouts::is_any_numeric(any) => Kind::Numeric,
        _ => return None,
    })
}

/// The Arrow type a value of the kind has.
fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int2 => DataType::Int16,
        Kind::Int4 => DataType::Int32,
        Kind::Int8 => DataType::Int64,
        Kind::Float4 => DataType::Float32,
        Kind::Float8 => DataType::Float64,
        Kind::Numeric => layouts::any_numeric(),
        Kind::Text | Kind::Printed => DataType::Utf8,
        Kind::Bytes => DataType::Binary,
        Kind::Date => DataType::Date32,
        Kind::Stamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Time => DataType::Time64(TimeUnit::Microsecond),
        Kind::Span => DataType::Interval(IntervalUnit::MonthDayNano),
    }
}

/// The type a given argument is cast to: exact numbers stay as they are, for each has its own way to be read.
fn coerced(given: &DataType, kind: Kind) -> DataType {
    match (kind, given) {
        // Its text is a word, what it prints as a letter.
        (Kind::Printed, DataType::Boolean) => DataType::Boolean,
        (Kind::Numeric, given) if exact::is_exact(given) || given.is_null() => given.clone(),
        (Kind::Numeric, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => DataType::Utf8,
        (Kind::Numeric, given) => given.clone(),
        // Arrow has no cast from it.
        (Kind::Printed | Kind::Float4 | Kind::Float8, any) if layouts::is_any_numeric(any) => any.clone(),
        (kind, _) => data_type(kind),
    }
}

fn read(array: &ArrayRef, row: usize) -> SqlResult<Option<Value>> {
    if array.is_null(row) {
        return Ok(None);
    }
    Ok(Some(match array.data_type() {
        DataType::Null => return Ok(None),
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int16 => Value::Int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_owned()),
        DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Value::Stamp(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Time64(TimeUnit::Microsecond) => Value::Time(array.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let span = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            Value::Span(Span { months: span.months.into(), days: span.days.into(), micros: span.nanoseconds / 1000 })
        }
        number if exact::is_numeric(number) => Value::Numeric(Column::of(array)?.get(row)?),
        other => return Err(SqlError::internal(format!("F20: an argument of type {other}"))),
    }))
}

macro_rules! built {
    ($builder:expr, $answers:expr, $pattern:pat => $value:expr) => {{
        let mut builder = $builder;
        for answer in $answers {
            match answer {
                None => builder.append_null(),
                Some($pattern) => builder.append_value($value),
                Some(other) => return Err(SqlError::internal(format!("F20: an answer of another type: {other:?}"))),
            }
        }
        Arc::new(builder.finish())
    }};
}

fn build(answers: Vec<Option<Value>>, returns: &DataType) -> SqlResult<ArrayRef> {
    let narrow = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", types::name(returns)));
    Ok(match returns {
        DataType::Boolean => built!(BooleanBuilder::new(), answers, Value::Bool(value) => value),
        DataType::Int16 => built!(Int16Builder::new(), answers, Value::Int(value) => i16::try_from(value).map_err(|_| narrow())?),
        DataType::Int32 => built!(Int32Builder::new(), answers, Value::Int(value) => i32::try_from(value).map_err(|_| narrow())?),
        DataType::Int64 => built!(Int64Builder::new(), answers, Value::Int(value) => value),
        DataType::Float32 => built!(Float32Builder::new(), answers, Value::Float(value) => value as f32),
        DataType::Float64 => built!(Float64Builder::new(), answers, Value::Float(value) => value),
        DataType::Decimal128(precision, scale) => {
            let builder = Decimal128Builder::new().with_precision_and_scale(*precision, *scale);
            let builder = builder.map_err(|error| SqlError::internal(error.to_string()))?;
            built!(builder, answers, Value::Numeric(value) => narrow_numeric(&value, *scale)?)
        }
        any if layouts::is_any_numeric(any) => {
            let number = |answer| match answer {
                None => Ok(None),
                Some(Value::Numeric(value)) => value.checked().map(Some),
                Some(other) => Err(SqlError::internal(format!("F20: an answer of another type: {other:?}"))),
            };
            columns::collect(answers.into_iter().map(number))?
        }
        DataType::Utf8 => built!(StringBuilder::new(), answers, Value::Text(value) => value),
        DataType::Binary => built!(BinaryBuilder::new(), answers, Value::Bytes(value) => value),
        DataType::Date32 => built!(Date32Builder::new(), answers, Value::Date(value) => value),
        DataType::Timestamp(_, None) => built!(TimestampMicrosecondBuilder::new(), answers, Value::Stamp(value) => value),
        DataType::Timestamp(_, Some(_)) => {
            built!(TimestampMicrosecondBuilder::new().with_timezone("UTC"), answers, Value::Stamp(value) => value)
        }
        DataType::Time64(_) => built!(Time64MicrosecondBuilder::new(), answers, Value::Time(value) => value),
        DataType::Interval(_) => built!(IntervalMonthDayNanoBuilder::new(), answers, Value::Span(span) => month_day_nano(span)?),
        DataType::List(item) if matches!(item.data_type(), DataType::List(_)) => {
            let mut builder = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
            for answer in answers {
                match answer {
                    Some(Value::Lists(lists)) => {
                        for list in lists {
                            builder.values().append_value(list);
                        }
                        builder.append(true);
                    }
                    _ => builder.append(false),
                }
            }
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for answer in answers {
                match answer {
                    Some(Value::Texts(texts)) => builder.append_value(texts),
                    _ => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
    })
}

fn month_day_nano(span: Span) -> SqlResult<arrow::datatypes::IntervalMonthDayNano> {
    let out_of_range = || SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range");
    Ok(arrow::datatypes::IntervalMonthDayNano {
        months: i32::try_from(span.months).map_err(|_| out_of_range())?,
        days: i32::try_from(span.days).map_err(|_| out_of_range())?,
        nanoseconds: span.micros.checked_mul(1000).ok_or_else(out_of_range)?,
    })
}

/// A number in units of `10^-scale`, halves away from zero. Errors: 22003.
fn narrow_numeric(value: &Numeric, scale: i8) -> SqlResult<i128> {
    let overflow = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric value out of range");
    let limit = Limit { precision: DECIMAL128_MAX_PRECISION.into(), scale: scale.into() };
    let unscaled = limit.unscaled(value)?.ok_or_else(overflow)?;
    i128::try_from(unscaled).map_err(|_| overflow())
}
