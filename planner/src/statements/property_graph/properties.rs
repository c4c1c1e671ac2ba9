//! Labels and their properties: expressions over the columns of an element table, with their types.
//!
//! P1: an expression is kept with its columns unqualified and quoted, so that a rename can find them.
//! Never: evaluates one.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphLabel, GraphProperty, SqlType};
use sqlparser::ast::{Expr, SelectItem, SetExpr, Statement, VisitMut, VisitorMut};

use super::super::{Execution, shown_type};
use super::elements::Relation;
use super::folded;
use crate::column_types;
use crate::graph_syntax::{LabelClause, Properties};
use crate::names::{fold, quoted};
use crate::parse;
use crate::resolver::Binding;
use crate::rule_text;

/// The labels of an element: the default one with all columns where none is given. Errors: 42710 for one named twice, and as [`properties`].
pub(super) fn labels(execution: &Execution<'_>, relation: &Relation, alias: &str, clauses: &[LabelClause]) -> SqlResult<Vec<GraphLabel>> {
    let default = LabelClause { name: None, properties: Properties::AllColumns { except: Vec::new() } };
    let clauses = if clauses.is_empty() { std::slice::from_ref(&default) } else { clauses };
    let mut labels: Vec<GraphLabel> = Vec::with_capacity(clauses.len());
    for clause in clauses {
        let label = label(execution, relation, alias, clause)?;
        if labels.iter().any(|other| other.name == label.name) {
            return Err(exists("label", &label.name));
        }
        labels.push(label);
    }
    Ok(labels)
}

/// One label.
pub(super) fn label(execution: &Execution<'_>, relation: &Relation, alias: &str, clause: &LabelClause) -> SqlResult<GraphLabel> {
    let name = clause.name.as_ref().map_or_else(|| alias.to_owned(), fold);
    Ok(GraphLabel { name, properties: properties(execution, relation, &clause.properties)? })
}

/// 42710
pub(super) fn exists(what: &str, name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_OBJECT, format!("{what} \"{name}\" already exists"))
}

/// The properties of a clause. Errors: 42601 for one without a name, 42710 for a name twice, 42703, 0A000, 42803, and what typing raises.
pub(super) fn properties(execution: &Execution<'_>, relation: &Relation, clause: &Properties) -> SqlResult<Vec<GraphProperty>> {
    match clause {
        Properties::None => Ok(Vec::new()),
        Properties::AllColumns { except } => {
            let except = folded(except);
            if let Some(unknown) = except.iter().find(|name| relation.columns.iter().all(|(column, _)| column != *name)) {
                let message = format!("column \"{unknown}\" of relation \"{}\" does not exist", relation.name);
                return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
            }
            let column = |(name, sql_type): &(String, SqlType)| GraphProperty {
                name: name.clone(),
                expression: quoted(name).to_string(),
                columns: vec![name.clone()],
                sql_type: *sql_type,
            };
            Ok(relation.columns.iter().filter(|(name, _)| !except.contains(name)).map(column).collect())
        }
        Properties::List(items) => {
            let mut properties: Vec<GraphProperty> = Vec::with_capacity(items.len());
            for (expr, alias) in items {
                let name = match (alias, own_name(expr)) {
                    (Some(alias), _) => fold(alias),
                    (None, Some(name)) => name,
                    (None, None) => {
                        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "property name required").hint("Name it: expression AS name."));
                    }
                };
                if properties.iter().any(|other| other.name == name) {
                    let message = format!("property \"{name}\" specified more than once");
                    return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
                }
                properties.push(property(execution, relation, name, expr)?);
            }
            Ok(properties)
        }
    }
}

fn own_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(fold(ident)),
        Expr::CompoundIdentifier(parts) => parts.last().map(fold),
        _ => None,
    }
}

