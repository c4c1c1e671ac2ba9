//! What a table's rules mean: its defaults and CHECK conditions, read out of their text and evaluated over rows.
//!
//! L1: what does not depend on a session is planned once a version of the table and kept; the rest once a statement.
//! L2: a table without defaults and checks costs nothing here.
//! L3: rows are checked whole, NOT NULL first, then CHECK conditions by name, as in Postgres.
//! Never: writes a row.

mod compile;
mod generated;
mod rounding;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array, new_null_array};
use arrow::compute::take;
use base::{SqlError, SqlResult, SqlState};
use engine::{Identity, SqlType, TableDef};
use relational::{Environment, Expressions, Relational};

pub(crate) use crate::rule_text::{columns_of, default_text, expression, is_volatile, renamed};
pub(crate) use compile::{Default, Kept, RowsAtHand, Shelf};
pub(crate) use generated::{check_generated, generated_given, is_generated, needing};
pub(crate) use rounding::rounded;

use crate::pg_catalog::Scene;
use crate::sequence_functions::{self, Used};
use crate::tables::arrow_error;
use crate::types;

/// What rules are planned and evaluated in: a statement of a session.
pub(crate) trait Surroundings {
    /// Plans expressions.
    fn relational(&self) -> &Relational;
    /// Where rules are kept.
    fn shelf(&self) -> &Shelf;
    /// What functions that this text mentions answer from.
    fn environment(&self, text: &str) -> Environment;
    /// The catalog that sequences are found in.
    fn scene(&self) -> Scene;
    /// Values that the session got from sequences.
    fn used(&self) -> &Used;
    /// `now()`, µs since 1970-01-01 UTC.
    fn now_us(&self) -> i64;
}

/// One statement's door to the rules of one table.
pub(crate) struct Guard {
    table: Arc<TableDef>,
    kept: Option<Arc<Kept>>,
    /// Checks that depend on the session, planned for this statement.
    checks: Vec<(usize, Expressions)>,
    /// Defaults that do.
    fillers: Vec<(usize, Expressions)>,
    scene: Option<Scene>,
    used: Used,
    now_us: i64,
}

impl Guard {
    /// For a statement that writes rows of a table, of which the columns at `given` are given. Errors: what planning the rules raises.
    pub(crate) fn new(around: &dyn Surroundings, table: &Arc<TableDef>, given: &[usize]) -> SqlResult<Self> {
        let mut guard = Self {
            table: Arc::clone(table),
            kept: None,
            checks: Vec::new(),
            fillers: Vec::new(),
            scene: None,
            used: around.used().clone(),
            now_us: around.now_us(),
        };
        if table.rules.columns.is_empty() && table.rules.checks.is_empty() {
            return Ok(guard);
        }
        let kept = around.shelf().of(around, table)?;
        for at in kept.checks_of_session() {
            guard.checks.push((at, compile::check(around, table, &table.rules.checks[at])?));
        }
        for (position, default) in &kept.defaults {
            if let (Default::Session(text), false) = (default, given.contains(position)) {
                guard.fillers.push((*position, compile::default(around, text)?));
            }
            if matches!(default, Default::Sequence(_)) {
                guard.scene.get_or_insert_with(|| around.scene());
            }
        }
        guard.kept = Some(kept);
        Ok(guard)
    }

