//! Decides which hidden columns a statement sees: those it names, and `*` still leaves them out.
//!
//! H1: a table exposes a hidden column only to a statement that names it.
//! H2: a wildcard over a table that exposes one excludes it.
//! H3: `tableoid` is a hidden column of every table that has an oid, though no table's schema has it.
//! Never: hides a column the user named.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use arrow::datatypes::{DataType, Field, Schema};
use base::{SqlError, SqlResult};
use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind,
    Statement, TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions, With,
};

use crate::position::{folded, folded_parts};
use crate::table::{DECLARED_TYPE, HIDDEN, TABLE_COLUMN, TABLE_OID, Table};

/// Whether the column is left out of `*`.
pub(crate) fn is_hidden(field: &Field) -> bool {
    field.metadata().get(HIDDEN).is_some_and(|value| value == "true")
}

/// The column of H3 of a table, if it has one; its place is that which Postgres gives it.
pub(crate) fn table_oid(table: &dyn Table) -> Option<(u32, Field)> {
    let oid = table.oid().filter(|_| table.schema().index_of(TABLE_OID).is_err())?;
    let told = [(HIDDEN, "true".to_owned()), (DECLARED_TYPE, "26,-1".to_owned()), (TABLE_COLUMN, format!("{oid},-6"))];
    let metadata = told.map(|(key, value)| (key.to_owned(), value)).into();
    Some((oid, Field::new(TABLE_OID, DataType::UInt32, true).with_metadata(metadata)))
}

/// Every identifier in the statement that could name a hidden column: `tableoid`, and what begins with `_`.
pub(crate) fn mentioned(statement: &Statement) -> BTreeSet<String> {
    let mut mentions = Mentions(BTreeSet::new());
    let _ = Visit::visit(statement, &mut mentions);
    mentions.0
}

struct Mentions(BTreeSet<String>);

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let last = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(idents) => idents.last(),
            _ => None,
        };
        self.0.extend(last.map(folded).filter(|name| name.starts_with('_') || name == TABLE_OID));
        ControlFlow::Continue(())
    }
}

/// Rewrites wildcards so that they leave out the hidden columns the statement names elsewhere (H2).
///
/// `schema_of` gives a base table's schema, or `None` for a name it does not know (which planning will report).
pub(crate) fn exclude_from_wildcards(
    statement: &mut Statement,
    mentioned: &BTreeSet<String>,
    schema_of: &dyn Fn(&ObjectName) -> Option<Schema>,
) -> SqlResult<()> {
    if mentioned.is_empty() {
        return Ok(());
    }
    let mut exclude = Exclude { mentioned, schema_of, ctes: cte_names(statement) };
    match VisitMut::visit(statement, &mut exclude) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Names that WITH gives anywhere in the statement.
pub(crate) fn cte_names(statement: &Statement) -> HashSet<String> {
    let mut ctes = Ctes(HashSet::new());
    let _ = Visit::visit(statement, &mut ctes);
    ctes.0
}

struct Ctes(HashSet<String>);

impl Visitor for Ctes {
    type Break = ();

    fn pre_visit_query(&mut self, query: &sqlparser::ast::Query) -> ControlFlow<()> {
        if let Some(With { cte_tables, .. }) = &query.with {
            self.0.extend(cte_tables.iter().map(|cte| folded(&cte.alias.name)));
        }
        ControlFlow::Continue(())
    }
}

struct Exclude<'a> {
    mentioned: &'a BTreeSet<String>,
    schema_of: &'a dyn Fn(&ObjectName) -> Option<Schema>,
    ctes: HashSet<String>,
}

/// One item of FROM: how a wildcard may name it, and what it exposes although hidden.
struct Source {
    name: Option<ObjectName>,
    exposed: Vec<String>,
}

