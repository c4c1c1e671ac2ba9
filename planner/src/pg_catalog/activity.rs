//! `pg_stat_activity`, `pg_prepared_statements`, `pg_cursors`, `pg_locks`, `pg_settings`, and functions about sessions.
//!
//! V1: who is neither a superuser nor the user of a session sees neither what it runs nor where it comes from.
//! V2: of locks those of tables and advisory ones are listed; who waits for a row or a key is seen by whom it waits for.
//! Never: lists sessions of another database.

use base::{SqlError, SqlResult, SqlState};
use engine::TableLockSeen;

use super::cells::{Cell, Row, array, row};
use super::scene::Scene;
use super::types;
use crate::backends::Backend;
use crate::backends::locks::{Key, Mode};

fn may_see(scene: &Scene, backend: &Backend) -> bool {
    let access = scene.access();
    access.superuser || *backend.user == *scene.user
}

pub(super) fn sessions(scene: &Scene) -> Vec<Row> {
    let row = |backend: &std::sync::Arc<Backend>| {
        let role = scene.catalog.authority().role_named(&backend.user).map(|role| i64::from(role.id));
        let mut row = row![
            "datid": super::server::oid_of(scene),
            "datname": scene.database(),
            "pid": i64::from(backend.process),
            "usesysid": role,
            "usename": backend.user.as_str(),
        ];
        if !may_see(scene, backend) {
            row.extend(row!["application_name": "", "query": "<insufficient privilege>"]);
            return row;
        }
        let seen = backend.activity();
        let waits = waits_for(scene, backend);
        row.extend(row![
            "application_name": seen.application_name,
            "client_addr": backend.client.map(|client| client.ip().to_string()),
            "client_port": backend.client.map(|client| i64::from(client.port())),
            "backend_start": backend.begun_us,
            "xact_start": seen.transaction_us,
            "query_start": seen.query_us,
            "state_change": seen.changed_us,
            "wait_event_type": waits.map(|_| "Lock").or_else(|| (seen.state != "active").then_some("Client")),
            "wait_event": waits.or_else(|| (seen.state != "active").then_some("ClientRead")),
            "state": seen.state,
            "query": &*seen.query,
            "backend_type": "client backend",
        ]);
        row
    };
    scene.backends.all().iter().map(row).collect()
}

/// What a session waits for, as `wait_event` has it.
fn waits_for(scene: &Scene, backend: &Backend) -> Option<&'static str> {
    if !scene.backends.locks.blockers(backend.process).is_empty() {
        return Some("advisory");
    }
    scene.ledger.waiting(backend.lock_owner()).map(|waiting| if waiting.table.is_some() { "relation" } else { "transactionid" })
}

pub(super) fn prepared_statements(scene: &Scene) -> Vec<Row> {
    let own = scene.backend.own();
    let types = |parameters: &[engine::SqlType]| {
        let names: Vec<String> = parameters.iter().map(|known| types::format(i64::from(known.oid()), None)).collect();
        super::cells::texts_array(&names)
    };
    let row = |(name, seen): (&String, &crate::backends::StatementSeen)| {
        row![
            "name": name.as_str(),
            "statement": &*seen.text,
            "prepare_time": seen.prepared_us,
            "parameter_types": types(&seen.parameters),
            "from_sql": seen.from_sql,
        ]
    };
    own.statements.iter().map(row).collect()
}

pub(super) fn cursors(scene: &Scene) -> Vec<Row> {
    let own = scene.backend.own();
    let row = |(name, seen): (&String, &crate::backends::CursorSeen)| {
        row![
            "name": name.as_str(),
            "statement": &*seen.text,
            "is_holdable": seen.hold,
            "is_binary": seen.binary,
            "is_scrollable": seen.scroll,
            "creation_time": seen.declared_us,
        ]
    };
    own.cursors.iter().map(row).collect()
}

pub(super) fn locks(scene: &Scene) -> Vec<Row> {
    let backends = scene.backends.all();
    let of_table = |lock: TableLockSeen| {
        let process = backends.iter().find(|backend| backend.lock_owner() == lock.owner)?.process;
        Some(row![
            "locktype": "relation",
            "database": super::server::oid_of(scene),
            "relation": i64::from(lock.table.0),
            "page": Cell::Null,
            "tuple": Cell::Null,
            "transactionid": Cell::Null,
            "classid": Cell::Null,
            "objid": Cell::Null,
            "objsubid": Cell::Null,
            "virtualtransaction": format!("{process}/{}", lock.owner),
            "pid": i64::from(process),
            "mode": lock.mode.name(),
            "granted": lock.is_granted,
            "fastpath": false,
        ])
    };
    let of_tables = scene.ledger.table_locks().into_iter().filter_map(of_table);
    of_tables.chain(advisory_locks(scene)).collect()
}

