//! The file of the subjects' keys: records behind a header, appended as keys are drawn and written anew when one is destroyed.
//!
//! K1: a record counts whole or not at all; what is torn at the end was needed by no commit. Damage before a whole record is refused.
//! K2: a file that is replaced is overwritten with zeros once its successor is durable.
//! K3: after a failed write or sync nothing is appended: the file is written anew.
//! Never: keeps a destroyed key's secret; leaves the file readable to others.
//! Format: docs/formats/folder.md, «keys/subjects».

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::Io;
use base::{LedgerId, SqlError, SqlResult, SqlState};

use super::KeyId;
use crate::failure::io_failed;

/// Path below the ledger's folder.
pub const FILE: &str = "keys/subjects";

const MAGIC: &[u8; 8] = b"SWSUBJ01";
const HEADER_BYTES: usize = 32;
const RECORD_BYTES: usize = 96;
const CHECK_BYTES: usize = 8;
const KIND_KEY: u8 = 1;
const KIND_DESTROYED: u8 = 2;

/// What one record says.
pub(super) enum Record {
    Key { id: KeyId, relation: u32, subject: [u8; 32], secret: [u8; 32] },
    Destroyed { id: KeyId },
}

impl Record {
    pub(super) fn id(&self) -> KeyId {
        match self {
            Self::Key { id, .. } | Self::Destroyed { id } => *id,
        }
    }
}

/// See the module.
pub(super) struct Store {
    io: Arc<dyn Io>,
    path: PathBuf,
    ledger: LedgerId,
    /// Where the next record goes; `None` where the file is to be written anew (K3).
    end: Option<u64>,
}

impl Store {
    /// A file that is to be written.
    pub(super) fn new(io: &Arc<dyn Io>, folder: &Path, ledger: LedgerId) -> Self {
        Self { io: Arc::clone(io), path: folder.join(FILE), ledger, end: None }
    }

