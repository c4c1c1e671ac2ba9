//! `pg_index`, `pg_constraint`, `pg_indexes`: primary keys, the only constraints with a name and the only indexes of this version.
//!
//! Never: lists NOT NULL, which Postgres 15 does not list either.

use engine::{SqlType, TableDef};

use super::cells::{Row, array, row, vector};
use super::scene::Scene;
use super::{oids, types};

pub(super) fn indexes(scene: &Scene) -> Vec<Row> {
    scene.keyed_tables().map(|table| index(table)).collect()
}

fn index(table: &TableDef) -> Row {
    let columns = || table.key_columns().iter().map(|at| &table.columns[*at]);
    let collation = |sql_type: SqlType| types::by_oid(i64::from(sql_type.oid())).map_or(0, |known| known.collation);
    let width = table.primary_key.len() as i64;
    row![
        "indexrelid": oids::index(table),
        "indrelid": oids::table(table),
        "indnatts": width,
        "indnkeyatts": width,
        "indisunique": true,
        "indisprimary": true,
        "indimmediate": true,
        "indisvalid": true,
        "indisready": true,
        "indislive": true,
        "indkey": vector(numbers(table)),
        "indcollation": vector(columns().map(|column| collation(column.sql_type))),
        "indclass": vector(columns().map(|_| 0)),
        "indoption": vector(columns().map(|_| 0)),
    ]
}

/// The key's columns as `attnum`s, in key order.
fn numbers(table: &TableDef) -> impl Iterator<Item = i64> {
    table.primary_key.iter().map(|id| i64::from(id.0))
}

pub(super) fn constraints(scene: &Scene) -> Vec<Row> {
    let row = |table: &std::sync::Arc<TableDef>| {
        row![
            "oid": oids::constraint(table),
            "conname": table.key_constraint(),
            "connamespace": scene.schema_oid(&table.schema),
            "contype": "p",
            "convalidated": true,
            "conrelid": oids::table(table),
            "conindid": oids::index(table),
            "confupdtype": " ",
            "confdeltype": " ",
            "confmatchtype": " ",
            "conislocal": true,
            "connoinherit": true,
            "conkey": array(numbers(table)),
        ]
    };
    scene.keyed_tables().map(row).collect()
}

pub(super) fn index_definitions(scene: &Scene) -> Vec<Row> {
    let row = |table: &std::sync::Arc<TableDef>| {
        row![
            "schemaname": table.schema.as_str(),
            "tablename": table.name.as_str(),
            "indexname": table.key_constraint(),
            "indexdef": super::names::index_definition(table, true),
        ]
    };
    scene.keyed_tables().map(row).collect()
}
