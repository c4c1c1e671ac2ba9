//! The keys that a table's rules amount to: primary key, unique keys, indexes and references, as folds are kept of them.
//!
//! P1: places below the number of columns are columns'; those from there on count the table's computed values, each text once.
//! Never: computes a value.

use base::{ColumnId, RelationId, SqlError, SqlResult};

use super::{Computed, TableDef};
use crate::rules::{Expression, NO_COLUMN, Rules, Timing};

/// One key of a table that a fold is kept for: the primary key, an index, or the columns of a reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyDef {
    /// Name of its fold.
    pub id: u32,
    /// Its name, for messages.
    pub name: String,
    /// Places of what it compares, in key order (P1).
    pub positions: Vec<usize>,
    /// Place of the condition that its rows meet; all rows do where there is none.
    pub condition: Option<usize>,
    /// No two rows with equal keys, at any moment.
    pub unique: bool,
    /// Of a deferrable constraint: no two rows with equal keys once it has been compared (`late_keys.rs`). Until then there may be some, so its index is that
    /// of a key which is not unique.
    pub late: Option<Timing>,
    /// NULL is a value like any other.
    pub nulls_equal: bool,
    /// Its rows stand in its index with a NULL among its columns too; of a foreign key they do not.
    pub holds_nulls: bool,
}

impl KeyDef {
    /// Whether no two rows have equal keys when a commit is made.
    pub fn tells_apart(&self) -> bool {
        self.unique || self.late.is_some()
    }

    /// Whether it is over columns alone, and all rows are in it: what constraints and references are about.
    pub fn is_plain(&self, table: &TableDef) -> bool {
        self.condition.is_none() && self.positions.iter().all(|at| *at < table.columns.len())
    }

    /// Positions of the columns that it reads, some perhaps more than once.
    pub fn reads(&self, table: &TableDef) -> Vec<usize> {
        let mut read = Vec::new();
        for place in self.positions.iter().chain(&self.condition) {
            match table.computed(*place) {
                Some(computed) => read.extend_from_slice(&computed.positions),
                None => read.push(*place),
            }
        }
        read
    }
}

/// The keys of a table, the primary key first, and what they compute.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Keys {
    pub(crate) all: Vec<KeyDef>,
    pub(crate) computed: Vec<Computed>,
}

/// Whether rows differ at any moment, or only once they are compared.
fn timed(unique: bool, timing: Timing) -> (bool, Option<Timing>) {
    (unique && !timing.deferrable, (unique && timing.deferrable).then_some(timing))
}

/// The keys that rules amount to.
pub(crate) fn keys_of(
    table: (RelationId, &str),
    primary_key: &[usize],
    (rules, columns): (&Rules, usize),
    position: impl Fn(ColumnId) -> Option<usize>,
) -> SqlResult<Keys> {
    let (mut all, mut computed) = (Vec::new(), Vec::<Computed>::new());
    if !primary_key.is_empty() {
        let name = rules.key_name.clone().unwrap_or_else(|| format!("{}_pkey", table.1));
        let (id, positions) = (rules.key_id.unwrap_or(table.0.0), primary_key.to_vec());
        let (unique, late) = timed(true, rules.key_timing);
        all.push(KeyDef { id, name, positions, condition: None, unique, late, nulls_equal: false, holds_nulls: true });
    }
    let missing = |name: &str| SqlError::internal(format!("\"{name}\" of table \"{}\" names a column that is not there", table.1));
    let column = |id: &ColumnId, name: &str| position(*id).ok_or_else(|| missing(name));
    for index in &rules.indexes {
        let mut place = |expression: &Expression| -> SqlResult<usize> {
            let read = expression.columns.iter().map(|id| column(id, &index.name)).collect::<SqlResult<Vec<_>>>()?;
            let new = Computed::new(expression.text.clone(), expression.sql_type, read);
            let known = computed.iter().position(|known| *known == new);
            let at = known.unwrap_or(computed.len());
            if known.is_none() {
                computed.push(new);
            }
            Ok(columns + at)
        };
        let mut expressions = index.expressions.iter();
        let mut positions = Vec::with_capacity(index.columns.len());
        for id in &index.columns {
            positions.push(match *id {
                NO_COLUMN => place(expressions.next().ok_or_else(|| missing(&index.name))?)?,
                _ => column(id, &index.name)?,
            });
        }
        let condition = index.condition.as_ref().map(place).transpose()?;
        let (id, name, nulls_equal) = (index.id, index.name.clone(), index.unique && index.nulls_equal);
        let (unique, late) = timed(index.unique, index.timing);
        all.push(KeyDef { id, name, positions, condition, unique, late, nulls_equal, holds_nulls: true });
    }
    for reference in &rules.references {
        let positions = reference.columns.iter().map(|id| column(id, &reference.name)).collect::<SqlResult<Vec<_>>>()?;
        let (id, name) = (reference.id, reference.name.clone());
        all.push(KeyDef { id, name, positions, condition: None, unique: false, late: None, nulls_equal: false, holds_nulls: false });
    }
    Ok(Keys { all, computed })
}
