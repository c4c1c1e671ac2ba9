//! `pg_roles`, `pg_authid`, `pg_user`, `pg_group`, `pg_auth_members`, the roles of `information_schema`, and access control lists as text.
//!
//! R1: no verifier is shown: `pg_authid.rolpassword` is the hash that the catalog has.
//! Never: judges a right beyond what a list of rows must leave out.

use engine::roles::{AclItem, PUBLIC};
use engine::{RoleDef, SettingsDef};

use super::cells::{Row, row};
use super::scene::Scene;
use crate::rights::access::{Access, Kind, closure, default_acl};

fn all(scene: &Scene) -> impl Iterator<Item = &RoleDef> {
    scene.catalog.authority().roles().map(|role| &**role)
}

fn common(role: &RoleDef) -> Row {
    row![
        "oid": i64::from(role.id),
        "rolname": role.name.as_str(),
        "rolsuper": role.superuser,
        "rolinherit": role.inherit,
        "rolcreaterole": role.create_role,
        "rolcreatedb": role.create_db,
        "rolcanlogin": role.login,
        "rolconnlimit": i64::from(role.connection_limit),
        "rolvaliduntil": role.valid_until_us,
    ]
}

pub(super) fn roles(scene: &Scene) -> Vec<Row> {
    let row = |role: &RoleDef| {
        let mut row = common(role);
        let kept = scene.catalog.settings().find(|kept| kept.role == role.id && !kept.of_database);
        row.extend(row!["rolpassword": "********", "rolconfig": kept.map(|kept| configuration(kept))]);
        row
    };
    all(scene).map(row).collect()
}

pub(super) fn authids(scene: &Scene) -> Vec<Row> {
    let row = |role: &RoleDef| {
        let mut row = common(role);
        row.extend(row!["rolpassword": role.password.as_deref()]);
        row
    };
    all(scene).map(row).collect()
}

pub(super) fn users(scene: &Scene) -> Vec<Row> {
    let row = |role: &RoleDef| {
        row![
            "usename": role.name.as_str(),
            "usesysid": i64::from(role.id),
            "usecreatedb": role.create_db,
            "usesuper": role.superuser,
            "passwd": "********",
            "valuntil": role.valid_until_us,
        ]
    };
    all(scene).filter(|role| role.login).map(row).collect()
}

pub(super) fn groups(scene: &Scene) -> Vec<Row> {
    let row = |group: &RoleDef| {
        let members = all(scene).filter(|role| role.member_of.iter().any(|member| member.role == group.id));
        row![
            "groname": group.name.as_str(),
            "grosysid": i64::from(group.id),
            "grolist": super::cells::array(members.map(|role| i64::from(role.id))),
        ]
    };
    all(scene).filter(|role| !role.login).map(row).collect()
}

pub(super) fn members(scene: &Scene) -> Vec<Row> {
    let rows = |member: &RoleDef| {
        let id = i64::from(member.id);
        let row = move |joined: &engine::roles::Membership| {
            row![
                "roleid": i64::from(joined.role),
                "member": id,
                "grantor": i64::from(joined.grantor),
                "admin_option": joined.admin,
            ]
        };
        member.member_of.iter().map(row).collect::<Vec<_>>()
    };
    all(scene).flat_map(rows).collect()
}

/// The roles that the session's has the rights of.
pub(super) fn enabled(scene: &Scene) -> Vec<&RoleDef> {
    let access = scene.access();
    all(scene).filter(|role| access.has_role(role.id)).collect()
}

pub(super) fn enabled_roles(scene: &Scene) -> Vec<Row> {
    enabled(scene).into_iter().map(|role| row!["role_name": role.name.as_str()]).collect()
}

pub(super) fn applicable_roles(scene: &Scene) -> Vec<Row> {
    let enabled = enabled(scene);
    let name = |id| scene.role_name(id);
    let rows = |member: &&RoleDef| {
        let grantee = member.name.clone();
        let row = move |joined: &engine::roles::Membership| row!["grantee": grantee.as_str(), "role_name": name(joined.role), "is_grantable": if joined.admin { "YES" } else { "NO" }];
        member.member_of.iter().map(row).collect::<Vec<_>>()
    };
    enabled.iter().flat_map(rows).collect()
}

