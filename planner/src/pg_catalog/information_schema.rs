//! `information_schema`: schemata, tables, columns, and the constraints that are primary keys or NOT NULL.
//!
//! I1: rows are those Postgres would have for the same tables; the catalog's own tables are left out.
//! Never: names a domain; the standard's domains are shown as the types they stand for.

use engine::{ColumnDef, SqlType, TableDef};

use super::cells::{Cell, Row, row};
use super::oids;
use super::scene::{Relation, Scene};
use super::types;

pub(super) fn catalog_name(scene: &Scene) -> Vec<Row> {
    vec![row!["catalog_name": scene.database()]]
}

pub(super) fn schemata(scene: &Scene) -> Vec<Row> {
    let row = |schema: super::scene::Schema<'_>| row!["catalog_name": scene.database(), "schema_name": schema.name, "schema_owner": scene.role_name(scene.owner(u32::try_from(schema.oid).unwrap_or(0)))];
    scene.schemas().map(row).collect()
}

pub(super) fn tables(scene: &Scene) -> Vec<Row> {
    let row = |relation: Relation<'_>| {
        let is_users = matches!(&relation, Relation::Table(table) if table.schema != engine::LEDGER_SCHEMA);
        let kind = match &relation {
            Relation::Table(_) => "BASE TABLE",
            Relation::Virtual { .. } => "VIEW",
            Relation::Index(_) | Relation::Shape(_) => return None,
        };
        Some(row![
            "table_catalog": scene.database(),
            "table_schema": relation.schema(),
            "table_name": relation.name(),
            "table_type": kind,
            "is_insertable_into": yes_or_no(is_users),
            "is_typed": "NO",
        ])
    };
    scene.relations().filter_map(row).collect()
}

fn yes_or_no(is: bool) -> &'static str {
    if is { "YES" } else { "NO" }
}

pub(super) fn columns(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for relation in scene.relations() {
        let name = relation.name();
        let mut add = |column: &str, number: i64, sql_type: SqlType, nullable: bool, updatable: bool| {
            let mut row = row![
                "table_catalog": scene.database(),
                "table_schema": relation.schema(),
                "table_name": name.as_str(),
                "column_name": column,
                "ordinal_position": number,
                "is_nullable": yes_or_no(nullable),
                "dtd_identifier": number.to_string(),
                "is_self_referencing": "NO",
                "is_identity": "NO",
                "identity_cycle": "NO",
                "is_generated": "NEVER",
                "is_updatable": yes_or_no(updatable),
                "udt_catalog": scene.database(),
                "udt_schema": super::PG_CATALOG,
            ];
            row.extend(type_columns(sql_type));
            rows.push(row);
        };
        match &relation {
            Relation::Table(table) => {
                let updatable = table.schema != engine::LEDGER_SCHEMA;
                table
                    .columns
                    .iter()
                    .for_each(|column| add(&column.name, i64::from(column.id.0), column.sql_type, !column.not_null, updatable));
            }
            Relation::Virtual { name, .. } => {
                scene.virtual_columns(name).iter().zip(1..).for_each(|((column, sql_type), at)| add(column, at, *sql_type, true, false));
            }
            Relation::Index(_) | Relation::Shape(_) => {}
        }
    }
    rows
}

/// What the view says of a column's type.
fn type_columns(sql_type: SqlType) -> Row {
    let oid = i64::from(sql_type.oid());
    let data_type = if sql_type.element().is_some() { "ARRAY".to_owned() } else { types::format(oid, None) };
    let mut row = row!["data_type": data_type, "udt_name": types::by_oid(oid).map(|known| known.name)];
    let mut number = |digits: i64, radix: i64, scale: Option<i64>| {
        row.extend(row!["numeric_precision": digits, "numeric_precision_radix": radix, "numeric_scale": scale]);
    };
    match sql_type {
        SqlType::Int2 => number(16, 2, Some(0)),
        SqlType::Int4 => number(32, 2, Some(0)),
        SqlType::Int8 => number(64, 2, Some(0)),
        SqlType::Float4 => number(24, 2, None),
        SqlType::Float8 => number(53, 2, None),
        SqlType::Numeric { precision, scale } => number(i64::from(precision), 10, Some(i64::from(scale))),
        SqlType::Text | SqlType::Varchar(None) => row.extend(row!["character_octet_length": 1 << 30]),
        SqlType::Varchar(Some(length)) | SqlType::Bpchar(Some(length)) => {
            // Four bytes a character, as for every database in UTF8.
            let length = i64::from(length);
            row.extend(row!["character_maximum_length": length, "character_octet_length": length * 4]);
        }
        SqlType::Date => row.extend(row!["datetime_precision": 0]),
        SqlType::Timestamp | SqlType::Timestamptz | SqlType::Time | SqlType::Interval => row.extend(row!["datetime_precision": 6]),
        SqlType::Bool | SqlType::Bytea | SqlType::Uuid | SqlType::Json | SqlType::Jsonb | SqlType::Bpchar(None) => {}
        SqlType::Array(_) => {}
    }
    row
}

/// Catalog, schema and name of a constraint and its table.
fn constraint(scene: &Scene, table: &TableDef, name: String) -> Row {
    row![
        "constraint_catalog": scene.database(),
        "constraint_schema": table.schema.as_str(),
        "constraint_name": name,
        "table_catalog": scene.database(),
        "table_schema": table.schema.as_str(),
        "table_name": table.name.as_str(),
    ]
}

pub(super) fn table_constraints(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in scene.tables() {
        let mut add = |name: String, kind: &str| {
            let mut row = constraint(scene, table, name);
            row.extend(row!["constraint_type": kind, "is_deferrable": "NO", "initially_deferred": "NO", "enforced": "YES"]);
            row.extend([("nulls_distinct", if kind == "UNIQUE" { Cell::from("YES") } else { Cell::Null })]);
            rows.push(row);
        };
        if !table.primary_key.is_empty() {
            add(table.key_constraint(), "PRIMARY KEY");
        }
        for column in table.columns.iter().filter(|column| column.not_null) {
            let name = format!("{}_{}_{}_not_null", scene.schema_oid(&table.schema), oids::table(table), column.id);
            add(name, "CHECK");
        }
    }
    rows
}

fn keys<'a>(scene: &'a Scene) -> impl Iterator<Item = (&'a TableDef, &'a ColumnDef, i64)> {
    let columns = |table: &'a std::sync::Arc<TableDef>| {
        table.key_columns().iter().zip(1..).map(|(at, position)| (table.as_ref(), &table.columns[*at], position))
    };
    scene.keyed_tables().flat_map(columns)
}

pub(super) fn key_columns(scene: &Scene) -> Vec<Row> {
    let row = |(table, column, position): (&TableDef, &ColumnDef, i64)| {
        let mut row = constraint(scene, table, table.key_constraint());
        row.extend(row!["column_name": column.name.as_str(), "ordinal_position": position]);
        row
    };
    keys(scene).map(row).collect()
}

pub(super) fn constraint_columns(scene: &Scene) -> Vec<Row> {
    let row = |(table, column, _): (&TableDef, &ColumnDef, i64)| {
        let mut row = constraint(scene, table, table.key_constraint());
        row.extend(row!["column_name": column.name.as_str()]);
        row
    };
    keys(scene).map(row).collect()
}
