//! What a witness cosigns and what it refuses, and why, in which order.

use receipts::consistency::ConsistencyProof;
use receipts::note::{Note, VerifierKey};
use receipts::proof::consistency_proof;
use receipts::tree::{MemoryTree, TreeHash};
use receipts::witness::{Head, Refusal, Submission};
use receipts::{Checkpoint, Keys, Sha256Tree};

use crate::sample::{LEDGER, Sample};

fn keys(sample: &Sample) -> Vec<VerifierKey> {
    vec![sample.keys.verifiers()[0].clone()]
}

fn head(sample: &Sample, size: u64) -> Head {
    Head { size, root: receipts::proof::tree_root::<Sha256Tree>(&sample.sha, size).unwrap() }
}

fn judge(sample: &Sample, body: &str, last: &Head) -> Result<Head, Refusal> {
    Submission::parse(body.as_bytes())?.judge(&keys(sample), last)
}

#[test]
fn every_extension_of_every_size_is_taken() {
    let sample = Sample::new();
    for old in 0..=12 {
        let last = if old == 0 { Head::nothing() } else { head(&sample, old) };
        for new in old..=12 {
            assert_eq!(judge(&sample, &sample.consistency(old, new).to_string(), &last), Ok(head(&sample, new)), "from {old} to {new}");
        }
    }
    assert_eq!(head(&sample, 0), Head::nothing());
}

