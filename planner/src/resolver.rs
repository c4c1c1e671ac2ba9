//! Names to relations: the search path, the reserved schemas, and the tables that queries bind to.
//!
//! P2 (lib.rs) is kept here: unqualified names never reach `ledger`, and nothing there can be created, dropped or written.
//! N1: an unqualified name means a table of `pg_catalog` before any other, as in Postgres.
//! Never: takes a snapshot; it is given one.

mod graphs;
mod owners;
mod past;
mod rights;

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::{Catalog, Ledger, Object, RowLocks, SequenceDef, TEMPORARY_SCHEMA, TableDef, Transaction, ViewDef};
use relational::{Resolver, Table, View};
use sqlparser::ast::Statement;
use sqlparser::tokenizer::Span;

use crate::backends::{Backend, Backends};
use crate::databases::Databases;
use crate::graph_functions;
use crate::graph_paths::Searched;
use crate::graph_patterns;
use crate::names::Name;
use crate::parse;
use crate::pg_catalog::{self, PG_CATALOG, Scene};
use crate::rights::access::Access;
use crate::settings::Settings;
use crate::tables::erasable::with_erased;
use crate::tables::{MemoryTable, StoredTable, VirtualTable, arrow_error};
use crate::versions::Past;

/// Schemas that users can neither create nor write to.
const RESERVED: [&str; 3] = [engine::LEDGER_SCHEMA, "pg_catalog", "information_schema"];

/// Whether users may not create a schema of this name, or anything in it.
pub(crate) fn is_reserved(schema: &str) -> bool {
    RESERVED.contains(&schema) || (schema.starts_with("pg_") && schema != TEMPORARY_SCHEMA)
}

/// One catalog seen through one search path.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) ledger: Arc<Ledger>,
    /// The server's databases.
    pub(crate) cluster: Weak<Databases>,
    pub(crate) catalog: Arc<Catalog>,
    /// As set, `$user` already replaced; schemas that do not exist are passed over.
    pub(crate) search_path: Arc<[String]>,
    /// `current_user`.
    pub(crate) user: Arc<str>,
    pub(crate) settings: Settings,
    /// The sessions of the database.
    pub(crate) backends: Arc<Backends>,
    /// This one.
    pub(crate) backend: Arc<Backend>,
    /// The transaction's number, and whether it has written.
    pub(crate) number: u64,
    pub(crate) is_written: bool,
    /// What that role may do.
    pub(crate) access: Arc<Access>,
    /// Whether rights count: not while a statement is only planned.
    pub(crate) checked: bool,
    /// A table that the statement may search for the rows it changes (statements/authority/check.rs).
    pub(crate) exempt: Option<RelationId>,
    /// What paths of graphs are searched in.
    pub(crate) searched: Searched,
}

impl Scope {
    /// The query that a view stands for, with queries in place of its clauses about graphs. Errors: XX000, and what those raise.
    pub(crate) fn stored_query(&self, name: &str, text: &str) -> SqlResult<Statement> {
        let parsed = parse::parse(text)?;
        let [one] = parsed.as_slice() else { return Err(SqlError::internal(format!("view \"{name}\" is no query"))) };
        let mut statement = one.statement.as_ref().clone();
        graph_patterns::expand(&mut statement, &one.graph_tables, self, "")?;
        if graph_functions::mentioned(text) {
            graph_functions::expand(&mut statement, self, "")?;
        }
        Ok(statement)
    }

