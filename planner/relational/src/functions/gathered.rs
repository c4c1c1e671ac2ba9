//! `string_agg`, and `array_agg` with an order of its own or of distinct values.
//!
//! F40: values come in the order of the aggregate's own keys, whatever other aggregates of the same list ask for; equal keys in the order of the
//!     rows. NULLs among texts are left out, each text but the first stands behind its own separator.
//! F41: distinct values are those whose keys differ; of equal ones the first comes.
//! Never: lets the engine sort: two aggregates of one list may want two orders, of which it knows one.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use crate::functions::types;
use crate::layouts;

/// The aggregates that are planned as such.
pub(super) fn aggregates() -> Vec<AggregateUDF> {
    vec![gathering(Gathers::Text, vec![], false)]
}

/// An aggregate whose arguments are followed by one key for each of `order`.
pub(crate) fn gathering(gathers: Gathers, order: Vec<SortOptions>, is_distinct: bool) -> AggregateUDF {
    AggregateUDF::from(Gathered { gathers, order, is_distinct, signature: Signature::user_defined(Volatility::Immutable) })
}

/// What becomes of the values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Gathers {
    /// `array_agg(value)`
    Array,
    /// `string_agg(value, separator)`, of texts or of bytes
    Text,
}

impl Gathers {
    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Array, Self::Text].into_iter().find(|gathers| gathers.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Array => "array_agg",
            Self::Text => "string_agg",
        }
    }

    fn arguments(self) -> usize {
        match self {
            Self::Array => 1,
            Self::Text => 2,
        }
    }
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Gathered {
    gathers: Gathers,
    order: Vec<SortOptions>,
    is_distinct: bool,
    signature: Signature,
}

