//! The syntax tree of a GRAPH_TABLE clause, as written.
//!
//! T1: every identifier is as the text has it, quoted or not, with its place; every expression is sqlparser's, its places those of the text.
//! T2: printing a tree gives a text that reads back as the same tree.
//! Never: knows a graph.

use std::fmt;

use sqlparser::ast::{Expr, Ident, ObjectName};
use sqlparser::tokenizer::Span;

/// `GRAPH_TABLE (graph MATCH … COLUMNS (…))`
#[derive(Clone, PartialEq, Debug)]
pub struct GraphTable {
    /// The graph's name.
    pub graph: ObjectName,
    /// FOR SYSTEM_TIME AS OF.
    pub version: Option<Version>,
    /// MATCH, and those that follow it.
    pub matched: Match,
    /// What is a row; `None` for a match.
    pub rows: Option<Rows>,
    /// At least one.
    pub columns: Vec<ColumnItem>,
}

/// `ONE ROW PER VERTEX (v) [IN (path)]` or `ONE ROW PER STEP (v, e, w) [IN (path)]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows {
    /// Of each row: a vertex; or one, the edge behind it and the vertex that it leads to.
    pub variables: Vec<Ident>,
    /// The path that has them.
    pub path: Option<Ident>,
    /// Of ONE.
    pub span: Span,
}

/// `MATCH …`, `OPTIONAL MATCH …` or `OPTIONAL { MATCH … OPTIONAL … MATCH … }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Match {
    /// Behind OPTIONAL.
    pub is_optional: bool,
    /// Patterns separated by commas; at least one.
    pub paths: Vec<PathPattern>,
    /// `KEEP …`: what paths without a prefix of their own have.
    pub keep: Option<Prefix>,
    /// WHERE of this part.
    pub condition: Option<Expr>,
    /// Those that follow it, in turn; within an optional one only where braces say so, and behind none that is not optional.
    pub following: Vec<Match>,
}

/// The past of a graph that is meant.
#[derive(Clone, PartialEq, Debug)]
pub enum Version {
    /// What it was at a time.
    Time(Expr),
    /// What a commit left.
    Commit(Expr),
}

/// One item of COLUMNS.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a clause has few of them")]
pub enum ColumnItem {
    /// An expression, with the name it is given.
    Expr {
        /// What is computed.
        expr: Expr,
        /// After AS.
        alias: Option<Ident>,
    },
    /// `variable.*`: every property of the variable.
    All(Ident),
}

/// A path pattern of MATCH.
#[derive(Clone, PartialEq, Debug)]
pub struct PathPattern {
    /// `p = …`
    pub variable: Option<Ident>,
    /// What stands before the path.
    pub prefix: Prefix,
    /// The path itself.
    pub path: PathExpr,
}

/// Which paths are kept of those that match, and which count as matches at all.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Prefix {
    /// ANY, ALL SHORTEST …
    pub selector: Option<Selector>,
    /// WALK, TRAIL …
    pub mode: Option<Mode>,
    /// Of its first word.
    pub span: Option<Span>,
}

/// Of the paths between two vertices, which are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    /// Every one: the default.
    All,
    /// So many of any length.
    Any(u32),
    /// One of the shortest.
    AnyShortest,
    /// All of the shortest.
    AllShortest,
    /// The so many shortest.
    Shortest(u32),
    /// All of the so many smallest lengths.
    ShortestGroups(u32),
    /// The so many of least cost.
    Cheapest(u32),
}

/// What a path may pass twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Anything: the default.
    Walk,
    /// No edge.
    Trail,
    /// No vertex.
    Acyclic,
    /// No vertex, but it may end where it began.
    Simple,
}

/// A path, or several to choose from.
#[derive(Clone, PartialEq, Debug)]
pub enum PathExpr {
    /// Factors one after the other; at least one.
    Sequence(Vec<Factor>),
    /// `… | …` or, with every match counted, `… |+| …`; at least two.
    Choice {
        /// `|+|`
        counted: bool,
        /// Each a sequence.
        paths: Vec<PathExpr>,
    },
}

