//! Roles and grants as objects of the catalog: who may log in, who belongs to whom, who owns what and who may do what with it.
//!
//! R1: the definition text is a pure function of the definition, like a table's.
//! R2: an object without a grants row belongs to the first superuser and has its kind's default privileges, so ledgers that never heard of roles
//!     read as they always did.
//! R3: no secret is in a definition: a password stands there as the BLAKE3 of its verifier (verifiers.rs), which tells nothing without the salt.
//! Never: decides what is allowed; the planner does.
//! Format: docs/formats/leaf.md, «roles and grants».

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use hashbrown::HashMap;
use serde_json::{Value, json};

/// Everyone, as a grantee.
pub const PUBLIC: u32 = 0;
/// The superuser every database begins with; Postgres's own id.
pub const FIRST_SUPERUSER: u32 = 10;
/// Name of the superuser every database begins with.
pub const FIRST_SUPERUSER_NAME: &str = "shockwave";
/// `shockwave_reader`: reads every table.
pub const READER: u32 = 11;
/// `shockwave_writer`: reads and writes the rows of every table.
pub const WRITER: u32 = 12;
/// `shockwave_auditor`: reads the ledger's own tables and what it is granted, writes nothing.
pub const AUDITOR: u32 = 13;
/// `shockwave_custodian`: sets and releases legal holds, shortens retentions in governance mode, expires rows. It comes from no Postgres role.
pub const CUSTODIAN: u32 = 14;
/// The target of grants on the database itself.
pub const DATABASE: u32 = 0;

/// Membership of one role in another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// The role that is joined.
    pub role: u32,
    /// WITH ADMIN OPTION.
    pub admin: bool,
    /// Who granted it.
    pub grantor: u32,
}

/// `CREATE ROLE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleDef {
    /// Never reused; also the role's oid.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Passes every check.
    pub superuser: bool,
    /// Has the rights of the roles it belongs to without SET ROLE.
    pub inherit: bool,
    /// May make and change roles.
    pub create_role: bool,
    /// May make databases.
    pub create_db: bool,
    /// May begin a session.
    pub login: bool,
    /// Sessions at once; −1 for any number.
    pub connection_limit: i32,
    /// Hex BLAKE3 of the password's verifier (R3).
    pub password: Option<String>,
    /// µs since 1970-01-01 UTC after which the password is refused; `i64::MAX` is `infinity`.
    pub valid_until_us: Option<i64>,
    /// Roles it belongs to, by id.
    pub member_of: Vec<Membership>,
    /// COMMENT ON ROLE.
    pub comment: Option<String>,
}

impl RoleDef {
    /// A role as CREATE ROLE makes it without options.
    pub fn new(id: u32, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            superuser: false,
            inherit: true,
            create_role: false,
            create_db: false,
            login: false,
            connection_limit: -1,
            password: None,
            valid_until_us: None,
            member_of: Vec::new(),
            comment: None,
        }
    }

    /// The canonical definition text (R1).
    pub fn definition(&self) -> String {
        let member_of: Vec<String> = self
            .member_of
            .iter()
            .map(|member| format!("{{\"role\":{},\"admin\":{},\"grantor\":{}}}", member.role, member.admin, member.grantor))
            .collect();
        format!(
            "{{\"kind\":\"role\",\"id\":{},\"name\":{},\"superuser\":{},\"inherit\":{},\"create_role\":{},\"create_db\":{},\"login\":{},\
             \"connection_limit\":{},\"password\":{},\"valid_until\":{},\"member_of\":[{}]{}}}",
            self.id,
            json!(self.name),
            self.superuser,
            self.inherit,
            self.create_role,
            self.create_db,
            self.login,
            self.connection_limit,
            json!(self.password),
            json!(self.valid_until_us),
            member_of.join(","),
            comment_text(&self.comment)
        )
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(text: &str) -> SqlResult<Self> {
        Self::read(text).ok_or_else(|| unreadable("role"))
    }

    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let flag = |name: &str| value[name].as_bool();
        let mut member_of = Vec::new();
        for member in value["member_of"].as_array()? {
            let admin = member["admin"].as_bool()?;
            member_of.push(Membership { role: id(&member["role"])?, admin, grantor: id(&member["grantor"])? });
        }
        Some(Self {
            id: id(&value["id"])?,
            name: value["name"].as_str()?.to_owned(),
            superuser: flag("superuser")?,
            inherit: flag("inherit")?,
            create_role: flag("create_role")?,
            create_db: flag("create_db")?,
            login: flag("login")?,
            connection_limit: i32::try_from(value["connection_limit"].as_i64()?).ok()?,
            password: optional(&value["password"], |value| value.as_str().map(str::to_owned))?,
            valid_until_us: optional(&value["valid_until"], Value::as_i64)?,
            member_of,
            comment: comment_of(&value)?,
        })
    }

    /// The roles that are there without a definition: the first superuser and the four built-in groups.
    pub fn built_in() -> [Self; 5] {
        let superuser =
            Self { superuser: true, create_role: true, create_db: true, login: true, ..Self::new(FIRST_SUPERUSER, FIRST_SUPERUSER_NAME) };
        [
            superuser,
            Self::new(READER, "shockwave_reader"),
            Self::new(WRITER, "shockwave_writer"),
            Self::new(AUDITOR, "shockwave_auditor"),
            Self::new(CUSTODIAN, "shockwave_custodian"),
        ]
    }
}

