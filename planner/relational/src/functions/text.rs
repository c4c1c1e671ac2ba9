//! Text functions that DataFusion lacks or answers otherwise than Postgres.
//!
//! F23: a text longer than [`TEXT_BYTES_MAX`] is 54000, before memory is taken for it.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;
use md5::{Digest, Md5};

use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::values::pattern::respelled;

use Kind::{Bytes, Int4, Int8, Printed, Text};

/// F23: well below what a message may have.
const TEXT_BYTES_MAX: usize = 256 << 20;

const TEXT: Returns = Returns::Is(Text);

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const MD5: &[Form] = &[form(&[Text], TEXT, md5_text), form(&[Bytes], TEXT, md5_bytes)];
    const TO_HEX: &[Form] = &[form(&[Int4], TEXT, to_hex4), form(&[Int8], TEXT, to_hex8)];
    vec![
        function(VARCHAR, &[form(&[Text, Int4], TEXT, limited)]),
        function(BPCHAR, &[form(&[Text, Int4], TEXT, limited_and_trimmed)]),
        function("md5", MD5),
        function("to_hex", TO_HEX),
        function("chr", &[form(&[Int4], TEXT, chr)]),
        function("repeat", &[form(&[Text, Int4], TEXT, repeat)]),
        function("lpad", &[form(&[Text, Int4], TEXT, lpad), form(&[Text, Int4, Text], TEXT, lpad)]),
        function("rpad", &[form(&[Text, Int4], TEXT, rpad), form(&[Text, Int4, Text], TEXT, rpad)]),
        function("quote_literal", &[form(&[Printed], TEXT, quote_literal)]),
        function("quote_nullable", &[form(&[Printed], TEXT, quote_nullable).lenient()]),
        function("concat", &[form(&[Printed], TEXT, concat).and_more(Printed).lenient()]),
        function("concat_ws", &[form(&[Text, Printed], TEXT, concat_ws).and_more(Printed).lenient()]),
        function("unistr", &[form(&[Text], TEXT, unistr)]),
        function("like_escape", &[form(&[Text, Text], TEXT, like_escape)]),
        function("to_ascii", &[form(&[Text], TEXT, same), form(&[Text, Text], TEXT, same)]),
        function(
            "string_to_array",
            &[
                form(&[Text, Text], Returns::Texts, string_to_array).lenient(),
                form(&[Text, Text, Text], Returns::Texts, string_to_array).lenient(),
            ],
        ),
        function("parse_ident", &[form(&[Text], Returns::Texts, parse_ident)]),
        function("starts_with", &[form(&[Text, Text], Returns::Is(Kind::Bool), starts_with)]),
        function("num_nulls", &[form(&[Printed], Returns::Is(Int4), num_nulls).and_more(Printed).lenient()]),
        function("num_nonnulls", &[form(&[Printed], Returns::Is(Int4), num_nonnulls).and_more(Printed).lenient()]),
    ]
}

/// What a cast to `varchar(n)` is.
pub(crate) const VARCHAR: &str = "varchar";
/// What a cast to `char(n)` is.
pub(crate) const BPCHAR: &str = "bpchar";

/// The first `n` characters; all of them for −1.
fn limited(args: &[Option<Value>]) -> Answer {
    let value = text(args, 0);
    let end = usize::try_from(int(args, 1)).ok().and_then(|limit| value.char_indices().nth(limit));
    answer(end.map_or(value, |(end, _)| &value[..end]))
}

fn limited_and_trimmed(args: &[Option<Value>]) -> Answer {
    Ok(limited(args)?.map(|cut| match cut {
        Value::Text(text) => Value::Text(text.trim_end_matches(' ').to_owned()),
        other => other,
    }))
}

/// A text argument; the forms above say where one is.
pub(super) fn text(args: &[Option<Value>], at: usize) -> &str {
    match args.get(at) {
        Some(Some(Value::Text(text))) => text,
        _ => "",
    }
}

/// An integer argument.
pub(super) fn int(args: &[Option<Value>], at: usize) -> i64 {
    match args.get(at) {
        Some(Some(Value::Int(value))) => *value,
        _ => 0,
    }
}

/// A `bytea` argument.
pub(super) fn bytes(args: &[Option<Value>], at: usize) -> &[u8] {
    match args.get(at) {
        Some(Some(Value::Bytes(bytes))) => bytes,
        _ => &[],
    }
}

/// A text as an answer.
pub(super) fn answer(text: impl Into<String>) -> Answer {
    Ok(Some(Value::Text(text.into())))
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5_text(args: &[Option<Value>]) -> Answer {
    answer(hex(&Md5::digest(text(args, 0).as_bytes())))
}

fn md5_bytes(args: &[Option<Value>]) -> Answer {
    answer(hex(&Md5::digest(bytes(args, 0))))
}

fn to_hex4(args: &[Option<Value>]) -> Answer {
    answer(format!("{:x}", i32::try_from(int(args, 0)).unwrap_or_default()))
}

fn to_hex8(args: &[Option<Value>]) -> Answer {
    answer(format!("{:x}", int(args, 0)))
}

fn chr(args: &[Option<Value>]) -> Answer {
    let code = int(args, 0);
    if code < 0 {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "character number must be positive"));
    }
    if code == 0 {
        return Err(SqlError::new(SqlState("54000"), "null character not permitted"));
    }
    match u32::try_from(code).ok().and_then(char::from_u32) {
        Some(character) => answer(character),
        None => Err(SqlError::new(SqlState("54000"), format!("requested character not valid for encoding: {code}"))),
    }
}

fn too_long() -> SqlError {
    SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}

