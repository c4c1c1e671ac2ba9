//! Topologies of property graphs, made when a path is first searched in one, and fed every commit from then on.
//!
//! L1: a topology belongs to a definition of its graph; another definition gets another one, and those of graphs that are gone are let go.
//! L2: a vertex is a value of a unique key that all edges refer to it by; a graph of another kind has none.
//! L3: a topology that cannot follow a commit is never asked again: writes go on, and the next search makes another.
//! Never: outlives its database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::{SqlError, SqlResult};
use engine::fold::AppliedCommit;
use engine::{Catalog, Fold, GraphDef, GraphElement, Ledger, Object, SqlType, TableDef};
use graph::{EdgeSource, EdgeTableDef, FromStatistics, GraphSchema, Statistics, TopologyFold, VertexSource, VertexTableDef};

/// The topologies of a database, by graph.
#[derive(Default)]
pub(crate) struct LiveGraphs(Mutex<HashMap<u32, Arc<Live>>>);

/// A topology as the ledger feeds it (L3).
#[derive(Debug)]
struct Fed {
    fold: TopologyFold,
    is_lost: AtomicBool,
}

impl Fold for Fed {
    fn name(&self) -> &'static str {
        self.fold.name()
    }

    fn apply(&self, commit: &AppliedCommit<'_>) -> SqlResult<()> {
        if !self.is_lost.load(Ordering::Acquire) && self.fold.apply(commit).is_err() {
            self.is_lost.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// One graph's.
pub(super) struct Live {
    definition: String,
    fed: Arc<Fed>,
    statistics: Statistics,
    /// By element: its place among vertices or edges.
    places: Vec<u16>,
}

impl LiveGraphs {
    /// The topology of a graph, made now if there is none. Errors: 0A000 (L2); XX001, 58030 where its tables cannot be read.
    pub(super) fn get(&self, ledger: &Arc<Ledger>, catalog: &Catalog, graph: &Arc<GraphDef>) -> SqlResult<Arc<Live>> {
        // Held while one is made: two searches that come at once must not both read all of the tables.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let definition = graph.definition();
        if let Some(live) = all.get(&graph.id).filter(|live| live.definition == definition && !live.fed.is_lost.load(Ordering::Acquire)) {
            return Ok(Arc::clone(live));
        }
        let gone = |id: &u32| *id == graph.id || !matches!(ledger.snapshot().catalog.object(*id), Some(Object::Graph(_)));
        let ended: Vec<u32> = all.keys().copied().filter(gone).collect();
        for id in ended {
            if let Some(live) = all.remove(&id) {
                ledger.detach(&(Arc::clone(&live.fed) as Arc<dyn Fold>));
            }
        }
        let live = Arc::new(Live::make(ledger, catalog, graph, definition)?);
        all.insert(graph.id, Arc::clone(&live));
        Ok(live)
    }
}

impl Live {
    fn make(ledger: &Arc<Ledger>, catalog: &Catalog, graph: &GraphDef, definition: String) -> SqlResult<Self> {
        let table = |element: &GraphElement| match catalog.object(element.relation) {
            Some(Object::Table(table)) => Ok(Arc::clone(table)),
            _ => Err(unfit(element, "a view holds them")),
        };
        let mut places = Vec::with_capacity(graph.elements.len());
        let (mut vertices, mut vertex_sources) = (Vec::new(), Vec::new());
        let (mut edges, mut edge_sources) = (Vec::new(), Vec::new());
        for element in &graph.elements {
            let (of, labels) = (table(element)?, element.labels.iter().map(|label| label.name.clone()).collect());
            let name = element.alias.clone();
            let Some(ends) = &element.ends else {
                places.push(vertices.len() as u16);
                let key = positions(&of, &element.key, element)?;
                check_key(&of, &key, element)?;
                vertices.push(VertexTableDef { name, labels });
                vertex_sources.push(VertexSource { table: of, key });
                continue;
            };
            places.push(edges.len() as u16);
            let end = |end: &engine::GraphEnd| -> SqlResult<(u16, Vec<usize>)> {
                let vertex = vertices.iter().position(|vertex: &VertexTableDef| vertex.name == end.vertex);
                let vertex = vertex.ok_or_else(|| SqlError::internal("N3: an edge ends in a vertex of its graph"))?;
                let source: &VertexSource = &vertex_sources[vertex];
                // The columns in the order of the vertex's key.
                let mut columns = Vec::with_capacity(source.key.len());
                for at in &source.key {
                    let column = &source.table.columns[*at];
                    let place = end.references.iter().position(|name| *name == column.name);
                    let own = place.and_then(|place| of.columns.iter().position(|own| own.name == end.columns[place]));
                    match own {
                        Some(own) if of.columns[own].sql_type.arrow() == column.sql_type.arrow() => columns.push(own),
                        _ => return Err(unfit(element, "they do not refer to the key of their vertices by columns of its types")),
                    }
                }
                if end.references.len() != columns.len() {
                    return Err(unfit(element, "they refer to more than the key of their vertices"));
                }
                Ok((vertex as u16, columns))
            };
            let ((source, source_columns), (target, target_columns)) = (end(&ends.source)?, end(&ends.destination)?);
            check_key(&of, &positions(&of, &element.key, element)?, element)?;
            edges.push(EdgeTableDef { name, labels, source, target });
            edge_sources.push(EdgeSource { table: Arc::clone(&of), source: source_columns, target: target_columns });
        }
        let fold = TopologyFold::new(GraphSchema::new(vertices, edges)?, vertex_sources, edge_sources)?;
        let fed = Arc::new(Fed { fold, is_lost: AtomicBool::new(false) });
        ledger.attach(Arc::clone(&fed) as Arc<dyn Fold>, &fed.fold.needed())?;
        let seq = ledger.snapshot().seq.unwrap_or(base::CommitSeq(0));
        let statistics = Statistics::of(&fed.fold.topology().snapshot(seq));
        Ok(Self { definition, fed, statistics, places })
    }

    pub(super) fn topology(&self) -> &graph::Topology {
        self.fed.fold.topology()
    }

    pub(super) fn vertex_of_row(&self, table: u16, row: base::RowId) -> Option<u32> {
        self.fed.fold.vertex_of_row(table, row)
    }

    pub(super) fn cardinality(&self) -> FromStatistics<'_> {
        FromStatistics { schema: self.topology().schema(), statistics: &self.statistics }
    }

    /// Places of edge tables by their positions among the elements, ascending. Errors: XX000.
    pub(super) fn edge_tables(&self, elements: &[usize]) -> SqlResult<Vec<u16>> {
        let mut tables = elements.iter().map(|element| self.place(*element)).collect::<SqlResult<Vec<u16>>>()?;
        tables.sort_unstable();
        Ok(tables)
    }

    /// Places of two vertex tables. Errors: XX000.
    pub(super) fn vertex_tables(&self, ends: (usize, usize)) -> SqlResult<(u16, u16)> {
        Ok((self.place(ends.0)?, self.place(ends.1)?))
    }

    /// The position among the graph's elements of a table by its place among vertices or edges. Errors: XX000.
    pub(super) fn element(&self, place: u16, is_edge: bool) -> SqlResult<usize> {
        // Vertices come before edges, so places rise twice from 0.
        let vertices = self.topology().schema().vertices().len();
        let at = usize::from(place) + if is_edge { vertices } else { 0 };
        if at < self.places.len() { Ok(at) } else { Err(SqlError::internal("a table that its graph does not have")) }
    }

    fn place(&self, element: usize) -> SqlResult<u16> {
        self.places.get(element).copied().ok_or_else(|| SqlError::internal("an element that its graph does not have"))
    }
}

/// A key that tells rows apart as equality of its values does. Errors: 0A000.
fn check_key(table: &TableDef, key: &[usize], element: &GraphElement) -> SqlResult<()> {
    let is_told = |at: &usize| table.columns[*at].not_null || table.primary_key.contains(&table.columns[*at].id);
    let is_plain = |at: &usize| !matches!(table.columns[*at].sql_type, SqlType::Float4 | SqlType::Float8);
    let is_unique = table.keys().iter().any(|known| known.unique && is_same(&known.positions, key));
    match is_unique && key.iter().all(|at| is_told(at) && is_plain(at)) {
        true => Ok(()),
        false => Err(unfit(element, "no unique key that is NOT NULL, and of no floating-point numbers, tells them apart")),
    }
}

fn is_same(one: &[usize], other: &[usize]) -> bool {
    one.len() == other.len() && one.iter().all(|position| other.contains(position))
}

fn positions(table: &TableDef, names: &[String], element: &GraphElement) -> SqlResult<Vec<usize>> {
    let position = |name: &String| table.columns.iter().position(|column| column.name == *name);
    names.iter().map(position).collect::<Option<_>>().ok_or_else(|| unfit(element, "a column of their key is gone"))
}

/// 0A000
fn unfit(element: &GraphElement, why: &str) -> SqlError {
    SqlError::unsupported(format!("a search for paths over the {} table \"{}\"", element.kind(), element.alias))
        .detail(format!("Its rows cannot be followed: {why}."))
        .hint("Give every quantifier a bound, {1,5}, and leave the selector out: joins answer it.")
}
