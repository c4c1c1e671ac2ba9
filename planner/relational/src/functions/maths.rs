//! Mathematical functions with Postgres's result types and errors.
//!
//! F24: a result outside the function's domain is an error with its SQLSTATE (2201E, 2201F, 2201G, 22003), never NaN.
//! F25: functions of `numeric` are those of `values::numeric`; their results keep their own display scales.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function, volatile};
use crate::functions::text::int;
use crate::values::numeric as numbers;

use Kind::{Float4, Float8, Int2, Int4, Int8, Numeric};

const FLOAT: Returns = Returns::Is(Float8);
const NUMERIC: Returns = Returns::Is(Numeric);

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut all = exact();
    all.extend(transcendental());
    all.extend(of_degrees());
    all
}

fn exact() -> Vec<ScalarUDF> {
    const WHOLES: [Form; 3] =
        [form(&[Int2], Returns::Is(Int2), abs_int), form(&[Int4], Returns::Is(Int4), abs_int), form(&[Int8], Returns::Is(Int8), abs_int)];
    const NOT: &[Form] = &[
        form(&[Int2], Returns::Is(Int2), |args| Ok(Some(Value::Int(!int(args, 0))))),
        form(&[Int4], Returns::Is(Int4), |args| Ok(Some(Value::Int(!int(args, 0))))),
        form(&[Int8], Returns::Is(Int8), |args| Ok(Some(Value::Int(!int(args, 0))))),
    ];
    const ABS: &[Form] = &[
        WHOLES[0],
        WHOLES[1],
        WHOLES[2],
        form(&[Float4], Returns::Is(Float4), |args| float(float_at(args, 0).abs())),
        form(&[Float8], FLOAT, |args| float(float_at(args, 0).abs())),
        form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.absolute())),
    ];
    const SIGN: &[Form] = &[form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.sign())), form(&[Float8], FLOAT, sign_float)];
    const CEIL: &[Form] = &[
        form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.ceiling())),
        form(&[Float8], FLOAT, |args| float(float_at(args, 0).ceil())),
    ];
    const FLOOR: &[Form] = &[
        form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.floor())),
        form(&[Float8], FLOAT, |args| float(float_at(args, 0).floor())),
    ];
    const ROUND: &[Form] = &[
        form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.round(0))),
        form(&[Float8], FLOAT, |args| float(float_at(args, 0).round_ties_even())),
        form(&[Numeric, Int4], NUMERIC, |args| number(numeric_at(args, 0)?.round(int(args, 1)))),
    ];
    const TRUNC: &[Form] = &[
        form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.truncate(0))),
        form(&[Float8], FLOAT, |args| float(float_at(args, 0).trunc())),
        form(&[Numeric, Int4], NUMERIC, |args| number(numeric_at(args, 0)?.truncate(int(args, 1)))),
    ];
    const GCD: &[Form] = &[
        form(&[Int4, Int4], Returns::Is(Int4), gcd_int),
        form(&[Int8, Int8], Returns::Is(Int8), gcd_int),
        form(&[Numeric, Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.greatest_divisor(numeric_at(args, 1)?))),
    ];
    const LCM: &[Form] = &[
        form(&[Int4, Int4], Returns::Is(Int4), lcm_int),
        form(&[Int8, Int8], Returns::Is(Int8), lcm_int),
        form(&[Numeric, Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.least_multiple(numeric_at(args, 1)?)?)),
    ];
    const BUCKET: &[Form] = &[
        form(&[Numeric, Numeric, Numeric, Int4], Returns::Is(Int4), bucket_numeric),
        form(&[Float8, Float8, Float8, Int4], Returns::Is(Int4), bucket),
    ];
    const DIV: &[Form] = &[form(&[Numeric, Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.divide_whole(numeric_at(args, 1)?)?))];
    const INT4: Returns = Returns::Is(Int4);
    vec![
        function("abs", ABS),
        function("bitwise_not", NOT),
        function("div", DIV),
        function("sign", SIGN),
        function("ceil", CEIL),
        function("floor", FLOOR),
        function("round", ROUND),
        function("trunc", TRUNC),
        function("gcd", GCD),
        function("lcm", LCM),
        function("factorial", &[form(&[Int8], NUMERIC, |args| number(numbers::Numeric::factorial(int(args, 0))?))]),
        function("width_bucket", BUCKET),
        function("scale", &[form(&[Numeric], INT4, |args| places(numeric_at(args, 0)?.scale()))]),
        function("min_scale", &[form(&[Numeric], INT4, |args| places(numeric_at(args, 0)?.least_scale()))]),
        function("trim_scale", &[form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.trimmed()))]),
        volatile("setseed", &[form(&[Float8], Returns::Is(Kind::Text), setseed)]),
    ]
}

