//! The SQL front end over a real ledger in a temporary folder.
#![allow(clippy::unwrap_used, reason = "tests")]

mod alter_table;
mod alter_type;
mod copy;
mod cursors;
mod ddl;
mod dml;
mod erasure;
mod errors;
mod fixture;
mod foreign_keys;
mod graph_elements;
mod graph_functions;
mod graph_oracle;
mod graph_pages;
mod graph_past;
mod graph_paths;
mod graph_table;
mod indexes;
mod key_access;
mod ledger_tables;
mod limits;
mod on_conflict;
mod pg_catalog;
mod plan_cache;
mod prepared;
mod property_graph;
mod retention;
mod roles;
mod rules;
mod savepoints;
mod sequences;
mod settings;
mod time_travel;
mod transactions;
mod types;
