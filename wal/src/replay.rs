//! Reads a log from its first file to its end, hands out the records, and tells a torn tail from damage.
//!
//! T1: a record is handed out only if it and everything before it in the log is valid.
//! T2: the log ends at the first place without a valid frame. If any later frame says that place was durable when it was written, this is
//!     damage and is refused; otherwise the tail was torn by a crash and was never acknowledged.
//! Never: writes.

use crate::format::{Decoded, FILE_HEADER_BYTES, Frame, decode};
use crate::log_file::LogFile;
use crate::{Payload, Position, Record, RecordKind, WalError};
use base::Mapped;
use std::path::PathBuf;
use std::sync::Arc;

/// What recovery found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// First place a record can have in the files that are still there.
    pub first: Position,
    /// End of the last valid record: where the next one goes.
    pub end: Position,
    /// Everything before this was said to be durable by a valid record.
    pub claimed: Position,
    /// Records handed out.
    pub records: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Whether the log was closed in good order.
    pub clean: bool,
    /// What a crash left behind the end, if anything.
    pub cut: Option<Cut>,
}

/// A torn tail: bytes after the last valid record that were never acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// File in which the tail begins.
    pub file: PathBuf,
    /// Byte in it.
    pub offset: u64,
    /// The same as a log position.
    pub position: Position,
    /// Last byte of the tail that is not zero, plus one, less `offset`; 0 if only later files are dropped.
    pub bytes: u64,
    /// Later files that go with it.
    pub files: Vec<PathBuf>,
    /// Why the log ends here.
    pub reason: &'static str,
}

/// Where the log stopped: file index, offset, and why if there was something unreadable.
struct Stop {
    file: usize,
    offset: usize,
    reason: Option<&'static str>,
}

/// A log read to its end.
pub(crate) struct Reading {
    pub(crate) recovered: Recovered,
    /// Index of the file in which the log goes on, and the offset there.
    pub(crate) file: usize,
    pub(crate) offset: u64,
}

/// Reads all of `files`, calling `replay` with every record of the caller's, in order.
pub(crate) fn read<E: From<WalError>>(files: &[Arc<LogFile>], replay: &mut dyn FnMut(Record) -> Result<(), E>) -> Result<Reading, E> {
    let first = files.first().map_or(0, |file| file.header.base + FILE_HEADER_BYTES as u64);
    let start = Position(first);
    let mut recovered = Recovered { first: start, end: start, claimed: start, records: 0, bytes: 0, clean: false, cut: None };
    let mut stop = None;
    for (index, file) in files.iter().enumerate() {
        let map = file.map()?;
        let (offset, reason) = match read_file(file, &map, &mut recovered, replay)? {
            FileEnd::Continues if index + 1 == files.len() => return Err(missing_next(file).into()),
            FileEnd::Continues => continue,
            FileEnd::Stopped(offset, reason) => (offset, reason),
        };
        stop = Some(Stop { file: index, offset, reason });
        break;
    }
    let stop = stop.unwrap_or(Stop { file: 0, offset: FILE_HEADER_BYTES, reason: None });
    recovered.end = files[stop.file].position(stop.offset as u64);
    recovered.cut = judge(files, &stop)?;
    recovered.clean &= recovered.cut.is_none();
    Ok(Reading { recovered, file: stop.file, offset: stop.offset as u64 })
}

fn missing_next(file: &LogFile) -> WalError {
    let number = file.header.number + 1;
    WalError::Missing { file: file.path.with_file_name(format!("{number:010}.wal")), number }
}

enum FileEnd {
    /// An `END_OF_FILE` frame: there must be a next file.
    Continues,
    /// No valid frame at this offset; why, if something is there.
    Stopped(usize, Option<&'static str>),
}

fn read_file<E>(
    file: &LogFile,
    map: &Mapped,
    recovered: &mut Recovered,
    replay: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<FileEnd, E> {
    let mut offset = FILE_HEADER_BYTES;
    while offset < map.len() {
        let Frame { kind, durable, payload, next } = match decode(file.seed, map, file.header.base, offset) {
            Decoded::Frame(frame) => frame,
            Decoded::Blank => return Ok(FileEnd::Stopped(offset, None)),
            Decoded::Invalid(reason) => return Ok(FileEnd::Stopped(offset, Some(reason))),
        };
        assert!(next > offset, "T1: replay must move on");
        recovered.claimed = recovered.claimed.max(durable);
        recovered.clean = kind == RecordKind::CLEAN_CLOSE;
        if kind == RecordKind::END_OF_FILE {
            return Ok(FileEnd::Continues);
        }
        if kind.is_callers() {
            recovered.records += 1;
            recovered.bytes += payload.len() as u64;
            let position = file.position(offset as u64);
            replay(Record { position, kind, payload: Payload::new(map.clone(), payload) })?;
        }
        offset = next;
    }
    // Not even room for the frame that ends a file: no head writes this, so it is judged like any other unreadable place.
    Ok(FileEnd::Stopped(map.len(), Some("the file has no end frame")))
}

/// T2: damage, a torn tail, or a plain end.
fn judge(files: &[Arc<LogFile>], stop: &Stop) -> Result<Option<Cut>, WalError> {
    let (file, later) = (&files[stop.file], &files[stop.file + 1..]);
    let map = file.map()?;
    let tail_bytes = bytes_before_zeros(&map[stop.offset..]);
    let position = file.position(stop.offset as u64);
    let reason = stop.reason.unwrap_or("nothing was written here");
    let mut witness = if tail_bytes == 0 { None } else { find_witness(file, &map, stop.offset, position) };
    for file in later {
        if witness.is_none() {
            witness = find_witness(file, &file.map()?, FILE_HEADER_BYTES, position);
        }
    }
    if let Some(witness) = witness {
        let reason = format!("{reason}, but the record at log position {witness} was written after this place was durable");
        return Err(WalError::damaged(&file.path, stop.offset as u64, position, reason));
    }
    if tail_bytes == 0 && later.is_empty() {
        return Ok(None);
    }
    let files = later.iter().map(|file| file.path.clone()).collect();
    Ok(Some(Cut { file: file.path.clone(), offset: stop.offset as u64, position, bytes: tail_bytes as u64, files, reason }))
}

/// Length without the zeros at the end, found by whole blocks: the rest of a file is mostly zeros and long.
fn bytes_before_zeros(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut length = bytes.len();
    for block in bytes.rchunks(ZEROS.len()) {
        if *block != ZEROS[..block.len()] {
            return length - block.iter().rev().take_while(|byte| **byte == 0).count();
        }
        length -= block.len();
    }
    length
}

/// Position of a valid frame at or after `offset` that says more than `position` was durable.
fn find_witness(file: &LogFile, map: &Mapped, offset: usize, position: Position) -> Option<Position> {
    let mut at = offset;
    while at < map.len() {
        match decode(file.seed, map, file.header.base, at) {
            Decoded::Frame(frame) if frame.durable > position => return Some(file.position(at as u64)),
            Decoded::Frame(frame) => at = frame.next,
            Decoded::Blank | Decoded::Invalid(_) => at += crate::format::ALIGNMENT,
        }
    }
    None
}
