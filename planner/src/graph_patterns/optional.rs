//! Optional parts: a subquery of the part's own joins, joined to the left of what is around it.
//!
//! Variables that are bound around a part are the same elements in it. Where the part is one join, and nothing in it needs their rows, its edges
//! are joined with those around; else it opens their tables again, and the keys are equal.
//!
//! O1: what is said of a part's elements and paths is computed within it and is a column of it, so that all of it is NULL where nothing matches.
//! O2: all joins of a part show the same columns.
//! O3: a variable that is NULL around a part lets nothing in it match.
//! O4: a part that is not optional, and stands here because it mentions what an optional one binds, is joined as one is, but not to the left.
//! Never: drops a match of what is around.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};

use base::{SqlError, SqlResult};
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join as SqlJoin, JoinConstraint, JoinOperator, Query, SelectItem, TableFactor, TableWithJoins, Value,
    Visit, VisitMut, Visitor, VisitorMut,
};

use super::bound::{Pattern, Step, VariableId};
use super::branches::Branch;
use super::joins::{Join, all, balanced, binary, union_all};
use super::placing::{self, Atom, atoms, conjuncts};
use super::{pointed, references};
use crate::names::quoted;
use crate::query_trees;

/// How the alias of an element begins whose row stands in the join around.
const OUTSIDE: &str = "\u{1}outside ";

/// What the element of a slot is called whose row stands in the join around.
pub(super) fn outside_alias(slot: usize) -> String {
    format!("{OUTSIDE}{slot}")
}

/// An optional part that can match.
pub(super) struct Joined {
    /// It, and those within it.
    pub(super) parts: Range<usize>,
    is_optional: bool,
    query: Query,
    on: Expr,
    /// The variables that it and those within it bind.
    bound: BTreeMap<VariableId, Tables>,
}

/// The element tables that a variable can be of.
#[derive(Clone, Default, Debug)]
struct Tables {
    of: BTreeSet<usize>,
    /// Whether it is NULL in some matches of the part that binds it.
    is_partial: bool,
}

impl Tables {
    /// Whether one table's key tells its elements apart.
    fn has_key(&self) -> bool {
        self.of.len() == 1 && !self.is_partial
    }
}

fn column_of(part: usize, name: &str) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(&format!("\u{1}optional {part}")), quoted(name)])
}

impl Joined {
    /// A column that it shows.
    pub(super) fn column(&self, name: &str) -> Expr {
        column_of(self.parts.start, name)
    }
}

/// Items of FROM with optional parts behind them.
pub(super) fn joined(mut from: Vec<TableWithJoins>, optional: &[Joined]) -> Vec<TableWithJoins> {
    if optional.is_empty() {
        return from;
    }
    let join = |relation: TableFactor, join_operator: JoinOperator| SqlJoin { relation, global: false, join_operator };
    let mut items = if from.is_empty() { vec![one_row()] } else { std::mem::take(&mut from) }.into_iter();
    let Some(mut chain) = items.next() else { return from };
    chain.joins.extend(items.map(|item| join(item.relation, JoinOperator::CrossJoin(JoinConstraint::None))));
    chain.joins.extend(optional.iter().map(|part| {
        let alias = Some(query_trees::alias(&format!("\u{1}optional {}", part.parts.start)));
        let relation = TableFactor::Derived { lateral: false, subquery: Box::new(part.query.clone()), alias, sample: None };
        let on = JoinConstraint::On(part.on.clone());
        join(relation, if part.is_optional { JoinOperator::LeftOuter(on) } else { JoinOperator::Inner(on) })
    }));
    vec![chain]
}

/// A row without columns that anybody asks for.
fn one_row() -> TableWithJoins {
    let subquery = Box::new(query_trees::query(query_trees::select_body(vec![one()], Vec::new(), None)));
    let relation = TableFactor::Derived { lateral: false, subquery, alias: Some(query_trees::alias("\u{1}one")), sample: None };
    TableWithJoins { relation, joins: Vec::new() }
}

fn one() -> SelectItem {
    SelectItem::ExprWithAlias { expr: Expr::Value(Value::Number("1".to_owned(), false).into()), alias: quoted("\u{1}one") }
}

/// What a variable of the parts around is there.
enum Held {
    /// An element of this table.
    Here(usize),
    /// A column of an optional part.
    Optional(Tables),
}

