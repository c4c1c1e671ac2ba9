//! Evaluates a path over a document, as PostgreSQL's `jsonpath_exec.c` does.
//!
//! V1: a lax path unwraps an array where an item is wanted and takes an item for an array of it where an array is wanted; what is not there is not
//!     an error.
//! V2: an error within a predicate makes it unknown, but for those that no path can be answered with ([`Fault::Hard`]).
//! V3: where only existence is asked for, evaluation ends with the first item; a strict path is evaluated to its end.

use std::borrow::Cow;
use std::rc::Rc;

use base::{SqlError, SqlResult, SqlState};

use super::item::{Item, Pair};
use super::moments;
use super::path::{Arithmetic, Chain, Head, Method, Path, Sign, Step};
use super::places;
use crate::values::json::{Kind, Value};
use crate::values::manner::Manner;
use crate::values::numeric::Numeric;

/// Why there is no answer.
pub(super) enum Fault {
    /// The document is not as the path wants it: what `silent` silences.
    Soft(SqlError),
    Hard(SqlError),
}

/// What the error would be if nothing silenced it.
fn soft<T>(code: &'static str, message: impl Into<String>) -> Answer<T> {
    Err(Fault::Soft(SqlError::new(SqlState(code), message)))
}

pub(super) type Answer<T> = Result<T, Fault>;
/// Items that were found, where they are wanted.
pub(super) type Found<'f, 'v, 'a> = Option<&'f mut Vec<Item<'v, 'a>>>;

const MEMBER_NOT_FOUND: &str = "2203A";
const ARRAY_NOT_FOUND: &str = "22039";
const OBJECT_NOT_FOUND: &str = "2203C";
const NUMBER_NOT_FOUND: &str = "2203B";
const NON_NUMERIC: &str = "22036";
const SINGLETON_REQUIRED: &str = "22038";
const BAD_SUBSCRIPT: &str = "22033";

/// Ids of objects of one document are this far from those of another.
const IDS_APART: i64 = 10_000_000_000;

/// A document that objects have their ids in.
#[derive(Clone)]
struct Base<'v, 'a> {
    whole: Item<'v, 'a>,
    id: i64,
}

/// One evaluation.
pub(super) struct Run<'v, 'a> {
    pub(super) is_strict: bool,
    /// V1; it is off within `**` of strict paths too.
    ignores_structure: bool,
    /// Whether moments with and without a zone may meet.
    pub(super) with_zone: bool,
    pub(super) manner: &'v Manner,
    root: &'v Value<'a>,
    variables: Option<&'v Value<'a>>,
    pub(super) current: Option<Item<'v, 'a>>,
    innermost_size: Option<usize>,
    base: Base<'v, 'a>,
    last_id: i64,
}

