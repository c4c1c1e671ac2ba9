//! `LIKE pattern ESCAPE 'c'`, where the engine knows no escape but the backslash.
//!
//! D16: a constant pattern is written with backslashes; any other pattern stays as it is, and is refused below.

use sqlparser::ast::{BinaryOperator, Expr, Value};

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

/// The pattern with backslashes for escapes; `None` if it ends in one.
fn respelled(text: &str, escape: Option<char>) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 2);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            _ if Some(c) == escape => {
                let escaped = chars.next()?;
                if matches!(escaped, '%' | '_' | '\\') {
                    out.push('\\');
                }
                out.push(escaped);
            }
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    Some(out)
}
