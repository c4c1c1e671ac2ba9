//! `stddev` and `variance`, of samples and of populations.
//!
//! F34: of exact numbers they are `numeric`, computed from exact sums; of floating-point numbers they add up as Postgres does (Youngs and Cramer), so
//!     that the last digit is the same.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float64Type, Int64Type,
    i256,
};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::numerics::columns::of_i256;
use super::numerics::sums::{Answer, Distinct, Total, scalar};
use crate::exact;
use crate::functions::types;
use crate::layouts::{any_numeric, is_any_numeric};
use crate::values::numeric::Numeric;
use crate::values::numeric::spread::Spread;

/// Every aggregate of the family.
pub(super) fn aggregates() -> Vec<AggregateUDF> {
    let make = |name, is_root, is_sample| {
        let signature = Signature::user_defined(Volatility::Immutable);
        AggregateUDF::from(SpreadOf { name, spread: Spread { is_root, is_sample }, signature })
    };
    vec![
        make("stddev", true, true),
        make("stddev_samp", true, true),
        make("stddev_pop", true, false),
        make("variance", false, true),
        make("var_samp", false, true),
        make("var_pop", false, false),
    ]
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct SpreadOf {
    name: &'static str,
    spread: Spread,
    signature: Signature,
}

impl AggregateUDFImpl for SpreadOf {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = match arg_types {
            [DataType::Int8 | DataType::Int16 | DataType::Int32] => DataType::Decimal128(10, 0),
            [DataType::Int64] => DataType::Decimal128(19, 0),
            // Squares of more digits have no room in 256 bits.
            [DataType::Decimal128(..=28, 0..)] => arg_types[0].clone(),
            [DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale)] => DataType::Decimal256(*digits, *scale),
            [any] if is_any_numeric(any) => any.clone(),
            [DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Null] => DataType::Float64,
            _ => {
                let given: Vec<String> = arg_types.iter().map(types::name).collect();
                return plan_err!("No function matches the given name and argument types '{}({})'.", self.name, given.join(", "));
            }
        };
        Ok(vec![coerced])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(match arg_types {
            [data_type] if exact::is_exact(data_type) => any_numeric(),
            _ => DataType::Float64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |name: &str, data_type| Arc::new(Field::new(format!("{}[{name}]", args.name), data_type, true)) as FieldRef;
        let (sum, squares) = match args.input_fields.first().map(|field| field.data_type()) {
            Some(DataType::Decimal128(_, scale)) => (sums(*scale), squares(*scale)),
            Some(data_type) if exact::is_exact(data_type) && args.is_distinct => return Ok(Distinct::state_fields(args.name)),
            Some(data_type) if exact::is_exact(data_type) => return Ok(Total::state_fields(args.name)),
            _ => (DataType::Float64, DataType::Float64),
        };
        Ok(vec![field("count", DataType::Int64), field("sum", sum), field("squares", squares)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let spread = self.spread;
        Ok(match args.expr_fields.first().map(|field| field.data_type()) {
            Some(DataType::Decimal128(_, scale)) => Box::new(Exact { scale: *scale, count: 0, sum: 0, squares: i256::ZERO, spread }),
            Some(data_type) if exact::is_exact(data_type) && args.is_distinct => Box::new(Distinct::new(Answer::Spread(spread))),
            Some(data_type) if exact::is_exact(data_type) => Box::new(Total::new(Answer::Spread(spread))),
            _ => Box::new(Floating { count: 0, sum: 0.0, squares: 0.0, spread }),
        })
    }
}

fn sums(scale: i8) -> DataType {
    DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale)
}

fn squares(scale: i8) -> DataType {
    DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale * 2)
}

fn overflow() -> DataFusionError {
    let error = SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format");
    DataFusionError::External(Box::new(error))
}

/// Sums of exact numbers, each counted in units of its scale.
#[derive(Debug)]
struct Exact {
    scale: i8,
    count: i64,
    sum: i128,
    squares: i256,
    spread: Spread,
}

impl Exact {
    fn change(&mut self, values: &ArrayRef, sign: i128) -> Result<()> {
        for value in values.as_primitive::<Decimal128Type>().iter().flatten() {
            self.count += if sign > 0 { 1 } else { -1 };
            self.sum = self.sum.checked_add(value * sign).ok_or_else(overflow)?;
            let square = i256::from_i128(value).checked_mul(i256::from_i128(value)).ok_or_else(overflow)?;
            let total = if sign > 0 { self.squares.checked_add(square) } else { self.squares.checked_sub(square) };
            self.squares = total.ok_or_else(overflow)?;
        }
        Ok(())
    }
}

impl Accumulator for Exact {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |values| self.change(values, 1))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.first().map_or(Ok(()), |values| self.change(values, -1))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [counts, sums, squares] = states else { return Err(DataFusionError::Internal("F34: three states".to_owned())) };
        let rows = counts.as_primitive::<Int64Type>().iter().zip(sums.as_primitive::<Decimal128Type>());
        for ((count, sum), squares) in rows.zip(squares.as_primitive::<Decimal256Type>()) {
            self.count += count.unwrap_or(0);
            self.sum = self.sum.checked_add(sum.unwrap_or(0)).ok_or_else(overflow)?;
            self.squares = self.squares.checked_add(squares.unwrap_or(i256::ZERO)).ok_or_else(overflow)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (sum, squares) = (Some(self.sum), Some(self.squares));
        Ok(vec![
            ScalarValue::Int64(Some(self.count)),
            ScalarValue::Decimal128(sum, DECIMAL128_MAX_PRECISION, self.scale),
            ScalarValue::Decimal256(squares, DECIMAL256_MAX_PRECISION, self.scale * 2),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let scale = u32::from(self.scale.unsigned_abs());
        let (sum, squares) = (Numeric::new(self.sum, scale), Numeric::new(of_i256(self.squares), 2 * scale));
        let answer = self.spread.of(self.count, &sum, &squares).and_then(scalar);
        answer.map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// Sum and sum of squared distances from the mean.
#[derive(Debug)]
struct Floating {
    count: i64,
    sum: f64,
    squares: f64,
    spread: Spread,
}

impl Accumulator for Floating {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        for value in values.as_primitive::<Float64Type>().iter().flatten() {
            self.count += 1;
            self.sum += value;
            if self.count > 1 {
                let count = self.count as f64;
                let distance = value * count - self.sum;
                self.squares += distance * distance / (count * (count - 1.0));
            } else if !value.is_finite() {
                self.squares = f64::NAN;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [counts, sums, squares] = states else { return Err(DataFusionError::Internal("F34: three states".to_owned())) };
        let rows = counts.as_primitive::<Int64Type>().iter().zip(sums.as_primitive::<Float64Type>());
        for ((count, sum), squares) in rows.zip(squares.as_primitive::<Float64Type>()) {
            let (Some(count @ 1..), Some(sum), Some(squares)) = (count, sum, squares) else { continue };
            if self.count == 0 {
                (self.count, self.sum, self.squares) = (count, sum, squares);
                continue;
            }
            let (mine, others) = (self.count as f64, count as f64);
            let distance = self.sum / mine - sum / others;
            self.squares += squares + mine * others * distance * distance / (mine + others);
            self.count += count;
            self.sum += sum;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(Some(self.count)), ScalarValue::Float64(Some(self.sum)), ScalarValue::Float64(Some(self.squares))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count < 1 + i64::from(self.spread.is_sample) {
            return Ok(ScalarValue::Float64(None));
        }
        let variance = self.squares / (self.count - i64::from(self.spread.is_sample)) as f64;
        Ok(ScalarValue::Float64(Some(if self.spread.is_root { variance.sqrt() } else { variance })))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
