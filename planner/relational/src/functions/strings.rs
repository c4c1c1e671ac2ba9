//! Functions that take text and bytes alike, and that DataFusion has for text only.
//!
//! F43: lengths and places of a text count characters, of bytes bytes.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::functions::text::{answer, bytes, int, text};

use Kind::{Bytes, Int4, Int8, Text};

const TEXT: Returns = Returns::Is(Text);
const BYTES: Returns = Returns::Is(Bytes);
const INT4: Returns = Returns::Is(Int4);

/// Every function of the family.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    const LENGTH: &[Form] = &[form(&[Text], INT4, characters), form(&[Bytes], INT4, |args| whole(bytes(args, 0).len()))];
    const POSITION: &[Form] = &[form(&[Text, Text], INT4, place), form(&[Bytes, Bytes], INT4, place_in_bytes)];
    const OVERLAY: &[Form] = &[
        form(&[Text, Text, Int4], TEXT, overlay),
        form(&[Text, Text, Int4, Int4], TEXT, overlay),
        form(&[Bytes, Bytes, Int4], BYTES, overlay_bytes),
        form(&[Bytes, Bytes, Int4, Int4], BYTES, overlay_bytes),
    ];
    const fn trims(of_text: fn(&[Option<Value>]) -> Answer, of_bytes: fn(&[Option<Value>]) -> Answer) -> [Form; 3] {
        [form(&[Text], TEXT, of_text), form(&[Text, Text], TEXT, of_text), form(&[Bytes, Bytes], BYTES, of_bytes)]
    }
    const BOTH: &[Form] = &trims(|args| trimmed(args, true, true), |args| trimmed_bytes(args, true, true));
    const LEFT: &[Form] = &trims(|args| trimmed(args, true, false), |args| trimmed_bytes(args, true, false));
    const RIGHT: &[Form] = &trims(|args| trimmed(args, false, true), |args| trimmed_bytes(args, false, true));
    vec![
        function("length", LENGTH),
        function("character_length", LENGTH),
        function("strpos", POSITION),
        function("overlay", OVERLAY),
        function("btrim", BOTH),
        function("ltrim", LEFT),
        function("rtrim", RIGHT),
        function("left", &[form(&[Text, Int4], TEXT, left)]),
        function("right", &[form(&[Text, Int4], TEXT, right)]),
        function("split_part", &[form(&[Text, Text, Int4], TEXT, split_part)]),
        function("set_bit", &[form(&[Bytes, Int8, Int4], BYTES, set_bit)]),
        function(
            "bit_count",
            &[form(&[Bytes], Returns::Is(Int8), |args| {
                Ok(Some(Value::Int(bytes(args, 0).iter().map(|byte| i64::from(byte.count_ones())).sum())))
            })],
        ),
        function("pg_size_pretty", &[form(&[Int8], TEXT, |args| answer(size_pretty(int(args, 0))))]),
        function("pg_size_bytes", &[form(&[Text], Returns::Is(Int8), size_bytes)]),
        function("pg_client_encoding", &[form(&[], TEXT, |_| answer("UTF8"))]),
        function("getdatabaseencoding", &[form(&[], TEXT, |_| answer("UTF8"))]),
        function("pg_is_in_recovery", &[form(&[], Returns::Is(Kind::Bool), |_| Ok(Some(Value::Bool(false))))]),
    ]
}

fn whole(count: usize) -> Answer {
    Ok(Some(Value::Int(i64::try_from(count).unwrap_or(i64::MAX))))
}

fn characters(args: &[Option<Value>]) -> Answer {
    whole(text(args, 0).chars().count())
}

/// Where the second text begins in the first, from 1; 0 if nowhere.
fn place(args: &[Option<Value>]) -> Answer {
    let (hay, needle) = (text(args, 0), text(args, 1));
    whole(hay.find(needle).map_or(0, |at| hay[..at].chars().count() + 1))
}

fn place_in_bytes(args: &[Option<Value>]) -> Answer {
    let (hay, needle) = (bytes(args, 0), bytes(args, 1));
    let at = if needle.is_empty() { Some(0) } else { hay.windows(needle.len()).position(|window| window == needle) };
    whole(at.map_or(0, |at| at + 1))
}

/// First place and length that a replacement takes. Errors: 22011.
fn taken(args: &[Option<Value>], length: usize) -> SqlResult<(usize, usize)> {
    let from = int(args, 2);
    let count = if args.len() > 3 { int(args, 3) } else { i64::try_from(length).unwrap_or(i64::MAX) };
    if from <= 0 {
        return Err(SqlError::new(SqlState("22011"), "negative substring length not allowed"));
    }
    let start = usize::try_from(from - 1).unwrap_or(0);
    let end = usize::try_from((from - 1).saturating_add(count)).unwrap_or(0);
    Ok((start, end))
}

