//! What a path is evaluated to, an item at a time: parts of the document, and values that were computed.
//!
//! Never: copies a part of a document.

use std::borrow::Cow;
use std::rc::Rc;

use base::SqlResult;

use super::moments::Moment;
use crate::values::json::{Kind, Value, normal_number, write_string};
use crate::values::numeric::Numeric;

#[derive(Clone, Debug)]
pub(super) enum Item<'v, 'a> {
    /// A part of the document or of the variables.
    Part(&'v Value<'a>),
    Null,
    Bool(bool),
    Number(Numeric),
    Text(Cow<'v, str>),
    Moment(Moment),
    /// What `keyvalue()` makes of a member.
    Pair(Rc<Pair<'v, 'a>>),
}

#[derive(Debug)]
pub(super) struct Pair<'v, 'a> {
    pub(super) id: i64,
    pub(super) key: Cow<'v, str>,
    pub(super) value: Item<'v, 'a>,
}

/// Names of a pair's members, in the order of a `jsonb`'s keys.
pub(super) const PAIR_KEYS: [&str; 3] = ["id", "key", "value"];

impl<'v, 'a> Item<'v, 'a> {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Part(part) => part.kind.name(),
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Moment(moment) => moment.type_name(),
            Self::Pair(_) => "object",
        }
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self, Self::Part(Value { kind: Kind::Array(_), .. }))
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Pair(_) | Self::Part(Value { kind: Kind::Object(_), .. }))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Part(Value { kind: Kind::Null, .. }))
    }

    pub(super) fn elements(&self) -> Option<&'v [Value<'a>]> {
        match self {
            Self::Part(Value { kind: Kind::Array(elements), .. }) => Some(elements),
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(value) | Self::Part(Value { kind: Kind::Bool(value), .. }) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<Cow<'v, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Part(Value { kind: Kind::String(text), .. }) => Some(Cow::Borrowed(text.as_ref())),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> SqlResult<Option<Numeric>> {
        match self {
            Self::Number(value) => Ok(Some(value.clone())),
            Self::Part(Value { kind: Kind::Number, text }) => Numeric::parse(text).map(Some),
            _ => Ok(None),
        }
    }

    /// The member of an object.
    pub(super) fn member(&self, key: &str) -> Option<Item<'v, 'a>> {
        match self {
            Self::Part(part) => crate::values::json::member(part, key).map(Item::Part),
            Self::Pair(pair) => PAIR_KEYS.iter().position(|known| *known == key).map(|at| pair.member(at)),
            _ => None,
        }
    }

    /// An object's members by key, in order.
    pub(super) fn members(&self) -> Vec<(Cow<'v, str>, Item<'v, 'a>)> {
        match self {
            Self::Part(Value { kind: Kind::Object(members), .. }) => {
                members.iter().map(|(key, member)| (Cow::Borrowed(key.as_ref()), Item::Part(member))).collect()
            }
            Self::Pair(pair) => PAIR_KEYS.iter().enumerate().map(|(at, key)| (Cow::Borrowed(*key), pair.member(at))).collect(),
            _ => Vec::new(),
        }
    }

    /// An array's elements or an object's values.
    pub(super) fn children(&self) -> Vec<Item<'v, 'a>> {
        match self.elements() {
            Some(elements) => elements.iter().map(Item::Part).collect(),
            None => self.members().into_iter().map(|(_, member)| member).collect(),
        }
    }

    /// The item as a `jsonb`.
    pub(super) fn write(&self, out: &mut String) -> SqlResult<()> {
        match self {
            Self::Part(part) => out.push_str(part.text),
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(value) => out.push_str(&normal_number(&value.to_string())?),
            Self::Text(text) => write_string(text, out),
            Self::Moment(moment) => write_string(&moment.to_string(), out),
            Self::Pair(pair) => {
                out.push_str(&format!("{{\"id\": {}, \"key\": ", pair.id));
                write_string(&pair.key, out);
                out.push_str(", \"value\": ");
                pair.value.write(out)?;
                out.push('}');
            }
        }
        Ok(())
    }
}

impl<'v, 'a> Pair<'v, 'a> {
    fn member(&self, at: usize) -> Item<'v, 'a> {
        match at {
            0 => Item::Number(Numeric::integer(self.id)),
            1 => Item::Text(self.key.clone()),
            _ => self.value.clone(),
        }
    }
}
