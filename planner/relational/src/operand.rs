//! The value a column is compared with: a constant, or a parameter that each run gives.
//!
//! O1: an operand's value has the column's own type; a parameter beyond its range is NULL, which equals nothing.
//! Never: compares anything itself.

use std::fmt;

use arrow::compute::CastOptions;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Expr;

use crate::slot::{self, Reader};

/// What a column is compared with.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// Never NULL.
    Constant(ScalarValue),
    /// A parameter; before the plan has its slot, only its type is known.
    Parameter { reader: Option<Reader>, given: DataType, wanted: DataType },
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
            Self::Constant(value) => write!(f, "{value}"),
            Self::Parameter { reader: Some(reader), .. } => f.write_str(reader.shown()),
            Self::Parameter { reader: None, .. } => f.write_str("?"),
        }
    }
}

fn is_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int16 | DataType::Int32 | DataType::Int64)
}

/// Whether every integer of one type is one of the other.
pub(crate) fn widens(from: &DataType, to: &DataType) -> bool {
    is_integer(from) && is_integer(to) && from.primitive_width() <= to.primitive_width()
}
