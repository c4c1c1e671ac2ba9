//! `pg_depend`, `pg_rewrite` and `pg_extension`: which object needs which, by which tools put definitions in an order that can be run.
//!
//! D1: a view or materialized view has one rule, `_RETURN`, and it is the rule that needs what the view reads, as in Postgres.
//! D2: the schema `ledger` and what is in it are members of the extension `shockwave`, so that a dump takes them for part of the server.
//! Never: lists what an object needs of the server itself: types, functions, operators.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::rules::Reads;
use engine::{Catalog, KeyDef, SequenceDef, TableDef};
use sqlparser::ast::{Expr, GroupByExpr, SetExpr, Statement, TableFactor};

use super::cells::{Row, row};
use super::keys::{self, Kind};
use super::oids;
use super::scene::{Relation, Scene};
use crate::names::fold;
use crate::parse;

/// Oids of the catalogs that objects stand in.
pub(super) const CLASS: i64 = 1259;
pub(super) const NAMESPACE: i64 = 2615;
pub(super) const CONSTRAINT: i64 = 2606;
pub(super) const EXTENSION: i64 = 3079;
const DEFAULT: i64 = 2604;

/// An object as `pg_depend` names it: its catalog, its oid, and a column of it or 0.
type Object = (i64, i64, i64);

fn dependency(object: Object, needs: Object, kind: &'static str) -> Row {
    row![
        "classid": object.0,
        "objid": object.1,
        "objsubid": object.2,
        "refclassid": needs.0,
        "refobjid": needs.1,
        "refobjsubid": needs.2,
        "deptype": kind,
    ]
}

/// Rows of `pg_depend`, of users' objects and of the ledger's.
pub(super) fn dependencies(scene: &Scene) -> Vec<Row> {
    let mut rows = members(scene);
    for relation in scene.relations() {
        let class = (CLASS, relation.oid(), 0);
        if !is_users(&relation) {
            continue;
        }
        if !matches!(relation, Relation::Index(..)) {
            rows.push(dependency(class, (NAMESPACE, scene.schema_oid(relation.schema()), 0), "n"));
        }
        match &relation {
            Relation::Table(table) => of_table(scene, table, &mut rows),
            Relation::Index(table, key) => rows.extend(of_index(table, key)),
            Relation::Sequence(sequence) => rows.extend(of_sequence(sequence)),
            Relation::View(view) => of_rule(scene, i64::from(view.id), &view.reads, &view.query, &mut rows),
            Relation::Graph(_) | Relation::Shape(_) | Relation::Virtual { .. } => {}
        }
    }
    rows
}

fn is_users(relation: &Relation<'_>) -> bool {
    !matches!(relation, Relation::Shape(_) | Relation::Virtual { .. }) && relation.schema() != engine::LEDGER_SCHEMA
}

/// D2.
fn members(scene: &Scene) -> Vec<Row> {
    let extension = (EXTENSION, oids::EXTENSION, 0);
    let of_ledger = scene.relations().filter(|relation| relation.schema() == engine::LEDGER_SCHEMA);
    let members = of_ledger.map(|relation| (CLASS, relation.oid(), 0)).chain([(NAMESPACE, oids::LEDGER, 0)]);
    members.map(|member| dependency(member, extension, "e")).collect()
}

pub(super) fn extensions(_scene: &Scene) -> Vec<Row> {
    vec![row![
        "oid": oids::EXTENSION,
        "extname": "shockwave",
        "extowner": oids::OWNER,
        "extnamespace": oids::LEDGER,
        "extrelocatable": false,
        "extversion": env!("CARGO_PKG_VERSION"),
    ]]
}

fn of_sequence(sequence: &SequenceDef) -> Option<Row> {
    let (table, column) = sequence.owner?;
    let kind = if sequence.is_identity { "i" } else { "a" };
    Some(dependency((CLASS, i64::from(sequence.id()), 0), (CLASS, i64::from(table.0), i64::from(column.0)), kind))
}

fn of_table(scene: &Scene, table: &TableDef, rows: &mut Vec<Row>) {
    let own = |column: i64| (CLASS, oids::table(table), column);
    for column in &table.columns {
        let Some(rules) = table.rules.column(column.id).filter(|rules| rules.default.is_some() && rules.identity.is_none()) else {
            continue;
        };
        let default = (DEFAULT, oids::default(oids::table(table), column.id.0), 0);
        rows.push(dependency(default, own(i64::from(column.id.0)), if rules.generated { "i" } else { "a" }));
        rows.extend(rules.sequence.map(|sequence| dependency(default, (CLASS, i64::from(sequence), 0), "n")));
    }
    for check in &table.rules.checks {
        let check_columns = if check.columns.is_empty() { vec![0] } else { check.columns.iter().map(|id| i64::from(id.0)).collect() };
        rows.extend(check_columns.into_iter().map(|column| dependency((CONSTRAINT, i64::from(check.id), 0), own(column), "a")));
    }
    for reference in &table.rules.references {
        let constraint = (CONSTRAINT, i64::from(reference.id), 0);
        rows.extend(reference.columns.iter().map(|id| dependency(constraint, own(i64::from(id.0)), "a")));
        let referenced = |id: &base::ColumnId| dependency(constraint, (CLASS, i64::from(reference.table.0), i64::from(id.0)), "n");
        rows.extend(reference.referenced.iter().map(referenced));
        let parent = scene.catalog.table_by_id(reference.table);
        let index = parent.and_then(|parent| Some(oids::index(parent, parent.key(reference.key)?)));
        rows.extend(index.map(|index| dependency(constraint, (CLASS, index, 0), "n")));
    }
    if let Some(kept) = &table.rules.materialized {
        of_rule(scene, oids::table(table), &kept.reads, &kept.query, rows);
    }
}

