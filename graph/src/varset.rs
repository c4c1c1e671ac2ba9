//! Variables, and a set of them in one word.
//!
//! Never: holds a variable of 64 or above; patterns are checked before.

use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// A variable of a pattern: below 56.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Var(pub u16);

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct VarSet(pub u64);

impl VarSet {
    /// No variable.
    pub const EMPTY: Self = Self(0);

    /// Just one.
    pub fn one(var: Var) -> Self {
        Self(1 << (var.0 & 63))
    }

    /// Whether the variable is in it.
    pub fn has(self, var: Var) -> bool {
        self.0 >> (var.0 & 63) & 1 == 1
    }

    /// Whether all of the other's are in it.
    pub fn has_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether some of the other's are in it.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are in it.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The variables, ascending.
    pub fn iter(self) -> impl Iterator<Item = Var> {
        (0..64).map(Var).filter(move |var| self.has(*var))
    }
}

impl FromIterator<Var> for VarSet {
    fn from_iter<I: IntoIterator<Item = Var>>(vars: I) -> Self {
        vars.into_iter().fold(Self::EMPTY, |set, var| set | Self::one(var))
    }
}

impl BitOr for VarSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for VarSet {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for VarSet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for VarSet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}
