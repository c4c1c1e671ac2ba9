//! `pg_database`, `pg_tablespace`, `pg_am`: what a server has beside its tables.
//!
//! R1: every database of the server is listed; who owns another is told by the id that the role has there.

use std::sync::Arc;

use engine::FIRST_DATABASE;
use engine::roles::DATABASE;

use super::cells::{Row, row};
use super::oids;
use super::scene::Scene;
use crate::database::Database;

/// `UTF8`
const UTF8: i64 = 6;

pub(super) fn databases(scene: &Scene) -> Vec<Row> {
    scenes(scene).iter().map(database).collect()
}

/// What each database of the server answers from, by name.
pub(super) fn scenes(scene: &Scene) -> Vec<Scene> {
    let others = scene.cluster.upgrade().map_or_else(Vec::new, |cluster| cluster.all());
    let seen = |database: &Arc<Database>| {
        let ledger = Arc::clone(database.ledger());
        Scene { catalog: ledger.snapshot().catalog, ledger, ..scene.clone() }
    };
    let others = others.iter().filter(|database| database.name() != scene.database()).map(seen);
    // The session's own is that of its transaction.
    let mut all: Vec<Scene> = std::iter::once(scene.clone()).chain(others).collect();
    all.sort_by(|one, other| one.database().cmp(other.database()));
    all
}

fn database(scene: &Scene) -> Row {
    row![
        "oid": oid_of(scene),
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
    ]
}

/// The first database has that of `postgres`; others have one out of their ledger's id.
pub(super) fn oid_of(scene: &Scene) -> i64 {
    if scene.database() == FIRST_DATABASE {
        return oids::DATABASE;
    }
    let id = scene.ledger.id().0;
    i64::from(u32::from_be_bytes([id[0], id[1], id[2], id[3]]) >> 2) + (1 << 30)
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
