//! DROP TABLE | VIEW | MATERIALIZED VIEW | SEQUENCE | INDEX [IF EXISTS] name, … [CASCADE | RESTRICT]
//!
//! D1: what depends on an object is named in the error, or goes with it under CASCADE, as in Postgres.
//! Never: removes rows from the ledger (they stay, under a definition that has ended).

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{Catalog, Object, TableDef};
use sqlparser::ast::{ObjectType, Statement};

use super::Execution;
use super::property_graph::followers;
use super::table_draft::Draft;
use crate::names::Name;
use crate::outcome::{Notice, Outcome, Tag};

/// Something that goes with another: an object of the catalog, or a part of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Dependent {
    View(u32),
    /// A foreign key of a table.
    Reference(u32, u32),
    /// A default of a table's column that draws from a sequence.
    Default(u32, ColumnId),
    /// A generated column of a table.
    Column(u32, ColumnId),
    /// An element of a property graph, by alias.
    Element(u32, String),
    /// A property of a graph: element, label, property.
    Property(u32, String, String, String),
}

impl Dependent {
    /// As Postgres names it.
    fn shown(&self, catalog: &Catalog) -> String {
        match self {
            Self::View(id) => catalog.object(*id).map_or_else(String::new, shown),
            Self::Reference(table, id) => {
                let table = table_of(catalog, *table);
                let name = table.and_then(|table| table.rules.references.iter().find(|reference| reference.id == *id));
                format!("constraint {} on table {}", name.map_or("", |reference| &reference.name), table.map_or("", |table| &table.name))
            }
            Self::Column(table, id) => {
                let table = table_of(catalog, *table);
                let name = table.and_then(|table| table.column(*id)).map_or("", |column| &column.name);
                format!("column {name} of table {}", table.map_or("", |table| &table.name))
            }
            Self::Element(graph, alias) => element_shown(catalog, *graph, alias),
            Self::Property(graph, element, label, property) => {
                format!("property {property} of label {label} of {}", element_shown(catalog, *graph, element))
            }
            Self::Default(table, column) => {
                let table = table_of(catalog, *table);
                let column = table.and_then(|table| table.column(*column)).map_or("", |column| &column.name);
                format!("default value for column {column} of table {}", table.map_or("", |table| &table.name))
            }
        }
    }
}

fn element_shown(catalog: &Catalog, graph: u32, alias: &str) -> String {
    let Some(Object::Graph(graph)) = catalog.object(graph) else { return String::new() };
    let kind = graph.element(alias).map_or("element", engine::GraphElement::kind);
    format!("{kind} {alias} of property graph {}", graph.name)
}

fn table_of(catalog: &Catalog, id: u32) -> Option<&Arc<TableDef>> {
    match catalog.object(id) {
        Some(Object::Table(table)) => Some(table),
        _ => None,
    }
}

/// `table t`, `view v`, …
pub(super) fn shown(object: &Object) -> String {
    format!("{} {}", object.kind(), object.name())
}

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::Drop { object_type, if_exists, names, cascade, temporary, .. } = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a DROP"));
    };
    if *temporary {
        return Err(SqlError::unsupported("DROP TEMPORARY TABLE"));
    }
    let (kind, tag) = match object_type {
        ObjectType::Table => ("table", "DROP TABLE"),
        ObjectType::View => ("view", "DROP VIEW"),
        ObjectType::MaterializedView => ("materialized view", "DROP MATERIALIZED VIEW"),
        ObjectType::Sequence => ("sequence", "DROP SEQUENCE"),
        _ => ("index", "DROP INDEX"),
    };
    let mut ids = BTreeSet::new();
    for object in names {
        let name = Name::of(object, execution.view.database.name())?;
        match find(execution, &name, kind, *if_exists)? {
            Some(_) if kind == "index" => drop_index(execution, &name)?,
            Some(id) => {
                ids.insert(id);
            }
            None => {}
        }
    }
    drop_objects(execution, &ids, *cascade)?;
    Ok(Outcome::Command(Tag::command(tag)))
}

/// The object of that name and kind; `None` where it may be missing. Errors: 42P01, 42809, 42501.
pub(super) fn find(execution: &mut Execution<'_>, name: &Name, kind: &str, if_exists: bool) -> SqlResult<Option<u32>> {
    let scope = execution.fresh_scope();
    let found = scope.relation(name);
    let is_index = |object: &Object| object.name() != name.name;
    match found {
        Some(object) if kind == "index" && is_index(object) => return Ok(Some(object.id())),
        Some(object) if object.kind() == kind && !is_index(object) && object.schema() != Some(engine::LEDGER_SCHEMA) => {
            return Ok(Some(object.id()));
        }
        Some(object) if object.schema() != Some(engine::LEDGER_SCHEMA) => {
            let actual = if is_index(object) { "index" } else { object.kind() };
            let a = |kind: &str| if kind == "index" { "an index".to_owned() } else { format!("a {kind}") };
            let message = format!("\"{}\" is not {}", name.name, a(kind));
            let hint = format!("Use DROP {} to remove {}.", actual.to_uppercase(), a(actual));
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).hint(hint));
        }
        _ => {}
    }
    match scope.changeable(name) {
        Err(error) if error.state() != SqlState::UNDEFINED_TABLE => return Err(error),
        _ => {}
    }
    if if_exists {
        let message = format!("{kind} \"{}\" does not exist, skipping", name.name);
        execution.notices.push(Notice::new(SqlState("00000"), message));
        return Ok(None);
    }
    let state = if kind == "index" { SqlState::UNDEFINED_OBJECT } else { SqlState::UNDEFINED_TABLE };
    Err(SqlError::new(state, format!("{kind} \"{}\" does not exist", name.shown())))
}

