//! Where an object lies in PostgreSQL's binary form of the document it belongs to: the `id` that `keyvalue()` shows.
//!
//! I1: a container is a word, a word for each element, or for each key and each value, then keys, then values; numbers and containers begin at
//!     multiples of four bytes.
//! Never: makes that form.

use std::rc::Rc;

use base::SqlResult;

use super::item::{Item, PAIR_KEYS, Pair};
use crate::values::json::{Kind, Value};
use crate::values::numeric::{Numeric, wire};

/// The place of `wanted`, bytes after the beginning of `whole`; 0 if it is no part of it.
pub(super) fn place(whole: &Item<'_, '_>, wanted: &Item<'_, '_>) -> SqlResult<i64> {
    let mut walk = Walk { at: 0, wanted, found: None };
    walk.item(whole)?;
    Ok(walk.found.unwrap_or(0))
}

struct Walk<'w, 'v, 'a> {
    at: i64,
    wanted: &'w Item<'v, 'a>,
    found: Option<i64>,
}

/// Bytes of a number that is stored in a document.
fn number_bytes(value: &Numeric) -> SqlResult<i64> {
    let (mut stored, mut sent) = (Vec::new(), Vec::new());
    wire::read_text(&value.to_string(), None, &mut stored)?;
    wire::write_binary(&stored, &mut sent)?;
    let field = |at: usize| i64::from(i16::from_be_bytes([sent[at], sent[at + 1]]));
    let (digits, weight, scale) = (field(0), field(2), field(6));
    let is_short = scale <= 63 && (-64..=63).contains(&weight);
    Ok(4 + if is_short { 2 } else { 4 } + 2 * digits)
}

impl Walk<'_, '_, '_> {
    fn align(&mut self) {
        self.at = (self.at + 3) / 4 * 4;
    }

    fn container(&mut self, words: usize, is_wanted: bool) {
        self.align();
        if is_wanted {
            self.found = Some(self.at);
        }
        self.at += 4 * (1 + words as i64);
    }

    fn number(&mut self, value: &Numeric) -> SqlResult<()> {
        self.align();
        self.at += number_bytes(value)?;
        Ok(())
    }

    fn item(&mut self, item: &Item<'_, '_>) -> SqlResult<()> {
        match item {
            Item::Part(part) => self.part(part),
            Item::Pair(pair) => self.pair(pair),
            Item::Number(value) => self.number(value),
            Item::Text(text) => {
                self.at += text.len() as i64;
                Ok(())
            }
            Item::Null | Item::Bool(_) | Item::Moment(_) => Ok(()),
        }
    }

    fn pair(&mut self, pair: &Rc<Pair<'_, '_>>) -> SqlResult<()> {
        let is_wanted = matches!(self.wanted, Item::Pair(wanted) if std::ptr::addr_eq(Rc::as_ptr(wanted), Rc::as_ptr(pair)));
        self.container(2 * PAIR_KEYS.len(), is_wanted);
        self.at += PAIR_KEYS.iter().map(|key| key.len() as i64).sum::<i64>();
        self.number(&Numeric::integer(pair.id))?;
        self.at += pair.key.len() as i64;
        self.item(&pair.value)
    }

    fn part(&mut self, part: &Value<'_>) -> SqlResult<()> {
        if self.found.is_some() {
            return Ok(());
        }
        let is_wanted =
            matches!(self.wanted, Item::Part(wanted) if std::ptr::addr_eq(std::ptr::from_ref(*wanted), std::ptr::from_ref(part)));
        match &part.kind {
            Kind::Object(members) => {
                self.container(2 * members.len(), is_wanted);
                self.at += members.iter().map(|(key, _)| key.len() as i64).sum::<i64>();
                members.iter().try_for_each(|(_, member)| self.part(member))
            }
            Kind::Array(elements) => {
                self.container(elements.len(), is_wanted);
                elements.iter().try_for_each(|element| self.part(element))
            }
            Kind::Number => self.number(&Numeric::parse(part.text)?),
            Kind::String(text) => {
                self.at += text.len() as i64;
                Ok(())
            }
            Kind::Null | Kind::Bool(_) => Ok(()),
        }
    }
}
