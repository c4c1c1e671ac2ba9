//! Blocks give back what was put in, both ways, and survive any bytes.

use super::*;
use base::{Rng, SeededRng};

type Owned = (Vec<u8>, u64, Kind, Vec<u8>);

fn versions(rng: &SeededRng, count: usize) -> Vec<Owned> {
    let mut versions: Vec<Owned> = (0..count)
        .map(|_| {
            let draw = rng.next_u64();
            let mut key = format!("user{:03}", draw % 60).into_bytes();
            key.truncate(2 + (draw >> 20) as usize % 8);
            let kind = Kind::of_bit(draw >> 40);
            (key, draw >> 44 & 0x3ff, kind, vec![draw as u8; (draw >> 50) as usize % 30])
        })
        .collect();
    versions.sort_by(|a, b| order((&a.0, a.1), (&b.0, b.1)));
    versions.dedup_by(|a, b| (&a.0, a.1) == (&b.0, b.1));
    versions
}

fn block(versions: &[Owned]) -> Vec<u8> {
    let mut builder = BlockBuilder::default();
    for (key, seq, kind, value) in versions {
        builder.push(&Version { key, seq: *seq, kind: *kind, value });
    }
    let said = builder.bytes();
    let bytes = builder.finish().to_vec();
    assert_eq!(bytes.len(), said);
    bytes
}

fn shown(version: Option<Version<'_>>) -> Option<Owned> {
    version.map(|version| (version.key.to_vec(), version.seq, version.kind, version.value.to_vec()))
}

#[test]
fn versions_come_back_both_ways() {
    for seed in 0..60 {
        let versions = versions(&SeededRng::new(seed), 1 + seed as usize * 3);
        let bytes = block(&versions);
        let mut cursor = BlockCursor::new(bytes.as_slice()).unwrap();
        cursor.first().unwrap();
        for version in &versions {
            assert_eq!(shown(cursor.version()).as_ref(), Some(version), "seed {seed}");
            cursor.next().unwrap();
        }
        assert_eq!(cursor.version(), None);
        cursor.last().unwrap();
        for version in versions.iter().rev() {
            assert_eq!(shown(cursor.version()).as_ref(), Some(version), "seed {seed}");
            cursor.back().unwrap();
        }
        assert_eq!(cursor.version(), None);
    }
}

#[test]
fn keys_are_found_as_in_the_list() {
    for seed in 0..40 {
        let rng = SeededRng::new(seed);
        let versions = versions(&rng, 1 + seed as usize * 4);
        let bytes = block(&versions);
        let mut cursor = BlockCursor::new(bytes.as_slice()).unwrap();
        for _ in 0..200 {
            let draw = rng.next_u64();
            let mut key = format!("user{:03}", draw % 62).into_bytes();
            key.truncate(1 + (draw >> 20) as usize % 8);
            let below = draw >> 44 & 0x3ff;
            let expected = versions.iter().find(|version| version.0 == key && version.1 < below);
            let found = find(&bytes, &key, below).unwrap();
            assert_eq!(found.as_ref().map(|found| (found.seq, found.kind)), expected.map(|e| (e.1, e.2)), "seed {seed}");
            assert_eq!(found.map(|found| bytes[found.value].to_vec()), expected.map(|e| e.3.clone()));
            cursor.seek(&key, below).unwrap();
            let expected = versions.iter().find(|version| order((&version.0, version.1), (&key, below)) != Ordering::Less);
            assert_eq!(shown(cursor.version()).as_ref(), expected, "seed {seed}");
            cursor.seek_before(&key).unwrap();
            assert_eq!(shown(cursor.version()).as_ref(), versions.iter().rev().find(|version| version.0 < key), "seed {seed}");
        }
    }
}

#[test]
fn any_bytes_are_read_without_panic() {
    for seed in 0..3000 {
        let rng = SeededRng::new(seed);
        let mut bytes = block(&versions(&rng, 60));
        for _ in 0..=seed % 4 {
            let at = (rng.next_u64() % bytes.len() as u64) as usize;
            bytes[at] = rng.next_u64() as u8;
        }
        if seed % 5 == 0 {
            bytes.truncate((rng.next_u64() % 40) as usize);
        }
        let _ = find(&bytes, b"user010", 500);
        let Ok(mut cursor) = BlockCursor::new(bytes.as_slice()) else { continue };
        let mut step = cursor.first();
        while step.is_ok() && cursor.version().is_some() {
            step = cursor.next();
        }
        let mut step = cursor.last();
        while step.is_ok() && cursor.version().is_some() {
            step = cursor.back();
        }
        let _ = cursor.seek(b"user020", 7).is_ok() && cursor.seek_before(b"user").is_ok();
    }
}
