//! Regular expressions as Postgres's ARE understands them, over a library with another dialect.
//!
//! F31: a pattern is translated once a batch, whatever it holds: `\m \M \y \Y \Z`, embedded options, and `.` that matches a newline.
//! F32: alternatives and quantifiers take the first match, not the longest; for patterns in use the two rarely differ.
//! Never: recurses or retries without a limit; a pattern that would is 2201B.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;
use fancy_regex::{Captures, Regex, RegexBuilder};

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::functions::text::{answer, int, text};

use Kind::{Int4, Text};

const TEXT: Returns = Returns::Is(Text);
const INT: Returns = Returns::Is(Int4);
const BOOL: Returns = Returns::Is(Kind::Bool);
const BACKTRACKS_MAX: usize = 1_000_000;
/// Patterns a thread keeps translated.
const KEPT_MAX: usize = 64;

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const MATCH: &[Form] = &[form(&[Text, Text], Returns::Texts, first), form(&[Text, Text, Text], Returns::Texts, first)];
    const REPLACE: &[Form] = &[
        form(&[Text, Text, Text], TEXT, replace),
        form(&[Text, Text, Text, Text], TEXT, replace),
        form(&[Text, Text, Text, Int4], TEXT, replace_from),
        form(&[Text, Text, Text, Int4, Int4], TEXT, replace_from),
        form(&[Text, Text, Text, Int4, Int4, Text], TEXT, replace_from),
    ];
    const SPLIT: &[Form] = &[form(&[Text, Text], Returns::Texts, split), form(&[Text, Text, Text], Returns::Texts, split)];
    const COUNT: &[Form] =
        &[form(&[Text, Text], INT, count), form(&[Text, Text, Int4], INT, count), form(&[Text, Text, Int4, Text], INT, count)];
    const LIKE: &[Form] = &[form(&[Text, Text], BOOL, like), form(&[Text, Text, Text], BOOL, like)];
    const SUBSTR: &[Form] = &[
        form(&[Text, Text], TEXT, substr),
        form(&[Text, Text, Int4], TEXT, substr),
        form(&[Text, Text, Int4, Int4], TEXT, substr),
        form(&[Text, Text, Int4, Int4, Text], TEXT, substr),
        form(&[Text, Text, Int4, Int4, Text, Int4], TEXT, substr),
    ];
    const INSTR: &[Form] = &[
        form(&[Text, Text], INT, instr),
        form(&[Text, Text, Int4], INT, instr),
        form(&[Text, Text, Int4, Int4], INT, instr),
        form(&[Text, Text, Int4, Int4, Int4], INT, instr),
        form(&[Text, Text, Int4, Int4, Int4, Text], INT, instr),
        form(&[Text, Text, Int4, Int4, Int4, Text, Int4], INT, instr),
    ];
    const SUBSTRING: &[Form] = &[
        form(&[Text, Int4], TEXT, part),
        form(&[Text, Int4, Int4], TEXT, part),
        form(&[Text, Text], TEXT, matched),
        form(&[Text, Text, Text], TEXT, matched_similar),
        form(&[Kind::Bytes, Int4], Returns::Is(Kind::Bytes), part_of_bytes),
        form(&[Kind::Bytes, Int4, Int4], Returns::Is(Kind::Bytes), part_of_bytes),
    ];
    vec![
        function("regexp_match", MATCH),
        function("regexp_replace", REPLACE),
        function("regexp_split_to_array", SPLIT),
        function("regexp_count", COUNT),
        function("regexp_like", LIKE),
        function("regexp_substr", SUBSTR),
        function("regexp_instr", INSTR),
        function("substring", SUBSTRING),
        function("substr", SUBSTRING),
        function("textregexeq", &[form(&[Text, Text], BOOL, like)]),
        function("texticregexeq", &[form(&[Text, Text], BOOL, like_any_case)]),
        function("similar_to", &[form(&[Text, Text], BOOL, similar), form(&[Text, Text, Text], BOOL, similar)]),
    ]
}

/// What the options of a call say.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Options {
    any_case: bool,
    all: bool,
    /// `.` stops at a newline.
    dot_stops: bool,
    /// `^` and `$` know lines.
    lines: bool,
    is_literal: bool,
    is_expanded: bool,
}

