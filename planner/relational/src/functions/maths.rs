//! Mathematical functions with Postgres's result types and errors.
//!
//! F24: a result outside the function's domain is an error with its SQLSTATE (2201E, 2201F, 2201G, 22003), never NaN.
//! F25: numeric results of transcendental functions are computed in floating point and have sixteen digits after the point.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function, rescale, volatile};
use crate::functions::text::int;

use Kind::{Float8, Int4, Int8, Numeric};

const FLOAT: Returns = Returns::Is(Float8);
const WHOLE: Returns = Returns::Scale(0);
const FINE: Returns = Returns::Scale(16);

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut all = exact();
    all.extend(transcendental());
    all.extend(of_degrees());
    all
}

fn exact() -> Vec<ScalarUDF> {
    const SIGN: &[Form] = &[form(&[Numeric], WHOLE, sign_numeric), form(&[Float8], FLOAT, sign_float)];
    const CEIL: &[Form] = &[form(&[Numeric], WHOLE, ceil_numeric), form(&[Float8], FLOAT, |args| float(float_at(args, 0).ceil()))];
    const FLOOR: &[Form] = &[form(&[Numeric], WHOLE, floor_numeric), form(&[Float8], FLOAT, |args| float(float_at(args, 0).floor()))];
    const GCD: &[Form] = &[form(&[Int4, Int4], Returns::Is(Int4), gcd_int), form(&[Int8, Int8], Returns::Is(Int8), gcd_int)];
    const LCM: &[Form] = &[form(&[Int4, Int4], Returns::Is(Int4), lcm_int), form(&[Int8, Int8], Returns::Is(Int8), lcm_int)];
    const BUCKET: &[Form] = &[
        form(&[Numeric, Numeric, Numeric, Int4], Returns::Is(Int4), bucket),
        form(&[Float8, Float8, Float8, Int4], Returns::Is(Int4), bucket),
    ];
    vec![
        function("div", &[form(&[Numeric, Numeric], WHOLE, div)]),
        function("sign", SIGN),
        function("ceil", CEIL),
        function("floor", FLOOR),
        function("gcd", GCD),
        function("lcm", LCM),
        function("factorial", &[form(&[Int8], WHOLE, factorial)]),
        function("width_bucket", BUCKET),
        function("scale", &[form(&[Numeric], Returns::Is(Int4), scale)]),
        function("min_scale", &[form(&[Numeric], Returns::Is(Int4), min_scale)]),
        volatile("setseed", &[form(&[Float8], Returns::Is(Kind::Text), setseed)]),
    ]
}

fn transcendental() -> Vec<ScalarUDF> {
    const SQRT: &[Form] = &[form(&[Numeric], FINE, |args| fine(sqrt(args)?)), form(&[Float8], FLOAT, |args| float(sqrt(args)?))];
    const EXP: &[Form] = &[form(&[Numeric], FINE, |args| fine(exp(args)?)), form(&[Float8], FLOAT, |args| float(exp(args)?))];
    const LN: &[Form] = &[form(&[Numeric], FINE, |args| fine(ln(args)?)), form(&[Float8], FLOAT, |args| float(ln(args)?))];
    const LOG: &[Form] = &[
        form(&[Numeric], FINE, |args| fine(log10(args)?)),
        form(&[Float8], FLOAT, |args| float(log10(args)?)),
        form(&[Numeric, Numeric], FINE, log_of_base),
    ];
    const LOG10: &[Form] = &[form(&[Numeric], FINE, |args| fine(log10(args)?)), form(&[Float8], FLOAT, |args| float(log10(args)?))];
    const POWER: &[Form] = &[form(&[Numeric, Numeric], FINE, power_numeric), form(&[Float8, Float8], FLOAT, |args| float(power(args)?))];
    vec![
        function("sqrt", SQRT),
        function("exp", EXP),
        function("ln", LN),
        function("log", LOG),
        function("log10", LOG10),
        function("power", POWER),
        function("asin", &[form(&[Float8], FLOAT, |args| float(within(args, f64::asin)?))]),
        function("acos", &[form(&[Float8], FLOAT, |args| float(within(args, f64::acos)?))]),
        function("acosh", &[form(&[Float8], FLOAT, acosh)]),
        function("atanh", &[form(&[Float8], FLOAT, |args| float(within(args, f64::atanh)?))]),
    ]
}

fn of_degrees() -> Vec<ScalarUDF> {
    vec![
        function("sind", &[form(&[Float8], FLOAT, |args| float(sin_of_degrees(float_at(args, 0))))]),
        function("cosd", &[form(&[Float8], FLOAT, |args| float(sin_of_degrees(90.0 - float_at(args, 0).abs())))]),
        function("tand", &[form(&[Float8], FLOAT, |args| float(tan_of_degrees(float_at(args, 0))))]),
        function("cotd", &[form(&[Float8], FLOAT, |args| float(1.0 / tan_of_degrees(float_at(args, 0))))]),
        function("asind", &[form(&[Float8], FLOAT, |args| float(tidy(within(args, f64::asin)?.to_degrees())))]),
        function("acosd", &[form(&[Float8], FLOAT, |args| float(tidy(within(args, f64::acos)?.to_degrees())))]),
        function("atand", &[form(&[Float8], FLOAT, |args| float(tidy(float_at(args, 0).atan().to_degrees())))]),
        function("atan2d", &[form(&[Float8, Float8], FLOAT, |args| float(tidy(float_at(args, 0).atan2(float_at(args, 1)).to_degrees())))]),
    ]
}

