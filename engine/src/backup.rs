//! Backups of a ledger that goes on working: what is sealed is copied once, what is not yet is copied each time, up to one published commit.
//!
//! B1: a backup is of one published state: all that its commits need is in it, and nothing of a later commit or of an open transaction.
//! B2: a backup that is broken off, at any step, leaves the one before it whole.
//! B3: a folder is extended only by the ledger and the incarnation that it is of, and only if its commits are that ledger's own.
//! B4: commits and reads go on; seals wait while the moment is taken, not while files are copied.
//! B5: keys of subjects that were erased are in no file of the folder once a later run has ended, not even in one that was broken off.
//! Never: changes the ledger; copies private keys unless asked to.
//! Format: docs/formats/backup.md.

pub mod log;
pub mod manifest;
pub mod target;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use base::io::{Io, LockGuard};
use base::{SqlError, SqlResult, SqlState};
use receipts::note::Note;
use receipts::proof::tree_root;
use receipts::tiles::{TileKind, tiles_of_growth};
use receipts::{Blake3Tree, Keys, Sha256Tree};
use wal::Held;

use crate::catalog::SEGMENTS_TABLE;
use crate::checkpoints;
use crate::failure::io_failed;
use crate::identity::{self, LedgerIdentity};
use crate::ledger::Ledger;
use crate::signer::{KEY_FILE, SignedCheckpoint};
use crate::subjects;
use crate::verifiers;
use crate::{cosigned, timestamps};
use manifest::{Entry, Manifest};
use target::{Copied, Target};

/// What a backup holds now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackedUp {
    /// The database.
    pub database: String,
    /// Commits that are in it: 0 to before this.
    pub size: u64,
    /// What this run did.
    pub copied: Copied,
    /// Whether the ledger's private keys are in it.
    pub has_keys: bool,
}

impl fmt::Display for BackedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, size, copied, has_keys } = self;
        let keys = if *has_keys { "with" } else { "without" };
        write!(
            f,
            "database {database}: commits 0 to {}, {} files ({} bytes) copied, {} kept, {keys} private keys",
            size.saturating_sub(1),
            copied.files,
            copied.bytes,
            copied.kept
        )
    }
}

impl Ledger {
    /// Brings the backup in `folder`, made if it is not there, to the newest published commit. Private keys and password verifiers go along if
    /// `with_keys`, or if an earlier run was asked for them.
    ///
    /// Errors: 55000 for a folder of another ledger, another incarnation or other commits (B3); 55006 while another backup goes into it; XX001 where a
    /// sealed file is not as it was recorded; 58030, 53100.
    pub fn backup(self: &Arc<Self>, folder: &Path, with_keys: bool) -> SqlResult<BackedUp> {
        let io = &*self.options().io;
        if io.exists(&folder.join(identity::FILE)) {
            return Err(refused(folder, "is the folder of a ledger that a server opens, not of a backup"));
        }
        io.create_dir_all(folder).map_err(|error| io_failed("create folder", folder, error))?;
        let _one_at_a_time = lock(io, folder)?;
        let earlier = Manifest::read(io, folder)?;
        let has_keys = with_keys || earlier.as_ref().is_some_and(|earlier| earlier.copy_of(KEY_FILE).is_some());
        let (moment, _copying) = self.sealer().between_seals(|| Moment::of(self).map(|moment| (moment, self.sealer().copying())))?;
        if let Some(earlier) = &earlier {
            self.check_extends(folder, earlier, &moment)?;
        }
        let mut target = Target::new(io, folder, earlier);
        self.put_sealed(&mut target, &moment)?;
        self.put_unsealed(&mut target, &moment)?;
        if has_keys {
            self.put_keys(&mut target, &moment)?;
        }
        // After the moment, whose rows are sealed under keys that there are by now.
        if let Some(bytes) = self.subjects().copy(has_keys) {
            put_by_content(&mut target, subjects::FILE, 0o400, &bytes)?;
        }
        if let Some(note) = &moment.cosigned {
            put_by_content(&mut target, cosigned::FILE, 0o444, note.as_bytes())?;
        }
        let (database, size) = (moment.identity.database.clone(), moment.checkpoint.state.size);
        let copied = target.finish(moment.identity, moment.checkpoint.state, moment.sealed)?;
        Ok(BackedUp { database, size, copied, has_keys })
    }

