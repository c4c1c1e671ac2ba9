//! The list of what a ledger's backup holds: every file with its length and BLAKE3, and the state of both trees that they amount to.
//!
//! M1: it is the last file of a backup to be written, in one step; what it does not name is not part of the backup.
//! M2: names are plain relative paths: nothing that a manifest says leads out of its folder.
//! Never: signs; the roots it states are those of the signed checkpoint beside it.
//! Format: docs/formats/backup.md.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use base::io::Io;
use base::{LedgerId, SqlError, SqlResult, SqlState, hex};
use receipts::Hash;

use crate::checkpoints::replace;
use crate::failure::io_failed;
use crate::identity::LedgerIdentity;
use crate::signer::Signed;

/// Name of the file below the folder of a ledger's backup.
pub const FILE: &str = "manifest";
const TITLE: &str = "shockwave backup 1";

/// A file as it was copied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of all of it.
    pub blake3: Hash,
}

/// What a ledger's backup holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Whose it is.
    pub identity: LedgerIdentity,
    /// The newest commit's state.
    pub state: Signed,
    /// Leaves that are in tiles; those after them are in the log.
    pub sealed: u64,
    /// Files by name, `/` between folders.
    pub files: BTreeMap<String, Entry>,
}

impl Manifest {
    /// Reads the manifest in a folder; `None` where there is none. Errors: XX001 where it is unreadable, 58030.
    pub fn read(io: &dyn Io, folder: &Path) -> SqlResult<Option<Self>> {
        let path = folder.join(FILE);
        if !io.exists(&path) {
            return Ok(None);
        }
        let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
        let parsed = String::from_utf8(bytes).ok().and_then(|text| Self::parse(&text));
        parsed.map(Some).ok_or_else(|| {
            SqlError::new(SqlState::DATA_CORRUPTED, format!("backup manifest \"{}\" is damaged", path.display()))
                .hint("Take another copy of the backup; without its manifest nothing tells what belongs to it.")
        })
    }

    /// Puts it in its place in one step (M1). Errors: 58030, 53100.
    pub fn write(&self, io: &dyn Io, folder: &Path) -> SqlResult<()> {
        replace(io, &folder.join(FILE), self.text().as_bytes())
    }

    /// Name of the log's copy: leaves `sealed` to before `size`.
    pub fn log_name(&self) -> String {
        format!("log/{:020}-{:020}", self.sealed, self.state.size)
    }

    /// Name of the copy of a file whose content may be another one in each backup: its name, and the BLAKE3 of it.
    pub fn copy_of(&self, file: &str) -> Option<&String> {
        self.files.keys().find(|name| name.strip_prefix(file).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Names of the two signed checkpoints of the newest state.
    pub fn signed_names(&self) -> [String; 2] {
        [format!("signed/{:020}", self.state.size), format!("b3/signed/{:020}", self.state.size)]
    }

    fn text(&self) -> String {
        let LedgerIdentity { ledger, incarnation, database, .. } = &self.identity;
        let origin = self.identity.origin();
        let (sha, b3) = (hex::encode(&self.state.sha_root), hex::encode(&self.state.b3_root));
        let mut text = format!("{TITLE}\nid {ledger}\nincarnation {incarnation}\ndatabase {database}\norigin {origin}\n");
        let _ = write!(text, "size {}\nsha256 {sha}\nblake3 {b3}\nsealed {}\n", self.state.size, self.sealed);
        for (name, entry) in &self.files {
            let _ = writeln!(text, "file {} {} {name}", hex::encode(&entry.blake3), entry.bytes);
        }
        let end = blake3::hash(text.as_bytes()).to_hex();
        text + &format!("end {end}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, end) = text.split_at(text.strip_suffix('\n')?.rfind('\n')? + 1);
        let end = end.strip_prefix("end ")?.strip_suffix('\n')?;
        if blake3::hash(body.as_bytes()).to_hex().as_str() != end {
            return None;
        }
        let mut lines = body.strip_suffix('\n')?.split('\n');
        (lines.next()? == TITLE).then_some(())?;
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        let ledger = LedgerId(hex::decode_array::<16>(&field("id")?)?);
        let incarnation = decimal(&field("incarnation")?)?.try_into().ok()?;
        let (database, origin) = (field("database")?, field("origin")?);
        let (size, sha_root) = (decimal(&field("size")?)?, hex::decode_array(&field("sha256")?)?);
        let (b3_root, sealed) = (hex::decode_array(&field("blake3")?)?, decimal(&field("sealed")?)?);
        let is_first_name = receipts::checkpoint::origin(&database, &ledger.0) == origin;
        let identity = LedgerIdentity { ledger, incarnation, database, renamed_from: (!is_first_name).then_some(origin) };
        let mut files = BTreeMap::new();
        for line in lines {
            let mut words = line.strip_prefix("file ")?.splitn(3, ' ');
            let (blake3, bytes, name) = (hex::decode_array(words.next()?)?, decimal(words.next()?)?, words.next()?);
            let is_new = is_plain(name) && files.insert(name.to_owned(), Entry { bytes, blake3 }).is_none();
            is_new.then_some(())?;
        }
        let parsed = Self { identity, state: Signed { size, sha_root, b3_root }, sealed, files };
        // One text a manifest: order, case and leading zeros are settled by writing it again.
        (sealed <= size && parsed.text() == text).then_some(parsed)
    }
}

/// M2.
fn is_plain(name: &str) -> bool {
    let is_plain_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && part.chars().all(is_plain_char))
}

fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests;
