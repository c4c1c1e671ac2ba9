//! `information_schema`: schemata, tables, columns, views, sequences and constraints.
//!
//! I1: rows are those Postgres would have for the same tables; the catalog's own tables are left out.
//! Never: names a domain; the standard's domains are shown as the types they stand for.

use engine::{Action, ColumnDef, Identity, KeyDef, Object, SqlType, TableDef, Timing};

use super::cells::{Cell, Row, row};
use super::keys::{self, Kind};
use super::scene::{Relation, Scene};
use super::types;
use super::{names, oids};
use crate::updatable_views;

pub(super) fn catalog_name(scene: &Scene) -> Vec<Row> {
    vec![row!["catalog_name": scene.database()]]
}

pub(super) fn schemata(scene: &Scene) -> Vec<Row> {
    let row = |schema: super::scene::Schema<'_>| row!["catalog_name": scene.database(), "schema_name": schema.name, "schema_owner": scene.role_name(scene.owner(u32::try_from(schema.oid).unwrap_or(0)))];
    scene.schemas().map(row).collect()
}

pub(super) fn tables(scene: &Scene) -> Vec<Row> {
    let row = |relation: Relation<'_>| {
        let takes_rows = match &relation {
            Relation::Table(table) => table.schema != engine::LEDGER_SCHEMA,
            Relation::View(view) => updatable_views::events(&scene.catalog, view.id).0 & updatable_views::INSERT != 0,
            _ => false,
        };
        let kind = match &relation {
            Relation::Table(table) if table.rules.materialized.is_some() => return None,
            Relation::Table(_) => "BASE TABLE",
            Relation::View(_) | Relation::Virtual { .. } => "VIEW",
            Relation::Index(..) | Relation::Sequence(_) | Relation::Graph(_) | Relation::Shape(_) => return None,
        };
        Some(row![
            "table_catalog": scene.database(),
            "table_schema": relation.schema(),
            "table_name": relation.name(),
            "table_type": kind,
            "is_insertable_into": yes_or_no(takes_rows),
            "is_typed": "NO",
        ])
    };
    scene.relations().filter_map(row).collect()
}

pub(super) fn yes_or_no(is: bool) -> &'static str {
    if is { "YES" } else { "NO" }
}

pub(super) fn columns(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for relation in scene.relations() {
        let name = relation.name();
        let mut add = |column: &str, number: i64, sql_type: SqlType, nullable: bool, updatable: bool, default: Row| {
            let mut row = row![
                "table_catalog": scene.database(),
                "table_schema": relation.schema(),
                "table_name": name.as_str(),
                "column_name": column,
                "ordinal_position": number,
                "is_nullable": yes_or_no(nullable),
                "dtd_identifier": number.to_string(),
                "is_self_referencing": "NO",
                "is_updatable": yes_or_no(updatable),
                "udt_catalog": scene.database(),
                "udt_schema": super::PG_CATALOG,
            ];
            row.extend(type_columns(sql_type));
            // What a column says of itself counts more than what its type does.
            row.retain(|(name, _)| *name != "datetime_precision" || default.iter().all(|(other, _)| other != name));
            row.extend(default);
            rows.push(row);
        };
        match &relation {
            Relation::Table(table) if table.rules.materialized.is_some() => {}
            Relation::Table(table) => {
                let updatable = table.schema != engine::LEDGER_SCHEMA;
                for column in &table.columns {
                    let mut default = default_columns(scene, table, column);
                    if let Some(digits) = table.rules.column(column.id).and_then(|rules| rules.precision) {
                        default.extend(row!["datetime_precision": i64::from(digits)]);
                    }
                    add(&column.name, i64::from(column.id.0), column.sql_type, !column.not_null, updatable, default);
                }
            }
            Relation::View(view) => {
                let (_, written) = updatable_views::events(&scene.catalog, view.id);
                view.columns.iter().enumerate().for_each(|(at, column)| {
                    let mut default = no_identity();
                    default.extend(row!["column_default": names::view_default(column)]);
                    add(&column.name, at as i64 + 1, column.sql_type, true, written.contains(&at), default);
                });
            }
            Relation::Virtual { name, .. } => {
                scene
                    .virtual_columns(name)
                    .iter()
                    .zip(1..)
                    .for_each(|((column, sql_type), at)| add(column, at, *sql_type, true, false, no_identity()));
            }
            Relation::Index(..) | Relation::Sequence(_) | Relation::Graph(_) | Relation::Shape(_) => {}
        }
    }
    rows
}

fn no_identity() -> Row {
    row!["is_identity": "NO", "identity_cycle": "NO", "is_generated": "NEVER"]
}

