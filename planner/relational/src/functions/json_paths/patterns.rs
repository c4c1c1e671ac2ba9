//! `like_regex`, by the regular expressions of the rest of SQL.

use base::SqlResult;

use super::path::Regex;
use crate::functions::regexps;

/// Whether the pattern occurs. Without a flag `.` stops at the end of a line and `^` knows the text's beginning only. Errors: 2201B.
pub(super) fn is_match(regex: &Regex, text: &str) -> SqlResult<bool> {
    let options = regexps::Options {
        any_case: regex.any_case,
        all: false,
        dot_stops: !regex.dot_all,
        lines: regex.lines,
        is_literal: regex.is_literal,
        is_expanded: false,
    };
    regexps::compiled(&regex.pattern, options)?.is_match(text)
}
