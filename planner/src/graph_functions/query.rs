//! A bound call as a query over its element tables.
//!
//! Q1: a vertex is `table << 32 | number`: its table's place among those that count, and its number in it, from 0 (F1).
//! Q2: no name here can be mistaken for one of a relation around, which arguments may mention: each begins with a sign that no statement has.
//! Q3: what is counted and gathered stands under LIMIT 1: the engine asks a condition without columns, as that on a source NULL becomes, below an
//!     aggregate, where it would make another answer of it.
//! Never: looks at rows.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use engine::{GraphElement, GraphEnd};
use sqlparser::ast::{Expr, Query, Value, VisitMut, VisitorMut};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::VERTEX;
use super::bind::Bound;
use super::known::{Answer, DAMPING, DIRECTED, ITERATIONS, SOURCE};
use super::run::{IDS, NUMBERS, REALS};
use crate::element_documents::element_document;
use crate::graph_patterns::{Graphs, property_over};
use crate::names::quoted;

/// Bits of a vertex that are its number (Q1).
pub(super) const NUMBER_BITS: u32 = 32;

/// A name of ours (Q2).
fn own(name: &str) -> String {
    quoted(&format!("\u{1}{name}")).to_string()
}

/// Columns of ours, which no column of a table is called like.
const NUMBER: &str = "\u{1}number";
const DOCUMENT: &str = "\u{1}document";
const COUNT: &str = "\u{1}count";
const FROM: &str = "\u{1}from";
const TO: &str = "\u{1}to";
const WEIGHT: &str = "\u{1}weight";
const SAID: &str = "\u{1}said";

/// The query. Errors: 42P01 for an element table that is gone.
pub(super) fn query(bound: &Bound<'_>, graphs: &dyn Graphs) -> SqlResult<Query> {
    let writer = Writer { bound, graphs };
    let text = writer.text()?;
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_query());
    let mut query = *parsed.map_err(|error| SqlError::internal(format!("{text}: {error}")))?;
    let _ = VisitMut::visit(&mut query, &mut Arguments(bound));
    Ok(query)
}

/// What stands for an argument until the text is a tree, so that the argument keeps its places.
fn argument(name: &str) -> String {
    own(&format!("\u{1}argument {name}"))
}

struct Arguments<'a>(&'a Bound<'a>);

impl VisitorMut for Arguments<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(ident) = expr
            && let Some(name) = ident.value.strip_prefix("\u{1}\u{1}argument ")
            && let Some(given) = self.0.call.expression(name)
        {
            *expr = Expr::Nested(Box::new(given.clone()));
        }
        ControlFlow::Continue(())
    }
}

struct Writer<'a> {
    bound: &'a Bound<'a>,
    graphs: &'a dyn Graphs,
}

