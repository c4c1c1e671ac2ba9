//! Attacks on COSE receipts: headers, proof and payload, second spellings, and what a text receipt can be attacked with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use receipts::{CoseReceipt, Field};

use super::{Attack, Kind};
use crate::sample::{LEDGER, Sample};

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [valid(sample), proofs(sample), shown(sample), headers(sample), spellings(sample), keys(sample)].into_iter().flatten().collect()
}

fn raw(sample: &Sample, name: &'static str, input: &[u8], verdict: &'static str, reason: &'static str) -> Attack {
    Attack { name, kind: Kind::Cose, policy: sample.policy_text(), pinned: None, input: STANDARD.encode(input), verdict, reason }
}

fn cose(sample: &Sample, name: &'static str, input: &CoseReceipt, verdict: &'static str, reason: &'static str) -> Attack {
    raw(sample, name, &input.to_bytes().unwrap(), verdict, reason)
}

/// The COSE receipt for row 0 of commit 2 at size 12, changed.
fn changed(
    sample: &Sample,
    name: &'static str,
    verdict: &'static str,
    reason: &'static str,
    change: impl FnOnce(&mut CoseReceipt),
) -> Attack {
    let mut receipt = sample.cose(2, Some(0), 12);
    change(&mut receipt);
    cose(sample, name, &receipt, verdict, reason)
}

fn valid(sample: &Sample) -> Vec<Attack> {
    let mut hidden = sample.cose(2, Some(0), 12);
    hidden.row.as_mut().unwrap().hide(1).unwrap();
    vec![
        cose(sample, "valid-cose-row", &sample.cose(2, Some(0), 12), "valid", "row 0 of public.orders"),
        cose(sample, "valid-cose-row-field-hidden", &hidden, "valid", "the values of 1 hidden fields"),
        cose(sample, "valid-cose-commit", &sample.cose(3, None, 12), "valid", "commit 3"),
        cose(sample, "valid-cose-of-the-only-leaf", &sample.cose(0, None, 1), "valid", "key 0"),
        cose(sample, "valid-cose-of-the-last-leaf", &sample.cose(11, None, 12), "valid", "incarnation 11"),
        changed(
            sample,
            "valid-cose-of-another-stated-size",
            "valid",
            "the size of the tree: the signature is over its root alone",
            |all| all.size = 13,
        ),
        cose(sample, "valid-cose-row-in-second-group", &sample.cose(5, Some(299), 12), "valid", "row 301 of public.visits"),
    ]
}

fn proofs(sample: &Sample) -> Vec<Attack> {
    let signature = "signature: by a pinned key of the ledger is not over the root";
    let none = "path to the root: is none";
    vec![
        changed(sample, "cose-leaf-changed", "tampered", signature, |all| all.leaf[40] ^= 1),
        changed(sample, "cose-path-changed", "tampered", signature, |all| all.path[0][0] ^= 1),
        changed(sample, "cose-path-too-short", "tampered", none, |all| all.path.truncate(3)),
        changed(sample, "cose-path-too-long", "tampered", none, |all| all.path.push([0; 32])),
        changed(sample, "cose-index-of-a-neighbour", "tampered", signature, |all| all.index = 3),
        changed(sample, "cose-index-at-size", "tampered", "index: 12 is not below the tree's size 12", |all| all.index = 12),
        changed(sample, "cose-size-0", "tampered", "index: 2 is not below the tree's size 0", |all| all.size = 0),
        changed(sample, "cose-size-of-another-shape", "tampered", none, |all| all.size = 3),
        changed(sample, "cose-sizes-largest", "tampered", none, |all| (all.size, all.index) = (u64::MAX, u64::MAX - 1)),
        changed(sample, "cose-signature-changed", "tampered", signature, |all| all.signature[40] ^= 1),
        changed(sample, "cose-signature-of-zeros", "tampered", signature, |all| all.signature = [0; 64]),
        changed(sample, "cose-signature-with-larger-s", "tampered", signature, |all| all.signature[63] |= 0xe0),
        changed(sample, "cose-signature-of-another-size", "tampered", signature, |all| all.signature = sample.cose(2, None, 11).signature),
        changed(sample, "cose-signature-of-the-checkpoint", "tampered", signature, |all| {
            // The key signs notes too; neither may pass for the other.
            let note = sample.checkpoint(12).to_string();
            let base64 = note.trim_end().rsplit(' ').next().unwrap();
            all.signature = STANDARD.decode(base64).unwrap()[4..].try_into().unwrap();
        }),
        changed(sample, "cose-node-posing-as-leaf", "malformed", "leaf: does not start with SWLF", |all| {
            all.leaf = [sample.cose(2, None, 12).path[0], all.path[0]].concat();
        }),
    ]
}

