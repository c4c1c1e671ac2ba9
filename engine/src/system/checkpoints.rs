//! `ledger.checkpoints`: every published checkpoint, and the newest signed one.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Int64Array, StringArray};
use base::SqlResult;

use super::{Batches, Kind, Scan};
use crate::checkpoints;
use crate::signer::SignedCheckpoint;
use crate::types::SqlType;

pub(super) const TABLE: Kind = Kind {
    name: "checkpoints",
    columns: &[
        ("size", SqlType::Int8),
        ("origin", SqlType::Text),
        ("sha256_root", SqlType::Bytea),
        ("blake3_root", SqlType::Bytea),
        ("sha256_checkpoint", SqlType::Text),
        ("blake3_checkpoint", SqlType::Text),
        ("sealed", SqlType::Bool),
    ],
    scan,
};

fn scan(scan: Scan) -> Batches {
    let outcome = read(&scan);
    Box::new(std::iter::once(outcome))
}

fn read(scan: &Scan) -> SqlResult<arrow::array::RecordBatch> {
    let io = &*scan.ledger.options().io;
    let newest = scan.ledger.checkpoint();
    let mut found: Vec<(SignedCheckpoint, bool)> = Vec::new();
    for size in checkpoints::sizes(io, scan.ledger.folder())? {
        found.push((checkpoints::read(io, scan.ledger.folder(), size)?, true));
    }
    if found.last().is_none_or(|(last, _)| last.state.size < newest.state.size) {
        found.push((newest, false));
    }
    let text = |pick: &dyn Fn(&SignedCheckpoint) -> String| -> ArrayRef {
        Arc::new(found.iter().map(|(checkpoint, _)| Some(pick(checkpoint))).collect::<StringArray>())
    };
    let binary = |pick: &dyn Fn(&SignedCheckpoint) -> Vec<u8>| -> ArrayRef {
        Arc::new(found.iter().map(|(checkpoint, _)| Some(pick(checkpoint))).collect::<BinaryArray>())
    };
    scan.batch(found.len(), |column| match column {
        0 => Arc::new(Int64Array::from_iter_values(found.iter().map(|(checkpoint, _)| checkpoint.state.size.cast_signed()))),
        1 => text(&|_| scan.ledger.origin().to_owned()),
        2 => binary(&|checkpoint| checkpoint.state.sha_root.to_vec()),
        3 => binary(&|checkpoint| checkpoint.state.b3_root.to_vec()),
        4 => text(&|checkpoint| checkpoint.sha_note.to_string()),
        5 => text(&|checkpoint| checkpoint.b3_note.to_string()),
        _ => Arc::new(found.iter().map(|(_, sealed)| Some(*sealed)).collect::<BooleanArray>()),
    })
}
