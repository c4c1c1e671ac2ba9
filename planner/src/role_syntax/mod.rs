//! The grammar of roles, grants, owners and databases, as PostgreSQL 15 has it.
//!
//! Y1: what begins like one of these statements and is not exactly one is a syntax error at the first token that does not fit.
//! Never: looks anything up.

pub(crate) mod settings;
pub(crate) mod words;

use base::{SqlError, SqlResult};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use settings::KeptSettings;
use words::{Stop, Words};

/// Who a role is, as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum RoleSpec {
    Named(String),
    /// CURRENT_USER, CURRENT_ROLE
    Current,
    /// SESSION_USER
    Session,
    Public,
}

/// One option of CREATE ROLE and ALTER ROLE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum RoleOption {
    Superuser(bool),
    CreateDb(bool),
    CreateRole(bool),
    Inherit(bool),
    Login(bool),
    Replication(bool),
    BypassRls(bool),
    ConnectionLimit(i32),
    /// `None` for PASSWORD NULL.
    Password(Option<String>),
    ValidUntil(String),
    /// IN ROLE: roles it joins.
    InRole(Vec<RoleSpec>),
    /// ROLE: its first members.
    Members {
        roles: Vec<RoleSpec>,
        admin: bool,
    },
}

/// What privileges are granted on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// TABLE, which views and sequences are too.
    Tables(Vec<Vec<String>>),
    Sequences(Vec<Vec<String>>),
    Graphs(Vec<Vec<String>>),
    AllTables(Vec<String>),
    AllSequences(Vec<String>),
    /// Functions and procedures of schemas, of which there are none.
    AllRoutines(Vec<String>),
    Schemas(Vec<String>),
    Databases(Vec<String>),
    /// A kind of thing that this version does not have.
    Other(String),
}

/// One privilege by name, with columns where it is limited to some; `None` is ALL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<String>,
}

/// GRANT or REVOKE of privileges.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Privileges {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) on: Target,
    pub(crate) roles: Vec<RoleSpec>,
    pub(crate) grantor: Option<RoleSpec>,
}

/// ALTER DEFAULT PRIVILEGES: what is granted on objects that roles make from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DefaultPrivileges {
    /// Who makes them; whoever says it where none is named.
    pub(crate) makers: Vec<RoleSpec>,
    /// Where; anywhere where none is named.
    pub(crate) schemas: Vec<String>,
    pub(crate) wanted: Vec<Wanted>,
    /// `tables`, `schemas` …
    pub(crate) kind: String,
    pub(crate) roles: Vec<RoleSpec>,
    /// It takes them away.
    pub(crate) revokes: bool,
    /// GRANT: WITH GRANT OPTION. REVOKE: GRANT OPTION FOR.
    pub(crate) option: bool,
    pub(crate) cascade: bool,
}

/// GRANT or REVOKE of roles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Memberships {
    pub(crate) roles: Vec<String>,
    pub(crate) members: Vec<RoleSpec>,
}

/// What changes owners.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Owned {
    /// A table, or what the words after ALTER say it is.
    Relation {
        name: Vec<String>,
        kind: RelationKind,
        if_exists: bool,
    },
    Graph(Vec<String>),
    Schema(String),
    Database(String),
}

/// What ALTER … OWNER calls a relation; a table may be any of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RelationKind {
    Table,
    View,
    MaterializedView,
    Sequence,
    Index,
}

impl RelationKind {
    const ALL: [(Self, &'static [&'static str], &'static str); 5] = [
        (Self::Table, &["table"], "ALTER TABLE"),
        (Self::View, &["view"], "ALTER VIEW"),
        (Self::MaterializedView, &["materialized", "view"], "ALTER MATERIALIZED VIEW"),
        (Self::Sequence, &["sequence"], "ALTER SEQUENCE"),
        (Self::Index, &["index"], "ALTER INDEX"),
    ];

    fn tag(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("ALTER TABLE", |(.., tag)| tag)
    }
}