/// How a part's variables of the parts around are bound within it.
#[derive(Default)]
struct Shared {
    /// Those that its paths mention, or something within it needs.
    tables: BTreeMap<VariableId, Tables>,
    /// Those whose rows it needs.
    opened: BTreeSet<VariableId>,
}

/// What one join of a part shows, by the names of the columns (O2), and what joins it with those around.
#[derive(Default)]
struct Shown {
    columns: RefCell<BTreeMap<String, Expr>>,
    on: Vec<Expr>,
    within: Vec<Expr>,
}

impl Join<'_> {
    /// Joins the parts behind this one that can match; whether all can that have to.
    pub(super) fn attach(&mut self) -> SqlResult<bool> {
        let parts = &self.making.pattern.parts;
        for part in (self.part + 1..parts[self.part].end).filter(|part| parts[*part].within == Some(self.part)) {
            match self.optional_part(part)? {
                Some(joined) => self.optional.push(joined),
                None if !parts[part].is_optional => return Ok(false),
                None => {}
            }
        }
        Ok(true)
    }

    fn held(&self, variable: VariableId) -> Option<Held> {
        if let Some(slot) = self.branch.names.get(&variable) {
            return self.element_at(*slot).map(Held::Here);
        }
        let tables = self.optional.iter().find_map(|joined| joined.bound.get(&variable))?;
        Some(Held::Optional(tables.clone()))
    }

    /// An optional part; `None` where it cannot match.
    fn optional_part(&self, part: usize) -> SqlResult<Option<Joined>> {
        let making = self.making;
        let Some(mut shared) = self.shared(part)? else { return Ok(None) };
        let admit = |branch: &mut Branch<'_>| shared.tables.iter().for_each(|(variable, tables)| branch.admit(*variable, &tables.of));
        let found = making.alternatives(part, &admit)?;
        let count: usize = found.iter().map(|(_, combinations)| combinations.len()).sum();
        if count != 1 {
            shared.opened.extend(shared.tables.keys());
        }
        let mut joins = Vec::with_capacity(count);
        for (branch, combinations) in &found {
            for combination in combinations {
                let mut join = Join::new(making, part, branch, combination, shared.outside(branch));
                if join.attach()? {
                    joins.push(join);
                }
            }
        }
        let parts = part..making.pattern.parts[part].end;
        let bound = bound(&joins, &parts);
        let asked = asked(making.pattern, &parts, &bound);
        let (mut selects, mut on) = (Vec::with_capacity(count), None);
        for join in &joins {
            let shown = self.shown(join, &shared, &asked)?;
            let item = |(name, expr): (String, Expr)| SelectItem::ExprWithAlias { expr, alias: quoted(&name) };
            let mut items: Vec<SelectItem> = shown.columns.into_inner().into_iter().map(item).collect();
            if items.is_empty() {
                items.push(one());
            }
            selects.push(join.select(items, shown.within)?);
            on.get_or_insert(shown.on);
        }
        let Some(body) = balanced(selects, &union_all) else { return Ok(None) };
        let always = Expr::Value(Value::Boolean(true).into());
        let on = all(on.unwrap_or_default()).unwrap_or(always);
        let is_optional = making.pattern.parts[part].is_optional;
        Ok(Some(Joined { parts, is_optional, query: query_trees::query(body), on, bound }))
    }

    /// The variables of the parts around; `None` where one that the part mentions is NULL (O3). Errors: 0A000.
    fn shared(&self, part: usize) -> SqlResult<Option<Shared>> {
        let pattern = self.making.pattern;
        let mentioned = mentioned_by_paths(pattern, part);
        let needed = self.needed_within(part)?;
        let (mut shared, is_around) = (Shared::default(), |variable: &&VariableId| pattern.variables[**variable].part < part);
        for variable in mentioned.union(&needed).filter(is_around) {
            let tables = match self.held(*variable) {
                None if mentioned.contains(variable) => return Ok(None),
                None => continue,
                Some(Held::Here(table)) => Tables { of: BTreeSet::from([table]), is_partial: false },
                Some(Held::Optional(tables)) if mentioned.contains(variable) => {
                    shared.opened.insert(*variable);
                    tables
                }
                Some(Held::Optional(_)) => {
                    let name = pattern.variables[*variable].name.as_deref().unwrap_or_default();
                    let error = SqlError::unsupported(format!("a mention of \"{name}\" by what is nested in a later OPTIONAL"));
                    let is_it = |atom: &Atom| atom.variable() == Some(*variable);
                    return Err(self.refused(part, error.hint("Mention it in the paths of that OPTIONAL itself, too."), &is_it));
                }
            };
            shared.tables.insert(*variable, tables);
            if needed.contains(variable) {
                shared.opened.insert(*variable);
            }
        }
        if pattern.paths_of(part).any(|path| references::shown(pattern).contains(&path)) {
            shared.opened.extend(shared.tables.keys());
        }
        Ok(Some(shared))
    }

    /// The variables that a part's joins have to have for what is within them: its optional parts, and conditions of its paths.
    ///
    /// Errors: 0A000 for a path of the parts around, which they cannot have.
    fn needed_within(&self, part: usize) -> SqlResult<BTreeSet<VariableId>> {
        let (pattern, mut needed) = (self.making.pattern, BTreeSet::new());
        let said = said_within(pattern, part);
        let is_path_around = |atom: &Atom| atom.variable().is_none() && atom.part(pattern) < part;
        if said.iter().any(is_path_around) {
            let error = SqlError::unsupported("a function of a path in what is nested in a later OPTIONAL")
                .hint("Mention the path in the WHERE of an OPTIONAL that is not nested.");
            return Err(self.refused(part, error, &is_path_around));
        }
        (part + 1..pattern.parts[part].end).for_each(|inner| needed.extend(mentioned_by_paths(pattern, inner)));
        needed.extend(said.iter().filter_map(Atom::variable));
        Ok(needed)
    }

    /// Points an error at what a part, or those within it, say.
    fn refused(&self, part: usize, error: SqlError, is_it: &dyn Fn(&Atom) -> bool) -> SqlError {
        let (pattern, mut place) = (self.making.pattern, None);
        for part in part..pattern.parts[part].end {
            references::each_expr_of(pattern, part, &mut |expr| place = place.or_else(|| placing::place_of(pattern, expr, is_it)));
        }
        place.map_or_else(|| error.clone(), |place| pointed(error.clone(), self.making.source, place))
    }

    /// What a join of a part shows and how it is joined with this one.
    fn shown(&self, join: &Join<'_>, shared: &Shared, asked: &BTreeSet<Atom>) -> SqlResult<Shown> {
        let (pattern, mut shown) = (self.making.pattern, Shown::default());
        for atom in asked {
            shown.columns.get_mut().insert(atom.column(), join.atom(atom, &join.branch.names)?);
        }
        for (variable, tables) in shared.tables.iter().filter(|(variable, _)| !join.is_outside(**variable)) {
            for atom in identity(pattern, *variable, tables) {
                shown.columns.get_mut().insert(atom.column(), join.atom(&atom, &join.branch.names)?);
                let here = self.atom(&atom, &self.branch.names)?;
                shown.on.push(binary(here, BinaryOperator::Eq, column_of(join.part, &atom.column())));
            }
            for expr in self.said_of_alone(*variable) {
                shown.within.push(Expr::Nested(Box::new(placing::place(pattern, expr, &|atom| join.atom(atom, &join.branch.names))?)));
            }
        }
        for condition in join.conditions()? {
            if is_about_outside(&condition) {
                shown.on.push(self.lifted(join, condition, &shown.columns)?);
            } else {
                shown.within.push(condition);
            }
        }
        for expr in pattern.parts[join.part].conditions.iter().flat_map(|own| conjuncts(&own.expr)) {
            let is_within = atoms(pattern, expr).iter().all(|atom| join.knows(atom));
            let of = |atom: &Atom| {
                if is_within {
                    return join.atom(atom, &join.branch.names);
                }
                if !join.knows(atom) {
                    return self.atom(atom, &self.branch.names);
                }
                shown.columns.borrow_mut().insert(atom.column(), join.atom(atom, &join.branch.names)?);
                Ok(column_of(join.part, &atom.column()))
            };
            let placed = Expr::Nested(Box::new(placing::place(pattern, expr, &of)?));
            if is_within { shown.within.push(placed) } else { shown.on.push(placed) }
        }
        Ok(shown)
    }

    /// Whether a variable's row stands in the join around.
    fn is_outside(&self, variable: VariableId) -> bool {
        self.branch.names.get(&variable).is_some_and(|slot| self.alias(*slot).starts_with(OUTSIDE))
    }

    /// Whether an optional part's join can say it without what is around.
    fn knows(&self, atom: &Atom) -> bool {
        let is_own = atom.part(self.making.pattern) == self.part;
        is_own || atom.variable().is_some_and(|variable| self.branch.names.contains_key(&variable) && !self.is_outside(variable))
    }

    /// A condition over columns of both a part's join and this one, its columns now those that the part shows.
    fn lifted(&self, join: &Join<'_>, mut condition: Expr, columns: &RefCell<BTreeMap<String, Expr>>) -> SqlResult<Expr> {
        let mut around: BTreeMap<String, String> = BTreeMap::new();
        for (variable, slot) in join.branch.names.iter().filter(|(variable, _)| join.is_outside(**variable)) {
            let Some(here) = self.branch.names.get(variable) else { return Err(SqlError::internal("a variable that is not around")) };
            around.insert(join.alias(*slot), self.alias(*here));
        }
        let own: BTreeSet<String> = (0..join.branch.slots.len()).map(|slot| join.alias(slot)).collect();
        let mut lift = |parts: &mut Vec<Ident>| {
            let [alias, column] = parts.as_slice() else { return };
            if let Some(here) = around.get(&alias.value) {
                *parts = vec![quoted(here), column.clone()];
            } else if own.contains(&alias.value) {
                let name = format!("\u{1}column {}.{}", alias.value, column.value);
                columns.borrow_mut().insert(name.clone(), Expr::CompoundIdentifier(parts.clone()));
                *parts = vec![quoted(&format!("\u{1}optional {}", join.part)), quoted(&name)];
            }
        };
        let _ = VisitMut::visit(&mut condition, &mut Columns(&mut lift));
        Ok(condition)
    }

    /// Conditions over properties of one variable alone that hold in every match of this part: where its table is opened again, they hold there, too.
    fn said_of_alone(&self, variable: VariableId) -> Vec<&Expr> {
        let pattern = self.making.pattern;
        let of_elements =
            self.branch.conditions.iter().filter(|condition| condition.names.get(&variable) == self.branch.names.get(&variable));
        let of_part = pattern.parts[self.part].conditions.iter().flat_map(|own| conjuncts(&own.expr));
        let is_alone = |expr: &&Expr| {
            let said = atoms(pattern, expr);
            !said.is_empty() && said.iter().all(|atom| matches!(atom, Atom::Property(of, _) if *of == variable)) && is_plain(pattern, expr)
        };
        let is_bound = self.branch.names.contains_key(&variable);
        of_elements.map(|condition| condition.expr).chain(of_part).filter(|_| is_bound).filter(is_alone).collect()
    }
}

