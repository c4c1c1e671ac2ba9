//! `jsonb_pretty`: a line a member, four blanks a level.

use super::normal::write_string;
use super::parse::{Kind, Value};

/// The value, laid out.
pub fn pretty(value: &Value<'_>) -> String {
    let mut out = String::new();
    put(value, 0, &mut out);
    out
}

fn line(level: usize, out: &mut String) {
    out.push('\n');
    (0..level).for_each(|_| out.push_str("    "));
}

fn put(value: &Value<'_>, level: usize, out: &mut String) {
    match &value.kind {
        Kind::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(level + 1, out);
                put(element, level + 1, out);
            }
            line(level, out);
            out.push(']');
        }
        Kind::Object(members) => {
            out.push('{');
            for (at, (key, member)) in members.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                line(level + 1, out);
                write_string(key, out);
                out.push_str(": ");
                put(member, level + 1, out);
            }
            line(level, out);
            out.push('}');
        }
        _ => out.push_str(value.text),
    }
}
