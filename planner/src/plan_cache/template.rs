//! A shape's way from a text with constants to a text with parameters, and the constants' way to values.
//!
//! Z1: a constant that has no exact value in the type its parameter got is not lifted: the statement is then planned as it is written.
//! Never: rounds, cuts or guesses; an invalid constant is left for the parser's and planner's own errors.

use arrow::array::ArrayRef;
use engine::SqlType;

use super::lexer::{Constant, Kind, Lexed};
use crate::types::{ColumnBuilder, Manner};

/// What becomes of each constant of a shape, in order.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) slots: Vec<Slot>,
}

/// What becomes of one constant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    /// It stays in the text.
    Pinned,
    /// It becomes a parameter, together with the `sign` bytes before it.
    Lifted { role: Role, sign: usize },
}

/// Where a lifted constant stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Compared with a column.
    Compared,
    /// The value of a column.
    Assigned,
    /// Added to a column: an integer of its own type.
    Operand,
}

/// A text whose lifted constants are parameters.
#[derive(Debug)]
pub(crate) struct Lifted {
    pub(crate) text: String,
    /// A type for each parameter that has one whatever surrounds it.
    pub(crate) types: Vec<Option<SqlType>>,
    values: Vec<(Role, Kind, String)>,
}

impl Template {
    /// Whether anything is lifted.
    pub(crate) fn lifts(&self) -> bool {
        self.slots.iter().any(|slot| *slot != Slot::Pinned)
    }

    /// The text with parameters. `None` if it is not of this shape, or a constant is too large for its place.
    pub(crate) fn lift(&self, lexed: &Lexed<'_>) -> Option<Lifted> {
        if self.slots.len() != lexed.constants.len() {
            return None;
        }
        let mut lifted = Lifted { text: String::with_capacity(lexed.text.len()), types: Vec::new(), values: Vec::new() };
        let mut copied = 0;
        for (slot, constant) in self.slots.iter().zip(&lexed.constants) {
            let Slot::Lifted { role, sign } = *slot else { continue };
            let Constant { kind, start, end, value } = constant;
            lifted.text.push_str(lexed.text.get(copied..start.checked_sub(sign)?)?);
            copied = *end;
            let value = if sign > 0 { format!("-{value}") } else { value.to_string() };
            lifted.types.push(match role {
                Role::Operand if value.parse::<i32>().is_ok() => Some(SqlType::Int4),
                Role::Operand if value.parse::<i64>().is_ok() => Some(SqlType::Int8),
                Role::Operand => return None,
                Role::Compared | Role::Assigned => None,
            });
            lifted.values.push((role, *kind, value));
            lifted.text.push('$');
            lifted.text.push_str(&lifted.values.len().to_string());
        }
        lifted.text.push_str(&lexed.text[copied..]);
        Some(lifted)
    }
}

impl Lifted {
    /// The constants as values of the parameters' types (Z1).
    pub(crate) fn values(&self, types: &[SqlType], manner: Manner) -> Option<Vec<ArrayRef>> {
        if types.len() != self.values.len() {
            return None;
        }
        self.values.iter().zip(types).map(|((role, kind, text), sql_type)| value(*role, *kind, text, *sql_type, manner)).collect()
    }
}

fn value(role: Role, kind: Kind, text: &str, sql_type: SqlType, manner: Manner) -> Option<ArrayRef> {
    use SqlType::{AnyNumeric, Date, Float4, Float8, Int2, Int4, Int8, Numeric, Text, Timestamp, Timestamptz, Varchar};
    let is_exact = match (role, kind) {
        (_, Kind::Integer) if matches!(sql_type, Int2 | Int4 | Int8) => true,
        // What a cell of VALUES goes through as well.
        (Role::Assigned, Kind::Integer | Kind::Decimal) => matches!(sql_type, Numeric { .. } | AnyNumeric(_) | Float4 | Float8),
        (Role::Assigned, Kind::Text) => true,
        // A numeric column's own literal is a constant that segments can be pruned by.
        (Role::Compared, Kind::Integer | Kind::Decimal) => sql_type == Float8,
        (Role::Compared, Kind::Text) => matches!(sql_type, Text | Varchar(None) | Date | Timestamp | Timestamptz),
        (Role::Operand, _) => false,
    };
    if !is_exact {
        return None;
    }
    let mut builder = ColumnBuilder::in_manner(sql_type, 1, manner);
    builder.append_text(text.as_bytes()).ok()?;
    Some(builder.finish())
}
