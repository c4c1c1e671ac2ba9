//! Functions of Postgres's that tools ask about the catalog.
//!
//! F1: they answer from the statement's own catalog, so that a table made in the same transaction has a definition.
//! F2: an oid that is not there gives NULL, as in Postgres.
//! Never: reads a row.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type, TimeUnit, UInt32Type};
use base::{SqlError, SqlResult};
use engine::{Object, TEMPORARY_SCHEMA};
use relational::ScalarFunction;

use super::cells::{Cell, arrow_of};
use super::scene::{Relation, Scene};
use super::types;
use super::{activity, described, named_oids, names, privileges, signatures, sizes};
use crate::updatable_views;

/// An oid or another integer.
const INT: DataType = DataType::Int64;
const TEXT: DataType = DataType::Utf8;
const BOOL: DataType = DataType::Boolean;

/// The body of a function: one row's arguments, as many as the call had.
type Body = fn(&Scene, &[Cell]) -> SqlResult<Cell>;

struct Known {
    name: &'static str,
    args: Vec<DataType>,
    optional: usize,
    returns: DataType,
    body: Body,
}

fn known(name: &'static str, args: &[DataType], optional: usize, returns: DataType, body: Body) -> Known {
    Known { name, args: args.to_vec(), optional, returns, body }
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    vec![
        known("acldefault", &[TEXT, INT], 0, DataType::new_list(TEXT, true), privileges::acl_default),
        known("col_description", &[INT, INT], 0, TEXT, column_description),
        known("current_schemas", &[BOOL], 0, DataType::new_list(TEXT, true), current_schemas),
        known("format_type", &[INT, INT], 0, TEXT, format_type),
        known("has_function_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, |scene, args| privileges::on_builtin(scene, args, "regproc")),
        known("has_language_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, |scene, args| privileges::on_builtin(scene, args, "language")),
        known("has_sequence_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_sequence_privilege),
        known("has_tablespace_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, |scene, args| privileges::on_builtin(scene, args, "tablespace")),
        known("has_type_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, |scene, args| privileges::on_builtin(scene, args, "regtype")),
        known("has_any_column_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_any_column_privilege),
        known("has_column_privilege", &[TEXT, TEXT, TEXT, TEXT], 1, BOOL, privileges::has_column_privilege),
        known("has_database_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_database_privilege),
        known("has_schema_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_schema_privilege),
        known("has_table_privilege", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::has_table_privilege),
        known("obj_description", &[INT, TEXT], 1, TEXT, object_description),
        known("pg_encoding_to_char", &[INT], 0, TEXT, |_, args| Ok(if args[0] == Cell::Int(6) { "UTF8".into() } else { "".into() })),
        known("pg_function_is_visible", &[INT], 0, BOOL, always),
        known("pg_get_constraintdef", &[INT, BOOL], 1, TEXT, constraint_definition),
        known("pg_get_expr", &[TEXT, INT, BOOL], 1, TEXT, expression),
        known("pg_get_function_arguments", &[INT], 0, TEXT, signatures::arguments),
        known("pg_get_function_identity_arguments", &[INT], 0, TEXT, signatures::arguments),
        known("pg_get_function_result", &[INT], 0, TEXT, signatures::result),
        known("pg_get_indexdef", &[INT, INT, BOOL], 2, TEXT, index_definition),
        known("pg_get_partkeydef", &[INT], 0, TEXT, nothing),
        known("pg_get_propgraphdef", &[INT], 0, TEXT, graph_definition),
        known("pg_get_serial_sequence", &[TEXT, TEXT], 0, TEXT, serial_sequence),
        known("pg_get_userbyid", &[INT], 0, TEXT, user_by_id),
        known("pg_get_viewdef", &[INT, BOOL], 1, TEXT, view_definition),
        known("pg_has_role", &[TEXT, TEXT, TEXT], 1, BOOL, privileges::pg_has_role),
        known("pg_indexes_size", &[TEXT], 0, INT, sizes::indexes),
        known("pg_database_size", &[TEXT], 0, INT, sizes::database),
        known("pg_partition_ancestors", &[TEXT], 0, INT, nothing),
        known("pg_relation_is_updatable", &[INT, BOOL], 0, DataType::Int32, relation_is_updatable),
        known("pg_column_is_updatable", &[INT, INT, BOOL], 0, BOOL, column_is_updatable),
        known("pg_relation_is_publishable", &[TEXT], 0, BOOL, |_, _| Ok(false.into())),
        known("pg_relation_size", &[TEXT, TEXT], 1, INT, sizes::relation),
        known("pg_size_pretty", &[INT], 0, TEXT, size_pretty),
        known("pg_table_is_visible", &[INT], 0, BOOL, is_visible),
        known("pg_table_size", &[TEXT], 0, INT, sizes::relation),
        known("pg_tablespace_location", &[INT], 0, TEXT, |_, _| Ok("".into())),
        known("pg_tablespace_size", &[TEXT], 0, INT, sizes::database),
        known("pg_total_relation_size", &[TEXT], 0, INT, sizes::relation),
        known("pg_type_is_visible", &[INT], 0, BOOL, always),
        known("pg_collation_is_visible", &[INT], 0, BOOL, always),
        known("pg_conversion_is_visible", &[INT], 0, BOOL, always),
        known("pg_opclass_is_visible", &[INT], 0, BOOL, always),
        known("pg_operator_is_visible", &[INT], 0, BOOL, always),
        known("pg_opfamily_is_visible", &[INT], 0, BOOL, always),
        known("pg_statistics_obj_is_visible", &[INT], 0, BOOL, nothing),
        known("pg_ts_config_is_visible", &[INT], 0, BOOL, nothing),
        known("pg_ts_dict_is_visible", &[INT], 0, BOOL, nothing),
        known("pg_describe_object", &[INT, INT, INT], 0, TEXT, described::describe),
        known("regoperatorout", &[INT], 0, TEXT, described::operator),
        known("pg_stat_get_numscans", &[INT], 0, INT, nothing),
        known("pg_get_functiondef", &[INT], 0, TEXT, nothing),
        known("pg_get_function_arg_default", &[INT, INT], 0, TEXT, nothing),
        known("pg_get_function_sqlbody", &[INT], 0, TEXT, nothing),
        known("pg_get_partition_constraintdef", &[INT], 0, TEXT, nothing),
        known("pg_get_ruledef", &[INT, BOOL], 1, TEXT, nothing),
        known("pg_get_statisticsobjdef", &[INT], 0, TEXT, nothing),
        known("pg_get_statisticsobjdef_columns", &[INT], 0, TEXT, nothing),
        known("pg_get_triggerdef", &[INT, BOOL], 1, TEXT, nothing),
        known("pg_char_to_encoding", &[TEXT], 0, DataType::Int32, char_to_encoding),
        known("pg_my_temp_schema", &[], 0, DataType::UInt32, |scene, _| Ok(scene.schema_oid(TEMPORARY_SCHEMA).into())),
        known("pg_is_other_temp_schema", &[INT], 0, BOOL, |_, _| Ok(false.into())),
        known("getdatabaseencoding", &[], 0, TEXT, |_, _| Ok("UTF8".into())),
        known("inet_client_addr", &[], 0, TEXT, |scene, _| Ok(scene.backend.client.map(|client| client.ip().to_string()).into())),
        known("inet_client_port", &[], 0, DataType::Int32, |scene, _| {
            Ok(scene.backend.client.map(|client| i64::from(client.port())).into())
        }),
        known("inet_server_addr", &[], 0, TEXT, |scene, _| Ok(scene.backend.server.map(|server| server.ip().to_string()).into())),
        known("inet_server_port", &[], 0, DataType::Int32, |scene, _| {
            Ok(scene.backend.server.map(|server| i64::from(server.port())).into())
        }),
        known("pg_sequence_last_value", &[TEXT], 0, INT, sequence_last_value),
        known("pg_advisory_lock", &[INT, INT], 1, TEXT, |scene, args| activity::lock(scene, args, false, false)),
        known("pg_advisory_lock_shared", &[INT, INT], 1, TEXT, |scene, args| activity::lock(scene, args, true, false)),
        known("pg_advisory_unlock", &[INT, INT], 1, BOOL, |scene, args| activity::unlock(scene, args, false)),
        known("pg_advisory_unlock_all", &[], 0, TEXT, activity::unlock_all),
        known("pg_advisory_unlock_shared", &[INT, INT], 1, BOOL, |scene, args| activity::unlock(scene, args, true)),
        known("pg_advisory_xact_lock", &[INT, INT], 1, TEXT, |scene, args| activity::lock(scene, args, false, true)),
        known("pg_advisory_xact_lock_shared", &[INT, INT], 1, TEXT, |scene, args| activity::lock(scene, args, true, true)),
        known("pg_backend_pid", &[], 0, DataType::Int32, activity::process),
        known("pg_blocking_pids", &[INT], 0, DataType::new_list(DataType::Int32, true), activity::blockers),
        known("pg_cancel_backend", &[INT], 0, BOOL, activity::cancel),
        known("pg_client_encoding", &[], 0, TEXT, |_, _| Ok("UTF8".into())),
        known("pg_conf_load_time", &[], 0, instant(), |scene, _| Ok(scene.backends.opened_us.into())),
        known("pg_is_in_recovery", &[], 0, BOOL, |_, _| Ok(false.into())),
        known("pg_postmaster_start_time", &[], 0, instant(), |scene, _| Ok(scene.backends.opened_us.into())),
        known("pg_terminate_backend", &[INT, INT], 1, BOOL, activity::terminate),
        known("pg_try_advisory_lock", &[INT, INT], 1, BOOL, |scene, args| activity::try_lock(scene, args, false, false)),
        known("pg_try_advisory_lock_shared", &[INT, INT], 1, BOOL, |scene, args| activity::try_lock(scene, args, true, false)),
        known("pg_try_advisory_xact_lock", &[INT, INT], 1, BOOL, |scene, args| activity::try_lock(scene, args, false, true)),
        known("pg_try_advisory_xact_lock_shared", &[INT, INT], 1, BOOL, |scene, args| activity::try_lock(scene, args, true, true)),
        known("quote_ident", &[TEXT], 0, TEXT, |_, args| Ok(args[0].text().map(names::quote).into())),
        known("shobj_description", &[INT, TEXT], 0, TEXT, shared_description),
    ]
});

/// Whether a statement's text can call one of the functions: most statements cannot, and need not pay for them.
pub(crate) fn mentioned(text: &str) -> bool {
    const STEMS: [&str; 10] =
        ["acldefault", "current_schemas", "pg_", "reg", "format_type", "_description", "has_", "quote_ident", "inet_", "databaseencoding"];
    STEMS.iter().any(|stem| text.contains(stem))
        || text.bytes().any(|byte| byte.is_ascii_uppercase()) && {
            let folded = text.to_ascii_lowercase();
            STEMS.iter().any(|stem| folded.contains(stem))
        }
}

/// `timestamp with time zone`
fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The functions over one statement's catalog.
pub(crate) fn all(scene: Scene) -> Vec<ScalarFunction> {
    let scene = Arc::new(scene);
    KNOWN.iter().map(|known| adapt(known, &scene)).chain(named_oids::all(&scene)).collect()
}

fn adapt(known: &'static Known, scene: &Arc<Scene>) -> ScalarFunction {
    let scene = Arc::clone(scene);
    let call = move |arguments: &[ArrayRef]| -> SqlResult<ArrayRef> {
        // A call without arguments has one answer.
        let rows = arguments.first().map_or(1, |first| first.len());
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
        args: known.args.clone(),
        optional_args: known.optional,
        returns: known.returns.clone(),
        call: Arc::new(call),
    }
}

pub(super) fn cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt32 => Cell::Int(array.as_primitive::<UInt32Type>().value(row).into()),
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
    let is_shown = |schema: &&str| implicit.is_some() || *schema != TEMPORARY_SCHEMA;
    let (temporary, lasting): (Vec<&str>, Vec<&str>) =
        scene.path.iter().map(String::as_str).filter(is_shown).partition(|schema| *schema == TEMPORARY_SCHEMA);
    let names: Vec<String> = temporary.into_iter().chain(implicit).chain(lasting).map(names::quote).collect();
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
        None | Some(0) => names::index_definition(table, key, !is_short, args.get(2) == Some(&Cell::Bool(true))).into(),
        Some(column) => {
            let index = table.rules.indexes.iter().find(|index| index.id == key.id);
            let included = index.into_iter().flat_map(|index| &index.include).filter_map(|id| table.position(*id));
            let position = usize::try_from(column - 1).ok().and_then(|at| key.positions.iter().copied().chain(included).nth(at));
            let pretty = args.get(2) == Some(&Cell::Bool(true));
            position.map_or_else(String::new, |at| names::key_element(table, at, pretty)).into()
        }
    })
}

fn shared_description(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let [Cell::Int(oid), Cell::Text(class)] = args else { return Ok(Cell::Null) };
    Ok(super::made::shared_comment(scene, *oid, class).into())
}

/// `pg_get_expr(expression, relation [, pretty])`: catalogs have texts; a condition of an index has another one that is pretty.
fn expression(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let whole = args.first().cloned().unwrap_or(Cell::Null);
    if args.get(2) == Some(&Cell::Bool(true))
        && let (Some(text), Some(Relation::Table(table))) = (whole.text(), int(args.get(1)).and_then(|oid| scene.relation(oid)))
        && let Some(known) = table.all_computed().iter().find(|known| super::deparse::condition(table, &known.text, false) == text)
    {
        return Ok(super::deparse::condition(table, &known.text, true).into());
    }
    Ok(whole)
}

fn constraint_definition(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let pretty = args.get(1) == Some(&Cell::Bool(true));
    Ok(int(args.first()).and_then(|oid| names::constraint_definition(scene, oid, pretty)).into())
}

fn view_definition(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let definition = |query: &super::views::Query<'_>| super::views::definition(scene, query, args.get(1) == Some(&Cell::Bool(true)));
    match int(args.first()).and_then(|oid| scene.relation(oid)) {
        Some(Relation::View(view)) => Ok(definition(&super::views::Query::of(view)).into()),
        Some(Relation::Table(table)) => Ok(super::views::Query::of_table(table).map(|query| definition(&query)).into()),
        _ => Ok(Cell::Null),
    }
}

fn relation_is_updatable(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let id = int(args.first()).and_then(|oid| u32::try_from(oid).ok()).unwrap_or(0);
    Ok(i64::from(updatable_views::events(&scene.catalog, id).0).into())
}

/// Whether a column is written, and rows with it are deleted.
fn column_is_updatable(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let id = int(args.first()).and_then(|oid| u32::try_from(oid).ok()).unwrap_or(0);
    let number = int(args.get(1)).unwrap_or(0);
    let (events, written) = updatable_views::events(&scene.catalog, id);
    let position = match scene.catalog.object(id) {
        Some(Object::Table(table)) => table.columns.iter().position(|column| i64::from(column.id.0) == number),
        _ => usize::try_from(number - 1).ok(),
    };
    let wanted = updatable_views::UPDATE | updatable_views::DELETE;
    Ok((events & wanted == wanted && position.is_some_and(|at| written.contains(&at))).into())
}

fn graph_definition(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    match int(args.first()).and_then(|oid| scene.relation(oid)) {
        Some(Relation::Graph(graph)) => Ok(super::graphs::definition(scene, graph).into()),
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

fn char_to_encoding(_scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let name = args.first().and_then(Cell::text).unwrap_or_default().to_ascii_uppercase().replace(['-', '_'], "");
    Ok(match name.as_str() {
        "UTF8" | "UNICODE" => 6_i64,
        "SQLASCII" => 0,
        _ => -1,
    }
    .into())
}

fn sequence_last_value(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let Some(text) = args.first().and_then(Cell::text) else { return Ok(Cell::Null) };
    let Some(Relation::Sequence(sequence)) = scene.relation(names::read(scene, "regclass", text)?) else { return Ok(Cell::Null) };
    let state = scene.ledger.sequence_state(&scene.catalog, sequence.id())?;
    Ok(state.is_called.then_some(state.last).into())
}