    /// Whole rows out of the columns given: the others take their defaults.
    pub(crate) fn complete(&self, rows: usize, given: Vec<(usize, ArrayRef)>) -> SqlResult<RecordBatch> {
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.table.columns.len()];
        for (position, array) in given {
            columns[position] = Some(array);
        }
        let mut whole = Vec::with_capacity(columns.len());
        for (position, column) in columns.into_iter().enumerate() {
            whole.push(match column {
                Some(column) => column,
                None => self.default(position, rows)?,
            });
        }
        RecordBatch::try_new(self.table.arrow_schema(), whole).map_err(arrow_error)
    }

    /// Default values of a column.
    pub(crate) fn default(&self, position: usize, rows: usize) -> SqlResult<ArrayRef> {
        let column = &self.table.columns[position];
        let default = self.kept.as_ref().and_then(|kept| kept.defaults.iter().find(|(at, _)| *at == position));
        match default.map(|(_, default)| default) {
            None => Ok(new_null_array(&column.sql_type.arrow(), rows)),
            Some(Default::Constant(value)) => take(value, &UInt32Array::from(vec![0; rows]), None).map_err(arrow_error),
            Some(Default::Now) => Ok(Arc::new(TimestampMicrosecondArray::from(vec![self.now_us; rows]).with_timezone("UTC"))),
            Some(Default::Sequence(id)) => {
                let scene = self.scene.as_ref().ok_or_else(|| SqlError::internal("a sequence without its catalog"))?;
                let values = sequence_functions::drawn(scene, &self.used, *id, rows)?;
                let values: ArrayRef = Arc::new(Int64Array::from(values));
                types::coerce(
                    &values,
                    &types::Assignment {
                        column: &column.name,
                        from: SqlType::Int8,
                        to: column.sql_type,
                        from_unknown_literal: false,
                        reading: types::Reading::default(),
                    },
                )
            }
            Some(Default::Session(_)) => {
                let filler = self.fillers.iter().find(|(at, _)| *at == position).map(|(_, filler)| filler);
                let filler = filler.ok_or_else(|| SqlError::internal("a default that was not planned"))?;
                let values = filler.evaluate(&[], rows)?;
                compile::assign(&values[0], column, false)
            }
        }
    }

    /// The rows as they are written: with their generated columns, and within what the table demands. Errors: 23502, 23514, and what computing
    /// a column raises.
    pub(crate) fn settle(&self, rows: RecordBatch) -> SqlResult<RecordBatch> {
        let rows = self.generate(rows)?;
        self.check(&rows)?;
        Ok(rows)
    }

    /// The rows with times rounded as columns were declared, and with their generated columns, whatever stood there.
    pub(crate) fn generate(&self, rows: RecordBatch) -> SqlResult<RecordBatch> {
        let Some(kept) = self.kept.as_ref().filter(|kept| !(kept.generated.is_empty() && kept.rounded.is_empty())) else { return Ok(rows) };
        let mut columns = rows.columns().to_vec();
        for (position, digits) in &kept.rounded {
            columns[*position] = rounded(&columns[*position], Some(*digits))?;
        }
        for (position, expression) in &kept.generated {
            let values = expression.evaluate(&columns, rows.num_rows())?;
            let values = compile::assign(&values[0], &self.table.columns[*position], false)?;
            let digits = self.table.rules.column(self.table.columns[*position].id).and_then(|rules| rules.precision);
            columns[*position] = rounded(&values, digits)?;
        }
        RecordBatch::try_new(rows.schema(), columns).map_err(arrow_error)
    }

    fn check(&self, rows: &RecordBatch) -> SqlResult<()> {
        for (def, column) in self.table.columns.iter().zip(rows.columns()) {
            if def.not_null && column.null_count() > 0 {
                let row = (0..column.len()).find(|row| column.is_null(*row)).unwrap_or(0);
                return Err(null_violation(&self.table, &def.name, rows, row));
            }
        }
        let Some(kept) = &self.kept else { return Ok(()) };
        for at in &kept.order {
            let session = self.checks.iter().find(|(other, _)| other == at).map(|(_, check)| check);
            let Some(check) = session.or_else(|| kept.checks[*at].as_ref()) else { continue };
            if let Some(row) = first_false(check, rows)? {
                return Err(check_violation(&self.table, &self.table.rules.checks[*at].name, rows, row));
            }
        }
        Ok(())
    }
}

/// The first row that a condition does not hold for; NULL holds.
pub(crate) fn first_false(check: &Expressions, rows: &RecordBatch) -> SqlResult<Option<usize>> {
    if rows.num_rows() == 0 {
        return Ok(None);
    }
    let values = check.evaluate(rows.columns(), rows.num_rows())?;
    let Some(holds) = values[0].as_boolean_opt() else {
        return if values[0].null_count() == rows.num_rows() { Ok(None) } else { Err(SqlError::internal("a CHECK is no condition")) };
    };
    Ok((0..rows.num_rows()).find(|row| holds.is_valid(*row) && !holds.value(*row)))
}

