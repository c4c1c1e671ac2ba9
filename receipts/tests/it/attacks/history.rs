//! Attacks on history, seen by someone who pinned a checkpoint before: with the ledger's own key stolen, or by its owner.

use receipts::consistency::ConsistencyProof;
use receipts::{Leaf, Policy};

use super::{Attack, Kind};
use crate::sample::Sample;

fn attack(sample: &Sample, name: &'static str, pinned: String, proof: String, verdict: &'static str, reason: &'static str) -> Attack {
    Attack { name, kind: Kind::Consistency, policy: sample.policy_text(), pinned: Some(pinned), input: proof, verdict, reason }
}

/// The same ledger with leaf 1 rewritten and everything after it recomputed and signed with the real key.
pub(super) fn rewritten() -> Sample {
    let honest = Sample::new();
    let mut other = Sample::empty("shop", crate::sample::LEDGER, 0x41);
    for (leaf, commit) in honest.leaves.into_iter().zip(honest.commits) {
        let leaf = match leaf {
            Leaf::Commit(mut leaf) if leaf.seq == 1 => {
                leaf.actor = "nobody".to_owned();
                Leaf::Commit(leaf)
            }
            leaf => leaf,
        };
        other.push(leaf, commit);
    }
    other
}

pub(super) fn attacks(sample: &Sample) -> Vec<Attack> {
    [valid(sample), rewrites(sample), mixed_up(sample), texts(sample)].into_iter().flatten().collect()
}

fn pinned(sample: &Sample) -> String {
    sample.checkpoint(5).to_string()
}

fn valid(sample: &Sample) -> Vec<Attack> {
    let b3 = (sample.b3_checkpoint(5).to_string(), sample.b3_consistency(5, 12).to_string());
    vec![
        attack(
            sample,
            "valid-consistency",
            pinned(sample),
            sample.consistency(5, 12).to_string(),
            "valid",
            "extends the pinned checkpoint at size 5",
        ),
        attack(sample, "valid-consistency-blake3", b3.0, b3.1, "valid", "BLAKE3 tree"),
        attack(sample, "valid-consistency-same-size", pinned(sample), sample.consistency(5, 5).to_string(), "valid", "at size 5 extends"),
    ]
}

fn rewrites(sample: &Sample) -> Vec<Attack> {
    let other = rewritten();
    assert_ne!(other.sha.root(), sample.sha.root());
    let rewritten = "consistency: the log at size";
    let cut = "new checkpoint: has 3 leaves, the pinned one 5: the log was cut";
    let mut mixed = sample.consistency(5, 12);
    mixed.checkpoint = other.checkpoint(12);
    let b3 = (sample.b3_checkpoint(5).to_string(), other.b3_consistency(5, 12).to_string());
    vec![
        attack(
            sample,
            "history-rewritten-with-the-stolen-key",
            pinned(sample),
            other.consistency(5, 12).to_string(),
            "tampered",
            rewritten,
        ),
        attack(sample, "history-rewritten-blake3", b3.0, b3.1, "tampered", rewritten),
        attack(sample, "history-rewritten-old-proof-kept", pinned(sample), mixed.to_string(), "tampered", rewritten),
        attack(sample, "two-roots-at-one-size", pinned(sample), other.consistency(5, 5).to_string(), "tampered", rewritten),
        attack(sample, "log-rolled-back", pinned(sample), sample.consistency(2, 3).to_string(), "tampered", cut),
    ]
}

fn mixed_up(sample: &Sample) -> Vec<Attack> {
    let foreign = {
        let mut other = Sample::empty("shop", [0x99; 16], 0x71);
        (0..12).for_each(|_| other.commit(&[], vec![]));
        let keys: Vec<_> = sample.keys.verifiers().into_iter().chain(other.keys.verifiers()).collect();
        let policy = Policy::text_of_logs(&keys);
        let proof = other.consistency(5, 12).to_string();
        Attack {
            policy,
            ..attack(sample, "consistency-of-another-ledger", pinned(sample), proof, "tampered", "new checkpoint: is of shop/9999")
        }
    };
    let path = |name, change: fn(&mut ConsistencyProof)| {
        let mut proof = sample.consistency(5, 12);
        change(&mut proof);
        attack(sample, name, pinned(sample), proof.to_string(), "tampered", "consistency: the log at size 12")
    };
    let unsigned = pinned(sample).replace("\n5\n", "\n4\n");
    let of_b3 = sample.b3_consistency(5, 12).to_string();
    vec![
        foreign,
        path("consistency-path-hash-changed", |proof| proof.path[0][0] ^= 1),
        path("consistency-path-too-short", |proof| {
            proof.path.pop();
        }),
        path("consistency-path-too-long", |proof| proof.path.push([0; 32])),
        path("consistency-path-empty", |proof| proof.path.clear()),
        attack(
            sample,
            "consistency-pinned-changed",
            unsigned,
            sample.consistency(4, 12).to_string(),
            "tampered",
            "pinned checkpoint: signature: of pinned key",
        ),
        attack(
            sample,
            "consistency-trees-mixed",
            pinned(sample),
            of_b3,
            "tampered",
            "new checkpoint: is of shop/101112131415161718191a1b1c1d1e1f/b3",
        ),
        attack(
            sample,
            "consistency-from-another-size",
            pinned(sample),
            sample.consistency(4, 12).to_string(),
            "malformed",
            "starts at size 4",
        ),
    ]
}

fn texts(sample: &Sample) -> Vec<Attack> {
    let good = sample.consistency(5, 12).to_string();
    let text = |name, input: String, reason| attack(sample, name, pinned(sample), input, "malformed", reason);
    vec![
        text("consistency-old-with-leading-zero", good.replace("old 5", "old 05"), "does not start with `old <size>`"),
        text("consistency-without-old", good.replacen("old 5\n", "", 1), "does not start with `old <size>`"),
        text("consistency-carriage-returns", good.replace('\n', "\r\n"), "no empty line"),
    ]
}
