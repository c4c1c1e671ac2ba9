//! From syntax to a bound pattern: variables, labels, properties, and what the standard or PostgreSQL 19 forbids.
//!
//! N1: errors have PostgreSQL 19's SQLSTATEs and wording where it has them, and a place in the text.
//! Never: decides how the pattern is run.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, GraphElement, SqlType};
use sqlparser::ast::{Expr, Ident};
use sqlparser::tokenizer::Span;

use super::bound::{Column, Degree, InnerPath, Part, Path, Pattern, PerPath, Repeat, Step, Variable, VariableId, Where};
use super::labels::{self, Admitted};
use super::references;
use super::turns::{self, Turn};
use super::{pointed, undefined};
use crate::graph_syntax::{
    ColumnItem, Element, Factor, GraphTable, Match, Nested, PathExpr, PathPattern, Prefix, Primary, Quantifier, Rows, Selector,
};
use crate::names::{fold, quoted};

/// Binds a clause to its graph. Errors: see N1.
pub(super) fn bind(table: &GraphTable, graph: &Arc<GraphDef>, source: &str) -> SqlResult<Pattern> {
    let (variables, scopes, admitted, scope) = (Vec::new(), Vec::new(), Vec::new(), vec![0]);
    let (paths, inner, parts) = (Vec::new(), Vec::new(), Vec::new());
    let mut binder =
        Binder { graph, source, variables, scopes, admitted, scope, last_scope: 0, has_costs: false, turn: 0, paths, inner, parts };
    binder.part(Turn { number: 0, of: &table.matched }, None)?;
    let rows = table.rows.as_ref().map(|rows| binder.rows(rows)).transpose()?;
    binder.settle_properties();
    let mut pattern = Pattern {
        graph: Arc::clone(graph),
        variables: binder.variables,
        paths: binder.paths,
        inner: binder.inner,
        parts: binder.parts,
        rows,
        columns: Vec::new(),
        is_lateral: false,
        has_bare_names: false,
        has_subqueries: false,
    };
    check_path_names(table, &pattern, source)?;
    for item in &table.columns {
        add_column(&mut pattern, item, source)?;
    }
    references::check(&mut pattern, source)?;
    Ok(pattern)
}

fn check_path_names(table: &GraphTable, pattern: &Pattern, source: &str) -> SqlResult<()> {
    let mut seen = BTreeSet::new();
    let (mut paths, mut rest): (Vec<&PathPattern>, Vec<&Match>) = (Vec::new(), vec![&table.matched]);
    while let Some(part) = rest.pop() {
        paths.extend(&part.paths);
        rest.extend(part.following.iter().rev());
    }
    let outer = paths.into_iter().filter_map(|path| path.variable.as_ref()).map(|variable| (fold(variable), variable.span));
    for (name, span) in outer.chain(pattern.inner.iter().map(|path| (path.name.clone(), path.span))) {
        if pattern.named(&name).is_some() || !seen.insert(name.clone()) {
            let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("path variable \"{name}\" is declared more than once"));
            return Err(pointed(error, source, span));
        }
    }
    Ok(())
}

fn add_column(pattern: &mut Pattern, item: &ColumnItem, source: &str) -> SqlResult<()> {
    match item {
        ColumnItem::All(ident) => {
            let name = fold(ident);
            let Some(variable) = pattern.named(&name).map(|at| &pattern.variables[at]) else {
                let error = SqlError::new(SqlState::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{name}\""));
                return Err(pointed(error, source, ident.span));
            };
            let mut owner = quoted(&name);
            owner.span = ident.span;
            let columns: Vec<Column> = variable
                .properties
                .iter()
                .map(|(property, _)| Column {
                    name: property.clone(),
                    expr: Expr::CompoundIdentifier(vec![owner.clone(), quoted(property)]),
                })
                .collect();
            pattern.columns.extend(columns);
        }
        ColumnItem::Expr { expr, alias } => {
            let name = match (alias, expr) {
                (Some(alias), _) => fold(alias),
                (None, Expr::Identifier(ident)) => fold(ident),
                (None, Expr::CompoundIdentifier(parts)) => parts.last().map(fold).unwrap_or_default(),
                (None, _) => {
                    let message = "complex graph table column must specify an explicit column name";
                    let error = SqlError::new(SqlState::SYNTAX_ERROR, message).hint("Name it: expression AS name.");
                    return Err(pointed(error, source, references::span(expr)));
                }
            };
            pattern.columns.push(Column { name, expr: expr.clone() });
        }
    }
    Ok(())
}

