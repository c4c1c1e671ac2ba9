//! Bounds of window frames that are intervals.
//!
//! D23: the engine reads an interval there only as the literal it was; everywhere else it is the cast that `documents` makes of it.

use sqlparser::ast::{DataType, Expr, Interval, Value, WindowFrameBound, WindowType};

/// Gives a window function's bounds their literals back, after its inside was visited.
pub(super) fn restore(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let Some(WindowType::WindowSpec(spec)) = &mut function.over else { return };
    let Some(frame) = &mut spec.window_frame else { return };
    for bound in std::iter::once(&mut frame.start_bound).chain(frame.end_bound.as_mut()) {
        if let WindowFrameBound::Preceding(Some(offset)) | WindowFrameBound::Following(Some(offset)) = bound {
            literal(offset);
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
