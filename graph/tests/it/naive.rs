//! The oracle: matching by nested loops, spelled from the definitions of ISO 9075-16 and nothing else.
//!
//! A pattern's matches are all assignments of elements to its variables under which every vertex is of its tables, every edge joins its two ends in
//! its direction, every quantified edge is one of the paths that mode, bounds and selector leave between its ends, and every condition holds. Parts
//! then extend, keep or drop each match. Nothing is planned, indexed or counted ahead.

use graph::{Condition, Direction, EdgePattern, Element, Mode, PartKind, Pattern, Selector, Var, VertexPattern};

use crate::model::Model;

#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    Unbound,
    Element(Element),
    Path(Vec<Element>),
}

pub type Match = Vec<Held>;

/// The graph at one commit.
pub struct World {
    pub vertices: Vec<Element>,
    /// Edge, source, target.
    pub edges: Vec<(Element, Element, Element)>,
    schema: Vec<(u16, u16)>,
}

/// Said where a search grows too large for loops.
#[derive(Debug)]
pub struct TooMuch;

const PARTIALS_MAX: usize = 4_000;
const MATCHES_MAX: usize = 6_000;

impl World {
    pub fn at(model: &Model, edge_tables: &[(u16, u16)], at: u64) -> Self {
        let vertices = model.vertices.iter().filter(|v| v.created <= at && at < v.ended).map(|v| Element::new(v.table, v.vertex.into()));
        let mut world = World { vertices: vertices.collect(), edges: Vec::new(), schema: edge_tables.to_vec() };
        for e in model.edges.iter().filter(|e| e.created <= at && at < e.ended) {
            let (source, target) = world.schema[usize::from(e.edge.table)];
            let (source, target) = (Element::new(source, e.edge.source.into()), Element::new(target, e.edge.target.into()));
            // An edge with an end that is no vertex is no edge of the graph.
            if world.vertices.contains(&source) && world.vertices.contains(&target) {
                world.edges.push((Element::new(e.edge.table, e.edge.row.0), source, target));
            }
        }
        world
    }

    /// Whether the edge leads from one vertex to the other as the pattern says.
    fn joins(edge: &EdgePattern, (element, source, target): &(Element, Element, Element), from: Element, to: Element) -> bool {
        let along = *source == from && *target == to;
        let against = *source == to && *target == from;
        edge.tables.contains(&element.table())
            && match edge.direction {
                Direction::Forward => along,
                Direction::Backward => against,
                Direction::Either => along || against,
            }
    }

    pub fn matches(&self, pattern: &Pattern, given: &Match) -> Result<Vec<Match>, TooMuch> {
        let mut found = Vec::new();
        self.vertices_then_edges(pattern, given.clone(), 0, &mut found)?;
        for part in &pattern.parts {
            let mut next = Vec::new();
            for one in found {
                let extended = self.matches(&part.pattern, &one)?;
                match part.kind {
                    PartKind::Exists if !extended.is_empty() => next.push(one),
                    PartKind::NotExists if extended.is_empty() => next.push(one),
                    PartKind::Exists | PartKind::NotExists => {}
                    PartKind::Optional if !extended.is_empty() => next.extend(extended),
                    PartKind::Optional => next.push(with_nulls(one, &part.pattern)),
                }
            }
            found = next;
        }
        if found.len() > MATCHES_MAX { Err(TooMuch) } else { Ok(found) }
    }

    fn vertices_then_edges(&self, pattern: &Pattern, given: Match, at: usize, found: &mut Vec<Match>) -> Result<(), TooMuch> {
        if found.len() > MATCHES_MAX {
            return Err(TooMuch);
        }
        let Some(vertex) = pattern.vertices.get(at) else { return self.edges(pattern, given, 0, found) };
        match &given[usize::from(vertex.var.0)] {
            Held::Unbound => {
                for element in self.vertices.iter().filter(|element| fits(vertex, **element)) {
                    let mut next = given.clone();
                    next[usize::from(vertex.var.0)] = Held::Element(*element);
                    if self.could_be(pattern, &next) {
                        self.vertices_then_edges(pattern, next, at + 1, found)?;
                    }
                }
                Ok(())
            }
            Held::Element(element) if !element.is_null() && fits(vertex, *element) => {
                self.vertices_then_edges(pattern, given, at + 1, found)
            }
            _ => Ok(()),
        }
    }

    /// Whether each plain edge whose ends are both bound has at least one element: the loops over edges would find out later.
    fn could_be(&self, pattern: &Pattern, given: &Match) -> bool {
        pattern.edges.iter().filter(|edge| edge.path.is_none()).all(|edge| match (element(given, edge.from), element(given, edge.to)) {
            (Some(from), Some(to)) => self.edges.iter().any(|triple| Self::joins(edge, triple, from, to)),
            _ => true,
        })
    }

