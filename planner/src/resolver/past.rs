//! Names in the past: what a table or view was called then, read as it was then, with the rights of today.
//!
//! Never: finds a temporary table, or one of a reserved schema.

use std::ops::ControlFlow;
use std::sync::Arc;

use base::{SqlError, SqlResult};
use engine::{TEMPORARY_SCHEMA, TableView, ViewDef};
use relational::{Table, View};
use sqlparser::ast::{ObjectNamePart, Statement, TableFactor, VisitMut, VisitorMut};

use super::{Scope, is_reserved, undefined_table};
use crate::graph_paths::Searched;
use crate::names::fold;
use crate::rights::{Opened, things};
use crate::tables::StoredTable;
use crate::tables::erasable::with_erased;
use crate::versions::{HistoryTable, Past};

impl Scope {
    /// The names of a past: those of its moment; those of today for versions, whose rows are read under the definition of today.
    ///
    /// Errors: 22023 for a commit that is not there, XX001.
    pub(crate) fn as_of(&self, past: Past) -> SqlResult<Self> {
        let (catalog, moved) = match past {
            Past::At(seq) => (self.ledger.moment(seq)?.catalog, Some(seq)),
            Past::Versions(_) => (Arc::clone(&self.catalog), None),
        };
        let searched = Searched { moved, ..self.searched.clone() };
        Ok(Self { catalog, searched, ..self.clone() })
    }

    /// Errors: 42P01, 42501; 0A000 for a relation that has no past of its own.
    pub(super) fn past_table(&self, schema: Option<&str>, name: &str, past: Past) -> SqlResult<Arc<dyn Table>> {
        if schema.is_some_and(is_reserved) {
            return Err(SqlError::unsupported(format!("FOR SYSTEM_TIME after \"{name}\""))
                .hint("The ledger's own tables and the catalogs show the present."));
        }
        let shown = || schema.map_or(name.to_owned(), |schema| format!("{schema}.{name}"));
        let table = self.stored(schema, name).filter(|table| table.schema != TEMPORARY_SCHEMA).ok_or_else(|| undefined_table(&shown()))?;
        let opened = self.opened(table)?;
        match past {
            Past::At(seq) => {
                let view = TableView::past(&self.ledger, Arc::clone(table), seq)?;
                Ok(with_erased(&self.ledger, table, StoredTable::new(Arc::clone(table), view, opened).linked(self.links())))
            }
            Past::Versions(span) => match opened {
                Opened::Whole => Ok(Arc::new(HistoryTable::new(Arc::clone(&self.ledger), Arc::clone(table), span)?)),
                Opened::Columns(_) => Err(things::of_table(table).denied()),
            },
        }
    }

    /// A view of then, over the tables of then.
    pub(super) fn past_view(&self, schema: Option<&str>, name: &str, past: Past) -> SqlResult<Option<View>> {
        let Some(view) = self.view(schema, name) else { return Ok(None) };
        if matches!(past, Past::Versions(_)) {
            return Err(
                SqlError::unsupported(format!("the versions of view \"{name}\"")).hint("Read the versions of the tables it is made of.")
            );
        }
        let columns = view.columns.iter().map(|column| (column.name.clone(), column.sql_type.arrow())).collect();
        Ok(Some(View { statement: self.entrusted(view, self.moved(view, past)?), columns }))
    }

    /// The view's query with every stored table's name that of its past.
    fn moved(&self, view: &ViewDef, past: Past) -> SqlResult<Statement> {
        let mut statement = self.stored_query(&view.name, &view.query)?;
        let _ = VisitMut::visit(&mut statement, &mut Moving { scope: self, past });
        Ok(statement)
    }
}

struct Moving<'a> {
    scope: &'a Scope,
    past: Past,
}

impl VisitorMut for Moving<'_> {
    type Break = ();

    /// A view names its tables with their schemas; what has none is a name of the query's own.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, args: None, .. } = &*factor else { return ControlFlow::Continue(()) };
        let folded = |part: &ObjectNamePart| part.as_ident().map(fold);
        if let [schema, table] = name.0.as_slice()
            && let (Some(schema), Some(table)) = (folded(schema), folded(table))
            && !is_reserved(&schema)
            && self.scope.catalog.relation_owner(&schema, &table).is_some()
        {
            self.past.enter(factor);
        }
        ControlFlow::Continue(())
    }
}
