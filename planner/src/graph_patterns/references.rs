//! What the expressions of a pattern mention: properties, path variables, relations around.
//!
//! R1: `v.p` is a property where `v` is a variable of the pattern, whatever relation around has that name too.
//! R2: WHERE of an element mentions that element only; a variable of a repeated path is mentioned within it only.
//! R3: an expression mentions what is bound by its own MATCH or before it; COLUMNS mention all.
//! R4: aggregates, window functions and functions that return sets stand in no pattern but in subqueries.
//! R5: within a subquery a name with a qualifier is of the pattern, of a relation of the subquery or of one around, and no two of these have the same
//!     name; a name without one is never of a relation around.
//! Never: resolves a name of a relation around.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Spanned, Visit, VisitMut, Visitor,
    VisitorMut,
};
use sqlparser::tokenizer::Span;

use super::bind::unknown_property;
use super::bound::{Degree, Pattern, Step, VariableId};
use super::pointed;
use crate::names::fold;
use crate::query_trees;

/// Where an expression stands.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// WHERE of an element.
    Element(VariableId),
    /// WHERE of a path in parentheses, or of the whole pattern.
    Condition,
    Columns,
}

/// What a function says of a path or of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// `path_length(p)`
    Length(usize),
    /// `vertices(p)`
    Vertices(usize),
    /// `edges(p)`
    Edges(usize),
    /// `element_id(v)`
    Element(VariableId),
}

/// A function of a path, by the path's number.
type OfPath = fn(usize) -> Said;

const PATH_FUNCTIONS: [(&str, OfPath); 5] = [
    ("path_length", Said::Length),
    ("vertices", Said::Vertices),
    ("nodes", Said::Vertices),
    ("edges", Said::Edges),
    ("relationships", Said::Edges),
];
const ELEMENT_ID: &str = "element_id";

const AGGREGATES: [&str; 38] = [
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "variance",
];
const SETS: [&str; 16] = [
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_each",
    "json_each_text",
    "json_object_keys",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_keys",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
    "unnest",
];

/// The variable and property that an expression is, if it is one.
pub(super) fn property(pattern: &Pattern, expr: &Expr) -> Option<(VariableId, String)> {
    let Expr::CompoundIdentifier(parts) = expr else { return None };
    let [variable, property] = parts.as_slice() else { return None };
    Some((pattern.named(&fold(variable))?, fold(property)))
}

/// What a call asks of a path or an element of the pattern, if it does.
pub(super) fn said(pattern: &Pattern, call: &Function) -> Option<Said> {
    let (function, of) = (name(call)?, fold(argument(call)?));
    if function == ELEMENT_ID {
        return pattern.named(&of).map(Said::Element);
    }
    let (_, say) = PATH_FUNCTIONS.iter().find(|(known, _)| *known == function)?;
    pattern.path_named(&of).map(say)
}

/// The paths whose vertices or edges are asked for.
pub(super) fn shown(pattern: &Pattern) -> BTreeSet<usize> {
    struct Shown<'a>(&'a Pattern, BTreeSet<usize>);
    impl Visitor for Shown<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Function(call) = expr
                && let Some(Said::Vertices(path) | Said::Edges(path)) = said(self.0, call)
            {
                self.1.insert(path);
            }
            ControlFlow::Continue(())
        }
    }
    let mut shown = Shown(pattern, BTreeSet::new());
    each_expr(pattern, &mut |expr| {
        let _ = Visit::visit(expr, &mut shown);
    });
    shown.1
}

/// Every expression of a pattern.
fn each_expr(pattern: &Pattern, see: &mut dyn FnMut(&Expr)) {
    (0..pattern.parts.len()).for_each(|part| each_expr_of(pattern, part, see));
    pattern.columns.iter().for_each(|column| see(&column.expr));
}

/// Every expression of one part, without those of parts within it.
pub(super) fn each_expr_of(pattern: &Pattern, part: usize, see: &mut dyn FnMut(&Expr)) {
    let part = &pattern.parts[part];
    let mut steps: Vec<&Step> = pattern.paths[part.paths.clone()].iter().flat_map(|path| &path.steps).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Vertex { condition, .. } => condition.iter().for_each(&mut *see),
            Step::Edge { condition, cost, .. } => condition.iter().chain(cost.as_deref()).for_each(&mut *see),
            Step::Repeat(repeat) => {
                repeat.condition.iter().for_each(&mut *see);
                steps.extend(&repeat.steps);
            }
            Step::Choice { choices, .. } => steps.extend(choices.iter().flatten()),
        }
    }
    part.conditions.iter().for_each(|own| see(&own.expr));
}

