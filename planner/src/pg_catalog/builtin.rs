//! Rows that are the same in every database: PostgreSQL 15's own functions, operators, casts, operator classes, collations.
//!
//! B1: a file `builtin/*.tsv` has a line of column names, then rows as COPY writes them; columns that it leaves out are as `cells` fills them.
//! B2: only what has to do with types and functions that are here is listed; the files are made from PostgreSQL 15's catalog.
//! Never: changes while the server runs, so its batches are made once.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use arrow::array::RecordBatch;
use base::{SqlError, SqlResult};

use super::cells::{self, Cell, Row};
use super::shapes::Shape;

/// The tables, by name in `pg_catalog`.
const FILES: &[(&str, &str)] = &[
    ("pg_aggregate", include_str!("builtin/pg_aggregate.tsv")),
    ("pg_amop", include_str!("builtin/pg_amop.tsv")),
    ("pg_amproc", include_str!("builtin/pg_amproc.tsv")),
    ("pg_cast", include_str!("builtin/pg_cast.tsv")),
    ("pg_collation", include_str!("builtin/pg_collation.tsv")),
    ("pg_language", include_str!("builtin/pg_language.tsv")),
    ("pg_opclass", include_str!("builtin/pg_opclass.tsv")),
    ("pg_operator", include_str!("builtin/pg_operator.tsv")),
    ("pg_opfamily", include_str!("builtin/pg_opfamily.tsv")),
    ("pg_proc", include_str!("builtin/pg_proc.tsv")),
];

/// What every row of a table has beside its file's columns: schema and owner.
const COMMON: [(&str, i64); 11] = [
    ("collnamespace", 11),
    ("collowner", 10),
    ("lanowner", 10),
    ("opcnamespace", 11),
    ("opcowner", 10),
    ("opfnamespace", 11),
    ("opfowner", 10),
    ("oprnamespace", 11),
    ("oprowner", 10),
    ("pronamespace", 11),
    ("proowner", 10),
];

static MADE: LazyLock<Mutex<HashMap<&'static str, RecordBatch>>> = LazyLock::new(Mutex::default);

/// The batch of such a table; `None` for another.
pub(super) fn batch(shape: &Shape) -> SqlResult<Option<RecordBatch>> {
    if shape.schema != super::PG_CATALOG {
        return Ok(None);
    }
    let Some((name, text)) = FILES.iter().find(|(name, _)| *name == shape.name) else { return Ok(None) };
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(batch) = made.get(name) {
        return Ok(Some(batch.clone()));
    }
    let batch = cells::batch(shape, &rows(shape, text)?)?;
    made.insert(*name, batch.clone());
    Ok(Some(batch))
}

/// B1.
fn rows(shape: &Shape, text: &'static str) -> SqlResult<Vec<Row>> {
    let mut lines = text.lines();
    let names: Vec<&'static str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &&str| shape.columns.iter().find(|column| column.name == *name);
    let columns = names.iter().map(column).collect::<Option<Vec<_>>>();
    let columns = columns.ok_or_else(|| SqlError::internal(format!("B1: {} has other columns", shape.name)))?;
    let common = COMMON.iter().filter(|(name, _)| shape.columns.iter().any(|column| column.name == *name));
    let common: Row = common.map(|(name, value)| (*name, Cell::Int(*value))).collect();
    let row = |line: &'static str| {
        let cells = line.split('\t').zip(&columns).map(|(text, column)| (column.name, read(text, column.type_name)));
        cells.chain(common.iter().cloned()).collect::<Row>()
    };
    Ok(lines.map(row).collect())
}

fn read(text: &'static str, type_name: &str) -> Cell {
    match type_name {
        _ if text == "\\N" => Cell::Null,
        "bool" => Cell::Bool(text == "t"),
        "int2" | "int4" | "int8" | "oid" | "regproc" | "float4" => text.parse().map_or(Cell::Null, Cell::Int),
        _ => Cell::from(text),
    }
}

/// The rows of a table's file, column by column.
pub(super) fn lines(table: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let text = FILES.iter().find(|(name, _)| *name == table).map_or("", |(_, text)| text);
    text.lines().skip(1).map(|line| line.split('\t').collect())
}

/// One of Postgres's functions.
pub(super) struct Function {
    pub(super) oid: i64,
    pub(super) name: &'static str,
    /// Oids of its arguments.
    pub(super) args: Vec<i64>,
    pub(super) returns: i64,
    pub(super) kind: &'static str,
    pub(super) returns_set: bool,
    pub(super) names: &'static str,
}

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let text = FILES.iter().find(|(name, _)| *name == "pg_proc").map_or("", |(_, text)| text);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap_or(0);
    let places = ["oid", "proname", "proargtypes", "prorettype", "prokind", "proretset", "proargnames"].map(at);
    let read = |line: &'static str| {
        let parts: Vec<&'static str> = line.split('\t').collect();
        let part = |at: usize| parts.get(places[at]).copied().unwrap_or_default();
        Some(Function {
            oid: part(0).parse().ok()?,
            name: part(1),
            args: part(2).split_whitespace().filter_map(|oid| oid.parse().ok()).collect(),
            returns: part(3).parse().ok()?,
            kind: part(4),
            returns_set: part(5) == "t",
            names: part(6),
        })
    };
    lines.filter_map(read).collect()
});

/// Every function listed.
pub(super) fn functions() -> &'static [Function] {
    &FUNCTIONS
}

/// A function by oid.
pub(super) fn function(oid: i64) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by_key(&oid, |function| function.oid).ok().and_then(|at| FUNCTIONS.get(at))
}
