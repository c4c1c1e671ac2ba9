//! What one role may do in one catalog: its own grants, those of the roles it inherits from, and those of everyone.
//!
//! X1: ownership and superuser status are rights of their own; an owner has every privilege unless they revoked it from themselves.
//! X2: a member of `shockwave_auditor` who is no superuser writes nothing, whatever it is granted.
//! Never: looks anything up by name.

use engine::roles::{AUDITOR, AclItem, Authority, DATABASE, PUBLIC, READER, WRITER, privilege};
use engine::{Catalog, SchemaDef, TableDef};

/// Every privilege a table can have.
pub(crate) const TABLE_ALL: u16 = privilege::INSERT
    | privilege::SELECT
    | privilege::UPDATE
    | privilege::DELETE
    | privilege::TRUNCATE
    | privilege::REFERENCES
    | privilege::TRIGGER;
/// Every privilege a column can have.
pub(crate) const COLUMN_ALL: u16 = privilege::INSERT | privilege::SELECT | privilege::UPDATE | privilege::REFERENCES;
/// Every privilege a sequence can have.
pub(crate) const SEQUENCE_ALL: u16 = privilege::USAGE | privilege::SELECT | privilege::UPDATE;
/// Every privilege a schema can have.
pub(crate) const SCHEMA_ALL: u16 = privilege::USAGE | privilege::CREATE;
/// Every privilege a database can have.
pub(crate) const DATABASE_ALL: u16 = privilege::CREATE | privilege::TEMPORARY | privilege::CONNECT;
/// What changes rows.
const WRITES: u16 = privilege::INSERT | privilege::UPDATE | privilege::DELETE | privilege::TRUNCATE;

/// What is granted on, as far as defaults and built-in roles care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Table,
    /// A view: what is granted on it opens it, and its owner's rights open what it reads.
    View,
    /// A property graph, which is only ever read.
    Graph,
    Sequence,
    Schema,
    /// The schema every database begins with: everyone may use it.
    PublicSchema,
    Database,
}

impl Kind {
    /// The kind of a schema.
    pub(crate) fn of_schema(schema: &SchemaDef) -> Self {
        if schema.name == "public" { Self::PublicSchema } else { Self::Schema }
    }

    /// Every privilege it can have.
    pub(crate) fn all(self) -> u16 {
        match self {
            Self::Table | Self::View => TABLE_ALL,
            Self::Graph => privilege::SELECT,
            Self::Sequence => SEQUENCE_ALL,
            Self::Schema | Self::PublicSchema => SCHEMA_ALL,
            Self::Database => DATABASE_ALL,
        }
    }

    /// What everyone may do before anything is granted or revoked.
    pub(crate) fn public(self) -> u16 {
        match self {
            Self::Table | Self::View | Self::Graph | Self::Sequence | Self::Schema => 0,
            Self::PublicSchema => privilege::USAGE,
            Self::Database => privilege::CONNECT | privilege::TEMPORARY,
        }
    }
}

/// The list that stands for «never granted or revoked».
pub(crate) fn default_acl(kind: Kind, owner: u32) -> Vec<AclItem> {
    let item = |grantee, privileges| AclItem { grantee, grantor: owner, privileges, grantable: 0 };
    let own = item(owner, kind.all());
    match kind {
        Kind::Table | Kind::View | Kind::Graph | Kind::Sequence | Kind::Schema => vec![own],
        Kind::PublicSchema => vec![own, item(PUBLIC, kind.public())],
        Kind::Database => vec![item(PUBLIC, kind.public()), own],
    }
}

/// One role's rights.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// The role.
    pub(crate) role: u32,
    /// Passes every check.
    pub(crate) superuser: bool,
    create_role: bool,
    /// The role and those whose rights it has.
    roles: Vec<u32>,
}

impl Access {
    /// The rights of a role, by id; none for a role that is not there any more.
    pub(crate) fn of(catalog: &Catalog, role: u32) -> Self {
        let authority = catalog.authority();
        let Some(def) = authority.role(role) else {
            return Self { role, superuser: false, create_role: false, roles: Vec::new() };
        };
        let roles = if def.superuser { Vec::new() } else { closure(authority, role, true) };
        Self { role, superuser: def.superuser, create_role: def.create_role, roles }
    }

    /// Whether it has the rights of that role.
    pub(crate) fn has_role(&self, role: u32) -> bool {
        self.superuser || self.roles.contains(&role)
    }

