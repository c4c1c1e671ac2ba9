//! Property graphs over tables: which vertex is joined to which as of any commit, and finding patterns and paths in it.
//!
//! Never: knows SQL, a key or a property; learns of commits otherwise than in order.
//! Module order: element, varset, schema, packing, run, side, vertices, topology, pattern, check, budget, tally, plan, reader, paths, exec, explain, statistics, cardinality, planner, functions

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

mod pattern;
pub use pattern::{
    Condition, Direction, EdgePattern, Filter, Mode, Output, Part, PartKind, PathPattern, Pattern, Query, Selector, VertexPattern, Weight,
};

mod check;

mod budget;
pub use budget::Budget;

mod tally;

mod plan;
pub use plan::{Hop, Hops, Plan};

mod reader;

mod paths;
pub use paths::Path;

mod exec;
pub use exec::{Actual, Answer, Run, Value, run};

mod explain;
pub use explain::Names;

mod statistics;
pub use statistics::{Degrees, Statistics};

mod cardinality;
pub use cardinality::{Cardinality, FromStatistics, Scope, SubPattern};

mod planner;
pub use planner::{Strategy, plan};

mod functions;
pub use functions::{Projection, View};
