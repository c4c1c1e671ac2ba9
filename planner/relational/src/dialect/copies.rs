//! INTERSECT ALL and EXCEPT ALL, which count how often a row is there: rows are told apart by the number of their copy.
//!
//! D24: of m and n copies the intersection of numbered rows has min(m, n), the difference max(m − n, 0).

use base::{SqlError, SqlResult};
use sqlparser::ast::{
    ExcludeSelectItem, Ident, ObjectName, Query, SelectItem, SetExpr, SetOperator, SetQuantifier, Statement, TableFactor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use crate::marks::COPY_NUMBER;

/// The query around one side: its rows with the numbers of their copies.
const NUMBERED: &str = "SELECT *, \"\u{1}copy number\"() AS \"\u{1}copy\" FROM (SELECT 1) AS \"\u{1}numbered\"";
/// The query around both: the rows without the numbers.
const UNNUMBERED: &str = "SELECT * FROM (SELECT 1) AS \"\u{1}copies\"";
/// The column of the numbers.
const COPY: &str = "\u{1}copy";

/// Rewrites the set operations of a query's body.
pub(super) fn number(body: &mut SetExpr) -> SqlResult<()> {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else { return Ok(()) };
    number(left)?;
    number(right)?;
    if !matches!(set_quantifier, SetQuantifier::All) || !matches!(op, SetOperator::Intersect | SetOperator::Except) {
        return Ok(());
    }
    *set_quantifier = SetQuantifier::None;
    for side in [&mut *left, &mut *right] {
        let inner = std::mem::replace(side, Box::new(SetExpr::Values(empty_values())));
        **side = SetExpr::Query(around(NUMBERED, *inner)?);
    }
    let whole = std::mem::replace(body, SetExpr::Values(empty_values()));
    let mut unnumbered = around(UNNUMBERED, whole)?;
    if let SetExpr::Select(select) = unnumbered.body.as_mut()
        && let Some(SelectItem::Wildcard(options)) = select.projection.first_mut()
    {
        options.opt_exclude = Some(ExcludeSelectItem::Single(ObjectName::from(vec![Ident::with_quote('"', COPY)])));
    }
    *body = SetExpr::Query(unnumbered);
    Ok(())
}

fn empty_values() -> sqlparser::ast::Values {
    sqlparser::ast::Values { explicit_row: false, value_keyword: false, rows: vec![] }
}

/// The template with `body` as the query of its derived table.
fn around(template: &str, body: SetExpr) -> SqlResult<Box<Query>> {
    debug_assert!(NUMBERED.contains(COPY_NUMBER), "D24: the template calls the function");
    let unread = || SqlError::internal("D24: the query around a set operation does not parse");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, template).ok().and_then(|mut statements| statements.pop());
    let Some(Statement::Query(mut query)) = parsed else { return Err(unread()) };
    let SetExpr::Select(select) = query.body.as_mut() else { return Err(unread()) };
    if let Some(from) = select.from.first_mut()
        && let TableFactor::Derived { subquery, .. } = &mut from.relation
    {
        *subquery.body = body;
    }
    Ok(query)
}
