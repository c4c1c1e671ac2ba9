//! `mode()` and `percentile_disc(fraction)` WITHIN GROUP: one of the values themselves, of any type that has an order; and the place that a value
//! would have among them: `rank(value)`, `dense_rank`, `percent_rank`, `cume_dist`.
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
    let hypothetical = PLACES.iter().map(|(_, name)| make(name, 2));
    [make("mode", 1), make("percentile_disc", 2)].into_iter().chain(hypothetical).collect()
}

/// Functions of a hypothetical row, and what they are called here: the window functions have the names themselves.
pub(crate) const PLACES: [(&str, &str); 4] = [
    ("rank", "hypothetical_rank"),
    ("dense_rank", "hypothetical_dense_rank"),
    ("percent_rank", "hypothetical_percent_rank"),
    ("cume_dist", "hypothetical_cume_dist"),
];

/// What is asked of the values in order.
#[derive(Clone, Debug)]
enum Asked {
    Mode,
    Fraction(f64),
    /// One of [`PLACES`] for a value.
    Place(&'static str, ScalarValue),
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
            Some(_) if self.name.ends_with("_rank") && !self.name.ends_with("percent_rank") => Ok(DataType::Int64),
            Some(_) if self.name.starts_with("hypothetical_") => Ok(DataType::Float64),
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
        let constant = |at: usize, data_type: &DataType| -> Result<Option<ArrayRef>> {
            let Some(constant) = args.exprs.get(at) else { return Ok(None) };
            let batch = arrow::array::RecordBatch::new_empty(Arc::new(args.schema.clone()));
            let value = constant.evaluate(&batch)?.into_array(1)?;
            Ok(Some(arrow::compute::cast(&value, data_type)?).filter(|value| !value.is_empty()))
        };
        let asked = match (self.name, constant(1, if self.name == "percentile_disc" { &DataType::Float64 } else { &data_type })?) {
            ("mode", _) => Asked::Mode,
            ("percentile_disc", fraction) => {
                let known = fraction.filter(|fraction| fraction.is_valid(0));
                Asked::Fraction(known.map_or(Ok(0.0), |fraction| in_range(fraction.as_primitive::<Float64Type>().value(0)))?)
            }
            (name, value) => {
                let value = value.map_or_else(|| ScalarValue::try_from(&data_type), |value| ScalarValue::try_from_array(&value, 0))?;
                Asked::Place(name, value)
            }
        };
        Ok(Box::new(Values { data_type, kept: Vec::new(), asked, descending }))
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
    asked: Asked,
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

impl Values {
    /// The place of a value among those that are not NULL, which stand before all NULLs, or after them if the greatest comes first.
    fn place(&self, name: &str, value: &ScalarValue, sorted: &ArrayRef) -> Result<ScalarValue> {
        let (mut before, mut equal, mut distinct) = (0_i64, 0_i64, 0_i64);
        let mut last = None;
        let nulls = (self.kept.iter().map(Array::len).sum::<usize>() - sorted.len()) as i64;
        if self.descending && nulls > 0 {
            (before, distinct) = (nulls, 1);
        }
        for row in 0..sorted.len() {
            let other = ScalarValue::try_from_array(sorted, row)?;
            let order = match other.partial_cmp(value) {
                Some(order) if self.descending => order.reverse(),
                Some(order) => order,
                // Everything stands before NULL.
                None => std::cmp::Ordering::Less,
            };
            match order {
                std::cmp::Ordering::Less => {
                    before += 1;
                    distinct += i64::from(last.as_ref() != Some(&other));
                    last = Some(other);
                }
                std::cmp::Ordering::Equal => equal += 1,
                std::cmp::Ordering::Greater => break,
            }
        }
        let rows = self.kept.iter().map(Array::len).sum::<usize>() as f64;
        Ok(match name {
            "hypothetical_rank" => ScalarValue::Int64(Some(before + 1)),
            "hypothetical_dense_rank" => ScalarValue::Int64(Some(distinct + 1)),
            "hypothetical_percent_rank" => ScalarValue::Float64(Some(if rows > 0.0 { before as f64 / rows } else { 0.0 })),
            _ => ScalarValue::Float64(Some((before + equal + 1) as f64 / (rows + 1.0))),
        })
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
        let values = match self.asked {
            // A place counts the NULLs too.
            Asked::Place(..) if !self.kept.is_empty() => concat(&self.kept.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())?,
            _ => self.sorted()?,
        };
        let values = (0..values.len()).map(|row| ScalarValue::try_from_array(&values, row)).collect::<Result<Vec<_>>>()?;
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &self.data_type))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let values = self.sorted()?;
        if let Asked::Place(name, value) = &self.asked {
            return self.place(name, value, &values);
        }
        if values.is_empty() {
            return ScalarValue::try_from(&self.data_type);
        }
        let at = match self.asked {
            Asked::Fraction(fraction) => ((fraction * values.len() as f64).ceil() as usize).max(1) - 1,
            _ => most_frequent(&values)?,
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
