//! ALTER PROPERTY GRAPH: element tables, labels and properties come and go.
//!
//! Never: leaves an element without a label.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, GraphElement, Object};

use super::super::Execution;
use super::super::drop::tell_cascade;
use super::super::rename::{move_to, rename};
use super::elements::{self, Asked, Relation};
use super::{checks, folded, followers, properties, undefined};
use crate::graph_syntax::{Change, ElementName, ElementTable};
use crate::names::fold;

pub(super) fn execute(execution: &mut Execution<'_>, graph: &Arc<GraphDef>, change: &Change) -> SqlResult<()> {
    let mut next = graph.as_ref().clone();
    let cascade = match change {
        Change::Rename(to) => return rename(execution, &Object::Graph(Arc::clone(graph)), &graph.name, &fold(to)),
        Change::SetSchema(to) => return move_to(execution, &Object::Graph(Arc::clone(graph)), &fold(to)),
        Change::Add(tables) => {
            tables.iter().try_for_each(|table| add(execution, &mut next, table))?;
            false
        }
        Change::DropTables { edges, aliases, cascade } => {
            drop_tables(execution, &mut next, *edges, &folded(aliases), *cascade)?;
            *cascade
        }
        Change::AddLabels { element, labels } => {
            let at = position(&next, element)?;
            let relation = Relation::by_id(execution, next.elements[at].relation)?;
            for clause in labels {
                let label = properties::label(execution, &relation, &next.elements[at].alias, clause)?;
                if next.elements[at].label(&label.name).is_some() {
                    return Err(properties::exists("label", &label.name));
                }
                next.elements[at].labels.push(label);
            }
            false
        }
        Change::DropLabel { element, label, cascade } => {
            let at = position(&next, element)?;
            let label = label_position(&next, at, &fold(label))?;
            if next.elements[at].labels.len() == 1 {
                let message = format!("cannot drop the last label from element \"{}\"", next.elements[at].alias);
                return Err(
                    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).hint("Every element must have at least one label.")
                );
            }
            next.elements[at].labels.remove(label);
            *cascade
        }
        Change::AddProperties { element, label, properties } => {
            let at = position(&next, element)?;
            let label = label_position(&next, at, &fold(label))?;
            let relation = Relation::by_id(execution, next.elements[at].relation)?;
            for property in properties::properties(execution, &relation, properties)? {
                let known = &mut next.elements[at].labels[label].properties;
                if known.iter().any(|other| other.name == property.name) {
                    return Err(properties::exists("property", &property.name));
                }
                known.push(property);
            }
            false
        }
        Change::DropProperties { element, label, names, cascade } => {
            let at = position(&next, element)?;
            let label = label_position(&next, at, &fold(label))?;
            for name in folded(names) {
                let (alias, known) = (next.elements[at].alias.clone(), &mut next.elements[at].labels[label]);
                let Some(found) = known.properties.iter().position(|property| property.name == name) else {
                    let what = format!("property graph \"{}\" element \"{alias}\" label \"{}\"", graph.name, known.name);
                    return Err(undefined(format!("{what} has no property \"{name}\"")));
                };
                known.properties.remove(found);
            }
            *cascade
        }
    };
    checks::consistent(&next)?;
    followers::redefine(execution, next, cascade)
}

fn add(execution: &Execution<'_>, graph: &mut GraphDef, table: &ElementTable) -> SqlResult<()> {
    let alias = elements::alias(table, execution.view.database.name())?;
    if graph.element(&alias).is_some() {
        let message = format!("alias \"{alias}\" already exists in property graph \"{}\"", graph.name);
        return Err(execution.parsed.point(SqlError::new(SqlState("42P17"), message), table.span));
    }
    let element = elements::element(execution, graph, table, Asked::Alter)?;
    let at = if element.is_edge() { graph.elements.len() } else { graph.elements.iter().take_while(|other| !other.is_edge()).count() };
    graph.elements.insert(at, element);
    Ok(())
}

/// Errors: 42704, 42601 for an element of the other kind.
fn position(graph: &GraphDef, element: &ElementName) -> SqlResult<usize> {
    element_position(graph, &fold(&element.alias), element.edge)
}

fn element_position(graph: &GraphDef, alias: &str, edge: bool) -> SqlResult<usize> {
    let Some(at) = graph.elements.iter().position(|element| element.alias == alias) else {
        return Err(undefined(format!("property graph \"{}\" has no element with alias \"{alias}\"", graph.name)));
    };
    if graph.elements[at].is_edge() == edge {
        return Ok(at);
    }
    let kind = if edge { "an edge" } else { "a vertex" };
    let message = format!("element \"{alias}\" of property graph \"{}\" is not {kind}", graph.name);
    Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
}

fn label_position(graph: &GraphDef, at: usize, label: &str) -> SqlResult<usize> {
    let element: &GraphElement = &graph.elements[at];
    element
        .labels
        .iter()
        .position(|known| known.name == label)
        .ok_or_else(|| undefined(format!("property graph \"{}\" element \"{}\" has no label \"{label}\"", graph.name, element.alias)))
}

/// Errors: as [`element_position`]; 2BP01 for a vertex that an edge needs.
fn drop_tables(execution: &mut Execution<'_>, graph: &mut GraphDef, edges: bool, aliases: &[String], cascade: bool) -> SqlResult<()> {
    for alias in aliases {
        let at = element_position(graph, alias, edges)?;
        let needing: Vec<String> = followers::edges_of(graph, alias);
        if !needing.is_empty() && !cascade {
            let of = |kind: &str, alias: &str| format!("{kind} {alias} of property graph {}", graph.name);
            let vertex = of("vertex", alias);
            let lines: Vec<String> = needing.iter().map(|edge| format!("{} depends on {vertex}", of("edge", edge))).collect();
            return Err(SqlError::new(
                SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot drop {vertex} because other objects depend on it"),
            )
            .detail(lines.join("\n"))
            .hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        let told: Vec<String> = needing.iter().map(|edge| format!("edge {edge} of property graph {}", graph.name)).collect();
        tell_cascade(execution, &told);
        graph.elements.remove(at);
        graph.elements.retain(|element| !needing.contains(&element.alias));
    }
    Ok(())
}
