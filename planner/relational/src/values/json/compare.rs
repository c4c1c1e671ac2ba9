//! `@>`, `?`, and the order of `jsonb` values.
//!
//! O1: Object > Array > Boolean > Number > String > Null; an empty array stands before everything.

use std::cmp::Ordering;

use super::parse::{Kind, Value};

/// The order of keys: by length, then by bytes.
pub(super) fn key_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

/// Whether `left @> right`.
pub fn contains(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (&left.kind, &right.kind) {
        // A scalar stands for an array of itself on the right, at the top only.
        (Kind::Array(elements), kind) if !matches!(kind, Kind::Array(_) | Kind::Object(_)) => {
            elements.iter().any(|element| is_same_scalar(element, right))
        }
        _ => contains_nested(left, right),
    }
}

fn contains_nested(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::Object(have), Kind::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| have.iter().rev().find(|(known, _)| known == key).is_some_and(|(_, have)| contains_nested(have, wanted))),
        (Kind::Array(have), Kind::Array(wanted)) => wanted.iter().all(|wanted| have.iter().any(|have| contains_nested(have, wanted))),
        (Kind::Object(_) | Kind::Array(_), _) | (_, Kind::Object(_) | Kind::Array(_)) => false,
        _ => is_same_scalar(left, right),
    }
}

fn is_same_scalar(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(left), Kind::Bool(right)) => left == right,
        (Kind::String(left), Kind::String(right)) => left == right,
        (Kind::Number, Kind::Number) => same_number(left.text) == same_number(right.text),
        _ => false,
    }
}

/// A number in its one form, without zeros at the end of its fraction.
fn same_number(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Whether a key of an object, a string of an array, or the string itself is this one.
pub fn exists(value: &Value<'_>, key: &str) -> bool {
    match &value.kind {
        Kind::Object(members) => members.iter().any(|(known, _)| known == key),
        Kind::Array(elements) => elements.iter().any(|element| matches!(&element.kind, Kind::String(text) if text == key)),
        Kind::String(text) => text == key,
        _ => false,
    }
}

/// Bytes that sort and are equal as `jsonb` values do (O1).
pub fn sort_key(value: &Value<'_>) -> Vec<u8> {
    let mut key = Vec::new();
    put(value, true, &mut key);
    key
}

fn put(value: &Value<'_>, is_top: bool, key: &mut Vec<u8>) {
    match &value.kind {
        Kind::Array(elements) if elements.is_empty() && is_top => key.push(0),
        Kind::Null => key.push(1),
        Kind::String(text) => {
            key.push(2);
            put_string(text, key);
        }
        Kind::Number => {
            key.push(3);
            put_number(value.text, key);
        }
        Kind::Bool(value) => key.extend_from_slice(&[4, u8::from(*value)]),
        Kind::Array(elements) => {
            key.push(5);
            key.extend_from_slice(&(elements.len() as u32).to_be_bytes());
            elements.iter().for_each(|element| put(element, false, key));
        }
        Kind::Object(members) => {
            key.push(6);
            key.extend_from_slice(&(members.len() as u32).to_be_bytes());
            for (name, member) in members {
                key.extend_from_slice(&(name.len() as u32).to_be_bytes());
                key.extend_from_slice(name.as_bytes());
                put(member, false, key);
            }
        }
    }
}

/// Ends below any byte that could follow: no JSON string of a `jsonb` holds a NUL.
fn put_string(text: &str, key: &mut Vec<u8>) {
    key.extend_from_slice(text.as_bytes());
    key.push(0);
}

/// Sign, then number of digits before the point, then the digits; all turned over below zero.
fn put_number(text: &str, key: &mut Vec<u8>) {
    let text = same_number(text);
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    if whole.is_empty() && part.bytes().all(|digit| digit == b'0') {
        key.push(1);
        return;
    }
    let start = key.len() + 1;
    key.push(if is_negative { 0 } else { 2 });
    key.extend_from_slice(&(whole.len() as u32).to_be_bytes());
    key.extend(whole.bytes().chain(part.bytes()));
    key.push(0);
    if is_negative {
        key[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}
