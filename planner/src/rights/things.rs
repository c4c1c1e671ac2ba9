//! What privileges and owners are about: objects, their kind, and what they are called in messages.
//!
//! Never: finds an object by name.

use base::{SqlError, SqlState};
use engine::roles::{DATABASE, privilege};
use engine::{Catalog, GrantsDef, GraphDef, SchemaDef, SequenceDef, TableDef, ViewDef};

use super::access::Kind;

/// An object that has an owner and privileges.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) kind: Kind,
    pub(crate) id: u32,
    pub(crate) name: String,
    /// Columns by name and id; none for what has no columns.
    pub(crate) columns: Vec<(String, u32)>,
}

impl Thing {
    /// The session's own database.
    pub(crate) fn database(name: &str) -> Self {
        Self { kind: Kind::Database, id: DATABASE, name: name.to_owned(), columns: Vec::new() }
    }

    /// `table t`, as messages have it.
    pub(crate) fn described(&self) -> String {
        format!("{} {}", self.word(), self.name)
    }

    /// `table`, `schema` …
    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            Kind::Table => "table",
            Kind::View => "view",
            Kind::Graph => "property graph",
            Kind::Sequence => "sequence",
            Kind::Schema | Kind::PublicSchema => "schema",
            Kind::Database => "database",
        }
    }

    /// 42501 for a missing privilege.
    pub(crate) fn denied(&self) -> SqlError {
        SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for {}", self.described()))
    }

    /// 42501 for what only the owner may do.
    pub(crate) fn not_owner(&self) -> SqlError {
        SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("must be owner of {}", self.described()))
    }

    /// Its owner and privileges as they are written down, or would be.
    pub(crate) fn grants(&self, catalog: &Catalog, next_id: impl FnOnce() -> u32) -> GrantsDef {
        match catalog.authority().grants_on(self.id) {
            Some(grants) => (**grants).clone(),
            None => GrantsDef {
                id: next_id(),
                object: self.id,
                owner: catalog.authority().owner_of(self.id),
                acl: None,
                columns: Default::default(),
                for_new: None,
                comment: None,
            },
        }
    }
}

/// A table as an object with privileges.
pub(crate) fn of_table(table: &TableDef) -> Thing {
    let columns = table.columns.iter().map(|column| (column.name.clone(), column.id.0)).collect();
    Thing { kind: Kind::Table, id: table.id.0, name: table.name.clone(), columns }
}

/// A view as an object with privileges.
pub(crate) fn of_view(view: &ViewDef) -> Thing {
    Thing { kind: Kind::View, id: view.id, name: view.name.clone(), columns: Vec::new() }
}

/// A property graph as an object with privileges.
pub(crate) fn of_graph(graph: &GraphDef) -> Thing {
    Thing { kind: Kind::Graph, id: graph.id, name: graph.name.clone(), columns: Vec::new() }
}

/// A sequence as an object with privileges.
pub(crate) fn of_sequence(sequence: &SequenceDef) -> Thing {
    Thing { kind: Kind::Sequence, id: sequence.id(), name: sequence.name().to_owned(), columns: Vec::new() }
}

/// A schema as an object with privileges.
pub(crate) fn of_schema(schema: &SchemaDef) -> Thing {
    Thing { kind: Kind::of_schema(schema), id: schema.id, name: schema.name.clone(), columns: Vec::new() }
}

/// Any object by id, as far as it can have an owner.
pub(crate) fn by_id(catalog: &Catalog, database: &str, id: u32) -> Option<Thing> {
    if id == DATABASE {
        return Some(Thing::database(database));
    }
    if let Some(table) = catalog.tables().find(|table| table.id.0 == id) {
        return Some(of_table(table));
    }
    if let Some(view) = catalog.views().find(|view| view.id == id) {
        return Some(of_view(view));
    }
    if let Some(graph) = catalog.graphs().find(|graph| graph.id == id) {
        return Some(of_graph(graph));
    }
    if let Some(sequence) = catalog.sequences().find(|sequence| sequence.id() == id) {
        return Some(of_sequence(sequence));
    }
    catalog.schemas().find(|schema| schema.id == id).map(|schema| of_schema(schema))
}

/// A privilege by its SQL name.
pub(crate) fn privilege_named(name: &str) -> Option<u16> {
    Some(match name {
        "select" => privilege::SELECT,
        "insert" => privilege::INSERT,
        "update" => privilege::UPDATE,
        "delete" => privilege::DELETE,
        "truncate" => privilege::TRUNCATE,
        "references" => privilege::REFERENCES,
        "trigger" => privilege::TRIGGER,
        "execute" => privilege::EXECUTE,
        "usage" => privilege::USAGE,
        "create" => privilege::CREATE,
        "temporary" | "temp" => privilege::TEMPORARY,
        "connect" => privilege::CONNECT,
        _ => return None,
    })
}
