//! Every decoder fed random and mutated bytes: none panics, and what decodes writes back to the same bytes.

use receipts::consistency::ConsistencyProof;
use receipts::definition::TableDefinition;
use receipts::note::{Note, NoteSigner, VerifierKey};
use receipts::tiles::{TileId, decode_entries, decode_tile, push_entry};
use receipts::value::format_value;
use receipts::{Checkpoint, Disclosure, Keys, Leaf, Policy, Receipt, WitnessKey, verify_consistency, verify_disclosure, verify_receipt};

use crate::attacks::{cosigned, signer};
use crate::sample::{ORDERS_DEFINITION, Random, Sample};

const ROUNDS: usize = 20_000;

/// Changes up to four places: flips, inserts, removes, repeats or copies from elsewhere.
pub fn mutate(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if changed.is_empty() {
            return random.bytes(8);
        }
        let (at, from) = (random.below(changed.len()), random.below(changed.len()));
        match random.below(6) {
            0 => changed[at] ^= 1 << random.below(8),
            1 => changed[at] = random.next() as u8,
            2 => changed.insert(at, random.next() as u8),
            3 => drop(changed.remove(at)),
            4 => changed.truncate(at),
            _ => {
                let piece = changed[at.min(from)..at.max(from)].to_vec();
                changed.splice(at..at, piece);
            }
        }
    }
    changed
}

fn fuzz(seed: u64, samples: &[Vec<u8>], mut check: impl FnMut(&[u8])) {
    let mut random = Random(seed);
    for round in 0..ROUNDS {
        let input = if round % 4 == 0 {
            let len = random.below(400);
            random.bytes(len)
        } else {
            let sample = random.below(samples.len());
            mutate(&mut random, &samples[sample])
        };
        check(&input);
    }
}

#[test]
fn leaves() {
    fuzz(1, &Sample::new().bytes, |bytes| {
        if let Ok(leaf) = Leaf::decode(bytes) {
            assert_eq!(leaf.encode().unwrap(), bytes);
        }
    });
}

#[test]
fn notes_checkpoints_and_keys() {
    let sample = Sample::new();
    let mut samples = vec![sample.checkpoint(4).to_string(), sample.b3_checkpoint(9).to_string(), sample.checkpoint(4).text().to_owned()];
    samples.extend(sample.keys.verifiers().map(ToString::to_string));
    samples.push(sample.keys.secret_text());
    samples.extend([cosigned(&sample, 4, &[1, 2]).to_string(), signer(1).verifier().to_string(), signer(1).secret_text()]);
    let samples: Vec<Vec<u8>> = samples.into_iter().map(String::into_bytes).collect();
    fuzz(2, &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(note) = Note::parse(&text) {
            assert_eq!(note.to_string(), text);
            let _ = note.verify(sample.policy().logs());
            let _ = signer(1).verifier().cosigned(&note);
        }
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            assert_eq!(checkpoint.to_string(), text);
        }
        if let Ok(key) = VerifierKey::parse(&text) {
            assert_eq!(key.to_string(), text);
        }
        if let Ok(signer) = NoteSigner::parse(&text) {
            assert_eq!(signer.secret_text(), text);
        }
        if let Ok(key) = WitnessKey::parse(&text) {
            assert_eq!(key.to_string(), text);
        }
        let _ = Keys::parse(&text);
    });
}

#[test]
fn receipts_and_proofs() {
    let sample = Sample::new();
    let (policy, pinned) = (sample.policy(), sample.checkpoint(3).to_string());
    let mut samples: Vec<Vec<u8>> = [(2, Some(0)), (3, Some(2)), (5, Some(280)), (4, None)]
        .map(|(seq, row)| sample.receipt(seq, row, 12).to_text().unwrap().into_bytes())
        .into();
    samples.push(sample.consistency(3, 12).to_string().into_bytes());
    let valid = samples.clone();
    fuzz(3, &samples, |bytes| {
        if let Ok(receipt) = Receipt::parse(bytes) {
            assert_eq!(receipt.to_text().unwrap().as_bytes(), bytes);
        }
        if let Ok(proof) = ConsistencyProof::parse(bytes) {
            assert_eq!(proof.to_string().as_bytes(), bytes);
        }
        if !valid.iter().any(|valid| valid == bytes) {
            assert_ne!(verify_receipt(bytes, &policy).exit_code(), 0);
            assert_ne!(verify_consistency(pinned.as_bytes(), bytes, &policy).exit_code(), 0);
        }
    });
}

#[test]
fn disclosures() {
    let sample = Sample::new();
    let policy = sample.policy();
    let good = sample.disclosure(&[(2, 0, &[1]), (2, 3, &[0]), (3, 2, &[]), (5, 280, &[0])], 12).to_text().unwrap().into_bytes();
    fuzz(6, std::slice::from_ref(&good), |bytes| {
        if let Ok(disclosure) = Disclosure::parse(bytes) {
            assert_eq!(disclosure.to_text().unwrap().as_bytes(), bytes);
        }
        // With a row left out it is a good one of fewer rows; with anything else it is none.
        let has_all_lines = bytes.iter().filter(|byte| **byte == b'\n').count() == good.iter().filter(|byte| **byte == b'\n').count();
        assert!(verify_disclosure(bytes, &policy).exit_code() != 0 || *bytes == good[..] || !has_all_lines);
    });
}

#[test]
fn the_binary_part_of_receipts() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let sample = Sample::new();
    let policy = sample.policy();
    let text = sample.receipt(2, Some(1), 12).to_text().unwrap();
    let line = text.lines().nth(1).unwrap().to_owned();
    let extra = STANDARD.decode(line.strip_prefix("extra ").unwrap()).unwrap();
    fuzz(4, std::slice::from_ref(&extra), |bytes| {
        let changed = text.replace(&line, &format!("extra {}", STANDARD.encode(bytes)));
        if let Ok(receipt) = Receipt::parse(changed.as_bytes()) {
            assert_eq!(receipt.to_text().unwrap(), changed);
        }
        assert_eq!(verify_receipt(changed.as_bytes(), &policy).exit_code() == 0, *bytes == extra[..]);
    });
}

#[test]
fn policies_definitions_tiles_and_values() {
    let sample = Sample::new();
    let mut bundle = vec![];
    sample.bytes.iter().for_each(|leaf| push_entry(&mut bundle, leaf).unwrap());
    let samples = [
        sample.policy_text().into_bytes(),
        ORDERS_DEFINITION.as_bytes().to_vec(),
        b"tile/0/x001/x234/067.p/112".to_vec(),
        bundle,
        format!("witness a {}\ngroup g 1 a\nquorum g\n", signer(1).verifier()).into_bytes(),
    ];
    fuzz(5, &samples, |bytes| {
        let _ = Policy::parse(bytes);
        let _ = TableDefinition::parse(bytes);
        if let Ok(tile) = TileId::parse(&String::from_utf8_lossy(bytes)) {
            assert_eq!(tile.path().as_bytes(), bytes);
        }
        if let Ok(leaves) = decode_entries(bytes) {
            let mut again = vec![];
            leaves.iter().for_each(|leaf| push_entry(&mut again, leaf).unwrap());
            assert_eq!(again, bytes);
        }
        let _ = decode_tile(bytes);
        for oid in [16, 17, 20, 21, 23, 25, 114, 700, 701, 1007, 1009, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1231, 1700, 2950, 3802] {
            for len in [0, 1, 2, 4, 8, 17, bytes.len()] {
                let _ = format_value(oid, &bytes[..len.min(bytes.len())]);
            }
        }
    });
}
