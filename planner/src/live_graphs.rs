//! Topologies of property graphs, made when a path is first searched in one, and fed every commit from then on.
//!
//! L1: a topology belongs to a definition of its graph; another definition gets another one, and those of graphs that are gone are let go.
//! L2: a vertex is a value of a unique key that all edges refer to it by; a graph of another kind has none.
//! L3: a topology that cannot follow a commit is never asked again: writes go on, and the next search makes another.
//! L4: topologies hold what memory is theirs (`engine/src/memory.rs`): one that would need more is not made, and one that has grown beyond is let go.
//! Never: outlives its database.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base::{SqlError, SqlResult, SqlState};
use engine::fold::AppliedCommit;
use engine::{Catalog, Fold, GraphDef, GraphElement, Ledger, Object, SqlType, TableDef, TableView};
use graph::{EdgeSource, EdgeTableDef, Element, GraphSchema, Snapshot, Statistics, TopologyFold, VertexSource, VertexTableDef};

/// What an edge takes, its two lists and its ends.
const EDGE_BYTES: usize = 28;
/// What a vertex takes, its key, its rows and its number.
const VERTEX_BYTES: usize = 100;
/// Uses of a topology between two countings of what all hold.
const COUNTED_EVERY: u32 = 64;

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
pub(crate) struct Live {
    graph: Arc<GraphDef>,
    fed: Arc<Fed>,
    /// How often it was asked for.
    asked: AtomicU32,
    /// As of so many edges.
    statistics: Mutex<(u64, Arc<Statistics>)>,
    /// By element: its place among vertices or edges.
    places: Vec<u16>,
}

impl LiveGraphs {
    /// Whether a graph has a topology that follows.
    pub(crate) fn has(&self, graph: &GraphDef) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&graph.id).is_some_and(|live| live.is_of(graph))
    }

    /// The topology of a graph, made now if there is none. Errors: 0A000 (L2); XX001, 58030 where its tables cannot be read.
    pub(crate) fn get(&self, ledger: &Arc<Ledger>, catalog: &Catalog, graph: &Arc<GraphDef>) -> SqlResult<Arc<Live>> {
        // Held while one is made: two searches that come at once must not both read all of the tables.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes_max = ledger.options().memory.graphs_bytes;
        if let Some(live) = all.get(&graph.id).filter(|live| live.is_of(graph)) {
            // What it holds is counted now and then.
            let is_counted = live.asked.fetch_add(1, Ordering::Relaxed) % COUNTED_EVERY == 0;
            if !is_counted || all.values().map(|live| live.bytes()).sum::<usize>() <= bytes_max {
                return Ok(Arc::clone(live));
            }
            // It has grown: the others are let go by who asks for them.
            if let Some(live) = all.remove(&graph.id) {
                ledger.detach(&(Arc::clone(&live.fed) as Arc<dyn Fold>));
            }
            return Err(too_large(graph, bytes_max));
        }
        let gone = |id: &u32| *id == graph.id || !matches!(ledger.snapshot().catalog.object(*id), Some(Object::Graph(_)));
        let ended: Vec<u32> = all.keys().copied().filter(gone).collect();
        for id in ended {
            if let Some(live) = all.remove(&id) {
                ledger.detach(&(Arc::clone(&live.fed) as Arc<dyn Fold>));
            }
        }
        // L4
        let others: usize = all.values().map(|live| live.bytes()).sum();
        let wanted = others.saturating_add(bytes_of(ledger, catalog, graph)?);
        if wanted > bytes_max {
            return Err(too_large(graph, bytes_max));
        }
        let live = Arc::new(Live::make(ledger, catalog, graph)?);
        all.insert(graph.id, Arc::clone(&live));
        Ok(live)
    }
}

/// About what the topology of a graph will take. Errors: XX001 where its tables cannot be read.
fn bytes_of(ledger: &Arc<Ledger>, catalog: &Catalog, graph: &GraphDef) -> SqlResult<usize> {
    let Some(seq) = ledger.snapshot().seq else { return Ok(0) };
    let mut bytes = 0_usize;
    for element in &graph.elements {
        if let Some(Object::Table(table)) = catalog.object(element.relation) {
            let rows = TableView::past(ledger, Arc::clone(table), seq)?.row_count() as usize;
            bytes = bytes.saturating_add(rows.saturating_mul(if element.is_edge() { EDGE_BYTES } else { VERTEX_BYTES }));
        }
    }
    Ok(bytes)
}

