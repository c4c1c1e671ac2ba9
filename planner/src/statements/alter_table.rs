//! ALTER TABLE [IF EXISTS] name action, …; and the renaming of sequences, indexes and views.
//!
//! A1: actions take effect in Postgres's passes (`pass`), within a pass in order, each seeing those before it; the statement as a whole or not at all.
//! A2: what is added is checked against the rows there are.
//! A3: rows are never rewritten for a constant default: those that were there show it. One that differs from row to row makes new versions.
//! Never: changes a stored row.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use base::{ColumnId, RowId, SqlError, SqlResult, SqlState};
use engine::{Check, Identity, Object, Reference, TableDef, Timing, ViewDef, layout};
use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, ColumnDef as ColumnSyntax, DropBehavior, GeneratedAs, RenameTableNameKind,
    Statement, TableConstraint,
};

use super::Execution;
use super::drop::{Dependent, drop_dependents, needing_key};
use super::property_graph::followers;
use super::rename::{move_to, rename, rename_column, rename_constraint, rename_view_column};
use super::table_draft::Draft;
use super::{alter_actions, alter_type, authority, readers, table_options, validate, view_defaults};
use crate::names::{Name, fold, simple};
use crate::outcome::{Notice, Outcome, Tag};
use crate::parse_clauses::actions;
use crate::rules::{self, Guard};
use crate::tables::{arrow_error, row_ids};
use crate::updatable_views;
use crate::view::Place;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let parsed = execution.parsed;
    let Statement::AlterTable(alter) = &*parsed.statement else {
        return Err(SqlError::internal("not an ALTER TABLE"));
    };
    let AlterTable { name, if_exists, operations, location, on_cluster, table_type, .. } = alter;
    if location.is_some() || on_cluster.is_some() || table_type.is_some() {
        return Err(SqlError::unsupported("this form of ALTER TABLE"));
    }
    let tag = parsed.clauses.alters.unwrap_or("ALTER TABLE");
    let outcome = Ok(Outcome::Command(Tag::command(tag)));
    let name = Name::of(name, execution.view.database.name())?;
    let scope = execution.fresh_scope();
    if let [AlterTableOperation::RenameTable { table_name }] = operations.as_slice()
        && let Some(object) = scope.relation(&name).filter(|object| object.schema() != Some(engine::LEDGER_SCHEMA)).cloned()
    {
        if matches!(object, Object::Graph(_)) {
            let message = format!("\"{}\" is not a table", name.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).hint("Use ALTER PROPERTY GRAPH."));
        }
        if let Object::Table(table) = &object {
            execution.transaction.enter_table(table)?;
        }
        let (RenameTableNameKind::To(to) | RenameTableNameKind::As(to)) = table_name;
        let to = fold(simple(to)?);
        if parsed.clauses.set_schema {
            move_to(execution, &object, &to)?
        } else {
            rename(execution, &object, &name.name, &to)?
        }
        return outcome;
    }
    if let Some(Object::View(view)) = scope.relation(&name).filter(|object| object.name() == name.name).cloned() {
        for operation in operations {
            let catalog = execution.transaction.catalog();
            let Some(Object::View(view)) = catalog.object(view.id) else { break };
            alter_view(execution, view, operation)?;
        }
        return outcome;
    }
    let table = match scope.writable(&name) {
        Ok(table) => Arc::clone(table),
        Err(error) if *if_exists && error.state() == SqlState::UNDEFINED_TABLE => {
            let message = format!("relation \"{}\" does not exist, skipping", name.name);
            execution.notices.push(Notice::new(SqlState("00000"), message));
            return outcome;
        }
        Err(error) => return Err(error),
    };
    execution.transaction.enter_table(&table)?;
    let mut operations: Vec<&AlterTableOperation> = operations.iter().collect();
    operations.sort_by_key(|operation| pass(operation));
    for operations in operations.chunk_by(|a, b| pass(a) == TYPES && pass(b) == TYPES) {
        let catalog = execution.transaction.catalog();
        let Some(Object::Table(table)) = catalog.object(table.id.0) else {
            return Err(SqlError::internal("the table that is altered is gone"));
        };
        let table = Arc::clone(table);
        match operations {
            [one] if pass(one) != TYPES => apply(execution, &table, one)?,
            types => alter_type::execute(execution, &table, types)?,
        }
    }
    outcome
}

