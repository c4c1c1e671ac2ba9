//! Whom to ask, and what quorum to wait for: a policy file (C2SP tlog-policy) with the witnesses' addresses.
//!
//! Never: asks a witness whose cosignatures could not be verified.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use base::io::{Io, RealIo};
use base::{SqlError, SqlResult, SqlState};
use engine::WitnessState;
use hyper::Uri;
use receipts::note::SIGNATURES_MAX;
use receipts::policy::{Quorum, Witness};
use receipts::{Policy, WitnessKey};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Where systems keep the certificates of the authorities they trust.
const BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// A policy whose witnesses can be asked.
pub struct Witnesses {
    policy: Policy,
    asked: Vec<Asked>,
    tls: Option<Arc<ClientConfig>>,
}

/// One witness, and where.
#[derive(Clone)]
pub(crate) struct Asked {
    pub name: String,
    pub key: WitnessKey,
    pub address: Address,
}

/// Where a witness takes checkpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub is_encrypted: bool,
    pub host: String,
    pub port: u16,
    /// Host and port as a request names them.
    pub authority: String,
    /// The submission prefix and what is asked.
    pub path: String,
}

impl Witnesses {
    /// Reads a policy file. `authorities` is a file of certificates (PEM) that https witnesses are trusted by, else those of the system.
    ///
    /// Errors: 58030 where a file cannot be read; 22023 for a policy that is none, asks for no quorum, or for one that its addresses cannot give;
    /// F0000 for certificates that are none.
    pub fn open(file: &Path, authorities: Option<&Path>) -> SqlResult<Self> {
        let policy = Policy::parse(&read(file)?).map_err(|error| invalid(format!("\"{}\" is no policy: {error}", file.display())))?;
        Self::new(policy, authorities)
    }

    /// Of a policy.
    pub fn new(policy: Policy, authorities: Option<&Path>) -> SqlResult<Self> {
        let asked: Vec<Asked> = policy.witnesses().iter().filter_map(|witness| asked(witness).transpose()).collect::<SqlResult<_>>()?;
        if *policy.quorum() == Quorum::None {
            return Err(invalid("the policy of witnesses asks for none: quorum none".to_owned())
                .hint("Name a witness or a group in its quorum line: that is what is waited for."));
        }
        if !policy.is_met(|witness| asked.iter().any(|asked| asked.name == witness.name)) {
            return Err(invalid("the quorum of witnesses cannot be met: too few of them have an address".to_owned())
                .hint("A line is: witness <name> <verifier key> <http or https address>. Only keys of type 0x04 can be verified."));
        }
        if asked.len() >= SIGNATURES_MAX {
            return Err(invalid(format!("{} witnesses have an address: a checkpoint takes {}", asked.len(), SIGNATURES_MAX - 1)));
        }
        let tls = if asked.iter().any(|asked| asked.address.is_encrypted) { Some(tls(authorities)?) } else { None };
        Ok(Self { policy, asked, tls })
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn asked(&self) -> &[Asked] {
        &self.asked
    }

    pub(crate) fn tls(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref()
    }

    /// All of the policy, before any was asked.
    pub(crate) fn states(&self) -> Vec<WitnessState> {
        let state = |witness: &Witness| WitnessState {
            name: witness.name.clone(),
            key: witness.key.to_string(),
            url: witness.url.clone(),
            ..WitnessState::default()
        };
        self.policy.witnesses().iter().map(state).collect()
    }
}

fn invalid(message: String) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn read(file: &Path) -> SqlResult<Vec<u8>> {
    RealIo
        .open(file)
        .and_then(|file| file.read_all())
        .map_err(|error| SqlError::new(SqlState::IO_ERROR, format!("could not read \"{}\": {error}", file.display())))
}

fn asked(witness: &Witness) -> SqlResult<Option<Asked>> {
    let Some(url) = &witness.url else { return Ok(None) };
    if !witness.key.is_verified() {
        return Ok(None);
    }
    let address = Address::parse(url)
        .ok_or_else(|| invalid(format!("the address of witness {} is no http or https address: {url}", witness.name)))?;
    Ok(Some(Asked { name: witness.name.clone(), key: witness.key.clone(), address }))
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let is_encrypted = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        if uri.query().is_some() || authority.host().is_empty() {
            return None;
        }
        let port = authority.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = format!("{}/add-checkpoint", uri.path().trim_end_matches('/'));
        Some(Self { is_encrypted, host, port, authority: authority.as_str().to_owned(), path })
    }
}

fn tls(authorities: Option<&Path>) -> SqlResult<Arc<ClientConfig>> {
    let unusable =
        |why: String| SqlError::new(SqlState("F0000"), format!("could not use the certificates that witnesses are trusted by: {why}"));
    let file = match authorities {
        Some(file) => file,
        None => BUNDLES
            .iter()
            .map(Path::new)
            .find(|file| RealIo.exists(file))
            .ok_or_else(|| unusable("the system has none".to_owned()).hint("Give a file of them: --witness-ca FILE."))?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let address = |url| Address::parse(url);
        let of = |is_encrypted, host: &str, port, authority: &str, path: &str| {
            Some(Address { is_encrypted, host: host.into(), port, authority: authority.into(), path: path.into() })
        };
        assert_eq!(address("http://w.example"), of(false, "w.example", 80, "w.example", "/add-checkpoint"));
        assert_eq!(address("https://w.example:8443/a/b/"), of(true, "w.example", 8443, "w.example:8443", "/a/b/add-checkpoint"));
        assert_eq!(address("http://[::1]:7433"), of(false, "::1", 7433, "[::1]:7433", "/add-checkpoint"));
        for bad in
            ["", "w.example", "ftp://w.example", "http://", "http://u:p@w.example", "http://w.example/?q", "http:/x", "http://w .example"]
        {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
