//! The graph of who depends on whom, and the cycles in it that a level excludes.
//!
//! D1: only transactions that committed are in it. An edge goes from what came first to what came after.
//! D2: «ended before the other began» is kept by a chain of instants, so that it takes as many edges as there are transactions.
//! D3: snapshot isolation excludes a cycle unless two anti-dependencies follow one another in it: in the graph whose edges are the other dependencies, and an
//!     anti-dependency together with one of those behind it, there is no cycle (Cerone and Gotsman, JACM 2018).
//! Never: searches all cycles: one shortest through the first component that has any.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::history::{End, History};
use super::judge::{Level, Writers};

/// Why one comes before the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// It appended what the other appended behind.
    Write,
    /// The other read what it appended.
    Read,
    /// It did not see what the other appended.
    Anti,
    /// It had ended when the other began.
    Time,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "the next appended behind it (ww)",
            Self::Read => "the next read what it appended (wr)",
            Self::Anti => "it did not see what the next appended (rw)",
            Self::Time => "it had ended when the next began",
        })
    }
}

/// Nodes below `transactions` are transactions, by index; those from there on are instants.
#[derive(Debug)]
pub(super) struct Dependencies {
    transactions: usize,
    nodes: usize,
    edges: BTreeSet<(usize, usize, Kind)>,
}

impl Dependencies {
    /// D1, D2.
    pub(super) fn of(history: &History, writers: &Writers, committed: &[usize]) -> Self {
        let transactions = history.transactions.len();
        let mut graph = Self { transactions, nodes: transactions, edges: BTreeSet::new() };
        for (key, list) in &history.last {
            let writer = |element: &u64| writers.get(&(*key, *element)).copied();
            list.windows(2).for_each(|pair| graph.add(writer(&pair[0]), writer(&pair[1]), Kind::Write));
        }
        for reader in committed {
            for (key, list) in history.transactions[*reader].read() {
                let writer = |element: &u64| writers.get(&(key, *element)).copied();
                graph.add(list.last().and_then(writer), Some(*reader), Kind::Read);
                let next = history.last.get(&key).and_then(|whole| whole.get(list.len())).and_then(writer);
                graph.add(Some(*reader), next, Kind::Anti);
            }
        }
        graph.add_time(history, committed);
        graph
    }

    fn add(&mut self, from: Option<usize>, to: Option<usize>, kind: Kind) {
        if let (Some(from), Some(to)) = (from, to)
            && from != to
        {
            self.edges.insert((from, to, kind));
        }
    }

    /// D2.
    fn add_time(&mut self, history: &History, committed: &[usize]) {
        // Nobody was told when one ended whose COMMIT was not answered.
        let mut ended: Vec<usize> = committed.iter().copied().filter(|at| history.transactions[*at].end == End::Committed).collect();
        ended.sort_by_key(|at| history.transactions[*at].ended_ns);
        for (place, at) in ended.iter().enumerate() {
            let instant = self.transactions + place;
            self.add(Some(*at), Some(instant), Kind::Time);
            self.add(place.checked_sub(1).map(|_| instant - 1), Some(instant), Kind::Time);
        }
        for at in committed {
            let began = history.transactions[*at].began_ns;
            let before = ended.partition_point(|other| history.transactions[*other].ended_ns < began);
            self.add(before.checked_sub(1).map(|place| self.transactions + place), Some(*at), Kind::Time);
        }
        self.nodes += ended.len();
    }

    /// Dependencies between two transactions, those of time left out.
    pub(super) fn count(&self) -> usize {
        self.edges.iter().filter(|(.., kind)| *kind != Kind::Time).count()
    }

    /// A shortest cycle among those that `level` excludes: each transaction and how it comes before the next.
    pub(super) fn cycle(&self, level: Level) -> Option<Vec<(usize, Kind)>> {
        let steps = self.steps(level);
        let mut graph = DiGraph::<(), ()>::with_capacity(self.nodes, steps.len());
        let nodes: Vec<NodeIndex> = (0..self.nodes).map(|_| graph.add_node(())).collect();
        for (from, tos) in &steps {
            graph.extend_with_edges(tos.keys().map(|to| (nodes[*from], nodes[*to])));
        }
        // D3 makes edges from a node to itself.
        let is_round = |nodes: &Vec<NodeIndex>| nodes.len() > 1 || nodes.iter().any(|node| graph.contains_edge(*node, *node));
        let component = tarjan_scc(&graph).into_iter().find(is_round)?;
        let inside: BTreeSet<usize> = component.into_iter().map(NodeIndex::index).collect();
        let shortest = inside.iter().filter_map(|start| round(&steps, &inside, *start)).min_by_key(Vec::len)?;
        Some(shortest.into_iter().filter(|(at, _)| *at < self.transactions).collect())
    }

    /// From each node to each that comes after it, by the kinds of edges in between and the node between two of them.
    fn steps(&self, level: Level) -> Steps {
        let mut steps = Steps::new();
        let mut step = |from: usize, to: usize, how: Step| {
            steps.entry(from).or_default().entry(to).or_insert(how);
        };
        let mut after: BTreeMap<usize, Vec<(usize, Kind)>> = BTreeMap::new();
        for (from, to, kind) in self.edges.iter().copied().filter(|(.., kind)| *kind != Kind::Anti) {
            step(from, to, Step { first: kind, between: None });
            after.entry(from).or_default().push((to, kind));
        }
        for (from, middle, kind) in self.edges.iter().copied().filter(|(.., kind)| *kind == Kind::Anti) {
            match level {
                Level::ReadCommitted => {}
                Level::Serializable => step(from, middle, Step { first: kind, between: None }),
                // D3. From a transaction back to itself is a cycle of two.
                Level::RepeatableRead => {
                    for (to, second) in after.get(&middle).into_iter().flatten() {
                        step(from, *to, Step { first: kind, between: Some((middle, *second)) });
                    }
                }
            }
        }
        steps
    }
}

#[derive(Clone, Copy, Debug)]
struct Step {
    first: Kind,
    between: Option<(usize, Kind)>,
}

type Steps = BTreeMap<usize, BTreeMap<usize, Step>>;

/// The shortest way from a node back to it, within a component.
fn round(steps: &Steps, inside: &BTreeSet<usize>, start: usize) -> Option<Vec<(usize, Kind)>> {
    let mut from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for to in steps.get(&at)?.keys().copied().filter(|to| inside.contains(to)) {
            if to == start {
                return Some(spelled(steps, &from, start, at));
            }
            if let Entry::Vacant(free) = from.entry(to) {
                free.insert(at);
                open.push_back(to);
            }
        }
    }
    None
}

fn spelled(steps: &Steps, from: &BTreeMap<usize, usize>, start: usize, last: usize) -> Vec<(usize, Kind)> {
    let mut way = vec![start, last];
    while let Some(before) = way.last().filter(|at| **at != start).and_then(|at| from.get(at)) {
        way.push(*before);
    }
    way.reverse();
    let mut spelled = Vec::new();
    for pair in way.windows(2) {
        let Some(step) = steps.get(&pair[0]).and_then(|to| to.get(&pair[1])) else { continue };
        spelled.push((pair[0], step.first));
        spelled.extend(step.between);
    }
    spelled
}
