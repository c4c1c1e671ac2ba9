//! `pg_namespace`, `pg_class`, `pg_attribute`, `pg_tables`.
//!
//! Never: says how many rows or pages there are: `reltuples` is −1, which is Postgres's «not known».

use engine::{Identity, TableDef};

use super::cells::{Row, row, texts_array};
use super::index_names::names_in;
use super::oids;
use super::scene::{Relation, Scene};
use super::types;

pub(super) fn namespaces(scene: &Scene) -> Vec<Row> {
    scene
        .schemas()
        .map(|schema| {
            let id = u32::try_from(schema.oid).unwrap_or_default();
            // A dump takes no list for one that gives PUBLIC nothing, which is not so of this schema.
            let acl = scene.acl(id).or_else(|| (schema.name == "public").then(|| scene.acl_of_public_schema(id)));
            row!["oid": schema.oid, "nspname": schema.name, "nspowner": i64::from(scene.owner(id)), "nspacl": acl]
        })
        .collect()
}

pub(super) fn classes(scene: &Scene) -> Vec<Row> {
    scene.relations().map(|relation| class(scene, &relation)).collect()
}

fn has_index(relation: &Relation<'_>) -> bool {
    matches!(relation, Relation::Table(table) if table.keys().len() > table.rules.references.len())
}

/// Postgres keeps foreign keys by triggers on both tables; tools look for keys only where there are some.
fn has_references(scene: &Scene, relation: &Relation<'_>) -> bool {
    matches!(relation, Relation::Table(table) if !table.rules.references.is_empty() || scene.catalog.is_referenced(table.id))
}

fn class(scene: &Scene, relation: &Relation<'_>) -> Row {
    let columns = match relation {
        Relation::Table(table) => table.columns.len(),
        Relation::Index(table, key) => key.positions.len() + included(table, key).count(),
        Relation::Sequence(sequence) => sequence.state.columns.len(),
        Relation::View(view) => view.columns.len(),
        Relation::Graph(_) => 0,
        Relation::Shape(shape) => shape.columns.len(),
        Relation::Virtual { name, .. } => scene.virtual_columns(name).len(),
    };
    let access_method = match relation.kind() {
        "r" | "m" => oids::HEAP,
        "i" => oids::BTREE,
        _ => 0,
    };
    row![
        "oid": relation.oid(),
        "relname": relation.name(),
        "relnamespace": scene.schema_oid(relation.schema()),
        "relowner": i64::from(scene.owner(relation.owned_as())),
        "relacl": match &relation {
            Relation::Table(table) => scene.acl(table.id.0),
            Relation::View(view) => scene.acl(view.id),
            Relation::Graph(graph) => scene.acl(graph.id),
            Relation::Sequence(sequence) => scene.acl(sequence.id()),
            _ => None,
        },
        "reloptions": match &relation {
            Relation::View(view) => view_options(view),
            Relation::Table(table) => table_options(table),
            _ => None,
        },
        "relam": access_method,
        "relfilenode": if matches!(relation.kind(), "v" | "g") { 0 } else { relation.oid() },
        "reltuples": -1,
        "relhasindex": has_index(relation),
        "relpersistence": if relation.schema() == engine::TEMPORARY_SCHEMA { "t" } else { "p" },
        "relkind": relation.kind(),
        "relnatts": columns as i64,
        "relchecks": match relation { Relation::Table(table) => table.rules.checks.len() as i64, _ => 0 },
        "relhasrules": matches!(relation, Relation::View(_)) || relation.kind() == "m",
        "relhastriggers": has_references(scene, relation),
        "relispopulated": !matches!(relation, Relation::Table(table) if table.rules.materialized.as_ref().is_some_and(|kept| !kept.populated)),
        "relreplident": if matches!(relation.kind(), "r" | "m") { "d" } else { "n" },
    ]
}

/// What `reloptions` says of a view; `None` where it has none.
fn view_options(view: &engine::ViewDef) -> Option<String> {
    let invoker = view.security_invoker.then(|| "security_invoker=true".to_owned());
    let check = view.check_option.map(|option| format!("check_option={}", option.name()));
    let options: Vec<String> = invoker.into_iter().chain(check).collect();
    (!options.is_empty()).then(|| texts_array(&options))
}

pub(super) fn attributes(scene: &Scene) -> Vec<Row> {
    scene.relations().flat_map(|relation| attributes_of(scene, &relation)).collect()
}

/// What `pg_attribute` has of one column.
struct Attribute<'a> {
    name: &'a str,
    number: i64,
    type_oid: i64,
    typmod: i64,
    not_null: bool,
    has_default: bool,
    /// As in `attidentity`.
    identity: &'static str,
    /// As in `attgenerated`.
    generated: &'static str,
}

