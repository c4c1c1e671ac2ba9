//! The server as clients meet it: tokio-postgres, psql, and a raw client that speaks the protocol byte by byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

mod audit;
mod backups;
mod cancel;
mod copy;
mod cosigning;
mod databases;
mod differential;
mod dump;
mod errors;
mod graph_draw;
mod hostile;
mod limits;
mod locks;
mod metrics;
mod pipeline;
mod portals;
mod program;
mod psql;
mod psql_definitions;
mod queries;
mod raw;
mod security;
mod server;
mod shutdown;
mod startup;
mod table_locks;
mod timestamping;
mod transactions;
mod types;
mod witness;
