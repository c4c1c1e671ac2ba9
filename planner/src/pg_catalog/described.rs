//! `pg_describe_object`: what an object is, in words.
//!
//! Never: describes an object of a kind that is not here; that is NULL.

use base::SqlResult;
use engine::TableDef;

use super::cells::Cell;
use super::dependencies::{CLASS, CONSTRAINT, EXTENSION, NAMESPACE};
use super::names::{quote, shown};
use super::oids;
use super::scene::{Relation, Scene};
use super::{builtin, types};

/// `pg_describe_object(catalog, object, column)`.
pub(super) fn describe(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let number = |at: usize| args.get(at).and_then(Cell::int).flatten();
    let (Some(class), Some(oid)) = (number(0), number(1)) else { return Ok(Cell::Null) };
    let column = number(2).unwrap_or(0);
    Ok(match class {
        CLASS => scene.relation(oid).map(|relation| of_relation(scene, &relation, column)),
        NAMESPACE => scene.schemas().find(|schema| schema.oid == oid).map(|schema| format!("schema {}", quote(schema.name))),
        EXTENSION => (oid == oids::EXTENSION).then(|| "extension shockwave".to_owned()),
        CONSTRAINT => of_constraint(scene, oid),
        oids::PG_TYPE => types::by_oid(oid).map(|_| format!("type {}", types::format(oid, None))),
        oids::PG_AUTHID => u32::try_from(oid).ok().map(|role| format!("role {}", scene.acl_name(role))),
        oids::PG_REWRITE => {
            let relation = scene.relation(oid & !oids::rule(0));
            relation.map(|relation| format!("rule _RETURN on {}", of_relation(scene, &relation, 0)))
        }
        _ => None,
    }
    .into())
}

fn of_relation(scene: &Scene, relation: &Relation<'_>, column: i64) -> String {
    let kind = match relation.kind() {
        "i" => "index",
        "S" => "sequence",
        "v" => "view",
        "m" => "materialized view",
        "g" => "property graph",
        _ => "table",
    };
    let whole = format!("{kind} {}", shown(scene, relation));
    let name = match relation {
        Relation::Table(table) => table.columns.iter().find(|known| i64::from(known.id.0) == column).map(|known| known.name.clone()),
        Relation::View(view) => usize::try_from(column - 1).ok().and_then(|at| view.columns.get(at)).map(|known| known.name.clone()),
        _ => None,
    };
    name.map_or_else(|| whole.clone(), |name| format!("column {} of {whole}", quote(&name)))
}

fn of_constraint(scene: &Scene, oid: i64) -> Option<String> {
    let named = |table: &TableDef| {
        let rules = &table.rules;
        let key = table.keys().iter().find(|key| oids::constraint(table, key) == oid).map(|key| key.name.clone());
        let check = || rules.checks.iter().find(|check| i64::from(check.id) == oid).map(|check| check.name.clone());
        let reference = || rules.references.iter().find(|one| i64::from(one.id) == oid).map(|one| one.name.clone());
        key.or_else(check).or_else(reference)
    };
    let mut found = scene.tables().filter_map(|table| Some((named(table)?, table)));
    found.next().map(|(name, table)| format!("constraint {} on {}", quote(&name), of_relation(scene, &Relation::Table(table), 0)))
}

/// `regoperator` as it is printed: a name and its operands' types.
pub(super) fn operator(_scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let Some(oid) = args.first().and_then(Cell::int).flatten() else { return Ok(Cell::Null) };
    if oid == 0 {
        return Ok("0".into());
    }
    let operand = |text: &str| match text.parse() {
        Ok(0) | Err(_) => "NONE".to_owned(),
        Ok(oid) => types::format(oid, None),
    };
    let found = builtin::lines("pg_operator").find(|line| line.first().and_then(|text| text.parse().ok()) == Some(oid));
    Ok(match found.as_deref() {
        Some([_, name, _, _, _, left, right, ..]) => format!("{name}({},{})", operand(left), operand(right)).into(),
        _ => oid.to_string().into(),
    })
}
