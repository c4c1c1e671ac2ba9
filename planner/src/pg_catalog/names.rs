//! Names as the catalog's functions print and read them: quoted identifiers, `regclass` and its kin, definitions of keys.
//!
//! N1: a printed name, read again in the same session, finds the same object.
//! Never: resolves beyond the statement's catalog.

use base::{SqlError, SqlResult, SqlState};
use engine::{Action, ColumnDef, KeyDef, Object, Reference, TableDef, Timing};

use super::builtin::{self, Function};
use super::keys::{Kind, kind};
use super::oids;
use super::scene::{Relation, Scene};
use super::types;

/// Words that a name must be quoted not to be taken for.
const RESERVED: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char \
    character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists \
    extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer \
    intersect interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural nchar none \
    normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real \
    references returning right row select session_user setof similar smallint some substring symmetric table tablesample then time \
    timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes \
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

/// The identifier, quoted if it must be.
pub(crate) fn quote(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&format!(" {name} "));
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The parts of a dotted name: folded unless quoted. Errors: 42602.
fn parts(text: &str) -> SqlResult<Vec<String>> {
    let invalid = || SqlError::new(SqlState("42602"), "invalid name syntax");
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let mut end = 0;
            loop {
                end += quoted[end..].find('"').ok_or_else(invalid)?;
                if !quoted[end + 1..].starts_with('"') {
                    break;
                }
                end += 2;
            }
            (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (rest[..end].trim().to_lowercase(), &rest[end..])
        };
        if part.is_empty() {
            return Err(invalid());
        }
        parts.push(part);
        match after.trim_start().strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if after.trim().is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

/// The oid a text means as `regclass` (`regtype`, …): a number is an oid. Errors: 42P01, 42704, 3F000, 42602.
pub(super) fn read(scene: &Scene, kind: &str, text: &str) -> SqlResult<i64> {
    if let Ok(oid) = text.parse::<i64>() {
        return Ok(oid);
    }
    if text == "-" {
        return Ok(0);
    }
    let undefined = |what: &str| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("{what} \"{text}\" does not exist"));
    match kind {
        "regclass" => {
            relation(scene, text)?.ok_or_else(|| SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{text}\" does not exist")))
        }
        "regtype" => types::oid_of(&text.to_lowercase()).ok_or_else(|| undefined("type")),
        "regnamespace" => match scene.schema_oid(&parts(text)?.join(".")) {
            0 => Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{text}\" does not exist"))),
            oid => Ok(oid),
        },
        "regrole" => {
            let role = scene.catalog.authority().role_named(&parts(text)?.join(".")).map(|role| i64::from(role.id));
            role.ok_or_else(|| undefined("role"))
        }
        "regproc" => function_named(text),
        _ => function_of(text),
    }
}

fn no_function(text: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("function \"{text}\" does not exist"))
}

/// The functions of a name, which may say `pg_catalog`.
fn functions(text: &str) -> SqlResult<Vec<&'static Function>> {
    let parts = parts(text)?;
    let name = match parts.as_slice() {
        [name] => name,
        [schema, name] if schema == super::PG_CATALOG => name,
        _ => return Err(no_function(text)),
    };
    Ok(builtin::functions().iter().filter(|function| function.name == name).collect())
}

/// `regproc`. Errors: 42883, 42725 where several have the name.
fn function_named(text: &str) -> SqlResult<i64> {
    match functions(text)?.as_slice() {
        [one] => Ok(one.oid),
        [] => Err(no_function(text)),
        _ => Err(SqlError::new(SqlState("42725"), format!("more than one function named \"{text}\""))),
    }
}

/// `regprocedure`, `name(types)`. Errors: 42883, 42601, 42704.
fn function_of(text: &str) -> SqlResult<i64> {
    let (name, types) = text
        .trim_end()
        .strip_suffix(')')
        .and_then(|text| text.split_once('('))
        .ok_or_else(|| SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "expected a left parenthesis"))?;
    let wanted = types.split(',').map(str::trim).filter(|name| !name.is_empty());
    let undefined = |name: &str| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"));
    let wanted = wanted.map(|name| types::oid_of(&name.to_lowercase()).ok_or_else(|| undefined(name))).collect::<SqlResult<Vec<_>>>()?;
    let found = functions(name)?.into_iter().find(|function| function.args == wanted);
    found.map(|function| function.oid).ok_or_else(|| no_function(text))
}