fn options(flags: &str) -> SqlResult<Options> {
    let mut options = Options::default();
    for flag in flags.chars() {
        match flag {
            'g' => options.all = true,
            'i' => options.any_case = true,
            'c' => options.any_case = false,
            'n' | 'm' => (options.dot_stops, options.lines) = (true, true),
            's' => (options.dot_stops, options.lines) = (false, false),
            'p' => (options.dot_stops, options.lines) = (true, false),
            'w' => (options.dot_stops, options.lines) = (false, true),
            'q' => options.is_literal = true,
            'x' => options.is_expanded = true,
            't' | 'e' | 'b' => {}
            other => {
                let message = format!("invalid regular expression option: \"{other}\"");
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
        }
    }
    Ok(options)
}

thread_local! {
    static KEPT: RefCell<HashMap<(String, Options), Rc<Regex>>> = RefCell::new(HashMap::new());
}

/// F31. Errors: 2201B.
fn compiled(pattern: &str, options: Options) -> SqlResult<Rc<Regex>> {
    let key = (pattern.to_owned(), Options { all: false, ..options });
    if let Some(known) = KEPT.with_borrow(|kept| kept.get(&key).cloned()) {
        return Ok(known);
    }
    let translated = if options.is_literal { fancy_regex::escape(pattern).into_owned() } else { translate(pattern) };
    let prefix: String = [(options.any_case, 'i'), (!options.dot_stops, 's'), (options.lines, 'm'), (options.is_expanded, 'x')]
        .iter()
        .filter(|(is_on, _)| *is_on)
        .map(|(_, flag)| *flag)
        .collect();
    let whole = if prefix.is_empty() { translated } else { format!("(?{prefix}){translated}") };
    let regex = RegexBuilder::new(&whole).backtrack_limit(BACKTRACKS_MAX).build();
    let regex = Rc::new(regex.map_err(|error| invalid(&reason(pattern, &error.to_string())))?);
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&regex));
    });
    Ok(regex)
}

fn invalid(reason: &str) -> SqlError {
    SqlError::new(SqlState("2201B"), format!("invalid regular expression: {reason}"))
}

fn reason(pattern: &str, said: &str) -> String {
    let said = said.to_lowercase();
    let known = [
        ("class", "brackets [] not balanced"),
        ("bracket", "brackets [] not balanced"),
        ("group", "parentheses () not balanced"),
        ("paren", "parentheses () not balanced"),
        ("repe", "quantifier operand invalid"),
        ("quantifier", "quantifier operand invalid"),
        ("escape", "invalid escape \\ sequence"),
    ];
    let found = known.iter().find(|(part, _)| said.contains(part));
    found.map_or_else(|| format!("\"{pattern}\" is not understood"), |(_, reason)| (*reason).to_owned())
}

/// An ARE in the library's dialect.
fn translate(pattern: &str) -> String {
    let mut out = String::new();
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let mut rest = pattern;
    if let Some(end) = rest.strip_prefix("(?").and_then(|after| after.find(')'))
        && rest[2..2 + end].chars().all(|c| "bceimnpqstwx".contains(c))
    {
        let flags = &rest[2..2 + end];
        let mut on = String::new();
        let mut off = String::new();
        for flag in flags.chars() {
            match flag {
                'i' => on.push('i'),
                'c' => off.push('i'),
                'x' => on.push('x'),
                'n' | 'm' => {
                    on.push('m');
                    off.push('s');
                }
                'p' => off.push('s'),
                'w' => on.push('m'),
                _ => {}
            }
        }
        let off = if off.is_empty() { off } else { format!("-{off}") };
        if !on.is_empty() || !off.is_empty() {
            out.push_str(&format!("(?{on}{off})"));
        }
        rest = &rest[end + 3..];
    }
    let mut in_class = false;
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('m') if !in_class => out.push_str(r"\b(?=\w)"),
                Some('M') if !in_class => out.push_str(r"\b(?<=\w)"),
                Some('y') if !in_class => out.push_str(r"\b"),
                Some('Y') if !in_class => out.push_str(r"\B"),
                Some('Z') if !in_class => out.push_str(r"\z"),
                Some('B') => out.push_str(r"\\"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if in_class && !matches!(chars.peek(), Some(':' | '.' | '=')) => out.push_str(r"\["),
            '[' => {
                // `[:alpha:]` within a class is the library's too.
                if in_class {
                    out.push('[');
                    for inner in chars.by_ref() {
                        out.push(inner);
                        if inner == ']' {
                            break;
                        }
                    }
                } else {
                    in_class = true;
                    out.push('[');
                    if chars.next_if_eq(&'^').is_some() {
                        out.push('^');
                    }
                    if chars.next_if_eq(&']').is_some() {
                        out.push_str(r"\]");
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}

/// What a search can fail with: too many steps.
fn gave_up(_error: fancy_regex::Error) -> SqlError {
    invalid("regular expression is too complex")
}

/// Groups of the match, or the whole where there are none.
fn groups(found: &Captures<'_>) -> Vec<Option<String>> {
    let from = usize::from(found.len() > 1);
    (from..found.len()).map(|group| found.get(group).map(|part| part.as_str().to_owned())).collect()
}

fn first(args: &[Option<Value>]) -> Answer {
    let options = options(text(args, 2))?;
    if options.all {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "regexp_match() does not support the \"global\" option")
            .hint("Use the regexp_matches function instead."));
    }
    let found = compiled(text(args, 1), options)?;
    let found = found.captures(text(args, 0)).map_err(gave_up)?;
    Ok(found.map(|found| Value::Texts(groups(&found))))
}

/// `\1`…`\9`, `\&` and `\\` of a replacement.
fn expand(replacement: &str, found: &Captures<'_>, out: &mut String) {
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        let group = match (c, chars.peek()) {
            ('\\', Some('&')) => Some(0),
            ('\\', Some(digit @ '1'..='9')) => Some(*digit as usize - '0' as usize),
            ('\\', Some('\\')) => {
                chars.next();
                out.push('\\');
                continue;
            }
            _ => None,
        };
        match group {
            Some(group) => {
                chars.next();
                out.push_str(found.get(group).map_or("", |part| part.as_str()));
            }
            None => out.push(c),
        }
    }
}

/// Replaces the matches `from`…, counted from 1: one of them, or all from there if `nth` is 0.
fn replaced(value: &str, regex: &Regex, replacement: &str, from: usize, nth: usize) -> SqlResult<String> {
    let mut out = value[..from].to_owned();
    let mut last = from;
    for (index, found) in regex.captures_iter(&value[from..]).enumerate() {
        let found = found.map_err(gave_up)?;
        if nth != 0 && index + 1 != nth {
            continue;
        }
        let Some(whole) = found.get(0) else { break };
        out.push_str(&value[last..from + whole.start()]);
        expand(replacement, &found, &mut out);
        last = from + whole.end();
        if nth != 0 {
            break;
        }
    }
    out.push_str(&value[last..]);
    Ok(out)
}

fn replace(args: &[Option<Value>]) -> Answer {
    let flags = text(args, 3);
    if flags.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!("invalid regular expression option: \"{}\"", &flags[..1]);
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
            .hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
    }
    let options = options(flags)?;
    let regex = compiled(text(args, 1), options)?;
    answer(replaced(text(args, 0), &regex, text(args, 2), 0, usize::from(!options.all))?)
}

