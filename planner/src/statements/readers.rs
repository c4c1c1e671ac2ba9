//! The queries of views and materialized views, following what they read: a relation that is called otherwise, a column that is, a column that goes.
//!
//! F1: a query goes on naming a column as it did: the alias of the relation lists the columns' names as far as the one that is called otherwise.
//! Never: changes what a query answers, or the names and types of a view's columns.

use std::ops::ControlFlow;
use std::sync::Arc;

use base::{SqlError, SqlResult};
use engine::{Object, ViewDef};
use sqlparser::ast::{ObjectName, Statement, TableAlias, TableAliasColumnDef, TableFactor, VisitMut, VisitorMut, visit_relations_mut};

use super::Execution;
use super::property_graph::followers;
use super::table_draft::Draft;
use crate::graph_functions;
use crate::graph_syntax;
use crate::names::{fold, quoted};
use crate::parse::{self, Parsed};

/// Queries that read a relation go on reading it under its new name.
pub(super) fn follow_rename(execution: &mut Execution<'_>, id: u32, from: (&str, &str), to: (&str, &str)) -> SqlResult<()> {
    let (old, new) = (full_name(from), full_name(to));
    rewrite(execution, id, |one, mut statement| {
        let shown = old.to_string();
        let _ = visit_relations_mut(&mut statement, |name| {
            if name.to_string() == shown {
                *name = new.clone();
            }
            ControlFlow::<()>::Continue(())
        });
        graph_functions::rename_all(&mut statement, &old, &new);
        Ok(followers::renamed(one, &statement.to_string(), from, to))
    })
}

/// Queries that read a relation go on naming its columns as they were called, `names`, before the one at `at` was renamed (F1).
///
/// Errors: 0A000 where one reads the relation as of another time.
pub(super) fn follow_column(execution: &mut Execution<'_>, object: &Object, names: &[String], at: usize) -> SqlResult<()> {
    change_aliases(execution, object, |alias| {
        let given = alias.columns.len();
        alias.columns.extend(names.iter().take(at + 1).skip(given).map(|name| TableAliasColumnDef { name: quoted(name), data_type: None }));
    })
}

/// Queries that read a table, and not its column at `at`, go on naming the others as they did when that one goes.
pub(super) fn forget_column(execution: &mut Execution<'_>, object: &Object, at: usize) -> SqlResult<()> {
    change_aliases(execution, object, |alias| {
        if at < alias.columns.len() {
            alias.columns.remove(at);
        }
    })
}

/// Queries that read a table, which has these columns and is about to have one more, go on naming them as they did: where one is named as the new one
/// will be, that one has another name there.
pub(super) fn take_in_column(execution: &mut Execution<'_>, object: &Object, names: &[String], new: &str) -> SqlResult<()> {
    change_aliases(execution, object, |alias| {
        let is_named = |alias: &TableAlias, name: &str| alias.columns.iter().any(|column| fold(&column.name) == name);
        if !is_named(alias, new) {
            return;
        }
        let given = alias.columns.len();
        alias.columns.extend(names.iter().skip(given).map(|name| TableAliasColumnDef { name: quoted(name), data_type: None }));
        let free = (1..).map(|n| format!("{new}_{n}")).find(|name| !is_named(alias, name)).unwrap_or_default();
        alias.columns.push(TableAliasColumnDef { name: quoted(&free), data_type: None });
    })
}

fn change_aliases(execution: &mut Execution<'_>, object: &Object, change: impl Fn(&mut TableAlias)) -> SqlResult<()> {
    let relation = full_name((object.schema().unwrap_or_default(), object.name())).to_string();
    rewrite(execution, object.id(), |one, mut statement| {
        let mut aliases = Aliases { relation: &relation, change: &change };
        match VisitMut::visit(&mut statement, &mut aliases) {
            ControlFlow::Continue(()) => Ok(graph_syntax::restored(&statement.to_string(), &one.graph_tables)),
            ControlFlow::Break(()) => {
                let message = format!("renaming a column of {} {} that a view reads as of another time", object.kind(), object.name());
                Err(SqlError::unsupported(message).hint("Drop the view, rename the column, and create the view again."))
            }
        }
    })
}

struct Aliases<'a> {
    relation: &'a str,
    change: &'a dyn Fn(&mut TableAlias),
}

impl VisitorMut for Aliases<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias: Some(alias), version, args: None, .. } = factor else { return ControlFlow::Continue(()) };
        if name.to_string() != self.relation {
            return ControlFlow::Continue(());
        }
        let before = alias.columns.len();
        (self.change)(alias);
        // The past has the columns of then.
        if version.is_some() && alias.columns.len() > before { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn full_name((schema, name): (&str, &str)) -> ObjectName {
    ObjectName::from(vec![quoted(schema), quoted(name)])
}

/// Every query that reads a relation, with the text that `change` gives for it.
fn rewrite(execution: &mut Execution<'_>, id: u32, change: impl Fn(&Parsed, Statement) -> SqlResult<String>) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let readers: Vec<Object> =
        catalog.readers().filter(|reader| reader.reads(id, None)).filter_map(|reader| catalog.object(reader.id).cloned()).collect();
    for reader in readers {
        let before = match &reader {
            Object::View(view) => &view.query,
            Object::Table(table) => table.rules.materialized.as_ref().map_or(&table.name, |materialized| &materialized.query),
            _ => continue,
        };
        let parsed = parse::parse(before)?;
        let [one] = parsed.as_slice() else { return Err(SqlError::internal("a view is no query")) };
        let query = change(one, one.statement.as_ref().clone())?;
        match &reader {
            Object::View(view) if query != *before => {
                let changed = ViewDef { query, ..view.as_ref().clone() };
                execution.transaction.redefine(Object::View(Arc::new(changed)))?;
            }
            Object::Table(table) if query != *before => {
                let mut draft = Draft::of(table, execution.transaction.next_version(table.id));
                draft.rules.materialized.iter_mut().for_each(|materialized| materialized.query.clone_from(&query));
                execution.transaction.alter_table(draft.finish()?)?;
            }
            _ => {}
        }
    }
    Ok(())
}
