//! Functions beside and instead of DataFusion's own, a file a family.
//!
//! F1: a family is registered here and nowhere else.
//! Never: reads a clock or any state outside its arguments and the [`Environment`].

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::environment::Environment;

pub(crate) mod arithmetic;
pub(crate) mod averages;
mod caller;
pub(crate) mod casts;
mod session;
pub(crate) mod types;

/// Functions that are the same for every statement.
pub(crate) fn scalars() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::new(types::pg_typeof())]
}

/// Aggregates whose types follow Postgres rather than DataFusion.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::new(averages::sum()), Arc::new(averages::avg())]
}

/// Functions that answer from one statement's environment, by name.
pub(crate) fn of_environment(env: &Environment) -> HashMap<String, Arc<ScalarUDF>> {
    let session = session::functions(env);
    let callers = env.functions.iter().map(caller::adapt);
    session.into_iter().chain(callers).map(|function| (function.name().to_owned(), Arc::new(function))).collect()
}
