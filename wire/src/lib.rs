//! The Postgres protocol over TCP: connections, startup, simple and extended queries, COPY, cancel, shutdown.
//!
//! Reading order: `listener` accepts, `startup` greets, `connection` loops over messages and hands them to `simple`, `extended` and
//! `copy_in`; `rows` and `backend` write the answers; `channel` is the socket with its two buffers.
//!
//! Choice: message types that are cold (startup, authentication, errors, notices, cancel keys) are encoded and decoded by `pgwire`; the
//! session loop, the framing and the hot messages (Query, Parse, Bind, Execute, DataRow, CopyData …) are ours. pgwire's handlers collect or
//! re-box every row, and its decoders for those messages panic on a short body, read past the end of a message and replace bad UTF-8
//! silently; ours borrow from the frame, refuse with 08P01 or 22021, and one Bind/Execute/Sync costs one read and one write.
//!
//! Beside the protocol stand `cosigning` and `timestamping`, which ask witnesses for cosignatures and an authority for timestamps in the background, and `witness`, an HTTP server of its own that
//! cosigns checkpoints of any log.
//!
//! N1: a connection is one task that owns one `planner::Session`; nothing else touches either.
//! N2: only whole messages reach the socket, also after an error or a panic in the middle of one.
//! N3: memory per connection is bounded: by 64 KiB of output, by a few COPY chunks, and by one incoming message.
//! N4: after an error in an extended query every message up to Sync is read and ignored.
//! N5: no listener opens on an address that is not loopback unless clients must prove who they are.
//! Never: knows a table or a file of the ledger; builds a row object; sends an error without an SQLSTATE.

mod admission;
mod authentication;
mod backend;
mod cancel;
mod channel;
mod config;
mod connection;
mod copy_in;
mod cosigning;
mod credentials;
mod errors;
mod every_ledger;
mod extended;
mod frontend;
mod http_client;
mod line;
mod listener;
mod lookout;
mod metrics;
mod parameters;
mod portal;
mod rows;
mod shutdown;
mod simple;
mod socket;
mod startup;
mod timestamping;
mod tls;
pub mod witness;

pub use config::{Auth, Config, Ssl};
pub use cosigning::Witnesses;
pub use credentials::PASSWORD_FILE;
pub use listener::Listener;
pub use shutdown::Shutdown;
pub use timestamping::Authority;
pub use tls::CERTIFICATE_FILE;
