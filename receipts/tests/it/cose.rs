//! COSE receipts: one spelling. What libraries for COSE make of them is tested in verifiers/python/tests/test_public_tools.py.

use receipts::cose::is_cose;
use receipts::{CoseReceipt, verify_receipt};

use crate::sample::{Random, Sample};

#[test]
fn every_leaf_at_every_size_is_written_back_and_valid() {
    let sample = Sample::new();
    for size in 1..=12 {
        for seq in 0..size {
            let receipt = sample.cose(seq, None, size);
            let bytes = receipt.to_bytes().unwrap();
            assert!(is_cose(&bytes));
            assert_eq!(CoseReceipt::parse(&bytes).unwrap(), receipt);
            assert_eq!(verify_receipt(&bytes, &sample.policy()).exit_code(), 0, "leaf {seq} of {size}");
        }
    }
}

/// RFC 8949's own examples of heads, at the places where a number grows into the next form.
#[test]
fn numbers_have_their_shortest_form() {
    let sample = Sample::new();
    let mut receipt = sample.cose(2, None, 12);
    for (size, head) in [
        (23, &[0x17][..]),
        (24, &[0x18, 0x18]),
        (100, &[0x18, 0x64]),
        (255, &[0x18, 0xff]),
        (256, &[0x19, 0x01, 0x00]),
        (1_000, &[0x19, 0x03, 0xe8]),
        (1_000_000, &[0x1a, 0x00, 0x0f, 0x42, 0x40]),
        (4_294_967_296, &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
        (1_000_000_000_000, &[0x1b, 0x00, 0x00, 0x00, 0xe8, 0xd4, 0xa5, 0x10, 0x00]),
        (u64::MAX, &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ] {
        receipt.size = size;
        let bytes = receipt.to_bytes().unwrap();
        assert_eq!(&bytes[20..20 + head.len()], head, "{size}");
        assert_eq!(CoseReceipt::parse(&bytes).unwrap(), receipt);
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let sample = Sample::new();
    let good = sample.cose(2, Some(0), 12).to_bytes().unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        // Byte 20 is the size of the tree, which the signature does not cover: another may have the same path.
        bytes[at] ^= if at == 20 { 0x10 } else { 1 };
        assert_ne!(verify_receipt(&bytes, &sample.policy()).exit_code(), 0, "byte {at}");
    }
    let mut random = Random(9);
    for _ in 0..3_000 {
        let bytes = crate::fuzz::mutate(&mut random, &good);
        if let Ok(receipt) = CoseReceipt::parse(&bytes) {
            assert_eq!(receipt.to_bytes().unwrap(), bytes);
        }
        let is_good = bytes.get(..20) == good.get(..20) && bytes.get(21..) == good.get(21..);
        assert!(verify_receipt(&bytes, &sample.policy()).exit_code() != 0 || is_good);
    }
}
