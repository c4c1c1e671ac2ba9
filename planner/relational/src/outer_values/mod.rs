//! The values that a subplan reads from the rows around it: how a plan names them, where an evaluation puts them, what is remembered by them.
//!
//! U2: `$outer.s.n` is argument n of subplan s.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use arrow::datatypes::FieldRef;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;

mod memo;

pub(crate) use memo::Memo;

const PREFIX: &str = "$outer.";

/// The placeholder of an argument (U2).
pub(crate) fn placeholder(subplan: usize, index: usize, field: &FieldRef) -> Expr {
    let field = field.as_ref().clone().with_nullable(true);
    Expr::Placeholder(Placeholder { id: format!("{PREFIX}{subplan}.{index}"), field: Some(Arc::new(field)) })
}

/// Which argument of the subplan a placeholder is, if it is one of it.
pub(crate) fn index_within(subplan: usize, id: &str) -> Option<usize> {
    let (of, index) = id.strip_prefix(PREFIX)?.split_once('.')?;
    (of.parse::<usize>().ok()? == subplan).then(|| index.parse().ok())?
}

/// Whether the expression is an argument of some subplan around.
pub(crate) fn is_argument(expr: &Expr) -> bool {
    matches!(expr, Expr::Placeholder(placeholder) if placeholder.id.starts_with(PREFIX))
}

/// The outer values of the evaluation that runs.
#[derive(Default)]
pub(crate) struct Cell(RwLock<Vec<ScalarValue>>);

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell")
    }
}

impl Cell {
    pub(crate) fn set(&self, values: &[ScalarValue]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = values.to_vec();
    }

    /// `None` while nothing is evaluated.
    pub(crate) fn get(&self, index: usize) -> Option<ScalarValue> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(index).cloned()
    }
}
