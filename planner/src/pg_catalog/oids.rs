//! Oids of what has no id in the catalog.
//!
//! O1: ids of users' objects are below 2³⁰; the two bits above say what was derived from the table: the index of the primary key it was made
//!     with, the constraint of a key, or the rule of a view.
//! O2: the oids of Postgres's own schemas, roles and tables are Postgres's.
//! Never: depends on the order or number of objects.

use engine::{KeyDef, TableDef};

/// `pg_catalog`
pub(super) const PG_CATALOG: i64 = 11;
/// `information_schema`: Postgres gives it one at initdb, below 16,384.
pub(super) const INFORMATION_SCHEMA: i64 = 13_000;
/// `ledger`: its own, beside ids 1 and 2 of its stored tables.
pub(super) const LEDGER: i64 = 900;
/// The first of the ledger's virtual tables, in the order they are listed, to which new ones are appended.
pub(super) const LEDGER_VIRTUAL: i64 = 901;
/// The first superuser, who owns what nobody else does.
pub(super) const OWNER: i64 = 10;
/// The extension that the schema `ledger` is a member of.
pub(super) const EXTENSION: i64 = 899;
/// Catalogs of Postgres's: of types, roles, rules.
pub(super) const PG_TYPE: i64 = 1247;
pub(super) const PG_AUTHID: i64 = 1260;
pub(super) const PG_REWRITE: i64 = 2618;
/// The one tablespace.
pub(super) const TABLESPACE: i64 = 1663;
/// Access methods as Postgres names them: every table's and every index's.
pub(super) const HEAP: i64 = 2;
pub(super) const BTREE: i64 = 403;
/// The database asked; Postgres gives the first one this.
pub(super) const DATABASE: i64 = 5;

const INDEX: i64 = 1 << 31;
const CONSTRAINT: i64 = 1 << 30;

/// The table's own oid.
pub(super) fn table(table: &TableDef) -> i64 {
    i64::from(table.id.0)
}

/// The index behind a key: the primary key that a table was made with has no id of its own.
pub(super) fn index(table: &TableDef, key: &KeyDef) -> i64 {
    if key.id == table.id.0 { self::table(table) | INDEX } else { i64::from(key.id) }
}

/// The constraint that a key is.
pub(super) fn constraint(_table: &TableDef, key: &KeyDef) -> i64 {
    i64::from(key.id) | CONSTRAINT
}

/// The rule that a view is.
pub(super) fn rule(view: i64) -> i64 {
    view | INDEX | CONSTRAINT
}

/// The default of a column: apart from every other's, as long as tables have fewer columns than Postgres lets them have.
pub(super) fn default(relation: i64, column: u32) -> i64 {
    (relation * 1_601 + i64::from(column)) & i64::from(u32::MAX)
}
