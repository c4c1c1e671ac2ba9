//! The catalog of one ledger at one commit: its schemas, tables, sequences, views, property graphs and legal holds, folded from the rows of `ledger.catalog`.
//!
//! C1: a catalog is immutable; a change makes a new one.
//! C2: object ids are never reused; names of relations (tables, indexes, sequences, views, graphs) are unique within their schema at any one commit.
//! C3: the schema root covers every object, the ledger's own tables included.
//! Never: writes; the rows it is folded from are committed like any others.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use base::{ColumnId, RelationId, RowId, SqlError, SqlResult, SqlState};
use receipts::Hash;

use crate::hold::{HoldDef, hold_exists};
use crate::property_graph::GraphDef;
use crate::relations::{SequenceDef, ViewDef};
use crate::roles::{Authority, GrantsDef, RoleDef};
use crate::rules::{Reads, Reference, put, text};
use crate::schema::{ColumnDef, TableDef};
use crate::session_settings::SettingsDef;
use crate::types::SqlType;

/// Relation of the rows that the catalog is folded from.
pub const CATALOG: RelationId = RelationId(1);
/// Relation of the rows that record sealed segments.
pub const SEGMENTS: RelationId = RelationId(2);
/// First id given to a user's object; Postgres's own first, so that tools which compare with 16384 are right.
pub const FIRST_USER_ID: u32 = 16_384;
/// Whether a relation is written by the ledger itself.
pub(crate) fn is_own_table(id: RelationId) -> bool {
    id.0 < FIRST_USER_ID
}

/// Name of the schema that holds the ledger's own tables.
pub const LEDGER_SCHEMA: &str = "ledger";

fn system_table(id: RelationId, name: &str, columns: &[(&str, SqlType)], key: usize) -> Arc<TableDef> {
    let columns: Vec<ColumnDef> = columns
        .iter()
        .enumerate()
        .map(|(i, (name, sql_type))| ColumnDef {
            id: ColumnId(i as u32 + 1),
            name: (*name).to_owned(),
            sql_type: *sql_type,
            not_null: true,
        })
        .collect();
    let key = (0..key).map(|i| columns[i].id).collect();
    let table = TableDef::new(id, LEDGER_SCHEMA, name, columns, key);
    Arc::new(table.expect("the ledger's own tables are well formed"))
}

/// `ledger.catalog`: one row per version of an object's definition.
pub static CATALOG_TABLE: LazyLock<Arc<TableDef>> = LazyLock::new(|| {
    let columns = [("object_id", SqlType::Int8), ("kind", SqlType::Text), ("name", SqlType::Text), ("definition", SqlType::Text)];
    system_table(CATALOG, "catalog", &columns, 1)
});

/// `ledger.segments`: one row per sealed file.
pub static SEGMENTS_TABLE: LazyLock<Arc<TableDef>> = LazyLock::new(|| {
    let columns = [
        ("file", SqlType::Text),
        ("relation_id", SqlType::Int8),
        ("schema_version", SqlType::Int8),
        ("first_row_id", SqlType::Int8),
        ("rows", SqlType::Int8),
        ("first_commit", SqlType::Int8),
        ("last_commit", SqlType::Int8),
        ("bytes", SqlType::Int8),
        ("blake3", SqlType::Text),
    ];
    system_table(SEGMENTS, "segments", &columns, 1)
});

/// A namespace for tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaDef {
    /// Never reused; also the schema's oid.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// COMMENT ON SCHEMA.
    pub comment: Option<String>,
}

impl SchemaDef {
    /// The canonical definition text.
    pub fn definition(&self) -> String {
        let mut out = format!("{{\"kind\":\"schema\",\"id\":{},\"name\":{}", self.id, serde_json::json!(self.name));
        put(&mut out, "comment", self.comment.as_ref().map(|text| serde_json::json!(text)));
        out.push('}');
        out
    }
}

