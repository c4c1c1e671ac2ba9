//! Receipts, disclosures and consistency proofs, made on demand from leaves, tiles and stored rows.
//!
//! P1: a receipt is made against a signed checkpoint, the one that witnesses have cosigned where it covers the commit, and its path leads from the row as it is stored
//!     to the committed root, or there is none.
//! P2: a row whose stored bytes do not give the committed root has no receipt: XX001 instead.
//! Never: signs a state that was not signed before.
//! Format: docs/formats/receipt.md, docs/formats/disclosure.md, docs/formats/sd-jwt.md.

mod row_path;
pub(crate) mod row_trees;
pub(crate) mod schemas;

use std::sync::Arc;

use base::{RelationId, SqlError, SqlResult, SqlState};
use receipts::consistency::ConsistencyProof;
use receipts::definition::TableDefinition;
use receipts::note::Note;
use receipts::proof::{consistency_proof, inclusion_proof};
use receipts::{Disclosure, Leaf, Receipt, RowPart, Sha256Tree};

use crate::canonical::RowHasher;
use crate::cosigned::Cosigned;
use crate::ledger::Ledger;
use crate::schema::TableDef;
use crate::sealing;
use crate::signer::SignedCheckpoint;
use crate::table::TableState;

/// A row to be disclosed, and which of its fields.
#[derive(Clone, Copy, Debug)]
pub struct Disclosed<'a> {
    /// Its commit.
    pub seq: u64,
    /// Its place in the commit, from 0.
    pub row: u64,
    /// Names of the columns to show, as the table's definition had them at that commit; the others are hidden.
    pub columns: &'a [String],
}

/// A signed checkpoint of the SHA-256 tree, with cosignatures or without.
pub(crate) struct Signature {
    pub(crate) size: u64,
    pub(crate) note: Arc<str>,
}

impl Signature {
    fn of(checkpoint: &SignedCheckpoint) -> Self {
        Self { size: checkpoint.state.size, note: Arc::clone(&checkpoint.sha_note) }
    }

    fn note(&self) -> SqlResult<Note> {
        Note::parse(&self.note).map_err(|error| SqlError::internal(format!("own checkpoint: {error}")))
    }
}

impl Ledger {
    /// The receipt of a commit, or of its row `row` (from 0, in the order of relation and row id), as tlog-proof text.
    ///
    /// Errors: 22023 for a commit or row that does not exist; XX001 where stored bytes are not the committed ones (P2).
    pub fn receipt(&self, seq: u64, row: Option<u64>) -> SqlResult<String> {
        self.receipt_at(&self.checkpoint_over(seq), seq, row)?.to_text().map_err(too_long)
    }

    /// The receipt as JSON for people; the proof is in it as text. Errors: as [`Ledger::receipt`].
    pub fn receipt_json(&self, seq: u64, row: Option<u64>) -> SqlResult<String> {
        self.receipt_at(&self.checkpoint_over(seq), seq, row)?.to_json().map_err(too_long)
    }

    /// The receipt as COSE (RFC 9942), over the root of the newest checkpoint. Errors: as [`Ledger::receipt`].
    pub fn receipt_cose(&self, seq: u64, row: Option<u64>) -> SqlResult<Vec<u8>> {
        let checkpoint = self.checkpoint();
        let Receipt { index, path, leaf, row, .. } = self.receipt_at(&Signature::of(&checkpoint), seq, row)?;
        self.signer().lock().sign_receipt(&checkpoint.state, index, path, leaf, row)
    }

    /// The checkpoint that proves a commit: the cosigned one, or the newest where that does not cover it yet.
    fn checkpoint_over(&self, seq: u64) -> Signature {
        match self.cosigned_checkpoint() {
            Some(cosigned) if seq < cosigned.size => cosigned,
            _ => Signature::of(&self.checkpoint()),
        }
    }

