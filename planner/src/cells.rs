//! Literals and parameters in place of a column's value: the values that need no query to be known.
//!
//! L1: a cell has exactly the column's type once it is an array; what cannot be converted so is an error or is left to a query.
//! Never: evaluates an operator or a function, but for a leading minus.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use base::{SqlError, SqlResult, SqlState};
use engine::{ColumnDef, SqlType};
use sqlparser::ast::{CastKind, Expr, Spanned, TypedString, UnaryOperator, Value};

use crate::column_types;
use crate::parse::Parsed;
use crate::tables::arrow_error;
use crate::types::{self, Assignment, ColumnBuilder, Manner, Reading};

/// A value written out in the statement, or the number of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal<'a> {
    /// `NULL`, `DEFAULT` (no column has another default).
    Null,
    /// A string of type unknown, or one cast to the column's own type.
    Text(Cow<'a, str>),
    /// Digits as written, with a sign where there was one.
    Number(Cow<'a, str>),
    /// `true`, `false`.
    Bool(bool),
    /// `$n`, counted from 0.
    Parameter(usize),
}

/// The literal an expression is, for a column of that type; `None` where only a query can tell its value.
pub(crate) fn literal(expr: &Expr, sql_type: SqlType) -> Option<Literal<'_>> {
    match expr {
        Expr::Nested(inner) => literal(inner, sql_type),
        Expr::Value(value) => value_literal(&value.value),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match literal(expr, sql_type)? {
            Literal::Number(digits) if !digits.starts_with('-') => Some(Literal::Number(format!("-{digits}").into())),
            _ => None,
        },
        // A cast cuts what is too long, where an assignment refuses it.
        Expr::TypedString(_) | Expr::Cast { .. } if matches!(sql_type, SqlType::Varchar(Some(_)) | SqlType::Bpchar(_)) => None,
        Expr::TypedString(TypedString { data_type, value, .. }) if column_types::resolve(data_type).ok()? == sql_type => {
            value_literal(&value.value).filter(|literal| matches!(literal, Literal::Text(_)))
        }
        Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None, .. }
            if column_types::resolve(data_type).ok()? == sql_type =>
        {
            literal(expr, sql_type).filter(|literal| matches!(literal, Literal::Null | Literal::Text(_) | Literal::Parameter(_)))
        }
        Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") => Some(Literal::Null),
        _ => None,
    }
}

fn value_literal(value: &Value) -> Option<Literal<'_>> {
    Some(match value {
        Value::Null => Literal::Null,
        Value::Boolean(value) => Literal::Bool(*value),
        Value::Number(digits, _) => Literal::Number(digits.as_str().into()),
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => {
            Literal::Text(text.as_str().into())
        }
        Value::DollarQuotedString(text) => Literal::Text(text.value.as_str().into()),
        Value::Placeholder(name) => Literal::Parameter(parameter_index(name)?),
        _ => return None,
    })
}

/// `$1` → 0. `None` for what is no positional parameter.
pub(crate) fn parameter_index(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

/// Appends a written value to a column under assignment rules. `Ok(false)`: it needs a query (a fraction for an integer column).
fn append(builder: &mut ColumnBuilder, literal: &Literal<'_>, column: &ColumnDef) -> SqlResult<bool> {
    let text = match (literal, column.sql_type) {
        (Literal::Null, _) => {
            builder.append_null();
            return Ok(true);
        }
        (Literal::Text(text), _) => text.as_ref(),
        (Literal::Bool(value), SqlType::Bool | SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_)) => {
            if *value {
                "true"
            } else {
                "false"
            }
        }
        (Literal::Bool(_), _) => return Err(mismatch(column, SqlType::Bool)),
        (Literal::Number(digits), SqlType::Int2 | SqlType::Int4 | SqlType::Int8) if is_integer(digits) => {
            if !fits(digits, column.sql_type) {
                return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", column.sql_type.name())));
            }
            digits.as_ref()
        }
        (Literal::Number(digits), SqlType::Float4 | SqlType::Float8 | SqlType::Numeric { .. } | SqlType::AnyNumeric(_)) => digits.as_ref(),
        (Literal::Number(digits), SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_)) if is_plain_integer(digits) => digits.as_ref(),
        (Literal::Number(_), SqlType::Int2 | SqlType::Int4 | SqlType::Int8 | SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_)) => {
            return Ok(false);
        }
        (Literal::Number(digits), _) => return Err(mismatch(column, number_type(digits))),
        (Literal::Parameter(_), _) => return Ok(false),
    };
    builder.append_text(text.as_bytes())?;
    Ok(true)
}

/// Whether a text of a column of this type means something else at another time.
fn is_by_clock(literal: &Literal<'_>, sql_type: SqlType) -> bool {
    let sql_type = sql_type.element().unwrap_or(sql_type);
    match literal {
        Literal::Text(text) if matches!(sql_type, SqlType::Date | SqlType::Time | SqlType::Timestamp | SqlType::Timestamptz) => {
            types::names_clock(text)
        }
        _ => false,
    }
}

fn is_integer(digits: &str) -> bool {
    digits.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
}

/// An integer that prints as it is written.
fn is_plain_integer(digits: &str) -> bool {
    let magnitude = digits.trim_start_matches('-');
    is_integer(digits) && (magnitude == "0" || !magnitude.starts_with('0')) && digits != "-0"
}

fn fits(digits: &str, sql_type: SqlType) -> bool {
    match sql_type {
        SqlType::Int2 => digits.parse::<i16>().is_ok(),
        SqlType::Int4 => digits.parse::<i32>().is_ok(),
        _ => digits.parse::<i64>().is_ok(),
    }
}

