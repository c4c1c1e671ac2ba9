//! What indexes are about beside columns: expressions and conditions, read out of definitions, planned, and computed for the engine's folds.
//!
//! X1: an expression reads nothing but columns of its row and has the same value in every session and at all times; what cannot be known to is refused.
//! X2: its text names columns alone, without their table, so that it holds under any name of the table.
//! Never: computes what a query asks for; the indexes' rows are the engine's.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{Field, Schema, SchemaRef};
use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{ColumnDef, Computed, Expression, Program, SqlType, TableDef};
use relational::{Environment, Expressions, Query, Relational};
use sqlparser::ast::{Expr, visit_expressions, visit_expressions_mut};

use crate::names::quoted;
use crate::pg_catalog;
use crate::rule_text;
use crate::rules::RowsAtHand;
use crate::tables::arrow_error;
use crate::{parse, types};

/// Memory of the planner of expressions, which holds no rows of its own.
const MEMORY_BYTES: usize = 16 << 20;

/// What a ledger whose tables are defined in SQL is opened with, and the real disk, clock and randomness.
pub fn engine_options() -> engine::Options {
    engine::Options { expressions: Arc::new(IndexExpressions::default()), ..engine::Options::real() }
}

/// Reads the expressions of indexes for the engine.
#[derive(Debug, Default)]
pub struct IndexExpressions {
    relational: OnceLock<Relational>,
}

impl IndexExpressions {
    fn relational(&self) -> SqlResult<&Relational> {
        if let Some(relational) = self.relational.get() {
            return Ok(relational);
        }
        let options = relational::Options { memory_bytes: MEMORY_BYTES, run_memory_bytes: MEMORY_BYTES, partitions: 1, batch_rows: 8_192 };
        let made = Relational::new(options)?;
        Ok(self.relational.get_or_init(|| made))
    }
}

impl engine::Expressions for IndexExpressions {
    fn compile(&self, table: &TableDef, computed: &Computed) -> SqlResult<Arc<dyn Program>> {
        let fields: Vec<Field> = computed.positions.iter().map(|at| field(&table.columns[*at])).collect();
        let expressions = planned(self.relational()?, &table.name, Arc::new(Schema::new(fields)), &computed.text)?;
        let shown = pg_catalog::index_expression(table, &computed.text, true);
        Ok(Arc::new(Compiled { expressions, sql_type: computed.sql_type, shown }))
    }
}

#[derive(Debug)]
struct Compiled {
    expressions: Expressions,
    sql_type: SqlType,
    shown: String,
}

impl Program for Compiled {
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
        let values = self.expressions.evaluate(columns, rows)?;
        let values = values.first().ok_or_else(|| SqlError::internal("an expression without a value"))?;
        let wanted = self.sql_type.arrow();
        if values.data_type() == &wanted { Ok(Arc::clone(values)) } else { cast(values, &wanted).map_err(arrow_error) }
    }

    fn shown(&self) -> &str {
        &self.shown
    }
}

fn field(column: &ColumnDef) -> Field {
    Field::new(&column.name, column.sql_type.arrow(), true)
}

/// An expression over rows of these columns, as no session in particular reads it. Errors: what planning raises.
fn planned(relational: &Relational, table: &str, schema: SchemaRef, text: &str) -> SqlResult<Expressions> {
    let rows = RowsAtHand::with(schema);
    let parsed = parse::parse(&format!("SELECT ({text}) AS c0 FROM {} AS {}", rows.name(), quoted(table)))?;
    let [one] = parsed.as_slice() else { return Err(SqlError::internal("an expression is no statement")) };
    let environment = Environment {
        user: String::new(),
        session_user: String::new(),
        database: String::new(),
        search_path: Vec::new(),
        version: String::new(),
        transaction_time_us: 0,
        statement_time_us: 0,
        manner: types::Manner::default(),
        functions: Vec::new(),
    };
    relational.expressions(Query { statement: &one.statement, text: "" }, &rows, &environment)
}

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the list of an index.
    List,
    /// In its WHERE.
    Condition,
}

