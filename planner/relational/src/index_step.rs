//! How a leaf that reads by an index is shown.
//!
//! Never: knows the leaf.

use std::fmt;

/// How rows are found by an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexStep {
    /// The index's name.
    pub name: String,
    /// The table's, as the statement has it.
    pub table: String,
    /// Whether the table itself is not read.
    pub is_only: bool,
    /// Whether it is read from its end.
    pub backward: bool,
    /// What it is asked for; may be empty.
    pub condition: String,
}

impl IndexStep {
    /// What it is called.
    pub fn operator(&self) -> &'static str {
        if self.is_only { "Index Only Scan" } else { "Index Scan" }
    }
}

impl fmt::Display for IndexStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.backward { " Backward" } else { "" };
        write!(f, "{}{direction} using {} on {}: ", self.operator(), self.name, self.table)
    }
}
