//! Up to 2,048 matches so far, a column for each live variable, and how many matches each row stands for.
//!
//! H1: all live columns have `len` values; columns of other variables hold whatever they held.
//! Never: grows past a vector.

use crate::element::Element;
use crate::varset::{Var, VarSet};

/// Rows of a batch at most.
pub const VECTOR: usize = 2_048;

/// See the module.
#[derive(Debug)]
pub struct Batch {
    /// One for each possible variable.
    pub columns: Vec<Vec<Element>>,
    /// Matches that each row stands for; never 0.
    pub weights: Vec<u64>,
}

impl Default for Batch {
    fn default() -> Self {
        Self { columns: vec![Vec::new(); 64], weights: Vec::new() }
    }
}

impl Batch {
    /// Rows.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// A variable's column.
    #[inline]
    pub fn column(&self, var: Var) -> &[Element] {
        &self.columns[usize::from(var.0)]
    }

    /// A variable's column, to fill.
    #[inline]
    pub fn column_mut(&mut self, var: Var) -> &mut Vec<Element> {
        &mut self.columns[usize::from(var.0)]
    }

    /// Takes rows `parents` of another batch: their weights, and the columns of `vars`.
    pub fn gather(&mut self, other: &Self, parents: &[u32], vars: VarSet) {
        self.weights.clear();
        self.weights.extend(parents.iter().map(|row| other.weights[*row as usize]));
        for var in vars.iter() {
            let from = other.column(var);
            let to = self.column_mut(var);
            to.clear();
            to.extend(parents.iter().map(|row| from[*row as usize]));
        }
    }

    /// Keeps the rows marked; only columns of `vars` are kept up.
    pub fn retain(&mut self, keep: &[bool], vars: VarSet) {
        if keep.iter().all(|keep| *keep) {
            return;
        }
        for var in vars.iter() {
            let mut marks = keep.iter();
            self.column_mut(var).retain(|_| marks.next().copied().unwrap_or(false));
        }
        let mut marks = keep.iter();
        self.weights.retain(|_| marks.next().copied().unwrap_or(false));
    }
}
