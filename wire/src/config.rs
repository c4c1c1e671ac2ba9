//! What an operator may set about the listening side, with its defaults.
//!
//! Never: holds a path or anything about storage.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Limits and address of a [`crate::Listener`]; `Config::default()` is what `shockwave serve` uses.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; must be loopback (N5). Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Sessions at once, ≥ 1; one more gets FATAL 53300.
    pub connections_max: usize,
    /// Bytes of one statement's text; a longer one gets ERROR 54000 and changes nothing.
    pub statement_bytes_max: usize,
    /// Bytes of one message; a longer one gets FATAL 08P01. At most 1 GiB − 1 as in Postgres.
    pub message_bytes_max: usize,
    /// From accept to the first ReadyForQuery; slower clients are cut off.
    pub startup_time_max: Duration,
    /// Memory that all running queries of a server may hold together for sorts, hashes and aggregates.
    pub query_memory_bytes: usize,
    /// What running statements get at shutdown before they are cancelled.
    pub shutdown_grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7432)),
            connections_max: 1000,
            statement_bytes_max: 16 << 20,
            message_bytes_max: (1 << 30) - 1,
            startup_time_max: Duration::from_secs(60),
            query_memory_bytes: 1 << 30,
            shutdown_grace: Duration::from_secs(5),
        }
    }
}
