//! What INSERT, UPDATE and DELETE write to: a table, or a table through a view.
//!
//! T1: names, positions and messages are those of what the statement names; what is written is a whole row of the table beneath.
//! T2: a view's columns are seen by the statement's expressions as the view computes them, over the rows that the view shows.
//! T3: what a view reads is opened in the role that it opens it with when it is read (resolver/owners.rs).
//! T4: with a check option a row that was written is seen through the view, inner views first, else the statement fails (44000).
//! Never: writes.

mod checks;
mod layers;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Object, TableDef};
use sqlparser::ast::{Expr, ObjectName, SelectItem, TableWithJoins};
use sqlparser::tokenizer::Span;

pub(super) use checks::CheckOptions;
use layers::Layers;

use super::{Planning, rewrite};
use crate::names::Name;
use crate::parse::Parsed;
use crate::tables::ROW_ID;

/// What a statement does to rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Insert,
    Update,
    Delete,
}

/// See the module.
pub(super) struct Target {
    /// The table whose rows are written.
    pub(super) table: Arc<TableDef>,
    /// What expressions call it where no alias is given.
    pub(super) name: String,
    layers: Option<Layers>,
}

impl Target {
    /// What a statement writes to. Errors: 42P01, 42501, 42809, at the name's place; 55000 for a view that is not updatable.
    pub(super) fn find(planning: &Planning<'_>, object: &ObjectName, verb: Verb) -> SqlResult<Self> {
        let name = Name::of(object, planning.view.database.name())?;
        if let Some(Object::View(view)) = planning.scope.relation(&name).filter(|object| object.name() == name.name) {
            let (layers, table) = layers::find(planning.scope, view, verb)?;
            return Ok(Self { table, name: name.name, layers: Some(layers) });
        }
        let table = planning.scope.writable(&name).map_err(|error| planning.parsed.point(error, name.span))?;
        Ok(Self { table: Arc::clone(table), name: name.name, layers: None })
    }

