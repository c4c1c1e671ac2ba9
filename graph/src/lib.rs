//! Property graphs over tables: which vertex is joined to which as of any commit, and finding patterns and paths in it.
//!
//! Never: knows SQL, a key or a property; learns of commits otherwise than in order.
//! Module order: element, schema, packing, run, side, vertices, topology

mod element;
pub use element::Element;

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
