//! Text that came out of a receipt, spelled so that it cannot repaint a terminal, in a way every verifier can follow.
//!
//! U1: what is escaped is a list of code points written here and in the page, and does not change with a version of Unicode.
//!
//! Never: prints a control or formatting character.
//! Format: docs/formats/verdicts.md.

use std::fmt::Write as _;

/// First and last code point of each run of control and formatting characters.
const ESCAPED: [(char, char); 13] = [
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

fn is_escaped(c: char) -> bool {
    ESCAPED.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// `text` without what it could draw with: `"` and `\` after a `\`, newline, tab and carriage return as `\n`, `\t`, `\r`, other
/// characters of the list as `\u{hex}`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_escaped(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// `text` escaped, in double quotes.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// A name as it stands if it is plain, else in quotes: plain are ASCII letters and digits, `_-./%`, the blank, and every character beyond
/// ASCII that is not escaped.
pub fn format_name(name: &str) -> String {
    let is_plain =
        |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '%' | ' ') } else { !is_escaped(c) };
    if !name.is_empty() && name.chars().all(is_plain) { name.to_owned() } else { quote(name) }
}