/// The only argument, where it is a name.
fn argument(call: &Function) -> Option<&Ident> {
    let FunctionArguments::List(list) = &call.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(ident)))] => Some(ident),
        _ => None,
    }
}

fn name(call: &Function) -> Option<String> {
    call.name.0.last().and_then(|part| part.as_ident()).map(fold)
}

/// Where an expression begins in the text.
pub(super) fn span(expr: &Expr) -> Span {
    expr.span()
}

/// Checks every expression (R1 to R4), and finds out what is mentioned of relations around.
pub(super) fn check(pattern: &mut Pattern, source: &str) -> SqlResult<()> {
    regroup(pattern);
    let mut found = Found::default();
    let known = &*pattern;
    let none = BTreeSet::new();
    let scope = |turn: usize| Scope { pattern: known, turn, source };
    for path in &known.paths {
        check_steps(scope(path.turn), &path.steps, &none, &mut found)?;
    }
    for own in known.parts.iter().flat_map(|part| &part.conditions) {
        check_expr(scope(own.turn), &own.expr, Place::Condition, &none, &mut found)?;
    }
    let scope = scope(usize::MAX);
    for column in &known.columns {
        check_expr(scope, &column.expr, Place::Columns, &none, &mut found)?;
    }
    pattern.is_lateral = found.lateral || found.bare;
    pattern.has_bare_names = found.bare || found.subquery;
    pattern.has_subqueries = found.subquery;
    Ok(())
}

/// `v.p[1]`, which sqlparser reads as `v` with two accesses, as `(v.p)[1]`.
fn regroup(pattern: &mut Pattern) {
    let names: BTreeSet<String> = pattern.variables.iter().filter_map(|variable| variable.name.clone()).collect();
    let mut regroup = Regroup(names);
    let mut steps: Vec<&mut Step> = pattern.paths.iter_mut().flat_map(|path| &mut path.steps).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Vertex { condition, .. } => {
                let _ = VisitMut::visit(condition, &mut regroup);
            }
            Step::Edge { condition, cost, .. } => {
                let _ = VisitMut::visit(condition, &mut regroup);
                let _ = VisitMut::visit(cost, &mut regroup);
            }
            Step::Repeat(repeat) => {
                let _ = VisitMut::visit(&mut repeat.condition, &mut regroup);
                steps.extend(&mut repeat.steps);
            }
            Step::Choice { choices, .. } => steps.extend(choices.iter_mut().flatten()),
        }
    }
    for part in &mut pattern.parts {
        for own in &mut part.conditions {
            let _ = VisitMut::visit(&mut own.expr, &mut regroup);
        }
    }
    for column in &mut pattern.columns {
        let _ = VisitMut::visit(&mut column.expr, &mut regroup);
    }
}

struct Regroup(BTreeSet<String>);

impl VisitorMut for Regroup {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundFieldAccess { root, access_chain } = expr
            && let Expr::Identifier(variable) = root.as_ref()
            && self.0.contains(&fold(variable))
            && let Some(AccessExpr::Dot(Expr::Identifier(property))) = access_chain.first()
        {
            **root = Expr::Nested(Box::new(Expr::CompoundIdentifier(vec![variable.clone(), property.clone()])));
            access_chain.remove(0);
        }
        ControlFlow::Continue(())
    }
}

#[derive(Default)]
struct Found {
    lateral: bool,
    bare: bool,
    subquery: bool,
}

/// Variables of repeated paths that are single within this one: its own without those of paths repeated inside it.
fn own(steps: &[Step], inner: &[VariableId]) -> BTreeSet<VariableId> {
    let mut own: BTreeSet<VariableId> = inner.iter().copied().collect();
    let mut rest: Vec<&Step> = steps.iter().collect();
    while let Some(step) = rest.pop() {
        match step {
            Step::Repeat(repeat) => {
                for variable in &repeat.inner {
                    own.remove(variable);
                }
                if repeat.inner.is_empty() {
                    rest.extend(&repeat.steps);
                }
            }
            Step::Choice { choices, .. } => rest.extend(choices.iter().flatten()),
            Step::Vertex { .. } | Step::Edge { .. } => {}
        }
    }
    own
}

