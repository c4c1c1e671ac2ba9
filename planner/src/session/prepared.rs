//! A statement that is parsed, bound and typed, ready to run any number of times.
//!
//! Never: holds a snapshot or a row; a plan is remade when the catalog or the search path it was made under has changed.

use std::sync::Arc;

use engine::SqlType;

use crate::outcome::Column;
use crate::parse::Parsed;
use crate::plan_cache::Stamp;
use crate::statements::Plan;

/// A prepared statement. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The statement's own text, without what surrounds it.
    pub text: Arc<str>,
    /// Types of `$1`, `$2`, …
    pub parameters: Arc<[SqlType]>,
    /// Columns of the answer; `None` for a statement that returns no rows.
    pub columns: Option<Arc<[Column]>>,
    pub(crate) parsed: Parsed,
    pub(crate) plan: Arc<Plan>,
    pub(crate) stamp: Stamp,
    /// The plan holds for the moment it was made only.
    pub(crate) replan: bool,
    /// It names the past of a table.
    pub(crate) is_versioned: bool,
}
