//! What a transaction has written and not yet committed, table by table.
//!
//! P1: own rows are counted from 0 per table, in the order written; their ids and their superseded own rows become absolute at commit.
//! P2: every row is hashed when it is written; only its place is missing.
//! P3: writes of more than [`INLINE_ROWS_MAX`] rows are in the log already (promising nothing) and are read from there.
//! P4: a view of own rows never changes under its holder.
//! Never: visible to another transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{UInt8Type, UInt64Type};
use base::{RowId, SqlError, SqlResult, SqlState};
use bytes::Bytes;
use hashbrown::HashMap;
use indexmap::IndexSet;
use receipts::{Hash, RowTree};

use crate::canonical::{OWN_ROW, Op, row_hashes};
use crate::folds::staged::Place;
use crate::key::{Key, KeyReader};
use crate::key_index::KeyIndex;
use crate::own_keys::{NewKeys, OwnKeys};
use crate::packed;
use crate::record::{Piece, PieceBody, PieceHeader};
use crate::schema::{Expressions, KeyDef, OP, SUPERSEDES, TEMPORARY_SCHEMA, TableDef};
use crate::sealing;
use crate::stored;
use crate::subjects::Subjects;
use crate::unproven::IS_PROVEN;

/// Rows that travel inside the COMMIT record; more go ahead into DATA records.
pub const INLINE_ROWS_MAX: usize = 1_024;
/// Row hashes kept for joining several tables into one row tree; beyond, they are computed again at commit.
const KEPT_HASHES_MAX: usize = 65_536;
/// Small pieces joined into one.
const SMALL_PIECES_MAX: usize = 64;

/// A run of own rows in stored layout.
#[derive(Clone, Debug)]
pub struct OwnPiece {
    /// Own index of the first row (P1).
    pub first: u64,
    /// The rows; `_supersedes` of own rows carries `OWN_ROW`.
    pub batch: RecordBatch,
    /// Position of the DATA record that holds them, if they went ahead (P3).
    pub position: Option<u64>,
}

/// Own rows and what they end: the part of the writes that views of the transaction read.
#[derive(Clone, Debug, Default)]
pub struct OwnRows {
    /// The rows, dense from own row 0.
    pub pieces: Vec<OwnPiece>,
    /// Committed rows that this transaction ends, in the order it ended them.
    pub ended: IndexSet<u64>,
    /// Own rows that this transaction ended again, deletion markers included.
    pub own_ended: IndexSet<u64>,
    /// Values of unique keys written.
    pub keys: OwnKeys,
    /// Late keys of which some value may have come twice (L3 of `late_keys.rs`).
    pub doubtful: BTreeSet<u32>,
    /// By unique key that this transaction makes, which has no index yet: committed rows by value.
    pub unindexed: BTreeMap<u32, Arc<HashMap<Key, u64>>>,
}

impl OwnRows {
    /// The newest own row with this value of a unique key. Errors: XX001 where what was put aside of them is damaged.
    pub fn newest(&self, id: u32, key: &Key) -> SqlResult<Option<u64>> {
        self.keys.newest(id, key)
    }

    /// The own row with this value of a unique key that is not ended, if there is one. Errors: likewise.
    pub fn live(&self, id: u32, key: &Key) -> SqlResult<Option<u64>> {
        Ok(self.newest(id, key)?.filter(|own| !self.own_ended.contains(own)))
    }

    /// The newest committed row with this value of a unique key, out of the index or, where there is none yet, of what the transaction knows.
    ///
    /// Errors: where the folds are damaged and cannot be made anew.
    pub fn newest_committed(own: Option<&Self>, keys: &KeyIndex, id: u32, key: &Key) -> SqlResult<Option<u64>> {
        match own.and_then(|own| own.unindexed.get(&id)) {
            Some(known) => Ok(known.get(key).copied()),
            None => keys.newest(id, key),
        }
    }