fn check_steps(scope: Scope<'_>, steps: &[Step], single: &BTreeSet<VariableId>, found: &mut Found) -> SqlResult<()> {
    for step in steps {
        match step {
            Step::Vertex { variable, condition, .. } => {
                if let Some(condition) = condition {
                    check_expr(scope, condition, Place::Element(*variable), single, found)?;
                }
            }
            Step::Edge { variable, condition, cost, .. } => {
                for expr in condition.iter().chain(cost.as_deref()) {
                    check_expr(scope, expr, Place::Element(*variable), single, found)?;
                }
            }
            Step::Repeat(repeat) => {
                let within: BTreeSet<VariableId> = single.union(&own(&repeat.steps, &repeat.inner)).copied().collect();
                check_steps(scope, &repeat.steps, &within, found)?;
                if let Some(condition) = &repeat.condition {
                    check_expr(scope, condition, Place::Condition, &within, found)?;
                }
            }
            Step::Choice { choices, .. } => {
                for choice in choices {
                    check_steps(scope, choice, single, found)?;
                }
            }
        }
    }
    Ok(())
}

fn check_expr(scope: Scope<'_>, expr: &Expr, place: Place, single: &BTreeSet<VariableId>, found: &mut Found) -> SqlResult<()> {
    let Scope { pattern, turn, source } = scope;
    let mut checker = Checker { pattern, turn, place, single, source, found, said: Vec::new(), within: Vec::new() };
    match Visit::visit(expr, &mut checker) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// What an expression stands in.
#[derive(Clone, Copy)]
struct Scope<'a> {
    pattern: &'a Pattern,
    /// The MATCH that the expression is of; COLUMNS come behind all.
    turn: usize,
    source: &'a str,
}

struct Checker<'a> {
    pattern: &'a Pattern,
    turn: usize,
    place: Place,
    single: &'a BTreeSet<VariableId>,
    source: &'a str,
    found: &'a mut Found,
    /// Places of variables that a function is asked of.
    said: Vec<Span>,
    /// Names of the relations of the subqueries that we are in.
    within: Vec<BTreeSet<String>>,
}

