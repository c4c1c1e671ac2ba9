//! What a search asks of whole steps: of a vertex, the edge behind it and the vertex that it leads to.
//!
//! W1: a condition is an expression over the columns of the three rows, whose names [`column`] gives.
//! W2: a step between tables that the search does not name is none that it takes.
//! Never: reads a column that the query has not opened (F1 of `graph_patterns/found.rs`).

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::{Field, Schema};
use base::{RowId, SqlError, SqlResult};
use engine::{Catalog, GraphDef, Object, TableView};
use graph::{Element, Filter, Snapshot};
use relational::{Expressions, Query};

use super::{Means, Spec, WholeStep};
use crate::live_graphs::Live;
use crate::parse;
use crate::rules::RowsAtHand;
use crate::tables::arrow_error;

/// A place in a step: the vertex before, the edge, the vertex behind.
pub(crate) const PLACES: usize = 3;

/// What a column of the row at one place is called in a condition (W1).
pub(crate) fn column(place: usize, name: &str) -> String {
    format!("{place}.{name}")
}

/// The place and the column that a name in a condition means.
pub(crate) fn told(name: &str) -> SqlResult<(usize, &str)> {
    let told = name.split_once('.').and_then(|(place, column)| Some((place.parse().ok().filter(|place| *place < PLACES)?, column)));
    told.ok_or_else(|| SqlError::internal(format!("W1: no column of a step: {name}")))
}

/// Steps between three tables.
struct Between {
    /// Places of the tables in the topology.
    tables: [u16; PLACES],
    asked: Option<Asked>,
}

/// A condition and what it reads.
struct Asked {
    expressions: Expressions,
    views: [TableView; PLACES],
    /// Positions of columns, by place.
    columns: [Vec<usize>; PLACES],
}

/// The steps that a search takes.
pub(super) struct WholeSteps {
    between: Vec<Between>,
    snapshot: Snapshot,
}

impl fmt::Debug for WholeSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WholeSteps({:?})", self.between.iter().map(|between| between.tables).collect::<Vec<_>>())
    }
}

impl WholeSteps {
    /// `None` where nothing is asked of vertices. Errors: those of expressions, XX000, XX001.
    pub(super) fn new(
        spec: &Spec,
        means: &Means,
        graph: &GraphDef,
        catalog: &Catalog,
        live: &Live,
        snapshot: &Snapshot,
    ) -> SqlResult<Option<Self>> {
        let Some(steps) = &spec.whole else { return Ok(None) };
        let mut between = Vec::with_capacity(steps.len());
        for WholeStep { elements, condition } in steps {
            let asked = condition.as_ref().map(|text| Asked::new(text, elements, means, graph, catalog, snapshot)).transpose()?;
            let [before, edge, behind] = *elements;
            between.push(Between { tables: [live.place(before)?, live.place(edge)?, live.place(behind)?], asked });
        }
        Ok(Some(Self { between, snapshot: snapshot.clone() }))
    }

    /// The rows of vertices of one table.
    fn rows(&self, vertices: &[Element]) -> SqlResult<Vec<RowId>> {
        let Some(table) = vertices.first().map(|vertex| vertex.table()) else { return Ok(Vec::new()) };
        let ids: Vec<u32> = vertices.iter().map(|vertex| vertex.vertex()).collect();
        let rows: Option<Vec<RowId>> = self.snapshot.rows(table, &ids).into_iter().collect();
        rows.ok_or_else(|| SqlError::internal("a step between vertices that there are not"))
    }
}

impl Asked {
    fn new(
        text: &str,
        elements: &[usize; PLACES],
        means: &Means,
        graph: &GraphDef,
        catalog: &Catalog,
        snapshot: &Snapshot,
    ) -> SqlResult<Self> {
        let mut names = super::columns_of(text)?;
        names.sort();
        names.dedup();
        let view = |element: &usize| {
            let relation = graph.elements.get(*element).map(|element| element.relation);
            match relation.and_then(|relation| catalog.object(relation)) {
                Some(Object::Table(table)) => TableView::past(&means.ledger, Arc::clone(table), snapshot.at()),
                _ => Err(SqlError::internal("elements of a search are rows of tables")),
            }
        };
        let [before, edge, behind] = elements;
        let views = [view(before)?, view(edge)?, view(behind)?];
        let (mut fields, mut columns): (Vec<Field>, [Vec<usize>; PLACES]) = (Vec::new(), Default::default());
        // In the order of `Asked::evaluate`.
        for place in 0..PLACES {
            for name in &names {
                let (of, column) = told(name)?;
                if of != place {
                    continue;
                }
                let schema = views[place].table().arrow_schema();
                let at = schema.index_of(column).map_err(arrow_error)?;
                fields.push(schema.field(at).clone().with_name(name));
                columns[place].push(at);
            }
        }
        let rows = RowsAtHand::with(Arc::new(Schema::new(fields)));
        let parsed = parse::parse(&format!("SELECT CAST(({text}) AS boolean) AS c0 FROM {}", rows.name()))?;
        let [one] = parsed.as_slice() else { return Err(SqlError::internal("an expression is no statement")) };
        let expressions = means.relational.expressions(Query { statement: &one.statement, text: "" }, &rows, &means.environment)?;
        Ok(Self { expressions, views, columns })
    }

    /// Of each step whether the condition holds.
    fn evaluate(&self, rows: [&[RowId]; PLACES]) -> SqlResult<ArrayRef> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (place, rows) in rows.iter().enumerate() {
            let positions = &self.columns[place];
            if positions.is_empty() {
                continue;
            }
            let batches = self.views[place].gather(rows, positions, false)?;
            for at in 0..positions.len() {
                let pieces: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
                columns.push(concat(&pieces).map_err(arrow_error)?);
            }
        }
        let values = self.expressions.evaluate(&columns, rows[1].len())?;
        values.into_iter().next().ok_or_else(|| SqlError::internal("an expression without a value"))
    }
}

impl Filter for WholeSteps {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        let [before, edges, behind] = columns else { return Err(SqlError::internal("a step has an edge between two vertices")) };
        let tables = |at: usize| [before[at].table(), edges[at].table(), behind[at].table()];
        let mut first = 0;
        while first < keep.len() {
            let here = tables(first);
            let last = (first..keep.len()).find(|at| tables(*at) != here).unwrap_or(keep.len());
            match self.between.iter().find(|between| between.tables == here) {
                None => keep[first..last].fill(false),
                Some(Between { asked: None, .. }) => {}
                Some(Between { asked: Some(asked), .. }) => {
                    let passed: Vec<RowId> = edges[first..last].iter().map(|edge| RowId(edge.id())).collect();
                    let (before, behind) = (self.rows(&before[first..last])?, self.rows(&behind[first..last])?);
                    let values = asked.evaluate([&before, &passed, &behind])?;
                    let Some(values) = values.as_boolean_opt() else { return Err(SqlError::internal("a condition that is no boolean")) };
                    for (keep, value) in keep[first..last].iter_mut().zip(values) {
                        *keep &= value == Some(true);
                    }
                }
            }
            first = last;
        }
        Ok(())
    }
}
