//! A flipped bit before the durable end is refused with file and offset; anywhere else it changes nothing that comes back.

use crate::journal::{DIR, Entry, append, create, open, payload};
use base::{Io, SimIo};
use std::path::{Path, PathBuf};
use wal::{Position, WalError};

/// A closed log of three files; every record with its file and offset.
fn closed_log() -> (SimIo, Vec<Entry>, u64) {
    let io = SimIo::new(0);
    let wal = create(&io);
    let mut entries = Vec::new();
    for file in 0..3u64 {
        for n in 0..4 {
            entries.push(append(&wal, n as u8 + 1, &payload(file * 10 + n, [0, 5, 32, 75][n as usize])));
            wal.sync().unwrap();
        }
        if file < 2 {
            wal.rotate().unwrap();
        }
    }
    let close = wal.appended().0;
    wal.close().unwrap();
    (io, entries, close)
}

fn place(position: u64) -> (PathBuf, u64) {
    (Path::new(DIR).join(format!("{:010}.wal", position / 4096 + 1)), position % 4096)
}

/// Start of the frame that covers `position`, if that is before the durable end: a record's or the one that ends a file.
fn frame_at(entries: &[Entry], position: u64) -> Option<u64> {
    let ends = entries.windows(2).filter(|pair| pair[1].0 / 4096 > pair[0].0 / 4096).map(|pair| (frame_end(&pair[0]), 32));
    let frames = entries.iter().map(|entry| (entry.0, frame_end(entry) - entry.0)).chain(ends);
    frames.into_iter().find(|(start, bytes)| (*start..start + bytes).contains(&position)).map(|(start, _)| start)
}

fn frame_end(entry: &Entry) -> u64 {
    entry.0 + 32 + entry.2.len().next_multiple_of(32) as u64
}

#[test]
fn every_flipped_bit_is_refused_or_harmless() {
    let (io, entries, close) = closed_log();
    let mut refused = 0;
    for position in 0..3 * 4096u64 {
        let used = position % 4096 < 512;
        for bit in if used { 0..8 } else { (position % 8) as u8..(position % 8) as u8 + 1 } {
            let copy = io.copy(1);
            let (path, offset) = place(position);
            copy.flip(&path, offset, bit).unwrap();
            let outcome = open(&copy);
            if offset < 64 {
                refused += 1;
                match outcome {
                    Err(WalError::BadHeader { file, offset: 0, .. }) => assert_eq!(file, path),
                    other => panic!("header byte {offset} of {}: {other:?}", path.display()),
                }
            } else if let Some(frame) = frame_at(&entries, position) {
                refused += 1;
                match outcome {
                    Err(WalError::Damaged { file, offset, position: found, reason }) => {
                        assert_eq!((file, offset, found), (path, frame % 4096, Position(frame)), "{reason}");
                        assert!(reason.contains("was written after this place was durable"), "{reason}");
                    }
                    other => panic!("position {position}, bit {bit}: {other:?}"),
                }
            } else {
                let (_, recovered, found) = outcome.unwrap_or_else(|error| panic!("position {position}, bit {bit}: {error}"));
                assert_eq!(found, entries, "position {position}, bit {bit}");
                assert_eq!(recovered.clean, position / 4096 != close / 4096, "position {position}: only the last file's tail matters");
            }
        }
    }
    assert!(refused > 3 * 64 * 8);
}

#[test]
fn damage_does_not_touch_the_disk() {
    let (io, entries, _) = closed_log();
    let (path, offset) = place(entries[5].0);
    io.flip(&path, offset + 32, 0).unwrap();
    let before: Vec<_> = io.list(Path::new(DIR)).unwrap().iter().map(|name| io.peek(&Path::new(DIR).join(name)).unwrap()).collect();
    let error = open(&io).unwrap_err();
    let after: Vec<_> = io.list(Path::new(DIR)).unwrap().iter().map(|name| io.peek(&Path::new(DIR).join(name)).unwrap()).collect();
    assert_eq!(before, after);
    let shown = base::SqlError::from(error).to_string();
    assert!(shown.contains("0000000002.wal\" is damaged at offset 96") && shown.contains("SQLSTATE XX001"), "{shown}");
}

#[test]
fn a_zeroed_sector_in_the_durable_part_is_damage_not_an_end() {
    let (io, entries, close) = closed_log();
    for entry in &entries {
        let copy = io.copy(1);
        let (path, offset) = place(entry.0);
        let start = (offset / 512 * 512).max(64);
        copy.open_write(&path).unwrap().write_at(start, &vec![0; (512 - start % 512) as usize]).unwrap();
        match open(&copy) {
            Err(WalError::Damaged { .. }) => {}
            // With its last sector the log loses every witness: it ends early, where whoever knows what was acknowledged sees it (V1).
            Ok((_, recovered, _)) => assert!(entry.0 / 4096 == close / 4096 && recovered.end < Position(close) && !recovered.clean),
            Err(error) => panic!("sector at {start} of {}: {error}", path.display()),
        }
    }
}

#[test]
fn rot_while_reading_is_refused_or_harmless() {
    let (io, entries, _) = closed_log();
    let mut outcomes = [0; 2];
    for seed in 0..300 {
        let copy = io.copy(seed);
        copy.rot_reads(4);
        match open(&copy) {
            Ok((_, _, found)) => {
                assert_eq!(found, entries);
                outcomes[0] += 1;
            }
            Err(_) => outcomes[1] += 1,
        }
    }
    assert!(outcomes.iter().all(|count| *count > 10), "{outcomes:?}");
}