fn attributes_of(scene: &Scene, relation: &Relation<'_>) -> Vec<Row> {
    let oid = relation.oid();
    match relation {
        Relation::Table(table) => {
            let row = |column: &engine::ColumnDef| {
                let rules = table.rules.column(column.id);
                let identity = match rules.and_then(|rules| rules.identity) {
                    None => "",
                    Some(Identity::Always) => "a",
                    Some(Identity::ByDefault) => "d",
                };
                let has_default = identity.is_empty() && rules.is_some_and(|rules| rules.default.is_some());
                let (number, not_null) = (i64::from(column.id.0), column.not_null);
                let generated = if rules.is_some_and(|rules| rules.generated) { "s" } else { "" };
                let mut shown = Attribute { number, not_null, has_default, identity, generated, ..of_column(column) };
                if let Some(digits) = rules.and_then(|rules| rules.precision).map(i64::from) {
                    shown.typmod = if column.sql_type == engine::SqlType::Interval { 0x7fff << 16 | digits } else { digits };
                }
                let mut row = attribute(oid, &shown);
                row.extend(row!["attacl": scene.column_acl(table.id.0, column.id.0)]);
                row
            };
            table.columns.iter().map(row).collect()
        }
        Relation::Sequence(sequence) => {
            let row = |column: &engine::ColumnDef| {
                attribute(oid, &Attribute { number: i64::from(column.id.0), not_null: true, ..of_column(column) })
            };
            sequence.state.columns.iter().map(row).collect()
        }
        Relation::Graph(_) => Vec::new(),
        Relation::View(view) => {
            let row = |(column, number): (&engine::ViewColumn, i64)| {
                let (type_oid, typmod) = (i64::from(column.sql_type.oid()), i64::from(column.sql_type.typmod()));
                let has_default = column.default.is_some();
                attribute(oid, &Attribute { number, type_oid, typmod, has_default, ..named(&column.name) })
            };
            view.columns.iter().zip(1..).map(row).collect()
        }
        Relation::Index(table, key) => {
            let names = match table.rules.indexes.iter().find(|index| index.id == key.id) {
                Some(index) => names_in(index, &table.columns),
                None => key.positions.iter().map(|at| table.columns[*at].name.clone()).collect(),
            };
            let kinds = key.positions.iter().map(|at| table.type_at(*at)).chain(included(table, key).map(|column| column.sql_type));
            let row = |((name, sql_type), number): ((&String, engine::SqlType), i64)| {
                let (type_oid, typmod) = (i64::from(sql_type.oid()), i64::from(sql_type.typmod()));
                attribute(oid, &Attribute { number, type_oid, typmod, ..named(name) })
            };
            names.iter().zip(kinds).zip(1..).map(row).collect()
        }
        Relation::Shape(shape) => {
            let columns = shape.columns.iter().zip(1..);
            let row = |(column, number): (&super::shapes::ShapeColumn, i64)| {
                attribute(oid, &Attribute { number, type_oid: column.type_oid(), ..named(column.name) })
            };
            columns.map(row).collect()
        }
        Relation::Virtual { name, .. } => {
            let columns = scene.virtual_columns(name);
            let row = |((name, sql_type), number): (&(String, engine::SqlType), i64)| {
                let type_oid = i64::from(sql_type.oid());
                attribute(oid, &Attribute { number, type_oid, typmod: i64::from(sql_type.typmod()), ..named(name) })
            };
            columns.iter().zip(1..).map(row).collect()
        }
    }
}

/// Columns that an index has beside its key.
fn included<'t>(table: &'t engine::TableDef, key: &engine::KeyDef) -> impl Iterator<Item = &'t engine::ColumnDef> {
    let index = table.rules.indexes.iter().find(|index| index.id == key.id);
    index.into_iter().flat_map(|index| &index.include).filter_map(|id| table.column(*id))
}

/// Name and type; number and NOT NULL are the caller's.
fn of_column(column: &engine::ColumnDef) -> Attribute<'_> {
    let (type_oid, typmod) = (i64::from(column.sql_type.oid()), i64::from(column.sql_type.typmod()));
    Attribute { type_oid, typmod, ..named(&column.name) }
}

fn named(name: &str) -> Attribute<'_> {
    Attribute { name, number: 0, type_oid: 0, typmod: -1, not_null: false, has_default: false, identity: "", generated: "" }
}

fn attribute(relation: i64, attribute: &Attribute<'_>) -> Row {
    let known = types::by_oid(attribute.type_oid);
    row![
        "attrelid": relation,
        "attname": attribute.name,
        "atttypid": attribute.type_oid,
        "attstattarget": -1,
        "attlen": known.map_or(-1, |known| known.len),
        "attnum": attribute.number,
        "attndims": i64::from(known.is_some_and(|known| known.is_array())),
        "attcacheoff": -1,
        "atttypmod": attribute.typmod,
        "attbyval": known.is_some_and(|known| known.by_value),
        "attalign": known.map_or("i", |known| known.align),
        "attstorage": known.map_or("x", |known| known.storage),
        "attnotnull": attribute.not_null,
        "atthasdef": attribute.has_default,
        "attidentity": attribute.identity,
        "attgenerated": attribute.generated,
        "attislocal": true,
        "attcollation": known.map_or(0, |known| known.collation),
    ]
}

pub(super) fn tables(scene: &Scene) -> Vec<Row> {
    let is_table = |relation: &Relation<'_>| relation.kind() == "r";
    let row = |relation: Relation<'_>| {
        row![
            "schemaname": relation.schema(),
            "tablename": relation.name(),
            "tableowner": scene.role_name(scene.owner(u32::try_from(relation.oid()).unwrap_or_default())),
            "hasindexes": has_index(&relation),
        ]
    };
    scene.relations().filter(is_table).map(row).collect()
}

/// As `WITH (…)` of CREATE TABLE gives them.
fn table_options(table: &TableDef) -> Option<String> {
    let erasable_by = table.subject().map(|at| format!("erasable_by={}", table.columns[at].name));
    let retention = table.rules.retention.iter().flat_map(|kept| kept.options());
    let options: Vec<String> = erasable_by.into_iter().chain(retention).collect();
    (!options.is_empty()).then(|| texts_array(&options))
}
