//! `has_table_privilege` and its family, `pg_has_role`, and the grants of `information_schema`.
//!
//! H1: objects and roles are given by name or by oid; of several privileges one is enough, as in Postgres.
//! Never: answers for a name that is not there: that is an error, an oid that is not there is NULL.

use base::{SqlError, SqlResult, SqlState};
use engine::TableDef;
use engine::roles::{DATABASE, PUBLIC, privilege};

use super::cells::{Cell, Row, row};
use super::names;
use super::scene::{Relation, Scene};
use crate::rights::access::{Access, Kind, default_acl};
use crate::rights::things::privilege_named;

/// The role asked about and the other arguments: the session's own where it is left out.
fn asked<'a>(scene: &Scene, args: &'a [Cell], with_role: usize) -> SqlResult<(Access, &'a [Cell])> {
    if args.len() < with_role {
        return Ok((scene.access(), args));
    }
    let role = role(scene, &args[0])?;
    Ok((Access::of(&scene.catalog, role), &args[1..]))
}

/// A role by name or oid; `public` is nobody in particular.
fn role(scene: &Scene, cell: &Cell) -> SqlResult<u32> {
    let text = cell.text().unwrap_or_default();
    if text == "public" {
        return Ok(u32::MAX);
    }
    if let Some(role) = scene.catalog.authority().role_named(text) {
        return Ok(role.id);
    }
    match text.parse() {
        Ok(oid) => Ok(oid),
        Err(_) => Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{text}\" does not exist"))),
    }
}

/// Whether one of the privileges listed is had, as `has` tells of a set. Errors: 22023 for an unknown one.
fn any(list: &Cell, all: u16, has: impl Fn(u16, bool) -> bool) -> SqlResult<Cell> {
    let text = list.text().unwrap_or_default();
    let mut found = false;
    for item in text.split(',') {
        let item = item.trim().to_lowercase();
        let (name, grantable) = match item.strip_suffix(" with grant option") {
            Some(name) => (name.trim_end(), true),
            None => (item.as_str(), false),
        };
        let unknown =
            || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unrecognized privilege type: \"{}\"", name.to_uppercase()));
        let bit = privilege_named(name).filter(|bit| bit & all != 0).ok_or_else(unknown)?;
        found |= has(bit, grantable);
    }
    Ok(found.into())
}

/// `acldefault(type, owner)`: what is granted on a new object of a kind, which `"char"` names. Errors: XX000 for another letter.
pub(super) fn acl_default(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let [kind, Cell::Int(owner)] = args else { return Ok(Cell::Null) };
    let (public, own) = match kind.text().unwrap_or_default() {
        "c" | "p" => ("", ""),
        "r" => ("", "arwdDxt"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        other => return Err(SqlError::internal(format!("unrecognized object type abbreviation: {other}"))),
    };
    let owner = scene.acl_name(u32::try_from(*owner).unwrap_or(u32::MAX));
    let items = [("", public), (owner.as_str(), own)].into_iter().filter(|(_, letters)| !letters.is_empty());
    Ok(super::cells::texts_array(&items.map(|(grantee, letters)| format!("{grantee}={letters}/{owner}")).collect::<Vec<_>>()).into())
}

/// Whether it may be passed on.
fn grantable(scene: &Scene, access: &Access, kind: Kind, object: u32, bit: u16) -> bool {
    let grants = scene.catalog.authority().grants_on(object);
    let list = grants.and_then(|grants| grants.acl.clone()).unwrap_or_else(|| default_acl(kind, scene.owner(object)));
    access.grantable(&scene.catalog, object, &list, bit) != 0
}

/// A table, or `Some(None)` for a relation that everyone may read.
fn table<'a>(scene: &'a Scene, cell: &Cell) -> SqlResult<Option<Relation<'a>>> {
    let text = cell.text().unwrap_or_default();
    let oid = match text.parse() {
        Ok(oid) => oid,
        Err(_) => names::read(scene, "regclass", text)?,
    };
    Ok(scene.relation(oid))
}

