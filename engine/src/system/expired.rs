//! `ledger.expired`: the segments whose values were removed, what each was, and the commit that says so.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int64Type;
use base::{CommitSeq, RelationId, SqlResult};
use hashbrown::HashMap;
use receipts::Leaf;

use super::{Batches, Kind, Scan};
use crate::catalog::{SEGMENTS, SEGMENTS_TABLE};
use crate::retention::Rulings;
use crate::types::SqlType;
use crate::walk::walk;

pub(super) const TABLE: Kind = Kind {
    name: "expired",
    columns: &[
        ("commit_seq", SqlType::Int8),
        ("expired_at", SqlType::Timestamptz),
        ("expired_by", SqlType::Text),
        ("relation_id", SqlType::Int8),
        ("table_schema", SqlType::Text),
        ("table_name", SqlType::Text),
        ("first_row_id", SqlType::Int8),
        ("rows", SqlType::Int8),
        ("first_commit", SqlType::Int8),
        ("last_commit", SqlType::Int8),
        ("file", SqlType::Text),
        ("bytes", SqlType::Int8),
        ("blake3", SqlType::Text),
        ("stub", SqlType::Text),
        ("stub_blake3", SqlType::Text),
    ],
    scan,
};

/// A row of `ledger.segments`.
#[derive(Clone)]
struct Recorded {
    /// `relation_id`, `first_row_id`, `rows`, `first_commit`, `last_commit`, `bytes`.
    numbers: [i64; 6],
    file: String,
    blake3: String,
}

/// A stub, and what it is in the place of.
struct Expired {
    seq: u64,
    by: (i64, Option<String>),
    was: Recorded,
    stub: Recorded,
}

fn scan(scan: Scan) -> Batches {
    let outcome = read(&scan).and_then(|all| {
        let rulings = Rulings::read(&scan.ledger, scan.size)?;
        let of = |expired: &Expired| u32::try_from(expired.was.numbers[0]).ok().and_then(|id| rulings.of(RelationId(id)));
        let number = |pick: &dyn Fn(&Expired) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(all.iter().map(pick))) };
        let text = |pick: &dyn Fn(&Expired) -> Option<String>| -> ArrayRef { Arc::new(all.iter().map(pick).collect::<StringArray>()) };
        scan.batch(all.len(), |column| match column {
            0 => number(&|expired| expired.seq.cast_signed()),
            1 => Arc::new(TimestampMicrosecondArray::from_iter_values(all.iter().map(|expired| expired.by.0)).with_timezone("UTC")),
            2 => text(&|expired| expired.by.1.clone()),
            3 => number(&|expired| expired.was.numbers[0]),
            4 => text(&|expired| of(expired).map(|ruling| ruling.table.schema.clone())),
            5 => text(&|expired| of(expired).map(|ruling| ruling.table.name.clone())),
            6..=9 => number(&|expired| expired.was.numbers[column - 5]),
            10 => text(&|expired| Some(expired.was.file.clone())),
            11 => number(&|expired| expired.was.numbers[5]),
            12 => text(&|expired| Some(expired.was.blake3.clone())),
            13 => text(&|expired| Some(expired.stub.file.clone())),
            _ => text(&|expired| Some(expired.stub.blake3.clone())),
        })
    });
    Box::new(std::iter::once(outcome))
}

/// Rows that have others' places, in the order of their commits.
fn read(scan: &Scan) -> SqlResult<Vec<Expired>> {
    let mut known: HashMap<u64, Recorded> = HashMap::new();
    let mut all = Vec::new();
    walk(&scan.ledger.table_state(SEGMENTS), Some(&SEGMENTS_TABLE), &[0, 1, 3, 4, 5, 6, 7, 8], 0, |walked| {
        for at in walked.rows().take_while(|at| walked.commit(*at) < scan.size) {
            let was = walked.ends(at).find_map(|ended| known.remove(&ended));
            if !walked.is_row(at) {
                continue;
            }
            let text = |column: usize| walked.columns[column].as_string::<i32>().value(at).to_owned();
            let numbers = std::array::from_fn(|n| walked.columns[n + 1].as_primitive::<Int64Type>().value(at));
            let stub = Recorded { numbers, file: text(0), blake3: text(7) };
            known.insert(walked.first + at as u64, stub.clone());
            // What others were merged into is in their place too, and has not expired.
            if let Some(was) = was.filter(|_| stub.file.ends_with(".expired")) {
                let seq = walked.commit(at);
                let by = match scan.ledger.leaf_of(CommitSeq(seq))? {
                    Leaf::Commit(commit) => (commit.time_us, Some(commit.actor)),
                    other => (other.time_us(), None),
                };
                all.push(Expired { seq, by, was, stub });
            }
        }
        Ok(())
    })?;
    Ok(all)
}
