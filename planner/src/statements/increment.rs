//! `SET c = c + n` in a row that is found by its key: added up here, without a query.
//!
//! I1: taken only where the sum, its type and its errors are those of the query: an `integer` or `bigint` column, itself and a value of no wider type.
//! Never: reads another column than the one it sets.

use arrow::array::ArrayRef;
use arrow::compute::kernels::numeric::{add, sub};
use arrow::error::ArrowError;
use base::{SqlError, SqlResult, SqlState};
use engine::{ColumnDef, SqlType};
use sqlparser::ast::{BinaryOperator, Expr};

use super::assignment;
use super::hints::Hints;
use super::key_access::is_column;
use crate::cells::{self, Parameters, Source};
use crate::parse::Parsed;
use crate::tables::arrow_error;
use crate::types::Manner;

/// What is added to a column's value, or taken from it.
#[derive(Clone, Debug)]
pub(super) struct Increment {
    pub(super) by: Source,
    is_minus: bool,
}

impl Increment {
    /// The increment that a value set to a column is, if it is one (I1). Errors: those of its constant.
    pub(super) fn of(
        column: &ColumnDef,
        alias: &str,
        value: &Expr,
        hints: &Hints,
        parsed: &Parsed,
        manner: Manner,
    ) -> SqlResult<Option<Self>> {
        let (by, is_minus) = match value {
            Expr::Nested(inner) => return Self::of(column, alias, inner, hints, parsed, manner),
            Expr::BinaryOp { left, op: BinaryOperator::Plus, right } if is_column(left, &column.name, alias) => (right, false),
            Expr::BinaryOp { left, op: BinaryOperator::Plus, right } if is_column(right, &column.name, alias) => (left, false),
            Expr::BinaryOp { left, op: BinaryOperator::Minus, right } if is_column(left, &column.name, alias) => (right, true),
            _ => return Ok(None),
        };
        let narrower: &[SqlType] = match column.sql_type {
            SqlType::Int4 => &[SqlType::Int2, SqlType::Int4],
            SqlType::Int8 => &[SqlType::Int2, SqlType::Int4, SqlType::Int8],
            _ => return Ok(None),
        };
        if let Some(index) = assignment::parameter(by)
            && hints.get(index).is_some_and(|given| !narrower.contains(&given))
        {
            return Ok(None);
        }
        let by = cells::source(column, std::iter::once(by.as_ref()), parsed, manner)?;
        Ok(by.map(|by| Self { by, is_minus }))
    }

    /// The new value. Errors: 22003.
    pub(super) fn array(&self, column: &ColumnDef, old: &ArrayRef, parameters: Parameters<'_>) -> SqlResult<ArrayRef> {
        let by = self.by.array(column, parameters)?;
        let sum = if self.is_minus { sub(old, &by) } else { add(old, &by) };
        sum.map_err(|error| match error {
            ArrowError::ArithmeticOverflow(_) => {
                SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", column.sql_type.name()))
            }
            other => arrow_error(other),
        })
    }
}
