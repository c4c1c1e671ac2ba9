//! CREATE, ALTER, DROP and COMMENT ON PROPERTY GRAPH, with PostgreSQL 19's rules and SQLSTATEs.
//!
//! G1: a graph that is written down is consistent (`checks`), and so are the views over it: what a view mentions stays or the view goes too.
//! Never: reads a row; checks rights (statements/authority/check.rs does).

mod alter;
mod checks;
mod elements;
pub(super) mod followers;
mod properties;

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, Object};
use sqlparser::ast::{Ident, ObjectName};

use super::Execution;
use super::drop::{drop_objects, find};
use crate::graph_syntax::{ElementTable, GraphCommand};
use crate::names::{Name, fold};
use crate::outcome::{Notice, Outcome, Tag};

pub(super) fn execute(command: &GraphCommand, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    match command {
        GraphCommand::Create { name, if_not_exists, elements } => create(execution, name, *if_not_exists, elements)?,
        GraphCommand::Alter { name, if_exists, change } => {
            if let Some(graph) = graph(execution, name, *if_exists)? {
                alter::execute(execution, &graph, change)?;
            }
        }
        GraphCommand::Drop { names, if_exists, cascade } => {
            let mut ids = BTreeSet::new();
            for name in names {
                let name = Name::of(name, execution.view.database.name())?;
                ids.extend(find(execution, &name, "property graph", *if_exists)?);
            }
            drop_objects(execution, &ids, *cascade)?;
        }
        GraphCommand::Comment { name, text } => {
            if let Some(graph) = graph(execution, name, false)? {
                let graph = GraphDef { comment: text.clone(), ..graph.as_ref().clone() };
                execution.transaction.redefine(Object::Graph(Arc::new(graph)))?;
            }
        }
    }
    Ok(Outcome::Command(Tag::command(command.tag())))
}

/// The graph of that name; `None`, with a notice, where it may be missing. Errors: 42P01, 42809.
fn graph(execution: &mut Execution<'_>, name: &ObjectName, if_exists: bool) -> SqlResult<Option<Arc<GraphDef>>> {
    let scope = execution.fresh_scope();
    let name = Name::of(name, execution.view.database.name())?;
    match scope.graph_named(&name) {
        Ok(graph) => Ok(Some(Arc::clone(graph))),
        Err(error) if if_exists && error.state() == SqlState::UNDEFINED_TABLE => {
            let message = format!("relation \"{}\" does not exist, skipping", name.name);
            execution.notices.push(Notice::new(SqlState("00000"), message));
            Ok(None)
        }
        Err(error) => Err(execution.parsed.point(error, name.span)),
    }
}

fn create(execution: &mut Execution<'_>, name: &ObjectName, if_not_exists: bool, tables: &[ElementTable]) -> SqlResult<()> {
    let name = Name::of(name, execution.view.database.name())?;
    let schema = execution.scope.creation_schema(&name).map_err(|error| execution.parsed.point(error, name.span))?;
    let catalog = execution.transaction.catalog();
    if if_not_exists && catalog.relation_owner(&schema, &name.name).is_some() {
        let message = format!("relation \"{}\" already exists, skipping", name.name);
        execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, message));
        return Ok(());
    }
    let mut graph = GraphDef { id: 0, schema, name: name.name, elements: Vec::new(), comment: None };
    for table in tables {
        let alias = elements::alias(table, execution.view.database.name())?;
        if graph.element(&alias).is_some() {
            let error = SqlError::new(SqlState::DUPLICATE_TABLE, format!("alias \"{alias}\" used more than once as element table"));
            return Err(execution.parsed.point(error, table.span));
        }
        let element = elements::element(execution, &graph, table, elements::Asked::Create)?;
        graph.elements.push(element);
    }
    checks::consistent(&graph)?;
    graph.id = execution.transaction.ledger().next_object_id();
    execution.transaction.create_graph(graph)
}

/// 42704 for an element or label that a graph does not have.
fn undefined(message: String) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, message)
}

fn folded(idents: &[Ident]) -> Vec<String> {
    idents.iter().map(fold).collect()
}
