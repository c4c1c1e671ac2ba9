//! What a graph function runs over: chosen vertices numbered densely, and their edges as arrays, both ways.
//!
//! R1: a vertex is in it if it is of the tables, exists, and passes the filter; an edge, if both its ends are and it passes its own.
//! R2: without direction an edge is listed at both ends, at a vertex it joins to itself once.
//! Never: changes; shows another commit than the snapshot's.

use std::sync::Arc;

use base::{SqlError, SqlResult};

use crate::budget::{Budget, Meter};
use crate::element::Element;
use crate::pattern::{Filter, Weight};
use crate::side::Scratch;
use crate::topology::Snapshot;

/// Number of a vertex that is not in the projection.
const NONE: u32 = u32::MAX;

/// Which part of a graph.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Places of the vertex tables.
    pub vertex_tables: Vec<u16>,
    /// Places of the edge tables.
    pub edge_tables: Vec<u16>,
    /// Whether edges are one-way.
    pub is_directed: bool,
    /// Condition on a vertex; its one column holds vertices.
    pub vertices: Option<Arc<dyn Filter>>,
    /// Condition on an edge; its columns are source, edge, target.
    pub edges: Option<Arc<dyn Filter>>,
    /// What edges weigh; 1 where left out.
    pub weight: Option<Arc<dyn Weight>>,
}

/// Edges between numbered vertices, each by its place in the arrays.
#[derive(Clone, Copy, Debug)]
pub struct Edges<'a> {
    /// Where they begin.
    pub sources: &'a [u32],
    /// Where they end; as many.
    pub targets: &'a [u32],
    /// What they weigh, as many; 1 where left out.
    pub weights: Option<&'a [f64]>,
}

/// Lists of numbers, one after another.
#[derive(Debug, Default)]
pub(super) struct Lists {
    starts: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<f64>,
}

impl Lists {
    pub(super) fn of(&self, vertex: u32) -> &[u32] {
        &self.targets[self.starts[vertex as usize]..self.starts[vertex as usize + 1]]
    }

    /// What the edges of a vertex weigh; empty where all weigh 1.
    pub(super) fn weights(&self, vertex: u32) -> &[f64] {
        self.weights.get(self.starts[vertex as usize]..self.starts[vertex as usize + 1]).unwrap_or(&[])
    }

    pub(super) fn edges(&self) -> usize {
        self.targets.len()
    }

    /// The list of each vertex ascends. Without direction an edge stands at both ends (R2).
    fn of_edges(count: u32, edges: &Edges<'_>, is_directed: bool, held: &mut Meter) -> SqlResult<Self> {
        let along = edges.sources.iter().zip(edges.targets).enumerate();
        let both = |(at, (source, target)): (usize, (&u32, &u32))| {
            let back = (!is_directed && source != target).then_some((at, *target, *source));
            std::iter::once((at, *source, *target)).chain(back)
        };
        let mut starts = vec![0_usize; count as usize + 1];
        along.clone().flat_map(both).for_each(|(_, source, _)| starts[source as usize + 1] += 1);
        (0..count as usize).for_each(|vertex| starts[vertex + 1] += starts[vertex]);
        let total = starts.last().copied().unwrap_or(0);
        held.take(count as usize * 16 + total * if edges.weights.is_some() { 24 } else { 4 })?;
        let mut places = starts.clone();
        let mut next = |source: u32| {
            places[source as usize] += 1;
            places[source as usize] - 1
        };
        let mut targets = vec![0; total];
        let Some(weights) = edges.weights else {
            along.flat_map(both).for_each(|(_, source, target)| targets[next(source)] = target);
            starts.windows(2).try_for_each(|list| {
                targets[list[0]..list[1]].sort_unstable();
                held.tick(list[1] - list[0])
            })?;
            return Ok(Self { starts, targets, weights: Vec::new() });
        };
        let mut pairs = vec![(0_u32, 0_f64); total];
        along.flat_map(both).for_each(|(at, source, target)| pairs[next(source)] = (target, weights[at]));
        starts.windows(2).try_for_each(|list| {
            pairs[list[0]..list[1]].sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            held.tick(list[1] - list[0])
        })?;
        let (targets, weights) = pairs.into_iter().unzip();
        held.give(total * 12);
        Ok(Self { starts, targets, weights })
    }
}

