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
    TableWithJoins, Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::Graphs;
use super::bound::{Pattern, VariableId};
use super::branches::{Branch, Condition, Length, Searching, branches};
use super::references;
use super::tables::{Combination, Way, combinations};
use crate::graph_paths::{FUNCTION, ROW_BITS};
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
    let none = || vec![Length::Written(0); pattern.paths.len()];
    let lengths = branch.filter(|branch| branch.searches.is_empty()).map_or_else(none, |branch| branch.lengths.clone());
    let names = BTreeMap::new();
    let mut items = Vec::new();
    for column in &pattern.columns {
        let place = Placing { pattern, names: &names, lengths: &lengths, property: &|_, _, sql_type| null(sql_type) };
        items.push(SelectItem::ExprWithAlias { expr: place.place(&column.expr)?, alias: quoted(&column.name) });
    }
    Ok(select_body(items, Vec::new(), Some(boolean(false))))
}

/// The column of what a search found.
const FOUND: &str = "path";

fn found_alias(search: usize) -> String {
    format!("\u{1}found {search}")
}

fn found(search: usize) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(&found_alias(search)), quoted(FOUND)])
}

/// `CAST(found.path >> 40 AS integer)`
fn length(search: usize) -> SqlResult<Expr> {
    let expr = Box::new(binary(found(search), BinaryOperator::PGBitwiseShiftRight, number(ROW_BITS.into())));
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type: data_type("integer")?, array: false, format: None })
}

fn number(value: u64) -> Expr {
    Expr::Value(Value::Number(value.to_string(), false).into())
}

fn boolean(value: bool) -> Expr {
    Expr::Value(Value::Boolean(value).into())
}

/// `CAST(NULL AS type)`
fn null(sql_type: SqlType) -> SqlResult<Expr> {
    let data_type = data_type(&sql_type.name())?;
    let expr = Box::new(Expr::Value(Value::Null.into()));
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None })
}

fn data_type(name: &str) -> SqlResult<DataType> {
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(name).and_then(|mut parser| parser.parse_data_type());
    parsed.map_err(|error| SqlError::internal(format!("type {name}: {error}")))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
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
            let along = |conditions: &mut Vec<Expr>| self.meet(edge, left, right, conditions);
            if *way == Way::Along {
                along(&mut conditions)?;
                continue;
            }
            self.meet(edge, right, left, &mut conditions)?;
            if *way == Way::OnlyAgainst {
                let mut both = Vec::new();
                along(&mut both)?;
                conditions.extend(all(both).map(|both| Expr::IsNotTrue(Box::new(Expr::Nested(Box::new(both))))));
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
            from.push(self.search(at, search)?);
            let row = binary(found(at), BinaryOperator::BitwiseAnd, number((1_u64 << ROW_BITS) - 1));
            conditions.push(binary(self.row_id(right)?, BinaryOperator::Eq, Expr::Nested(Box::new(row))));
        }
        let slots = (0..self.branch.slots.len()).filter(|slot| self.combination.elements[*slot].is_some());
        for slot in slots.filter(|slot| !placed.contains(slot)) {
            from.push(self.relation(slot)?);
        }
        Ok((from, conditions))
    }

    /// `LATERAL unnest(search('…', left._row_id)) AS found(path)`
    fn search(&self, at: usize, search: &Searching) -> SqlResult<TableWithJoins> {
        self.graphs.may_search()?;
        let element = |slot: usize| self.combination.elements.get(self.branch.at(slot)).copied().flatten();
        let (Some(left), Some(right)) = (element(search.left), element(search.right)) else {
            return Err(SqlError::internal("a search between slots without element tables"));
        };
        let (spec, from) = (search.spec.text((left, right)), self.row_id(search.left)?);
        let text = format!(
            "SELECT 1 FROM LATERAL unnest({}({}, {from})) AS {}({})",
            quoted(FUNCTION),
            Value::SingleQuotedString(spec),
            quoted(&found_alias(at)),
            quoted(FOUND)
        );
        let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_query());
        let mut query = parsed.map_err(|error| SqlError::internal(format!("{text}: {error}")))?;
        match query.body.as_mut() {
            SetExpr::Select(select) if select.from.len() == 1 => Ok(select.from.remove(0)),
            _ => Err(SqlError::internal("a search is one item of FROM")),
        }
    }

    /// The row id of an element.
    fn row_id(&self, slot: usize) -> SqlResult<Expr> {
        let element = self.element(slot)?;
        if !self.graphs.relation(element.relation)?.is_stored {
            return Err(SqlError::unsupported(format!("a search for paths over the view behind \"{}\"", element.alias))
                .hint("Let a table hold these vertices, or give every quantifier a bound and leave the selector out."));
        }
        if self.pattern.has_bare_names {
            return Err(SqlError::unsupported("a search for paths beside an unqualified name of a relation around")
                .hint("Qualify the name: relation.column."));
        }
        Ok(Expr::CompoundIdentifier(vec![quoted(&self.alias(slot)), quoted(ROW_ID)]))
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
        let body = select_body(found.columns.iter().map(item).collect(), vec![query_trees::named(name, &alias)], None);
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
        Placing { pattern: self.pattern, names, lengths: &self.branch.lengths, property: &property }.place(expr)
    }

    /// The expression of a property over the element table of a slot.
    fn property(&self, slot: usize, expression: &str) -> SqlResult<Expr> {
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
        let _ = VisitMut::visit(&mut expr, &mut Qualify(&|ident| self.column(slot, &fold(ident))));
        Ok(match expr {
            Expr::CompoundIdentifier(_) | Expr::Function(_) | Expr::Value(_) => expr,
            other => Expr::Nested(Box::new(other)),
        })
    }
}

/// Puts what they stand for in place of properties and path lengths.
struct Placing<'a> {
    pattern: &'a Pattern,
    names: &'a BTreeMap<VariableId, usize>,
    lengths: &'a [Length],
    /// A property of the element of a slot.
    property: &'a dyn Fn(usize, &str, SqlType) -> SqlResult<Expr>,
}

impl Placing<'_> {
    fn place(&self, expr: &Expr) -> SqlResult<Expr> {
        struct Place<'a>(&'a Placing<'a>);
        impl VisitorMut for Place<'_> {
            type Break = SqlError;
            fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
                match self.0.replacement(expr) {
                    Ok(Some(placed)) => {
                        *expr = placed;
                        ControlFlow::Continue(())
                    }
                    Ok(None) => ControlFlow::Continue(()),
                    Err(error) => ControlFlow::Break(error),
                }
            }
        }
        let mut placed = expr.clone();
        match VisitMut::visit(&mut placed, &mut Place(self)) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(placed),
        }
    }

    fn replacement(&self, expr: &Expr) -> SqlResult<Option<Expr>> {
        if let Expr::Function(call) = expr {
            let Some(path) = references::measured(self.pattern, call) else { return Ok(None) };
            return match self.lengths.get(path) {
                Some(Length::Searched(at)) => length(*at).map(Some),
                Some(Length::Written(length)) => Ok(Some(number(*length as u64))),
                None => Ok(Some(number(0))),
            };
        }
        let Some((variable, name)) = references::property(self.pattern, expr) else { return Ok(None) };
        let Some(sql_type) = self.pattern.variables[variable].property(&name) else { return Ok(None) };
        match self.names.get(&variable) {
            Some(slot) => (self.property)(*slot, &name, sql_type).map(Some),
            // It is not on this branch, or there is no branch.
            None => null(sql_type).map(Some),
        }
    }
}
