//! The log: many threads append, whoever needs durability waits for it, readers look at what was appended.
//!
//! W1: `durable ≤ appended`; both only grow.
//! W2: a file that is not active is never written again.
//! W3: a failed write or sync ends all writing for good (`Poisoned`); a full disk met while a new file is made does not, for nothing is lost.
//! W4: a record is in the log whole and in its place before its position is returned.
//! Locks, in this order: head, files, durability. Only `append_and_sync` on a quiet log waits for the disk under the head's.
//! Never: reads records back to decide anything.

use crate::durability::Durability;
use crate::folder::{Folder, Place, Space};
use crate::format::{FILE_HEADER_BYTES, Outgoing};
use crate::head::Head;
use crate::held::Held;
use crate::log_file::LogFile;
use crate::{Identity, Payload, Position, Record, RecordKind, Recovered, Recovery, WalError, WalOptions};
use base::Io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Groups up to this size take the way of a single durable write.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// An open log. Shared between threads by reference; dropping it without [`Wal::close`] is like a crash of the process.
#[derive(Debug)]
pub struct Wal {
    folder: Folder,
    head: Mutex<Head>,
    /// Every file that is still there, by position, the active one last.
    files: RwLock<Vec<Arc<LogFile>>>,
    appended: AtomicU64,
    durability: Durability,
}

/// One file of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileInfo {
    /// From 1, dense.
    pub number: u64,
    /// Log position of its first byte.
    pub base: Position,
    /// Its size.
    pub bytes: u64,
    /// Where it is.
    pub path: PathBuf,
}

impl Wal {
    /// Whether `dir` holds a log (of whomever).
    pub fn exists(io: &Arc<dyn Io>, dir: &Path) -> Result<bool, WalError> {
        Folder::new(Arc::clone(io), dir, Identity { ledger: Default::default(), incarnation: 0 }, 0).holds_log()
    }

    /// Starts a log in `dir` (created if missing) with one file, zero-filled and durable. `Exists` if there is one.
    pub fn create(io: Arc<dyn Io>, dir: &Path, identity: Identity, options: WalOptions) -> Result<Self, WalError> {
        let folder = Folder::new(io, dir, identity, options.file_bytes);
        folder.make()?;
        if folder.holds_log()? {
            return Err(WalError::Exists { dir: dir.to_owned() });
        }
        folder.clear_unfinished()?;
        let first = folder.prepare("first", Place { number: 1, base: 0 }, folder.file_bytes, Space::Zeroed)?;
        let first = Arc::new(folder.publish(first)?);
        Self::resume(folder, vec![first], FILE_HEADER_BYTES as u64, &options)
    }

    /// Reads the log in `dir` and takes it over at the end found: [`Recovery::read`], then [`Recovery::accept`].
    pub fn open<E: From<WalError>>(
        io: Arc<dyn Io>,
        dir: &Path,
        identity: Identity,
        past: &[u32],
        options: WalOptions,
        replay: &mut dyn FnMut(Record) -> Result<(), E>,
    ) -> Result<(Self, Recovered), E> {
        let recovery = Recovery::read(io, dir, identity, past, options, replay)?;
        let recovered = recovery.recovered().clone();
        Ok((recovery.accept()?, recovered))
    }

    /// Goes on at `offset` of the last of `files`; everything before is durable. A file of a past incarnation is left for a new one.
    pub(crate) fn resume(folder: Folder, files: Vec<Arc<LogFile>>, offset: u64, options: &WalOptions) -> Result<Self, WalError> {
        let active = files.last().ok_or_else(|| WalError::Empty { dir: folder.dir.clone() })?;
        let (file, renew) = (Arc::clone(active), active.identity() != folder.identity);
        let end = file.position(offset);
        let head = Mutex::new(Head::new(file, offset, options.use_uring));
        let durability = Durability::new(end);
        let wal = Self { folder, head, files: RwLock::new(files), appended: AtomicU64::new(end.0), durability };
        if renew {
            wal.move_on(&mut wal.head(), 0)?;
            wal.sync()?;
        }
        Ok(wal)
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writable(&self) -> Result<MutexGuard<'_, Head>, WalError> {
        let head = self.head();
        self.durability.check()?;
        if head.closed { Err(WalError::Closed) } else { Ok(head) }
    }

