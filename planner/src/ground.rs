//! What a text means to a session, beside the catalog.
//!
//! Never: knows where its parts come from.

use std::sync::Arc;

/// What of a session decides the meaning of a statement's text, beside the catalog.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Ground {
    pub(crate) user: Arc<str>,
    pub(crate) search_path: Arc<[String]>,
    /// Values of the parameters that change how constants are read and values are written.
    pub(crate) values: Vec<String>,
}
