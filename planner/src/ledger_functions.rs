//! Proofs, callable in any query: `ledger_receipt(seq [, row])`, the same as `ledger_receipt_json` and `ledger_receipt_cose`,
//! `ledger_disclose(seqs, rows, columns)`, the same as `ledger_disclose_sd_jwt`, `ledger_consistency(a, b)`, `ledger_export(folder [, first [, end]])` and
//! `ledger_backup(folder [, with_keys])`; `ledger_scrub()` and `ledger_rotate_keys()`.
//!
//! Never: proves anything by itself; what it gives is for the offline verifier.

use std::path::Path;
use std::sync::{Arc, Weak};

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Int64Array, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use engine::Ledger;
use engine::receipt::Disclosed;
use relational::ScalarFunction;

use crate::databases::{self, Databases};

/// The functions over one ledger.
pub(crate) fn all(ledger: &Arc<Ledger>, cluster: Weak<Databases>) -> Vec<ScalarFunction> {
    let [receipts, jsons, coses, disclosures, tokens, proofs, exports, copied, scrubbed, rotated] =
        std::array::from_fn(|_| Arc::clone(ledger));
    vec![
        of_row(RECEIPT, move |seq, row| receipts.receipt(seq, row)),
        of_row(RECEIPT_JSON, move |seq, row| jsons.receipt_json(seq, row)),
        cose(move |seq, row| coses.receipt_cose(seq, row)),
        disclose(DISCLOSE, move |rows| disclosures.disclose(rows)),
        disclose(DISCLOSE_SD_JWT, move |rows| tokens.sd_jwt(tokens.disclosure(rows)?)),
        export(exports),
        backup(copied, cluster),
        scrub(scrubbed),
        rotate_keys(rotated),
        function("ledger_consistency", 0, move |old, new| match (old, new) {
            (Some(old), Some(new)) => proofs.consistency(position("size", old)?, position("size", new)?).map(Some),
            _ => Ok(None),
        }),
    ]
}

/// Names of the functions whose answers depend on what the role may read.
pub(crate) const RECEIPT: &str = "ledger_receipt";
pub(crate) const RECEIPT_JSON: &str = "ledger_receipt_json";
pub(crate) const RECEIPT_COSE: &str = "ledger_receipt_cose";
pub(crate) const DISCLOSE: &str = "ledger_disclose";
pub(crate) const DISCLOSE_SD_JWT: &str = "ledger_disclose_sd_jwt";
/// Writes where the server may, so it is for superusers.
pub(crate) const EXPORT: &str = "ledger_export";
/// The same, and copies every database.
pub(crate) const BACKUP: &str = "ledger_backup";
/// Keeps the disk busy, so it is for superusers.
pub(crate) const SCRUB: &str = "ledger_scrub";

/// Replaces the ledger's keys, so it is for superusers.
pub(crate) const ROTATE_KEYS: &str = "ledger_rotate_keys";

/// A text about a commit, or about a row of it.
pub(crate) fn of_row(name: &str, call: impl Fn(u64, Option<u64>) -> SqlResult<String> + Send + Sync + 'static) -> ScalarFunction {
    function(name, 1, move |seq, row| {
        let Some(seq) = seq else { return Ok(None) };
        let row = row.map(|row| position("row", row)).transpose()?;
        call(position("commit_seq", seq)?, row).map(Some)
    })
}

/// Bytes about a commit, or about a row of it.
pub(crate) fn cose(call: impl Fn(u64, Option<u64>) -> SqlResult<Vec<u8>> + Send + Sync + 'static) -> ScalarFunction {
    let over_arrays = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let mut all = BinaryBuilder::new();
        for at in 0..arguments.first().map_or(0, |first| first.len()) {
            let row = number(arguments, 1, at).map(|row| position("row", row)).transpose()?;
            let bytes = number(arguments, 0, at).map(|seq| call(position("commit_seq", seq)?, row)).transpose()?;
            all.append_option(bytes);
        }
        Ok(Arc::new(all.finish()))
    };
    let args = vec![DataType::Int64, DataType::Int64];
    ScalarFunction { name: RECEIPT_COSE.to_owned(), args, optional_args: 1, returns: DataType::Binary, call: Arc::new(over_arrays) }
}

/// `ledger_disclose(seqs bigint[], rows bigint[], columns text[])`: the rows at these places, of each the named columns.
pub(crate) fn disclose(name: &str, call: impl Fn(&[Disclosed<'_>]) -> SqlResult<String> + Send + Sync + 'static) -> ScalarFunction {
    let over_arrays = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let mut texts = StringBuilder::new();
        for at in 0..arguments.first().map_or(0, |first| first.len()) {
            let (seqs, rows) = (numbers(arguments, 0, at)?, numbers(arguments, 1, at)?);
            let (Some(seqs), Some(rows), Some(columns)) = (seqs, rows, names(arguments, 2, at)?) else {
                texts.append_null();
                continue;
            };
            if seqs.len() != rows.len() {
                let why = format!("{} commits and {} rows name no rows", seqs.len(), rows.len());
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, why)
                    .hint("Both lists are of one length: array_agg(commit_seq), array_agg(row) FROM ledger.receipts."));
            }
            let shown: Vec<Disclosed<'_>> =
                seqs.iter().zip(&rows).map(|(seq, row)| Disclosed { seq: *seq, row: *row, columns: &columns }).collect();
            texts.append_value(call(&shown)?);
        }
        Ok(Arc::new(texts.finish()))
    };
    let list = |item| DataType::new_list(item, true);
    let args = vec![list(DataType::Int64), list(DataType::Int64), list(DataType::Utf8)];
    ScalarFunction { name: name.to_owned(), args, optional_args: 0, returns: DataType::Utf8, call: Arc::new(over_arrays) }
}