/// The condition of one CHECK constraint, planned. Errors: as for any expression; 42804 where it is no condition.
pub(crate) fn condition(around: &dyn Surroundings, table: &Arc<TableDef>, check: &engine::Check) -> SqlResult<Expressions> {
    compile::check(around, table, check)
}

/// What USING of a column's new type says, over rows as they were. Errors: as for any expression.
pub(crate) fn transform(around: &dyn Surroundings, table: &TableDef, text: &str) -> SqlResult<Expressions> {
    compile::transform(around, table, text)
}

/// One value of a default, computed now. Errors: as for any expression.
pub(crate) fn computed_default(around: &dyn Surroundings, column: &engine::ColumnDef, text: &str, rows: usize) -> SqlResult<ArrayRef> {
    compile::constant(around, column, text, rows)
}

/// Detail of a violation, as Postgres words it.
pub(crate) fn failing_row(table: &TableDef, rows: &RecordBatch, row: usize) -> String {
    let text = |(column, array): (&engine::ColumnDef, &ArrayRef)| match types::text_of(array, row, column.sql_type) {
        Ok(Some(text)) if text.len() > 64 => format!("{}...", &text[..text.floor_char_boundary(64)]),
        Ok(Some(text)) => text,
        _ => "null".to_owned(),
    };
    let values: Vec<String> = table.columns.iter().zip(rows.columns()).map(text).collect();
    format!("Failing row contains ({}).", values.join(", "))
}

fn null_violation(table: &TableDef, column: &str, rows: &RecordBatch, row: usize) -> SqlError {
    let message = format!("null value in column \"{column}\" of relation \"{}\" violates not-null constraint", table.name);
    SqlError::new(SqlState::NOT_NULL_VIOLATION, message)
        .detail(failing_row(table, rows, row))
        .table(&table.schema, &table.name)
        .column(column)
}

fn check_violation(table: &TableDef, name: &str, rows: &RecordBatch, row: usize) -> SqlError {
    SqlError::new(SqlState::CHECK_VIOLATION, format!("new row for relation \"{}\" violates check constraint \"{name}\"", table.name))
        .detail(failing_row(table, rows, row))
        .table(&table.schema, &table.name)
        .constraint(name)
}

/// 428C9 for a value given to an identity column that generates its own.
pub(crate) fn identity_given(table: &TableDef, position: usize, verb: Verb) -> SqlResult<()> {
    let column = &table.columns[position];
    if table.rules.column(column.id).and_then(|rules| rules.identity) != Some(Identity::Always) {
        return Ok(());
    }
    let detail = format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name);
    let message = match verb {
        Verb::Insert => format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name),
        Verb::Update => format!("column \"{}\" can only be updated to DEFAULT", column.name),
    };
    let error = SqlError::new(SqlState::GENERATED_ALWAYS, message).detail(detail);
    Err(match verb {
        Verb::Insert => error.hint("Use OVERRIDING SYSTEM VALUE to override."),
        Verb::Update => error,
    })
}

/// What gives a value to an identity column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Insert,
    Update,
}

/// The text of a column's default as it is now, a sequence by its present name; `None` for a column without one.
pub(crate) fn default_of(catalog: &engine::Catalog, table: &TableDef, position: usize) -> Option<String> {
    let rules = table.rules.column(table.columns.get(position)?.id).filter(|rules| !rules.generated)?;
    match rules.sequence.and_then(|id| catalog.object(id)) {
        Some(engine::Object::Sequence(sequence)) => {
            let name = format!("{}.{}", crate::names::quoted(sequence.schema()), crate::names::quoted(sequence.name()));
            Some(format!("nextval('{}')", name.replace('\'', "''")))
        }
        _ => rules.default.clone(),
    }
}