fn advisory_locks(scene: &Scene) -> Vec<Row> {
    let row = |(key, process, shared, granted): (Key, i32, bool, bool)| {
        let (class, object, kind) = match key {
            Key::One(key) => ((key >> 32) & 0xffff_ffff, key & 0xffff_ffff, 1),
            Key::Two(class, object) => (i64::from(class as u32), i64::from(object as u32), 2),
        };
        row![
            "locktype": "advisory",
            "database": super::server::oid_of(scene),
            "relation": Cell::Null,
            "page": Cell::Null,
            "tuple": Cell::Null,
            "transactionid": Cell::Null,
            "classid": class,
            "objid": object,
            "objsubid": kind,
            "virtualtransaction": format!("{process}/0"),
            "pid": i64::from(process),
            "mode": if shared { "ShareLock" } else { "ExclusiveLock" },
            "granted": granted,
            "fastpath": false,
        ]
    };
    scene.backends.locks.listed().into_iter().map(row).collect()
}

pub(super) fn settings(scene: &Scene) -> Vec<Row> {
    let row = |seen: crate::settings::Seen| {
        row![
            "name": seen.name,
            "setting": seen.setting,
            "unit": seen.unit,
            "min_val": seen.bounds.as_ref().map(|(least, _)| least.as_str()),
            "max_val": seen.bounds.as_ref().map(|(_, greatest)| greatest.as_str()),
            "category": "Client Connection Defaults",
            "short_desc": "",
            "context": if seen.is_fixed { "internal" } else { "user" },
            "vartype": seen.kind,
            "source": if seen.is_set { "session" } else { "default" },
            "enumvals": seen.choices.map(|choices| super::cells::texts_array(&choices)),
            "boot_val": seen.boot,
            "reset_val": seen.reset,
            "sourceline": Cell::Null,
            "pending_restart": false,
        ]
    };
    scene.settings.seen().map(row).collect()
}

/// Cancels or ends another session. Errors: 42501.
fn signal(scene: &Scene, args: &[Cell], what: &str, act: fn(&Backend) -> bool) -> SqlResult<Cell> {
    let process = args.first().and_then(Cell::int).flatten().and_then(|process| i32::try_from(process).ok());
    let Some(backend) = process.and_then(|process| scene.backends.find(process)) else { return Ok(false.into()) };
    let target = scene.catalog.authority().role_named(&backend.user);
    let access = scene.access();
    let is_member = target.is_some_and(|role| access.has_role(role.id));
    if !access.superuser && (target.is_some_and(|role| role.superuser) || !is_member) {
        let message = format!("must be a member of the role whose {what} or member of pg_signal_backend");
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
    }
    Ok(act(&backend).into())
}

pub(super) fn cancel(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    signal(scene, args, "query is being canceled", Backend::cancel)
}

pub(super) fn terminate(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    signal(scene, args, "process is being terminated", Backend::terminate)
}

pub(super) fn process(scene: &Scene, _args: &[Cell]) -> SqlResult<Cell> {
    Ok(i64::from(scene.backend.process).into())
}

pub(super) fn blockers(scene: &Scene, args: &[Cell]) -> SqlResult<Cell> {
    let process = args.first().and_then(Cell::int).flatten().and_then(|process| i32::try_from(process).ok());
    let Some(process) = process else { return Ok(Cell::Null) };
    let mut blockers = scene.backends.locks.blockers(process);
    let waiting = scene.backends.find(process).and_then(|backend| scene.ledger.waiting(backend.lock_owner()));
    let owners = waiting.map_or_else(Vec::new, |waiting| waiting.blockers);
    blockers.extend(scene.backends.all().iter().filter(|backend| owners.contains(&backend.lock_owner())).map(|backend| backend.process));
    Ok(array(blockers.into_iter().map(i64::from)).into())
}

fn key(args: &[Cell]) -> SqlResult<Key> {
    let number = |at: usize| args.get(at).and_then(Cell::int).flatten();
    let narrow = |value: i64| i32::try_from(value).map_err(|_| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    match (number(0), number(1)) {
        (Some(one), None) => Ok(Key::One(one)),
        (Some(first), Some(second)) => Ok(Key::Two(narrow(first)?, narrow(second)?)),
        (None, _) => Err(SqlError::internal("a lock without a number")),
    }
}

/// `pg_advisory_lock` and its kin.
pub(super) fn lock(scene: &Scene, args: &[Cell], shared: bool, transaction: bool) -> SqlResult<Cell> {
    scene.backends.locks.demand(scene.backend.process, key(args)?, Mode { shared, transaction })?;
    Ok("".into())
}

/// `pg_try_advisory_lock` and its kin.
pub(super) fn try_lock(scene: &Scene, args: &[Cell], shared: bool, transaction: bool) -> SqlResult<Cell> {
    Ok(scene.backends.locks.take(scene.backend.process, key(args)?, Mode { shared, transaction }).into())
}

/// `pg_advisory_unlock` and `pg_advisory_unlock_shared`.
pub(super) fn unlock(scene: &Scene, args: &[Cell], shared: bool) -> SqlResult<Cell> {
    Ok(scene.backends.locks.release(scene.backend.process, key(args)?, shared).into())
}

pub(super) fn unlock_all(scene: &Scene, _args: &[Cell]) -> SqlResult<Cell> {
    scene.backends.locks.release_all(scene.backend.process);
    Ok("".into())
}