fn number_type(digits: &str) -> SqlType {
    if digits.parse::<i32>().is_ok() {
        SqlType::Int4
    } else if digits.parse::<i64>().is_ok() {
        SqlType::Int8
    } else {
        SqlType::AnyNumeric(None)
    }
}

/// 42804 for a value that has no assignment cast to the column.
fn mismatch(column: &ColumnDef, from: SqlType) -> SqlError {
    types::mismatch(&Assignment {
        column: &column.name,
        from,
        to: column.sql_type,
        from_unknown_literal: false,
        reading: Manner::default().into(),
    })
}

/// Where one column of a VALUES list, a SET list or a key gets its values.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Known now: one value a row.
    Known(ArrayRef),
    /// The same parameter in the only row.
    Parameter(usize),
    /// A value or a parameter a row.
    Mixed(Vec<Cell>),
}

/// One value of [`Source::Mixed`].
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// One row.
    Known(ArrayRef),
    /// `$n`, counted from 0.
    Parameter(usize),
    /// A text with a word of the clock's, which each run reads.
    ByClock(String),
}

/// The source of a column from its expression in every row. `Ok(None)`: at least one needs a query.
pub(crate) fn source<'a>(
    column: &ColumnDef,
    exprs: impl Iterator<Item = &'a Expr>,
    parsed: &Parsed,
    manner: Manner,
) -> SqlResult<Option<Source>> {
    let mut literals = Vec::new();
    for expr in exprs {
        match literal(expr, column.sql_type) {
            Some(literal) => literals.push((literal, expr)),
            None => return Ok(None),
        }
    }
    if let [(Literal::Parameter(index), _)] = literals.as_slice() {
        return Ok(Some(Source::Parameter(*index)));
    }
    let is_later = |literal: &Literal<'_>| matches!(literal, Literal::Parameter(_)) || is_by_clock(literal, column.sql_type);
    if literals.iter().any(|(literal, _)| is_later(literal)) {
        let mut cells = Vec::with_capacity(literals.len());
        for (_, expr) in literals {
            match cell(column, expr, parsed, manner)? {
                Some(cell) => cells.push(cell),
                None => return Ok(None),
            }
        }
        return Ok(Some(Source::Mixed(cells)));
    }
    let mut builder = ColumnBuilder::in_manner(column.sql_type, literals.len(), manner);
    for (literal, expr) in &literals {
        if !append(&mut builder, literal, column).map_err(|error| parsed.point(error, expr.span()))? {
            return Ok(None);
        }
    }
    Ok(Some(Source::Known(builder.finish())))
}

/// One value of a column. `Ok(None)`: it needs a query.
pub(crate) fn cell(column: &ColumnDef, expr: &Expr, parsed: &Parsed, manner: Manner) -> SqlResult<Option<Cell>> {
    let Some(literal) = literal(expr, column.sql_type) else { return Ok(None) };
    if let Literal::Parameter(index) = literal {
        return Ok(Some(Cell::Parameter(index)));
    }
    if let Literal::Text(text) = &literal
        && is_by_clock(&literal, column.sql_type)
    {
        return Ok(Some(Cell::ByClock(text.clone().into_owned())));
    }
    let mut builder = ColumnBuilder::in_manner(column.sql_type, 1, manner);
    let known = append(&mut builder, &literal, column).map_err(|error| parsed.point(error, expr.span()))?;
    Ok(known.then(|| Cell::Known(builder.finish())))
}

/// Parameters of one execution with their types.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a> {
    pub(crate) arrays: &'a [ArrayRef],
    pub(crate) types: &'a [SqlType],
    /// How the session reads and writes values, and what its clock says.
    pub(crate) reading: Reading,
}

impl Parameters<'_> {
    /// One parameter as a one-row array of the column's type, under assignment rules.
    fn assigned(&self, index: usize, column: &ColumnDef) -> SqlResult<ArrayRef> {
        let (Some(array), Some(from)) = (self.arrays.get(index), self.types.get(index)) else {
            return Err(undefined_parameter(index));
        };
        if *from == column.sql_type {
            return Ok(Arc::clone(array));
        }
        types::coerce(
            array,
            &Assignment { column: &column.name, from: *from, to: column.sql_type, from_unknown_literal: false, reading: self.reading },
        )
    }
}

/// 42P02
pub(crate) fn undefined_parameter(index: usize) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter ${}", index + 1))
}

impl Cell {
    /// The value, as one row.
    pub(crate) fn array(&self, column: &ColumnDef, parameters: Parameters<'_>) -> SqlResult<ArrayRef> {
        match self {
            Self::Known(array) => Ok(Arc::clone(array)),
            Self::Parameter(index) => parameters.assigned(*index, column),
            Self::ByClock(text) => types::parse_text_in(column.sql_type, text, parameters.reading),
        }
    }
}

impl Source {
    /// The column's values.
    pub(crate) fn array(&self, column: &ColumnDef, parameters: Parameters<'_>) -> SqlResult<ArrayRef> {
        match self {
            Self::Known(array) => Ok(Arc::clone(array)),
            Self::Parameter(index) => parameters.assigned(*index, column),
            Self::Mixed(cells) => {
                let mut arrays = Vec::with_capacity(cells.len());
                for cell in cells {
                    arrays.push(cell.array(column, parameters)?);
                }
                let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
                concat(&arrays).map_err(arrow_error)
            }
        }
    }
}
