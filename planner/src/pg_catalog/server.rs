//! `pg_database`, `pg_roles`, `pg_user`, `pg_tablespace`, `pg_am`: what a server has beside its tables.
//!
//! R1: there is one role: whoever asks. This version knows no other, and everyone may do everything.
//! R2: a session sees its own database only.

use super::cells::{Row, row};
use super::oids;
use super::scene::Scene;

/// `UTF8`
const UTF8: i64 = 6;

pub(super) fn databases(scene: &Scene) -> Vec<Row> {
    vec![row![
        "oid": oids::DATABASE,
        "datname": scene.database(),
        "datdba": oids::OWNER,
        "encoding": UTF8,
        "datlocprovider": "c",
        "datallowconn": true,
        "datconnlimit": -1,
        "dattablespace": oids::TABLESPACE,
        "datcollate": "C",
        "datctype": "C.UTF-8",
    ]]
}

pub(super) fn roles(scene: &Scene) -> Vec<Row> {
    vec![row![
        "rolname": scene.user(),
        "rolsuper": true,
        "rolinherit": true,
        "rolcreaterole": true,
        "rolcreatedb": true,
        "rolcanlogin": true,
        "rolconnlimit": -1,
        "rolpassword": "********",
        "oid": oids::OWNER,
    ]]
}

pub(super) fn users(scene: &Scene) -> Vec<Row> {
    vec![row![
        "usename": scene.user(),
        "usesysid": oids::OWNER,
        "usecreatedb": true,
        "usesuper": true,
        "passwd": "********",
    ]]
}

pub(super) fn tablespaces(_scene: &Scene) -> Vec<Row> {
    vec![row!["oid": oids::TABLESPACE, "spcname": "pg_default", "spcowner": oids::OWNER]]
}

pub(super) fn access_methods(_scene: &Scene) -> Vec<Row> {
    vec![
        row!["oid": oids::HEAP, "amname": "heap", "amhandler": "heap_tableam_handler", "amtype": "t"],
        row!["oid": oids::BTREE, "amname": "btree", "amhandler": "bthandler", "amtype": "i"],
    ]
}
