//! Session values: who asks, where, under which version, and when.
//!
//! F2: each is a constant of the statement, folded while planning.

use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use arrow::datatypes::DataType;

use crate::environment::Environment;

const DAY_US: i64 = 86_400_000_000;

/// Every session function, bound to the environment.
pub(super) fn functions(env: &Environment) -> Vec<ScalarUDF> {
    let text = |value: &str| ScalarValue::Utf8(Some(value.to_owned()));
    let instant = |us| ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()));
    let day = i32::try_from(env.transaction_time_us.div_euclid(DAY_US)).ok();
    [
        ("version", text(&env.version)),
        ("current_database", text(&env.database)),
        ("current_catalog", text(&env.database)),
        ("current_schema", ScalarValue::Utf8(env.search_path.first().cloned())),
        ("current_user", text(&env.user)),
        ("session_user", text(&env.user)),
        ("current_role", text(&env.user)),
        ("user", text(&env.user)),
        ("now", instant(env.transaction_time_us)),
        ("current_timestamp", instant(env.transaction_time_us)),
        ("transaction_timestamp", instant(env.transaction_time_us)),
        ("statement_timestamp", instant(env.statement_time_us)),
        ("localtimestamp", ScalarValue::TimestampMicrosecond(Some(env.transaction_time_us), None)),
        ("current_date", ScalarValue::Date32(day)),
    ]
    .into_iter()
    .map(|(name, value)| ScalarUDF::from(Constant { name, value, signature: Signature::nullary(Volatility::Immutable) }))
    .collect()
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Constant {
    name: &'static str,
    value: ScalarValue,
    signature: Signature,
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        if arg_types.is_empty() { Ok(self.value.data_type()) } else { internal_err!("{} takes no arguments", self.name) }
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}
