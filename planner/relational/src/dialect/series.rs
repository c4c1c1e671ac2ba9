//! Set-returning functions in FROM: a series of integers is one of `integer`, and pieces of a text are an array unnested.
//!
//! D20: bounds that are constants of `integer` make a series of `integer`; any others stay as the engine types them.

use sqlparser::ast::{
    DataType, Expr, FunctionArg, FunctionArgExpr, Ident, Query, SelectItem, SetExpr, Statement, TableAlias, TableAliasColumnDef,
    TableFactor, UnaryOperator, Value,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::operators;
use super::spelling::{call, cast};
use crate::position::folded_parts;

/// The query around a series, whose one column gets its type here.
const AROUND: &str = "SELECT series.value FROM generate_series(1, 1) AS series(value)";

/// Rewrites the FROM item itself.
pub(super) fn retype(factor: &mut TableFactor) {
    let TableFactor::Table { name, alias, args: Some(args), with_ordinality: false, .. } = factor else { return };
    if let Some(array) = operators::array_behind(name) {
        let function = name.0.last().and_then(|part| part.as_ident()).cloned();
        let args = args.args.iter().filter_map(|arg| match arg {
            FunctionArg::Unnamed(arg) => Some(arg.clone()),
            _ => None,
        });
        let array_exprs = vec![call(array, args.collect())];
        let alias = Some(with_column(alias.take(), function));
        *factor = TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_offset_alias: None, with_ordinality: false };
        return;
    }
    if folded_parts(name) != ["generate_series"] {
        return;
    }
    if args.args.iter().any(is_moment) {
        let arguments = args.args.iter().filter_map(|arg| match arg {
            FunctionArg::Unnamed(arg) => Some(arg.clone()),
            _ => None,
        });
        let array_exprs = vec![call("moment_series", arguments.collect())];
        let alias = Some(with_column(alias.take(), Some(Ident::new("generate_series"))));
        *factor = TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_offset_alias: None, with_ordinality: false };
        return;
    }
    if !args.args.iter().all(is_integer) {
        return;
    }
    let Some(mut subquery) = around() else { return };
    let SetExpr::Select(select) = subquery.body.as_mut() else { return };
    if let Some(from) = select.from.first_mut()
        && let TableFactor::Table { args: bounds, .. } = &mut from.relation
    {
        *bounds = Some(args.clone());
    }
    let alias = with_column(alias.take(), Some(Ident::new("generate_series")));
    if let (Some(SelectItem::UnnamedExpr(value)), Some(column)) = (select.projection.first().cloned(), alias.columns.first()) {
        select.projection = vec![SelectItem::ExprWithAlias { expr: cast(value, DataType::Int(None)), alias: column.name.clone() }];
    }
    *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
}

/// The alias with a name for the one column: its own, else the alias's, else the function's.
fn with_column(alias: Option<TableAlias>, function: Option<Ident>) -> TableAlias {
    let name = function.unwrap_or_else(|| Ident::new("unnest"));
    let mut alias = alias.unwrap_or_else(|| TableAlias { explicit: false, name, columns: vec![], at: None });
    if alias.columns.is_empty() {
        alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
    }
    alias
}

/// Written as a date, a timestamp or an interval, which only a series of timestamps has.
fn is_moment(arg: &FunctionArg) -> bool {
    fn says(data_type: &DataType) -> bool {
        match data_type {
            DataType::Date | DataType::Timestamp(..) | DataType::Interval { .. } => true,
            DataType::Custom(name, _) => {
                matches!(folded_parts(name).last().map(String::as_str), Some("date" | "timestamp" | "timestamptz" | "interval"))
            }
            _ => false,
        }
    }
    fn is_written_so(expr: &Expr) -> bool {
        match expr {
            Expr::Nested(inner) => is_written_so(inner),
            Expr::Interval(_) => true,
            Expr::Cast { data_type, .. } => says(data_type),
            Expr::TypedString(literal) => says(&literal.data_type),
            Expr::BinaryOp { left, right, .. } => is_written_so(left) || is_written_so(right),
            Expr::Function(call) => matches!(
                folded_parts(&call.name).last().map(String::as_str),
                Some("now" | "current_date" | "current_timestamp" | "localtimestamp" | "date_trunc" | "make_date" | "make_timestamp")
            ),
            _ => false,
        }
    }
    matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if is_written_so(expr))
}

/// A constant of type `integer`.
fn is_integer(arg: &FunctionArg) -> bool {
    fn fits(expr: &Expr) -> bool {
        match expr {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => fits(inner),
            Expr::Value(value) => matches!(&value.value, Value::Number(digits, false) if digits.parse::<i32>().is_ok()),
            _ => false,
        }
    }
    matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if fits(expr))
}

fn around() -> Option<Box<Query>> {
    match Parser::parse_sql(&PostgreSqlDialect {}, AROUND).ok()?.pop()? {
        Statement::Query(query) => Some(query),
        _ => None,
    }
}
