//! Whether a query means something over a schema, before anything is planned.
//!
//! K1: what passes here names only declared variables and tables that there are, and every path search in it ends or has a budget that ends it.
//! Never: asks what is in the graph.

use base::{SqlError, SqlResult, SqlState};

use crate::pattern::{Condition, EdgePattern, Mode, Output, PartKind, PathPattern, Pattern, Query, Selector};
use crate::schema::GraphSchema;
use crate::varset::{Var, VarSet};

/// Variables a query may have.
pub const VARS_MAX: u16 = 56;
/// How deep parts may stand in parts.
pub const DEPTH_MAX: u16 = 64 - VARS_MAX;

/// What variables are declared, by kind.
#[derive(Clone, Copy, Default)]
struct Declared {
    vertices: VarSet,
    edges: VarSet,
    paths: VarSet,
}

impl Declared {
    fn all(self) -> VarSet {
        self.vertices | self.edges | self.paths
    }
}

/// Errors: 54001 for more than 56 variables or parts nested more than 8 deep; 42601 for an unbounded WALK without a selector and for bounds the wrong way round; 22023 for a selector
/// of no path or of weights without any; XX000 for a variable or table that is not there.
pub fn check(query: &Query, schema: &GraphSchema) -> SqlResult<()> {
    let declared = pattern(&query.pattern, schema, Declared::default(), 0)?;
    let wanted: VarSet = query.output.vars().iter().copied().collect();
    if query.output.vars().iter().any(|var| var.0 >= VARS_MAX) || !declared.all().has_all(wanted) {
        return Err(SqlError::internal("the output names a variable that no pattern declares"));
    }
    if !matches!(query.output, Output::Rows(_)) && wanted.meets(declared.paths) {
        return Err(SqlError::unsupported("grouping by a path"));
    }
    Ok(())
}

/// Gives what is declared for the parts that follow: with its optional parts, without those that (do not) exist.
fn pattern(pattern_: &Pattern, schema: &GraphSchema, outer: Declared, depth: u16) -> SqlResult<Declared> {
    if depth > DEPTH_MAX {
        return Err(SqlError::new(
            SqlState::STATEMENT_TOO_COMPLEX,
            format!("parts of a graph pattern are nested more than {DEPTH_MAX} deep"),
        ));
    }
    let mut declared = outer;
    for vertex in &pattern_.vertices {
        fits(vertex.var)?;
        if (declared.edges | declared.paths).has(vertex.var) {
            return Err(SqlError::internal("T1: a variable is declared as a vertex and as an edge"));
        }
        declared.vertices |= VarSet::one(vertex.var);
        tables(&vertex.tables, schema.vertices().len())?;
    }
    for edge in &pattern_.edges {
        fits(edge.var)?;
        if declared.all().has(edge.var) {
            return Err(SqlError::internal(
                "T1: an edge variable is declared twice; give the second a variable of its own and say they are equal",
            ));
        }
        tables(&edge.tables, schema.edges().len())?;
        if !declared.vertices.has(edge.from) || !declared.vertices.has(edge.to) {
            return Err(SqlError::internal("T1: an edge ends in a variable that is no vertex"));
        }
        let kind = if edge.path.is_some() { &mut declared.paths } else { &mut declared.edges };
        *kind |= VarSet::one(edge.var);
        path(edge)?;
    }
    if let Some(condition) = pattern_.conditions.iter().find(|c| !(declared.vertices | declared.edges).has_all(c.vars())) {
        let what = if matches!(condition, Condition::Filter { .. }) { "a filter" } else { "a comparison" };
        return Err(SqlError::internal(format!("{what} names a variable that is no vertex or edge")));
    }
    for part in &pattern_.parts {
        let within = pattern(&part.pattern, schema, declared, depth + 1)?;
        if part.kind == PartKind::Optional {
            declared = within;
        }
    }
    Ok(declared)
}

fn fits(var: Var) -> SqlResult<()> {
    if var.0 < VARS_MAX {
        return Ok(());
    }
    let error = SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, format!("a graph pattern has at most {VARS_MAX} vertices and edges"));
    Err(error.hint("Match it in two GRAPH_TABLEs and join them."))
}

fn tables(tables: &[u16], count: usize) -> SqlResult<()> {
    let fit = tables.is_sorted_by(|a, b| a < b) && tables.iter().all(|table| usize::from(*table) < count);
    if fit { Ok(()) } else { Err(SqlError::internal("tables of a pattern are places in the schema, ascending")) }
}

fn path(edge: &EdgePattern) -> SqlResult<()> {
    let Some(PathPattern { min, max, mode, selector, weight, .. }) = &edge.path else { return Ok(()) };
    if max.is_some_and(|max| max < *min) {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("a quantifier's upper bound is below its lower bound {min}")));
    }
    if max.is_none() && *mode == Mode::Walk && *selector == Selector::All {
        let error = SqlError::new(SqlState::SYNTAX_ERROR, "an unbounded quantifier needs a path mode or a selector");
        return Err(error.hint("Give an upper bound, TRAIL, ACYCLIC or SIMPLE, or ANY SHORTEST."));
    }
    if matches!(selector, Selector::Shortest(0) | Selector::ShortestGroups(0) | Selector::Cheapest(0)) {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "the number of paths must be greater than zero"));
    }
    if matches!(selector, Selector::Cheapest(_)) && weight.is_none() {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "the cheapest path needs a weight"));
    }
    Ok(())
}
