//! Which past of a table is meant, and how a name says so.

use std::fmt;

use base::CommitSeq;
use engine::Span;
use sqlparser::ast::{Ident, ObjectNamePart, TableAlias, TableFactor};

use crate::names::fold;

/// Parts a table's name from its past.
const MARK: char = '\u{1}';

/// A past of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Past {
    /// Its rows as of a commit.
    At(CommitSeq),
    /// All versions of its rows that a span saw; `None`: the span is empty.
    Versions(Option<Span>),
}

impl Past {
    /// The name of that past of a table.
    pub(crate) fn name(&self, table: &str) -> String {
        format!("{table}{MARK}{self}")
    }

    /// Makes a table in FROM that past of it, still called as it was. Does nothing to other items.
    pub(crate) fn enter(self, factor: &mut TableFactor) {
        let TableFactor::Table { name, alias, version, .. } = factor else { return };
        *version = None;
        let Some(ObjectNamePart::Identifier(last)) = name.0.last_mut() else { return };
        alias.get_or_insert_with(|| TableAlias { explicit: true, name: last.clone(), columns: Vec::new(), at: None });
        *last = Ident { value: self.name(&fold(last)), quote_style: Some('"'), span: last.span };
    }

    /// A name's table and past; `None` for one that names no past.
    pub(crate) fn read(name: &str) -> Option<(&str, Self)> {
        let (table, past) = name.split_once(MARK)?;
        let words: Vec<&str> = past.split(' ').collect();
        let seq = |text: &str| text.parse().ok().map(CommitSeq);
        let past = match words[..] {
            ["as", "of", at] => Self::At(seq(at)?),
            ["never"] => Self::Versions(None),
            ["until", last] => Self::Versions(Some(Span { first: None, last: seq(last)? })),
            ["from", first, "until", last] => Self::Versions(Some(Span { first: Some(seq(first)?), last: seq(last)? })),
            _ => return None,
        };
        Some((table, past))
    }
}

impl fmt::Display for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(seq) => write!(f, "as of {}", seq.0),
            Self::Versions(None) => f.write_str("never"),
            Self::Versions(Some(Span { first: None, last })) => write!(f, "until {}", last.0),
            Self::Versions(Some(Span { first: Some(first), last })) => write!(f, "from {} until {}", first.0, last.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let last = CommitSeq(9);
        let spans = [None, Some(CommitSeq(3))].map(|first| Past::Versions(Some(Span { first, last })));
        for past in [Past::At(CommitSeq(0)), Past::Versions(None)].into_iter().chain(spans) {
            assert_eq!(Past::read(&past.name("a table")), Some(("a table", past)));
        }
        for plain in ["t", "t as of 3", "t\u{1}", "t\u{1}as of", "t\u{1}as of x"] {
            assert_eq!(Past::read(plain), None, "{plain:?}");
        }
    }
}
