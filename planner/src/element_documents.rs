//! What tells an element of a graph from all others: a document of its table's alias and its key, `{"key": {"id": 1}, "table": "person"}`.
//!
//! D1: two elements are the same exactly if their documents are equal.
//! Never: shows a column that is not of the key.

use base::SqlResult;
use engine::GraphElement;
use sqlparser::ast::{Expr, Value};

use crate::rule_text;

/// The document of an element whose columns stand as `column` says. Errors: XX000.
pub(crate) fn element_document(element: &GraphElement, column: &dyn Fn(&str) -> Expr) -> SqlResult<Expr> {
    let literal = |text: &str| Value::SingleQuotedString(text.to_owned()).to_string();
    let key: Vec<String> = element.key.iter().map(|name| format!("{}, {}", literal(name), column(name))).collect();
    let alias = literal(&element.alias);
    rule_text::expression(&format!("jsonb_build_object('table', {alias}, 'key', jsonb_build_object({}))", key.join(", ")))
}