fn repeat(args: &[Option<Value>]) -> Answer {
    let (text, times) = (text(args, 0), usize::try_from(int(args, 1)).unwrap_or(0));
    match text.len().checked_mul(times) {
        Some(length) if length <= TEXT_BYTES_MAX => answer(text.repeat(times)),
        _ => Err(too_long()),
    }
}

/// The text cut to the length, or the characters that are missing before it.
fn padding(args: &[Option<Value>]) -> SqlResult<(String, String)> {
    let (value, length) = (text(args, 0), usize::try_from(int(args, 1)).unwrap_or(0));
    let fill = if args.len() > 2 { text(args, 2) } else { " " };
    if length > TEXT_BYTES_MAX / 4 {
        return Err(too_long());
    }
    let cut: String = value.chars().take(length).collect();
    let missing = length - cut.chars().count();
    Ok((cut, fill.chars().cycle().take(if fill.is_empty() { 0 } else { missing }).collect()))
}

fn lpad(args: &[Option<Value>]) -> Answer {
    let (cut, fill) = padding(args)?;
    answer(fill + &cut)
}

fn rpad(args: &[Option<Value>]) -> Answer {
    let (cut, fill) = padding(args)?;
    answer(cut + &fill)
}

/// The text as a literal of SQL.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

fn quote_literal(args: &[Option<Value>]) -> Answer {
    answer(literal(text(args, 0)))
}

fn quote_nullable(args: &[Option<Value>]) -> Answer {
    match args.first() {
        Some(Some(_)) => quote_literal(args),
        _ => answer("NULL"),
    }
}

fn concat(args: &[Option<Value>]) -> Answer {
    answer((0..args.len()).map(|at| text(args, at)).collect::<String>())
}

fn concat_ws(args: &[Option<Value>]) -> Answer {
    let Some(Some(Value::Text(between))) = args.first() else { return Ok(None) };
    let parts: Vec<&str> = (1..args.len()).filter(|at| args[*at].is_some()).map(|at| text(args, at)).collect();
    answer(parts.join(between))
}

/// A pattern with backslashes for its escapes. Errors: 22025.
fn like_escape(args: &[Option<Value>]) -> Answer {
    let mut escape = text(args, 1).chars();
    let (first, None) = (escape.next(), escape.next()) else {
        return Err(SqlError::new(SqlState("22025"), "invalid escape string").hint("Escape string must be empty or one character."));
    };
    if first == Some('\\') {
        return answer(text(args, 0));
    }
    match respelled(text(args, 0), first) {
        Some(respelled) => answer(respelled),
        // It matches nothing, unless the text ends before.
        None => answer(format!("{}\\", text(args, 0).trim_end_matches(|c| Some(c) == first))),
    }
}

fn same(args: &[Option<Value>]) -> Answer {
    answer(text(args, 0))
}

/// `\XXXX`, `\+XXXXXX`, `\uXXXX`, `\UXXXXXXXX` and `\\`.
fn unistr(args: &[Option<Value>]) -> Answer {
    let invalid = || {
        SqlError::new(SqlState::SYNTAX_ERROR, "invalid Unicode escape")
            .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
    };
    let mut rest = text(args, 0);
    let mut out = String::new();
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            out.push('\\');
            rest = after;
            continue;
        }
        let (skip, digits) = match rest.chars().next() {
            Some('+') => (1, 6),
            Some('u') => (1, 4),
            Some('U') => (1, 8),
            _ => (0, 4),
        };
        let code = rest.get(skip..skip + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        out.push(code.and_then(char::from_u32).ok_or_else(invalid)?);
        rest = &rest[skip + digits..];
    }
    answer(out + rest)
}

fn string_to_array(args: &[Option<Value>]) -> Answer {
    let Some(Some(Value::Text(value))) = args.first() else { return Ok(None) };
    let null = match args.get(2) {
        Some(Some(Value::Text(null))) => Some(null.as_str()),
        _ => None,
    };
    let parts: Vec<String> = match args.get(1) {
        _ if value.is_empty() => Vec::new(),
        Some(Some(Value::Text(between))) if between.is_empty() => vec![value.clone()],
        Some(Some(Value::Text(between))) => value.split(between.as_str()).map(str::to_owned).collect(),
        _ => value.chars().map(String::from).collect(),
    };
    Ok(Some(Value::Texts(parts.into_iter().map(|part| (Some(part.as_str()) != null).then_some(part)).collect())))
}

fn parse_ident(args: &[Option<Value>]) -> Answer {
    let given = text(args, 0);
    let invalid = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("string is not a valid identifier: \"{given}\""));
    let mut parts = Vec::new();
    let mut rest = given.trim();
    loop {
        let part = if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').filter(|end| *end > 0).ok_or_else(invalid)?;
            rest = &quoted[end + 1..];
            quoted[..end].to_owned()
        } else {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            if end == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(invalid());
            }
            let part = rest[..end].to_lowercase();
            rest = &rest[end..];
            part
        };
        parts.push(Some(part));
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => return Ok(Some(Value::Texts(parts))),
            None => return Err(invalid()),
        }
    }
}

fn starts_with(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Bool(text(args, 0).starts_with(text(args, 1)))))
}

fn count(args: &[Option<Value>], nulls: bool) -> Answer {
    Ok(Some(Value::Int(args.iter().filter(|arg| arg.is_none() == nulls).count() as i64)))
}

fn num_nulls(args: &[Option<Value>]) -> Answer {
    count(args, true)
}

fn num_nonnulls(args: &[Option<Value>]) -> Answer {
    count(args, false)
}