    /// Everything before this is in the log, durable or not.
    pub fn appended(&self) -> Position {
        Position(self.appended.load(Ordering::Acquire))
    }

    /// Everything before this survives power loss.
    pub fn durable(&self) -> Position {
        self.durability.reached()
    }

    /// Whether durable writes go through io_uring.
    pub fn uses_uring(&self) -> bool {
        self.head().ring.is_some()
    }

    /// Appends a record whose payload is `parts` one after the other (together under 4 GiB); returns its position. Readable at once
    /// ([`Wal::payload`]), durable only after a sync. From any thread; long payloads are summed before the log is locked.
    pub fn append(&self, kind: RecordKind, parts: &[&[u8]]) -> Result<Position, WalError> {
        let record = outgoing(kind, parts)?;
        let mut head = self.writable()?;
        self.put(&mut head, &record)
    }

    fn put(&self, head: &mut Head, record: &Outgoing<'_>) -> Result<Position, WalError> {
        if !head.fits(record.frame_bytes()) {
            self.move_on(head, record.frame_bytes())?;
        }
        let position = head.write(record, self.durable()).map_err(|error| self.durability.poison(error))?;
        self.advance(head);
        head.look_ahead(&self.folder);
        Ok(position)
    }

    fn advance(&self, head: &Head) {
        let before = self.appended.swap(head.end().0, Ordering::AcqRel);
        assert!(before <= head.end().0, "W1: the log's end went back from {before} to {}", head.end());
    }

    /// Starts the next file, large enough for a frame of `frame_bytes`.
    fn move_on(&self, head: &mut Head, frame_bytes: usize) -> Result<(), WalError> {
        let next = head.next_file(&self.folder, frame_bytes).map_err(|error| {
            let named = self.folder.io.exists(&self.folder.path(head.file.header.number + 1));
            if error.is_full() && !named { error } else { self.durability.poison(error) }
        })?;
        head.move_to(Arc::clone(&next), self.durable()).map_err(|error| self.durability.poison(error))?;
        self.files.write().unwrap_or_else(PoisonError::into_inner).push(next);
        self.advance(head);
        Ok(())
    }

    /// Returns once everything appended before the call is durable; says how far. Callers at the same time share one sync. If it fails the
    /// log is poisoned (W3).
    pub fn sync(&self) -> Result<Position, WalError> {
        self.sync_to(self.appended())
    }

    fn sync_to(&self, target: Position) -> Result<Position, WalError> {
        self.durability.wait(target, || {
            let (older, active, reach) = {
                let mut head = self.head();
                (std::mem::take(&mut head.unsynced), Arc::clone(&head.file), head.end())
            };
            older.iter().chain([&active]).try_for_each(|file| file.sync())?;
            Ok(reach)
        })
    }

    /// Appends records together and returns their positions once they, and everything before them, are durable. On a log that is otherwise
    /// durable this is one buffer and one durable write.
    pub fn append_and_sync(&self, records: &[(RecordKind, &[&[u8]])]) -> Result<Vec<Position>, WalError> {
        self.append_and_sync_during(records, || ()).map(|(positions, ())| positions)
    }

    /// [`Wal::append_and_sync`], running `meanwhile` once beside the disk's work, under the log's lock: it must not touch the log. What it gives is given back only with durability; on an
    /// error it is dropped.
    pub fn append_and_sync_during<T>(
        &self,
        records: &[(RecordKind, &[&[u8]])],
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Vec<Position>, T), WalError> {
        let records = records.iter().map(|(kind, parts)| outgoing(*kind, parts)).collect::<Result<Vec<_>, _>>()?;
        self.put_and_sync(self.writable()?, &records, meanwhile)
    }