/// A function as `regproc`: qualified where others have its name.
fn function_shown(function: &Function) -> String {
    let name = quote(function.name);
    let is_alone = builtin::functions().iter().filter(|other| other.name == function.name).count() == 1;
    if is_alone { name } else { format!("{}.{name}", super::PG_CATALOG) }
}

/// The oid of a table or index by name; `None` where there is none.
pub(super) fn relation(scene: &Scene, text: &str) -> SqlResult<Option<i64>> {
    let parts = parts(text)?;
    let found = match parts.as_slice() {
        [name] => scene.relations().find(|relation| relation.name() == *name && scene.is_visible(relation)),
        [.., schema, name] => scene.relations().find(|relation| relation.name() == *name && relation.schema() == schema),
        [] => None,
    };
    Ok(found.map(|relation| relation.oid()))
}

/// How an oid is shown as `regclass` (`regtype`, …): by name, without the schema where it is visible; an unknown one as its number.
pub(super) fn print(scene: &Scene, kind: &str, oid: i64) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let name = match kind {
        "regclass" => scene.relation(oid).map(|relation| shown(scene, &relation)),
        "regtype" => types::by_oid(oid).map(|_| types::format(oid, None)),
        "regnamespace" => scene.schemas().find(|schema| schema.oid == oid).map(|schema| quote(schema.name)),
        "regrole" => u32::try_from(oid).ok().and_then(|id| scene.catalog.authority().role(id)).map(|role| quote(&role.name)),
        "regproc" => builtin::function(oid).map(function_shown),
        "regprocedure" => builtin::function(oid).map(|function| {
            let args: Vec<String> = function.args.iter().map(|oid| types::format(*oid, None)).collect();
            format!("{}({})", quote(function.name), args.join(","))
        }),
        _ => None,
    };
    name.unwrap_or_else(|| oid.to_string())
}

pub(super) fn shown(scene: &Scene, relation: &Relation<'_>) -> String {
    let name = quote(&relation.name());
    if scene.is_visible(relation) { name } else { format!("{}.{name}", quote(relation.schema())) }
}

/// `CREATE UNIQUE INDEX …` as Postgres prints it.
pub(super) fn index_definition(table: &TableDef, key: &KeyDef, qualified: bool, pretty: bool) -> String {
    let schema = if qualified { format!("{}.", quote(&table.schema)) } else { String::new() };
    let (index, name) = (quote(&key.name), quote(&table.name));
    let unique = if key.tells_apart() { "UNIQUE " } else { "" };
    let known = table.rules.indexes.iter().find(|index| index.id == key.id);
    let (options, classes) = known.map(|index| (index.options.as_slice(), index.classes.as_slice())).unwrap_or_default();
    let column = |(at, position): (usize, &usize)| {
        let order = match options.get(at) {
            None | Some(0) => "",
            Some(1) => " DESC NULLS LAST",
            Some(2) => " NULLS FIRST",
            Some(_) => " DESC",
        };
        let class = classes.get(at).filter(|class| !class.is_empty()).map(|class| format!(" {class}")).unwrap_or_default();
        format!("{}{class}{order}", key_element(table, *position, pretty))
    };
    let columns: Vec<String> = key.positions.iter().enumerate().map(column).collect();
    let included = known.map(|index| listed(table, &index.include)).filter(|list| !list.is_empty());
    let include = included.map(|list| format!(" INCLUDE ({list})")).unwrap_or_default();
    let condition = key.condition.and_then(|place| table.computed(place));
    let condition = condition.map(|condition| format!(" WHERE {}", super::deparse::condition(table, &condition.text, pretty)));
    let condition = condition.unwrap_or_default();
    let nulls = if known.is_some_and(|index| index.nulls_equal) { " NULLS NOT DISTINCT" } else { "" };
    format!("CREATE {unique}INDEX {index} ON {schema}{name} USING btree ({}){include}{nulls}{condition}", columns.join(", "))
}

