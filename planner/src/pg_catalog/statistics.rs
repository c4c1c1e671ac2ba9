//! `pg_stat_user_tables` and its kin: one row a table, index or database.
//!
//! Never: counts; what is not counted here is NULL.

use super::cells::{Cell, Row, row};
use super::oids;
use super::scene::{Relation, Scene};
use super::shapes;

/// Every counter of a shape, unknown.
fn uncounted(name: &str) -> Row {
    let shape = shapes::find(super::PG_CATALOG, name);
    let columns = shape.into_iter().flat_map(|shape| &shape.columns);
    columns.filter(|column| column.type_name == "int8").map(|column| (column.name, Cell::Null)).collect()
}

pub(super) fn all_tables(scene: &Scene) -> Vec<Row> {
    tables(scene, "pg_stat_all_tables")
}

pub(super) fn io_of_tables(scene: &Scene) -> Vec<Row> {
    tables(scene, "pg_statio_all_tables")
}

fn tables(scene: &Scene, shape: &str) -> Vec<Row> {
    let row = |relation: Relation<'_>| match relation {
        Relation::Table(_) => {
            let mut row = uncounted(shape);
            row.extend(row!["relid": relation.oid(), "schemaname": relation.schema(), "relname": relation.name()]);
            Some(row)
        }
        _ => None,
    };
    scene.relations().filter_map(row).collect()
}

pub(super) fn all_indexes(scene: &Scene) -> Vec<Row> {
    indexes(scene, "pg_stat_all_indexes")
}

pub(super) fn io_of_indexes(scene: &Scene) -> Vec<Row> {
    indexes(scene, "pg_statio_all_indexes")
}

pub(super) fn io_of_sequences(scene: &Scene) -> Vec<Row> {
    let row = |sequence: &std::sync::Arc<engine::SequenceDef>| {
        let mut row = uncounted("pg_statio_all_sequences");
        row.extend(row!["relid": i64::from(sequence.id()), "schemaname": sequence.schema(), "relname": sequence.name()]);
        row
    };
    scene.catalog.sequences().map(row).collect()
}

/// There is no background writer to tell of.
pub(super) fn background_writer(_scene: &Scene) -> Vec<Row> {
    let mut row = uncounted("pg_stat_bgwriter");
    row.extend(row!["checkpoint_write_time": Cell::Null, "checkpoint_sync_time": Cell::Null]);
    vec![row]
}

fn indexes(scene: &Scene, shape: &str) -> Vec<Row> {
    let row = |(table, key): (&std::sync::Arc<engine::TableDef>, &engine::KeyDef)| {
        let mut row = uncounted(shape);
        row.extend(row![
            "relid": oids::table(table),
            "indexrelid": oids::index(table, key),
            "schemaname": table.schema.as_str(),
            "relname": table.name.as_str(),
            "indexrelname": key.name.as_str(),
        ]);
        row
    };
    scene.indexes().map(row).collect()
}

pub(super) fn databases(scene: &Scene) -> Vec<Row> {
    let mut row = uncounted("pg_stat_database");
    let sessions = scene.backends.all().len() as i64;
    row.extend(row!["datid": super::server::oid_of(scene), "datname": scene.database(), "numbackends": sessions]);
    vec![row]
}