/// 53200
fn too_large(graph: &GraphDef, bytes_max: usize) -> SqlError {
    SqlError::new(SqlState::OUT_OF_MEMORY, format!("the topology of property graph \"{}\" does not fit into memory", graph.name))
        .detail(format!("Those of all graphs may hold {} kB together.", bytes_max >> 10))
        .hint("Raise the server's --memory, of which they have an eighth.")
}

impl Live {
    fn make(ledger: &Arc<Ledger>, catalog: &Catalog, graph: &Arc<GraphDef>) -> SqlResult<Self> {
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
        let topology = fed.fold.topology();
        let statistics = Mutex::new((topology.edges(), Arc::new(Statistics::of(&topology.snapshot(seq)))));
        Ok(Self { graph: Arc::clone(graph), fed, asked: AtomicU32::new(0), statistics, places })
    }

    fn bytes(&self) -> usize {
        self.fed.fold.bytes()
    }

    /// Whether it is a definition's, and follows.
    fn is_of(&self, graph: &GraphDef) -> bool {
        *self.graph == *graph && !self.fed.is_lost.load(Ordering::Acquire)
    }

    pub(crate) fn topology(&self) -> &graph::Topology {
        self.fed.fold.topology()
    }

    pub(crate) fn vertex_of_row(&self, table: u16, row: base::RowId) -> Option<u32> {
        self.fed.fold.vertex_of_row(table, row)
    }

    /// Vertices that rows are, ascending.
    pub(crate) fn vertices_of_rows(&self, table: u16, rows: &[u64]) -> Vec<Element> {
        self.fed.fold.vertices_of_rows(table, rows)
    }

    /// What the planner of patterns goes by: counted anew, from a snapshot at hand, once a quarter of the edges are others.
    pub(crate) fn statistics(&self, snapshot: &Snapshot) -> Arc<Statistics> {
        let edges = self.topology().edges();
        let mut known = self.statistics.lock().unwrap_or_else(PoisonError::into_inner);
        if edges > known.0 + known.0 / 4 + 64 {
            *known = (edges, Arc::new(Statistics::of(snapshot)));
        }
        Arc::clone(&known.1)
    }

    /// Edges of a table, as they were counted.
    pub(crate) fn edges_count(&self, table: u16) -> u64 {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner).1.edges(table)
    }

    /// Places of edge tables by their positions among the elements, ascending. Errors: XX000.
    pub(crate) fn edge_tables(&self, elements: &[usize]) -> SqlResult<Vec<u16>> {
        let mut tables = elements.iter().map(|element| self.place(*element)).collect::<SqlResult<Vec<u16>>>()?;
        tables.sort_unstable();
        Ok(tables)
    }

    /// Places of two vertex tables. Errors: XX000.
    pub(crate) fn vertex_tables(&self, ends: (usize, usize)) -> SqlResult<(u16, u16)> {
        Ok((self.place(ends.0)?, self.place(ends.1)?))
    }

    /// The position among the graph's elements of a table by its place among vertices or edges. Errors: XX000.
    pub(crate) fn element(&self, place: u16, is_edge: bool) -> SqlResult<usize> {
        // Vertices come before edges, so places rise twice from 0.
        let vertices = self.topology().schema().vertices().len();
        let at = usize::from(place) + if is_edge { vertices } else { 0 };
        if at < self.places.len() { Ok(at) } else { Err(SqlError::internal("a table that its graph does not have")) }
    }

    /// The place of an element's table among vertices or edges. Errors: XX000.
    pub(crate) fn place(&self, element: usize) -> SqlResult<u16> {
        self.places.get(element).copied().ok_or_else(|| SqlError::internal("an element that its graph does not have"))
    }
}

/// A key that tells rows apart as equality of its values does. Errors: 0A000.
fn check_key(table: &TableDef, key: &[usize], element: &GraphElement) -> SqlResult<()> {
    let is_told = |at: &usize| table.columns[*at].not_null || table.primary_key.contains(&table.columns[*at].id);
    let is_plain = |at: &usize| !matches!(table.columns[*at].sql_type, SqlType::Float4 | SqlType::Float8);
    let is_unique = table.keys().iter().any(|known| known.unique && known.is_plain(table) && is_same(&known.positions, key));
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
