//! Timestamps of checkpoints by an authority (RFC 3161): kept beside the checkpoints they are of, shown in `ledger.timestamps`.
//!
//! T1: what is kept is of a checkpoint of this ledger, and its digest is that of the kept note, byte for byte.
//! T2: a pair of files is written once, the note first: where the response is, the note is.
//! Never: judges the authority: who trusts it checks the response with its certificate, by `openssl ts -verify`. Knows HTTP.
//! Format: docs/formats/folder.md.

mod message;

use std::path::Path;

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};
use receipts::note::Note;
use sha2::{Digest, Sha256};

use crate::failure::io_failed;
use crate::ledger::Ledger;
use crate::merkle::write_once;

pub use message::{Stamp, request};

/// Name of the folder in the ledger's.
pub const FOLDER: &str = "timestamps";

/// A checkpoint and what an authority answered for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timestamp {
    /// The checkpoint's size.
    pub size: u64,
    /// The checkpoint as it was published, a signed note: what the digest is of.
    pub note: String,
    /// The authority's response, DER.
    pub response: Vec<u8>,
    /// What the response says.
    pub stamp: Stamp,
}

/// The digest that an authority is given: SHA-256 of a note's bytes.
pub fn digest(note: &str) -> [u8; 32] {
    Sha256::digest(note).into()
}

/// Names of the two files, within the ledger's folder: note and response.
pub(crate) fn names(size: u64) -> [String; 2] {
    [format!("{FOLDER}/{size:020}.checkpoint"), format!("{FOLDER}/{size:020}.tsr")]
}

impl Ledger {
    /// Keeps an authority's response for a checkpoint (T1, T2).
    ///
    /// Errors: 22023 for a note that is no checkpoint of this ledger or a response that is none or of something else; 53100, 58030.
    pub fn keep_timestamp(&self, note: &str, response: &[u8]) -> SqlResult<Stamp> {
        let refused = |why: String| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, why);
        let parsed = Note::parse(note).map_err(|error| refused(error.to_string()))?;
        let checkpoint = self.own_checkpoint(&parsed).map_err(refused)?;
        let stamp = Stamp::read(response).map_err(refused)?;
        if stamp.digest != digest(note) {
            return Err(refused("the response is a timestamp of something else".to_owned()));
        }
        let [of_note, of_response] = names(checkpoint.size).map(|name| self.folder().join(name));
        let io = &*self.options().io;
        write_once(io, &of_note, note.as_bytes())?;
        write_once(io, &of_response, response)?;
        Ok(stamp)
    }
}

/// Sizes of the checkpoints that have a timestamp in a ledger's folder, ascending. Errors: 58030.
pub fn sizes(io: &dyn Io, folder: &Path) -> SqlResult<Vec<u64>> {
    let folder = folder.join(FOLDER);
    if !io.exists(&folder) {
        return Ok(Vec::new());
    }
    let list = io.list(&folder).map_err(|error| io_failed("list", &folder, error))?;
    let mut sizes: Vec<u64> = list.iter().filter_map(|name| name.strip_suffix(".tsr")?.parse().ok()).collect();
    sizes.sort_unstable();
    Ok(sizes)
}

/// The timestamp of a checkpoint in a ledger's folder. Errors: 58030; XX001 where a file is not what was kept.
pub fn read(io: &dyn Io, folder: &Path, size: u64) -> SqlResult<Timestamp> {
    let [of_note, of_response] = names(size).map(|name| folder.join(name));
    let bytes = |path: &Path| io.open(path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", path, error));
    let damaged = |path: &Path, why: String| {
        SqlError::new(SqlState::DATA_CORRUPTED, format!("timestamp \"{}\" is unreadable: {why}", path.display()))
    };
    let note = String::from_utf8(bytes(&of_note)?).map_err(|_| damaged(&of_note, "not text".to_owned()))?;
    let response = bytes(&of_response)?;
    let stamp = Stamp::read(&response).map_err(|why| damaged(&of_response, why))?;
    if stamp.digest != digest(&note) {
        return Err(damaged(&of_response, "it is of another checkpoint than the one beside it".to_owned()));
    }
    Ok(Timestamp { size, note, response, stamp })
}