fn on_table(scene: &Scene, access: &Access, relation: &Relation<'_>, bit: u16, option: bool) -> bool {
    match relation {
        Relation::Table(table) if table.schema == engine::LEDGER_SCHEMA => ledger(access, bit),
        Relation::Table(table) if option => grantable(scene, access, Kind::Table, table.id.0, bit),
        Relation::Table(table) => access.on(&scene.catalog, Kind::Table, table.id.0, bit) != 0,
        Relation::View(view) if option => grantable(scene, access, Kind::View, view.id, bit),
        Relation::View(view) => access.on(&scene.catalog, Kind::View, view.id, bit) != 0,
        Relation::Virtual { .. } => ledger(access, bit),
        Relation::Graph(graph) if option => grantable(scene, access, Kind::Graph, graph.id, bit),
        Relation::Graph(graph) => access.on(&scene.catalog, Kind::Graph, graph.id, bit) != 0,
        Relation::Sequence(sequence) if option => grantable(scene, access, Kind::Sequence, sequence.id(), bit),
        Relation::Sequence(sequence) => access.on(&scene.catalog, Kind::Sequence, sequence.id(), bit) != 0,
        Relation::Shape(shape) => access.superuser || (bit == privilege::SELECT && shape.name != "pg_authid"),
        _ => access.superuser,
    }
}

fn ledger(access: &Access, bit: u16) -> bool {
    bit == privilege::SELECT && access.reads_ledger()
}

pub(super) fn has_table_privilege(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 3)?;
    let Some(relation) = table(scene, &rest[0])? else { return Ok(Cell::Null) };
    any(&rest[1], Kind::Table.all(), |bit, option| on_table(scene, &access, &relation, bit, option))
}

pub(super) fn has_column_privilege(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 4)?;
    let Some(relation) = table(scene, &rest[0])? else { return Ok(Cell::Null) };
    let Relation::Table(table) = &relation else {
        return any(&rest[2], Kind::Table.all(), |bit, option| on_table(scene, &access, &relation, bit, option));
    };
    let column = column(table, rest[1].text().unwrap_or_default())?;
    any(&rest[2], Kind::Table.all(), |bit, option| {
        on_table(scene, &access, &relation, bit, option)
            || (!option && table.schema != engine::LEDGER_SCHEMA && access.on_column(&scene.catalog, table, column, bit) != 0)
    })
}

pub(super) fn has_any_column_privilege(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 3)?;
    let Some(relation) = table(scene, &rest[0])? else { return Ok(Cell::Null) };
    any(&rest[1], Kind::Table.all(), |bit, option| {
        let by_column =
            |table: &TableDef| table.columns.iter().any(|column| access.on_column(&scene.catalog, table, column.id.0, bit) != 0);
        on_table(scene, &access, &relation, bit, option)
            || matches!(&relation, Relation::Table(table) if !option && table.schema != engine::LEDGER_SCHEMA && by_column(table))
    })
}

/// A column by name or number.
fn column(table: &TableDef, text: &str) -> SqlResult<u32> {
    let number: Option<u32> = text.parse().ok();
    let found = table.columns.iter().find(|column| column.name == text || Some(column.id.0) == number);
    found.map(|column| column.id.0).ok_or_else(|| {
        let message = format!("column \"{text}\" of relation \"{}\" does not exist", table.name);
        SqlError::new(SqlState::UNDEFINED_COLUMN, message)
    })
}

pub(super) fn has_schema_privilege(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 3)?;
    let text = rest[0].text().unwrap_or_default();
    let found = scene.schemas().find(|schema| schema.name == text || text.parse() == Ok(schema.oid)).map(|schema| schema.name.to_owned());
    let name = match (found, text.parse::<i64>()) {
        (Some(name), _) => name,
        (None, Ok(_)) => return Ok(Cell::Null),
        (None, Err(_)) => {
            return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{text}\" does not exist")));
        }
    };
    any(&rest[1], Kind::Schema.all(), |bit, option| match scene.catalog.schema(&name) {
        Some(schema) if option => grantable(scene, &access, Kind::of_schema(schema), schema.id, bit),
        Some(schema) => access.on(&scene.catalog, Kind::of_schema(schema), schema.id, bit) != 0,
        // What needs no definition: everyone looks, nobody but a superuser creates.
        None => access.superuser || bit == privilege::USAGE,
    })
}

pub(super) fn has_database_privilege(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 3)?;
    any(&rest[1], Kind::Database.all(), |bit, option| match option {
        true => grantable(scene, &access, Kind::Database, DATABASE, bit),
        false => access.on(&scene.catalog, Kind::Database, DATABASE, bit) != 0,
    })
}

