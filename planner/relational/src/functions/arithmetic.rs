//! Arithmetic that fails where Postgres's does: out of range, division by zero. DataFusion's own wraps around and divides to infinity.
//!
//! F6: an integer result that does not fit its type is 22003, never another number.
//! F7: a floating-point division of a number by zero is 22012; a result that becomes infinite, or zero, of operands that are not is 22003.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Datum};
use arrow::compute::kernels::numeric::{add, div, mul, sub};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::functions::types;

/// Operator, operand type, and the name of Postgres's function behind it.
const FAMILY: [(Operator, DataType, &str); 20] = [
    (Operator::Plus, DataType::Float32, "float4pl"),
    (Operator::Plus, DataType::Float64, "float8pl"),
    (Operator::Minus, DataType::Float32, "float4mi"),
    (Operator::Minus, DataType::Float64, "float8mi"),
    (Operator::Multiply, DataType::Float32, "float4mul"),
    (Operator::Multiply, DataType::Float64, "float8mul"),
    (Operator::Plus, DataType::Int16, "int2pl"),
    (Operator::Plus, DataType::Int32, "int4pl"),
    (Operator::Plus, DataType::Int64, "int8pl"),
    (Operator::Minus, DataType::Int16, "int2mi"),
    (Operator::Minus, DataType::Int32, "int4mi"),
    (Operator::Minus, DataType::Int64, "int8mi"),
    (Operator::Multiply, DataType::Int16, "int2mul"),
    (Operator::Multiply, DataType::Int32, "int4mul"),
    (Operator::Multiply, DataType::Int64, "int8mul"),
    (Operator::Divide, DataType::Int16, "int2div"),
    (Operator::Divide, DataType::Int32, "int4div"),
    (Operator::Divide, DataType::Int64, "int8div"),
    (Operator::Divide, DataType::Float32, "float4div"),
    (Operator::Divide, DataType::Float64, "float8div"),
];

static FUNCTIONS: LazyLock<Vec<(Operator, DataType, Arc<ScalarUDF>)>> = LazyLock::new(|| {
    let function = |(op, data_type, name): &(Operator, DataType, &'static str)| {
        let signature = Signature::exact(vec![data_type.clone(), data_type.clone()], Volatility::Immutable);
        let udf = ScalarUDF::from(Checked { op: *op, data_type: data_type.clone(), name, signature });
        (*op, data_type.clone(), Arc::new(udf))
    };
    FAMILY.iter().map(function).collect()
});

/// The checked function for `type op type`, if this operator needs one on this type.
pub(crate) fn checked(op: Operator, data_type: &DataType) -> Option<Arc<ScalarUDF>> {
    FUNCTIONS.iter().find(|(known, of, _)| *known == op && of == data_type).map(|(_, _, udf)| Arc::clone(udf))
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Checked {
    op: Operator,
    data_type: DataType,
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut operands = args.args.into_iter();
        let (Some(left), Some(right)) = (operands.next(), operands.next()) else {
            return Err(DataFusionError::Internal(format!("{} takes two arguments", self.name)));
        };
        let is_scalar = matches!((&left, &right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let answer = self.compute(&*datum(left)?, &*datum(right)?)?;
        if is_scalar { Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?)) } else { Ok(ColumnarValue::Array(answer)) }
    }
}

impl Checked {
    fn compute(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef> {
        if self.op == Operator::Divide && self.data_type.is_floating() && divides_by_zero(left.get(), right.get()) {
            return Err(division_by_zero());
        }
        let answer = match self.op {
            Operator::Plus => add(left, right),
            Operator::Minus => sub(left, right),
            Operator::Multiply => mul(left, right),
            _ => div(left, right),
        };
        let answer = answer.map_err(|error| match error {
            ArrowError::DivideByZero => division_by_zero(),
            ArrowError::ArithmeticOverflow(_) => {
                let message = format!("{} out of range", types::name(&self.data_type));
                DataFusionError::External(Box::new(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)))
            }
            other => other.into(),
        })?;
        match self.data_type {
            DataType::Float32 => check_floats::<Float32Type>(self.op, left, right, &answer, |value| value.into())?,
            DataType::Float64 => check_floats::<Float64Type>(self.op, left, right, &answer, |value| value)?,
            _ => {}
        }
        Ok(answer)
    }
}

/// F7, of results that are out of range.
fn check_floats<T: ArrowPrimitiveType>(
    op: Operator,
    left: &dyn Datum,
    right: &dyn Datum,
    answer: &ArrayRef,
    wide: impl Fn(T::Native) -> f64,
) -> Result<()> {
    let scales = matches!(op, Operator::Multiply | Operator::Divide);
    let at = |(array, _): (&dyn Array, bool), row: usize| wide(array.as_primitive::<T>().value(if array.len() == 1 { 0 } else { row }));
    let answers = answer.as_primitive::<T>();
    for (row, value) in answers.values().iter().enumerate() {
        let value = wide(*value);
        if (value.is_finite() && (value != 0.0 || !scales)) || value.is_nan() || answers.is_null(row) {
            continue;
        }
        let (left, right) = (at(left.get(), row), at(right.get(), row));
        let what = match value.is_infinite() {
            true if left.is_finite() && right.is_finite() => "overflow",
            false if left != 0.0 && right.is_finite() && (right != 0.0 || op == Operator::Divide) => "underflow",
            _ => continue,
        };
        let message = format!("value out of range: {what}");
        return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message))));
    }
    Ok(())
}

fn datum(value: ColumnarValue) -> Result<Box<dyn Datum>> {
    Ok(match value {
        ColumnarValue::Array(array) => Box::new(array),
        ColumnarValue::Scalar(scalar) => Box::new(scalar.to_scalar()?),
    })
}

fn division_by_zero() -> DataFusionError {
    DataFusionError::External(Box::new(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero")))
}

/// Whether some row divides a value that is not NULL by zero; either side may be a one-row scalar.
fn divides_by_zero((left, _): (&dyn Array, bool), (right, right_is_scalar): (&dyn Array, bool)) -> bool {
    let zeros: Vec<usize> = match right.data_type() {
        DataType::Float32 => zeros::<Float32Type>(right),
        _ => zeros::<Float64Type>(right),
    };
    let left_has = |row: usize| if left.len() == 1 { left.is_valid(0) } else { left.is_valid(row) };
    if right_is_scalar && !zeros.is_empty() { left.null_count() < left.len() } else { zeros.into_iter().any(left_has) }
}

fn zeros<T: ArrowPrimitiveType>(array: &dyn Array) -> Vec<usize>
where
    T::Native: Default + PartialEq,
{
    let values = array.as_primitive::<T>();
    (0..values.len()).filter(|row| values.is_valid(*row) && values.value(*row) == T::Native::default()).collect()
}
