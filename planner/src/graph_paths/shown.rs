//! What paths pass, shown: ids of vertices and edges, as `element_id` gives them.
//!
//! H1: an id is computed by the very expression that stands for `element_id(v)` in a query, so that the two are equal.
//! H2: a row is read once a call.
//! Never: shows a column that is not of an element's key.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use base::{RowId, SqlError, SqlResult};
use engine::{Object, TableDef, TableView};
use graph::Element;
use relational::{Expressions, Query};
use sqlparser::ast::Expr;

use super::{Means, Opened};
use crate::element_documents::element_document;
use crate::names::quoted;
use crate::parse;
use crate::rules::RowsAtHand;
use crate::tables::arrow_error;

/// Ids by element, vertices and edges apart.
pub(super) struct Shown<'a> {
    means: &'a Means,
    /// Of the search that was shown last.
    spec: String,
    vertices: HashMap<Element, String>,
    edges: HashMap<Element, String>,
    /// By position among the graph's elements.
    tables: HashMap<usize, (Arc<TableDef>, TableView, Expressions)>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(means: &'a Means) -> Self {
        Self { means, spec: String::new(), vertices: HashMap::new(), edges: HashMap::new(), tables: HashMap::new() }
    }

    /// Learns the ids of everything that some paths pass. Errors: XX001 where rows cannot be read.
    pub(super) fn learn<'p>(&mut self, opened: &Opened, paths: impl Iterator<Item = &'p graph::Path>) -> SqlResult<()> {
        let spec = format!("{:?}", opened.spec);
        if self.spec != spec {
            *self = Self { spec, ..Self::new(self.means) };
        }
        let (mut vertices, mut edges) = (BTreeSet::new(), BTreeSet::new());
        for path in paths {
            vertices.extend(path.vertices().filter(|vertex| !self.vertices.contains_key(vertex)));
            edges.extend(path.edges().filter(|edge| !self.edges.contains_key(edge)));
        }
        for of_table in vertices.into_iter().collect::<Vec<_>>().chunk_by(|a, b| a.table() == b.table()) {
            let ids: Vec<u32> = of_table.iter().map(|vertex| vertex.vertex()).collect();
            let rows = opened.snapshot.rows(of_table[0].table(), &ids).into_iter().collect::<Option<Vec<_>>>();
            let rows = rows.ok_or_else(|| SqlError::internal("a path passes a vertex that there is not"))?;
            let ids = self.ids(opened, (of_table[0].table(), false), &rows)?;
            self.vertices.extend(of_table.iter().copied().zip(ids));
        }
        for of_table in edges.into_iter().collect::<Vec<_>>().chunk_by(|a, b| a.table() == b.table()) {
            let rows: Vec<RowId> = of_table.iter().map(|edge| RowId(edge.id())).collect();
            let ids = self.ids(opened, (of_table[0].table(), true), &rows)?;
            self.edges.extend(of_table.iter().copied().zip(ids));
        }
        Ok(())
    }

    /// A path as a document, once its elements are learnt.
    pub(super) fn document(&self, number: i64, path: &graph::Path) -> SqlResult<String> {
        let list = |known: &HashMap<Element, String>, elements: &mut dyn Iterator<Item = Element>| {
            let ids: Option<Vec<&str>> = elements.map(|element| known.get(&element).map(String::as_str)).collect();
            ids.map(|ids| ids.join(", ")).ok_or_else(|| SqlError::internal("H2: an element that was not learnt"))
        };
        let (vertices, edges) = (list(&self.vertices, &mut path.vertices())?, list(&self.edges, &mut path.edges())?);
        Ok(format!("{{\"path\": {number}, \"vertices\": [{vertices}], \"edges\": [{edges}]}}"))
    }

    /// The ids of rows of one table.
    fn ids(&mut self, opened: &Opened, (place, is_edge): (u16, bool), rows: &[RowId]) -> SqlResult<Vec<String>> {
        let at = opened.live.element(place, is_edge)?;
        if !self.tables.contains_key(&at) {
            let made = self.table(opened, at)?;
            self.tables.insert(at, made);
        }
        let Some((table, view, expressions)) = self.tables.get(&at) else { return Ok(Vec::new()) };
        let found = rows.iter().map(|row| view.row_by_id(*row)).collect::<SqlResult<Vec<_>>>()?;
        let column = |at: usize| -> SqlResult<ArrayRef> {
            let pieces: Vec<&dyn Array> = found.iter().map(|row| row.column(at).as_ref()).collect();
            concat(&pieces).map_err(arrow_error)
        };
        let columns = (0..table.columns.len()).map(column).collect::<SqlResult<Vec<_>>>()?;
        let values = expressions.evaluate(&columns, rows.len())?;
        let texts = values.first().and_then(|values| values.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| SqlError::internal("H1: an id is a text"))?;
        Ok(texts.iter().map(|text| text.unwrap_or("null").to_owned()).collect())
    }

    fn table(&self, opened: &Opened, at: usize) -> SqlResult<(Arc<TableDef>, TableView, Expressions)> {
        let element = opened.graph.elements.get(at).ok_or_else(|| SqlError::internal("an element that its graph does not have"))?;
        let Some(Object::Table(table)) = opened.catalog.object(element.relation) else {
            return Err(SqlError::internal("rows of a path are of tables"));
        };
        let view = TableView::past(&self.means.ledger, Arc::clone(table), opened.snapshot.at())?;
        let document = element_document(element, &|column| Expr::Identifier(quoted(column)))?;
        let rows = RowsAtHand::of(table);
        let parsed = parse::parse(&format!("SELECT CAST({document} AS text) AS c0 FROM {}", rows.name()))?;
        let [one] = parsed.as_slice() else { return Err(SqlError::internal("an expression is no statement")) };
        let query = Query { statement: &one.statement, text: "" };
        let expressions = self.means.relational.expressions(query, &rows, &self.means.environment)?;
        Ok((Arc::clone(table), view, expressions))
    }
}
