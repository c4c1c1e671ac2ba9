//! What writing rows through a view needs: the privilege on the view, and beneath it that of the role that opens each relation.
//!
//! V1: whoever writes asks nothing of a superuser, but what a view opens it opens in its own role, whoever writes.
//! Never: reads a row.

use std::sync::Arc;

use base::SqlResult;
use engine::roles::privilege;
use engine::{Object, ViewDef};
use sqlparser::ast::ObjectName;

use super::{Checker, Mentions};
use crate::names::fold;
use crate::resolver::Scope;
use crate::rights::access::Kind;
use crate::rights::things;
use crate::statements::write_target::{self, Verb};

/// What a statement does to the rows of a view.
pub(super) struct Through<'a> {
    pub(super) verb: Verb,
    pub(super) wanted: u16,
    /// Columns of the view that are written; all where nothing is said.
    pub(super) columns: Option<Vec<String>>,
    pub(super) mentions: &'a Mentions,
    pub(super) alias: Option<&'a str>,
}

impl Checker<'_> {
    /// The view that a statement writes through, if its target is one.
    pub(super) fn view(&self, object: &ObjectName) -> SqlResult<Option<Arc<ViewDef>>> {
        let name = self.name(object)?;
        Ok(match self.scope.relation(&name) {
            Some(Object::View(view)) if view.name == name.name => Some(Arc::clone(view)),
            _ => None,
        })
    }

    /// Errors: 42501; 55000 where the view is not updatable.
    pub(super) fn through(&self, view: &Arc<ViewDef>, write: &Through<'_>) -> SqlResult<()> {
        let names: Vec<&str> = view.columns.iter().map(|column| column.name.as_str()).collect();
        let mentions = &write.mentions;
        let reads = mentions.everything
            || mentions.names.contains(write.alias.unwrap_or(&view.name))
            || names.iter().any(|name| mentions.names.contains(*name));
        on_view(self.scope, view, write.wanted | if reads { privilege::SELECT } else { 0 })?;
        let is_written = |at: usize| write.columns.as_ref().is_none_or(|columns| columns.iter().any(|column| column == names[at]));
        for step in write_target::steps(self.scope, view, write.verb)? {
            let scope = self.scope.in_role(step.role);
            match &step.relation {
                Object::View(beneath) => on_view(&scope, beneath, write.wanted)?,
                Object::Table(table) => {
                    let beneath = Checker { scope: &scope, database: self.database };
                    scope.check_usage(&table.schema)?;
                    if write.verb == Verb::Delete {
                        beneath.need(table, write.wanted)?;
                    } else {
                        let columns = (0..names.len()).filter(|at| is_written(*at)).filter_map(|at| step.columns[at]);
                        beneath.need_columns(table, write.wanted, columns)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn on_view(scope: &Scope, view: &ViewDef, wanted: u16) -> SqlResult<()> {
    scope.check_usage(&view.schema)?;
    let had = scope.access.on(&scope.catalog, Kind::View, view.id, wanted);
    if had == wanted { Ok(()) } else { Err(things::of_view(view).denied()) }
}

/// The columns that a list names.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a ObjectName>) -> Option<Vec<String>> {
    let listed: Vec<String> = names.filter_map(|name| name.0.last().and_then(|part| part.as_ident()).map(fold)).collect();
    (!listed.is_empty()).then_some(listed)
}
