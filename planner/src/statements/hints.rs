//! Parameter types of statements that are planned without a query: given by the client, else by the column they stand for.
//!
//! Never: changes a type the client gave.

use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use sqlparser::ast::Statement;

use super::{Described, Planning};
use crate::cells::{Cell, Source};
use crate::tables::MemoryTable;

/// Types found so far, `$1` first.
#[derive(Clone, Debug)]
pub(super) struct Hints(Vec<Option<SqlType>>);

impl Hints {
    pub(super) fn new(given: &[Option<SqlType>]) -> Self {
        Self(given.to_vec())
    }

    /// The parameter stands where a value of this type belongs.
    pub(super) fn note(&mut self, index: usize, sql_type: SqlType) {
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        self.0[index].get_or_insert(sql_type);
    }

    /// Notes every parameter of a column's source.
    pub(super) fn note_source(&mut self, source: &Source, sql_type: SqlType) {
        match source {
            Source::Known(_) => {}
            Source::Parameter(index) => self.note(*index, sql_type),
            Source::Mixed(cells) => {
                for cell in cells {
                    if let Cell::Parameter(index) = cell {
                        self.note(*index, sql_type);
                    }
                }
            }
        }
    }

    /// The type known for a parameter.
    pub(super) fn get(&self, index: usize) -> Option<SqlType> {
        self.0.get(index).copied().flatten()
    }

    /// What is known, for a query to complete.
    pub(super) fn known(&self) -> &[Option<SqlType>] {
        &self.0
    }

    /// Binds a query and lets it say the types still unknown.
    pub(super) fn complete_from(
        &mut self,
        planning: &Planning<'_>,
        statement: &Statement,
        local: Option<&MemoryTable>,
    ) -> SqlResult<Described> {
        let described = planning.describe(statement, local, self.known())?;
        for (index, sql_type) in described.parameters.iter().enumerate() {
            self.note(index, *sql_type);
        }
        Ok(described)
    }

    /// All types. Errors: 42P18 for a parameter without one.
    pub(super) fn complete(self) -> SqlResult<Vec<SqlType>> {
        let unknown = |index: usize| {
            SqlError::new(SqlState::INDETERMINATE_DATATYPE, format!("could not determine data type of parameter ${}", index + 1))
        };
        self.0.into_iter().enumerate().map(|(index, found)| found.ok_or_else(|| unknown(index))).collect()
    }
}
