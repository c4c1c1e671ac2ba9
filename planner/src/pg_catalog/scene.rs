//! What the catalog's tables and functions answer from: one catalog through one search path, and who asks.
//!
//! N1: schemas are listed with the three that need no definition; the ledger's own tables are listed like users' tables.
//! Never: takes a snapshot or reads a row.

use std::sync::Arc;

use engine::{Catalog, Ledger, SqlType, TableDef};

use super::oids;
use super::shapes::{self, Shape};

/// One statement's view.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) catalog: Arc<Catalog>,
    /// The schemas of the search path that exist, without the reserved ones.
    pub(crate) path: Vec<String>,
    /// Who asks.
    pub(crate) user: Arc<str>,
}

/// A schema's name and oid.
pub(super) struct Schema<'a> {
    pub(super) name: &'a str,
    pub(super) oid: i64,
}

/// Anything `pg_class` has a row for.
pub(super) enum Relation<'a> {
    Table(&'a Arc<TableDef>),
    /// The primary-key index of a table.
    Index(&'a Arc<TableDef>),
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

    pub(super) fn keyed_tables(&self) -> impl Iterator<Item = &Arc<TableDef>> {
        self.tables().filter(|table| !table.primary_key.is_empty())
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = Relation<'_>> {
        let virtuals = (oids::LEDGER_VIRTUAL..).zip(Ledger::system_tables()).map(|(oid, name)| Relation::Virtual { name, oid });
        let shapes = shapes::all().map(Relation::Shape);
        shapes.chain(virtuals).chain(self.tables().map(Relation::Table)).chain(self.keyed_tables().map(Relation::Index))
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
            Relation::Table(table) => {
                let first = self.path.iter().find(|schema| self.catalog.table(schema, &table.name).is_some());
                first == Some(&table.schema) && !super::claims(&table.name)
            }
            Relation::Index(table) => {
                let first = self.path.iter().find(|schema| {
                    self.keyed_tables().any(|other| other.schema == **schema && other.key_constraint() == table.key_constraint())
                });
                first == Some(&table.schema)
            }
        }
    }
}

impl Relation<'_> {
    pub(super) fn oid(&self) -> i64 {
        match self {
            Self::Table(table) => oids::table(table),
            Self::Index(table) => oids::index(table),
            Self::Shape(shape) => shape.oid,
            Self::Virtual { oid, .. } => *oid,
        }
    }

    pub(super) fn schema(&self) -> &str {
        match self {
            Self::Table(table) | Self::Index(table) => &table.schema,
            Self::Shape(shape) => shape.schema,
            Self::Virtual { .. } => engine::LEDGER_SCHEMA,
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Table(table) => table.name.clone(),
            Self::Index(table) => table.key_constraint(),
            Self::Shape(shape) => shape.name.to_owned(),
            Self::Virtual { name, .. } => (*name).to_owned(),
        }
    }

    /// The id under which it has an owner: an index is its table's.
    pub(super) fn owned_as(&self) -> u32 {
        match self {
            Self::Table(table) | Self::Index(table) => table.id.0,
            Self::Shape(_) | Self::Virtual { .. } => u32::MAX,
        }
    }

    /// `relkind`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "r",
            Self::Index(_) => "i",
            Self::Shape(shape) => shape.kind,
            Self::Virtual { .. } => "v",
        }
    }
}
