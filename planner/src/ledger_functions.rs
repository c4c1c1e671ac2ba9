//! `ledger_receipt(seq [, row])` and `ledger_consistency(a, b)`, callable in any query.
//!
//! Never: proves anything by itself; its text is for the offline verifier.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use engine::Ledger;
use relational::ScalarFunction;

/// The functions over one ledger.
pub(crate) fn all(ledger: &Arc<Ledger>) -> Vec<ScalarFunction> {
    let receipts = Arc::clone(ledger);
    let proofs = Arc::clone(ledger);
    vec![
        function("ledger_receipt", 1, move |seq, row| {
            let Some(seq) = seq else { return Ok(None) };
            let row = row.map(|row| position("row", row)).transpose()?;
            receipts.receipt(position("commit_seq", seq)?, row).map(Some)
        }),
        function("ledger_consistency", 0, move |old, new| match (old, new) {
            (Some(old), Some(new)) => proofs.consistency(position("size", old)?, position("size", new)?).map(Some),
            _ => Ok(None),
        }),
    ]
}

fn position(what: &str, value: i64) -> SqlResult<u64> {
    u64::try_from(value).map_err(|_| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("{what} must not be negative")))
}

/// A function of two bigints (the last `optional` of which may be left out) that answers text.
fn function(
    name: &str,
    optional_args: usize,
    call: impl Fn(Option<i64>, Option<i64>) -> SqlResult<Option<String>> + Send + Sync + 'static,
) -> ScalarFunction {
    let over_arrays = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let rows = arguments.first().map_or(0, |first| first.len());
        let mut texts = StringBuilder::new();
        for row in 0..rows {
            let value = |argument: usize| {
                let array = arguments.get(argument)?.as_primitive_opt::<Int64Type>()?;
                array.is_valid(row).then(|| array.value(row))
            };
            texts.append_option(call(value(0), value(1))?);
        }
        Ok(Arc::new(texts.finish()))
    };
    ScalarFunction {
        name: name.to_owned(),
        args: vec![DataType::Int64, DataType::Int64],
        optional_args,
        returns: DataType::Utf8,
        call: Arc::new(over_arrays),
    }
}
