//! A path's tokens as a tree.
//!
//! X2: `@` is read within filters only, `last` within subscripts only.
//! X3: nesting is bounded by [`DEPTH_MAX`].
//! Never: asks what a path is for.

use base::{SqlError, SqlResult, SqlState};

use super::lexer::{Lexer, Token, wrong};
use super::path::{Arithmetic, Chain, Comparison, Head, METHODS, Path, Predicate, Regex, Sign, Step};
use super::patterns;
use crate::values::numeric::Numeric;

/// Parentheses, filters and subscripts in one another, at most.
const DEPTH_MAX: usize = 200;

/// Reads a whole path. Errors: 42601, 22P02, 2201B, 0A000, 54001.
pub(super) fn parse(text: &str) -> SqlResult<Path> {
    let mut parser = Parser { lexer: Lexer::new(text), token: Token::End, depth: 0, filters: 0, subscripts: 0 };
    parser.advance()?;
    if parser.token == Token::End {
        let message = format!("invalid input syntax for type jsonpath: \"{text}\"");
        return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
    }
    let is_strict = parser.takes_word("strict")?;
    if !is_strict {
        parser.takes_word("lax")?;
    }
    let whole = match parser.either(OR)? {
        Either::Chain(chain) => chain,
        Either::Predicate(predicate) => plain(Head::Predicate(Box::new(predicate))),
    };
    if parser.token == Token::End { Ok(Path { is_strict, whole }) } else { Err(parser.unexpected()) }
}

/// What an expression in parentheses may turn out to be.
enum Either {
    Chain(Chain),
    Predicate(Predicate),
}

/// How tightly operators bind.
const OR: u8 = 0;
const AND: u8 = 1;
const COMPARE: u8 = 2;
const ADD: u8 = 3;
const MULTIPLY: u8 = 4;
const SIGN: u8 = 5;

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    depth: usize,
    filters: usize,
    subscripts: usize,
}

fn plain(head: Head) -> Chain {
    Chain { head, steps: Vec::new() }
}

