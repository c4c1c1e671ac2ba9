//! CREATE [OR REPLACE] [TEMPORARY] VIEW name [(columns)] AS query
//!
//! V1: a view's text names every table with its schema and an alias, and every column that `*` meant.
//! V2: columns keep the names and types that they had when the view was made.
//! V3: a view that reads something temporary is temporary.
//! Never: runs the query.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{Catalog, Object, Reads, SqlType, TEMPORARY_SCHEMA, ViewColumn, ViewDef};
use sqlparser::ast::{
    CreateView, Expr, Ident, ObjectName, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableAlias, TableFactor,
    VisitMut, VisitorMut, visit_expressions,
};

use super::{Execution, create_table, shown_type, view_options};
use crate::column_types;
use crate::graph_functions;
use crate::graph_patterns::{self, Pattern};
use crate::graph_syntax::{self, ColumnItem, GraphTable};
use crate::names::{Name, fold, quoted};
use crate::outcome::{Notice, Outcome, Tag};
use crate::parse::Parsed;
use crate::resolver::{Binding, Scope};

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let parsed = execution.parsed;
    let Statement::CreateView(create) = &*parsed.statement else {
        return Err(SqlError::internal("not a CREATE VIEW"));
    };
    refuse_clauses(create)?;
    let name = Name::of(&create.name, execution.view.database.name())?;
    // Whether its owner may read all that is asked when it is read.
    let scope = Scope { checked: false, ..execution.fresh_scope() };
    let kept = kept(&scope, parsed, &create.query)?;
    let mut temporary = create.temporary;
    if !temporary && name.schema.as_deref() != Some(TEMPORARY_SCHEMA) && reads_temporary(&scope.catalog, &kept.reads) {
        execution.notices.push(Notice::new(SqlState("00000"), format!("view \"{}\" will be a temporary view", name.name)));
        temporary = true;
    }
    let schema = create_table::schema_of(execution, &name, temporary)?;
    let columns = columns(execution, &scope, &kept.expanded, create)?;
    let options = view_options::read(create, parsed.clauses.check_option)?;
    let view = ViewDef {
        id: 0,
        schema,
        name: name.name,
        columns,
        query: kept.text,
        reads: kept.reads,
        comment: None,
        security_invoker: options.security_invoker,
        check_option: options.check_option,
    };
    if view.check_option.is_some() {
        view_options::check_updatable(&execution.transaction.catalog(), &view)?;
    }
    define(execution, view, create.or_replace)?;
    Ok(Outcome::Command(Tag::command("CREATE VIEW")))
}

/// A query as a view keeps it.
pub(super) struct Kept {
    /// V1.
    pub(super) text: String,
    pub(super) reads: Reads,
    /// The query with nothing in it that only graphs know.
    pub(super) expanded: Statement,
}

/// A query read for a view. Errors: what names that are not there raise.
pub(super) fn kept(scope: &Scope, parsed: &Parsed, query: &Query) -> SqlResult<Kept> {
    let mut query = query.clone();
    let tables = clauses(scope, parsed)?;
    let source = &parsed.source;
    let mut qualify = Qualify { scope, tables: &tables, hidden: Vec::new(), reads: BTreeSet::new(), source, calls: Vec::new() };
    if let ControlFlow::Break(error) = VisitMut::visit(&mut query, &mut qualify) {
        return Err(error);
    }
    let reads = qualify.reads;
    let statement = Statement::Query(Box::new(query));
    let mut expanded = statement.clone();
    let given: Vec<_> = tables.iter().map(|(table, _)| table.clone()).collect();
    graph_patterns::expand(&mut expanded, &given, scope, &parsed.source)?;
    graph_functions::expand(&mut expanded, scope, &parsed.source)?;
    let reads = reads.into_iter().map(|id| (id, columns_mentioned(scope, &statement, id))).collect();
    Ok(Kept { text: graph_syntax::restored(&statement.to_string(), &given), reads, expanded })
}