fn alter_view(execution: &mut Execution<'_>, view: &Arc<ViewDef>, operation: &AlterTableOperation) -> SqlResult<()> {
    match operation {
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            rename_view_column(execution, view, &fold(old_column_name), &fold(new_column_name))
        }
        marked if let Some(at) = actions::marked(marked) => {
            let action = execution.parsed.clauses.actions.get(at).cloned();
            action.map_or(Ok(()), |action| alter_actions::of_view(execution, view, &action))
        }
        AlterTableOperation::OwnerTo { new_owner } => authority::give_relation(view.id, new_owner, execution),
        AlterTableOperation::AlterColumn { column_name, op: AlterColumnOperation::SetDefault { value } } => {
            view_defaults::set(execution, view, &fold(column_name), Some(value))
        }
        AlterTableOperation::AlterColumn { column_name, op: AlterColumnOperation::DropDefault } => {
            view_defaults::set(execution, view, &fold(column_name), None)
        }
        _ => Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not a table", view.name))),
    }
}

/// The pass in which columns take other types, all of them at once.
const TYPES: u8 = 1;

/// When an action takes its turn (A1): what goes first, then types, what comes, what is demanded of it, and the rest.
fn pass(operation: &AlterTableOperation) -> u8 {
    use AlterColumnOperation::{AddGenerated, DropDefault, DropNotNull, SetDataType, SetDefault, SetNotNull};
    match operation {
        AlterTableOperation::DropColumn { .. } | AlterTableOperation::DropConstraint { .. } => 0,
        AlterTableOperation::AlterColumn { op: DropDefault | DropNotNull, .. } => 0,
        AlterTableOperation::AlterColumn { op: SetDataType { .. }, .. } => TYPES,
        AlterTableOperation::AddColumn { .. } => 2,
        AlterTableOperation::AlterColumn { op: SetNotNull, .. } => 3,
        AlterTableOperation::AddConstraint { constraint, .. } if is_key(constraint) => 4,
        AlterTableOperation::AlterColumn { op: SetDefault { .. } | AddGenerated { .. }, .. }
        | AlterTableOperation::AddConstraint { .. } => 5,
        _ => 6,
    }
}

fn is_key(constraint: &TableConstraint) -> bool {
    matches!(constraint, TableConstraint::PrimaryKey(_) | TableConstraint::Unique(_))
}

fn apply(execution: &mut Execution<'_>, table: &Arc<TableDef>, operation: &AlterTableOperation) -> SqlResult<()> {
    match operation {
        AlterTableOperation::AddColumn { if_not_exists, column_def, column_position: None, .. } => {
            add_column(execution, table, column_def, *if_not_exists)
        }
        AlterTableOperation::DropColumn { column_names, if_exists, drop_behavior, .. } => {
            for name in column_names {
                let catalog = execution.transaction.catalog();
                let Some(Object::Table(table)) = catalog.object(table.id.0) else { continue };
                drop_column(execution, &Arc::clone(table), &fold(name), *if_exists, is_cascade(drop_behavior))?;
            }
            Ok(())
        }
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            rename_column(execution, table, &fold(old_column_name), &fold(new_column_name))
        }
        AlterTableOperation::AddConstraint { constraint, not_valid } => add_constraint(execution, table, constraint, *not_valid),
        AlterTableOperation::DropConstraint { if_exists, name, drop_behavior } => {
            drop_constraint(execution, table, &fold(name), *if_exists, is_cascade(drop_behavior))
        }
        AlterTableOperation::RenameConstraint { old_name, new_name } => {
            rename_constraint(execution, table, &fold(old_name), &fold(new_name))
        }
        AlterTableOperation::AlterColumn { column_name, op } => alter_column(execution, table, &fold(column_name), op),
        marked if let Some(at) = actions::marked(marked) => {
            let action = execution.parsed.clauses.actions.get(at).cloned();
            action.map_or(Ok(()), |action| alter_actions::of_table(execution, table, &action))
        }
        AlterTableOperation::OwnerTo { new_owner } => authority::give_relation(table.id.0, new_owner, execution),
        AlterTableOperation::SetOptionsParens { options } => {
            let mut draft = draft(execution, table);
            table_options::change(execution, table, &mut draft.rules.retention, options)?;
            if draft.rules.retention == table.rules.retention { Ok(()) } else { finish(execution, draft, table).map(drop) }
        }
        AlterTableOperation::ValidateConstraint { name } => validate::constraint(execution, table, &fold(name)),
        other => Err(SqlError::unsupported(format!("ALTER TABLE … {other}"))),
    }
}

