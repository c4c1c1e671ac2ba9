//! A GRAPH_TABLE clause bound to its graph: what the joins are made of, and what graph operators will take in their place.
//!
//! B1: a variable is one binding a match, whatever its pattern says how often; places with the same variable hold the same element.
//! B2: paths are homomorphic: different variables may hold the same element unless a mode says otherwise.
//! B3: what an optional part binds is NULL where nothing matches it; a variable that was bound before it holds the same element in it, and one that is
//!     NULL there lets nothing match.
//! B4: expressions are the user's own: `v.p` in them is property `p` of the element of variable `v`, any other name is of a relation around.
//! Never: knows how it will be run.

use std::ops::Range;
use std::sync::Arc;

use engine::{GraphDef, SqlType};
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Span;

use crate::graph_syntax::{Direction, Mode, Prefix};

/// Position in [`Pattern::variables`].
pub type VariableId = usize;

/// A bound pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The graph it is matched in.
    pub graph: Arc<GraphDef>,
    /// Vertices and edges, named or not, in the order of their first places.
    pub variables: Vec<Variable>,
    /// Path patterns of all parts, in the order of the text.
    pub paths: Vec<Path>,
    /// Paths in parentheses that have a variable; as numbers of paths they come behind [`Self::paths`].
    pub inner: Vec<InnerPath>,
    /// MATCH, and behind it every OPTIONAL, and every other MATCH that cannot be matched with the one before it: each stands behind the one that it is
    /// within.
    pub parts: Vec<Part>,
    /// What a row is of, where that is not a match.
    pub rows: Option<PerPath>,
    /// What a row answers.
    pub columns: Vec<Column>,
    /// Whether an expression mentions a relation around.
    pub is_lateral: bool,
    /// Whether an expression has a name without a qualifier, which is a column of a relation around.
    pub has_bare_names: bool,
    /// Whether an expression has a subquery.
    pub has_subqueries: bool,
}

/// What is matched together; a match is one match of each of its paths, with equal values of shared variables.
#[derive(Clone, Debug)]
pub struct Part {
    /// The part that this one is within; `None` for MATCH itself.
    pub within: Option<usize>,
    /// Whether a match of the parts before it stays where this one has none.
    pub is_optional: bool,
    /// Its own among [`Pattern::paths`].
    pub paths: Range<usize>,
    /// What its WHERE says.
    pub conditions: Vec<Where>,
    /// The first part behind it and all that are within it.
    pub end: usize,
}

/// WHERE of one MATCH.
#[derive(Clone, Debug)]
pub struct Where {
    /// The number of that MATCH in the text.
    pub turn: usize,
    /// What holds.
    pub expr: Expr,
}

/// A vertex or edge of the pattern.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name; `None` for one that nothing can mention.
    pub name: Option<String>,
    /// Whether it is an edge.
    pub edge: bool,
    /// The properties that the labels of its places have, by name and in the order of the graph. An element without one of them has NULL there.
    pub properties: Vec<(String, SqlType)>,
    /// How many elements it holds a match.
    pub degree: Degree,
    /// The part that it is bound by.
    pub part: usize,
    /// The number of the MATCH in the text that first mentions it.
    pub turn: usize,
}

/// How many elements a variable holds in one match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Degree {
    /// One.
    Single,
    /// One or none: it stands within `?`, within one of several alternatives, or in an optional part.
    Conditional,
    /// A list: it stands within a repeated path.
    Group,
}

/// A path pattern.
#[derive(Clone, Debug)]
pub struct Path {
    /// Its variable.
    pub name: Option<String>,
    /// The number of its MATCH in the text.
    pub turn: usize,
    /// Selector and mode.
    pub prefix: Prefix,
    /// What it passes, from left to right.
    pub steps: Vec<Step>,
}

/// A row for each vertex, or each step, of a path.
#[derive(Clone, Debug)]
pub struct PerPath {
    /// Which path.
    pub path: usize,
    /// The vertex; or the vertex, the edge behind it and the vertex behind that.
    pub variables: Vec<VariableId>,
    /// Where the clause stands in the text.
    pub span: Span,
}

