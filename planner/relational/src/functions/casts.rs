//! Casts whose result differs between Arrow and Postgres.
//!
//! F8: a number becomes an integer by rounding (floating point: half to even; numeric: half away from zero), and 22003 if it does not fit.
//! F9: text becomes `bytea` by its input syntax (`\x…` or escapes), never by copying.
//! F10: `bytea` and floating point become text as Postgres prints them.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Int16Array, Int32Array, Int64Array, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::functions::types;
use crate::session_options::manner_of;
use crate::values::manner::{BytesStyle, Manner};

fn of(from: &DataType, to: &DataType) -> Option<Checked> {
    let name = match (from, to) {
        (DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..), DataType::Int16) => "int2",
        (DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..), DataType::Int32) => "int4",
        (DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..), DataType::Int64) => "int8",
        (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, DataType::Binary) => "byteain",
        (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, DataType::Utf8) => "byteaout",
        (DataType::Float32, DataType::Utf8) => "float4out",
        (DataType::Float64, DataType::Utf8) => "float8out",
        _ => return None,
    };
    let signature = Signature::exact(vec![from.clone()], Volatility::Immutable);
    Some(Checked { name, from: from.clone(), to: to.clone(), signature })
}

/// The function for a cast that Arrow would do differently, if it is one.
pub(crate) fn checked(from: &DataType, to: &DataType) -> Option<Arc<ScalarUDF>> {
    Some(Arc::new(ScalarUDF::from(of(from, to)?)))
}

/// The cast itself, if it is one that Arrow would do differently.
pub(crate) fn apply(array: &ArrayRef, to: &DataType, manner: &Manner) -> Option<SqlResult<ArrayRef>> {
    Some(of(array.data_type(), to)?.answer(array, manner))
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Checked {
    name: &'static str,
    from: DataType,
    to: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let Some(array) = arrays.first() else {
            return Err(DataFusionError::Internal(format!("{} takes one argument", self.name)));
        };
        Ok(ColumnarValue::Array(
            self.answer(array, &manner_of(&args.config_options)).map_err(|error| DataFusionError::External(Box::new(error)))?,
        ))
    }
}

impl Checked {
    fn answer(&self, array: &ArrayRef, manner: &Manner) -> SqlResult<ArrayRef> {
        match self.to {
            DataType::Binary => bytea_in(array),
            DataType::Utf8 => self.print(array, manner),
            _ => self.round(array),
        }
    }

    /// F8.
    fn round(&self, array: &ArrayRef) -> SqlResult<ArrayRef> {
        let out_of_range = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", types::name(&self.to)));
        let rounded: Vec<Option<i64>> = match self.from {
            DataType::Decimal128(_, scale) => {
                let unit = u32::try_from(scale).ok().map(|scale| 10_i128.pow(scale)).ok_or_else(out_of_range)?;
                let round = |value: i128| i64::try_from(round_half_away(value, unit)).map_err(|_| out_of_range());
                array.as_primitive::<Decimal128Type>().iter().map(|value| value.map(round).transpose()).collect::<SqlResult<_>>()?
            }
            _ => {
                let floats = cast(array, &DataType::Float64).map_err(|error| SqlError::internal(error.to_string()))?;
                let round = |value: f64| {
                    let rounded = value.round_ties_even();
                    // 2^63 is a double, i64::MAX is not.
                    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
                    if fits { Ok(rounded as i64) } else { Err(out_of_range()) }
                };
                floats.as_primitive::<Float64Type>().iter().map(|value| value.map(round).transpose()).collect::<SqlResult<_>>()?
            }
        };
        Ok(match self.to {
            DataType::Int16 => {
                let narrow = |value: i64| i16::try_from(value).map_err(|_| out_of_range());
                Arc::new(rounded.into_iter().map(|value| value.map(narrow).transpose()).collect::<SqlResult<Int16Array>>()?)
            }
            DataType::Int32 => {
                let narrow = |value: i64| i32::try_from(value).map_err(|_| out_of_range());
                Arc::new(rounded.into_iter().map(|value| value.map(narrow).transpose()).collect::<SqlResult<Int32Array>>()?)
            }
            _ => Arc::new(Int64Array::from(rounded)),
        })
    }

