//! The value a column is compared with: a constant, a parameter that each run gives, or what a run computes of such.
//!
//! O1: an operand's value has the column's own type; a parameter beyond its range is NULL, which equals nothing.
//! O2: a column that is compared by its key has an operand with that key, whatever else is shown of the value.
//! Never: compares anything itself.

use std::fmt;
use std::sync::Arc;

use arrow::array::{BinaryArray, RecordBatch, RecordBatchOptions};
use arrow::compute::CastOptions;
use arrow::datatypes::{DataType, IntervalMonthDayNano, Schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, Volatility};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use crate::functions::numerics::columns;
use crate::layouts::{self, INTERVAL};
use crate::slot::{self, Reader};

/// What a column is compared with.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// Never NULL.
    Constant(ScalarValue),
    /// A parameter; before the plan has its slot, only its type is known.
    Parameter { reader: Option<Reader>, given: DataType, wanted: DataType },
    /// Several of them, of which NULL is none.
    List(Vec<Self>, DataType),
    /// An expression without a column; before the plan has its slot, only its type is known.
    Computed { expr: Expr, physical: Option<Arc<dyn PhysicalExpr>>, wanted: DataType },
}

impl Operand {
    /// The operand an expression is for a column of that type, if it is one.
    pub(crate) fn of(expr: &Expr, wanted: &DataType) -> Option<Self> {
        match expr {
            Expr::Literal(value, _) => (value.data_type() == *wanted && !value.is_null()).then(|| Self::Constant(value.clone())),
            Expr::Cast(cast) => match Self::of(&cast.expr, wanted)? {
                Self::Parameter { reader, given, wanted } if widens(&given, cast.field.data_type()) => {
                    Some(Self::Parameter { reader, given, wanted })
                }
                _ => None,
            },
            other => {
                let (reader, given) = match other {
                    Expr::Placeholder(placeholder) => (None, placeholder.field.as_ref()?.data_type().clone()),
                    other => {
                        let reader = slot::reader(other)?;
                        (Some(reader.clone()), reader.data_type().clone())
                    }
                };
                let is_usable = given == *wanted || (is_integer(&given) && is_integer(wanted));
                is_usable.then(|| Self::Parameter { reader, given, wanted: wanted.clone() })
            }
        }
    }

    /// As [`Operand::of`], or computed by each run.
    pub(crate) fn or_computed(expr: &Expr, wanted: &DataType) -> Option<Self> {
        Self::of(expr, wanted).or_else(|| Self::computed(expr, wanted, wanted))
    }

    /// The operand of a column of that type that is compared by its key with an expression (O2).
    pub(crate) fn of_key(expr: &Expr, wanted: &DataType) -> Option<Self> {
        match expr {
            Expr::Literal(value, _) => of_key(value, wanted).filter(|value| !value.is_null()).map(Self::Constant),
            other => Self::computed(other, wanted, &key_type(wanted)),
        }
    }

    fn computed(expr: &Expr, wanted: &DataType, computed: &DataType) -> Option<Self> {
        let is_fixed = is_of_run(expr).unwrap_or(false) && expr.get_type(&DFSchema::empty()).is_ok_and(|found| found == *computed);
        is_fixed.then(|| Self::Computed { expr: expr.clone(), physical: None, wanted: wanted.clone() })
    }

    /// The same, ready to be read in runs of a plan.
    pub(crate) fn planned(self, session: &dyn Session) -> Result<Self> {
        let (expr, wanted) = match self {
            Self::Computed { expr, wanted, .. } => (expr, wanted),
            Self::List(values, data_type) => {
                let planned = values.into_iter().map(|value| value.planned(session)).collect::<Result<_>>()?;
                return Ok(Self::List(planned, data_type));
            }
            other => return Ok(other),
        };
        let physical = create_physical_expr(&expr, &DFSchema::empty(), session.execution_props(), &PhysicalPlanningContext::default())?;
        Ok(Self::Computed { expr, physical: Some(physical), wanted })
    }

    /// As [`Operand::value`], for what only narrows a scan: `None` where it cannot be computed, which whoever needs it will say.
    pub(crate) fn hint(&self) -> Result<Option<ScalarValue>> {
        match self {
            Self::Computed { .. } | Self::List(..) => Ok(self.value().ok()),
            other => other.value().map(Some),
        }
    }

    /// Whether it comes in a wider integer type than the column's.
    pub(crate) fn is_narrowed(&self, column: &DataType) -> bool {
        matches!(self, Self::Parameter { given, .. } if is_integer(given) && is_integer(column))
    }

