//! LOCK TABLE: keeps others from writing a table, or from locking it, until the transaction ends.
//!
//! T1: who has the lock sees, from then on, everything that was committed before, and what it keeps others from does not happen meanwhile.
//! T2: through a view the tables that it reads are locked.
//! Never: makes a reader wait: a snapshot is there whatever happens.

use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};
use engine::roles::privilege;
use engine::{LEDGER_SCHEMA, Object, TableDef, TableLock};
use sqlparser::tokenizer::Span;

use super::Execution;
use crate::lock_table_syntax::LockTables;
use crate::names::Name;
use crate::outcome::{Outcome, Tag};
use crate::resolver::{Scope, undefined_table};
use crate::rights::access::Kind;
use crate::rights::things;

/// How often it is seen whether what was decided before is visible; that is soon.
const LOOKS_EVERY: Duration = Duration::from_micros(200);

/// Errors: 25P01, 42P01, 42809, 42501, 55P03, 40P01.
pub(super) async fn execute(lock: &LockTables, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let scope = execution.fresh_scope();
    let is_alone = execution.transaction.is_alone();
    // Who may write nothing hears that first.
    if is_alone && !scope.access.is_auditor() {
        return Err(without_block());
    }
    let mut tables = Vec::new();
    for parts in &lock.tables {
        let (name, schema) = (parts.last().cloned().unwrap_or_default(), parts.iter().rev().nth(1).cloned());
        let name = Name { schema, name, span: Span::empty() };
        let object = scope.relation(&name).ok_or_else(|| undefined_table(&name.shown()))?;
        find(&scope, object, &name.name, lock.mode, &mut tables)?;
    }
    if is_alone {
        return Err(without_block());
    }
    for table in &tables {
        execution.transaction.lock_table(table, lock.mode, lock.nowait)?;
    }
    // T1
    let ledger = Arc::clone(execution.transaction.ledger());
    let placed = ledger.placed();
    while ledger.snapshot().seq < placed && ledger.failure().is_none() {
        execution.watch.check()?;
        tokio::time::sleep(LOOKS_EVERY).await;
    }
    Ok(Outcome::Command(Tag::command("LOCK TABLE")))
}

fn without_block() -> SqlError {
    SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, "LOCK TABLE can only be used in transaction blocks")
}

/// The tables that are meant by a relation. Errors: 42809, 42501.
fn find(scope: &Scope, object: &Object, name: &str, mode: TableLock, tables: &mut Vec<Arc<TableDef>>) -> SqlResult<()> {
    let refused = |what: &str| {
        Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("cannot lock relation \"{name}\""))
            .detail(format!("This operation is not supported for {what}.")))
    };
    match object {
        Object::Table(table) if table.name != name => refused("indexes"),
        Object::Table(table) if table.rules.materialized.is_some() => refused("materialized views"),
        Object::Table(table) if table.schema == LEDGER_SCHEMA => refused("the ledger's own tables"),
        Object::Table(table) => {
            scope.check_usage(&table.schema)?;
            check(scope, &things::of_table(table), mode)?;
            tables.push(Arc::clone(table));
            Ok(())
        }
        Object::View(view) => {
            scope.check_usage(&view.schema)?;
            check(scope, &things::of_view(view), mode)?;
            let beneath = scope.in_role(scope.role_of(view));
            // T2
            for object in view.reads.iter().filter_map(|(id, _)| beneath.catalog.object(*id)) {
                match object {
                    Object::Table(table) if table.rules.materialized.is_some() || table.schema == LEDGER_SCHEMA => {}
                    Object::Table(_) | Object::View(_) => find(&beneath, object, object.name(), mode, tables)?,
                    _ => {}
                }
            }
            Ok(())
        }
        Object::Sequence(_) => refused("sequences"),
        _ => refused("property graphs"),
    }
}

/// Some right to write is one to keep others from it. Errors: 42501.
fn check(scope: &Scope, thing: &things::Thing, mode: TableLock) -> SqlResult<()> {
    let changes = privilege::UPDATE | privilege::DELETE | privilege::TRUNCATE;
    let one_of = match mode {
        TableLock::AccessShare => privilege::SELECT,
        TableLock::RowShare => changes | privilege::SELECT,
        TableLock::RowExclusive => changes | privilege::INSERT,
        _ => changes,
    };
    debug_assert!(matches!(thing.kind, Kind::Table | Kind::View), "only tables and views are locked");
    if scope.access.on(&scope.catalog, thing.kind, thing.id, one_of) == 0 { Err(thing.denied()) } else { Ok(()) }
}