/// What `write` says of each folder that the first argument names; it gets the row's number too, for the other arguments. NULL of NULL.
fn over_folders(arguments: &[ArrayRef], write: impl Fn(&Path, usize) -> SqlResult<String>) -> SqlResult<ArrayRef> {
    let mut texts = StringBuilder::new();
    for at in 0..arguments.first().map_or(0, |first| first.len()) {
        let folder = arguments.first().and_then(|array| array.as_string_opt::<i32>()).filter(|array| array.is_valid(at));
        let Some(folder) = folder.map(|array| array.value(at)) else {
            texts.append_null();
            continue;
        };
        texts.append_value(write(Path::new(folder), at)?);
    }
    Ok(Arc::new(texts.finish()))
}

/// `ledger_export(folder text [, first bigint [, end bigint]])`: says what was written.
fn export(ledger: Arc<Ledger>) -> ScalarFunction {
    let over_arrays = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        over_folders(arguments, |folder, at| {
            let first = number(arguments, 1, at).map(|first| position("first", first)).transpose()?;
            let end = number(arguments, 2, at).map(|end| position("end", end)).transpose()?;
            let exported = ledger.export(folder, first.unwrap_or(0), end)?;
            Ok(format!("commits {} to {}, {} rows", exported.first, exported.end - 1, exported.rows))
        })
    };
    let args = vec![DataType::Utf8, DataType::Int64, DataType::Int64];
    ScalarFunction { name: EXPORT.to_owned(), args, optional_args: 2, returns: DataType::Utf8, call: Arc::new(over_arrays) }
}

/// `ledger_backup(folder text [, with_keys boolean])`: says what was copied, a line a database.
fn backup(ledger: Arc<Ledger>, cluster: Weak<Databases>) -> ScalarFunction {
    let over_arrays = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        over_folders(arguments, |folder, at| {
            let with_keys =
                arguments.get(1).and_then(|array| array.as_boolean_opt()).is_some_and(|array| array.is_valid(at) && array.value(at));
            databases::back_up(&cluster, &ledger, folder, with_keys)
        })
    };
    let args = vec![DataType::Utf8, DataType::Boolean];
    ScalarFunction { name: BACKUP.to_owned(), args, optional_args: 1, returns: DataType::Utf8, call: Arc::new(over_arrays) }
}

/// `ledger_scrub()`: says what was read again and how much of it is damaged.
fn scrub(ledger: Arc<Ledger>) -> ScalarFunction {
    let call = move |_: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let round = ledger.scrub()?;
        let text = format!("{} files, {} bytes, {} damaged", round.files, round.bytes, round.damages);
        Ok(Arc::new(StringArray::from(vec![text])))
    };
    ScalarFunction { name: SCRUB.to_owned(), args: Vec::new(), optional_args: 0, returns: DataType::Utf8, call: Arc::new(call) }
}

/// `ledger_rotate_keys()`: the commit that names the new keys.
fn rotate_keys(ledger: Arc<Ledger>) -> ScalarFunction {
    let call = move |_: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let seq = ledger.rotate_keys()?;
        // Sealed under the new keys, so that whoever reads the folder finds a checkpoint by them.
        ledger.seal()?;
        Ok(Arc::new(Int64Array::from(vec![seq.0.cast_signed()])))
    };
    ScalarFunction { name: ROTATE_KEYS.to_owned(), args: Vec::new(), optional_args: 0, returns: DataType::Int64, call: Arc::new(call) }
}

fn number(arguments: &[ArrayRef], argument: usize, at: usize) -> Option<i64> {
    let array = arguments.get(argument)?.as_primitive_opt::<Int64Type>()?;
    array.is_valid(at).then(|| array.value(at))
}

/// One list of an argument of lists; `None` if it is NULL.
fn list(arguments: &[ArrayRef], argument: usize, at: usize) -> SqlResult<Option<ArrayRef>> {
    let lists = arguments.get(argument).and_then(|array| array.as_list_opt::<i32>());
    let lists = lists.ok_or_else(|| SqlError::internal("an argument of another layout"))?;
    Ok(lists.is_valid(at).then(|| lists.value(at)))
}

fn no_element() -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "a list of rows or columns must not hold NULL")
}

fn numbers(arguments: &[ArrayRef], argument: usize, at: usize) -> SqlResult<Option<Vec<u64>>> {
    let Some(list) = list(arguments, argument, at)? else { return Ok(None) };
    let list = list.as_primitive_opt::<Int64Type>().ok_or_else(|| SqlError::internal("a list of another layout"))?;
    let all = list.iter().map(|value| position("commit_seq or row", value.ok_or_else(no_element)?));
    all.collect::<SqlResult<_>>().map(Some)
}

fn names(arguments: &[ArrayRef], argument: usize, at: usize) -> SqlResult<Option<Vec<String>>> {
    let Some(list) = list(arguments, argument, at)? else { return Ok(None) };
    let list = list.as_string_opt::<i32>().ok_or_else(|| SqlError::internal("a list of another layout"))?;
    list.iter().map(|name| name.map(str::to_owned).ok_or_else(no_element)).collect::<SqlResult<_>>().map(Some)
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
            texts.append_option(call(number(arguments, 0, row), number(arguments, 1, row))?);
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
