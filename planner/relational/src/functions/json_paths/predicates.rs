//! Predicates of a path: true, false or unknown.
//!
//! Never: raises what a document is wrong about (V2).

use std::cmp::Ordering;

use super::item::Item;
use super::moments;
use super::path::{Chain, Comparison, Predicate};
use super::patterns;
use super::run::{Answer, Fault, Run};

/// `None` is unknown.
type Truth = Option<bool>;

impl<'v, 'a> Run<'v, 'a> {
    pub(super) fn predicate(&mut self, predicate: &'v Predicate, item: &Item<'v, 'a>) -> Answer<Truth> {
        match predicate {
            Predicate::And(left, right) => match self.predicate(left, item)? {
                Some(false) => Ok(Some(false)),
                left => {
                    let right = self.predicate(right, item)?;
                    Ok(if right == Some(true) { left } else { right })
                }
            },
            Predicate::Or(left, right) => match self.predicate(left, item)? {
                Some(true) => Ok(Some(true)),
                left => {
                    let right = self.predicate(right, item)?;
                    Ok(if right == Some(false) { left } else { right })
                }
            },
            Predicate::Not(inner) => Ok(self.predicate(inner, item)?.map(|truth| !truth)),
            Predicate::IsUnknown(inner) => Ok(Some(self.predicate(inner, item)?.is_none())),
            Predicate::Exists(chain) => self.exists_within(chain, item),
            Predicate::Compare(operator, left, right) => {
                let (Some(left), Some(right)) = (self.quiet(left, item)?, self.quiet(right, item)?) else { return Ok(None) };
                let (with_zone, manner) = (self.with_zone, self.manner);
                self.any_pair(&left, &right, |left, right| compare(*operator, left, right, with_zone.then_some(manner)))
            }
            Predicate::StartsWith(chain, start) => {
                let Some(left) = self.quiet(chain, item)? else { return Ok(None) };
                let mut right = Vec::new();
                self.chain(start, item, Some(&mut right))?;
                self.any_pair(&left, &right, |left, right| Ok(left.text().zip(right.text()).map(|(left, right)| left.starts_with(&*right))))
            }
            Predicate::LikeRegex(chain, regex) => {
                let Some(left) = self.quiet(chain, item)? else { return Ok(None) };
                self.any_pair(&left, &[Item::Null], |left, _| match left.text() {
                    Some(text) => patterns::is_match(regex, &text).map(Some).map_err(Fault::Hard),
                    None => Ok(None),
                })
            }
        }
    }

    /// The operand's items; `None` if there is an error in it.
    fn quiet(&mut self, chain: &'v Chain, item: &Item<'v, 'a>) -> Answer<Option<Vec<Item<'v, 'a>>>> {
        match self.unwrapped(chain, item) {
            Ok(found) => Ok(Some(found)),
            Err(Fault::Soft(_)) => Ok(None),
            Err(hard) => Err(hard),
        }
    }

    fn exists_within(&mut self, chain: &'v Chain, item: &Item<'v, 'a>) -> Answer<Truth> {
        let mut found = Vec::new();
        let there = if self.is_strict {
            self.chain(chain, item, Some(&mut found)).map(|_| !found.is_empty())
        } else {
            self.chain(chain, item, None)
        };
        match there {
            Ok(there) => Ok(Some(there)),
            Err(Fault::Soft(_)) => Ok(None),
            Err(hard) => Err(hard),
        }
    }

    /// Whether it holds for one pair; a strict path tries all of them first, and one that is unknown makes it unknown.
    fn any_pair(
        &self,
        left: &[Item<'v, 'a>],
        right: &[Item<'v, 'a>],
        mut test: impl FnMut(&Item<'v, 'a>, &Item<'v, 'a>) -> Answer<Truth>,
    ) -> Answer<Truth> {
        let (mut is_found, mut is_unknown) = (false, false);
        for left in left {
            for right in right {
                match test(left, right)? {
                    Some(true) if !self.is_strict => return Ok(Some(true)),
                    Some(true) => is_found = true,
                    None if self.is_strict => return Ok(None),
                    None => is_unknown = true,
                    Some(false) => {}
                }
            }
        }
        Ok(if is_found { Some(true) } else { (!is_unknown).then_some(false) })
    }
}

fn compare(operator: Comparison, left: &Item<'_, '_>, right: &Item<'_, '_>, zone: Option<&crate::values::manner::Manner>) -> Answer<Truth> {
    if left.is_null() != right.is_null() {
        // No value is null, and none comes before or after it.
        return Ok(Some(operator == Comparison::NotEqual));
    }
    let order = if left.is_null() {
        Ordering::Equal
    } else if let (Some(left), Some(right)) = (left.boolean(), right.boolean()) {
        left.cmp(&right)
    } else if let (Some(left), Some(right)) = (left.number().map_err(Fault::Soft)?, right.number().map_err(Fault::Soft)?) {
        left.compare(&right)
    } else if let (Some(left), Some(right)) = (left.text(), right.text()) {
        left.as_bytes().cmp(right.as_bytes())
    } else if let (Item::Moment(left), Item::Moment(right)) = (left, right) {
        match moments::compare(left, right, zone)? {
            Some(order) => order,
            None => return Ok(None),
        }
    } else {
        return Ok(None);
    };
    Ok(Some(match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }))
}
