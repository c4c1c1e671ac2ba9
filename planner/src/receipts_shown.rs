//! Receipts for whoever may not read all of a row: the fields they may not read are hidden, and the receipt stays valid.
//!
//! Never: shows a value that a SELECT would not.

use std::sync::Arc;

use arrow::array::ArrayRef;
use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::receipt::Disclosed;
use receipts::definition::{ColumnDefinition, TableDefinition};
use receipts::{CoseReceipt, Disclosure, FormatError, Receipt, RowPart};
use relational::ScalarFunction;

use crate::ledger_functions::{self, BACKUP, DISCLOSE, DISCLOSE_SD_JWT, EXPORT, RECEIPT, RECEIPT_COSE, RECEIPT_JSON, ROTATE_KEYS, SCRUB};
use crate::resolver::Scope;
use crate::rights::Opened;

/// The function as the role that asks may have it: whatever shows a row hides in it what the role may not read, and exports and backups are for superusers.
pub(crate) fn guarded(function: ScalarFunction, scope: &Scope) -> ScalarFunction {
    if scope.access.superuser {
        return function;
    }
    let scope = scope.clone();
    match function.name.as_str() {
        RECEIPT => ledger_functions::of_row(RECEIPT, move |seq, row| hidden(&scope, seq, row)?.to_text().map_err(unreadable)),
        RECEIPT_JSON => ledger_functions::of_row(RECEIPT_JSON, move |seq, row| hidden(&scope, seq, row)?.to_json().map_err(unreadable)),
        RECEIPT_COSE => ledger_functions::cose(move |seq, row| {
            let mut receipt = CoseReceipt::parse(&scope.ledger.receipt_cose(seq, row)?).map_err(unreadable)?;
            hide(receipt.row.as_mut(), &scope)?;
            receipt.to_bytes().map_err(unreadable)
        }),
        DISCLOSE => ledger_functions::disclose(DISCLOSE, move |rows| disclosure(&scope, rows)?.to_text().map_err(unreadable)),
        DISCLOSE_SD_JWT => ledger_functions::disclose(DISCLOSE_SD_JWT, move |rows| scope.ledger.sd_jwt(disclosure(&scope, rows)?)),
        BACKUP | EXPORT | SCRUB | ROTATE_KEYS => {
            let refused = refused(&function.name);
            ScalarFunction { call: Arc::new(move |_: &[ArrayRef]| Err(refused.clone())), ..function }
        }
        _ => function,
    }
}

fn refused(name: &str) -> SqlError {
    SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for function {name}")).hint(match name {
        EXPORT => "It writes every value of the database into a folder of the server: a superuser can, or shockwave export.",
        ROTATE_KEYS => "It replaces the keys that sign the ledger: a superuser can, or shockwave keys rotate.",
        BACKUP => "It copies all databases into a folder of the server: a superuser can, or shockwave backup.",
        _ => "It reads all that is sealed: a superuser can. ledger.damages has what the last round found.",
    })
}

fn unreadable(error: FormatError) -> SqlError {
    SqlError::internal(format!("own receipt: {error}"))
}

fn hidden(scope: &Scope, seq: u64, row: Option<u64>) -> SqlResult<Receipt> {
    let mut receipt = Receipt::parse(scope.ledger.receipt(seq, row)?.as_bytes()).map_err(unreadable)?;
    hide(receipt.row.as_mut(), scope)?;
    Ok(receipt)
}

fn disclosure(scope: &Scope, rows: &[Disclosed<'_>]) -> SqlResult<Disclosure> {
    let mut disclosure = scope.ledger.disclosure(rows)?;
    disclosure.hide(|table, column| may(scope, table, column)).map_err(unreadable)?;
    Ok(disclosure)
}

fn hide(row: Option<&mut RowPart>, scope: &Scope) -> SqlResult<()> {
    let Some(row) = row else { return Ok(()) };
    let definition = TableDefinition::parse(&row.definition).map_err(unreadable)?;
    for (place, column) in definition.columns.iter().enumerate().take(row.fields.len()) {
        if !may(scope, &definition, column) {
            row.hide(place).map_err(unreadable)?;
        }
    }
    Ok(())
}

/// Whether the role may read a column. A table that is gone has no grants any more.
fn may(scope: &Scope, definition: &TableDefinition, column: &ColumnDefinition) -> bool {
    let id = RelationId(definition.id);
    let Some(table) = scope.catalog.tables().find(|table| table.id == id) else { return false };
    match (Scope { checked: true, exempt: None, ..scope.clone() }).opened(table) {
        Err(_) => false,
        Ok(Opened::Whole) => true,
        Ok(Opened::Columns(may)) => table.columns.iter().zip(&may).any(|(known, may)| known.id.0 == column.id && *may),
    }
}
