//! A sample of every fault over a few seeds; `cargo run -p jepsen -- sim --seeds A..B` runs as many as you like.

use jepsen::sim::campaign::{Count, Effort, seed};

#[test]
fn no_fault_breaks_a_promise() {
    let mut count = Count::default();
    for at in 1..=8 {
        seed(at, Effort::SAMPLE, &mut count);
    }
    println!("{count}");
    assert!(count.violations.is_empty(), "{}", count.violations.join("\n"));
    assert!(count.crashes > 0 && count.errors > 0 && count.full_disks > 0 && count.flips[1] > 0, "{count}");
}