/// What may be granted; bits of a set. The letters are Postgres's.
const LETTERS: [(char, u16); 12] = [
    ('a', privilege::INSERT),
    ('r', privilege::SELECT),
    ('w', privilege::UPDATE),
    ('d', privilege::DELETE),
    ('D', privilege::TRUNCATE),
    ('x', privilege::REFERENCES),
    ('t', privilege::TRIGGER),
    ('X', privilege::EXECUTE),
    ('U', privilege::USAGE),
    ('C', privilege::CREATE),
    ('T', privilege::TEMPORARY),
    ('c', privilege::CONNECT),
];

/// Sets of privileges, as bits.
#[allow(missing_docs, reason = "the names are SQL's own and say it all")]
pub mod privilege {
    pub const INSERT: u16 = 1;
    pub const SELECT: u16 = 1 << 1;
    pub const UPDATE: u16 = 1 << 2;
    pub const DELETE: u16 = 1 << 3;
    pub const TRUNCATE: u16 = 1 << 4;
    pub const REFERENCES: u16 = 1 << 5;
    pub const TRIGGER: u16 = 1 << 6;
    pub const EXECUTE: u16 = 1 << 7;
    pub const USAGE: u16 = 1 << 8;
    pub const CREATE: u16 = 1 << 9;
    pub const TEMPORARY: u16 = 1 << 10;
    pub const CONNECT: u16 = 1 << 11;
}

/// One entry of an access control list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AclItem {
    /// Who may; [`PUBLIC`] for everyone.
    pub grantee: u32,
    /// Who granted it.
    pub grantor: u32,
    /// What, as bits of [`privilege`].
    pub privileges: u16,
    /// Which of these may be granted on.
    pub grantable: u16,
}

impl AclItem {
    /// `arwd`, with `*` behind what may be granted on: Postgres's way.
    pub fn letters(&self) -> String {
        let mut text = String::new();
        for (letter, bit) in LETTERS {
            if self.privileges & bit != 0 {
                text.push(letter);
                if self.grantable & bit != 0 {
                    text.push('*');
                }
            }
        }
        text
    }

    fn definition(&self) -> String {
        format!("{{\"grantee\":{},\"grantor\":{},\"privileges\":\"{}\"}}", self.grantee, self.grantor, self.letters())
    }

    fn read(value: &Value) -> Option<Self> {
        let mut item = Self { grantee: id(&value["grantee"])?, grantor: id(&value["grantor"])?, privileges: 0, grantable: 0 };
        let mut last = 0;
        for letter in value["privileges"].as_str()?.chars() {
            if letter == '*' {
                item.grantable |= last;
            } else {
                last = LETTERS.iter().find(|(known, _)| *known == letter)?.1;
                item.privileges |= last;
            }
        }
        Some(item)
    }
}

/// What a role's privileges on objects that it makes from now on are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForNew {
    /// The schema they are made in; 0 for any.
    pub schema: u32,
    /// Postgres's letter of their kind: `r` for tables and views, `S` for sequences, `n` for schemas.
    pub kind: char,
}

