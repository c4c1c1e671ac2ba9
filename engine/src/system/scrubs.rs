//! `ledger.scrubs` and `ledger.damages`: when what is sealed was read again, and what was found.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray};

use super::{Batches, Kind, Scan};
use crate::scrub::{Damage, Round};
use crate::types::SqlType;

pub(super) const SCRUBS: Kind = Kind {
    name: "scrubs",
    columns: &[
        ("round", SqlType::Int8),
        ("begun_at", SqlType::Timestamptz),
        ("ended_at", SqlType::Timestamptz),
        ("files", SqlType::Int8),
        ("bytes", SqlType::Int8),
        ("damages", SqlType::Int8),
    ],
    scan: scan_rounds,
};

pub(super) const DAMAGES: Kind = Kind {
    name: "damages",
    columns: &[
        ("file", SqlType::Text),
        ("relation_id", SqlType::Int8),
        ("first_row_id", SqlType::Int8),
        ("rows", SqlType::Int8),
        ("why", SqlType::Text),
        ("mended", SqlType::Bool),
        ("found_at", SqlType::Timestamptz),
    ],
    scan: scan_damages,
};

fn numbers(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(values.map(|value| value.map(u64::cast_signed)).collect::<Int64Array>())
}

fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn scan_rounds(scan: Scan) -> Batches {
    let rounds = scan.ledger.scrub_rounds();
    let number = |pick: fn(&Round) -> u64| numbers(rounds.iter().map(|round| Some(pick(round))));
    let batch = scan.batch(rounds.len(), |column| match column {
        0 => number(|round| round.number),
        1 => times(rounds.iter().map(|round| Some(round.begun_us))),
        2 => times(rounds.iter().map(|round| round.ended_us)),
        3 => number(|round| round.files),
        4 => number(|round| round.bytes),
        _ => number(|round| round.damages),
    });
    Box::new(std::iter::once(batch))
}

fn scan_damages(scan: Scan) -> Batches {
    let all = scan.ledger.damages();
    let text = |pick: fn(&Damage) -> &str| Arc::new(all.iter().map(|damage| Some(pick(damage))).collect::<StringArray>()) as ArrayRef;
    let of_rows = |pick: fn((base::RelationId, u64, u64)) -> u64| numbers(all.iter().map(|damage| damage.rows.map(pick)));
    let batch = scan.batch(all.len(), |column| match column {
        0 => text(|damage| &damage.file),
        1 => of_rows(|(relation, ..)| relation.0.into()),
        2 => of_rows(|(_, first, _)| first),
        3 => of_rows(|(.., rows)| rows),
        4 => text(|damage| &damage.why),
        5 => Arc::new(all.iter().map(|damage| Some(damage.mended)).collect::<BooleanArray>()),
        _ => times(all.iter().map(|damage| Some(damage.found_us))),
    });
    Box::new(std::iter::once(batch))
}
