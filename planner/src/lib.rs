//! The SQL front end: text in, rows or a command tag out, over one session of one database.
//!
//! P1: a statement either takes effect as a whole or not at all; its answer is given only after its commit is durable and signed.
//! P2: no name resolves into or over the schema `ledger` unless it says `ledger.`; nothing is ever written there on a user's behalf.
//! P3: errors carry an SQLSTATE and, where a place in the text is at fault, its character position from 1.
//! Never: touches a file or a socket; names DataFusion (crate `relational` does); keeps a row that is not in the ledger.

pub mod copy;
pub mod types;

mod bounded_dialect;
mod conflict_syntax;
mod constraint_syntax;
mod copy_syntax;
mod current_of_syntax;
mod cursor_syntax;
mod erase_syntax;
mod expire_syntax;
mod graph_syntax;
mod hold_syntax;
mod lock_syntax;
mod lock_table_syntax;
mod maintenance_syntax;
mod names;
mod parse;
mod parse_clauses;
mod position;
mod query_syntax;
mod query_trees;
mod refresh_syntax;
mod rights;
mod role_syntax;
mod subscript_syntax;
mod syntax_errors;
mod table_clauses;
mod verifier;
mod version;

mod clock_functions;
mod column_types;
mod database;
mod databases;
mod distinct_from;
mod effects;
mod element_documents;
mod graph_functions;
mod graph_joins;
mod graph_paths;
mod graph_patterns;
mod ground;
mod index_expressions;
mod ledger_functions;
mod live_graphs;
mod login;
mod pg_catalog;
mod receipts_shown;
mod resolver;
mod rule_text;
mod rules;
mod sequence_functions;
mod tables;
mod updatable_views;
mod versions;

mod as_of;
mod backends;
mod cancel;
mod cells;
mod copy_in;
mod notifications;
mod outcome;
mod plan_cache;
mod settings;
mod view;

mod session;
mod session_functions;
mod statements;

pub use backends::Reach;
pub use cancel::Canceller;
pub use copy_in::CopyIn;
pub use database::Database;
pub use databases::Databases;
pub use graph_patterns::{
    Column as PatternColumn, Degree, InnerPath, Part, Path, Pattern, PerPath, Repeat, Step, Variable, VariableId, Where,
};
pub use graph_syntax::{
    ColumnItem, Direction, Element, Factor, GraphTable, LabelExpr, Match, Mode, Nested, PathExpr, PathPattern, Prefix, Primary, Quantifier,
    Rows, Selector, Version,
};
pub use index_expressions::{IndexExpressions, engine_options};
pub use login::Account;
pub use notifications::Notification;
pub use outcome::{Column, CopyPiece, Notice, Outcome, SqlNotice, Tag, TransactionStatus};
pub use parse::Parsed;
pub use session::{NamedStatement, Prepared, Session};
pub use verifier::Verifier;