    fn put_and_sync<T>(
        &self,
        mut head: MutexGuard<'_, Head>,
        records: &[Outgoing<'_>],
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Vec<Position>, T), WalError> {
        let bytes: usize = records.iter().map(Outgoing::frame_bytes).sum();
        let quiet = head.unsynced.is_empty() && self.durable() == head.end();
        if quiet && bytes <= GROUP_BYTES_MAX && head.fits(bytes) {
            let written = head.write_durable(records, meanwhile).map_err(|error| self.durability.poison(error))?;
            self.advance(&head);
            self.durability.reach(head.end());
            head.look_ahead(&self.folder);
            return Ok(written);
        }
        let positions = records.iter().map(|record| self.put(&mut head, record)).collect::<Result<_, _>>()?;
        drop(head);
        let done = meanwhile();
        self.sync()?;
        Ok((positions, done))
    }

    /// The payload of the record at `position`, as a view into the file's map. The position must be one that was returned or replayed; a
    /// wrong one is `NoRecord` at best (the sum is not taken again).
    pub fn payload(&self, position: Position) -> Result<Payload, WalError> {
        let file = {
            let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
            let after = files.partition_point(|file| file.header.base <= position.0);
            after.checked_sub(1).map(|index| Arc::clone(&files[index])).ok_or(WalError::NoRecord { position })?
        };
        file.payload(position, self.appended())
    }

    /// The log as it is now, to be read beside those who write (its files may be released meanwhile).
    pub fn hold(&self) -> Held {
        // The head's lock keeps the end and the files together: a file is added under it.
        let head = self.head();
        Held { files: self.files.read().unwrap_or_else(PoisonError::into_inner).clone(), end: head.end() }
    }

    /// Starts a new file now, so that all records so far lie in files that can be released; returns where the next record goes. Nothing
    /// happens if the active file has no record.
    pub fn rotate(&self) -> Result<Position, WalError> {
        let mut head = self.writable()?;
        if !head.is_at_start() {
            self.move_on(&mut head, 0)?;
        }
        Ok(head.end())
    }

    /// Deletes the files that lie wholly before `before` and are durable, never the active one; returns their paths. Payloads handed out
    /// earlier stay readable.
    pub fn release(&self, before: Position) -> Result<Vec<PathBuf>, WalError> {
        let before = before.min(self.durable()).0;
        let mut candidates = self.files.read().unwrap_or_else(PoisonError::into_inner).clone();
        candidates.pop();
        let mut released = Vec::new();
        for file in candidates.into_iter().take_while(|file| file.end() <= before) {
            self.folder.remove(&file)?;
            self.files.write().unwrap_or_else(PoisonError::into_inner).retain(|other| other.header.number != file.header.number);
            released.push(file.path.clone());
        }
        Ok(released)
    }

    /// The files of the log, oldest first.
    pub fn files(&self) -> Vec<FileInfo> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let info = |file: &Arc<LogFile>| FileInfo {
            number: file.header.number,
            base: file.position(0),
            bytes: file.header.bytes,
            path: file.path.clone(),
        };
        files.iter().map(info).collect()
    }

    /// Makes everything durable and notes that the log was closed in good order. Later appends are refused with `Closed`; a second close does
    /// nothing.
    pub fn close(&self) -> Result<(), WalError> {
        let mut head = match self.writable() {
            Err(WalError::Closed) => return Ok(()),
            head => head?,
        };
        head.closed = true;
        head.spare.wait();
        drop(head);
        // First what is there, so that the closing record can say all of it is durable.
        self.sync()?;
        self.put_and_sync(self.head(), &[outgoing_of(RecordKind::CLEAN_CLOSE, &[])?], || ())?;
        self.folder.clear_unfinished()
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        // The spare's thread must not write into a folder that the next owner may have taken over.
        self.head().spare.wait();
    }
}

fn outgoing<'a>(kind: RecordKind, parts: &'a [&'a [u8]]) -> Result<Outgoing<'a>, WalError> {
    if kind.is_callers() { outgoing_of(kind, parts) } else { Err(WalError::ReservedKind { kind }) }
}

fn outgoing_of<'a>(kind: RecordKind, parts: &'a [&'a [u8]]) -> Result<Outgoing<'a>, WalError> {
    let bytes = || parts.iter().map(|part| part.len() as u64).sum();
    Outgoing::new(kind, parts).ok_or_else(|| WalError::TooLarge { bytes: bytes() })
}