/// Whether a query reads what only its session has.
pub(super) fn reads_temporary(catalog: &Catalog, reads: &Reads) -> bool {
    reads.iter().any(|(id, _)| catalog.object(*id).and_then(Object::schema) == Some(TEMPORARY_SCHEMA))
}

fn define(execution: &mut Execution<'_>, mut view: ViewDef, or_replace: bool) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let taken = catalog.relation_owner(&view.schema, &view.name).and_then(|id| catalog.object(id));
    match taken {
        Some(Object::View(before)) if or_replace => {
            for (at, old) in before.columns.iter().enumerate() {
                let Some(new) = view.columns.get(at) else {
                    return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, "cannot drop columns from view"));
                };
                if new.name != old.name {
                    let message = format!("cannot change name of view column \"{}\" to \"{}\"", old.name, new.name);
                    return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message)
                        .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."));
                }
                if new.sql_type != old.sql_type {
                    let (a, b) = (old.sql_type.name(), new.sql_type.name());
                    let message = format!("cannot change data type of view column \"{}\" from {a} to {b}", old.name);
                    return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
                }
            }
            if view.reads.iter().any(|(read, _)| *read == before.id) {
                let message = format!("infinite recursion detected in rules for relation \"{}\"", view.name);
                return Err(SqlError::new(SqlState("42P17"), message));
            }
            view.id = before.id;
            view.comment.clone_from(&before.comment);
            for (new, old) in view.columns.iter_mut().zip(&before.columns) {
                (new.comment, new.default) = (old.comment.clone(), old.default.clone());
            }
            execution.transaction.redefine(Object::View(Arc::new(view)))
        }
        Some(object) if or_replace && object.name() == view.name => {
            Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not a view", view.name)))
        }
        _ => {
            view.id = execution.transaction.ledger().next_object_id();
            execution.transaction.create_view(view)
        }
    }
}

fn refuse_clauses(create: &CreateView) -> SqlResult<()> {
    let refused = [
        (create.if_not_exists, "CREATE VIEW IF NOT EXISTS"),
        (!create.cluster_by.is_empty() || create.to.is_some() || create.params.is_some(), "this form of CREATE VIEW"),
    ];
    match refused.iter().find(|(present, _)| *present) {
        Some((_, what)) => Err(SqlError::unsupported(what)),
        None => Ok(()),
    }
}

/// Names and types of the view's columns. Errors: whatever the query raises; 42P16, 42701.
fn columns(execution: &Execution<'_>, scope: &Scope, statement: &Statement, create: &CreateView) -> SqlResult<Vec<ViewColumn>> {
    let binding = Binding { scope, transaction: execution.transaction, local: None, ctes: &[], passed: &[] };
    let environment = execution.view.environment(scope, &execution.parsed.source);
    let query = relational::Query { statement, text: "" };
    let description = execution.view.database.relational.describe(query, &binding, &environment, &[])?;
    if !description.parameters.is_empty() {
        return Err(SqlError::new(SqlState::UNDEFINED_PARAMETER, "there is no parameter $1"));
    }
    if create.columns.len() > description.columns.len() {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns"));
    }
    let declared = declared_types(scope, statement);
    let mut columns: Vec<ViewColumn> = Vec::with_capacity(description.columns.len());
    for (at, (name, data_type)) in description.columns.into_iter().enumerate() {
        let name = create.columns.get(at).map_or(name, |given| fold(&given.name));
        if columns.iter().any(|other| other.name == name) {
            return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once")));
        }
        let declared = declared.get(at).copied().flatten().filter(|sql_type| sql_type.arrow() == data_type);
        let sql_type = declared.map_or_else(|| shown_type(&data_type), Ok)?;
        columns.push(ViewColumn { name, sql_type, default: None, comment: None });
    }
    Ok(columns)
}

