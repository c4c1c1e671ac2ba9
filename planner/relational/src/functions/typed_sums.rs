//! Sums that the engine would make in another type: of `real` in `real`, of intervals field by field; and averages of intervals.
//!
//! F43: a sum of `real` rounds to `real` with every value that it adds.
//! F44: an average of intervals is their sum divided as an interval is divided by a number.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Int64Type, IntervalMonthDayNanoType};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use crate::layouts::INTERVAL;
use crate::values::interval::Interval;

/// F43.
#[derive(Debug, Default)]
pub(super) struct RealSum {
    count: i64,
    sum: f32,
}

impl RealSum {
    pub(super) fn state_fields(name: &str) -> Vec<FieldRef> {
        state_fields(name, DataType::Float32)
    }

    fn change(&mut self, by: f32, count: i64) -> Result<()> {
        let sum = self.sum + by;
        if sum.is_infinite() && self.sum.is_finite() && by.is_finite() {
            let error = SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow");
            return Err(DataFusionError::External(Box::new(error)));
        }
        self.sum = sum;
        self.count += count;
        Ok(())
    }
}

fn state_fields(name: &str, sum: DataType) -> Vec<FieldRef> {
    let field = |state: &str, data_type| Arc::new(Field::new(format!("{name}[{state}]"), data_type, true)) as FieldRef;
    vec![field("sum", sum), field("count", DataType::Int64)]
}

impl Accumulator for RealSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        values.as_primitive::<Float32Type>().iter().flatten().try_for_each(|value| self.change(value, 1))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        values.as_primitive::<Float32Type>().iter().flatten().try_for_each(|value| self.change(-value, -1))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [sums, counts] = states else { return Err(DataFusionError::Internal("F43: two states".to_owned())) };
        for (sum, count) in sums.as_primitive::<Float32Type>().iter().zip(counts.as_primitive::<Int64Type>()) {
            if let (Some(sum), Some(count @ 1..)) = (sum, count) {
                self.change(sum, count)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Float32(Some(self.sum)), ScalarValue::Int64(Some(self.count))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float32((self.count > 0).then_some(self.sum)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// Of intervals: their sum, or their average (F44).
#[derive(Debug)]
pub(super) struct Spans {
    count: i64,
    sum: Interval,
    is_average: bool,
}

impl Spans {
    pub(super) fn new(is_average: bool) -> Self {
        Self { count: 0, sum: Interval::default(), is_average }
    }

    pub(super) fn state_fields(name: &str) -> Vec<FieldRef> {
        state_fields(name, INTERVAL)
    }

    fn change(&mut self, by: Interval, count: i64) -> Result<()> {
        self.sum = self.sum.plus(by).map_err(failed)?;
        self.count += count;
        Ok(())
    }
}

fn failed(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn intervals(values: &ArrayRef) -> impl Iterator<Item = Option<Interval>> + '_ {
    values.as_primitive::<IntervalMonthDayNanoType>().iter().map(|value| value.map(Interval::from_arrow))
}

impl Accumulator for Spans {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        intervals(values).flatten().try_for_each(|value| self.change(value, 1))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        intervals(values).flatten().try_for_each(|value| self.change(value.negate().map_err(failed)?, -1))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [sums, counts] = states else { return Err(DataFusionError::Internal("F44: two states".to_owned())) };
        for (sum, count) in intervals(sums).zip(counts.as_primitive::<Int64Type>()) {
            if let (Some(sum), Some(count @ 1..)) = (sum, count) {
                self.change(sum, count)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = self.sum.to_arrow().map_err(failed)?;
        Ok(vec![ScalarValue::IntervalMonthDayNano(Some(sum)), ScalarValue::Int64(Some(self.count))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return Ok(ScalarValue::IntervalMonthDayNano(None));
        }
        let answer = if self.is_average { self.sum.over(self.count as f64).map_err(failed)? } else { self.sum };
        Ok(ScalarValue::IntervalMonthDayNano(Some(answer.to_arrow().map_err(failed)?)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
