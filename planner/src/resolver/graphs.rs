//! Property graphs by name, and their element tables by id.
//!
//! Never: judges a right; who reads a graph is asked where statements are checked (statements/authority/check.rs).

use std::sync::Arc;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::{GraphDef, Object};
use graph::Strategy;
use sqlparser::ast::ObjectName;

use super::{Scope, undefined_table};
use crate::as_of::AsOf;
use crate::graph_joins::GraphLinks;
use crate::graph_patterns::{ElementRelation, Graphs};
use crate::names::Name;
use crate::pg_catalog;
use crate::versions::Past;

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

impl Scope {
    /// What the tables of its catalog know of graphs; `None` where there is none.
    pub(super) fn links(&self) -> Option<Arc<GraphLinks>> {
        if !self.catalog.has_graphs() {
            return None;
        }
        let workers: Option<usize> =
            self.settings.show("max_parallel_workers_per_gather").ok().and_then(|(_, workers)| workers.parse().ok());
        Some(Arc::new(GraphLinks {
            ledger: Arc::clone(&self.ledger),
            catalog: Arc::clone(&self.catalog),
            graphs: Arc::clone(&self.searched.graphs),
            is_forced: self.settings.graph_operators(),
            strategy: self.settings.graph_plan_seed().map_or(Strategy::Cheapest, Strategy::Random),
            threads: workers.unwrap_or(0).saturating_add(1).min(self.ledger.options().hash_threads),
        }))
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

    fn searched_at(&self) -> SqlResult<Option<u64>> {
        Ok(self.searched.moved.map(|commit| commit.0))
    }

    fn as_of(&self, commit: CommitSeq) -> SqlResult<Box<dyn Graphs + '_>> {
        let past = Past::At(commit);
        Ok(Box::new(Then { scope: Self::as_of(self, past)?, past }))
    }

    fn commit_of(&self, text: &str) -> SqlResult<CommitSeq> {
        let commit = AsOf::read(text, &self.settings.manner())?.commit(&self.ledger)?;
        self.ledger.moment(commit).map(|_| commit)
    }
}

/// Graphs and their element tables as of a commit; the names say so.
struct Then {
    scope: Scope,
    past: Past,
}

impl Graphs for Then {
    fn graph(&self, name: &ObjectName) -> SqlResult<Arc<GraphDef>> {
        self.scope.graph(name)
    }

    fn relation(&self, id: u32) -> SqlResult<ElementRelation> {
        let found = Graphs::relation(&self.scope, id)?;
        Ok(ElementRelation { name: self.past.name(&found.name), ..found })
    }

    fn searched_at(&self) -> SqlResult<Option<u64>> {
        self.scope.searched_at()
    }

    fn as_of(&self, commit: CommitSeq) -> SqlResult<Box<dyn Graphs + '_>> {
        Graphs::as_of(&self.scope, commit)
    }

    fn commit_of(&self, text: &str) -> SqlResult<CommitSeq> {
        self.scope.commit_of(text)
    }
}
