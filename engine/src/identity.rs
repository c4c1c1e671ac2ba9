//! Which ledger a folder holds: the one file that names it.
//!
//! I1: written last when a ledger is made; a folder without it holds nothing acknowledged, unless I3.
//! I2: the ledger's id never changes; the database's name does by ALTER DATABASE … RENAME, when nobody has it open.
//! I3: a dropped database is a folder with `ledger.dropped`: it counts as soon as that file is there, is not opened and never removed.
//! Never: forgets a ledger that gave a receipt.
//! Format: docs/formats/folder.md.

use std::path::Path;

use base::io::Io;
use base::{LedgerId, SqlError, SqlResult, SqlState};

use crate::checkpoints::replace;
use crate::failure::io_failed;

/// Name of the file below the ledger's folder.
pub const FILE: &str = "ledger.id";
/// Name of the file that says that the database was dropped, and when (I3).
pub const DROPPED: &str = "ledger.dropped";
const TITLE: &str = "shockwave ledger 1";

/// Whether the folder is that of a dropped database (I3).
pub fn is_dropped(io: &dyn Io, folder: &Path) -> bool {
    io.exists(&folder.join(DROPPED))
}

/// What `ledger.id` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerIdentity {
    /// Drawn at creation.
    pub ledger: LedgerId,
    /// 0 at creation; one more each time a restored copy is opened to write.
    pub incarnation: u32,
    /// The database's name.
    pub database: String,
    /// Origin of its checkpoints, where the database had another name when its keys were made.
    pub renamed_from: Option<String>,
}

impl LedgerIdentity {
    /// Reads the file. `None` where there is none (I1) or the database was dropped (I3). Errors: XX001 where it is unreadable, 58030 from the disk.
    pub fn read(io: &dyn Io, folder: &Path) -> SqlResult<Option<Self>> {
        if is_dropped(io, folder) { Ok(None) } else { Self::read_even_dropped(io, folder) }
    }

    /// The same, of a dropped database too. Errors: likewise.
    pub fn read_even_dropped(io: &dyn Io, folder: &Path) -> SqlResult<Option<Self>> {
        let path = folder.join(FILE);
        if !io.exists(&path) {
            return Ok(None);
        }
        let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
        let unreadable = || SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is unreadable", path.display()));
        let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
        Self::parse(&text).map(Some).ok_or_else(unreadable)
    }

    /// Drops the database in one step (I3); its files stay. `now_us`: µs since the Unix epoch. Errors: 58030, 53100.
    pub fn drop_from(&self, io: &dyn Io, folder: &Path, now_us: i64) -> SqlResult<()> {
        replace(io, &folder.join(DROPPED), format!("{}dropped {now_us}\n", self.text()).as_bytes())
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
        let renamed_from = match lines.next() {
            None => None,
            Some(line) => {
                let origin = line.strip_prefix("origin ")?;
                let covered = text.find("\nblake3 ")? + 1;
                let hash = lines.next()?.strip_prefix("blake3 ")?;
                (blake3::hash(&text.as_bytes()[..covered]).to_hex().as_str() == hash).then_some(Some(origin.to_owned()))?
            }
        };
        lines.next().is_none().then_some(Self { ledger, incarnation, database, renamed_from })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let text = format!("{TITLE}\nid {}\nincarnation {}\ndatabase {}\n", self.ledger, self.incarnation, self.database);
        let Some(origin) = &self.renamed_from else { return text };
        let text = format!("{text}origin {origin}\n");
        format!("{text}blake3 {}\n", blake3::hash(text.as_bytes()).to_hex())
    }

    /// Origin of the ledger's checkpoints: that of the name the database was made with.
    pub fn origin(&self) -> String {
        match &self.renamed_from {
            Some(origin) => origin.clone(),
            None => receipts::checkpoint::origin(&self.database, &self.ledger.0),
        }
    }
}
