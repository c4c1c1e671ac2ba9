//! Receipts and consistency proofs: one form each, and none that was made without the key is ever valid.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use receipts::consistency::ConsistencyProof;
use receipts::export::{Manifest, decode_objects};
use receipts::{CoseReceipt, Disclosure, Keys, Policy, Receipt, Verdict, verify_consistency, verify_disclosure, verify_receipt};

/// A policy that trusts one log, whose seeds the fuzzer does not know.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let keys = Keys::from_seeds("fuzz/00112233445566778899aabbccddeeff", &[7; 32], &[9; 32]).expect("a valid origin");
    let [sha, b3] = keys.verifiers();
    Policy::of_logs(&[sha, b3]).expect("two different keys")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(receipt) = Receipt::parse(bytes) {
        assert_eq!(receipt.to_text().map(String::into_bytes).as_deref(), Ok(bytes), "a receipt has one form");
    }
    if let Ok(proof) = ConsistencyProof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes, "a proof has one form");
    }
    if let Ok(receipt) = CoseReceipt::parse(bytes) {
        assert_eq!(receipt.to_bytes().as_deref(), Ok(bytes), "a COSE receipt has one form");
    }
    if let Ok(disclosure) = Disclosure::parse(bytes) {
        assert_eq!(disclosure.to_text().map(String::into_bytes).as_deref(), Ok(bytes), "a disclosure has one form");
    }
    let _ = (Manifest::parse(bytes), decode_objects(bytes));
    assert!(!matches!(verify_disclosure(bytes, &POLICY), Verdict::Valid(_)), "R3: nobody but the key makes a valid disclosure");
    assert!(!matches!(verify_receipt(bytes, &POLICY), Verdict::Valid(_)), "R3: nobody but the key makes a valid receipt");
    let half = bytes.len() / 2;
    let consistent = verify_consistency(&bytes[..half], &bytes[half..], &POLICY);
    assert!(!matches!(consistent, Verdict::Valid(_)), "R3: nobody but the key makes a valid checkpoint");
});
