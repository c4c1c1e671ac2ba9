//! Spellings by which tools ask the catalog: `pg_catalog.f(…)`, `OPERATOR(pg_catalog.~)`, `::regclass`.
//!
//! D12: a name qualified with `pg_catalog` is the plain name.
//! D13: a value of `regclass`, `regtype`, `regnamespace`, `regrole`, `regproc` or `regprocedure` is its oid, which the caller's functions `…in`
//!      read and `…out` print; the columns that leave are shown by name (`names_shown`).
//! D61: `typname[0]` is the first letter of a type's name.
//! D14: a cast to `name`, `"char"` or `xid` is a call, so that its column is known by that type; `regoperator` is text.

use sqlparser::ast::{
    AccessExpr, Array, ArrayElemTypeDef, BinaryOperator, CastKind, DataType, Expr, FunctionArgExpr, Ident, ObjectName, Subscript, Value,
};

use super::spelling::{call, cast};
use crate::names::is_current_schema;
use crate::position::{folded, folded_parts};
use crate::values::array;

/// Rewrites the expression itself, not what is below it.
pub(super) fn respell(expr: &mut Expr) {
    match expr {
        // A reserved word of Postgres's, which sqlparser takes for a column.
        Expr::Identifier(_) if is_current_schema(expr) => *expr = call("current_schema", vec![]),
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
        Expr::CompoundFieldAccess { root, access_chain } => {
            if let Some(letter) = letter_of_name(root, access_chain) {
                *expr = letter;
            }
        }
        Expr::Cast { expr: inner, data_type: DataType::Text, .. } => print(inner),
        Expr::Cast { expr: inner, data_type: DataType::Custom(name, _), .. } if folded_parts(name) == ["pg_catalog", "text"] => {
            print(inner)
        }
        Expr::Cast { .. } => {
            if let Some(list) = as_oids(expr) {
                *expr = list;
            } else if let Some((_, read)) = as_oid(expr).or_else(|| as_call(expr)) {
                *expr = read;
            }
        }
        _ => {}
    }
}

/// `typname[0]`: a name is an array of letters, numbered from 0.
fn letter_of_name(root: &Expr, access: &[AccessExpr]) -> Option<Expr> {
    let name = match root {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => parts.last()?,
        _ => return None,
    };
    let [AccessExpr::Subscript(Subscript::Index { index: Expr::Value(index) })] = access else { return None };
    let is_first = matches!(&index.value, Value::Number(number, _) if number == "0") && folded(name) == "typname";
    let one = || FunctionArgExpr::Expr(Expr::Value(Value::Number("1".to_owned(), false).into()));
    is_first.then(|| call("substr", vec![FunctionArgExpr::Expr(root.clone()), one(), one()]))
}

/// The text of one of D13's types.
fn print(expr: &mut Expr) {
    if let Some((kind, read)) = as_oid(expr) {
        *expr = call(&format!("{kind}out"), vec![FunctionArgExpr::Expr(read)]);
    }
}

/// A literal array of names as an array of casts of each: `'{int,text}'::regtype[]`.
fn as_oids(expr: &Expr) -> Option<Expr> {
    let Expr::Cast { expr: inner, data_type, .. } = expr else { return None };
    let DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) = data_type else { return None };
    let is_named = match element.as_ref() {
        DataType::Regclass => true,
        DataType::Custom(name, _) => folded_parts(name).last().is_some_and(|name| name.starts_with("reg")),
        _ => false,
    };
    let Expr::Value(value) = inner.as_ref() else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let names = array::parse(text).ok().filter(|_| is_named)?;
    let elem = names.into_iter().map(|name| match name {
        Some(name) => cast(Expr::Value(Value::SingleQuotedString(name).into()), element.as_ref().clone()),
        None => Expr::Value(Value::Null.into()),
    });
    Some(Expr::Array(Array { elem: elem.collect(), named: true }))
}

/// D14. Takes the cast's operand.
fn as_call(expr: &mut Expr) -> Option<(&'static str, Expr)> {
    let Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: inner, data_type, .. } = expr else { return None };
    let DataType::Custom(name, _) = data_type else { return None };
    let (function, through) = match folded_parts(name).last()?.as_str() {
        "name" => ("as_name", DataType::Text),
        "char" => ("as_char", DataType::Text),
        "xid" => ("as_xid", DataType::Custom(ObjectName::from(vec![Ident::new("oid")]), vec![])),
        "regoperator" => ("regoperatorout", DataType::Custom(ObjectName::from(vec![Ident::new("oid")]), vec![])),
        _ => return None,
    };
    Some((function, call(function, vec![FunctionArgExpr::Expr(cast(take(inner), through))])))
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
            "regproc" => "regproc",
            "regprocedure" => "regprocedure",
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
