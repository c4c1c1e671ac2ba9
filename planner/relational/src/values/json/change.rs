//! `||`, `-`, `#-`, `jsonb_set`, `jsonb_insert`: a new `jsonb` from parts of others.
//!
//! C1: what is put together from texts in their one form is in it too.

use base::{SqlError, SqlResult, SqlState};

use super::compare::key_order;
use super::find::place;
use super::normal::write_string;
use super::parse::{Kind, Value};

fn invalid(message: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

pub(super) fn write_array<'a>(elements: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", elements.into_iter().collect::<Vec<_>>().join(", "))
}

pub(super) fn write_object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{");
    for (at, (key, value)) in members.into_iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        write_string(key, &mut out);
        out.push_str(": ");
        out.push_str(value);
    }
    out.push('}');
    out
}

/// `left || right`.
pub fn concat(left: &Value<'_>, right: &Value<'_>) -> String {
    if let (Kind::Object(a), Kind::Object(b)) = (&left.kind, &right.kind) {
        let mut members: Vec<(&str, &str)> = b.iter().map(|(key, value)| (key.as_ref(), value.text)).collect();
        let kept = a.iter().filter(|(key, _)| !b.iter().any(|(other, _)| other == key));
        members.extend(kept.map(|(key, value)| (key.as_ref(), value.text)));
        members.sort_by(|(a, _), (b, _)| key_order(a, b));
        return write_object(members);
    }
    let elements = |value: &Value<'_>| match &value.kind {
        Kind::Array(elements) => elements.iter().map(|element| element.text.to_owned()).collect(),
        _ => vec![value.text.to_owned()],
    };
    let all: Vec<String> = elements(left).into_iter().chain(elements(right)).collect();
    write_array(all.iter().map(String::as_str))
}

/// `value - keys`, or `value - index`. Errors: 22023 for a scalar, and for an index into an object.
pub fn delete_elements(value: &Value<'_>, keys: &[&str], index: Option<i64>) -> SqlResult<String> {
    match (&value.kind, index) {
        (Kind::Object(_), Some(_)) => Err(invalid("cannot delete from object using integer index")),
        (Kind::Object(members), None) => {
            let kept = members.iter().filter(|(key, _)| !keys.contains(&key.as_ref()));
            Ok(write_object(kept.map(|(key, value)| (key.as_ref(), value.text))))
        }
        (Kind::Array(elements), Some(index)) => {
            let gone = place(elements.len(), index);
            let kept = elements.iter().enumerate().filter(|(at, _)| Some(*at) != gone);
            Ok(write_array(kept.map(|(_, element)| element.text)))
        }
        (Kind::Array(elements), None) => {
            let is_gone = |element: &&Value<'_>| !matches!(&element.kind, Kind::String(text) if keys.contains(&text.as_ref()));
            Ok(write_array(elements.iter().filter(is_gone).map(|element| element.text)))
        }
        _ => Err(invalid("cannot delete from scalar")),
    }
}

/// `value #- path`. Errors: 22023 for a scalar, 22P02 for a step into an array that is no integer.
pub fn delete_path(value: &Value<'_>, path: &[Option<&str>]) -> SqlResult<String> {
    if !matches!(value.kind, Kind::Array(_) | Kind::Object(_)) {
        return Err(invalid("cannot delete path in scalar"));
    }
    walk(value, path, 0, &Act::Delete)
}

/// What happens at the end of a path.
enum Act<'a> {
    Delete,
    /// The value, whether a missing one is made.
    Set(&'a str, bool),
    /// The value, whether it goes after the element found.
    Insert(&'a str, bool),
}

/// `jsonb_set`, or `jsonb_insert` if `insert` says whether after. Errors: 22023, 22P02.
pub fn insert_or_set(value: &Value<'_>, path: &[Option<&str>], new: &str, create: bool, insert: Option<bool>) -> SqlResult<String> {
    if !matches!(value.kind, Kind::Array(_) | Kind::Object(_)) {
        return Err(invalid("cannot set path in scalar"));
    }
    let act = match insert {
        None => Act::Set(new, create),
        Some(after) => Act::Insert(new, after),
    };
    walk(value, path, 0, &act)
}

fn walk(value: &Value<'_>, path: &[Option<&str>], level: usize, act: &Act<'_>) -> SqlResult<String> {
    let Some(step) = path.get(level) else { return Ok(value.text.to_owned()) };
    let Some(step) = *step else {
        return Err(SqlError::new(SqlState("22004"), format!("path element at position {} is null", level + 1)));
    };
    let is_last = level + 1 == path.len();
    match &value.kind {
        Kind::Object(members) => {
            let mut out: Vec<(String, String)> = Vec::with_capacity(members.len() + 1);
            let mut found = false;
            for (key, member) in members {
                if key != step {
                    out.push((key.to_string(), member.text.to_owned()));
                    continue;
                }
                found = true;
                match act {
                    Act::Delete if is_last => {}
                    Act::Set(new, _) if is_last => out.push((key.to_string(), (*new).to_owned())),
                    Act::Insert(..) if is_last => {
                        return Err(invalid("cannot replace existing key").hint("Try using the function jsonb_set to replace key value."));
                    }
                    _ => out.push((key.to_string(), walk(member, path, level + 1, act)?)),
                }
            }
            if let (false, true, Act::Set(new, true) | Act::Insert(new, _)) = (found, is_last, act) {
                out.push((step.to_owned(), (*new).to_owned()));
                out.sort_by(|(a, _), (b, _)| key_order(a, b));
            }
            Ok(write_object(out.iter().map(|(key, value)| (key.as_str(), value.as_str()))))
        }
        Kind::Array(elements) => walk_array(elements, step, path, level, act),
        _ => Ok(value.text.to_owned()),
    }
}

fn walk_array(elements: &[Value<'_>], step: &str, path: &[Option<&str>], level: usize, act: &Act<'_>) -> SqlResult<String> {
    let is_last = level + 1 == path.len();
    let index: i64 = step.trim().parse().map_err(|_| {
        let message = format!("path element at position {} is not an integer: \"{step}\"", level + 1);
        SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
    })?;
    let mut out: Vec<String> = elements.iter().map(|element| element.text.to_owned()).collect();
    match (place(elements.len(), index), act) {
        (Some(at), Act::Delete) if is_last => drop(out.remove(at)),
        (Some(at), Act::Set(new, _)) if is_last => out[at] = (*new).to_owned(),
        (Some(at), Act::Insert(new, after)) if is_last => out.insert(at + usize::from(*after), (*new).to_owned()),
        (Some(at), _) => out[at] = walk(&elements[at], path, level + 1, act)?,
        (None, Act::Set(new, true) | Act::Insert(new, _)) if is_last => {
            let at = if index < 0 { 0 } else { out.len() };
            out.insert(at, (*new).to_owned());
        }
        (None, _) => {}
    }
    Ok(write_array(out.iter().map(String::as_str)))
}