    /// The cosigned one, unless the keys that signed it were replaced since: who pins the new ones could not read it.
    pub(crate) fn cosigned_checkpoint(&self) -> Option<Signature> {
        let Cosigned { size, note } = self.cosigned()?;
        let parsed = Note::parse(&note).ok()?;
        let signer = self.signer().lock();
        let [key, _] = signer.keys().verifiers();
        let is_own = |line: &receipts::note::NoteSignature| line.name == key.name() && line.key_id == key.key_id();
        parsed.signatures().iter().any(is_own).then_some(Signature { size, note })
    }

    fn receipt_at(&self, checkpoint: &Signature, seq: u64, row: Option<u64>) -> SqlResult<Receipt> {
        let size = checkpoint.size;
        let (leaf, path) = {
            let merkle = self.merkle().read();
            if seq >= size {
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("commit {seq} does not exist"))
                    .hint(format!("The newest commit is {}.", size.saturating_sub(1))));
            }
            (merkle.leaf(seq)?, inclusion_proof::<Sha256Tree>(&merkle.sha, seq, size).ok_or_else(|| damaged(seq, "a tile is missing"))?)
        };
        let row = row.map(|row| self.row_part(seq, &leaf, row)).transpose()?;
        let note = checkpoint.note()?;
        Ok(Receipt { leaf: leaf.to_vec(), row, index: seq, path, checkpoint: note })
    }

    /// One text that shows the named fields of rows, proves them against the newest checkpoint, and gives nothing of the others away.
    ///
    /// Errors: those of [`Ledger::receipt`]; 42703 for a column that a row's table did not have; 22023 without rows; 54000 for one that would be
    /// longer than 16 MiB.
    pub fn disclose(&self, rows: &[Disclosed<'_>]) -> SqlResult<String> {
        self.disclosure(rows)?.to_text().map_err(too_long)
    }

    /// The same before it is written, for who has more to hide. Errors: as [`Ledger::disclose`].
    pub fn disclosure(&self, rows: &[Disclosed<'_>]) -> SqlResult<Disclosure> {
        let checkpoint = self.checkpoint_over(rows.iter().map(|row| row.seq).max().unwrap_or(0));
        let receipts: Vec<Receipt> = rows
            .iter()
            .map(|row| {
                let mut receipt = self.receipt_at(&checkpoint, row.seq, Some(row.row))?;
                if let Some(part) = &mut receipt.row {
                    hide_all_but(part, row.columns)?;
                }
                Ok(receipt)
            })
            .collect::<SqlResult<_>>()?;
        Disclosure::of(receipts).map_err(|error| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, error.to_string()))
    }

    /// A disclosure of this ledger as SD-JWT, signed by its key: who holds it can show fewer of the fields.
    ///
    /// Errors: 22023 for a shown column named `_sd` or `...`; 54000 for one that would be longer than 16 MiB.
    pub fn sd_jwt(&self, disclosure: Disclosure) -> SqlResult<String> {
        self.signer().lock().sign_sd_jwt(disclosure)
    }

    /// The proof that the tree of `new` leaves contains the tree of `old` leaves unchanged; `new` must be a size that was signed and sealed,
    /// the one that witnesses have cosigned, or the newest.
    ///
    /// Errors: 22023 for sizes out of order or never signed.
    pub fn consistency(&self, old: u64, new: u64) -> SqlResult<String> {
        let no_proof = || {
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("there is no consistency proof from size {old} to {new}"))
                .hint("The first size must be at least 1 and not larger than the second.")
        };
        if old == 0 || old > new {
            return Err(no_proof());
        }
        let newest = Signature::of(&self.checkpoint());
        let known = self.cosigned_checkpoint().into_iter().chain([newest]).find(|known| known.size == new);
        let checkpoint = known.map_or_else(|| self.sealed_checkpoint(new), Ok)?;
        let path = consistency_proof::<Sha256Tree>(&self.merkle().read().sha, old, new).ok_or_else(no_proof)?;
        Ok(ConsistencyProof { old_size: old, path, checkpoint: checkpoint.note()? }.to_string())
    }

    /// Errors: 22023 for a size that was not sealed.
    fn sealed_checkpoint(&self, size: u64) -> SqlResult<Signature> {
        let sizes = crate::checkpoints::sizes(&*self.options().io, self.folder())?;
        if !sizes.contains(&size) {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("no checkpoint was published at size {size}"))
                .hint("SELECT size FROM ledger.checkpoints lists the sizes."));
        }
        Ok(Signature::of(&crate::checkpoints::read(&*self.options().io, self.folder(), size)?))
    }

    fn row_part(&self, seq: u64, leaf: &[u8], index: u64) -> SqlResult<RowPart> {
        let leaf = Leaf::decode(leaf).map_err(|error| damaged(seq, &error.to_string()))?;
        let Leaf::Commit(commit) = leaf else {
            return Err(SqlError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("commit {seq} is a {} leaf and has no rows", leaf.kind_name()),
            )
            .hint("Leave the row out to get the receipt of the leaf itself."));
        };
        let Some((span, row_id)) = commit.locate(index) else {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("commit {seq} has no row {index}"))
                .hint(format!("It has {} rows, counted from 0.", commit.n_rows)));
        };
        let schema = self.schema_under(seq, &commit.schema_root)?;
        let table = self.definition_of(&schema.catalog, seq, RelationId(span.relation))?;
        let state = self.table_state(table.id);
        let (batch, offset) = self.proven_batch(&state, row_id)?;
        let hasher = RowHasher::new(&table, &batch, span.first_row)?;
        let (header, fields) = (hasher.header(offset), hasher.shown(offset, &sealing::opener(self.subjects()))?);
        let path = self.row_path(seq, &commit, index)?;
        let is_missing = || damaged(seq, "its table is not in the catalog");
        let schema_path = schema.tree.path(table.id.0).ok_or_else(is_missing)?;
        let definition = schema.catalog.definition(table.id.0).ok_or_else(is_missing)?.to_vec();
        Ok(RowPart { index, header, fields, path, definition, schema_path })
    }

    fn definition_of(&self, catalog: &crate::catalog::Catalog, seq: u64, relation: RelationId) -> SqlResult<Arc<TableDef>> {
        catalog.table_by_id(relation).cloned().ok_or_else(|| damaged(seq, "its table is not in the catalog of its time"))
    }

    /// The definition under which a row was written.
    pub(crate) fn table_of_row(&self, state: &TableState, row: u64) -> SqlResult<Arc<TableDef>> {
        for _ in 0..2 {
            if let Some(chunk) = state.tail_chunk(row) {
                return Ok(Arc::clone(&chunk.table));
            }
            if let Some(segment) = state.segment(row) {
                return Ok(Arc::clone(segment.table()));
            }
        }
        Err(SqlError::internal(format!("row {row} of relation {} does not exist", state.id)))
    }
}

/// Hides every field whose column is not named. Errors: 42703.
fn hide_all_but(part: &mut RowPart, columns: &[String]) -> SqlResult<()> {
    let internal = |error: receipts::FormatError| SqlError::internal(format!("own definition: {error}"));
    let definition = TableDefinition::parse(&part.definition).map_err(internal)?;
    if let Some(unknown) = columns.iter().find(|name| definition.columns.iter().all(|column| column.name != **name)) {
        let why = format!("column \"{unknown}\" of relation \"{}\" does not exist", definition.name);
        return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, why)
            .hint("The row is disclosed under the definition that its table had when it was committed."));
    }
    for (place, column) in definition.columns.iter().enumerate().take(part.fields.len()) {
        if !columns.contains(&column.name) {
            part.hide(place).map_err(internal)?;
        }
    }
    Ok(())
}

fn too_long(error: receipts::FormatError) -> SqlError {
    SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("receipt cannot be written: {error}"))
}

fn damaged(seq: u64, why: &str) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("no receipt can be made for commit {seq}: {why}"))
        .hint("Run shockwave verify fsck on the data folder; it names the first bad position.")
}
