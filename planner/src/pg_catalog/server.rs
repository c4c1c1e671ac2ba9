//! `pg_database`, `pg_tablespace`, `pg_am`: what a server has beside its tables.
//!
//! R1: a session sees its own database only.

use engine::roles::DATABASE;

use super::cells::{Row, row};
use super::oids;
use super::scene::Scene;

/// `UTF8`
const UTF8: i64 = 6;

pub(super) fn databases(scene: &Scene) -> Vec<Row> {
    vec![row![
        "oid": oids::DATABASE,
        "datname": scene.database(),
        "datdba": i64::from(scene.owner(DATABASE)),
        "encoding": UTF8,
        "datlocprovider": "c",
        "datallowconn": true,
        "datconnlimit": -1,
        "dattablespace": oids::TABLESPACE,
        "datcollate": "C",
        "datctype": "C.UTF-8",
        "datacl": scene.acl(DATABASE),
    ]]
}

pub(super) fn tablespaces(_scene: &Scene) -> Vec<Row> {
    vec![row!["oid": oids::TABLESPACE, "spcname": "pg_default", "spcowner": oids::OWNER]]
}

pub(super) fn access_methods(_scene: &Scene) -> Vec<Row> {
    vec![
        row!["oid": oids::HEAP, "amname": "heap", "amhandler": 3, "amtype": "t"],
        row!["oid": oids::BTREE, "amname": "btree", "amhandler": 330, "amtype": "i"],
    ]
}
