//! Attacks on hashes, paths, trees, keys and signatures.

use receipts::checkpoint::B3_SUFFIX;
use receipts::note::{KeyType, Note, NoteSigner};
use receipts::proof::inclusion_proof;
use receipts::tree::TreeHash;
use receipts::{Blake3Tree, Checkpoint, Field, Hash, Leaf, NodeReader, Policy, Receipt, Sha256Tree};

use super::{Attack, changed, raw, receipt};
use crate::sample::{LEDGER, Sample};

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [rows(sample), paths(sample), places(sample), checkpoints(sample), signatures(sample), policies(sample)].into_iter().flatten().collect()
}

fn shown(receipt: &mut Receipt, place: usize) -> (&mut [u8; 16], &mut Option<Vec<u8>>) {
    match &mut receipt.row.as_mut().unwrap().fields[place] {
        Field::Shown { salt, value } => (salt, value),
        Field::Hidden(_) | Field::Erased(_) => unreachable!("the sample shows its fields"),
    }
}

fn rows(sample: &Sample) -> Vec<Attack> {
    let reason = "row: as shown does not hash to row 0";
    let row = |name, change: fn(&mut Receipt)| changed(sample, name, "tampered", reason, change);
    let mut other = sample.receipt(2, Some(0), 12);
    other.row = Some(sample.row_part(6, 0));
    vec![
        row("row-value-changed", |receipt| shown(receipt, 0).1.as_mut().unwrap()[0] ^= 1),
        row("row-value-longer", |receipt| shown(receipt, 1).1.as_mut().unwrap().push(0)),
        row("row-salt-changed", |receipt| shown(receipt, 2).0[15] ^= 0x80),
        row("row-commitment-changed", |receipt| {
            let part = receipt.row.as_mut().unwrap();
            part.hide(1).unwrap();
            let Field::Hidden(commitment) = &mut part.fields[1] else { unreachable!("just hidden") };
            commitment[0] ^= 1;
        }),
        row("row-path-hash-changed", |receipt| receipt.row.as_mut().unwrap().path[1][7] ^= 1),
        row("row-path-too-short", |receipt| {
            receipt.row.as_mut().unwrap().path.pop();
        }),
        row("row-path-too-long", |receipt| receipt.row.as_mut().unwrap().path.push([0; 32])),
        row("row-path-empty", |receipt| receipt.row.as_mut().unwrap().path.clear()),
        receipt(sample, "row-of-another-commit", &other, "tampered", "row: as shown does not hash"),
    ]
}

fn paths(sample: &Sample) -> Vec<Attack> {
    let reason = "path to the root: does not lead from the leaf at 2";
    let path = |name, change: fn(&mut Receipt)| changed(sample, name, "tampered", reason, change);
    // Bytes of an inner node shown as a leaf, with the rest of the path: SHA-256 puts 0x00 and 0x01 before them.
    let node = [sample.sha.node(0, 2).unwrap(), sample.sha.node(0, 3).unwrap()].concat();
    let mut posing = sample.receipt(2, None, 12);
    (posing.leaf, posing.index) = (node, 1);
    posing.path.remove(0);
    // The path of the BLAKE3 tree under the SHA-256 checkpoint.
    let mut of_b3 = sample.receipt(2, None, 12);
    of_b3.path = inclusion_proof::<Blake3Tree>(&sample.b3, 2, 12).unwrap();
    vec![
        path("path-hash-changed", |receipt| receipt.path[0][31] ^= 1),
        path("path-too-short", |receipt| {
            receipt.path.pop();
        }),
        path("path-too-long", |receipt| receipt.path.push([0; 32])),
        path("path-empty", |receipt| receipt.path.clear()),
        path("path-hashes-swapped", |receipt| receipt.path.swap(0, 1)),
        path("path-of-another-leaf", |receipt| receipt.path[0] = [7; 32]),
        receipt(sample, "path-of-the-blake3-tree", &of_b3, "tampered", reason),
        receipt(sample, "leaf-posing-as-node", &posing, "tampered", "path to the root"),
    ]
}

