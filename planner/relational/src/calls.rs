//! Calls of our functions, by name, while a query is planned.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ScalarUDF};

use crate::functions::{arrays, bytes, documents, intervals, json_paths, numerics, strings};

static FUNCTIONS: LazyLock<HashMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let all = [
        arrays::functions(),
        bytes::functions(),
        documents::functions(),
        intervals::functions(),
        json_paths::functions(),
        numerics::functions(),
        strings::functions(),
    ];
    all.concat().into_iter().map(|function| (function.name().to_owned(), Arc::new(function))).collect()
});

/// A call of one of our functions.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Result<Expr> {
    let function = FUNCTIONS.get(name).ok_or_else(|| DataFusionError::Internal(format!("no function {name}")))?;
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args)))
}