    /// The schemas of the search path that exist, without the reserved ones; before them the session's temporary one.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &str> {
        let temporary = self.catalog.schema(TEMPORARY_SCHEMA).map(|_| TEMPORARY_SCHEMA);
        temporary.into_iter().chain(self.lasting_schemas())
    }

    /// Those that are not the session's own.
    pub(crate) fn lasting_schemas(&self) -> impl Iterator<Item = &str> {
        let is_lasting = |name: &&str| !is_reserved(name) && *name != TEMPORARY_SCHEMA && self.catalog.schema(name).is_some();
        self.search_path.iter().map(String::as_str).filter(is_lasting)
    }

    /// What the tables and functions of `pg_catalog` answer from.
    pub(crate) fn scene(&self) -> Scene {
        Scene {
            ledger: Arc::clone(&self.ledger),
            catalog: Arc::clone(&self.catalog),
            path: self.schemas().map(str::to_owned).collect(),
            user: Arc::clone(&self.user),
            cluster: Weak::clone(&self.cluster),
            settings: self.settings.clone(),
            backends: Arc::clone(&self.backends),
            backend: Arc::clone(&self.backend),
        }
    }

    /// The stored table of that name, if there is one.
    pub(crate) fn stored(&self, schema: Option<&str>, name: &str) -> Option<&Arc<TableDef>> {
        match schema {
            Some(schema) => self.catalog.table(schema, name),
            None if pg_catalog::claims(name) => None,
            None => self.schemas().find_map(|schema| self.catalog.table(schema, name)),
        }
    }

    /// The object that a relation's name means: a table, view or sequence, or the table of an index.
    pub(crate) fn relation(&self, name: &Name) -> Option<&Object> {
        let find = |schema: &str| self.catalog.relation_owner(schema, &name.name).and_then(|id| self.catalog.object(id));
        match &name.schema {
            Some(schema) => find(schema),
            None if pg_catalog::claims(&name.name) => None,
            None => self.schemas().find_map(find),
        }
    }

    /// The sequence of that name, if there is one.
    pub(crate) fn sequence(&self, name: &Name) -> Option<&Arc<SequenceDef>> {
        match self.relation(name) {
            Some(Object::Sequence(sequence)) => Some(sequence),
            _ => None,
        }
    }

    /// The view of that name, if the name means one.
    pub(crate) fn view(&self, schema: Option<&str>, name: &str) -> Option<&Arc<ViewDef>> {
        match schema {
            Some(schema) => self.catalog.view(schema, name),
            None if pg_catalog::claims(name) => None,
            None => {
                let schema = self.schemas().find(|schema| self.catalog.relation_owner(schema, name).is_some())?;
                self.catalog.view(schema, name)
            }
        }
    }

    /// A table that INSERT, UPDATE, DELETE or COPY FROM names. Errors: 42P01, 42501 for the ledger's own, 42809 for what has no rows of its own.
    pub(crate) fn writable(&self, name: &Name) -> SqlResult<&Arc<TableDef>> {
        let table = self.changeable(name)?;
        if table.rules.materialized.is_some() { Err(not_writable("materialized view", &table.name)) } else { Ok(table) }
    }

    /// A table or materialized view whose definition a statement changes. Errors: likewise.
    pub(crate) fn changeable(&self, name: &Name) -> SqlResult<&Arc<TableDef>> {
        if let Some(schema) = name.schema.as_deref().filter(|schema| is_reserved(schema)) {
            let exists = self.catalog.table(schema, &name.name).is_some()
                || pg_catalog::exists(schema, &name.name)
                || (schema == "ledger" && self.ledger.system_table(&name.name).is_some());
            if exists && schema != "ledger" {
                return Err(catalog_is_read_only(&name.name));
            }
            if exists {
                return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for table {}", name.name))
                    .hint("The tables of schema ledger are written by the ledger itself and can only be read."));
            }
        }
        if name.schema.is_none() && pg_catalog::claims(&name.name) {
            return Err(catalog_is_read_only(&name.name));
        }
        self.stored(name.schema.as_deref(), &name.name).ok_or_else(|| match self.relation(name) {
            Some(Object::View(view)) => SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not a table", view.name)),
            Some(Object::Sequence(sequence)) => not_writable("sequence", sequence.name()),
            Some(Object::Graph(graph)) => graphs::not_a_table(&graph.name),
            _ => undefined_table(&name.shown()),
        })
    }

    /// The schema that CREATE puts an object into. Errors: 3F000, 42501.
    pub(crate) fn creation_schema(&self, name: &Name) -> SqlResult<String> {
        match &name.schema {
            Some(schema) if is_reserved(schema) => {
                Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied to create \"{}\"", name.shown()))
                    .detail(format!("Schema \"{schema}\" is reserved for the database itself.")))
            }
            Some(schema) if self.catalog.schema(schema).is_some() => Ok(schema.clone()),
            Some(schema) => Err(undefined_schema(schema)),
            None => match self.lasting_schemas().next() {
                Some(schema) => Ok(schema.to_owned()),
                None => Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, "no schema has been selected to create in")),
            },
        }
    }
}

/// Errors: 55000 for a materialized view without its query's answer.
fn check_populated(table: &TableDef) -> SqlResult<()> {
    if table.rules.materialized.as_ref().is_none_or(|materialized| materialized.populated) {
        return Ok(());
    }
    let message = format!("materialized view \"{}\" has not been populated", table.name);
    Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).hint("Use the REFRESH MATERIALIZED VIEW command."))
}

/// 42501
fn catalog_is_read_only(name: &str) -> SqlError {
    SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied: \"{name}\" is a system catalog"))
        .hint("Its rows follow from CREATE and DROP and can only be read.")
}

/// 42809
fn not_writable(kind: &str, name: &str) -> SqlError {
    SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("cannot change {kind} \"{name}\""))
}

/// 42P01
pub(crate) fn undefined_table(shown: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"))
}

/// 3F000
pub(crate) fn undefined_schema(name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
}

/// Binds a query's tables to the snapshot (and own writes) of one transaction.
pub(crate) struct Binding<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) transaction: &'a Transaction,
    /// A table that only this statement knows, found before all others.
    pub(crate) local: Option<&'a MemoryTable>,
    /// More of them.
    pub(crate) ctes: &'a [MemoryTable],
    /// Tables, by `schema.name`, whose rows are passed over where others have locked them.
    pub(crate) passed: &'a [(String, RowLocks)],
}