fn transcendental() -> Vec<ScalarUDF> {
    const SQRT: &[Form] =
        &[form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.square_root()?)), form(&[Float8], FLOAT, |args| float(sqrt(args)?))];
    const EXP: &[Form] =
        &[form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.exponential()?)), form(&[Float8], FLOAT, |args| float(exp(args)?))];
    const LN: &[Form] = &[
        form(&[Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.natural_logarithm()?)),
        form(&[Float8], FLOAT, |args| float(ln(args)?)),
    ];
    const LOG10: &[Form] = &[form(&[Numeric], NUMERIC, log10_numeric), form(&[Float8], FLOAT, |args| float(log10(args)?))];
    const LOG: &[Form] =
        &[LOG10[0], LOG10[1], form(&[Numeric, Numeric], NUMERIC, |args| number(numeric_at(args, 1)?.logarithm(numeric_at(args, 0)?)?))];
    const POWER: &[Form] = &[
        form(&[Numeric, Numeric], NUMERIC, |args| number(numeric_at(args, 0)?.power(numeric_at(args, 1)?)?)),
        form(&[Float8, Float8], FLOAT, |args| float(power(args)?)),
    ];
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
        Some(Some(Value::Numeric(value))) => value.to_float(),
        _ => 0.0,
    }
}

fn numeric_at(args: &[Option<Value>], at: usize) -> SqlResult<&numbers::Numeric> {
    match args.get(at) {
        Some(Some(Value::Numeric(value))) => Ok(value),
        _ => Err(SqlError::internal("F20: an argument is no numeric")),
    }
}

fn number(value: numbers::Numeric) -> Answer {
    Ok(Some(Value::Numeric(value)))
}

/// Digits after the point, of a finite number.
fn places(digits: Option<u32>) -> Answer {
    Ok(digits.map(|digits| Value::Int(digits.into())))
}

fn log10_numeric(args: &[Option<Value>]) -> Answer {
    number(numeric_at(args, 0)?.logarithm(&numbers::Numeric::integer(10))?)
}

/// 22003 where the smallest integer has no opposite.
fn abs_int(args: &[Option<Value>]) -> Answer {
    integer(Some(int(args, 0).unsigned_abs()))
}

fn float(value: f64) -> Answer {
    Ok(Some(Value::Float(value)))
}

fn sign_float(args: &[Option<Value>]) -> Answer {
    let value = float_at(args, 0);
    float(if value == 0.0 || value.is_nan() { value } else { value.signum() })
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

/// The bucket of a number, exactly.
fn bucket_numeric(args: &[Option<Value>]) -> Answer {
    let (value, low, high, count) = (numeric_at(args, 0)?, numeric_at(args, 1)?, numeric_at(args, 2)?, int(args, 3));
    if count <= 0 {
        return Err(bad_bucket("count must be greater than zero"));
    }
    if [value, low, high].iter().any(|number| number.is_nan()) {
        return Err(bad_bucket("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.scale().is_none() || high.scale().is_none() {
        return Err(bad_bucket("lower and upper bounds must be finite"));
    }
    let order = low.compare(high);
    if order.is_eq() {
        return Err(bad_bucket("lower bound cannot equal upper bound"));
    }
    // Before the first bound, in the direction of the second.
    if value.compare(low) == order {
        return Ok(Some(Value::Int(0)));
    }
    if value.compare(high) != order {
        return Ok(Some(Value::Int(count + 1)));
    }
    let (distance, width) = (value.subtract(low)?, high.subtract(low)?);
    let bucket = distance.multiply(&numbers::Numeric::integer(count))?.divide_whole(&width)?;
    Ok(Some(Value::Int(bucket.to_integer("integer")? + 1)))
}

fn bad_bucket(message: &str) -> SqlError {
    SqlError::new(SqlState("2201G"), message.to_owned())
}

fn bucket(args: &[Option<Value>]) -> Answer {
    let (value, low, high, count) = (float_at(args, 0), float_at(args, 1), float_at(args, 2), int(args, 3));
    let wrong = |message: &str| Err(bad_bucket(message));
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
