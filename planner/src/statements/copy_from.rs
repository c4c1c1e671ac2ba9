//! COPY … FROM STDIN: the client's bytes straight into columns of the table.
//!
//! Never: reads a file of the server's machine or runs a program.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{TableDef, Transaction};
use sqlparser::ast::{CopySource, CopyTarget, Statement};

use super::Planning;
use crate::cancel::Watch;
use crate::copy::{CopyDirection, CopyOptions, CopyParser};
use crate::copy_in::CopyIn;
use crate::names::{Name, fold};
use crate::parse::Parsed;
use crate::resolver::Scope;
use crate::rules::{self, Guard};
use crate::types::Reading;
use crate::view::Place;

/// Rows handed to the engine at once.
const BATCH_ROWS: usize = 32_768;

/// A COPY FROM whose names were found when it was planned.
#[derive(Debug)]
pub(crate) struct Plan;

pub(super) fn plan(planning: &Planning<'_>, _statement: &Statement) -> SqlResult<super::Plan> {
    bind(planning.parsed, planning.scope, planning.view.database.name(), planning.view.reading())?;
    Ok(super::Plan::CopyFrom(Plan))
}

/// Where the rows go: the table, the positions of the columns listed, how the data is written.
struct Bound {
    table: Arc<TableDef>,
    positions: Vec<usize>,
    options: CopyOptions,
}

fn bind(parsed: &Parsed, scope: &Scope, database: &str, reading: Reading) -> SqlResult<Bound> {
    let Statement::Copy { source, target, .. } = &*parsed.statement else {
        return Err(SqlError::internal("not a COPY"));
    };
    if !matches!(target, CopyTarget::Stdin) {
        return Err(SqlError::unsupported("COPY FROM a file or program of the server").hint("Use COPY … FROM STDIN, or psql's \\copy."));
    }
    let CopySource::Table { table_name, columns } = source else {
        return Err(SqlError::unsupported("COPY (query) FROM"));
    };
    let name = Name::of(table_name, database)?;
    // Postgres points at no character here.
    let table = scope.writable(&name)?;
    let mut positions = Vec::with_capacity(columns.len());
    for ident in columns {
        let column = fold(ident);
        let position = super::assignment::position(table, &column, ident.span, parsed)?;
        if positions.contains(&position) {
            let error = SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{column}\" specified more than once"));
            return Err(parsed.point(error, ident.span));
        }
        refuse_generated(table, position)?;
        positions.push(position);
    }
    if columns.is_empty() {
        positions = (0..table.columns.len()).filter(|at| !rules::is_generated(table, *at)).collect();
    }
    let options = options(parsed, CopyDirection::From, reading)?;
    options.check_columns(&positions.iter().map(|at| table.columns[*at].name.as_str()).collect::<Vec<_>>())?;
    Ok(Bound { table: Arc::clone(table), positions, options })
}

/// Errors: 42P10 for a generated column in a list of columns.
pub(super) fn refuse_generated(table: &TableDef, position: usize) -> SqlResult<()> {
    if !rules::is_generated(table, position) {
        return Ok(());
    }
    let message = format!("column \"{}\" is a generated column", table.columns[position].name);
    Err(SqlError::new(SqlState("42P10"), message).detail("Generated columns cannot be used in COPY."))
}

/// The options as written. Errors: 22023, 0A000, 42601.
pub(super) fn options(parsed: &Parsed, direction: CopyDirection, reading: Reading) -> SqlResult<CopyOptions> {
    let list: Vec<(&str, Option<&str>)> = parsed.copy_options.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    Ok(CopyOptions { reading, ..CopyOptions::from_list(direction, &list)? })
}

/// The table that a COPY is into. Errors: as when it was planned.
pub(crate) fn target(parsed: &Parsed, place: &Place<'_>) -> SqlResult<Arc<TableDef>> {
    bind(parsed, place.scope, place.view.database.name(), place.view.reading()).map(|bound| bound.table)
}

/// Begins a COPY; names are looked up again, in the transaction it runs in.
pub(crate) fn start(parsed: &Parsed, place: &Place<'_>, transaction: Transaction, watch: Watch) -> SqlResult<CopyIn> {
    let Bound { table, positions, options } = bind(parsed, place.scope, place.view.database.name(), place.view.reading())?;
    let guard = Guard::new(place, &table, &positions)?;
    let columns = positions.iter().map(|at| (table.columns[*at].name.clone(), table.columns[*at].sql_type)).collect();
    let parser = CopyParser::new(options, &table.name, columns, BATCH_ROWS);
    Ok(CopyIn::new(parser, table, positions, guard, transaction, watch))
}