/// An index goes with its constraint, and the constraint with its columns; another index with its columns itself.
fn of_index(table: &TableDef, key: &KeyDef) -> Vec<Row> {
    let index = (CLASS, oids::index(table, key), 0);
    let constraint = (CONSTRAINT, oids::constraint(table, key), 0);
    let is_constraint = keys::kind(table, key) != Kind::Index;
    let known = table.rules.indexes.iter().find(|index| index.id == key.id);
    let included = known.iter().flat_map(|index| &index.include).map(|id| i64::from(id.0));
    let columns = key.positions.iter().filter_map(|at| table.columns.get(*at)).map(|column| i64::from(column.id.0));
    let mut columns: Vec<i64> = columns.chain(included).collect();
    if columns.is_empty() {
        columns.push(0);
    }
    let of = if is_constraint { constraint } else { index };
    let mut rows: Vec<Row> = columns.into_iter().map(|column| dependency(of, (CLASS, oids::table(table), column), "a")).collect();
    rows.extend(is_constraint.then(|| dependency(index, constraint, "i")));
    rows
}

/// D1.
fn of_rule(scene: &Scene, view: i64, reads: &Reads, query: &str, rows: &mut Vec<Row>) {
    let rule = (oids::PG_REWRITE, oids::rule(view), 0);
    rows.extend(["n", "i"].map(|kind| dependency(rule, (CLASS, view, 0), kind)));
    for (relation, columns) in reads {
        let numbers = match columns {
            Some(columns) if !columns.is_empty() => columns.iter().map(|id| i64::from(id.0)).collect(),
            _ => vec![0],
        };
        rows.extend(numbers.into_iter().map(|column| dependency(rule, (CLASS, i64::from(*relation), column), "n")));
    }
    let keys = grouping_keys(&scene.catalog, reads, query);
    rows.extend(keys.into_iter().map(|key| dependency(rule, (CONSTRAINT, key, 0), "n")));
}

/// Primary keys that the query groups by, so that columns beside them need not be grouped.
fn grouping_keys(catalog: &Catalog, reads: &Reads, query: &str) -> Vec<i64> {
    if !query.contains("GROUP BY") {
        return Vec::new();
    }
    let parsed = parse::parse(query).unwrap_or_default();
    let Some(Statement::Query(query)) = parsed.first().map(|one| &*one.statement) else { return Vec::new() };
    let SetExpr::Select(select) = query.body.as_ref() else { return Vec::new() };
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return Vec::new() };
    let grouped: BTreeSet<(Option<String>, String)> = groups.iter().filter_map(column_of).collect();
    let factors = select.from.iter().flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    let key = |factor: &TableFactor| {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
        let [schema, table] = name.0.as_slice() else { return None };
        let (schema, own) = (fold(schema.as_ident()?), fold(table.as_ident()?));
        let called = alias.as_ref().map_or_else(|| own.clone(), |alias| fold(&alias.name));
        let table = catalog.table(&schema, &own)?;
        let is_grouped = |name: &str| {
            grouped.iter().any(|(relation, column)| column == name && relation.as_ref().is_none_or(|relation| *relation == called))
        };
        let key = table.keys().iter().find(|key| keys::kind(table, key) == Kind::Primary)?;
        let is_whole = key.positions.iter().all(|at| table.columns.get(*at).is_some_and(|column| is_grouped(&column.name)));
        let read = reads.iter().find(|(id, _)| *id == table.id.0)?;
        let is_beside =
            |column: &engine::ColumnDef| !is_grouped(&column.name) && read.1.as_ref().is_none_or(|columns| columns.contains(&column.id));
        (is_whole && table.columns.iter().any(is_beside)).then(|| oids::constraint(table, key))
    };
    factors.filter_map(key).collect()
}

/// A column's relation, if it is named, and name.
fn column_of(expr: &Expr) -> Option<(Option<String>, String)> {
    match expr {
        Expr::Identifier(column) => Some((None, fold(column))),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., relation, column] => Some((Some(fold(relation)), fold(column))),
            _ => None,
        },
        Expr::Nested(inner) => column_of(inner),
        _ => None,
    }
}

/// The rules that views are (D1).
pub(super) fn rules(scene: &Scene) -> Vec<Row> {
    let materialized = scene.tables().filter(|table| table.rules.materialized.is_some()).map(|table: &Arc<TableDef>| oids::table(table));
    let views = scene.catalog.views().map(|view| i64::from(view.id));
    let row = |view: i64| {
        row![
            "oid": oids::rule(view),
            "rulename": "_RETURN",
            "ev_class": view,
            "ev_type": "1",
            "ev_enabled": "O",
            "is_instead": true,
            "ev_qual": "<>",
            "ev_action": "<>",
        ]
    };
    views.chain(materialized).map(row).collect()
}
