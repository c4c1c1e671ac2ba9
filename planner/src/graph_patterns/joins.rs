//! A bound pattern as a query over its element tables: a join for each branch and combination of tables, all of them under UNION ALL.
//!
//! J1: the rows are those of the pattern, each as often as it has matches (homomorphic).
//! J2: no name of an element table can be mistaken for one of a relation around: where an expression has a name without a qualifier, columns of
//!     element tables go by names that no statement can write.
//! J3: an optional part is joined to the left (`optional.rs`).
//! J4: a property that an element table does not have is NULL of the property's type there.
//! Never: looks at rows; whether joins are a good way to answer is not asked.

use std::cell::Cell;
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

use super::bound::{Pattern, VariableId};
use super::branches::{Branch, Condition, Link, Passed, Searching, branches};
use super::found::{self, Found};
use super::optional::{self, Joined};
use super::placing::{self, Atom};
use super::tables::{Combination, JOINS_MAX, Way, combinations, too_many_joins};
use super::unions::Excluded;
use super::{Graphs, pointed};
use crate::element_documents::element_document;
use crate::graph_paths::Spec;
use crate::graph_syntax::Direction;
use crate::names::{fold, quoted};
use crate::query_trees::{self, select_body};
use crate::rule_text;
use crate::tables::ROW_ID;

/// The query. Errors: as [`branches`] and [`combinations`]; 42P01 for an element table that is gone.
pub(super) fn query(pattern: &Pattern, graphs: &dyn Graphs, source: &str) -> SqlResult<Query> {
    let making = Making { pattern, graphs, source, counted: Cell::new(0) };
    let mut selects = Vec::new();
    let own = pattern.parts.first().map_or(&[][..], |part| &part.conditions);
    for (branch, combinations) in &making.rows(making.alternatives(0, &|_| {})?)? {
        for combination in combinations {
            let mut join = Join::new(&making, 0, branch, combination, BTreeSet::new());
            if !join.attach()? {
                continue;
            }
            let mut conditions = join.conditions()?;
            for own in own {
                conditions.push(Expr::Nested(Box::new(join.place(&own.expr)?)));
            }
            let mut items = Vec::new();
            for column in &pattern.columns {
                items.push(SelectItem::ExprWithAlias { expr: join.place(&column.expr)?, alias: quoted(&column.name) });
            }
            selects.push(join.select(items, conditions)?);
        }
    }
    let body = match balanced(selects, &union_all) {
        Some(body) => body,
        None => nothing(pattern)?,
    };
    Ok(query_trees::query(body))
}

/// What all joins of a query share.
pub(super) struct Making<'a> {
    pub(super) pattern: &'a Pattern,
    pub(super) graphs: &'a dyn Graphs,
    pub(super) source: &'a str,
    /// Joins so far.
    counted: Cell<usize>,
}

