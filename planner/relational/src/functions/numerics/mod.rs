//! `numeric` of any length: columns, casts, operators, sums.
//!
//! N1: whatever is computed here has PostgreSQL's digits and display scale (`values::numeric`).

pub(crate) mod casts;
pub(crate) mod columns;
mod operators;
pub(crate) mod sums;
pub(crate) mod widened;

use datafusion::logical_expr::ScalarUDF;

/// Every function of the family.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    operators::functions()
}
