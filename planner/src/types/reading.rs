//! How texts are read: in a session's manner, and by its clock.
//!
//! Never: reads a clock; a text with a word of the clock's means the moment that the session brings.

use relational::values::datetime;

use super::Manner;

/// What reading a text takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// Zone and styles.
    pub manner: Manner,
    /// When the transaction began, µs since 1970-01-01 UTC; without it `now` and its kin are refused.
    pub now_us: Option<i64>,
}

impl From<Manner> for Reading {
    fn from(manner: Manner) -> Self {
        Self { manner, now_us: None }
    }
}

impl Reading {
    /// The text with what its words of the clock's mean; `None` if it has none.
    pub(super) fn without_clock(&self, text: &str) -> Option<String> {
        datetime::without_clock(text, self.now_us?, self.manner.zone)
    }
}