/// What roles grant on objects that they make from now on.
pub(super) fn default_privileges(scene: &Scene) -> Vec<Row> {
    let mut rows: Vec<(u32, Row)> = Vec::new();
    for grants in scene.catalog.authority().all_grants() {
        let Some(new) = grants.for_new else { continue };
        let row = row![
            "oid": i64::from(grants.id),
            "defaclrole": i64::from(grants.owner),
            "defaclnamespace": i64::from(new.schema),
            "defaclobjtype": new.kind.to_string(),
            "defaclacl": scene.acl(grants.object),
        ];
        rows.push((grants.id, row));
    }
    rows.sort_by_key(|(id, _)| *id);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// What sessions begin with.
pub(super) fn kept_settings(scene: &Scene) -> Vec<Row> {
    let row = |kept: &std::sync::Arc<SettingsDef>| {
        row![
            "setdatabase": if kept.of_database { super::server::oid_of(scene) } else { 0 },
            "setrole": i64::from(kept.role),
            "setconfig": configuration(kept),
        ]
    };
    scene.catalog.settings().map(row).collect()
}

fn configuration(kept: &SettingsDef) -> String {
    super::cells::texts_array(&kept.values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>())
}

impl Scene {
    /// What the session's role may do.
    pub(super) fn access(&self) -> Access {
        let role = self.catalog.authority().role_named(&self.user).map_or(u32::MAX, |role| role.id);
        Access::of(&self.catalog, role)
    }

    /// The role's name, as Postgres shows one that is gone.
    pub(super) fn role_name(&self, id: u32) -> String {
        self.catalog.authority().role(id).map_or_else(|| format!("unknown (OID={id})"), |role| role.name.clone())
    }

    /// Who owns an object.
    pub(super) fn owner(&self, object: u32) -> u32 {
        self.catalog.authority().owner_of(object)
    }

    /// The access control list of an object, as the text of an array; `None` while nothing was granted or revoked.
    pub(super) fn acl(&self, object: u32) -> Option<String> {
        let grants = self.catalog.authority().grants_on(object)?;
        grants.acl.as_ref().map(|list| self.acl_text(list))
    }

    /// That of the schema `public` while nothing was granted or revoked.
    pub(super) fn acl_of_public_schema(&self, schema: u32) -> String {
        self.acl_text(&default_acl(Kind::PublicSchema, self.owner(schema)))
    }

    /// The same of a column.
    pub(super) fn column_acl(&self, object: u32, column: u32) -> Option<String> {
        let grants = self.catalog.authority().grants_on(object)?;
        grants.columns.get(&column).map(|list| self.acl_text(list))
    }

    /// A role as an access control list names it.
    pub(super) fn acl_name(&self, role: u32) -> String {
        plain(&self.role_name(role))
    }

    fn acl_text(&self, list: &[AclItem]) -> String {
        let item = |item: &AclItem| {
            let grantee = if item.grantee == PUBLIC { String::new() } else { self.acl_name(item.grantee) };
            element(&format!("{grantee}={}/{}", item.letters(), self.acl_name(item.grantor)))
        };
        format!("{{{}}}", list.iter().map(item).collect::<Vec<_>>().join(","))
    }

    /// Whether a role belongs to another, by their names or oids; `usage` asks for what it has without SET ROLE.
    pub(super) fn belongs(&self, member: u32, role: u32, usage: bool) -> bool {
        let access = Access::of(&self.catalog, member);
        access.superuser || closure(self.catalog.authority(), member, usage).contains(&role)
    }
}

/// A role's name in an access control list.
fn plain(name: &str) -> String {
    let safe = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if safe { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// An element of an array's text.
fn element(text: &str) -> String {
    if text.chars().any(|letter| letter.is_whitespace() || matches!(letter, '"' | '\\' | ',' | '{' | '}')) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}
