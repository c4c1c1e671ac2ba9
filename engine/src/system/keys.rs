//! `ledger.keys` and `ledger.incarnations`: the key and incarnation leaves, spelled out.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};
use base::{SqlError, SqlResult, SqlState};
use receipts::Leaf;

use super::commits::leaves;
use super::{Batches, Kind, Scan};
use crate::types::SqlType;

pub(super) const KEYS: Kind = Kind {
    name: "keys",
    columns: &[
        ("commit_seq", SqlType::Int8),
        ("committed_at", SqlType::Timestamptz),
        ("tree", SqlType::Text),
        ("name", SqlType::Text),
        ("verifier_key", SqlType::Text),
    ],
    scan: scan_keys,
};

pub(super) const INCARNATIONS: Kind = Kind {
    name: "incarnations",
    columns: &[
        ("commit_seq", SqlType::Int8),
        ("committed_at", SqlType::Timestamptz),
        ("number", SqlType::Int8),
        ("previous_size", SqlType::Int8),
    ],
    scan: scan_incarnations,
};

/// All leaves that `pick` makes something of.
fn pick_leaves<T>(scan: &Scan, pick: impl Fn(Leaf) -> SqlResult<Vec<T>>) -> SqlResult<Vec<T>> {
    let mut picked = Vec::new();
    let mut next = 0;
    while next < scan.size {
        let (leaves, read) = leaves(scan, next)?;
        for (_, leaf) in leaves {
            picked.extend(pick(leaf)?);
        }
        next += read.max(1);
    }
    Ok(picked)
}

fn numbers(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(u64::cast_signed)))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn scan_keys(scan: Scan) -> Batches {
    let keys = pick_leaves(&scan, |leaf| {
        let Leaf::Key(key) = leaf else { return Ok(Vec::new()) };
        let verifiers =
            key.verifiers().map_err(|error| SqlError::new(SqlState::DATA_CORRUPTED, format!("a key leaf is unreadable: {error}")))?;
        let tree = ["sha256", "blake3"];
        let rows = verifiers
            .iter()
            .zip(tree)
            .map(|(key_text, tree)| (key.seq, key.time_us, tree, key_text.name().to_owned(), key_text.to_string()));
        Ok(rows.collect())
    });
    let outcome = keys.and_then(|keys| {
        let text = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
        scan.batch(keys.len(), |column| match column {
            0 => numbers(keys.iter().map(|key| key.0)),
            1 => times(keys.iter().map(|key| key.1)),
            2 => text(keys.iter().map(|key| key.2).collect()),
            3 => text(keys.iter().map(|key| key.3.as_str()).collect()),
            _ => text(keys.iter().map(|key| key.4.as_str()).collect()),
        })
    });
    Box::new(std::iter::once(outcome))
}

fn scan_incarnations(scan: Scan) -> Batches {
    let found = pick_leaves(&scan, |leaf| match leaf {
        Leaf::Incarnation(leaf) => Ok(vec![leaf]),
        _ => Ok(Vec::new()),
    });
    let outcome = found.and_then(|found| {
        scan.batch(found.len(), |column| match column {
            0 => numbers(found.iter().map(|leaf| leaf.seq)),
            1 => times(found.iter().map(|leaf| leaf.time_us)),
            2 => numbers(found.iter().map(|leaf| leaf.number.into())),
            _ => numbers(found.iter().map(|leaf| leaf.previous_size)),
        })
    });
    Box::new(std::iter::once(outcome))
}
