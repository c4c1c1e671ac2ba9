//! The value a column is compared with: a constant, a parameter that each run gives, or what a run computes of such.
//!
//! O1: an operand's value has the column's own type; a parameter beyond its range is NULL, which equals nothing.
//! O2: a column that is compared by its key has an operand with that key, whatever else is shown of the value.
//! O3: rows of a list in which one value is NULL equal nothing and are left out; of the end of a row, what follows a NULL says nothing.
//! Never: compares anything itself.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, ListArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::OffsetBuffer;
use arrow::compute::CastOptions;
use arrow::datatypes::{DataType, Field, IntervalMonthDayNano, Schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, Volatility};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use crate::functions::arrays::elements_of_text;
use crate::functions::numerics::columns;
use crate::layouts::{self, INTERVAL};
use crate::raised::external;
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
    /// The elements of an array, of which NULL is none.
    Elements { array: Box<Self>, wanted: DataType },
    /// Of the column that it is about, and of those after it, by their places in the table: values of one row, or lists of the values of several.
    Row { first: Box<Self>, then: Vec<(usize, Self)> },
    /// What texts that match a pattern begin with, or what comes after all of these.
    OfPattern { pattern: Box<Self>, end: End },
    /// An expression without a column; before the plan has its slot, only its type is known.
    Computed { expr: Expr, physical: Option<Arc<dyn PhysicalExpr>>, wanted: DataType },
}

/// An end of the texts that match a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// None comes before it.
    First,
    /// It comes after them all.
    After,
}

/// What an operand says to a scan in one run.
pub(crate) enum Hint {
    /// The value, and the values of the columns after it, by their places in the table.
    Is(ScalarValue, Vec<(usize, ScalarValue)>),
    /// Nothing.
    Silent,
    /// It cannot be computed, which whoever needs it will say.
    Failed,
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

    /// The elements of an array for a column of that type.
    pub(crate) fn elements(array: &Expr, wanted: &DataType) -> Option<Self> {
        let given = array.get_type(&DFSchema::empty()).ok()?;
        let is_usable = match layouts::element(&given) {
            Some(element) => element == wanted || (is_integer(element) && is_integer(wanted)),
            None => layouts::is_text(&given),
        };
        let array = if is_usable { Box::new(Self::or_computed(array, &given)?) } else { return None };
        Some(Self::Elements { array, wanted: wanted.clone() })
    }

    /// An end of the texts that match it; `None` where it is known to have none.
    pub(crate) fn end_of_pattern(&self, end: End) -> Option<Self> {
        match self {
            Self::Constant(pattern) => end_of_pattern(pattern, end).map(Self::Constant),
            other => Some(Self::OfPattern { pattern: Box::new(other.clone()), end }),
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
            Self::Elements { array, wanted } => return Ok(Self::Elements { array: Box::new(array.planned(session)?), wanted }),
            Self::OfPattern { pattern, end } => return Ok(Self::OfPattern { pattern: Box::new(pattern.planned(session)?), end }),
            Self::Row { first, then } => {
                let then = then.into_iter().map(|(column, value)| Ok((column, value.planned(session)?))).collect::<Result<_>>()?;
                return Ok(Self::Row { first: Box::new(first.planned(session)?), then });
            }
            other => return Ok(other),
        };
        let physical = create_physical_expr(&expr, &DFSchema::empty(), session.execution_props(), &PhysicalPlanningContext::default())?;
        Ok(Self::Computed { expr, physical: Some(physical), wanted })
    }

    /// As [`Operand::value`], for what only narrows a scan.
    pub(crate) fn hint(&self) -> Result<Hint> {
        let known = |value: Result<ScalarValue>| value.map_or(Hint::Failed, |value| Hint::Is(value, Vec::new()));
        Ok(match self {
            Self::Row { first, then } => row_hint(first, then),
            Self::OfPattern { pattern, end } => match pattern.value() {
                Err(_) => Hint::Failed,
                Ok(pattern) if pattern.is_null() => Hint::Is(pattern, Vec::new()),
                Ok(pattern) => end_of_pattern(&pattern, *end).map_or(Hint::Silent, |value| Hint::Is(value, Vec::new())),
            },
            Self::Computed { .. } | Self::List(..) | Self::Elements { .. } => known(self.value()),
            Self::Constant(_) | Self::Parameter { .. } => Hint::Is(self.value()?, Vec::new()),
        })
    }

