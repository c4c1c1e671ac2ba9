//! What a search for paths finds, in SQL: a relation behind the one that it begins at, each row a path.
//!
//! F1: the element tables that a path passes are opened as the query's own, each for the columns that the search reads of it: who may not read these
//!     is refused, although the rows come by another way.
//! Never: searches.

use std::collections::{BTreeMap, BTreeSet};

use base::{SqlError, SqlResult};
use engine::GraphDef;
use sqlparser::ast::{Expr, SetExpr, TableWithJoins, Value};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::Graphs;
use crate::graph_paths::{EdgeStep, FUNCTION, ROW_BITS, SHOWN, Spec, columns_of, told_column};
use crate::names::quoted;
use crate::rule_text;

/// The column of what a search found.
const FOUND: &str = "path";

/// One search of a query.
pub(super) struct Found {
    at: usize,
    shows: bool,
    /// The search and its ends.
    spec: String,
    /// Relations and columns that it reads beside those of its ends (F1).
    opened: Vec<(String, Vec<String>)>,
}

fn alias(search: usize) -> String {
    quoted(&format!("\u{1}found {search}")).to_string()
}

/// The path as a number, whose low bits are the row it leads to and the others its length.
fn number(search: usize, shows: bool) -> String {
    let path = format!("{}.{}", alias(search), quoted(FOUND));
    if shows { format!("CAST(CAST({path} AS jsonb) ->> 'path' AS bigint)") } else { path }
}

/// How many edges the path has.
pub(super) fn length(search: usize, shows: bool) -> SqlResult<Expr> {
    rule_text::expression(&format!("CAST({} >> {ROW_BITS} AS integer)", number(search, shows)))
}

/// The edges of the path, or its vertices, as an array of their ids.
pub(super) fn elements(search: usize, is_edges: bool) -> SqlResult<Expr> {
    let which = if is_edges { "edges" } else { "vertices" };
    rule_text::expression(&format!("(CAST({}.{} AS jsonb) -> '{which}')", alias(search), quoted(FOUND)))
}

impl Found {
    /// Search number `at` of a query, between two element tables. Errors: 42P01 for a table that is gone.
    pub(super) fn new(at: usize, spec: &Spec, ends: (usize, usize), graph: &GraphDef, graphs: &dyn Graphs) -> SqlResult<Self> {
        let mut read: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for (edge, EdgeStep { condition, cost }) in spec.edges.iter().zip(&spec.steps) {
            let columns = read.entry(*edge).or_default();
            for text in [condition, cost].into_iter().flatten() {
                columns.extend(columns_of(text)?);
            }
        }
        for step in spec.whole.iter().flatten() {
            for name in step.condition.as_ref().map_or(Ok(Vec::new()), |text| columns_of(text))? {
                let (place, column) = told_column(&name)?;
                read.entry(step.elements[place]).or_default().insert(column.to_owned());
            }
        }
        for (at, element) in graph.elements.iter().enumerate() {
            if let Some(ends) = element.ends.as_ref().filter(|_| spec.edges.contains(&at)) {
                read.entry(at).or_default().extend([&ends.source, &ends.destination].iter().flat_map(|end| end.columns.iter().cloned()));
            }
            // Those in between may be of any table.
            if spec.shows && (!element.is_edge() || spec.edges.contains(&at)) {
                read.entry(at).or_default().extend(element.key.iter().cloned());
            }
        }
        let mut opened = Vec::new();
        for (element, columns) in read.into_iter().filter_map(|(at, columns)| Some((graph.elements.get(at)?, columns))) {
            let relation = graphs.relation(element.relation)?;
            opened.push((format!("{}.{}", quoted(&relation.schema), quoted(&relation.name)), columns.into_iter().collect()));
        }
        Ok(Self { at, shows: spec.shows, spec: spec.text(ends), opened })
    }

    /// The row that the path leads to.
    pub(super) fn row(&self) -> SqlResult<Expr> {
        rule_text::expression(&format!("({} & {})", number(self.at, self.shows), (1_u64 << ROW_BITS) - 1))
    }

    /// `(…) AS opened, LATERAL unnest(search('…', from, to)) AS found(path)`
    pub(super) fn relations(&self, from: &Expr, to: Option<&Expr>) -> SqlResult<Vec<TableWithJoins>> {
        let (mut items, mut opened) = (Vec::new(), Vec::new());
        for (which, (relation, columns)) in self.opened.iter().enumerate() {
            let name = quoted(&format!("\u{1}opened {} {which}", self.at));
            let inner: Vec<String> = columns.iter().map(|column| quoted(column).to_string()).collect();
            let read = columns.iter().map(|column| format!("CAST(max(CAST({} AS text)) IS NULL AS integer)", quoted(column)));
            let read = read.collect::<Vec<_>>().join(" + ");
            items.push(format!("(SELECT {read} AS \"o\" FROM (SELECT {} FROM {relation} LIMIT 1) AS \"r\") AS {name}", inner.join(", ")));
            opened.push(format!("{name}.\"o\""));
        }
        opened.push("0".to_owned());
        let to = to.map_or_else(|| "CAST(NULL AS bigint)".to_owned(), ToString::to_string);
        let function = quoted(if self.shows { SHOWN } else { FUNCTION });
        let spec = Value::SingleQuotedString(self.spec.clone());
        items.push(format!(
            "LATERAL unnest({function}({spec}, {from}, {to}, CAST({} AS integer))) AS {}({})",
            opened.join(" + "),
            alias(self.at),
            quoted(FOUND)
        ));
        let text = format!("SELECT 1 FROM {}", items.join(", "));
        let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_query());
        match *parsed.map_err(|error| SqlError::internal(format!("{text}: {error}")))?.body {
            SetExpr::Select(select) => Ok(select.from),
            _ => Err(SqlError::internal("a search is items of FROM")),
        }
    }
}