    /// B3.
    fn check_extends(&self, folder: &Path, earlier: &Manifest, moment: &Moment) -> SqlResult<()> {
        let (of, ours) = (&earlier.identity, &moment.identity);
        if of.ledger != ours.ledger {
            return Err(refused(folder, &format!("holds a backup of {}, not of {}", of.origin(), ours.origin())));
        }
        if of.incarnation != ours.incarnation {
            let why = format!("holds a backup of incarnation {}, the ledger is incarnation {}", of.incarnation, ours.incarnation);
            return Err(refused(folder, &why));
        }
        if earlier.state.size > moment.checkpoint.state.size {
            let why = format!("holds {} commits, the ledger {}", earlier.state.size, moment.checkpoint.state.size);
            return Err(refused(folder, &why));
        }
        let merkle = self.merkle().read();
        let roots = (tree_root::<Sha256Tree>(&merkle.sha, earlier.state.size), tree_root::<Blake3Tree>(&merkle.b3, earlier.state.size));
        if roots != (Some(earlier.state.sha_root), Some(earlier.state.b3_root)) {
            return Err(refused(folder, &format!("holds {} commits that are not this ledger's", earlier.state.size)));
        }
        Ok(())
    }

    /// Segments, tiles, checkpoints and their timestamps.
    fn put_sealed(&self, target: &mut Target<'_>, moment: &Moment) -> SqlResult<()> {
        for name in &moment.segments {
            let recorded = moment.recorded.get(name);
            let recorded = recorded.ok_or_else(|| SqlError::internal(format!("{name} is not in ledger.segments")))?;
            target.put_once(name, &self.folder().join(name), Some(*recorded))?;
        }
        for tile in tiles_of_growth(0, moment.sealed) {
            let trees: &[&str] = if tile.kind == TileKind::Entries { &[""] } else { &["", "b3/"] };
            for tree in trees {
                let name = format!("{tree}{}", tile.path());
                target.put_once(&name, &self.folder().join(&name), None)?;
            }
        }
        for size in timestamps::sizes(&*self.options().io, self.folder())?.into_iter().filter(|size| *size <= moment.checkpoint.state.size)
        {
            for name in timestamps::names(size) {
                target.put_once(&name, &self.folder().join(&name), None)?;
            }
        }
        let sizes = checkpoints::sizes(&*self.options().io, self.folder())?;
        for size in sizes.into_iter().filter(|size| *size <= moment.sealed) {
            for name in [format!("checkpoints/{size:020}"), format!("b3/checkpoints/{size:020}")] {
                target.put_once(&name, &self.folder().join(&name), None)?;
            }
        }
        Ok(())
    }

    /// The log above what is sealed, and the signatures of the newest state.
    fn put_unsealed(&self, target: &mut Target<'_>, moment: &Moment) -> SqlResult<()> {
        let SignedCheckpoint { state, sha_note, b3_note } = &moment.checkpoint;
        let names = Manifest { identity: moment.identity.clone(), state: *state, sealed: moment.sealed, files: Default::default() };
        target.put(&names.log_name(), 0o400, |write| log::write(&moment.held, moment.sealed..state.size, write))?;
        for (name, note) in names.signed_names().iter().zip([sha_note, b3_note]) {
            target.put(name, 0o444, |write| write(note.as_bytes()))?;
        }
        Ok(())
    }

    fn put_keys(&self, target: &mut Target<'_>, moment: &Moment) -> SqlResult<()> {
        let note = Note::parse(&moment.checkpoint.sha_note).map_err(|error| SqlError::internal(format!("own checkpoint: {error}")))?;
        let keys = Keys::parse(&moment.keys).map_err(|error| SqlError::internal(format!("own keys: {error}")))?;
        if note.verify(&keys.verifiers().map(Clone::clone)[..1]).is_err() {
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "replacing the ledger's keys failed and has not ended")
                .hint("Restart the server: it then has the keys that the ledger names."));
        }
        put_by_content(target, KEY_FILE, 0o400, moment.keys.as_bytes())?;
        let (io, path) = (&*self.options().io, self.folder().join(verifiers::FILE));
        if !io.exists(&path) {
            return Ok(());
        }
        let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
        put_by_content(target, verifiers::FILE, 0o400, &bytes)
    }
}

