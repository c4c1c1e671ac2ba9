//! Of what type a series is, and the numbers of one, one after the other.
//!
//! G1: a series of integers is one of `integer` where every bound is; of `bigint` where one is; exact numbers make one of `numeric`, dates one of
//!     instants.
//! G2: a NULL bound or step makes an empty series; a step of zero is 22023.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, Int64Array, new_empty_array};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimeUnit};
use base::{SqlError, SqlResult, SqlState};

use crate::functions::numerics::columns::{Builder, Column};
use crate::layouts;
use crate::values::numeric::Numeric;

/// The type of a series whose bounds and step have these types; `None` for one that is not known. `None`: there is no such series.
pub(crate) fn type_of(args: &[Option<DataType>]) -> Option<DataType> {
    let known: Vec<&DataType> = args.iter().flatten().filter(|data_type| !data_type.is_null() && **data_type != DataType::Utf8).collect();
    let stamp = |zone: bool| DataType::Timestamp(TimeUnit::Microsecond, zone.then(|| "UTC".into()));
    let is_interval = |data_type: &&DataType| matches!(data_type, DataType::Interval(_) | DataType::Duration(_));
    let moments = known.iter().filter(|data_type| !is_interval(data_type));
    if known.iter().any(is_interval) || moments.clone().any(|data_type| matches!(data_type, DataType::Timestamp(..) | DataType::Date32)) {
        // Only where all are without a zone is the series without one.
        let is_local = moments.clone().all(|data_type| matches!(data_type, DataType::Timestamp(_, None))) && moments.count() > 0;
        return (args.len() == 3).then(|| stamp(!is_local));
    }
    let mut found = DataType::Int32;
    for data_type in known {
        found = match (data_type, &found) {
            (DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16, _) => found,
            (DataType::Int64 | DataType::UInt32 | DataType::UInt64, DataType::Int32 | DataType::Int64) => DataType::Int64,
            (DataType::Int64 | DataType::UInt32 | DataType::UInt64, _) => found,
            (DataType::Decimal128(..), _) => layouts::any_numeric(),
            (other, _) if layouts::is_any_numeric(other) => layouts::any_numeric(),
            _ => return None,
        };
    }
    Some(found)
}

/// A series under way.
#[derive(Debug)]
pub(crate) struct Series {
    data_type: DataType,
    state: State,
}

#[derive(Debug)]
enum State {
    Ended,
    Integers { next: i64, stop: i64, step: i64 },
    Numerics { next: Numeric, stop: Numeric, step: Numeric },
}

impl Series {
    /// From one-row arrays of numbers of that type. Errors: 22023 (G2).
    pub(crate) fn new(data_type: &DataType, args: &[ArrayRef]) -> SqlResult<Self> {
        let zero = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "step size cannot equal zero");
        let (Some(start), Some(stop)) = (args.first(), args.get(1)) else {
            return Err(SqlError::internal("a series has two bounds"));
        };
        let step = args.get(2);
        let is_empty = args.iter().any(|arg| Column::of(arg).is_ok_and(|column| column.is_null(0)));
        let state = if is_empty {
            State::Ended
        } else if let DataType::Int32 | DataType::Int64 = data_type {
            let number = |arg: &ArrayRef| match data_type {
                DataType::Int32 => arg.as_primitive::<Int32Type>().value(0).into(),
                _ => arg.as_primitive::<Int64Type>().value(0),
            };
            let (next, stop, step) = (number(start), number(stop), step.map_or(1, number));
            if step == 0 {
                return Err(zero());
            }
            State::Integers { next, stop, step }
        } else {
            let number = |arg: &ArrayRef| Column::of(arg)?.get(0);
            let (next, stop, step) = (number(start)?, number(stop)?, step.map_or_else(|| Ok(Numeric::integer(1)), number)?);
            for (what, value) in [("start", &next), ("stop", &stop), ("step size", &step)] {
                if value.scale().is_none() {
                    let special = if value.is_nan() { "NaN" } else { "infinity" };
                    let what = if what == "step size" { what.to_owned() } else { format!("{what} value") };
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("{what} cannot be {special}")));
                }
            }
            if step.is_zero() {
                return Err(zero());
            }
            State::Numerics { next, stop, step }
        };
        Ok(Self { data_type: data_type.clone(), state })
    }

    /// At most `limit` further values; an empty array at the end.
    pub(crate) fn take(&mut self, limit: usize) -> SqlResult<ArrayRef> {
        match &mut self.state {
            State::Ended => Ok(new_empty_array(&self.data_type)),
            State::Integers { next, stop, step } => {
                let (mut values, mut is_ended): (Vec<i64>, bool) = (Vec::new(), false);
                while !is_ended && values.len() < limit && (if *step > 0 { *next <= *stop } else { *next >= *stop }) {
                    values.push(*next);
                    match next.checked_add(*step) {
                        Some(following) => *next = following,
                        None => is_ended = true,
                    }
                }
                if is_ended {
                    self.state = State::Ended;
                }
                if self.data_type == DataType::Int64 {
                    return Ok(Arc::new(Int64Array::from(values)));
                }
                let narrow = values.into_iter().map(i32::try_from).collect::<Result<Vec<_>, _>>();
                let narrow = narrow.map_err(|_| SqlError::internal("a series left the range of its bounds"))?;
                Ok(Arc::new(Int32Array::from(narrow)))
            }
            State::Numerics { next, stop, step } => {
                let (mut values, mut count) = (Builder::with_capacity(limit.min(1_024)), 0);
                let beyond = if step.signum() > 0 { Ordering::Greater } else { Ordering::Less };
                while count < limit && next.compare(stop) != beyond {
                    values.push(next);
                    count += 1;
                    *next = next.add(step)?;
                }
                values.finish()
            }
        }
    }
}
