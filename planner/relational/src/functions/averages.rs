//! `sum` and `avg` with Postgres's result types, so that neither wraps around.
//!
//! F4: `sum(bigint)` adds and answers `numeric` (its argument is cast in `semantics`, while it can still be told from a smaller integer that
//!     coercion has widened); sums of smaller integers add in `bigint`.
//! F5: `avg` of integers answers `numeric` with sixteen digits after the point.

use std::hash::Hash;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::functions_aggregate::average::Avg;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::expr::AggregateFunctionParams;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

use crate::functions::types;

/// Precision and scale of what `sum(bigint)` adds: every bigint has at most 19 digits.
pub(crate) const BIGINT_DECIMAL: DataType = DataType::Decimal128(20, 0);
/// What `avg` of integers adds: DataFusion's own average puts four more digits after the point (F5).
const AVERAGED_DECIMAL: DataType = DataType::Decimal128(31, 12);

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

/// Coercing twice changes nothing: DataFusion coerces types it has coerced before.
fn argument_type(kind: Kind, given: &DataType) -> Option<DataType> {
    Some(match (given, kind) {
        (DataType::UInt32 | DataType::UInt64, Kind::Sum) => BIGINT_DECIMAL,
        (given, Kind::Sum) if given.is_integer() || given.is_null() => DataType::Int64,
        (given, Kind::Avg) if given.is_integer() || given.is_null() => AVERAGED_DECIMAL,
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
        self.inner.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.inner.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.inner.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.inner.create_sliding_accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}
