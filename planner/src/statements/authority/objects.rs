//! The objects that GRANT, REVOKE and ALTER … OWNER name.
//!
//! Never: judges a right.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::tokenizer::Span;

use crate::names::Name;
use crate::resolver::{Scope, undefined_schema, undefined_table};
use crate::rights::access::Kind;
use crate::rights::things::{Thing, of_graph, of_schema, of_sequence, of_table, of_view};

/// Schema and name.
fn split(parts: &[String]) -> (Option<&str>, &str) {
    match parts {
        [.., schema, name] => (Some(schema), name),
        [name] => (None, name),
        [] => (None, ""),
    }
}

/// The name that these parts are.
pub(crate) fn named(parts: &[String]) -> Name {
    let (schema, name) = split(parts);
    Name { schema: schema.map(str::to_owned), name: name.to_owned(), span: Span::empty() }
}

/// The table, view or sequence of that name. Errors: 42P01.
pub(crate) fn relation(scope: &Scope, parts: &[String]) -> SqlResult<Thing> {
    let (schema, name) = split(parts);
    let sequence = || scope.sequence(&named(parts)).map(|sequence| of_sequence(sequence));
    let view = || scope.view(schema, name).map(|view| of_view(view));
    let found = scope.stored(schema, name).map(|table| of_table(table)).or_else(view).or_else(sequence);
    found.ok_or_else(|| undefined_table(&parts.join(".")))
}

/// The sequence of that name. Errors: 42P01, 42809.
pub(crate) fn sequence(scope: &Scope, parts: &[String]) -> SqlResult<Thing> {
    let found = relation(scope, parts)?;
    if found.kind == Kind::Sequence {
        return Ok(found);
    }
    Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not a sequence", found.name)))
}

/// Every sequence of a schema. Errors: 3F000.
pub(crate) fn sequences_in(scope: &Scope, schema: &str) -> SqlResult<Vec<Thing>> {
    self::schema(scope, schema)?;
    Ok(scope.catalog.sequences().filter(|sequence| sequence.schema() == schema).map(|sequence| of_sequence(sequence)).collect())
}

/// The property graph of that name. Errors: 42P01, 42809.
pub(crate) fn graph(scope: &Scope, parts: &[String]) -> SqlResult<Thing> {
    scope.graph_named(&named(parts)).map(|graph| of_graph(graph))
}

/// Every table and view of a schema. Errors: 3F000.
pub(crate) fn tables_in(scope: &Scope, schema: &str) -> SqlResult<Vec<Thing>> {
    self::schema(scope, schema)?;
    let tables = scope.catalog.tables().filter(|table| table.schema == schema).map(|table| of_table(table));
    let views = scope.catalog.views().filter(|view| view.schema == schema).map(|view| of_view(view));
    Ok(tables.chain(views).collect())
}

/// The schema of that name. Errors: 3F000.
pub(crate) fn schema(scope: &Scope, name: &str) -> SqlResult<Thing> {
    let schema = scope.catalog.schema(name).ok_or_else(|| undefined_schema(name))?;
    Ok(of_schema(schema))
}