    /// The table that a MERGE writes to. Errors: likewise; 0A000 for a view.
    pub(super) fn of_table(planning: &Planning<'_>, object: &ObjectName) -> SqlResult<Self> {
        let name = Name::of(object, planning.view.database.name())?;
        let found = planning.scope.relation(&name).filter(|object| object.name() == name.name);
        if let Some(view) = found.filter(|object| matches!(object.kind(), "view" | "materialized view")) {
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("cannot execute MERGE on relation \"{}\"", view.name()))
                .detail(format!("This operation is not supported for {}s.", view.kind())));
        }
        let (name, table) = super::assignment::target(planning, object)?;
        Ok(Self { table, name: name.name, layers: None })
    }

    /// Whether it is the table itself.
    pub(super) fn is_table(&self) -> bool {
        self.layers.is_none()
    }

    /// Columns that a statement without a list gives.
    pub(super) fn width(&self) -> usize {
        self.layers.as_ref().map_or(self.table.columns.len(), |layers| layers.columns.len())
    }

    /// The position in the table of a column that a statement names. Errors: 42703, 0A000 for a column of a view that is none of the table.
    pub(super) fn position(&self, name: &str, span: Span, parsed: &Parsed, verb: Verb) -> SqlResult<usize> {
        let Some(layers) = &self.layers else { return super::assignment::position(&self.table, name, span, parsed) };
        match layers.columns.iter().position(|(column, _)| column == name) {
            Some(at) => layers.place(at, verb),
            None => {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", layers.view().name);
                Err(parsed.point(SqlError::new(SqlState::UNDEFINED_COLUMN, message), span))
            }
        }
    }

    /// The position in the table of its column at `at`. Errors: 0A000.
    pub(super) fn place(&self, at: usize, verb: Verb) -> SqlResult<usize> {
        self.layers.as_ref().map_or(Ok(at), |layers| layers.place(at, verb))
    }

    /// The column of that name, as a position in the table, if it is one.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        match &self.layers {
            None => self.table.columns.iter().position(|column| column.name == name),
            Some(layers) => layers.columns.iter().find(|(column, _)| column == name).and_then(|(_, at)| *at),
        }
    }

    /// What stands in FROM for it, with the row's id and the whole row of the table.
    pub(super) fn factor(&self, alias: &str) -> TableWithJoins {
        match &self.layers {
            None => rewrite::target(&self.table, alias),
            Some(layers) => layers.rows(&self.table, alias),
        }
    }

    /// A column of the table, out of [`Target::factor`].
    pub(super) fn whole(&self, alias: &str, at: usize) -> Expr {
        match self.layers {
            None => rewrite::column(alias, &self.table.columns[at].name),
            Some(_) => rewrite::column(alias, &layers::carried(at)),
        }
    }

    /// What stands in FROM for rows at hand: the columns that the statement sees, and the column `beside` of the rows. For a view those of the table, too.
    pub(super) fn over(&self, rows: TableWithJoins, alias: &str, beside: &str) -> TableWithJoins {
        match &self.layers {
            None => rows,
            Some(layers) => layers.over(&self.table, &rows.relation, alias, beside),
        }
    }

    /// A list with the columns of a view in the place of `*`.
    pub(super) fn listed(&self, items: &[SelectItem], alias: &str) -> Vec<SelectItem> {
        let Some(layers) = &self.layers else { return items.to_vec() };
        let all = || layers.columns.iter().map(|(name, _)| SelectItem::UnnamedExpr(rewrite::column(alias, name)));
        let mut listed = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::Wildcard(_) => listed.extend(all()),
                SelectItem::QualifiedWildcard(kind, _) if kind.to_string().trim_end_matches(".*").trim_matches('"') == alias => {
                    listed.extend(all())
                }
                other => listed.push(other.clone()),
            }
        }
        listed
    }

    /// What a new row has in columns that it is not given, by position in the table, as views say it; what they say nothing of is the table's matter.
    /// Errors: 0A000 for one of a column that cannot be written.
    pub(super) fn defaults(&self) -> SqlResult<BTreeMap<usize, String>> {
        let Some(layers) = &self.layers else { return Ok(BTreeMap::new()) };
        let computed =
            layers.view().columns.iter().zip(&layers.columns).position(|(column, (_, at))| column.default.is_some() && at.is_none());
        computed.map_or(Ok(()), |at| layers.place(at, Verb::Insert).map(drop))?;
        Ok(layers.defaults.clone())
    }

    /// What DEFAULT means of the view's column that is at a position of the table, for a row that is there.
    pub(super) fn own_default(&self, position: usize) -> Option<&str> {
        let layers = self.layers.as_ref()?;
        let mut columns = layers.columns.iter().zip(&layers.view().columns);
        columns.find_map(|((_, at), column)| column.default.as_deref().filter(|_| *at == Some(position)))
    }

    /// What its views' check options demand of new rows, if anything. Errors: what planning it raises.
    pub(super) fn checks(&self, planning: &Planning<'_>) -> SqlResult<Option<CheckOptions>> {
        self.layers.as_ref().map_or(Ok(None), |layers| CheckOptions::plan(planning, &self.table, layers))
    }
}

/// The name of the column that holds the row's id.
pub(super) fn row_id(alias: &str) -> Expr {
    rewrite::column(alias, ROW_ID)
}

/// What is asked of a role for a write through a view: each relation beneath, the role that opens it, and by column of the view named the columns there.
pub(crate) struct Step {
    pub(crate) role: u32,
    pub(crate) relation: Object,
    pub(crate) columns: Vec<Option<usize>>,
}

/// The steps beneath a view, outermost first.
///
/// Errors: 55000 where the view is not updatable.
pub(crate) fn steps(scope: &crate::resolver::Scope, view: &Arc<engine::ViewDef>, verb: Verb) -> SqlResult<Vec<Step>> {
    layers::steps(scope, view, verb)
}
