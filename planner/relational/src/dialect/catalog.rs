//! Spellings by which tools ask the catalog: `pg_catalog.f(…)`, `OPERATOR(pg_catalog.~)`, `::regclass`.
//!
//! D12: a name qualified with `pg_catalog` is the plain name.
//! D13: a value of `regclass`, `regtype`, `regnamespace`, `regrole` or `regproc` is its oid; the statement's own SELECT list and a cast to text
//!      show it by name, through the functions `…in` and `…out` of the caller.

use sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, FunctionArgExpr, Ident, ObjectName, Query, SelectItem, SetExpr, Value};

use super::spelling::{call, cast};
use crate::position::folded_parts;

/// D13, for the lists whose values leave.
pub(super) fn show_names(query: &mut Query) {
    show_in(&mut query.body);
}

fn show_in(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                    show(expr);
                }
            }
        }
        SetExpr::Query(query) => show_in(&mut query.body),
        SetExpr::SetOperation { left, right, .. } => {
            show_in(left);
            show_in(right);
        }
        _ => {}
    }
}

fn show(expr: &mut Expr) {
    if let Some((kind, read)) = as_oid(expr) {
        *expr = call(&format!("{kind}out"), vec![FunctionArgExpr::Expr(read)]);
    }
}

/// Rewrites the expression itself, not what is below it.
pub(super) fn respell(expr: &mut Expr) {
    match expr {
        Expr::Function(function) => {
            if let [schema, name] = folded_parts(&function.name).as_slice()
                && schema == "pg_catalog"
            {
                function.name = ObjectName::from(vec![Ident::with_quote('"', name)]);
            }
        }
        Expr::BinaryOp { op, .. } => {
            if let BinaryOperator::PGCustomBinaryOperator(parts) = op
                && let Some(plain) = parts.last().and_then(|symbol| plain_operator(symbol))
            {
                *op = plain;
            }
        }
        Expr::Cast { expr: inner, data_type: DataType::Text, .. } => show(inner),
        Expr::Cast { expr: inner, data_type: DataType::Custom(name, _), .. } if folded_parts(name) == ["pg_catalog", "text"] => show(inner),
        Expr::Cast { .. } => {
            if let Some((_, read)) = as_oid(expr) {
                *expr = read;
            }
        }
        _ => {}
    }
}

fn plain_operator(symbol: &str) -> Option<BinaryOperator> {
    Some(match symbol {
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        _ => return None,
    })
}

/// A cast to one of D13's types: the type's name, and the value as its oid. Takes the cast's operand.
fn as_oid(expr: &mut Expr) -> Option<(&'static str, Expr)> {
    let Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: inner, data_type, .. } = expr else { return None };
    let kind = match data_type {
        DataType::Regclass => "regclass",
        DataType::Custom(name, _) => match folded_parts(name).last()?.as_str() {
            "regclass" => "regclass",
            "regtype" => "regtype",
            "regnamespace" => "regnamespace",
            "regrole" => "regrole",
            "regproc" | "regprocedure" => "regproc",
            _ => return None,
        },
        _ => return None,
    };
    let text = cast(take(inner), DataType::Text);
    Some((kind, call(&format!("{kind}in"), vec![FunctionArgExpr::Expr(text)])))
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
