//! `mode()` and `percentile_disc(fraction)` WITHIN GROUP: one of the values themselves, of any type that has an order.
//!
//! F33: every value of the group is kept until its end, as `percentile_cont` keeps them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{SortOptions, concat, sort_to_indices, take};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::numerics::columns::keys;

/// Every aggregate of the family.
pub(super) fn aggregates() -> Vec<AggregateUDF> {
    let make = |name, args| AggregateUDF::from(OrderedSet { name, signature: Signature::any(args, Volatility::Immutable) });
    vec![make("mode", 1), make("percentile_disc", 2)]
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct OrderedSet {
    name: &'static str,
    signature: Signature,
}

impl AggregateUDFImpl for OrderedSet {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.first() {
            Some(data_type) => Ok(data_type.clone()),
            None => plan_err!("WITHIN GROUP is required for ordered-set aggregate {}", self.name),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let data_type = args.input_fields.first().map_or(DataType::Null, |field| field.data_type().clone());
        Ok(vec![Arc::new(Field::new("values", DataType::new_list(data_type, true), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let data_type = args.expr_fields.first().map_or(DataType::Null, |field| field.data_type().clone());
        let descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        let fraction = match args.exprs.get(1) {
            None => None,
            Some(fraction) => {
                let batch = arrow::array::RecordBatch::new_empty(Arc::new(args.schema.clone()));
                let fraction = fraction.evaluate(&batch)?.into_array(1)?;
                let fraction = arrow::compute::cast(&fraction, &DataType::Float64)?;
                let fraction = fraction.as_primitive::<Float64Type>();
                Some(if fraction.is_empty() || fraction.is_null(0) { 0.0 } else { in_range(fraction.value(0))? })
            }
        };
        Ok(Box::new(Values { data_type, kept: Vec::new(), fraction, descending }))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }
}

fn in_range(fraction: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&fraction) {
        return Ok(fraction);
    }
    let message = format!("percentile value {fraction} is not between 0 and 1");
    Err(DataFusionError::External(Box::new(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message))))
}

#[derive(Debug)]
struct Values {
    data_type: DataType,
    kept: Vec<ArrayRef>,
    /// `None` for the mode.
    fraction: Option<f64>,
    descending: bool,
}

impl Values {
    /// The values that are not NULL, in order.
    fn sorted(&self) -> Result<ArrayRef> {
        let arrays: Vec<&dyn Array> = self.kept.iter().map(AsRef::as_ref).collect();
        if arrays.is_empty() {
            return Ok(arrow::array::new_empty_array(&self.data_type));
        }
        let all = concat(&arrays)?;
        let options = SortOptions { descending: self.descending, nulls_first: false };
        let keys = keys(&all).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let indices = sort_to_indices(&keys, Some(options), Some(all.len() - all.logical_null_count()))?;
        Ok(take(&all, &indices, None)?)
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.kept.extend(values.first().cloned());
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first() else { return Ok(()) };
        self.kept.extend(lists.as_list::<i32>().iter().flatten());
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.sorted()?;
        let values = (0..values.len()).map(|row| ScalarValue::try_from_array(&values, row)).collect::<Result<Vec<_>>>()?;
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &self.data_type))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let values = self.sorted()?;
        if values.is_empty() {
            return ScalarValue::try_from(&self.data_type);
        }
        let at = match self.fraction {
            Some(fraction) => ((fraction * values.len() as f64).ceil() as usize).max(1) - 1,
            None => most_frequent(&values)?,
        };
        ScalarValue::try_from_array(&values, at)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.iter().map(|array| array.get_array_memory_size()).sum::<usize>()
    }
}

/// Index of the first of the most frequent values of a sorted array.
fn most_frequent(values: &ArrayRef) -> Result<usize> {
    let keys = keys(values).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let groups = arrow::compute::partition(&[keys])?.ranges();
    // Of ties the first.
    let longest = groups.iter().rev().max_by_key(|range| range.len());
    Ok(longest.map_or(0, |range| range.start))
}
