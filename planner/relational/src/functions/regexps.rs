//! Regular expressions as Postgres's ARE understands them, over a library with another dialect.
//!
//! F30: a pattern is translated once, and a thread keeps the last ones; `.` matches a newline unless an option says otherwise.
//! Never: recurses or retries without a limit; a pattern that would is 2201B.

mod pattern;
mod translate;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::functions::text::{answer, int, text};

use pattern::{Found, Pattern, refused};
use translate::translate;

use Kind::{Int4, Text};

const TEXT: Returns = Returns::Is(Text);
const INT: Returns = Returns::Is(Int4);
const BOOL: Returns = Returns::Is(Kind::Bool);
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
    const PLACES: &[Form] = &[
        form(&[Text, Int4], TEXT, part),
        form(&[Text, Int4, Int4], TEXT, part),
        form(&[Kind::Bytes, Int4], Returns::Is(Kind::Bytes), part_of_bytes),
        form(&[Kind::Bytes, Int4, Int4], Returns::Is(Kind::Bytes), part_of_bytes),
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
        function(
            "regexp_matches_list",
            &[form(&[Text, Text], Returns::TextLists, matches), form(&[Text, Text, Text], Returns::TextLists, matches)],
        ),
        function("regexp_replace", REPLACE),
        function("regexp_split_to_array", SPLIT),
        function("regexp_count", COUNT),
        function("regexp_like", LIKE),
        function("regexp_substr", SUBSTR),
        function("regexp_instr", INSTR),
        function("substring", SUBSTRING),
        function("substr", PLACES),
        function("textregexeq", &[form(&[Text, Text], BOOL, like)]),
        function("texticregexeq", &[form(&[Text, Text], BOOL, like_any_case)]),
        function("similar_to", &[form(&[Text, Text], BOOL, similar), form(&[Text, Text, Text], BOOL, similar)]),
    ]
}

/// What the options of a call say.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Options {
    pub(super) any_case: bool,
    pub(super) all: bool,
    /// `.` stops at a newline.
    pub(super) dot_stops: bool,
    /// `^` and `$` know lines.
    pub(super) lines: bool,
    pub(super) is_literal: bool,
    pub(super) is_expanded: bool,
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
    static KEPT: RefCell<HashMap<(String, Options), Rc<Pattern>>> = RefCell::new(HashMap::new());
}

/// F30. Errors: 2201B.
pub(super) fn compiled(pattern: &str, options: Options) -> SqlResult<Rc<Pattern>> {
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
    let regex = Rc::new(Pattern::new(&translated, &prefix).map_err(|said| refused(pattern, &said))?);
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

/// What a search can fail with: too many steps.
fn gave_up(_error: fancy_regex::Error) -> SqlError {
    invalid("regular expression is too complex")
}

/// Groups of the match, or the whole where there are none.
fn groups(found: &Found<'_>) -> Vec<Option<String>> {
    let from = usize::from(found.len() > 1);
    (from..found.len()).map(|group| found.group(group).map(str::to_owned)).collect()
}

fn first(args: &[Option<Value>]) -> Answer {
    let options = options(text(args, 2))?;
    if options.all {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "regexp_match() does not support the \"global\" option")
            .hint("Use the regexp_matches function instead."));
    }
    let found = compiled(text(args, 1), options)?.find(text(args, 0), 0)?;
    Ok(found.map(|found| Value::Texts(groups(&found))))
}

/// `regexp_matches`: the groups of the first match, or of each with the option `g`.
fn matches(args: &[Option<Value>]) -> Answer {
    let options = options(text(args, 2))?;
    let regex = compiled(text(args, 1), options)?;
    let all = if options.all { regex.find_all(text(args, 0), 0)? } else { regex.find(text(args, 0), 0)?.into_iter().collect() };
    Ok(Some(Value::Lists(all.iter().map(groups).collect())))
}

/// `\1`…`\9`, `\&` and `\\` of a replacement.
fn expand(replacement: &str, found: &Found<'_>, out: &mut String) {
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
                out.push_str(found.group(group).unwrap_or_default());
            }
            None => out.push(c),
        }
    }
}

/// Replaces the matches `from`…, counted from 1: one of them, or all from there if `nth` is 0.
fn replaced(value: &str, regex: &Pattern, replacement: &str, from: usize, nth: usize) -> SqlResult<String> {
    let mut out = value[..from].to_owned();
    let mut last = from;
    let found = if nth == 1 { regex.find(value, from)?.into_iter().collect() } else { regex.find_all(value, from)? };
    for found in found.iter().enumerate().filter(|(index, _)| nth == 0 || index + 1 == nth).map(|(_, found)| found) {
        out.push_str(&value[last..found.start()]);
        expand(replacement, found, &mut out);
        last = found.end();
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
    for found in regex.find_all(value, 0)? {
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
    Ok(Some(Value::Int(regex.find_all(text(args, 0), start(args, 2)?)?.len() as i64)))
}

fn like(args: &[Option<Value>]) -> Answer {
    let regex = compiled(text(args, 1), options(text(args, 2))?)?;
    Ok(Some(Value::Bool(regex.is_match(text(args, 0))?)))
}

fn like_any_case(args: &[Option<Value>]) -> Answer {
    let regex = compiled(text(args, 1), Options { any_case: true, ..Options::default() })?;
    Ok(Some(Value::Bool(regex.is_match(text(args, 0))?)))
}

/// Byte range of a group of the n-th match.
fn nth(args: &[Option<Value>], flags: usize, group: usize) -> SqlResult<Option<(usize, usize)>> {
    let from = start(args, 2)?;
    let nth = if args.len() > 3 { positive("n", int(args, 3))? } else { 1 };
    let group = if args.len() > group { usize::try_from(int(args, group)).unwrap_or(usize::MAX) } else { 0 };
    let regex = compiled(text(args, 1), options(text(args, flags))?)?;
    let found = match nth {
        1 => regex.find(text(args, 0), from)?,
        nth => regex.find_all(text(args, 0), from)?.into_iter().nth(nth - 1),
    };
    Ok(found.and_then(|found| found.span(group)))
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
    let found = regex.find(text(args, 0), 0)?;
    Ok(found.and_then(|found| found.group(usize::from(found.len() > 1)).map(|part| Value::Text(part.to_owned()))))
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
    let found = compiled(&whole, Options::default())?.find(text(args, 0), 0)?;
    Ok(found.and_then(|found| found.group(1).map(|part| Value::Text(part.to_owned()))))
}

fn similar(args: &[Option<Value>]) -> Answer {
    let escape = if args.len() > 2 { text(args, 2) } else { "\\" };
    if escape.chars().count() > 1 {
        return Err(SqlError::new(SqlState("22019"), "invalid escape string").hint("Escape string must be empty or one character."));
    }
    let regex = compiled(&format!("^(?:{})$", similar_pattern(text(args, 1), escape)), Options::default())?;
    Ok(Some(Value::Bool(regex.is_match(text(args, 0))?)))
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
