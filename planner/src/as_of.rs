//! A moment of the past as users name it: a commit, or a time.
//!
//! F1: a moment that is shown can be read again, whatever the session's zone and date style are then.
//! Never: reads the clock: what has no date of its own is no moment.

use std::fmt;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::{Ledger, Snapshot};
use relational::values::datetime::write_timestamptz;

use crate::types::{Manner, parse_instant_us};

/// A moment: what was committed up to it can be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AsOf {
    /// The commit itself included.
    Commit(u64),
    /// µs since 1970-01-01 UTC; commits of that very time included.
    Time(i64),
}

impl AsOf {
    /// `commit 42`, or a timestamp in any form that a `timestamptz` takes. Errors: 22007, 22008, 22003.
    pub(crate) fn read(text: &str, manner: &Manner) -> SqlResult<Self> {
        let text = text.trim();
        let is_commit = text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("commit"));
        match text.get(6..).filter(|_| is_commit) {
            Some(number) => match number.trim().parse() {
                Ok(seq) => Ok(Self::Commit(seq)),
                Err(_) => {
                    Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid commit number: \"{}\"", number.trim())))
                }
            },
            None => parse_instant_us(text, manner).map(Self::Time),
        }
    }

    /// The commit whose state it is. Errors: 22023 for a commit that is not there yet, and for a time before all commits.
    pub(crate) fn commit(self, ledger: &Ledger) -> SqlResult<CommitSeq> {
        match self {
            Self::Commit(seq) => Ok(CommitSeq(seq)),
            Self::Time(time_us) => ledger.commit_by(time_us)?.ok_or_else(|| {
                SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("the ledger has no commit at or before {self}"))
                    .hint("SELECT min(committed_at) FROM ledger.commits tells when it begins.")
            }),
        }
    }

    /// The snapshot. Errors: as [`AsOf::commit`]; XX001 where the definitions of that time are unreadable.
    pub(crate) fn moment(self, ledger: &Ledger) -> SqlResult<Snapshot> {
        ledger.moment(self.commit(ledger)?)
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(seq) => write!(f, "commit {seq}"),
            Self::Time(time_us) => {
                let mut text = Vec::new();
                write_timestamptz(*time_us, &Manner::default(), &mut text);
                f.write_str(&String::from_utf8_lossy(&text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_shown() {
        let manner = Manner::default();
        for moment in [AsOf::Commit(0), AsOf::Commit(u64::MAX), AsOf::Time(0), AsOf::Time(1_764_331_200_123_456), AsOf::Time(-1)] {
            assert_eq!(AsOf::read(&moment.to_string(), &manner).unwrap(), moment);
        }
        assert_eq!(AsOf::read(" COMMIT  7", &manner).unwrap(), AsOf::Commit(7));
        assert_eq!(AsOf::read("1970-01-01 01:00:00+01", &manner).unwrap(), AsOf::Time(0));
        assert_eq!(AsOf::read("commit -1", &manner).unwrap_err().state().0, "22P02");
        assert_eq!(AsOf::read("yesteryear", &manner).unwrap_err().state().0, "22007");
    }
}
