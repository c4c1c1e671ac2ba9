//! Property graphs over tables: which vertex is joined to which as of any commit, and finding patterns and paths in it.
//!
//! Reading order: who is joined to whom (from elements to the topology); what can be looked for; plans and how they are
//! run; what a planner knows and how it chooses; functions of a whole graph.
//!
//! ```
//! use base::{CommitSeq, RowId};
//! use graph::*;
//!
//! let person = VertexTableDef { name: "person".into(), labels: vec!["Person".into()] };
//! let knows = EdgeTableDef { name: "knows".into(), labels: vec!["knows".into()], source: 0, target: 0 };
//! let topology = Topology::new(GraphSchema::new(vec![person], vec![knows])?);
//! let vertices_added = (0..3).map(|vertex| VertexRow { table: 0, vertex, row: RowId(vertex.into()) }).collect();
//! let edge = |row, source, target| EdgeRow { table: 0, source, target, row: RowId(row) };
//! let edges_added = vec![edge(0, 0, 1), edge(1, 1, 2)];
//! topology.apply(CommitSeq(0), &Changes { vertices_added, edges_added, ..Changes::default() })?;
//!
//! // (a)-[b]->{1,2}(c): how many pairs, by a?
//! let vertex = |var| VertexPattern { var: Var(var), tables: vec![0], only: None };
//! let path = PathPattern { min: 1, max: Some(2), mode: Mode::Walk, selector: Selector::All, step: None, weight: None };
//! let edge = EdgePattern { var: Var(1), from: Var(0), to: Var(2), tables: vec![0], direction: Direction::Forward, path: Some(path) };
//! let pattern = Pattern { vertices: vec![vertex(0), vertex(2)], edges: vec![edge], ..Pattern::default() };
//! let query = Query { pattern, output: Output::Groups(vec![Var(0)]) };
//!
//! let snapshot = topology.snapshot(CommitSeq(0));
//! let statistics = Statistics::of(&snapshot);
//! let cardinality = FromStatistics { schema: snapshot.schema(), statistics: &statistics };
//! let plan = plan(&query, snapshot.schema(), &cardinality, Strategy::Cheapest)?;
//! let how = Run { budget: Budget::new(1 << 20), limit: None, clock: None, threads: 1 };
//! let (answer, _) = run(&plan, &snapshot, &how)?;
//! let Answer::Groups(mut groups) = answer else { panic!("groups were asked for") };
//! groups.sort();
//! assert_eq!(groups, [(vec![Element::new(0, 0)], 2), (vec![Element::new(0, 1)], 1)]);
//! # Ok::<(), base::SqlError>(())
//! ```
//!
//! Never: knows SQL, a key or a property; learns of commits otherwise than in order.
//! Module order: element, varset, schema, packing, run, side, vertices, topology, fold, pattern, check, budget, tally, plan, reader, paths, exec, explain, statistics, cardinality, planner, functions

mod element;
pub use element::Element;

mod varset;
pub use varset::{Var, VarSet};

mod schema;
pub use schema::{EdgeTableDef, GraphSchema, VertexTableDef};

mod packing;

mod run;
mod side;
pub use side::{List, Scratch};

mod vertices;
pub use vertices::Existing;

mod topology;
pub use topology::{Changes, EdgeRow, Memory, Snapshot, Topology, VertexRow};

mod fold;
pub use fold::{EdgeSource, TopologyFold, VertexSource};

mod pattern;
pub use pattern::{
    Condition, Direction, EdgePattern, Filter, Mode, Output, Part, PartKind, PathPattern, Pattern, Query, Selector, VertexPattern, Weight,
};

mod check;

mod budget;
pub use budget::{Account, Budget};

mod tally;

mod plan;
pub use plan::{Hop, Hops, Plan};

mod reader;

mod paths;
pub use paths::Path;

mod exec;
pub use exec::{Actual, Answer, Run, Take, Value, run, stream};

mod explain;
pub use explain::Names;

mod statistics;
pub use statistics::{Degrees, Statistics};

mod cardinality;
pub use cardinality::{Cardinality, FromStatistics, Scope, SubPattern};

mod planner;
pub use planner::{Strategy, plan};

mod functions;
pub use functions::{Edges, Projection, View};
