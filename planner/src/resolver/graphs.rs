//! Property graphs by name, and their element tables by id.
//!
//! Never: judges a right; who reads a graph is asked where statements are checked (statements/authority/check.rs).

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, Object};
use sqlparser::ast::ObjectName;

use super::{Scope, undefined_table};
use crate::graph_patterns::{ElementRelation, Graphs};
use crate::names::Name;
use crate::pg_catalog;

impl Scope {
    /// The property graph of that name. Errors: 42P01, 42809.
    pub(crate) fn graph_named(&self, name: &Name) -> SqlResult<&Arc<GraphDef>> {
        match self.relation(name) {
            Some(Object::Graph(graph)) => Ok(graph),
            Some(_) => Err(not_a_graph(&name.name)),
            None => {
                let schema = name.schema.as_deref().unwrap_or(pg_catalog::PG_CATALOG);
                Err(if pg_catalog::exists(schema, &name.name) { not_a_graph(&name.name) } else { undefined_table(&name.shown()) })
            }
        }
    }
}

/// 42809
fn not_a_graph(name: &str) -> SqlError {
    SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a property graph"))
}

/// 42809 for a graph where a table belongs.
pub(crate) fn not_a_table(name: &str) -> SqlError {
    SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("cannot open relation \"{name}\""))
        .detail("This operation is not supported for property graphs.")
        .hint(format!("Match a pattern in it: FROM GRAPH_TABLE ({name} MATCH … COLUMNS (…)). Write to its element tables."))
}

impl Graphs for Scope {
    fn graph(&self, name: &ObjectName) -> SqlResult<Arc<GraphDef>> {
        self.graph_named(&Name::of(name, self.ledger.name())?).map(Arc::clone)
    }

    fn relation(&self, id: u32) -> SqlResult<ElementRelation> {
        match self.catalog.object(id) {
            Some(Object::Table(table)) => Ok(ElementRelation {
                schema: table.schema.clone(),
                name: table.name.clone(),
                columns: table.columns.iter().map(|column| column.name.clone()).collect(),
                is_stored: true,
            }),
            Some(Object::View(view)) => Ok(ElementRelation {
                schema: view.schema.clone(),
                name: view.name.clone(),
                columns: view.columns.iter().map(|column| column.name.clone()).collect(),
                is_stored: false,
            }),
            _ => Err(undefined_table(&format!("with OID {id}"))),
        }
    }

    fn may_search(&self) -> SqlResult<()> {
        match self.searched.is_moved {
            true => Err(SqlError::unsupported("a search for paths in a view of the past")
                .hint("SET shockwave.as_of takes the whole session there.")),
            false => Ok(()),
        }
    }
}
