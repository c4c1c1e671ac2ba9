//! A bound pattern as a query over its element tables: a join for each branch and combination of tables, all of them under UNION ALL.
//!
//! J1: the rows are those of the pattern, each as often as it has matches (homomorphic).
//! J2: no name of an element table can be mistaken for one of a relation around: where an expression has a name without a qualifier, columns of
//!     element tables go by names that no statement can write.
//! J3: a property that an element table does not have is NULL of the property's type there.
//! Never: looks at rows; whether joins are a good way to answer is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use engine::{GraphElement, GraphEnd, SqlType};
use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Ident, ObjectName, Query, SelectItem, SetExpr, SetOperator, SetQuantifier, TableFactor,
    TableWithJoins, UnaryOperator, Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::Graphs;
use super::bound::{Pattern, VariableId};
use super::branches::{Branch, Condition, Passed, Searching, branches};
use super::found::Found;
use super::placing::{Elements, Placing};
use super::tables::{Combination, Way, combinations};
use crate::element_documents::element_document;
use crate::graph_paths::Spec;
use crate::names::{fold, quoted};
use crate::query_trees::{self, select_body};
use crate::rule_text;
use crate::tables::ROW_ID;

/// The query. Errors: as [`branches`] and [`combinations`]; 42P01 for an element table that is gone.
pub(super) fn query(pattern: &Pattern, graphs: &dyn Graphs, source: &str) -> SqlResult<Query> {
    let mut selects = Vec::new();
    let mut counted = 0;
    let branches = branches(pattern, source)?;
    for branch in &branches {
        let found = combinations(&pattern.graph, branch, counted)?;
        counted += found.len();
        for combination in &found {
            let join = Join { pattern, branch, combination, graphs };
            selects.push(join.select()?);
        }
    }
    let body = match balanced(selects, &union_all) {
        Some(body) => body,
        None => nothing(pattern, branches.first())?,
    };
    Ok(query_trees::query(body))
}

fn union_all(left: SetExpr, right: SetExpr) -> SetExpr {
    let (left, right) = (Box::new(left), Box::new(right));
    SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right }
}

/// Joins many by two, so that the tree is only as deep as it must be: whatever walks it does so by recursion.
fn balanced<T>(mut items: Vec<T>, join: &impl Fn(T, T) -> T) -> Option<T> {
    if items.len() < 2 {
        return items.pop();
    }
    let second = items.split_off(items.len() / 2);
    match (balanced(items, join), balanced(second, join)) {
        (Some(first), Some(second)) => Some(join(first, second)),
        (one, other) => one.or(other),
    }
}

/// No row, with the columns of the pattern.
fn nothing(pattern: &Pattern, branch: Option<&Branch<'_>>) -> SqlResult<SetExpr> {
    let none = || vec![Passed::Written { vertices: Vec::new(), edges: Vec::new() }; pattern.paths.len()];
    let passed = branch.filter(|branch| branch.searches.is_empty()).map_or_else(none, |branch| branch.passed.clone());
    let names = BTreeMap::new();
    let mut items = Vec::new();
    let nothing = Elements { property: &|_, _, sql_type| null(sql_type), document: &|_| null(SqlType::Jsonb), searched: &[] };
    for column in &pattern.columns {
        let place = Placing { pattern, names: &names, passed: &passed, elements: &nothing };
        items.push(SelectItem::ExprWithAlias { expr: place.place(&column.expr)?, alias: quoted(&column.name) });
    }
    Ok(select_body(items, Vec::new(), Some(boolean(false))))
}

fn boolean(value: bool) -> Expr {
    Expr::Value(Value::Boolean(value).into())
}

/// `CAST(NULL AS type)`
pub(super) fn null(sql_type: SqlType) -> SqlResult<Expr> {
    let data_type = data_type(&sql_type.name())?;
    let expr = Box::new(Expr::Value(Value::Null.into()));
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None })
}

pub(super) fn data_type(name: &str) -> SqlResult<DataType> {
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(name).and_then(|mut parser| parser.parse_data_type());
    parsed.map_err(|error| SqlError::internal(format!("type {name}: {error}")))
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn all(conditions: Vec<Expr>) -> Option<Expr> {
    balanced(conditions, &|left, right| binary(left, BinaryOperator::And, right))
}

/// One join.
struct Join<'a> {
    pattern: &'a Pattern,
    branch: &'a Branch<'a>,
    combination: &'a Combination,
    graphs: &'a dyn Graphs,
}

