//! From which key to which a run, or several, reach.
//!
//! A deleted range ends before its end, so a span knows whether its last key belongs to it: two runs of a level may meet there.

/// Keys from `first` (with) to `last`, without it if `open`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) first: Vec<u8>,
    pub(crate) last: Vec<u8>,
    pub(crate) open: bool,
}

impl Span {
    /// Whether all of it lies before `key`.
    #[inline]
    pub(crate) fn is_before(&self, key: &[u8]) -> bool {
        if self.open { self.last.as_slice() <= key } else { self.last.as_slice() < key }
    }

    /// Whether all of it lies before all of `other`.
    pub(crate) fn is_before_all(&self, other: &Self) -> bool {
        self.is_before(&other.first)
    }

    /// The least span with both in it.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let first = self.first.clone().min(other.first.clone());
        // Of two equal ends the closed one reaches further.
        let (last, open) = if (&self.last, !self.open) >= (&other.last, !other.open) {
            (self.last.clone(), self.open)
        } else {
            (other.last.clone(), other.open)
        };
        Self { first, last, open }
    }

    /// The least span with all in it; `None` of none.
    pub(crate) fn of_all<'a>(spans: impl Iterator<Item = &'a Self>) -> Option<Self> {
        spans.fold(None, |all: Option<Self>, span| Some(all.map_or_else(|| span.clone(), |all| all.union(span))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: &str, last: &str, open: bool) -> Span {
        Span { first: first.into(), last: last.into(), open }
    }

    #[test]
    fn spans_that_meet_at_an_open_end_do_not_overlap() {
        assert!(span("a", "c", true).is_before_all(&span("c", "d", false)));
        assert!(!span("a", "c", false).is_before_all(&span("c", "d", false)));
        assert_eq!(span("a", "c", true).union(&span("b", "c", false)), span("a", "c", false));
        assert_eq!(span("b", "d", true).union(&span("a", "c", false)), span("a", "d", true));
    }
}
