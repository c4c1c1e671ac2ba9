//! FOREIGN KEY constraints read: which key of which table they point to, and whether they can.
//!
//! F1: a definition lists its columns in the order of the key that it references.
//! Never: compares rows.

use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{Action, KeyDef, Reference, SqlType, TableDef, Timing};
use sqlparser::ast::{ConstraintCharacteristics, ConstraintReferenceMatchKind, DeferrableInitial, ForeignKeyConstraint, ReferentialAction};

use super::Execution;
use super::table_draft::{Draft, free_name};
use crate::names::{Name, fold};
use crate::resolver::undefined_table;

impl Draft {
    /// Reads the references that wait (D2), against the finished rest; the new ones. Errors: 42P01, 42830, 42804, 42703.
    pub(super) fn take_references(&mut self, execution: &Execution<'_>) -> SqlResult<Vec<Reference>> {
        let mut made = Vec::new();
        for (syntax, given) in std::mem::take(&mut self.references) {
            let own = self.finish()?;
            let reference = read(execution, self, &own, &syntax, given)?;
            self.rules.references.push(reference.clone());
            made.push(reference);
        }
        Ok(made)
    }
}

fn read(
    execution: &Execution<'_>,
    draft: &Draft,
    own: &TableDef,
    syntax: &ForeignKeyConstraint,
    given: Option<String>,
) -> SqlResult<Reference> {
    if syntax.index_name.is_some() || syntax.match_kind == Some(ConstraintReferenceMatchKind::Partial) {
        return Err(SqlError::unsupported("MATCH PARTIAL"));
    }
    let timing = timing(syntax.characteristics.as_ref())?;
    let target = Name::of(&syntax.foreign_table, execution.view.database.name())?;
    let catalog = execution.transaction.catalog();
    let is_own = target.name == own.name && target.schema.as_ref().is_none_or(|schema| *schema == own.schema);
    let scope = crate::resolver::Scope { catalog, ..execution.scope.clone() };
    let parent = match scope.stored(target.schema.as_deref(), &target.name) {
        Some(table) if table.id != own.id && !is_own => table,
        _ if is_own => own,
        Some(table) => table,
        None => return Err(execution.parsed.point(undefined_table(&target.shown()), target.span)),
    };
    let listed = |table: &TableDef, names: &[sqlparser::ast::Ident]| -> SqlResult<Vec<ColumnId>> {
        let find = |ident: &sqlparser::ast::Ident| {
            let name = fold(ident);
            let message = format!("column \"{name}\" referenced in foreign key constraint does not exist");
            let found = table.columns.iter().find(|column| column.name == name).map(|column| column.id);
            found.ok_or_else(|| SqlError::new(SqlState::UNDEFINED_COLUMN, message))
        };
        names.iter().map(find).collect()
    };
    let columns = listed(own, &syntax.columns)?;
    let referenced = if syntax.referred_columns.is_empty() {
        if parent.primary_key.is_empty() {
            let message = format!("there is no primary key for referenced table \"{}\"", parent.name);
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        }
        parent.primary_key.clone()
    } else {
        listed(parent, &syntax.referred_columns)?
    };
    let names: Vec<&str> = columns.iter().filter_map(|id| own.column(*id)).map(|column| column.name.as_str()).collect();
    let name = given.unwrap_or_else(|| free_name(&own.name, &names.join("_"), "fkey", |name| draft.has_constraint(name)));
    if draft.has_constraint(&name) {
        let message = format!("constraint \"{name}\" for relation \"{}\" already exists", own.name);
        return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    let is_meant = |key: &&KeyDef| {
        let of_key: Vec<ColumnId> = key.positions.iter().map(|at| parent.columns[*at].id).collect();
        of_key.len() == referenced.len() && of_key.iter().all(|id| referenced.contains(id))
    };
    let keys = parent.keys().iter().filter(|key| key.tells_apart() && key.is_plain(parent));
    let Some(key) = keys.filter(is_meant).min_by_key(|key| key.late.is_some()) else {
        let message = format!("there is no unique constraint matching given keys for referenced table \"{}\"", parent.name);
        return Err(SqlError::new(SqlState::INVALID_FOREIGN_KEY, message));
    };
    if key.late.is_some() {
        let kind = if syntax.referred_columns.is_empty() { "primary key" } else { "unique constraint" };
        let message = format!("cannot use a deferrable {kind} for referenced table \"{}\"", parent.name);
        return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
    }
    if columns.len() != referenced.len() {
        let message = "number of referencing and referenced columns for foreign key disagree";
        return Err(SqlError::new(SqlState::INVALID_FOREIGN_KEY, message));
    }
    // F1.
    let ordered: Vec<ColumnId> = key.positions.iter().map(|at| parent.columns[*at].id).collect();
    let pairs = ordered.iter().filter_map(|id| referenced.iter().position(|other| other == id));
    let columns: Vec<ColumnId> = pairs.map(|at| columns[at]).collect();
    check_comparable(&name, (own, &columns), (parent, &ordered))?;
    Ok(Reference {
        id: execution.transaction.ledger().next_object_id(),
        name,
        columns,
        table: parent.id,
        referenced: ordered,
        key: key.id,
        on_update: action(syntax.on_update),
        on_delete: action(syntax.on_delete),
        full: syntax.match_kind == Some(ConstraintReferenceMatchKind::Full),
        timing,
        not_valid: false,
        comment: None,
    })
}

/// When a constraint is compared. Errors: 42601, 0A000.
pub(super) fn timing(characteristics: Option<&ConstraintCharacteristics>) -> SqlResult<Timing> {
    let Some(ConstraintCharacteristics { deferrable, initially, enforced }) = characteristics else { return Ok(Timing::default()) };
    if *enforced == Some(false) {
        return Err(SqlError::unsupported("a NOT ENFORCED constraint"));
    }
    let deferred = *initially == Some(DeferrableInitial::Deferred);
    if deferred && *deferrable == Some(false) {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "constraint declared INITIALLY DEFERRED must be DEFERRABLE"));
    }
    Ok(Timing { deferrable: deferred || *deferrable == Some(true), deferred })
}

