//! What an index calls its columns, of which expressions have no name of their own.
//!
//! Never: evaluates.

use engine::{ColumnDef, Index, SqlType};
use sqlparser::ast::Expr;

use super::types;
use crate::names::fold;
use crate::{column_types, rule_text};

/// What an index calls its columns, those of INCLUDE after the others; no two the same. They are called as they were when it was made.
pub(crate) fn names_in(index: &Index, columns: &[ColumnDef]) -> Vec<String> {
    if !index.names.is_empty() {
        return index.names.clone();
    }
    let mut expressions = index.expressions.iter();
    let mut names: Vec<String> = Vec::new();
    for id in index.columns.iter().chain(&index.include) {
        let name = match columns.iter().find(|column| column.id == *id) {
            Some(column) => column.name.clone(),
            None => expressions.next().map_or_else(String::new, |expression| label(&expression.text)),
        };
        let numbered = |number: &usize| if *number == 0 { name.clone() } else { format!("{name}{number}") };
        names.extend((0..).find(|number| !names.contains(&numbered(number))).map(|number| numbered(&number)));
    }
    names
}

/// What an index calls a column of its own that is an expression: as Postgres does, but for its number where two would be called the same.
fn label(text: &str) -> String {
    rule_text::expression(text).ok().and_then(|expr| named_after(&expr)).unwrap_or_else(|| "expr".to_owned())
}

fn named_after(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => named_after(inner),
        Expr::Identifier(ident) => Some(fold(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(fold),
        Expr::Function(call) => call.name.0.last().and_then(|part| part.as_ident()).map(fold),
        Expr::Cast { expr, data_type, .. } => {
            let of_type = || column_types::resolve(data_type).ok().map(internal_name);
            named_after(expr).or_else(of_type)
        }
        Expr::Case { else_result, .. } => else_result.as_deref().and_then(named_after).or_else(|| Some("case".to_owned())),
        Expr::Substring { .. } => Some("substring".to_owned()),
        Expr::Trim { .. } => Some("btrim".to_owned()),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Position { .. } => Some("position".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        _ => None,
    }
}

/// Postgres's own name of a type, as `int4` is that of `integer`.
fn internal_name(sql_type: SqlType) -> String {
    types::by_oid(i64::from(sql_type.oid())).map_or_else(|| sql_type.name(), |known| known.name.to_owned())
}
