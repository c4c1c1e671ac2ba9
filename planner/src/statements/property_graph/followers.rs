//! What follows a table, a column or a graph that changes: elements and properties of graphs, and the views over graphs.
//!
//! F1: a graph never names a relation or column that is not there.
//! F2: a view over a graph goes on binding; where it cannot, it is named in the error or goes too.
//! Never: changes a table.

use std::sync::Arc;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::{Catalog, GraphDef, GraphElement, GraphEnd, Object};
use sqlparser::ast::ObjectName;

use super::super::Execution;
use super::super::drop::{drop_objects, tell_cascade};
use crate::graph_functions;
use crate::graph_patterns::{self, ElementRelation, Graphs};
use crate::names::{Name, quoted};
use crate::parse;
use crate::resolver::Scope;
use crate::rules;

/// Edges that begin or end at a vertex, by alias.
pub(in super::super) fn edges_of(graph: &GraphDef, vertex: &str) -> Vec<String> {
    let meets = |element: &&GraphElement| {
        element.ends.as_ref().is_some_and(|ends| ends.source.vertex == vertex || ends.destination.vertex == vertex)
    };
    graph.elements.iter().filter(meets).map(|element| element.alias.clone()).collect()
}

/// Whether an element's key, or an end of an edge, has a column of a relation.
fn is_keyed_by(graph: &GraphDef, element: &GraphElement, relation: u32, column: &str) -> bool {
    let has = |columns: &[String]| columns.iter().any(|name| name == column);
    let refers = |end: &GraphEnd| {
        let of_vertex = graph.element(&end.vertex).is_some_and(|vertex| vertex.relation == relation) && has(&end.references);
        of_vertex || (element.relation == relation && has(&end.columns))
    };
    (element.relation == relation && has(&element.key))
        || element.ends.as_ref().is_some_and(|ends| refers(&ends.source) || refers(&ends.destination))
}

/// Elements, by graph and alias, that are of a relation, or, with a column, keyed by it.
pub(in super::super) fn elements_needing(catalog: &Catalog, relation: u32, column: Option<&str>) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for graph in catalog.graphs() {
        for element in &graph.elements {
            let is_end = |end: &GraphEnd| graph.element(&end.vertex).is_some_and(|vertex| vertex.relation == relation);
            let needs = match column {
                Some(column) => is_keyed_by(graph, element, relation, column),
                None => {
                    element.relation == relation
                        || element.ends.as_ref().is_some_and(|ends| is_end(&ends.source) || is_end(&ends.destination))
                }
            };
            if needs {
                found.push((graph.id, element.alias.clone()));
            }
        }
    }
    found
}

/// Properties whose expressions have a column: graph, element, label, property.
pub(in super::super) fn properties_needing(catalog: &Catalog, relation: u32, column: &str) -> Vec<(u32, String, String, String)> {
    let mut found = Vec::new();
    for graph in catalog.graphs() {
        for element in graph.elements.iter().filter(|element| element.relation == relation) {
            for label in &element.labels {
                let needing = label.properties.iter().filter(|property| property.columns.iter().any(|name| name == column));
                found.extend(needing.map(|property| (graph.id, element.alias.clone(), label.name.clone(), property.name.clone())));
            }
        }
    }
    found
}

/// Takes elements out of a graph, with the edges that need them.
pub(in super::super) fn remove_elements(execution: &mut Execution<'_>, graph: u32, aliases: &[String]) -> SqlResult<()> {
    change(execution, graph, |graph| {
        let mut going = aliases.to_vec();
        for alias in aliases {
            going.extend(edges_of(graph, alias));
        }
        graph.elements.retain(|element| !going.contains(&element.alias));
    })
}

/// Takes a property out of a label of an element.
pub(in super::super) fn remove_property(
    execution: &mut Execution<'_>,
    graph: u32,
    element: &str,
    label: &str,
    property: &str,
) -> SqlResult<()> {
    change(execution, graph, |graph| {
        for found in graph.elements.iter_mut().filter(|found| found.alias == element) {
            for known in found.labels.iter_mut().filter(|known| known.name == label) {
                known.properties.retain(|other| other.name != property);
            }
        }
    })
}

fn change(execution: &mut Execution<'_>, graph: u32, change: impl FnOnce(&mut GraphDef)) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let Some(Object::Graph(found)) = catalog.object(graph) else { return Ok(()) };
    let mut next = found.as_ref().clone();
    change(&mut next);
    redefine(execution, next, true)
}