/// Takes objects out of the catalog, with what they own; what depends on them goes too or is an error (D1).
///
/// Errors: 2BP01.
pub(super) fn drop_objects(execution: &mut Execution<'_>, wanted: &BTreeSet<u32>, cascade: bool) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let mut going: BTreeSet<u32> = wanted.clone();
    going.extend(owned(&catalog, wanted));
    let mut dependents: Vec<(Dependent, u32)> = Vec::new();
    loop {
        let more: Vec<(Dependent, u32)> = depending(&catalog, &going).into_iter().filter(|(one, _)| !known(&dependents, one)).collect();
        if more.is_empty() {
            break;
        }
        for (one, on) in more {
            if let Dependent::View(id) = one {
                going.insert(id);
            }
            dependents.push((one, on));
        }
    }
    if !dependents.is_empty() && !cascade {
        return Err(still_needed(&catalog, wanted, &dependents));
    }
    for table in going.iter().filter_map(|id| table_of(&catalog, *id)) {
        execution.transaction.enter_table(table)?;
    }
    tell(execution, &catalog, &dependents);
    for (dependent, _) in &dependents {
        match dependent {
            Dependent::View(_) => {}
            Dependent::Reference(table, id) => drop_constraint(execution, *table, *id)?,
            Dependent::Default(table, column) => drop_default(execution, *table, *column)?,
            Dependent::Column(table, id) => drop_generated(execution, *table, *id)?,
            Dependent::Element(graph, alias) => followers::remove_elements(execution, *graph, std::slice::from_ref(alias))?,
            Dependent::Property(graph, element, label, property) => {
                followers::remove_property(execution, *graph, element, label, property)?;
            }
        }
    }
    for id in going {
        execution.transaction.drop_object(id)?;
    }
    Ok(())
}

fn known(dependents: &[(Dependent, u32)], one: &Dependent) -> bool {
    dependents.iter().any(|(other, _)| other == one)
}

/// Sequences that go with the tables that own them.
pub(super) fn owned(catalog: &Catalog, going: &BTreeSet<u32>) -> Vec<u32> {
    let is_owned = |sequence: &&Arc<engine::SequenceDef>| sequence.owner.is_some_and(|(table, _)| going.contains(&table.0));
    catalog.sequences().filter(is_owned).map(|sequence| sequence.id()).collect()
}

/// What depends on the objects that go, without being one of them.
fn depending(catalog: &Catalog, going: &BTreeSet<u32>) -> Vec<(Dependent, u32)> {
    let mut found = Vec::new();
    for view in catalog.readers().filter(|view| !going.contains(&view.id)) {
        if let Some((on, _)) = view.reads.iter().find(|(read, _)| going.contains(read)) {
            found.push((Dependent::View(view.id), *on));
        }
    }
    for relation in going {
        let elements = followers::elements_needing(catalog, *relation, None).into_iter().filter(|(graph, _)| !going.contains(graph));
        found.extend(elements.map(|(graph, alias)| (Dependent::Element(graph, alias), *relation)));
    }
    for table in catalog.tables().filter(|table| !going.contains(&table.id.0)) {
        for reference in table.rules.references.iter().filter(|reference| going.contains(&reference.table.0)) {
            found.push((Dependent::Reference(table.id.0, reference.id), reference.table.0));
        }
        for (column, rules) in &table.rules.columns {
            if let Some(sequence) = rules.sequence.filter(|sequence| going.contains(sequence)) {
                found.push((Dependent::Default(table.id.0, *column), sequence));
            }
        }
    }
    found
}

/// 2BP01
fn still_needed(catalog: &Catalog, wanted: &BTreeSet<u32>, dependents: &[(Dependent, u32)]) -> SqlError {
    let named = |id: u32| catalog.object(id).map_or_else(String::new, shown);
    let what = match wanted.iter().collect::<Vec<_>>().as_slice() {
        [one] => named(**one),
        _ => "desired object(s)".to_owned(),
    };
    let lines: Vec<String> = dependents.iter().map(|(one, on)| format!("{} depends on {}", one.shown(catalog), named(*on))).collect();
    SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, format!("cannot drop {what} because other objects depend on it"))
        .detail(lines.join("\n"))
        .hint("Use DROP ... CASCADE to drop the dependent objects too.")
}