fn shown(sample: &Sample) -> Vec<Attack> {
    let hash = "row: as shown does not hash";
    vec![
        changed(sample, "cose-value-changed", "tampered", hash, |all| {
            let Field::Shown { value, .. } = &mut all.row.as_mut().unwrap().fields[1] else { unreachable!("the sample shows its fields") };
            *value = Some(b"Eve".to_vec());
        }),
        changed(sample, "cose-row-of-another-commit", "tampered", "superseded row: 1 is not older", |all| {
            all.row = Some(sample.row_part(3, 0))
        }),
        changed(sample, "cose-row-index-changed", "tampered", hash, |all| all.row.as_mut().unwrap().index = 1),
        {
            let mut receipt = sample.cose(4, None, 12);
            receipt.row = Some(sample.row_part(2, 0));
            cose(sample, "cose-row-of-a-checkpoint-leaf", &receipt, "malformed", "receipt: shows a row of a checkpoint leaf")
        },
        changed(sample, "cose-definition-changed", "tampered", "table definition: is not the one", |all| {
            let row = all.row.as_mut().unwrap();
            row.definition = String::from_utf8(row.definition.clone()).unwrap().replace("customer", "supplier").into_bytes();
        }),
    ]
}

/// Other COSE messages, and parts of the headers moved or changed.
fn headers(sample: &Sample) -> Vec<Attack> {
    let good = sample.cose(2, Some(0), 12).to_bytes().unwrap();
    let begin = "COSE receipt: does not begin with EdDSA, the tree of RFC 9162 and one inclusion proof";
    let with = |name, reason, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        raw(sample, name, &bytes, "malformed", reason)
    };
    vec![
        with("cose-vds-unprotected", begin, &|bytes| {
            bytes.splice(2..11, [0x43, 0xa1, 0x01, 0x27, 0xa3, 0x19, 0x01, 0x8b, 0x01]);
        }),
        with("cose-vds-of-another-tree", begin, &|bytes| bytes[9] = 2),
        with("cose-without-vds", begin, &|bytes| {
            bytes.splice(2..10, [0x43, 0xa1, 0x01, 0x27]);
        }),
        with("cose-of-another-algorithm", begin, &|bytes| bytes[5] = 0x26),
        with("cose-with-a-key-id", begin, &|bytes| {
            bytes.splice(2..6, [0x49, 0xa3, 0x01, 0x27, 0x04, 0x40]);
        }),
        with("cose-with-two-proofs", begin, &|bytes| bytes[16] = 0x82),
        with("cose-with-a-consistency-proof", begin, &|bytes| bytes[15] = 0x21),
        with("cose-untagged", "receipt: is not UTF-8", &|bytes| *bytes = bytes[1..].to_vec()),
        with("cose-of-another-tag", "receipt: is not UTF-8", &|bytes| bytes[0] = 0xd1),
        with("cose-with-its-payload", "COSE receipt: does not end without payload", &|bytes| {
            let at = bytes.len() - 67;
            bytes.splice(at..=at, [&[0x58, 0x20][..], &sample.sha.root()].concat());
        }),
        with("cose-with-another-payload", "COSE receipt: does not end without payload", &|bytes| {
            let at = bytes.len() - 67;
            bytes[at] = 0x40;
        }),
        with("cose-under-another-label", "COSE receipt: does not go on with label -70000", &|bytes| {
            let at = bytes.windows(5).position(|five| five == [0x3a, 0, 1, 0x11, 0x6f]).unwrap();
            bytes[at + 4] = 0x70;
        }),
    ]
}

