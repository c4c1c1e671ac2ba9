//! Graph functions against their definitions, spelled over a matrix of edges, on random graphs with a history.

use base::CommitSeq;
use graph::{Budget, Edges, Element, Projection, View, Weight};

use crate::draw::{Draw, seeds};
use crate::model::{self, Shape};
use crate::naive::World;
use crate::queries::{Hashed, OneOrTwo};

/// Edges between numbered vertices, each with its weight: with direction once, without at both ends, to itself once.
struct Matrix {
    count: usize,
    edges: Vec<(usize, usize, f64)>,
    is_directed: bool,
}

impl Matrix {
    fn new(world: &World, projection: &Projection, view: &View) -> Self {
        let place = |vertex: Element| projection.vertices().iter().position(|other| *other == vertex);
        let mut edges = Vec::new();
        for (edge, source, target) in world.edges.iter().filter(|edge| view.edge_tables.contains(&edge.0.table())) {
            let (Some(a), Some(b)) = (place(*source), place(*target)) else { continue };
            let mut keep = [true];
            view.edges.iter().for_each(|filter| filter.evaluate(&[&[*source], &[*edge], &[*target]], &mut keep).unwrap());
            if keep[0] {
                let mut weights = Vec::new();
                OneOrTwo.evaluate(&[*source], &[*edge], &[*target], &mut weights).unwrap();
                edges.push((a, b, weights[0]));
                if !view.is_directed && a != b {
                    edges.push((b, a, weights[0]));
                }
            }
        }
        Self { count: projection.vertices().len(), edges, is_directed: view.is_directed }
    }

    /// The same as a projection of edges that are given, each once.
    fn given(&self, view: &View) -> Projection {
        let mut once = self.edges.clone();
        if !view.is_directed {
            // An edge stands right before the other way of it.
            let mut is_back = false;
            once.retain(|edge| {
                let keep = !is_back;
                is_back = keep && edge.0 != edge.1;
                keep
            });
        }
        let (sources, targets): (Vec<u32>, Vec<u32>) = once.iter().map(|edge| (edge.0 as u32, edge.1 as u32)).unzip();
        let weights: Vec<f64> = once.iter().map(|edge| edge.2).collect();
        let edges = Edges { sources: &sources, targets: &targets, weights: Some(&weights) };
        Projection::of_edges(self.count as u32, &edges, view.is_directed, &Budget::new(1 << 26)).unwrap()
    }

    fn has(&self, a: usize, b: usize) -> bool {
        self.edges.iter().any(|edge| edge.0 == a && edge.1 == b)
    }

    fn around(&self, vertex: usize) -> Vec<usize> {
        (0..self.count).filter(|other| *other != vertex && (self.has(vertex, *other) || self.has(*other, vertex))).collect()
    }

    /// Bellman and Ford's.
    fn distances(&self, source: usize, weigh: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut distances = vec![f64::INFINITY; self.count];
        distances[source] = 0.0;
        for _ in 0..self.count {
            for (a, b, weight) in &self.edges {
                distances[*b] = distances[*b].min(distances[*a] + weigh(*weight));
            }
        }
        distances
    }

    fn components(&self) -> Vec<u32> {
        let mut labels: Vec<u32> = (0..self.count as u32).collect();
        for _ in 0..self.count {
            for (a, b, _) in &self.edges {
                let least = labels[*a].min(labels[*b]);
                (labels[*a], labels[*b]) = (least, least);
            }
        }
        labels
    }

    fn pagerank(&self, damping: f64, iterations: u32) -> Vec<f64> {
        let n = self.count as f64;
        let out = |vertex: usize| self.edges.iter().filter(|edge| edge.0 == vertex).count() as f64;
        let mut ranks = vec![1.0 / n; self.count];
        for _ in 0..iterations {
            let dangling: f64 = (0..self.count).filter(|vertex| out(*vertex) == 0.0).map(|vertex| ranks[vertex]).sum();
            let into =
                |vertex: usize| self.edges.iter().filter(|edge| edge.1 == vertex).map(|edge| ranks[edge.0] / out(edge.0)).sum::<f64>();
            ranks = (0..self.count).map(|vertex| (1.0 - damping) / n + damping * into(vertex) + damping / n * dangling).collect();
        }
        ranks
    }

