//! Gives the AST the meanings Postgres has and DataFusion's SQL reader would miss, and refuses clauses it would silently ignore.
//!
//! D1: an integer constant that fits `integer` is one: as a SELECT item, an operand of arithmetic, a result of CASE or an argument of the
//!     functions in [`TYPED_BY_ARGUMENT`] it gets a cast. Elsewhere (positions in ORDER BY, LIMIT, frames) constants stay as written.
//! D2: a cast to `varchar(n)` or `char(n)` cuts the value at n characters.
//! D3: EXISTS in a SELECT list becomes a count compared to zero, which the engine can run there.
//! Never: changes what a statement that Postgres accepts would answer there.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, Statement, TableFactor, UnaryOperator, Value, VisitMut, VisitorMut,
};

use crate::position::folded_parts;

/// Functions whose result has the type of their arguments.
const TYPED_BY_ARGUMENT: [&str; 10] = ["coalesce", "greatest", "least", "nullif", "sum", "avg", "min", "max", "abs", "pg_typeof"];

/// Rewrites the statement in place. Errors: 0A000 for what would be ignored.
pub(crate) fn apply(statement: &mut Statement) -> SqlResult<()> {
    match VisitMut::visit(statement, &mut Dialect) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Dialect;

impl VisitorMut for Dialect {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let refused = [
            (!query.locks.is_empty(), "SELECT … FOR UPDATE or FOR SHARE"),
            (query.fetch.as_ref().is_some_and(|fetch| fetch.with_ties || fetch.percent), "FETCH … WITH TIES or PERCENT"),
            (!query.pipe_operators.is_empty(), "the pipe syntax"),
            (query.settings.is_some() || query.format_clause.is_some() || query.for_clause.is_some(), "this clause of SELECT"),
        ];
        refuse(&refused)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        let TableFactor::Table { sample, version, with_ordinality, with_hints, partitions, .. } = factor else {
            return ControlFlow::Continue(());
        };
        refuse(&[
            (sample.is_some(), "TABLESAMPLE"),
            (version.is_some(), "reading a table as of another time"),
            (*with_ordinality, "WITH ORDINALITY"),
            (!with_hints.is_empty() || !partitions.is_empty(), "a table hint"),
        ])
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        refuse(&[
            (select.into.is_some(), "SELECT INTO"),
            (select.prewhere.is_some(), "PREWHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY"),
        ])?;
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                type_integer(expr);
                let _ = VisitMut::visit(expr, &mut CountExists { depth: 0 });
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        match expr {
            Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
                type_integer(left);
                type_integer(right);
            }
            Expr::Case { conditions, else_result, .. } => {
                conditions.iter_mut().for_each(|when| type_integer(&mut when.result));
                else_result.iter_mut().for_each(|result| type_integer(result));
            }
            Expr::Function(call) => type_arguments(call),
            _ => {}
        }
        cut_to_length(expr);
        ControlFlow::Continue(())
    }
}

fn refuse(refused: &[(bool, &str)]) -> ControlFlow<SqlError> {
    match refused.iter().find(|(present, _)| *present) {
        Some((_, what)) => ControlFlow::Break(SqlError::unsupported(what)),
        None => ControlFlow::Continue(()),
    }
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
    matches!(op, Plus | Minus | Multiply | Divide | Modulo)
}

/// D1, through parentheses and signs.
fn type_integer(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => type_integer(inner),
        Expr::Value(value) if matches!(&value.value, Value::Number(digits, false) if digits.parse::<i32>().is_ok()) => {
            let literal = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = cast(literal, DataType::Int(None));
        }
        _ => {}
    }
}

fn type_arguments(call: &mut Function) {
    let is_typed = folded_parts(&call.name).last().is_some_and(|name| TYPED_BY_ARGUMENT.contains(&name.as_str()));
    if let FunctionArguments::List(list) = &mut call.args
        && is_typed
    {
        for arg in &mut list.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg {
                type_integer(expr);
            }
        }
    }
}

/// D3, outside the subqueries of the item it visits.
struct CountExists {
    depth: u32,
}

impl VisitorMut for CountExists {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Exists { subquery, negated } = expr
            && self.depth == 0
            && has_plain_rows(subquery)
            && let SetExpr::Select(select) = subquery.body.as_mut()
        {
            let count = call("count", vec![FunctionArgExpr::Wildcard]);
            let op = if *negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
            let zero = Expr::Value(Value::Number("0".into(), false).into());
            let compared = Expr::BinaryOp { left: Box::new(count), op, right: Box::new(zero) };
            select.projection = vec![SelectItem::ExprWithAlias { expr: compared, alias: Ident::new("exists") }];
            *expr = Expr::Subquery(subquery.clone());
        }
        ControlFlow::Continue(())
    }
}

/// Whether the query's rows are those of FROM and WHERE, so that counting them answers EXISTS.
fn has_plain_rows(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let is_ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    let is_plain = |item: &SelectItem| match item {
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            matches!(expr, Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        }
        SelectItem::ExprWithAliases { .. } => false,
    };
    is_ungrouped
        && select.having.is_none()
        && select.distinct.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.projection.iter().all(is_plain)
}

/// D2.
fn cut_to_length(expr: &mut Expr) {
    let Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: inner, data_type, .. } = expr else { return };
    let (DataType::Varchar(length)
    | DataType::CharVarying(length)
    | DataType::CharacterVarying(length)
    | DataType::Char(length)
    | DataType::Character(length)) = data_type
    else {
        return;
    };
    let Some(CharacterLength::IntegerLength { length, .. }) = length.take() else { return };
    let inner = std::mem::replace(inner.as_mut(), Expr::Value(Value::Null.into()));
    let text = cast(inner, DataType::Text);
    let number = Expr::Value(Value::Number(length.to_string(), false).into());
    *expr = call("left", vec![FunctionArgExpr::Expr(text), FunctionArgExpr::Expr(number)]);
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

fn call(name: &str, args: Vec<FunctionArgExpr>) -> Expr {
    let args = args.into_iter().map(FunctionArg::Unnamed).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: vec![] }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}
