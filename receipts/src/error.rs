//! The one error of every encoder and decoder here.

use std::fmt;

/// Bytes that are not what their format page says, or a value its format cannot hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatError {
    /// The thing that was being read or written: «leaf», «note», «receipt», «policy line 3» …
    pub what: String,
    /// What is wrong with it, one clause without a full stop.
    pub why: String,
}

impl FormatError {
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for FormatError {}
