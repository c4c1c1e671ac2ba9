//! Unique keys of new rows: read once, compared with each other, with own writes and with what committed.
//!
//! U1: of a unique key at most one row is live with one value, and it is the newest of its chain (K3 of `key_index.rs`).
//! U2: a value with a NULL in it conflicts with nothing, unless the key takes NULLs for equal.
//! U3: of a late key nothing is refused here while statements run (`late_keys.rs`); it is only noted that values may have come twice.
//! Never: writes.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use base::{RowId, SqlError, SqlResult};
use hashbrown::{HashMap, HashSet};

use crate::canonical::OWN_ROW;
use crate::key::{Key, KeyReader};
use crate::key_index::{columns_of, readers};
use crate::ledger::Ledger;
use crate::own_keys::NewKeys;
use crate::schema::{Expressions, KeyDef, TableDef};
use crate::table::TableState;
use crate::view::TableView;
use crate::violations::{conflict, duplicate_key};
use crate::walk::walk;
use crate::writes::{OwnRows, TableWrites};

/// Values of every unique key in rows that begin with the table's user columns. What other keys compute is computed too (E3 of `schema/computed.rs`).
///
/// Errors: those of what keys compute.
pub(crate) fn read(expressions: &dyn Expressions, table: &TableDef, rows: &RecordBatch) -> SqlResult<NewKeys> {
    let mut values = NewKeys::new();
    for key in table.keys().iter().filter(|key| key.tells_apart() || !key.is_plain(table)) {
        let reader = KeyReader::of_key(expressions, table, key, rows, |_| true)?;
        if key.tells_apart() {
            values.push((key.id, (0..rows.num_rows()).map(|row| reader.key(row)).collect()));
        }
    }
    Ok(values)
}

/// The same of stored rows, whose deletion markers have none.
pub(crate) fn read_stored(expressions: &dyn Expressions, table: &TableDef, rows: &RecordBatch) -> SqlResult<NewKeys> {
    let mut values = NewKeys::new();
    for key in table.keys().iter().filter(|key| key.tells_apart()) {
        let reader = KeyReader::of_stored(expressions, table, key, rows)?;
        values.push((key.id, (0..rows.num_rows()).map(|row| reader.key(row)).collect()));
    }
    Ok(values)
}

/// Compares new rows with each other, with own writes and with the newest committed rows; rows `replaced` by them do not count as taken.
/// The late keys of which some value may be an own row's twice (U3).
///
/// Errors: 23505.
pub(crate) fn check(
    ledger: &Ledger,
    table: &TableDef,
    rows: &RecordBatch,
    keys: &NewKeys,
    own: &OwnRows,
    replaced: &[RowId],
) -> SqlResult<Vec<u32>> {
    let mut doubtful = Vec::new();
    let state = ledger.table_state(table.id);
    let set: HashSet<u64> = if replaced.len() > 16 { replaced.iter().map(|row| row.0).collect() } else { HashSet::new() };
    let is_replaced = |row: u64| if set.is_empty() { replaced.iter().any(|old| old.0 == row) } else { set.contains(&row) };
    for (id, values) in keys {
        let Some(def) = table.key(*id) else { continue };
        let mut seen = HashSet::with_capacity(if values.len() > 1 { values.len() } else { 0 });
        for (at, key) in values.iter().enumerate() {
            let Some(key) = key else { continue };
            let taken = own.live(*id, key)?.is_some_and(|own_row| !is_replaced(own_row | OWN_ROW));
            if taken || (values.len() > 1 && !seen.insert(key)) {
                if def.late.is_some() {
                    doubtful.push(*id);
                    break;
                }
                return Err(duplicate_key(ledger.options().expressions(), table, def, rows, at));
            }
        }
        drop(seen);
        if def.late.is_some() {
            continue;
        }
        if let Some(known) = own.unindexed.get(id) {
            let taken = |key: &Key| known.get(key).is_some_and(|row| !own.ended.contains(row) && !is_replaced(*row));
            if let Some(at) = values.iter().position(|key| key.as_ref().is_some_and(taken)) {
                return Err(duplicate_key(ledger.options().expressions(), table, def, rows, at));
            }
        }
        ledger.keys().newest_of(*id, values.iter().flatten(), |key, row| {
            if own.ended.contains(&row) || is_replaced(row) || state.ended_by(row)?.is_some() {
                return Ok(());
            }
            let at = values.iter().position(|other| other.as_ref() == Some(key)).unwrap_or(0);
            Err(ledger.failure().unwrap_or_else(|| duplicate_key(ledger.options().expressions(), table, def, rows, at)))
        })?;
    }
    Ok(doubtful)
}

/// What [`check`] found may have been overtaken: compares with the rows that committed since. Errors: 23505, 40001.
pub(crate) fn check_again(ledger: &Ledger, writes: &TableWrites, state: &TableState) -> SqlResult<()> {
    let own = &*writes.own;
    check_doubtful(ledger, writes, state)?;
    let Some(all) = own.keys.in_memory() else { return check_since(ledger, writes, state) };
    for (id, known) in all {
        let Some(def) = writes.table.key(*id).filter(|def| !own.doubtful.contains(&def.id)) else { continue };
        let live: Vec<(&Key, u64)> =
            known.iter().filter(|(_, own_row)| !own.own_ended.contains(*own_row)).map(|(key, own_row)| (key, *own_row)).collect();
        if def.late.is_some() {
            for (key, own_row) in live {
                if taken_by(ledger, own, state, def, key)?.is_some() {
                    return Err(taken(ledger, writes, def, own_row));
                }
            }
            continue;
        }
        ledger.keys().newest_of(*id, live.iter().map(|(key, _)| *key), |key, row| {
            if own.ended.contains(&row) || state.ended_by(row)?.is_some() {
                return Ok(());
            }
            let own_row = live.iter().find(|(other, _)| *other == key).map_or(0, |(_, own_row)| *own_row);
            Err(taken(ledger, writes, def, own_row))
        })?;
    }
    Ok(())
}

