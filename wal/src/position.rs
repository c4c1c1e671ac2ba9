//! The plain types a caller names records, logs and settings with.
//!
//! Never: does I/O.

use base::LedgerId;
use std::fmt;

/// Byte position in the whole log, counted over all files ever made, headers and unused ends included; only grows. A record's position is
/// that of its frame header, a multiple of 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a record is to the caller: 1–253. The log keeps the others for itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordKind(pub u8);

impl RecordKind {
    /// No record: what unwritten space reads as.
    pub const NONE: Self = Self(0);
    /// Last frame of a file: the log goes on in the next one.
    pub const END_OF_FILE: Self = Self(254);
    /// The log was closed in good order; everything before it is durable.
    pub const CLEAN_CLOSE: Self = Self(255);

    /// Whether the kind is the caller's to use.
    pub fn is_callers(self) -> bool {
        !matches!(self, Self::NONE | Self::END_OF_FILE | Self::CLEAN_CLOSE)
    }
}

/// Whose log it is. Seeds every checksum, so that no record passes for one of another ledger or incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The ledger.
    pub ledger: LedgerId,
    /// Raised whenever the ledger's history may fork from what another copy holds, e.g. by a restore. A log may hold files of several.
    pub incarnation: u32,
}

/// How a log is written. Read at open; may differ from one open to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalOptions {
    /// Size of a file: at least 4,096, rounded up to a multiple of it. A larger record gets a file sized for it.
    pub file_bytes: u64,
    /// Use io_uring for durable writes where the kernel has it. The bytes on disk are the same either way.
    pub use_uring: bool,
}

impl Default for WalOptions {
    /// 64 MiB files, io_uring where there is one.
    fn default() -> Self {
        Self { file_bytes: 64 << 20, use_uring: true }
    }
}