/// Graphs go on with a column under its new name.
pub(in super::super) fn follow_column(execution: &mut Execution<'_>, table: &engine::TableDef, from: &str, to: &str) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let relation = table.id.0;
    let rename = |names: &mut Vec<String>| names.iter_mut().filter(|name| *name == from).for_each(|name| to.clone_into(name));
    for graph in catalog.graphs() {
        let mut next = graph.as_ref().clone();
        let of_vertex = |end: &GraphEnd| graph.element(&end.vertex).is_some_and(|vertex| vertex.relation == relation);
        for element in &mut next.elements {
            let is_own = element.relation == relation;
            for end in element.ends.iter_mut().flat_map(|ends| [&mut ends.source, &mut ends.destination]) {
                if is_own {
                    rename(&mut end.columns);
                }
                if of_vertex(end) {
                    rename(&mut end.references);
                }
            }
            if !is_own {
                continue;
            }
            rename(&mut element.key);
            for property in element.labels.iter_mut().flat_map(|label| &mut label.properties) {
                if property.columns.iter().any(|name| name == from) {
                    property.expression = rules::renamed(table, &property.expression, from, to)?;
                    rename(&mut property.columns);
                    property.columns.sort_unstable();
                }
            }
        }
        if next != **graph {
            execution.transaction.redefine(Object::Graph(Arc::new(next)))?;
        }
    }
    Ok(())
}

/// Writes a changed graph down (F2). Errors: 2BP01.
pub(super) fn redefine(execution: &mut Execution<'_>, graph: GraphDef, cascade: bool) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let mut broken = Vec::new();
    for view in scope.catalog.views().filter(|view| view.reads.iter().any(|(read, _)| *read == graph.id)) {
        if let Err(reason) = binds(&scope, &graph, &view.query) {
            broken.push((view.id, view.name.clone(), reason));
        }
    }
    if let Some((_, _, reason)) = broken.first().filter(|_| !cascade) {
        let lines: Vec<String> =
            broken.iter().map(|(_, view, _)| format!("view {view} depends on property graph {}", graph.name)).collect();
        return Err(SqlError::new(
            SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
            format!("cannot alter property graph {} because other objects depend on it", graph.name),
        )
        .detail(format!("{}\n{}", lines.join("\n"), reason.message()))
        .hint("Use CASCADE, where it may stand, to drop the dependent objects too."));
    }
    execution.transaction.redefine(Object::Graph(Arc::new(graph)))?;
    if !broken.is_empty() {
        tell_cascade(execution, &broken.iter().map(|(_, view, _)| format!("view {view}")).collect::<Vec<_>>());
        drop_objects(execution, &broken.iter().map(|(view, _, _)| *view).collect(), true)?;
    }
    Ok(())
}

/// A catalog in which one graph is another already.
struct Changed<'a> {
    scope: &'a Scope,
    graph: &'a GraphDef,
}

impl Graphs for Changed<'_> {
    fn graph(&self, name: &ObjectName) -> SqlResult<Arc<GraphDef>> {
        let found = self.scope.graph_named(&Name::of(name, self.scope.ledger.name())?)?;
        Ok(if found.id == self.graph.id { Arc::new(self.graph.clone()) } else { Arc::clone(found) })
    }

    fn relation(&self, id: u32) -> SqlResult<ElementRelation> {
        Graphs::relation(self.scope, id)
    }

    fn searched_at(&self) -> SqlResult<Option<u64>> {
        self.scope.searched_at()
    }

    fn as_of(&self, commit: CommitSeq) -> SqlResult<Box<dyn Graphs + '_>> {
        Graphs::as_of(self.scope, commit)
    }

    fn commit_of(&self, text: &str) -> SqlResult<CommitSeq> {
        self.scope.commit_of(text)
    }
}

fn binds(scope: &Scope, graph: &GraphDef, query: &str) -> SqlResult<()> {
    let changed = Changed { scope, graph };
    for one in parse::parse(query)? {
        one.graph_tables.iter().try_for_each(|table| graph_patterns::bind(table, &changed, "").map(drop))?;
        graph_functions::check(&one.statement, &changed)?;
    }
    Ok(())
}

/// Views over a graph go on reading it under its new name: their text with the clauses' graphs renamed.
pub(in super::super) fn renamed(parsed: &parse::Parsed, text: &str, from: (&str, &str), to: (&str, &str)) -> String {
    let qualified = |name: (&str, &str)| ObjectName::from(vec![quoted(name.0), quoted(name.1)]);
    let old = qualified(from).to_string();
    let tables: Vec<_> = parsed
        .graph_tables
        .iter()
        .map(|table| {
            let mut table = table.clone();
            if table.graph.to_string() == old {
                table.graph = qualified(to);
            }
            table
        })
        .collect();
    crate::graph_syntax::restored(text, &tables)
}