/// Nine leaves each, the same up to one place: whatever is offered, a witness never has two histories cosigned.
#[test]
fn no_two_histories_are_both_cosigned() {
    let keys = Sample::empty("shop", LEDGER, 0x41).keys;
    let tree = |forked_at: u64| {
        let mut tree = MemoryTree::<Sha256Tree>::default();
        (0..9u64).for_each(|leaf| tree.append(Sha256Tree::leaf(&[leaf as u8, u8::from(leaf >= forked_at)])));
        tree
    };
    let honest = tree(9);
    let root = |tree: &MemoryTree<Sha256Tree>, size| receipts::proof::tree_root::<Sha256Tree>(tree, size).unwrap();
    for forked_at in 0..9 {
        let fork = tree(forked_at);
        for cosigned in 1..=9u64 {
            let last = Head { size: cosigned, root: root(&honest, cosigned) };
            for new in 0..=9u64 {
                let note = Note::parse(&keys.sign_checkpoint(new, &root(&fork, new))).unwrap();
                for old in 0..=9u64 {
                    // Any path that can be made, from either history.
                    let paths = [&honest, &fork].map(|tree| consistency_proof::<Sha256Tree>(tree, old, new).unwrap_or_default());
                    for path in paths.into_iter().chain([vec![]]) {
                        let proof = ConsistencyProof { old_size: old, path, checkpoint: note.clone() };
                        let submission = Submission::parse(proof.to_string().as_bytes()).unwrap();
                        let judged = submission.judge(std::slice::from_ref(keys.verifiers()[0]), &last);
                        let extends = new >= cosigned && forked_at >= cosigned;
                        if let Ok(next) = judged {
                            assert!(extends, "from {cosigned} to {new} of a history forked at {forked_at}");
                            assert_eq!(next.size, new);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn refusals_and_their_order() {
    let sample = Sample::new();
    let last = head(&sample, 5);
    let good = sample.consistency(5, 12);
    let text = good.to_string();
    let status = |body: &str| judge(&sample, body, &last).unwrap_err().status();
    assert_eq!(judge(&sample, &text, &last), Ok(head(&sample, 12)));
    // 400: no format.
    for body in
        ["", "old 5\n", &text.replace("old 5", "old 05"), &text.replace("old 5", "old -5"), &text[1..], &text.replace("\n12\n", "\n012\n")]
    {
        assert_eq!(status(body), 400, "{body}");
    }
    let line = "Lawv8gQYLZTOd7boRgxIhKnNcO1b4okUmdUTXwS5/Qo=\n";
    assert_eq!(status(&text.replacen("old 5\n", &format!("old 5\n{}", line.repeat(58)), 1)), 422, "63 hashes");
    assert_eq!(status(&text.replacen("old 5\n", &format!("old 5\n{}", line.repeat(59)), 1)), 400, "64 hashes");
    // 404 before 403: no key is trusted for that log.
    let submission = Submission::parse(text.as_bytes()).unwrap();
    assert_eq!(submission.judge(&[], &last), Err(Refusal::UnknownLog));
    // 403 before what the sizes say.
    let stranger = Keys::from_seeds(sample.keys.origin(), &[0x77; 32], &[0x78; 32]).unwrap();
    let forged = stranger.sign_checkpoint(3, &head(&sample, 3).root);
    assert_eq!(status(&format!("old 5\n\n{forged}")), 403);
    let mut spoilt = sample.checkpoint(12);
    let mut bad = spoilt.signatures()[0].clone();
    bad.signature[3] ^= 1;
    spoilt.add(bad).unwrap();
    assert_eq!(status(&ConsistencyProof { checkpoint: spoilt, ..good.clone() }.to_string()), 403, "one bad line of a trusted key");
    // 400 for an old size above the new one, before 409.
    assert_eq!(status(&format!("old 4\n\n{}", sample.checkpoint(3))), 400);
    // 409 with the size: stale, or ahead.
    for old in [0, 4, 6] {
        let path = consistency_proof::<Sha256Tree>(&sample.sha, old, 12).unwrap();
        let body = ConsistencyProof { old_size: old, path, checkpoint: sample.checkpoint(12) }.to_string();
        assert_eq!(judge(&sample, &body, &last), Err(Refusal::Stale(5)), "from {old}");
    }
    // 409: another root at the cosigned size; 422: whatever does not lead there.
    let fork = Note::parse(&sample.keys.sign_checkpoint(5, &[7; 32])).unwrap();
    assert_eq!(judge(&sample, &format!("old 5\n\n{fork}"), &last), Err(Refusal::Fork));
    assert_eq!(status(&format!("old 5\n{line}\n{}", sample.checkpoint(5))), 422, "a path from 5 to 5");
    assert_eq!(status(&text.replacen("old 5\n", &format!("old 5\n{line}"), 1)), 422, "a path one hash too long");
    let mut short = good.clone();
    short.path.pop();
    assert_eq!(status(&short.to_string()), 422);
    let rewritten = Note::parse(&sample.keys.sign_checkpoint(12, &[7; 32])).unwrap();
    assert_eq!(status(&ConsistencyProof { checkpoint: rewritten, ..good }.to_string()), 422);
    // From nothing: no path, and nothing has one root.
    assert_eq!(judge(&sample, &format!("old 0\n\n{}", sample.checkpoint(12)), &Head::nothing()), Ok(head(&sample, 12)));
    assert_eq!(judge(&sample, &format!("old 0\n{line}\n{}", sample.checkpoint(12)), &Head::nothing()), Err(Refusal::BadProof));
    let nothing = Note::parse(&sample.keys.sign_checkpoint(0, &[7; 32])).unwrap();
    assert_eq!(judge(&sample, &format!("old 0\n\n{nothing}"), &Head::nothing()), Err(Refusal::BadProof));
}

#[test]
fn lines_that_a_log_adds_are_taken_and_cosigned() {
    let sample = Sample::new();
    let text = format!("{}shoe size 43\nmore\n", sample.checkpoint(12).text());
    let note = Note::sign(&text, &[&sample.keys.sha]).unwrap();
    assert_eq!(judge(&sample, &format!("old 0\n\n{note}"), &Head::nothing()), Ok(head(&sample, 12)));
    assert!(Checkpoint::parse(&text).is_err(), "a verifier of receipts takes three lines only");
    for bad in ["a\n1\n", "a\n1\nAAAA\n", &format!("{}\n", sample.checkpoint(12).text()), &format!("{}x", sample.checkpoint(12).text())] {
        assert!(Checkpoint::parse_extended(bad).is_err(), "{bad:?}");
    }
}