/// What the view says of a column's default and identity.
fn default_columns(scene: &Scene, table: &TableDef, column: &ColumnDef) -> Row {
    let rules = table.rules.column(column.id);
    let (Some(kind), Some(Object::Sequence(sequence))) =
        (rules.and_then(|rules| rules.identity), rules.and_then(|rules| rules.sequence).and_then(|id| scene.catalog.object(id)))
    else {
        let mut row = no_identity();
        let text = names::column_default(scene, table, column);
        match rules.is_some_and(|rules| rules.generated) {
            true => {
                row.retain(|(name, _)| *name != "is_generated");
                row.extend(row!["is_generated": "ALWAYS", "generation_expression": text]);
            }
            false => row.extend(row!["column_default": text]),
        }
        return row;
    };
    row![
        "is_identity": "YES",
        "is_generated": "NEVER",
        "identity_generation": if kind == Identity::Always { "ALWAYS" } else { "BY DEFAULT" },
        "identity_start": sequence.start.to_string(),
        "identity_increment": sequence.increment.to_string(),
        "identity_maximum": sequence.max.to_string(),
        "identity_minimum": sequence.min.to_string(),
        "identity_cycle": yes_or_no(sequence.cycle),
    ]
}

/// What the view says of a column's type.
pub(super) fn type_columns(sql_type: SqlType) -> Row {
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
        SqlType::AnyNumeric(Some(limit)) => number(i64::from(limit.precision), 10, Some(i64::from(limit.scale) & 0x7ff)),
        SqlType::AnyNumeric(None) => row.extend(row!["numeric_precision_radix": 10]),
        SqlType::Text | SqlType::Varchar(None) => row.extend(row!["character_octet_length": 1 << 30]),
        SqlType::Varchar(Some(length)) | SqlType::Bpchar(Some(length)) => {
            // Four bytes a character, as for every database in UTF8.
            let length = i64::from(length);
            row.extend(row!["character_maximum_length": length, "character_octet_length": length * 4]);
        }
        SqlType::Date => row.extend(row!["datetime_precision": 0]),
        SqlType::Timestamp | SqlType::Timestamptz | SqlType::Time | SqlType::Interval => row.extend(row!["datetime_precision": 6]),
        SqlType::Bool | SqlType::Bytea | SqlType::Uuid | SqlType::Json | SqlType::Jsonb | SqlType::Bpchar(None) => {}
        SqlType::Array(_) | SqlType::Catalog(_) => {}
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
    let (mut rows, mut foreign) = (Vec::new(), Vec::new());
    for table in scene.tables() {
        let mut add = |name: String, kind: &str, (timing, nulls_distinct): (Timing, Option<bool>)| {
            let mut row = constraint(scene, table, name);
            row.extend(row![
                "constraint_type": kind,
                "is_deferrable": yes_or_no(timing.deferrable),
                "initially_deferred": yes_or_no(timing.deferred),
                "enforced": "YES",
            ]);
            row.extend([("nulls_distinct", nulls_distinct.map_or(Cell::Null, |distinct| Cell::from(yes_or_no(distinct))))]);
            rows.push(row);
        };
        for (key, kind) in constraint_keys(table) {
            let timing = key.late.unwrap_or_default();
            match kind {
                Kind::Primary => add(key.name.clone(), "PRIMARY KEY", (timing, None)),
                _ => add(key.name.clone(), "UNIQUE", (timing, Some(!key.nulls_equal))),
            }
        }
        for reference in &table.rules.references {
            let mut row = constraint(scene, table, reference.name.clone());
            row.extend(row![
                "constraint_type": "FOREIGN KEY",
                "is_deferrable": yes_or_no(reference.timing.deferrable),
                "initially_deferred": yes_or_no(reference.timing.deferred),
                "enforced": "YES",
            ]);
            foreign.push(row);
        }
        table.rules.checks.iter().for_each(|check| add(check.name.clone(), "CHECK", (Timing::default(), None)));
        for column in table.columns.iter().filter(|column| column.not_null) {
            let name = format!("{}_{}_{}_not_null", scene.schema_oid(&table.schema), oids::table(table), column.id);
            add(name, "CHECK", (Timing::default(), None));
        }
    }
    rows.append(&mut foreign);
    rows
}

/// Keys that are constraints.
fn constraint_keys(table: &TableDef) -> impl Iterator<Item = (&KeyDef, Kind)> {
    let is_reference = |key: &&KeyDef| table.rules.references.iter().any(|reference| reference.id == key.id);
    table
        .keys()
        .iter()
        .filter(move |key| !is_reference(key))
        .map(|key| (key, keys::kind(table, key)))
        .filter(|(_, kind)| *kind != Kind::Index)
}

pub(super) fn key_columns(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in scene.tables() {
        let mut add = |name: &str, positions: &[usize], referenced: Option<Vec<i64>>| {
            for (at, position) in positions.iter().enumerate() {
                let mut row = constraint(scene, table, name.to_owned());
                row.extend(row![
                    "column_name": table.columns[*position].name.as_str(),
                    "ordinal_position": at as i64 + 1,
                    "position_in_unique_constraint": referenced.as_ref().and_then(|places| places.get(at).copied()),
                ]);
                rows.push(row);
            }
        };
        constraint_keys(table).for_each(|(key, _)| add(&key.name, &key.positions, None));
        for reference in &table.rules.references {
            let positions: Vec<usize> = reference.columns.iter().filter_map(|id| table.position(*id)).collect();
            // A definition lists columns in the order of the key that it references.
            add(&reference.name, &positions, Some((1..=positions.len() as i64).collect()));
        }
    }
    rows
}

