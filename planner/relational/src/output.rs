//! Gives result batches the few Arrow types the wire writes, and the names Postgres shows.
//!
//! O1: columns that leave are Boolean, Int16/32/64, UInt32 (an oid), Float32/64, Decimal128, Utf8, Binary, Date32, Timestamp(µs, none or UTC), Time64(µs),
//!     Interval(MonthDayNano), FixedSizeBinary(16), the layouts of numeric, json and jsonb, lists of these, or Null. A row leaves as its text.
//! Never: changes a value; one that has no place in the narrower type is 22003.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::LogicalPlan;

use crate::functions::{conversions, types};
use crate::layouts::{self, INTERVAL, TIME, UUID};
use crate::table::DECLARED_TYPE;
use crate::{names, origins};

/// The type a column of this type leaves as (O1).
pub(crate) fn shown_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Int8 | DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::FixedSizeBinary(16) => UUID,
        DataType::Struct(_) if layouts::record(data_type).is_some() => DataType::Utf8,
        DataType::List(item) if layouts::record(item.data_type()).is_some() => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Time32(_) | DataType::Time64(_) => TIME,
        DataType::Interval(_) | DataType::Duration(_) => INTERVAL,
        DataType::List(item) if layouts::is_vector(data_type) => layouts::vector_of(shown_type(item.data_type())),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            layouts::array_of(shown_type(item.data_type()))
        }
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into())),
        DataType::Dictionary(_, values) => shown_type(values),
        DataType::Decimal128(_, 0..) => data_type.clone(),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => layouts::any_numeric(),
        other => other.clone(),
    }
}

/// What [`DECLARED_TYPE`] says of a row, which leaves as its text.
const RECORD: &str = "2249,-1";
/// The same of an array of rows.
const RECORDS: &str = "2287,-1";

/// The schema results of this plan leave with; a column of a table says which one it is and as what it was declared.
pub(crate) fn shown_schema(plan: &LogicalPlan) -> SchemaRef {
    let field = |(at, field): (usize, &Arc<Field>)| {
        let shown = Field::new(names::shown(field.name()), shown_type(field.data_type()), true);
        let mut metadata = origins::declared(plan, at);
        if layouts::record(field.data_type()).is_some() {
            metadata.insert(DECLARED_TYPE.to_owned(), RECORD.to_owned());
        } else if layouts::element(field.data_type()).is_some_and(|element| layouts::record(element).is_some()) {
            metadata.insert(DECLARED_TYPE.to_owned(), RECORDS.to_owned());
        }
        shown.with_metadata(metadata)
    };
    Arc::new(Schema::new(plan.schema().fields().iter().enumerate().map(field).collect::<Vec<_>>()))
}

/// The batch under the schema it leaves with. Errors: 22003 for a value the shown type cannot hold.
pub(crate) fn shown_batch(batch: &RecordBatch, schema: &SchemaRef) -> SqlResult<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| shown_column(column, field.data_type()))
        .collect::<SqlResult<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|error| SqlError::internal(format!("O1: {error}")))
}

fn shown_column(column: &ArrayRef, data_type: &DataType) -> SqlResult<ArrayRef> {
    if column.data_type() == data_type {
        return Ok(Arc::clone(column));
    }
    let is_numeric = layouts::is_any_numeric(data_type);
    if is_numeric || matches!(column.data_type(), DataType::Duration(_) | DataType::List(_) | DataType::Struct(_)) {
        return conversions::convert(column, data_type);
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, data_type, &options)
        .map_err(|_| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value out of range for type {}", types::name(data_type))))
}