/// Owner and privileges of one object, where they are not the default (R2); or, with `for_new`, of objects that the owner makes from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantsDef {
    /// Its own id, never reused.
    pub id: u32,
    /// The object it is about; [`DATABASE`] for the database.
    pub object: u32,
    /// Who owns the object.
    pub owner: u32,
    /// `None` while nothing was ever granted or revoked: the kind's default.
    pub acl: Option<Vec<AclItem>>,
    /// Privileges on single columns, by column id.
    pub columns: BTreeMap<u32, Vec<AclItem>>,
    /// ALTER DEFAULT PRIVILEGES: the object is these grants themselves.
    pub for_new: Option<ForNew>,
    /// COMMENT ON DATABASE, of the database.
    pub comment: Option<String>,
}

impl GrantsDef {
    /// The canonical definition text (R1).
    pub fn definition(&self) -> String {
        let list = |items: &[AclItem]| items.iter().map(AclItem::definition).collect::<Vec<_>>().join(",");
        let acl = self.acl.as_ref().map_or("null".to_owned(), |items| format!("[{}]", list(items)));
        let columns: Vec<String> =
            self.columns.iter().map(|(column, items)| format!("{{\"column\":{column},\"acl\":[{}]}}", list(items))).collect();
        format!(
            "{{\"kind\":\"grants\",\"id\":{},\"object\":{},\"owner\":{},\"acl\":{acl},\"columns\":[{}]{}{}}}",
            self.id,
            self.object,
            self.owner,
            columns.join(","),
            self.for_new.map_or(String::new(), |new| format!(",\"for_new\":[{},\"{}\"]", new.schema, new.kind)),
            comment_text(&self.comment)
        )
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(text: &str) -> SqlResult<Self> {
        Self::read(text).ok_or_else(|| unreadable("grants"))
    }

    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let list = |value: &Value| value.as_array()?.iter().map(AclItem::read).collect::<Option<Vec<_>>>();
        let acl = optional(&value["acl"], list)?;
        let mut columns = BTreeMap::new();
        for column in value["columns"].as_array()? {
            columns.insert(id(&column["column"])?, list(&column["acl"])?);
        }
        let for_new = optional(&value["for_new"], |new| {
            Some(ForNew { schema: id(&new[0])?, kind: new[1].as_str()?.chars().next().filter(|kind| "rSn".contains(*kind))? })
        })?;
        let comment = comment_of(&value)?;
        Some(Self { id: id(&value["id"])?, object: id(&value["object"])?, owner: id(&value["owner"])?, acl, columns, for_new, comment })
    }
}

/// What an owner may do with an object of a kind.
fn own_item(owner: u32, kind: char) -> AclItem {
    let table = privilege::INSERT
        | privilege::SELECT
        | privilege::UPDATE
        | privilege::DELETE
        | privilege::TRUNCATE
        | privilege::REFERENCES
        | privilege::TRIGGER;
    let privileges = match kind {
        'n' => privilege::USAGE | privilege::CREATE,
        'S' => privilege::USAGE | privilege::SELECT | privilege::UPDATE,
        _ => table,
    };
    AclItem { grantee: owner, grantor: owner, privileges, grantable: 0 }
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}

/// What follows in a definition that has a comment.
fn comment_text(comment: &Option<String>) -> String {
    comment.as_ref().map_or_else(String::new, |text| format!(",\"comment\":{}", json!(text)))
}

fn comment_of(value: &Value) -> Option<Option<String>> {
    optional(&value["comment"], |text| text.as_str().map(str::to_owned))
}

/// `Some(None)` for null.
fn optional<'a, T>(value: &'a Value, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

fn unreadable(kind: &str) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("catalog definition of a {kind} is unreadable"))
}

/// All roles and grants of one catalog.
#[derive(Clone, Debug)]
pub struct Authority {
    roles: BTreeMap<u32, Arc<RoleDef>>,
    grants: HashMap<u32, Arc<GrantsDef>>,
}

impl Default for Authority {
    fn default() -> Self {
        let roles = RoleDef::built_in().into_iter().map(|role| (role.id, Arc::new(role))).collect();
        Self { roles, grants: HashMap::new() }
    }
}

impl Authority {
    pub(crate) fn add_role(&mut self, role: &Arc<RoleDef>) {
        self.roles.insert(role.id, Arc::clone(role));
    }

