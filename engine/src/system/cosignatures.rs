//! `ledger.cosignatures`: the witnesses that are asked, what each has cosigned, and how it answered last.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray};

use super::{Batches, Kind, Scan};
use crate::cosigned::WitnessState;
use crate::types::SqlType;

pub(super) const TABLE: Kind = Kind {
    name: "cosignatures",
    columns: &[
        ("witness", SqlType::Text),
        ("verifier_key", SqlType::Text),
        ("url", SqlType::Text),
        ("size", SqlType::Int8),
        ("cosigned_at", SqlType::Timestamptz),
        ("kept", SqlType::Bool),
        ("tried_at", SqlType::Timestamptz),
        ("error", SqlType::Text),
        ("failing_since", SqlType::Timestamptz),
    ],
    scan,
};

fn scan(scan: Scan) -> Batches {
    let (all, kept) = (scan.ledger.witnesses(), scan.ledger.cosigned());
    let text = |pick: fn(&WitnessState) -> Option<&str>| Arc::new(all.iter().map(pick).collect::<StringArray>()) as ArrayRef;
    let time = |pick: fn(&WitnessState) -> Option<i64>| {
        Arc::new(all.iter().map(pick).collect::<TimestampMicrosecondArray>().with_timezone("UTC")) as ArrayRef
    };
    // Whether its line is on the checkpoint that receipts are made with.
    let is_kept = |witness: &WitnessState| {
        let name = witness.key.split('+').next().unwrap_or_default();
        let line = format!("\n\u{2014} {name} ");
        kept.as_ref().is_some_and(|kept| Some(kept.size) == witness.size && kept.note.contains(&line))
    };
    let batch = scan.batch(all.len(), |column| match column {
        0 => text(|witness| Some(&witness.name)),
        1 => text(|witness| Some(&witness.key)),
        2 => text(|witness| witness.url.as_deref()),
        3 => Arc::new(all.iter().map(|witness| witness.size.map(u64::cast_signed)).collect::<Int64Array>()),
        4 => time(|witness| witness.cosigned_us),
        5 => Arc::new(all.iter().map(|witness| Some(is_kept(witness))).collect::<BooleanArray>()),
        6 => time(|witness| witness.tried_us),
        7 => text(|witness| witness.error.as_deref()),
        _ => time(|witness| witness.failing_since_us),
    });
    Box::new(std::iter::once(batch))
}
