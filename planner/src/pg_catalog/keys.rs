//! `pg_index`, `pg_constraint`, `pg_indexes`, `pg_attrdef`: keys, checks, references and defaults.
//!
//! Never: lists NOT NULL, which Postgres 15 does not list either.

use std::sync::Arc;

use base::ColumnId;
use engine::{ColumnDef, KeyDef, SqlType, TableDef};

use super::cells::{Row, array, row, vector};
use super::scene::Scene;
use super::{names, oids, operator_classes, types};

/// What kind of key a key of a table is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Primary,
    /// Of a UNIQUE constraint.
    Unique,
    /// Made by CREATE INDEX.
    Index,
}

pub(super) fn kind(table: &TableDef, key: &KeyDef) -> Kind {
    match table.rules.indexes.iter().find(|index| index.id == key.id) {
        None => Kind::Primary,
        Some(index) if index.constraint => Kind::Unique,
        Some(_) => Kind::Index,
    }
}

pub(super) fn indexes(scene: &Scene) -> Vec<Row> {
    scene.indexes().map(|(table, key)| index(table, key)).collect()
}

fn index(table: &TableDef, key: &KeyDef) -> Row {
    let known = table.rules.indexes.iter().find(|index| index.id == key.id);
    let included: Vec<&ColumnDef> = known.iter().flat_map(|index| &index.include).filter_map(|id| table.column(*id)).collect();
    let kinds = || key.positions.iter().map(|at| table.type_at(*at));
    let numbers = || {
        let number = |at: &usize| table.columns.get(*at).map_or(0, |column| i64::from(column.id.0));
        key.positions.iter().map(number).chain(included.iter().map(|column| i64::from(column.id.0)))
    };
    let text = |place: usize| table.computed(place).map(|computed| computed.text.as_str());
    let expressions: Vec<String> =
        key.positions.iter().filter_map(|at| text(*at)).map(|text| super::deparse::condition(table, text, false)).collect();
    let condition = key.condition.and_then(text).map(|text| super::deparse::condition(table, text, false));
    let collation = |sql_type: SqlType| types::by_oid(i64::from(sql_type.oid())).map_or(0, |known| known.collation);
    let width = key.positions.len() as i64;
    let (options, classes) = (known.map(|index| index.options.clone()), known.map(|index| index.classes.clone()).unwrap_or_default());
    row![
        "indexrelid": oids::index(table, key),
        "indrelid": oids::table(table),
        "indnatts": width + included.len() as i64,
        "indnkeyatts": width,
        "indisunique": key.tells_apart(),
        "indnullsnotdistinct": known.is_some_and(|index| index.nulls_equal),
        "indisprimary": kind(table, key) == Kind::Primary,
        "indimmediate": key.late.is_none(),
        "indisvalid": true,
        "indisready": true,
        "indislive": true,
        "indkey": vector(numbers()),
        "indcollation": vector(kinds().map(collation)),
        "indclass": vector(kinds().enumerate().map(|(at, sql_type)| {
            let class = classes.get(at).map(String::as_str).filter(|class| !class.is_empty());
            operator_classes::oid(i64::from(sql_type.oid()), class)
        })),
        "indoption": vector(options.unwrap_or_else(|| vec![0; key.positions.len()]).into_iter().map(i64::from)),
        "indexprs": (!expressions.is_empty()).then(|| expressions.join(", ")),
        "indpred": condition,
    ]
}

fn numbers(ids: &[ColumnId]) -> String {
    array(ids.iter().map(|id| i64::from(id.0)))
}

/// Oid, name and kind of every constraint of a table, with the part that is not the same for all.
pub(super) fn constraints(scene: &Scene) -> Vec<Row> {
    scene.tables().flat_map(|table| constraints_of(scene, table)).collect()
}

