//! The objects that GRANT, REVOKE and ALTER … OWNER name.
//!
//! Never: judges a right.

use base::SqlResult;

use crate::names::Name;
use crate::resolver::{Scope, undefined_schema, undefined_table};
use crate::rights::things::{Thing, of_graph, of_schema, of_table, of_view};

/// The relation of that name. Errors: 42P01.
pub(crate) fn relation(scope: &Scope, parts: &[String]) -> SqlResult<Thing> {
    let (schema, name) = match parts {
        [name] => (None, name),
        [.., schema, name] => (Some(schema.as_str()), name),
        [] => return Err(undefined_table("")),
    };
    match scope.stored(schema, name) {
        Some(table) => Ok(of_table(table)),
        None => scope.view(schema, name).map(|view| of_view(view)).ok_or_else(|| undefined_table(&parts.join("."))),
    }
}

/// The property graph of that name. Errors: 42P01, 42809.
pub(crate) fn graph(scope: &Scope, parts: &[String]) -> SqlResult<Thing> {
    let span = sqlparser::tokenizer::Span::empty();
    let name = match parts {
        [name] => Name { schema: None, name: name.clone(), span },
        [.., schema, name] => Name { schema: Some(schema.clone()), name: name.clone(), span },
        [] => return Err(undefined_table("")),
    };
    scope.graph_named(&name).map(|graph| of_graph(graph))
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