fn replace_from(args: &[Option<Value>]) -> Answer {
    let options = options(text(args, 5))?;
    let regex = compiled(text(args, 1), options)?;
    let nth = if args.len() > 4 { int(args, 4) } else { i64::from(!options.all) };
    let from = start(args, 3)?;
    answer(replaced(text(args, 0), &regex, text(args, 2), from, positive("n", nth + 1)? - 1)?)
}

fn positive(name: &str, value: i64) -> SqlResult<usize> {
    let wrong = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"{name}\": {value}"));
    usize::try_from(value).ok().filter(|value| *value > 0).ok_or_else(wrong)
}

/// The byte at which a search from the character given begins.
fn start(args: &[Option<Value>], at: usize) -> SqlResult<usize> {
    if args.len() <= at {
        return Ok(0);
    }
    let character = positive("start", int(args, at))? - 1;
    let value = text(args, 0);
    Ok(value.char_indices().nth(character).map_or(value.len(), |(byte, _)| byte))
}

fn split(args: &[Option<Value>]) -> Answer {
    let value = text(args, 0);
    let regex = compiled(text(args, 1), options(text(args, 2))?)?;
    let mut parts = Vec::new();
    let mut last = 0;
    for found in regex.find_iter(value) {
        let found = found.map_err(gave_up)?;
        // An empty match at either end, or right after another, splits nothing off.
        if found.end() == found.start() && (found.start() == last && last == 0 || found.start() >= value.len()) {
            continue;
        }
        parts.push(Some(value[last..found.start()].to_owned()));
        last = found.end();
    }
    parts.push(Some(value[last..].to_owned()));
    Ok(Some(Value::Texts(parts)))
}

fn count(args: &[Option<Value>]) -> Answer {
    let regex = compiled(text(args, 1), options(text(args, 3))?)?;
    let found = regex.find_iter(&text(args, 0)[start(args, 2)?..]).collect::<Result<Vec<_>, _>>().map_err(gave_up)?;
    Ok(Some(Value::Int(found.len() as i64)))
}

fn like(args: &[Option<Value>]) -> Answer {
    let regex = compiled(text(args, 1), options(text(args, 2))?)?;
    Ok(Some(Value::Bool(regex.is_match(text(args, 0)).map_err(gave_up)?)))
}

fn like_any_case(args: &[Option<Value>]) -> Answer {
    let regex = compiled(text(args, 1), Options { any_case: true, ..Options::default() })?;
    Ok(Some(Value::Bool(regex.is_match(text(args, 0)).map_err(gave_up)?)))
}