/// A vertex, an edge or a path in parentheses, perhaps repeated.
#[derive(Clone, PartialEq, Debug)]
pub struct Factor {
    /// What is matched.
    pub primary: Primary,
    /// How often.
    pub quantifier: Option<Quantifier>,
}

/// See [`Factor`].
#[derive(Clone, PartialEq, Debug)]
pub enum Primary {
    /// `(…)`
    Vertex(Element),
    /// `-[…]->` and its kin; `brief` where there are no brackets.
    Edge {
        /// What is between the brackets.
        element: Element,
        /// Which way it points.
        direction: Direction,
        /// No brackets.
        brief: bool,
    },
    /// A path in parentheses.
    Nested(Box<Nested>),
}

/// A path in parentheses.
#[derive(Clone, PartialEq, Debug)]
pub struct Nested {
    /// `(p = …)`
    pub variable: Option<Ident>,
    /// `(TRAIL …)`
    pub mode: Option<Mode>,
    /// The path.
    pub path: PathExpr,
    /// Its WHERE, which holds each time.
    pub condition: Option<Expr>,
    /// Of the opening parenthesis.
    pub span: Span,
}

/// What stands in a vertex's parentheses or an edge's brackets.
#[derive(Clone, PartialEq, Debug)]
pub struct Element {
    /// Its name.
    pub variable: Option<Ident>,
    /// After IS.
    pub label: Option<LabelExpr>,
    /// WHERE of the element.
    pub condition: Option<Expr>,
    /// COST of an edge.
    pub cost: Option<Expr>,
    /// Of its first token.
    pub span: Span,
}

/// Which labels an element may have.
#[derive(Clone, PartialEq, Debug)]
pub enum LabelExpr {
    /// This one.
    Name(Ident),
    /// `%`: any.
    Any,
    /// `!x`
    Not(Box<LabelExpr>),
    /// `x & y`; at least two.
    And(Vec<LabelExpr>),
    /// `x | y`; at least two.
    Or(Vec<LabelExpr>),
}

/// Which way an edge points, seen from the left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// `->`
    Right,
    /// `<-`
    Left,
    /// `-` and `<->`, which mean the same where every edge has a direction.
    Any,
}

/// `{min,max}`, `*`, `+` or `?`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantifier {
    /// At least so often.
    pub min: u32,
    /// At most; `None` without bound.
    pub max: Option<u32>,
    /// `?`, whose variables are single where they are.
    pub optional: bool,
    /// Of its first token.
    pub span: Span,
}

impl fmt::Display for GraphTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GRAPH_TABLE ({}", self.graph)?;
        match &self.version {
            Some(Version::Time(time)) => write!(f, " FOR SYSTEM_TIME AS OF {time}")?,
            Some(Version::Commit(commit)) => write!(f, " FOR SYSTEM_TIME AS OF COMMIT {commit}")?,
            None => {}
        }
        f.write_str(" ")?;
        self.matched.all(f)?;
        if let Some(rows) = &self.rows {
            write!(f, " ONE ROW PER {} (", if rows.variables.len() == 1 { "VERTEX" } else { "STEP" })?;
            separated(f, &rows.variables, ", ")?;
            f.write_str(")")?;
            rows.path.as_ref().map_or(Ok(()), |path| write!(f, " IN ({path})"))?;
        }
        f.write_str(" COLUMNS (")?;
        separated(f, &self.columns, ", ")?;
        f.write_str("))")
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_optional {
            return self.all(f);
        }
        f.write_str(if self.following.is_empty() { "OPTIONAL " } else { "OPTIONAL { " })?;
        self.all(f)?;
        f.write_str(if self.following.is_empty() { "" } else { " }" })
    }
}

impl Match {
    /// `MATCH …` with what belongs to it and what follows it.
    fn all(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MATCH ")?;
        separated(f, &self.paths, ", ")?;
        if let Some(keep) = &self.keep {
            write!(f, " KEEP {}", keep.to_string().trim_end())?;
        }
        self.condition.as_ref().map_or(Ok(()), |condition| write!(f, " WHERE {condition}"))?;
        self.following.iter().try_for_each(|part| write!(f, " {part}"))
    }
}

