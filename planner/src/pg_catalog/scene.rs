//! What the catalog's tables and functions answer from: one catalog through one search path, and who asks.
//!
//! N1: schemas are listed with the three that need no definition; the ledger's own tables are listed like users' tables.
//! Never: takes a snapshot or reads a row.

use std::sync::{Arc, Weak};

use base::SqlResult;
use engine::{Catalog, GraphDef, KeyDef, Ledger, SequenceDef, SqlType, TableDef, ViewDef};

use super::oids;
use super::shapes::{self, Shape};
use crate::backends::{Backend, Backends};
use crate::databases::Databases;
use crate::settings::Settings;

/// One statement's view.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) ledger: Arc<Ledger>,
    /// The server's databases.
    pub(crate) cluster: Weak<Databases>,
    pub(crate) catalog: Arc<Catalog>,
    /// The schemas of the search path that exist, without the reserved ones.
    pub(crate) path: Vec<String>,
    /// Who asks.
    pub(crate) user: Arc<str>,
    pub(crate) settings: Settings,
    /// The sessions of the database.
    pub(crate) backends: Arc<Backends>,
    /// The one that asks.
    pub(crate) backend: Arc<Backend>,
}

/// A schema's name and oid.
pub(super) struct Schema<'a> {
    pub(super) name: &'a str,
    pub(super) oid: i64,
}

/// Anything `pg_class` has a row for.
pub(super) enum Relation<'a> {
    Table(&'a Arc<TableDef>),
    /// The index of a table's primary key or one of its others.
    Index(&'a Arc<TableDef>, &'a KeyDef),
    Sequence(&'a Arc<SequenceDef>),
    View(&'a Arc<ViewDef>),
    Graph(&'a Arc<GraphDef>),
    /// A table of pg_catalog or information_schema.
    Shape(&'static Shape),
    /// A virtual table of the ledger.
    Virtual {
        name: &'static str,
        oid: i64,
    },
}

impl Scene {
    pub(super) fn database(&self) -> &str {
        self.ledger.name()
    }

    pub(super) fn schemas(&self) -> impl Iterator<Item = Schema<'_>> {
        let fixed = [
            Schema { name: "pg_catalog", oid: oids::PG_CATALOG },
            Schema { name: "information_schema", oid: oids::INFORMATION_SCHEMA },
            Schema { name: engine::LEDGER_SCHEMA, oid: oids::LEDGER },
        ];
        fixed.into_iter().chain(self.catalog.schemas().map(|schema| Schema { name: &schema.name, oid: i64::from(schema.id) }))
    }

    /// 0 for a schema that is not there.
    pub(super) fn schema_oid(&self, name: &str) -> i64 {
        self.schemas().find(|schema| schema.name == name).map_or(0, |schema| schema.oid)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<TableDef>> {
        self.catalog.tables()
    }

    /// Every index: of primary keys, unique constraints, and those made by CREATE INDEX.
    pub(super) fn indexes(&self) -> impl Iterator<Item = (&Arc<TableDef>, &KeyDef)> {
        self.tables().flat_map(|table| {
            let is_index = |key: &&KeyDef| table.rules.references.iter().all(|reference| reference.id != key.id);
            table.keys().iter().filter(is_index).map(move |key| (table, key))
        })
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = Relation<'_>> {
        let virtuals = (oids::LEDGER_VIRTUAL..).zip(Ledger::system_tables()).map(|(oid, name)| Relation::Virtual { name, oid });
        let shapes = shapes::all().map(Relation::Shape);
        let made = self.catalog.sequences().map(Relation::Sequence).chain(self.catalog.views().map(Relation::View));
        let made = made.chain(self.catalog.graphs().map(Relation::Graph));
        let indexes = self.indexes().map(|(table, key)| Relation::Index(table, key));
        shapes.chain(virtuals).chain(self.tables().map(Relation::Table)).chain(made).chain(indexes)
    }

    /// The oid that a text means as `regclass`. Errors: 42P01, 42602.
    pub(crate) fn relation_named(&self, text: &str) -> SqlResult<i64> {
        super::names::read(self, "regclass", text)
    }

    pub(super) fn relation(&self, oid: i64) -> Option<Relation<'_>> {
        self.relations().find(|relation| relation.oid() == oid)
    }

    /// Columns and types of a virtual table of the ledger.
    pub(super) fn virtual_columns(&self, name: &str) -> Vec<(String, SqlType)> {
        let Some(table) = self.ledger.system_table(name) else { return Vec::new() };
        let schema = table.schema();
        let column = |field: &Arc<arrow::datatypes::Field>| Some((field.name().clone(), SqlType::from_arrow(field.data_type())?));
        schema.fields().iter().filter_map(column).collect()
    }

    /// Whether the name alone, without the schema, finds it.
    pub(super) fn is_visible(&self, relation: &Relation<'_>) -> bool {
        match relation {
            Relation::Shape(shape) => shape.schema == super::PG_CATALOG,
            Relation::Virtual { .. } => false,
            _ => {
                let name = relation.name();
                let first = self.path.iter().find(|schema| self.catalog.relation_owner(schema, &name).is_some());
                first.is_some_and(|first| first == relation.schema()) && !super::claims(&name)
            }
        }
    }
}

impl Relation<'_> {
    pub(super) fn oid(&self) -> i64 {
        match self {
            Self::Table(table) => oids::table(table),
            Self::Index(table, key) => oids::index(table, key),
            Self::Sequence(sequence) => i64::from(sequence.id()),
            Self::View(view) => i64::from(view.id),
            Self::Graph(graph) => i64::from(graph.id),
            Self::Shape(shape) => shape.oid,
            Self::Virtual { oid, .. } => *oid,
        }
    }

    pub(super) fn schema(&self) -> &str {
        match self {
            Self::Table(table) | Self::Index(table, _) => &table.schema,
            Self::Sequence(sequence) => sequence.schema(),
            Self::View(view) => &view.schema,
            Self::Graph(graph) => &graph.schema,
            Self::Shape(shape) => shape.schema,
            Self::Virtual { .. } => engine::LEDGER_SCHEMA,
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Table(table) => table.name.clone(),
            Self::Index(_, key) => key.name.clone(),
            Self::Sequence(sequence) => sequence.name().to_owned(),
            Self::View(view) => view.name.clone(),
            Self::Graph(graph) => graph.name.clone(),
            Self::Shape(shape) => shape.name.to_owned(),
            Self::Virtual { name, .. } => (*name).to_owned(),
        }
    }

    /// The id under which it has an owner: an index is its table's.
    pub(super) fn owned_as(&self) -> u32 {
        match self {
            Self::Table(table) | Self::Index(table, _) => table.id.0,
            Self::Sequence(sequence) => sequence.id(),
            Self::View(view) => view.id,
            Self::Graph(graph) => graph.id,
            Self::Shape(_) | Self::Virtual { .. } => u32::MAX,
        }
    }

    /// `relkind`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Table(table) if table.rules.materialized.is_some() => "m",
            Self::Table(_) => "r",
            Self::Index(..) => "i",
            Self::Sequence(_) => "S",
            Self::Shape(shape) => shape.kind,
            Self::View(_) | Self::Virtual { .. } => "v",
            Self::Graph(_) => "g",
        }
    }
}
