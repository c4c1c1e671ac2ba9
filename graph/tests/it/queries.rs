//! Random queries: every feature of patterns, in small.

use std::sync::Arc;

use base::SqlResult;
use graph::{
    Condition, Direction, EdgePattern, Element, Filter, Mode, Output, Part, PartKind, PathPattern, Pattern, Query, Selector, Var,
    VertexPattern, Weight,
};

use crate::draw::Draw;

fn mixed(salt: u64, elements: impl Iterator<Item = Element>) -> u64 {
    elements.fold(salt, |hash, element| (hash ^ element.bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23))
}

/// Keeps a share of all combinations, none with a null.
#[derive(Debug)]
pub struct Hashed {
    pub salt: u64,
    pub per_cent: u64,
}

impl Filter for Hashed {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        assert!(columns.iter().all(|column| column.len() == keep.len()));
        for (row, keep) in keep.iter_mut().enumerate() {
            let is_whole = columns.iter().all(|column| !column[row].is_null());
            *keep &= is_whole && mixed(self.salt, columns.iter().map(|column| column[row])) % 100 < self.per_cent;
        }
        Ok(())
    }
}

/// 1 or 2, by edge and by the vertex it comes from.
#[derive(Debug)]
pub struct OneOrTwo;

impl Weight for OneOrTwo {
    fn evaluate(&self, sources: &[Element], edges: &[Element], targets: &[Element], weights: &mut Vec<f64>) -> SqlResult<()> {
        assert!(sources.len() == edges.len() && edges.len() == targets.len());
        weights.extend(edges.iter().zip(sources).map(|(edge, source)| 1.0 + (mixed(5, [*edge, *source].into_iter()) % 2) as f64));
        Ok(())
    }
}

/// What is drawn from.
pub struct Drawing<'d> {
    pub draw: &'d Draw,
    pub vertex_tables: u16,
    pub edge_tables: u16,
    pub vertices: usize,
    next: u16,
}

impl<'d> Drawing<'d> {
    pub fn new(draw: &'d Draw, vertex_tables: u16, edge_tables: u16, vertices: usize) -> Self {
        Self { draw, vertex_tables, edge_tables, vertices, next: 0 }
    }

    fn var(&mut self) -> Var {
        self.next += 1;
        Var(self.next - 1)
    }

    /// Some of the tables, mostly all.
    fn tables(&self, count: u16) -> Vec<u16> {
        let some: Vec<u16> = (0..count).filter(|_| self.draw.chance(60)).collect();
        if some.is_empty() || self.draw.chance(40) { (0..count).collect() } else { some }
    }

    fn vertex(&mut self, var: Var) -> VertexPattern {
        let only = self.draw.chance(10).then(|| {
            let mut only: Vec<Element> = (0..1 + self.draw.below(3))
                .map(|_| Element::new(self.draw.below(self.vertex_tables.into()) as u16, self.draw.below(self.vertices) as u64))
                .collect();
            only.sort();
            only.dedup();
            Arc::from(only)
        });
        VertexPattern { var, tables: self.tables(self.vertex_tables), only }
    }

    fn path(&self) -> PathPattern {
        let mode = [Mode::Walk, Mode::Trail, Mode::Acyclic, Mode::Simple][self.draw.below(4)];
        let selector = match self.draw.below(10) {
            0..4 => Selector::All,
            4 => Selector::Any,
            5 => Selector::AnyShortest,
            6 => Selector::AllShortest,
            7 => Selector::ShortestGroups(1 + self.draw.below(3) as u32),
            8 => Selector::Shortest(1 + self.draw.below(3) as u32),
            _ => Selector::Cheapest(1 + self.draw.below(2) as u32),
        };
        let min = self.draw.below(3) as u32;
        let is_bounded = self.draw.chance(60) || (mode == Mode::Walk && selector == Selector::All);
        let max = is_bounded.then(|| min + self.draw.below(3) as u32);
        let step = self.draw.chance(25).then(|| Arc::new(Hashed { salt: self.draw.below(1_000) as u64, per_cent: 75 }) as Arc<dyn Filter>);
        let weighted = matches!(selector, Selector::Cheapest(_)) || self.draw.chance(10);
        PathPattern { min, max, mode, selector, step, weight: weighted.then(|| Arc::new(OneOrTwo) as Arc<dyn Weight>) }
    }