impl Join<'_> {
    fn select(&self) -> SqlResult<SetExpr> {
        let (from, mut conditions) = self.from()?;
        for (link, way) in self.branch.links.iter().zip(&self.combination.ways) {
            let (edge, left, right) = (self.branch.at(link.edge), self.branch.at(link.left), self.branch.at(link.right));
            if *way == Way::Along {
                self.meet(edge, left, right, &mut conditions)?;
                continue;
            }
            self.meet(edge, right, left, &mut conditions)?;
            if *way == Way::OnlyAgainst {
                match self.no_loop(edge)? {
                    Some(no_loop) => conditions.push(no_loop),
                    None => {
                        let mut both = Vec::new();
                        self.meet(edge, left, right, &mut both)?;
                        conditions.extend(all(both).map(|both| Expr::IsNotTrue(Box::new(Expr::Nested(Box::new(both))))));
                    }
                }
            }
        }
        for (first, second) in &self.branch.different {
            conditions.extend(self.differ(*first, *second)?);
        }
        for Condition { expr, names } in &self.branch.conditions {
            conditions.push(Expr::Nested(Box::new(self.place(expr, names)?)));
        }
        let mut items = Vec::new();
        for column in &self.pattern.columns {
            items.push(SelectItem::ExprWithAlias { expr: self.place(&column.expr, &self.branch.names)?, alias: quoted(&column.name) });
        }
        Ok(select_body(items, from, all(conditions)))
    }

    /// Element tables, and behind the one that a search begins at what it finds there; with the conditions that join the latter.
    fn from(&self) -> SqlResult<(Vec<TableWithJoins>, Vec<Expr>)> {
        let (mut from, mut conditions, mut placed) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (at, search) in self.branch.searches.iter().enumerate() {
            let (left, right) = (self.branch.at(search.left), self.branch.at(search.right));
            if placed.insert(left) {
                from.push(self.relation(left)?);
            }
            let found = self.found(at, search)?;
            from.extend(found.relations(&self.row_id(left)?)?);
            conditions.push(binary(self.row_id(right)?, BinaryOperator::Eq, found.row()?));
        }
        let slots = (0..self.branch.slots.len()).filter(|slot| self.combination.elements[*slot].is_some());
        for slot in slots.filter(|slot| !placed.contains(slot)) {
            from.push(self.relation(slot)?);
        }
        Ok((from, conditions))
    }

    /// What a search finds.
    fn found(&self, at: usize, search: &Searching) -> SqlResult<Found> {
        let element = |slot: usize| self.combination.elements.get(self.branch.at(slot)).copied().flatten();
        let (Some(left), Some(right)) = (element(search.left), element(search.right)) else {
            return Err(SqlError::internal("a search between slots without element tables"));
        };
        let spec = Spec { at: self.graphs.searched_at()?, ..search.spec.clone() };
        Found::new(at, &spec, (left, right), &self.pattern.graph, self.graphs)
    }

    /// The row id of an element.
    fn row_id(&self, slot: usize) -> SqlResult<Expr> {
        let element = self.element(slot)?;
        if !self.graphs.relation(element.relation)?.is_stored {
            return Err(SqlError::unsupported(format!("a search for paths over the view behind \"{}\"", element.alias))
                .hint("Let a table hold these vertices, or give every quantifier a bound and leave the selector out."));
        }
        Ok(self.column(slot, ROW_ID))
    }

    fn element(&self, slot: usize) -> SqlResult<&GraphElement> {
        let at = self.combination.elements.get(self.branch.at(slot)).copied().flatten();
        at.map(|at| &self.pattern.graph.elements[at]).ok_or_else(|| SqlError::internal("a slot without an element table"))
    }

    /// What the element table of a slot is called in the join: as its variable where that means it alone.
    fn alias(&self, slot: usize) -> String {
        let slot = self.branch.at(slot);
        let named = self.branch.names.iter().find_map(|(variable, other)| {
            let name = self.pattern.variables[*variable].name.as_ref()?;
            (self.branch.at(*other) == slot).then(|| name.clone())
        });
        named.unwrap_or_else(|| format!("\u{1}{slot}"))
    }

    /// J2
    fn column_name(&self, column: &str) -> String {
        if self.pattern.has_bare_names { format!("\u{1}{column}") } else { column.to_owned() }
    }

    fn column(&self, slot: usize, column: &str) -> Expr {
        Expr::CompoundIdentifier(vec![quoted(&self.alias(slot)), quoted(&self.column_name(column))])
    }

    fn relation(&self, slot: usize) -> SqlResult<TableWithJoins> {
        let element = self.element(slot)?;
        let found = self.graphs.relation(element.relation)?;
        let name = ObjectName::from(vec![quoted(&found.schema), quoted(&found.name)]);
        let alias = self.alias(slot);
        if !self.pattern.has_bare_names {
            return Ok(query_trees::named(name, &alias));
        }
        let item = |column: &String| SelectItem::ExprWithAlias {
            expr: Expr::Identifier(quoted(column)),
            alias: quoted(&self.column_name(column)),
        };
        let row_id = found.is_stored.then(|| ROW_ID.to_owned());
        let body = select_body(found.columns.iter().chain(&row_id).map(item).collect(), vec![query_trees::named(name, &alias)], None);
        let (subquery, alias) = (Box::new(query_trees::query(body)), Some(query_trees::alias(&alias)));
        Ok(TableWithJoins { relation: TableFactor::Derived { lateral: false, subquery, alias, sample: None }, joins: Vec::new() })
    }

    /// That an edge leads from one vertex to another.
    fn meet(&self, edge: usize, source: usize, destination: usize, conditions: &mut Vec<Expr>) -> SqlResult<()> {
        let Some(ends) = &self.element(edge)?.ends else { return Err(SqlError::internal("an edge without ends")) };
        let mut end = |end: &GraphEnd, vertex: usize| {
            for (column, reference) in end.columns.iter().zip(&end.references) {
                conditions.push(binary(self.column(vertex, reference), BinaryOperator::Eq, self.column(edge, column)));
            }
        };
        end(&ends.source, source);
        end(&ends.destination, destination);
        Ok(())
    }

    /// That an edge, whose ends are of one table and not NULL, does not lead to where it comes from; `None` where its ends refer to different keys.
    fn no_loop(&self, edge: usize) -> SqlResult<Option<Expr>> {
        let Some(ends) = &self.element(edge)?.ends else { return Err(SqlError::internal("an edge without ends")) };
        let (source, destination) = (&ends.source, &ends.destination);
        let mut same = Vec::with_capacity(source.columns.len());
        for (column, reference) in source.columns.iter().zip(&source.references) {
            let other = destination.references.iter().position(|other| other == reference);
            let Some(other) = other else { return Ok(None) };
            same.push((self.column(edge, column), self.column(edge, &destination.columns[other])));
        }
        if let [(one, other)] = same.as_slice() {
            return Ok(Some(binary(one.clone(), BinaryOperator::NotEq, other.clone())));
        }
        let equal = same.into_iter().map(|(one, other)| binary(one, BinaryOperator::Eq, other)).collect();
        Ok(all(equal).map(|equal| Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(equal))) }))
    }

    /// That two slots hold different elements; nothing where they are of different tables.
    fn differ(&self, first: usize, second: usize) -> SqlResult<Option<Expr>> {
        let (one, other) = (self.element(first)?, self.element(second)?);
        if one.alias != other.alias {
            return Ok(None);
        }
        let equal = one.key.iter().map(|column| binary(self.column(first, column), BinaryOperator::Eq, self.column(second, column)));
        Ok(all(equal.collect()).map(|equal| Expr::IsNotTrue(Box::new(Expr::Nested(Box::new(equal))))))
    }

    /// A user's expression over the join.
    fn place(&self, expr: &Expr, names: &BTreeMap<VariableId, usize>) -> SqlResult<Expr> {
        let property = |slot: usize, name: &str, sql_type: SqlType| match self.element(slot)?.property(name) {
            Some(property) => self.property(slot, &property.expression),
            None => null(sql_type),
        };
        let document = |slot: usize| element_document(self.element(slot)?, &|column| self.column(slot, column));
        let elements = Elements { property: &property, document: &document, searched: &self.branch.searches };
        Placing { pattern: self.pattern, names, passed: &self.branch.passed, elements: &elements }.place(expr)
    }

    /// The expression of a property over the element table of a slot.
    fn property(&self, slot: usize, expression: &str) -> SqlResult<Expr> {
        property_over(expression, &|ident| self.column(slot, &fold(ident)))
    }
}

/// The expression of a property with something in place of each column that it mentions. Errors: 42601.
pub(crate) fn property_over(expression: &str, column: &dyn Fn(&Ident) -> Expr) -> SqlResult<Expr> {
    struct Qualify<'a>(&'a dyn Fn(&Ident) -> Expr);
    impl VisitorMut for Qualify<'_> {
        type Break = ();
        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::Identifier(ident) = expr
                && (ident.quote_style.is_some() || !rule_text::is_session_word(ident))
            {
                *expr = self.0(ident);
            }
            ControlFlow::Continue(())
        }
    }
    let mut expr = rule_text::expression(expression)?;
    let _ = VisitMut::visit(&mut expr, &mut Qualify(column));
    Ok(match expr {
        Expr::CompoundIdentifier(_) | Expr::Function(_) | Expr::Value(_) => expr,
        other => Expr::Nested(Box::new(other)),
    })
}