    /// F10.
    fn print(&self, array: &ArrayRef, manner: &Manner) -> SqlResult<ArrayRef> {
        let convert = |to: &DataType| cast(array, to).map_err(|error| SqlError::internal(error.to_string()));
        let mut text = StringBuilder::with_capacity(array.len(), array.len() * 16);
        let mut value = String::new();
        let mut each = |row: usize, print: &mut dyn FnMut(&mut String)| {
            if array.is_null(row) {
                text.append_null();
            } else {
                value.clear();
                print(&mut value);
                text.append_value(&value);
            }
        };
        match &self.from {
            DataType::Float32 => {
                let floats = array.as_primitive::<arrow::datatypes::Float32Type>();
                (0..array.len()).for_each(|row| each(row, &mut |out| print_float(&format!("{:e}", floats.value(row)), 6, out)));
            }
            DataType::Float64 => {
                let floats = array.as_primitive::<Float64Type>();
                (0..array.len()).for_each(|row| each(row, &mut |out| print_float(&format!("{:e}", floats.value(row)), 15, out)));
            }
            _ => {
                let bytes = convert(&DataType::Binary)?;
                let bytes = bytes.as_binary::<i32>();
                (0..array.len()).for_each(|row| each(row, &mut |out| print_bytes(bytes.value(row), manner.bytes, out)));
            }
        }
        Ok(Arc::new(text.finish()))
    }
}

/// `value / unit`, halves away from zero.
fn round_half_away(value: i128, unit: i128) -> i128 {
    let (whole, rest) = (value / unit, value % unit);
    if rest.abs() >= unit - rest.abs() && rest != 0 { whole + rest.signum() } else { whole }
}

/// A number from Rust's shortest scientific form, laid out as Postgres does: `digits` is the exponent from which it turns scientific.
fn print_float(scientific: &str, digits: i32, out: &mut String) {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        out.push_str(match scientific {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            other => other,
        });
        return;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    out.push_str(sign);
    if !(-4..digits).contains(&exponent) {
        let (sign, size) = if exponent < 0 { ('-', -exponent) } else { ('+', exponent) };
        _ = write!(out, "{mantissa}e{sign}{size:02}");
        return;
    }
    let all: String = mantissa.chars().filter(|c| *c != '.').collect();
    if exponent < 0 {
        out.push_str("0.");
        (1..-exponent).for_each(|_| out.push('0'));
        out.push_str(&all);
        return;
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if all.len() <= whole {
        out.push_str(&all);
        (all.len()..whole).for_each(|_| out.push('0'));
    } else {
        out.push_str(&all[..whole]);
        out.push('.');
        out.push_str(&all[whole..]);
    }
}

/// `\x6100`, or `a\000`.
pub(crate) fn print_bytes(bytes: &[u8], style: BytesStyle, out: &mut String) {
    match style {
        BytesStyle::Hex => {
            out.push_str("\\x");
            bytes.iter().for_each(|byte| _ = write!(out, "{byte:02x}"));
        }
        BytesStyle::Escape => bytes.iter().for_each(|byte| match byte {
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(*byte)),
            byte => _ = write!(out, "\\{byte:03o}"),
        }),
    }
}

/// F9.
fn bytea_in(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let text = cast(array, &DataType::Utf8).map_err(|error| SqlError::internal(error.to_string()))?;
    let mut bytes = BinaryBuilder::new();
    for value in text.as_string::<i32>() {
        match value {
            Some(value) => bytes.append_value(decode_bytea(value)?),
            None => bytes.append_null(),
        }
    }
    Ok(Arc::new(bytes.finish()))
}

fn decode_bytea(text: &str) -> SqlResult<Vec<u8>> {
    let Some(hex) = text.strip_prefix("\\x") else { return decode_escapes(text) };
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    let mut high = None;
    for digit in hex.chars().filter(|c| !c.is_ascii_whitespace()) {
        let value = digit
            .to_digit(16)
            .ok_or_else(|| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid hexadecimal digit: \"{digit}\"")))?;
        match high.take() {
            None => high = Some(value),
            Some(first) => bytes.push((first * 16 + value) as u8),
        }
    }
    match high {
        None => Ok(bytes),
        Some(_) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits")),
    }
}

fn decode_escapes(text: &str) -> SqlResult<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                bytes.push(b'\\');
                tail
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                tail
            }
            (b'\\', _) => return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")),
            (other, tail) => {
                bytes.push(other);
                tail
            }
        };
    }
    Ok(bytes)
}
