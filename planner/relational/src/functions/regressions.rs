//! Aggregates over pairs of numbers: `corr`, `covar_pop`, `covar_samp`, `regr_…`.
//!
//! F42: pairs are added up as Postgres adds them (Youngs and Cramer), so that the last digit is the same; a pair with a NULL is none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::conversions::convert;
use crate::functions::types;
use crate::layouts::is_any_numeric;

/// Every aggregate of the family: name and what it answers.
const FAMILY: [(&str, Answer); 12] = [
    ("corr", |sums| known(sums.xx != 0.0 && sums.yy != 0.0, sums.xy / (sums.xx * sums.yy).sqrt())),
    ("covar_pop", |sums| Some(sums.xy / sums.count)),
    ("covar_samp", |sums| known(sums.count > 1.0, sums.xy / (sums.count - 1.0))),
    ("regr_avgx", |sums| Some(sums.x / sums.count)),
    ("regr_avgy", |sums| Some(sums.y / sums.count)),
    ("regr_count", |sums| Some(sums.count)),
    ("regr_intercept", |sums| known(sums.xx != 0.0, (sums.y - sums.x * sums.xy / sums.xx) / sums.count)),
    ("regr_r2", |sums| known(sums.xx != 0.0, if sums.yy == 0.0 { 1.0 } else { (sums.xy * sums.xy) / (sums.xx * sums.yy) })),
    ("regr_slope", |sums| known(sums.xx != 0.0, sums.xy / sums.xx)),
    ("regr_sxx", |sums| Some(sums.xx)),
    ("regr_sxy", |sums| Some(sums.xy)),
    ("regr_syy", |sums| Some(sums.yy)),
];

/// Of at least one pair.
type Answer = fn(&Sums) -> Option<f64>;

fn known(is_known: bool, answer: f64) -> Option<f64> {
    is_known.then_some(answer)
}

pub(super) fn aggregates() -> Vec<AggregateUDF> {
    let make = |(name, _): &(&'static str, Answer)| {
        AggregateUDF::from(OfPairs { name, signature: Signature::user_defined(Volatility::Immutable) })
    };
    FAMILY.iter().map(make).collect()
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct OfPairs {
    name: &'static str,
    signature: Signature,
}

impl AggregateUDFImpl for OfPairs {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [y, x] if [y, x].into_iter().all(|side| side.is_numeric() || side.is_null() || is_any_numeric(side)) => {
                // Numbers of any length are read here: the engine has no cast for them.
                let each = |side: &DataType| if is_any_numeric(side) { side.clone() } else { DataType::Float64 };
                Ok(vec![each(y), each(x)])
            }
            _ => {
                let given: Vec<String> = given.iter().map(types::name).collect();
                plan_err!("No function matches the given name and argument types '{}({})'.", self.name, given.join(", "))
            }
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(if self.name == "regr_count" { DataType::Int64 } else { DataType::Float64 })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |at: usize| Arc::new(Field::new(format!("{}[{at}]", args.name), DataType::Float64, true)) as FieldRef;
        Ok((0..STATES).map(field).collect())
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let answer = FAMILY.iter().find(|(name, _)| *name == self.name).map(|(_, answer)| *answer);
        let answer = answer.ok_or_else(|| DataFusionError::Internal(format!("F42: no aggregate {}", self.name)))?;
        Ok(Box::new(Pairs { sums: Sums::default(), answer, is_count: self.name == "regr_count" }))
    }
}

/// Sums of the values, and of products of their distances from the means.
#[derive(Clone, Copy, Default, Debug)]
struct Sums {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

/// Fields of [`Sums`].
const STATES: usize = 6;

impl Sums {
    fn add(&mut self, y: f64, x: f64) -> Result<()> {
        let before = *self;
        self.count += 1.0;
        self.x += x;
        self.y += y;
        if before.count == 0.0 {
            if !x.is_finite() {
                (self.xx, self.xy) = (f64::NAN, f64::NAN);
            }
            if !y.is_finite() {
                (self.yy, self.xy) = (f64::NAN, f64::NAN);
            }
            return Ok(());
        }
        let (from_x, from_y) = (x * self.count - self.x, y * self.count - self.y);
        let scale = 1.0 / (self.count * before.count);
        self.xx += from_x * from_x * scale;
        self.yy += from_y * from_y * scale;
        self.xy += from_x * from_y * scale;
        let overflows = |sum: f64, product: f64, sum_before: f64, value: f64| {
            (sum.is_infinite() || product.is_infinite()) && !sum_before.is_infinite() && !value.is_infinite()
        };
        if overflows(self.x, self.xx, before.x, x)
            || overflows(self.y, self.yy, before.y, y)
            || (self.xy.is_infinite() && [before.x, x, before.y, y].iter().all(|value| !value.is_infinite()))
        {
            return Err(overflow());
        }
        for product in [&mut self.xx, &mut self.yy, &mut self.xy] {
            if product.is_infinite() {
                *product = f64::NAN;
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        if other.count == 0.0 {
            return Ok(());
        }
        if self.count == 0.0 {
            *self = *other;
            return Ok(());
        }
        let count = self.count + other.count;
        let (apart_x, apart_y) = (self.x / self.count - other.x / other.count, self.y / self.count - other.y / other.count);
        let weight = self.count * other.count;
        *self = Self {
            count,
            x: self.x + other.x,
            y: self.y + other.y,
            xx: self.xx + other.xx + weight * apart_x * apart_x / count,
            yy: self.yy + other.yy + weight * apart_y * apart_y / count,
            xy: self.xy + other.xy + weight * apart_x * apart_y / count,
        };
        let was_finite = |values: [f64; 2]| values.iter().all(|value| !value.is_infinite());
        let overflows = [self.x, self.y, self.xx, self.yy, self.xy].iter().any(|sum| sum.is_infinite());
        if overflows && was_finite([apart_x, apart_y]) { Err(overflow()) } else { Ok(()) }
    }
}

fn overflow() -> DataFusionError {
    DataFusionError::External(Box::new(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")))
}

#[derive(Debug)]
struct Pairs {
    sums: Sums,
    answer: Answer,
    is_count: bool,
}

impl Accumulator for Pairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [y, x] = values else { return Err(DataFusionError::Internal("F42: two arguments".to_owned())) };
        let floating = |side: &ArrayRef| convert(side, &DataType::Float64).map_err(|error| DataFusionError::External(Box::new(error)));
        let (y, x) = (floating(y)?, floating(x)?);
        for (y, x) in y.as_primitive::<Float64Type>().iter().zip(x.as_primitive::<Float64Type>()) {
            if let (Some(y), Some(x)) = (y, x) {
                self.sums.add(y, x)?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns: Vec<_> = states.iter().map(|state| state.as_primitive::<Float64Type>()).collect();
        let [counts, xs, ys, xxs, yys, xys] = columns.as_slice() else {
            return Err(DataFusionError::Internal("F42: six states".to_owned()));
        };
        for row in (0..counts.len()).filter(|row| counts.is_valid(*row)) {
            let of = |column: &arrow::array::Float64Array| column.value(row);
            self.sums.merge(&Sums { count: of(counts), x: of(xs), y: of(ys), xx: of(xxs), yy: of(yys), xy: of(xys) })?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Sums { count, x, y, xx, yy, xy } = self.sums;
        Ok([count, x, y, xx, yy, xy].map(|sum| ScalarValue::Float64(Some(sum))).to_vec())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.is_count {
            return Ok(ScalarValue::Int64(Some(self.sums.count as i64)));
        }
        Ok(ScalarValue::Float64(if self.sums.count < 1.0 { None } else { (self.answer)(&self.sums) }))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
