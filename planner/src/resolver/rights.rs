//! What the role of a statement may open: schemas, tables, columns, the ledger's own tables.
//!
//! O1: every table that a query reads comes through here ([`super::Binding`]); what a lookup by key reads is checked before it runs.
//! Never: checks anything while a statement is only planned.

use base::{SqlError, SqlResult, SqlState};
use engine::roles::privilege;
use engine::{LEDGER_SCHEMA, SequenceDef, TableDef};

use super::{Scope, is_reserved, undefined_schema};
use crate::rights::Opened;
use crate::rights::access::Kind;
use crate::rights::things::{of_schema, of_sequence, of_table};

impl Scope {
    /// USAGE on a schema. Errors: 42501.
    pub(crate) fn check_usage(&self, name: &str) -> SqlResult<()> {
        if self.access.superuser || is_reserved(name) {
            return Ok(());
        }
        let schema = of_schema(self.catalog.schema(name).ok_or_else(|| undefined_schema(name))?);
        let had = self.access.on(&self.catalog, schema.kind, schema.id, privilege::USAGE);
        if had == 0 { Err(schema.denied()) } else { Ok(()) }
    }

    /// How a stored table may be read. Errors: 42501.
    pub(crate) fn opened(&self, table: &TableDef) -> SqlResult<Opened> {
        if self.access.superuser || self.exempt == Some(table.id) {
            return Ok(Opened::Whole);
        }
        match self.judged(table) {
            Err(_) if !self.checked => Ok(Opened::Whole),
            judged => judged,
        }
    }

    fn judged(&self, table: &TableDef) -> SqlResult<Opened> {
        let denied = || of_table(table).denied();
        if table.schema == LEDGER_SCHEMA {
            return if self.access.reads_ledger() { Ok(Opened::Whole) } else { Err(denied()) };
        }
        self.check_usage(&table.schema)?;
        if self.access.on(&self.catalog, Kind::Table, table.id.0, privilege::SELECT) != 0 {
            return Ok(Opened::Whole);
        }
        let may = |column: u32| self.access.on_column(&self.catalog, table, column, privilege::SELECT) != 0;
        let columns: Vec<bool> = table.columns.iter().map(|column| may(column.id.0)).collect();
        if columns.contains(&true) { Ok(Opened::Columns(columns)) } else { Err(denied()) }
    }

    /// SELECT on a sequence, whose state is read as a row. Errors: 42501.
    pub(crate) fn check_sequence(&self, sequence: &SequenceDef) -> SqlResult<()> {
        if !self.checked || self.access.superuser {
            return Ok(());
        }
        self.check_usage(sequence.schema())?;
        let had = self.access.on(&self.catalog, Kind::Sequence, sequence.id(), privilege::SELECT);
        if had == 0 { Err(of_sequence(sequence).denied()) } else { Ok(()) }
    }

    /// Whether the ledger's virtual tables may be read. Errors: 42501.
    pub(crate) fn check_ledger(&self, name: &str) -> SqlResult<()> {
        if !self.checked || self.access.reads_ledger() {
            return Ok(());
        }
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for table {name}"))
            .hint("Members of shockwave_auditor read the ledger's own tables."))
    }

    /// Whether a table of pg_catalog may be read. Errors: 42501.
    pub(crate) fn check_catalog(&self, name: &str) -> SqlResult<()> {
        if name != "pg_authid" || !self.checked || self.access.superuser {
            return Ok(());
        }
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for table {name}")))
    }
}
