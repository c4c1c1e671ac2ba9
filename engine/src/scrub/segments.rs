//! Segments: every recorded file is hashed and compared with its record.
//!
//! Never: decodes a row.

use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use base::{Io, RelationId, SqlResult, SqlState};

use super::{Damage, Pace};
use crate::catalog::SEGMENTS_TABLE;
use crate::ledger::Ledger;
use crate::segment::Segment;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;

/// A row of `ledger.segments`.
struct Recorded {
    file: String,
    relation: RelationId,
    first_row: u64,
    rows: u64,
    blake3: String,
}

/// What is wrong with recorded segments; those are quarantined, and what was is opened anew where it is whole (R2).
pub(super) fn look(ledger: &Arc<Ledger>, pace: &mut Pace<'_>) -> SqlResult<Vec<Damage>> {
    let mut found = Vec::new();
    for recorded in recorded(ledger, &mut found)? {
        let path = ledger.folder().join(&recorded.file);
        let why = match hash(&*ledger.options().io, &path, pace)? {
            Ok(blake3) if blake3 == recorded.blake3 => None,
            Ok(_) => Some("its BLAKE3 is not the one in ledger.segments".to_owned()),
            Err(error) => Some(format!("it cannot be read: {error}")),
        };
        let state = ledger.table_state(recorded.relation);
        // One that has expired meanwhile is another file now.
        let Some(segment) = state.segment(recorded.first_row).filter(|segment| segment.file() == recorded.file) else { continue };
        match why {
            Some(why) => {
                segment.quarantine();
                ledger.batches().forget(recorded.relation, recorded.first_row, recorded.rows);
                found.push(ledger.damage(&recorded.file, Some((recorded.relation, recorded.first_row, recorded.rows)), why, false));
            }
            None if segment.is_quarantined() => {
                state.exchange_segments(&[Arc::new(Segment::open(&*ledger.options().io, &path)?)]);
                eprintln!("database {}: {} is whole again", ledger.name(), recorded.file);
            }
            None => {}
        }
    }
    Ok(found)
}

/// All that can be read of `ledger.segments`; a part of it that is damaged itself is found, with the files that it names.
fn recorded(ledger: &Arc<Ledger>, found: &mut Vec<Damage>) -> SqlResult<Vec<Recorded>> {
    let view = ledger.begin("shockwave").view(&SEGMENTS_TABLE);
    let mut all = Vec::new();
    for chunk in view.scan(&[0, 1, 3, 4, 8], false) {
        let batch = match chunk.read() {
            Err(error) if error.state() == SqlState::DATA_CORRUPTED => {
                let why = format!("files that rows of it name were not looked at: {}", error.message());
                found.push(ledger.damage("ledger.segments", None, why, false));
                continue;
            }
            read => read?,
        };
        let text = |column: usize, at: usize| batch.column(column).as_string::<i32>().value(at).to_owned();
        let number = |column: usize, at: usize| batch.column(column).as_primitive::<Int64Type>().value(at).cast_unsigned();
        all.extend((0..batch.num_rows()).map(|at| Recorded {
            file: text(0, at),
            relation: RelationId(number(1, at) as u32),
            first_row: number(2, at),
            rows: number(3, at),
            blake3: text(4, at),
        }));
    }
    Ok(all)
}

/// BLAKE3 of a file, hex; inside, why it could not be read. Errors: 57P01 when the server stops.
fn hash(io: &dyn Io, path: &Path, pace: &mut Pace<'_>) -> SqlResult<std::io::Result<String>> {
    let file = match io.open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let (mut hasher, mut buffer, mut at) = (blake3::Hasher::new(), vec![0; READ_BYTES], 0);
    loop {
        let n = match file.read_at(at, &mut buffer) {
            Ok(n) => n,
            Err(error) => return Ok(Err(error)),
        };
        pace.read(u64::from(n == 0), n as u64)?;
        if n == 0 {
            return Ok(Ok(hasher.finalize().to_hex().to_string()));
        }
        hasher.update(&buffer[..n]);
        at += n as u64;
    }
}
