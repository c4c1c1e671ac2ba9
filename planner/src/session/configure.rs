//! SET, RESET, SHOW and DISCARD.
//!
//! Never: changes data.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use base::{SqlError, SqlResult, SqlState};
use engine::Temporary;
use futures::StreamExt;
use futures::stream;
use sqlparser::ast::{TransactionAccessMode, TransactionIsolationLevel, TransactionMode};

use super::blocks::State;
use super::{Session, identity};
use crate::outcome::{Column, Notice, Outcome, Tag};
use crate::plan_cache::Figures;
use crate::statements::configure::{Configure, PLAN_CACHE, PLAN_CACHE_COLUMNS};
use crate::tables::arrow_error;

impl Session {
    pub(super) fn configure(&mut self, statement: &Configure) -> SqlResult<Outcome> {
        match statement {
            Configure::Set { name, value, local } => self.set(name, value.as_deref(), *local),
            Configure::ResetAll => {
                self.settings.reset_all();
                Ok(Outcome::Command(Tag::command("RESET")))
            }
            Configure::Reset { name } => {
                match identity::parameter(name) {
                    Some(parameter) => drop(self.set_identity(parameter, None, false)?),
                    None => self.settings.reset(name)?,
                }
                Ok(Outcome::Command(Tag::command("RESET")))
            }
            Configure::ShowAll => self.show_all(),
            Configure::Show { name } => self.show(name),
            Configure::Discard { all, tag } => {
                if *all {
                    if !matches!(self.state, State::Idle) || self.implicit {
                        let message = "DISCARD ALL cannot run inside a transaction block";
                        return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                    }
                    self.set_identity("session_authorization", None, false)?;
                    self.settings.reset_all();
                    self.close_cursors();
                    self.close_statements();
                    self.unlisten_all();
                    self.seat.backends.locks.release_all(self.seat.backend.process);
                }
                if *all || *tag == "DISCARD TEMP" {
                    self.temporary = Temporary::default();
                }
                if *all || *tag == "DISCARD SEQUENCES" {
                    self.used.forget();
                }
                Ok(Outcome::Command(Tag::command(tag)))
            }
            Configure::DefaultModes { isolation, read_only } => {
                if let Some(isolation) = isolation {
                    self.settings.set("default_transaction_isolation", isolation)?;
                }
                if let Some(read_only) = read_only {
                    self.settings.set("default_transaction_read_only", if *read_only { "on" } else { "off" })?;
                }
                Ok(Outcome::Command(Tag::command("SET")))
            }
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> SqlResult<Outcome> {
        if let Some(modes) = transaction_mode(name, value)? {
            return self.set_transaction(&modes);
        }
        if let Some(parameter) = identity::parameter(name) {
            return self.set_identity(parameter, value, local);
        }
        let before = self.settings.before(name);
        match value {
            Some(value) => self.settings.set(name, value)?,
            None => self.settings.reset(name)?,
        }
        if let Err(error) = self.check_moment(name).and_then(|()| self.check_wait(name)) {
            self.settings.set(&before.0, &before.1)?;
            return Err(error);
        }
        if local {
            match &mut self.state {
                State::Open(open) => open.block.local.push(before),
                _ => {
                    self.settings.set(&before.0, &before.1)?;
                    let message = "SET LOCAL can only be used in transaction blocks";
                    self.notices.push(Notice::warning(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
                }
            }
        }
        Ok(Outcome::Command(Tag::command("SET")))
    }

    fn show(&self, name: &str) -> SqlResult<Outcome> {
        let (name, value) = match name {
            "ledger.last_receipt" => {
                let receipt = self.last_commit.map(|seq| self.database.ledger.receipt(seq.0, None)).transpose()?;
                return rows(&["ledger.last_receipt"], vec![vec![receipt]]);
            }
            PLAN_CACHE => return self.show_plan_cache(),
            "transaction_isolation" => ("transaction_isolation".into(), self.isolation().to_owned()),
            "transaction_read_only" => ("transaction_read_only".into(), if self.is_read_only() { "on" } else { "off" }.to_owned()),
            name => self.settings.show(name)?,
        };
        rows(&[&name], vec![vec![Some(value)]])
    }

    fn show_plan_cache(&self) -> SqlResult<Outcome> {
        let Figures { entries, bytes, hits, misses, evictions } = self.database.plans.figures();
        let values = [entries as u64, bytes as u64, hits, misses, evictions].map(|value| vec![Some(value.to_string())]);
        rows(&PLAN_CACHE_COLUMNS, values.into())
    }

    fn show_all(&self) -> SqlResult<Outcome> {
        let (names, values): (Vec<_>, Vec<_>) = self.settings.all().map(|(name, value)| (Some(name.to_owned()), Some(value))).unzip();
        let descriptions = vec![Some(String::new()); names.len()];
        rows(&["name", "setting", "description"], vec![names, values, descriptions])
    }

    fn isolation(&self) -> &'static str {
        match &self.state {
            State::Open(open) => super::blocks::isolation_name(open.block.isolation),
            State::Copying(block) | State::Failed(block) => super::blocks::isolation_name(block.isolation),
            State::Idle => super::blocks::isolation_name(super::blocks::isolation_named(&self.settings.default_isolation())),
        }
    }

    fn is_read_only(&self) -> bool {
        match &self.state {
            State::Open(open) => open.block.read_only,
            State::Copying(block) | State::Failed(block) => block.read_only,
            State::Idle => self.settings.default_read_only(),
        }
    }
}

/// `SET transaction_isolation` and `SET transaction_read_only` say what SET TRANSACTION says.
fn transaction_mode(name: &str, value: Option<&str>) -> SqlResult<Option<Vec<TransactionMode>>> {
    use TransactionIsolationLevel::{ReadCommitted, ReadUncommitted, RepeatableRead, Serializable};
    let invalid = |value: &str| {
        let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
    };
    let Some(value) = value else { return Ok(None) };
    let word = value.trim().to_ascii_lowercase();
    Ok(match name.to_ascii_lowercase().as_str() {
        "transaction_isolation" => Some(vec![TransactionMode::IsolationLevel(match word.as_str() {
            "read committed" => ReadCommitted,
            "read uncommitted" => ReadUncommitted,
            "repeatable read" => RepeatableRead,
            "serializable" => Serializable,
            _ => return Err(invalid(value)),
        })]),
        "transaction_read_only" => Some(vec![TransactionMode::AccessMode(match word.as_str() {
            "on" | "true" | "1" | "yes" => TransactionAccessMode::ReadOnly,
            "off" | "false" | "0" | "no" => TransactionAccessMode::ReadWrite,
            _ => return Err(invalid(value)),
        })]),
        _ => None,
    })
}

fn rows(names: &[&str], values: Vec<Vec<Option<String>>>) -> SqlResult<Outcome> {
    let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays = values.into_iter().map(|column| Arc::new(StringArray::from(column)) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(arrow_error)?;
    Ok(Outcome::Rows { columns: Column::texts(names), batches: stream::iter([Ok(batch)]).boxed(), tag: "SHOW" })
}
