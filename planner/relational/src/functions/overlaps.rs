//! `OVERLAPS`: whether two spans of time have a moment in common.
//!
//! F47: a span contains its beginning and not its end, unless both are one; ends given the wrong way round are turned. One end may be unknown: then
//!     the answer is known only if the other ends decide it.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::functions::native::{lenient, no_match};
use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};

use Kind::{Instant, Stamp, Time};

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const TRUTH: Returns = Returns::Is(Kind::Bool);
    const OVERLAPS: &[Form] = &[
        form(&[Stamp, Stamp, Stamp, Stamp], TRUTH, overlaps).lenient(),
        form(&[Instant, Instant, Instant, Instant], TRUTH, overlaps).lenient(),
        form(&[Time, Time, Time, Time], TRUTH, overlaps).lenient(),
    ];
    vec![
        function("overlaps", OVERLAPS),
        // What is given with a length becomes a sum before it runs (`coercions`).
        lenient(OVERLAP_END, start_and_end, end, |args, _, _| Ok(args[1].clone())),
    ]
}

/// The end of a span: itself, or its length past the beginning.
pub(crate) const OVERLAP_END: &str = "overlap_end";

fn start_and_end(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 2 { Ok(types.to_vec()) } else { no_match() }
}

fn end(types: &[DataType]) -> DataType {
    match types {
        [DataType::Date32, DataType::Interval(_)] => DataType::Timestamp(TimeUnit::Microsecond, None),
        [start, DataType::Interval(_)] => start.clone(),
        [_, end] => end.clone(),
        _ => DataType::Null,
    }
}

fn moment(args: &[Option<Value>], at: usize) -> Option<i64> {
    match args.get(at) {
        Some(Some(Value::Stamp(micros) | Value::Time(micros))) => Some(*micros),
        _ => None,
    }
}

/// A beginning that is known, and an end that may be.
fn span(args: &[Option<Value>], at: usize) -> Option<(i64, Option<i64>)> {
    match (moment(args, at), moment(args, at + 1)) {
        (Some(start), Some(end)) => Some((start.min(end), Some(start.max(end)))),
        (Some(known), None) | (None, Some(known)) => Some((known, None)),
        (None, None) => None,
    }
}

/// F47.
fn overlaps(args: &[Option<Value>]) -> Answer {
    let (Some((start, end)), Some((other_start, other_end))) = (span(args, 0), span(args, 2)) else { return Ok(None) };
    // Of two spans that begin at different times the earlier must reach into the later.
    let reaches = |earlier_end: Option<i64>, later_start: i64, later_end: Option<i64>| match earlier_end {
        None => None,
        Some(earlier_end) if later_start < earlier_end => Some(true),
        Some(_) => later_end.map(|_| false),
    };
    let answer = match start.cmp(&other_start) {
        std::cmp::Ordering::Greater => reaches(other_end, start, end),
        std::cmp::Ordering::Less => reaches(end, other_start, other_end),
        std::cmp::Ordering::Equal => end.and(other_end).map(|_| true),
    };
    Ok(answer.map(Value::Bool))
}