impl Binding<'_> {
    /// A name without the role that opens it, and the scope in that role.
    fn entered<'n>(&self, name: &'n str) -> (Cow<'_, Scope>, &'n str) {
        match owners::read(name) {
            Some((name, role)) => (Cow::Owned(self.scope.in_role(role)), name),
            None => (Cow::Borrowed(self.scope), name),
        }
    }

    fn sequence(&self, schema: Option<&str>, name: &str) -> Option<&Arc<SequenceDef>> {
        let name = Name { schema: schema.map(str::to_owned), name: name.to_owned(), span: Span::empty() };
        self.scope.sequence(&name)
    }

    fn is_graph(&self, schema: Option<&str>, name: &str) -> bool {
        let name = Name { schema: schema.map(str::to_owned), name: name.to_owned(), span: Span::empty() };
        matches!(self.scope.relation(&name), Some(Object::Graph(_)))
    }

    /// The one row that Postgres shows of a sequence.
    fn state_of(&self, sequence: &SequenceDef) -> SqlResult<Arc<dyn Table>> {
        let state = self.scope.ledger.sequence_state(&self.scope.catalog, sequence.id())?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![state.last])),
            Arc::new(Int64Array::from(vec![i64::try_from(state.reserved).unwrap_or(0)])),
            Arc::new(BooleanArray::from(vec![state.is_called])),
        ];
        let schema = sequence.state.arrow_schema();
        let row = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(arrow_error)?;
        Ok(Arc::new(MemoryTable { name: sequence.name().to_owned(), oid: Some(sequence.id()), schema, batches: vec![row] }))
    }
}

impl Resolver for Binding<'_> {
    fn view(&self, schema: Option<&str>, name: &str) -> SqlResult<Option<View>> {
        if self.local.is_some_and(|local| schema.is_none() && local.name == name) {
            return Ok(None);
        }
        let (scope, name) = self.entered(name);
        if let Some((name, past)) = Past::read(name) {
            return scope.as_of(past)?.past_view(schema, name, past);
        }
        let Some(view) = scope.view(schema, name) else { return Ok(None) };
        let statement = scope.entrusted(view, scope.stored_query(&view.name, &view.query)?);
        let columns = view.columns.iter().map(|column| (column.name.clone(), column.sql_type.arrow())).collect();
        Ok(Some(View { statement, columns }))
    }

    fn enter_view(&self, schema: Option<&str>, name: &str) -> SqlResult<()> {
        let (scope, name) = self.entered(name);
        let (scope, name) = match Past::read(name) {
            Some((name, past)) => (Cow::Owned(scope.as_of(past)?), name),
            None => (scope, name),
        };
        scope.view(schema, name).map_or(Ok(()), |view| scope.check_view(view))
    }

    fn table(&self, schema: Option<&str>, name: &str) -> SqlResult<Arc<dyn Table>> {
        let mut known = self.local.into_iter().chain(self.ctes);
        if let Some(local) = known.find(|local| schema.is_none() && local.name == name) {
            return Ok(Arc::new(local.clone()));
        }
        let (scope, name) = self.entered(name);
        if let Some((name, past)) = Past::read(name) {
            return scope.as_of(past)?.past_table(schema, name, past);
        }
        if schema == Some("ledger")
            && let Some(table) = scope.ledger.system_table(name)
        {
            scope.check_ledger(name)?;
            return Ok(Arc::new(VirtualTable(table)));
        }
        let catalog_schema = schema.unwrap_or(PG_CATALOG);
        if pg_catalog::exists(catalog_schema, name)
            && let Some(table) = pg_catalog::table(&scope.scene(), catalog_schema, name)?
        {
            scope.check_catalog(name)?;
            return Ok(table);
        }
        match scope.stored(schema, name) {
            Some(table) => {
                let opened = scope.opened(table)?;
                if scope.checked {
                    check_populated(table)?;
                }
                let view = self.transaction.reading(table)?;
                let stored = StoredTable::new(Arc::clone(table), view, opened).linked(scope.links());
                let full = |name: &str| name.strip_prefix(&table.schema).and_then(|rest| rest.strip_prefix('.')) == Some(&table.name);
                let passed = self.passed.iter().find(|(name, _)| full(name)).map(|(_, locks)| locks.clone());
                Ok(with_erased(&scope.ledger, table, stored.passing(passed)))
            }
            None => match self.sequence(schema, name) {
                Some(sequence) => {
                    scope.check_sequence(sequence)?;
                    self.state_of(sequence)
                }
                None if self.is_graph(schema, name) => Err(graphs::not_a_table(name)),
                None => Err(undefined_table(&match schema {
                    Some(schema) => format!("{schema}.{name}"),
                    None => name.to_owned(),
                })),
            },
        }
    }
}
