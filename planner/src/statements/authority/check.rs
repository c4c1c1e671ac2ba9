//! The one place where a statement's rights are checked, just before it runs: what it writes here, what it reads where tables are opened
//! ([`Scope::opened`], resolver/rights.rs).
//!
//! K1: the match over [`Plan`] has no wildcard: a new kind of statement does not compile until it says what it needs.
//! K2: whatever writes rows is found in the syntax tree, however deep it stands, and needs its privilege on its table or on each column.
//! K3: a column that UPDATE, DELETE, RETURNING or ON CONFLICT mentions needs SELECT; one that is only written does not. A name that may mean a
//!     column of the target counts as one.
//! Never: reads a row.

mod graphs;
mod views;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::roles::{DATABASE, privilege};
use engine::{LEDGER_SCHEMA, Object, TEMPORARY_SCHEMA, TableDef, ViewDef};
use sqlparser::ast::{
    Assignment, AssignmentTarget, ColumnOption, CommentObject, ConflictTarget, CopySource, CreateTable, Delete, Expr, FromTable, Insert,
    Merge, MergeAction, ObjectName, OnConflict, OnConflictAction, OnInsert, Query, SchemaName, SelectItem, Statement, TableConstraint,
    TableFactor, TableObject, TableWithJoins, Update, Visit, Visitor,
};

use super::super::Plan;
use super::super::lock_rows::named_tables;
use super::super::write_target::Verb;
use super::objects;
use crate::names::{Name, fold, simple};
use crate::parse::Parsed;
use crate::resolver::Scope;
use crate::rights::access::Kind;
use crate::rights::things;
use views::Through;

/// What a kind of statement is to rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// About the session itself: nothing to ask.
    Session,
    /// Reads; and writes only where the syntax tree says so.
    Reads,
    /// Writes rows.
    Rows,
    /// Makes, changes or drops objects.
    Definitions,
    /// Roles, grants, owners, databases (`super::execute`), legal holds (`hold.rs`), erasures (`erase.rs`), EXPIRE (`expire.rs`), LOCK TABLE (`lock_table.rs`): they ask for themselves.
    Authority,
}

/// The class of a plan (K1).
pub(crate) fn class(plan: &Plan) -> Class {
    match plan {
        // A named statement or a cursor's query is checked when it runs by itself.
        Plan::Block(_) | Plan::Configure(_) | Plan::Named(_) | Plan::Cursor(_) => Class::Session,
        // There is none to make or drop.
        Plan::Notify(_) | Plan::Maintenance(_) | Plan::Constraints(_) | Plan::Extension => Class::Session,
        Plan::Select(_) | Plan::Lock(_) | Plan::CopyTo(_) | Plan::Explain(_) => Class::Reads,
        Plan::Insert(_) | Plan::Update(_) | Plan::Delete(_) | Plan::Merge(_) | Plan::With(_) | Plan::CopyFrom(_) | Plan::Truncate => {
            Class::Rows
        }
        Plan::CreateSchema
        | Plan::CreateTable
        | Plan::CreateTableAs(_)
        | Plan::CreateSequence
        | Plan::CreateIndex
        | Plan::CreateView
        | Plan::CreateMaterialized(_)
        | Plan::Refresh(_)
        | Plan::AlterTable
        | Plan::AlterSchema
        | Plan::Comment
        | Plan::DropSchema
        | Plan::Drop => Class::Definitions,
        Plan::Graph(_) => Class::Definitions,
        Plan::Authority(_) | Plan::Hold(_) | Plan::Erase(_) | Plan::Expire(_) | Plan::LockTable(_) => Class::Authority,
    }
}

/// Checks a statement for the role that runs it. Gives the table that its own search for rows may read although SELECT was not granted, because
/// the statement mentions none of its columns, or has SELECT on those it does (K3).
///
/// Errors: 42501, and what names that are not there raise.
pub(crate) fn check(plan: &Plan, parsed: &Parsed, scope: &Scope, database: &str) -> SqlResult<Option<RelationId>> {
    let statement = &*parsed.statement;
    if class(plan) == Class::Session || scope.access.superuser && !plan.may_write_views() {
        return Ok(None);
    }
    let checker = Checker { scope, database };
    let looked_up = match plan {
        Plan::Select(select) => select.looked_up(),
        Plan::Lock(lock) => lock.looked_up(),
        _ => None,
    };
    if let Some((table, columns)) = looked_up {
        // A lookup by key opens its table by itself.
        checker.need_columns(table, privilege::SELECT, columns)?;
    }
    graphs::read(&checker, parsed)?;
    if let Plan::CreateTableAs(plan) = plan {
        checker.need_table(&plan.name, plan.temporary)?;
    } else if let Plan::Refresh(plan) = plan {
        checker.own(&plan.name)?;
    } else if let Plan::Graph(command) = plan {
        graphs::command(&checker, command)?;
    } else {
        checker.definitions(statement)?;
    }
    let mut writes = Writes { checker: &checker, exempt: None, refused: None };
    let _ = statement.visit(&mut writes);
    match writes.refused {
        Some(error) => Err(error),
        // Beside other parts that read, the table is theirs too, and they are not exempt.
        None => Ok(writes.exempt.filter(|_| matches!(statement, Statement::Update(_) | Statement::Delete(_)))),
    }
}

