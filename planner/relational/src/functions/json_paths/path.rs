//! A SQL/JSON path as a tree, and the one text PostgreSQL gives it.
//!
//! Y1: a predicate stands only where the grammar has one: as a filter, an operand of a predicate, or a whole in parentheses.
//! Never: evaluates anything.

use std::fmt::{self, Display, Formatter, Write};

use crate::values::json::write_string;
use crate::values::numeric::Numeric;

/// `lax $.a[*] ? (@ > 1)`
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Path {
    pub(super) is_strict: bool,
    pub(super) whole: Chain,
}

/// A value and what is done with it, in order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Chain {
    pub(super) head: Head,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Head {
    /// `$`
    Root,
    /// `@`
    Current,
    Last,
    Null,
    Bool(bool),
    Number(Numeric),
    Text(String),
    Variable(String),
    Arithmetic(Arithmetic, Box<Chain>, Box<Chain>),
    Sign(Sign, Box<Chain>),
    Predicate(Box<Predicate>),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    Key(String),
    /// `.*`
    AnyKey,
    /// `[*]`
    AnyElement,
    /// `[1, 2 to last]`
    Elements(Vec<(Chain, Option<Chain>)>),
    /// `.**{1 to 2}`; `None` is the last level.
    Descend(Option<u32>, Option<u32>),
    Filter(Predicate),
    Method(Method),
    /// With its template.
    DateTime(Option<String>),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Predicate {
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    IsUnknown(Box<Predicate>),
    Compare(Comparison, Chain, Chain),
    Exists(Chain),
    /// The second is a text or a variable.
    StartsWith(Chain, Chain),
    LikeRegex(Chain, Regex),
}

/// The pattern of a `like_regex`, known to be one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Regex {
    pub(super) pattern: String,
    pub(super) any_case: bool,
    pub(super) dot_all: bool,
    pub(super) lines: bool,
    pub(super) is_literal: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    Plus,
    Minus,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Abs,
    Ceiling,
    Double,
    Floor,
    KeyValue,
    Size,
    Type,
}

pub(super) const METHODS: [(&str, Method); 7] = [
    ("abs", Method::Abs),
    ("ceiling", Method::Ceiling),
    ("double", Method::Double),
    ("floor", Method::Floor),
    ("keyvalue", Method::KeyValue),
    ("size", Method::Size),
    ("type", Method::Type),
];

impl Method {
    pub(super) fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

impl Arithmetic {
    pub(super) fn symbol(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
            Self::Modulo => '%',
        }
    }

    fn binding(self) -> u8 {
        if matches!(self, Self::Add | Self::Subtract) { 3 } else { 4 }
    }
}

impl Sign {
    pub(super) fn symbol(self) -> char {
        if self == Self::Plus { '+' } else { '-' }
    }
}

impl Comparison {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// How tightly an operator binds, as PostgreSQL counts when it prints.
const OR: u8 = 0;
const AND: u8 = 1;
const COMPARE: u8 = 2;
const SIGN: u8 = 5;
const PRIMARY: u8 = 6;

impl Chain {
    fn binding(&self) -> u8 {
        match &self.head {
            Head::Arithmetic(operator, ..) => operator.binding(),
            Head::Sign(..) => SIGN,
            Head::Predicate(predicate) => predicate.binding(),
            _ => PRIMARY,
        }
    }
}

impl Predicate {
    fn binding(&self) -> u8 {
        match self {
            Self::Or(..) => OR,
            Self::And(..) => AND,
            Self::Compare(..) | Self::StartsWith(..) => COMPARE,
            _ => PRIMARY,
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_strict { "strict " } else { "" })?;
        self.whole.put(f, true)
    }
}

fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    f.write_str(&out)
}

