//! The simulated disk keeps what was synced, loses what it may, and does both the same way for the same seed.

use base::{Fault, File, Io, SimIo};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

const DIR: &str = "/d";

fn disk(seed: u64) -> SimIo {
    let io = SimIo::new(seed);
    io.create_dir_all(Path::new(DIR)).unwrap();
    io
}

fn durable_file(io: &SimIo, bytes: &[u8]) -> Arc<dyn File> {
    let file = io.create_new(Path::new("/d/f"), 0o600).unwrap();
    file.write_at(0, bytes).unwrap();
    file.sync().unwrap();
    io.sync_dir(Path::new(DIR)).unwrap();
    file
}

fn content(io: &SimIo) -> Vec<u8> {
    io.peek(Path::new("/d/f")).unwrap()
}

#[test]
fn unsynced_writes_survive_whole_torn_or_not_at_all() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..200 {
        let io = disk(seed);
        let file = durable_file(&io, &[1; 2048]);
        file.write_at(0, &[2; 1024]).unwrap();
        file.write_at(1024, &[3; 1024]).unwrap();
        io.crash();
        assert!(file.sync().is_err() && io.open(Path::new("/d/f")).is_err(), "no power, no answer");
        io.restart();
        assert!(file.sync().is_err(), "a handle from before the restart is stale");
        let sectors: Vec<u8> = content(&io).chunks(512).map(|sector| sector[0]).collect();
        assert!(content(&io).chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])), "S2: tears are at sectors");
        outcomes.insert(sectors);
    }
    for expected in [[1, 1, 1, 1], [2, 2, 3, 3], [2, 2, 1, 1], [1, 1, 3, 3], [2, 1, 1, 1], [1, 2, 3, 3]] {
        assert!(outcomes.contains(expected.as_slice()), "S2: {expected:?} never happened");
    }
}

#[test]
fn entries_not_synced_may_be_lost_each_on_its_own() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..100 {
        let io = disk(seed);
        durable_file(&io, b"kept");
        io.create_new(Path::new("/d/new"), 0o600).unwrap();
        io.rename(Path::new("/d/f"), Path::new("/d/g")).unwrap();
        io.crash();
        io.restart();
        outcomes.insert(io.list(Path::new(DIR)).unwrap().join(","));
    }
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["f", "f,new", "g", "g,new"], "S3");
}

#[test]
fn same_seed_same_outcome() {
    let run = |seed| {
        let io = disk(seed);
        let file = durable_file(&io, &[0; 8192]);
        for byte in 1..=8u8 {
            file.write_at(u64::from(byte) * 700, &[byte; 900]).unwrap();
        }
        io.crash();
        io.restart();
        content(&io)
    };
    assert_eq!(run(3), run(3), "S5");
    assert_ne!(run(3), run(4));
}

#[test]
fn a_failed_sync_loses_data_for_good() {
    let lost = (0..50).any(|seed| {
        let io = disk(seed);
        let file = durable_file(&io, b"old");
        file.write_at(0, b"new").unwrap();
        io.fail_next_sync();
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(content(&io), b"new", "S4: the page cache still shows it");
        io.crash();
        io.restart();
        content(&io) == b"old"
    });
    assert!(lost, "S4: a later sync must not bring the data back");
}

#[test]
fn a_crash_strikes_at_the_planned_step() {
    let io = disk(0);
    let file = durable_file(&io, b"old");
    io.plan(io.steps() + 2, Fault::Crash);
    file.write_at(0, b"new").unwrap();
    assert!(file.sync().is_err());
    assert!(io.is_crashed());
    io.restart();
    assert!(!io.is_crashed() && io.open(Path::new("/d/f")).is_ok());
}

#[test]
fn a_planned_error_leaves_a_prefix() {
    let io = disk(7);
    let file = durable_file(&io, &[0; 100]);
    io.plan(io.steps() + 1, Fault::Error);
    assert!(file.write_at(0, &[1; 100]).is_err());
    let written = content(&io).iter().take_while(|byte| **byte == 1).count();
    assert!(content(&io)[written..].iter().all(|byte| *byte == 0));
    file.write_at(0, &[2; 100]).unwrap();
}

#[test]
fn the_space_limit_stops_growth_only() {
    let io = disk(0);
    let file = durable_file(&io, &[1; 100]);
    io.limit_space(Some(150));
    file.write_at(0, &[2; 100]).unwrap();
    assert_eq!(file.write_at(100, &[3; 60]).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(content(&io).len(), 150);
    assert_eq!(file.set_len(151).unwrap_err().kind(), ErrorKind::StorageFull);
    io.limit_space(None);
    file.set_len(151).unwrap();
}

#[test]
fn rot_on_read_leaves_the_disk_alone_and_a_flip_does_not() {
    let io = disk(0);
    let file = durable_file(&io, &[0; 64]);
    io.rot_reads(1);
    assert_eq!(file.read_all().unwrap().iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
    assert_eq!(file.map().unwrap().iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
    io.rot_reads(0);
    assert_eq!(file.read_all().unwrap(), [0; 64]);
    io.flip(Path::new("/d/f"), 63, 7).unwrap();
    io.crash();
    io.restart();
    assert_eq!(content(&io)[63], 0x80);
    assert_eq!(io.flip(Path::new("/d/f"), 64, 0).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_copy_is_a_disk_of_its_own() {
    let io = disk(0);
    let file = durable_file(&io, b"one");
    file.write_at(0, b"two").unwrap();
    let copy = io.copy(9);
    file.write_at(0, b"six").unwrap();
    copy.crash();
    copy.restart();
    assert_eq!(content(&copy), b"two", "everything visible was durable in the copy");
    assert_eq!(content(&io), b"six");
    assert!(!io.is_crashed());
}

#[test]
fn modes_are_kept() {
    let io = disk(0);
    durable_file(&io, b"");
    assert_eq!(io.mode(Path::new("/d/f")).unwrap(), 0o600);
    io.set_mode(Path::new("/d/f"), 0o444).unwrap();
    assert_eq!(io.mode(Path::new("/d/f")).unwrap(), 0o444);
}
