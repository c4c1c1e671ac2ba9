//! Which ledger a folder holds: the one file that names it.
//!
//! I1: written last when a ledger is made; a folder without it holds nothing acknowledged.
//! Never: changed while its incarnation lives.
//! Format: docs/formats/folder.md.

use std::path::Path;

use base::io::Io;
use base::{LedgerId, SqlError, SqlResult, SqlState};

use crate::failure::io_failed;

/// Name of the file below the ledger's folder.
pub const FILE: &str = "ledger.id";
const TITLE: &str = "shockwave ledger 1";

/// What `ledger.id` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerIdentity {
    /// Drawn at creation.
    pub ledger: LedgerId,
    /// 0 at creation; one more each time a restored copy is opened to write.
    pub incarnation: u32,
    /// The database's name.
    pub database: String,
}

impl LedgerIdentity {
    /// Reads the file. `None` where there is none (I1). Errors: XX001 where it is unreadable, 58030 from the disk.
    pub fn read(io: &dyn Io, folder: &Path) -> SqlResult<Option<Self>> {
        let path = folder.join(FILE);
        if !io.exists(&path) {
            return Ok(None);
        }
        let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
        let unreadable = || SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is unreadable", path.display()));
        let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
        Self::parse(&text).map(Some).ok_or_else(unreadable)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != TITLE {
            return None;
        }
        let id = lines.next()?.strip_prefix("id ")?;
        let incarnation = lines.next()?.strip_prefix("incarnation ")?.parse().ok()?;
        let database = lines.next()?.strip_prefix("database ")?.to_owned();
        let canonical = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let ledger = LedgerId(u128::from_str_radix(id, 16).ok().filter(|_| canonical)?.to_be_bytes());
        lines.next().is_none().then_some(Self { ledger, incarnation, database })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        format!("{TITLE}\nid {}\nincarnation {}\ndatabase {}\n", self.ledger, self.incarnation, self.database)
    }
}
