//! Numbers against what PostgreSQL 15 answered (`postgres.txt`), and their bytes.

use std::cmp::Ordering;

use super::{Limit, Numeric, bytes, small, wire};
use base::SqlResult;

/// A number that came the way of text, bytes and the binary format, and is the same after each.
fn number(text: &str) -> SqlResult<Numeric> {
    let value = Numeric::parse(text)?;
    let (mut direct, mut stored, mut shown, mut sent, mut received) = (vec![], vec![], vec![], vec![], vec![]);
    wire::read_text(text, None, &mut direct)?;
    bytes::write(&value, &mut stored);
    assert_eq!(direct, stored, "{text}");
    assert_eq!(bytes::read(&stored)?, value, "{text}");
    wire::write_text(&stored, &mut shown)?;
    assert_eq!(String::from_utf8(shown).unwrap(), value.to_string());
    wire::write_binary(&stored, &mut sent)?;
    wire::read_binary(&sent, None, &mut received)?;
    assert_eq!(received, stored, "{text}");
    Ok(value)
}

type Short = fn((i128, u32), (i128, u32)) -> Option<(i128, u32)>;

/// The short way, where there is one, and the long.
fn both(left: &Numeric, right: &Numeric, short: Short, long: SqlResult<Numeric>) -> SqlResult<Numeric> {
    let parts = |value: &Numeric| match value {
        Numeric::Finite { unscaled, scale } => Some((i128::try_from(unscaled.clone()).ok()?, *scale)),
        _ => None,
    };
    if let Some((unscaled, scale)) = parts(left).zip(parts(right)).and_then(|(left, right)| short(left, right)) {
        assert_eq!(long.as_ref().ok(), Some(&Numeric::new(unscaled, scale)), "{left} and {right}");
    }
    long
}

fn answer(op: &str, left: &str, right: &str) -> SqlResult<Numeric> {
    let a = number(left)?;
    let b = if right.is_empty() || op == "lim" { Numeric::zero() } else { number(right)? };
    let places = || right.parse::<i64>().unwrap();
    match op {
        "+" => both(&a, &b, small::add, a.add(&b)),
        "-" => both(&a, &b, small::subtract, a.subtract(&b)),
        "*" => both(&a, &b, small::multiply, a.multiply(&b)),
        "/" => both(&a, &b, small::divide, a.divide(&b)),
        "%" => both(&a, &b, small::remainder, a.remainder(&b)),
        "div" => a.divide_whole(&b),
        "pow" => a.power(&b),
        "sqrt" => a.square_root(),
        "exp" => a.exponential(),
        "ln" => a.natural_logarithm(),
        "log" => b.logarithm(&a),
        "gcd" => Ok(a.greatest_divisor(&b)),
        "lcm" => a.least_multiple(&b),
        "round" => Ok(a.round(places())),
        "trunc" => Ok(a.truncate(places())),
        "ceil" => Ok(a.ceiling()),
        "floor" => Ok(a.floor()),
        "trim" => Ok(a.trimmed()),
        "sign" => Ok(a.sign()),
        "neg" => Ok(a.negated()),
        "int" => Ok(Numeric::integer(a.to_integer("integer")?)),
        "cmp" => Ok(Numeric::integer(compared(&a, &b) as i32)),
        "lim" => {
            let (precision, scale) = right.split_once(',').unwrap();
            Limit { precision: precision.parse().unwrap(), scale: scale.parse().unwrap() }.apply(a)
        }
        other => panic!("no operation {other}"),
    }
}

/// The order, which keys and whole bytes have too.
fn compared(a: &Numeric, b: &Numeric) -> Ordering {
    let order = a.compare(b);
    let (mut left, mut right) = (vec![], vec![]);
    bytes::write(a, &mut left);
    bytes::write(b, &mut right);
    assert_eq!(bytes::key(&left).cmp(bytes::key(&right)), order, "K1: {a} and {b}");
    assert!(order.is_eq() || left.cmp(&right) == order, "K2: {a} and {b}");
    order
}

#[test]
fn numbers_are_those_of_postgresql() {
    for line in include_str!("postgres.txt").lines() {
        let [op, left, right, expected] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let shown = answer(op, left, right).map_or_else(|error| error.state().0.to_owned(), |value| value.to_string());
        assert_eq!(shown, expected, "{op} {left} {right}");
    }
}

#[test]
fn a_factorial_has_all_its_digits() {
    assert_eq!(Numeric::factorial(20).unwrap().to_string(), "2432902008176640000");
    assert_eq!(Numeric::factorial(-1).unwrap_err().state().0, "22003");
    assert_eq!(Numeric::factorial(100_000).unwrap_err().state().0, "22003");
}

#[test]
fn the_short_way_writes_the_same_bytes() {
    let mut unscaled = 1_i128;
    for step in 0..120 {
        for value in [unscaled, -unscaled, unscaled * 10_000, 0] {
            for scale in [0, 1, 2, 3, 4, 7, 38, 400] {
                let (mut short, mut long) = (vec![], vec![]);
                bytes::write_small(value, scale, &mut short);
                bytes::write_digits(
                    value < 0,
                    value.unsigned_abs().to_string().bytes().map(|b| b - b'0').collect::<Vec<_>>().as_slice(),
                    scale,
                    &mut long,
                );
                assert_eq!(short, long, "{value} {scale}");
            }
        }
        unscaled = unscaled.wrapping_mul(7).wrapping_add(step) % 10_i128.pow(33);
    }
}

#[test]
fn the_longest_numbers_have_a_place() {
    let longest = format!("{}.{}", "9".repeat(131_072), "9".repeat(16_383));
    assert_eq!(number(&longest).unwrap().to_string(), longest);
    assert!(Numeric::parse(&format!("1{}", "0".repeat(131_072))).is_err());
    assert!(Numeric::parse("1e-16384").is_err());
    assert!(Numeric::parse("1e131071").is_ok());
}

#[test]
fn floating_point_goes_through_its_sure_digits() {
    let shown = |value: f64, digits| Numeric::from_float(value, digits).unwrap().to_string();
    assert_eq!(shown(1.5, 15), "1.5");
    assert_eq!(shown(1e20, 15), "100000000000000000000");
    assert_eq!(shown(f64::from(0.1_f32), 6), "0.1");
    assert_eq!(shown(1e-7, 15), "0.0000001");
    assert_eq!(shown(f64::NEG_INFINITY, 15), "-Infinity");
    assert_eq!(Numeric::parse("0.1").unwrap().to_float(), 0.1);
}

#[test]
fn damaged_bytes_are_refused() {
    for damaged in [&[][..], &[3], &[2, 0], &[3, 0x80, 0, 0, 0, 0, 1], &[9, 0, 0], &[3, 0x80, 0, 0, 2, 1, 0, 0, 0, 1]] {
        assert_eq!(bytes::read(damaged).map_err(|error| error.state().0), Err("XX001"), "{damaged:?}");
    }
}