fn is_cascade(behavior: &Option<DropBehavior>) -> bool {
    matches!(behavior, Some(DropBehavior::Cascade))
}

pub(super) fn draft(execution: &Execution<'_>, table: &TableDef) -> Draft {
    Draft::of(table, execution.transaction.next_version(table.id))
}

pub(super) fn column_at(table: &TableDef, name: &str) -> SqlResult<usize> {
    table.columns.iter().position(|column| column.name == name).ok_or_else(|| {
        let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
        SqlError::new(SqlState::UNDEFINED_COLUMN, message)
    })
}

/// Finishes a draft of a table that exists: its sequences, the definition, and what it adds checked against the rows (A2).
fn finish(execution: &mut Execution<'_>, mut draft: Draft, before: &TableDef) -> SqlResult<Arc<TableDef>> {
    let references = draft.take_references(execution)?;
    finish_with(execution, draft, before, &references)
}

/// [`finish`], comparing the rows with these of its references.
pub(super) fn finish_with(
    execution: &mut Execution<'_>,
    mut draft: Draft,
    before: &TableDef,
    references: &[Reference],
) -> SqlResult<Arc<TableDef>> {
    make_sequences(execution, &mut draft)?;
    let table = execution.transaction.alter_table(draft.finish()?)?;
    for key in table.keys().iter().filter(|key| key.tells_apart() && before.key(key.id).is_none()) {
        execution.transaction.check_unique(&table, key.id)?;
    }
    check_not_null(execution, &table, before)?;
    let is_new = |check: &&Check| !check.not_valid && before.rules.checks.iter().all(|other| other.id != check.id);
    for check in table.rules.checks.iter().filter(is_new) {
        validate::check(execution, &table, check)?;
    }
    for reference in references {
        execution.transaction.check_all_references(&table, reference)?;
    }
    Ok(table)
}

/// The sequences of columns, which belong to whom the table belongs to, whoever alters it.
fn make_sequences(execution: &mut Execution<'_>, draft: &mut Draft) -> SqlResult<()> {
    execution.transaction.owned_by(execution.transaction.catalog().authority().owner_of(draft.id.0));
    let mut sequences = std::mem::take(&mut draft.sequences).into_iter();
    let made = sequences.try_for_each(|sequence| execution.transaction.create_sequence(sequence));
    execution.transaction.owned_by(execution.scope.access.role);
    made
}

/// Columns that became NOT NULL have no NULL. Errors: 23502.
fn check_not_null(execution: &mut Execution<'_>, table: &Arc<TableDef>, before: &TableDef) -> SqlResult<()> {
    let became = |id: ColumnId| before.column(id).is_none_or(|column| !column.not_null);
    let columns: Vec<usize> = (0..table.columns.len()).filter(|at| table.columns[*at].not_null && became(table.columns[*at].id)).collect();
    if columns.is_empty() {
        return Ok(());
    }
    execution.transaction.rely_on(table.id);
    for chunk in execution.transaction.view(table).scan(&columns, false) {
        execution.watch.check()?;
        let batch = chunk.read()?;
        for (at, values) in columns.iter().zip(batch.columns()) {
            if values.null_count() > 0 {
                let column = &table.columns[*at].name;
                let message = format!("column \"{column}\" of relation \"{}\" contains null values", table.name);
                return Err(SqlError::new(SqlState::NOT_NULL_VIOLATION, message).table(&table.schema, &table.name).column(column));
            }
        }
    }
    Ok(())
}