impl Shared {
    /// The slots of a branch whose rows stand in the join around.
    fn outside(&self, branch: &Branch<'_>) -> BTreeSet<usize> {
        let mut held: BTreeMap<usize, Vec<VariableId>> = BTreeMap::new();
        branch.names.iter().for_each(|(variable, slot)| held.entry(branch.at(*slot)).or_default().push(*variable));
        let ends: BTreeSet<usize> = branch.searches.iter().flat_map(|search| [branch.at(search.left), branch.at(search.right)]).collect();
        // Two variables that are one element are equal, which their keys say, and what the part binds itself is computed within it.
        let is_outside = |variables: &[VariableId]| match variables {
            [only] => self.tables.contains_key(only) && !self.opened.contains(only),
            _ => false,
        };
        held.into_iter().filter(|(slot, variables)| !ends.contains(slot) && is_outside(variables)).map(|(slot, _)| slot).collect()
    }
}

/// What tells the element of a variable from all others.
fn identity(pattern: &Pattern, variable: VariableId, tables: &Tables) -> Vec<Atom> {
    match tables.of.first() {
        Some(table) if tables.has_key() => (0..pattern.graph.elements[*table].key.len()).map(|at| Atom::Key(variable, at)).collect(),
        _ => vec![Atom::Document(variable)],
    }
}