fn places(sample: &Sample) -> Vec<Attack> {
    let at = |name, index: u64, reason| changed(sample, name, "tampered", reason, |receipt| receipt.index = index);
    let leaf = |name, change: fn(&mut receipts::CommitLeaf)| {
        changed(sample, name, "tampered", "path to the root", |receipt| {
            let Ok(Leaf::Commit(mut leaf)) = Leaf::decode(&receipt.leaf) else { unreachable!("leaf 2 is a commit") };
            change(&mut leaf);
            receipt.leaf = Leaf::Commit(leaf).encode().unwrap();
        })
    };
    vec![
        at("index-one-lower", 1, "path to the root"),
        at("index-one-higher", 3, "path to the root"),
        at("index-at-size", 12, "index: 12 is not below the checkpoint's size 12"),
        at("index-largest-u64", u64::MAX, "index: 18446744073709551615 is not below"),
        leaf("leaf-time-set-back", |leaf| leaf.time_us -= 86_400_000_000),
        leaf("leaf-actor-changed", |leaf| leaf.actor = "owner".to_owned()),
        leaf("leaf-seq-changed", |leaf| leaf.seq = 3),
        leaf("leaf-row-root-replaced", |leaf| leaf.row_root = [0; 32]),
        leaf("leaf-span-moved", |leaf| leaf.tables[0].first_row = 1),
        leaf("leaf-idempotency-key-added", |leaf| leaf.idempotency_key = b"retry".to_vec()),
    ]
}

fn note_of(text: &str, signers: &[&NoteSigner]) -> Note {
    Note::sign(text, signers).unwrap()
}

fn checkpoints(sample: &Sample) -> Vec<Attack> {
    let keys = &sample.keys;
    let with = |name, verdict, reason, checkpoint: Note| changed(sample, name, verdict, reason, |receipt| receipt.checkpoint = checkpoint);
    let text = |size: u64, root: Hash| Checkpoint { origin: keys.origin().to_owned(), size, root }.to_string();
    // A second ledger of the same operator, pinned as well.
    let other = Sample::empty("shop", [0x99; 16], 0x71);
    let both: Vec<_> = keys.verifiers().into_iter().chain(other.keys.verifiers()).collect();
    let of_other = Note::parse(&other.keys.sign_checkpoint(12, &sample.sha.root())).unwrap();
    let mut foreign = with("checkpoint-of-another-ledger", "tampered", "leaf: belongs to another ledger", of_other);
    foreign.policy = Policy::text_of_logs(&both);
    vec![
        with("checkpoint-of-another-size", "tampered", "path to the root", sample.checkpoint(11)),
        with("checkpoint-size-zero", "tampered", "index: 2 is not below the checkpoint's size 0", {
            Note::parse(&keys.sign_checkpoint(0, &Sha256Tree::empty())).unwrap()
        }),
        with("checkpoint-of-the-blake3-tree", "malformed", "origin that is no ledger's SHA-256 tree", sample.b3_checkpoint(12)),
        with("blake3-root-under-the-sha-origin", "tampered", "path to the root", {
            Note::parse(&keys.sign_checkpoint(12, &sample.b3.root())).unwrap()
        }),
        with("sha-checkpoint-signed-by-the-blake3-key", "tampered", "not by the key of its origin", {
            note_of(&text(12, sample.sha.root()), &[&keys.b3])
        }),
        with("blake3-origin-signed-by-the-sha-key", "tampered", "not by the key of its origin", {
            let origin = format!("{}{B3_SUFFIX}", keys.origin());
            note_of(&Checkpoint { origin, size: 12, root: sample.sha.root() }.to_string(), &[&keys.sha])
        }),
        with("checkpoint-extension-line", "malformed", "not exactly three lines", {
            note_of(&format!("{}extension\n", text(12, sample.sha.root())), &[&keys.sha])
        }),
        with("checkpoint-size-with-leading-zero", "malformed", "no canonical decimal", {
            note_of(&text(12, sample.sha.root()).replace("\n12\n", "\n012\n"), &[&keys.sha])
        }),
        foreign,
    ]
}