impl Chain {
    /// `in_parentheses`: what is an operator stands in parentheses, as it does before steps.
    fn put(&self, f: &mut Formatter<'_>, in_parentheses: bool) -> fmt::Result {
        let open = in_parentheses || !self.steps.is_empty();
        match &self.head {
            Head::Root => f.write_str("$")?,
            Head::Current => f.write_str("@")?,
            Head::Last => f.write_str("last")?,
            Head::Null => f.write_str("null")?,
            Head::Bool(value) => write!(f, "{value}")?,
            Head::Number(value) if self.steps.is_empty() => write!(f, "{value}")?,
            Head::Number(value) => write!(f, "({value})")?,
            Head::Text(text) => quoted(text, f)?,
            Head::Variable(name) => {
                f.write_char('$')?;
                quoted(name, f)?;
            }
            Head::Arithmetic(operator, left, right) => enclosed(f, open, |f| {
                left.put(f, left.steps.is_empty() && left.binding() <= operator.binding())?;
                write!(f, " {} ", operator.symbol())?;
                right.put(f, right.steps.is_empty() && right.binding() <= operator.binding())
            })?,
            Head::Sign(sign, operand) => enclosed(f, open, |f| {
                f.write_char(sign.symbol())?;
                operand.put(f, operand.steps.is_empty() && operand.binding() <= SIGN)
            })?,
            Head::Predicate(predicate) => predicate.put(f, open)?,
        }
        self.steps.iter().try_for_each(|step| step.put(f))
    }
}

fn enclosed(f: &mut Formatter<'_>, open: bool, inner: impl FnOnce(&mut Formatter<'_>) -> fmt::Result) -> fmt::Result {
    f.write_str(if open { "(" } else { "" })?;
    inner(f)?;
    f.write_str(if open { ")" } else { "" })
}

impl Step {
    fn put(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let level = |level: &Option<u32>| level.map_or_else(|| "last".to_owned(), |level| level.to_string());
        match self {
            Self::Key(key) => {
                f.write_char('.')?;
                quoted(key, f)
            }
            Self::AnyKey => f.write_str(".*"),
            Self::AnyElement => f.write_str("[*]"),
            Self::Elements(ranges) => {
                f.write_char('[')?;
                for (at, (from, to)) in ranges.iter().enumerate() {
                    f.write_str(if at > 0 { "," } else { "" })?;
                    from.put(f, false)?;
                    if let Some(to) = to {
                        f.write_str(" to ")?;
                        to.put(f, false)?;
                    }
                }
                f.write_char(']')
            }
            Self::Descend(Some(0), None) => f.write_str(".**"),
            Self::Descend(from, to) if from == to => write!(f, ".**{{{}}}", level(from)),
            Self::Descend(from, to) => write!(f, ".**{{{} to {}}}", level(from), level(to)),
            Self::Filter(predicate) => {
                f.write_str("?(")?;
                predicate.put(f, false)?;
                f.write_char(')')
            }
            Self::Method(method) => write!(f, ".{}()", method.name()),
            Self::DateTime(template) => {
                f.write_str(".datetime(")?;
                template.iter().try_for_each(|template| quoted(template, f))?;
                f.write_char(')')
            }
        }
    }
}

impl Predicate {
    fn put(&self, f: &mut Formatter<'_>, open: bool) -> fmt::Result {
        let binding = self.binding();
        match self {
            Self::And(left, right) | Self::Or(left, right) => enclosed(f, open, |f| {
                left.put(f, left.binding() <= binding)?;
                f.write_str(if binding == AND { " && " } else { " || " })?;
                right.put(f, right.binding() <= binding)
            }),
            Self::Not(inner) => {
                f.write_str("!(")?;
                inner.put(f, false)?;
                f.write_char(')')
            }
            Self::IsUnknown(inner) => {
                f.write_char('(')?;
                inner.put(f, false)?;
                f.write_str(") is unknown")
            }
            Self::Exists(chain) => {
                f.write_str("exists (")?;
                chain.put(f, false)?;
                f.write_char(')')
            }
            Self::Compare(operator, left, right) => enclosed(f, open, |f| {
                left.put(f, left.steps.is_empty() && left.binding() <= binding)?;
                write!(f, " {} ", operator.symbol())?;
                right.put(f, right.steps.is_empty() && right.binding() <= binding)
            }),
            Self::StartsWith(left, right) => enclosed(f, open, |f| {
                left.put(f, left.steps.is_empty() && left.binding() <= binding)?;
                f.write_str(" starts with ")?;
                right.put(f, false)
            }),
            Self::LikeRegex(chain, regex) => enclosed(f, open, |f| {
                chain.put(f, chain.steps.is_empty())?;
                f.write_str(" like_regex ")?;
                quoted(&regex.pattern, f)?;
                regex.put_flags(f)
            }),
        }
    }
}

impl Regex {
    fn put_flags(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let flags = [(self.any_case, 'i'), (self.dot_all, 's'), (self.lines, 'm'), (self.is_literal, 'q')];
        let flags: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect();
        if flags.is_empty() { Ok(()) } else { write!(f, " flag \"{flags}\"") }
    }
}