    /// Own rows with this value of any key that are not ended, oldest first. Errors: as [`OwnRows::newest`].
    pub fn rows_with(&self, expressions: &dyn Expressions, table: &TableDef, def: &KeyDef, key: &Key) -> SqlResult<Vec<RowId>> {
        if def.unique {
            return Ok(self.live(def.id, key)?.map(|own| RowId(own | OWN_ROW)).into_iter().collect());
        }
        let mut found = Vec::new();
        for piece in &self.pieces {
            let reader = KeyReader::of_stored(expressions, table, def, &piece.batch)?;
            for at in 0..piece.batch.num_rows() {
                let own = piece.first + at as u64;
                if !self.own_ended.contains(&own) && reader.key(at).as_ref() == Some(key) {
                    found.push(RowId(own | OWN_ROW));
                }
            }
        }
        Ok(found)
    }

    /// The own row that took the place of a row.
    pub fn successor(&self, row: RowId) -> SqlResult<Option<RowId>> {
        let is_ended = match row.0 & OWN_ROW {
            0 => self.ended.contains(&row.0),
            _ => self.own_ended.contains(&(row.0 & !OWN_ROW)),
        };
        for piece in self.pieces.iter().filter(|_| is_ended) {
            let unread = || SqlError::internal("own rows without what they supersede");
            let before =
                piece.batch.column_by_name(SUPERSEDES).and_then(|column| column.as_primitive_opt::<UInt64Type>()).ok_or_else(unread)?;
            let ops = piece.batch.column_by_name(OP).and_then(|column| column.as_primitive_opt::<UInt8Type>()).ok_or_else(unread)?;
            let is_next = |at: &usize| before.is_valid(*at) && before.value(*at) == row.0 && ops.value(*at) == Op::Update as u8;
            if let Some(at) = (0..piece.batch.num_rows()).find(is_next) {
                return Ok(Some(RowId((piece.first + at as u64) | OWN_ROW)));
            }
        }
        Ok(None)
    }

    /// The stored batch and offset that hold an own row.
    pub fn locate(&self, own: u64) -> Option<(&RecordBatch, usize)> {
        let at = self.pieces.partition_point(|piece| piece.first + piece.batch.num_rows() as u64 <= own);
        let piece = self.pieces.get(at)?;
        Some((&piece.batch, usize::try_from(own.checked_sub(piece.first)?).ok()?))
    }
}

/// The writes of one transaction to one table.
#[derive(Clone, Debug)]
pub struct TableWrites {
    /// The definition they were written under; all under one, the newest that the transaction knows.
    pub table: Arc<TableDef>,
    /// Shared with views; a write copies it only while a view made before is still held (P4).
    pub own: Arc<OwnRows>,
    /// Own rows so far.
    pub rows: u64,
    /// Commits that the indexes had when keys were first compared with them; no need to compare again if the table was not touched since.
    pub keys_checked_at: Option<u64>,
    /// How often subjects' keys had been doomed when rows were first sealed.
    pub(crate) sealed_at: Option<u64>,
    tree: RowTree,
    hashes: Option<Vec<Hash>>,
    small: usize,
}

impl TableWrites {
    /// No writes yet.
    pub fn new(table: Arc<TableDef>) -> Self {
        Self {
            table,
            own: Arc::default(),
            rows: 0,
            keys_checked_at: None,
            sealed_at: None,
            tree: RowTree::new(),
            hashes: Some(Vec::new()),
            small: 0,
        }
    }

    /// Takes rows in stored layout; hashes them (P2). Small pieces are joined now and then so that a long transaction stays short.
    ///
    /// Errors: XX000 where the layout is another.
    pub fn push(&mut self, batch: RecordBatch, position: Option<u64>, threads: usize) -> SqlResult<()> {
        // A temporary table's rows are in no commit.
        if self.table.schema != TEMPORARY_SCHEMA && IS_PROVEN {
            let hashes = row_hashes(&self.table, &batch, u64::MAX, threads)?;
            self.tree.extend(&hashes);
            match &mut self.hashes {
                Some(kept) if kept.len() + hashes.len() <= KEPT_HASHES_MAX => kept.extend_from_slice(&hashes),
                kept => *kept = None,
            }
        }
        let rows = batch.num_rows() as u64;
        let first = self.rows;
        self.own_mut().pieces.push(OwnPiece { first, batch, position });
        self.rows += rows;
        self.small = if position.is_some() { 0 } else { self.small + 1 };
        if self.small >= SMALL_PIECES_MAX {
            self.join_small()?;
        }
        Ok(())
    }

