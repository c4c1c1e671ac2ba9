//! `LIKE pattern ESCAPE 'c'`, where the engine knows no escape but the backslash.
//!
//! D16: a constant pattern is written with backslashes; any other pattern is respelled when it is known, by `like_escape`.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArgExpr, Value};

use super::spelling::call;
use crate::values::pattern::respelled;

/// Rewrites the expression itself, not what is below it.
pub(super) fn use_backslash(expr: &mut Expr) {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expr else { return };
    let Some(Value::SingleQuotedString(escape)) = escape_char.as_ref().map(|value| &value.value) else { return };
    let mut chars = escape.chars();
    let escape = match (chars.next(), chars.next()) {
        (Some('\\'), None) => return,
        (first, None) => first,
        _ => return,
    };
    if let Some(text) = constant(pattern)
        && let Some(respelled) = respelled(&text, escape)
    {
        **pattern = Expr::Value(Value::SingleQuotedString(respelled).into());
        *escape_char = None;
    } else if constant(pattern).is_none() {
        let given = std::mem::replace(pattern.as_mut(), Expr::Value(Value::Null.into()));
        let text = Expr::Value(Value::SingleQuotedString(escape.map(String::from).unwrap_or_default()).into());
        **pattern = call("like_escape", vec![FunctionArgExpr::Expr(given), FunctionArgExpr::Expr(text)]);
        *escape_char = None;
    }
}

/// The text of a literal, or of literals joined by `||`.
fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => constant(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text.clone()),
            _ => None,
        },
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => Some(constant(left)? + &constant(right)?),
        _ => None,
    }
}
