//! The next file, made ahead by a thread but for its name while the present one fills, so that hardly any commit waits for it.
//!
//! Only for real disks: a simulated run has one order of steps. Without a spare the head makes a file itself.
//! Never: has a log file's name; is waited for by a writer.

use crate::folder::{Folder, Place, Space, Unfinished};
use std::thread::{Builder, JoinHandle};

#[derive(Debug, Default)]
pub(crate) struct Spare(Option<JoinHandle<Option<Unfinished>>>);

impl Spare {
    /// Starts making one if none is there or under way. Failure (a full disk, no thread) shows when a file is needed, not here.
    pub(crate) fn prepare(&mut self, folder: &Folder, place: Place) {
        if self.0.is_none() {
            let folder = folder.clone();
            let work = move || folder.prepare("spare", place, folder.file_bytes, Space::Zeroed).ok();
            self.0 = Builder::new().name("wal-spare".to_owned()).spawn(work).ok();
        }
    }

    /// The spare file, if it is ready.
    pub(crate) fn take(&mut self) -> Option<Unfinished> {
        if self.0.as_ref()?.is_finished() { self.wait() } else { None }
    }

    /// Waits for the thread, so that nothing is written into the folder afterwards.
    pub(crate) fn wait(&mut self) -> Option<Unfinished> {
        self.0.take()?.join().ok().flatten()
    }
}