    /// What the file holds; nothing is changed. Errors: XX001, 58030.
    pub(super) fn open(io: &Arc<dyn Io>, folder: &Path, ledger: LedgerId) -> SqlResult<(Self, Vec<Record>)> {
        let mut store = Self::new(io, folder, ledger);
        if !io.exists(&store.path) {
            return Ok((store, Vec::new()));
        }
        let bytes = io.open(&store.path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &store.path, error))?;
        let (records, is_whole) = store.decode(&bytes)?;
        store.end = is_whole.then_some(bytes.len() as u64);
        Ok((store, records))
    }

    pub(super) fn is_appendable(&self) -> bool {
        self.end.is_some()
    }

    /// Errors: 53100, 58030 (K3).
    pub(super) fn append(&mut self, records: &[Record]) -> SqlResult<()> {
        let end = self.end.take().ok_or_else(|| SqlError::internal("K3: the file of subjects' keys is not to be appended to"))?;
        let bytes: Vec<u8> = records.iter().flat_map(|record| self.encode_one(record)).collect();
        let file = self.io.open_write(&self.path).map_err(|error| io_failed("open", &self.path, error))?;
        file.write_at(end, &bytes).and_then(|()| file.sync()).map_err(|error| io_failed("write", &self.path, error))?;
        self.end = Some(end + bytes.len() as u64);
        Ok(())
    }

    /// Writes the file anew with these records alone (K2). Errors: 53100, 58030.
    pub(super) fn replace(&mut self, records: &[Record]) -> SqlResult<()> {
        self.end = None;
        self.clear_away()?;
        let bytes = self.encode(records);
        let (temporary, folder) = (self.temporary(), self.path.parent().map(Path::to_path_buf).unwrap_or_default());
        let failed = |error| io_failed("write", &self.path, error);
        let file = self.io.create_new(&temporary, 0o600).map_err(failed)?;
        file.write_at(0, &bytes).and_then(|()| file.sync()).map_err(failed)?;
        let before = self.io.exists(&self.path).then(|| self.io.open_write(&self.path)).transpose().map_err(failed)?;
        self.io.rename(&temporary, &self.path).and_then(|()| self.io.sync_dir(&folder)).map_err(failed)?;
        before.map_or(Ok(()), |file| overwrite(&*file)).map_err(failed)?;
        self.end = Some(bytes.len() as u64);
        Ok(())
    }

    /// Removes what a writing left that was broken off. Errors: 58030.
    pub(super) fn clear_away(&self) -> SqlResult<()> {
        let temporary = self.temporary();
        if !self.io.exists(&temporary) {
            return Ok(());
        }
        let cleared = self.io.open_write(&temporary).and_then(|file| overwrite(&*file)).and_then(|()| self.io.remove(&temporary));
        cleared.map_err(|error| io_failed("remove", &temporary, error))
    }

    fn temporary(&self) -> PathBuf {
        self.path.with_extension("writing")
    }

    /// The bytes of a file with these records.
    pub(super) fn encode(&self, records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + records.len() * RECORD_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(self.ledger.0);
        bytes.extend([0; HEADER_BYTES - MAGIC.len() - 16]);
        records.iter().for_each(|record| bytes.extend(self.encode_one(record)));
        bytes
    }

    fn encode_one(&self, record: &Record) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        match record {
            Record::Key { id, relation, subject, secret } => {
                bytes[0] = KIND_KEY;
                bytes[4..8].copy_from_slice(&relation.to_le_bytes());
                bytes[8..24].copy_from_slice(id);
                bytes[24..56].copy_from_slice(subject);
                bytes[56..88].copy_from_slice(secret);
            }
            Record::Destroyed { id } => {
                bytes[0] = KIND_DESTROYED;
                bytes[8..24].copy_from_slice(id);
            }
        }
        let check = self.check_of(&bytes);
        bytes[RECORD_BYTES - CHECK_BYTES..].copy_from_slice(&check);
        bytes
    }

    fn check_of(&self, record: &[u8]) -> [u8; CHECK_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.ledger.0).update(&record[..RECORD_BYTES - CHECK_BYTES]);
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK_BYTES]);
        check
    }

    /// The records, and whether the file ends with the last of them (K1).
    pub(super) fn decode(&self, bytes: &[u8]) -> SqlResult<(Vec<Record>, bool)> {
        let damaged = |why: String| {
            SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is damaged: {why}", self.path.display()))
                .hint("Without it the rows of erasable tables cannot be read. Restore it from a copy.")
        };
        let Some(header) = bytes.get(..HEADER_BYTES).filter(|header| header.starts_with(MAGIC)) else {
            return Err(damaged("it does not begin as a file of subjects' keys".to_owned()));
        };
        if header[MAGIC.len()..MAGIC.len() + 16] != self.ledger.0 {
            return Err(damaged("it is another ledger's".to_owned()));
        }
        if header[MAGIC.len() + 16..].iter().any(|byte| *byte != 0) {
            return Err(damaged("its header has bytes that mean nothing".to_owned()));
        }
        let read: Vec<Option<Record>> = bytes[HEADER_BYTES..].chunks(RECORD_BYTES).map(|record| self.decode_one(record)).collect();
        let whole = read.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        if let Some(bad) = read[..whole].iter().position(Option::is_none) {
            return Err(damaged(format!("the record at offset {}", HEADER_BYTES + bad * RECORD_BYTES)));
        }
        let is_whole = whole == read.len();
        Ok((read.into_iter().flatten().collect(), is_whole))
    }

    fn decode_one(&self, bytes: &[u8]) -> Option<Record> {
        if bytes.len() != RECORD_BYTES || bytes[RECORD_BYTES - CHECK_BYTES..] != self.check_of(bytes) {
            return None;
        }
        let id = bytes[8..24].try_into().ok()?;
        match bytes[0] {
            KIND_KEY => Some(Record::Key {
                id,
                relation: u32::from_le_bytes(bytes[4..8].try_into().ok()?),
                subject: bytes[24..56].try_into().ok()?,
                secret: bytes[56..88].try_into().ok()?,
            }),
            KIND_DESTROYED => Some(Record::Destroyed { id }),
            _ => None,
        }
    }
}

/// Zeros in the place of all bytes, durably.
fn overwrite(file: &dyn base::io::File) -> io::Result<()> {
    let len = usize::try_from(file.len()?).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    file.write_at(0, &vec![0; len])?;
    file.sync()
}