/// See the module.
#[derive(Debug)]
pub struct Projection {
    elements: Vec<Element>,
    numbers: Vec<Vec<u32>>,
    out: Lists,
    /// The other way; as `out` where there is no direction.
    back: Option<Lists>,
    budget: Arc<Budget>,
    _held: Meter,
}

impl Projection {
    /// Reads the view out of a snapshot. Errors: 53200, 57014, and those of filters and weights.
    pub fn new(graph: &Snapshot, view: &View, budget: &Arc<Budget>) -> SqlResult<Self> {
        let mut meter = Meter::new(Arc::clone(budget));
        let mut numbers: Vec<Vec<u32>> = vec![Vec::new(); graph.schema().vertices().len()];
        let mut elements = Vec::new();
        for &table in &view.vertex_tables {
            let existing = graph.existing(table);
            meter.take(existing.end() as usize * 28)?;
            let of_table: Vec<Element> = (0..existing.end()).filter(|v| existing.has(*v)).map(|v| Element::new(table, v.into())).collect();
            let mut keep = vec![true; of_table.len()];
            if let Some(filter) = &view.vertices {
                filter.evaluate(&[&of_table], &mut keep)?;
            }
            numbers[usize::from(table)] = vec![NONE; existing.end() as usize];
            for (element, _) in of_table.iter().zip(keep).filter(|(_, keep)| *keep) {
                numbers[usize::from(table)][element.vertex() as usize] = elements.len() as u32;
                elements.push(*element);
            }
        }
        let mut made = Self { elements, numbers, out: Lists::default(), back: None, budget: Arc::clone(budget), _held: meter };
        made.out = made.lists(graph, view, true)?;
        if view.is_directed {
            made.back = Some(made.lists(graph, view, false)?);
        }
        Ok(made)
    }

    fn lists(&mut self, graph: &Snapshot, view: &View, along: bool) -> SqlResult<Lists> {
        let mut lists = Lists { starts: vec![0], ..Lists::default() };
        let mut scratch = Scratch::default();
        let mut found: Vec<(u32, Element, bool)> = Vec::new();
        for number in 0..self.elements.len() {
            let vertex = self.elements[number];
            found.clear();
            for &table in &view.edge_tables {
                let def = &graph.schema().edges()[usize::from(table)];
                for backward in [false, true] {
                    let (near, far) = if backward { (def.target, def.source) } else { (def.source, def.target) };
                    if near != vertex.table() || (view.is_directed && backward == along) {
                        continue;
                    }
                    let list = graph.list(table, backward, vertex.vertex(), &mut scratch);
                    for (at, target) in list.targets.iter().enumerate() {
                        let is_second_sight = backward && !view.is_directed && far == near && *target == vertex.vertex();
                        let other = self.numbers[usize::from(far)].get(*target as usize).copied().unwrap_or(NONE);
                        if other != NONE && !is_second_sight {
                            found.push((other, Element::new(table, list.row(at)), backward));
                        }
                    }
                }
            }
            self._held.tick(found.len())?;
            self._held.take(found.len() * 12 + 8)?;
            self.keep(view, number, &mut found, &mut lists)?;
            lists.starts.push(lists.targets.len());
        }
        Ok(lists)
    }

