//! A commit that was checked: what it will do to tables and folds, and the doing.
//!
//! Y1: until it is applied nothing has changed; whatever may fail of reading and sorting fails before.
//! Y2: what tells others that there is something new, rows and their counts, comes after the folds have it.
//! Never: decides whether a commit may happen; makes anything durable that is not in the log, unless it is told that it is.

use std::sync::Arc;

use base::{CommitSeq, RelationId, SqlResult};
use receipts::{Hash, TableSpan};

use crate::fold::{AppliedCommit, AppliedTable};
use crate::folds::{Changes, Commits};
use crate::index_build::Building;
use crate::key_index::KeyIndex;
use crate::ledger::Ledger;
use crate::schema::TableDef;
use crate::stored;
use crate::table::TailChunk;
use crate::writes::TableWrites;

/// What a commit will do to tables and folds, while nothing has changed yet.
pub(crate) struct Prepared {
    tables: Vec<PlacedRows>,
    changes: Changes,
    /// Keys whose indexes it makes.
    indexes: Vec<u32>,
    group_roots: Vec<Hash>,
}

/// Rows of one table with their places, and all rows they end.
struct PlacedRows {
    table: RelationId,
    /// New rows, dense.
    chunks: Vec<TailChunk>,
    /// Rows ended, own ones included, as absolute ids.
    ended: Vec<u64>,
}

impl Prepared {
    /// Indexes that definitions `made` by the commit bring along are made over the rows there were before it, or completed where `building` has them.
    ///
    /// Errors: 53100, 58030 where it is too much for memory and cannot be staged; XX001 where a segment is damaged.
    pub(crate) fn new(
        ledger: &Ledger,
        (seq, spans): (CommitSeq, &[TableSpan]),
        tables: Vec<TableWrites>,
        (made, building): (&[Arc<TableDef>], Option<Building>),
        group_roots: Vec<Hash>,
    ) -> SqlResult<Self> {
        let mut placed = Vec::with_capacity(tables.len());
        for (writes, span) in tables.into_iter().zip(spans) {
            placed.push(place(writes, span.first_row, seq)?);
        }
        let ending_of = |table: &TableDef| {
            placed.iter().filter(|placed| placed.table == table.id).flat_map(|placed| placed.ended.iter().copied()).collect()
        };
        let mut indexes = Vec::new();
        let mut changes = match ledger.keys().wanted(building, made) {
            Some(built) => {
                indexes = built.keys();
                let writes = |table: &TableDef| placed.iter().any(|placed| placed.table == table.id);
                built.complete(ledger, seq, made, |table| (ending_of(table), writes(table)))?
            }
            None => ledger.folds().changes(Commits::One(seq)),
        };
        let is_built = indexes.clone();
        for table in made {
            let ending = ending_of(table);
            indexes.extend(ledger.keys().say_missing(
                (ledger.options().expressions(), table),
                &ledger.table_state(table.id),
                (seq.0, &ending),
                &is_built,
                &mut changes,
            )?);
        }
        for placed in &placed {
            for chunk in &placed.chunks {
                KeyIndex::say((ledger.options().expressions(), &chunk.table), chunk.first_row, &chunk.batch, seq.0, &mut changes)?;
                if let Some(position) = chunk.log_position {
                    ledger.set_aside(position);
                }
            }
            ledger.table_state(placed.table).ended().say(&placed.ended, seq.0, &mut changes)?;
        }
        Ok(Self { tables: placed, changes, indexes, group_roots })
    }

    /// Whether it is to be durable before it is applied.
    pub(crate) fn is_large(&self) -> bool {
        self.changes.is_large()
    }

    /// Feeds the folds and appends the rows; nobody sees them before the commit is published.
    ///
    /// The folds first, then what says that there is something new: who has counted before he looked finds at commit that he has to look again. And of
    /// the folds which rows are ended: a session that finds a new row under a key must find the one before it ended, or it would call its own update a
    /// duplicate.
    pub(crate) fn apply(self, ledger: &Ledger, (seq, rows): (CommitSeq, u64)) -> SqlResult<()> {
        for placed in &self.tables {
            ledger.table_state(placed.table).ended().count(&placed.ended);
        }
        ledger.folds().write(self.changes)?;
        ledger.keys().know(self.indexes, seq.0);
        for fold in ledger.other_folds() {
            let tables: Vec<AppliedTable<'_>> = self.tables.iter().map(|placed| AppliedTable { chunks: &placed.chunks }).collect();
            fold.apply(&AppliedCommit { seq, tables: &tables })?;
        }
        for placed in self.tables {
            ledger.table_state(placed.table).append(seq, placed.chunks, placed.ended.len() as u64)?;
        }
        ledger.row_trees().remember(seq.0, rows, self.group_roots);
        Ok(())
    }
}

fn place(writes: TableWrites, first_row: u64, seq: CommitSeq) -> SqlResult<PlacedRows> {
    let own = Arc::unwrap_or_clone(writes.own);
    let mut ended: Vec<u64> = own.ended.into_iter().collect();
    ended.extend(own.own_ended.iter().map(|own| first_row + own));
    let mut chunks = Vec::with_capacity(own.pieces.len());
    for piece in own.pieces {
        let batch = stored::resolve_own(&writes.table, piece.batch, first_row)?;
        let chunk = TailChunk::new(first_row + piece.first, batch, seq, Arc::clone(&writes.table));
        chunks.push(chunk.in_log(piece.position));
    }
    Ok(PlacedRows { table: writes.table.id, chunks, ended })
}
