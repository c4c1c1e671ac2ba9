//! The time that decides what may be removed: counted along the commits, so that a clock turned forward does not bring it forward.
//!
//! E1: it begins with the first commit's time and goes on by what passes between one commit and the next, at most [`GAP_US`] each: a jump of the clock
//!     counts for that much, once, however far it is. So does a time without commits.
//! E2: it never goes back, and it is never ahead of the commits' own times.
//! E3: it follows from the leaves alone: whoever has them counts the same.
//! Never: looks at a clock.

/// The most that may pass between two commits, µs: 31 days.
pub const GAP_US: i64 = 31 * 24 * 3_600_000_000;

/// What has been counted so far.
#[derive(Clone, Default, Debug)]
pub(crate) struct Counted {
    /// Commits counted.
    size: u64,
    last_us: i64,
    /// Where something was not counted: the commit, and how much is missing from it on.
    skipped: Vec<(u64, i64)>,
}

impl Counted {
    /// Commits counted: the next to be told of.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Tells of the next commit's time (E1).
    pub(crate) fn count(&mut self, time_us: i64) {
        let passed = if self.size == 0 { 0 } else { time_us.saturating_sub(self.last_us) };
        if passed > GAP_US {
            let before = self.missing_at(self.size);
            self.skipped.push((self.size, before.saturating_add(passed - GAP_US)));
        }
        self.last_us = time_us;
        self.size += 1;
    }

    fn missing_at(&self, seq: u64) -> i64 {
        let after = self.skipped.partition_point(|(from, _)| *from <= seq);
        after.checked_sub(1).map_or(0, |at| self.skipped[at].1)
    }

    /// The time of a commit, whose leaf says `time_us`.
    pub(crate) fn of(&self, seq: u64, time_us: i64) -> i64 {
        time_us.saturating_sub(self.missing_at(seq))
    }

    /// The time now, where the clock says `now_us`: a clock set back counts, one set forward counts as a commit would.
    pub(crate) fn now(&self, now_us: i64) -> i64 {
        let since = now_us.saturating_sub(self.last_us).clamp(0, GAP_US);
        self.of(self.size, self.last_us).saturating_add(since).min(now_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600_000_000;

    #[test]
    fn a_jump_counts_for_a_month_once() {
        let mut counted = Counted::default();
        (0..100).for_each(|day| counted.count(day * DAY));
        assert_eq!(counted.now(99 * DAY + 5), 99 * DAY + 5);
        // Ten years on, and many commits there.
        assert_eq!(counted.now(3_650 * DAY), 130 * DAY);
        (0..1_000).for_each(|n| counted.count(3_650 * DAY + n));
        assert_eq!(counted.now(3_650 * DAY + 999), 130 * DAY + 999);
        assert_eq!((counted.of(50, 50 * DAY), counted.of(100, 3_650 * DAY)), (50 * DAY, 130 * DAY));
        // Set right again: commits keep the last time until the clock has caught up, and a second jump counts for another month.
        (0..10).for_each(|_| counted.count(3_650 * DAY + 999));
        assert_eq!(counted.now(100 * DAY), 100 * DAY, "never ahead of the clock");
        counted.count(7_300 * DAY);
        assert_eq!(counted.now(7_300 * DAY), 161 * DAY + 999);
    }
}
