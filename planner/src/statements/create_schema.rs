//! CREATE SCHEMA [IF NOT EXISTS] [name] [AUTHORIZATION role]
//!
//! Never: creates in a reserved name.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{SchemaName, Statement};

use super::{Execution, authority};
use crate::names::{fold, simple};
use crate::outcome::{Notice, Outcome, Tag};
use crate::resolver::is_reserved;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::CreateSchema { schema_name, if_not_exists, with, options, default_collate_spec, clone } = &*execution.parsed.statement
    else {
        return Err(SqlError::internal("not a CREATE SCHEMA"));
    };
    if with.is_some() || options.is_some() || default_collate_spec.is_some() || clone.is_some() {
        return Err(SqlError::unsupported("this form of CREATE SCHEMA"));
    }
    let (name, owner) = match schema_name {
        SchemaName::Simple(name) => (fold(simple(name)?), None),
        SchemaName::UnnamedAuthorization(owner) => (fold(owner), Some(fold(owner))),
        SchemaName::NamedAuthorization(name, owner) => (fold(simple(name)?), Some(fold(owner))),
    };
    if is_reserved(&name) {
        return Err(SqlError::new(SqlState::RESERVED_NAME, format!("unacceptable schema name \"{name}\""))
            .detail("The names \"ledger\" and \"information_schema\" and the prefix \"pg_\" are reserved for the database itself."));
    }
    if execution.scope.catalog.schema(&name).is_some() {
        if *if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_SCHEMA, format!("schema \"{name}\" already exists, skipping")));
            return Ok(Outcome::Command(Tag::command("CREATE SCHEMA")));
        }
        return Err(SqlError::new(SqlState::DUPLICATE_SCHEMA, format!("schema \"{name}\" already exists")));
    }
    execution.transaction.create_schema(&name)?;
    if let Some(owner) = owner {
        authority::give_schema(&name, &owner, execution)?;
    }
    Ok(Outcome::Command(Tag::command("CREATE SCHEMA")))
}
