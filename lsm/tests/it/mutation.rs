//! Folders with random damage of any kind, checksums made to fit or not: opening, reading and checking never panic.

use crate::model::{DIR, batch_of, draw_batch, open, small};
use base::{CommitSeq, Io, Rng, SeededRng, SimIo};
use std::path::Path;

/// Bytes at the end of a piece: codec, length, checksum.
const TRAILER_BYTES: usize = 9;

fn grown() -> SimIo {
    let (io, rng) = (SimIo::new(1), SeededRng::new(2));
    let tree = open(&io, small()).unwrap();
    for seq in 0..120 {
        tree.write(&batch_of(&draw_batch(&rng, 100)), CommitSeq(seq)).unwrap();
    }
    tree.flush().unwrap();
    io
}

/// Overwrites something and, half of the time, makes the checksum of the run's description fit, as somebody's hand would.
fn mutate(io: &SimIo, rng: &SeededRng) {
    let names = io.list(Path::new(DIR)).unwrap();
    let pick = |bound: usize| (rng.next_u64() % bound.max(1) as u64) as usize;
    let name = &names[pick(names.len())];
    let file = io.open_write(&Path::new(DIR).join(name)).unwrap();
    let mut bytes = file.read_all().unwrap();
    let length = pick(60).min(bytes.len());
    let (from, to) = (pick(bytes.len() - length), pick(bytes.len() - length));
    let meta = meta_of(&bytes);
    match pick(6) {
        0 => rng.fill(&mut bytes[from..from + length]),
        1 => bytes[from..from + length].fill(0),
        2 => bytes.copy_within(from..from + length, to),
        3 => file.set_len(from as u64).unwrap(),
        _ => {
            if let Some((start, end)) = meta.filter(|(start, end)| start < end && *end <= bytes.len()) {
                let at = start + pick(end - start - TRAILER_BYTES);
                bytes[at] = rng.next_u64() as u8;
                refit(&mut bytes, name, start, end);
            }
        }
    }
    file.write_at(0, &bytes).unwrap();
}

fn meta_of(bytes: &[u8]) -> Option<(usize, usize)> {
    let footer = &bytes[bytes.len().checked_sub(32)?..];
    let number = |at: usize| u64::from_le_bytes(footer[at..at + 8].try_into().unwrap()) as usize;
    Some((number(0), number(0).checked_add(number(8))?))
}

fn refit(bytes: &mut [u8], name: &str, start: usize, end: usize) {
    let number: u64 = name.trim_end_matches(".run").parse().unwrap_or(0);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&(start as u64).to_le_bytes());
    hasher.update(&bytes[start..end - 4]);
    let crc = hasher.finalize().to_le_bytes();
    bytes[end - 4..end].copy_from_slice(&crc);
}

#[test]
fn damage_of_any_kind_gives_answers_or_an_error() {
    let io = grown();
    let mut opened = 0;
    for seed in 0..1000 {
        let copy = io.copy(seed);
        let rng = SeededRng::new(seed);
        for _ in 0..=seed % 3 {
            mutate(&copy, &rng);
        }
        let Ok(tree) = open(&copy, small()) else { continue };
        opened += 1;
        let latest = tree.latest();
        for key in [&b"k000003"[..], b"", b"zzz"] {
            let _ = latest.get(key);
        }
        let _ = latest.range(..).and_then(|scan| scan.collect());
        let _ = latest.range_rev(..).and_then(|scan| scan.collect());
        let _ = tree.check();
        let _ = tree.compact();
    }
    assert!(opened > 100, "{opened}");
}