/// Something with a row in `ledger.catalog`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Object {
    /// `CREATE SCHEMA`
    Schema(Arc<SchemaDef>),
    /// `CREATE TABLE`
    Table(Arc<TableDef>),
    /// `CREATE ROLE`
    Role(Arc<RoleDef>),
    /// Owner and privileges of another object.
    Grants(Arc<GrantsDef>),
    /// `CREATE SEQUENCE`, or a serial or identity column
    Sequence(Arc<SequenceDef>),
    /// `CREATE VIEW`
    View(Arc<ViewDef>),
    /// `CREATE PROPERTY GRAPH`
    Graph(Arc<GraphDef>),
    /// `CREATE LEGAL HOLD`
    Hold(Arc<HoldDef>),
    /// `ALTER ROLE … SET`, `ALTER DATABASE … SET`
    Settings(Arc<SettingsDef>),
}

impl Object {
    /// The object's id.
    pub fn id(&self) -> u32 {
        match self {
            Self::Schema(schema) => schema.id,
            Self::Table(table) => table.id.0,
            Self::Role(role) => role.id,
            Self::Grants(grants) => grants.id,
            Self::Sequence(sequence) => sequence.id(),
            Self::View(view) => view.id,
            Self::Graph(graph) => graph.id,
            Self::Hold(hold) => hold.id,
            Self::Settings(settings) => settings.id,
        }
    }

    /// `schema`, `table`, `materialized view`, `sequence`, `view`, `property graph`, `role`, `grants`, `hold` or `settings`, as in the `kind` column.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Schema(_) => "schema",
            Self::Table(table) if table.rules.materialized.is_some() => "materialized view",
            Self::Table(_) => "table",
            Self::Role(_) => "role",
            Self::Grants(_) => "grants",
            Self::Sequence(_) => "sequence",
            Self::View(_) => "view",
            Self::Graph(_) => "property graph",
            Self::Hold(_) => "hold",
            Self::Settings(_) => "settings",
        }
    }

    /// Its bare name; grants and settings have none.
    pub fn name(&self) -> &str {
        match self {
            Self::Schema(schema) => &schema.name,
            Self::Table(table) => &table.name,
            Self::Role(role) => &role.name,
            Self::Grants(_) | Self::Settings(_) => "",
            Self::Sequence(sequence) => sequence.name(),
            Self::View(view) => &view.name,
            Self::Graph(graph) => &graph.name,
            Self::Hold(hold) => &hold.name,
        }
    }

    /// The schema of a relation; `None` for a schema.
    pub fn schema(&self) -> Option<&str> {
        match self {
            Self::Schema(_) | Self::Role(_) | Self::Grants(_) | Self::Hold(_) | Self::Settings(_) => None,
            Self::Table(table) => Some(&table.schema),
            Self::Sequence(sequence) => Some(sequence.schema()),
            Self::View(view) => Some(&view.schema),
            Self::Graph(graph) => Some(&graph.schema),
        }
    }

    /// The layout of the rows that the ledger keeps of it, if it keeps any.
    pub fn rows(&self) -> Option<&Arc<TableDef>> {
        match self {
            Self::Table(table) => Some(table),
            Self::Sequence(sequence) => Some(&sequence.state),
            Self::Schema(_) | Self::View(_) | Self::Graph(_) | Self::Role(_) | Self::Grants(_) | Self::Hold(_) | Self::Settings(_) => None,
        }
    }

    /// The greatest id that it uses, its own or one of its parts.
    pub fn greatest_id(&self) -> u32 {
        match self {
            Self::Table(table) => table.rules.ids().fold(table.id.0, u32::max),
            other => other.id(),
        }
    }

    /// Its canonical definition text.
    pub fn definition(&self) -> String {
        match self {
            Self::Schema(schema) => schema.definition(),
            Self::Table(table) => table.definition(),
            Self::Role(role) => role.definition(),
            Self::Grants(grants) => grants.definition(),
            Self::Sequence(sequence) => sequence.definition(),
            Self::View(view) => view.definition(),
            Self::Graph(graph) => graph.definition(),
            Self::Hold(hold) => hold.definition(),
            Self::Settings(settings) => settings.definition(),
        }
    }

    /// Reads a catalog row back. Errors: XX001 for a row this version cannot have written.
    pub fn from_row(kind: &str, definition: &str) -> SqlResult<Self> {
        let corrupted = || SqlError::new(SqlState::DATA_CORRUPTED, format!("catalog row of kind \"{kind}\" is unreadable"));
        match kind {
            "table" | "materialized view" => Ok(Self::Table(Arc::new(TableDef::from_definition(definition)?))),
            "role" => Ok(Self::Role(Arc::new(RoleDef::from_definition(definition)?))),
            "grants" => Ok(Self::Grants(Arc::new(GrantsDef::from_definition(definition)?))),
            "sequence" => Ok(Self::Sequence(Arc::new(SequenceDef::from_definition(definition)?))),
            "view" => Ok(Self::View(Arc::new(ViewDef::from_definition(definition)?))),
            "settings" => Ok(Self::Settings(Arc::new(SettingsDef::from_definition(definition)?))),
            "hold" => Ok(Self::Hold(Arc::new(HoldDef::from_definition(definition)?))),
            "property graph" => Ok(Self::Graph(Arc::new(GraphDef::from_definition(definition)?))),
            "schema" => {
                let value: serde_json::Value = serde_json::from_str(definition).map_err(|_| corrupted())?;
                let id = value["id"].as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(corrupted)?;
                let name = value["name"].as_str().ok_or_else(corrupted)?.to_owned();
                let comment = text(&value, "comment").ok_or_else(corrupted)?;
                Ok(Self::Schema(Arc::new(SchemaDef { id, name, comment })))
            }
            _ => Err(corrupted()),
        }
    }
}

