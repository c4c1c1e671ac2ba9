//! A small witness: an HTTP server that remembers the newest checkpoint of each log it knows, and cosigns a newer one only if it extends that.
//!
//! Reading order: `key` is who it is, `register` what it remembers, `service` how it is asked. What it decides is in `receipts::witness`.
//!
//! W1: what is cosigned is durable before it is answered; one request of a log at a time is judged and kept.
//! W2: which logs it knows comes from its policy file, and from nowhere else.
//! W3: memory is bounded: by the logs of the policy, by the connections allowed, and by one request of 256 KiB each.
//! Never: cosigns what it cannot keep; asks who a client is: the log's signature says all that counts.
//! Protocol: C2SP tlog-witness. Folder: docs/formats/witness.md.

mod key;
mod register;
mod service;

pub use key::KEY_FILE;
pub use register::Register;
pub use service::Service;
