//! Published checkpoints as files: one pair a seal, never changed, and a copy of the newest under its usual name.
//!
//! P1: the pair for size n is written after every tile and segment up to n is durable.
//! Never: signs.
//! Format: docs/formats/checkpoint.md, «files».

use std::path::{Path, PathBuf};

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};
use receipts::Checkpoint;
use receipts::note::Note;

use crate::failure::io_failed;
use crate::merkle::write_once;
use crate::signer::{Signed, SignedCheckpoint};

fn paths(folder: &Path, size: u64) -> [PathBuf; 2] {
    [folder.join(format!("checkpoints/{size:020}")), folder.join(format!("b3/checkpoints/{size:020}"))]
}

/// Writes both notes of a sealed state (P1). Errors: 58030, 53100.
pub fn write(io: &dyn Io, folder: &Path, checkpoint: &SignedCheckpoint) -> SqlResult<()> {
    let [sha, b3] = paths(folder, checkpoint.state.size);
    write_once(io, &b3, checkpoint.b3_note.as_bytes())?;
    write_once(io, &sha, checkpoint.sha_note.as_bytes())?;
    replace(io, &folder.join("b3/checkpoint"), checkpoint.b3_note.as_bytes())?;
    replace(io, &folder.join("checkpoint"), checkpoint.sha_note.as_bytes())
}

/// Puts new content under a name in one step.
pub fn replace(io: &dyn Io, path: &Path, bytes: &[u8]) -> SqlResult<()> {
    let failed = |error| io_failed("write", path, error);
    let temporary = path.with_extension("writing");
    if io.exists(&temporary) {
        io.remove(&temporary).map_err(failed)?;
    }
    let file = io.create_new(&temporary, 0o644).map_err(failed)?;
    file.write_at(0, bytes).and_then(|()| file.sync()).and_then(|()| io.rename(&temporary, path)).map_err(failed)?;
    io.sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(failed)
}

/// Sizes of all sealed states, ascending. Errors: 58030.
pub fn sizes(io: &dyn Io, folder: &Path) -> SqlResult<Vec<u64>> {
    let dir = folder.join("checkpoints");
    if !io.exists(&dir) {
        return Ok(Vec::new());
    }
    let names = io.list(&dir).map_err(|error| io_failed("list", &dir, error))?;
    Ok(names.iter().filter(|name| name.len() == 20).filter_map(|name| name.parse().ok()).collect())
}

/// Both notes of a sealed state as text, and what they say. Errors: 58030, XX001 where a note is unreadable or the two disagree on size.
pub fn read(io: &dyn Io, folder: &Path, size: u64) -> SqlResult<SignedCheckpoint> {
    read_pair(io, paths(folder, size), size)
}

/// The same of notes in these files, SHA-256 tree first. Errors: likewise.
pub fn read_pair(io: &dyn Io, paths: [PathBuf; 2], size: u64) -> SqlResult<SignedCheckpoint> {
    let mut notes = Vec::with_capacity(2);
    for path in paths {
        let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
        let unreadable =
            |why: String| SqlError::new(SqlState::DATA_CORRUPTED, format!("checkpoint \"{}\" is unreadable: {why}", path.display()));
        let text = String::from_utf8(bytes).map_err(|_| unreadable("not text".into()))?;
        let note = Note::parse(&text).map_err(|error| unreadable(error.to_string()))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| unreadable(error.to_string()))?;
        if checkpoint.size != size {
            return Err(unreadable(format!("it is for size {}", checkpoint.size)));
        }
        notes.push((text, checkpoint.root));
    }
    let [(sha_note, sha_root), (b3_note, b3_root)]: [_; 2] = notes.try_into().map_err(|_| SqlError::internal("two notes were read"))?;
    Ok(SignedCheckpoint { state: Signed { size, sha_root, b3_root }, sha_note: sha_note.into(), b3_note: b3_note.into() })
}