/// A relation that holds a query: a view, or a materialized one.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Its id.
    pub id: u32,
    /// `view` or `materialized view`.
    pub kind: &'static str,
    /// Its bare name.
    pub name: &'a str,
    /// What it reads.
    pub reads: &'a Reads,
}

impl Reader<'_> {
    /// Whether its query reads a relation, and of a table this column where one is asked for.
    pub fn reads(&self, relation: u32, column: Option<ColumnId>) -> bool {
        let has = |columns: &Option<Vec<ColumnId>>| match (columns, column) {
            (Some(columns), Some(column)) => columns.contains(&column),
            _ => true,
        };
        self.reads.iter().any(|(read, columns)| *read == relation && has(columns))
    }
}

/// An object and the row of `ledger.catalog` that last defined it.
#[derive(Clone, Debug)]
struct Entry {
    object: Object,
    row: RowId,
    leaf: Arc<[u8]>,
}

/// All objects of a ledger as of one commit (C1).
#[derive(Clone, Debug)]
pub struct Catalog {
    entries: BTreeMap<u32, Entry>,
    root: Hash,
    authority: Authority,
    /// By table referenced: who references it. Follows from the entries.
    referencing: BTreeMap<RelationId, Vec<(RelationId, u32)>>,
    /// Whether there is a property graph. Follows from the entries.
    has_graphs: bool,
}

impl Default for Catalog {
    /// The catalog before the first commit: the ledger's own tables only.
    fn default() -> Self {
        let (root, authority) = (Hash::default(), Authority::default());
        let mut catalog = Self { entries: BTreeMap::new(), root, authority, referencing: BTreeMap::new(), has_graphs: false };
        for table in [&*CATALOG_TABLE, &*SEGMENTS_TABLE] {
            catalog.insert(Object::Table(Arc::clone(table)), RowId(u64::MAX));
        }
        catalog.seal_root();
        catalog
    }
}

/// One row of `ledger.catalog`, as the fold takes it.
#[derive(Clone, Debug)]
pub struct CatalogRow {
    /// Its id.
    pub row: RowId,
    /// The row whose definition it ends, if any.
    pub supersedes: Option<RowId>,
    /// The object defined; `None` for a drop.
    pub object: Option<Object>,
}

