//! The format alone: every bit counts, other places do not match, and no bytes make the decoder panic.

use super::*;
use base::{Rng, SeededRng};

const IDENTITY: Identity = Identity { ledger: LedgerId([7; 16]), incarnation: 3 };

fn frame(position: u64, durable: u64, payload: &[u8]) -> Vec<u8> {
    let parts = [payload];
    let record = Outgoing::new(RecordKind(9), &parts).expect("short");
    let header = record.header(Seed::new(IDENTITY), Position(position), Position(durable));
    [&header, payload, padding(payload.len())].concat()
}

#[test]
fn a_frame_reads_back_and_every_flipped_bit_is_seen() {
    for length in [0, 1, 31, 32, 100] {
        let bytes = frame(4096, 64, &vec![0xab; length]);
        assert_eq!(bytes.len(), frame_bytes(length));
        let Decoded::Frame(read) = decode(Seed::new(IDENTITY), &bytes, 4096, 0) else { panic!("valid frame refused") };
        assert_eq!((read.kind, read.durable, read.payload, read.next), (RecordKind(9), Position(64), 32..32 + length, bytes.len()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(Seed::new(IDENTITY), &flipped, 4096, 0), Decoded::Invalid(_)), "F1: bit {bit} of length {length}");
        }
    }
}

#[test]
fn a_frame_is_valid_in_one_place_of_one_log() {
    let bytes = frame(96, 64, b"payload");
    let shifted = [&[0; 32], bytes.as_slice()].concat();
    assert!(matches!(decode(Seed::new(IDENTITY), &shifted, 64, 32), Decoded::Frame(_)));
    assert!(matches!(decode(Seed::new(IDENTITY), &shifted, 96, 32), Decoded::Invalid(_)), "F2: position");
    for other in [Identity { incarnation: 4, ..IDENTITY }, Identity { ledger: LedgerId([8; 16]), ..IDENTITY }] {
        assert!(matches!(decode(Seed::new(other), &bytes, 96, 0), Decoded::Invalid(_)), "F2: {other:?}");
    }
}

#[test]
fn the_sum_taken_ahead_is_the_sum_taken_in_line() {
    let payload: Vec<u8> = (0..SUM_AHEAD_BYTES + 5).map(|i| (i % 251) as u8).collect();
    let (left, right) = payload.split_at(1000);
    let parts = [left, &[], right];
    let record = Outgoing::new(RecordKind(1), &parts).expect("short");
    assert!(record.sum.is_some());
    let header = record.header(Seed::new(IDENTITY), Position(64), Position(0));
    let bytes = [&header, payload.as_slice(), padding(payload.len())].concat();
    assert!(matches!(decode(Seed::new(IDENTITY), &bytes, 64, 0), Decoded::Frame(_)));
}

#[test]
fn a_file_header_reads_back_and_every_flipped_bit_is_seen() {
    let header = FileHeader { identity: IDENTITY, number: 5, base: 8192, bytes: 4096 };
    let bytes = header.encode();
    assert_eq!(FileHeader::decode(&bytes), Ok(header));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(FileHeader::decode(&flipped).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(FileHeader::decode(&bytes[..length]), Err(HeaderFault::Truncated));
    }
}

#[test]
fn random_bytes_never_panic_and_never_pass() {
    let rng = SeededRng::new(1);
    let seed = Seed::new(IDENTITY);
    let mut bytes = vec![0; 512];
    for round in 0..20_000u64 {
        rng.fill(&mut bytes);
        let offset = (rng.next_u64() % 600) as usize;
        if round % 2 == 0 && offset + FRAME_HEADER_BYTES <= bytes.len() {
            // Past the cheap checks, so that lengths and sums are tried as well.
            bytes[offset + 8..offset + 16].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
            bytes[offset + 16..offset + 24].copy_from_slice(&(64 + offset as u64).to_le_bytes());
            bytes[offset + 24..offset + 32].fill(0);
            if round % 4 == 0 {
                bytes[offset + 1..offset + 4].fill(0);
            }
        }
        assert!(matches!(decode(seed, &bytes, 64, offset), Decoded::Invalid(_)), "F3");
        assert!(FileHeader::decode(&bytes).is_err());
        assert!(matches!(decode(seed, &bytes, u64::MAX, usize::MAX), Decoded::Invalid(_)));
    }
}
