//! `generate_series` of timestamps: the array that a FROM item unnests.
//!
//! F45: each value is the one before it and the step, by the rules of `+`; a series of dates is one of instants.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType, TimeUnit, TimestampMicrosecondType};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::intervals::shifted;
use super::native::{no_match, strict_in_manner};
use crate::layouts::{self, INTERVAL};
use crate::values::interval::Interval;
use crate::values::manner::Manner;

/// More values than a series of a query in use has.
const LENGTH_MAX: usize = 16 << 20;

pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![strict_in_manner("moment_series", types, |types| layouts::array_of(types[0].clone()), series)]
}

fn types(given: &[DataType]) -> Result<Vec<DataType>> {
    let [first, last, _] = given else { return no_match() };
    let is_plain = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, None));
    let is_open = |data_type: &DataType| layouts::is_text(data_type) || data_type.is_null();
    let is_moment = |data_type: &DataType| matches!(data_type, DataType::Timestamp(..) | DataType::Date32) || is_open(data_type);
    if !is_moment(first) || !is_moment(last) {
        return no_match();
    }
    let of_plain = (is_plain(first) && (is_plain(last) || is_open(last))) || (is_open(first) && is_plain(last));
    let moment = DataType::Timestamp(TimeUnit::Microsecond, (!of_plain).then(|| "UTC".into()));
    Ok(vec![moment.clone(), moment, INTERVAL])
}

fn series(args: &[ArrayRef], rows: usize, returns: &DataType, manner: &Manner) -> SqlResult<ArrayRef> {
    let DataType::List(item) = returns else { return Err(SqlError::internal("F45: the answer is no array")) };
    let zone = matches!(item.data_type(), DataType::Timestamp(_, Some(_))).then_some(manner.zone);
    let (firsts, lasts) = (args[0].as_primitive::<TimestampMicrosecondType>(), args[1].as_primitive::<TimestampMicrosecondType>());
    let steps = args[2].as_primitive::<IntervalMonthDayNanoType>();
    let (mut values, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
    for row in 0..rows {
        let before = values.len();
        if args.iter().all(|arg| arg.is_valid(row)) {
            let step = Interval::from_arrow(steps.value(row));
            let (mut at, last) = (firsts.value(row), lasts.value(row));
            let direction = step.span().signum();
            if direction == 0 {
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "step size cannot equal zero"));
            }
            while if direction > 0 { at <= last } else { at >= last } {
                values.push(at);
                if values.len() > LENGTH_MAX {
                    return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("a series has at most {LENGTH_MAX} values")));
                }
                at = shifted(at, step, zone).ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range"))?;
            }
        }
        lengths.push(values.len() - before);
    }
    let values: ArrayRef = Arc::new(TimestampMicrosecondArray::from(values).with_data_type(item.data_type().clone()));
    let list = ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(lengths), values, None);
    Ok(Arc::new(list.map_err(|error| SqlError::internal(format!("F45: {error}")))?))
}