impl Catalog {
    /// The catalog that these rows, in order, amount to.
    pub fn fold(rows: impl IntoIterator<Item = CatalogRow>) -> Self {
        let mut catalog = Self::default();
        for row in rows {
            if let Some(ended) = row.supersedes {
                catalog.entries.retain(|_, entry| entry.row != ended);
            }
            if let Some(object) = row.object {
                catalog.insert(object, row.row);
            }
        }
        catalog.seal_root();
        catalog
    }

    /// This catalog with the roles and grants of another.
    pub(crate) fn with_rights_of(mut self, other: &Self) -> Self {
        let is_right = |entry: &Entry| matches!(entry.object, Object::Role(_) | Object::Grants(_));
        self.entries.retain(|_, entry| !is_right(entry));
        self.entries.extend(other.entries.iter().filter(|(_, entry)| is_right(entry)).map(|(id, entry)| (*id, entry.clone())));
        self.seal_root();
        self
    }

    fn insert(&mut self, object: Object, row: RowId) {
        let leaf = object.definition().into_bytes().into();
        self.entries.insert(object.id(), Entry { object, row, leaf });
    }

    fn seal_root(&mut self) {
        let mut referencing: BTreeMap<RelationId, Vec<(RelationId, u32)>> = BTreeMap::new();
        for table in self.tables() {
            for reference in &table.rules.references {
                referencing.entry(reference.table).or_default().push((table.id, reference.id));
            }
        }
        self.referencing = referencing;
        let has_graphs = self.graphs().next().is_some();
        self.has_graphs = has_graphs;
        self.root = receipts::schema::schema_root(&self.leaves()).expect("C2: entries are sorted by id, each once");
        let mut authority = Authority::default();
        for entry in self.entries.values() {
            match &entry.object {
                Object::Role(role) => authority.add_role(role),
                Object::Grants(grants) => authority.add_grants(grants),
                Object::Schema(_)
                | Object::Table(_)
                | Object::Sequence(_)
                | Object::View(_)
                | Object::Graph(_)
                | Object::Hold(_)
                | Object::Settings(_) => {}
            }
        }
        self.authority = authority;
    }

    /// The Merkle root over every object's definition (C3).
    pub fn schema_root(&self) -> Hash {
        self.root
    }

    /// Every object's id and definition bytes, in id order: the leaves under the schema root.
    pub fn leaves(&self) -> Vec<(u32, &[u8])> {
        self.entries.iter().map(|(id, entry)| (*id, &*entry.leaf)).collect()
    }

    /// Every object's id, the row of `ledger.catalog` that defined it (2^64 − 1 for what is there before the first commit) and its definition
    /// bytes, in id order.
    pub fn defined(&self) -> impl Iterator<Item = (u32, RowId, &[u8])> {
        self.entries.iter().map(|(id, entry)| (*id, entry.row, &*entry.leaf))
    }

    /// This catalog with objects defined (added or redefined) and dropped. `row` of a definition is its place in `ledger.catalog`.
    ///
    /// Errors: 42P06 or 42P07 for a name already taken (C2).
    pub fn with_changes(&self, defined: &[(Object, RowId)], dropped: &[u32]) -> SqlResult<Self> {
        let mut next = self.clone();
        for id in dropped.iter().copied().chain(defined.iter().map(|(object, _)| object.id())) {
            next.entries.remove(&id);
        }
        for (object, row) in defined {
            next.check_name_free(object)?;
            next.insert(object.clone(), *row);
        }
        next.seal_root();
        Ok(next)
    }

