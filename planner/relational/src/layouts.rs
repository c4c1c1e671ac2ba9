//! Arrow layouts of the types that Arrow has no name for, the same as the tables' (checked by a test above this crate).
//!
//! Y2: `json` and `jsonb` are structs of one string, named after the type: no function or coercion takes one for text or for the other.
//! Y3: `numeric` is a struct of one binary field, whose bytes (`values::numeric::bytes`) sort as the numbers do; with a scale that all values of a
//!     column have it may also be one of Arrow's decimals, where only that scale can come out.
//! Y4: a row is a struct of its fields, whose names begin with a control character, so that no type that is laid out as a struct is one.
//! Never: a layout that two types of Postgres share, but for the string types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use base::{SqlError, SqlResult};

/// `time`
pub(crate) const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);
/// `interval`
pub(crate) const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
/// `uuid`
pub(crate) const UUID: DataType = DataType::FixedSizeBinary(16);

/// `json`
pub(crate) fn json() -> DataType {
    document("json")
}

/// `jsonb`
pub(crate) fn jsonb() -> DataType {
    document("jsonb")
}

fn document(name: &str) -> DataType {
    DataType::Struct(Fields::from(vec![Field::new(name, DataType::Utf8, true)]))
}

/// `numeric` whose values have their own display scales (Y3)
pub(crate) fn any_numeric() -> DataType {
    DataType::Struct(Fields::from(vec![Field::new("numeric", DataType::Binary, true)]))
}

pub(crate) fn is_any_numeric(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => {
            matches!(fields.as_ref(), [field] if field.data_type() == &DataType::Binary && field.name() == "numeric")
        }
        _ => false,
    }
}

/// `json` or `jsonb` by name, if the layout is one of theirs.
pub(crate) fn document_name(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Struct(fields) => match fields.as_ref() {
            [field] if field.data_type() == &DataType::Utf8 && field.name() == "json" => Some("json"),
            [field] if field.data_type() == &DataType::Utf8 && field.name() == "jsonb" => Some("jsonb"),
            _ => None,
        },
        _ => None,
    }
}

/// What the names of a row's fields begin with (Y4).
const FIELD: char = '\u{1}';

/// The name of a field of a row in its layout.
pub(crate) fn record_field(name: &str) -> String {
    format!("{FIELD}{name}")
}

/// A row's field by the name that users know.
pub(crate) fn record_field_shown(name: &str) -> &str {
    name.strip_prefix(FIELD).unwrap_or(name)
}

/// The fields of a row (`ROW(…)`, a relation's row), if the layout is one (Y4).
pub(crate) fn record(data_type: &DataType) -> Option<&Fields> {
    match data_type {
        DataType::Struct(fields) if fields.first().is_some_and(|field| field.name().starts_with(FIELD)) => Some(fields),
        _ => None,
    }
}

pub(crate) fn is_json(data_type: &DataType) -> bool {
    document_name(data_type) == Some("json")
}

pub(crate) fn is_jsonb(data_type: &DataType) -> bool {
    document_name(data_type) == Some("jsonb")
}

/// Whether a value of this type is text of any layout.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The type of an array's elements.
pub(crate) fn element(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => Some(item.data_type()),
        _ => None,
    }
}

/// Name of the items of a vector's list: `int2vector` and `oidvector` are lists whose subscripts begin at 0.
const VECTOR_ITEM: &str = "vector";

/// Vectors of this type.
pub(crate) fn vector_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new(VECTOR_ITEM, element, true)))
}

/// Whether a list is a vector of the catalog.
pub(crate) fn is_vector(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(item) if item.name() == VECTOR_ITEM)
}

/// The first subscript of an array of this type.
pub(crate) fn first_subscript(data_type: &DataType) -> i32 {
    i32::from(!is_vector(data_type))
}

/// Arrays of this type.
pub(crate) fn array_of(element: DataType) -> DataType {
    DataType::new_list(element, true)
}

/// Texts as `json` or `jsonb`, whichever `to` is; they must be in its form already. Errors: XX000 for another type.
pub(crate) fn wrap(texts: StringArray, to: &DataType) -> SqlResult<ArrayRef> {
    let DataType::Struct(fields) = to else { return Err(SqlError::internal(format!("Y2: {to} holds no document"))) };
    let nulls = texts.nulls().cloned();
    let wrapped = StructArray::try_new(fields.clone(), vec![Arc::new(texts)], nulls);
    Ok(Arc::new(wrapped.map_err(|error| SqlError::internal(format!("Y2: {error}")))?))
}

/// The texts of a `json` or `jsonb` column. Errors: XX000 for another type.
pub(crate) fn texts(array: &ArrayRef) -> SqlResult<StringArray> {
    let layout = || SqlError::internal(format!("Y2: {} is no document", array.data_type()));
    let document = array.as_struct_opt().filter(|_| document_name(array.data_type()).is_some()).ok_or_else(layout)?;
    let inner = document.column(0).as_string_opt::<i32>().ok_or_else(layout)?;
    let nulls = NullBuffer::union(document.nulls(), inner.nulls());
    Ok(StringArray::new(inner.offsets().clone(), inner.values().clone(), nulls))
}

/// Whether values of this type are compared only with values of the same type.
pub(crate) fn is_compared_by_type(data_type: &DataType) -> bool {
    *data_type == UUID || *data_type == TIME || is_compared_by_key(data_type)
}

/// Whether values of this type are compared by the keys of their values.
pub(crate) fn is_compared_by_key(data_type: &DataType) -> bool {
    *data_type == INTERVAL || is_any_numeric(data_type) || document_name(data_type).is_some() || element(data_type).is_some()
}