fn spellings(sample: &Sample) -> Vec<Attack> {
    let good = sample.cose(2, Some(0), 12).to_bytes().unwrap();
    let with = |name, reason, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        raw(sample, name, &bytes, "malformed", reason)
    };
    // 17 and 18 are the head of the proof's byte string, 19 its array, 20 the size, 21 the index, 22 the path's array, 23 and 24 a hash's head.
    vec![
        with("cose-cut", "COSE receipt: ends 1 bytes early", &|bytes| bytes.truncate(bytes.len() - 1)),
        with("cose-too-long", "COSE receipt: 1 bytes too long", &|bytes| bytes.push(0)),
        with("cose-ends-with-newlines", "COSE receipt: 2 bytes too long", &|bytes| bytes.extend(*b"\n\n")),
        with("cose-cut-in-its-beginning", "COSE receipt: ends 14 bytes early", &|bytes| bytes.truncate(3)),
        with("cose-longer-length-than-needed", "COSE receipt: has no item of type 2 in its shortest form", &|bytes| {
            bytes.splice(17..19, [0x59, 0, bytes[18]]);
        }),
        with("cose-indefinite-length", "COSE receipt: has no item of type 2 in its shortest form", &|bytes| bytes[17] = 0x5f),
        with("cose-proof-of-another-type", "COSE receipt: has no item of type 2 in its shortest form", &|bytes| bytes[17] = 0x78),
        with("cose-huge-length", "COSE receipt: has a byte string of more than 16 MiB", &|bytes| {
            bytes.splice(17..19, [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        }),
        with("cose-proof-of-two", "COSE inclusion proof: is not of size, index and path", &|bytes| bytes[19] = 0x82),
        with("cose-size-in-two-bytes", "COSE inclusion proof: has no item of type 0 in its shortest form", &|bytes| {
            bytes[18] += 1;
            bytes.splice(20..21, [0x18, 12]);
        }),
        with("cose-negative-index", "COSE inclusion proof: has no item of type 0 in its shortest form", &|bytes| bytes[21] = 0x22),
        with("cose-path-of-text", "COSE inclusion proof: has no item of type 2 in its shortest form", &|bytes| bytes[23] = 0x78),
        with("cose-hash-of-31-bytes", "COSE inclusion proof: has a hash of 31 bytes", &|bytes| {
            bytes[18] -= 1;
            bytes[24] = 31;
            bytes.remove(25);
        }),
        with("cose-65-path-hashes", "COSE inclusion proof: a path of 65 hashes, at most 64", &|bytes| {
            bytes[18] += 1;
            bytes.splice(22..23, [0x98, 65]);
        }),
        with("cose-proof-too-long", "COSE inclusion proof: 34 bytes too long", &|bytes| bytes[22] -= 1),
        with("cose-extra-of-version-2", "receipt's extra: version 2 is not supported", &|bytes| {
            let at = bytes.windows(4).position(|four| four == b"SWRX").unwrap();
            bytes[at + 4] = 2;
        }),
    ]
}

fn keys(sample: &Sample) -> Vec<Attack> {
    let good = sample.cose(2, Some(0), 12);
    let (stranger, thief) = (Sample::empty("shop", [0x99; 16], 0x71), Sample::empty("shop", LEDGER, 0x77));
    let by_b3 = {
        // Signed by the key of the BLAKE3 tree, over the same bytes.
        let mut receipt = good.clone();
        let seeds = receipts::Keys::from_seeds(sample.keys.origin(), &[0x42; 32], &[0x41; 32]).unwrap();
        receipt.signature = CoseReceipt::sign(&seeds, (12, 2), receipt.path.clone(), receipt.leaf.clone(), None).unwrap().signature;
        receipt
    };
    let both = format!("{}{}", thief.policy_text().replace("quorum none\n", ""), sample.policy_text());
    vec![
        Attack {
            policy: stranger.policy_text(),
            ..cose(
                sample,
                "cose-of-a-ledger-nobody-pinned",
                &good,
                "inconclusive",
                "authenticity: the policy pins no key for the ledger 1011",
            )
        },
        Attack {
            policy: thief.policy_text(),
            ..cose(sample, "cose-by-another-key-than-pinned", &good, "tampered", "signature: by a pinned key of the ledger")
        },
        cose(sample, "cose-by-the-blake3-key", &by_b3, "tampered", "signature: by a pinned key of the ledger"),
        Attack { policy: both, ..cose(sample, "valid-cose-with-two-keys-pinned", &good, "valid", "row 0") },
        Attack {
            policy: super::witnessed::policy(sample, "group g 1 w1\nquorum g\n"),
            ..cose(sample, "cose-policy-asks-for-a-group", &good, "inconclusive", "by g, and a COSE receipt bears none")
        },
        Attack { policy: String::new(), ..cose(sample, "cose-policy-empty", &good, "malformed", "policy: has no quorum line") },
    ]
}
