//! `sum` and `avg` with Postgres's result types, so that neither wraps around.
//!
//! F4: `sum(bigint)` adds and answers `numeric` (its argument is cast in `semantics`, while it can still be told from a smaller integer that
//!     coercion has widened); sums of smaller integers add in `bigint`.
//! F5: `avg` of exact numbers is their exact sum divided as `numeric` divides.
//! F35: sums of Arrow's decimals stay Arrow's, in a type that ten billion of the largest values fit.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Int64Type};
use base::{SqlError, SqlResult};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::average::Avg;
use datafusion::functions_aggregate::count::Count;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::numerics::columns::{Column, collect};
use super::numerics::sums::{Answer, Distinct, Total};
use super::typed_sums::{RealSum, Spans};
use crate::functions::types;
use crate::layouts::{INTERVAL, any_numeric, is_any_numeric};
use crate::values::numeric::Numeric;

/// Precision and scale of what `sum(bigint)` adds: every bigint has at most 19 digits.
pub(crate) const BIGINT_DECIMAL: DataType = DataType::Decimal128(20, 0);
/// F35: digits that a sum may have more than its values.
const SUM_DIGITS: u8 = 10;

/// `sum` (F4).
pub(super) fn sum() -> AggregateUDF {
    let (count, signature) = (Count::new(), Signature::user_defined(Volatility::Immutable));
    AggregateUDF::from(Adding { kind: Kind::Sum, sum: Sum::new(), avg: Avg::new(), count, signature })
}

/// `avg` (F5).
pub(super) fn avg() -> AggregateUDF {
    let (count, signature) = (Count::new(), Signature::user_defined(Volatility::Immutable));
    AggregateUDF::from(Adding { kind: Kind::Avg, sum: Sum::new(), avg: Avg::new(), count, signature })
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Sum,
    Avg,
}

/// `sum` or `avg`, out of DataFusion's where those answer as Postgres does.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Adding {
    kind: Kind,
    sum: Sum,
    avg: Avg,
    count: Count,
    signature: Signature,
}

/// How values of a type are added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By DataFusion's aggregate of the name.
    Theirs,
    /// By its sum, and divided by its count.
    Quotient,
    /// As numbers of any length.
    Long,
    /// As `real`.
    Real,
    /// As intervals.
    Spans,
}

impl Adding {
    fn way(&self, argument: Option<&DataType>) -> Way {
        match (argument, self.kind) {
            (Some(any), _) if is_any_numeric(any) => Way::Long,
            (Some(DataType::Float32), Kind::Sum) => Way::Real,
            (Some(DataType::Interval(_)), _) => Way::Spans,
            (Some(DataType::Decimal128(..) | DataType::Decimal256(..)), Kind::Avg) => Way::Quotient,
            _ => Way::Theirs,
        }
    }

    fn theirs(&self) -> &dyn AggregateUDFImpl {
        match self.kind {
            Kind::Sum => &self.sum,
            Kind::Avg => &self.avg,
        }
    }

    fn answer(&self) -> Answer {
        match self.kind {
            Kind::Sum => Answer::Sum,
            Kind::Avg => Answer::Average,
        }
    }

    /// The arguments as the inner sum would have them.
    fn of_sum<'a>(&self, args: &AccumulatorArgs<'a>) -> Result<AccumulatorArgs<'a>> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let returns = self.sum.return_type(&types)?;
        Ok(AccumulatorArgs { return_field: Arc::new(Field::new(args.return_field.name(), returns, true)), ..args.clone() })
    }

    fn of_count<'a>(args: &AccumulatorArgs<'a>) -> AccumulatorArgs<'a> {
        AccumulatorArgs { return_field: Arc::new(Field::new(args.return_field.name(), DataType::Int64, true)), ..args.clone() }
    }
}

fn way_of(adding: &Adding, args: &AccumulatorArgs<'_>) -> Way {
    adding.way(args.expr_fields.first().map(|field| field.data_type()))
}

/// F5: sums by counts.
fn divide(sums: &ArrayRef, counts: &ArrayRef) -> SqlResult<ArrayRef> {
    let (column, counts) = (Column::of(sums)?, counts.as_primitive::<Int64Type>());
    let average = |row: usize| {
        if column.is_null(row) || counts.value(row) == 0 {
            return Ok(None);
        }
        column.get(row)?.divide(&Numeric::integer(counts.value(row))).map(Some)
    };
    collect((0..counts.len()).map(average))
}

fn failed(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A sum and a count; the first of the states is the sum's.
#[derive(Debug)]
struct Quotient<I> {
    sum: I,
    count: I,
}

impl Accumulator for Quotient<Box<dyn Accumulator>> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.update_batch(values)?;
        self.count.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (sum, count) = (self.sum.evaluate()?.to_array()?, self.count.evaluate()?.to_array()?);
        ScalarValue::try_from_array(&divide(&sum, &count).map_err(failed)?, 0)
    }

    fn size(&self) -> usize {
        self.sum.size() + self.count.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.sum.state()?.into_iter().chain(self.count.state()?).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (sum, count) = states.split_at(1);
        self.sum.merge_batch(sum)?;
        self.count.merge_batch(count)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.retract_batch(values)?;
        self.count.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.sum.supports_retract_batch() && self.count.supports_retract_batch()
    }
}

