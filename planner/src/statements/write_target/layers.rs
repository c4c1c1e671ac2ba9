//! The views between a statement and the table it writes: as nested queries, over the table's rows or over rows at hand.
//!
//! L1: each query gives the view's columns under their names and carries, beside them, the row's id and the table's own columns.
//! Never: asks for rights; names a relation otherwise than in the role that opens it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Object, TableDef, ViewDef};
use sqlparser::ast::{Expr, SelectItem, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins};

use super::{Step, Verb};
use crate::names::quoted;
use crate::query_trees::{self, query};
use crate::resolver::Scope;
use crate::statements::rewrite;
use crate::tables::ROW_ID;
use crate::updatable_views::{self, Simple};

/// One view and how it reads what is beneath.
pub(super) struct Layer {
    pub(super) view: Arc<ViewDef>,
    /// Names in it carry the role that opens them.
    pub(super) simple: Simple,
}

/// See the module.
pub(super) struct Layers {
    /// Outermost first.
    pub(super) layers: Vec<Layer>,
    /// Columns that the statement sees, and where they are in the table.
    pub(super) columns: Vec<(String, Option<usize>)>,
    /// By position in the table: the default of the outermost view that has one.
    pub(super) defaults: BTreeMap<usize, String>,
}

/// The name of a table's column beside those of a view; no statement can write it.
pub(super) fn carried(at: usize) -> String {
    format!("\u{1}c{at}")
}

/// The layers beneath a view, and the table. Errors: 55000, 42809.
pub(super) fn find(scope: &Scope, view: &Arc<ViewDef>, verb: Verb) -> SqlResult<(Layers, Arc<TableDef>)> {
    let (layers, table) = walk(scope, view, verb)?;
    let mut columns: Vec<Option<usize>> = (0..table.columns.len()).map(Some).collect();
    let mut defaults = BTreeMap::new();
    for layer in layers.iter().rev() {
        columns = layer.simple.columns.iter().map(|at| at.and_then(|at| columns.get(at).copied().flatten())).collect();
        let own = layer.view.columns.iter().zip(&columns).filter_map(|(column, at)| Some(((*at)?, column.default.clone()?)));
        defaults.extend(own);
    }
    let named = view.columns.iter().map(|column| column.name.clone()).zip(columns).collect();
    Ok((Layers { layers, columns: named, defaults }, table))
}

fn walk(scope: &Scope, view: &Arc<ViewDef>, verb: Verb) -> SqlResult<(Vec<Layer>, Arc<TableDef>)> {
    let mut layers = Vec::new();
    let (mut scope, mut view) = (scope.clone(), Arc::clone(view));
    loop {
        let simple = updatable_views::read(&scope.catalog, &view)?.map_err(|why| not_updatable(&view, verb, why))?;
        if verb != Verb::Delete && simple.columns.iter().all(Option::is_none) {
            return Err(not_updatable(&view, verb, "Views that have no updatable columns are not automatically updatable."));
        }
        let role = scope.role_of(&view);
        let base = scope.catalog.object(simple.base).cloned();
        layers.push(Layer { simple: Simple { select: scope.entrusted_select(&view, &simple.select), ..simple }, view });
        match base {
            Some(Object::Table(table)) => return Ok((layers, table)),
            Some(Object::View(next)) => (scope, view) = (scope.in_role(role), next),
            _ => return Err(SqlError::internal("a view over nothing")),
        }
    }
}

/// See [`super::steps`].
pub(super) fn steps(scope: &Scope, view: &Arc<ViewDef>, verb: Verb) -> SqlResult<Vec<Step>> {
    let (layers, table) = walk(scope, view, verb)?;
    let mut steps: Vec<Step> = Vec::with_capacity(layers.len());
    let mut columns: Vec<Option<usize>> = (0..view.columns.len()).map(Some).collect();
    let mut scope = scope.clone();
    for (at, layer) in layers.iter().enumerate() {
        let role = scope.role_of(&layer.view);
        columns = columns.iter().map(|at| at.and_then(|at| layer.simple.columns.get(at).copied().flatten())).collect();
        let relation = layers.get(at + 1).map_or_else(|| Object::Table(Arc::clone(&table)), |next| Object::View(Arc::clone(&next.view)));
        steps.push(Step { role, relation, columns: columns.clone() });
        scope = scope.in_role(role);
    }
    Ok(steps)
}

/// 55000
fn not_updatable(view: &ViewDef, verb: Verb, why: &str) -> SqlError {
    let (what, gerund, event) = match verb {
        Verb::Insert => ("insert into", "inserting into", "INSERT"),
        Verb::Update => ("update", "updating", "UPDATE"),
        Verb::Delete => ("delete from", "deleting from", "DELETE"),
    };
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("cannot {what} view \"{}\"", view.name))
        .detail(why)
        .hint(format!("To enable {gerund} the view, provide an INSTEAD OF {event} trigger or an unconditional ON {event} DO INSTEAD rule."))
}