impl Place {
    fn word(self) -> &'static str {
        if self == Self::List { "expression" } else { "predicate" }
    }
}

/// An expression of a definition over a table of that name (X1, X2).
///
/// Errors: 42703; 0A000, 42803, 42P20 for what it cannot have; 42P17 where it is not immutable; 42804 for a condition that is none; what planning raises.
pub(crate) fn read(relational: &Relational, table: &str, columns: &[ColumnDef], expr: &Expr, place: Place) -> SqlResult<Expression> {
    refuse(expr, place)?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let positions = rule_text::columns_of(table, &names, expr)?;
    let mut expr = expr.clone();
    let _ = visit_expressions_mut(&mut expr, |inner| {
        if let Expr::CompoundIdentifier(parts) = inner
            && let [_, column] = parts.as_slice()
        {
            *inner = Expr::Identifier(column.clone());
        }
        ControlFlow::<()>::Continue(())
    });
    let text = expr.to_string();
    let sql_type = checked(relational, table, columns, &positions, &expr, &text, place)?;
    let columns: Vec<ColumnId> = positions.iter().map(|at| columns[*at].id).collect();
    Ok(Expression { text, sql_type, columns })
}

/// The type of an expression's values. Errors: as [`read`].
fn checked(
    relational: &Relational,
    table: &str,
    columns: &[ColumnDef],
    positions: &[usize],
    expr: &Expr,
    text: &str,
    place: Place,
) -> SqlResult<SqlType> {
    let fields: Vec<Field> = positions.iter().map(|at| field(&columns[*at])).collect();
    let expressions = planned(relational, table, Arc::new(Schema::new(fields)), text)?;
    let found = expressions.types().next();
    let sql_type = found.as_ref().and_then(SqlType::from_arrow);
    let sql_type = sql_type.ok_or_else(|| SqlError::unsupported(format!("an index over the expression {text}")))?;
    if place == Place::Condition && sql_type != SqlType::Bool {
        let message = format!("argument of WHERE must be type boolean, not type {}", sql_type.name());
        return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
    }
    if rule_text::is_volatile(expr) || rule_text::mentions_session(expr) || rule_text::is_stable(expr) || !expressions.is_immutable() {
        let message = format!("functions in index {} must be marked IMMUTABLE", place.word());
        return Err(SqlError::new(SqlState("42P17"), message));
    }
    Ok(sql_type)
}

/// The expression over columns whose types have changed. Errors: as [`read`].
pub(crate) fn retyped(relational: &Relational, table: &str, columns: &[ColumnDef], expression: &mut Expression) -> SqlResult<()> {
    let expr = rule_text::expression(&expression.text)?;
    let place = if expression.sql_type == SqlType::Bool { Place::Condition } else { Place::List };
    let positions: Vec<usize> = (0..columns.len()).filter(|at| expression.columns.contains(&columns[*at].id)).collect();
    expression.sql_type = checked(relational, table, columns, &positions, &expr, &expression.text, place)?;
    Ok(())
}

fn refuse(expr: &Expr, place: Place) -> SqlResult<()> {
    let word = place.word();
    let refused = visit_expressions(expr, |inner| {
        let (state, message) = match inner {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                (SqlState::FEATURE_NOT_SUPPORTED, format!("cannot use subquery in index {word}"))
            }
            Expr::Function(call) if call.over.is_some() => {
                (SqlState("42P20"), format!("window functions are not allowed in index {word}s"))
            }
            Expr::Function(call) if relational::is_aggregate(&call.name.to_string().to_lowercase()) => {
                (SqlState::GROUPING_ERROR, format!("aggregate functions are not allowed in index {word}s"))
            }
            _ => return ControlFlow::Continue(()),
        };
        ControlFlow::Break(SqlError::new(state, message))
    });
    match refused {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}
