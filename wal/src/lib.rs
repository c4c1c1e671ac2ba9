//! The write-ahead log of one ledger: records go in at the end, are made durable, and come back in order after a crash.
//!
//! Reading order: [`Position`] and the other plain types, the format, the files of a folder, the head where records are written,
//! durability (group commit), recovery, and [`Wal`] over all of it.
//!
//! Never: knows what a record means; retries a failed fsync; shortens or rewrites what it acknowledged.
//! Format: docs/formats/wal.md.

mod position;
pub use position::{Identity, Position, RecordKind, WalOptions};

mod error;
pub use error::WalError;

mod format;

mod payload;
pub use payload::{Payload, Record};

mod folder;
mod log_file;
mod spare;

mod head;
mod uring;

mod durability;

mod held;
pub use held::Held;

mod recovery;
mod replay;
pub use recovery::Recovery;
pub use replay::{Cut, Recovered};

mod wal;
pub use wal::{FileInfo, Wal};