pub(super) fn has_sequence_privilege(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 3)?;
    let Some(relation) = table(scene, &rest[0])? else { return Ok(Cell::Null) };
    let Relation::Sequence(_) = &relation else {
        let message = format!("\"{}\" is not a sequence", relation.name());
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
    };
    any(&rest[1], Kind::Sequence.all(), |bit, option| on_table(scene, &access, &relation, bit, option))
}

/// What Postgres gives everyone: EXECUTE on its functions, USAGE on its types and languages; CREATE in tablespaces nobody but superusers.
/// Errors: what reading the name raises, 22023.
pub(super) fn on_builtin(scene: &Scene, args: &[Cell], kind: &str) -> SqlResult<Cell> {
    let (access, rest) = asked(scene, args, 3)?;
    let text = rest[0].text().unwrap_or_default();
    if kind.starts_with("reg") && text.parse::<i64>().is_err() {
        let kind = if kind == "regproc" && text.contains('(') { "regprocedure" } else { kind };
        names::read(scene, kind, text)?;
    }
    let list = rest[1].text().unwrap_or_default();
    let wanted = match kind {
        "regproc" => "execute",
        "tablespace" => "create",
        _ => "usage",
    };
    for item in list.split(',') {
        let item = item.trim().to_lowercase();
        if item.strip_suffix(" with grant option").unwrap_or(&item).trim_end() != wanted {
            let message = format!("unrecognized privilege type: \"{}\"", item.to_uppercase());
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
    }
    Ok((access.superuser || kind != "tablespace").into())
}

pub(super) fn pg_has_role(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (member, rest) = match args {
        [_, _, _] => (role(scene, &args[0])?, &args[1..]),
        rest => (scene.access().role, rest),
    };
    let asked = role(scene, &rest[0])?;
    let how = rest[1].text().unwrap_or_default().to_lowercase();
    let mut found = false;
    for item in how.split(',') {
        found |= match item.trim() {
            "usage" => scene.belongs(member, asked, true),
            "member" => scene.belongs(member, asked, false),
            other => {
                let message = format!("unrecognized privilege type: \"{}\"", other.to_uppercase());
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
        };
    }
    Ok(found.into())
}

/// Names of table privileges in the order of their letters.
const TABLE_PRIVILEGES: [(&str, u16); 7] = [
    ("INSERT", privilege::INSERT),
    ("SELECT", privilege::SELECT),
    ("UPDATE", privilege::UPDATE),
    ("DELETE", privilege::DELETE),
    ("TRUNCATE", privilege::TRUNCATE),
    ("REFERENCES", privilege::REFERENCES),
    ("TRIGGER", privilege::TRIGGER),
];

pub(super) fn table_privileges(scene: &Scene) -> Vec<Row> {
    grants(scene, true)
}

pub(super) fn role_table_grants(scene: &Scene) -> Vec<Row> {
    grants(scene, false)
}

/// Grants that the session's roles made or got, and with `public` those to everyone.
fn grants(scene: &Scene, public: bool) -> Vec<Row> {
    let access = scene.access();
    let yes = |is: bool| if is { "YES" } else { "NO" };
    let tables = scene.tables().filter(|table| table.schema != engine::LEDGER_SCHEMA);
    let tables = tables.map(|table| (Kind::Table, table.id.0, &table.schema, &table.name));
    let relations = tables.chain(scene.catalog.views().map(|view| (Kind::View, view.id, &view.schema, &view.name)));
    let mut rows = Vec::new();
    for (kind, id, schema, name) in relations {
        let owner = scene.owner(id);
        let known = scene.catalog.authority().grants_on(id).and_then(|grants| grants.acl.clone());
        for item in known.unwrap_or_else(|| default_acl(kind, owner)) {
            let concerned = access.has_role(item.grantor) || access.has_role(item.grantee) || (public && item.grantee == PUBLIC);
            for (word, bit) in TABLE_PRIVILEGES.into_iter().filter(|(_, bit)| concerned && item.privileges & bit != 0) {
                rows.push(row![
                    "grantor": scene.role_name(item.grantor),
                    "grantee": if item.grantee == PUBLIC { "PUBLIC".to_owned() } else { scene.role_name(item.grantee) },
                    "table_catalog": scene.database(),
                    "table_schema": schema.as_str(),
                    "table_name": name.as_str(),
                    "privilege_type": word,
                    "is_grantable": yes(item.grantable & bit != 0 || item.grantee == owner),
                    "with_hierarchy": yes(bit == privilege::SELECT),
                ]);
            }
        }
    }
    rows
}
