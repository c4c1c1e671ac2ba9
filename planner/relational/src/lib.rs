//! General SELECT over snapshot-bound tables: the only crate that names DataFusion.
//!
//! A statement comes in as sqlparser's AST, tables come from a [`Resolver`], Arrow batches go out. DataFusion's types appear in no public signature.
//!
//! R1: tables are bound once, while planning; the running query reads only what it was bound to.
//! R2: every error that leaves is an [`base::SqlError`] with its SQLSTATE; one raised by a table or a resolver leaves unchanged.
//! R3: batches that leave carry only the Arrow types listed in `output`, whatever the functions inside produced.
//! R4: a hidden column is seen by a statement only if the statement names it.
//! Never: knows a transaction, the catalog or the wire; writes anything but what a query cannot hold in memory ([`Spill`]).

pub mod environment;
pub mod table;
pub mod values;

mod aggregate_forms;
mod along_edges;
mod answer;
mod apply;
mod attach;
mod calls;
mod clock;
mod coercions;
mod computed;
mod context;
mod dialect;
mod equality;
mod errors;
mod exact;
mod explanation;
mod expressions;
mod first_met;
mod framed;
mod full_joins;
mod functions;
mod hidden;
mod immutable;
mod index_step;
mod layouts;
mod mapping;
mod marks;
mod memory;
mod merge_joins;
mod names;
mod names_shown;
mod numbers;
mod operand;
mod operators;
mod ordered_scan;
mod origins;
mod outer_values;
mod output;
mod own_rows;
mod padded;
mod parameters;
mod planning;
mod position;
mod provider;
mod raised;
mod relational;
mod reshape;
mod resolution;
mod scan;
mod semantics;
mod sequence;
mod session_options;
mod set_functions;
mod shape;
mod shares;
mod sides;
mod slot;
mod spilling;
mod sql_types;
mod top_by_index;
mod type_families;

pub use apply::inner::aside;
pub use clock::Moment;
pub use environment::{Environment, Interrupt, RunLimits, ScalarCall, ScalarFunction};
pub use explanation::Step;
pub use expressions::Expressions;
pub use functions::conversions::{convert, convert_in};
pub use functions::is_aggregate;
pub use index_step::IndexStep;
pub use marks::{
    CYCLE, EXCLUDE_CURRENT_ROW, EXCLUDE_GROUP, EXCLUDE_NO_OTHERS, EXCLUDE_TIES, ROWS_FROM, SEARCH_BREADTH, SEARCH_DEPTH, SYMMETRIC,
};
pub use names::figured as figured_name;
pub use relational::{Description, Options, Query, Relational, Rows};
pub use shape::Shape;
pub use spilling::Spill;
pub use table::links;
pub use table::{
    Bound, Comparison, DECLARED_TYPE, HIDDEN, InOrder, Indexed, Order, OrderedRows, Partition, Resolver, TABLE_COLUMN, TABLE_OID, Table,
    TableExpression, TableIndex, View,
};
