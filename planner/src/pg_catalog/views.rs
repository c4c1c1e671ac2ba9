//! The text of views as Postgres prints it: one item, table and condition a line.
//!
//! W1: schemas are left out where the search path finds the relation without.
//! Never: changes what is kept; a query of another shape is printed on one line.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use base::{ColumnId, RelationId};
use engine::{ColumnDef, Object, TableDef, ViewDef};
use sqlparser::ast::{Expr, GroupByExpr, Select, SelectItem, SetExpr, Statement, TableFactor, VisitMut, VisitorMut};

use super::names::quote;
use super::scene::{Relation, Scene};
use crate::names::{fold, quoted};
use crate::parse;
use crate::updatable_views;

/// A query that is kept, and the columns that it answers with.
pub(super) struct Query<'a> {
    query: &'a str,
    columns: Vec<&'a str>,
}

impl<'a> Query<'a> {
    pub(super) fn of(view: &'a ViewDef) -> Self {
        Self { query: &view.query, columns: view.columns.iter().map(|column| column.name.as_str()).collect() }
    }

    /// Of a materialized view.
    pub(super) fn of_table(table: &'a TableDef) -> Option<Self> {
        let materialized = table.rules.materialized.as_ref()?;
        Some(Self { query: &materialized.query, columns: table.columns.iter().map(|column| column.name.as_str()).collect() })
    }
}

/// As `pg_get_viewdef` prints it, with a semicolon at the end.
pub(super) fn definition(scene: &Scene, view: &Query<'_>, pretty: bool) -> String {
    printed(scene, view, pretty).or_else(|| simple(scene, view, pretty)).unwrap_or_else(|| format!(" {};", view.query))
}

/// As `printed` has it; nothing where it does not understand the query, or the query has patterns of graphs.
fn printed(scene: &Scene, view: &Query<'_>, pretty: bool) -> Option<String> {
    let parsed = parse::parse(view.query).ok()?;
    let [one] = parsed.as_slice() else { return None };
    let Statement::Query(query) = &*one.statement else { return None };
    let columns: Vec<String> = view.columns.iter().map(|name| (*name).to_owned()).collect();
    let text = if one.graph_tables.is_empty() { super::printed::query(scene, query, &columns, pretty) } else { None };
    text.map(|text| format!("{text};"))
}

/// A SELECT of columns from one table; the rest is left to the text that is kept.
fn simple(scene: &Scene, view: &Query<'_>, pretty: bool) -> Option<String> {
    let parsed = parse::parse(view.query).ok()?;
    let one = parsed.first().filter(|one| one.graph_tables.is_empty())?;
    let Statement::Query(query) = &*one.statement else { return None };
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let select = &called_as_now(scene, select);
    let plain = query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none() && select.distinct.is_none();
    let [from] = select.from.as_slice() else { return None };
    let TableFactor::Table { name, alias: Some(alias), args: None, .. } = &from.relation else { return None };
    if !plain || !from.joins.is_empty() || select.having.is_some() || !is_ungrouped(&select.group_by) {
        return None;
    }
    let [schema, table] = name.0.as_slice() else { return None };
    let (schema, table) = (fold(schema.as_ident()?), fold(table.as_ident()?));
    let alias = fold(&alias.name);
    let mut items = Vec::new();
    for (item, column) in select.projection.iter().zip(&view.columns) {
        let (expr, given) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(fold(alias))),
            _ => return None,
        };
        let printed = match expr {
            Expr::Identifier(ident) => format!("{}.{}", quote(&alias), quote(&fold(ident))),
            Expr::CompoundIdentifier(parts) => parts.iter().map(|part| quote(&fold(part))).collect::<Vec<_>>().join("."),
            other => other.to_string(),
        };
        let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let own = printed.rsplit('.').next().unwrap_or(&printed).to_owned();
        let named = given.unwrap_or_else(|| (*column).to_owned());
        items.push(if is_column && own == quote(column) { printed } else { format!("{printed} AS {}", quote(&named)) });
    }
    (items.len() == view.columns.len()).then_some(())?;
    let shown = match scene.catalog.relation_owner(&schema, &table).and_then(|id| scene.catalog.object(id)) {
        Some(Object::Table(found)) if scene.is_visible(&Relation::Table(found)) => quote(&table),
        Some(Object::View(found)) if scene.is_visible(&Relation::View(found)) => quote(&table),
        _ => format!("{}.{}", quote(&schema), quote(&table)),
    };
    let source = if alias == table { shown } else { format!("{shown} {}", quote(&alias)) };
    let condition = match (&select.selection, scene.catalog.table(&schema, &table)) {
        (None, _) => String::new(),
        (Some(condition), found) => {
            let found = found.cloned().or_else(|| scene.catalog.view(&schema, &table).and_then(|view| as_table(view)))?;
            let found = &found;
            let printed = super::deparse::condition_of(found, &alias, &condition.to_string(), pretty);
            format!("\n  WHERE {printed}")
        }
    };
    Some(format!(" SELECT {}\n   FROM {source}{condition};", items.join(",\n    ")))
}

/// A view's columns as those of a table, which conditions are printed over.
fn as_table(view: &ViewDef) -> Option<Arc<TableDef>> {
    let column = |(id, column): (u32, &engine::ViewColumn)| ColumnDef {
        id: ColumnId(id),
        name: column.name.clone(),
        sql_type: column.sql_type,
        not_null: false,
    };
    let columns = (1..).zip(&view.columns).map(column).collect();
    TableDef::new(RelationId(view.id), &view.schema, &view.name, columns, Vec::new()).ok().map(Arc::new)
}

/// A SELECT from one relation that names columns as they are called now, where an alias tells how they were.
fn called_as_now(scene: &Scene, select: &Select) -> Select {
    let mut select = select.clone();
    let [from] = select.from.as_mut_slice() else { return select };
    let TableFactor::Table { name, alias: Some(alias), .. } = &mut from.relation else { return select };
    let [schema, relation] = name.0.as_slice() else { return select };
    let parts = schema.as_ident().map(fold).zip(relation.as_ident().map(fold));
    let object = parts.and_then(|(schema, relation)| scene.catalog.object(scene.catalog.relation_owner(&schema, &relation)?));
    let now = object.map_or_else(Vec::new, updatable_views::column_names);
    let renamed = std::mem::take(&mut alias.columns).iter().map(|column| fold(&column.name)).zip(now).collect();
    let mut present = Present { alias: fold(&alias.name), renamed };
    let _ = VisitMut::visit(&mut select, &mut present);
    select
}

struct Present {
    alias: String,
    /// Columns as they were called, and as they are.
    renamed: HashMap<String, String>,
}

impl VisitorMut for Present {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let column = match expr {
            Expr::Identifier(column) => column,
            Expr::CompoundIdentifier(parts) => match parts.as_mut_slice() {
                [relation, column] if fold(relation) == self.alias => column,
                _ => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        if let Some(now) = self.renamed.get(&fold(column)) {
            *column = quoted(now);
        }
        ControlFlow::Continue(())
    }
}

fn is_ungrouped(group_by: &GroupByExpr) -> bool {
    matches!(group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty())
}