    /// Filters and weighs the edges found at a vertex, and appends them, ascending.
    fn keep(&self, view: &View, number: usize, found: &mut Vec<(u32, Element, bool)>, lists: &mut Lists) -> SqlResult<()> {
        found.sort_unstable_by_key(|(other, edge, _)| (*other, *edge));
        let columns = |found: &[(u32, Element, bool)]| {
            let (here, there) = (|_: &(u32, Element, bool)| self.elements[number], |f: &(u32, Element, bool)| self.elements[f.0 as usize]);
            let sources: Vec<Element> = found.iter().map(|f| if f.2 { there(f) } else { here(f) }).collect();
            let targets: Vec<Element> = found.iter().map(|f| if f.2 { here(f) } else { there(f) }).collect();
            (sources, found.iter().map(|f| f.1).collect::<Vec<Element>>(), targets)
        };
        if let Some(filter) = &view.edges {
            let (sources, edges, targets) = columns(found);
            let mut keep = vec![true; found.len()];
            filter.evaluate(&[&sources, &edges, &targets], &mut keep)?;
            let mut marks = keep.iter();
            found.retain(|_| marks.next().copied().unwrap_or(false));
        }
        lists.targets.extend(found.iter().map(|f| f.0));
        if let Some(weight) = &view.weight {
            let (sources, edges, targets) = columns(found);
            weight.evaluate(&sources, &edges, &targets, &mut lists.weights)?;
        }
        Ok(())
    }

    /// Vertices 0 to `count`, and edges between them that somebody else has read. Errors: 53200, 57014; XX000 for an edge to a vertex that there is not.
    pub fn of_edges(count: u32, edges: &Edges<'_>, is_directed: bool, budget: &Arc<Budget>) -> SqlResult<Self> {
        let is_sound =
            edges.sources.len() == edges.targets.len() && edges.weights.is_none_or(|weights| weights.len() == edges.sources.len());
        if !is_sound || edges.sources.iter().chain(edges.targets).any(|vertex| *vertex >= count) {
            return Err(SqlError::internal("R1: both ends of an edge are vertices"));
        }
        let mut held = Meter::new(Arc::clone(budget));
        held.take(count as usize * 8)?;
        let elements = (0..count).map(|vertex| Element::new(0, vertex.into())).collect();
        let out = Lists::of_edges(count, edges, is_directed, &mut held)?;
        let turned = Edges { sources: edges.targets, targets: edges.sources, weights: None };
        let back = if is_directed { Some(Lists::of_edges(count, &turned, true, &mut held)?) } else { None };
        Ok(Self { elements, numbers: Vec::new(), out, back, budget: Arc::clone(budget), _held: held })
    }

    /// Its vertices; results stand in this order.
    pub fn vertices(&self) -> &[Element] {
        &self.elements
    }

    /// The place of a vertex among them; of a projection that was read out of a snapshot.
    pub fn number(&self, vertex: Element) -> Option<u32> {
        let number = *self.numbers.get(usize::from(vertex.table()))?.get(vertex.vertex() as usize)?;
        (number != NONE).then_some(number)
    }

    /// Edges listed: each once with direction, at both its ends without.
    pub fn edges(&self) -> usize {
        self.out.edges()
    }

    pub(super) fn len(&self) -> u32 {
        self.elements.len() as u32
    }

    pub(super) fn out(&self) -> &Lists {
        &self.out
    }

    pub(super) fn back(&self) -> &Lists {
        self.back.as_ref().unwrap_or(&self.out)
    }

    pub(super) fn is_directed(&self) -> bool {
        self.back.is_some()
    }

    pub(super) fn meter(&self) -> Meter {
        Meter::new(Arc::clone(&self.budget))
    }

    /// The vertices next to one, whichever way the edge goes: ascending, each once, without itself.
    pub(super) fn around(&self, vertex: u32, around: &mut Vec<u32>) {
        around.clear();
        around.extend_from_slice(self.out.of(vertex));
        if let Some(back) = &self.back {
            around.extend_from_slice(back.of(vertex));
            around.sort_unstable();
        }
        around.dedup();
        around.retain(|other| *other != vertex);
    }
}
