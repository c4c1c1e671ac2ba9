//! `format(text, …)`.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::row::{Answer, Kind, Returns, Value, form, function};
use crate::functions::text::{answer, literal};

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        function("format", &[form(&[Kind::Text], Returns::Is(Kind::Text), format_text).and_more(Kind::Printed).lenient()]),
        function("quote_ident", &[form(&[Kind::Text], Returns::Is(Kind::Text), quote_ident)]),
    ]
}

/// Words that are not an identifier without quotes: Postgres's reserved ones and those it lets be nothing but a function's or a type's name.
const RESERVED: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast \
char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role \
current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract \
false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect \
interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not \
notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references returning \
right row select session_user setof similar smallint some substring symmetric table tablesample then time timestamp to trailing treat trim \
true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest \
xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&format!(" {name} "));
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn quote_ident(args: &[Option<Value>]) -> Answer {
    answer(identifier(crate::functions::text::text(args, 0)))
}

/// One `%` of the pattern.
struct Placeholder {
    position: Option<usize>,
    is_left: bool,
    width: Width,
    kind: char,
}

enum Width {
    None,
    Fixed(i64),
    /// `*` or `*n$`
    Argument(Option<usize>),
}

fn format_text(args: &[Option<Value>]) -> Answer {
    let Some(Some(Value::Text(pattern))) = args.first() else { return Ok(None) };
    let mut out = String::new();
    let mut rest = pattern.chars().collect::<Vec<_>>().into_iter().peekable();
    let mut next = 1;
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if rest.peek() == Some(&'%') {
            rest.next();
            out.push('%');
            continue;
        }
        let placeholder = placeholder(&mut rest)?;
        let (mut is_left, mut width) = (placeholder.is_left, 0);
        match placeholder.width {
            Width::None => {}
            Width::Fixed(fixed) => width = fixed,
            Width::Argument(position) => {
                let at = position.unwrap_or(next);
                next = at + 1;
                width = match args.get(at).ok_or_else(too_few)? {
                    Some(Value::Text(width)) => width.trim().parse().map_err(|_| invalid_width(width))?,
                    _ => 0,
                };
                is_left |= width < 0;
            }
        }
        let at = placeholder.position.unwrap_or(next);
        next = at + 1;
        let value = match args.get(at).ok_or_else(too_few)? {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let shown = shown(placeholder.kind, value)?;
        let missing = usize::try_from(width.unsigned_abs()).unwrap_or(0).saturating_sub(shown.chars().count());
        let blanks = " ".repeat(missing);
        out.push_str(&if is_left { shown + &blanks } else { blanks + &shown });
    }
    answer(out)
}

fn shown(kind: char, value: Option<&str>) -> SqlResult<String> {
    match (kind, value) {
        ('s', value) => Ok(value.unwrap_or_default().to_owned()),
        ('L', value) => Ok(value.map_or_else(|| "NULL".to_owned(), literal)),
        ('I', Some(value)) => Ok(identifier(value)),
        ('I', None) => Err(SqlError::new(SqlState("22004"), "null values cannot be formatted as an SQL identifier")),
        (other, _) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unrecognized format() type specifier \"{other}\""))
            .hint("For a single \"%\" use \"%%\".")),
    }
}

type Rest = std::iter::Peekable<std::vec::IntoIter<char>>;

fn placeholder(rest: &mut Rest) -> SqlResult<Placeholder> {
    let mut found = Placeholder { position: None, is_left: false, width: Width::None, kind: ' ' };
    if let Some(first) = number(rest) {
        if rest.next_if_eq(&'$').is_some() {
            found.position = Some(argument(first)?);
        } else {
            found.width = Width::Fixed(first);
        }
    }
    if matches!(found.width, Width::None) {
        while rest.next_if_eq(&'-').is_some() {
            found.is_left = true;
        }
        if rest.next_if_eq(&'*').is_some() {
            let position = number(rest).map(argument).transpose()?;
            if position.is_some() && rest.next_if_eq(&'$').is_none() {
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "width argument position must be ended by \"$\""));
            }
            found.width = Width::Argument(position);
        } else if let Some(width) = number(rest) {
            found.width = Width::Fixed(width);
        }
    }
    found.kind = rest.next().ok_or_else(|| {
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "unterminated format() type specifier").hint("For a single \"%\" use \"%%\".")
    })?;
    Ok(found)
}

fn number(rest: &mut Rest) -> Option<i64> {
    let mut value = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        value = Some(value.unwrap_or(0_i64).saturating_mul(10).saturating_add(i64::from(digit as u8 - b'0')).min(i32::MAX.into()));
    }
    value
}

fn argument(number: i64) -> SqlResult<usize> {
    match usize::try_from(number) {
        Ok(position @ 1..) => Ok(position),
        _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "format specifies argument 0, but arguments are numbered from 1")),
    }
}

fn too_few() -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "too few arguments for format()")
}

fn invalid_width(width: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type integer: \"{width}\""))
}