impl<'a> Making<'a> {
    /// The branches of a part, once `settle` has seen to them, and what tables each can be of.
    pub(super) fn alternatives(&self, part: usize, settle: &dyn Fn(&mut Branch<'a>)) -> SqlResult<Vec<(Branch<'a>, Vec<Combination>)>> {
        let mut found = Vec::new();
        for mut branch in branches(self.pattern, part, self.source)? {
            settle(&mut branch);
            let combinations = combinations(&self.pattern.graph, &branch, self.counted.get())?;
            self.counted.set(self.counted.get() + combinations.len());
            found.push((branch, combinations));
        }
        Ok(found)
    }
}

impl<'a> Making<'a> {
    /// Where a row is a vertex or a step of a path, alternatives for each. Errors: 0A000 for a path that is not written out.
    fn rows(&self, alternatives: Vec<(Branch<'a>, Vec<Combination>)>) -> SqlResult<Vec<(Branch<'a>, Vec<Combination>)>> {
        let Some(rows) = &self.pattern.rows else { return Ok(alternatives) };
        let mut found = Vec::new();
        for (branch, combinations) in alternatives {
            let Some(Passed::Written { vertices, edges }) = branch.passed.get(&rows.path) else {
                let error = SqlError::unsupported("a row for each vertex or step of a path that is searched, or optional");
                return Err(pointed(error.hint("jsonb_array_elements(vertices(p)) in FROM has a row for each."), self.source, rows.span));
            };
            // A path without an edge is one step.
            let count = if rows.variables.len() == 1 { vertices.len() } else { edges.len().max(1) };
            for at in 0..count {
                let mut one = branch.clone();
                let slots = [vertices.get(at), edges.get(at), vertices.get(at + 1)];
                let bound = rows.variables.iter().zip(slots).filter_map(|(variable, slot)| Some((*variable, *slot?)));
                one.names.extend(bound);
                found.push((one, combinations.clone()));
            }
        }
        if found.iter().map(|(_, combinations)| combinations.len()).sum::<usize>() > JOINS_MAX {
            return Err(too_many_joins());
        }
        Ok(found)
    }
}

pub(super) fn union_all(left: SetExpr, right: SetExpr) -> SetExpr {
    let (left, right) = (Box::new(left), Box::new(right));
    SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right }
}

/// Joins many by two, so that the tree is only as deep as it must be: whatever walks it does so by recursion.
pub(super) fn balanced<T>(mut items: Vec<T>, join: &impl Fn(T, T) -> T) -> Option<T> {
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
fn nothing(pattern: &Pattern) -> SqlResult<SetExpr> {
    let mut items = Vec::new();
    for column in &pattern.columns {
        let expr = placing::place(pattern, &column.expr, &|atom| null(atom.sql_type(pattern)))?;
        items.push(SelectItem::ExprWithAlias { expr, alias: quoted(&column.name) });
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

pub(super) fn all(conditions: Vec<Expr>) -> Option<Expr> {
    balanced(conditions, &|left, right| binary(left, BinaryOperator::And, right))
}

/// One join: a branch of a part with one combination of tables.
pub(super) struct Join<'a> {
    pub(super) making: &'a Making<'a>,
    pub(super) part: usize,
    pub(super) branch: &'a Branch<'a>,
    combination: &'a Combination,
    /// Slots of an optional part whose elements stand in the join around it.
    outside: BTreeSet<usize>,
    /// Parts behind this one that can match.
    pub(super) optional: Vec<Joined>,
}

impl<'a> Join<'a> {
    pub(super) fn new(
        making: &'a Making<'a>,
        part: usize,
        branch: &'a Branch<'a>,
        combination: &'a Combination,
        outside: BTreeSet<usize>,
    ) -> Self {
        Self { making, part, branch, combination, outside, optional: Vec::new() }
    }

    /// What shows these items of what satisfies these conditions.
    pub(super) fn select(&self, items: Vec<SelectItem>, conditions: Vec<Expr>) -> SqlResult<SetExpr> {
        let (from, _) = self.from()?;
        Ok(select_body(items, optional::joined(from, &self.optional), all(conditions)))
    }

    /// All that must hold but the part's own WHERE.
    pub(super) fn conditions(&self) -> SqlResult<Vec<Expr>> {
        let (_, mut conditions) = self.from()?;
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
            let placed = placing::place(self.making.pattern, expr, &|atom| self.atom(atom, names))?;
            conditions.push(Expr::Nested(Box::new(placed)));
        }
        for other in &self.branch.excluded {
            if let Some(asked) = self.asked(other)? {
                let other = all(asked).map(|asked| Expr::IsNotTrue(Box::new(Expr::Nested(Box::new(asked)))));
                conditions.push(other.unwrap_or_else(|| boolean(false)));
            }
        }
        Ok(conditions)
    }

    /// What another alternative asks of what stands here; `None` where it can have none of it.
    fn asked(&self, other: &Excluded<'_>) -> SqlResult<Option<Vec<Expr>>> {
        if !other.admits.iter().all(|(slot, elements)| self.element_at(*slot).is_some_and(|element| elements.contains(&element))) {
            return Ok(None);
        }
        let mut asked = Vec::new();
        for link in &other.links {
            let place = |link: &Link| [link.edge, link.left, link.right].map(|slot| self.branch.at(slot));
            if self.branch.links.iter().any(|own| place(own) == place(link) && own.direction == link.direction) {
                continue;
            }
            let [edge, left, right] = place(link);
            let Some(ends) = &self.element(edge)?.ends else { return Err(SqlError::internal("an edge without ends")) };
            let mut ways = Vec::new();
            for (source, destination, other) in [(left, right, Direction::Left), (right, left, Direction::Right)] {
                let is_way =
                    self.element(source)?.alias == ends.source.vertex && self.element(destination)?.alias == ends.destination.vertex;
                if link.direction != other && is_way {
                    let mut met = Vec::new();
                    self.meet(edge, source, destination, &mut met)?;
                    ways.extend(all(met).map(|met| Expr::Nested(Box::new(met))));
                }
            }
            match balanced(ways, &|one, other| binary(one, BinaryOperator::Or, other)) {
                Some(ways) => asked.push(Expr::Nested(Box::new(ways))),
                None => return Ok(None),
            }
        }
        for (first, second) in &other.different {
            asked.extend(self.differ(*first, *second)?);
        }
        for Condition { expr, names } in &other.conditions {
            let placed = placing::place(self.making.pattern, expr, &|atom| self.atom(atom, names))?;
            asked.push(Expr::Nested(Box::new(placed)));
        }
        Ok(Some(asked))
    }

    /// A user's expression over the join.
    fn place(&self, expr: &Expr) -> SqlResult<Expr> {
        placing::place(self.making.pattern, expr, &|atom| self.atom(atom, &self.branch.names))
    }

    /// The slot of a variable, by the names at the place of an expression.
    fn slot(&self, variable: VariableId, names: &BTreeMap<VariableId, usize>) -> Option<usize> {
        // Those of the parts around are the same all over the part.
        let is_own = self.making.pattern.variables[variable].part == self.part;
        let known = names.get(&variable).or_else(|| self.branch.names.get(&variable).filter(|_| !is_own))?;
        Some(self.branch.at(*known))
    }

    /// What is said of an element or a path; NULL where there is none on this branch.
    pub(super) fn atom(&self, atom: &Atom, names: &BTreeMap<VariableId, usize>) -> SqlResult<Expr> {
        let pattern = self.making.pattern;
        let part = atom.part(pattern);
        if let Some(joined) = self.optional.iter().find(|joined| joined.parts.contains(&part)) {
            return Ok(joined.column(&atom.column()));
        }
        let slot = atom.variable().and_then(|variable| self.slot(variable, names));
        match (atom, slot) {
            (Atom::Property(_, name), Some(slot)) => match self.element(slot)?.property(name) {
                Some(property) => property_over(&property.expression, &|ident| self.column(slot, &fold(ident))),
                None => null(atom.sql_type(pattern)),
            },
            (Atom::Document(_), Some(slot)) => self.document(slot),
            (Atom::Key(_, at), Some(slot)) => match self.element(slot)?.key.get(*at) {
                Some(column) => Ok(self.column(slot, column)),
                None => Err(SqlError::internal("a column that a key does not have")),
            },
            (Atom::Length(path), _) => match self.branch.passed.get(path) {
                Some(Passed::Searched(at)) => match self.branch.searches.get(*at) {
                    Some(search) => found::length(*at, search.spec.shows),
                    None => Err(SqlError::internal("a path of a search that there is not")),
                },
                Some(Passed::Written { edges, .. }) => Ok(Expr::Value(Value::Number(edges.len().to_string(), false).into())),
                None => null(atom.sql_type(pattern)),
            },
            (Atom::Passed { path, edges: is_edges }, _) => match self.branch.passed.get(path) {
                Some(Passed::Searched(at)) => found::elements(*at, *is_edges),
                Some(Passed::Written { vertices, edges }) => {
                    let slots = if *is_edges { edges } else { vertices };
                    let documents = slots.iter().map(|slot| Ok(self.document(*slot)?.to_string())).collect::<SqlResult<Vec<_>>>()?;
                    rule_text::expression(&format!("jsonb_build_array({})", documents.join(", ")))
                }
                None => null(atom.sql_type(pattern)),
            },
            (_, None) => null(atom.sql_type(pattern)),
        }
    }

    fn document(&self, slot: usize) -> SqlResult<Expr> {
        element_document(self.element(slot)?, &|column| self.column(slot, column))
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
            let end = if self.is_by_key(right)? { Some(self.row_id(right)?) } else { None };
            if end.is_some() && placed.insert(right) {
                from.push(self.relation(right)?);
            }
            from.extend(found.relations(&self.row_id(left)?, end.as_ref())?);
            conditions.push(binary(self.row_id(right)?, BinaryOperator::Eq, found.row()?));
        }
        let is_here = |slot: &usize| self.combination.elements[*slot].is_some() && !self.outside.contains(slot);
        let slots = (0..self.branch.slots.len()).filter(is_here);
        for slot in slots.filter(|slot| !placed.contains(slot)) {
            from.push(self.relation(slot)?);
        }
        Ok((from, conditions))
    }

    /// What a search finds.
    fn found(&self, at: usize, search: &Searching) -> SqlResult<Found> {
        let (Some(left), Some(right)) = (self.element_at(search.left), self.element_at(search.right)) else {
            return Err(SqlError::internal("a search between slots without element tables"));
        };
        let spec = Spec { at: self.making.graphs.searched_at()?, ..search.spec.clone() };
        Found::new(at, &spec, (left, right), &self.making.pattern.graph, self.making.graphs)
    }

    /// Whether conditions say that a slot's key is this or that, so that one row at most can stand there and a search may end at it.
    fn is_by_key(&self, slot: usize) -> SqlResult<bool> {
        let (pattern, slot, element) = (self.making.pattern, self.branch.at(slot), self.element(slot)?);
        let own = self.branch.conditions.iter().map(|condition| (condition.expr, &condition.names));
        let of_part = pattern.parts[self.part].conditions.iter().map(|own| (&own.expr, &self.branch.names));
        let mut told = BTreeSet::new();
        for (expr, names) in own.chain(of_part) {
            for (variable, property) in placing::equal_to_constants(pattern, expr) {
                if names.get(&variable).is_some_and(|known| self.branch.at(*known) == slot) {
                    told.extend(element.property(&property).map(|property| property.expression.clone()));
                }
            }
        }
        Ok(element.key.iter().all(|column| told.contains(&quoted(column).to_string()) || told.contains(column)))
    }

    /// The row id of an element.
    fn row_id(&self, slot: usize) -> SqlResult<Expr> {
        let element = self.element(slot)?;
        if !self.making.graphs.relation(element.relation)?.is_stored {
            return Err(SqlError::unsupported(format!("a search for paths over the view behind \"{}\"", element.alias))
                .hint("Let a table hold these vertices, or give every quantifier a bound and leave the selector out."));
        }
        Ok(self.column(slot, ROW_ID))
    }

    /// The element table of a slot: its position in the graph.
    pub(super) fn element_at(&self, slot: usize) -> Option<usize> {
        self.combination.elements.get(self.branch.at(slot)).copied().flatten()
    }

    fn element(&self, slot: usize) -> SqlResult<&GraphElement> {
        let at = self.element_at(slot);
        at.map(|at| &self.making.pattern.graph.elements[at]).ok_or_else(|| SqlError::internal("a slot without an element table"))
    }

    /// What the element table of a slot is called in the join: as its variable where that means it alone.
    pub(super) fn alias(&self, slot: usize) -> String {
        let slot = self.branch.at(slot);
        if self.outside.contains(&slot) {
            return optional::outside_alias(slot);
        }
        let named = self.branch.names.iter().find_map(|(variable, other)| {
            let name = self.making.pattern.variables[*variable].name.as_ref()?;
            (self.branch.at(*other) == slot).then(|| name.clone())
        });
        named.unwrap_or_else(|| format!("\u{1}{slot}"))
    }

    /// J2
    fn column_name(&self, column: &str) -> String {
        if self.making.pattern.has_bare_names { format!("\u{1}{column}") } else { column.to_owned() }
    }

    fn column(&self, slot: usize, column: &str) -> Expr {
        Expr::CompoundIdentifier(vec![quoted(&self.alias(slot)), quoted(&self.column_name(column))])
    }

    fn relation(&self, slot: usize) -> SqlResult<TableWithJoins> {
        let element = self.element(slot)?;
        let found = self.making.graphs.relation(element.relation)?;
        let name = ObjectName::from(vec![quoted(&found.schema), quoted(&found.name)]);
        let alias = self.alias(slot);
        if !self.making.pattern.has_bare_names {
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
