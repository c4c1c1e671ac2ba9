//! ALTER TABLE [IF EXISTS] name action, …; and the renaming of sequences, indexes and views.
//!
//! A1: actions take effect in order, each seeing those before it; the statement as a whole or not at all.
//! A2: what is added is checked against the rows there are.
//! A3: rows are never rewritten for a constant default: those that were there show it. One that differs from row to row makes new versions.
//! Never: changes a stored row; changes the type of a column (0A000).

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use base::{ColumnId, RowId, SqlError, SqlResult, SqlState};
use engine::{Check, Identity, Object, Reference, SequenceDef, TableDef, layout};
use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, ColumnDef as ColumnSyntax, DropBehavior, GeneratedAs, RenameTableNameKind,
    Statement, TableConstraint,
};

use super::Execution;
use super::drop::{Dependent, drop_dependents, needing_key};
use super::property_graph::followers;
use super::table_draft::Draft;
use super::table_options;
use super::validate;
use crate::names::{Name, fold, simple};
use crate::outcome::{Notice, Outcome, Tag};
use crate::rules::{self, Guard};
use crate::tables::{arrow_error, row_ids};
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
        let (RenameTableNameKind::To(to) | RenameTableNameKind::As(to)) = table_name;
        let to = fold(simple(to)?);
        if parsed.clauses.set_schema {
            move_to(execution, &object, &to)?
        } else {
            rename(execution, &object, &name.name, &to)?
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
    for operation in operations {
        let catalog = execution.transaction.catalog();
        let Some(Object::Table(table)) = catalog.object(table.id.0) else {
            return Err(SqlError::internal("the table that is altered is gone"));
        };
        apply(execution, &Arc::clone(table), operation)?;
    }
    outcome
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
        AlterTableOperation::OwnerTo { .. } => Ok(()),
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

fn draft(execution: &Execution<'_>, table: &TableDef) -> Draft {
    Draft::of(table, execution.transaction.next_version(table.id))
}

fn column_at(table: &TableDef, name: &str) -> SqlResult<usize> {
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
fn finish_with(execution: &mut Execution<'_>, mut draft: Draft, before: &TableDef, references: &[Reference]) -> SqlResult<Arc<TableDef>> {
    for sequence in std::mem::take(&mut draft.sequences) {
        execution.transaction.create_sequence(sequence)?;
    }
    let table = execution.transaction.alter_table(draft.finish()?)?;
    for key in table.keys().iter().filter(|key| key.unique && before.key(key.id).is_none()) {
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
            draft.rules.column_mut(id).missing = Some(layout::pack_missing(&name, &value)?);
        }
    }
    if !is_rewritten {
        return finish(execution, draft, table).map(drop);
    }
    // Rows get their values before anything is demanded of them.
    let demanded = std::mem::replace(&mut draft.columns[at].not_null, false);
    for sequence in std::mem::take(&mut draft.sequences) {
        execution.transaction.create_sequence(sequence)?;
    }
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
    let reads_it = |columns: &Option<Vec<ColumnId>>| columns.as_ref().is_none_or(|columns| columns.contains(&id));
    let views = catalog.views().filter(|view| view.reads.iter().any(|(read, columns)| *read == table.id.0 && reads_it(columns)));
    let mut dependents: Vec<Dependent> = views.map(|view| Dependent::View(view.id)).collect();
    for key in table.keys().iter().filter(|key| key.unique && key.positions.contains(&at)) {
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
    let Some(Object::Table(table)) = catalog.object(table.id.0) else { return Ok(()) };
    let mut draft = draft(execution, table);
    if table.primary_key.contains(&id) {
        draft.key.clear();
        draft.rules.key_name = None;
        draft.rules.key_id = None;
        draft.rules.key_comment = None;
    }
    draft.rules.checks.retain(|check| !check.columns.contains(&id));
    draft.rules.indexes.retain(|index| !index.columns.contains(&id));
    draft.rules.references.retain(|reference| !reference.columns.contains(&id));
    draft.rules.columns.remove(&id);
    draft.columns.retain(|column| column.id != id);
    let owner = (table.id, id);
    execution.transaction.alter_table(draft.finish()?)?;
    let owned: Vec<u32> = catalog.sequences().filter(|sequence| sequence.owner == Some(owner)).map(|sequence| sequence.id()).collect();
    owned.into_iter().try_for_each(|sequence| execution.transaction.drop_object(sequence))
}

fn rename_column(execution: &mut Execution<'_>, table: &Arc<TableDef>, from: &str, to: &str) -> SqlResult<()> {
    let at = table.columns.iter().position(|column| column.name == from).ok_or_else(|| {
        let message = format!("column \"{from}\" does not exist");
        SqlError::new(SqlState::UNDEFINED_COLUMN, message)
    })?;
    if table.columns.iter().any(|column| column.name == to) {
        let message = format!("column \"{to}\" of relation \"{}\" already exists", table.name);
        return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
    }
    let catalog = execution.transaction.catalog();
    if let Some(view) = catalog.views().find(|view| view.reads.iter().any(|(read, _)| *read == table.id.0)) {
        return Err(SqlError::unsupported(format!("renaming a column of a table that view {} reads", view.name))
            .hint("Drop the view, rename the column, and create the view again."));
    }
    let mut draft = draft(execution, table);
    let id = draft.columns[at].id;
    for check in draft.rules.checks.iter_mut().filter(|check| check.columns.contains(&id)) {
        check.expression = rules::renamed(table, &check.expression, from, to)?;
    }
    for column in rules::needing(table, from)? {
        let rules = draft.rules.column_mut(column);
        rules.default = rules.default.as_deref().map(|text| rules::renamed(table, text, from, to)).transpose()?;
    }
    to.clone_into(&mut draft.columns[at].name);
    execution.transaction.alter_table(draft.finish()?)?;
    followers::follow_column(execution, table, from, to)
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
        draft.rules.key_comment = None;
    }
    let goes = |id: u32| [unique, check, reference].contains(&Some(id));
    draft.rules.indexes.retain(|index| !goes(index.id));
    draft.rules.checks.retain(|check| !goes(check.id));
    draft.rules.references.retain(|reference| !goes(reference.id));
    execution.transaction.alter_table(draft.finish()?).map(drop)
}

fn rename_constraint(execution: &mut Execution<'_>, table: &Arc<TableDef>, from: &str, to: &str) -> SqlResult<()> {
    let mut draft = draft(execution, table);
    if draft.has_constraint(to) {
        let message = format!("constraint \"{to}\" for relation \"{}\" already exists", table.name);
        return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    if !draft.has_constraint(from) {
        let message = format!("constraint \"{from}\" for table \"{}\" does not exist", table.name);
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    rename_part(&mut draft, table, from, to);
    execution.transaction.alter_table(draft.finish()?).map(drop)
}

fn rename_part(draft: &mut Draft, table: &TableDef, from: &str, to: &str) {
    let to = || to.to_owned();
    if !table.primary_key.is_empty() && table.key_constraint() == from {
        draft.rules.key_name = Some(to());
    }
    draft.rules.checks.iter_mut().filter(|check| check.name == from).for_each(|check| check.name = to());
    draft.rules.indexes.iter_mut().filter(|index| index.name == from).for_each(|index| index.name = to());
    draft.rules.references.iter_mut().filter(|reference| reference.name == from).for_each(|reference| reference.name = to());
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
        AlterColumnOperation::SetDataType { data_type, .. } => {
            if crate::column_types::resolve(data_type)? == draft.columns[at].sql_type {
                return Ok(());
            }
            return Err(SqlError::unsupported("ALTER COLUMN … TYPE").hint(
                "Rows keep the type that they were committed with. Add a column of the new type, fill it by UPDATE, and drop the old one.",
            ));
        }
    }
    finish(execution, draft, table).map(drop)
}

/// RENAME TO: of a table, view, sequence, or of the index of that name. Errors: 42P07.
pub(super) fn rename(execution: &mut Execution<'_>, object: &Object, from: &str, to: &str) -> SqlResult<()> {
    let schema = object.schema().unwrap_or_default();
    if execution.transaction.catalog().relation_owner(schema, to).is_some() {
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{to}\" already exists")));
    }
    match object {
        Object::Table(table) if table.name != from => {
            let mut draft = draft(execution, table);
            rename_part(&mut draft, table, from, to);
            execution.transaction.alter_table(draft.finish()?).map(drop)
        }
        Object::Table(table) => {
            let mut draft = draft(execution, table);
            if !table.primary_key.is_empty() {
                draft.rules.key_name = Some(table.key_constraint());
            }
            let requalified = |text: &str| text.replace(&format!("{from}."), &format!("{to}."));
            for check in &mut draft.rules.checks {
                check.expression = requalified(&check.expression);
            }
            for column in draft.columns.iter().map(|column| column.id) {
                let rules = draft.rules.column_mut(column);
                if rules.generated {
                    rules.default = rules.default.as_deref().map(requalified);
                }
            }
            to.clone_into(&mut draft.name);
            execution.transaction.alter_table(draft.finish()?)?;
            super::create_view::follow_rename(execution, object.id(), (schema, from), (schema, to))
        }
        Object::Sequence(sequence) => relabel(execution, sequence, schema, to),
        Object::View(view) => {
            let mut renamed = view.as_ref().clone();
            to.clone_into(&mut renamed.name);
            execution.transaction.redefine(Object::View(Arc::new(renamed)))?;
            super::create_view::follow_rename(execution, object.id(), (schema, from), (schema, to))
        }
        Object::Graph(graph) => {
            let mut renamed = graph.as_ref().clone();
            to.clone_into(&mut renamed.name);
            execution.transaction.redefine(Object::Graph(Arc::new(renamed)))?;
            super::create_view::follow_rename(execution, object.id(), (schema, from), (schema, to))
        }
        Object::Schema(_) | Object::Role(_) | Object::Grants(_) | Object::Hold(_) => {
            Err(SqlError::internal("only relations are renamed here"))
        }
    }
}

