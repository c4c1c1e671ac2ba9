//! Certificates of the authorities that https services are trusted by.
//!
//! Never: trusts a service whose certificate no authority of these vouches for.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use base::io::{Io, RealIo};
use base::{SqlError, SqlResult, SqlState};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Where systems keep the certificates of the authorities they trust.
const BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// A file's bytes. Errors: 58030.
pub(crate) fn read(file: &Path) -> SqlResult<Vec<u8>> {
    RealIo
        .open(file)
        .and_then(|file| file.read_all())
        .map_err(|error| SqlError::new(SqlState::IO_ERROR, format!("could not read \"{}\": {error}", file.display())))
}

/// What https services are trusted by: a file of certificates (PEM), else those of the system. `option` is what gives the file.
///
/// Errors: 58030 where the file cannot be read; F0000 where it holds none.
pub(crate) fn trust(authorities: Option<&Path>, option: &str) -> SqlResult<Arc<ClientConfig>> {
    let unusable =
        |why: String| SqlError::new(SqlState("F0000"), format!("could not use the certificates that others are trusted by: {why}"));
    let file = match authorities {
        Some(file) => file,
        None => BUNDLES
            .iter()
            .map(Path::new)
            .find(|file| RealIo.exists(file))
            .ok_or_else(|| unusable("the system has none".to_owned()).hint(format!("Give a file of them: {option} FILE.")))?,
    };
    let mut roots = RootCertStore::empty();
    let (mut taken, mut why) = (0, String::new());
    for certificate in CertificateDer::pem_slice_iter(&read(file)?) {
        match certificate.map_err(|error| error.to_string()).and_then(|one| roots.add(one).map_err(|error| error.to_string())) {
            Ok(()) => taken += 1,
            // Bundles hold old ones that rustls does not read.
            Err(error) => {
                why.clear();
                let _ = write!(why, ": {error}");
            }
        }
    }
    if taken == 0 {
        return Err(unusable(format!("\"{}\" holds none{why}", file.display())));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