impl AggregateUDFImpl for Gathered {
    fn name(&self) -> &str {
        self.gathers.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let is_text = |data_type: &DataType| layouts::is_text(data_type) || data_type.is_null();
        let is_bytes = |data_type: &DataType| matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
        let values = match (self.gathers, given) {
            (Gathers::Array, [value, ..]) => vec![value.clone()],
            (Gathers::Text, [value, separator, ..]) if is_text(value) && is_text(separator) => vec![DataType::Utf8; 2],
            (Gathers::Text, [value, separator, ..]) if is_bytes(value) && (is_bytes(separator) || is_text(separator)) => {
                vec![DataType::Binary; 2]
            }
            _ => vec![],
        };
        let count = self.gathers.arguments();
        if values.is_empty() || given.len() != count + self.order.len() {
            let given: Vec<String> = given.iter().map(types::name).collect();
            return plan_err!("No function matches the given name and argument types '{}({})'.", self.name(), given.join(", "));
        }
        Ok(values.into_iter().chain(given[count..].iter().cloned()).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let value = given.first().cloned().unwrap_or(DataType::Null);
        Ok(match self.gathers {
            Gathers::Array => layouts::array_of(value),
            Gathers::Text => value,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |(at, of): (usize, &FieldRef)| {
            Arc::new(Field::new(format!("{}[{at}]", args.name), layouts::array_of(of.data_type().clone()), true)) as FieldRef
        };
        Ok(args.input_fields.iter().enumerate().map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let types = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let (gathers, order, is_distinct) = (self.gathers, self.order.clone(), self.is_distinct);
        Ok(Box::new(Rows { gathers, order, is_distinct, types, kept: VecDeque::new(), gone: 0 }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The rows of a group, as they came.
#[derive(Debug)]
struct Rows {
    gathers: Gathers,
    order: Vec<SortOptions>,
    is_distinct: bool,
    types: Vec<DataType>,
    /// Arguments and keys of some rows each.
    kept: VecDeque<Vec<ArrayRef>>,
    /// Rows at the front that a window frame has left.
    gone: usize,
}

impl Rows {
    /// All columns, each whole.
    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let column = |at: usize| {
            let parts: Vec<&dyn Array> = self.kept.iter().filter_map(|part| part.get(at)).map(AsRef::as_ref).collect();
            if parts.is_empty() {
                return Ok(new_empty_array(&self.types[at]));
            }
            let whole = concat(&parts)?;
            Ok(whole.slice(self.gone, whole.len() - self.gone))
        };
        (0..self.types.len()).map(column).collect()
    }

    /// Places of the rows that are shown, in their order (F40, F41).
    fn places(&self, columns: &[ArrayRef]) -> Result<Vec<usize>> {
        let rows = columns.first().map_or(0, |column| column.len());
        let is_shown = |row: &usize| self.gathers == Gathers::Array || columns[0].is_valid(*row);
        let mut places: Vec<usize> = (0..rows).filter(is_shown).collect();
        if self.order.is_empty() {
            return Ok(places);
        }
        let keys = &columns[self.gathers.arguments()..];
        let fields = keys.iter().zip(&self.order).map(|(key, options)| SortField::new_with_options(key.data_type().clone(), *options));
        let keys = RowConverter::new(fields.collect())?.convert_columns(keys)?;
        places.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
        if self.is_distinct {
            places.dedup_by(|a, b| keys.row(*a) == keys.row(*b));
        }
        Ok(places)
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if values.first().is_some_and(|column| !column.is_empty()) {
            self.kept.push_back(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.gone += values.first().map_or(0, |column| column.len());
        while let Some(rows) = self.kept.front().and_then(|part| part.first()).map(|column| column.len()).filter(|rows| *rows <= self.gone)
        {
            self.gone -= rows;
            self.kept.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states.iter().map(|state| state.as_list_opt::<i32>()).collect::<Option<Vec<_>>>();
        let lists = lists.ok_or_else(|| DataFusionError::Internal("F40: a state is a list".to_owned()))?;
        for row in 0..lists.first().map_or(0, |list| list.len()) {
            if lists.iter().all(|list| list.is_valid(row)) {
                self.update_batch(&lists.iter().map(|list| list.value(row)).collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.columns()?.into_iter().map(list_of).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.columns()?;
        let places = self.places(&columns)?;
        let Some(values) = columns.first().filter(|_| !places.is_empty()) else {
            return ScalarValue::try_from(&match self.gathers {
                Gathers::Array => layouts::array_of(self.types[0].clone()),
                Gathers::Text => self.types[0].clone(),
            });
        };
        match (self.gathers, values.data_type()) {
            (Gathers::Array, _) => {
                let places = UInt64Array::from_iter_values(places.into_iter().map(|place| place as u64));
                Ok(list_of(take(values, &places, None)?))
            }
            (Gathers::Text, DataType::Binary) => {
                let (values, separators) = (values.as_binary::<i32>(), columns[1].as_binary::<i32>());
                let separator = |row: usize| if separators.is_null(row) { &[] } else { separators.value(row) };
                let parts =
                    places.iter().enumerate().flat_map(|(at, row)| [if at == 0 { &[] } else { separator(*row) }, values.value(*row)]);
                Ok(ScalarValue::Binary(Some(parts.collect::<Vec<_>>().concat())))
            }
            (Gathers::Text, _) => {
                let (values, separators) = (values.as_string::<i32>(), columns[1].as_string::<i32>());
                let separator = |row: usize| if separators.is_null(row) { "" } else { separators.value(row) };
                let parts =
                    places.iter().enumerate().flat_map(|(at, row)| [if at == 0 { "" } else { separator(*row) }, values.value(*row)]);
                Ok(ScalarValue::Utf8(Some(parts.collect())))
            }
        }
    }

    fn size(&self) -> usize {
        // What is shared with others counts by its rows.
        let bytes = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0) + size_of::<ArrayRef>();
        size_of_val(self) + self.kept.iter().flatten().map(bytes).sum::<usize>()
    }
}

fn list_of(values: ArrayRef) -> ScalarValue {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    ScalarValue::List(Arc::new(ListArray::new(field, offsets, values, None)))
}