fn add_column(execution: &mut Execution<'_>, table: &Arc<TableDef>, column: &ColumnSyntax, if_not_exists: bool) -> SqlResult<()> {
    let name = fold(&column.name);
    if table.columns.iter().any(|other| other.name == name) {
        let message = format!("column \"{name}\" of relation \"{}\" already exists", table.name);
        if if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_COLUMN, format!("{message}, skipping")));
            return Ok(());
        }
        return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
    }
    let object = Object::Table(Arc::clone(table));
    readers::take_in_column(execution, &object, &updatable_views::column_names(&object), &name)?;
    let mut draft = draft(execution, table);
    let at = draft.add_column(execution, column)?;
    let id = draft.columns[at].id;
    let rules_of = draft.rules.column(id).cloned().unwrap_or_default();
    let is_rewritten = match (&rules_of.default, rules_of.sequence) {
        (_, Some(_)) => true,
        (Some(_), None) if rules_of.generated => true,
        (Some(text), None) => rules::is_volatile(&rules::expression(text)?),
        (None, None) => false,
    };
    if let (Some(text), false) = (&rules_of.default, is_rewritten) {
        let value = rules::computed_default(&execution.place(), &draft.columns[at], text, 1)?;
        if value.is_valid(0) {
            let value = rules::rounded(&value, draft.rules.column(id).and_then(|rules| rules.precision))?;
            draft.rules.column_mut(id).missing = Some(layout::pack_missing(&name, &value)?);
        }
    }
    if !is_rewritten {
        return finish(execution, draft, table).map(drop);
    }
    // Rows get their values before anything is demanded of them.
    let demanded = std::mem::replace(&mut draft.columns[at].not_null, false);
    make_sequences(execution, &mut draft)?;
    let mut open = Draft::of(&draft.finish()?, draft.version);
    open.rules.checks.clone_from(&table.rules.checks);
    let open = open.finish()?;
    rules::check_generated(&execution.place(), &open)?;
    let filled = execution.transaction.alter_table(open)?;
    fill(execution, &filled, at)?;
    draft.columns[at].not_null = demanded;
    finish(execution, draft, &filled).map(drop)
}

/// New versions of all rows with a column's default in them (A3).
fn fill(execution: &mut Execution<'_>, table: &Arc<TableDef>, at: usize) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let given: Vec<usize> = (0..table.columns.len()).filter(|other| *other != at).collect();
    let guard = Guard::new(&Place { view: execution.view, scope: &scope }, table, &given)?;
    let all: Vec<usize> = (0..table.columns.len()).collect();
    execution.transaction.rely_on(table.id);
    for chunk in execution.transaction.view(table).scan(&all, true) {
        execution.watch.check()?;
        let batch = chunk.read()?;
        let ids: Vec<RowId> = row_ids(batch.column(table.columns.len()))?.values().iter().map(|id| RowId(id.cast_unsigned())).collect();
        let mut columns = batch.columns()[..table.columns.len()].to_vec();
        columns[at] = guard.default(at, batch.num_rows())?;
        let new = guard.generate(RecordBatch::try_new(table.arrow_schema(), columns).map_err(arrow_error)?)?;
        execution.transaction.update(table, &ids, &new)?;
    }
    Ok(())
}