/// An argument as a floating-point number.
fn float_at(args: &[Option<Value>], at: usize) -> f64 {
    match args.get(at) {
        Some(Some(Value::Float(value))) => *value,
        Some(Some(Value::Int(value))) => *value as f64,
        Some(Some(Value::Numeric(value, scale))) => (*value as f64) / 10_f64.powi(i32::from(*scale)),
        _ => 0.0,
    }
}

fn numeric_at(args: &[Option<Value>], at: usize) -> (i128, i8) {
    match args.get(at) {
        Some(Some(Value::Numeric(value, scale))) => (*value, *scale),
        _ => (0, 0),
    }
}

fn float(value: f64) -> Answer {
    Ok(Some(Value::Float(value)))
}

/// F25.
fn fine(value: f64) -> Answer {
    // Through its shortest text, so that no binary digits show: 0.1 is 0.1000000000000000.
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len()) as i32 - exponent;
    let (Ok(unscaled), Ok(scale)) = (digits.parse::<i128>(), i8::try_from(fraction)) else { return Err(out_of_range()) };
    let fitted = if scale >= 0 {
        rescale(unscaled, scale, 16)?
    } else {
        let power = 10_i128.checked_pow(u32::from(scale.unsigned_abs()));
        rescale(power.and_then(|power| unscaled.checked_mul(power)).ok_or_else(out_of_range)?, 0, 16)?
    };
    Ok(Some(Value::Numeric(fitted, 16)))
}

fn out_of_range() -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

fn whole(value: i128) -> Answer {
    Ok(Some(Value::Numeric(value, 0)))
}

fn div(args: &[Option<Value>]) -> Answer {
    let ((left, left_scale), (right, right_scale)) = (numeric_at(args, 0), numeric_at(args, 1));
    if right == 0 {
        return Err(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
    }
    let scale = left_scale.max(right_scale);
    whole(rescale(left, left_scale, scale)? / rescale(right, right_scale, scale)?)
}

fn sign_numeric(args: &[Option<Value>]) -> Answer {
    whole(numeric_at(args, 0).0.signum())
}

fn sign_float(args: &[Option<Value>]) -> Answer {
    let value = float_at(args, 0);
    float(if value == 0.0 || value.is_nan() { value } else { value.signum() })
}

fn floor_numeric(args: &[Option<Value>]) -> Answer {
    let (value, scale) = numeric_at(args, 0);
    whole(value.div_euclid(10_i128.pow(u32::from(scale.unsigned_abs()))))
}

fn ceil_numeric(args: &[Option<Value>]) -> Answer {
    let (value, scale) = numeric_at(args, 0);
    whole(-(-value).div_euclid(10_i128.pow(u32::from(scale.unsigned_abs()))))
}

fn gcd(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

fn integer(value: Option<u64>) -> Answer {
    let value = value.and_then(|value| i64::try_from(value).ok());
    Ok(Some(Value::Int(value.ok_or_else(|| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))?)))
}

fn gcd_int(args: &[Option<Value>]) -> Answer {
    integer(Some(gcd(int(args, 0).unsigned_abs(), int(args, 1).unsigned_abs())))
}

fn lcm_int(args: &[Option<Value>]) -> Answer {
    let (left, right) = (int(args, 0).unsigned_abs(), int(args, 1).unsigned_abs());
    if left == 0 || right == 0 {
        return integer(Some(0));
    }
    integer((left / gcd(left, right)).checked_mul(right))
}

fn factorial(args: &[Option<Value>]) -> Answer {
    let n = int(args, 0);
    if n < 0 {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined"));
    }
    let product = (2..=i128::from(n)).try_fold(1_i128, i128::checked_mul);
    whole(rescale(product.ok_or_else(out_of_range)?, 0, 0)?)
}

fn bucket(args: &[Option<Value>]) -> Answer {
    let (value, low, high, count) = (float_at(args, 0), float_at(args, 1), float_at(args, 2), int(args, 3));
    let wrong = |message: &str| Err(SqlError::new(SqlState("2201G"), message));
    if count <= 0 {
        return wrong("count must be greater than zero");
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return wrong("operand, lower bound, and upper bound cannot be NaN");
    }
    if low == high {
        return wrong("lower bound cannot equal upper bound");
    }
    let place = (value - low) / (high - low);
    Ok(Some(Value::Int(if place < 0.0 {
        0
    } else if place >= 1.0 {
        count + 1
    } else {
        (place * count as f64) as i64 + 1
    })))
}

fn scale(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Int(numeric_at(args, 0).1.into())))
}

