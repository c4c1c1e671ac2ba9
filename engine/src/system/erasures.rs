//! `ledger.erasures`: whose keys were destroyed, in which table, by whom and on what basis, as the rows that record it say.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use base::{CommitSeq, SqlError, SqlResult};
use receipts::Leaf;

use super::{Batches, Kind, Scan};
use crate::erasure;
use crate::failure::arrow_failed;
use crate::history::Span;
use crate::types::SqlType;

/// Columns of the stored rows follow the first three.
const OF_THE_LEAF: usize = 3;

pub(super) const TABLE: Kind = Kind {
    name: "erasures",
    columns: &[
        ("commit_seq", SqlType::Int8),
        ("erased_at", SqlType::Timestamptz),
        ("actor", SqlType::Text),
        ("relation_id", SqlType::Int8),
        ("schema_name", SqlType::Text),
        ("relation_name", SqlType::Text),
        ("column_name", SqlType::Text),
        ("subject", SqlType::Text),
        ("key", SqlType::Text),
        ("basis", SqlType::Text),
    ],
    scan,
};

fn scan(scan: Scan) -> Batches {
    Box::new(std::iter::once(read(&scan)))
}

fn read(scan: &Scan) -> SqlResult<RecordBatch> {
    let (mut rows, mut commits) = (Vec::new(), Vec::new());
    if let Some(last) = scan.size.checked_sub(1)
        && let Some(table) = erasure::record_table(&scan.ledger.snapshot().catalog)
    {
        for versions in scan.ledger.versions(&table, Span { first: None, last: CommitSeq(last) }) {
            let told = versions.read()?;
            rows.push(told.rows);
            commits.extend(told.begun.values().iter().map(|seq| seq.cast_unsigned()));
        }
    }
    let leaves = commits.iter().map(|seq| said(scan, *seq)).collect::<SqlResult<Vec<(i64, String)>>>()?;
    let stored = match rows.first() {
        None => None,
        Some(first) => Some(concat_batches(&first.schema(), &rows).map_err(|error| arrow_failed("read erasures", &error))?),
    };
    scan.batch(commits.len(), |column| match column {
        0 => Arc::new(Int64Array::from_iter_values(commits.iter().map(|seq| seq.cast_signed()))),
        1 => Arc::new(TimestampMicrosecondArray::from_iter_values(leaves.iter().map(|leaf| leaf.0)).with_timezone("UTC")),
        2 => Arc::new(StringArray::from_iter_values(leaves.iter().map(|leaf| &leaf.1))),
        stored_at => match &stored {
            Some(stored) => Arc::clone(stored.column(stored_at - OF_THE_LEAF)),
            None => empty(stored_at),
        },
    })
}

/// When a commit was made and by whom. Errors: XX001.
fn said(scan: &Scan, seq: u64) -> SqlResult<(i64, String)> {
    let bytes = scan.ledger.merkle().read().leaf(seq)?;
    let leaf = Leaf::decode(&bytes).map_err(|error| SqlError::internal(format!("a leaf is unreadable: {error}")))?;
    let actor = match &leaf {
        Leaf::Commit(commit) => commit.actor.clone(),
        _ => String::new(),
    };
    Ok((leaf.time_us(), actor))
}

fn empty(column: usize) -> ArrayRef {
    arrow::array::new_empty_array(&TABLE.columns[column].1.arrow())
}
