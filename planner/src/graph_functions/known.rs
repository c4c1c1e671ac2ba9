//! The graph functions there are: what each takes and what it answers.
//!
//! K1: arguments without a name are those of [`Known::parameters`] in their order.

/// What a function says of a vertex.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// A `bigint`.
    Number,
    /// A `double precision`.
    Real,
    /// Another vertex.
    Vertex,
}

/// A graph function.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// K1
    pub(super) parameters: &'static [&'static str],
    /// Name of the column of what it says.
    pub(super) column: &'static str,
    pub(super) answer: Answer,
}

pub(super) const GRAPH: &str = "graph";
pub(super) const SOURCE: &str = "source";
pub(super) const WEIGHT: &str = "weight";
pub(super) const DAMPING: &str = "damping";
pub(super) const ITERATIONS: &str = "iterations";
pub(super) const EDGES: &str = "edges";
pub(super) const VERTICES: &str = "vertices";
pub(super) const DIRECTED: &str = "directed";
pub(super) const AS_OF: &str = "as_of";

/// In the order of their names.
pub(super) const KNOWN: [Known; 8] = [
    Known { name: "graph_bfs", parameters: &[GRAPH, SOURCE, EDGES, VERTICES, DIRECTED, AS_OF], column: "distance", answer: Answer::Number },
    Known {
        name: "graph_cdlp",
        parameters: &[GRAPH, ITERATIONS, EDGES, VERTICES, DIRECTED, AS_OF],
        column: "community",
        answer: Answer::Vertex,
    },
    Known { name: "graph_kcore", parameters: &[GRAPH, EDGES, VERTICES, AS_OF], column: "core", answer: Answer::Number },
    Known { name: "graph_lcc", parameters: &[GRAPH, EDGES, VERTICES, DIRECTED, AS_OF], column: "coefficient", answer: Answer::Real },
    Known {
        name: "graph_pagerank",
        parameters: &[GRAPH, DAMPING, ITERATIONS, EDGES, VERTICES, DIRECTED, AS_OF],
        column: "pagerank",
        answer: Answer::Real,
    },
    Known {
        name: "graph_sssp",
        parameters: &[GRAPH, SOURCE, WEIGHT, EDGES, VERTICES, DIRECTED, AS_OF],
        column: "distance",
        answer: Answer::Real,
    },
    Known { name: "graph_triangle_count", parameters: &[GRAPH, EDGES, VERTICES, AS_OF], column: "triangles", answer: Answer::Number },
    Known { name: "graph_wcc", parameters: &[GRAPH, EDGES, VERTICES, AS_OF], column: "component", answer: Answer::Vertex },
];

impl Known {
    /// How it is called, for hints.
    pub(super) fn usage(&self) -> String {
        let shown = self.parameters.iter().map(|name| match *name {
            GRAPH | SOURCE => (*name).to_owned(),
            name => format!("[{name}]"),
        });
        format!("{}({})", self.name, shown.collect::<Vec<_>>().join(", "))
    }
}