fn constraints_of(scene: &Scene, table: &Arc<TableDef>) -> Vec<Row> {
    let common = |oid: i64, name: &str, kind: &str| {
        row![
            "oid": oid,
            "conname": name,
            "connamespace": scene.schema_oid(&table.schema),
            "contype": kind,
            "convalidated": true,
            "conrelid": oids::table(table),
            "conislocal": true,
        ]
    };
    let none = || row!["confupdtype": " ", "confdeltype": " ", "confmatchtype": " "];
    let mut rows = Vec::new();
    for key in table.keys() {
        let letter = match kind(table, key) {
            _ if table.rules.references.iter().any(|reference| reference.id == key.id) => continue,
            Kind::Primary => "p",
            Kind::Unique => "u",
            Kind::Index => continue,
        };
        let mut row = common(oids::constraint(table, key), &key.name, letter);
        let ids: Vec<ColumnId> = key.positions.iter().map(|at| table.columns[*at].id).collect();
        let timing = key.late.unwrap_or_default();
        row.extend(row![
            "conindid": oids::index(table, key),
            "condeferrable": timing.deferrable,
            "condeferred": timing.deferred,
            "connoinherit": true,
            "conkey": numbers(&ids),
        ]);
        row.extend(none());
        rows.push(row);
    }
    for check in &table.rules.checks {
        let mut row = common(i64::from(check.id), &check.name, "c");
        let conkey = (!check.columns.is_empty()).then(|| numbers(&check.columns));
        row.extend(row!["conkey": conkey, "conbin": super::deparse::condition(table, &check.expression, false)]);
        row.extend(none());
        set(&mut row, "convalidated", !check.not_valid);
        rows.push(row);
    }
    for reference in &table.rules.references {
        let mut row = common(i64::from(reference.id), &reference.name, "f");
        let parent = scene.catalog.table_by_id(reference.table);
        let index = parent.and_then(|parent| Some(oids::index(parent, parent.key(reference.key)?)));
        row.extend(row![
            "conindid": index.unwrap_or(0),
            "confrelid": i64::from(reference.table.0),
            "confupdtype": reference.on_update.letter().to_string(),
            "confdeltype": reference.on_delete.letter().to_string(),
            "confmatchtype": if reference.full { "f" } else { "s" },
            "condeferrable": reference.timing.deferrable,
            "condeferred": reference.timing.deferred,
            "connoinherit": true,
            "conkey": numbers(&reference.columns),
            "confkey": numbers(&reference.referenced),
        ]);
        set(&mut row, "convalidated", !reference.not_valid);
        rows.push(row);
    }
    rows
}

/// Another value for a column that has one.
fn set(row: &mut Row, column: &str, value: bool) {
    if let Some((_, cell)) = row.iter_mut().find(|(name, _)| *name == column) {
        *cell = value.into();
    }
}

pub(super) fn index_definitions(scene: &Scene) -> Vec<Row> {
    let row = |(table, key): (&Arc<TableDef>, &KeyDef)| {
        row![
            "schemaname": table.schema.as_str(),
            "tablename": table.name.as_str(),
            "indexname": key.name.as_str(),
            "indexdef": names::index_definition(table, key, true, false),
        ]
    };
    scene.indexes().map(row).collect()
}

pub(super) fn defaults(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in scene.tables() {
        for column in &table.columns {
            if let Some(text) = names::column_default(scene, table, column) {
                rows.push(row![
                    "oid": oids::default(oids::table(table), column.id.0),
                    "adrelid": oids::table(table),
                    "adnum": i64::from(column.id.0),
                    "adbin": text,
                ]);
            }
        }
    }
    for view in scene.catalog.views() {
        for (column, number) in view.columns.iter().zip(1_u32..) {
            if let Some(text) = names::view_default(column) {
                let relation = i64::from(view.id);
                rows.push(row!["oid": oids::default(relation, number), "adrelid": relation, "adnum": i64::from(number), "adbin": text]);
            }
        }
    }
    rows
}
