//! Statements of the workload: inserts, updates and deletes in open transactions, bulk writes, tables made and dropped.

use std::sync::Arc;

use base::{SqlError, SqlResult};
use engine::{TableDef, Transaction};

use super::driver::{Driver, Run, Session, halted, is_conflict, violation};
use crate::model::{Delta, KeyChange, KeyKind, Model, Row, TableChange};
use crate::tables::{batch, definition, find};

/// Keys that sessions fight over.
const KEYS: u64 = 40;
/// More rows than this go ahead into the log as DATA records.
const INLINE_ROWS_MAX: u64 = 1_024;

/// What a statement does to one key.
struct Step {
    name: String,
    kind: KeyKind,
    key: i64,
    /// The row to be there afterwards; `None` deletes.
    row: Option<Row>,
}

impl Driver {
    /// One statement in one of the open transactions.
    pub(super) fn session_statement(&mut self) -> Run {
        if self.sessions.is_empty() {
            let transaction = self.ledger()?.begin("session");
            self.sessions.push(Session { transaction, seen: self.model.clone(), delta: Delta::default() });
        }
        let at = self.dice.below(self.sessions.len() as u64) as usize;
        let names: Vec<String> = self.sessions[at].seen.tables.keys().cloned().collect();
        if names.is_empty() {
            self.sessions.swap_remove(at);
            return Ok(());
        }
        let name = self.dice.pick(&names).clone();
        let kind = self.sessions[at].seen.tables[&name].kind;
        let key = self.dice.below(KEYS) as i64;
        let is_delete = self.dice.percent(30);
        let row = (!is_delete).then(|| self.next_row());
        let mut session = self.sessions.swap_remove(at);
        let outcome = self.statement(&mut session, Step { name, kind, key, row });
        self.sessions.push(session);
        outcome
    }

    fn statement(&mut self, session: &mut Session, step: Step) -> Run {
        let table = &session.seen.tables[&step.name];
        let before = session.delta.tables.get(&step.name).and_then(|change| change.keys.get(&step.key));
        let there = match before {
            Some(change) => change.row.as_ref(),
            None => table.rows.get(&step.key),
        };
        if there.is_none() && step.row.is_none() {
            return Ok(());
        }
        let base = before.map_or_else(|| table.rows.get(&step.key).map(|row| row.version), |change| change.base);
        let mut delta = session.delta.clone();
        let change = delta.tables.entry(step.name.clone()).or_insert_with(|| TableChange { id: table.id, ..TableChange::default() });
        change.keys.insert(step.key, KeyChange { base, row: step.row.clone() });
        let is_there = there.is_some();
        self.say(|| {
            let verb = if step.row.is_none() {
                "delete"
            } else if is_there {
                "update"
            } else {
                "insert"
            };
            format!("{verb} key {} of {}", step.key, step.name)
        });
        match execute(&mut session.transaction, &step, is_there) {
            Ok(()) => session.delta = delta,
            Err(error) if is_conflict(&error) => {
                self.say(|| format!("refused: {}", error.message()));
                if self.model.conflict(&delta).is_none() && self.uncertain.is_empty() {
                    return violation(format!("a statement was refused without a conflict: {}", error.message()));
                }
            }
            Err(error) => return Err(halted("statement", error)),
        }
        Ok(())
    }

    /// One transaction with a write so large that it goes ahead into the log, and small ones around it.
    pub(super) fn bulk(&mut self) -> Run {
        if self.bulk_left == 0 {
            return self.session_statement();
        }
        self.bulk_left -= 1;
        let names: Vec<String> = self.model.tables.keys().cloned().collect();
        let name = self.dice.pick(&names).clone();
        let (id, kind) = (self.model.tables[&name].id, self.model.tables[&name].kind);
        let count = INLINE_ROWS_MAX + 1 + self.dice.below(300);
        // Below zero, and each row takes a version, so no two bulk writes meet.
        let first = -(self.versions + count).cast_signed();
        let keys: Vec<i64> = (first..first + count as i64).collect();
        let rows: Vec<(i64, Row)> = keys.into_iter().map(|key| (key, self.next_row())).collect();
        self.say(|| format!("bulk insert of {count} rows into {name}"));
        let mut transaction = self.ledger()?.begin("bulk");
        let mut delta = Delta::default();
        let change = delta.tables.entry(name.clone()).or_insert_with(|| TableChange { id, ..TableChange::default() });
        let inserted = insert_all(&mut transaction, &name, kind, &rows);
        inserted.map_err(|error| halted("bulk insert", error))?;
        change.keys.extend(rows.into_iter().map(|(key, row)| (key, KeyChange { base: None, row: Some(row) })));
        if self.dice.percent(50) {
            // One of the rows again, as a row of this transaction that replaces another of its own.
            let (key, row) = (first + 7, self.next_row());
            let step = Step { name, kind, key, row: Some(row.clone()) };
            execute(&mut transaction, &step, true).map_err(|error| halted("update after a bulk insert", error))?;
            change.keys.insert(key, KeyChange { base: None, row: Some(row) });
        }
        if self.dice.percent(15) {
            self.say(|| "the bulk insert is rolled back".into());
            return Ok(());
        }
        self.commit(transaction, &delta)
    }

