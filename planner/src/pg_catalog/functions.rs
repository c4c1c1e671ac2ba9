//! Functions of Postgres's that tools ask about the catalog.
//!
//! F1: they answer from the statement's own catalog, so that a table made in the same transaction has a definition.
//! F2: an oid that is not there gives NULL, as in Postgres.
//! Never: measures: sizes are NULL, because what a table takes on disk is shared with its history.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use base::{SqlError, SqlResult};
use relational::ScalarFunction;

use super::cells::{Cell, arrow_of};
use super::scene::{Relation, Scene};
use super::types;
use super::{names, privileges};

const INT: DataType = DataType::Int64;
const TEXT: DataType = DataType::Utf8;
const BOOL: DataType = DataType::Boolean;

/// The body of a function: one row's arguments, as many as the call had.
type Body = fn(&Scene, &[Cell]) -> SqlResult<Cell>;

struct Known {
    name: &'static str,
    args: &'static [DataType],
    optional: usize,
    returns: DataType,
    body: Body,
}

const fn known(name: &'static str, args: &'static [DataType], optional: usize, returns: DataType, body: Body) -> Known {
    Known { name, args, optional, returns, body }
}

const KNOWN: &[Known] = &[
    known("col_description", &[INT, INT], 0, TEXT, column_description),
    known("current_schemas", &[BOOL], 0, TEXT, current_schemas),
    known("format_type", &[INT, INT], 0, TEXT, format_type),
    known("has_any_column_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_any_column_privilege),
    known("has_column_privilege", &[TEXT, TEXT, TEXT, TEXT], 1, BOOL, privileges::has_column_privilege),
    known("has_database_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_database_privilege),
    known("has_schema_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_schema_privilege),
    known("has_table_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_table_privilege),
    known("obj_description", &[INT, TEXT], 1, TEXT, object_description),
    known("pg_encoding_to_char", &[INT], 0, TEXT, |_, args| Ok(if args[0] == Cell::Int(6) { "UTF8".into() } else { "".into() })),
    known("pg_function_is_visible", &[INT], 0, BOOL, always),
    known("pg_get_constraintdef", &[INT, BOOL], 1, TEXT, constraint_definition),
    known("pg_get_expr", &[TEXT, INT, BOOL], 1, TEXT, |_, args| Ok(args[0].clone())),
    known("pg_get_function_arguments", &[INT], 0, TEXT, nothing),
    known("pg_get_function_identity_arguments", &[INT], 0, TEXT, nothing),
    known("pg_get_function_result", &[INT], 0, TEXT, nothing),
    known("pg_get_indexdef", &[INT, INT, BOOL], 2, TEXT, index_definition),
    known("pg_get_partkeydef", &[INT], 0, TEXT, nothing),
    known("pg_get_serial_sequence", &[TEXT, TEXT], 0, TEXT, serial_sequence),
    known("pg_get_userbyid", &[INT], 0, TEXT, user_by_id),
    known("pg_get_viewdef", &[INT, BOOL], 1, TEXT, view_definition),
    known("pg_has_role", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::pg_has_role),
    known("pg_indexes_size", &[INT], 0, INT, nothing),
    known("pg_database_size", &[TEXT], 0, INT, nothing),
    known("pg_partition_ancestors", &[TEXT], 0, INT, nothing),
    known("pg_relation_is_publishable", &[INT], 0, BOOL, |_, _| Ok(false.into())),
    known("pg_relation_size", &[INT, TEXT], 1, INT, nothing),
    known("pg_size_pretty", &[INT], 0, TEXT, size_pretty),
    known("pg_table_is_visible", &[INT], 0, BOOL, is_visible),
    known("pg_table_size", &[INT], 0, INT, nothing),
    known("pg_tablespace_location", &[INT], 0, TEXT, |_, _| Ok("".into())),
    known("pg_total_relation_size", &[INT], 0, INT, nothing),
    known("pg_type_is_visible", &[INT], 0, BOOL, always),
    known("quote_ident", &[TEXT], 0, TEXT, |_, args| Ok(args[0].text().map(names::quote).into())),
    known("shobj_description", &[INT, TEXT], 0, TEXT, nothing),
    known("to_regclass", &[TEXT], 0, TEXT, to_regclass),
    known("regclassin", &[TEXT], 0, INT, |scene, args| read(scene, "regclass", args)),
    known("regclassout", &[INT], 0, TEXT, |scene, args| print(scene, "regclass", args)),
    known("regnamespacein", &[TEXT], 0, INT, |scene, args| read(scene, "regnamespace", args)),
    known("regnamespaceout", &[INT], 0, TEXT, |scene, args| print(scene, "regnamespace", args)),
    known("regprocin", &[TEXT], 0, INT, |scene, args| read(scene, "regproc", args)),
    known("regprocout", &[INT], 0, TEXT, |scene, args| print(scene, "regproc", args)),
    known("regrolein", &[TEXT], 0, INT, |scene, args| read(scene, "regrole", args)),
    known("regroleout", &[INT], 0, TEXT, |scene, args| print(scene, "regrole", args)),
    known("regtypein", &[TEXT], 0, INT, |scene, args| read(scene, "regtype", args)),
    known("regtypeout", &[INT], 0, TEXT, |scene, args| print(scene, "regtype", args)),
];

/// Whether a statement's text can call one of the functions: most statements cannot, and need not pay for them.
pub(crate) fn mentioned(text: &str) -> bool {
    const STEMS: [&str; 7] = ["current_schemas", "pg_", "reg", "format_type", "_description", "has_", "quote_ident"];
    STEMS.iter().any(|stem| text.contains(stem))
        || text.bytes().any(|byte| byte.is_ascii_uppercase()) && {
            let folded = text.to_ascii_lowercase();
            STEMS.iter().any(|stem| folded.contains(stem))
        }
}

/// The functions over one statement's catalog.
pub(crate) fn all(scene: Scene) -> Vec<ScalarFunction> {
    let scene = Arc::new(scene);
    KNOWN.iter().map(|known| adapt(known, &scene)).collect()
}

fn adapt(known: &'static Known, scene: &Arc<Scene>) -> ScalarFunction {
    let scene = Arc::clone(scene);
    let call = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        let rows = arguments.first().map_or(0, |first| first.len());
        let answer = |row: usize| {
            let cells: Vec<Cell> = arguments.iter().map(|array| cell(array, row)).collect();
            // Postgres calls none of these with a NULL for its first argument.
            if cells.first() == Some(&Cell::Null) { Ok(Cell::Null) } else { (known.body)(&scene, &cells) }
        };
        let cells = (0..rows).map(answer).collect::<SqlResult<Vec<_>>>()?;
        let cells: Vec<&Cell> = cells.iter().collect();
        arrow_of(&known.returns, &cells).ok_or_else(|| SqlError::internal(format!("{} answers another type", known.name)))
    };
    ScalarFunction {
        name: known.name.to_owned(),
        args: known.args.to_vec(),
        optional_args: known.optional,
        returns: known.returns.clone(),
        call: Arc::new(call),
    }
}

fn cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Utf8 => Cell::from(array.as_string::<i32>().value(row)),
        _ => Cell::Null,
    }
}

fn int(cell: Option<&Cell>) -> Option<i64> {
    cell.and_then(Cell::int).flatten()
}

fn nothing(_scene: &Scene, _args: &[Cell]) -> SqlResult<Cell> {
    Ok(Cell::Null)
}

fn always(_scene: &Scene, _args: &[Cell]) -> SqlResult<Cell> {
    Ok(true.into())
}

/// The search path's schemas as an array's text, with `pg_catalog` before them if asked for.
fn current_schemas(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let implicit = (args.first() == Some(&Cell::Bool(true))).then_some(super::PG_CATALOG);
    let names: Vec<String> = implicit.into_iter().chain(scene.path.iter().map(String::as_str)).map(names::quote).collect();
    Ok(format!("{{{}}}", names.join(",")).into())
}

fn format_type(_scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    Ok(int(args.first()).map(|oid| types::format(oid, int(args.get(1)))).into())
}

fn user_by_id(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    Ok(match int(args.first()) {
        Some(oid) => match u32::try_from(oid) {
            Ok(id) => scene.role_name(id).into(),
            Err(_) => format!("unknown (OID={oid})").into(),
        },
        None => Cell::Null,
    })
}

fn is_visible(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let relation = int(args.first()).and_then(|oid| scene.relation(oid));
    Ok(relation.map(|relation| scene.is_visible(&relation)).into())
}

/// `pg_get_indexdef(index [, column, pretty])`: of the whole index, or the name of one of its columns.
fn index_definition(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let Some(Relation::Index(table, key)) = int(args.first()).and_then(|oid| scene.relation(oid)) else { return Ok(Cell::Null) };
    let is_short = args.get(2) == Some(&Cell::Bool(true)) && scene.is_visible(&Relation::Table(table));
    Ok(match int(args.get(1)) {
        None | Some(0) => names::index_definition(table, key, !is_short).into(),
        Some(column) => {
            let position = usize::try_from(column - 1).ok().and_then(|at| key.positions.get(at));
            position.map_or_else(String::new, |at| names::quote(&table.columns[*at].name)).into()
        }
    })
}

fn constraint_definition(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let pretty = args.get(1) == Some(&Cell::Bool(true));
    Ok(int(args.first()).and_then(|oid| names::constraint_definition(scene, oid, pretty)).into())
}

fn view_definition(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    match int(args.first()).and_then(|oid| scene.relation(oid)) {
        Some(Relation::View(view)) => Ok(super::views::definition(scene, view, args.get(1) == Some(&Cell::Bool(true))).into()),
        _ => Ok(Cell::Null),
    }
}

fn object_description(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    Ok(int(args.first()).and_then(|oid| super::made::comment(scene, oid, args.get(1).and_then(Cell::text), 0)).into())
}

fn column_description(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (Some(oid), Some(column)) = (int(args.first()), int(args.get(1))) else { return Ok(Cell::Null) };
    Ok(super::made::comment(scene, oid, Some("pg_class"), column).into())
}

fn serial_sequence(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let (Some(table), Some(column)) = (args.first().and_then(Cell::text), args.get(1).and_then(Cell::text)) else {
        return Ok(Cell::Null);
    };
    let table = names::read(scene, "regclass", table)?;
    Ok(super::made::serial_sequence(scene, table, column).into())
}

fn size_pretty(_scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    let Some(bytes) = int(args.first()) else { return Ok(Cell::Null) };
    if bytes.unsigned_abs() < 10 * 1024 {
        return Ok(format!("{bytes} bytes").into());
    }
    // Postgres halves one step late, so as to round half up.
    let mut halves = bytes / 512;
    for unit in UNITS {
        if halves.unsigned_abs() < 20 * 1024 - 1 || unit == "PB" {
            return Ok(format!("{} {unit}", (halves + halves.signum()) / 2).into());
        }
        halves /= 1024;
    }
    Ok(Cell::Null)
}

fn to_regclass(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let Some(text) = args.first().and_then(Cell::text) else { return Ok(Cell::Null) };
    Ok(names::relation(scene, text)?.map(|oid| names::print(scene, "regclass", oid)).into())
}

fn read(scene: &Scene, kind: &str, args: &[Cell]) -> SqlResult<Cell> {
    match args.first().and_then(Cell::text) {
        Some(text) => names::read(scene, kind, text).map(Cell::Int),
        None => Ok(Cell::Null),
    }
}

fn print(scene: &Scene, kind: &str, args: &[Cell]) -> SqlResult<Cell> {
    Ok(int(args.first()).map(|oid| names::print(scene, kind, oid)).into())
}
