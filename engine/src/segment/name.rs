//! Names of sealed files: whose rows, from which on, and what became of them.
//!
//! N1: a file as the sealer wrote it is named by its first row, one that was merged by its first row and its number of rows; so no file ever takes the
//!     name of another.
//! N2: a stub has the name of its segment, with another ending.
//! N3: of files that begin with one row, the one with the most rows is asked first, and a whole one before its stub; whoever goes through them in that
//!     order and passes over those that begin before the end of what was taken, has each row once.
//! Never: tells whether a file is there.

use std::cmp::Reverse;

use base::RelationId;

const DIGITS: usize = 16;
const WHOLE: &str = "arrow";
const EXPIRED: &str = "expired";

/// Name of a sealed file, without its folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentName {
    /// Id of its first row.
    pub first_row: u64,
    /// Its number of rows, if others were merged into it.
    pub merged_rows: Option<u64>,
    /// Whether it is what is left of an expired one.
    pub is_stub: bool,
}

impl SegmentName {
    /// Of a segment as the sealer writes it.
    pub fn sealed(first_row: u64) -> Self {
        Self { first_row, merged_rows: None, is_stub: false }
    }

    /// Of a segment that others are merged into.
    pub fn merged(first_row: u64, rows: u64) -> Self {
        Self { first_row, merged_rows: Some(rows), is_stub: false }
    }

    /// Of its stub.
    pub fn stub(self) -> Self {
        Self { is_stub: true, ..self }
    }

    /// Of the segment that it is a stub of, or its own.
    pub fn whole(self) -> Self {
        Self { is_stub: false, ..self }
    }

    /// Reads a name, given without its folder; `None` for any other file.
    pub fn parse(name: &str) -> Option<Self> {
        let number = |text: &str| {
            (text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u64>().ok()).flatten()
        };
        let (stem, ending) = name.split_once('.')?;
        let is_stub = match ending {
            WHOLE => false,
            EXPIRED => true,
            _ => return None,
        };
        let (first_row, merged_rows) = match stem.split_once('-') {
            None => (number(stem)?, None),
            Some((first, rows)) => (number(first)?, Some(number(rows).filter(|rows| *rows > 0)?)),
        };
        Some(Self { first_row, merged_rows, is_stub })
    }

    /// The names of sealed files among those of a folder, in the order in which they are asked for rows (N3).
    pub fn all<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<Self> {
        let mut all: Vec<Self> = names.into_iter().filter_map(|name| Self::parse(name)).collect();
        // What was not merged comes last: whatever was merged from it has more rows.
        all.sort_by_key(|name| (name.first_row, Reverse(name.merged_rows), name.is_stub));
        all
    }

    /// Its path below the ledger's folder.
    pub fn file(self, relation: RelationId) -> String {
        let ending = if self.is_stub { EXPIRED } else { WHOLE };
        match self.merged_rows {
            None => format!("segments/{relation}/{:016}.{ending}", self.first_row),
            Some(rows) => format!("segments/{relation}/{:016}-{rows:016}.{ending}", self.first_row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let names = [SegmentName::sealed(7), SegmentName::merged(7, 90), SegmentName::sealed(7).stub(), SegmentName::merged(0, 1).stub()];
        for name in names {
            let file = name.file(RelationId(20_000));
            assert_eq!(SegmentName::parse(file.rsplit('/').next().unwrap()), Some(name), "{file}");
        }
        let others = ["7.arrow", "0000000000000007.writing", "0000000000000007", "0000000000000007-90.arrow", "000000000000000x.arrow"];
        for other in others.into_iter().chain(["0000000000000007-0000000000000000.arrow", "0000000000000007.arrow.arrow"]) {
            assert_eq!(SegmentName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_most_rows_come_first() {
        let wanted = [
            SegmentName::merged(0, 900),
            SegmentName::merged(0, 900).stub(),
            SegmentName::merged(0, 90),
            SegmentName::sealed(0),
            SegmentName::sealed(0).stub(),
            SegmentName::sealed(7),
        ];
        let mut names: Vec<String> = wanted.iter().map(|name| name.file(RelationId(1)).rsplit('/').next().unwrap().to_owned()).collect();
        names.sort();
        names.push("notes".into());
        assert_eq!(SegmentName::all(&names), wanted);
    }
}
