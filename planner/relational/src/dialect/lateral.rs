//! Sets computed from the rows of another relation of FROM: `FROM t, unnest(t.a) AS e`.
//!
//! D22: the relation becomes a subquery that has the set in its SELECT list, `(SELECT t.*, unnest(t.a) AS "e" FROM t) AS t`; what was qualified
//!      by the set's alias is qualified by the relation's.
//! Never: touches a set that reads no column, one that reads several relations, or one under an outer join; the engine says what it thinks of them.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArgExpr, Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    Statement, TableAlias, TableFactor, TableWithJoins, Value, Visit, VisitMut, Visitor, VisitorMut, WildcardAdditionalOptions,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::spelling::call;
use crate::position::{folded, folded_parts};

/// Rewrites every SELECT, after sets became UNNEST.
pub(super) fn pull(statement: &mut Statement) {
    let mut pull = Pull { renamed: HashMap::new() };
    let _ = VisitMut::visit(statement, &mut pull);
    if !pull.renamed.is_empty() {
        let _ = VisitMut::visit(statement, &mut Rename { renamed: pull.renamed });
    }
}

struct Pull {
    /// The set's alias, and that of the relation it went into.
    renamed: HashMap<String, Ident>,
}

impl VisitorMut for Pull {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        while let Some(place) = find(select) {
            let set = remove(&mut select.from, place.set);
            if let (Some(TableFactor::UNNEST { alias: Some(alias), array_exprs, .. }), Some(factor)) =
                (set, find_relation(select, &place.relation))
                && let Some(wrapped) = wrapped(factor, &alias, array_exprs)
            {
                if let TableFactor::Derived { alias: Some(relation), .. } = &wrapped {
                    self.renamed.insert(folded(&alias.name), relation.name.clone());
                }
                *factor = wrapped;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Where a set stands and what it reads.
struct Place {
    /// Index in FROM, and among its joins.
    set: (usize, Option<usize>),
    /// Alias of the relation it reads.
    relation: String,
}

fn find(select: &Select) -> Option<Place> {
    let relations: Vec<String> = factors(&select.from).filter_map(name_of).collect();
    for (at, from) in select.from.iter().enumerate() {
        if at > 0
            && from.joins.is_empty()
            && let Some(relation) = reads(&from.relation, &relations)
        {
            return Some(Place { set: (at, None), relation });
        }
        for (join_at, join) in from.joins.iter().enumerate() {
            if is_inner(&join.join_operator)
                && let Some(relation) = reads(&join.relation, &relations)
            {
                return Some(Place { set: (at, Some(join_at)), relation });
            }
        }
    }
    None
}

fn factors(from: &[TableWithJoins]) -> impl Iterator<Item = &TableFactor> {
    from.iter().flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
}

/// The name by which columns of a relation are qualified.
fn name_of(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { name, args: None, alias, .. } => match alias {
            Some(alias) => alias.columns.is_empty().then(|| folded(&alias.name)),
            None => folded_parts(name).pop(),
        },
        TableFactor::Derived { alias: Some(alias), .. } => Some(folded(&alias.name)),
        _ => None,
    }
}

fn is_inner(operator: &JoinOperator) -> bool {
    match operator {
        JoinOperator::CrossJoin(_) => true,
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => match constraint {
            JoinConstraint::None => true,
            JoinConstraint::On(Expr::Value(value)) => value.value == Value::Boolean(true),
            _ => false,
        },
        _ => false,
    }
}

/// The one relation whose columns a set reads.
fn reads(factor: &TableFactor, relations: &[String]) -> Option<String> {
    let TableFactor::UNNEST { alias: Some(_), array_exprs, with_ordinality: false, .. } = factor else { return None };
    let mut columns = Columns { qualifiers: BTreeSet::new(), is_bare: false };
    array_exprs.iter().for_each(|expr| _ = Visit::visit(expr, &mut columns));
    match (columns.qualifiers.len(), columns.is_bare, relations) {
        (1, false, _) => columns.qualifiers.pop_first().filter(|name| relations.contains(name)),
        (0, true, [only]) => Some(only.clone()),
        _ => None,
    }
}

struct Columns {
    qualifiers: BTreeSet<String>,
    is_bare: bool,
}

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(_) => self.is_bare = true,
            Expr::CompoundIdentifier(parts) if parts.len() >= 2 => {
                self.qualifiers.insert(folded(&parts[parts.len() - 2]));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn remove(from: &mut Vec<TableWithJoins>, (at, join): (usize, Option<usize>)) -> Option<TableFactor> {
    match join {
        None => Some(from.remove(at).relation),
        Some(join) => Some(from.get_mut(at)?.joins.remove(join).relation),
    }
}

fn find_relation<'a>(select: &'a mut Select, relation: &str) -> Option<&'a mut TableFactor> {
    let all = select
        .from
        .iter_mut()
        .flat_map(|from| std::iter::once(&mut from.relation).chain(from.joins.iter_mut().map(|join| &mut join.relation)));
    all.into_iter().find(|factor| name_of(factor).as_deref() == Some(relation))
}

/// The relation with the set's columns after its own.
fn wrapped(factor: &TableFactor, set: &TableAlias, array_exprs: Vec<Expr>) -> Option<TableFactor> {
    let name = Ident::with_quote('"', name_of(factor)?);
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, "SELECT * FROM (SELECT 1) AS relation").ok()?.pop();
    let Some(Statement::Query(mut query)) = parsed else { return None };
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let whole = SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![name.clone()]));
    select.projection = vec![SelectItem::QualifiedWildcard(whole, WildcardAdditionalOptions::default())];
    for (array, column) in array_exprs.into_iter().zip(&set.columns) {
        let expr = call("unnest", vec![FunctionArgExpr::Expr(array)]);
        select.projection.push(SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', folded(&column.name)) });
    }
    select.from.first_mut()?.relation = factor.clone();
    let alias = TableAlias { explicit: true, name, columns: vec![], at: None };
    Some(TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None })
}

struct Rename {
    renamed: HashMap<String, Ident>,
}

impl VisitorMut for Rename {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [qualifier, _] = parts.as_mut_slice()
            && let Some(relation) = self.renamed.get(&folded(qualifier))
        {
            *qualifier = relation.clone();
        }
        ControlFlow::Continue(())
    }
}
