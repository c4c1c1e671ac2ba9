//! The operators of `numeric` as functions: arithmetic and comparison.
//!
//! O1: operands are any exact numbers; results are `numeric` with their own display scales.
//! O2: what fits 38 digits is computed without allocating, with the same answer.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, Int32Array, StringBuilder};
use arrow::compute::kernels::numeric::neg;
use arrow::datatypes::{DataType, Int32Type};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::columns::{Builder, Column, collect};
use crate::exact;
use crate::functions::native::{lenient, no_match, strict};
use crate::functions::types;
use crate::layouts;
use crate::values::numeric::{Limit, Numeric, small};

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let any = |_: &[DataType]| layouts::any_numeric();
    let boolean = |_: &[DataType]| DataType::Boolean;
    vec![
        strict("numeric_add", two_numbers, any, |args, rows, _| compute(args, rows, small::add, Numeric::add)),
        strict("numeric_sub", two_numbers, any, |args, rows, _| compute(args, rows, small::subtract, Numeric::subtract)),
        strict("numeric_mul", two_numbers, any, |args, rows, _| compute(args, rows, small::multiply, Numeric::multiply)),
        strict("numeric_div", two_numbers, any, |args, rows, _| compute(args, rows, small::divide, Numeric::divide)),
        strict("numeric_mod", two_numbers, any, |args, rows, _| compute(args, rows, small::remainder, Numeric::remainder)),
        strict("numeric_eq", two_numbers, boolean, |args, rows, _| compare(args, rows, Ordering::is_eq)),
        strict("numeric_ne", two_numbers, boolean, |args, rows, _| compare(args, rows, Ordering::is_ne)),
        strict("numeric_lt", two_numbers, boolean, |args, rows, _| compare(args, rows, Ordering::is_lt)),
        strict("numeric_le", two_numbers, boolean, |args, rows, _| compare(args, rows, Ordering::is_le)),
        strict("numeric_gt", two_numbers, boolean, |args, rows, _| compare(args, rows, Ordering::is_gt)),
        strict("numeric_ge", two_numbers, boolean, |args, rows, _| compare(args, rows, Ordering::is_ge)),
        strict("negate", one_signed, |types| types[0].clone(), |args, _, _| negate(&args[0])),
        lenient("numeric_greatest", any_numbers, any, |args, rows, _| first_of(args, rows, Ordering::Greater)),
        lenient("numeric_least", any_numbers, any, |args, rows, _| first_of(args, rows, Ordering::Less)),
        strict("numeric_order", one_number, |_| DataType::Utf8, |args, _, _| order(&args[0])),
        strict("numeric_trimmed", one_number, any, |args, _, _| trimmed(&args[0])),
        strict("positive", one_signed, |types| types[0].clone(), |args, _, _| Ok(Arc::clone(&args[0]))),
        strict("numeric_limited", a_number_and_limit, any, |args, rows, _| limited(args, rows)),
    ]
}

fn two_numbers(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [left, right] if [left, right].iter().all(|side| side.is_null() || exact::is_exact(side)) => Ok(types.to_vec()),
        _ => no_match(),
    }
}

fn one_signed(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [of] if of.is_null() || of.is_signed_integer() || of.is_floating() || exact::is_exact(of) => Ok(types.to_vec()),
        [DataType::Interval(_) | DataType::Duration(_)] => Ok(types.to_vec()),
        _ => no_match(),
    }
}

fn any_numbers(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.iter().all(|of| of.is_null() || exact::is_exact(of)) { Ok(types.to_vec()) } else { no_match() }
}

fn one_number(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [of] if of.is_null() || exact::is_exact(of) => Ok(types.to_vec()),
        _ => no_match(),
    }
}

fn a_number_and_limit(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [number, _, _] if exact::is_exact(number) || number.is_null() => Ok(vec![number.clone(), DataType::Int32, DataType::Int32]),
        _ => no_match(),
    }
}

