//! Functions that stand for what the reader of statements has no spelling for; none is ever called.
//!
//! They are changed where their meaning is known: `dialect` and `set_functions` read those of the syntax, `reshape` those of a plan.

use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// What `ROWS FROM (…)` is read as; its arguments are the functions.
pub const ROWS_FROM: &str = "\u{1}rows from";
/// What stands around the first bound of BETWEEN SYMMETRIC.
pub const SYMMETRIC: &str = "\u{1}symmetric";
/// What EXCLUDE NO OTHERS is read as, among the expressions of PARTITION BY.
pub const EXCLUDE_NO_OTHERS: &str = "\u{1}exclude no others";
/// EXCLUDE CURRENT ROW, likewise.
pub const EXCLUDE_CURRENT_ROW: &str = "\u{1}exclude current row";
/// EXCLUDE GROUP, likewise.
pub const EXCLUDE_GROUP: &str = "\u{1}exclude group";
/// EXCLUDE TIES, likewise.
pub const EXCLUDE_TIES: &str = "\u{1}exclude ties";
/// What SEARCH DEPTH FIRST of a query in WITH is read as, at the end of its ORDER BY.
pub const SEARCH_DEPTH: &str = "\u{1}search depth first";
/// SEARCH BREADTH FIRST, likewise.
pub const SEARCH_BREADTH: &str = "\u{1}search breadth first";
/// CYCLE, likewise.
pub const CYCLE: &str = "\u{1}cycle";
/// Which copy of its row a row is, from 1.
pub(crate) const COPY_NUMBER: &str = "\u{1}copy number";
/// A LIMIT that takes the peers of its last row as well.
pub(crate) const WITH_TIES: &str = "\u{1}with ties";

/// Those that a plan can hold.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    let mark = |name, signature| ScalarUDF::from(Mark { name, signature });
    let exclusions = [EXCLUDE_NO_OTHERS, EXCLUDE_CURRENT_ROW, EXCLUDE_GROUP, EXCLUDE_TIES];
    let exclusions = exclusions.map(|name| mark(name, Signature::nullary(Volatility::Volatile)));
    let others = [
        mark(COPY_NUMBER, Signature::nullary(Volatility::Volatile)),
        mark(WITH_TIES, Signature::exact(vec![DataType::Int64], Volatility::Volatile)),
    ];
    others.into_iter().chain(exclusions).collect()
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Mark {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Mark {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("a mark of the plan is called")
    }
}
