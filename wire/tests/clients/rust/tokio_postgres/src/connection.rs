//! Connections to the server of the PG* environment, encrypted as PGSSLMODE asks.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Failure;

/// What the environment says.
pub fn config() -> Result<Config, Failure> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mut config = Config::new();
    config.host(variable("PGHOST")).port(variable("PGPORT").parse()?).user(variable("PGUSER")).password(variable("PGPASSWORD"));
    config.dbname(variable("PGDATABASE")).options("-c timezone=UTC").connect_timeout(Duration::from_secs(20));
    Ok(config)
}

/// The certificate to trust, where the environment names one.
pub fn tls() -> Result<Option<MakeRustlsConnect>, Failure> {
    let Ok(root) = std::env::var("PGSSLROOTCERT") else { return Ok(None) };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(root)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Some(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth())))
}

/// A connection whose messages are read by a task of its own.
pub async fn open() -> Result<Client, Failure> {
    let mut config = config()?;
    match tls()? {
        Some(tls) => {
            let (client, connection) = config.ssl_mode(SslMode::Require).connect(tls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
        None => {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
    }
}