impl VisitorMut for Exclude<'_> {
    type Break = SqlError;

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        match self.rewrite(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Exclude<'_> {
    fn rewrite(&self, select: &mut Select) -> SqlResult<()> {
        if !select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))) {
            return Ok(());
        }
        let mut sources = Vec::new();
        select.from.iter().for_each(|from| self.collect(from, &mut sources));
        if sources.iter().all(|source| source.exposed.is_empty()) {
            return Ok(());
        }
        let merges_columns = select.from.iter().any(merges_columns);
        let items = std::mem::take(&mut select.projection);
        for item in items {
            match item {
                SelectItem::Wildcard(options) => match sources.as_slice() {
                    [only] => select.projection.push(SelectItem::Wildcard(excluding(options, &only.exposed))),
                    several => {
                        if merges_columns || several.iter().any(|source| source.name.is_none()) {
                            return Err(SqlError::unsupported("SELECT * together with a hidden column over this kind of join")
                                .hint("Name the columns instead of using *."));
                        }
                        select.projection.extend(several.iter().map(|source| qualified(source, options.clone())));
                    }
                },
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let parts = folded_parts(&name);
                    let exposed = sources
                        .iter()
                        .find(|source| source.name.as_ref().is_some_and(|n| folded_parts(n).last() == parts.last()))
                        .map_or(&[][..], |source| &source.exposed);
                    let options = excluding(options, exposed);
                    select.projection.push(SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options));
                }
                other => select.projection.push(other),
            }
        }
        Ok(())
    }

    fn collect(&self, from: &TableWithJoins, sources: &mut Vec<Source>) {
        sources.push(self.source(&from.relation));
        sources.extend(from.joins.iter().map(|join| self.source(&join.relation)));
    }

    fn source(&self, factor: &TableFactor) -> Source {
        let alias_name =
            |alias: &Option<sqlparser::ast::TableAlias>| alias.as_ref().map(|alias| ObjectName::from(vec![alias.name.clone()]));
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let parts = folded_parts(name);
                let is_cte = parts.len() == 1 && parts.last().is_some_and(|part| self.ctes.contains(part));
                let schema = if is_cte { None } else { (self.schema_of)(name) };
                let exposed = schema.map_or_else(Vec::new, |schema| {
                    let fields = schema.fields().iter().filter(|field| is_hidden(field) && self.mentioned.contains(field.name()));
                    fields.map(|field| field.name().clone()).collect()
                });
                Source { name: alias_name(alias).or_else(|| Some(name.clone())), exposed }
            }
            TableFactor::Derived { alias, .. } | TableFactor::Function { alias, .. } | TableFactor::Table { alias, .. } => {
                Source { name: alias_name(alias), exposed: Vec::new() }
            }
            _ => Source { name: None, exposed: Vec::new() },
        }
    }
}

fn merges_columns(from: &TableWithJoins) -> bool {
    from.joins.iter().any(|join| match &join.join_operator {
        JoinOperator::Join(on)
        | JoinOperator::Inner(on)
        | JoinOperator::Left(on)
        | JoinOperator::LeftOuter(on)
        | JoinOperator::Right(on)
        | JoinOperator::RightOuter(on)
        | JoinOperator::FullOuter(on) => matches!(on, JoinConstraint::Using(_) | JoinConstraint::Natural),
        _ => false,
    })
}

fn qualified(source: &Source, options: WildcardAdditionalOptions) -> SelectItem {
    let name = source.name.clone().unwrap_or_else(|| ObjectName::from(Vec::<Ident>::new()));
    SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), excluding(options, &source.exposed))
}

fn excluding(mut options: WildcardAdditionalOptions, exposed: &[String]) -> WildcardAdditionalOptions {
    if exposed.is_empty() {
        return options;
    }
    let mut names = match options.opt_exclude.take() {
        Some(ExcludeSelectItem::Single(name)) => vec![name],
        Some(ExcludeSelectItem::Multiple(names)) => names,
        None => Vec::new(),
    };
    names.extend(exposed.iter().map(|name| ObjectName::from(vec![Ident::with_quote('"', name.clone())])));
    options.opt_exclude = Some(ExcludeSelectItem::Multiple(names));
    options
}