    fn check_name_free(&self, object: &Object) -> SqlResult<()> {
        match object {
            Object::Schema(schema) => match self.schema(&schema.name) {
                Some(other) if other.id != schema.id => Err(schema_exists(&schema.name)),
                _ => Ok(()),
            },
            Object::Role(role) => {
                let built_in = RoleDef::built_in();
                let defined = self.entries.values().filter_map(|entry| match &entry.object {
                    Object::Role(role) => Some(&**role),
                    _ => None,
                });
                match built_in.iter().chain(defined).find(|other| other.name == role.name && other.id != role.id) {
                    Some(_) => Err(role_exists(&role.name)),
                    None => Ok(()),
                }
            }
            Object::Grants(grants) => {
                let rivals = |entry: &Entry| matches!(&entry.object, Object::Grants(other) if other.object == grants.object && other.id != grants.id);
                // Two sessions granted on an object that had no grants yet.
                if self.entries.values().any(rivals) { Err(granted_meanwhile()) } else { Ok(()) }
            }
            Object::Settings(settings) => {
                let rivals = |other: &&Arc<SettingsDef>| other.role == settings.role && other.of_database == settings.of_database;
                // Two sessions made the first of a role at once.
                if self.settings().filter(rivals).any(|other| other.id != settings.id) { Err(granted_meanwhile()) } else { Ok(()) }
            }
            Object::Hold(hold) => match self.hold(&hold.name) {
                Some(other) if other.id != hold.id => Err(hold_exists(&hold.name)),
                _ => Ok(()),
            },
            Object::Table(_) | Object::Sequence(_) | Object::View(_) | Object::Graph(_) => self.check_relation_free(object),
        }
    }

    /// The name of a relation, and those of its indexes.
    fn check_relation_free(&self, object: &Object) -> SqlResult<()> {
        let Some(schema) = object.schema() else { return Ok(()) };
        let indexes = match object {
            Object::Table(table) => table.keys().iter().filter(|key| is_index(table, key.id)).map(|key| key.name.as_str()).collect(),
            _ => Vec::new(),
        };
        for name in std::iter::once(object.name()).chain(indexes) {
            if self.relation_owner(schema, name).is_some_and(|owner| owner != object.id()) {
                return Err(relation_exists(name));
            }
        }
        Ok(())
    }

    /// The object that a name of a relation belongs to, an index's name to its table.
    pub fn relation_owner(&self, schema: &str, name: &str) -> Option<u32> {
        let owns = |object: &Object| {
            object.schema() == Some(schema)
                && (object.name() == name
                    || matches!(object, Object::Table(table)
                        if table.keys().iter().any(|key| key.name == name && is_index(table, key.id))))
        };
        self.objects().find(|object| owns(object)).map(Object::id)
    }

    /// Its roles, and who may do what.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The schema of that name.
    pub fn schema(&self, name: &str) -> Option<&Arc<SchemaDef>> {
        self.schemas().find(|schema| schema.name == name)
    }

    /// The table of that name in that schema; the ledger's own stored tables are in schema `ledger`.
    pub fn table(&self, schema: &str, name: &str) -> Option<&Arc<TableDef>> {
        self.tables().find(|table| table.name == name && table.schema == schema)
    }

    /// The table with that id, or the layout of the state of the sequence with that id.
    pub fn table_by_id(&self, id: RelationId) -> Option<&Arc<TableDef>> {
        self.object(id.0)?.rows()
    }

    /// The object with that id.
    pub fn object(&self, id: u32) -> Option<&Object> {
        self.entries.get(&id).map(|entry| &entry.object)
    }

