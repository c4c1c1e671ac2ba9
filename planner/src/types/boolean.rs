//! `boolean`: one letter out, Postgres's words in.
//!
//! Never: takes a number other than 0 and 1.

use super::errors::invalid_syntax;
use super::strings::trim;
use base::SqlResult;

/// `t` or `f`.
pub(super) const fn text(value: bool) -> u8 {
    if value { b't' } else { b'f' }
}

/// Unique prefixes of true, false, yes, no, on, off in any case, and 1 or 0; blanks around them are ignored.
pub(super) fn parse(text: &str) -> SqlResult<bool> {
    let word = trim(text);
    let is =
        |full: &str, least: usize| word.len() >= least && full.get(..word.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(word));
    if is("true", 1) || is("yes", 1) || is("on", 2) || word == "1" {
        Ok(true)
    } else if is("false", 1) || is("no", 1) || is("off", 2) || word == "0" {
        Ok(false)
    } else {
        Err(invalid_syntax("boolean", text))
    }
}

/// `true` or `false`: what the cast to text gives.
pub(super) const fn word(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
