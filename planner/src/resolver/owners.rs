//! Whose rights open what a view reads: its owner's, and those of who reads a view made `WITH (security_invoker)`.
//!
//! W1: every relation that a view's query names carries the owner in its name, so that a kept plan opens it in the same role again.
//! W2: a view within a view is opened in the role of the outer one's owner, and opens what it reads in the role of its own.
//! Never: changes who `current_user` is.

use std::ops::ControlFlow;
use std::sync::Arc;

use base::SqlResult;
use engine::ViewDef;
use engine::roles::privilege;
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, Select, Statement, TableAlias, TableFactor, VisitMut, VisitorMut};

use super::Scope;
use crate::names::fold;
use crate::rights::access::{Access, Kind};
use crate::rights::things::of_view;

/// Parts a relation's name from the role that opens it.
const MARK: char = '\u{2}';

/// A name without its mark, and the role; `None` for one that has none.
pub(super) fn read(name: &str) -> Option<(&str, u32)> {
    let (name, role) = name.rsplit_once(MARK)?;
    Some((name, role.parse().ok()?))
}

impl Scope {
    /// The same names with another role's rights.
    pub(crate) fn in_role(&self, role: u32) -> Self {
        Self { access: Arc::new(Access::of(&self.catalog, role)), exempt: None, ..self.clone() }
    }

    /// SELECT on a view. Errors: 42501.
    pub(crate) fn check_view(&self, view: &ViewDef) -> SqlResult<()> {
        if !self.checked || self.access.superuser {
            return Ok(());
        }
        self.check_usage(&view.schema)?;
        let had = self.access.on(&self.catalog, Kind::View, view.id, privilege::SELECT);
        if had == 0 { Err(of_view(view).denied()) } else { Ok(()) }
    }

    /// A view's query, what it names opened in the view's own role (W1).
    pub(super) fn entrusted(&self, view: &ViewDef, statement: Statement) -> Statement {
        self.entrusted_to(self.role_of(view), statement)
    }

    /// A query of a view that a role opens.
    pub(crate) fn entrusted_to(&self, role: u32, mut statement: Statement) -> Statement {
        let _ = VisitMut::visit(&mut statement, &mut Entrusting { role });
        statement
    }

    /// Likewise, of a view that is one SELECT.
    pub(crate) fn entrusted_select(&self, view: &ViewDef, select: &Select) -> Select {
        let mut select = select.clone();
        let _ = VisitMut::visit(&mut select, &mut Entrusting { role: self.role_of(view) });
        select
    }

    /// The role in which a view opens what it reads.
    pub(crate) fn role_of(&self, view: &ViewDef) -> u32 {
        if view.security_invoker { self.access.role } else { self.catalog.authority().owner_of(view.id) }
    }
}

struct Entrusting {
    role: u32,
}

impl VisitorMut for Entrusting {
    type Break = ();

    /// A view names its relations with their schemas; what has none is a name of the query's own.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name: ObjectName(parts), alias, args: None, .. } = factor else { return ControlFlow::Continue(()) };
        if let [_, ObjectNamePart::Identifier(last)] = parts.as_mut_slice() {
            alias.get_or_insert_with(|| TableAlias { explicit: true, name: last.clone(), columns: Vec::new(), at: None });
            *last = Ident { value: format!("{}{MARK}{}", fold(last), self.role), quote_style: Some('"'), span: last.span };
        }
        ControlFlow::Continue(())
    }
}