    /// May make and change roles.
    pub(crate) fn may_create_roles(&self) -> bool {
        self.superuser || (self.create_role && !self.is_auditor())
    }

    /// X2
    pub(crate) fn is_auditor(&self) -> bool {
        !self.superuser && self.roles.contains(&AUDITOR)
    }

    /// Whether it may do what only an object's owner may.
    pub(crate) fn owns(&self, catalog: &Catalog, object: u32) -> bool {
        self.superuser || (!self.is_auditor() && self.roles.contains(&catalog.authority().owner_of(object)))
    }

    /// Which of `wanted` it has on an object as a whole.
    pub(crate) fn on(&self, catalog: &Catalog, kind: Kind, object: u32, wanted: u16) -> u16 {
        if self.superuser {
            return wanted;
        }
        let mut had = self.built_in(kind) & wanted;
        let grants = catalog.authority().grants_on(object);
        match grants.and_then(|grants| grants.acl.as_ref()) {
            Some(acl) => had |= self.in_list(acl) & wanted,
            None => {
                had |= kind.public() & wanted;
                if self.roles.contains(&catalog.authority().owner_of(object)) {
                    had |= kind.all() & wanted;
                }
            }
        }
        if self.is_auditor() { had & !forbidden_to_auditors(kind) } else { had }
    }

    /// Which of `wanted` it has on a column, by the column or by the table as a whole.
    pub(crate) fn on_column(&self, catalog: &Catalog, table: &TableDef, column: u32, wanted: u16) -> u16 {
        let had = self.on(catalog, Kind::Table, table.id.0, wanted);
        if had == wanted {
            return had;
        }
        let list = catalog.authority().grants_on(table.id.0).and_then(|grants| grants.columns.get(&column));
        let by_column = list.map_or(0, |list| self.in_list(list) & wanted);
        had | if self.is_auditor() { by_column & !WRITES } else { by_column }
    }

    /// Which of `wanted` it may grant on.
    pub(crate) fn grantable(&self, catalog: &Catalog, object: u32, acl: &[AclItem], wanted: u16) -> u16 {
        if self.owns(catalog, object) {
            return wanted;
        }
        acl.iter().filter(|item| self.roles.contains(&item.grantee)).fold(0, |had, item| had | item.grantable) & wanted
    }

    /// Whether it may begin a session in this database.
    pub(crate) fn may_connect_to(&self, catalog: &Catalog) -> bool {
        self.on(catalog, Kind::Database, DATABASE, privilege::CONNECT) != 0
    }

    /// Whether the ledger's own tables may be read.
    pub(crate) fn reads_ledger(&self) -> bool {
        self.has_role(AUDITOR)
    }

    fn in_list(&self, acl: &[AclItem]) -> u16 {
        acl.iter().filter(|item| item.grantee == PUBLIC || self.roles.contains(&item.grantee)).fold(0, |had, item| had | item.privileges)
    }

    /// What `shockwave_reader` and `shockwave_writer` bring.
    fn built_in(&self, kind: Kind) -> u16 {
        let writer = self.roles.contains(&WRITER);
        let reader = writer || self.roles.contains(&READER);
        match kind {
            Kind::Table | Kind::View if writer => privilege::SELECT | WRITES,
            Kind::Sequence if writer => privilege::SELECT | privilege::UPDATE,
            Kind::Table | Kind::View | Kind::Graph | Kind::Sequence if reader => privilege::SELECT,
            Kind::Schema | Kind::PublicSchema if reader => privilege::USAGE,
            _ => 0,
        }
    }
}

fn forbidden_to_auditors(kind: Kind) -> u16 {
    match kind {
        Kind::Table | Kind::View => WRITES | privilege::REFERENCES | privilege::TRIGGER,
        Kind::Graph => 0,
        Kind::Sequence => privilege::USAGE | privilege::UPDATE,
        Kind::Schema | Kind::PublicSchema => privilege::CREATE,
        Kind::Database => privilege::CREATE | privilege::TEMPORARY,
    }
}

/// A role and those it belongs to, directly or not; with `inheriting`, only through roles that inherit.
pub(crate) fn closure(authority: &Authority, role: u32, inheriting: bool) -> Vec<u32> {
    let mut found = vec![role];
    let mut at = 0;
    while let Some(next) = found.get(at).and_then(|role| authority.role(*role)) {
        at += 1;
        if inheriting && !next.inherit {
            continue;
        }
        for member in &next.member_of {
            if !found.contains(&member.role) {
                found.push(member.role);
            }
        }
    }
    found
}