impl Checker<'_> {
    fn refuse(&self, message: impl Into<String>, span: Span, hint: &str) -> SqlError {
        pointed(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message.into()).hint(hint), self.source, span)
    }

    /// A kind of function that COLUMNS do not support and WHERE does not allow.
    fn misplaced(&self, what: &str, state: SqlState, span: Span) -> SqlError {
        let hint = "Call it in the query around GRAPH_TABLE.";
        if self.place == Place::Columns {
            return self.refuse(format!("{what} functions in GRAPH_TABLE COLUMNS are not supported"), span, hint);
        }
        pointed(SqlError::new(state, format!("{what} functions are not allowed in WHERE")).hint(hint), self.source, span)
    }

    fn call(&mut self, call: &Function, span: Span) -> SqlResult<()> {
        let Some(name) = name(call) else { return Ok(()) };
        let is_outside = self.within.is_empty();
        if is_outside && call.over.is_some() {
            return Err(self.misplaced("window", SqlState("42P20"), span));
        }
        if is_outside && AGGREGATES.contains(&name.as_str()) {
            return Err(self.misplaced("aggregate", SqlState::GROUPING_ERROR, span));
        }
        if is_outside && SETS.contains(&name.as_str()) {
            return Err(self.misplaced("set-returning", SqlState::FEATURE_NOT_SUPPORTED, span));
        }
        let Some(argument) = argument(call) else { return Ok(()) };
        match said(self.pattern, call) {
            Some(Said::Element(at)) => {
                self.said.push(argument.span);
                self.mention(at, argument)
            }
            Some(Said::Length(path) | Said::Vertices(path) | Said::Edges(path)) => {
                self.said.push(argument.span);
                self.is_bound("path", self.pattern.turn_of_path(path), argument)
            }
            None => self.of_other_kind(&name, argument),
        }
    }

    /// 42804 for a function of paths that is asked of an element, or the other way.
    fn of_other_kind(&self, function: &str, argument: &Ident) -> SqlResult<()> {
        let given = fold(argument);
        let is_path_function = PATH_FUNCTIONS.iter().any(|(known, _)| *known == function);
        let (takes, is) = match self.pattern.named(&given).map(|at| self.pattern.variables[at].kind()) {
            Some(kind) if is_path_function => ("a path", kind),
            None if function == ELEMENT_ID && self.pattern.path_named(&given).is_some() => ("a vertex or an edge", "path"),
            _ => return Ok(()),
        };
        let error = SqlError::new(SqlState::DATATYPE_MISMATCH, format!("{function} takes {takes}, and \"{given}\" is a {is}"));
        let hint = "A path has a name before its pattern: MATCH p = (a)-[e]->(b); a and b are vertices, e is an edge.";
        Err(pointed(error.hint(hint), self.source, argument.span))
    }

    fn reference(&mut self, parts: &[Ident]) -> SqlResult<()> {
        let named = if let [owner, property] = parts { self.pattern.named(&fold(owner)).map(|at| (at, owner, property)) } else { None };
        let Some((at, owner, property)) = named else {
            let is_within = parts.first().is_some_and(|owner| self.within.iter().any(|names| names.contains(&fold(owner))));
            self.found.lateral |= !is_within;
            return Ok(());
        };
        let variable = &self.pattern.variables[at];
        let name = fold(property);
        if variable.property(&name).is_none() {
            self.is_local(at, owner)?;
            return Err(unknown_property(variable, &name, property, self.source, &self.pattern.graph));
        }
        self.mention(at, owner)
    }

    /// R2
    fn is_local(&self, at: VariableId, owner: &Ident) -> SqlResult<()> {
        if !matches!(self.place, Place::Element(own) if own != at) {
            return Ok(());
        }
        let hint = "WHERE of an element mentions that element only; the WHERE behind the pattern mentions all.";
        Err(self.refuse("non-local element variable reference is not supported", owner.span, hint))
    }

    /// That an element may be mentioned here (R2).
    fn mention(&self, at: VariableId, owner: &Ident) -> SqlResult<()> {
        self.is_local(at, owner)?;
        let variable = &self.pattern.variables[at];
        self.is_bound(variable.kind(), variable.turn, owner)?;
        if variable.degree == Degree::Group && !self.single.contains(&at) {
            let message = format!("element variable \"{}\" stands for a list here", fold(owner));
            let hint = "It is declared within a repeated path: mention it in a WHERE inside that path.";
            return Err(self.refuse(message, owner.span, hint));
        }
        Ok(())
    }

    /// R3
    fn is_bound(&self, kind: &str, turn: usize, ident: &Ident) -> SqlResult<()> {
        if turn <= self.turn {
            return Ok(());
        }
        let message = format!("invalid reference to {kind} variable \"{}\"", fold(ident));
        let error = SqlError::new(SqlState::UNDEFINED_TABLE, message)
            .detail("It is bound by a MATCH that stands behind this condition.")
            .hint("The WHERE of that MATCH, and COLUMNS, can mention it.");
        Err(pointed(error, self.source, ident.span))
    }

    fn bare(&mut self, ident: &Ident) -> SqlResult<()> {
        if self.said.contains(&ident.span) {
            return Ok(());
        }
        if ident.quote_style.is_none() && crate::rule_text::is_session_word(ident) {
            return Ok(());
        }
        let name = fold(ident);
        if self.pattern.path_named(&name).is_some() {
            return Err(self.refuse(
                format!("path variable \"{name}\" is not a value"),
                ident.span,
                "path_length(p), vertices(p) and edges(p) are.",
            ));
        }
        self.found.bare |= self.within.is_empty();
        Ok(())
    }

    /// R5
    fn subquery(&mut self, query: &Query) -> SqlResult<()> {
        let names = query_trees::relation_names(query);
        if let Some(name) = names.iter().find(|name| self.pattern.named(name).is_some()) {
            let message = format!("a relation called \"{name}\", as a variable of the pattern, in a subquery");
            let error = SqlError::unsupported(message).hint("Give it an alias of its own there.");
            return Err(pointed(error, self.source, query.span()));
        }
        self.found.subquery = true;
        self.within.push(names);
        Ok(())
    }
}

impl Visitor for Checker<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        match self.subquery(query) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<SqlError> {
        self.within.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<SqlError> {
        let checked = match expr {
            Expr::Function(call) => self.call(call, expr.span()),
            Expr::CompoundIdentifier(parts) => self.reference(parts),
            Expr::Identifier(ident) => self.bare(ident),
            Expr::QualifiedWildcard(..) | Expr::Wildcard(_) if self.within.is_empty() => {
                let error = SqlError::new(SqlState::SYNTAX_ERROR, "\"*\" not allowed here");
                Err(pointed(error, self.source, expr.span()))
            }
            _ => Ok(()),
        };
        match checked {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}
