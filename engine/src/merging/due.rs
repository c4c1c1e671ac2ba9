//! Which files are worth merging.
//!
//! D1: files are of tiers, each of sixteen times the rows of the one below; sixteen of one tier that lie together, and what lies between them of lower
//!     tiers, are merged.
//! D2: where the old files are kept beside the new, files as the sealer wrote them are merged, 256 together, and no merged one again.
//! D3: rows that a retention lets go of at times too far apart stay in files of their own: a merged file goes when the youngest of its rows may.
//! Never: merges into more rows than a seal writes into one file.

use std::ops::Range;
use std::sync::Arc;

use base::{CommitSeq, RelationId, SqlResult};

use crate::ledger::Ledger;
use crate::period::Retention;
use crate::sealer::SEGMENT_ROWS_MAX;
use crate::segment::Segment;

/// Files of one tier that are merged.
const FAN_IN: usize = 16;
/// Those that are merged where they stay.
const FAN_IN_KEPT: usize = 256;
/// A merged file keeps its oldest row longer than that has to be kept by at most this part of its retention.
const SPREAD: i64 = 16;

/// How a table's files are merged.
pub(crate) enum Pace {
    /// The old ones may go at once.
    Free,
    /// They stay (D2): a hold is on the table, or a retention, here with the times of commits.
    Kept(Option<(Retention, Arc<Ledger>)>),
}

impl Pace {
    /// As retentions and holds have it now. Errors: as [`Ledger::guard`].
    pub(crate) fn of(ledger: &Arc<Ledger>, table: RelationId) -> SqlResult<Self> {
        let guard = ledger.guard()?;
        let retention = guard.rulings().of(table).and_then(|ruling| ruling.table.rules.retention);
        let is_held = guard.rulings().holds().iter().any(|held| held.released.is_none() && held.hold.tables.contains(&table));
        Ok(match retention {
            None if !is_held => Self::Free,
            retention => Self::Kept(retention.map(|retention| (retention, Arc::clone(ledger)))),
        })
    }

    fn fan_in(&self) -> usize {
        match self {
            Self::Free => FAN_IN,
            Self::Kept(_) => FAN_IN_KEPT,
        }
    }

    /// D1, D2.
    fn tier(&self, segment: &Segment) -> u32 {
        match self {
            Self::Free => segment.rows().max(1).ilog2() / FAN_IN.ilog2(),
            Self::Kept(_) => 0,
        }
    }

    fn takes(&self, segment: &Segment) -> bool {
        let is_whole = segment.expired_at().is_none() && !segment.is_quarantined();
        is_whole && (matches!(self, Self::Free) || segment.name().merged_rows.is_none())
    }

    /// D3.
    fn are_near(&self, first: &Segment, last: &Segment) -> SqlResult<bool> {
        let Self::Kept(Some((retention, ledger))) = self else { return Ok(true) };
        let (begin_us, end_us) = (ledger.time_of(CommitSeq(first.commits()?.0))?, ledger.time_of(CommitSeq(last.commits()?.1))?);
        let kept_us = retention.period.after(begin_us).saturating_sub(begin_us);
        Ok(end_us.saturating_sub(begin_us) <= kept_us / SPREAD)
    }
}

/// The first files that are due. Errors: XX001 where one is damaged.
pub(crate) fn first(segments: &[Arc<Segment>], pace: &Pace) -> SqlResult<Option<Range<usize>>> {
    let highest = segments.iter().map(|segment| pace.tier(segment)).max().unwrap_or(0);
    for tier in 0..=highest {
        let mut from = 0;
        while from < segments.len() {
            let run = run_from(segments, from, (pace, tier))?;
            let of_tier = segments[run.clone()].iter().filter(|segment| pace.tier(segment) == tier).count();
            if of_tier >= pace.fan_in() {
                return Ok(Some(run));
            }
            from = run.end.max(from + 1);
        }
    }
    Ok(None)
}

/// Files from one on that may be merged, of this tier and lower ones.
fn run_from(segments: &[Arc<Segment>], from: usize, (pace, tier): (&Pace, u32)) -> SqlResult<Range<usize>> {
    let mut to = from;
    while let Some(segment) = segments.get(to) {
        let first = &segments[from];
        let fits = segment.end() - first.first_row() <= SEGMENT_ROWS_MAX as u64;
        let is_of_run = pace.takes(segment) && pace.tier(segment) <= tier && segment.table() == first.table();
        if !fits || !is_of_run || !pace.are_near(first, segment)? {
            break;
        }
        to += 1;
    }
    Ok(from..to)
}
