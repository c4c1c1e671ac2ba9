//! Functions that read the clock each time they are called.
//!
//! Never: the transaction's or the statement's time, which are constants of a statement.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use base::{Clock, SqlResult};
use relational::ScalarFunction;
use relational::values::datetime::write_timestamptz;
use relational::values::manner::{DateStyle, Manner};

/// `clock_timestamp()` and `timeofday()`.
pub(crate) fn all(clock: &Arc<dyn Clock>) -> Vec<ScalarFunction> {
    let now = Arc::clone(clock);
    let instant = move |_: &[ArrayRef]| -> SqlResult<ArrayRef> {
        Ok(Arc::new(TimestampMicrosecondArray::from(vec![now.now_us()]).with_timezone("UTC")))
    };
    let now = Arc::clone(clock);
    let text = move |_: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let mut shown = Vec::new();
        write_timestamptz(now.now_us(), &Manner { dates: DateStyle::Postgres, ..Manner::default() }, &mut shown);
        Ok(Arc::new(StringArray::from(vec![String::from_utf8_lossy(&shown).into_owned()])))
    };
    let function = |name: &str, returns: DataType, call: relational::ScalarCall| ScalarFunction {
        name: name.to_owned(),
        args: Vec::new(),
        optional_args: 0,
        returns,
        call,
    };
    vec![
        function("clock_timestamp", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), Arc::new(instant)),
        function("timeofday", DataType::Utf8, Arc::new(text)),
    ]
}
