//! Names of types as Postgres prints them, and `pg_typeof`.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::layouts;

/// The Postgres name of the type a value of this Arrow type is shown as.
pub(crate) fn name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "unknown".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => "smallint".into(),
        DataType::UInt16 | DataType::Int32 => "integer".into(),
        DataType::Int64 | DataType::UInt64 => "bigint".into(),
        DataType::UInt32 => "oid".into(),
        DataType::Float16 | DataType::Float32 => "real".into(),
        DataType::Float64 => "double precision".into(),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => "numeric".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::FixedSizeBinary(16) => "uuid".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytea".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone".into(),
        DataType::Timestamp(_, None) => "timestamp without time zone".into(),
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone".into(),
        DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::DayTime | IntervalUnit::MonthDayNano) | DataType::Duration(_) => {
            "interval".into()
        }
        DataType::List(item) if layouts::is_vector(data_type) => {
            if item.data_type() == &DataType::Int16 {
                "int2vector".into()
            } else {
                "oidvector".into()
            }
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => format!("{}[]", name(item.data_type())),
        DataType::Dictionary(_, values) => name(values),
        other if layouts::is_any_numeric(other) => "numeric".into(),
        other => layouts::document_name(other).unwrap_or("record").into(),
    }
}

/// The Postgres name of a type given as Arrow prints it in messages, e.g. `Int64` or `Decimal128(10, 2)`; others stay as they are.
pub(crate) fn name_of_printed(printed: &str) -> String {
    let known = match printed.trim() {
        "Null" => "unknown",
        "Boolean" => "boolean",
        "Int8" | "UInt8" | "Int16" => "smallint",
        "UInt16" | "Int32" => "integer",
        "Int64" | "UInt64" => "bigint",
        "UInt32" => "oid",
        "Float16" | "Float32" => "real",
        "Float64" => "double precision",
        "Utf8" | "LargeUtf8" | "Utf8View" => "text",
        "Binary" | "LargeBinary" | "BinaryView" => "bytea",
        "Date32" | "Date64" => "date",
        "FixedSizeBinary(16)" => "uuid",
        other if other.starts_with("List(") => {
            let inside = other.trim_start_matches("List(").trim_end_matches(')');
            let item = inside.strip_prefix("nullable ").or_else(|| inside.strip_prefix("non-null ")).unwrap_or(inside);
            return name_of_printed(item) + "[]";
        }
        other if other.starts_with("Struct(") && other.contains("\"jsonb\"") => "jsonb",
        other if other.starts_with("Struct(") && other.contains("\"json\"") => "json",
        other if other.starts_with("Struct(") && other.contains("\"numeric\"") => "numeric",
        other if other.starts_with("Decimal") => "numeric",
        other if other.starts_with("Timestamp") && (other.contains("Some") || other.contains('"')) => "timestamp with time zone",
        other if other.starts_with("Timestamp") => "timestamp without time zone",
        other if other.starts_with("Time") => "time without time zone",
        other if other.starts_with("Interval") || other.starts_with("Duration") => "interval",
        other => other,
    };
    known.to_owned()
}

/// `pg_typeof(any)`: the argument's type as text.
pub(super) fn pg_typeof() -> ScalarUDF {
    ScalarUDF::from(PgTypeof { known: None, signature: Signature::any(1, Volatility::Immutable) })
}

/// The same for an argument whose layout does not tell its type.
pub(crate) fn pg_typeof_known(name: &'static str) -> ScalarUDF {
    ScalarUDF::from(PgTypeof { known: Some(name), signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct PgTypeof {
    known: Option<&'static str>,
    signature: Signature,
}

impl ScalarUDFImpl for PgTypeof {
    fn name(&self) -> &str {
        "pg_typeof"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = args.arg_fields.first().map_or(DataType::Null, |field| field.data_type().clone());
        let shown = self.known.map_or_else(|| name(&data_type), str::to_owned);
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(shown))))
    }
}
