//! The function over frames that [`super::Frames`] puts in the place of an aggregate or of `first_value` and its kin.
//!
//! U1: its arguments are those of the function within, then the filter, then what tells peers, then what RANGE measures.
//! U2: a frame that goes on where the one before ended is added to; any other is begun anew.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt64Array};
use arrow::compute::{filter, partition, take};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, LimitEffect, PartitionEvaluator, Signature, Volatility, WindowFrame, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

use super::distance::Values;
use super::frames::{Exclusion, Frames};
use crate::raised::external;
use crate::values::zone::Zone;

/// What is computed over a frame.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Inner {
    Aggregate(Arc<AggregateUDF>),
    First,
    Last,
    Nth,
}

impl Inner {
    /// Of a window function by name; `None` for those that no frame concerns.
    pub(super) fn of_value(name: &str) -> Option<Self> {
        match name {
            "first_value" => Some(Self::First),
            "last_value" => Some(Self::Last),
            "nth_value" => Some(Self::Nth),
            _ => None,
        }
    }
}

/// U1.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Framed {
    pub(super) inner: Inner,
    /// Arguments of the function within.
    pub(super) own: usize,
    pub(super) has_filter: bool,
    /// Arguments that tell peers.
    pub(super) keys: usize,
    /// Whether what RANGE measures ascends, and whether its NULLs come first.
    pub(super) order: Option<(bool, bool)>,
    pub(super) frame: WindowFrame,
    pub(super) exclusion: Exclusion,
    pub(super) zone: Zone,
    pub(super) signature: Signature,
}

/// A signature that leaves all to [`Framed`].
pub(super) fn any() -> Signature {
    Signature::user_defined(Volatility::Immutable)
}

impl Framed {
    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        match (&self.inner, fields.first()) {
            (Inner::Aggregate(aggregate), _) => aggregate.return_field(&fields[..self.own]),
            (_, Some(value)) => Ok(Arc::clone(value)),
            (_, None) => exec_err!("U1: a value of nothing"),
        }
    }
}

