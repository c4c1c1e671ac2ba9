//! Session values: who asks, where, under which version, and when.
//!
//! F2: each is a constant of the statement: folded while planning, but for the time, which every run brings (`slot`).

use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use arrow::datatypes::DataType;

use crate::clock::Clock;
use crate::environment::Environment;

/// Every session function, bound to the environment.
pub(super) fn functions(env: &Environment) -> Vec<ScalarUDF> {
    let text = |value: &str| ScalarValue::Utf8(Some(value.to_owned()));
    let values = [
        ("version", text(&env.version)),
        ("current_database", text(&env.database)),
        ("current_catalog", text(&env.database)),
        ("current_schema", ScalarValue::Utf8(env.search_path.first().cloned())),
        ("current_user", text(&env.user)),
        ("session_user", text(&env.session_user)),
        ("current_role", text(&env.user)),
        ("user", text(&env.user)),
    ];
    let clocks = [
        ("now", Clock::Transaction),
        ("current_timestamp", Clock::Transaction),
        ("transaction_timestamp", Clock::Transaction),
        ("statement_timestamp", Clock::Statement),
        ("localtimestamp", Clock::Local),
        ("current_date", Clock::Date),
        ("localtime", Clock::Time),
    ];
    let values = values.into_iter().map(|(name, value)| (name, value, None));
    let clocks = clocks.into_iter().map(|(name, clock)| (name, clock.at(env.moment()), Some(clock)));
    let signature = || Signature::nullary(Volatility::Immutable);
    values.chain(clocks).map(|(name, value, clock)| ScalarUDF::from(Constant { name, value, clock, signature: signature() })).collect()
}

/// Whether a function is one of these.
pub(crate) fn is_session(function: &ScalarUDF) -> bool {
    function.inner().downcast_ref::<Constant>().is_some()
}

/// The time a function asks for, if it does.
pub(crate) fn clock(function: &ScalarUDF) -> Option<Clock> {
    function.inner().downcast_ref::<Constant>()?.clock
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Constant {
    name: &'static str,
    value: ScalarValue,
    clock: Option<Clock>,
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
