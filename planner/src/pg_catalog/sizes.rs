//! `pg_relation_size` and its kin: bytes of a table's sealed segments, its history included.
//!
//! Z1: rows that are in the log still count nothing; an index is in memory and counts nothing.
//! Never: reads a row.

use base::SqlResult;

use super::cells::Cell;
use super::names;
use super::scene::{Relation, Scene};

/// Bytes of a relation's segments; NULL for an oid that is not there. Errors: 42P01.
pub(super) fn relation(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let Some(text) = args.first().and_then(Cell::text) else { return Ok(Cell::Null) };
    Ok(match scene.relation(names::read(scene, "regclass", text)?) {
        Some(Relation::Table(table)) => bytes(scene.ledger.sealed_bytes(table.id)),
        Some(_) => 0.into(),
        None => Cell::Null,
    })
}

/// Z1. Errors: 42P01.
pub(super) fn indexes(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let Some(text) = args.first().and_then(Cell::text) else { return Ok(Cell::Null) };
    Ok(scene.relation(names::read(scene, "regclass", text)?).map(|_| 0).into())
}

/// All tables of the database, however it is named.
pub(super) fn database(scene: &Scene, _args: &[Cell]) -> SqlResult<Cell> {
    Ok(bytes(scene.tables().map(|table| scene.ledger.sealed_bytes(table.id)).sum()))
}

fn bytes(bytes: u64) -> Cell {
    i64::try_from(bytes).unwrap_or(i64::MAX).into()
}
