//! `ledger.timestamps`: the checkpoints that an authority has stamped, with its responses.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::record_batch::RecordBatch;
use base::SqlResult;

use super::{Batches, Kind, Scan};
use crate::timestamps::{self, Timestamp, digest};
use crate::types::SqlType;

pub(super) const TABLE: Kind = Kind {
    name: "timestamps",
    columns: &[
        ("size", SqlType::Int8),
        ("stamped_at", SqlType::Timestamptz),
        ("policy", SqlType::Text),
        ("serial", SqlType::Text),
        ("digest", SqlType::Bytea),
        ("checkpoint", SqlType::Text),
        ("response", SqlType::Bytea),
    ],
    scan,
};

fn scan(scan: Scan) -> Batches {
    let outcome = read(&scan);
    Box::new(std::iter::once(outcome))
}

fn read(scan: &Scan) -> SqlResult<RecordBatch> {
    let (io, folder) = (&*scan.ledger.options().io, scan.ledger.folder());
    let sizes = timestamps::sizes(io, folder)?.into_iter().filter(|size| *size <= scan.size);
    let all: Vec<Timestamp> = sizes.map(|size| timestamps::read(io, folder, size)).collect::<SqlResult<_>>()?;
    let text = |pick: fn(&Timestamp) -> &str| Arc::new(all.iter().map(|one| Some(pick(one))).collect::<StringArray>()) as ArrayRef;
    scan.batch(all.len(), |column| match column {
        0 => Arc::new(Int64Array::from_iter_values(all.iter().map(|one| one.size.cast_signed()))),
        1 => Arc::new(TimestampMicrosecondArray::from_iter_values(all.iter().map(|one| one.stamp.at_us)).with_timezone("UTC")),
        2 => text(|one| &one.stamp.policy),
        3 => text(|one| &one.stamp.serial),
        4 => Arc::new(all.iter().map(|one| Some(digest(&one.note))).collect::<BinaryArray>()),
        5 => text(|one| &one.note),
        _ => Arc::new(all.iter().map(|one| Some(one.response.as_slice())).collect::<BinaryArray>()),
    })
}