impl<'v, 'a> Run<'v, 'a> {
    /// Errors: 22023 for variables that are no object.
    pub(super) fn new(
        path: &Path,
        root: &'v Value<'a>,
        variables: Option<&'v Value<'a>>,
        with_zone: bool,
        manner: &'v Manner,
    ) -> SqlResult<Self> {
        if variables.is_some_and(|variables| !matches!(variables.kind, Kind::Object(_))) {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "\"vars\" argument is not an object")
                .detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object."));
        }
        Ok(Self {
            is_strict: path.is_strict,
            ignores_structure: !path.is_strict,
            with_zone,
            manner,
            root,
            variables,
            current: None,
            innermost_size: None,
            base: Base { whole: Item::Part(root), id: 0 },
            last_id: 1 + i64::from(variables.is_some()),
        })
    }

    /// Every item.
    pub(super) fn all(&mut self, path: &'v Path, found: &mut Vec<Item<'v, 'a>>) -> Answer<()> {
        let root = Item::Part(self.root);
        self.chain(&path.whole, &root, Some(found)).map(|_| ())
    }

    /// V3.
    pub(super) fn exists(&mut self, path: &'v Path) -> Answer<bool> {
        if self.is_strict {
            let mut found = Vec::new();
            self.all(path, &mut found)?;
            return Ok(!found.is_empty());
        }
        let root = Item::Part(self.root);
        self.chain(&path.whole, &root, None)
    }

    fn unwraps(&self) -> bool {
        !self.is_strict
    }

    fn absent<T: Default>(&self, code: &'static str, message: impl Into<String>) -> Answer<T> {
        if self.ignores_structure { Ok(T::default()) } else { soft(code, message) }
    }

    /// Whether there is an item; they go to `found` where that is.
    pub(super) fn chain(&mut self, chain: &'v Chain, item: &Item<'v, 'a>, found: Found<'_, 'v, 'a>) -> Answer<bool> {
        let steps = &chain.steps;
        let only_exists = steps.is_empty() && found.is_none();
        let value = match &chain.head {
            Head::Root => {
                let root = Item::Part(self.root);
                return self.within(Base { whole: root.clone(), id: 0 }, |run| run.steps(steps, root, found));
            }
            Head::Current => match &self.current {
                Some(current) => current.clone(),
                None => return Err(Fault::Hard(SqlError::internal("X2: @ outside of a filter"))),
            },
            Head::Variable(name) => {
                if only_exists {
                    self.variable(name)?;
                    return Ok(true);
                }
                let value = self.variable(name)?;
                let whole = self.variables.map_or_else(|| Item::Part(self.root), Item::Part);
                return self.within(Base { whole, id: 1 }, |run| run.steps(steps, value, found));
            }
            Head::Last => match self.innermost_size {
                Some(size) => Item::Number(Numeric::integer(size as i64 - 1)),
                None => return Err(Fault::Hard(SqlError::internal("X2: last outside of a subscript"))),
            },
            Head::Null => Item::Null,
            Head::Bool(value) => Item::Bool(*value),
            Head::Number(value) => Item::Number(value.clone()),
            Head::Text(text) => Item::Text(Cow::Borrowed(text)),
            Head::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right, item)?,
            Head::Sign(sign, operand) => return self.signed(*sign, operand, steps, item, found),
            Head::Predicate(predicate) => self.predicate(predicate, item)?.map_or(Item::Null, Item::Bool),
        };
        self.steps(steps, value, found)
    }

    fn within<T>(&mut self, base: Base<'v, 'a>, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.base, base);
        let answer = run(self);
        self.base = before;
        answer
    }

    /// Errors: 42704.
    fn variable(&self, name: &str) -> Answer<Item<'v, 'a>> {
        let found = self.variables.and_then(|variables| crate::values::json::member(variables, name));
        let missing = || SqlError::new(SqlState::UNDEFINED_OBJECT, format!("could not find jsonpath variable \"{name}\""));
        found.map(Item::Part).ok_or_else(|| Fault::Hard(missing()))
    }

    /// The items of a chain, arrays among them unwrapped (V1).
    pub(super) fn unwrapped(&mut self, chain: &'v Chain, item: &Item<'v, 'a>) -> Answer<Vec<Item<'v, 'a>>> {
        let mut found = Vec::new();
        self.chain(chain, item, Some(&mut found))?;
        if !self.unwraps() || !found.iter().any(Item::is_array) {
            return Ok(found);
        }
        Ok(found.into_iter().flat_map(|item| if item.is_array() { item.children() } else { vec![item] }).collect())
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &'v Chain, right: &'v Chain, item: &Item<'v, 'a>) -> Answer<Item<'v, 'a>> {
        let left = self.unwrapped(left, item)?;
        let right = self.unwrapped(right, item)?;
        let single = |side: &str, items: &[Item<'v, 'a>]| match items {
            [only] => only.number().map_err(Fault::Soft)?.map_or_else(|| not_single(side, operator), Ok),
            _ => not_single(side, operator),
        };
        let (left, right) = (single("left", &left)?, single("right", &right)?);
        let value = match operator {
            Arithmetic::Add => left.add(&right),
            Arithmetic::Subtract => left.subtract(&right),
            Arithmetic::Multiply => left.multiply(&right),
            Arithmetic::Divide => left.divide(&right),
            Arithmetic::Modulo => left.remainder(&right),
        };
        value.map(Item::Number).map_err(Fault::Soft)
    }

    fn signed(
        &mut self,
        sign: Sign,
        operand: &'v Chain,
        steps: &'v [Step],
        item: &Item<'v, 'a>,
        mut found: Found<'_, 'v, 'a>,
    ) -> Answer<bool> {
        let mut any = false;
        for operand in self.unwrapped(operand, item)? {
            let Some(number) = operand.number().map_err(Fault::Soft)? else {
                if found.is_none() && steps.is_empty() {
                    continue;
                }
                return soft(NUMBER_NOT_FOUND, format!("operand of unary jsonpath operator {} is not a numeric value", sign.symbol()));
            };
            let value = if sign == Sign::Minus { number.negated() } else { number };
            if self.steps(steps, Item::Number(value), found.as_deref_mut())? {
                any = true;
                if found.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }

    /// What is left of a chain.
    fn steps(&mut self, steps: &'v [Step], item: Item<'v, 'a>, found: Found<'_, 'v, 'a>) -> Answer<bool> {
        self.step(steps, item, found, self.unwraps())
    }

    /// `unwrap`: an array stands for its elements where an item is wanted.
    fn step(&mut self, steps: &'v [Step], item: Item<'v, 'a>, found: Found<'_, 'v, 'a>, unwrap: bool) -> Answer<bool> {
        let Some((step, rest)) = steps.split_first() else {
            if let Some(found) = found {
                found.push(item);
            }
            return Ok(true);
        };
        let takes_array = match step {
            Step::AnyElement | Step::Elements(_) | Step::Descend(..) => true,
            Step::Method(Method::Type | Method::Size) => true,
            Step::Key(_) | Step::AnyKey | Step::Filter(_) | Step::Method(_) | Step::DateTime(_) => false,
        };
        if unwrap && !takes_array && item.is_array() {
            return self.each(steps, item.children(), found, false);
        }
        match step {
            Step::Key(key) => match item.member(key) {
                Some(member) => self.steps(rest, member, found),
                None if item.is_object() => self.absent(MEMBER_NOT_FOUND, format!("JSON object does not contain key \"{key}\"")),
                None => self.absent(MEMBER_NOT_FOUND, "jsonpath member accessor can only be applied to an object"),
            },
            Step::AnyKey if item.is_object() => self.each(rest, item.children(), found, self.unwraps()),
            Step::AnyKey => self.absent(OBJECT_NOT_FOUND, "jsonpath wildcard member accessor can only be applied to an object"),
            Step::AnyElement if item.is_array() => self.each(rest, item.children(), found, self.unwraps()),
            Step::AnyElement if self.unwraps() => self.steps(rest, item, found),
            Step::AnyElement => self.absent(ARRAY_NOT_FOUND, "jsonpath wildcard array accessor can only be applied to an array"),
            Step::Elements(ranges) => self.elements(ranges, rest, item, found),
            Step::Descend(from, to) => self.descend((*from, *to), rest, item, found),
            Step::Filter(condition) => {
                let before = self.current.replace(item.clone());
                let holds = self.predicate(condition, &item);
                self.current = before;
                if holds? == Some(true) { self.steps(rest, item, found) } else { Ok(false) }
            }
            Step::Method(method) => self.method(*method, rest, item, found),
            Step::DateTime(template) => {
                let moment = moments::read(&item, template.as_deref())?;
                self.steps(rest, Item::Moment(moment), found)
            }
        }
    }

    fn each(&mut self, steps: &'v [Step], items: Vec<Item<'v, 'a>>, mut found: Found<'_, 'v, 'a>, unwrap: bool) -> Answer<bool> {
        let mut any = false;
        for item in items {
            if self.step(steps, item, found.as_deref_mut(), unwrap)? {
                any = true;
                if found.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }

    fn elements(
        &mut self,
        ranges: &'v [(Chain, Option<Chain>)],
        rest: &'v [Step],
        item: Item<'v, 'a>,
        found: Found<'_, 'v, 'a>,
    ) -> Answer<bool> {
        let elements = item.elements();
        if elements.is_none() && !self.unwraps() {
            return self.absent(ARRAY_NOT_FOUND, "jsonpath array accessor can only be applied to an array");
        }
        let size = elements.map_or(1, <[_]>::len);
        let before = self.innermost_size.replace(size);
        let any = self.ranges(ranges, size, rest, &item, found);
        self.innermost_size = before;
        any
    }

    fn ranges(
        &mut self,
        ranges: &'v [(Chain, Option<Chain>)],
        size: usize,
        rest: &'v [Step],
        item: &Item<'v, 'a>,
        mut found: Found<'_, 'v, 'a>,
    ) -> Answer<bool> {
        let (elements, size) = (item.elements(), size as i64);
        let mut any = false;
        for (from, to) in ranges {
            let from = self.subscript(from, item)?;
            let to = match to {
                Some(to) => self.subscript(to, item)?,
                None => from,
            };
            if !self.ignores_structure && (from < 0 || from > to || to >= size) {
                return soft(BAD_SUBSCRIPT, "jsonpath array subscript is out of bounds");
            }
            for at in from.max(0)..=to.min(size - 1) {
                let element = elements.and_then(|elements| elements.get(at as usize)).map_or_else(|| item.clone(), Item::Part);
                if self.steps(rest, element, found.as_deref_mut())? {
                    any = true;
                    if found.is_none() {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(any)
    }

    fn subscript(&mut self, chain: &'v Chain, item: &Item<'v, 'a>) -> Answer<i64> {
        let mut found = Vec::new();
        self.chain(chain, item, Some(&mut found))?;
        let number = match found.as_slice() {
            [only] => only.number().map_err(Fault::Soft)?,
            _ => None,
        };
        let Some(number) = number else { return soft(BAD_SUBSCRIPT, "jsonpath array subscript is not a single numeric value") };
        let whole = number.truncate(0).to_integer("integer").ok().and_then(|whole| i32::try_from(whole).ok());
        whole.map_or_else(|| soft(BAD_SUBSCRIPT, "jsonpath array subscript is out of integer range"), |whole| Ok(whole.into()))
    }

    fn descend(
        &mut self,
        levels: (Option<u32>, Option<u32>),
        rest: &'v [Step],
        item: Item<'v, 'a>,
        mut found: Found<'_, 'v, 'a>,
    ) -> Answer<bool> {
        let mut any = false;
        if levels.0 == Some(0) {
            any = self.lenient(|run| run.steps(rest, item.clone(), found.as_deref_mut()))?;
            if any && found.is_none() {
                return Ok(true);
            }
        }
        Ok(self.below(levels, 1, rest, &item, found)? || any)
    }

    fn lenient<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.ignores_structure, true);
        let answer = run(self);
        self.ignores_structure = before;
        answer
    }

    /// `.**{from to to}` of what lies `level` below.
    fn below(
        &mut self,
        levels: (Option<u32>, Option<u32>),
        level: u32,
        rest: &'v [Step],
        item: &Item<'v, 'a>,
        mut found: Found<'_, 'v, 'a>,
    ) -> Answer<bool> {
        let (from, to) = (levels.0.unwrap_or(u32::MAX), levels.1.unwrap_or(u32::MAX));
        if level > to {
            return Ok(false);
        }
        let mut any = false;
        for child in item.children() {
            let is_leaf = !child.is_array() && !child.is_object();
            if level >= from || (levels == (None, None) && is_leaf) {
                let unwrap = self.unwraps();
                any |= self.lenient(|run| run.step(rest, child.clone(), found.as_deref_mut(), unwrap))?;
                if any && found.is_none() {
                    return Ok(true);
                }
            }
            if level < to && !is_leaf {
                any |= self.below(levels, level + 1, rest, &child, found.as_deref_mut())?;
                if any && found.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }

    fn method(&mut self, method: Method, rest: &'v [Step], item: Item<'v, 'a>, found: Found<'_, 'v, 'a>) -> Answer<bool> {
        let name = method.name();
        let value = match method {
            Method::Type => Item::Text(Cow::Borrowed(item.type_name())),
            Method::Size => match item.elements() {
                Some(elements) => Item::Number(Numeric::integer(elements.len() as i64)),
                None if self.unwraps() => Item::Number(Numeric::integer(1)),
                None => return self.absent(ARRAY_NOT_FOUND, format!("jsonpath item method .{name}() can only be applied to an array")),
            },
            Method::Abs | Method::Ceiling | Method::Floor => {
                let Some(number) = item.number().map_err(Fault::Soft)? else {
                    return soft(NON_NUMERIC, format!("jsonpath item method .{name}() can only be applied to a numeric value"));
                };
                Item::Number(match method {
                    Method::Abs => number.absolute(),
                    Method::Ceiling => number.ceiling(),
                    _ => number.floor(),
                })
            }
            Method::Double => double(item)?,
            Method::KeyValue => return self.pairs(rest, &item, found),
        };
        self.steps(rest, value, found)
    }

    fn pairs(&mut self, rest: &'v [Step], item: &Item<'v, 'a>, mut found: Found<'_, 'v, 'a>) -> Answer<bool> {
        if !item.is_object() {
            return soft(OBJECT_NOT_FOUND, "jsonpath item method .keyvalue() can only be applied to an object");
        }
        let id = self.base.id * IDS_APART + places::place(&self.base.whole, item).map_err(Fault::Hard)?;
        let mut any = false;
        for (key, value) in item.members() {
            let pair = Item::Pair(Rc::new(Pair { id, key, value }));
            let base = Base { whole: pair.clone(), id: self.last_id };
            self.last_id += 1;
            let there = self.within(base, |run| run.steps(rest, pair, found.as_deref_mut()))?;
            if there {
                any = true;
                if found.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }
}

fn not_single<T>(side: &str, operator: Arithmetic) -> Answer<T> {
    soft(SINGLETON_REQUIRED, format!("{side} operand of jsonpath operator {} is not a single numeric value", operator.symbol()))
}

/// `double()`
fn double<'v, 'a>(item: Item<'v, 'a>) -> Answer<Item<'v, 'a>> {
    if let Some(number) = item.number().map_err(Fault::Soft)? {
        if number.to_float().is_infinite() {
            let message = "numeric argument of jsonpath item method .double() is out of range for type double precision";
            return soft(NON_NUMERIC, message);
        }
        return Ok(item);
    }
    let Some(text) = item.text() else {
        return soft(NON_NUMERIC, "jsonpath item method .double() can only be applied to a string or numeric value");
    };
    let value = text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    match value {
        Some(value) => Numeric::from_float(value, 15).map(Item::Number).map_err(Fault::Soft),
        None => {
            let message = "string argument of jsonpath item method .double() is not a valid representation of a double precision number";
            soft(NON_NUMERIC, message)
        }
    }
}
