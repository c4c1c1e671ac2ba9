//! Which rows of a partition a row's frame has.
//!
//! F1: ROWS counts rows, GROUPS groups of peers, RANGE goes by the distance between values; NULLs are as far from everything as their place.
//! F2: what EXCLUDE names is taken out of the frame, never put in.

use std::ops::Range;

use base::{SqlError, SqlResult};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};

use super::distance::{Distance, Side, Values, read};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Exclusion {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

/// One end of a frame.
#[derive(Clone, Debug)]
enum End {
    /// The partition's first row, or its last.
    Unbounded,
    Current,
    /// So many rows or groups before (or behind, if positive).
    Count(i64),
    /// So far below, or above.
    Away(Distance, bool),
}

/// Frames of one partition, asked for row by row from the first on.
pub(super) struct Frames<'a> {
    units: WindowFrameUnits,
    start: End,
    end: End,
    exclusion: Exclusion,
    /// Where each group of peers begins, and the number of rows.
    groups: Vec<usize>,
    rows: usize,
    group: usize,
    /// What RANGE measures, whether it ascends, and whether NULLs come first.
    order: Option<(Values<'a>, bool, bool)>,
    head: usize,
    tail: usize,
}

impl<'a> Frames<'a> {
    /// `groups` are where groups of peers begin.
    pub(super) fn new(
        frame: &WindowFrame,
        exclusion: Exclusion,
        groups: Vec<usize>,
        rows: usize,
        order: Option<(Values<'a>, bool, bool)>,
        data_type: Option<&arrow::datatypes::DataType>,
    ) -> SqlResult<Self> {
        let (start, end) = (end_of(&frame.start_bound, data_type)?, end_of(&frame.end_bound, data_type)?);
        Ok(Self { units: frame.units, start, end, exclusion, groups, rows, group: 0, order, head: 0, tail: 0 })
    }

    fn peers(&self) -> Range<usize> {
        self.bounds(self.group)
    }

    fn bounds(&self, group: usize) -> Range<usize> {
        let at = |group: usize| self.groups.get(group).copied().unwrap_or(self.rows);
        at(group)..at(group + 1)
    }

    /// The frame of `row`, which is the one after the row asked for before: ranges of rows in order, none empty.
    pub(super) fn of(&mut self, row: usize) -> SqlResult<Vec<Range<usize>>> {
        while self.peers().end <= row {
            self.group += 1;
        }
        let (start, end) = (self.first(row)?, self.behind(row)?);
        let peers = self.peers();
        let out = match self.exclusion {
            Exclusion::NoOthers => [0..0, 0..0],
            Exclusion::CurrentRow => [row..row + 1, 0..0],
            Exclusion::Group => [peers, 0..0],
            Exclusion::Ties => [peers.start..row, row + 1..peers.end],
        };
        // F2
        let (mut kept, mut from) = (Vec::with_capacity(3), start);
        for gap in out {
            kept.push(from..gap.start.min(end));
            from = from.max(gap.end);
        }
        kept.push(from..end);
        kept.retain(|range| range.start < range.end);
        Ok(kept)
    }

    fn first(&mut self, row: usize) -> SqlResult<usize> {
        Ok(match self.start.clone() {
            End::Unbounded => 0,
            End::Current if self.units == WindowFrameUnits::Rows => row,
            End::Current => self.peers().start,
            End::Count(by) if self.units == WindowFrameUnits::Rows => moved(row, by).min(self.rows),
            End::Count(by) => self.bounds(moved(self.group, by)).start,
            End::Away(distance, below) => {
                let (values, ascends, nulls_first) = self.measured()?;
                let side = Side { below: below == ascends, at_most: !ascends };
                let mut head = self.head;
                while head < self.rows {
                    let is_reached = match (values.is_null(head), values.is_null(row)) {
                        (false, false) => values.is_within(head, row, &distance, side)?,
                        (is_null, base_is_null) if nulls_first => !is_null || base_is_null,
                        (is_null, base_is_null) => is_null || !base_is_null,
                    };
                    if is_reached {
                        break;
                    }
                    head += 1;
                }
                self.head = head;
                head
            }
        })
    }

    /// The row behind the last.
    fn behind(&mut self, row: usize) -> SqlResult<usize> {
        Ok(match self.end.clone() {
            End::Unbounded => self.rows,
            End::Current if self.units == WindowFrameUnits::Rows => row + 1,
            End::Current => self.peers().end,
            End::Count(by) if self.units == WindowFrameUnits::Rows => moved(row + 1, by).min(self.rows),
            End::Count(by) if by < 0 && self.group as i64 + by < 0 => 0,
            End::Count(by) => self.bounds(moved(self.group, by)).end,
            End::Away(distance, below) => {
                let (values, ascends, nulls_first) = self.measured()?;
                let side = Side { below: below == ascends, at_most: ascends };
                let mut tail = self.tail;
                while tail < self.rows {
                    let is_passed = match (values.is_null(tail), values.is_null(row)) {
                        (false, false) => !values.is_within(tail, row, &distance, side)?,
                        (is_null, _) if nulls_first => !is_null,
                        (_, base_is_null) => !base_is_null,
                    };
                    if is_passed {
                        break;
                    }
                    tail += 1;
                }
                self.tail = tail;
                tail
            }
        })
    }

    fn measured(&self) -> SqlResult<(&Values<'a>, bool, bool)> {
        let order = self.order.as_ref().ok_or_else(|| SqlError::internal("F1: a distance without an order"))?;
        Ok((&order.0, order.1, order.2))
    }
}

fn moved(from: usize, by: i64) -> usize {
    if by < 0 { from.saturating_sub(by.unsigned_abs() as usize) } else { from.saturating_add(by as usize) }
}

fn end_of(bound: &WindowFrameBound, data_type: Option<&arrow::datatypes::DataType>) -> SqlResult<End> {
    let (value, below) = match bound {
        WindowFrameBound::CurrentRow => return Ok(End::Current),
        WindowFrameBound::Preceding(value) => (value, true),
        WindowFrameBound::Following(value) => (value, false),
    };
    if value.is_null() {
        return Ok(End::Unbounded);
    }
    match (value, data_type) {
        (ScalarValue::UInt64(Some(count)), _) => {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            Ok(End::Count(if below { -count } else { count }))
        }
        (ScalarValue::Utf8(Some(text)), Some(data_type)) => Ok(End::Away(read(text, data_type)?, below)),
        (other, _) => Err(SqlError::internal(format!("F1: a frame's end at {other}"))),
    }
}
