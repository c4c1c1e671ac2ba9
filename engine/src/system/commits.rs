//! `ledger.commits`: one row a leaf.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray};
use base::SqlResult;
use receipts::{Blake3Tree, CommitLeaf, Leaf, Sha256Tree, TreeHash};

use super::{Batches, Kind, Scan};
use crate::types::SqlType;

pub(super) const TABLE: Kind = Kind {
    name: "commits",
    columns: &[
        ("commit_seq", SqlType::Int8),
        ("committed_at", SqlType::Timestamptz),
        ("kind", SqlType::Text),
        ("actor", SqlType::Text),
        ("rows", SqlType::Int8),
        ("spans", SqlType::Text),
        ("row_root", SqlType::Bytea),
        ("schema_root", SqlType::Bytea),
        ("leaf_sha256", SqlType::Bytea),
        ("leaf_blake3", SqlType::Bytea),
        ("leaf", SqlType::Bytea),
        ("sealed", SqlType::Bool),
    ],
    scan,
};

fn scan(scan: Scan) -> Batches {
    let mut next = 0;
    Box::new(std::iter::from_fn(move || {
        if next >= scan.size {
            return None;
        }
        let outcome = read(&scan, next);
        next = match &outcome {
            Ok((_, read)) if *read > 0 => next + read,
            // One error ends the scan.
            _ => scan.size,
        };
        Some(outcome.map(|(batch, _)| batch))
    }))
}

/// A leaf's bytes and what they say.
pub(super) type ReadLeaf = (Arc<[u8]>, Leaf);

/// Picks one binary column out of a leaf.
type PickBytes<'a> = &'a dyn Fn(&[u8], &Leaf) -> Option<Vec<u8>>;

/// Decoded leaves from `first` on, as far as one entries bundle goes.
pub(super) fn leaves(scan: &Scan, first: u64) -> SqlResult<(Vec<ReadLeaf>, u64)> {
    let merkle = scan.ledger.merkle().read();
    let mut bytes = merkle.leaves_from(first)?;
    bytes.truncate(usize::try_from(scan.size - first).unwrap_or(usize::MAX));
    let read = bytes.len() as u64;
    let decode = |bytes: Arc<[u8]>| {
        let leaf = Leaf::decode(&bytes).map_err(|error| {
            base::SqlError::new(base::SqlState::DATA_CORRUPTED, format!("a leaf is unreadable: {error}"))
                .hint("Run shockwave verify fsck on the data folder.")
        })?;
        Ok((bytes, leaf))
    };
    Ok((bytes.into_iter().map(decode).collect::<SqlResult<Vec<_>>>()?, read))
}

fn read(scan: &Scan, first: u64) -> SqlResult<(arrow::array::RecordBatch, u64)> {
    let (leaves, read) = leaves(scan, first)?;
    let sealed = scan.ledger.merkle().read().sealed();
    let commit = |leaf: &'_ Leaf| match leaf {
        Leaf::Commit(commit) => Some(commit.clone()),
        _ => None,
    };
    let number = |pick: &dyn Fn(&Leaf) -> Option<u64>| -> ArrayRef {
        Arc::new(leaves.iter().map(|(_, leaf)| pick(leaf).map(u64::cast_signed)).collect::<Int64Array>())
    };
    let text = |pick: &dyn Fn(&Leaf) -> Option<String>| -> ArrayRef {
        Arc::new(leaves.iter().map(|(_, leaf)| pick(leaf)).collect::<StringArray>())
    };
    let binary =
        |pick: PickBytes<'_>| -> ArrayRef { Arc::new(leaves.iter().map(|(bytes, leaf)| pick(bytes, leaf)).collect::<BinaryArray>()) };
    let batch = scan.batch(leaves.len(), |column| match column {
        0 => number(&|leaf| Some(leaf.seq())),
        1 => Arc::new(TimestampMicrosecondArray::from_iter_values(leaves.iter().map(|(_, leaf)| leaf.time_us())).with_timezone("UTC")),
        2 => text(&|leaf| Some(leaf.kind_name().to_owned())),
        3 => text(&|leaf| commit(leaf).map(|commit| commit.actor)),
        4 => number(&|leaf| Some(commit(leaf).map_or(0, |commit| commit.n_rows))),
        5 => text(&|leaf| commit(leaf).map(|commit| spans(&commit))),
        6 => binary(&|_, leaf| commit(leaf).map(|commit| commit.row_root.to_vec())),
        7 => binary(&|_, leaf| commit(leaf).map(|commit| commit.schema_root.to_vec())),
        8 => binary(&|bytes, _| Some(Sha256Tree::leaf(bytes).to_vec())),
        9 => binary(&|bytes, _| Some(Blake3Tree::leaf(bytes).to_vec())),
        10 => binary(&|bytes, _| Some(bytes.to_vec())),
        _ => Arc::new(leaves.iter().map(|(_, leaf)| Some(leaf.seq() < sealed)).collect::<BooleanArray>()),
    })?;
    Ok((batch, read))
}

/// `relation:first+rows`, comma-separated.
fn spans(commit: &CommitLeaf) -> String {
    let spans: Vec<String> = commit.tables.iter().map(|span| format!("{}:{}+{}", span.relation, span.first_row, span.rows)).collect();
    spans.join(",")
}