/// Types of the items that are plain columns or casts: what queries compute does not tell `varchar(10)` from `text`.
fn declared_types(scope: &Scope, statement: &Statement) -> Vec<Option<SqlType>> {
    let Statement::Query(query) = statement else { return Vec::new() };
    let SetExpr::Select(select) = query.body.as_ref() else { return Vec::new() };
    let mut known: Vec<(String, String, SqlType)> = Vec::new();
    for from in &select.from {
        for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
            let TableFactor::Table { name, alias: Some(alias), args: None, .. } = factor else { continue };
            let Ok(read) = Name::of(name, scope.ledger.name()) else { continue };
            let alias = fold(&alias.name);
            match scope.relation(&read) {
                Some(Object::Table(table)) => {
                    known.extend(table.columns.iter().map(|column| (alias.clone(), column.name.clone(), column.sql_type)));
                }
                Some(Object::View(view)) => {
                    known.extend(view.columns.iter().map(|column| (alias.clone(), column.name.clone(), column.sql_type)));
                }
                _ => {}
            }
        }
    }
    let of = |expr: &Expr| {
        let (table, column) = match expr {
            Expr::Identifier(column) => (None, fold(column)),
            Expr::CompoundIdentifier(parts) => {
                let [table, column] = parts.as_slice() else { return None };
                (Some(fold(table)), fold(column))
            }
            Expr::Cast { data_type, .. } => return column_types::resolve(data_type).ok(),
            _ => return None,
        };
        let mut found = known.iter().filter(|(alias, name, _)| *name == column && table.as_ref().is_none_or(|table| table == alias));
        match (found.next(), found.next()) {
            (Some((_, _, sql_type)), None) => Some(*sql_type),
            _ => None,
        }
    };
    let item = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => of(expr),
        _ => None,
    };
    select.projection.iter().map(item).collect()
}

/// Columns of a table that a query can mean: those whose name stands in it anywhere, rather too many than too few.
fn columns_mentioned(scope: &Scope, statement: &Statement, id: u32) -> Option<Vec<ColumnId>> {
    let Some(Object::Table(table)) = scope.catalog.object(id) else { return None };
    let mut found = BTreeSet::new();
    let _ = visit_expressions(statement, |expr| {
        let ident = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        if let Some(ident) = ident {
            let name = fold(ident);
            found.extend(table.columns.iter().filter(|column| column.name == name).map(|column| column.id));
        }
        ControlFlow::<()>::Continue(())
    });
    Some(found.into_iter().collect())
}

/// The GRAPH_TABLE clauses of a view with their graphs named in full and all columns written out, and what a match of each answers.
fn clauses(scope: &Scope, parsed: &Parsed) -> SqlResult<Vec<(GraphTable, Pattern)>> {
    let written = |table: &GraphTable| {
        let pattern = graph_patterns::bind(table, scope, &parsed.source)?;
        if pattern.has_subqueries {
            return Err(SqlError::unsupported("a view over GRAPH_TABLE with a subquery in it")
                .hint("Join GRAPH_TABLE with the subquery, or compare its columns with it."));
        }
        let mut table = table.clone();
        table.graph = ObjectName::from(vec![quoted(&pattern.graph.schema), quoted(&pattern.graph.name)]);
        let column = |column: &graph_patterns::Column| ColumnItem::Expr { expr: column.expr.clone(), alias: Some(quoted(&column.name)) };
        table.columns = pattern.columns.iter().map(column).collect();
        Ok((table, pattern))
    };
    parsed.graph_tables.iter().map(written).collect()
}

/// V1.
struct Qualify<'a> {
    scope: &'a Scope,
    tables: &'a [(GraphTable, Pattern)],
    /// Names of CTEs, by query.
    hidden: Vec<Vec<String>>,
    reads: BTreeSet<u32>,
    source: &'a str,
    /// Calls of graph functions as they are kept, and names of their columns.
    calls: Vec<(TableFactor, Vec<String>)>,
}