    fn edges(&self, pattern: &Pattern, given: Match, at: usize, found: &mut Vec<Match>) -> Result<(), TooMuch> {
        let Some(edge) = pattern.edges.get(at) else {
            if pattern.conditions.iter().all(|condition| holds(condition, &given)) {
                found.push(given);
            }
            return if found.len() > MATCHES_MAX { Err(TooMuch) } else { Ok(()) };
        };
        let (Some(from), Some(to)) = (element(&given, edge.from), element(&given, edge.to)) else { return Ok(()) };
        if from.is_null() || to.is_null() {
            return Ok(());
        }
        let held: Vec<Held> = match &edge.path {
            None => self.edges.iter().filter(|triple| Self::joins(edge, triple, from, to)).map(|triple| Held::Element(triple.0)).collect(),
            Some(_) => self.paths(edge, from, to)?.into_iter().map(Held::Path).collect(),
        };
        for held in held {
            let mut next = given.clone();
            next[usize::from(edge.var.0)] = held;
            self.edges(pattern, next, at + 1, found)?;
        }
        Ok(())
    }

    /// Every step from a vertex that the quantified edge allows: edge and vertex.
    fn steps(&self, edge: &EdgePattern, from: Element) -> Vec<(Element, Element)> {
        let mut steps = Vec::new();
        for triple in &self.edges {
            for to in [triple.1, triple.2] {
                let is_other_end = (triple.1 == from && to == triple.2) || (triple.2 == from && to == triple.1);
                if is_other_end && Self::joins(edge, triple, from, to) && !steps.contains(&(triple.0, to)) {
                    let filter = edge.path.as_ref().and_then(|path| path.step.as_ref());
                    let mut keep = [true];
                    if let Some(filter) = filter {
                        filter.evaluate(&[&[from], &[triple.0], &[to]], &mut keep).unwrap();
                    }
                    if keep[0] {
                        steps.push((triple.0, to));
                    }
                }
            }
        }
        steps
    }

    pub fn cost(edge: &EdgePattern, path: &[Element]) -> f64 {
        let Some(weight) = edge.path.as_ref().and_then(|path| path.weight.as_ref()) else { return (path.len() / 2) as f64 };
        let mut weights = Vec::new();
        for step in path.windows(3).step_by(2) {
            weight.evaluate(&step[..1], &step[1..2], &step[2..], &mut weights).unwrap();
        }
        weights.iter().sum()
    }

    /// Whether a list of elements is a path that the quantified edge allows from its first vertex to its last.
    pub fn is_path(&self, edge: &EdgePattern, path: &[Element]) -> bool {
        let spec = edge.path.as_ref().unwrap();
        let length = (path.len() / 2) as u32;
        path.len() % 2 == 1
            && length >= spec.min
            && spec.max.is_none_or(|max| length <= max)
            && path.windows(3).step_by(2).all(|step| self.steps(edge, step[0]).contains(&(step[1], step[2])))
            && allowed(spec.mode, path)
    }

    fn reaches(&self, edge: &EdgePattern, to: Element) -> Vec<Element> {
        let mut reaching = vec![to];
        loop {
            let more: Vec<Element> = self
                .vertices
                .iter()
                .filter(|v| !reaching.contains(v) && self.steps(edge, **v).iter().any(|(_, next)| reaching.contains(next)))
                .copied()
                .collect();
            if more.is_empty() {
                return reaching;
            }
            reaching.extend(more);
        }
    }

    /// The paths between two vertices that the selector keeps, by trying all by length until longer ones cannot matter.
    fn paths(&self, edge: &EdgePattern, from: Element, to: Element) -> Result<Vec<Vec<Element>>, TooMuch> {
        let spec = edge.path.as_ref().unwrap();
        let reaching = self.reaches(edge, to);
        let mut found: Vec<Vec<Element>> = Vec::new();
        let mut partials = if reaching.contains(&from) { vec![vec![from]] } else { Vec::new() };
        let mut length = 0;
        while !partials.is_empty() && spec.max.is_none_or(|max| length <= max) {
            if length >= spec.min {
                found.extend(partials.iter().filter(|path| path.last() == Some(&to)).cloned());
            }
            if spec.mode == Mode::Walk && is_enough(edge, &found, length) {
                break;
            }
            let mut next = Vec::new();
            for path in &partials {
                let closed = spec.mode == Mode::Simple && path.len() > 1 && path.first() == path.last();
                for (over, vertex) in self.steps(edge, path[path.len() - 1]) {
                    let longer = [path.as_slice(), &[over, vertex]].concat();
                    if !closed && reaching.contains(&vertex) && allowed(spec.mode, &longer) {
                        next.push(longer);
                    }
                }
            }
            if next.len() > PARTIALS_MAX {
                return Err(TooMuch);
            }
            partials = next;
            length += 1;
        }
        Ok(selected(edge, found))
    }
}