/// A file that may be another one next time: its name is that of its content, so that it never takes the place of what an earlier manifest names.
fn put_by_content(target: &mut Target<'_>, file: &str, mode: u32, bytes: &[u8]) -> SqlResult<()> {
    target.put(&format!("{file}.{}", blake3::hash(bytes).to_hex()), mode, |write| write(bytes))
}

/// A published state, and what holds it.
struct Moment {
    identity: LedgerIdentity,
    checkpoint: SignedCheckpoint,
    /// The text of the private keys that signed it.
    keys: String,
    /// The newest checkpoint that witnesses had cosigned by then.
    cosigned: Option<Arc<str>>,
    sealed: u64,
    held: Held,
    segments: Vec<String>,
    recorded: HashMap<String, Entry>,
}

impl Moment {
    /// Between two seals: what is sealed then stays, and the log has all above it. The state is taken before the log's end, so the log has it whole.
    fn of(ledger: &Arc<Ledger>) -> SqlResult<Self> {
        let identity = LedgerIdentity::read_even_dropped(&*ledger.options().io, ledger.folder())?;
        let identity = identity.ok_or_else(|| SqlError::internal("an open ledger has no name"))?;
        let segments = ledger.table_states().into_iter().flat_map(|state| {
            let segments = state.layout().segments;
            segments.iter().map(|segment| segment.file()).collect::<Vec<_>>()
        });
        let (segments, sealed) = (segments.collect(), ledger.merkle().read().sealed());
        // Taken before the state, so that it is not ahead of it.
        let cosigned = ledger.cosigned().map(|cosigned| cosigned.note);
        let (checkpoint, keys, held) = {
            // Keys are replaced by whoever decides.
            let _turn = ledger.turn().wait();
            (ledger.checkpoint(), ledger.signer().lock().keys().secret_text(), ledger.wal().hold())
        };
        Ok(Self { identity, checkpoint, keys, cosigned, sealed, held, segments, recorded: recorded(ledger)? })
    }
}

/// What `ledger.segments` says of every file. Errors: XX001 where it is damaged itself.
fn recorded(ledger: &Arc<Ledger>) -> SqlResult<HashMap<String, Entry>> {
    let view = ledger.begin("shockwave").view(&SEGMENTS_TABLE);
    let mut all = HashMap::new();
    for chunk in view.scan(&[0, 7, 8], false) {
        let batch = chunk.read()?;
        let (files, hashes) = (batch.column(0).as_string::<i32>(), batch.column(2).as_string::<i32>());
        let bytes = batch.column(1).as_primitive::<Int64Type>();
        for at in 0..batch.num_rows() {
            let blake3 = blake3::Hash::from_hex(hashes.value(at)).map_err(|error| {
                SqlError::new(SqlState::DATA_CORRUPTED, format!("ledger.segments has no hash of {}: {error}", files.value(at)))
            })?;
            all.insert(files.value(at).to_owned(), Entry { bytes: bytes.value(at).cast_unsigned(), blake3: *blake3.as_bytes() });
        }
    }
    Ok(all)
}

fn lock(io: &dyn Io, folder: &Path) -> SqlResult<Box<dyn LockGuard>> {
    let path = folder.join("lock");
    io.lock(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => {
            SqlError::new(SqlState::OBJECT_IN_USE, format!("another backup is being written into \"{}\"", folder.display()))
                .hint("Wait until it is done.")
        }
        _ => io_failed("lock", &path, error),
    })
}

fn refused(folder: &Path, why: &str) -> SqlError {
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("\"{}\" {why}", folder.display()))
        .hint("Nothing was changed there. Give the backup a folder of its own.")
}