impl GroupsAccumulator for Quotient<Box<dyn GroupsAccumulator>> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.sum.update_batch(values, group_indices, opt_filter, total_num_groups)?;
        self.count.update_batch(values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (sums, counts) = (self.sum.evaluate(emit_to)?, self.count.evaluate(emit_to)?);
        divide(&sums, &counts).map_err(failed)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(self.sum.state(emit_to)?.into_iter().chain(self.count.state(emit_to)?).collect())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        let (sums, counts) = values.split_at(1);
        self.sum.merge_batch(sums, group_indices, total_num_groups)?;
        self.count.merge_batch(counts, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let (sums, counts) = (self.sum.convert_to_state(values, opt_filter)?, self.count.convert_to_state(values, opt_filter)?);
        Ok(sums.into_iter().chain(counts).collect())
    }

    fn size(&self) -> usize {
        self.sum.size() + self.count.size()
    }
}

/// Coercing twice changes nothing: DataFusion coerces types it has coerced before.
fn argument_type(kind: Kind, given: &DataType) -> Option<DataType> {
    Some(match (given, kind) {
        (DataType::UInt32 | DataType::UInt64, Kind::Sum) => BIGINT_DECIMAL,
        (given, Kind::Sum) if given.is_integer() || given.is_null() => DataType::Int64,
        (given, Kind::Avg) if given.is_integer() || given.is_null() => BIGINT_DECIMAL,
        // F35
        (DataType::Decimal128(digits, scale), _) if *digits > DECIMAL128_MAX_PRECISION - SUM_DIGITS => {
            DataType::Decimal256(*digits, *scale)
        }
        (DataType::Float32, Kind::Sum) => DataType::Float32,
        (DataType::Float16 | DataType::Float32 | DataType::Float64, _) => DataType::Float64,
        (DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..), _) => given.clone(),
        (DataType::Duration(_) | DataType::Interval(_), _) => INTERVAL,
        (any, _) if is_any_numeric(any) => given.clone(),
        _ => return None,
    })
}

impl AggregateUDFImpl for Adding {
    fn name(&self) -> &str {
        self.theirs().name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// With casts, which the usual name leaves out: `avg(v)` and `avg(v::float8)` are two columns of one plan.
    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        self.display_name(params)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [given] => match argument_type(self.kind, given) {
                Some(data_type) => Ok(vec![data_type]),
                None => plan_err!("No function matches the given name and argument types '{}({})'.", self.name(), types::name(given)),
            },
            _ => plan_err!("No function matches the given name and argument types '{}' with {} arguments.", self.name(), arg_types.len()),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match self.way(arg_types.first()) {
            Way::Theirs => self.theirs().return_type(arg_types),
            Way::Quotient | Way::Long => Ok(any_numeric()),
            Way::Real => Ok(DataType::Float32),
            Way::Spans => Ok(INTERVAL),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(match way_of(self, &args) {
            Way::Theirs => self.theirs().accumulator(args)?,
            Way::Quotient => {
                let (sum, count) = (self.sum.accumulator(self.of_sum(&args)?)?, self.count.accumulator(Self::of_count(&args))?);
                Box::new(Quotient { sum, count })
            }
            Way::Long if args.is_distinct => Box::new(Distinct::new(self.answer())),
            Way::Long => Box::new(Total::new(self.answer())),
            Way::Real => Box::new(RealSum::default()),
            Way::Spans => Box::new(Spans::new(self.kind == Kind::Avg)),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = args.input_fields.iter().map(|field| field.data_type().clone()).collect();
        let returning = |data_type| Arc::new(Field::new("answer", data_type, true)) as FieldRef;
        match self.way(types.first()) {
            Way::Theirs => self.theirs().state_fields(args),
            Way::Quotient => {
                let StateFieldsArgs { name, input_fields, ordering_fields, is_distinct, .. } = args;
                let of = |return_field| StateFieldsArgs { name, input_fields, return_field, ordering_fields, is_distinct };
                let sum = self.sum.state_fields(of(returning(self.sum.return_type(&types)?)))?;
                Ok(sum.into_iter().chain(self.count.state_fields(of(returning(DataType::Int64)))?).collect())
            }
            Way::Long if args.is_distinct => Ok(Distinct::state_fields(args.name)),
            Way::Long => Ok(Total::state_fields(args.name)),
            Way::Real => Ok(RealSum::state_fields(args.name)),
            Way::Spans => Ok(Spans::state_fields(args.name)),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match way_of(self, &args) {
            Way::Theirs => self.theirs().groups_accumulator_supported(args),
            Way::Quotient => !args.is_distinct,
            Way::Long | Way::Real | Way::Spans => false,
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if way_of(self, &args) == Way::Theirs {
            return self.theirs().create_groups_accumulator(args);
        }
        let sum = self.sum.create_groups_accumulator(self.of_sum(&args)?)?;
        Ok(Box::new(Quotient { sum, count: self.count.create_groups_accumulator(Self::of_count(&args))? }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match way_of(self, &args) {
            Way::Theirs => self.theirs().create_sliding_accumulator(args),
            Way::Quotient => {
                let sum = self.sum.create_sliding_accumulator(self.of_sum(&args)?)?;
                Ok(Box::new(Quotient { sum, count: self.count.create_sliding_accumulator(Self::of_count(&args))? }))
            }
            Way::Long | Way::Real | Way::Spans => self.accumulator(args),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}