impl Layers {
    /// The view that the statement names.
    pub(super) fn view(&self) -> &ViewDef {
        &self.layers[0].view
    }

    /// Where a column of the view is in the table. Errors: 0A000.
    pub(super) fn place(&self, at: usize, verb: Verb) -> SqlResult<usize> {
        let Some((name, place)) = self.columns.get(at) else { return Err(SqlError::internal("a view without that column")) };
        place.ok_or_else(|| {
            let what = if verb == Verb::Insert { "insert into" } else { "update" };
            // The innermost view that computes it is the one that is at fault.
            let mut column = at;
            let mut guilty = (name.as_str(), self.view().name.as_str());
            for layer in &self.layers {
                guilty = (layer.view.columns.get(column).map_or(name, |column| &column.name), &layer.view.name);
                match layer.simple.columns.get(column).copied().flatten() {
                    Some(beneath) => column = beneath,
                    None => break,
                }
            }
            let message = format!("cannot {what} column \"{}\" of view \"{}\"", guilty.0, guilty.1);
            SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                .detail("View columns that are not columns of their base relation are not updatable.")
        })
    }

    /// The view's rows, with the row's id and the table's columns beside them.
    pub(super) fn rows(&self, table: &TableDef, alias: &str) -> TableWithJoins {
        self.nested(0, None, &self.beside(table, ROW_ID), true, alias)
    }

    /// What the view shows of rows at hand, whether it would show them or not.
    pub(super) fn over(&self, table: &TableDef, rows: &TableFactor, alias: &str, beside: &str) -> TableWithJoins {
        self.nested(0, Some(rows), &self.beside(table, beside), false, alias)
    }

    /// The table's columns and one more, as the innermost view calls them and as they are carried.
    fn beside(&self, table: &TableDef, more: &str) -> Vec<(String, String)> {
        let own = self.layers.last().map(|layer| &layer.simple.named);
        let column = |at: usize| own.and_then(|named| named.get(at)).map_or(table.columns[at].name.as_str(), String::as_str);
        let columns = (0..table.columns.len()).map(|at| (column(at).to_owned(), carried(at)));
        columns.chain([(more.to_owned(), more.to_owned())]).collect()
    }

    /// What the layer at `at` and those beneath give, under an alias.
    fn nested(&self, at: usize, rows: Option<&TableFactor>, beside: &[(String, String)], filtered: bool, alias: &str) -> TableWithJoins {
        let layer = &self.layers[at];
        let columns = layer.view.columns.iter().zip(&layer.simple.select.projection);
        let mut items: Vec<SelectItem> = columns.filter_map(|(column, item)| Some(rewrite::item(value(item)?, &column.name))).collect();
        let is_last = at + 1 == self.layers.len();
        let carried = |(from, to): &(String, String)| {
            let column = if is_last { from } else { to };
            rewrite::item(rewrite::column(&layer.simple.alias, column), to)
        };
        items.extend(beside.iter().map(carried));
        let selection = layer.simple.select.selection.clone().filter(|_| filtered);
        let from = self.beneath(at, rows, beside, filtered);
        let subquery = Box::new(query(query_trees::select_body(items, vec![from], selection)));
        let alias = Some(query_trees::alias(alias));
        TableWithJoins { relation: TableFactor::Derived { lateral: false, subquery, alias, sample: None }, joins: Vec::new() }
    }

    /// What the layer at `at` reads, under the alias that its view gives it.
    pub(super) fn beneath(&self, at: usize, rows: Option<&TableFactor>, beside: &[(String, String)], filtered: bool) -> TableWithJoins {
        let layer = &self.layers[at];
        let mut from = layer.simple.select.from[0].clone();
        let mut given = alias_of(&from.relation);
        if let (Some(alias), None, true) = (&mut given, rows, at + 1 == self.layers.len())
            && !alias.columns.is_empty()
        {
            // Names for some columns are names for all, the row's id among them.
            let names = layer.simple.named.iter().map(String::as_str).chain([ROW_ID]);
            alias.columns = names.map(|name| TableAliasColumnDef { name: quoted(name), data_type: None }).collect();
        }
        if at + 1 < self.layers.len() {
            from = self.nested(at + 1, rows, beside, filtered, &layer.simple.alias);
        } else if let Some(rows) = rows {
            from.relation = rows.clone();
        }
        if let (Some(given), TableFactor::Derived { alias, .. } | TableFactor::Table { alias, .. }) = (given, &mut from.relation) {
            *alias = Some(given);
        }
        from
    }
}

fn alias_of(factor: &TableFactor) -> Option<TableAlias> {
    match factor {
        TableFactor::Table { alias, .. } => alias.clone(),
        _ => None,
    }
}

fn value(item: &SelectItem) -> Option<Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr.clone()),
        _ => None,
    }
}