fn action(action: Option<ReferentialAction>) -> Action {
    match action {
        None | Some(ReferentialAction::NoAction) => Action::NoAction,
        Some(ReferentialAction::Restrict) => Action::Restrict,
        Some(ReferentialAction::Cascade) => Action::Cascade,
        Some(ReferentialAction::SetNull) => Action::SetNull,
        Some(ReferentialAction::SetDefault) => Action::SetDefault,
    }
}

/// Errors: 42804 where a foreign key's columns and those it references cannot be compared.
pub(super) fn check_comparable(
    name: &str,
    (own, columns): (&TableDef, &[ColumnId]),
    (parent, referenced): (&TableDef, &[ColumnId]),
) -> SqlResult<()> {
    for (own_id, other_id) in columns.iter().zip(referenced) {
        if let (Some(a), Some(b)) = (own.column(*own_id), parent.column(*other_id))
            && !is_comparable(a.sql_type, b.sql_type, columns.len() == 1)
        {
            let (one, other) = (a.sql_type.name(), b.sql_type.name());
            let detail = format!("Key columns \"{}\" and \"{}\" are of incompatible types: {one} and {other}.", a.name, b.name);
            let message = format!("foreign key constraint \"{name}\" cannot be implemented");
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).detail(detail));
        }
    }
    Ok(())
}

/// Whether equal values of the two types have equal keys.
fn is_comparable(a: SqlType, b: SqlType, alone: bool) -> bool {
    let is_int = |sql_type| matches!(sql_type, SqlType::Int2 | SqlType::Int4 | SqlType::Int8);
    let is_text = |sql_type| matches!(sql_type, SqlType::Text | SqlType::Varchar(_));
    a.oid() == b.oid() || (alone && is_int(a) && is_int(b)) || (is_text(a) && is_text(b))
}