    /// The values of a list.
    fn listed(&self) -> Option<(&[Self], &DataType)> {
        match self {
            Self::List(values, data_type) => Some((values, data_type)),
            _ => None,
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
            Self::Elements { array, wanted } => elements(&array.value()?, wanted),
            Self::Row { .. } | Self::OfPattern { .. } => datafusion::common::internal_err!("O3: {self} is not one value"),
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
            Self::Elements { array, .. } => write!(f, "ANY ({array})"),
            Self::Row { first, then } => {
                let shown: Vec<String> =
                    std::iter::once(first.as_ref()).chain(then.iter().map(|(_, value)| value)).map(Self::to_string).collect();
                write!(f, "ROW({})", shown.join(", "))
            }
            Self::OfPattern { pattern, end: End::First } => write!(f, "start of {pattern}"),
            Self::OfPattern { pattern, end: End::After } => write!(f, "end of {pattern}"),
            Self::Computed { physical: Some(physical), .. } => write!(f, "{physical}"),
            Self::Computed { expr, .. } => write!(f, "{expr}"),
            Self::Parameter { reader: Some(reader), .. } => f.write_str(reader.shown()),
            Self::Parameter { reader: None, .. } => f.write_str("?"),
        }
    }
}

/// The elements of an array, or of the text of one, that are not NULL and that the type has; NULL where there is no array.
fn elements(array: &ScalarValue, wanted: &DataType) -> Result<ScalarValue> {
    if array.is_null() {
        return ScalarValue::try_from(layouts::array_of(wanted.clone()));
    }
    let lists = match array {
        ScalarValue::List(lists) => Arc::clone(lists) as ArrayRef,
        text => elements_of_text(&text.to_array()?, wanted).map_err(external)?,
    };
    let Some(lists) = lists.as_list_opt::<i32>() else { return datafusion::common::internal_err!("O3: {array} is no array") };
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let values = arrow::compute::cast_with_options(&lists.value(0), wanted, &options)?;
    let values = arrow::compute::filter(&values, &arrow::compute::is_not_null(&values)?)?;
    let item = Arc::new(Field::new_list_field(wanted.clone(), true));
    Ok(ScalarValue::List(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths([values.len()]), values, None)?)))
}

/// O3.
fn row_hint(first: &Operand, then: &[(usize, Operand)]) -> Hint {
    let all = std::iter::once(first).chain(then.iter().map(|(_, value)| value));
    if let Some(lists) = all.clone().map(Operand::listed).collect::<Option<Vec<_>>>() {
        return rows_hint(&lists, then).unwrap_or(Hint::Failed);
    }
    let Ok(values) = all.map(Operand::value).collect::<Result<Vec<_>>>() else { return Hint::Failed };
    let mut values = values.into_iter();
    let Some(value) = values.next() else { return Hint::Silent };
    let columns = then.iter().map(|(column, _)| *column);
    Hint::Is(value, columns.zip(values.take_while(|value| !value.is_null())).collect())
}

/// Several rows, a list for each column.
fn rows_hint(lists: &[(&[Operand], &DataType)], then: &[(usize, Operand)]) -> Result<Hint> {
    let mut known: Vec<Vec<ScalarValue>> = vec![Vec::new(); lists.len()];
    for at in 0..lists.first().map_or(0, |(values, _)| values.len()) {
        let row = lists.iter().map(|(values, _)| values[at].value()).collect::<Result<Vec<_>>>()?;
        if row.iter().all(|value| !value.is_null()) {
            known.iter_mut().zip(row).for_each(|(known, value)| known.push(value));
        }
    }
    let mut made =
        known.iter().zip(lists).map(|(known, (_, data_type))| ScalarValue::List(ScalarValue::new_list_nullable(known, data_type)));
    let Some(value) = made.next() else { return Ok(Hint::Silent) };
    Ok(Hint::Is(value, then.iter().map(|(column, _)| *column).zip(made).collect()))
}

/// An end of the texts that match a pattern, if it has one.
fn end_of_pattern(pattern: &ScalarValue, end: End) -> Option<ScalarValue> {
    let ScalarValue::Utf8(Some(pattern)) = pattern else { return None };
    let beginning: String = pattern.chars().take_while(|character| !matches!(character, '%' | '_' | '\\')).collect();
    let end = match end {
        _ if beginning.is_empty() => None,
        End::First => Some(beginning),
        End::After => after_all_that_begin_so(&beginning),
    };
    end.map(|end| ScalarValue::Utf8(Some(end)))
}

/// The least text after all that begin with this; `None` where there is none.
fn after_all_that_begin_so(beginning: &str) -> Option<String> {
    let mut characters: Vec<char> = beginning.chars().collect();
    while let Some(last) = characters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
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
