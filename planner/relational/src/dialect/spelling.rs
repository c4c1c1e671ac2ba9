//! Clauses the engine knows under another spelling.
//!
//! D4: `mod(a, b)` is `a % b`; `= ANY (ARRAY[…])` is IN, `<> ALL (ARRAY[…])` is NOT IN; FETCH FIRST is LIMIT.
//! D8: functions answer to Postgres's names ([`SYNONYMS`]).
//! D6: the collation "C" is the only one there is, so naming it changes nothing.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    LimitClause, ObjectName, Query, UnaryOperator, Value,
};

use super::arrays;
use crate::marks::WITH_TIES;
use crate::position::folded_parts;

/// D8: Postgres's names for what the engine calls otherwise.
const SYNONYMS: [(&str, &str); 4] = [("every", "bool_and"), ("ceiling", "ceil"), ("pow", "power"), ("char_length", "length")];

/// Rewrites the expression itself, not what is below it. Errors: 42704 for a collation there is not.
pub(super) fn respell(expr: &mut Expr) -> SqlResult<()> {
    match expr {
        Expr::Function(function) => {
            let known = SYNONYMS.iter().find(|(name, _)| folded_parts(&function.name) == [*name]);
            if let Some((_, engine)) = known {
                function.name = ObjectName::from(vec![Ident::new(*engine)]);
            }
            modulo(expr);
        }
        Expr::AnyOp { .. } | Expr::AllOp { .. } => {
            in_list(expr);
            arrays::quantify(expr);
        }
        Expr::Collate { .. } => return drop_collation(expr),
        _ => {}
    }
    Ok(())
}

/// D4, FETCH FIRST. Errors: 42601 for WITH TIES without an order.
pub(super) fn fetch_to_limit(query: &mut Query) -> SqlResult<()> {
    let Some(fetch) = &mut query.fetch else { return Ok(()) };
    let mut rows = fetch.quantity.take().unwrap_or_else(|| Expr::Value(Value::Number("1".into(), false).into()));
    if fetch.with_ties {
        if query.order_by.is_none() {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "WITH TIES cannot be specified without ORDER BY clause"));
        }
        rows = call(WITH_TIES, vec![FunctionArgExpr::Expr(rows)]);
    }
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(rows),
        Some(_) => return Ok(()),
        None => query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(rows), offset: None, limit_by: vec![] }),
    }
    query.fetch = None;
    Ok(())
}

/// A text in LIMIT or OFFSET is read as a number. Errors: 22P02.
pub(super) fn read_counts(query: &mut Query) -> SqlResult<()> {
    let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause else { return Ok(()) };
    for count in limit.iter_mut().chain(offset.iter_mut().map(|offset| &mut offset.value)) {
        if let Expr::Value(value) = count
            && let Value::SingleQuotedString(text) = &value.value
        {
            let read: i64 = text.trim().parse().map_err(|_| {
                SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type bigint: \"{text}\""))
            })?;
            let digits = Expr::Value(Value::Number(read.unsigned_abs().to_string(), false).into());
            *count = if read < 0 { Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(digits) } } else { digits };
        }
    }
    Ok(())
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}

fn modulo(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if folded_parts(&function.name) != ["mod"] {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(left)), FunctionArg::Unnamed(FunctionArgExpr::Expr(right))] =
        list.args.as_mut_slice()
    {
        let nested = |expr: &mut Expr| Box::new(Expr::Nested(Box::new(take(expr))));
        *expr = Expr::Nested(Box::new(Expr::BinaryOp { left: nested(left), op: BinaryOperator::Modulo, right: nested(right) }));
    }
}

fn in_list(expr: &mut Expr) {
    let (left, right, negated) = match expr {
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => (left, right, false),
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => (left, right, true),
        _ => return,
    };
    let mut array = right.as_mut();
    while let Expr::Nested(inner) = array {
        array = inner;
    }
    if let Expr::Array(array) = array {
        *expr = Expr::InList { expr: Box::new(take(left)), list: std::mem::take(&mut array.elem), negated };
    }
}

fn drop_collation(expr: &mut Expr) -> SqlResult<()> {
    let Expr::Collate { expr: inner, collation } = expr else { return Ok(()) };
    let parts = folded_parts(collation);
    if !matches!(parts.last().map(String::as_str), Some("C" | "POSIX" | "default")) {
        let message = format!("collation \"{}\" for encoding \"UTF8\" does not exist", parts.join("."));
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    *expr = Expr::Nested(Box::new(take(inner)));
    Ok(())
}

/// `CAST(expr AS data_type)`.
pub(super) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// `name(args)`.
pub(super) fn call(name: &str, args: Vec<FunctionArgExpr>) -> Expr {
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
