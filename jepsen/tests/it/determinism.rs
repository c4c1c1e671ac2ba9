//! A seed names one run.

use jepsen::sim::faults::straight;

#[test]
fn a_seed_replays_step_by_step_and_leaf_by_leaf() {
    for seed in [1, 2] {
        let ((one, _), (other, _)) = (straight(seed, false).unwrap(), straight(seed, false).unwrap());
        assert_eq!(one.steps, other.steps, "seed {seed}");
        assert_eq!(one.leaves, other.leaves, "seed {seed}");
        assert!(one.history == other.history && one.history.len() > 5, "seed {seed}: {} commits", one.history.len());
    }
}

#[test]
fn seeds_differ() {
    let ((one, _), (other, _)) = (straight(3, false).unwrap(), straight(4, false).unwrap());
    assert_ne!(one.leaves, other.leaves);
}
