//! Views that rows are written through: which they are, and which of their columns are columns of what they read.
//!
//! U1: Postgres's rules: one table or view in FROM, and no clause that makes a row of the view out of another number of rows.
//! U2: a column is written where it is a column of what the view reads, and that is written there.
//! Never: plans a query; asks for rights.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use engine::{Catalog, LEDGER_SCHEMA, Object, ViewDef};
use sqlparser::ast::{Expr, GroupByExpr, ObjectName, Select, SelectItem, SetExpr, Statement, TableFactor, visit_expressions};

use crate::names::fold;
use crate::parse;

/// Bits of `pg_relation_is_updatable`.
pub(crate) const UPDATE: u8 = 4;
pub(crate) const INSERT: u8 = 8;
pub(crate) const DELETE: u8 = 16;
const ALL: u8 = UPDATE | INSERT | DELETE;

/// A view that rows may be written through.
#[derive(Clone, Debug)]
pub(crate) struct Simple {
    pub(crate) select: Select,
    /// What it calls the relation it reads.
    pub(crate) alias: String,
    /// The table or view that it reads.
    pub(crate) base: u32,
    /// What it calls that relation's columns, in their order.
    pub(crate) named: Vec<String>,
    /// By column of the view: the position of the column that it is.
    pub(crate) columns: Vec<Option<usize>>,
}

/// Whether a relation's rows are written, as far as its kind goes.
fn is_written(object: &Object) -> bool {
    matches!(object, Object::View(_)) || matches!(object, Object::Table(table) if table.rules.materialized.is_none())
}

/// Names of a relation's columns.
pub(crate) fn column_names(object: &Object) -> Vec<String> {
    match object {
        Object::Table(table) => table.columns.iter().map(|column| column.name.clone()).collect(),
        Object::View(view) => view.columns.iter().map(|column| column.name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// A view as one to write through, or why it is none, in Postgres's words (U1). Errors: XX000 for a view whose text is no query.
pub(crate) fn read(catalog: &Catalog, view: &ViewDef) -> SqlResult<Result<Simple, &'static str>> {
    let parsed = parse::parse(&view.query)?;
    let [one] = parsed.as_slice() else { return Err(SqlError::internal(format!("view \"{}\" is no query", view.name))) };
    let Statement::Query(query) = &*one.statement else { return Ok(Err(SINGLE)) };
    let select = match query.body.as_ref() {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { .. } => return Ok(Err("Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.")),
        _ => return Ok(Err(SINGLE)),
    };
    let calls = |test: &dyn Fn(&sqlparser::ast::Function, &str) -> bool| {
        select.projection.iter().any(|item| has_call(item, test)) || select.having.as_ref().is_some_and(|having| has_call(having, test))
    };
    let is_aggregate = |call: &sqlparser::ast::Function, name: &str| call.over.is_none() && relational::is_aggregate(name);
    let refusals = [
        (select.distinct.is_some(), "Views containing DISTINCT are not automatically updatable."),
        (!is_ungrouped(&select.group_by), "Views containing GROUP BY are not automatically updatable."),
        (select.having.is_some(), "Views containing HAVING are not automatically updatable."),
        (query.with.is_some(), "Views containing WITH are not automatically updatable."),
        (query.limit_clause.is_some() || query.fetch.is_some(), "Views containing LIMIT or OFFSET are not automatically updatable."),
        (calls(&is_aggregate), "Views that return aggregate functions are not automatically updatable."),
        (calls(&|call, _| call.over.is_some()), "Views that return window functions are not automatically updatable."),
        (calls(&|_, name| gives_sets(name)), "Views that return set-returning functions are not automatically updatable."),
    ];
    if let Some((_, why)) = refusals.iter().find(|(refused, _)| *refused) {
        return Ok(Err(why));
    }
    let [from] = select.from.as_slice() else { return Ok(Err(SINGLE)) };
    let TableFactor::Table { name, alias: Some(alias), args: None, .. } = &from.relation else { return Ok(Err(SINGLE)) };
    let base = object_named(catalog, name).filter(|object| is_written(object));
    let (Some(base), true) = (base, from.joins.is_empty()) else { return Ok(Err(SINGLE)) };
    let mut named = column_names(base);
    for (own, given) in named.iter_mut().zip(&alias.columns) {
        *own = fold(&given.name);
    }
    let alias = fold(&alias.name);
    let columns = select.projection.iter().map(|item| column_of(item, &alias, &named)).collect::<Vec<_>>();
    if columns.len() != view.columns.len() {
        return Ok(Err(SINGLE));
    }
    Ok(Ok(Simple { select: select.as_ref().clone(), alias, base: base.id(), named, columns }))
}

const SINGLE: &str = "Views that do not select from a single table or view are not automatically updatable.";

/// Functions that make several rows out of one.
fn gives_sets(name: &str) -> bool {
    const SETS: [&str; 7] = [
        "generate_series",
        "generate_subscripts",
        "unnest",
        "regexp_matches",
        "regexp_split_to_table",
        "string_to_table",
        "json_object_keys",
    ];
    SETS.contains(&name)
        || name.starts_with("json") && ["_each", "_each_text", "_elements", "_elements_text", "_keys"].iter().any(|end| name.ends_with(end))
}

fn has_call(node: &impl sqlparser::ast::Visit, test: &dyn Fn(&sqlparser::ast::Function, &str) -> bool) -> bool {
    let found = visit_expressions(node, |expr| match expr {
        Expr::Function(call) => {
            let name = call.name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
            if test(call, &name) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

fn is_ungrouped(group_by: &GroupByExpr) -> bool {
    matches!(group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty())
}

fn object_named<'c>(catalog: &'c Catalog, name: &ObjectName) -> Option<&'c Object> {
    let [schema, relation] = name.0.as_slice() else { return None };
    let (schema, relation) = (fold(schema.as_ident()?), fold(relation.as_ident()?));
    let object = catalog.object(catalog.relation_owner(&schema, &relation)?)?;
    (object.name() == relation).then_some(object)
}

/// The position of the column that an item is.
fn column_of(item: &SelectItem, alias: &str, named: &[String]) -> Option<usize> {
    fn plain<'e>(expr: &'e Expr, alias: &str) -> Option<&'e sqlparser::ast::Ident> {
        match expr {
            Expr::Nested(inner) => plain(inner, alias),
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, column] if fold(table) == alias => Some(column),
                _ => None,
            },
            _ => None,
        }
    }
    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { return None };
    let name = fold(plain(expr, alias)?);
    named.iter().position(|column| *column == name)
}

/// What may be done to the rows of a relation, as `pg_relation_is_updatable` tells it, and the columns that may be written (U2).
pub(crate) fn events(catalog: &Catalog, id: u32) -> (u8, BTreeSet<usize>) {
    match catalog.object(id) {
        Some(Object::Table(table)) if table.schema != LEDGER_SCHEMA && table.rules.materialized.is_none() => {
            (ALL, (0..table.columns.len()).collect())
        }
        Some(Object::View(view)) => {
            let Ok(Ok(simple)) = read(catalog, view) else { return (0, BTreeSet::new()) };
            let (below, written) = events(catalog, simple.base);
            let is_written = |at: &usize| simple.columns[*at].is_some_and(|column| written.contains(&column));
            let columns: BTreeSet<usize> = (0..simple.columns.len()).filter(is_written).collect();
            (below & if columns.is_empty() { DELETE } else { ALL }, columns)
        }
        _ => (0, BTreeSet::new()),
    }
}