/// Byte range of a group of the n-th match.
fn nth(args: &[Option<Value>], flags: usize, group: usize) -> SqlResult<Option<(usize, usize)>> {
    let from = start(args, 2)?;
    let nth = if args.len() > 3 { positive("n", int(args, 3))? } else { 1 };
    let group = if args.len() > group { usize::try_from(int(args, group)).unwrap_or(usize::MAX) } else { 0 };
    let regex = compiled(text(args, 1), options(text(args, flags))?)?;
    let found = regex.captures_iter(&text(args, 0)[from..]).nth(nth - 1).transpose().map_err(gave_up)?;
    Ok(found.and_then(|found| found.get(group).map(|part| (from + part.start(), from + part.end()))))
}

fn substr(args: &[Option<Value>]) -> Answer {
    Ok(nth(args, 4, 5)?.map(|(from, to)| Value::Text(text(args, 0)[from..to].to_owned())))
}

fn instr(args: &[Option<Value>]) -> Answer {
    let at_end = int(args, 4) == 1;
    let found = nth(args, 5, 6)?.map_or(0, |(from, to)| text(args, 0)[..if at_end { to } else { from }].chars().count() as i64 + 1);
    Ok(Some(Value::Int(found)))
}

/// First character and one past the last of `substring(… from … for …)`, from 0. Errors: 22011.
fn range(args: &[Option<Value>]) -> SqlResult<(usize, usize)> {
    let from = int(args, 1) - 1;
    let to = if args.len() > 2 {
        if int(args, 2) < 0 {
            return Err(SqlError::new(SqlState("22011"), "negative substring length not allowed"));
        }
        from.saturating_add(int(args, 2))
    } else {
        i64::MAX
    };
    Ok((usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0)))
}

fn part(args: &[Option<Value>]) -> Answer {
    let (from, to) = range(args)?;
    answer(text(args, 0).chars().take(to).skip(from).collect::<String>())
}

fn part_of_bytes(args: &[Option<Value>]) -> Answer {
    let (from, to) = range(args)?;
    Ok(Some(Value::Bytes(crate::functions::text::bytes(args, 0).iter().copied().take(to).skip(from).collect())))
}

fn matched(args: &[Option<Value>]) -> Answer {
    let regex = compiled(text(args, 1), Options::default())?;
    let found = regex.captures(text(args, 0)).map_err(gave_up)?;
    let part = found.and_then(|found| found.get(usize::from(found.len() > 1)).map(|part| part.as_str().to_owned()));
    Ok(part.map(Value::Text))
}

/// `substring(text from pattern for escape)`: the part between the two marks `escape"`.
fn matched_similar(args: &[Option<Value>]) -> Answer {
    let (pattern, escape) = (text(args, 1), text(args, 2));
    let mark = format!("{escape}\"");
    let parts: Vec<&str> = if escape.is_empty() { vec![pattern] } else { pattern.split(mark.as_str()).collect() };
    let translated: Vec<String> = parts.iter().map(|part| similar_pattern(part, escape)).collect();
    let whole = match translated.as_slice() {
        [before, wanted, after] => format!("^(?:{before}?)({wanted})(?:{after})$"),
        [wanted] => format!("^({wanted})$"),
        _ => {
            return Err(SqlError::new(
                SqlState("2200C"),
                "SQL regular expression may not contain more than two escape-double-quote separators",
            ));
        }
    };
    let whole = if parts.len() == 3 && translated[0].is_empty() { whole.replacen("(?:?)", "", 1) } else { whole };
    let found = compiled(&whole, Options::default())?.captures(text(args, 0)).map_err(gave_up)?;
    Ok(found.and_then(|found| found.get(1).map(|part| Value::Text(part.as_str().to_owned()))))
}

fn similar(args: &[Option<Value>]) -> Answer {
    let escape = if args.len() > 2 { text(args, 2) } else { "\\" };
    if escape.chars().count() > 1 {
        return Err(SqlError::new(SqlState("22019"), "invalid escape string").hint("Escape string must be empty or one character."));
    }
    let regex = compiled(&format!("^(?:{})$", similar_pattern(text(args, 1), escape)), Options::default())?;
    Ok(Some(Value::Bool(regex.is_match(text(args, 0)).map_err(gave_up)?)))
}

/// A pattern of SIMILAR TO as a regular expression.
fn similar_pattern(pattern: &str, escape: &str) -> String {
    let escape = escape.chars().next();
    let mut out = String::new();
    let mut in_class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == escape => {
                if let Some(next) = chars.next() {
                    out.push_str(&fancy_regex::escape(&next.to_string()));
                }
            }
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            c if in_class => out.push(c),
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '.' | '^' | '$' | '\\' => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}
