//! What an operator may set about the listening side, with its defaults.
//!
//! Never: holds anything about storage.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cosigning::Witnesses;
use crate::timestamping::Authority;

/// How clients prove who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Auth {
    /// SCRAM-SHA-256, and SCRAM-SHA-256-PLUS over TLS.
    Scram,
    /// They do not; only on a loopback address.
    Trust,
}

/// Whether connections may or must be encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ssl {
    /// Never: encryption is declined.
    Off,
    /// If the client asks for it.
    On,
    /// Sessions without it are refused.
    Required,
}

/// Limits and address of a [`crate::Listener`]; `Config::default()` is what `shockwave serve` uses.
#[derive(Clone)]
pub struct Config {
    /// Where to listen; must be loopback under [`Auth::Trust`] (N5). Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Where Prometheus reads the numbers, on loopback; `None` for nowhere.
    pub metrics: Option<SocketAddr>,
    /// How clients prove who they are.
    pub auth: Auth,
    /// The first superuser's password where none is set yet; `None` draws one into a file.
    pub first_password: Option<String>,
    /// Whether connections may or must be encrypted.
    pub ssl: Ssl,
    /// Certificate chain and private key, PEM; `None` for the server's own.
    pub ssl_files: Option<(PathBuf, PathBuf)>,
    /// Sessions at once, ≥ 1; one more gets FATAL 53300.
    pub connections_max: usize,
    /// Of these, kept for superusers.
    pub superuser_reserved_connections: usize,
    /// Bytes of one statement's text; a longer one gets ERROR 54000 and changes nothing.
    pub statement_bytes_max: usize,
    /// Bytes of one message; a longer one gets FATAL 08P01. At most 1 GiB − 1 as in Postgres.
    pub message_bytes_max: usize,
    /// From accept to the first ReadyForQuery; slower clients are cut off.
    pub startup_time_max: Duration,
    /// Memory that all running queries of a server may hold together for sorts, hashes and aggregates.
    pub query_memory_bytes: usize,
    /// Memory that one of them may hold; a session's `statement_mem` can only be less.
    pub statement_memory_bytes: usize,
    /// Disk that the temporary files of all running queries may take together.
    pub temp_file_bytes_max: u64,
    /// What running statements get at shutdown before they are cancelled.
    pub shutdown_grace: Duration,
    /// Witnesses that are asked to cosign the checkpoints of every database; `None` asks none.
    pub witnesses: Option<Arc<Witnesses>>,
    /// Who is asked for timestamps of the checkpoints of every database; `None` asks nobody.
    pub timestamps: Option<Arc<Authority>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7432)),
            metrics: None,
            auth: Auth::Scram,
            first_password: None,
            ssl: Ssl::On,
            ssl_files: None,
            connections_max: 1000,
            superuser_reserved_connections: 3,
            statement_bytes_max: 16 << 20,
            message_bytes_max: (1 << 30) - 1,
            startup_time_max: Duration::from_secs(60),
            query_memory_bytes: 1 << 30,
            statement_memory_bytes: 512 << 20,
            temp_file_bytes_max: 100 << 30,
            shutdown_grace: Duration::from_secs(5),
            witnesses: None,
            timestamps: None,
        }
    }
}