    fn edge(&mut self, from: Var, to: Var, path_chance: usize) -> EdgePattern {
        let direction = [Direction::Forward, Direction::Backward, Direction::Either][self.draw.below(3)];
        let path = self.draw.chance(path_chance).then(|| self.path());
        EdgePattern { var: self.var(), from, to, tables: self.tables(self.edge_tables), direction, path }
    }

    fn condition(&self, vertices: &[Var], edges: &[Var]) -> Option<Condition> {
        let any: Vec<Var> = vertices.iter().chain(edges).copied().collect();
        let one = |of: &[Var]| of[self.draw.below(of.len())];
        match self.draw.below(6) {
            0 => Some(Condition::Equal(one(vertices), one(vertices))),
            1 | 2 => Some(Condition::Different(one(vertices), one(vertices))),
            3 if !edges.is_empty() => Some(Condition::Different(one(edges), one(edges))),
            3 => None,
            _ => {
                let vars: Vec<Var> = (0..1 + self.draw.below(2)).map(|_| one(&any)).collect();
                let per_cent = [20, 60, 80][self.draw.below(3)];
                let filter = Arc::new(Hashed { salt: self.draw.below(1_000) as u64, per_cent });
                Some(Condition::Filter { vars, filter, selectivity: per_cent as f64 / 100.0 })
            }
        }
    }

    /// A block and its parts. `vertices` and `edges` are what it may name from outside, and are added to.
    fn pattern(&mut self, vertices: &mut Vec<Var>, edges: &mut Vec<Var>, depth: usize) -> Pattern {
        let mut pattern = Pattern::default();
        let fewest = usize::from(vertices.is_empty());
        let most = if depth == 0 { 4 } else { 2 };
        for _ in 0..fewest + self.draw.below(most + 1 - fewest) {
            let var = self.var();
            let vertex = self.vertex(var);
            pattern.vertices.push(vertex);
            // Mostly connected.
            if !vertices.is_empty() && self.draw.chance(93) {
                let other = vertices[self.draw.below(vertices.len())];
                let edge = if self.draw.chance(50) { self.edge(other, var, 18) } else { self.edge(var, other, 18) };
                pattern.edges.push(edge);
            }
            vertices.push(var);
        }
        if depth > 0 && self.draw.chance(15) {
            let again = vertices[self.draw.below(vertices.len())];
            if !pattern.vertices.iter().any(|vertex| vertex.var == again) {
                let vertex = self.vertex(again);
                pattern.vertices.push(vertex);
            }
        }
        while self.draw.chance(if depth > 0 && pattern.edges.is_empty() { 85 } else { 32 }) && pattern.edges.len() < 5 {
            let (from, to) = (vertices[self.draw.below(vertices.len())], vertices[self.draw.below(vertices.len())]);
            let edge = self.edge(from, to, 15);
            pattern.edges.push(edge);
        }
        edges.extend(pattern.edges.iter().filter(|edge| edge.path.is_none()).map(|edge| edge.var));
        while self.draw.chance(35) && pattern.conditions.len() < 3 {
            pattern.conditions.extend(self.condition(vertices, edges));
        }
        while depth < 2 && self.draw.chance(if depth == 0 { 40 } else { 12 }) && pattern.parts.len() < 3 {
            let kind = [PartKind::Optional, PartKind::Exists, PartKind::NotExists][self.draw.below(3)];
            let (mut inner_vertices, mut inner_edges) = (vertices.clone(), edges.clone());
            let inner = self.pattern(&mut inner_vertices, &mut inner_edges, depth + 1);
            if kind == PartKind::Optional {
                (*vertices, *edges) = (inner_vertices, inner_edges);
            }
            pattern.parts.push(Part { kind, pattern: inner });
        }
        pattern
    }

    pub fn query(&mut self) -> Query {
        let (mut vertices, mut edges) = (Vec::new(), Vec::new());
        let pattern = self.pattern(&mut vertices, &mut edges, 0);
        let paths = pattern.edges.iter().filter(|edge| edge.path.is_some()).map(|edge| edge.var);
        let plain: Vec<Var> = vertices.iter().chain(&edges).copied().collect();
        let all: Vec<Var> = plain.iter().copied().chain(paths).collect();
        let some = |of: &[Var], draw: &Draw| of.iter().copied().filter(|_| draw.chance(40)).collect::<Vec<Var>>();
        let output = match self.draw.below(5) {
            0 | 1 => Output::Count,
            2 => Output::Rows(some(&all, self.draw)),
            3 => Output::Distinct(some(&plain, self.draw)),
            _ => Output::Groups(some(&plain, self.draw)),
        };
        Query { pattern, output }
    }
}
