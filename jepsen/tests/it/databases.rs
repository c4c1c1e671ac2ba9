//! Power lost at every I/O step of making, renaming and dropping databases.

use jepsen::sim::databases::{crash, steps};

#[test]
fn databases_are_there_or_not_and_nothing_between() {
    let seed = 5;
    let count = steps(seed);
    assert!(count > 100, "{count} steps");
    for step in 1..=count {
        crash(seed, step).unwrap();
    }
}