/// What CREATE DATABASE says beside the name. Every database here has the same encoding and locale and begins empty; other wishes are refused.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct DatabaseOptions {
    pub(crate) owner: Option<RoleSpec>,
    pub(crate) template: Option<String>,
    pub(crate) encoding: Option<String>,
}

impl DatabaseOptions {
    /// Errors: 0A000, 22023 for wishes that cannot be met.
    pub(crate) fn check(&self) -> SqlResult<()> {
        if let Some(template) = self.template.as_ref().filter(|template| !matches!(template.as_str(), "template0" | "template1")) {
            return Err(
                SqlError::unsupported(format!("a copy of database \"{template}\"")).hint("A database begins empty; copy with pg_dump.")
            );
        }
        match &self.encoding {
            Some(name) if !matches!(name.to_ascii_uppercase().replace(['-', '_'], "").as_str(), "UTF8" | "UNICODE" | "6") => {
                Err(SqlError::unsupported(format!("encoding {name}")).hint("Every database is UTF8."))
            }
            _ => Ok(()),
        }
    }
}

/// A statement of this grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    CreateRole { name: RoleSpec, options: Vec<RoleOption> },
    AlterRole { role: RoleSpec, options: Vec<RoleOption> },
    RenameRole { role: String, to: String },
    DropRole { roles: Vec<RoleSpec>, if_exists: bool },
    GrantRoles { grant: Memberships, admin: bool },
    RevokeRoles { revoke: Memberships, admin_only: bool },
    Grant { grant: Privileges, grantable: bool },
    Revoke { revoke: Privileges, option_only: bool, cascade: bool },
    SetOwner { of: Owned, to: RoleSpec },
    Reassign { from: Vec<RoleSpec>, to: RoleSpec },
    DropOwned { roles: Vec<RoleSpec>, cascade: bool },
    DefaultPrivileges(DefaultPrivileges),
    KeepSettings(KeptSettings),
    CreateDatabase { name: String, options: DatabaseOptions },
    DropDatabase { name: String, if_exists: bool, force: bool },
    RenameDatabase { name: String, to: String },
}

impl Command {
    /// Whether it makes, drops or renames a database: no part of a transaction.
    pub(crate) fn is_about_databases(&self) -> bool {
        matches!(self, Self::CreateDatabase { .. } | Self::DropDatabase { .. } | Self::RenameDatabase { .. })
    }

    /// The command tag.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Self::CreateRole { .. } => "CREATE ROLE",
            Self::AlterRole { .. } | Self::RenameRole { .. } => "ALTER ROLE",
            Self::DropRole { .. } => "DROP ROLE",
            Self::GrantRoles { .. } => "GRANT ROLE",
            Self::RevokeRoles { .. } => "REVOKE ROLE",
            Self::Grant { .. } => "GRANT",
            Self::Revoke { .. } => "REVOKE",
            Self::SetOwner { of: Owned::Relation { kind, .. }, .. } => kind.tag(),
            Self::SetOwner { of: Owned::Graph(_), .. } => "ALTER PROPERTY GRAPH",
            Self::SetOwner { of: Owned::Schema(_), .. } => "ALTER SCHEMA",
            Self::SetOwner { of: Owned::Database(_), .. } | Self::RenameDatabase { .. } => "ALTER DATABASE",
            Self::Reassign { .. } => "REASSIGN OWNED",
            Self::DropOwned { .. } => "DROP OWNED",
            Self::DefaultPrivileges(_) => "ALTER DEFAULT PRIVILEGES",
            Self::KeepSettings(kept) => kept.tag,
            Self::CreateDatabase { .. } => "CREATE DATABASE",
            Self::DropDatabase { .. } => "DROP DATABASE",
        }
    }
}

/// Whether a statement that begins so may be of this grammar.
pub(crate) fn may_begin(token: &Token) -> bool {
    ["create", "alter", "drop", "grant", "revoke", "reassign"].iter().any(|word| is_word(token, word))
}