struct Checker<'a> {
    scope: &'a Scope,
    database: &'a str,
}

/// Finds what writes rows (K2).
struct Writes<'a> {
    checker: &'a Checker<'a>,
    exempt: Option<RelationId>,
    refused: Option<SqlError>,
}

impl Visitor for Writes<'_> {
    type Break = ();

    /// Who locks rows might as well change them: some column at least.
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for (object, _) in if query.locks.is_empty() { Vec::new() } else { named_tables(query) } {
            let table = self.checker.name(object).map(|name| self.checker.scope.stored(name.schema.as_deref(), &name.name).cloned());
            let checked = match table {
                Ok(Some(table)) => self.checker.need_columns(&table, privilege::UPDATE, []),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = checked {
                self.refused = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        let checked = match statement {
            Statement::Insert(insert) => self.checker.insert(insert).map(|()| None),
            Statement::Update(update) => self.checker.update(update),
            Statement::Delete(delete) => self.checker.delete(delete),
            Statement::Merge(merge) => self.checker.merge(merge).map(|()| None),
            _ => Ok(None),
        };
        match checked {
            Ok(exempt) => {
                self.exempt = self.exempt.or(exempt);
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.refused = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl Checker<'_> {
    fn name(&self, object: &ObjectName) -> SqlResult<Name> {
        Name::of(object, self.database)
    }

    /// The table that is written. Errors: 42P01, 42501 for its schema.
    fn target(&self, object: &ObjectName) -> SqlResult<Arc<TableDef>> {
        let name = self.name(object)?;
        let table = self.scope.writable(&name)?;
        self.scope.check_usage(&table.schema)?;
        Ok(Arc::clone(table))
    }

    fn need(&self, table: &TableDef, wanted: u16) -> SqlResult<()> {
        let had = self.scope.access.on(&self.scope.catalog, Kind::Table, table.id.0, wanted);
        if had == wanted { Ok(()) } else { Err(things::of_table(table).denied()) }
    }

    /// `wanted` on each of these columns, by position; without any, on at least one.
    fn need_columns(&self, table: &TableDef, wanted: u16, columns: impl IntoIterator<Item = usize>) -> SqlResult<()> {
        if table.schema == LEDGER_SCHEMA {
            let denied = || things::of_table(table).denied();
            return if wanted == privilege::SELECT && self.scope.access.reads_ledger() { Ok(()) } else { Err(denied()) };
        }
        self.scope.check_usage(&table.schema)?;
        let has = |at: usize| self.scope.access.on_column(&self.scope.catalog, table, table.columns[at].id.0, wanted) == wanted;
        let mut columns = columns.into_iter().peekable();
        let granted = match columns.peek() {
            None => (0..table.columns.len()).any(has),
            Some(_) => columns.all(has),
        };
        if granted { Ok(()) } else { Err(things::of_table(table).denied()) }
    }

    fn insert(&self, insert: &Insert) -> SqlResult<()> {
        let TableObject::TableName(object) = &insert.table else { return Ok(()) };
        let alias = insert.table_alias.as_ref().map(|alias| fold(&alias.alias));
        if let Some(view) = self.view(object)? {
            return self.insert_through(&view, insert, alias.as_deref());
        }
        let table = self.target(object)?;
        let columns: Vec<usize> = match insert.columns.as_slice() {
            [] => (0..table.columns.len()).collect(),
            names => names.iter().filter_map(|name| simple(name).ok()).filter_map(|name| position(&table, &fold(name))).collect(),
        };
        self.need_columns(&table, privilege::INSERT, columns)?;
        let mut mentions = Mentions::default();
        if let Some(OnInsert::OnConflict(clause)) = &insert.on {
            self.conflict(&table, clause, &mut mentions)?;
        }
        mentions.returning(insert.returning.as_deref());
        self.mentioned(&table, alias.as_deref(), &mentions)
    }

    fn insert_through(&self, view: &Arc<ViewDef>, insert: &Insert, alias: Option<&str>) -> SqlResult<()> {
        let (mut mentions, mut wanted) = (Mentions::default(), privilege::INSERT);
        if let Some(OnInsert::OnConflict(clause)) = &insert.on {
            if let Some(ConflictTarget::Columns(columns)) = &clause.conflict_target {
                mentions.names.extend(columns.iter().map(fold));
            }
            if let OnConflictAction::DoUpdate(update) = &clause.action {
                wanted |= privilege::UPDATE;
                update.assignments.iter().for_each(|assignment| mentions.of(&assignment.value));
                mentions.of(&update.selection);
            }
        }
        mentions.returning(insert.returning.as_deref());
        let columns = views::listed(insert.columns.iter());
        self.through(view, &Through { verb: Verb::Insert, wanted, columns, mentions: &mentions, alias })
    }

    fn conflict(&self, table: &TableDef, clause: &OnConflict, mentions: &mut Mentions) -> SqlResult<()> {
        match &clause.conflict_target {
            Some(ConflictTarget::Columns(columns)) => mentions.names.extend(columns.iter().map(fold)),
            Some(ConflictTarget::OnConstraint(_)) => {
                mentions.names.extend(table.key_columns().iter().map(|at| table.columns[*at].name.clone()))
            }
            None => {}
        }
        if let OnConflictAction::DoUpdate(update) = &clause.action {
            self.assignments(table, &update.assignments, mentions)?;
            mentions.of(&update.selection);
        }
        Ok(())
    }

    /// UPDATE on what is set; what the values mention is noted.
    fn assignments(&self, table: &TableDef, assignments: &[Assignment], mentions: &mut Mentions) -> SqlResult<()> {
        let mut set = Vec::new();
        for assignment in assignments {
            let targets: &[ObjectName] = match &assignment.target {
                AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
                AssignmentTarget::Tuple(names) => names,
            };
            set.extend(targets.iter().filter_map(|name| simple(name).ok()).filter_map(|name| position(table, &fold(name))));
            mentions.of(&assignment.value);
        }
        self.need_columns(table, privilege::UPDATE, set)
    }

    fn update(&self, update: &Update) -> SqlResult<Option<RelationId>> {
        let Some((object, alias)) = named(&update.table) else { return Ok(None) };
        let mut mentions = Mentions::default();
        if let Some(view) = self.view(object)? {
            update.assignments.iter().for_each(|assignment| mentions.of(&assignment.value));
            mentions.of(&update.selection);
            mentions.returning(update.returning.as_deref());
            let columns = views::listed(update.assignments.iter().flat_map(|assignment| match &assignment.target {
                AssignmentTarget::ColumnName(name) => std::slice::from_ref(name),
                AssignmentTarget::Tuple(names) => names.as_slice(),
            }));
            let (verb, wanted, alias) = (Verb::Update, privilege::UPDATE, alias.as_deref());
            return self.through(&view, &Through { verb, wanted, columns, mentions: &mentions, alias }).map(|()| None);
        }
        let table = self.target(object)?;
        self.assignments(&table, &update.assignments, &mut mentions)?;
        mentions.of(&update.selection);
        mentions.of(&update.from);
        mentions.returning(update.returning.as_deref());
        mentions.others |= update.from.is_some();
        self.mentioned(&table, alias.as_deref(), &mentions)?;
        Ok((!mentions.others).then_some(table.id))
    }

    fn delete(&self, delete: &Delete) -> SqlResult<Option<RelationId>> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let Some((object, alias)) = from.first().and_then(named) else { return Ok(None) };
        let mut mentions = Mentions::default();
        mentions.of(&delete.selection);
        mentions.of(&delete.using);
        mentions.returning(delete.returning.as_deref());
        if let Some(view) = self.view(object)? {
            let (verb, wanted, alias) = (Verb::Delete, privilege::DELETE, alias.as_deref());
            return self.through(&view, &Through { verb, wanted, columns: None, mentions: &mentions, alias }).map(|()| None);
        }
        let table = self.target(object)?;
        self.need(&table, privilege::DELETE)?;
        mentions.others |= delete.using.is_some();
        self.mentioned(&table, alias.as_deref(), &mentions)?;
        Ok((!mentions.others).then_some(table.id))
    }

    /// MERGE reads its target like any table of a join; here is what it writes.
    fn merge(&self, merge: &Merge) -> SqlResult<()> {
        let TableFactor::Table { name, .. } = &merge.table else { return Ok(()) };
        let table = self.target(name)?;
        for clause in &merge.clauses {
            match &clause.action {
                MergeAction::Insert(insert) => {
                    let listed =
                        insert.columns.iter().filter_map(|name| simple(name).ok()).filter_map(|name| position(&table, &fold(name)));
                    let listed: Vec<usize> = if insert.columns.is_empty() { (0..table.columns.len()).collect() } else { listed.collect() };
                    self.need_columns(&table, privilege::INSERT, listed)?;
                }
                MergeAction::Update(update) => self.assignments(&table, &update.assignments, &mut Mentions::default())?,
                MergeAction::Delete { .. } => self.need(&table, privilege::DELETE)?,
            }
        }
        Ok(())
    }

    /// SELECT on every column that is mentioned (K3).
    fn mentioned(&self, table: &TableDef, alias: Option<&str>, mentions: &Mentions) -> SqlResult<()> {
        let whole = mentions.everything || mentions.names.contains(alias.unwrap_or(&table.name));
        let read: Vec<usize> = (0..table.columns.len()).filter(|at| whole || mentions.names.contains(&table.columns[*at].name)).collect();
        if read.is_empty() { Ok(()) } else { self.need_columns(table, privilege::SELECT, read) }
    }

    /// What makes, changes or drops objects, and what writes without being INSERT, UPDATE, DELETE or MERGE.
    fn definitions(&self, statement: &Statement) -> SqlResult<()> {
        match statement {
            Statement::Copy { source: CopySource::Table { table_name, columns }, to: false, .. } => {
                let table = self.target(table_name)?;
                let listed: Vec<usize> = match columns.as_slice() {
                    [] => (0..table.columns.len()).collect(),
                    names => names.iter().filter_map(|name| position(&table, &fold(name))).collect(),
                };
                self.need_columns(&table, privilege::INSERT, listed)
            }
            Statement::Truncate(truncate) => {
                truncate.table_names.iter().try_for_each(|target| self.need(&*self.target(&target.name)?, privilege::TRUNCATE))
            }
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateSequence { name, .. } => self.need_creation_of(name),
            Statement::CreateView(create) if create.temporary => self.need_temporary(),
            Statement::CreateView(create) => self.need_creation_of(&create.name),
            Statement::CreateIndex(create) => self.own(&create.table_name),
            Statement::AlterTable(alter) => self.own(&alter.name),
            Statement::AlterSchema(alter) => self.own_schema(&alter.name, alter.if_exists),
            Statement::Comment { object_type, object_name, .. } => self.commented(*object_type, object_name),
            Statement::CreateSchema { schema_name, if_not_exists, .. } => self.create_schema(schema_name, *if_not_exists),
            Statement::Drop { object_type, names, if_exists, .. } => {
                let is_schema = *object_type == sqlparser::ast::ObjectType::Schema;
                names.iter().try_for_each(|name| if is_schema { self.own_schema(name, *if_exists) } else { self.own(name) })
            }
            Statement::Explain { statement, .. } => self.definitions(statement),
            _ => Ok(()),
        }
    }

    fn create_table(&self, create: &CreateTable) -> SqlResult<()> {
        self.need_table(&create.name, create.temporary)?;
        for column in &create.columns {
            for option in &column.options {
                if let ColumnOption::ForeignKey(key) = &option.option {
                    self.need_references(&key.foreign_table)?;
                }
            }
        }
        for constraint in &create.constraints {
            if let TableConstraint::ForeignKey(key) = constraint {
                self.need_references(&key.foreign_table)?;
            }
        }
        Ok(())
    }

    /// The right to make a table of that name.
    fn need_table(&self, name: &ObjectName, temporary: bool) -> SqlResult<()> {
        let name = self.name(name)?;
        if temporary || name.schema.as_deref() == Some(TEMPORARY_SCHEMA) {
            return self.need_temporary();
        }
        self.need_creation(&self.scope.creation_schema(&name)?)
    }

    /// Temporary tables are a right on the database, and nothing for those who write nothing.
    fn need_temporary(&self) -> SqlResult<()> {
        let had = self.scope.access.on(&self.scope.catalog, Kind::Database, DATABASE, privilege::TEMPORARY);
        if had != 0 && !self.scope.access.is_auditor() {
            return Ok(());
        }
        let message = format!("permission denied to create temporary tables in database \"{}\"", self.database);
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
    }

    fn need_references(&self, object: &ObjectName) -> SqlResult<()> {
        let name = self.name(object)?;
        match self.scope.stored(name.schema.as_deref(), &name.name) {
            Some(table) => self.need(table, privilege::REFERENCES),
            // Itself, or nothing; the statement says which.
            None => Ok(()),
        }
    }

    fn need_creation(&self, schema: &str) -> SqlResult<()> {
        let schema = objects::schema(self.scope, schema)?;
        let had = self.scope.access.on(&self.scope.catalog, schema.kind, schema.id, privilege::CREATE);
        if had == 0 { Err(schema.denied()) } else { Ok(()) }
    }

    fn create_schema(&self, name: &SchemaName, if_not_exists: bool) -> SqlResult<()> {
        if let (SchemaName::Simple(name), true) = (name, if_not_exists)
            && self.scope.catalog.schema(&fold(simple(name)?)).is_some()
        {
            return Ok(());
        }
        let had = self.scope.access.on(&self.scope.catalog, Kind::Database, DATABASE, privilege::CREATE);
        if had == 0 { Err(things::Thing::database(self.database).denied()) } else { Ok(()) }
    }

    fn own_schema(&self, object: &ObjectName, if_exists: bool) -> SqlResult<()> {
        let schema = match objects::schema(self.scope, &fold(simple(object)?)) {
            Err(error) if if_exists && error.state() == SqlState::INVALID_SCHEMA_NAME => return Ok(()),
            // What is reserved is refused by name.
            Err(_) => return Ok(()),
            Ok(schema) => schema,
        };
        if self.scope.access.owns(&self.scope.catalog, schema.id) { Ok(()) } else { Err(schema.not_owner()) }
    }

    fn need_creation_of(&self, object: &ObjectName) -> SqlResult<()> {
        let name = self.name(object)?;
        if let Some(relation) = self.scope.relation(&name) {
            // In its place, or refused by name.
            return self.own_relation(relation);
        }
        self.need_creation(&self.scope.creation_schema(&name)?)
    }

    fn commented(&self, kind: CommentObject, object: &ObjectName) -> SqlResult<()> {
        let parts: Vec<_> = object.0.clone();
        match kind {
            // These ask for themselves.
            CommentObject::Role | CommentObject::User | CommentObject::Database => Ok(()),
            CommentObject::Schema => self.own_schema(object, false),
            CommentObject::Column => self.own(&ObjectName(parts[..parts.len().saturating_sub(1)].to_vec())),
            _ => self.own(object),
        }
    }

    /// Changing and dropping need to own the relation, or its schema.
    fn own(&self, object: &ObjectName) -> SqlResult<()> {
        match self.scope.relation(&self.name(object)?) {
            Some(relation) => self.own_relation(relation),
            // The statement says that there is none.
            None => Ok(()),
        }
    }

    fn own_relation(&self, relation: &Object) -> SqlResult<()> {
        let Some(schema) = relation.schema().filter(|schema| *schema != LEDGER_SCHEMA) else { return Ok(()) };
        if self.scope.access.is_auditor() {
            return Err(not_owner(relation));
        }
        let owns = |id| self.scope.access.owns(&self.scope.catalog, id);
        let schema = self.scope.catalog.schema(schema);
        if owns(relation.id()) || schema.is_some_and(|schema| owns(schema.id)) { Ok(()) } else { Err(not_owner(relation)) }
    }
}

fn not_owner(relation: &Object) -> SqlError {
    SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("must be owner of {} {}", relation.kind(), relation.name()))
}

fn position(table: &TableDef, name: &str) -> Option<usize> {
    table.columns.iter().position(|column| column.name == name)
}

fn named(from: &TableWithJoins) -> Option<(&ObjectName, Option<String>)> {
    match &from.relation {
        TableFactor::Table { name, alias, .. } => Some((name, alias.as_ref().map(|alias| fold(&alias.name)))),
        _ => None,
    }
}

/// Names that expressions mention.
#[derive(Default)]
struct Mentions {
    names: HashSet<String>,
    /// `*`
    everything: bool,
    /// A subquery, or another table.
    others: bool,
}

impl Mentions {
    fn of(&mut self, node: &impl Visit) {
        let _ = node.visit(self);
    }

    fn returning(&mut self, items: Option<&[SelectItem]>) {
        for item in items.into_iter().flatten() {
            match item {
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => self.everything = true,
                item => self.of(item),
            }
        }
    }
}

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &sqlparser::ast::Query) -> ControlFlow<()> {
        self.others = true;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => {
                self.names.insert(fold(name));
            }
            Expr::CompoundIdentifier(parts) => self.names.extend(parts.last().map(fold)),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => self.everything = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
