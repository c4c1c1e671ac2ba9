//! Accepts clients, counts them, and ends them all at shutdown.
//!
//! A1: at most `connections_max` sessions; a client too many hears 53300, a cancel request always gets through.
//! A2: `run` returns only when no session is left and the engine has sealed what it holds.
//! Never: reads a byte of the protocol.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};
use engine::Server;
use planner::Databases;
use relational::{Options, Relational, Spill};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::admission::Admissions;
use crate::authentication::Pretence;
use crate::cancel::Registry;
use crate::config::{Auth, Config, Ssl};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::tls::{self, Tls};
use crate::{cosigning, credentials, startup, timestamping};

/// Of a data folder: what queries cannot hold in memory. Empty while no query runs.
const SPILL_FOLDER: &str = "spill";
/// Sockets that may be greeting beyond the sessions allowed, so that cancel requests and refusals get an answer.
const GREETINGS_MAX: usize = 64;
/// What a cancelled statement gets to unwind before its task is dropped.
const UNWIND_TIME_MAX: Duration = Duration::from_secs(2);

/// What all connections of a listener share.
pub(crate) struct Shared {
    pub config: Config,
    pub databases: Arc<Databases>,
    pub registry: Arc<Registry>,
    pub shutdown: Shutdown,
    pub admissions: Arc<Admissions>,
    pub tls: Option<Tls>,
    pub pretence: Pretence,
}

/// A bound socket in front of a data folder, ready to [`run`](Listener::run).
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    engine: Arc<Server>,
    metrics: Option<Metrics>,
}

impl Listener {
    /// Binds the address of `config` and opens every database of `engine` for sessions. At first start this makes the server's certificate and
    /// sets the first superuser's password.
    ///
    /// Errors: 0A000 for an address that is not loopback where nobody proves who they are (N5); 58030 when the address cannot be bound or a file
    /// not be read or written; F0000 for an unusable certificate.
    pub async fn bind(config: Config, engine: Arc<Server>) -> SqlResult<Self> {
        let listen = config.listen;
        if !listen.ip().is_loopback() && config.auth == Auth::Trust {
            return Err(SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("will not listen on {listen} without authentication: it is not a loopback address"),
            )
            .detail("With --auth trust, anyone who can reach the port is the superuser.")
            .hint("Use --auth scram-sha-256, or listen on 127.0.0.1 or [::1]."));
        }
        let files = config.ssl_files.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        let tls = if config.ssl == Ssl::Off { None } else { Some(tls::open(engine.folder(), files)?) };
        let failed = |error: std::io::Error| SqlError::new(SqlState::IO_ERROR, format!("could not listen on {listen}: {error}"));
        let socket = TcpListener::bind(listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let partitions = std::thread::available_parallelism().map_or(1, usize::from);
        let (memory_bytes, run_memory_bytes) = (config.query_memory_bytes, config.statement_memory_bytes);
        let limits = Options { memory_bytes, run_memory_bytes, partitions, batch_rows: 8192 };
        let spill = Spill { folder: engine.folder().join(SPILL_FOLDER), bytes_max: config.temp_file_bytes_max };
        let relational = Arc::new(Relational::spilling(limits, &spill)?);
        if let Some(witnesses) = &config.witnesses {
            engine.ask_witnesses(&witnesses.states());
        }
        let databases = Databases::new(Arc::clone(&engine), relational);
        let metrics = match config.metrics {
            Some(address) => Some(Metrics::bind(address, Arc::clone(&databases)).await?),
            None => None,
        };
        if config.auth == Auth::Scram {
            let opened = databases.all();
            let (folder, given) = (engine.folder().to_owned(), config.first_password.clone());
            let ensured = tokio::task::spawn_blocking(move || credentials::ensure(&folder, given.as_deref(), &opened)).await;
            ensured.map_err(|_panic| SqlError::internal("setting the first password met a defect"))??;
        }
        let shared = Shared {
            admissions: Arc::default(),
            tls,
            pretence: Pretence::new(),
            config,
            databases,
            registry: Arc::default(),
            shutdown: Shutdown::new(),
        };
        Ok(Self { socket, address, shared: Arc::new(shared), engine, metrics })
    }

    /// The bound address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the metrics are, with the real port.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(Metrics::address)
    }

    /// The signal that ends [`run`](Listener::run).
    pub fn shutdown(&self) -> Shutdown {
        self.shared.shutdown.clone()
    }

    /// Serves until the shutdown signal; then idle sessions end with 57P01, running statements get the configured grace and are cancelled
    /// after it, and the engine seals (A2). Errors are the engine's, from sealing.
    pub async fn run(self) -> SqlResult<()> {
        let Self { socket, shared, engine, metrics, .. } = self;
        let metrics = metrics.map(|metrics| tokio::spawn(metrics.run()));
        let mut background = JoinSet::new();
        if let Some(witnesses) = &shared.config.witnesses {
            background.spawn(cosigning::run(Arc::clone(&engine), Arc::clone(witnesses)));
        }
        if let Some(authority) = &shared.config.timestamps {
            background.spawn(timestamping::run(Arc::clone(&engine), Arc::clone(authority)));
        }
        let mut connections = JoinSet::new();
        let mut shutdown = shared.shutdown.watch();
        let greetings = Arc::new(Semaphore::new(shared.config.connections_max + GREETINGS_MAX));
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                Some(_ended) = connections.join_next() => {}
                accepted = socket.accept() => match accepted {
                    Ok((client, _)) => {
                        // Without a permit the socket is dropped: far too many clients at the door.
                        if let Ok(permit) = Arc::clone(&greetings).try_acquire_owned() {
                            let shared = Arc::clone(&shared);
                            connections.spawn(async move {
                                serve(client, &shared).await;
                                drop(permit);
                            });
                        }
                    }
                    // Out of descriptors or a client that gave up: the next accept may do better.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
        drop(socket);
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        drain(&mut connections, &shared).await;
        background.shutdown().await;
        drop(shared);
        match tokio::task::spawn_blocking(move || engine.shutdown()).await {
            Ok(sealed) => sealed,
            Err(_panic) => Err(SqlError::internal("sealing at shutdown met a defect")),
        }
    }
}

/// One client from accept to close.
async fn serve(client: TcpStream, shared: &Arc<Shared>) {
    // Answers are whole batches already; waiting for more to send would only add latency.
    drop(client.set_nodelay(true));
    let mut shutdown = shared.shutdown.watch();
    let greeted = tokio::select! {
        biased;
        greeted = timeout(shared.config.startup_time_max, startup::greet(client, shared)) => greeted.ok().flatten(),
        () = shutdown.requested() => None,
    };
    if let Some(connection) = greeted {
        connection.run().await;
    }
}

/// Waits for the sessions to end: by themselves, then cancelled, then dropped.
async fn drain(connections: &mut JoinSet<()>, shared: &Shared) {
    let ended = |connections: &mut JoinSet<()>| connections.is_empty();
    drop(timeout(shared.config.shutdown_grace, join_all(connections)).await);
    if !ended(connections) {
        shared.registry.cancel_all();
        drop(timeout(UNWIND_TIME_MAX, join_all(connections)).await);
    }
    connections.shutdown().await;
    assert!(ended(connections), "A2: a session outlived the shutdown");
}

async fn join_all(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}