fn tell(execution: &mut Execution<'_>, catalog: &Catalog, dependents: &[(Dependent, u32)]) {
    tell_cascade(execution, &dependents.iter().map(|(one, _)| one.shown(catalog)).collect::<Vec<_>>());
}

/// Says what goes too.
pub(super) fn tell_cascade(execution: &mut Execution<'_>, shown: &[String]) {
    let message = match shown {
        [] => return,
        [one] => format!("drop cascades to {one}"),
        many => format!("drop cascades to {} other objects", many.len()),
    };
    execution.notices.push(Notice::new(SqlState("00000"), message));
}

/// Takes a check, unique key or foreign key out of a table.
pub(super) fn drop_constraint(execution: &mut Execution<'_>, table: u32, id: u32) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let Some(table) = table_of(&catalog, table) else { return Ok(()) };
    let mut draft = Draft::of(table, execution.transaction.next_version(table.id));
    draft.rules.checks.retain(|check| check.id != id);
    draft.rules.indexes.retain(|index| index.id != id);
    draft.rules.references.retain(|reference| reference.id != id);
    execution.transaction.alter_table(draft.finish()?)?;
    Ok(())
}

fn drop_default(execution: &mut Execution<'_>, table: u32, column: ColumnId) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let Some(table) = table_of(&catalog, table) else { return Ok(()) };
    let mut draft = Draft::of(table, execution.transaction.next_version(table.id));
    let rules = draft.rules.column_mut(column);
    rules.default = None;
    rules.sequence = None;
    rules.identity = None;
    execution.transaction.alter_table(draft.finish()?)?;
    Ok(())
}

/// Foreign keys that need a key of a table.
pub(super) fn needing_key(catalog: &Catalog, table: &TableDef, key: u32) -> Vec<Dependent> {
    let needs = catalog.references_to(table.id).filter(|(_, reference)| reference.key == key);
    needs.map(|(child, reference)| Dependent::Reference(child.id.0, reference.id)).collect()
}

/// Drops what needs a part of a table, or says that it does. Errors: 2BP01.
pub(super) fn drop_dependents(execution: &mut Execution<'_>, what: &str, dependents: Vec<Dependent>, cascade: bool) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    if dependents.is_empty() {
        return Ok(());
    }
    if !cascade {
        let lines: Vec<String> = dependents.iter().map(|one| format!("{} depends on {what}", one.shown(&catalog))).collect();
        return Err(SqlError::new(
            SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
            format!("cannot drop {what} because other objects depend on it"),
        )
        .detail(lines.join("\n"))
        .hint("Use DROP ... CASCADE to drop the dependent objects too."));
    }
    let dependents: Vec<(Dependent, u32)> = dependents.into_iter().map(|one| (one, 0)).collect();
    tell(execution, &catalog, &dependents);
    let mut views = BTreeSet::new();
    for (dependent, _) in dependents {
        match dependent {
            Dependent::View(id) => {
                views.insert(id);
            }
            Dependent::Reference(table, id) => drop_constraint(execution, table, id)?,
            Dependent::Default(table, column) => drop_default(execution, table, column)?,
            Dependent::Column(table, id) => drop_generated(execution, table, id)?,
            Dependent::Element(graph, alias) => followers::remove_elements(execution, graph, &[alias])?,
            Dependent::Property(graph, element, label, property) => {
                followers::remove_property(execution, graph, &element, &label, &property)?;
            }
        }
    }
    if views.is_empty() { Ok(()) } else { drop_objects(execution, &views, true) }
}

fn drop_generated(execution: &mut Execution<'_>, table: u32, id: ColumnId) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let Some(Object::Table(table)) = catalog.object(table) else { return Ok(()) };
    match table.column(id) {
        Some(column) => super::alter_table::drop_column(execution, table, &column.name, true, true),
        None => Ok(()),
    }
}

fn drop_index(execution: &mut Execution<'_>, name: &Name) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let Some(Object::Table(table)) = scope.relation(name) else { return Ok(()) };
    let table = Arc::clone(table);
    execution.transaction.enter_table(&table)?;
    let needed = |constraint: &str| {
        let message = format!("cannot drop index {} because constraint {constraint} on table {} requires it", name.name, table.name);
        Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
            .hint(format!("You can drop constraint {constraint} on table {} instead.", table.name)))
    };
    match table.rules.indexes.iter().find(|index| index.name == name.name) {
        Some(index) if !index.constraint => {
            let cascade = matches!(&*execution.parsed.statement, Statement::Drop { cascade: true, .. });
            let dependents = needing_key(&execution.transaction.catalog(), &table, index.id);
            drop_dependents(execution, &format!("index {}", index.name), dependents, cascade)?;
            drop_constraint(execution, table.id.0, index.id)
        }
        _ => needed(&name.name),
    }
}