/// The variables that the joins of a part bind, in it and within it.
fn bound(joins: &[Join<'_>], parts: &Range<usize>) -> BTreeMap<VariableId, Tables> {
    let mut bound: BTreeMap<VariableId, (Tables, usize)> = BTreeMap::new();
    for join in joins {
        let mut add = |variable: VariableId, of: &mut dyn Iterator<Item = usize>, is_partial: bool| {
            let (known, times) = bound.entry(variable).or_default();
            known.of.extend(of);
            known.is_partial |= is_partial;
            *times += 1;
        };
        let variables = &join.making.pattern.variables;
        for (variable, slot) in join.branch.names.iter().filter(|(variable, _)| variables[**variable].part == parts.start) {
            add(*variable, &mut join.element_at(*slot).into_iter(), false);
        }
        for (variable, known) in join.optional.iter().flat_map(|joined| &joined.bound) {
            add(*variable, &mut known.of.iter().copied(), known.is_partial);
        }
    }
    let settled = |(variable, (known, times)): (VariableId, (Tables, usize))| {
        (variable, Tables { is_partial: known.is_partial || times < joins.len(), ..known })
    };
    bound.into_iter().map(settled).collect()
}

/// What of some parts is asked by all behind them: by expressions, and by paths that mention what they bind.
fn asked(pattern: &Pattern, parts: &Range<usize>, bound: &BTreeMap<VariableId, Tables>) -> BTreeSet<Atom> {
    let mut asked = BTreeSet::new();
    let mut see = |expr: &Expr| asked.extend(atoms(pattern, expr).into_iter().filter(|atom| parts.contains(&atom.part(pattern))));
    (parts.end..pattern.parts.len()).for_each(|part| references::each_expr_of(pattern, part, &mut see));
    pattern.columns.iter().for_each(|column| see(&column.expr));
    for part in parts.end..pattern.parts.len() {
        for (variable, tables) in mentioned_by_paths(pattern, part).iter().filter_map(|variable| bound.get_key_value(variable)) {
            asked.extend(identity(pattern, *variable, tables));
            // A part around this one may have several tables where this one has one.
            asked.insert(Atom::Document(*variable));
        }
    }
    asked
}

/// The variables of a part's vertices and edges.
fn mentioned_by_paths(pattern: &Pattern, part: usize) -> BTreeSet<VariableId> {
    let mut mentioned = BTreeSet::new();
    let mut steps: Vec<&Step> = pattern.paths[pattern.parts[part].paths.clone()].iter().flat_map(|path| &path.steps).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Vertex { variable, .. } | Step::Edge { variable, .. } => {
                mentioned.insert(*variable);
            }
            Step::Repeat(repeat) => steps.extend(&repeat.steps),
            Step::Choice { choices, .. } => steps.extend(choices.iter().flatten()),
        }
    }
    mentioned
}