/// The order of the Ed25519 group, little-endian.
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0x10,
];

/// The same signature with S + L for S: verifies wherever S < L is not asked for.
pub(super) fn malleate(signature: &mut [u8]) {
    let mut carry = 0;
    for (byte, order) in signature[36..].iter_mut().zip(GROUP_ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
}

fn signatures(sample: &Sample) -> Vec<Attack> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let (keys, root) = (&sample.keys, sample.sha.root());
    let good = sample.receipt(2, Some(0), 12).to_text().unwrap();
    let line = good.lines().last().unwrap().to_owned();
    let (head, data) = line.rsplit_once(' ').unwrap();
    let data = STANDARD.decode(data).unwrap();
    let relined = |name, reason, change: &dyn Fn(&mut Vec<u8>)| {
        let mut data = data.clone();
        change(&mut data);
        let input = good.replace(&line, &format!("{head} {}", STANDARD.encode(&data)));
        raw(sample, name, input, "tampered", reason)
    };
    let bad = "signature: of pinned key shop/101112131415161718191a1b1c1d1e1f does not verify";
    let missing = "signature: by the pinned key of shop/101112131415161718191a1b1c1d1e1f is not on the checkpoint";
    let thief = NoteSigner::new(keys.origin(), KeyType::Ed25519, &[0x13; 32]).unwrap();
    let by_thief = note_of(&Checkpoint { origin: keys.origin().to_owned(), size: 12, root }.to_string(), &[&thief]).to_string();
    let forged_line = by_thief.lines().last().unwrap();
    let forged = STANDARD.decode(forged_line.rsplit_once(' ').unwrap().1).unwrap();
    let spoiled = {
        let mut spoiled = data.clone();
        spoiled[40] ^= 1;
        format!("{head} {}", STANDARD.encode(spoiled))
    };
    vec![
        relined("signature-bit-flipped", bad, &|data| data[20] ^= 1),
        relined("signature-malleated", bad, &|data| malleate(data)),
        relined("signature-all-zero", bad, &|data| data[4..].fill(0)),
        relined("signature-too-short", bad, &|data| {
            data.pop();
        }),
        relined("signature-too-long", bad, &|data| data.push(0)),
        relined("signature-under-another-key-id", missing, &|data| data[0] ^= 1),
        relined("signature-by-another-key-under-the-right-key-id", bad, &|data| data[4..].copy_from_slice(&forged[4..])),
        raw(sample, "signature-by-another-key-of-the-same-name", good.replace(&line, forged_line), "tampered", missing),
        raw(sample, "signature-bad-one-before-a-good-one", good.replace(&line, &format!("{spoiled}\n{line}")), "tampered", bad),
        raw(sample, "signature-bad-one-after-a-good-one", format!("{good}{spoiled}\n"), "tampered", bad),
        raw(sample, "signature-over-another-size", good.replace("\n12\n", "\n13\n"), "tampered", bad),
        raw(sample, "signature-over-another-origin", good.replace("\nshop/", "\nshot/"), "tampered", bad),
        raw(sample, "valid-signature-twice", format!("{good}{line}\n"), "valid", "row 0"),
        raw(sample, "valid-unknown-signature-beside", format!("{good}{forged_line}\n"), "valid", "row 0"),
    ]
}

fn policies(sample: &Sample) -> Vec<Attack> {
    let with = |name, policy: String, reason| {
        let attack = receipt(sample, name, &sample.receipt(2, Some(0), 12), "inconclusive", reason);
        Attack { policy, ..attack }
    };
    let other = Sample::empty("shop", [0x99; 16], 0x71);
    assert_eq!(sample.leaves[2].ledger(), LEDGER);
    vec![
        with("policy-of-another-ledger", other.policy_text(), "authenticity: the policy pins no key for shop/1011"),
        with("policy-without-logs", "quorum none\n".to_owned(), "authenticity: the policy pins no key"),
    ]
}
