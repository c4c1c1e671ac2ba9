//! Newtypes for the numbers that must never be mixed up.
//!
//! Never: carries meaning beyond identity and order.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// Place of a commit in its ledger, from 0, dense: also the index of its leaf in both Merkle trees.
    CommitSeq(u64)
}
id! {
    /// Place of a row version in its table, from 0, dense and in commit order.
    RowId(u64)
}
id! {
    /// A table (or other object with rows) of one ledger; never reused. Below 1,000: the ledger's own tables.
    RelationId(u32)
}
id! {
    /// A column of one table, from 1; never reused, so a dropped and re-added name is another column.
    ColumnId(u32)
}

/// Sixteen random bytes drawn when a ledger is created.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct LedgerId(pub [u8; 16]);

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0))
    }
}