/// An operation on unscaled values with their scales (O2).
type Short = fn((i128, u32), (i128, u32)) -> Option<(i128, u32)>;

fn compute(args: &[ArrayRef], rows: usize, short: Short, long: fn(&Numeric, &Numeric) -> SqlResult<Numeric>) -> SqlResult<ArrayRef> {
    let (left, right) = (Column::of(&args[0])?, Column::of(&args[1])?);
    let mut builder = Builder::with_capacity(rows);
    for row in 0..rows {
        if left.is_null(row) || right.is_null(row) {
            builder.push_null();
            continue;
        }
        // O2
        let short = left.small(row).zip(right.small(row)).and_then(|(left, right)| short(left, right));
        match short {
            Some(answer) => builder.push_small(answer),
            None => builder.push(&long(&left.get(row)?, &right.get(row)?)?),
        }
    }
    builder.finish()
}

fn compare(args: &[ArrayRef], rows: usize, holds: fn(Ordering) -> bool) -> SqlResult<ArrayRef> {
    let (left, right) = (Column::of(&args[0])?, Column::of(&args[1])?);
    let mut builder = BooleanBuilder::with_capacity(rows);
    for row in 0..rows {
        if left.is_null(row) || right.is_null(row) {
            builder.append_null();
            continue;
        }
        let short = left.small(row).zip(right.small(row)).and_then(|(left, right)| small::compare(left, right));
        let order = match short {
            Some(order) => order,
            None => left.get(row)?.compare(&right.get(row)?),
        };
        builder.append_value(holds(order));
    }
    Ok(Arc::new(builder.finish()))
}

fn negate(array: &ArrayRef) -> SqlResult<ArrayRef> {
    if layouts::is_any_numeric(array.data_type()) {
        let column = Column::of(array)?;
        let negated = |row| if column.is_null(row) { Ok(None) } else { Ok(Some(column.get(row)?.negated())) };
        return collect((0..array.len()).map(negated));
    }
    neg(array).map_err(|_| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{} out of range", types::name(array.data_type()))))
}

/// `greatest` and `least`: of equal numbers the first, of NULLs none.
fn first_of(args: &[ArrayRef], rows: usize, wanted: Ordering) -> SqlResult<ArrayRef> {
    let columns = args.iter().map(Column::of).collect::<SqlResult<Vec<_>>>()?;
    let pick = |row: usize| {
        let mut best: Option<Numeric> = None;
        for column in columns.iter().filter(|column| !column.is_null(row)) {
            let value = column.get(row)?;
            if best.as_ref().is_none_or(|best| value.compare(best) == wanted) {
                best = Some(value);
            }
        }
        Ok(best)
    };
    collect((0..rows).map(pick))
}

/// A text that sorts as the number does, for frames, which know no bytes.
fn order(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let keys = super::columns::keys(array)?;
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 20);
    for key in keys.as_binary::<i32>() {
        texts.append_option(
            key.map(|key| key.iter().fold(String::with_capacity(key.len() * 2), |text, byte| text + &format!("{byte:02x}"))),
        );
    }
    Ok(Arc::new(texts.finish()))
}

/// Equal numbers as equal bytes.
fn trimmed(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let column = Column::of(array)?;
    let trimmed = |row| if column.is_null(row) { Ok(None) } else { Ok(Some(column.get(row)?.trimmed())) };
    collect((0..array.len()).map(trimmed))
}

/// `numeric_limited(number, precision, scale)`: what a cast to `numeric(precision, scale)` does.
fn limited(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let number = |at: usize| -> SqlResult<&Int32Array> {
        args.get(at).and_then(|array| array.as_primitive_opt::<Int32Type>()).ok_or_else(|| SqlError::internal("a limit is two integers"))
    };
    let (precision, scale) = (number(1)?, number(2)?);
    if rows == 0 {
        return Builder::with_capacity(0).finish();
    }
    let limit = Limit { precision: precision.value(0) as u16, scale: scale.value(0) as i16 };
    super::casts::limit(&args[0], limit)
}
