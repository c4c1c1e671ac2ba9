//! The tour's server: in this process, but spoken to only through its socket.
//!
//! Never: hands out anything of the engine but its public keys.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base::SqlResult;
use engine::Server;
use receipts::Policy;
use receipts::note::VerifierKey;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};
use wire::{Auth, Config, Listener, Shutdown, Ssl};

use super::Failure;

/// A running server.
pub struct Running {
    address: SocketAddr,
    origin: String,
    keys: Vec<String>,
    shutdown: Shutdown,
    task: JoinHandle<SqlResult<()>>,
}

impl Running {
    /// Opens the folder and listens; if the port is taken, on any free one.
    pub async fn start(folder: PathBuf, listen: SocketAddr) -> Result<Self, Failure> {
        let opened = tokio::task::spawn_blocking(move || Server::open(&folder, planner::engine_options())).await;
        let engine = Arc::new(opened.map_err(|_| Failure::new("opening the data folder met a defect"))??);
        let ledger = engine.ledger(engine::FIRST_DATABASE).ok_or_else(|| Failure::new("there is no database shockwave"))?;
        // Loopback only, on a folder that is there for the tour.
        let config = |listen| Config { listen, auth: Auth::Trust, ssl: Ssl::Off, ..Config::default() };
        let listener = match Listener::bind(config(listen), Arc::clone(&engine)).await {
            Err(error) if error.state() == base::SqlState::IO_ERROR && listen.port() != 0 => {
                let listen = SocketAddr::new(listen.ip(), 0);
                Listener::bind(config(listen), Arc::clone(&engine)).await?
            }
            bound => bound?,
        };
        Ok(Self {
            address: listener.address(),
            origin: ledger.origin().to_owned(),
            keys: ledger.verifier_keys(),
            shutdown: listener.shutdown(),
            task: tokio::spawn(listener.run()),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Verifier keys as text.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// The policy that believes exactly this ledger's keys of now.
    pub fn policy(&self) -> Result<Policy, Failure> {
        let unreadable = |error: receipts::FormatError| Failure::new(error.to_string());
        let keys: Vec<VerifierKey> = self.keys.iter().map(|key| VerifierKey::parse(key).map_err(unreadable)).collect::<Result<_, _>>()?;
        Policy::of_logs(&keys.iter().collect::<Vec<_>>()).map_err(unreadable)
    }

    /// A session as any client's.
    pub async fn connect(&self) -> Result<Client, Failure> {
        let mut config = tokio_postgres::Config::new();
        config.host(self.address.ip().to_string()).port(self.address.port());
        config.user("shockwave").dbname("shockwave").application_name("quickstart");
        let (client, connection) = config.connect(NoTls).await?;
        // Its end, good or bad, shows in the client's next call.
        drop(tokio::spawn(connection));
        Ok(client)
    }

    /// Ends it as SIGTERM would: everything is sealed.
    pub async fn stop(self) -> Result<(), Failure> {
        self.shutdown.request();
        self.ended().await
    }

    /// Waits until it has ended.
    pub async fn ended(self) -> Result<(), Failure> {
        match self.task.await {
            Ok(ended) => Ok(ended?),
            Err(_panic) => Err(Failure::new("the server met a defect")),
        }
    }
}