/// Reads a statement of this grammar; `None` for any other (Y1).
pub(crate) fn recognise(tokens: &[TokenWithSpan]) -> Option<Result<Command, Stop>> {
    let mut words = Words::new(tokens);
    let read = statement(&mut words)?;
    Some(read(&mut words).and_then(|command| words.end().map(|()| command)))
}

type Read = fn(&mut Words<'_>) -> Result<Command, Stop>;

fn statement(words: &mut Words<'_>) -> Option<Read> {
    const HEADS: &[(&[&str], Read)] = &[
        (&["create", "role"], |words| create_role(words, false)),
        (&["create", "group"], |words| create_role(words, false)),
        (&["create", "user"], |words| create_role(words, true)),
        (&["alter", "default", "privileges"], default_privileges),
        (&["alter", "role"], alter_role),
        (&["alter", "user"], alter_role),
        (&["drop", "role"], drop_role),
        (&["drop", "user"], drop_role),
        (&["drop", "group"], drop_role),
        (&["grant"], grant),
        (&["revoke"], revoke),
        (&["reassign", "owned", "by"], reassign),
        (&["drop", "owned", "by"], drop_owned),
        (&["create", "database"], create_database),
        (&["drop", "database"], drop_database),
        (&["alter", "database"], alter_database),
    ];
    if let Some((_, read)) = HEADS.iter().find(|(head, _)| words.take(head)) {
        return Some(*read);
    }
    owner(words)
}

/// ALTER TABLE | VIEW | SEQUENCE | INDEX | SCHEMA … OWNER TO …; any other ALTER of them is not this grammar's, nor is one action of several.
fn owner(words: &mut Words<'_>) -> Option<Read> {
    if !words.take(&["alter"]) {
        return None;
    }
    let schema = words.take(&["schema"]);
    let graph = words.take(&["property", "graph"]);
    let mut ahead = words.clone();
    if !schema && !graph && !RelationKind::ALL.iter().any(|(_, words, _)| ahead.take(words)) {
        return None;
    }
    ahead.take(&["if", "exists"]);
    ahead.take(&["only"]);
    ahead.dotted().ok()?;
    if !ahead.take(&["owner", "to"]) || (role(&mut ahead).is_ok() && ahead.peek().is_some_and(|next| next.token == Token::Comma)) {
        return None;
    }
    Some(match (schema, graph) {
        (true, _) => schema_owner,
        (_, true) => graph_owner,
        _ => relation_owner,
    })
}

fn relation_owner(words: &mut Words<'_>) -> Result<Command, Stop> {
    let Some((kind, ..)) = RelationKind::ALL.iter().find(|(_, kind, _)| words.take(kind)) else { return words.stop() };
    let if_exists = words.take(&["if", "exists"]);
    words.take(&["only"]);
    let of = Owned::Relation { name: words.dotted()?, kind: *kind, if_exists };
    words.expect(&["owner", "to"])?;
    Ok(Command::SetOwner { of, to: role(words)? })
}

fn graph_owner(words: &mut Words<'_>) -> Result<Command, Stop> {
    words.take(&["if", "exists"]);
    let of = Owned::Graph(words.dotted()?);
    words.expect(&["owner", "to"])?;
    Ok(Command::SetOwner { of, to: role(words)? })
}

fn schema_owner(words: &mut Words<'_>) -> Result<Command, Stop> {
    let of = Owned::Schema(words.name()?);
    words.expect(&["owner", "to"])?;
    Ok(Command::SetOwner { of, to: role(words)? })
}

fn role(words: &mut Words<'_>) -> Result<RoleSpec, Stop> {
    let special = [
        ("current_user", RoleSpec::Current),
        ("current_role", RoleSpec::Current),
        ("session_user", RoleSpec::Session),
        ("public", RoleSpec::Public),
    ];
    match special.into_iter().find(|(word, _)| words.take(&[word])) {
        Some((_, role)) => Ok(role),
        None => words.name().map(RoleSpec::Named),
    }
}

fn create_role(words: &mut Words<'_>, login: bool) -> Result<Command, Stop> {
    let name = role(words)?;
    words.take(&["with"]);
    let mut options = if login { vec![RoleOption::Login(true)] } else { Vec::new() };
    while !words.at_end() {
        options.push(match membership_option(words)? {
            Some(option) => option,
            None => role_option(words)?,
        });
    }
    Ok(Command::CreateRole { name, options })
}

fn membership_option(words: &mut Words<'_>) -> Result<Option<RoleOption>, Stop> {
    if words.take(&["in", "role"]) || words.take(&["in", "group"]) {
        return words.list(role).map(RoleOption::InRole).map(Some);
    }
    let admin = words.next_are(&["admin"]);
    if admin || words.next_are(&["role"]) || words.next_are(&["user"]) {
        words.keyword();
        return words.list(role).map(|roles| Some(RoleOption::Members { roles, admin }));
    }
    if words.take(&["sysid"]) {
        // Ignored, as in Postgres.
        words.integer()?;
        return membership_option(words);
    }
    Ok(None)
}

fn role_option(words: &mut Words<'_>) -> Result<RoleOption, Stop> {
    type Flag = fn(bool) -> RoleOption;
    const FLAGS: [(&str, &str, Flag); 7] = [
        ("superuser", "nosuperuser", RoleOption::Superuser),
        ("createdb", "nocreatedb", RoleOption::CreateDb),
        ("createrole", "nocreaterole", RoleOption::CreateRole),
        ("inherit", "noinherit", RoleOption::Inherit),
        ("login", "nologin", RoleOption::Login),
        ("replication", "noreplication", RoleOption::Replication),
        ("bypassrls", "nobypassrls", RoleOption::BypassRls),
    ];
    for (on, off, option) in FLAGS {
        if words.take(&[on]) {
            return Ok(option(true));
        }
        if words.take(&[off]) {
            return Ok(option(false));
        }
    }
    if words.take(&["connection", "limit"]) {
        return words.integer().map(RoleOption::ConnectionLimit);
    }
    if words.take(&["valid", "until"]) {
        return words.string().map(RoleOption::ValidUntil);
    }
    words.take(&["encrypted"]);
    words.expect(&["password"])?;
    if words.take(&["null"]) {
        return Ok(RoleOption::Password(None));
    }
    words.string().map(|password| RoleOption::Password(Some(password)))
}

fn alter_role(words: &mut Words<'_>) -> Result<Command, Stop> {
    if words.next_are(&["all"]) {
        words.keyword();
        return settings::of_role(words, None);
    }
    let altered = role(words)?;
    if settings::begins(words) {
        return settings::of_role(words, Some(altered));
    }
    if let RoleSpec::Named(name) = &altered
        && words.take(&["rename", "to"])
    {
        return Ok(Command::RenameRole { role: name.clone(), to: words.name()? });
    }
    words.take(&["with"]);
    let mut options = Vec::new();
    while !words.at_end() {
        options.push(role_option(words)?);
    }
    Ok(Command::AlterRole { role: altered, options })
}

fn drop_role(words: &mut Words<'_>) -> Result<Command, Stop> {
    let if_exists = words.take(&["if", "exists"]);
    Ok(Command::DropRole { roles: words.list(role)?, if_exists })
}

/// One item between GRANT and ON or TO.
fn wanted(words: &mut Words<'_>) -> Result<Wanted, Stop> {
    let name = words.name()?;
    let name = if name == "all" {
        words.take(&["privileges"]);
        None
    } else {
        Some(name)
    };
    let columns = if words.peek().is_some_and(|next| next.token == Token::LParen) { words.enclosed(Words::name)? } else { Vec::new() };
    Ok(Wanted { name, columns })
}

fn granted_by(words: &mut Words<'_>) -> Result<Option<RoleSpec>, Stop> {
    if words.take(&["granted", "by"]) { role(words).map(Some) } else { Ok(None) }
}

fn members(words: &mut Words<'_>) -> Result<Vec<RoleSpec>, Stop> {
    words.list(|words| {
        words.take(&["group"]);
        role(words)
    })
}

/// The names of a list of wanted things that turned out to be roles.
fn as_roles(words: &Words<'_>, wanted: Vec<Wanted>) -> Result<Vec<String>, Stop> {
    let names: Option<Vec<String>> = wanted.into_iter().map(|item| item.name.filter(|_| item.columns.is_empty())).collect();
    names.map_or_else(|| words.stop(), Ok)
}

fn grant(words: &mut Words<'_>) -> Result<Command, Stop> {
    let wanted = words.list(wanted)?;
    if words.take(&["to"]) {
        let roles = as_roles(words, wanted)?;
        let members = members(words)?;
        let admin = words.take(&["with", "admin", "option"]);
        granted_by(words)?;
        return Ok(Command::GrantRoles { grant: Memberships { roles, members }, admin });
    }
    words.expect(&["on"])?;
    let on = target(words)?;
    words.expect(&["to"])?;
    let roles = members(words)?;
    let grantable = words.take(&["with", "grant", "option"]);
    let grantor = granted_by(words)?;
    Ok(Command::Grant { grant: Privileges { wanted, on, roles, grantor }, grantable })
}

fn default_privileges(words: &mut Words<'_>) -> Result<Command, Stop> {
    let (mut makers, mut schemas) = (Vec::new(), Vec::new());
    loop {
        if words.take(&["for", "role"]) || words.take(&["for", "user"]) {
            makers = words.list(role)?;
        } else if words.take(&["in", "schema"]) {
            schemas = words.list(Words::name)?;
        } else {
            break;
        }
    }
    let revokes = words.take(&["revoke"]);
    if !revokes {
        words.expect(&["grant"])?;
    }
    let mut option = revokes && words.take(&["grant", "option", "for"]);
    let wanted = words.list(wanted)?;
    words.expect(&["on"])?;
    let kinds = ["tables", "schemas", "sequences", "functions", "routines", "types"];
    let Some(kind) = kinds.iter().find(|kind| words.take(&[kind])) else { return words.stop() };
    let kind = (*kind).to_owned();
    words.expect(&[if revokes { "from" } else { "to" }])?;
    let roles = members(words)?;
    option |= !revokes && words.take(&["with", "grant", "option"]);
    let cascade = revokes && cascade(words);
    Ok(Command::DefaultPrivileges(DefaultPrivileges { makers, schemas, wanted, kind, roles, revokes, option, cascade }))
}

fn revoke(words: &mut Words<'_>) -> Result<Command, Stop> {
    let admin_only = words.take(&["admin", "option", "for"]);
    let option_only = !admin_only && words.take(&["grant", "option", "for"]);
    let wanted = words.list(wanted)?;
    if !option_only && words.take(&["from"]) {
        let roles = as_roles(words, wanted)?;
        let members = members(words)?;
        granted_by(words)?;
        cascade(words);
        return Ok(Command::RevokeRoles { revoke: Memberships { roles, members }, admin_only });
    }
    words.expect(&["on"])?;
    let on = target(words)?;
    words.expect(&["from"])?;
    let roles = members(words)?;
    let grantor = granted_by(words)?;
    let cascade = cascade(words);
    Ok(Command::Revoke { revoke: Privileges { wanted, on, roles, grantor }, option_only, cascade })
}

/// CASCADE; RESTRICT is the default.
fn cascade(words: &mut Words<'_>) -> bool {
    words.take(&["cascade"]) || {
        words.take(&["restrict"]);
        false
    }
}

fn target(words: &mut Words<'_>) -> Result<Target, Stop> {
    if words.take(&["all", "tables", "in", "schema"]) {
        return words.list(Words::name).map(Target::AllTables);
    }
    if words.take(&["all", "sequences", "in", "schema"]) {
        return words.list(Words::name).map(Target::AllSequences);
    }
    if ["functions", "procedures", "routines"].iter().any(|kind| words.take(&["all", kind, "in", "schema"])) {
        return words.list(Words::name).map(Target::AllRoutines);
    }
    if words.take(&["sequence"]) {
        return words.list(Words::dotted).map(Target::Sequences);
    }
    if words.take(&["property", "graph"]) {
        return words.list(Words::dotted).map(Target::Graphs);
    }
    if words.take(&["schema"]) {
        return words.list(Words::name).map(Target::Schemas);
    }
    if words.take(&["database"]) {
        return words.list(Words::name).map(Target::Databases);
    }
    for other in ["function", "procedure", "routine", "language", "tablespace", "type", "domain", "parameter", "large", "foreign"] {
        if words.next_are(&[other, "to"]) || words.next_are(&[other, "from"]) {
            break;
        }
        if words.next_are(&[other]) {
            return Ok(Target::Other(other.to_uppercase()));
        }
    }
    words.take(&["table"]);
    words.list(Words::dotted).map(Target::Tables)
}

fn reassign(words: &mut Words<'_>) -> Result<Command, Stop> {
    let from = words.list(role)?;
    words.expect(&["to"])?;
    Ok(Command::Reassign { from, to: role(words)? })
}

fn drop_owned(words: &mut Words<'_>) -> Result<Command, Stop> {
    let roles = words.list(role)?;
    Ok(Command::DropOwned { roles, cascade: cascade(words) })
}

fn create_database(words: &mut Words<'_>) -> Result<Command, Stop> {
    let name = words.name()?;
    let mut options = DatabaseOptions::default();
    words.take(&["with"]);
    while !words.at_end() {
        if words.take(&["owner"]) {
            words.take_token(&Token::Eq);
            options.owner = if words.take(&["default"]) { None } else { Some(role(words)?) };
            continue;
        }
        if words.take(&["connection", "limit"]) {
            words.take_token(&Token::Eq);
            words.integer()?;
            continue;
        }
        // What every database here has, and what says nothing here.
        const FIXED: [&str; 13] = [
            "template",
            "encoding",
            "locale",
            "lc_collate",
            "lc_ctype",
            "tablespace",
            "strategy",
            "allow_connections",
            "is_template",
            "locale_provider",
            "icu_locale",
            "collation_version",
            "oid",
        ];
        let Some(option) = FIXED.iter().find(|option| words.take(&[option])) else { return words.stop() };
        words.take_token(&Token::Eq);
        let value = match words.string() {
            Ok(value) => value,
            Err(_) => match words.integer() {
                Ok(number) => number.to_string(),
                Err(_) => words.name()?,
            },
        };
        let value = (!value.eq_ignore_ascii_case("default")).then_some(value);
        match *option {
            "template" => options.template = value,
            "encoding" => options.encoding = value,
            _ => {}
        }
    }
    Ok(Command::CreateDatabase { name, options })
}

fn drop_database(words: &mut Words<'_>) -> Result<Command, Stop> {
    let if_exists = words.take(&["if", "exists"]);
    let name = words.name()?;
    words.take(&["with"]);
    let force =
        words.peek().is_some_and(|next| next.token == Token::LParen) && words.enclosed(|words| words.expect(&["force"])).map(|_| true)?;
    Ok(Command::DropDatabase { name, if_exists, force })
}

fn alter_database(words: &mut Words<'_>) -> Result<Command, Stop> {
    let name = words.name()?;
    if words.take(&["rename", "to"]) {
        return Ok(Command::RenameDatabase { name, to: words.name()? });
    }
    if settings::begins(words) && !words.next_are(&["set", "tablespace"]) {
        return settings::of_database(words, name);
    }
    words.expect(&["owner", "to"])?;
    Ok(Command::SetOwner { of: Owned::Database(name), to: role(words)? })
}
