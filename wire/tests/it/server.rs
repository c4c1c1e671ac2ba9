//! A server in this process on a port of its own, over a folder of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::SqlResult;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};
use wire::{Auth, Config, Listener, Shutdown, Ssl};

/// A running server; the folder goes when it is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    pub running: JoinHandle<SqlResult<()>>,
    folder: TempDir,
}

/// Defaults on a free port, for tests that are not about who comes in.
pub fn config() -> Config {
    Config { auth: Auth::Trust, ssl: Ssl::Off, ..guarded() }
}

/// Defaults on a free port: SCRAM, and TLS for whoever asks.
pub fn guarded() -> Config {
    Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        first_password: Some(PASSWORD.to_owned()),
        shutdown_grace: Duration::from_millis(500),
        ..Config::default()
    }
}

/// The first superuser's, where a server asks for one.
pub const PASSWORD: &str = "correct horse";

pub async fn start() -> TestServer {
    start_with(config()).await
}

pub async fn start_with(config: Config) -> TestServer {
    let folder = TempDir::new().unwrap();
    start_in(config, folder).await
}

async fn start_in(config: Config, folder: TempDir) -> TestServer {
    let path = folder.path().to_owned();
    let engine = tokio::task::spawn_blocking(move || engine::Server::open(&path, planner::engine_options())).await.unwrap().unwrap();
    let listener = Listener::bind(config, Arc::new(engine)).await.unwrap();
    let (address, shutdown) = (listener.address(), listener.shutdown());
    TestServer { address, shutdown, running: tokio::spawn(listener.run()), folder }
}

impl TestServer {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server as SIGTERM would; its folder.
    pub async fn closed(self) -> TempDir {
        self.shutdown.request();
        self.running.await.unwrap().unwrap();
        self.folder
    }

    /// A server over a folder that another has left.
    pub async fn again(config: Config, folder: TempDir) -> TestServer {
        start_in(config, folder).await
    }

    /// Parameters for tokio-postgres.
    pub fn url(&self) -> String {
        format!("host=127.0.0.1 port={} user=shockwave dbname=shockwave", self.address.port())
    }

    /// A new session; its connection task ends with the client.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Ends the server as SIGTERM would, and starts it again on the same folder.
    pub async fn restart(self) -> TestServer {
        self.restart_with(config()).await
    }

    /// Ends the server, and starts one on another folder.
    pub async fn replaced_by(self, folder: TempDir) -> TestServer {
        self.shutdown.request();
        self.running.await.unwrap().unwrap();
        start_in(config(), folder).await
    }

    /// [`TestServer::restart`], with other options.
    pub async fn restart_with(self, config: Config) -> TestServer {
        let folder = self.closed().await;
        start_in(config, folder).await
    }
}

/// SQLSTATE of a failed call.
pub fn state<T: std::fmt::Debug>(result: Result<T, tokio_postgres::Error>) -> String {
    result.unwrap_err().code().map_or("none".to_owned(), |code| code.code().to_owned())
}
