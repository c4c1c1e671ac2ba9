//! `->`, `->>`, `#>`, `#>>`.

use std::borrow::Cow;

use super::parse::{Kind, Value};

/// The member of an object; the last of its key, as Postgres reads a `json` that has it twice.
pub fn member<'v, 'a>(value: &'v Value<'a>, key: &str) -> Option<&'v Value<'a>> {
    match &value.kind {
        Kind::Object(members) => members.iter().rev().find(|(known, _)| known == key).map(|(_, member)| member),
        _ => None,
    }
}

/// The element of an array, counted from 0, or from −1 at its end.
pub fn element<'v, 'a>(value: &'v Value<'a>, at: i64) -> Option<&'v Value<'a>> {
    match &value.kind {
        Kind::Array(elements) => place(elements.len(), at).and_then(|at| elements.get(at)),
        _ => None,
    }
}

/// An index from either end as one from the front.
pub(super) fn place(len: usize, at: i64) -> Option<usize> {
    let at = if at < 0 { at.checked_add(i64::try_from(len).ok()?)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// What a path of keys and indexes leads to.
pub fn at_path<'v, 'a>(value: &'v Value<'a>, path: &[Option<&str>]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(value, |value, step| {
        let step = (*step)?;
        match &value.kind {
            Kind::Object(_) => member(value, step),
            Kind::Array(_) => element(value, step.trim().parse().ok()?),
            _ => None,
        }
    })
}

/// The value as `->>` gives it: a string without quotes, `null` as NULL, anything else as its text.
pub fn text_of<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match &value.kind {
        Kind::Null => None,
        Kind::String(text) => Some(Cow::Borrowed(text.as_ref())),
        _ => Some(Cow::Borrowed(value.text)),
    }
}