/// The error for an own row whose value another has.
fn taken(ledger: &Ledger, writes: &TableWrites, def: &KeyDef, own_row: u64) -> SqlError {
    match writes.own.locate(own_row) {
        Some((batch, offset)) => duplicate_key(ledger.options().expressions(), &writes.table, def, batch, offset),
        None => conflict(),
    }
}

/// The same from the other side, for keys that are too many to look at: those of the rows that committed since.
fn check_since(ledger: &Ledger, writes: &TableWrites, state: &TableState) -> SqlResult<()> {
    let (own, table) = (&*writes.own, &*writes.table);
    let keys: Vec<&KeyDef> = table.keys().iter().filter(|key| key.tells_apart() && !own.doubtful.contains(&key.id)).collect();
    let needed = columns_of(table, &keys);
    walk(state, Some(table), &needed, writes.keys_checked_at.unwrap_or(0), |walked| {
        let readers = readers((ledger.options().expressions(), table), &keys, &needed, &walked, |at| walked.is_row(at))?;
        for at in walked.rows().filter(|at| walked.is_row(*at)) {
            let row = walked.first + at as u64;
            for (def, reader) in keys.iter().zip(&readers) {
                let Some(key) = reader.key(at) else { continue };
                let Some(own_row) = own.live(def.id, &key)? else { continue };
                if own.ended.contains(&row) || state.ended_by(row)?.is_some() {
                    continue;
                }
                return Err(ledger.failure().unwrap_or_else(|| taken(ledger, writes, def, own_row)));
            }
        }
        Ok(())
    })
}

/// The committed row with this value of a late key that nobody has ended, this transaction included.
fn taken_by(ledger: &Ledger, own: &OwnRows, state: &TableState, def: &KeyDef, key: &Key) -> SqlResult<Option<u64>> {
    let live = |row: u64| Ok((!own.ended.contains(&row) && state.ended_by(row)?.is_none()).then_some(row));
    if let Some(row) = own.unindexed.get(&def.id).and_then(|known| known.get(key)) {
        return live(*row);
    }
    if ledger.keys().contains(def.id) { ledger.keys().find(def, key, live) } else { Ok(None) }
}

/// L2, for keys whose own rows are not looked up by value (L3). Errors: 23505.
fn check_doubtful(ledger: &Ledger, writes: &TableWrites, state: &TableState) -> SqlResult<()> {
    for def in writes.own.doubtful.iter().filter_map(|id| writes.table.key(*id)) {
        if let Some((piece, row, _)) = first_taken(ledger, (&writes.table, def), &writes.own, state, 0)? {
            return Err(duplicate_key(ledger.options().expressions(), &writes.table, def, &writes.own.pieces[piece].batch, row));
        }
    }
    Ok(())
}

/// The first own row, from `first` on, whose value another row has, by piece and place, with its value.
pub(crate) fn first_taken(
    ledger: &Ledger,
    (table, def): (&TableDef, &KeyDef),
    own: &OwnRows,
    state: &TableState,
    first: u64,
) -> SqlResult<Option<(usize, usize, Key)>> {
    let is_doubtful = own.doubtful.contains(&def.id);
    let from = if is_doubtful { 0 } else { first };
    let mut seen = HashSet::new();
    for (at, piece) in own.pieces.iter().enumerate().filter(|(_, piece)| piece.first + piece.batch.num_rows() as u64 > from) {
        let reader = KeyReader::of_stored(ledger.options().expressions(), table, def, &piece.batch)?;
        for row in from.saturating_sub(piece.first) as usize..piece.batch.num_rows() {
            let own_row = piece.first + row as u64;
            let Some(key) = reader.key(row).filter(|_| !own.own_ended.contains(&own_row)) else { continue };
            if own_row >= first && taken_by(ledger, own, state, def, &key)?.is_some() {
                return Ok(Some((at, row, key)));
            }
            if is_doubtful && let Some(key) = seen.replace(key) {
                return Ok(Some((at, row, key)));
            }
        }
    }
    Ok(None)
}

/// Rows that a view shows by their value of a key.
pub(crate) struct Found {
    /// Committed ones.
    pub(crate) committed: HashMap<Key, u64>,
    /// The first row whose value another has too, with its batch.
    pub(crate) repeated: Option<(RecordBatch, usize)>,
}

/// Reads the values of a key that is to be unique. Errors: XX001 where a segment is damaged.
pub(crate) fn find(view: &TableView, def: &KeyDef) -> SqlResult<Found> {
    let table = view.table();
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let (mut committed, mut own) = (HashMap::new(), HashSet::new());
    for chunk in view.scan(&all, true) {
        let batch = chunk.read()?;
        let ids = batch.column(all.len()).as_primitive::<Int64Type>();
        let reader = KeyReader::of_key(view.ledger().options().expressions(), table, def, &batch, |_| true)?;
        for row in 0..batch.num_rows() {
            let Some(key) = reader.key(row) else { continue };
            let id = ids.value(row).cast_unsigned();
            let is_own = id & OWN_ROW != 0;
            let is_repeated = committed.contains_key(&key) || own.contains(&key);
            if is_repeated {
                return Ok(Found { committed, repeated: Some((batch, row)) });
            }
            if is_own {
                own.insert(key);
            } else {
                committed.insert(key, id);
            }
        }
    }
    Ok(Found { committed, repeated: None })
}
