//! What a pattern's variables are bound to: a vertex or an edge of one table, in eight bytes.
//!
//! L1: order is by table, then by number in it; `NULL` comes last and equals no element.
//! Never: says whether it is a vertex or an edge: the variable that holds it does.

use std::fmt;

/// Bits for the number of an element within its table.
const ID_BITS: u32 = 48;

/// A vertex (its dense id) or an edge (its row id) with the place of its table in the graph's schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element(u64);

impl Element {
    /// What a variable of an OPTIONAL part holds where the part did not match.
    pub const NULL: Self = Self(u64::MAX);

    /// Number `id` (below 2^48) of table `table`.
    pub const fn new(table: u16, id: u64) -> Self {
        debug_assert!(id < 1 << ID_BITS, "L1: an id has 48 bits");
        Self((table as u64) << ID_BITS | id)
    }

    /// Place of its table.
    pub const fn table(self) -> u16 {
        (self.0 >> ID_BITS) as u16
    }

    /// Number within its table.
    pub const fn id(self) -> u64 {
        self.0 & ((1 << ID_BITS) - 1)
    }

    /// Dense id of a vertex.
    pub const fn vertex(self) -> u32 {
        self.0 as u32
    }

    /// The eight bytes as a number, for columns that hold either elements or other numbers.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Takes back what [`Element::bits`] gave.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether it is [`Element::NULL`].
    pub const fn is_null(self) -> bool {
        self.0 == u64::MAX
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_null() { f.write_str("null") } else { write!(f, "{}:{}", self.table(), self.id()) }
    }
}
