//! `ledger.retention` and `ledger.holds`: what is kept, and the commit that says so.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, IntervalMonthDayNanoArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::IntervalMonthDayNano;
use base::{CommitSeq, SqlResult};
use receipts::Leaf;

use super::{Batches, Kind, Scan};
use crate::period::Period;
use crate::retention::{Ruling, Rulings};
use crate::types::SqlType;

pub(super) const RETENTION: Kind = Kind {
    name: "retention",
    columns: &[
        ("relation_id", SqlType::Int8),
        ("table_schema", SqlType::Text),
        ("table_name", SqlType::Text),
        ("retention", SqlType::Interval),
        ("mode", SqlType::Text),
        ("commit_seq", SqlType::Int8),
        ("set_at", SqlType::Timestamptz),
        ("set_by", SqlType::Text),
        ("dropped_commit_seq", SqlType::Int8),
    ],
    scan: scan_retention,
};

pub(super) const HOLDS: Kind = Kind {
    name: "holds",
    columns: &[
        ("name", SqlType::Text),
        ("relation_id", SqlType::Int8),
        ("table_schema", SqlType::Text),
        ("table_name", SqlType::Text),
        ("reason", SqlType::Text),
        ("commit_seq", SqlType::Int8),
        ("set_at", SqlType::Timestamptz),
        ("set_by", SqlType::Text),
        ("released_commit_seq", SqlType::Int8),
        ("released_at", SqlType::Timestamptz),
        ("released_by", SqlType::Text),
    ],
    scan: scan_holds,
};

/// Time and actor of a commit.
fn who(scan: &Scan, seq: u64) -> SqlResult<(i64, Option<String>)> {
    Ok(match scan.ledger.leaf_of(CommitSeq(seq))? {
        Leaf::Commit(commit) => (commit.time_us, Some(commit.actor)),
        other => (other.time_us(), None),
    })
}

fn numbers(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(values.map(|value| value.map(u64::cast_signed)).collect::<Int64Array>())
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// As an interval; one longer than intervals are in Arrow shows as the longest.
fn interval(period: Period) -> IntervalMonthDayNano {
    let (months, days, us) = period.parts();
    IntervalMonthDayNano::new(months, days, us.saturating_mul(1_000))
}

fn scan_retention(scan: Scan) -> Batches {
    let outcome = Rulings::read(&scan.ledger, scan.size).and_then(|rulings| {
        let ruled = rulings.tables().filter_map(|ruling| Some((ruling, ruling.table.rules.retention?)));
        let all = ruled.map(|(ruling, kept)| Ok((ruling, kept, who(&scan, ruling.since)?))).collect::<SqlResult<Vec<_>>>()?;
        scan.batch(all.len(), |column| match column {
            0 => numbers(all.iter().map(|(ruling, ..)| Some(ruling.table.id.0.into()))),
            1 => texts(all.iter().map(|(ruling, ..)| Some(ruling.table.schema.as_str()))),
            2 => texts(all.iter().map(|(ruling, ..)| Some(ruling.table.name.as_str()))),
            3 => Arc::new(IntervalMonthDayNanoArray::from_iter_values(all.iter().map(|(_, kept, _)| interval(kept.period)))),
            4 => texts(all.iter().map(|(_, kept, _)| Some(kept.mode.name()))),
            5 => numbers(all.iter().map(|(ruling, ..)| Some(ruling.since))),
            6 => times(all.iter().map(|(.., (time, _))| Some(*time))),
            7 => texts(all.iter().map(|(.., (_, actor))| actor.as_deref())),
            _ => numbers(all.iter().map(|(ruling, ..)| ruling.dropped)),
        })
    });
    Box::new(std::iter::once(outcome))
}

fn scan_holds(scan: Scan) -> Batches {
    let outcome = Rulings::read(&scan.ledger, scan.size).and_then(|rulings| {
        let mut all = Vec::new();
        for held in rulings.holds() {
            let set = who(&scan, held.since)?;
            let released = held.released.map(|seq| who(&scan, seq)).transpose()?;
            let tables = held.hold.tables.iter().map(|id| (*id, rulings.of(*id)));
            all.extend(tables.map(|(id, ruling)| (held, id, ruling.cloned(), (set.clone(), released.clone()))));
        }
        let name = |pick: fn(&Ruling) -> &str| texts(all.iter().map(move |(_, _, ruling, _)| ruling.as_ref().map(pick)));
        scan.batch(all.len(), |column| match column {
            0 => texts(all.iter().map(|(held, ..)| Some(held.hold.name.as_str()))),
            1 => numbers(all.iter().map(|(_, id, ..)| Some(id.0.into()))),
            2 => name(|ruling| &ruling.table.schema),
            3 => name(|ruling| &ruling.table.name),
            4 => texts(all.iter().map(|(held, ..)| held.hold.reason.as_deref())),
            5 => numbers(all.iter().map(|(held, ..)| Some(held.since))),
            6 => times(all.iter().map(|(.., (set, _))| Some(set.0))),
            7 => texts(all.iter().map(|(.., (set, _))| set.1.as_deref())),
            8 => numbers(all.iter().map(|(held, ..)| held.released)),
            9 => times(all.iter().map(|(.., (_, released))| released.as_ref().map(|by| by.0))),
            _ => texts(all.iter().map(|(.., (_, released))| released.as_ref().and_then(|by| by.1.as_deref()))),
        })
    });
    Box::new(std::iter::once(outcome))
}