fn property(execution: &Execution<'_>, relation: &Relation, name: String, expr: &Expr) -> SqlResult<GraphProperty> {
    let mut plain = expr.clone();
    if let ControlFlow::Break(error) = VisitMut::visit(&mut plain, &mut Unqualify(&relation.name)) {
        return Err(error);
    }
    while let Expr::Nested(inner) = plain {
        plain = *inner;
    }
    let names: Vec<&str> = relation.columns.iter().map(|(name, _)| name.as_str()).collect();
    let positions = rule_text::columns_of(&relation.name, &names, &plain)?;
    let mut columns: Vec<String> = positions.into_iter().map(|at| names[at].to_owned()).collect();
    columns.sort_unstable();
    let sql_type = type_of(execution, relation, &plain)?;
    Ok(GraphProperty { name, expression: plain.to_string(), columns, sql_type })
}

/// P1; refuses what is no value of a row.
struct Unqualify<'a>(&'a str);

impl VisitorMut for Unqualify<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, _query: &mut sqlparser::ast::Query) -> ControlFlow<SqlError> {
        ControlFlow::Break(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot use subquery in property definition expression"))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        match expr {
            Expr::Identifier(ident) if ident.quote_style.is_some() || !rule_text::is_session_word(ident) => *ident = quoted(&fold(ident)),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 && fold(&parts[0]) == self.0 => {
                *expr = Expr::Identifier(quoted(&fold(&parts[1])));
            }
            Expr::Function(call) if call.over.is_some() => {
                let message = "window functions are not allowed in property definition expressions";
                return ControlFlow::Break(SqlError::new(SqlState("42P20"), message));
            }
            Expr::Value(value) if matches!(value.value, sqlparser::ast::Value::Placeholder(_)) => {
                return ControlFlow::Break(SqlError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter {}", value.value)));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The type of an expression over a relation: a column's or a cast's as declared, any other as queries have it.
fn type_of(execution: &Execution<'_>, relation: &Relation, expr: &Expr) -> SqlResult<SqlType> {
    let declared = match expr {
        Expr::Identifier(ident) => {
            let name = fold(ident);
            relation.columns.iter().find(|(column, _)| *column == name).map(|(_, sql_type)| *sql_type)
        }
        Expr::Cast { data_type, .. } => Some(column_types::resolve(data_type)?),
        _ => None,
    };
    let scope = execution.fresh_scope();
    let schema = relation.object.schema().unwrap_or_default();
    let text = format!("SELECT {expr} AS c FROM {}.{}", quoted(schema), quoted(&relation.name));
    let parsed = parse::parse(&text)?;
    let [one] = parsed.as_slice() else { return Err(SqlError::internal("a property is no expression")) };
    if !is_plain(&one.statement) {
        return Err(SqlError::internal("a property is no expression"));
    }
    let binding = Binding { scope: &scope, transaction: execution.transaction, local: None, ctes: &[], passed: &[] };
    let environment = execution.view.environment(&scope, &text);
    // Grouping makes an aggregate an error of its own, as Postgres has it.
    let guarded = format!("SELECT 1 FROM {}.{} WHERE ({expr}) IS NULL", quoted(schema), quoted(&relation.name));
    let guard = parse::parse(&guarded)?;
    for statement in guard.iter().map(|one| &one.statement) {
        let query = relational::Query { statement, text: "" };
        execution.view.database.relational.describe(query, &binding, &environment, &[]).map_err(no_aggregate)?;
    }
    let query = relational::Query { statement: &one.statement, text: "" };
    let described = execution.view.database.relational.describe(query, &binding, &environment, &[])?;
    let Some((_, data_type)) = described.columns.first() else { return Err(SqlError::internal("an expression without a column")) };
    match declared.filter(|declared| declared.arrow() == *data_type) {
        Some(declared) => Ok(declared),
        None => shown_type(data_type),
    }
}

fn no_aggregate(error: SqlError) -> SqlError {
    if error.state() == SqlState::GROUPING_ERROR {
        return SqlError::new(SqlState::GROUPING_ERROR, "aggregate functions are not allowed in property definition expressions");
    }
    error
}

fn is_plain(statement: &Statement) -> bool {
    let Statement::Query(query) = statement else { return false };
    matches!(query.body.as_ref(), SetExpr::Select(select) if matches!(select.projection.as_slice(), [SelectItem::ExprWithAlias { .. }]))
}