/// What a key compares at a place: a column's name, or an expression.
pub(super) fn key_element(table: &TableDef, place: usize, pretty: bool) -> String {
    match table.computed(place) {
        Some(computed) => super::deparse::of_index(table, &computed.text, pretty),
        None => quote(&table.columns[place].name),
    }
}

/// A constraint as Postgres prints it; `None` for an oid that is none.
pub(super) fn constraint_definition(scene: &Scene, oid: i64, pretty: bool) -> Option<String> {
    for table in scene.tables() {
        if let Some(key) = table.keys().iter().find(|key| oids::constraint(table, key) == oid) {
            let columns: Vec<String> = key.positions.iter().map(|at| quote(&table.columns[*at].name)).collect();
            let what = match kind(table, key) {
                Kind::Primary => "PRIMARY KEY",
                Kind::Unique if key.nulls_equal => "UNIQUE NULLS NOT DISTINCT",
                Kind::Unique => "UNIQUE",
                Kind::Index => return None,
            };
            return Some(format!("{what} ({}){}", columns.join(", "), timing_words(key.late.unwrap_or_default())));
        }
        if let Some(check) = table.rules.checks.iter().find(|check| i64::from(check.id) == oid) {
            let mark = if check.not_valid { " NOT VALID" } else { "" };
            return Some(format!("CHECK ({}){mark}", super::deparse::condition(table, &check.expression, pretty)));
        }
        if let Some(reference) = table.rules.references.iter().find(|reference| i64::from(reference.id) == oid) {
            return reference_definition(scene, table, reference);
        }
    }
    None
}

fn listed(table: &TableDef, ids: &[base::ColumnId]) -> String {
    ids.iter().filter_map(|id| table.column(*id)).map(|column| quote(&column.name)).collect::<Vec<_>>().join(", ")
}

fn timing_words(timing: Timing) -> String {
    let words = [(timing.deferrable, " DEFERRABLE"), (timing.deferred, " INITIALLY DEFERRED")];
    words.iter().filter(|(is_so, _)| *is_so).map(|(_, words)| *words).collect()
}

fn reference_definition(scene: &Scene, table: &TableDef, reference: &Reference) -> Option<String> {
    let parent = scene.catalog.table_by_id(reference.table)?;
    let name = shown(scene, &Relation::Table(parent));
    let mut out =
        format!("FOREIGN KEY ({}) REFERENCES {name}({})", listed(table, &reference.columns), listed(parent, &reference.referenced));
    if reference.full {
        out.push_str(" MATCH FULL");
    }
    for (event, action) in [("UPDATE", reference.on_update), ("DELETE", reference.on_delete)] {
        let words = match action {
            Action::NoAction => continue,
            Action::Restrict => "RESTRICT",
            Action::Cascade => "CASCADE",
            Action::SetNull => "SET NULL",
            Action::SetDefault => "SET DEFAULT",
        };
        out.push_str(&format!(" ON {event} {words}"));
    }
    out.push_str(&timing_words(reference.timing));
    if reference.not_valid {
        out.push_str(" NOT VALID");
    }
    Some(out)
}

/// The default of a view's column, likewise.
pub(super) fn view_default(column: &engine::ViewColumn) -> Option<String> {
    column.default.as_deref().map(|text| super::deparse::default(text, column.sql_type))
}

/// A column's default as Postgres prints it: a sequence by its present name; none for identity columns.
pub(super) fn column_default(scene: &Scene, table: &TableDef, column: &ColumnDef) -> Option<String> {
    let rules = table.rules.column(column.id).filter(|rules| rules.identity.is_none())?;
    let text = rules.default.as_deref()?;
    if rules.generated {
        return Some(super::deparse::condition(table, text, false));
    }
    match rules.sequence.and_then(|id| scene.catalog.object(id)) {
        Some(Object::Sequence(sequence)) => {
            let name = shown(scene, &Relation::Sequence(sequence));
            Some(format!("nextval('{}'::regclass)", name.replace('\'', "''")))
        }
        _ => Some(super::deparse::default(text, column.sql_type)),
    }
}
