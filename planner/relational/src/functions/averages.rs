//! `sum` and `avg` with Postgres's result types, so that neither wraps around.
//!
//! F4: `sum(bigint)` adds and answers `numeric` (its argument is cast in `semantics`, while it can still be told from a smaller integer that
//!     coercion has widened); sums of smaller integers add in `bigint`.
//! F5: `avg` of exact numbers answers `numeric` with at least sixteen digits after the point, the last one rounded.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions_aggregate::average::Avg;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use crate::functions::types;

/// Precision and scale of what `sum(bigint)` adds: every bigint has at most 19 digits.
pub(crate) const BIGINT_DECIMAL: DataType = DataType::Decimal128(20, 0);
/// What `avg` of integers adds: DataFusion's own average puts four more digits after the point, one of which is for rounding (F5).
const AVERAGED_DECIMAL: DataType = DataType::Decimal128(32, AVERAGED_SCALE);
const AVERAGED_SCALE: i8 = 13;
/// F5.
const SCALE_MIN: i8 = 16;

/// `sum` (F4).
pub(super) fn sum() -> AggregateUDF {
    AggregateUDF::from(Typed { inner: Sum::new(), kind: Kind::Sum, signature: Signature::user_defined(Volatility::Immutable) })
}

/// `avg` (F5).
pub(super) fn avg() -> AggregateUDF {
    AggregateUDF::from(Typed { inner: Avg::new(), kind: Kind::Avg, signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Sum,
    Avg,
}

/// DataFusion's aggregate with argument types of our choosing.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Typed<A> {
    inner: A,
    kind: Kind,
    signature: Signature,
}

/// Digits after the point of an average that DataFusion gives this many (F5).
fn shown_scale(inner: i8) -> i8 {
    (inner - 1).max(SCALE_MIN)
}

impl<A: AggregateUDFImpl + PartialEq + Eq + Hash> Typed<A> {
    fn rounds(&self, returns: &DataType) -> bool {
        self.kind == Kind::Avg && matches!(returns, DataType::Decimal128(..))
    }

    /// The arguments as the inner aggregate would have them: its own type of result.
    fn unrounded<'a>(&self, args: AccumulatorArgs<'a>) -> Result<AccumulatorArgs<'a>> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let returns = self.inner.return_type(&types)?;
        Ok(AccumulatorArgs { return_field: Arc::new(Field::new(args.return_field.name(), returns, true)), ..args })
    }
}

/// An average with one digit more than is shown, rounded half away from zero at the end.
#[derive(Debug)]
struct RoundedAvg<I> {
    inner: I,
    returns: DataType,
}

impl<I> RoundedAvg<I> {
    fn round(&self, exact: &ArrayRef) -> Result<ArrayRef> {
        Ok(cast_with_options(exact, &self.returns, &CastOptions { safe: false, ..CastOptions::default() })?)
    }
}

impl Accumulator for RoundedAvg<Box<dyn Accumulator>> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let exact = self.inner.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&self.round(&exact)?, 0)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

impl GroupsAccumulator for RoundedAvg<Box<dyn GroupsAccumulator>> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let exact = self.inner.evaluate(emit_to)?;
        self.round(&exact)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.inner.merge_batch(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, opt_filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

/// Coercing twice changes nothing: DataFusion coerces types it has coerced before.
fn argument_type(kind: Kind, given: &DataType) -> Option<DataType> {
    Some(match (given, kind) {
        (DataType::UInt32 | DataType::UInt64, Kind::Sum) => BIGINT_DECIMAL,
        (given, Kind::Sum) if given.is_integer() || given.is_null() => DataType::Int64,
        (given, Kind::Avg) if given.is_integer() || given.is_null() => AVERAGED_DECIMAL,
        (DataType::Decimal128(digits, scale), Kind::Avg) if *scale < AVERAGED_SCALE => {
            let whole = (*digits).saturating_sub(scale.unsigned_abs());
            DataType::Decimal128((whole + AVERAGED_SCALE.unsigned_abs()).min(DECIMAL128_MAX_PRECISION), AVERAGED_SCALE)
        }
        (DataType::Float16 | DataType::Float32 | DataType::Float64, _) => DataType::Float64,
        (DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..), _) => given.clone(),
        (DataType::Duration(_) | DataType::Interval(_), _) => given.clone(),
        _ => return None,
    })
}

impl<A: AggregateUDFImpl + PartialEq + Eq + Hash> AggregateUDFImpl for Typed<A> {
    fn name(&self) -> &str {
        self.inner.name()
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
        Ok(match (self.kind, self.inner.return_type(arg_types)?) {
            (Kind::Avg, DataType::Decimal128(_, scale)) => DataType::Decimal128(DECIMAL128_MAX_PRECISION, shown_scale(scale)),
            (_, other) => other,
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let returns = args.return_field.data_type().clone();
        let inner = self.inner.accumulator(self.unrounded(args)?)?;
        Ok(if self.rounds(&returns) { Box::new(RoundedAvg { inner, returns }) } else { inner })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = args.input_fields.iter().map(|field| field.data_type().clone()).collect();
        let returns = self.inner.return_type(&types)?;
        self.inner.state_fields(StateFieldsArgs { return_field: Arc::new(Field::new("avg", returns, true)), ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.unrounded(args).is_ok_and(|args| self.inner.groups_accumulator_supported(args))
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let returns = args.return_field.data_type().clone();
        let inner = self.inner.create_groups_accumulator(self.unrounded(args)?)?;
        Ok(if self.rounds(&returns) { Box::new(RoundedAvg { inner, returns }) } else { inner })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let returns = args.return_field.data_type().clone();
        let inner = self.inner.create_sliding_accumulator(self.unrounded(args)?)?;
        Ok(if self.rounds(&returns) { Box::new(RoundedAvg { inner, returns }) } else { inner })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}