/// What a part's conditions of repeated paths, and all that is within it, say.
fn said_within(pattern: &Pattern, part: usize) -> BTreeSet<Atom> {
    let mut said = BTreeSet::new();
    let mut see = |expr: &Expr| said.extend(atoms(pattern, expr));
    let mut steps: Vec<&Step> = pattern.paths[pattern.parts[part].paths.clone()].iter().flat_map(|path| &path.steps).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Repeat(repeat) => {
                repeat.condition.iter().for_each(&mut see);
                steps.extend(&repeat.steps);
            }
            Step::Choice { choices, .. } => steps.extend(choices.iter().flatten()),
            Step::Vertex { .. } | Step::Edge { .. } => {}
        }
    }
    (part + 1..pattern.parts[part].end).for_each(|inner| references::each_expr_of(pattern, inner, &mut see));
    said
}

/// Visits the columns that an expression mentions with a qualifier.
struct Columns<'a>(&'a mut dyn FnMut(&mut Vec<Ident>));

impl VisitorMut for Columns<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr {
            (self.0)(parts);
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression mentions an element whose row stands in the join around.
fn is_about_outside(expr: &Expr) -> bool {
    struct Outside;
    impl Visitor for Outside {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::CompoundIdentifier(parts) if parts.first().is_some_and(|alias| alias.value.starts_with(OUTSIDE)) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(expr, &mut Outside).is_break()
}

/// Whether an expression has nothing but properties, constants, parameters and operators, so that asking twice gives the same.
fn is_plain(pattern: &Pattern, expr: &Expr) -> bool {
    struct Plain<'a>(&'a Pattern);
    impl Visitor for Plain<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let is_plain = match expr {
                Expr::CompoundIdentifier(_) => references::property(self.0, expr).is_some(),
                Expr::Value(_) | Expr::Nested(_) | Expr::BinaryOp { .. } | Expr::InList { .. } | Expr::Between { .. } => true,
                _ => false,
            };
            if is_plain { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
    }
    Visit::visit(expr, &mut Plain(pattern)).is_continue()
}