impl Writer<'_> {
    fn element(&self, place: usize) -> SqlResult<&GraphElement> {
        let at = self.bound.vertices.get(place).copied().unwrap_or(usize::MAX);
        self.bound.graph.elements.get(at).ok_or_else(|| SqlError::internal("a vertex table that the graph does not have"))
    }

    fn relation(&self, element: &GraphElement) -> SqlResult<String> {
        let found = self.graphs.relation(element.relation)?;
        Ok(format!("{}.{}", quoted(&found.schema), quoted(&found.name)))
    }

    fn text(&self) -> SqlResult<String> {
        let known = self.bound.known();
        let places = 0..self.bound.vertices.len();
        let mut from = Vec::new();
        for place in places.clone() {
            let relation = self.relation(self.element(place)?)?;
            from.push(format!(
                "(SELECT count(*) AS {} FROM {relation} AS {} LIMIT 1) AS {}",
                own(COUNT),
                own("t"),
                own(&format!("c{place}"))
            ));
        }
        from.push(self.edges()?);
        let mut conditions =
            vec![format!("{}.{} = {}.{}", own("v"), own(NUMBER), own("f"), own(NUMBER)), format!("{}.{} IS NOT NULL", own("f"), own(SAID))];
        let is_from_one = known.parameters.contains(&SOURCE);
        if is_from_one {
            from.push(self.vertices("s")?);
            conditions.push(format!("{} = {}", self.identity("s")?, self.source()));
        }
        let counts: Vec<String> = places.map(|place| format!("{}.{}", own(&format!("c{place}")), own(COUNT))).collect();
        from.push(self.call(&format!("ARRAY[{}]", counts.join(", ")), is_from_one));
        from.push(self.vertices("v")?);
        let mut said = format!("{}.{}", own("f"), own(SAID));
        if known.answer == Answer::Vertex {
            from.push(self.vertices("w")?);
            conditions.push(format!("{}.{} = {said}", own("w"), own(NUMBER)));
            said = self.identity("w")?;
        }
        let key = match self.bound.only_vertices() {
            Some(only) => only.key.iter().map(|column| format!("{}.{} AS {}", own("v"), own(column), quoted(column))).collect(),
            None => vec![format!("{}.{} AS {}", own("v"), own(DOCUMENT), quoted(VERTEX))],
        };
        let (key, column) = (key.join(", "), quoted(known.column));
        Ok(format!("SELECT {key}, {said} AS {column} FROM {} WHERE {}", from.join(", "), conditions.join(" AND ")))
    }

    /// Columns of a vertex table that are needed: its key, and what edges refer to.
    fn columns(&self, element: &GraphElement) -> BTreeSet<String> {
        let mut columns: BTreeSet<String> = element.key.iter().cloned().collect();
        for edge in &self.bound.edges {
            let ends = self.bound.graph.elements[*edge].ends.iter().flat_map(|ends| [&ends.source, &ends.destination]);
            columns.extend(ends.filter(|end| end.vertex == element.alias).flat_map(|end| end.references.iter().cloned()));
        }
        columns
    }

    /// The rows of one vertex table with their numbers in it.
    fn numbered(&self, place: usize, alias: &str) -> SqlResult<String> {
        let element = self.element(place)?;
        let order: Vec<String> = element.key.iter().map(|column| format!("{}.{}", own("t"), quoted(column))).collect();
        let columns = self.columns(element).into_iter().map(|column| format!("{}.{} AS {}", own("t"), quoted(&column), own(&column)));
        let number =
            format!("CAST(row_number() OVER (ORDER BY {}) AS bigint) {} AS {}", order.join(", "), before_first(place), own(NUMBER));
        let items = std::iter::once(number).chain(columns).collect::<Vec<_>>().join(", ");
        Ok(format!("(SELECT {items} FROM {} AS {}) AS {}", self.relation(element)?, own("t"), own(alias)))
    }

    /// The vertices of all tables: of one with its columns, else each with its document.
    fn vertices(&self, alias: &str) -> SqlResult<String> {
        if self.bound.only_vertices().is_some() {
            return self.numbered(0, alias);
        }
        let mut selects = Vec::new();
        for place in 0..self.bound.vertices.len() {
            let document = document(self.element(place)?, "u")?;
            let numbered = self.numbered(place, "u")?;
            selects.push(format!(
                "SELECT {}.{} AS {}, {document} AS {} FROM {numbered}",
                own("u"),
                own(NUMBER),
                own(NUMBER),
                own(DOCUMENT)
            ));
        }
        Ok(format!("({}) AS {}", selects.join(" UNION ALL "), own(alias)))
    }

    /// The value that tells a vertex of [`Writer::vertices`] from all others.
    fn identity(&self, alias: &str) -> SqlResult<String> {
        Ok(match self.bound.only_vertices() {
            Some(only) => match only.key.as_slice() {
                [column] => format!("{}.{}", own(alias), own(column)),
                _ => document(only, alias)?,
            },
            None => format!("{}.{}", own(alias), own(DOCUMENT)),
        })
    }

    fn source(&self) -> String {
        let is_key = self.bound.only_vertices().is_some_and(|only| only.key.len() == 1);
        if is_key { argument(SOURCE) } else { format!("CAST({} AS jsonb)", argument(SOURCE)) }
    }

    /// One row: the ends of all edges, and what these weigh, as arrays.
    fn edges(&self) -> SqlResult<String> {
        let names: Vec<&str> = if self.bound.weight.is_some() { vec![FROM, TO, WEIGHT] } else { vec![FROM, TO] };
        if self.bound.edges.is_empty() {
            let none = |name: &&str| {
                let sql_type = if *name == WEIGHT { "double precision" } else { "bigint" };
                format!("CAST(NULL AS {sql_type}[]) AS {}", own(name))
            };
            return Ok(format!("(SELECT {}) AS {}", names.iter().map(none).collect::<Vec<_>>().join(", "), own("e")));
        }
        let selects = self.bound.edges.iter().map(|edge| self.edge(*edge)).collect::<SqlResult<Vec<_>>>()?.join(" UNION ALL ");
        let gathered = names.iter().map(|name| format!("array_agg({}.{}) AS {}", own("x"), own(name), own(name)));
        Ok(format!("(SELECT {} FROM ({selects}) AS {} LIMIT 1) AS {}", gathered.collect::<Vec<_>>().join(", "), own("x"), own("e")))
    }

    fn edge(&self, at: usize) -> SqlResult<String> {
        let element = &self.bound.graph.elements[at];
        let Some(ends) = &element.ends else { return Err(SqlError::internal("an edge without ends")) };
        let mut conditions = Vec::new();
        let mut end = |end: &GraphEnd, alias: &str| {
            for (column, reference) in end.columns.iter().zip(&end.references) {
                conditions.push(format!("{}.{} = {}.{}", own(alias), own(reference), own("k"), quoted(column)));
            }
            let place = self.bound.place(&end.vertex).ok_or_else(|| SqlError::internal("B1: an end of an edge that does not count"))?;
            self.numbered(place, alias)
        };
        let (source, destination) = (end(&ends.source, "s")?, end(&ends.destination, "d")?);
        let weight = match self.bound.weight.as_deref().and_then(|name| element.property(name)) {
            Some(property) => {
                let column =
                    |ident: &sqlparser::ast::Ident| Expr::CompoundIdentifier(vec![quoted("\u{1}k"), quoted(&crate::names::fold(ident))]);
                format!(", CAST({} AS double precision) AS {}", property_over(&property.expression, &column)?, own(WEIGHT))
            }
            None => String::new(),
        };
        Ok(format!(
            "SELECT {}.{number} AS {}, {}.{number} AS {}{weight} FROM {} AS {}, {source}, {destination} WHERE {}",
            own("s"),
            own(FROM),
            own("d"),
            own(TO),
            self.relation(element)?,
            own("k"),
            conditions.join(" AND "),
            number = own(NUMBER),
        ))
    }

    /// `LATERAL unnest(ids(counts), function(…)) AS f(number, said)`
    fn call(&self, counts: &str, is_from_one: bool) -> String {
        let known = self.bound.known();
        let given = |name: &str, sql_type: &str, default: &str| {
            let is_given = self.bound.call.expression(name).is_some();
            let value = if is_given { argument(name) } else { default.to_owned() };
            format!("CAST({value} AS {sql_type})")
        };
        let array = |name: &str, sql_type: &str, is_there: bool| {
            if is_there { format!("{}.{}", own("e"), own(name)) } else { format!("CAST(NULL AS {sql_type}[])") }
        };
        let iterations = if known.name == "graph_cdlp" { "10" } else { "20" };
        let args = [
            Value::SingleQuotedString(known.name.to_owned()).to_string(),
            given(DIRECTED, "boolean", "true"),
            given(ITERATIONS, "integer", iterations),
            given(DAMPING, "double precision", "0.85"),
            if is_from_one { format!("{}.{}", own("s"), own(NUMBER)) } else { "CAST(NULL AS bigint)".to_owned() },
            counts.to_owned(),
            array(FROM, "bigint", true),
            array(TO, "bigint", true),
            array(WEIGHT, "double precision", self.bound.weight.is_some()),
        ];
        let function = if known.answer == Answer::Real { REALS } else { NUMBERS };
        format!(
            "LATERAL unnest({}({counts}), {}({})) AS {}({}, {})",
            quoted(IDS),
            quoted(function),
            args.join(", "),
            own("f"),
            own(NUMBER),
            own(SAID)
        )
    }
}

/// What makes 1 the number of a table's first vertex (Q1).
fn before_first(place: usize) -> String {
    match (place as u64) << NUMBER_BITS {
        0 => "- 1".to_owned(),
        first => format!("+ {}", first - 1),
    }
}

/// The document of a vertex whose columns stand under an alias of ours.
fn document(element: &GraphElement, alias: &str) -> SqlResult<String> {
    let column = |name: &str| Expr::CompoundIdentifier(vec![quoted(&format!("\u{1}{alias}")), quoted(&format!("\u{1}{name}"))]);
    Ok(element_document(element, &column)?.to_string())
}
