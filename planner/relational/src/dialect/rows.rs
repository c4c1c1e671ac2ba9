//! Comparisons of rows, column by column, so that NULLs in them are unknown as in Postgres.
//!
//! D10: `(a, b) = (c, d)` is `a = c AND b = d`; the orderings are lexicographic; IN over rows is an OR of equalities.
//! D35: a row IS NULL if every column of it is, and IS NOT NULL if none of them is; a relation's row likewise.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator};

use crate::position::folded_parts;

/// Rewrites the expression itself. Errors: 42601 for rows of different lengths.
pub(super) fn compare_columns(expr: &mut Expr) -> SqlResult<()> {
    let rewritten = match expr {
        Expr::BinaryOp { left, op, right } => match (written(left), written(right)) {
            (Some(left), Some(right)) => compare(&left, op, &right)?,
            _ => None,
        },
        Expr::IsNull(row) => each_is(row, &Expr::IsNull),
        Expr::IsNotNull(row) => each_is(row, &Expr::IsNotNull),
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

/// The columns of a row in parentheses.
pub(super) fn columns(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(columns) if columns.len() > 1 => Some(columns),
        _ => None,
    }
}

/// The columns of `ROW(…)`.
pub(super) fn called(expr: &Expr) -> Option<Vec<Expr>> {
    arguments(expr, "row")
}

/// The arguments of a call of this function.
fn arguments(expr: &Expr, name: &str) -> Option<Vec<Expr>> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if folded_parts(&function.name) != [name] || function.over.is_some() {
        return None;
    }
    let each = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
        _ => None,
    };
    list.args.iter().map(each).collect()
}

/// The columns of a row that is written out.
fn written(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Nested(inner) => written(inner),
        row => columns(row).map(<[Expr]>::to_vec).or_else(|| called(row)).filter(|columns| !columns.is_empty()),
    }
}

/// The values of a row that became a struct of names and values; one that an outer join may leave out is the result of a CASE.
fn expanded(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Case { operand: None, conditions, else_result: None, .. } => match conditions.as_slice() {
            [only] => expanded(&only.result),
            _ => None,
        },
        row => arguments(row, "named_struct").map(|fields| fields.into_iter().skip(1).step_by(2).collect()),
    }
}

/// D35.
fn each_is(row: &Expr, test: &dyn Fn(Box<Expr>) -> Expr) -> Option<Expr> {
    let columns = written(row).or_else(|| expanded(row))?;
    columns.into_iter().map(|column| test(Box::new(column))).reduce(|a, b| binary(a, BinaryOperator::And, b))
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
        operand @ (Expr::BinaryOp { .. } | Expr::IsNull(_) | Expr::IsNotNull(_)) => Box::new(Expr::Nested(Box::new(operand))),
        operand => Box::new(operand),
    };
    Expr::BinaryOp { left: nested(left), op, right: nested(right) }
}