    /// All objects, by id.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.entries.values().map(|entry| &entry.object)
    }

    /// The definition text of an object, as it stands under the schema root.
    pub fn definition(&self, id: u32) -> Option<&[u8]> {
        self.entries.get(&id).map(|entry| &*entry.leaf)
    }

    /// The sequence of that name in that schema.
    pub fn sequence(&self, schema: &str, name: &str) -> Option<&Arc<SequenceDef>> {
        self.sequences().find(|sequence| sequence.name() == name && sequence.schema() == schema)
    }

    /// The view of that name in that schema.
    pub fn view(&self, schema: &str, name: &str) -> Option<&Arc<ViewDef>> {
        self.views().find(|view| view.name == name && view.schema == schema)
    }

    /// The property graph of that name in that schema.
    pub fn graph(&self, schema: &str, name: &str) -> Option<&Arc<GraphDef>> {
        self.graphs().find(|graph| graph.name == name && graph.schema == schema)
    }

    /// The legal hold of that name.
    pub fn hold(&self, name: &str) -> Option<&Arc<HoldDef>> {
        self.objects().find_map(|object| match object {
            Object::Hold(hold) if hold.name == name => Some(hold),
            _ => None,
        })
    }

    /// What sessions begin with, by id.
    pub fn settings(&self) -> impl Iterator<Item = &Arc<SettingsDef>> {
        self.objects().filter_map(|object| match object {
            Object::Settings(settings) => Some(settings),
            _ => None,
        })
    }

    /// Tables with a foreign key to this one, and the keys.
    pub fn references_to(&self, id: RelationId) -> impl Iterator<Item = (&Arc<TableDef>, &Reference)> {
        let found = self.referencing.get(&id).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|(table, reference)| {
            let table = self.table_by_id(*table)?;
            Some((table, table.rules.references.iter().find(|other| other.id == *reference)?))
        })
    }

    /// Whether a table has a foreign key to this one.
    pub fn is_referenced(&self, id: RelationId) -> bool {
        self.referencing.contains_key(&id)
    }

    /// Row of `ledger.catalog` that defines this object.
    pub fn definition_row(&self, id: u32) -> Option<RowId> {
        self.entries.get(&id).map(|entry| entry.row)
    }

    /// All schemas, by id.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<SchemaDef>> {
        self.entries.values().filter_map(|entry| match &entry.object {
            Object::Schema(schema) => Some(schema),
            _ => None,
        })
    }

    /// All tables, by id, the ledger's own included.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableDef>> {
        self.entries.values().filter_map(|entry| match &entry.object {
            Object::Table(table) => Some(table),
            _ => None,
        })
    }

    /// All sequences, by id.
    pub fn sequences(&self) -> impl Iterator<Item = &Arc<SequenceDef>> {
        self.objects().filter_map(|object| match object {
            Object::Sequence(sequence) => Some(sequence),
            _ => None,
        })
    }

    /// All views, by id.
    pub fn views(&self) -> impl Iterator<Item = &Arc<ViewDef>> {
        self.objects().filter_map(|object| match object {
            Object::View(view) => Some(view),
            _ => None,
        })
    }

    /// All relations that hold a query, by id.
    pub fn readers(&self) -> impl Iterator<Item = Reader<'_>> {
        self.objects().filter_map(|object| {
            let reads = match object {
                Object::View(view) => &view.reads,
                Object::Table(table) => &table.rules.materialized.as_ref()?.reads,
                _ => return None,
            };
            Some(Reader { id: object.id(), kind: object.kind(), name: object.name(), reads })
        })
    }

    /// Whether there is a property graph.
    pub fn has_graphs(&self) -> bool {
        self.has_graphs
    }

    /// All property graphs, by id.
    pub fn graphs(&self) -> impl Iterator<Item = &Arc<GraphDef>> {
        self.objects().filter_map(|object| match object {
            Object::Graph(graph) => Some(graph),
            _ => None,
        })
    }
}

/// Whether a key is an index, with a name among the relations: references are none.
fn is_index(table: &TableDef, key: u32) -> bool {
    table.rules.references.iter().all(|reference| reference.id != key)
}

/// The error for a relation's name already taken.
pub fn relation_exists(name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists"))
}

fn granted_meanwhile() -> SqlError {
    SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")
        .hint("The transaction might succeed if retried.")
}

/// The error for a role name already taken.
pub fn role_exists(name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_OBJECT, format!("role \"{name}\" already exists"))
}

/// The error for a schema name already taken.
pub fn schema_exists(name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_SCHEMA, format!("schema \"{name}\" already exists"))
}
