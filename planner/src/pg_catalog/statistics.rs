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
    let row = |relation: Relation<'_>| match relation {
        Relation::Table(_) => {
            let mut row = uncounted("pg_stat_all_tables");
            row.extend(row!["relid": relation.oid(), "schemaname": relation.schema(), "relname": relation.name()]);
            Some(row)
        }
        _ => None,
    };
    scene.relations().filter_map(row).collect()
}

pub(super) fn all_indexes(scene: &Scene) -> Vec<Row> {
    let row = |(table, key): (&std::sync::Arc<engine::TableDef>, &engine::KeyDef)| {
        let mut row = uncounted("pg_stat_all_indexes");
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
    row.extend(row!["datid": oids::DATABASE, "datname": scene.database(), "numbackends": sessions]);
    vec![row]
}
