//! `pg_namespace`, `pg_class`, `pg_attribute`, `pg_tables`.
//!
//! Never: says how many rows or pages there are: `reltuples` is −1, which is Postgres's «not known».

use super::cells::{Row, row};
use super::oids;
use super::scene::{Relation, Scene};
use super::types;

pub(super) fn namespaces(scene: &Scene) -> Vec<Row> {
    scene
        .schemas()
        .map(|schema| {
            let id = u32::try_from(schema.oid).unwrap_or_default();
            row!["oid": schema.oid, "nspname": schema.name, "nspowner": i64::from(scene.owner(id)), "nspacl": scene.acl(id)]
        })
        .collect()
}

pub(super) fn classes(scene: &Scene) -> Vec<Row> {
    scene.relations().map(|relation| class(scene, &relation)).collect()
}

fn class(scene: &Scene, relation: &Relation<'_>) -> Row {
    let columns = match relation {
        Relation::Table(table) => table.columns.len(),
        Relation::Index(table) => table.primary_key.len(),
        Relation::Shape(shape) => shape.columns.len(),
        Relation::Virtual { name, .. } => scene.virtual_columns(name).len(),
    };
    let access_method = match relation.kind() {
        "r" => oids::HEAP,
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
            _ => None,
        },
        "relam": access_method,
        "relfilenode": if relation.kind() == "v" { 0 } else { relation.oid() },
        "reltuples": -1,
        "relhasindex": matches!(relation, Relation::Table(table) if !table.primary_key.is_empty()),
        "relpersistence": "p",
        "relkind": relation.kind(),
        "relnatts": columns as i64,
        "relispopulated": true,
        "relreplident": if relation.kind() == "r" { "d" } else { "n" },
    ]
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
}

fn attributes_of(scene: &Scene, relation: &Relation<'_>) -> Vec<Row> {
    let oid = relation.oid();
    match relation {
        Relation::Table(table) => {
            let row = |column: &engine::ColumnDef| {
                let mut row = attribute(oid, &Attribute { number: i64::from(column.id.0), not_null: column.not_null, ..of_column(column) });
                row.extend(row!["attacl": scene.column_acl(table.id.0, column.id.0)]);
                row
            };
            table.columns.iter().map(row).collect()
        }
        Relation::Index(table) => {
            let keys = table.key_columns().iter().map(|at| &table.columns[*at]);
            keys.zip(1..).map(|(column, number)| attribute(oid, &Attribute { number, ..of_column(column) })).collect()
        }
        Relation::Shape(shape) => {
            let columns = shape.columns.iter().zip(1..);
            let row = |(column, number): (&super::shapes::ShapeColumn, i64)| {
                attribute(oid, &Attribute { name: column.name, number, type_oid: column.type_oid(), typmod: -1, not_null: false })
            };
            columns.map(row).collect()
        }
        Relation::Virtual { name, .. } => {
            let columns = scene.virtual_columns(name);
            let row = |((name, sql_type), number): (&(String, engine::SqlType), i64)| {
                let type_oid = i64::from(sql_type.oid());
                attribute(oid, &Attribute { name, number, type_oid, typmod: i64::from(sql_type.typmod()), not_null: false })
            };
            columns.iter().zip(1..).map(row).collect()
        }
    }
}

/// Name and type; number and NOT NULL are the caller's.
fn of_column(column: &engine::ColumnDef) -> Attribute<'_> {
    let (type_oid, typmod) = (i64::from(column.sql_type.oid()), i64::from(column.sql_type.typmod()));
    Attribute { name: &column.name, number: 0, type_oid, typmod, not_null: false }
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
        "attcacheoff": -1,
        "atttypmod": attribute.typmod,
        "attbyval": known.is_some_and(|known| known.by_value),
        "attalign": known.map_or("i", |known| known.align),
        "attstorage": known.map_or("x", |known| known.storage),
        "attnotnull": attribute.not_null,
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
            "hasindexes": matches!(&relation, Relation::Table(table) if !table.primary_key.is_empty()),
        ]
    };
    scene.relations().filter(is_table).map(row).collect()
}
