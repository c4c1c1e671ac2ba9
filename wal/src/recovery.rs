//! Opens a log that is there: first reading only, then, once the caller has agreed to the end found, making the disk match it.
//!
//! V1: until `accept`, nothing on disk changes, so a caller that knows of a later acknowledged record can refuse and lose nothing.
//! V2: after `accept` everything before the end is durable and everything after it in its file is zero, so no stale frame can come back.
//! V3: bytes no record claims to be durable are written again before they are synced: after a failed sync the kernel may show bytes that never
//!     reached the disk and count them as clean.

use crate::folder::Folder;
use crate::format::FILE_HEADER_BYTES;
use crate::log_file::LogFile;
use crate::replay::{self, Recovered};
use crate::{Identity, Record, Wal, WalError, WalOptions};
use base::Io;
use std::path::Path;
use std::sync::Arc;

const CHUNK: usize = 1 << 20;

/// A log that has been read but not yet taken over. Dropping it leaves the disk as it was.
#[derive(Debug)]
pub struct Recovery {
    folder: Folder,
    options: WalOptions,
    files: Vec<Arc<LogFile>>,
    file: usize,
    offset: u64,
    recovered: Recovered,
}

impl Recovery {
    /// Reads the log in `dir`, calling `replay` with each record in order; its error ends the reading. Files may be of `identity`'s
    /// incarnation or of one in `past`. Damage is an error ([`WalError::Damaged`] and its named siblings); a torn tail is reported in
    /// [`Recovered::cut`]. A last record that rotted looks like a torn one: a caller that knows what it acknowledged compares before it accepts.
    pub fn read<E: From<WalError>>(
        io: Arc<dyn Io>,
        dir: &Path,
        identity: Identity,
        past: &[u32],
        options: WalOptions,
        replay: &mut dyn FnMut(Record) -> Result<(), E>,
    ) -> Result<Self, E> {
        let folder = Folder::new(io, dir, identity, options.file_bytes);
        let files: Vec<Arc<LogFile>> = folder.open_files(past)?.into_iter().map(Arc::new).collect();
        let reading = replay::read(&files, replay)?;
        Ok(Self { folder, options, files, file: reading.file, offset: reading.offset, recovered: reading.recovered })
    }

    /// What was found.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Cuts the torn tail, makes the rest durable and goes on writing at the end (V2). The first call of the way that changes the disk.
    pub fn accept(mut self) -> Result<Wal, WalError> {
        self.folder.clear_unfinished()?;
        for file in &mut self.files[..=self.file] {
            if file.end() > self.recovered.claimed.0 {
                *file = Arc::new(self.folder.reopen(file)?);
            }
        }
        self.zero_tail()?;
        for file in self.files.drain(self.file + 1..).rev() {
            self.folder.remove(&file)?;
        }
        self.make_durable()?;
        self.folder.sync()?;
        Wal::resume(self.folder, self.files, self.offset, &self.options)
    }

    fn zero_tail(&self) -> Result<(), WalError> {
        let Some(cut) = &self.recovered.cut else { return Ok(()) };
        let file = &self.files[self.file];
        let failed = |error| WalError::io("cut the torn tail of", &file.path, error);
        let zeros = vec![0; CHUNK.min(usize::try_from(cut.bytes).unwrap_or(CHUNK))];
        let mut offset = cut.offset;
        while offset < cut.offset + cut.bytes {
            let chunk = zeros.len().min(usize::try_from(cut.offset + cut.bytes - offset).unwrap_or(CHUNK));
            file.handle.write_at(offset, &zeros[..chunk]).map_err(failed)?;
            offset += chunk as u64;
        }
        if cut.bytes > 0 { file.sync() } else { Ok(()) }
    }

    /// V3, for everything from the last durable claim on.
    fn make_durable(&self) -> Result<(), WalError> {
        for (index, file) in self.files.iter().enumerate() {
            let end = if index == self.file { self.offset } else { file.header.bytes };
            let start = self.recovered.claimed.0.saturating_sub(file.header.base).max(FILE_HEADER_BYTES as u64);
            if start < end {
                rewrite(file, start, end).map_err(|error| WalError::io("write", &file.path, error))?;
                file.sync()?;
            }
        }
        Ok(())
    }
}

fn rewrite(file: &LogFile, start: u64, end: u64) -> std::io::Result<()> {
    let mut chunk = vec![0; CHUNK.min(usize::try_from(end - start).unwrap_or(CHUNK))];
    let mut at = start;
    while at < end {
        let bytes = chunk.len().min(usize::try_from(end - at).unwrap_or(CHUNK));
        file.handle.read_exact_at(at, &mut chunk[..bytes])?;
        file.handle.write_at(at, &chunk[..bytes])?;
        at += bytes as u64;
    }
    Ok(())
}
