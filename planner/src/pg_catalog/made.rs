//! `pg_sequence`, `pg_sequences`, `pg_views`, `pg_matviews`, `pg_description`: sequences, views and comments.
//!
//! Never: takes a value from a sequence to show it.

use engine::roles::{DATABASE, privilege};
use engine::{KeyDef, Object, TableDef};

use super::cells::{Row, row};
use super::dependencies::{CLASS, CONSTRAINT, EXTENSION, NAMESPACE};
use super::keys;
use super::scene::Scene;
use super::views::Query;
use super::{oids, views};
use crate::rights::access::Kind;

/// Oids of the catalogs that a whole server has.
const ROLE: i64 = oids::PG_AUTHID;
const DATABASES: i64 = 1262;

pub(super) fn sequences(scene: &Scene) -> Vec<Row> {
    let row = |sequence: &std::sync::Arc<engine::SequenceDef>| {
        row![
            "seqrelid": i64::from(sequence.id()),
            "seqtypid": i64::from(sequence.sql_type.oid()),
            "seqstart": sequence.start,
            "seqincrement": sequence.increment,
            "seqmax": sequence.max,
            "seqmin": sequence.min,
            "seqcache": sequence.cache,
            "seqcycle": sequence.cycle,
        ]
    };
    scene.catalog.sequences().map(row).collect()
}

pub(super) fn sequences_with_values(scene: &Scene) -> Vec<Row> {
    let access = scene.access();
    let shows = privilege::USAGE | privilege::SELECT;
    let row = |sequence: &std::sync::Arc<engine::SequenceDef>| {
        let is_shown = access.on(&scene.catalog, Kind::Sequence, sequence.id(), shows) != 0;
        let state = if is_shown { scene.ledger.sequence_state(&scene.catalog, sequence.id()).ok() } else { None };
        row![
            "schemaname": sequence.schema(),
            "sequencename": sequence.name(),
            "sequenceowner": scene.role_name(scene.owner(sequence.id())),
            "data_type": i64::from(sequence.sql_type.oid()),
            "start_value": sequence.start,
            "min_value": sequence.min,
            "max_value": sequence.max,
            "increment_by": sequence.increment,
            "cycle": sequence.cycle,
            "cache_size": sequence.cache,
            "last_value": state.filter(|state| state.is_called).map(|state| state.last),
        ]
    };
    scene.catalog.sequences().map(row).collect()
}

pub(super) fn views(scene: &Scene) -> Vec<Row> {
    let row = |view: &std::sync::Arc<engine::ViewDef>| {
        row![
            "schemaname": view.schema.as_str(),
            "viewname": view.name.as_str(),
            "viewowner": scene.role_name(scene.owner(view.id)),
            "definition": views::definition(scene, &Query::of(view), false),
        ]
    };
    scene.catalog.views().map(row).collect()
}

pub(super) fn materialized_views(scene: &Scene) -> Vec<Row> {
    let row = |table: &std::sync::Arc<engine::TableDef>| {
        let materialized = table.rules.materialized.as_ref()?;
        Some(row![
            "schemaname": table.schema.as_str(),
            "matviewname": table.name.as_str(),
            "matviewowner": scene.role_name(scene.owner(table.id.0)),
            "hasindexes": !table.keys().is_empty(),
            "ispopulated": materialized.populated,
            "definition": Query::of_table(table).map(|query| views::definition(scene, &query, false)),
        ])
    };
    scene.catalog.tables().filter_map(row).collect()
}

/// A comment: object, catalog of the object, column or 0, text.
type Comment<'a> = (i64, i64, i64, Option<&'a str>);

/// Those of an index and of the constraint that it may be of.
fn of_key<'a>(table: &'a TableDef, key: &KeyDef) -> [Comment<'a>; 2] {
    let (rules, known) = (&table.rules, table.rules.indexes.iter().find(|index| index.id == key.id));
    let (index, constraint) = match (keys::kind(table, key), known) {
        (keys::Kind::Primary, _) => (&rules.key_index_comment, &rules.key_comment),
        (keys::Kind::Unique | keys::Kind::Index, Some(known)) => (&known.comment, &known.constraint_comment),
        (keys::Kind::Unique | keys::Kind::Index, None) => (&None, &None),
    };
    [(oids::index(table, key), CLASS, 0, index.as_deref()), (oids::constraint(table, key), CONSTRAINT, 0, constraint.as_deref())]
}

