//! Values that keys compare and no column has: expressions over a row, and the conditions of keys that some rows only are in.
//!
//! E1: a value depends on nothing but the columns it is told to read; whoever defines the key sees to that. So a fold that is made anew is the same.
//! E2: a condition is computed of rows that are asked for, an expression of those that its key's condition lets in: what is computed of no other row cannot
//!     fail because of it.
//! E3: a statement computes what its rows bring before they are taken; what folds compute of rows again has been computed before.
//! Never: reads SQL; who opens a ledger brings the [`Expressions`] that do.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::take;
use base::{SqlError, SqlResult};

use super::{KeyDef, TableDef};
use crate::failure::arrow_failed;
use crate::types::SqlType;

/// Makes programs of the expressions in definitions; brought along in [`crate::Options`].
pub trait Expressions: Send + Sync + Debug {
    /// Reads an expression of a table. Errors: whatever planning it raises.
    fn compile(&self, table: &TableDef, computed: &Computed) -> SqlResult<Arc<dyn Program>>;
}

/// An expression that can be computed.
pub trait Program: Send + Sync + Debug {
    /// Values over so many rows, typed as [`Computed::sql_type`] says; `columns` are those at [`Computed::positions`]. Errors: the expression's.
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef>;

    /// The expression as messages show it.
    fn shown(&self) -> &str;
}

/// For ledgers without expressions in their definitions.
#[derive(Debug)]
pub struct NoExpressions;

impl Expressions for NoExpressions {
    fn compile(&self, table: &TableDef, computed: &Computed) -> SqlResult<Arc<dyn Program>> {
        let message = format!("nothing here computes \"{}\", which an index of \"{}\" is over", computed.text, table.name);
        Err(SqlError::unsupported(message).hint("The ledger has to be opened by a server that reads SQL."))
    }
}

/// An expression over the columns of a table that one of its keys compares, or the condition of one.
#[derive(Clone, Debug)]
pub struct Computed {
    /// SQL text, opaque here.
    pub text: String,
    /// Type of its values.
    pub sql_type: SqlType,
    /// Positions of the columns it reads, ascending.
    pub positions: Vec<usize>,
    program: OnceLock<Arc<dyn Program>>,
}

impl PartialEq for Computed {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.sql_type, &self.positions) == (&other.text, other.sql_type, &other.positions)
    }
}

impl Eq for Computed {}

impl Computed {
    pub(crate) fn new(text: String, sql_type: SqlType, positions: Vec<usize>) -> Self {
        Self { text, sql_type, positions, program: OnceLock::new() }
    }

    /// The program, compiled once. Errors: those of compiling.
    pub fn program(&self, expressions: &dyn Expressions, table: &TableDef) -> SqlResult<&dyn Program> {
        if let Some(program) = self.program.get() {
            return Ok(&**program);
        }
        let program = expressions.compile(table, self)?;
        Ok(&**self.program.get_or_init(|| program))
    }

    /// Its values of the rows at these places of some columns.
    fn of_rows<'a>(
        &self,
        (expressions, table): (&dyn Expressions, &TableDef),
        column: &impl Fn(usize) -> &'a ArrayRef,
        rows: &UInt32Array,
    ) -> SqlResult<ArrayRef> {
        let program = self.program(expressions, table)?;
        let pick = |at: &usize| take(column(*at), rows, None).map_err(|error| arrow_failed("compute a key", &error));
        let columns = self.positions.iter().map(pick).collect::<SqlResult<Vec<_>>>()?;
        let values = program.evaluate(&columns, rows.len())?;
        if values.data_type() != &self.sql_type.arrow() || values.len() != rows.len() {
            return Err(SqlError::internal(format!("E1: \"{}\" has become a {}", self.text, values.data_type())));
        }
        Ok(values)
    }
}

/// What a key computes of some rows (E2).
pub(crate) struct KeyValues {
    /// Its columns, in key order; those computed are NULL where the row is not in the key.
    pub(crate) columns: Vec<(SqlType, ArrayRef)>,
    /// Which rows are in it; `None`: all.
    pub(crate) held: Option<BooleanArray>,
}

impl KeyValues {
    /// Of those of `rows` rows that are wanted. `column` gives the table's by position. Errors: those of compiling and computing.
    pub(crate) fn of<'a>(
        (expressions, table): (&dyn Expressions, &TableDef),
        key: &KeyDef,
        column: impl Fn(usize) -> &'a ArrayRef,
        rows: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> SqlResult<Self> {
        let (mut columns, mut held) = (Vec::with_capacity(key.positions.len()), None);
        let mut picked: Option<UInt32Array> = None;
        if !key.is_plain(table) {
            let mut places: UInt32Array = (0..rows as u32).filter(|at| wanted(*at as usize)).collect();
            if let Some(condition) = key.condition.and_then(|place| table.computed(place)) {
                let holds = condition.of_rows((expressions, table), &column, &places)?;
                let holds = holds.as_boolean();
                let within = |at: &usize| holds.is_valid(*at) && holds.value(*at);
                places = (0..places.len()).filter(within).map(|at| places.value(at)).collect();
                held = Some(placed(&places, rows));
            }
            picked = Some(places);
        }
        for position in &key.positions {
            let array = match (table.computed(*position), &picked) {
                (Some(computed), Some(places)) => {
                    let values = computed.of_rows((expressions, table), &column, places)?;
                    spread(&values, places, rows)?
                }
                _ => Arc::clone(column(*position)),
            };
            columns.push((table.type_at(*position), array));
        }
        Ok(Self { columns, held })
    }
}

/// «true» at these places of so many.
fn placed(places: &UInt32Array, rows: usize) -> BooleanArray {
    let mut held = vec![false; rows];
    places.values().iter().for_each(|at| held[*at as usize] = true);
    held.into()
}

/// Values at their places among so many rows, NULL at all others.
fn spread(values: &ArrayRef, places: &UInt32Array, rows: usize) -> SqlResult<ArrayRef> {
    if places.len() == rows {
        return Ok(Arc::clone(values));
    }
    let mut from: Vec<Option<u32>> = vec![None; rows];
    places.values().iter().zip(0..).for_each(|(at, value)| from[*at as usize] = Some(value));
    take(values, &UInt32Array::from(from), None).map_err(|error| arrow_failed("compute a key", &error))
}