fn fits(vertex: &VertexPattern, element: Element) -> bool {
    vertex.tables.contains(&element.table()) && vertex.only.as_ref().is_none_or(|only| only.contains(&element))
}

fn element(given: &Match, var: Var) -> Option<Element> {
    match &given[usize::from(var.0)] {
        Held::Element(element) => Some(*element),
        _ => None,
    }
}

fn holds(condition: &Condition, given: &Match) -> bool {
    let both = |a: &Var, b: &Var| (element(given, *a).unwrap(), element(given, *b).unwrap());
    match condition {
        Condition::Equal(a, b) => matches!(both(a, b), (a, b) if !a.is_null() && !b.is_null() && a == b),
        Condition::Different(a, b) => matches!(both(a, b), (a, b) if !a.is_null() && !b.is_null() && a != b),
        Condition::Filter { vars, filter, .. } => {
            let values: Vec<[Element; 1]> = vars.iter().map(|var| [element(given, *var).unwrap()]).collect();
            let columns: Vec<&[Element]> = values.iter().map(|value| value.as_slice()).collect();
            let mut keep = [true];
            filter.evaluate(&columns, &mut keep).unwrap();
            keep[0]
        }
    }
}

/// A match with null in every variable that a part and its optional parts would have bound.
fn with_nulls(mut one: Match, part: &Pattern) -> Match {
    for var in part.vertices.iter().map(|v| v.var).chain(part.edges.iter().map(|e| e.var)) {
        let held = &mut one[usize::from(var.0)];
        if *held == Held::Unbound {
            *held = Held::Element(Element::NULL);
        }
    }
    part.parts.iter().filter(|inner| inner.kind == PartKind::Optional).fold(one, |one, inner| with_nulls(one, &inner.pattern))
}

fn allowed(mode: Mode, path: &[Element]) -> bool {
    let distinct = |elements: Vec<Element>| {
        let mut sorted = elements.clone();
        sorted.sort();
        sorted.dedup();
        sorted.len() == elements.len()
    };
    let vertices: Vec<Element> = path.iter().step_by(2).copied().collect();
    match mode {
        Mode::Walk => true,
        Mode::Trail => distinct(path.iter().skip(1).step_by(2).copied().collect()),
        Mode::Acyclic => distinct(vertices),
        Mode::Simple => {
            distinct(vertices[..vertices.len() - 1].to_vec()) && (distinct(vertices.clone()) || vertices.first() == vertices.last())
        }
    }
}

fn is_enough(edge: &EdgePattern, found: &[Vec<Element>], length: u32) -> bool {
    match edge.path.as_ref().unwrap().selector {
        Selector::All => false,
        Selector::Any | Selector::AnyShortest | Selector::AllShortest => !found.is_empty(),
        Selector::Shortest(count) => found.len() >= count as usize,
        Selector::ShortestGroups(count) => lengths(found).len() >= count as usize,
        Selector::Cheapest(count) => {
            let mut costs: Vec<f64> = found.iter().map(|path| World::cost(edge, path)).collect();
            costs.sort_by(f64::total_cmp);
            // The weights of tests are at least 1, so whatever is longer costs more than its present length.
            costs.get(count as usize - 1).is_some_and(|cost| *cost <= f64::from(length))
        }
    }
}

fn lengths(found: &[Vec<Element>]) -> std::collections::BTreeSet<usize> {
    found.iter().map(Vec::len).collect()
}

fn selected(edge: &EdgePattern, mut found: Vec<Vec<Element>>) -> Vec<Vec<Element>> {
    let shortest = found.iter().map(Vec::len).min();
    match edge.path.as_ref().unwrap().selector {
        Selector::All => {}
        Selector::Any | Selector::AnyShortest => {
            found.sort_by_key(Vec::len);
            found.truncate(1);
        }
        Selector::AllShortest => found.retain(|path| Some(path.len()) == shortest),
        Selector::ShortestGroups(count) => {
            let kept: Vec<usize> = lengths(&found).into_iter().take(count as usize).collect();
            found.retain(|path| kept.contains(&path.len()));
        }
        Selector::Shortest(count) => {
            found.sort_by_key(Vec::len);
            found.truncate(count as usize);
        }
        Selector::Cheapest(count) => {
            found.sort_by(|a, b| World::cost(edge, a).total_cmp(&World::cost(edge, b)));
            found.truncate(count as usize);
        }
    }
    found
}