/// The variable of a path in parentheses, which is passed once or not at all.
#[derive(Clone, Debug)]
pub struct InnerPath {
    /// Its name.
    pub name: String,
    /// The part that binds it.
    pub part: usize,
    /// The number of its MATCH in the text.
    pub turn: usize,
    /// Where the name stands.
    pub span: Span,
}

/// A part of a path.
#[derive(Clone, Debug)]
pub enum Step {
    /// A vertex. Two vertices without an edge between them are the same vertex.
    Vertex {
        /// Which.
        variable: VariableId,
        /// The element tables whose labels this place admits: positions in [`GraphDef::elements`], rising.
        elements: Vec<usize>,
        /// What holds of it.
        condition: Option<Expr>,
    },
    /// An edge between the vertices before and behind it.
    Edge {
        /// Which.
        variable: VariableId,
        /// As of a vertex.
        elements: Vec<usize>,
        /// Seen from the vertex before it.
        direction: Direction,
        /// What holds of it.
        condition: Option<Expr>,
        /// What passing it costs, in a path of which the cheapest are wanted.
        cost: Option<Box<Expr>>,
    },
    /// A path in parentheses, or an edge with a quantifier.
    Repeat(Box<Repeat>),
    /// One of these.
    Choice {
        /// Each match of each counts (`|+|`); otherwise what several match alike is one match (`|`).
        counted: bool,
        /// At least two.
        choices: Vec<Vec<Step>>,
    },
}

/// See [`Step::Repeat`].
#[derive(Clone, Debug)]
pub struct Repeat {
    /// What is passed each time.
    pub steps: Vec<Step>,
    /// At least so often.
    pub min: u32,
    /// At most; `None` without bound.
    pub max: Option<u32>,
    /// What each time may not pass twice.
    pub mode: Option<Mode>,
    /// What holds each time.
    pub condition: Option<Expr>,
    /// Variables that are bound anew each time; none for a single time.
    pub inner: Vec<VariableId>,
    /// Its variable: position in [`Pattern::inner`].
    pub path: Option<usize>,
    /// Where it stands in the text.
    pub span: Span,
}

/// A column of the answer.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name; names may repeat.
    pub name: String,
    /// What it shows.
    pub expr: Expr,
}

impl Pattern {
    /// The variable of that name.
    pub fn named(&self, name: &str) -> Option<VariableId> {
        self.variables.iter().position(|variable| variable.name.as_deref() == Some(name))
    }

    /// The part that a path is of.
    pub fn part_of_path(&self, path: usize) -> usize {
        match path.checked_sub(self.paths.len()) {
            Some(inner) => self.inner.get(inner).map_or(0, |inner| inner.part),
            None => self.parts.iter().position(|part| part.paths.contains(&path)).unwrap_or(0),
        }
    }

    /// The number in the text of the MATCH that a path is of.
    pub fn turn_of_path(&self, path: usize) -> usize {
        match path.checked_sub(self.paths.len()) {
            Some(inner) => self.inner.get(inner).map_or(0, |inner| inner.turn),
            None => self.paths[path].turn,
        }
    }

    /// The numbers of the paths of a part.
    pub fn paths_of(&self, part: usize) -> impl Iterator<Item = usize> + '_ {
        let inner = self.inner.iter().enumerate().filter(move |(_, inner)| inner.part == part);
        self.parts[part].paths.clone().chain(inner.map(|(at, _)| self.paths.len() + at))
    }

    /// The path whose variable has that name.
    pub fn path_named(&self, name: &str) -> Option<usize> {
        let inner = || self.inner.iter().position(|path| path.name == name).map(|at| self.paths.len() + at);
        self.paths.iter().position(|path| path.name.as_deref() == Some(name)).or_else(inner)
    }
}

impl Variable {
    /// `vertex` or `edge`.
    pub fn kind(&self) -> &'static str {
        if self.edge { "edge" } else { "vertex" }
    }

    /// The type of a property, if its labels have it.
    pub fn property(&self, name: &str) -> Option<SqlType> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, sql_type)| *sql_type)
    }
}