fn min_scale(args: &[Option<Value>]) -> Answer {
    let (mut value, mut scale) = numeric_at(args, 0);
    while scale > 0 && value % 10 == 0 {
        (value, scale) = (value / 10, scale - 1);
    }
    Ok(Some(Value::Int(scale.into())))
}

/// The seed of a generator that has none: random numbers here are not repeatable.
fn setseed(args: &[Option<Value>]) -> Answer {
    let seed = float_at(args, 0);
    if !(-1.0..=1.0).contains(&seed) {
        let message = format!("setseed parameter {seed} is out of allowed range [-1,1]");
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    Ok(Some(Value::Text(String::new())))
}

fn sqrt(args: &[Option<Value>]) -> SqlResult<f64> {
    let value = float_at(args, 0);
    if value < 0.0 { Err(SqlError::new(SqlState("2201F"), "cannot take square root of a negative number")) } else { Ok(value.sqrt()) }
}

fn exp(args: &[Option<Value>]) -> SqlResult<f64> {
    finite(float_at(args, 0).exp(), &[float_at(args, 0)])
}

/// Errors: 22003 if finite arguments gave an infinite result.
fn finite(result: f64, args: &[f64]) -> SqlResult<f64> {
    if result.is_infinite() && args.iter().all(|arg| arg.is_finite()) {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
    }
    Ok(result)
}

fn positive(value: f64) -> SqlResult<f64> {
    let wrong = |message| Err(SqlError::new(SqlState("2201E"), message));
    if value == 0.0 {
        return wrong("cannot take logarithm of zero");
    }
    if value < 0.0 { wrong("cannot take logarithm of a negative number") } else { Ok(value) }
}

fn ln(args: &[Option<Value>]) -> SqlResult<f64> {
    Ok(positive(float_at(args, 0))?.ln())
}

fn log10(args: &[Option<Value>]) -> SqlResult<f64> {
    Ok(positive(float_at(args, 0))?.log10())
}

fn log_of_base(args: &[Option<Value>]) -> Answer {
    let (base, value) = (positive(float_at(args, 0))?, positive(float_at(args, 1))?);
    if base == 1.0 {
        return Err(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
    }
    let result = if base == 10.0 {
        value.log10()
    } else if base == 2.0 {
        value.log2()
    } else {
        value.ln() / base.ln()
    };
    fine(result)
}

fn power(args: &[Option<Value>]) -> SqlResult<f64> {
    let (base, exponent) = (float_at(args, 0), float_at(args, 1));
    let wrong = |message| Err(SqlError::new(SqlState("2201F"), message));
    if base == 0.0 && exponent < 0.0 {
        return wrong("zero raised to a negative power is undefined");
    }
    if base < 0.0 && exponent.fract() != 0.0 {
        return wrong("a negative number raised to a non-integer power yields a complex result");
    }
    finite(base.powf(exponent), &[base, exponent])
}

/// Exact where the exponent is a small whole number and the result has room.
fn power_numeric(args: &[Option<Value>]) -> Answer {
    let ((base, scale), (exponent, exponent_scale)) = (numeric_at(args, 0), numeric_at(args, 1));
    let approximate = power(args)?;
    let whole_exponent = rescale(exponent, exponent_scale, 0)?;
    if rescale(whole_exponent, 0, exponent_scale)? != exponent {
        return fine(approximate);
    }
    let few = |n: &u32| n.checked_mul(scale.unsigned_abs().into()).is_some_and(|digits| digits <= 16);
    let digits = u32::try_from(whole_exponent).ok().filter(few);
    let exact = digits.and_then(|n| Some((base.checked_pow(n)?, i8::try_from(n * u32::from(scale.unsigned_abs())).ok()?)));
    match exact.map(|(value, scale)| rescale(value, scale, 16)) {
        Some(Ok(value)) => Ok(Some(Value::Numeric(value, 16))),
        _ => fine(approximate),
    }
}

/// Errors: 22003 for an argument outside −1…1.
fn within(args: &[Option<Value>], function: fn(f64) -> f64) -> SqlResult<f64> {
    let value = float_at(args, 0);
    if value.abs() > 1.0 {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range"));
    }
    Ok(function(value))
}

fn acosh(args: &[Option<Value>]) -> Answer {
    let value = float_at(args, 0);
    if value < 1.0 {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range"));
    }
    float(value.acosh())
}

/// Exact where the angle is a multiple of 30° or 90°.
fn sin_of_degrees(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    match turned {
        0.0 | 180.0 => 0.0,
        90.0 => 1.0,
        270.0 => -1.0,
        30.0 | 150.0 => 0.5,
        210.0 | 330.0 => -0.5,
        other => other.to_radians().sin(),
    }
}

fn tan_of_degrees(degrees: f64) -> f64 {
    match degrees.rem_euclid(180.0) {
        0.0 => 0.0,
        45.0 => 1.0,
        135.0 => -1.0,
        90.0 => f64::INFINITY,
        other => other.to_radians().tan(),
    }
}

/// A count of degrees that is whole but for the last bits.
fn tidy(degrees: f64) -> f64 {
    let rounded = degrees.round();
    if (degrees - rounded).abs() < 1e-13 { rounded } else { degrees }
}