    /// Whether both are known and not equal.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Constant(a), Self::Constant(b)) if a != b)
    }

    /// The value in this run (O1).
    pub(crate) fn value(&self) -> Result<ScalarValue> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::List(values, data_type) => {
                let mut known = values.iter().map(Self::value).collect::<Result<Vec<_>>>()?;
                known.retain(|value| !value.is_null());
                Ok(ScalarValue::List(ScalarValue::new_list_nullable(&known, data_type)))
            }
            Self::Computed { physical: Some(physical), wanted, .. } => {
                let options = RecordBatchOptions::new().with_row_count(Some(1));
                let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
                let value = match physical.evaluate(&row)? {
                    ColumnarValue::Scalar(value) => value,
                    ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0)?,
                };
                match of_key(&value, wanted) {
                    Some(value) => Ok(value),
                    None => datafusion::common::internal_err!("O2: {value} is no key of {wanted}"),
                }
            }
            Self::Computed { physical: None, .. } => datafusion::common::internal_err!("a value is computed before its plan has a slot"),
            Self::Parameter { reader: None, .. } => datafusion::common::internal_err!("a parameter is read before its plan has a slot"),
            Self::Parameter { reader: Some(reader), given, wanted } => {
                let value = reader.value()?;
                if given == wanted {
                    return Ok(value);
                }
                let options = CastOptions { safe: true, ..CastOptions::default() };
                let cast = arrow::compute::cast_with_options(&value.to_array_of_size(1)?, wanted, &options)?;
                ScalarValue::try_from_array(&cast, 0)
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => match shown_number(value) {
                Some(number) => f.write_str(&number),
                None => write!(f, "{value}"),
            },
            Self::List(values, _) => write!(f, "({})", values.iter().map(Self::to_string).collect::<Vec<_>>().join(", ")),
            Self::Computed { physical: Some(physical), .. } => write!(f, "{physical}"),
            Self::Computed { expr, .. } => write!(f, "{expr}"),
            Self::Parameter { reader: Some(reader), .. } => f.write_str(reader.shown()),
            Self::Parameter { reader: None, .. } => f.write_str("?"),
        }
    }
}

/// Whether an expression has one value in a run: it mentions no column, and what is volatile in it is only read from the run.
fn is_of_run(expr: &Expr) -> Result<bool> {
    let varies = expr.exists(|part| {
        Ok(match part {
            Expr::Literal(..) | Expr::Placeholder(_) | Expr::Cast(_) | Expr::TryCast(_) | Expr::BinaryExpr(_) | Expr::Negative(_) => false,
            Expr::ScalarFunction(call) => {
                call.func.signature().volatility == Volatility::Volatile && call.func.inner().downcast_ref::<Reader>().is_none()
            }
            _ => true,
        })
    })?;
    Ok(!varies)
}

/// What `comparison_key` makes of the type.
fn key_type(data_type: &DataType) -> DataType {
    if *data_type == INTERVAL { DataType::Decimal128(38, 0) } else { DataType::Binary }
}

/// A value of the type with this key; the key itself where the type has none.
fn of_key(key: &ScalarValue, wanted: &DataType) -> Option<ScalarValue> {
    if key.data_type() == *wanted {
        return Some(key.clone());
    }
    match key {
        key if key.is_null() => ScalarValue::try_from(wanted).ok(),
        ScalarValue::Binary(Some(key)) if layouts::is_any_numeric(wanted) => {
            let stored = [key.as_slice(), &[0, 0]].concat();
            let array = columns::wrap(BinaryArray::from_iter_values([stored])).ok()?;
            ScalarValue::try_from_array(&array, 0).ok()
        }
        ScalarValue::Decimal128(Some(span), ..) if *wanted == INTERVAL => {
            const DAY_US: i128 = 86_400_000_000;
            let (days, us) = (i32::try_from(span / DAY_US).ok()?, i64::try_from(span % DAY_US).ok()?);
            Some(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, days, us * 1_000))))
        }
        _ => None,
    }
}

/// A number of any length in digits.
fn shown_number(value: &ScalarValue) -> Option<String> {
    let array = value.to_array().ok().filter(|array| layouts::is_any_numeric(array.data_type()))?;
    columns::Column::of(&array).ok()?.get(0).ok().map(|number| number.to_string())
}

fn is_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int16 | DataType::Int32 | DataType::Int64)
}

/// Whether every integer of one type is one of the other.
pub(crate) fn widens(from: &DataType, to: &DataType) -> bool {
    is_integer(from) && is_integer(to) && from.primitive_width() <= to.primitive_width()
}
