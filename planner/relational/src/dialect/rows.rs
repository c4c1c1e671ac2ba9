//! Comparisons of rows, column by column, so that NULLs in them are unknown as in Postgres.
//!
//! D10: `(a, b) = (c, d)` is `a = c AND b = d`; the orderings are lexicographic; IN over rows is an OR of equalities.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

/// Rewrites the expression itself. Errors: 42601 for rows of different lengths.
pub(super) fn compare_columns(expr: &mut Expr) -> SqlResult<()> {
    let rewritten = match expr {
        Expr::BinaryOp { left, op, right } => match (columns(left), columns(right)) {
            (Some(left), Some(right)) => compare(left, op, right)?,
            _ => None,
        },
        Expr::InList { expr: row, list, negated } => match columns(row) {
            Some(row) => {
                let equal = |other: &Expr| match columns(other) {
                    Some(other) => compare(row, &BinaryOperator::Eq, other),
                    None => Ok(None),
                };
                let equalities = list.iter().map(equal).collect::<SqlResult<Option<Vec<_>>>>()?;
                let any = equalities.and_then(|each| each.into_iter().reduce(|a, b| binary(a, BinaryOperator::Or, b)));
                any.map(|any| if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(any) } } else { any })
            }
            None => None,
        },
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expr = Expr::Nested(Box::new(rewritten));
    }
    Ok(())
}

fn columns(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(columns) if columns.len() > 1 => Some(columns),
        _ => None,
    }
}

fn compare(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> SqlResult<Option<Expr>> {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    if left.len() != right.len() {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "unequal number of entries in row expressions"));
    }
    let each = |op: BinaryOperator| left.iter().zip(right).map(move |(left, right)| binary(left.clone(), op.clone(), right.clone()));
    Ok(match op {
        Eq => each(Eq).reduce(|a, b| binary(a, And, b)),
        NotEq => each(NotEq).reduce(|a, b| binary(a, Or, b)),
        Lt | LtEq | Gt | GtEq => {
            let strict = if matches!(op, Lt | LtEq) { Lt } else { Gt };
            // From the last column: a < c OR (a = c AND the rest).
            let pairs = left.iter().zip(right).rev();
            pairs.fold(None, |rest, (left, right)| {
                let compared = |op: &BinaryOperator| binary(left.clone(), op.clone(), right.clone());
                Some(match rest {
                    None => compared(op),
                    Some(rest) => binary(compared(&strict), Or, binary(compared(&Eq), And, rest)),
                })
            })
        }
        _ => None,
    })
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    let nested = |expr: Expr| match expr {
        operand @ Expr::BinaryOp { .. } => Box::new(Expr::Nested(Box::new(operand))),
        operand => Box::new(operand),
    };
    Expr::BinaryOp { left: nested(left), op, right: nested(right) }
}
