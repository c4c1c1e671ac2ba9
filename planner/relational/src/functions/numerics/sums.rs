//! Sums, averages and spreads of numbers of any length, exact in every digit.
//!
//! A1: NaN and infinities are counted, not added, so that they can be taken out of a moving frame again.
//! A2: the scale of a sum is the largest of the values in it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use base::{SqlError, SqlResult};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::columns::{Builder, Column, collect};
use crate::layouts::any_numeric;
use crate::values::numeric::bytes;
use crate::values::numeric::spread::Spread;
use crate::values::numeric::{Numeric, rescaled};

/// What comes out at the end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Answer {
    Sum,
    Average,
    Spread(Spread),
}

/// Sums of the values so far.
#[derive(Debug)]
pub(crate) struct Total {
    answer: Answer,
    count: i64,
    nans: i64,
    infinities: i64,
    negative_infinities: i64,
    sum: Numeric,
    /// Only for a spread.
    squares: Numeric,
    /// How many values have each scale (A2); of those merged, their sum's.
    scales: BTreeMap<u32, i64>,
}

fn failed(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl Total {
    pub(crate) fn new(answer: Answer) -> Self {
        let (sum, squares) = (Numeric::zero(), Numeric::zero());
        Self { answer, count: 0, nans: 0, infinities: 0, negative_infinities: 0, sum, squares, scales: BTreeMap::new() }
    }

    /// The fields of its state.
    pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
        let field = |part: &str, data_type| Arc::new(Field::new(format!("{name}[{part}]"), data_type, true)) as FieldRef;
        let counts = ["count", "nans", "infinities", "negative infinities"].map(|part| field(part, DataType::Int64));
        let sums = ["sum", "squares"].map(|part| field(part, any_numeric()));
        counts.into_iter().chain(sums).collect()
    }

    /// Adds a value, or takes one out that was added.
    fn change(&mut self, value: &Numeric, by: i64) -> SqlResult<()> {
        self.count += by;
        match value {
            Numeric::NaN => self.nans += by,
            Numeric::Infinity => self.infinities += by,
            Numeric::NegativeInfinity => self.negative_infinities += by,
            Numeric::Finite { scale, .. } => {
                *self.scales.entry(*scale).or_default() += by;
                self.sum = if by > 0 { self.sum.add(value)? } else { self.sum.subtract(value)? };
                if let Answer::Spread(_) = self.answer {
                    let square = value.multiply(value)?;
                    self.squares = if by > 0 { self.squares.add(&square)? } else { self.squares.subtract(&square)? };
                }
            }
        }
        Ok(())
    }

    fn change_all(&mut self, values: &[ArrayRef], by: i64) -> Result<()> {
        let Some(array) = values.first() else { return Ok(()) };
        let column = Column::of(array).map_err(failed)?;
        for row in (0..array.len()).filter(|row| !column.is_null(*row)) {
            self.change(&column.get(row).map_err(failed)?, by).map_err(failed)?;
        }
        Ok(())
    }

    /// The sum, with A1 and A2.
    fn whole_sum(&self) -> Numeric {
        if self.nans > 0 || (self.infinities > 0 && self.negative_infinities > 0) {
            return Numeric::NaN;
        }
        if self.infinities > 0 {
            return Numeric::Infinity;
        }
        if self.negative_infinities > 0 {
            return Numeric::NegativeInfinity;
        }
        let shown = self.scales.iter().rev().find(|(_, count)| **count > 0).map_or(0, |(scale, _)| *scale);
        match &self.sum {
            Numeric::Finite { unscaled, scale } => Numeric::new(rescaled(unscaled, *scale, shown), shown),
            special => special.clone(),
        }
    }

    fn answered(&self) -> SqlResult<Option<Numeric>> {
        if self.count == 0 {
            return Ok(None);
        }
        let sum = self.whole_sum();
        match self.answer {
            Answer::Sum => Ok(Some(sum)),
            Answer::Average => sum.divide(&Numeric::integer(self.count)).map(Some),
            Answer::Spread(spread) => spread.of(self.count, &sum, &self.squares),
        }
    }

    fn merge(&mut self, states: &[ArrayRef]) -> SqlResult<()> {
        let [counts, nans, infinities, negative_infinities, sums, squares] = states else {
            return Err(SqlError::internal("A1: six states"));
        };
        let number = |array: &ArrayRef, row: usize| array.as_primitive::<Int64Type>().value(row);
        let (sums, squares) = (Column::of(sums)?, Column::of(squares)?);
        for row in (0..counts.len()).filter(|row| counts.is_valid(*row)) {
            self.count += number(counts, row);
            self.nans += number(nans, row);
            self.infinities += number(infinities, row);
            self.negative_infinities += number(negative_infinities, row);
            let sum = sums.get(row)?;
            if number(counts, row) > 0 {
                *self.scales.entry(sum.scale().unwrap_or(0)).or_default() += 1;
            }
            self.sum = self.sum.add(&sum)?;
            self.squares = self.squares.add(&squares.get(row)?)?;
        }
        Ok(())
    }
}