/// Parts that a pattern may have behind its first.
const PARTS_MAX: usize = 32;

struct Binder<'a> {
    graph: &'a GraphDef,
    source: &'a str,
    variables: Vec<Variable>,
    /// The scope each was first seen in.
    scopes: Vec<usize>,
    /// What its labels admit.
    admitted: Vec<Admitted>,
    /// The scope we are in, innermost last: each repeated path is one, 0 is outside all.
    scope: Vec<usize>,
    last_scope: usize,
    /// Whether the cheapest are wanted of the path we are in.
    has_costs: bool,
    /// The MATCH we are in, by its number in the text.
    turn: usize,
    paths: Vec<Path>,
    inner: Vec<InnerPath>,
    /// The last is the one we are in, or the last one read.
    parts: Vec<Part>,
}

impl Binder<'_> {
    fn fail<T>(&self, state: SqlState, message: impl Into<String>, span: Span) -> SqlResult<T> {
        Err(pointed(SqlError::new(state, message.into()), self.source, span))
    }

    /// A MATCH with those that are matched together with it, and what follows them. Errors: 54001 for many.
    fn part(&mut self, of: Turn<'_>, within: Option<usize>) -> SqlResult<()> {
        let (at, first) = (self.parts.len(), self.paths.len());
        if at > PARTS_MAX {
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "the graph pattern is too large")
                .detail(format!("It has more than {PARTS_MAX} parts behind the first.")));
        }
        let (together, following) = turns::grouped(of);
        let count: usize = together.iter().map(|turn| turn.of.paths.len()).sum();
        let is_optional = of.of.is_optional;
        self.parts.push(Part { within, is_optional, paths: first..first + count, conditions: Vec::new(), end: at + 1 });
        let degree = if within.is_some() { Degree::Conditional } else { Degree::Single };
        for Turn { number, of } in together {
            self.turn = number;
            for path in &of.paths {
                let path = self.path(path, of.keep.as_ref(), degree)?;
                self.paths.push(path);
            }
            self.parts[at].conditions.extend(of.condition.clone().map(|expr| Where { turn: number, expr }));
        }
        for turn in following {
            self.part(turn, Some(at))?;
        }
        self.parts[at].end = self.parts.len();
        Ok(())
    }

    fn path(&mut self, path: &PathPattern, keep: Option<&Prefix>, degree: Degree) -> SqlResult<Path> {
        let prefix = match (path.prefix.span, keep) {
            (None, Some(keep)) => keep.clone(),
            (Some(span), Some(_)) => {
                return self.fail(SqlState::SYNTAX_ERROR, "KEEP and a path with a prefix of its own exclude each other", span);
            }
            _ => path.prefix.clone(),
        };
        let mut steps = Vec::new();
        self.has_costs = matches!(prefix.selector, Some(Selector::Cheapest(_)));
        self.expr(&path.path, degree, &mut steps)?;
        Ok(Path { name: path.variable.as_ref().map(fold), turn: self.turn, prefix, steps })
    }

    fn expr(&mut self, path: &PathExpr, degree: Degree, steps: &mut Vec<Step>) -> SqlResult<()> {
        match path {
            PathExpr::Sequence(factors) => self.sequence(factors, degree, steps),
            PathExpr::Choice { counted, paths } => {
                let conditional = if degree == Degree::Single { Degree::Conditional } else { degree };
                let mut choices = Vec::with_capacity(paths.len());
                for path in paths {
                    let mut choice = Vec::new();
                    self.expr(path, conditional, &mut choice)?;
                    choices.push(choice);
                }
                steps.push(Step::Choice { counted: *counted, choices });
                Ok(())
            }
        }
    }

    /// Vertices and edges take turns; paths in parentheses begin and end with vertices.
    fn sequence(&mut self, factors: &[Factor], degree: Degree, steps: &mut Vec<Step>) -> SqlResult<()> {
        let unsupported = SqlState::FEATURE_NOT_SUPPORTED;
        let mut before: Option<&Factor> = None;
        for factor in factors {
            let before_is_edge = before.is_some_and(is_edge);
            let before_is_vertex = before.is_some_and(|before| matches!(before.primary, Primary::Vertex(_)));
            match &factor.primary {
                Primary::Edge { element, .. } if before.is_none() => {
                    return self.fail(unsupported, "path pattern cannot start with an edge pattern", element.span);
                }
                Primary::Edge { element, .. } if before_is_edge => {
                    return self.fail(unsupported, "edge pattern must be preceded by a vertex pattern", element.span);
                }
                Primary::Vertex(element) if before_is_vertex => {
                    return self.fail(unsupported, "adjacent vertex patterns are not supported", element.span);
                }
                _ => {}
            }
            self.factor(factor, degree, steps)?;
            before = Some(factor);
        }
        match before.map(|last| &last.primary) {
            Some(Primary::Edge { element, .. }) => self.fail(unsupported, "path pattern cannot end with an edge pattern", element.span),
            _ => Ok(()),
        }
    }

    fn factor(&mut self, factor: &Factor, degree: Degree, steps: &mut Vec<Step>) -> SqlResult<()> {
        match (&factor.primary, &factor.quantifier) {
            (Primary::Vertex(element), None) => steps.push(self.vertex(element, degree)?),
            (Primary::Vertex(_), Some(quantifier)) => {
                let error = SqlError::new(SqlState::SYNTAX_ERROR, "a vertex pattern cannot be repeated");
                let hint = "Repeat an edge, -[e]->{1,3}, or a path in parentheses, ((a)-[e]->(b)){1,3}.";
                return Err(pointed(error.hint(hint), self.source, quantifier.span));
            }
            (Primary::Edge { element, direction, .. }, None) => steps.push(self.edge(element, *direction, degree)?),
            (Primary::Edge { element, direction, .. }, Some(quantifier)) => {
                let repeat = self.repeat(*quantifier, degree, |binder, degree, steps| {
                    steps.push(binder.anonymous_vertex(degree));
                    steps.push(binder.edge(element, *direction, degree)?);
                    steps.push(binder.anonymous_vertex(degree));
                    Ok(())
                })?;
                steps.push(Step::Repeat(Box::new(repeat)));
            }
            (Primary::Nested(nested), quantifier) => {
                let repeat = self.nested(nested, *quantifier, degree)?;
                steps.push(Step::Repeat(Box::new(repeat)));
            }
        }
        Ok(())
    }

    fn nested(&mut self, nested: &Nested, quantifier: Option<Quantifier>, degree: Degree) -> SqlResult<Repeat> {
        let mut path = None;
        if let Some(variable) = &nested.variable {
            if quantifier.is_some() || degree == Degree::Group {
                let error =
                    SqlError::unsupported("a variable of a path that is repeated").hint("Name the whole path: MATCH p = (a)-[e]->(b).");
                return Err(pointed(error, self.source, variable.span));
            }
            path = Some(self.inner.len());
            let part = self.parts.len().saturating_sub(1);
            self.inner.push(InnerPath { name: fold(variable), part, turn: self.turn, span: variable.span });
        }
        let read = |binder: &mut Self, degree: Degree, steps: &mut Vec<Step>| binder.expr(&nested.path, degree, steps);
        let mut repeat = match quantifier {
            Some(quantifier) => self.repeat(quantifier, degree, read)?,
            None => {
                let mut steps = Vec::new();
                read(self, degree, &mut steps)?;
                Repeat { steps, min: 1, max: Some(1), mode: None, condition: None, inner: Vec::new(), path: None, span: nested.span }
            }
        };
        repeat.mode = nested.mode;
        repeat.condition.clone_from(&nested.condition);
        repeat.span = nested.span;
        repeat.path = path;
        Ok(repeat)
    }

    fn repeat(
        &mut self,
        quantifier: Quantifier,
        degree: Degree,
        mut read: impl FnMut(&mut Self, Degree, &mut Vec<Step>) -> SqlResult<()>,
    ) -> SqlResult<Repeat> {
        let Quantifier { min, max, optional, span } = quantifier;
        let degree = if optional && degree != Degree::Group { Degree::Conditional } else { Degree::Group };
        self.last_scope += 1;
        self.scope.push(self.last_scope);
        let before = self.variables.len();
        let mut steps = Vec::new();
        read(self, degree, &mut steps)?;
        self.scope.pop();
        let inner = (before..self.variables.len()).collect();
        Ok(Repeat { steps, min, max, mode: None, condition: None, inner, path: None, span })
    }

    fn anonymous_vertex(&mut self, degree: Degree) -> Step {
        let all = labels::admitted(self.graph, None, false).unwrap_or_default();
        let elements = all.elements.clone();
        let variable = self.add(None, false, all, degree);
        Step::Vertex { variable, elements, condition: None }
    }

    fn vertex(&mut self, element: &Element, degree: Degree) -> SqlResult<Step> {
        let (variable, elements) = self.variable(element, false, degree)?;
        Ok(Step::Vertex { variable, elements, condition: element.condition.clone() })
    }

    fn edge(&mut self, element: &Element, direction: crate::graph_syntax::Direction, degree: Degree) -> SqlResult<Step> {
        let (variable, elements) = self.variable(element, true, degree)?;
        if let Some(cost) = element.cost.as_ref().filter(|_| !self.has_costs) {
            let error = SqlError::new(SqlState::SYNTAX_ERROR, "COST stands at the edge of a path of which the cheapest are wanted")
                .hint("Say so before the path: ANY CHEAPEST (a)-[e COST e.weight]->+(b).");
            return Err(pointed(error, self.source, references::span(cost)));
        }
        Ok(Step::Edge { variable, elements, direction, condition: element.condition.clone(), cost: element.cost.clone().map(Box::new) })
    }

    /// Variables of what a row is of. Errors: 42601, 42P01.
    fn rows(&mut self, rows: &Rows) -> SqlResult<PerPath> {
        let path = match &rows.path {
            Some(ident) => {
                let name = fold(ident);
                let Some(path) = self.paths.iter().position(|path| path.name.as_ref() == Some(&name)) else {
                    return self.fail(SqlState::UNDEFINED_TABLE, format!("path variable \"{name}\" does not exist"), ident.span);
                };
                path
            }
            None if self.paths.len() == 1 => 0,
            None => {
                let error = SqlError::new(SqlState::SYNTAX_ERROR, "one of several paths has to be named");
                return Err(pointed(error.hint("Say which: ONE ROW PER VERTEX (v) IN (p)."), self.source, rows.span));
            }
        };
        self.turn = usize::MAX;
        let mut variables = Vec::with_capacity(rows.variables.len());
        for (at, ident) in rows.variables.iter().enumerate() {
            let name = fold(ident);
            let is_known = self.variables.iter().any(|variable| variable.name.as_ref() == Some(&name));
            if is_known || self.paths.iter().any(|path| path.name.as_ref() == Some(&name)) {
                return self.fail(SqlState::SYNTAX_ERROR, format!("variable \"{name}\" is declared more than once"), ident.span);
            }
            let is_edge = at == 1;
            let all = labels::admitted(self.graph, None, is_edge).unwrap_or_default();
            variables.push(self.add(Some(name), is_edge, all, Degree::Conditional));
        }
        variables.iter().for_each(|variable| self.variables[*variable].part = 0);
        Ok(PerPath { path, variables, span: rows.span })
    }

    fn add(&mut self, name: Option<String>, edge: bool, admitted: Admitted, degree: Degree) -> VariableId {
        let part = self.parts.len().saturating_sub(1);
        self.variables.push(Variable { name, edge, properties: Vec::new(), degree, part, turn: self.turn });
        self.scopes.push(self.scope.last().copied().unwrap_or(0));
        self.admitted.push(admitted);
        self.variables.len() - 1
    }

    /// The variable of an element, a new one or the one of that name, and the tables that this place admits.
    fn variable(&mut self, element: &Element, edge: bool, degree: Degree) -> SqlResult<(VariableId, Vec<usize>)> {
        let admitted =
            labels::admitted(self.graph, element.label.as_ref(), edge).map_err(|(error, span)| pointed(error, self.source, span))?;
        let known = element.variable.as_ref().and_then(|ident| {
            let name = fold(ident);
            self.variables.iter().position(|variable| variable.name.as_ref() == Some(&name)).map(|at| (at, ident))
        });
        let Some((at, ident)) = known else {
            let elements = admitted.elements.clone();
            return Ok((self.add(element.variable.as_ref().map(fold), edge, admitted, degree), elements));
        };
        let name = fold(ident);
        if self.variables[at].edge != edge {
            let message = format!("element patterns with same variable name \"{name}\" but different element pattern types");
            return self.fail(SqlState::WRONG_OBJECT_TYPE, message, ident.span);
        }
        if self.scopes[at] != self.scope.last().copied().unwrap_or(0) {
            let message = format!("element variable \"{name}\" is declared inside and outside of a repeated path");
            let error =
                SqlError::new(SqlState::SYNTAX_ERROR, message).hint("Inside it stands for a list, outside for one element: use two names.");
            return Err(pointed(error, self.source, ident.span));
        }
        if element.label.is_some() {
            self.admitted[at].labels.extend(admitted.labels.iter().cloned());
        }
        if degree == Degree::Single {
            self.variables[at].degree = Degree::Single;
        }
        Ok((at, admitted.elements))
    }

    /// The properties of each variable, once all its labels are known.
    fn settle_properties(&mut self) {
        for (variable, admitted) in self.variables.iter_mut().zip(&self.admitted) {
            let mut found: Vec<(String, SqlType)> = Vec::new();
            let of_kind = |element: &&GraphElement| element.is_edge() == variable.edge;
            for label in self.graph.elements.iter().filter(of_kind).flat_map(|element| &element.labels) {
                if admitted.labels.contains(&label.name) {
                    for property in &label.properties {
                        if found.iter().all(|(name, _)| *name != property.name) {
                            found.push((property.name.clone(), property.sql_type));
                        }
                    }
                }
            }
            variable.properties = found;
        }
    }
}

fn is_edge(factor: &Factor) -> bool {
    matches!(factor.primary, Primary::Edge { .. })
}

/// 42704 for a property that a variable's labels do not have.
pub(super) fn unknown_property(variable: &Variable, name: &str, property: &Ident, source: &str, graph: &GraphDef) -> SqlError {
    let known: Vec<&str> = variable.properties.iter().map(|(name, _)| name.as_str()).collect();
    let error = match graph.property_type(name) {
        None => SqlError::new(SqlState::SYNTAX_ERROR, format!("property \"{name}\" does not exist")),
        Some(_) => {
            let shown = variable.name.as_deref().unwrap_or_default();
            undefined(format!("property \"{name}\" for element variable \"{shown}\" not found"))
        }
    };
    let hint = match known.as_slice() {
        [] => "Its labels have no properties.".to_owned(),
        known => format!("Its labels have: {}.", known.join(", ")),
    };
    pointed(error.hint(hint), source, property.span)
}