pub(super) fn constraint_columns(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in scene.tables() {
        let mut add = |of: &TableDef, column: &ColumnDef, name: &str| {
            rows.push(row![
                "table_catalog": scene.database(),
                "table_schema": of.schema.as_str(),
                "table_name": of.name.as_str(),
                "column_name": column.name.as_str(),
                "constraint_catalog": scene.database(),
                "constraint_schema": table.schema.as_str(),
                "constraint_name": name,
            ]);
        };
        for (key, _) in constraint_keys(table) {
            key.positions.iter().for_each(|at| add(table, &table.columns[*at], &key.name));
        }
        for check in &table.rules.checks {
            check.columns.iter().filter_map(|id| table.column(*id)).for_each(|column| add(table, column, &check.name));
        }
        for reference in &table.rules.references {
            if let Some(parent) = scene.catalog.table_by_id(reference.table) {
                reference.referenced.iter().filter_map(|id| parent.column(*id)).for_each(|column| add(parent, column, &reference.name));
            }
        }
    }
    rows
}

pub(super) fn check_constraints(scene: &Scene) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in scene.tables() {
        let mut add = |name: String, clause: String| {
            rows.push(row![
                "constraint_catalog": scene.database(),
                "constraint_schema": table.schema.as_str(),
                "constraint_name": name,
                "check_clause": clause,
            ]);
        };
        for check in &table.rules.checks {
            add(check.name.clone(), format!("({})", super::deparse::condition(table, &check.expression, false)));
        }
        for column in table.columns.iter().filter(|column| column.not_null) {
            let name = format!("{}_{}_{}_not_null", scene.schema_oid(&table.schema), oids::table(table), column.id);
            add(name, format!("{} IS NOT NULL", column.name));
        }
    }
    rows
}

pub(super) fn referential_constraints(scene: &Scene) -> Vec<Row> {
    let rule = |action: Action| match action {
        Action::NoAction => "NO ACTION",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    };
    let mut rows = Vec::new();
    for table in scene.tables() {
        for reference in &table.rules.references {
            let parent = scene.catalog.table_by_id(reference.table);
            rows.push(row![
                "constraint_catalog": scene.database(),
                "constraint_schema": table.schema.as_str(),
                "constraint_name": reference.name.as_str(),
                "unique_constraint_catalog": scene.database(),
                "unique_constraint_schema": parent.map(|parent| parent.schema.as_str()),
                "unique_constraint_name": parent.and_then(|parent| parent.key(reference.key)).map(|key| key.name.as_str()),
                "match_option": if reference.full { "FULL" } else { "NONE" },
                "update_rule": rule(reference.on_update),
                "delete_rule": rule(reference.on_delete),
            ]);
        }
    }
    rows
}

pub(super) fn sequences(scene: &Scene) -> Vec<Row> {
    let row = |sequence: &std::sync::Arc<engine::SequenceDef>| {
        let bits = match sequence.sql_type {
            SqlType::Int2 => 16,
            SqlType::Int4 => 32,
            _ => 64,
        };
        row![
            "sequence_catalog": scene.database(),
            "sequence_schema": sequence.schema(),
            "sequence_name": sequence.name(),
            "data_type": sequence.sql_type.name(),
            "numeric_precision": bits,
            "numeric_precision_radix": 2,
            "numeric_scale": 0,
            "start_value": sequence.start.to_string(),
            "minimum_value": sequence.min.to_string(),
            "maximum_value": sequence.max.to_string(),
            "increment": sequence.increment.to_string(),
            "cycle_option": yes_or_no(sequence.cycle),
        ]
    };
    // Those of identity columns are columns' own, as in Postgres.
    scene.catalog.sequences().filter(|sequence| !sequence.is_identity).map(row).collect()
}

pub(super) fn views(scene: &Scene) -> Vec<Row> {
    let row = |view: &std::sync::Arc<engine::ViewDef>| {
        let (events, _) = updatable_views::events(&scene.catalog, view.id);
        let changed = updatable_views::UPDATE | updatable_views::DELETE;
        row![
            "table_catalog": scene.database(),
            "table_schema": view.schema.as_str(),
            "table_name": view.name.as_str(),
            "view_definition": super::views::definition(scene, &super::views::Query::of(view), false),
            "check_option": view.check_option.map_or("NONE".to_owned(), |option| option.name().to_uppercase()),
            "is_updatable": yes_or_no(events & changed == changed),
            "is_insertable_into": yes_or_no(events & updatable_views::INSERT != 0),
            "is_trigger_updatable": "NO",
            "is_trigger_deletable": "NO",
            "is_trigger_insertable_into": "NO",
        ]
    };
    scene.catalog.views().map(row).collect()
}