    /// One transaction that makes a table and writes its first rows.
    pub(super) fn define_table(&mut self, name: &str, kind: KeyKind) -> Run {
        let ledger = self.ledger()?;
        let id = ledger.next_object_id();
        self.say(|| format!("create table {name}"));
        let mut transaction = ledger.begin("ddl");
        let mut change = TableChange { id, created: Some(kind), ..TableChange::default() };
        let rows: Vec<(i64, Row)> = (0..self.dice.below(4) as i64).map(|key| (key * 3, self.next_row())).collect();
        let made = definition(id, name, kind).and_then(|table| transaction.create_table(table));
        made.and_then(|()| insert_all(&mut transaction, name, kind, &rows)).map_err(|error| halted("create table", error))?;
        change.keys = rows.into_iter().map(|(key, row)| (key, KeyChange { base: None, row: Some(row) })).collect();
        let delta = Delta { tables: [(name.to_owned(), change)].into() };
        self.commit(transaction, &delta)
    }

    /// Drops a table, if another stays.
    pub(super) fn drop_table(&mut self) -> Run {
        if self.model.tables.len() < 2 {
            return self.session_statement();
        }
        let names: Vec<String> = self.model.tables.keys().cloned().collect();
        let name = self.dice.pick(&names).clone();
        let id = self.model.tables[&name].id;
        self.say(|| format!("drop table {name}"));
        let mut transaction = self.ledger()?.begin("ddl");
        transaction.drop_object(id).map_err(|error| halted("drop table", error))?;
        let delta = Delta { tables: [(name, TableChange { id, dropped: true, ..TableChange::default() })].into() };
        self.commit(transaction, &delta)
    }
}

fn table_of(transaction: &Transaction, name: &str) -> SqlResult<Arc<TableDef>> {
    let found = transaction.catalog().table("public", name).cloned();
    found.ok_or_else(|| SqlError::internal(format!("table {name} is not in the catalog that the transaction sees")))
}

/// Inserts rows by the engine. Errors: the engine's.
pub(super) fn insert_all(transaction: &mut Transaction, name: &str, kind: KeyKind, rows: &[(i64, Row)]) -> SqlResult<()> {
    let table = table_of(transaction, name)?;
    let rows: Vec<(i64, &Row)> = rows.iter().map(|(key, row)| (*key, row)).collect();
    transaction.insert(&table, &batch(&table, kind, &rows)?)
}

fn execute(transaction: &mut Transaction, step: &Step, is_there: bool) -> SqlResult<()> {
    let table = table_of(transaction, &step.name)?;
    let found = find(transaction, &table, step.kind, step.key)?;
    if found.is_some() != is_there {
        return Err(SqlError::internal(format!(
            "key {} of {} is {} by its index",
            step.key,
            step.name,
            if is_there { "missing" } else { "there" }
        )));
    }
    match (found, &step.row) {
        (None, Some(row)) => transaction.insert(&table, &batch(&table, step.kind, &[(step.key, row)])?),
        (Some((old, _)), Some(row)) => transaction.update(&table, &[old], &batch(&table, step.kind, &[(step.key, row)])?),
        (Some((old, _)), None) => transaction.delete(&table, &[old]),
        (None, None) => Ok(()),
    }
}

/// A one-row insert in a transaction of its own, as engine and model see it. Errors: the engine's.
pub(super) fn single(ledger: &Arc<engine::Ledger>, model: &Model, name: &str, key: i64, row: Row) -> SqlResult<(Transaction, Delta)> {
    let table = &model.tables[name];
    let mut transaction = ledger.begin("group");
    insert_all(&mut transaction, name, table.kind, &[(key, row.clone())])?;
    let change = TableChange { id: table.id, keys: [(key, KeyChange { base: None, row: Some(row) })].into(), ..TableChange::default() };
    Ok((transaction, Delta { tables: [(name.to_owned(), change)].into() }))
}