impl Parser<'_> {
    fn advance(&mut self) -> SqlResult<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn unexpected(&self) -> SqlError {
        self.lexer.near("syntax error")
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(&self.token, Token::Mark(known) if *known == mark)
    }

    fn takes(&mut self, mark: &str) -> SqlResult<bool> {
        let is_there = self.is_mark(mark);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn expect(&mut self, mark: &str) -> SqlResult<()> {
        if self.takes(mark)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(&self.token, Token::Word { text, is_plain: true } if text.eq_ignore_ascii_case(wanted))
    }

    fn takes_word(&mut self, wanted: &str) -> SqlResult<bool> {
        let is_there = self.is_word(wanted);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn expect_word(&mut self, wanted: &str) -> SqlResult<()> {
        if self.takes_word(wanted)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn text(&mut self) -> SqlResult<String> {
        match self.advance()? {
            Token::Text(text) => Ok(text),
            other => {
                self.token = other;
                Err(self.unexpected())
            }
        }
    }

    /// X3.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> SqlResult<T>) -> SqlResult<T> {
        if self.depth == DEPTH_MAX {
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
                .hint(format!("JSON paths may be nested {DEPTH_MAX} levels deep.")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn chain(&mut self, binding: u8) -> SqlResult<Chain> {
        match self.either(binding)? {
            Either::Chain(chain) => Ok(chain),
            Either::Predicate(_) => Err(self.unexpected()),
        }
    }

    fn predicate(&mut self) -> SqlResult<Predicate> {
        match self.either(OR)? {
            Either::Predicate(predicate) => Ok(predicate),
            Either::Chain(_) => Err(self.unexpected()),
        }
    }

    /// Operators that bind at least so tightly.
    fn either(&mut self, binding: u8) -> SqlResult<Either> {
        let mut left = self.operand()?;
        loop {
            left = match left {
                Either::Chain(chain) => {
                    if let Some((operator, own)) = self.arithmetic().filter(|(_, own)| *own >= binding) {
                        self.advance()?;
                        let right = self.chain(own + 1)?;
                        Either::Chain(plain(Head::Arithmetic(operator, Box::new(chain), Box::new(right))))
                    } else if binding <= COMPARE && self.is_test() {
                        Either::Predicate(self.test(chain)?)
                    } else {
                        return Ok(Either::Chain(chain));
                    }
                }
                Either::Predicate(predicate) => {
                    let own = if self.is_mark("&&") { AND } else { OR };
                    if !(self.is_mark("&&") || self.is_mark("||")) || own < binding {
                        return Ok(Either::Predicate(predicate));
                    }
                    self.advance()?;
                    let Either::Predicate(right) = self.either(own + 1)? else { return Err(self.unexpected()) };
                    let (left, right) = (Box::new(predicate), Box::new(right));
                    Either::Predicate(if own == AND { Predicate::And(left, right) } else { Predicate::Or(left, right) })
                }
            }
        }
    }

    fn arithmetic(&self) -> Option<(Arithmetic, u8)> {
        let Token::Mark(mark) = self.token else { return None };
        Some(match mark {
            "+" => (Arithmetic::Add, ADD),
            "-" => (Arithmetic::Subtract, ADD),
            "*" => (Arithmetic::Multiply, MULTIPLY),
            "/" => (Arithmetic::Divide, MULTIPLY),
            "%" => (Arithmetic::Modulo, MULTIPLY),
            _ => return None,
        })
    }

    fn comparison(&self) -> Option<Comparison> {
        let Token::Mark(mark) = self.token else { return None };
        Some(match mark {
            "==" => Comparison::Equal,
            "!=" | "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    fn is_test(&self) -> bool {
        self.comparison().is_some() || self.is_word("starts") || self.is_word("like_regex")
    }

    fn test(&mut self, left: Chain) -> SqlResult<Predicate> {
        if let Some(operator) = self.comparison() {
            self.advance()?;
            return Ok(Predicate::Compare(operator, left, self.chain(ADD)?));
        }
        if self.takes_word("starts")? {
            self.expect_word("with")?;
            let start = match self.advance()? {
                Token::Text(text) => Head::Text(text),
                Token::Variable(name) => Head::Variable(name),
                other => {
                    self.token = other;
                    return Err(self.unexpected());
                }
            };
            return Ok(Predicate::StartsWith(left, plain(start)));
        }
        self.expect_word("like_regex")?;
        let pattern = self.text()?;
        let flags = if self.takes_word("flag")? { self.text()? } else { String::new() };
        let regex = regex(pattern, &flags)?;
        Ok(Predicate::LikeRegex(left, regex))
    }

    fn operand(&mut self) -> SqlResult<Either> {
        for (mark, sign) in [("+", Sign::Plus), ("-", Sign::Minus)] {
            if self.takes(mark)? {
                let operand = self.nested(|parser| parser.chain(SIGN))?;
                return Ok(Either::Chain(signed(sign, operand)));
            }
        }
        if self.takes("!")? {
            let inner = match self.nested(Self::operand)? {
                // What NOT stands before is in parentheses, or EXISTS.
                Either::Predicate(predicate) => predicate,
                Either::Chain(_) => return Err(self.unexpected()),
            };
            return Ok(Either::Predicate(Predicate::Not(Box::new(inner))));
        }
        if self.is_word("exists") {
            self.advance()?;
            self.expect("(")?;
            let chain = self.nested(|parser| parser.chain(ADD))?;
            self.expect(")")?;
            return Ok(Either::Predicate(Predicate::Exists(chain)));
        }
        if self.takes("(")? {
            let inner = self.nested(|parser| parser.either(OR))?;
            self.expect(")")?;
            return self.after_parentheses(inner);
        }
        let head = self.head()?;
        let steps = self.steps()?;
        Ok(Either::Chain(Chain { head, steps }))
    }

    fn after_parentheses(&mut self, inner: Either) -> SqlResult<Either> {
        match inner {
            Either::Chain(chain) => {
                let steps = self.steps()?;
                Ok(Either::Chain(Chain { head: chain.head, steps: chain.steps.into_iter().chain(steps).collect() }))
            }
            Either::Predicate(predicate) if self.is_word("is") => {
                self.advance()?;
                self.expect_word("unknown")?;
                Ok(Either::Predicate(Predicate::IsUnknown(Box::new(predicate))))
            }
            Either::Predicate(predicate) => {
                let steps = self.steps()?;
                if steps.is_empty() {
                    return Ok(Either::Predicate(predicate));
                }
                Ok(Either::Chain(Chain { head: Head::Predicate(Box::new(predicate)), steps }))
            }
        }
    }

    fn head(&mut self) -> SqlResult<Head> {
        let head = match &self.token {
            Token::Mark("$") => Head::Root,
            Token::Mark("@") if self.filters > 0 => Head::Current,
            Token::Mark("@") => return Err(wrong("@ is not allowed in root expressions")),
            Token::Text(text) => Head::Text(text.clone()),
            Token::Variable(name) => Head::Variable(name.clone()),
            Token::Whole(digits) | Token::Number(digits) => Head::Number(Numeric::parse(digits)?),
            Token::Word { text, is_plain: true } => match text.as_str() {
                "null" => Head::Null,
                "true" => Head::Bool(true),
                "false" => Head::Bool(false),
                last if last.eq_ignore_ascii_case("last") && self.subscripts > 0 => Head::Last,
                last if last.eq_ignore_ascii_case("last") => return Err(wrong("LAST is allowed only in array subscripts")),
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(head)
    }

    fn steps(&mut self) -> SqlResult<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            if self.takes(".")? {
                steps.push(self.member()?);
            } else if self.takes("[")? {
                steps.push(self.subscripts()?);
            } else if self.takes("?")? {
                self.expect("(")?;
                self.filters += 1;
                let condition = self.nested(Self::predicate)?;
                self.filters -= 1;
                self.expect(")")?;
                steps.push(Step::Filter(condition));
            } else {
                return Ok(steps);
            }
        }
    }

    /// What stands after a point.
    fn member(&mut self) -> SqlResult<Step> {
        if self.takes("*")? {
            return Ok(Step::AnyKey);
        }
        if self.takes("**")? {
            return self.levels();
        }
        let (name, is_plain) = match self.advance()? {
            Token::Word { text, is_plain } => (text, is_plain),
            Token::Text(text) => (text, false),
            other => {
                self.token = other;
                return Err(self.unexpected());
            }
        };
        if !is_plain || !self.is_mark("(") {
            return Ok(Step::Key(name));
        }
        if name.eq_ignore_ascii_case("datetime") {
            self.advance()?;
            let template = if matches!(self.token, Token::Text(_)) { Some(self.text()?) } else { None };
            self.expect(")")?;
            return Ok(Step::DateTime(template));
        }
        let Some((_, method)) = METHODS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) else { return Err(self.unexpected()) };
        self.advance()?;
        self.expect(")")?;
        Ok(Step::Method(*method))
    }

    fn levels(&mut self) -> SqlResult<Step> {
        if !self.takes("{")? {
            return Ok(Step::Descend(Some(0), None));
        }
        let from = self.level()?;
        let to = if self.takes_word("to")? { self.level()? } else { from };
        self.expect("}")?;
        Ok(Step::Descend(from, to))
    }

    fn level(&mut self) -> SqlResult<Option<u32>> {
        if self.takes_word("last")? {
            return Ok(None);
        }
        let Token::Whole(digits) = &self.token else { return Err(self.unexpected()) };
        let level = digits.parse::<i32>().ok().and_then(|level| u32::try_from(level).ok());
        let out_of_range =
            || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{digits}\" is out of range for type integer"));
        let level = level.ok_or_else(out_of_range)?;
        self.advance()?;
        Ok(Some(level))
    }

    /// After `[`.
    fn subscripts(&mut self) -> SqlResult<Step> {
        if self.takes("*")? {
            self.expect("]")?;
            return Ok(Step::AnyElement);
        }
        self.subscripts += 1;
        let mut ranges = Vec::new();
        loop {
            let from = self.nested(|parser| parser.chain(ADD))?;
            let to = if self.takes_word("to")? { Some(self.nested(|parser| parser.chain(ADD))?) } else { None };
            ranges.push((from, to));
            if !self.takes(",")? {
                break;
            }
        }
        self.subscripts -= 1;
        self.expect("]")?;
        Ok(Step::Elements(ranges))
    }
}

/// A sign before a number is the number's.
fn signed(sign: Sign, operand: Chain) -> Chain {
    match (sign, operand) {
        (sign, Chain { head: Head::Number(value), steps }) if steps.is_empty() => {
            plain(Head::Number(if sign == Sign::Minus { value.negated() } else { value }))
        }
        (sign, operand) => plain(Head::Sign(sign, Box::new(operand))),
    }
}

/// Errors: 42601 for a flag there is not, 0A000 for `x`, 2201B.
fn regex(pattern: String, flags: &str) -> SqlResult<Regex> {
    let mut regex = Regex { pattern, any_case: false, dot_all: false, lines: false, is_literal: false };
    for flag in flags.chars() {
        match flag {
            'i' => regex.any_case = true,
            's' => regex.dot_all = true,
            'm' => regex.lines = true,
            'q' => regex.is_literal = true,
            'x' => {}
            other => {
                let detail = format!("Unrecognized flag character \"{other}\" in LIKE_REGEX predicate.");
                return Err(wrong("invalid input syntax for type jsonpath").detail(detail));
            }
        }
    }
    if flags.contains('x') && !regex.is_literal {
        let message = "XQuery \"x\" flag (expanded regular expressions) is not implemented";
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    patterns::is_match(&regex, "")?;
    Ok(regex)
}