impl WindowUDFImpl for Framed {
    fn name(&self) -> &str {
        match &self.inner {
            Inner::Aggregate(aggregate) => aggregate.name(),
            Inner::First => "first_value",
            Inner::Last => "last_value",
            Inner::Nth => "nth_value",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let mut wanted = given.to_vec();
        match &self.inner {
            Inner::Aggregate(aggregate) => {
                let fields: Vec<FieldRef> =
                    given[..self.own].iter().map(|given| Arc::new(Field::new("", given.clone(), true)) as FieldRef).collect();
                for (wanted, field) in wanted.iter_mut().zip(fields_with_udf(&fields, aggregate.as_ref())?) {
                    *wanted = field.data_type().clone();
                }
            }
            Inner::Nth if self.own == 2 => wanted[1] = DataType::Int64,
            _ => {}
        }
        Ok(wanted)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        let fields = args.input_fields().to_vec();
        Ok(Box::new(Evaluator { returns: self.return_field(&fields)?, fields, function: self.clone() }))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let field = self.return_field(args.input_fields())?;
        Ok(Arc::new(Field::new(args.name(), field.data_type().clone(), true)))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Evaluator {
    returns: FieldRef,
    fields: Vec<FieldRef>,
    function: Framed,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let function = &self.function;
        let (own, rest) = values.split_at(function.own);
        let (filters, rest) = rest.split_at(usize::from(function.has_filter));
        let (keys, measured) = rest.split_at(function.keys);
        let groups = if keys.is_empty() { vec![0] } else { partition(keys)?.ranges().into_iter().map(|range| range.start).collect() };
        let order = function.order.zip(measured.first());
        let data_type = measured.first().map(|measured| measured.data_type().clone());
        let order = order.map(|((ascends, nulls_first), measured)| (Values::new(measured, function.zone), ascends, nulls_first));
        let mut frames = Frames::new(&function.frame, function.exclusion, groups, rows, order, data_type.as_ref()).map_err(external)?;
        match &function.inner {
            Inner::Aggregate(aggregate) => {
                let mut sum = Sum { evaluator: self, aggregate, own, filter: filters.first().map(|mask| mask.as_boolean()), open: None };
                let answers = (0..rows).map(|row| sum.over(frames.of(row).map_err(external)?)).collect::<Result<Vec<_>>>()?;
                ScalarValue::iter_to_array(answers)
            }
            value => {
                let at = |row: usize| place(value, own.get(1), row, &frames.of(row)?);
                let places = (0..rows).map(at).collect::<SqlResult<Vec<_>>>().map_err(external)?;
                let places: UInt64Array = places.into_iter().map(|place| place.map(|place| place as u64)).collect();
                Ok(take(&own[0], &places, None)?)
            }
        }
    }
}

/// The row whose value is the answer. Errors: 22016.
fn place(inner: &Inner, count: Option<&ArrayRef>, row: usize, frame: &[Range<usize>]) -> SqlResult<Option<usize>> {
    match inner {
        Inner::First => Ok(frame.first().map(|range| range.start)),
        Inner::Last => Ok(frame.last().map(|range| range.end - 1)),
        _ => {
            let Some(count) = count.filter(|count| count.is_valid(row)) else { return Ok(None) };
            let count = count.as_primitive::<Int64Type>().value(row);
            let Some(wanted) = usize::try_from(count).ok().and_then(|count| count.checked_sub(1)) else {
                return Err(SqlError::new(SqlState("22016"), "argument of nth_value must be greater than zero"));
            };
            Ok(frame.iter().cloned().flatten().nth(wanted))
        }
    }
}

/// An aggregate over one frame after the other.
struct Sum<'e> {
    evaluator: &'e Evaluator,
    aggregate: &'e AggregateUDF,
    own: &'e [ArrayRef],
    filter: Option<&'e BooleanArray>,
    /// The frame that was summed last.
    open: Option<Open>,
}

struct Open {
    frame: Vec<Range<usize>>,
    accumulator: Box<dyn Accumulator>,
    value: ScalarValue,
}

impl Sum<'_> {
    /// U2.
    fn over(&mut self, frame: Vec<Range<usize>>) -> Result<ScalarValue> {
        let (mut accumulator, rest) = match self.open.take() {
            Some(open) if open.frame == frame => {
                let value = open.value.clone();
                self.open = Some(open);
                return Ok(value);
            }
            Some(Open { frame: known, accumulator, .. }) => match (known.as_slice(), frame.as_slice()) {
                ([known], [wanted]) if known.start == wanted.start && known.end < wanted.end => {
                    let rest = known.end..wanted.end;
                    (accumulator, vec![rest])
                }
                _ => (self.accumulator()?, frame.clone()),
            },
            None => (self.accumulator()?, frame.clone()),
        };
        for range in rest {
            let slices = self.own.iter().map(|values| values.slice(range.start, range.len()));
            let slices = match self.filter.map(|mask| mask.slice(range.start, range.len())) {
                Some(mask) => slices.map(|values| Ok(filter(&values, &mask)?)).collect::<Result<Vec<_>>>()?,
                None => slices.collect(),
            };
            accumulator.update_batch(&slices)?;
        }
        let value = accumulator.evaluate()?;
        self.open = Some(Open { frame, accumulator, value: value.clone() });
        Ok(value)
    }

    fn accumulator(&self) -> Result<Box<dyn Accumulator>> {
        let fields = &self.evaluator.fields[..self.own.len()];
        let schema = Schema::new(fields.iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>());
        let exprs: Vec<Arc<dyn PhysicalExpr>> =
            fields.iter().enumerate().map(|(at, field)| Arc::new(Column::new(field.name(), at)) as Arc<dyn PhysicalExpr>).collect();
        self.aggregate.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.evaluator.returns),
            schema: &schema,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: self.aggregate.name(),
            is_distinct: false,
            exprs: &exprs,
            expr_fields: fields,
        })
    }
}
