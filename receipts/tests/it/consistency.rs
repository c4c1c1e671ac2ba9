//! Consistency proofs against a pinned checkpoint, in both trees.

use receipts::consistency::ConsistencyProof;
use receipts::verify_consistency;

use crate::sample::Sample;

#[test]
fn every_pair_of_sizes_in_both_trees() {
    let sample = Sample::new();
    let policy = sample.policy();
    for new in 1..=sample.seq() {
        for old in 1..=new {
            let (pinned, proof) = (sample.checkpoint(old).to_string(), sample.consistency(old, new).to_string());
            let verdict = verify_consistency(pinned.as_bytes(), proof.as_bytes(), &policy);
            assert_eq!(verdict.exit_code(), 0, "{verdict}");
            let (pinned, proof) = (sample.b3_checkpoint(old).to_string(), sample.b3_consistency(old, new).to_string());
            let verdict = verify_consistency(pinned.as_bytes(), proof.as_bytes(), &policy);
            assert_eq!(verdict.exit_code(), 0, "{verdict}");
        }
    }
}

#[test]
fn the_example_of_tlog_witness_parses() {
    let text = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    let proof = ConsistencyProof::parse(text.as_bytes()).unwrap();
    assert_eq!((proof.old_size, proof.path.len(), proof.checkpoint.signatures().len()), (20_852_014, 4, 2));
    assert_eq!(proof.to_string(), text);
}

#[test]
fn every_changed_byte_is_noticed() {
    let sample = Sample::new();
    let policy = sample.policy();
    let (pinned, proof) = (sample.checkpoint(3).to_string().into_bytes(), sample.consistency(3, 11).to_string().into_bytes());
    assert_eq!(verify_consistency(&pinned, &proof, &policy).exit_code(), 0);
    for i in 0..proof.len() {
        let mut changed = proof.clone();
        changed[i] ^= 1;
        assert!(matches!(verify_consistency(&pinned, &changed, &policy).exit_code(), 1 | 2), "byte {i} of the proof");
    }
    for i in 0..pinned.len() {
        let mut changed = pinned.clone();
        changed[i] ^= 1;
        assert!(matches!(verify_consistency(&changed, &proof, &policy).exit_code(), 1 | 2), "byte {i} of the pinned checkpoint");
    }
}
