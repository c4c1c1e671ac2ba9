//! Rights on property graphs: who reads one needs SELECT on it, and on its element tables where these are opened; who makes one owns its tables.
//!
//! J0: a graph of the past is found by its name of then, and needs the rights of today.
//! J1: a view that reads a graph asks the same of the role that opens what the view reads (resolver/owners.rs).
//! Never: opens an element table.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use base::{CommitSeq, SqlError, SqlResult};
use engine::roles::privilege;
use engine::{GraphDef, Object};
use sqlparser::ast::{ObjectName, visit_relations};

use super::{Checker, not_owner};
use crate::graph_functions;
use crate::graph_patterns;
use crate::graph_syntax::{Change, ElementTable, GraphCommand};
use crate::names::Name;
use crate::parse::Parsed;
use crate::resolver::{Scope, undefined_table};
use crate::rights::access::{Access, Kind};
use crate::rights::things::of_graph;
use crate::versions::Past;

/// Every graph that a statement reads, by itself or in a view. Errors: 42501.
pub(super) fn read(checker: &Checker<'_>, parsed: &Parsed) -> SqlResult<()> {
    let mut named: Vec<(ObjectName, Option<CommitSeq>)> = Vec::new();
    for table in parsed.graph_tables.iter() {
        named.push((table.graph.clone(), graph_patterns::settled(table)?));
    }
    if graph_functions::mentioned(&parsed.source) {
        named.extend(graph_functions::graphs(&*parsed.statement, checker.scope)?);
    }
    for (name, commit) in named {
        let then = commit.map(|commit| checker.scope.as_of(Past::At(commit))).transpose()?;
        let scope = then.as_ref().unwrap_or(checker.scope);
        select(scope, &checker.scope.access, scope.graph_named(&checker.name(&name)?)?)?;
    }
    if checker.scope.catalog.graphs().next().is_none() {
        return Ok(());
    }
    let catalog = &checker.scope.catalog;
    let mut read: BTreeSet<(u32, u32)> = BTreeSet::new();
    let reader = checker.scope.access.role;
    let _ = visit_relations(&*parsed.statement, |name| {
        let found = Name::of(name, checker.database).ok().and_then(|name| checker.scope.relation(&name).map(Object::id));
        read.extend(found.map(|id| (id, reader)));
        ControlFlow::<()>::Continue(())
    });
    let mut open: Vec<(u32, u32)> = read.iter().copied().collect();
    while let Some((id, role)) = open.pop() {
        match catalog.object(id) {
            Some(Object::View(view)) => {
                let role = if view.security_invoker { role } else { catalog.authority().owner_of(id) };
                open.extend(view.reads.iter().map(|(id, _)| (*id, role)).filter(|entered| read.insert(*entered)));
            }
            Some(Object::Graph(graph)) => select(checker.scope, &Access::of(catalog, role), graph)?,
            _ => {}
        }
    }
    Ok(())
}

/// SELECT on a graph. Errors: 42501.
fn select(scope: &Scope, access: &Access, graph: &GraphDef) -> SqlResult<()> {
    if access.role == scope.access.role {
        scope.check_usage(&graph.schema)?;
    }
    let had = access.on(&scope.catalog, Kind::Graph, graph.id, privilege::SELECT);
    if had == 0 { Err(of_graph(graph).denied()) } else { Ok(()) }
}

/// CREATE, ALTER, DROP, COMMENT. Errors: 42501.
pub(super) fn command(checker: &Checker<'_>, command: &GraphCommand) -> SqlResult<()> {
    match command {
        GraphCommand::Create { name, elements, .. } => {
            let schema = checker.scope.creation_schema(&checker.name(name)?)?;
            checker.need_creation(&schema)?;
            elements.iter().try_for_each(|element| own_element(checker, element))
        }
        GraphCommand::Alter { name, change, .. } => {
            own(checker, name)?;
            match change {
                Change::Add(elements) => elements.iter().try_for_each(|element| own_element(checker, element)),
                Change::SetSchema(schema) => checker.need_creation(&crate::names::fold(schema)),
                _ => Ok(()),
            }
        }
        GraphCommand::Drop { names, .. } => names.iter().try_for_each(|name| own(checker, name)),
        GraphCommand::Comment { name, .. } => own(checker, name),
    }
}

fn own(checker: &Checker<'_>, name: &ObjectName) -> SqlResult<()> {
    checker.own(name)
}

/// Owning a schema is not owning its tables here, as in Postgres.
fn own_element(checker: &Checker<'_>, element: &ElementTable) -> SqlResult<()> {
    let name = checker.name(&element.relation)?;
    let relation = checker.scope.relation(&name).ok_or_else(|| -> SqlError { undefined_table(&name.shown()) })?;
    let owns = !checker.scope.access.is_auditor() && checker.scope.access.owns(&checker.scope.catalog, relation.id());
    if owns { Ok(()) } else { Err(not_owner(relation)) }
}
