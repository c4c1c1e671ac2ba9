//! The log: every record in it is read again, its checksum compared, and the leaf that it brings with the one in the trees.
//!
//! Never: takes what is written meanwhile for damage: the log is read as it was when the look began.

use std::path::Path;
use std::sync::Arc;

use base::{SqlError, SqlResult};
use bytes::Bytes;
use receipts::Leaf;
use wal::WalError;

use super::{Damage, Pace};
use crate::backup::log::leaf_of;
use crate::ledger::Ledger;

/// Bytes of a frame beside its payload.
const FRAME_BYTES: u64 = 32;

/// Why a look ended.
enum End {
    Damage(WalError),
    /// A record that is whole and brings something else than was committed.
    Foreign(String),
    Stopped(SqlError),
}

impl From<WalError> for End {
    fn from(error: WalError) -> Self {
        Self::Damage(error)
    }
}

impl From<SqlError> for End {
    fn from(error: SqlError) -> Self {
        Self::Stopped(error)
    }
}

/// The first thing that is wrong with it. Errors: 57P01 when the server stops; 58030.
pub(super) fn look(ledger: &Arc<Ledger>, pace: &mut Pace<'_>) -> SqlResult<Vec<Damage>> {
    if ledger.failure().is_some() {
        // What the disk holds then is read by the next start, not guessed here.
        return Ok(Vec::new());
    }
    let held = ledger.wal().hold();
    let compared = held.read(&mut |record| -> Result<(), End> {
        let payload = Bytes::from_owner(record.payload);
        pace.read(0, FRAME_BYTES + payload.len() as u64)?;
        match leaf_of(record.kind.0, &payload)? {
            Some(leaf) => compare(ledger, &leaf),
            None => Ok(()),
        }
    });
    pace.read(held.files(), 0)?;
    match compared {
        Ok(()) => Ok(Vec::new()),
        Err(End::Stopped(error)) => Err(error),
        Err(End::Foreign(why)) => Ok(vec![ledger.damage("wal", None, why, false)]),
        Err(End::Damage(error)) => match &error {
            WalError::Damaged { file, .. } | WalError::BadHeader { file, .. } => {
                Ok(vec![ledger.damage(&below(ledger, file), None, error.to_string(), false)])
            }
            _ => Err(error.into()),
        },
    }
}

/// A file's path below the ledger's folder.
fn below(ledger: &Ledger, file: &Path) -> String {
    file.strip_prefix(ledger.folder()).unwrap_or(file).display().to_string()
}

/// Leaves that tiles hold too were compared with these.
fn compare(ledger: &Ledger, leaf: &[u8]) -> Result<(), End> {
    let seq = Leaf::decode(leaf).map_err(|error| End::Foreign(format!("a leaf in the log is unreadable: {error}")))?.seq();
    let merkle = ledger.merkle().read();
    if seq < merkle.sealed() || *merkle.leaf(seq)? == *leaf {
        return Ok(());
    }
    Err(End::Foreign(format!("the leaf of commit {seq} in the log is not the one that was committed")))
}
