//! Bounds of window frames that are constants with a type.
//!
//! D23: the engine reads a number or an interval there only as the literal it was; everywhere else it is the cast that `documents` or `numbers`
//!     makes of it. A sign becomes part of a distance, so that what is wrong with it can be said.

use sqlparser::ast::{DataType, Expr, Interval, UnaryOperator, Value, WindowFrameBound, WindowFrameUnits, WindowType};

/// Gives a window function's bounds their literals back, after its inside was visited.
pub(super) fn restore(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let Some(WindowType::WindowSpec(spec)) = &mut function.over else { return };
    let Some(frame) = &mut spec.window_frame else { return };
    let is_range = frame.units == WindowFrameUnits::Range;
    for bound in std::iter::once(&mut frame.start_bound).chain(frame.end_bound.as_mut()) {
        if let WindowFrameBound::Preceding(Some(offset)) | WindowFrameBound::Following(Some(offset)) = bound {
            literal(offset);
            if is_range {
                number(offset);
            }
        }
    }
}

fn literal(offset: &mut Expr) {
    let Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } = offset else { return };
    if !matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_))) {
        return;
    }
    let value = std::mem::replace(expr, Box::new(Expr::Value(Value::Null.into())));
    *offset = Expr::Interval(Interval {
        value,
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    });
}

/// A constant under casts and a sign.
fn number(offset: &mut Expr) {
    fn digits(offset: &Expr) -> Option<String> {
        match offset {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => Some(digits.clone()),
                _ => None,
            },
            Expr::Nested(inner) => digits(inner),
            Expr::Cast { expr, data_type, .. } => match expr.as_ref() {
                Expr::Value(value) if !matches!(data_type, DataType::Interval { .. }) => match &value.value {
                    Value::SingleQuotedString(text) => Some(text.clone()),
                    _ => digits(expr),
                },
                _ => digits(expr),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => digits(expr).map(|digits| format!("-{digits}")),
            _ => None,
        }
    }
    if let Some(digits) = digits(offset) {
        *offset = Expr::Value(Value::Number(digits, false).into());
    }
}