    fn labels(&self, iterations: u32) -> Vec<u32> {
        let mut labels: Vec<u32> = (0..self.count as u32).collect();
        for _ in 0..iterations {
            let times = |vertex: usize, label: u32| {
                let out = self.edges.iter().filter(|edge| edge.0 == vertex && labels[edge.1] == label).count();
                let into = self.edges.iter().filter(|edge| edge.1 == vertex && labels[edge.0] == label).count();
                out + if self.is_directed { into } else { 0 }
            };
            let next = |vertex: usize| {
                let most = (0..self.count as u32).map(|label| times(vertex, label)).max().unwrap();
                if most == 0 { labels[vertex] } else { (0..self.count as u32).find(|label| times(vertex, *label) == most).unwrap() }
            };
            labels = (0..self.count).map(next).collect();
        }
        labels
    }

    fn clustering(&self, vertex: usize) -> f64 {
        let around = self.around(vertex);
        let pairs = around.iter().flat_map(|a| around.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b);
        let joined = pairs.clone().filter(|(a, b)| self.has(*a, *b)).count();
        if around.len() < 2 { 0.0 } else { joined as f64 / pairs.count() as f64 }
    }

    fn triangles(&self, vertex: usize) -> u64 {
        let around = self.around(vertex);
        let pairs = around.iter().flat_map(|a| around.iter().map(move |b| (*a, *b))).filter(|(a, b)| a < b);
        pairs.filter(|(a, b)| self.has(*a, *b) || self.has(*b, *a)).count() as u64
    }

    /// Takes vertices away while one has fewer than `k` neighbours left; what stays is the `k`-core.
    fn cores(&self) -> Vec<u32> {
        let mut cores = vec![0; self.count];
        for k in 1..=self.count as u32 {
            let mut left: Vec<usize> = (0..self.count).collect();
            while let Some(at) =
                left.iter().position(|vertex| (self.around(*vertex).iter().filter(|other| left.contains(other)).count() as u32) < k)
            {
                left.remove(at);
            }
            left.iter().for_each(|vertex| cores[*vertex] = k);
        }
        cores
    }
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a - b).abs() <= 1e-12 * a.abs().max(1.0))
}

#[test]
fn functions_give_what_their_definitions_say() {
    for seed in seeds(120) {
        let draw = Draw::new(seed);
        let shape = Shape {
            vertex_tables: 2,
            edge_tables: vec![(0, 0), (0, 1), (1, 1)],
            vertices: 1 + draw.below(9),
            edges: 1 + draw.below(60),
            commits: 1 + draw.below(4) as u64,
        };
        let (model, topology) = model::random(&draw, &shape);
        let at = draw.below(shape.commits as usize) as u64;
        let filter =
            |per_cent| draw.chance(40).then(|| std::sync::Arc::new(Hashed { salt: seed, per_cent }) as std::sync::Arc<dyn graph::Filter>);
        let view = View {
            vertex_tables: if draw.chance(70) { vec![0, 1] } else { vec![1] },
            edge_tables: if draw.chance(70) { vec![0, 1, 2] } else { vec![1, 2] },
            is_directed: draw.chance(50),
            vertices: filter(80),
            edges: filter(70),
            weight: Some(std::sync::Arc::new(OneOrTwo)),
        };
        let snapshot = topology.snapshot(CommitSeq(at));
        let projection = Projection::new(&snapshot, &view, &Budget::new(1 << 26)).unwrap();
        let matrix = Matrix::new(&World::at(&model, &shape.edge_tables, at), &projection, &view);
        assert_eq!(projection.edges(), matrix.edges.len(), "R1: seed {seed}");
        if matrix.count == 0 {
            continue;
        }
        let source = draw.below(matrix.count);
        let depths: Vec<f64> =
            projection.bfs(source as u32).unwrap().iter().map(|depth| depth.map_or(f64::INFINITY, |depth| depth as f64)).collect();
        assert_eq!(depths, matrix.distances(source, |_| 1.0), "bfs, seed {seed}");
        assert_eq!(projection.sssp(source as u32).unwrap(), matrix.distances(source, |weight| weight), "sssp, seed {seed}");
        assert_eq!(projection.wcc().unwrap(), matrix.components(), "wcc, seed {seed}");
        assert!(near(&projection.pagerank(0.85, 7).unwrap(), &matrix.pagerank(0.85, 7)), "pagerank, seed {seed}");
        assert_eq!(projection.cdlp(4).unwrap(), matrix.labels(4), "cdlp, seed {seed}");
        let clustering: Vec<f64> = (0..matrix.count).map(|vertex| matrix.clustering(vertex)).collect();
        assert!(near(&projection.lcc().unwrap(), &clustering), "lcc, seed {seed}");
        let triangles: Vec<u64> = (0..matrix.count).map(|vertex| matrix.triangles(vertex)).collect();
        assert_eq!(projection.triangle_count().unwrap(), triangles, "triangle_count, seed {seed}");
        assert_eq!(projection.kcore().unwrap(), matrix.cores(), "kcore, seed {seed}");
        same(&projection, &matrix.given(&view), source as u32, seed);
    }
}