pub(super) fn drop_column(
    execution: &mut Execution<'_>,
    table: &Arc<TableDef>,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> SqlResult<()> {
    let at = match column_at(table, name) {
        Ok(at) => at,
        Err(error) if if_exists => {
            execution.notices.push(Notice::new(SqlState("00000"), format!("{}, skipping", error.message())));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if table.columns.len() == 1 {
        return Err(SqlError::unsupported("a table without columns"));
    }
    let id = table.columns[at].id;
    let catalog = execution.transaction.catalog();
    let what = format!("column {name} of table {}", table.name);
    let views = catalog.readers().filter(|view| view.reads(table.id.0, Some(id)));
    let mut dependents: Vec<Dependent> = views.map(|view| Dependent::View(view.id)).collect();
    for key in table.keys().iter().filter(|key| key.tells_apart() && key.positions.contains(&at)) {
        dependents.extend(needing_key(&catalog, table, key.id));
    }
    let elements = followers::elements_needing(&catalog, table.id.0, Some(name));
    let whole: Vec<(u32, String)> = elements.clone();
    dependents.extend(elements.into_iter().map(|(graph, alias)| Dependent::Element(graph, alias)));
    let properties = followers::properties_needing(&catalog, table.id.0, name).into_iter();
    let lost = |(graph, alias, ..): &(u32, String, String, String)| !whole.contains(&(*graph, alias.clone()));
    dependents.extend(properties.filter(lost).map(|(graph, alias, label, property)| Dependent::Property(graph, alias, label, property)));
    dependents.extend(rules::needing(table, name)?.into_iter().map(|column| Dependent::Column(table.id.0, column)));
    drop_dependents(execution, &what, dependents, cascade)?;
    let catalog = execution.transaction.catalog();
    let Some(object @ Object::Table(table)) = catalog.object(table.id.0) else { return Ok(()) };
    readers::forget_column(execution, object, column_at(table, name)?)?;
    let mut draft = draft(execution, table);
    if table.primary_key.contains(&id) {
        draft.key.clear();
        draft.rules.key_name = None;
        draft.rules.key_id = None;
        draft.rules.key_timing = Timing::default();
        (draft.rules.key_comment, draft.rules.key_index_comment) = (None, None);
    }
    draft.rules.checks.retain(|check| !check.columns.contains(&id));
    draft.rules.indexes.retain(|index| !index.reads(id));
    draft.rules.references.retain(|reference| !reference.columns.contains(&id));
    draft.rules.columns.remove(&id);
    draft.columns.retain(|column| column.id != id);
    let owner = (table.id, id);
    execution.transaction.alter_table(draft.finish()?)?;
    let owned: Vec<u32> = catalog.sequences().filter(|sequence| sequence.owner == Some(owner)).map(|sequence| sequence.id()).collect();
    owned.into_iter().try_for_each(|sequence| execution.transaction.drop_object(sequence))
}

fn add_constraint(execution: &mut Execution<'_>, table: &Arc<TableDef>, constraint: &TableConstraint, not_valid: bool) -> SqlResult<()> {
    let mut draft = draft(execution, table);
    draft.add_constraint(execution, constraint)?;
    match constraint {
        TableConstraint::Check(_) if not_valid => {
            if let Some(check) = draft.rules.checks.last_mut() {
                check.not_valid = true;
            }
        }
        TableConstraint::ForeignKey(_) if not_valid => {
            draft.take_references(execution)?;
            if let Some(reference) = draft.rules.references.last_mut() {
                reference.not_valid = true;
            }
            return finish_with(execution, draft, table, &[]).map(drop);
        }
        _ if not_valid => {
            let message = format!("{} constraints cannot be marked NOT VALID", kind_of(constraint));
            return Err(SqlError::unsupported(message));
        }
        _ => {}
    }
    if matches!(constraint, TableConstraint::PrimaryKey(_)) {
        // Its own fold: older snapshots go on reading the one that the table was made with.
        draft.rules.key_id = Some(execution.transaction.ledger().next_object_id());
    }
    finish(execution, draft, table).map(drop)
}

fn kind_of(constraint: &TableConstraint) -> &'static str {
    if matches!(constraint, TableConstraint::PrimaryKey(_)) { "PRIMARY KEY" } else { "UNIQUE" }
}

fn drop_constraint(execution: &mut Execution<'_>, table: &Arc<TableDef>, name: &str, if_exists: bool, cascade: bool) -> SqlResult<()> {
    let rules = &table.rules;
    let of_key = !table.primary_key.is_empty() && table.key_constraint() == name;
    let key_id = table.keys().first().map(|key| key.id);
    let unique = rules.indexes.iter().find(|index| index.constraint && index.name == name).map(|index| index.id);
    let check = rules.checks.iter().find(|check| check.name == name).map(|check| check.id);
    let reference = rules.references.iter().find(|reference| reference.name == name).map(|reference| reference.id);
    if !of_key && unique.or(check).or(reference).is_none() {
        let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name);
        if if_exists {
            execution.notices.push(Notice::new(SqlState("00000"), format!("{message}, skipping")));
            return Ok(());
        }
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    if let Some(key) = if of_key { key_id } else { unique } {
        let dependents = needing_key(&execution.transaction.catalog(), table, key);
        drop_dependents(execution, &format!("constraint {name} on table {}", table.name), dependents, cascade)?;
    }
    let catalog = execution.transaction.catalog();
    let Some(Object::Table(table)) = catalog.object(table.id.0) else { return Ok(()) };
    let mut draft = draft(execution, table);
    if of_key {
        draft.key.clear();
        draft.rules.key_name = None;
        draft.rules.key_id = None;
        draft.rules.key_timing = Timing::default();
        (draft.rules.key_comment, draft.rules.key_index_comment) = (None, None);
    }
    let goes = |id: u32| [unique, check, reference].contains(&Some(id));
    draft.rules.indexes.retain(|index| !goes(index.id));
    draft.rules.checks.retain(|check| !goes(check.id));
    draft.rules.references.retain(|reference| !goes(reference.id));
    execution.transaction.alter_table(draft.finish()?).map(drop)
}

fn alter_column(execution: &mut Execution<'_>, table: &Arc<TableDef>, name: &str, operation: &AlterColumnOperation) -> SqlResult<()> {
    let at = column_at(table, name)?;
    let mut draft = draft(execution, table);
    let id = draft.columns[at].id;
    let identity = draft.rules.column(id).and_then(|rules| rules.identity);
    let of_identity = || {
        let message = format!("column \"{name}\" of relation \"{}\" is an identity column", table.name);
        SqlError::new(SqlState::SYNTAX_ERROR, message)
    };
    let of_generated = || {
        let message = format!("column \"{name}\" of relation \"{}\" is a generated column", table.name);
        SqlError::new(SqlState::SYNTAX_ERROR, message)
    };
    match operation {
        AlterColumnOperation::SetNotNull => draft.columns[at].not_null = true,
        AlterColumnOperation::DropNotNull => {
            if table.primary_key.contains(&id) {
                let message = format!("column \"{name}\" is in a primary key");
                return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
            }
            if identity.is_some() {
                return Err(of_identity());
            }
            draft.columns[at].not_null = false;
        }
        AlterColumnOperation::SetDefault { .. } if rules::is_generated(table, at) => return Err(of_generated()),
        AlterColumnOperation::DropDefault if rules::is_generated(table, at) => {
            return Err(of_generated().hint("Drop the column and add it again."));
        }
        AlterColumnOperation::SetDefault { value } => {
            if identity.is_some() {
                return Err(of_identity());
            }
            draft.set_default(execution, at, value)?;
        }
        AlterColumnOperation::DropDefault => {
            if identity.is_some() {
                return Err(of_identity().hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."));
            }
            let rules = draft.rules.column_mut(id);
            rules.default = None;
            rules.sequence = None;
        }
        AlterColumnOperation::AddGenerated { generated_as, sequence_options } => {
            if !draft.columns[at].not_null {
                let message =
                    format!("column \"{name}\" of relation \"{}\" must be declared NOT NULL before identity can be added", table.name);
                return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
            }
            let kind = if *generated_as == Some(GeneratedAs::ByDefault) { Identity::ByDefault } else { Identity::Always };
            draft.set_identity(execution, at, kind, sequence_options.as_deref().unwrap_or(&[]))?;
        }
        AlterColumnOperation::SetDataType { .. } => return Err(SqlError::internal("types change together")),
    }
    finish(execution, draft, table).map(drop)
}
