//! `SET j['a'][1] = x`: a new `jsonb` with a value where subscripts say, and all that is missing on the way there.
//!
//! A1: what is put together from texts in their one form is in it too.
//! A2: elements keep their places: what is missing before one is `null`, and nothing is put before the first.
//! Never: replaces a scalar on the way by an array or an object.

use base::{SqlError, SqlResult, SqlState};

use super::change::{write_array, write_object};
use super::compare::key_order;
use super::find::place;
use super::parse::{Kind, Value};

/// Most elements that are made of nothing.
const FILLED_MAX: usize = 1 << 24;

/// The value with `new` at the end of a path. `whole`: the value as it is, or an empty one. Errors: 22023, 22P02, 54000.
pub fn assign(whole: &Value<'_>, path: &[&str], new: &str) -> SqlResult<String> {
    put(whole, path, 0, new)
}

fn put(value: &Value<'_>, path: &[&str], level: usize, new: &str) -> SqlResult<String> {
    let Some(step) = path.get(level) else { return Ok(new.to_owned()) };
    match &value.kind {
        Kind::Object(members) => {
            let mut out: Vec<(&str, String)> = members.iter().map(|(key, member)| (key.as_ref(), member.text.to_owned())).collect();
            match members.iter().position(|(key, _)| key == step) {
                Some(at) => out[at].1 = put(&members[at].1, path, level + 1, new)?,
                None => {
                    out.push((step, made(path, level + 1, new)?));
                    out.sort_by(|(a, _), (b, _)| key_order(a, b));
                }
            }
            Ok(write_object(out.iter().map(|(key, value)| (*key, value.as_str()))))
        }
        Kind::Array(elements) => {
            let at = index(elements.len(), step, level)?;
            let mut out: Vec<String> = elements.iter().map(|element| element.text.to_owned()).collect();
            match elements.get(at) {
                Some(element) => out[at] = put(element, path, level + 1, new)?,
                None => {
                    fill(&mut out, at)?;
                    out.push(made(path, level + 1, new)?);
                }
            }
            Ok(write_array(out.iter().map(String::as_str)))
        }
        _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "cannot replace existing key")
            .detail("The path assumes key is a composite object, but it is a scalar value.")),
    }
}

/// The place that a step into an array of so many elements means. Errors: 22P02, 22023.
fn index(elements: usize, step: &str, level: usize) -> SqlResult<usize> {
    let position = level + 1;
    let index: i32 = step.trim_start().parse().map_err(|_| {
        let message = format!("path element at position {position} is not an integer: \"{step}\"");
        SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
    })?;
    match usize::try_from(index) {
        Ok(at) => Ok(at),
        Err(_) => place(elements, i64::from(index)).ok_or_else(|| {
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("path element at position {position} is out of range: {index}"))
        }),
    }
}

/// Arrays and objects around the value, for the steps from `level` on.
fn made(path: &[&str], level: usize, new: &str) -> SqlResult<String> {
    let Some(step) = path.get(level) else { return Ok(new.to_owned()) };
    let inner = made(path, level + 1, new)?;
    match step.trim_start().parse::<i32>() {
        Ok(at) => {
            let mut out = Vec::new();
            fill(&mut out, usize::try_from(at).unwrap_or(0))?;
            out.push(inner);
            Ok(write_array(out.iter().map(String::as_str)))
        }
        Err(_) => Ok(write_object([(*step, inner.as_str())])),
    }
}

fn fill(out: &mut Vec<String>, elements: usize) -> SqlResult<()> {
    if elements.saturating_sub(out.len()) > FILLED_MAX {
        let message = format!("more than {FILLED_MAX} elements of a jsonb array would be null");
        return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    out.resize(elements, "null".to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::json::{normalise, parse};

    /// Answers of PostgreSQL 15.
    #[test]
    fn values_go_where_subscripts_say() {
        let cases: [(&str, &[&str], &str); 10] = [
            (r#"{"a":1}"#, &["x"], r#"{"a": 1, "x": 9}"#),
            (r#"{"a":1}"#, &["y", "z", "2"], r#"{"a": 1, "y": {"z": [null, null, 9]}}"#),
            (r#"{"a":{"b":[1,2]}}"#, &["a", "b", "-1"], r#"{"a": {"b": [1, 9]}}"#),
            ("[1]", &["3"], "[1, null, null, 9]"),
            ("[1]", &["1"], "[1, 9]"),
            ("[]", &["1", "k"], r#"[null, {"k": 9}]"#),
            ("[1]", &["-2"], "22023"),
            ("[1]", &["k"], "22P02"),
            ("[1]", &["0", "k"], "22023"),
            ("5", &["0"], "22023"),
        ];
        for (value, path, expected) in cases {
            let text = normalise(value).unwrap();
            let answer = assign(&parse(&text, false).unwrap(), path, "9");
            assert_eq!(answer.unwrap_or_else(|error| error.state().0.to_owned()), expected, "{value} {path:?}");
        }
    }
}
