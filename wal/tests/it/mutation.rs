//! Logs with random damage of any kind: recovery never panics and never hands out a record that was not written.

use crate::journal::{DIR, Entry, append, create, payload, read};
use base::{Io, Rng, SeededRng, SimIo};
use std::path::Path;
use wal::Position;

fn log() -> (SimIo, Vec<Entry>) {
    let io = SimIo::new(0);
    let wal = create(&io);
    let entries = (0..40u64).map(|n| {
        let entry = append(&wal, n as u8 + 1, &payload(n, (n * 13) as usize % 400));
        if n % 5 == 0 {
            wal.sync().unwrap();
        }
        entry
    });
    let entries = entries.collect();
    drop(wal);
    (io, entries)
}

fn mutate(io: &SimIo, rng: &SeededRng) {
    let names = io.list(Path::new(DIR)).unwrap();
    let pick = |bound: usize| (rng.next_u64() % bound as u64) as usize;
    let path = Path::new(DIR).join(&names[pick(names.len())]);
    let file = io.open_write(&path).unwrap();
    let mut bytes = file.read_all().unwrap();
    let (from, to, length) = (pick(bytes.len()), pick(bytes.len()), pick(200));
    let length = length.min(bytes.len() - from).min(bytes.len() - to);
    match pick(6) {
        0 => rng.fill(&mut bytes[from..from + length]),
        1 => bytes[from..from + length].fill(0),
        2 => bytes.copy_within(from..from + length, to),
        3 => bytes.copy_within(from / 32 * 32..(from + length) / 32 * 32, to / 32 * 32),
        4 => rng.fill(&mut bytes[64..]),
        _ => file.set_len(from as u64).unwrap(),
    }
    file.write_at(0, &bytes).unwrap();
}

#[test]
fn damage_of_any_kind_gives_written_records_or_an_error() {
    let (io, entries) = log();
    let mut opened = 0;
    for seed in 0..2000 {
        let copy = io.copy(seed);
        let rng = SeededRng::new(seed);
        for _ in 0..=seed % 3 {
            mutate(&copy, &rng);
        }
        if let Ok((_, found)) = read(&copy, crate::journal::IDENTITY, &[]) {
            assert_eq!(found, entries[..found.len()], "seed {seed}");
            opened += 1;
        }
    }
    assert!(opened > 100, "{opened}");
}

#[test]
fn files_of_random_bytes_are_refused() {
    for seed in 0..300 {
        let io = SimIo::new(seed);
        create(&io).close().unwrap();
        let rng = SeededRng::new(seed);
        let file = io.open_write(&Path::new(DIR).join("0000000001.wal")).unwrap();
        let mut bytes = file.read_all().unwrap();
        let from = if seed % 2 == 0 { 0 } else { 64 };
        rng.fill(&mut bytes[from..]);
        file.write_at(0, &bytes).unwrap();
        match read(&io, crate::journal::IDENTITY, &[]) {
            Ok((recovered, found)) => {
                assert!(from == 64 && found.is_empty() && recovered.end == Position(64) && recovered.cut.is_some());
            }
            Err(_) => assert_eq!(from, 0),
        }
    }
}
