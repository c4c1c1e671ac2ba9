//! Windows over another: `OVER (w ROWS …)` with `WINDOW w AS (…)`.
//!
//! D47: such a window has the partitions of the one it names, and its order where it has none itself. The engine would not look.
//! Never: resolves `OVER w`, which the engine does.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{Expr, Ident, NamedWindowDefinition, NamedWindowExpr, Select, SelectItem, WindowSpec, WindowType};

use super::outside;
use crate::marks;
use crate::position::{folded, folded_parts};

/// Writes out every window of the SELECT that is over another. Errors: 42704, 42P20.
pub(super) fn write_out(select: &mut Select) -> SqlResult<()> {
    let mut named: Vec<(String, WindowSpec)> = Vec::new();
    for NamedWindowDefinition(name, definition) in &mut select.named_window {
        if let NamedWindowExpr::WindowSpec(spec) = definition {
            over(spec, &named)?;
            named.push((folded(name), spec.clone()));
        }
    }
    let mut failed = None;
    for item in &mut select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { continue };
        outside::each(expr, &mut |expr| {
            if let Expr::Function(call) = expr
                && let Some(WindowType::WindowSpec(spec)) = &mut call.over
                && let Err(error) = over(spec, &named)
            {
                failed.get_or_insert(error);
            }
        });
    }
    failed.map_or(Ok(()), Err)
}

/// D47.
fn over(spec: &mut WindowSpec, named: &[(String, WindowSpec)]) -> SqlResult<()> {
    let Some(Ident { value, .. }) = &spec.window_name else { return Ok(()) };
    let name = spec.window_name.as_ref().map(folded).unwrap_or_default();
    let Some((_, base)) = named.iter().find(|(known, _)| *known == name) else {
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("window \"{value}\" does not exist")));
    };
    let windowing = |message: String| Err(SqlError::new(SqlState("42P20"), message));
    if spec.partition_by.iter().any(|expr| !is_mark(expr)) {
        return windowing(format!("cannot override PARTITION BY clause of window \"{name}\""));
    }
    if !spec.order_by.is_empty() && !base.order_by.is_empty() {
        return windowing(format!("cannot override ORDER BY clause of window \"{name}\""));
    }
    if base.window_frame.is_some() {
        return windowing(format!("cannot copy window \"{name}\" because it has a frame clause"));
    }
    spec.partition_by.extend(base.partition_by.iter().cloned());
    if spec.order_by.is_empty() {
        spec.order_by.clone_from(&base.order_by);
    }
    spec.window_name = None;
    Ok(())
}

fn is_mark(expr: &Expr) -> bool {
    let marks = [marks::EXCLUDE_CURRENT_ROW, marks::EXCLUDE_GROUP, marks::EXCLUDE_NO_OTHERS, marks::EXCLUDE_TIES];
    matches!(expr, Expr::Function(call) if folded_parts(&call.name).last().is_some_and(|name| marks.contains(&name.as_str())))
}
