//! The only door to time: the machine's clock, and a simulated one that moves when told.
//!
//! C1: `monotonic_ns` never goes back; `now_us` may (operators set clocks), so no order is ever taken from it.
//! Never: sleeps.
#![allow(clippy::disallowed_methods, reason = "this is the door the lint sends everyone to")]

use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time and elapsed time.
pub trait Clock: Send + Sync + Debug {
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn now_us(&self) -> i64;

    /// Nanoseconds since a moment fixed for the life of the process; only differences mean something.
    fn monotonic_ns(&self) -> u64;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn now_us(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        }
    }

    fn monotonic_ns(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock for simulation: each look moves it by a fixed tick, and a driver may set or advance it.
#[derive(Debug)]
pub struct SimClock {
    now_us: AtomicI64,
    monotonic_ns: AtomicU64,
    tick_us: u32,
}

impl SimClock {
    /// Starts at `now_us` (µs since 1970) and moves `tick_us` at each look; 0 stands still.
    pub fn new(now_us: i64, tick_us: u32) -> Self {
        Self { now_us: AtomicI64::new(now_us), monotonic_ns: AtomicU64::new(0), tick_us }
    }

    /// Sets wall time, forwards or back; elapsed time is untouched.
    pub fn set(&self, now_us: i64) {
        self.now_us.store(now_us, Ordering::Relaxed);
    }

    /// Moves wall and elapsed time on by `us` microseconds.
    pub fn advance(&self, us: u32) {
        self.now_us.fetch_add(i64::from(us), Ordering::Relaxed);
        self.monotonic_ns.fetch_add(u64::from(us) * 1_000, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now_us(&self) -> i64 {
        self.advance(self.tick_us);
        self.now_us.load(Ordering::Relaxed)
    }

    fn monotonic_ns(&self) -> u64 {
        self.advance(self.tick_us);
        self.monotonic_ns.load(Ordering::Relaxed)
    }
}
