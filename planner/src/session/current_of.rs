//! WHERE CURRENT OF: the row that a cursor stands on, as an UPDATE or DELETE finds it.
//!
//! E23: a cursor knows its rows where its query is a plain SELECT from one table; the row meant is the newest version of the one it stands on.
//! Never: moves a cursor.

use std::sync::Arc;

use base::{RowId, SqlError, SqlResult, SqlState};
use engine::{Object, TableDef, Transaction};
use sqlparser::ast::{Expr, FromTable, GroupByExpr, ObjectName, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins};

use super::cursors::{Cursors, Stand};
use crate::current_of_syntax;
use crate::names::{Name, fold, quoted};
use crate::parse::Parsed;
use crate::resolver::Scope;
use crate::rule_text;
use crate::tables::ROW_ID;
use crate::types;

/// The last column of a cursor's rows, which no client sees.
const ROW: &str = "\u{1}row";

/// The statement without its cursor, for planning before it runs: it is about no row.
pub(super) fn described(parsed: &Parsed) -> SqlResult<Option<Parsed>> {
    let Some(_) = current_of_syntax::cursor(&parsed.statement) else { return Ok(None) };
    with(parsed, "false").map(Some)
}

/// The statement with the row that its cursor stands on; `None` for another statement. Errors: 34000, 24000, 0A000 for a view.
pub(super) fn settled(
    parsed: &Parsed,
    cursors: &Cursors,
    transaction: &Transaction,
    scope: &Scope,
    database: &str,
) -> SqlResult<Option<Parsed>> {
    let Some(cursor) = current_of_syntax::cursor(&parsed.statement) else { return Ok(None) };
    let Some((object, alias)) = target(&parsed.statement) else { return Err(SqlError::unsupported("WHERE CURRENT OF here")) };
    let name = Name::of(object, database)?;
    let alias = alias.unwrap_or_else(|| name.name.clone());
    let Some(table) = scope.stored(name.schema.as_deref(), &name.name) else {
        let is_view = scope.catalog.objects().any(|object| matches!(object, Object::View(view) if view.name == name.name));
        // A table that is not there is told of where it is looked for.
        return if is_view {
            Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "WHERE CURRENT OF on a view is not implemented"))
        } else {
            described(parsed)
        };
    };
    let row = match cursors.stand(cursor, table)? {
        Stand::On(row) => transaction.current_version(table, row)?,
        Stand::Nowhere => return Err(wrong(format!("cursor \"{cursor}\" is not positioned on a row"))),
    };
    let Some(row) = row else { return described(parsed) };
    with(parsed, &condition(transaction, table, &alias, row)?).map(Some)
}

pub(super) fn wrong(message: String) -> SqlError {
    SqlError::new(SqlState("24000"), message)
}

/// The row's id, and its key, by which it is found.
fn condition(transaction: &Transaction, table: &Arc<TableDef>, alias: &str, row: RowId) -> SqlResult<String> {
    let alias = quoted(alias);
    let mut condition = format!("{alias}.{} = CAST('{}' AS bigint)", quoted(ROW_ID), row.0.cast_signed());
    if table.has_lookup() {
        let values = transaction.view(table).row_by_id(row)?;
        for at in table.key_columns() {
            let column = &table.columns[*at];
            if let Some(text) = types::text_of(values.column(*at), 0, column.sql_type)? {
                let text = text.replace('\'', "''");
                condition.push_str(&format!(" AND {alias}.{} = CAST('{text}' AS {})", quoted(&column.name), column.sql_type.name()));
            }
        }
    }
    Ok(condition)
}

fn with(parsed: &Parsed, condition: &str) -> SqlResult<Parsed> {
    let condition = rule_text::expression(condition)?;
    let statement = Arc::new(current_of_syntax::with_condition(&parsed.statement, condition));
    Ok(Parsed { statement, ..parsed.clone() })
}

/// The table that a statement changes, and its alias.
fn target(statement: &Statement) -> Option<(&ObjectName, Option<String>)> {
    let tables: &[TableWithJoins] = match statement {
        Statement::Update(update) => std::slice::from_ref(&update.table),
        Statement::Delete(delete) => match &delete.from {
            FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables,
        },
        _ => return None,
    };
    let [one] = tables else { return None };
    named(&one.relation)
}

fn named(factor: &TableFactor) -> Option<(&ObjectName, Option<String>)> {
    match factor {
        TableFactor::Table { name, alias, args: None, version: None, .. } => Some((name, alias.as_ref().map(|alias| fold(&alias.name)))),
        _ => None,
    }
}

/// A cursor's query that answers the ids of its table's rows, too; `None` where it is no plain SELECT from one table (E23).
pub(super) fn with_rows(query: &Parsed, scope: &Scope, database: &str) -> Option<(Parsed, Arc<TableDef>)> {
    let mut statement = query.statement.as_ref().clone();
    let Statement::Query(body) = &mut statement else { return None };
    // Sorted rows are not the table's own any more, unless they are locked.
    let is_plain = body.with.is_none() && body.fetch.is_none() && (body.order_by.is_none() || !body.locks.is_empty());
    let SetExpr::Select(select) = body.body.as_mut() else { return None };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty()) || select.having.is_some();
    let [from] = select.from.as_slice() else { return None };
    if !is_plain || is_grouped || select.distinct.is_some() || select.into.is_some() || !from.joins.is_empty() {
        return None;
    }
    let (object, alias) = named(&from.relation)?;
    let name = Name::of(object, database).ok()?;
    let table = Arc::clone(scope.stored(name.schema.as_deref(), &name.name)?);
    let alias = alias.unwrap_or_else(|| name.name.clone());
    let row = Expr::CompoundIdentifier(vec![quoted(&alias), quoted(ROW_ID)]);
    select.projection.push(SelectItem::ExprWithAlias { expr: row, alias: quoted(ROW) });
    Some((Parsed { statement: Arc::new(statement), ..query.clone() }, table))
}
