//! Timestamps in a ledger's folder: each is of a checkpoint of this history.
//!
//! Never: says that an authority signed one: its certificate is nothing that a policy pins.

use std::path::Path;

use base::io::Io;
use receipts::note::Note;
use receipts::verdict::Report;
use receipts::{Checkpoint, Hash};

use super::{Stop, malformed, tampered};
use crate::timestamps::{names, read, sizes};

/// A stamped checkpoint: the file of its response, and what it says.
pub(super) struct Stamped {
    file: String,
    checkpoint: Checkpoint,
}

impl Stamped {
    pub(super) fn size(&self) -> u64 {
        self.checkpoint.size
    }
}

/// All of them: digests fit, nothing else is believed yet.
pub(super) fn open(io: &dyn Io, folder: &Path, origin: &str) -> Result<Vec<Stamped>, Stop> {
    let mut all = Vec::new();
    for size in sizes(io, folder).map_err(|error| super::unreadable(&error))? {
        let [of_note, file] = names(size);
        let stamp = read(io, folder, size).map_err(|error| malformed(&file, error.message()))?;
        let note = Note::parse(&stamp.note).map_err(|error| malformed(&of_note, error.to_string()))?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| malformed(&of_note, error.to_string()))?;
        if checkpoint.origin != origin || checkpoint.size != size {
            return Err(tampered(of_note, format!("it is of {} commits of {}", checkpoint.size, checkpoint.origin)));
        }
        all.push(Stamped { file, checkpoint });
    }
    Ok(all)
}

/// Compares each with the root that the folder gives at its size, and says what was and was not checked.
pub(super) fn check<'a>(all: &[Stamped], root: impl Fn(u64) -> Option<&'a Hash>, report: &mut Report) -> Result<(), Stop> {
    for Stamped { file, checkpoint } in all {
        match root(checkpoint.size) {
            Some(root) if *root == checkpoint.root => {}
            Some(_) => {
                return Err(tampered(file, format!("it is of another history than the first {} commits in this folder", checkpoint.size)));
            }
            None => return Err(tampered(file, format!("it is of {} commits, the folder holds fewer", checkpoint.size))),
        }
    }
    if !all.is_empty() {
        report.checked.push(format!("{} timestamps are of checkpoints of this history", all.len()));
        report
            .not_covered
            .push("the signatures of the timestamps: openssl ts -verify checks them with the authority's certificate".to_owned());
    }
    Ok(())
}