/// One number as a scalar.
pub(crate) fn scalar(value: Option<Numeric>) -> SqlResult<ScalarValue> {
    let array = collect([Ok(value)].into_iter())?;
    ScalarValue::try_from_array(&array, 0).map_err(|error| SqlError::internal(format!("Y3: {error}")))
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.change_all(values, 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.change_all(values, -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.merge(states).map_err(failed)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let shown = self.scales.iter().rev().find(|(_, count)| **count > 0).map_or(0, |(scale, _)| *scale);
        let sum = match &self.sum {
            Numeric::Finite { unscaled, scale } => Numeric::new(rescaled(unscaled, *scale, shown), shown),
            special => special.clone(),
        };
        let counts = [self.count, self.nans, self.infinities, self.negative_infinities].map(|count| ScalarValue::Int64(Some(count)));
        let sums = [scalar(Some(sum)).map_err(failed)?, scalar(Some(self.squares.clone())).map_err(failed)?];
        Ok(counts.into_iter().chain(sums).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.answered().and_then(scalar).map_err(failed)
    }

    fn size(&self) -> usize {
        size_of_val(self) + 64
    }
}

/// Values that are different numbers, gathered before they are added.
#[derive(Debug)]
pub(crate) struct Distinct {
    answer: Answer,
    /// Whole bytes, by their keys.
    values: HashSet<Vec<u8>>,
    kept: Vec<Vec<u8>>,
}

impl Distinct {
    pub(crate) fn new(answer: Answer) -> Self {
        Self { answer, values: HashSet::new(), kept: Vec::new() }
    }

    /// The field of its state.
    pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
        vec![Arc::new(Field::new(format!("{name}[distinct]"), DataType::new_list(any_numeric(), true), true))]
    }

    fn keep(&mut self, array: &ArrayRef) -> Result<()> {
        let column = Column::of(array).map_err(failed)?;
        let mut value = Vec::new();
        for row in (0..array.len()).filter(|row| !column.is_null(*row)) {
            value.clear();
            bytes::write(&column.get(row).map_err(failed)?, &mut value);
            if self.values.insert(bytes::key(&value).to_vec()) {
                self.kept.push(value.clone());
            }
        }
        Ok(())
    }

    fn column(&self) -> SqlResult<ArrayRef> {
        let mut builder = Builder::with_capacity(self.kept.len());
        for value in &self.kept {
            builder.push(&bytes::read(value)?);
        }
        builder.finish()
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |array| self.keep(array))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first() else { return Ok(()) };
        lists.as_list::<i32>().iter().flatten().try_for_each(|values| self.keep(&values))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.column().map_err(failed)?;
        let DataType::List(item) = DataType::new_list(any_numeric(), true) else { return Ok(vec![]) };
        let list = ListArray::try_new(item, arrow::buffer::OffsetBuffer::from_lengths([values.len()]), values, None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut total = Total::new(self.answer);
        total.update_batch(&[self.column().map_err(failed)?])?;
        total.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.iter().map(|value| value.len() * 2 + 96).sum::<usize>()
    }
}
