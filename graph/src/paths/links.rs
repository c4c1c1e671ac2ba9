//! What a search by breadth has reached, and over which edges: enough to tell all shortest paths.
//!
//! B1: a node's links lead to nodes one level nearer to the start; `ways` is the number of shortest paths to it.
//! Never: holds a path.

use base::SqlResult;
use hashbrown::HashMap;

use super::steps::{Reach, Stepper};
use crate::budget::Meter;
use crate::element::Element;
use crate::tally;

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Node {
    vertex: Element,
    level: u32,
    ways: u64,
    links: u32,
}

#[derive(Debug)]
struct Link {
    before: u32,
    edge: Element,
    next: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Links {
    nodes: Vec<Node>,
    links: Vec<Link>,
    by_vertex: HashMap<Element, u32>,
    frontier: Vec<u32>,
    level: u32,
    /// Whether every way to a vertex is kept, or one.
    all: bool,
}

impl Links {
    /// A search that stands at its start. If the start does not count as reached, a walk back to it is found as any other.
    pub fn new(start: Element, counts_start: bool, all: bool) -> Self {
        let by_vertex = if counts_start { HashMap::from_iter([(start, 0)]) } else { HashMap::new() };
        let nodes = vec![Node { vertex: start, level: 0, ways: 1, links: NONE }];
        Self { nodes, links: Vec::new(), by_vertex, frontier: vec![0], level: 0, all }
    }

    /// Edges between the start and what was reached last.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// What was reached last: nodes.
    pub fn frontier(&self) -> &[u32] {
        &self.frontier
    }

    /// A node's vertex.
    pub fn vertex(&self, node: u32) -> Element {
        self.nodes[node as usize].vertex
    }

    /// Shortest paths to a node.
    pub fn ways(&self, node: u32) -> u64 {
        self.nodes[node as usize].ways
    }

    /// The node of a vertex, if it was reached.
    pub fn node(&self, vertex: Element) -> Option<u32> {
        self.by_vertex.get(&vertex).copied()
    }

    /// Reaches what is one edge further.
    pub fn advance(&mut self, stepper: &mut Stepper<'_>, meter: &mut Meter) -> SqlResult<()> {
        let frontier = std::mem::take(&mut self.frontier);
        self.level += 1;
        let mut reached = Vec::new();
        for before in frontier {
            stepper.reach(self.vertex(before), &mut reached, meter)?;
            let size = self.nodes.len() + self.links.len();
            reached.iter().try_for_each(|reach| self.link(before, reach))?;
            meter.take((self.nodes.len() + self.links.len() - size) * 48)?;
        }
        Ok(())
    }

    fn link(&mut self, before: u32, reach: &Reach) -> SqlResult<()> {
        let fresh = self.nodes.len() as u32;
        let node = *self.by_vertex.entry(reach.vertex).or_insert(fresh);
        if node == fresh {
            self.nodes.push(Node { vertex: reach.vertex, level: self.level, ways: 0, links: NONE });
            self.frontier.push(node);
        } else if !self.all || self.nodes[node as usize].level != self.level {
            return Ok(());
        }
        let ways = self.nodes[before as usize].ways;
        let to = &mut self.nodes[node as usize];
        to.ways = tally::sum(to.ways, ways)?;
        self.links.push(Link { before, edge: reach.edge, next: to.links });
        to.links = self.links.len() as u32 - 1;
        Ok(())
    }

    /// Calls `take` with the elements of every shortest path to a node, from the node back to the start.
    pub fn paths(&self, node: u32, take: &mut dyn FnMut(&[Element]) -> SqlResult<()>) -> SqlResult<()> {
        let mut elements = vec![self.vertex(node)];
        // For each vertex back from the node, the next link to follow.
        let mut open = vec![self.nodes[node as usize].links];
        if self.nodes[node as usize].level == 0 {
            return take(&elements);
        }
        while let Some(next) = open.last_mut() {
            if *next == NONE {
                open.pop();
                elements.truncate(elements.len().saturating_sub(2));
                continue;
            }
            let link = &self.links[*next as usize];
            *next = link.next;
            let before = &self.nodes[link.before as usize];
            elements.extend([link.edge, before.vertex]);
            if before.level == 0 {
                take(&elements)?;
                elements.truncate(elements.len() - 2);
            } else {
                open.push(before.links);
            }
        }
        Ok(())
    }
}
