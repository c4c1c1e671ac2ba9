//! EXPIRE: which tables are meant, and who may.
//!
//! E1: a table's rows are expired by its owner or by a custodian, those of all tables by custodians; superusers are both.
//! Never: removes anything; the engine does.

use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::roles::CUSTODIAN;
use engine::{Catalog, TableDef};
use sqlparser::ast::{Ident, ObjectName};

use super::Planning;
use crate::expire_syntax::Expire;
use crate::names::Name;
use crate::rights::access::Access;
use crate::rights::things;

/// What is to be expired.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) tables: Option<Vec<RelationId>>,
    pub(crate) before: Option<String>,
}

/// Errors: 42P01, 42501 for the ledger's own tables; 22023 for a table that says neither by itself nor here what may go.
pub(super) fn plan(planning: &Planning<'_>, statement: &Expire) -> SqlResult<super::Plan> {
    let table = |parts: &Vec<String>| {
        let object = ObjectName::from(parts.iter().map(|part| Ident::with_quote('"', part)).collect::<Vec<_>>());
        let name = Name::of(&object, planning.view.database.name())?;
        let table = planning.scope.writable(&name)?;
        if table.rules.retention.is_none() && statement.before.is_none() {
            return Err(no_bound(table));
        }
        Ok(table.id)
    };
    let tables = statement.tables.as_ref().map(|tables| tables.iter().map(table).collect::<SqlResult<_>>()).transpose()?;
    Ok(super::Plan::Expire(Plan { tables, before: statement.before.clone() }))
}

fn no_bound(table: &TableDef) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("table \"{}\" has no retention", table.name))
        .hint("Say up to when its history may go: EXPIRE TABLE … BEFORE '2020-01-01', or give it a retention.")
}

/// E1. Errors: 42501.
pub(crate) fn check_rights(plan: &Plan, catalog: &Catalog, access: &Access) -> SqlResult<()> {
    let is_custodian = access.has_role(CUSTODIAN) && !access.is_auditor();
    if is_custodian {
        return Ok(());
    }
    let Some(tables) = &plan.tables else {
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied to expire rows of all tables")
            .hint("A superuser can, or a member of shockwave_custodian."));
    };
    match tables.iter().find(|id| !access.owns(catalog, id.0)) {
        None => Ok(()),
        Some(id) => Err(catalog
            .table_by_id(*id)
            .map_or_else(|| SqlError::internal("a table that is gone"), |table| things::of_table(table).not_owner())),
    }
}
