//! An error of ours on its way through the engine, out of which `errors` takes it as it was.
//!
//! Never: changes it.

use base::SqlError;
use datafusion::common::DataFusionError;

/// The error as the engine carries it.
pub(crate) fn external(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
