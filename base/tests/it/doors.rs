//! Clocks and random sources.

use base::{Clock, OsRng, RealClock, Rng, SeededRng, SimClock};
use std::collections::HashSet;

#[test]
fn the_real_clock_is_in_this_century_and_moves_on() {
    let clock = RealClock;
    assert!((1_700_000_000_000_000..4_000_000_000_000_000).contains(&clock.now_us()));
    let first = clock.monotonic_ns();
    assert!(clock.monotonic_ns() >= first, "C1");
}

#[test]
fn a_simulated_clock_moves_only_when_looked_at_or_told() {
    let clock = SimClock::new(1_000, 5);
    assert_eq!((clock.now_us(), clock.now_us()), (1_005, 1_010));
    let before = clock.monotonic_ns();
    clock.set(-7);
    clock.advance(2);
    assert_eq!(clock.now_us(), 0);
    assert!(clock.monotonic_ns() > before, "C1: setting wall time back moves nothing else");
}

#[test]
fn seeded_bytes_never_change() {
    let mut first = [0; 16];
    SeededRng::new(42).fill(&mut first);
    assert_eq!(first, [0x6d, 0x71, 0xac, 0xbc, 0x50, 0x82, 0x99, 0x6e, 0x94, 0xe9, 0xc0, 0x91, 0xbf, 0x69, 0x3c, 0x29], "R2: {first:02x?}");
}

#[test]
fn the_systems_bytes_differ_between_calls_and_threads() {
    let draw = || (0..100).map(|_| OsRng.next_u64()).collect::<Vec<_>>();
    let other = std::thread::Builder::new().spawn(draw).unwrap().join().unwrap();
    let all: HashSet<u64> = draw().into_iter().chain(draw()).chain(other).collect();
    assert_eq!(all.len(), 300);
}