    fn join_small(&mut self) -> SqlResult<()> {
        let joined_from = self.own.pieces.len() - self.small;
        let small = self.own_mut().pieces.split_off(joined_from);
        let batches: Vec<RecordBatch> = small.iter().map(|piece| piece.batch.clone()).collect();
        let batch = stored::join(&batches)?;
        // One joined piece counts as small again only while it is: pieces grow by a factor, so copying stays linear-ish.
        self.small = usize::from(batch.num_rows() < INLINE_ROWS_MAX);
        let first = small.first().map_or(0, |piece| piece.first);
        self.own_mut().pieces.push(OwnPiece { first, batch, position: None });
        Ok(())
    }

    /// Remembers the values of unique keys of rows just pushed, from own row `first` on.
    pub fn learn_keys(&mut self, keys: NewKeys, first: u64) {
        self.own_mut().keys.learn(keys, first);
    }

    /// Puts keys aside where they are too many for memory; to be done before rows are pushed, for it may fail. Errors: 53100, 58030.
    pub(crate) fn make_room(&mut self, place: &Arc<Place>) -> SqlResult<()> {
        self.own_mut().keys.make_room(place)
    }

    /// Whether what is sealed may still be committed (J2 of subjects.rs); looks at the rows only where keys were doomed since. Errors: 40001.
    pub(crate) fn check_sealed(&self, subjects: &Subjects) -> SqlResult<()> {
        if self.sealed_at.is_none_or(|epoch| epoch == subjects.epoch()) {
            return Ok(());
        }
        self.own.pieces.iter().try_for_each(|piece| subjects.check_usable(sealing::key_ids(&self.table, &piece.batch)))
    }

    /// Own rows, to be changed.
    pub fn own_mut(&mut self) -> &mut OwnRows {
        Arc::make_mut(&mut self.own)
    }

    /// Row hashes in order, from memory or computed again.
    fn all_hashes(&self, threads: usize) -> SqlResult<Vec<Hash>> {
        if let Some(hashes) = &self.hashes {
            return Ok(hashes.clone());
        }
        let mut all = Vec::with_capacity(self.rows as usize);
        for piece in self.own.pieces.iter().filter(|_| IS_PROVEN) {
            all.extend(row_hashes(&self.table, &piece.batch, u64::MAX, threads)?);
        }
        Ok(all)
    }

    /// The pieces as the COMMIT record names them; small ones are encoded here, in the session's own thread.
    pub fn encode(&self) -> SqlResult<Vec<Piece>> {
        let header = |rows: usize| -> SqlResult<PieceHeader> {
            let rows =
                u32::try_from(rows).map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "too many rows in one statement"))?;
            Ok(PieceHeader { relation: self.table.id, schema_version: self.table.version, rows })
        };
        let encode = |piece: &OwnPiece| -> SqlResult<Piece> {
            let body = match piece.position {
                Some(position) => PieceBody::At(position),
                None => {
                    let mut bytes = Vec::new();
                    packed::encode(&piece.batch, &mut bytes)?;
                    PieceBody::Inline(Bytes::from(bytes))
                }
            };
            Ok(Piece { header: header(piece.batch.num_rows())?, body })
        };
        self.own.pieces.iter().map(encode).collect()
    }
}

/// Root of the row tree over the rows of these tables, which are in relation order, and the roots of its groups.
///
/// Errors: XX000 where stored rows cannot be hashed again.
pub fn row_tree(tables: &[TableWrites], threads: usize) -> SqlResult<(Hash, Vec<Hash>)> {
    if let [one] = tables {
        return Ok((one.tree.root(), one.tree.group_roots()));
    }
    let mut tree = RowTree::new();
    for table in tables {
        tree.extend(&table.all_hashes(threads)?);
    }
    Ok((tree.root(), tree.group_roots()))
}
