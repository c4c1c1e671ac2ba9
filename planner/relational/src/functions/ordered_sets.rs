//! `mode()` and `percentile_disc(fraction)` WITHIN GROUP: one of the values themselves, of any type that has an order; `percentile_cont(fraction)`:
//! a number or an interval between two of them; and the place that a value would have among them: `rank(value)`, `dense_rank`, `percent_rank`,
//! `cume_dist`.
//!
//! F33: every value of the group is kept until its end.
//! F46: of an array of fractions the answer is an array, NULL where the fraction is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{SortOptions, concat, sort_to_indices, take};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::conversions::convert;
use super::numerics::columns::keys;
use crate::layouts;
use crate::values::interval::Interval;

/// Every aggregate of the family.
pub(super) fn aggregates() -> Vec<AggregateUDF> {
    let make = |name, args| AggregateUDF::from(OrderedSet { name, signature: Signature::any(args, Volatility::Immutable) });
    let hypothetical = PLACES.iter().map(|(_, name)| make(name, 2));
    [make("mode", 1), make(DISCRETE, 2), make(CONTINUOUS, 2)].into_iter().chain(hypothetical).collect()
}

const DISCRETE: &str = "percentile_disc";
const CONTINUOUS: &str = "percentile_cont";

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
    /// F46.
    Fractions {
        fractions: Vec<Option<f64>>,
        is_list: bool,
        is_between: bool,
    },
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
            Some(data_type) => {
                let value = self.kept_as(data_type);
                let is_list = arg_types.get(1).is_some_and(|fractions| layouts::element(fractions).is_some());
                Ok(if is_list { layouts::array_of(value) } else { value })
            }
            None => plan_err!("WITHIN GROUP is required for ordered-set aggregate {}", self.name),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let data_type = args.input_fields.first().map_or(DataType::Null, |field| self.kept_as(field.data_type()));
        Ok(vec![Arc::new(Field::new("values", DataType::new_list(data_type, true), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let given = args.expr_fields.first().map_or(DataType::Null, |field| field.data_type().clone());
        let data_type = self.kept_as(&given);
        let descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        let constant = |at: usize| -> Result<Option<ArrayRef>> {
            let Some(constant) = args.exprs.get(at) else { return Ok(None) };
            let batch = arrow::array::RecordBatch::new_empty(Arc::new(args.schema.clone()));
            Ok(Some(constant.evaluate(&batch)?.into_array(1)?).filter(|value| !value.is_empty()))
        };
        let asked = match (self.name, constant(1)?) {
            ("mode", _) => Asked::Mode,
            (DISCRETE | CONTINUOUS, given) => self.fractions(given)?,
            (name, value) => {
                let value = value.map(|value| Ok::<_, DataFusionError>(arrow::compute::cast(&value, &data_type)?)).transpose()?;
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

impl OrderedSet {
    /// The type that values are kept as: what lies between two numbers is a floating-point number.
    fn kept_as(&self, given: &DataType) -> DataType {
        if self.name == CONTINUOUS && !matches!(given, DataType::Interval(_)) { DataType::Float64 } else { given.clone() }
    }

    fn fractions(&self, given: Option<ArrayRef>) -> Result<Asked> {
        let given = given.unwrap_or_else(|| arrow::array::new_null_array(&DataType::Float64, 1));
        let is_list = layouts::element(given.data_type()).is_some();
        let wanted = if is_list { layouts::array_of(DataType::Float64) } else { DataType::Float64 };
        let read = convert(&given, &wanted).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let read = match read.as_list_opt::<i32>() {
            Some(lists) => lists.value(0),
            None => read,
        };
        let fractions = read.as_primitive::<Float64Type>().iter().map(|fraction| fraction.map(in_range).transpose());
        Ok(Asked::Fractions { fractions: fractions.collect::<Result<_>>()?, is_list, is_between: self.name == CONTINUOUS })
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
        for values in values.iter().take(1) {
            let kept = if values.data_type() == &self.data_type {
                Arc::clone(values)
            } else {
                convert(values, &self.data_type).map_err(failed)?
            };
            self.kept.push(kept);
        }
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
        let nothing = ScalarValue::try_from(&self.data_type)?;
        match &self.asked {
            Asked::Fractions { fractions, is_list: true, is_between } => {
                if values.is_empty() {
                    return ScalarValue::try_from(&layouts::array_of(self.data_type.clone()));
                }
                let each =
                    |fraction: &Option<f64>| fraction.map_or(Ok(nothing.clone()), |fraction| at_fraction(&values, fraction, *is_between));
                let found = fractions.iter().map(each).collect::<Result<Vec<_>>>()?;
                Ok(ScalarValue::List(ScalarValue::new_list_nullable(&found, &self.data_type)))
            }
            _ if values.is_empty() => Ok(nothing),
            Asked::Fractions { fractions, is_between, .. } => match fractions.first() {
                Some(Some(fraction)) => at_fraction(&values, *fraction, *is_between),
                _ => Ok(nothing),
            },
            _ => ScalarValue::try_from_array(&values, most_frequent(&values)?),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kept.iter().map(|array| array.get_array_memory_size()).sum::<usize>()
    }
}

/// The value at a fraction of the way through sorted values, or between the two that are next to it.
fn at_fraction(values: &ArrayRef, fraction: f64, is_between: bool) -> Result<ScalarValue> {
    if !is_between {
        return ScalarValue::try_from_array(values, ((fraction * values.len() as f64).ceil() as usize).max(1) - 1);
    }
    let place = fraction * (values.len() - 1) as f64;
    let (low, high) = (place.floor(), place.ceil());
    let (first, second) = (ScalarValue::try_from_array(values, low as usize)?, ScalarValue::try_from_array(values, high as usize)?);
    let share = place - low;
    match (&first, &second) {
        _ if low == high => Ok(first),
        (ScalarValue::Float64(Some(first)), ScalarValue::Float64(Some(second))) => {
            Ok(ScalarValue::Float64(Some(first + share * (second - first))))
        }
        (ScalarValue::IntervalMonthDayNano(Some(first)), ScalarValue::IntervalMonthDayNano(Some(second))) => {
            let (first, second) = (Interval::from_arrow(*first), Interval::from_arrow(*second));
            let apart = first.negate().and_then(|less| second.plus(less)).and_then(|apart| apart.times(share)).map_err(failed)?;
            let between = first.plus(apart).and_then(Interval::to_arrow).map_err(failed)?;
            Ok(ScalarValue::IntervalMonthDayNano(Some(between)))
        }
        _ => Err(DataFusionError::Internal("F33: between values of another type".to_owned())),
    }
}

fn failed(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Index of the first of the most frequent values of a sorted array.
fn most_frequent(values: &ArrayRef) -> Result<usize> {
    let keys = keys(values).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let groups = arrow::compute::partition(&[keys])?.ranges();
    // Of ties the first.
    let longest = groups.iter().rev().max_by_key(|range| range.len());
    Ok(longest.map_or(0, |range| range.start))
}