fn relabel(execution: &mut Execution<'_>, sequence: &SequenceDef, schema: &str, name: &str) -> SqlResult<()> {
    let mut renamed = sequence.clone();
    let version = execution.transaction.next_version(sequence.state.id);
    renamed.state = SequenceDef::state_table(sequence.state.id, schema, name, version)?;
    execution.transaction.redefine(Object::Sequence(Arc::new(renamed)))
}

/// SET SCHEMA. Errors: 3F000, 42P07, 42501.
pub(super) fn move_to(execution: &mut Execution<'_>, object: &Object, to: &str) -> SqlResult<()> {
    let target = Name { schema: Some(to.to_owned()), name: object.name().to_owned(), span: sqlparser::tokenizer::Span::empty() };
    let to = execution.fresh_scope().creation_schema(&target)?;
    if execution.transaction.catalog().relation_owner(&to, object.name()).is_some() {
        let message = format!("relation \"{}\" already exists in schema \"{to}\"", object.name());
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let from = object.schema().unwrap_or_default().to_owned();
    match object {
        Object::Table(table) => {
            let mut draft = draft(execution, table);
            draft.schema.clone_from(&to);
            execution.transaction.alter_table(draft.finish()?)?;
            let catalog = execution.transaction.catalog();
            let is_owned = |sequence: &&Arc<SequenceDef>| sequence.owner.is_some_and(|(owner, _)| owner == table.id);
            for sequence in catalog.sequences().filter(is_owned) {
                relabel(execution, sequence, &to, sequence.name())?;
            }
        }
        Object::Sequence(sequence) => relabel(execution, sequence, &to, sequence.name())?,
        Object::View(view) => {
            let mut moved = view.as_ref().clone();
            moved.schema.clone_from(&to);
            execution.transaction.redefine(Object::View(Arc::new(moved)))?;
        }
        Object::Graph(graph) => {
            let mut moved = graph.as_ref().clone();
            moved.schema.clone_from(&to);
            execution.transaction.redefine(Object::Graph(Arc::new(moved)))?;
        }
        Object::Schema(_) | Object::Role(_) | Object::Grants(_) | Object::Hold(_) => {
            return Err(SqlError::internal("only relations are moved"));
        }
    }
    super::create_view::follow_rename(execution, object.id(), (&from, object.name()), (&to, object.name()))
}
