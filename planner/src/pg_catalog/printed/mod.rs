//! The text of stored queries as Postgres prints it: names as they are called now, casts that nobody wrote, a clause a line.
//!
//! V1: what is printed, read again, is the same query. A query that is not understood for certain is not printed here.
//! Never: changes what is kept.
//! Module order: tree, types, scope, expressions and calls and bind (which read), print and expr (which write).

mod bind;
mod calls;
mod expr;
mod expressions;
mod print;
mod scope;
mod tree;
mod types;

use sqlparser::ast::Query;

use super::scene::Scene;
use print::Printer;
use scope::Scope;

/// The query of a view whose columns have these names; `None` where it is not understood.
pub(super) fn query(scene: &Scene, query: &Query, columns: &[String], pretty: bool) -> Option<String> {
    let bound = bind::query(&Scope::new(scene), query, Some(columns))?;
    (bound.columns.len() == columns.len()).then_some(())?;
    let mut printer = Printer::new(pretty);
    printer.query(&bound, true);
    Some(printer.out)
}