/// Every comment: object, catalog of the object, column or 0, text.
fn comments(scene: &Scene) -> Vec<(i64, i64, i64, &str)> {
    let mut found: Vec<Comment<'_>> =
        vec![(oids::EXTENSION, EXTENSION, 0, Some("the ledger of a database: its commits, receipts and segments"))];
    for object in scene.catalog.objects() {
        let oid = i64::from(object.id());
        match object {
            Object::Role(_) | Object::Grants(_) | Object::Hold(_) | Object::Settings(_) => {}
            Object::Schema(schema) => {
                let given = (schema.name == "public").then_some("standard public schema");
                found.push((oid, NAMESPACE, 0, schema.comment.as_deref().or(given)));
            }
            Object::Sequence(sequence) => found.push((oid, CLASS, 0, sequence.comment.as_deref())),
            Object::Graph(graph) => found.push((oid, CLASS, 0, graph.comment.as_deref())),
            Object::View(view) => {
                found.push((oid, CLASS, 0, view.comment.as_deref()));
                found.extend(view.columns.iter().zip(1..).map(|(column, at)| (oid, CLASS, at, column.comment.as_deref())));
            }
            Object::Table(table) => {
                let rules = &table.rules;
                found.push((oid, CLASS, 0, rules.comment.as_deref()));
                found.extend(rules.columns.iter().map(|(id, column)| (oid, CLASS, i64::from(id.0), column.comment.as_deref())));
                for key in table.keys() {
                    found.extend(of_key(table, key));
                }
                found.extend(rules.checks.iter().map(|check| (i64::from(check.id), CONSTRAINT, 0, check.comment.as_deref())));
                found.extend(rules.references.iter().map(|one| (i64::from(one.id), CONSTRAINT, 0, one.comment.as_deref())));
            }
        }
    }
    found.into_iter().filter_map(|(oid, class, column, text)| Some((oid, class, column, text?))).collect()
}

pub(super) fn descriptions(scene: &Scene) -> Vec<Row> {
    let row =
        |(oid, class, column, text): (i64, i64, i64, &str)| row!["objoid": oid, "classoid": class, "objsubid": column, "description": text];
    comments(scene).into_iter().map(row).collect()
}

/// Comments on roles, and on databases each from its own ledger.
pub(super) fn shared_descriptions(scene: &Scene) -> Vec<Row> {
    let row = |(class, oid, text): &(i64, i64, String)| row!["objoid": *oid, "classoid": *class, "description": text.as_str()];
    shared_comments(scene).iter().map(row).collect()
}

fn shared_comments(scene: &Scene) -> Vec<(i64, i64, String)> {
    let roles = scene.catalog.authority().roles().filter_map(|role| Some((ROLE, i64::from(role.id), role.comment.clone()?)));
    let of_database = |scene: &Scene| {
        let comment = scene.catalog.authority().grants_on(DATABASE)?.comment.clone()?;
        Some((DATABASES, super::server::oid_of(scene), comment))
    };
    roles.chain(super::server::scenes(scene).iter().filter_map(of_database)).collect()
}

/// `shobj_description(object, catalog)`.
pub(super) fn shared_comment(scene: &Scene, oid: i64, class: &str) -> Option<String> {
    let class = match class {
        "pg_authid" => ROLE,
        "pg_database" => DATABASES,
        _ => return None,
    };
    shared_comments(scene).into_iter().find(|(of, at, _)| (*of, *at) == (class, oid)).map(|(_, _, text)| text)
}

/// The comment on an object of one of the catalogs, or of any; `column` 0 is the object itself.
pub(super) fn comment(scene: &Scene, oid: i64, class: Option<&str>, column: i64) -> Option<String> {
    let class = match class {
        None => None,
        Some("pg_class") => Some(CLASS),
        Some("pg_extension") => Some(EXTENSION),
        Some("pg_namespace") => Some(NAMESPACE),
        Some("pg_constraint") => Some(CONSTRAINT),
        Some(_) => return None,
    };
    let is_it = |(other, of, at, _): &(i64, i64, i64, &str)| *other == oid && class.is_none_or(|class| class == *of) && *at == column;
    comments(scene).into_iter().find(is_it).map(|(_, _, _, text)| text.to_owned())
}

/// The sequence that a column draws from, as `pg_get_serial_sequence` names it.
pub(super) fn serial_sequence(scene: &Scene, table: i64, column: &str) -> Option<String> {
    let found = scene.tables().find(|found| oids::table(found) == table)?;
    let id = found.columns.iter().find(|other| other.name == column)?.id;
    let sequence = scene.catalog.sequences().find(|sequence| sequence.owner == Some((found.id, id)))?;
    Some(format!("{}.{}", super::names::quote(sequence.schema()), super::names::quote(sequence.name())))
}
