//! Of what type a series is, and the numbers of one, one after the other.
//!
//! G1: a series of integers is one of `integer` where every bound is; of `bigint` where one is; dates are instants.
//! G2: a NULL bound or step makes an empty series; a step of zero is 22023.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array, Int32Array, Int64Array, new_empty_array};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, TimeUnit};
use base::{SqlError, SqlResult, SqlState};

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
            (DataType::Decimal128(_, scale), DataType::Decimal128(_, known)) => DataType::Decimal128(38, *scale.max(known)),
            (DataType::Decimal128(_, scale), _) => DataType::Decimal128(38, *scale),
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
    Numbers { next: i128, stop: i128, step: i128 },
}

impl Series {
    /// From one-row arrays of numbers of that type. Errors: 22023 (G2).
    pub(crate) fn new(data_type: &DataType, args: &[ArrayRef]) -> SqlResult<Self> {
        let (data_type, ended) = (data_type.clone(), State::Ended);
        let zero = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "step size cannot equal zero");
        let (Some(start), Some(stop)) = (args.first(), args.get(1)) else {
            return Err(SqlError::internal("a series has two bounds"));
        };
        if args.iter().any(|arg| arg.is_null(0)) {
            return Ok(Self { data_type, state: ended });
        }
        let state = {
            let number = |arg: &ArrayRef| -> i128 {
                match data_type {
                    DataType::Int32 => arg.as_primitive::<Int32Type>().value(0).into(),
                    DataType::Int64 => arg.as_primitive::<Int64Type>().value(0).into(),
                    _ => arg.as_primitive::<Decimal128Type>().value(0),
                }
            };
            let one = match data_type {
                DataType::Decimal128(_, scale) => 10_i128.pow(u32::try_from(scale).unwrap_or(0)),
                _ => 1,
            };
            let step = args.get(2).map_or(one, number);
            if step == 0 {
                return Err(zero());
            }
            State::Numbers { next: number(start), stop: number(stop), step }
        };
        Ok(Self { data_type, state })
    }

    /// At most `limit` further values; an empty array at the end.
    pub(crate) fn take(&mut self, limit: usize) -> SqlResult<ArrayRef> {
        match &mut self.state {
            State::Ended => Ok(new_empty_array(&self.data_type)),
            State::Numbers { next, stop, step } => {
                let mut values: Vec<i128> = Vec::new();
                while values.len() < limit && (if *step > 0 { *next <= *stop } else { *next >= *stop }) {
                    values.push(*next);
                    match next.checked_add(*step) {
                        Some(following) => *next = following,
                        None => {
                            self.state = State::Ended;
                            break;
                        }
                    }
                }
                self.numbers(values)
            }
        }
    }

    fn numbers(&self, values: Vec<i128>) -> SqlResult<ArrayRef> {
        let beyond = || SqlError::internal("a series left the range of its bounds");
        Ok(match &self.data_type {
            DataType::Int32 => {
                let values = values.into_iter().map(i32::try_from).collect::<Result<Vec<_>, _>>().map_err(|_| beyond())?;
                Arc::new(Int32Array::from(values))
            }
            DataType::Int64 => {
                let values = values.into_iter().map(i64::try_from).collect::<Result<Vec<_>, _>>().map_err(|_| beyond())?;
                Arc::new(Int64Array::from(values))
            }
            other => Arc::new(Decimal128Array::from(values).with_data_type(other.clone())),
        })
    }
}
