//! A statement that is parsed, bound and typed, ready to run any number of times.
//!
//! Never: holds a snapshot or a row; a plan is remade when the catalog or the search path it was made under has changed.

use std::sync::Arc;

use engine::SqlType;

use crate::outcome::Column;
use crate::parse::Parsed;
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
}

/// What a plan was made under; equal stamps resolve every name alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    pub(crate) schema_root: [u8; 32],
    pub(crate) search_path: Arc<[String]>,
}