/// What is made of edges that somebody else read says the same.
fn same(projection: &Projection, made: &Projection, source: u32, seed: u64) {
    assert_eq!((made.vertices().len(), made.edges()), (projection.vertices().len(), projection.edges()), "seed {seed}");
    assert_eq!(made.bfs(source).unwrap(), projection.bfs(source).unwrap(), "bfs, seed {seed}");
    assert_eq!(made.sssp(source).unwrap(), projection.sssp(source).unwrap(), "sssp, seed {seed}");
    assert_eq!(made.wcc().unwrap(), projection.wcc().unwrap(), "wcc, seed {seed}");
    assert!(near(&made.pagerank(0.85, 7).unwrap(), &projection.pagerank(0.85, 7).unwrap()), "pagerank, seed {seed}");
    assert_eq!(made.cdlp(4).unwrap(), projection.cdlp(4).unwrap(), "cdlp, seed {seed}");
    assert!(near(&made.lcc().unwrap(), &projection.lcc().unwrap()), "lcc, seed {seed}");
    assert_eq!(made.triangle_count().unwrap(), projection.triangle_count().unwrap(), "triangle_count, seed {seed}");
    assert_eq!(made.kcore().unwrap(), projection.kcore().unwrap(), "kcore, seed {seed}");
}

#[test]
fn edges_have_ends_and_memory() {
    let edges = Edges { sources: &[0, 3], targets: &[1, 1], weights: None };
    let made = |count, bytes| Projection::of_edges(count, &edges, false, &Budget::new(bytes)).map(|made| made.edges());
    assert_eq!(made(4, 1 << 20).unwrap(), 4);
    assert_eq!(made(3, 1 << 20).unwrap_err().state().0, "XX000");
    assert_eq!(made(4, 50).unwrap_err().state().0, "53200");
    let unweighted = Projection::of_edges(4, &edges, true, &Budget::new(1 << 20)).unwrap();
    assert_eq!(unweighted.sssp(3).unwrap(), [f64::INFINITY, 1.0, f64::INFINITY, 0.0]);
}

/// Wide enough that the frontier's search turns round, and deep enough that it turns back.
#[test]
fn breadth_first_search_turns_and_stays_exact() {
    use base::RowId;
    use graph::{Changes, EdgeRow, Topology, VertexRow};
    let draw = Draw::new(11);
    const COUNT: u32 = 3_000;
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    let mut edges: Vec<(u32, u32)> = (0..12_000).map(|_| (draw.below(2_000) as u32, draw.below(2_000) as u32)).collect();
    edges.extend((1_999..COUNT - 1).map(|vertex| (vertex, vertex + 1)));
    let row =
        |(row, (source, target)): (usize, &(u32, u32))| EdgeRow { table: 0, source: *source, target: *target, row: RowId(row as u64) };
    let changes = Changes {
        vertices_added: (0..COUNT).map(|vertex| VertexRow { table: 0, vertex, row: RowId(vertex.into()) }).collect(),
        edges_added: edges.iter().enumerate().map(row).collect(),
        ..Changes::default()
    };
    topology.apply(CommitSeq(0), &changes).unwrap();
    let view = View { vertex_tables: vec![0], edge_tables: vec![0], is_directed: true, ..View::default() };
    let projection = Projection::new(&topology.snapshot(CommitSeq(0)), &view, &Budget::new(1 << 26)).unwrap();
    let mut expected = vec![None; COUNT as usize];
    expected[5] = Some(0);
    let mut queue = std::collections::VecDeque::from([5_u32]);
    while let Some(vertex) = queue.pop_front() {
        for (_, target) in edges.iter().filter(|(source, _)| *source == vertex) {
            if expected[*target as usize].is_none() {
                expected[*target as usize] = expected[vertex as usize].map(|depth: u64| depth + 1);
                queue.push_back(*target);
            }
        }
    }
    assert_eq!(projection.bfs(5).unwrap(), expected);
    assert!(expected.iter().flatten().max() > Some(&900), "the tail of the graph is long");
}
