//! Receipts for whoever may not read all of a row: the fields they may not read are hidden, and the receipt stays valid.
//!
//! Never: shows a value that a SELECT would not.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use base::{RelationId, SqlError, SqlResult};
use receipts::Receipt;
use receipts::definition::TableDefinition;
use relational::ScalarFunction;

use crate::resolver::Scope;
use crate::rights::Opened;

/// The function as the role that asks may have it: `ledger_receipt` hides what the role may not read.
pub(crate) fn guarded(function: ScalarFunction, scope: &Scope) -> ScalarFunction {
    if scope.access.superuser || function.name != "ledger_receipt" {
        return function;
    }
    let (inner, scope) = (Arc::clone(&function.call), scope.clone());
    let call = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let texts = inner(arguments)?;
        let texts = texts.as_string::<i32>();
        let hidden: Vec<Option<String>> =
            texts.iter().map(|text| text.map(|text| hide(text, &scope)).transpose()).collect::<SqlResult<_>>()?;
        Ok(Arc::new(StringArray::from(hidden)))
    };
    ScalarFunction { call: Arc::new(call), ..function }
}

fn hide(text: &str, scope: &Scope) -> SqlResult<String> {
    let unreadable = |error: receipts::FormatError| SqlError::internal(format!("own receipt: {error}"));
    let mut receipt = Receipt::parse(text.as_bytes()).map_err(unreadable)?;
    let Some(row) = &mut receipt.row else { return Ok(text.to_owned()) };
    let definition = TableDefinition::parse(&row.definition).map_err(unreadable)?;
    let id = RelationId(definition.id);
    // A table that is gone has no grants any more.
    let opened = scope.catalog.tables().find(|table| table.id == id).and_then(|table| {
        let opened = Scope { checked: true, exempt: None, ..scope.clone() }.opened(table).ok()?;
        Some((table, opened))
    });
    let may = |column: u32| match &opened {
        None => false,
        Some((_, Opened::Whole)) => true,
        Some((table, Opened::Columns(may))) => table.columns.iter().zip(may).any(|(known, may)| known.id.0 == column && *may),
    };
    for (place, column) in definition.columns.iter().enumerate().take(row.fields.len()) {
        if !may(column.id) {
            row.hide(place).map_err(unreadable)?;
        }
    }
    receipt.to_text().map_err(unreadable)
}