fn separated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T], by: &str) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(by)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl fmt::Display for ColumnItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expr { expr, alias: None } => expr.fmt(f),
            Self::Expr { expr, alias: Some(alias) } => write!(f, "{expr} AS {alias}"),
            Self::All(variable) => write!(f, "{variable}.*"),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variable) = &self.variable {
            write!(f, "{variable} = ")?;
        }
        write!(f, "{}{}", self.prefix, self.path)
    }
}

/// With a blank behind it, unless it is empty.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(selector) = &self.selector {
            write!(f, "{selector} ")?;
        }
        if let Some(mode) = &self.mode {
            write!(f, "{mode} ")?;
        }
        if let Some(Selector::ShortestGroups(_)) = self.selector {
            f.write_str("GROUPS ")?;
        }
        Ok(())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("ALL"),
            Self::Any(1) => f.write_str("ANY"),
            Self::Any(count) => write!(f, "ANY {count}"),
            Self::AnyShortest => f.write_str("ANY SHORTEST"),
            Self::AllShortest => f.write_str("ALL SHORTEST"),
            Self::Shortest(count) | Self::ShortestGroups(count) => write!(f, "SHORTEST {count}"),
            Self::Cheapest(1) => f.write_str("ANY CHEAPEST"),
            Self::Cheapest(count) => write!(f, "CHEAPEST {count}"),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Walk => "WALK",
            Self::Trail => "TRAIL",
            Self::Acyclic => "ACYCLIC",
            Self::Simple => "SIMPLE",
        })
    }
}

impl fmt::Display for PathExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence(factors) => separated(f, factors, ""),
            Self::Choice { counted, paths, .. } => separated(f, paths, if *counted { " |+| " } else { " | " }),
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.primary {
            Primary::Vertex(element) => write!(f, "({element})")?,
            Primary::Edge { element, direction, brief } => {
                f.write_str(if *direction == Direction::Left { "<-" } else { "-" })?;
                if !brief {
                    write!(f, "[{element}]-")?;
                }
                f.write_str(if *direction == Direction::Right { ">" } else { "" })?;
            }
            Primary::Nested(nested) => nested.fmt(f)?,
        }
        self.quantifier.as_ref().map_or(Ok(()), |quantifier| quantifier.fmt(f))
    }
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        if let Some(variable) = &self.variable {
            write!(f, "{variable} = ")?;
        }
        if let Some(mode) = &self.mode {
            write!(f, "{mode} ")?;
        }
        self.path.fmt(f)?;
        if let Some(condition) = &self.condition {
            write!(f, " WHERE {condition}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = self.variable.as_ref().map(ToString::to_string);
        let label = self.label.as_ref().map(|label| format!("IS {label}"));
        let condition = self.condition.as_ref().map(|condition| format!("WHERE {condition}"));
        let cost = self.cost.as_ref().map(|cost| format!("COST {cost}"));
        let parts: Vec<String> = [variable, label, condition, cost].into_iter().flatten().collect();
        f.write_str(&parts.join(" "))
    }
}

impl fmt::Display for LabelExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Any => f.write_str("%"),
            Self::Not(inner) => match inner.as_ref() {
                Self::And(_) | Self::Or(_) => write!(f, "!({inner})"),
                _ => write!(f, "!{inner}"),
            },
            Self::And(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|part| if matches!(part, Self::Or(_)) { format!("({part})") } else { part.to_string() }).collect();
                f.write_str(&parts.join("&"))
            }
            Self::Or(parts) => separated(f, parts, "|"),
        }
    }
}

impl fmt::Display for Quantifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            _ if self.optional => f.write_str("?"),
            (min, Some(max)) if min == max => write!(f, "{{{min}}}"),
            (min, Some(max)) => write!(f, "{{{min},{max}}}"),
            (0, None) => f.write_str("*"),
            (1, None) => f.write_str("+"),
            (min, None) => write!(f, "{{{min},}}"),
        }
    }
}