    pub(crate) fn add_grants(&mut self, grants: &Arc<GrantsDef>) {
        self.grants.insert(grants.object, Arc::clone(grants));
    }

    /// All roles, by id, the built-in ones included.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<RoleDef>> {
        self.roles.values()
    }

    /// The role with that id.
    pub fn role(&self, id: u32) -> Option<&Arc<RoleDef>> {
        self.roles.get(&id)
    }

    /// The role of that name.
    pub fn role_named(&self, name: &str) -> Option<&Arc<RoleDef>> {
        self.roles.values().find(|role| role.name == name)
    }

    /// Owner and privileges of an object where they are not the default (R2).
    pub fn grants_on(&self, object: u32) -> Option<&Arc<GrantsDef>> {
        self.grants.get(&object)
    }

    /// Every object's, in no order.
    pub fn all_grants(&self) -> impl Iterator<Item = &Arc<GrantsDef>> {
        self.grants.values()
    }

    /// What a role grants on objects of a kind that it makes in a schema, 0 for any.
    pub fn defaults(&self, role: u32, new: ForNew) -> Option<&Arc<GrantsDef>> {
        self.grants.values().find(|grants| grants.owner == role && grants.for_new == Some(new))
    }

    /// The privileges on an object that a role makes in a schema; `None` for the kind's default.
    pub(crate) fn acl_of_new(&self, role: u32, new: ForNew) -> Option<Vec<AclItem>> {
        let anywhere = self.defaults(role, ForNew { schema: 0, ..new }).and_then(|grants| grants.acl.clone());
        let here = if new.schema == 0 { None } else { self.defaults(role, new).and_then(|grants| grants.acl.clone()) };
        if anywhere.is_none() && here.is_none() {
            return None;
        }
        let mut list = anywhere.unwrap_or_else(|| vec![own_item(role, new.kind)]);
        for item in here.into_iter().flatten() {
            match list.iter_mut().find(|known| known.grantee == item.grantee && known.grantor == item.grantor) {
                Some(known) => {
                    known.privileges |= item.privileges;
                    known.grantable |= item.grantable;
                }
                None => list.push(item),
            }
        }
        list.sort_by_key(|item| (item.grantee, item.grantor));
        Some(list)
    }

    /// Who owns an object.
    pub fn owner_of(&self, object: u32) -> u32 {
        self.grants_on(object).map_or(FIRST_SUPERUSER, |grants| grants.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_read_back() {
        let mut role = RoleDef::new(16_400, "ada \"x\"");
        assert_eq!(RoleDef::from_definition(&role.definition()).ok(), Some(role.clone()));
        role.login = true;
        role.comment = Some("«a»".to_owned());
        role.password = Some("00ff".to_owned());
        role.valid_until_us = Some(-5);
        role.member_of.push(Membership { role: AUDITOR, admin: true, grantor: 10 });
        assert_eq!(RoleDef::from_definition(&role.definition()).ok(), Some(role));
        let item = AclItem { grantee: 0, grantor: 10, privileges: privilege::SELECT | privilege::INSERT, grantable: privilege::SELECT };
        assert_eq!(item.letters(), "ar*");
        let mut grants = GrantsDef { id: 9, object: 7, owner: 10, acl: None, columns: BTreeMap::new(), for_new: None, comment: None };
        assert_eq!(GrantsDef::from_definition(&grants.definition()).ok(), Some(grants.clone()));
        grants.acl = Some(vec![item]);
        grants.columns.insert(3, vec![item]);
        assert_eq!(GrantsDef::from_definition(&grants.definition()).ok(), Some(grants.clone()));
        grants.for_new = Some(ForNew { schema: 0, kind: 'r' });
        assert_eq!(GrantsDef::from_definition(&grants.definition()).ok(), Some(grants));
    }

    #[test]
    fn what_nobody_wrote_is_refused() {
        for text in [
            "",
            "{}",
            "{\"kind\":\"grants\",\"id\":1,\"object\":2,\"owner\":3,\"acl\":[{\"grantee\":1,\"grantor\":2,\"privileges\":\"q\"}],\"columns\":[]}",
        ] {
            assert!(GrantsDef::from_definition(text).is_err(), "{text}");
            assert!(RoleDef::from_definition(text).is_err(), "{text}");
        }
    }
}
