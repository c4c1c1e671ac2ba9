//! RETURNING `_receipt`: a row's place in its commit becomes the receipt, after the commit.
//!
//! E15: a receipt is handed out only for a commit that is durable and signed; inside a block there is none yet, and the statement is refused.
//! Never: makes a receipt for a row that was not written by this very commit.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use base::{CommitSeq, SqlError, SqlResult};
use engine::Ledger;
use futures::StreamExt;

use super::Session;
use crate::outcome::Outcome;
use crate::statements::Plan;
use crate::tables::arrow_error;

/// Errors: 0A000 for a statement in a block that asks for receipts (E15).
pub(super) fn refuse_in_block(plan: &Plan) -> SqlResult<()> {
    match plan.receipts() {
        [] => Ok(()),
        _ => Err(SqlError::unsupported("RETURNING _receipt in a transaction block")
            .hint("A receipt exists once its commit is durable: SHOW ledger.last_receipt after COMMIT.")),
    }
}

impl Session {
    /// The answer of a committed statement, with receipts where it holds places.
    pub(super) fn with_receipts(&self, outcome: Outcome, plan: &Plan) -> Outcome {
        match (outcome, self.last_commit, plan.receipts()) {
            (Outcome::Rows { columns, batches, tag }, Some(seq), places) if !places.is_empty() => {
                let (ledger, places) = (Arc::clone(&self.database.ledger), places.to_vec());
                let batches = batches.map(move |batch| receipts(&ledger, seq, &places, &batch?)).boxed();
                Outcome::Rows { columns, batches, tag }
            }
            (outcome, ..) => outcome,
        }
    }
}

fn receipts(ledger: &Arc<Ledger>, seq: CommitSeq, places: &[usize], batch: &RecordBatch) -> SqlResult<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    for place in places {
        let rows = columns[*place].as_primitive_opt::<Int64Type>().ok_or_else(|| SqlError::internal("E15: a place is no number"))?;
        let mut texts = StringBuilder::new();
        for row in rows.iter() {
            let row = row.and_then(|row| u64::try_from(row).ok()).ok_or_else(|| SqlError::internal("E15: a place is no number"))?;
            texts.append_value(ledger.receipt(seq.0, Some(row))?);
        }
        columns[*place] = Arc::new(texts.finish()) as ArrayRef;
        fields[*place] = Field::new(fields[*place].name(), DataType::Utf8, true);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow_error)
}
