//! What a statement sees of its session: names, time, and functions the caller brings along.
//!
//! Never: changes while a statement runs; every mention of `now()` in one statement is the same instant.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use base::SqlResult;

use crate::clock::Moment;
use crate::values::manner::Manner;

/// Session values that functions such as `current_user` and `now()` answer from.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `current_user`, `current_role`, `user`.
    pub user: String,
    /// `session_user`.
    pub session_user: String,
    /// `current_database()`, `current_catalog`.
    pub database: String,
    /// `current_schemas(false)`: the search path's schemas that exist, `$user` already replaced. The first is `current_schema()`.
    pub search_path: Vec<String>,
    /// `version()`.
    pub version: String,
    /// `now()`, `current_timestamp`, `transaction_timestamp()`: µs since 1970-01-01 UTC.
    pub transaction_time_us: i64,
    /// `statement_timestamp()`: µs since 1970-01-01 UTC.
    pub statement_time_us: i64,
    /// How values are read and written.
    pub manner: Manner,
    /// Functions beside the built-in ones; one of the same name as a built-in hides it.
    pub functions: Vec<ScalarFunction>,
}

impl Environment {
    /// When the statement runs.
    pub fn moment(&self) -> Moment {
        Moment { transaction_us: self.transaction_time_us, statement_us: self.statement_time_us, zone: self.manner.zone }
    }
}

/// Asked now and then by work that nothing else can end: an error once the statement has to. It reaches the user unchanged.
pub type Interrupt = Arc<dyn Fn() -> SqlResult<()> + Send + Sync>;

/// What one run of a query is held back by, and brings along.
#[derive(Clone)]
pub struct RunLimits {
    /// Asked now and then.
    pub interrupt: Interrupt,
    /// Bytes that its sorts, hashes and aggregates may hold; the server's own limit for a run holds all the same, and alone where this is `None`.
    pub memory_bytes: Option<usize>,
    /// Bodies of functions that the run brings along: they take the place of what [`Environment::functions`] had when the query was bound.
    pub functions: Vec<ScalarFunction>,
}

impl RunLimits {
    /// For runs that nobody ends from outside, with the server's limits alone.
    pub fn none() -> Self {
        Self { interrupt: Arc::new(|| Ok(())), memory_bytes: None, functions: Vec::new() }
    }
}

/// The body of a [`ScalarFunction`]: argument arrays of one length in, one array of that length out.
pub type ScalarCall = Arc<dyn Fn(&[ArrayRef]) -> SqlResult<ArrayRef> + Send + Sync>;

/// A function the caller brings along: volatile, called once a batch, never folded at planning.
#[derive(Clone)]
pub struct ScalarFunction {
    /// Lower-case name.
    pub name: String,
    /// Argument types; calls are coerced to them.
    pub args: Vec<DataType>,
    /// How many of the last arguments may be left out (≤ `args.len()`).
    pub optional_args: usize,
    /// Type of the answer.
    pub returns: DataType,
    /// Gets as many arrays as the call had arguments, all of the batch's length (≥ 1 row), typed as `args`. Without arguments it gives one
    /// row. Errors reach the user unchanged.
    pub call: ScalarCall,
}

impl fmt::Debug for ScalarFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScalarFunction")
            .field("name", &self.name)
            .field("args", &self.args)
            .field("optional_args", &self.optional_args)
            .field("returns", &self.returns)
            .finish_non_exhaustive()
    }
}