fn overlay(args: &[Option<Value>]) -> Answer {
    let (value, new) = (text(args, 0), text(args, 1));
    let (start, end) = taken(args, new.chars().count())?;
    let head: String = value.chars().take(start).collect();
    let tail: String = value.chars().skip(end).collect();
    answer(head + new + &tail)
}

fn overlay_bytes(args: &[Option<Value>]) -> Answer {
    let (value, new) = (bytes(args, 0), bytes(args, 1));
    let (start, end) = taken(args, new.len())?;
    let head = &value[..start.min(value.len())];
    let tail = value.get(end..).unwrap_or_default();
    Ok(Some(Value::Bytes([head, new, tail].concat())))
}

fn trimmed(args: &[Option<Value>], at_start: bool, at_end: bool) -> Answer {
    let set: Vec<char> = if args.len() > 1 { text(args, 1).chars().collect() } else { vec![' '] };
    let mut value = text(args, 0);
    if at_start {
        value = value.trim_start_matches(set.as_slice());
    }
    if at_end {
        value = value.trim_end_matches(set.as_slice());
    }
    answer(value)
}

fn trimmed_bytes(args: &[Option<Value>], at_start: bool, at_end: bool) -> Answer {
    let (mut value, set) = (bytes(args, 0), bytes(args, 1));
    while at_start && value.first().is_some_and(|first| set.contains(first)) {
        value = &value[1..];
    }
    while at_end && value.last().is_some_and(|last| set.contains(last)) {
        value = &value[..value.len() - 1];
    }
    Ok(Some(Value::Bytes(value.to_vec())))
}

/// How many characters a number takes of a text: from the other side what a negative one leaves.
fn count(args: &[Option<Value>], length: usize) -> usize {
    let n = int(args, 1);
    let size = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    if n < 0 { length.saturating_sub(size) } else { size.min(length) }
}

fn left(args: &[Option<Value>]) -> Answer {
    let value = text(args, 0);
    answer(value.chars().take(count(args, value.chars().count())).collect::<String>())
}

fn right(args: &[Option<Value>]) -> Answer {
    let value = text(args, 0);
    let length = value.chars().count();
    answer(value.chars().skip(length - count(args, length)).collect::<String>())
}

/// A field between separators, from 1; from the end if negative. Errors: 22023 for 0.
fn split_part(args: &[Option<Value>]) -> Answer {
    let (value, separator, at) = (text(args, 0), text(args, 1), int(args, 2));
    if at == 0 {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "field position must not be zero"));
    }
    let fields: Vec<&str> = if separator.is_empty() { vec![value] } else { value.split(separator).collect() };
    let index = usize::try_from(at.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let found = if at > 0 { fields.get(index) } else { fields.iter().rev().nth(index) };
    answer(found.copied().unwrap_or_default())
}

fn set_bit(args: &[Option<Value>]) -> Answer {
    let (mut value, at, bit) = (bytes(args, 0).to_vec(), int(args, 1), int(args, 2));
    let bits = i64::try_from(value.len()).unwrap_or(0) * 8;
    if !(0..bits).contains(&at) {
        let message = format!("index {at} out of valid range, 0..{}", bits - 1);
        return Err(SqlError::new(SqlState("2202E"), message));
    }
    if !matches!(bit, 0 | 1) {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "new bit must be 0 or 1"));
    }
    let (byte, mask) = (usize::try_from(at / 8).unwrap_or(0), 1_u8 << (at % 8));
    value[byte] = if bit == 1 { value[byte] | mask } else { value[byte] & !mask };
    Ok(Some(Value::Bytes(value)))
}

/// Bytes in the largest unit of which there are at least ten, rounded.
fn size_pretty(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut size, mut unit) = (i128::from(bytes), 0);
    // All but the first unit count halves, so that the last step rounds.
    while unit + 1 < UNITS.len() && size.unsigned_abs() >= if unit == 0 { 10 * 1024 } else { 20 * 1024 - 1 } {
        size = if unit == 0 { size / 512 } else { size / 1024 };
        unit += 1;
    }
    let shown = if unit == 0 { size } else { (size + size.signum()) / 2 };
    format!("{shown} {}", UNITS[unit])
}

fn size_bytes(args: &[Option<Value>]) -> Answer {
    let given = text(args, 0);
    let invalid = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid size: \"{given}\""));
    let trimmed = given.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+' | 'e' | 'E')).unwrap_or(trimmed.len());
    let number: f64 = trimmed[..end].parse().map_err(|_| invalid())?;
    let factor: f64 = match trimmed[end..].trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1.0,
        "kb" => 1024.0,
        "mb" => 1024.0 * 1024.0,
        "gb" => 1024.0_f64.powi(3),
        "tb" => 1024.0_f64.powi(4),
        "pb" => 1024.0_f64.powi(5),
        unit => {
            return Err(invalid()
                .detail(format!("Invalid size unit: \"{unit}\"."))
                .hint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
        }
    };
    Ok(Some(Value::Int((number * factor).round() as i64)))
}
