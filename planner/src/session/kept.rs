//! What a session begins with: the settings that ALTER ROLE and ALTER DATABASE keep, before those of its client.
//!
//! B1: of several the one that says most wins: of everyone, of the database, of the role, of the role in the database.
//! B2: one that cannot be set any more is passed over, so that nobody is kept out by it.
//! Never: asks for rights; those were asked when it was kept.

use engine::Catalog;

use crate::rights::access::Access;
use crate::settings::Settings;

/// The settings of a user's session; an application that gave its name keeps it.
pub(super) fn begin_with(settings: &mut Settings, catalog: &Catalog, user: &str, is_named: bool) {
    let Some(role) = catalog.authority().role_named(user) else { return };
    let mut kept: Vec<_> = catalog.settings().filter(|kept| kept.role == 0 || kept.role == role.id).collect();
    kept.sort_by_key(|kept| (kept.role != 0, kept.of_database));
    for (name, value) in kept.iter().flat_map(|kept| &kept.values) {
        match name.as_str() {
            "role" => become_role(settings, catalog, role.id, value),
            "application_name" if is_named => {}
            // B2
            name => drop(settings.set_default(name, value)),
        }
    }
}

fn become_role(settings: &mut Settings, catalog: &Catalog, user: u32, value: &str) {
    let own = Access::of(catalog, user);
    match catalog.authority().role_named(value) {
        Some(role) if own.has_role(role.id) => settings.become_role("role", Some(value), role.superuser),
        _ => {}
    }
}
