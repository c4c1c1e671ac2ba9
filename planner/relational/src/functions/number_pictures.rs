//! `to_char` of numbers and `to_number`.
//!
//! F28: a number without room in its picture is shown as `#`.

use base::{SqlError, SqlResult, SqlState};

use crate::functions::row::{Answer, Value};
use crate::functions::text::{answer, int, text};
use crate::values::numeric::Numeric;

/// A picture, read.
#[derive(Default)]
struct Picture {
    /// `9`, `0`, `,` before the point, in order.
    whole: Vec<char>,
    /// `9` and `0` after it.
    fraction: Vec<char>,
    has_point: bool,
    sign: Sign,
    /// Literal characters before and after the number.
    before: String,
    after: String,
    is_tight: bool,
    ordinal: Option<bool>,
    roman: Option<bool>,
    is_scientific: bool,
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Sign {
    #[default]
    Usual,
    First,
    Last,
    /// `<5>`
    Angles,
    /// `MI` at the end.
    Minus,
}

fn read(pattern: &str) -> SqlResult<Picture> {
    let mut picture = Picture::default();
    let mut rest = pattern;
    let digits = |picture: &Picture| picture.whole.len() + picture.fraction.len();
    while let Some(first) = rest.chars().next() {
        let upper = rest.chars().take(4).collect::<String>().to_ascii_uppercase();
        let mut length = first.len_utf8();
        if upper.starts_with("FM") {
            picture.is_tight = true;
            length = 2;
        } else if upper == "EEEE" {
            picture.is_scientific = true;
            length = 4;
        } else if upper.starts_with("PR") {
            picture.sign = Sign::Angles;
            length = 2;
        } else if upper.starts_with("MI") {
            picture.sign = Sign::Minus;
            length = 2;
        } else if upper.starts_with("RN") {
            picture.roman = Some(first == 'R');
            length = 2;
        } else if upper.starts_with("TH") {
            picture.ordinal = Some(first == 'T');
            length = 2;
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            let side = if digits(&picture) == 0 { &mut picture.before } else { &mut picture.after };
            side.push_str(&quoted[..end]);
            length = (end + 2).min(rest.len());
        } else {
            match first {
                '9' | '0' if picture.has_point => picture.fraction.push(first),
                '9' | '0' | ',' | 'G' | 'g' => picture.whole.push(if matches!(first, 'G' | 'g') { ',' } else { first }),
                '.' | 'D' | 'd' => picture.has_point = true,
                'S' | 's' => picture.sign = if digits(&picture) == 0 { Sign::First } else { Sign::Last },
                // The locale's currency symbol, which the C locale has not.
                'L' | 'l' => (if digits(&picture) == 0 { &mut picture.before } else { &mut picture.after }).push(' '),
                'V' | 'v' => return Err(SqlError::unsupported("V in a number's picture")),
                other => (if digits(&picture) == 0 { &mut picture.before } else { &mut picture.after }).push(other),
            }
        }
        rest = &rest[length..];
    }
    Ok(picture)
}

pub(super) fn of_integer(args: &[Option<Value>]) -> Answer {
    show(&Numeric::integer(int(args, 0)), text(args, 1))
}

pub(super) fn of_numeric(args: &[Option<Value>]) -> Answer {
    match args.first() {
        Some(Some(Value::Numeric(value))) => show(value, text(args, 1)),
        _ => Ok(None),
    }
}

pub(super) fn of_float(args: &[Option<Value>]) -> Answer {
    let Some(Some(Value::Float(value))) = args.first() else { return Ok(None) };
    let places = u8::try_from(read(text(args, 1))?.fraction.len()).unwrap_or(u8::MAX).min(15);
    let scaled = (value * 10_f64.powi(places.into())).round_ties_even();
    if scaled.is_finite() && scaled.abs() < 1e37 {
        return show(&Numeric::new(scaled as i128, places.into()), text(args, 1));
    }
    Err(SqlError::unsupported("a number of this size in to_char"))
}

fn show(value: &Numeric, pattern: &str) -> Answer {
    let picture = read(pattern)?;
    if value.scale().is_none() {
        return Err(SqlError::unsupported(format!("{value} in to_char")));
    }
    if let Some(is_upper) = picture.roman {
        let numeral = roman(value.to_integer("integer").unwrap_or(0).into());
        let numeral = if is_upper { numeral } else { numeral.to_lowercase() };
        return answer(if picture.is_tight { numeral } else { format!("{numeral:>15}") });
    }
    if picture.is_scientific {
        return answer(scientific(value, picture.fraction.len()));
    }
    // A picture without a place for a digit has none for a sign either.
    if picture.whole.is_empty() && !picture.has_point && picture.sign == Sign::Usual {
        return answer(format!("{}{}", picture.before, picture.after));
    }
    let rounded = value.round(picture.fraction.len() as i64);
    let is_negative = rounded.signum() < 0;
    let digits = rounded.absolute().to_string().replace('.', "");
    let (whole, fraction) = digits.split_at(digits.len() - picture.fraction.len());
    let (body, has_room) = body(&picture, whole, fraction);
    let body = if has_room { body } else { body.replace(|c: char| c.is_ascii_digit() || c == ' ', "#") };
    answer(signed(&picture, body, is_negative))
}

/// The digits in their places, and whether there were enough.
fn body(picture: &Picture, whole: &str, fraction: &str) -> (String, bool) {
    let places = picture.whole.iter().filter(|c| **c != ',').count();
    let significant = if whole == "0" && (picture.has_point && !picture.fraction.is_empty() || places == 0) { "" } else { whole };
    let has_room = significant.len() <= places;
    let first_zero = picture.whole.iter().filter(|c| **c != ',').position(|c| *c == '0').unwrap_or(usize::MAX);
    let mut out = String::new();
    let mut place = 0;
    for c in &picture.whole {
        let missing = places.saturating_sub(significant.len());
        if *c == ',' {
            let has_begun = place > missing || place > first_zero || !has_room;
            match (has_begun, picture.is_tight) {
                (true, _) => out.push(','),
                (false, false) => out.push(' '),
                (false, true) => {}
            }
            continue;
        }
        if !has_room {
            out.push('#');
        } else if place >= missing {
            out.push(char::from(significant.as_bytes()[place - missing]));
        } else if place >= first_zero {
            out.push('0');
        } else if !picture.is_tight {
            out.push(' ');
        }
        place += 1;
    }
    if picture.has_point {
        out.push('.');
        let needed =
            if picture.is_tight { picture.fraction.iter().rposition(|c| *c == '0').map_or(0, |at| at + 1) } else { fraction.len() };
        let shown = fraction.trim_end_matches('0').len().max(needed).min(fraction.len());
        out.push_str(&fraction[..shown]);
    }
    (out, has_room)
}

fn signed(picture: &Picture, body: String, is_negative: bool) -> String {
    // The sign stands right before the first digit.
    let blanks = body.len() - body.trim_start_matches(' ').len();
    let (space, number) = body.split_at(blanks);
    let ordinal = picture.ordinal.filter(|_| !is_negative && !picture.has_point).map_or(String::new(), |is_upper| {
        let ending = match number.as_bytes() {
            [.., b'1', _] => "th",
            [.., b'1'] => "st",
            [.., b'2'] => "nd",
            [.., b'3'] => "rd",
            _ => "th",
        };
        if is_upper { ending.to_uppercase() } else { ending.to_owned() }
    });
    let (before, after) = (&picture.before, &picture.after);
    match picture.sign {
        Sign::First => format!("{before}{space}{}{number}{after}{ordinal}", if is_negative { '-' } else { '+' }),
        Sign::Last => format!("{before}{body}{}{after}{ordinal}", if is_negative { '-' } else { '+' }),
        Sign::Minus => {
            let mark = if is_negative {
                "-"
            } else if picture.is_tight {
                ""
            } else {
                " "
            };
            format!("{before}{body}{mark}{after}")
        }
        Sign::Angles if is_negative => format!("{before}{space}<{number}>{after}"),
        Sign::Angles if picture.is_tight => format!("{before}{body}{after}"),
        Sign::Angles => format!("{before} {body} {after}"),
        Sign::Usual => {
            let mark = if is_negative {
                "-"
            } else if picture.is_tight {
                ""
            } else {
                " "
            };
            format!("{before}{space}{mark}{number}{after}{ordinal}")
        }
    }
}

fn scientific(value: &Numeric, places: usize) -> String {
    let number = value.to_float();
    let text = format!("{:.places$e}", number.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if value.signum() < 0 { '-' } else { ' ' };
    format!("{sign}{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn roman(value: i128) -> String {
    const NUMERALS: [(i128, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..=3999).contains(&value) {
        return "#".repeat(15);
    }
    let mut rest = value;
    let mut out = String::new();
    for (size, numeral) in NUMERALS {
        while rest >= size {
            out.push_str(numeral);
            rest -= size;
        }
    }
    out
}

/// The digits, sign and point of a text, whatever else its picture has. Errors: 22P02 for a text without a digit.
pub(super) fn to_number(args: &[Option<Value>]) -> Answer {
    let (given, pattern) = (text(args, 0), text(args, 1));
    let places = pattern.split_once(['.', 'D', 'd']).map_or(0, |(_, after)| after.matches(['9', '0']).count());
    let is_negative = given.contains('-') || given.trim_start().starts_with('<');
    let number: String = given.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let fraction = &fraction[..fraction.len().min(places)];
    if whole.is_empty() && fraction.is_empty() {
        return Err(SqlError::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type numeric: \"{}\"", given.trim()),
        ));
    }
    let number = Numeric::parse(&format!("{whole}.{fraction}"))?;
    Ok(Some(Value::Numeric(if is_negative { number.negated() } else { number })))
}