impl VisitorMut for Qualify<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let names = query.with.as_ref().map_or_else(Vec::new, |with| with.cte_tables.iter().map(|cte| fold(&cte.alias.name)).collect());
        self.hidden.push(names);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        self.hidden.pop();
        expand_wildcards(self, &mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        if let Some((_, pattern)) = graph_syntax::marked(factor).and_then(|at| self.tables.get(at)) {
            self.reads.insert(pattern.graph.id);
            if let TableFactor::Table { alias: alias @ None, .. } = factor {
                *alias = Some(TableAlias { explicit: true, name: quoted(graph_patterns::DEFAULT_ALIAS), columns: Vec::new(), at: None });
            }
            return ControlFlow::Continue(());
        }
        match graph_functions::write_out(factor, self.scope, self.source) {
            Ok(Some(written)) => {
                self.reads.insert(written.graph);
                self.calls.push((factor.clone(), written.columns));
                return ControlFlow::Continue(());
            }
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return ControlFlow::Continue(()) };
        let read = match Name::of(name, self.scope.ledger.name()) {
            Ok(read) => read,
            Err(error) => return ControlFlow::Break(error),
        };
        if read.schema.is_none() && self.hidden.iter().flatten().any(|hidden| *hidden == read.name) {
            return ControlFlow::Continue(());
        }
        let Some(object) = self.scope.relation(&read).filter(|object| object.name() == read.name) else {
            return ControlFlow::Continue(());
        };
        self.reads.insert(object.id());
        let schema = object.schema().unwrap_or_default();
        if alias.is_none() {
            *alias = Some(TableAlias { explicit: false, name: Ident::with_quote('"', &read.name), columns: Vec::new(), at: None });
        }
        *name = ObjectName::from(vec![quoted(schema), quoted(&read.name)]);
        ControlFlow::Continue(())
    }
}

/// `*` and `t.*` of a SELECT from plain tables and views, written out.
fn expand_wildcards(qualify: &Qualify<'_>, body: &mut SetExpr) {
    let (scope, clauses) = (qualify.scope, qualify.tables);
    let SetExpr::Select(select) = body else { return };
    let has_wildcard = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    if !has_wildcard {
        return;
    }
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for from in &select.from {
        for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
            if let Some((TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. }, columns)) =
                qualify.calls.iter().find(|(call, _)| call == factor)
            {
                tables.extend(alias.iter().map(|alias| (fold(&alias.name), columns.clone())));
                continue;
            }
            let TableFactor::Table { name, alias: Some(alias), args: None, .. } = factor else { return };
            if let Some((_, pattern)) = graph_syntax::marked(factor).and_then(|at| clauses.get(at)) {
                let named = alias.columns.iter().map(|column| fold(&column.name));
                let own = pattern.columns.iter().skip(alias.columns.len()).map(|column| column.name.clone());
                tables.push((fold(&alias.name), named.chain(own).collect()));
                continue;
            }
            let Ok(read) = Name::of(name, scope.ledger.name()) else { return };
            let columns = match scope.relation(&read) {
                Some(Object::Table(table)) => table.columns.iter().map(|column| column.name.clone()).collect(),
                Some(Object::View(view)) => view.columns.iter().map(|column| column.name.clone()).collect(),
                _ => return,
            };
            tables.push((fold(&alias.name), columns));
        }
        // What USING and NATURAL merge stays for the query to say.
        if from
            .joins
            .iter()
            .any(|join| join.to_string().to_uppercase().contains(" USING") || join.to_string().to_uppercase().contains("NATURAL"))
        {
            return;
        }
    }
    let column = |table: &str, column: &str| SelectItem::UnnamedExpr(Expr::CompoundIdentifier(vec![quoted(table), quoted(column)]));
    let mut items = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match &item {
            SelectItem::Wildcard(_) => {
                items.extend(tables.iter().flat_map(|(table, columns)| columns.iter().map(|name| column(table, name)).collect::<Vec<_>>()));
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let named = name.0.last().and_then(|part| part.as_ident()).map(fold);
                match tables.iter().find(|(table, _)| Some(table) == named.as_ref()) {
                    Some((table, columns)) => items.extend(columns.iter().map(|name| column(table, name))),
                    None => items.push(item),
                }
            }
            _ => items.push(item),
        }
    }
    select.projection = items;
}
