//! The server's certificate: its own, made at first start, or one it is given; and what rustls and channel binding need of it.
//!
//! T1: the private key is made with mode 0600, and one that others can read is refused.
//! T2: TLS 1.2 and 1.3 only.
//! Never: asks clients for certificates.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::{Io, RealIo};
use base::{SqlError, SqlResult, SqlState};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Name of the own certificate in the data folder.
pub const CERTIFICATE_FILE: &str = "server.crt";
/// Name of its private key.
pub const KEY_FILE: &str = "server.key";

/// What connections are encrypted with.
#[derive(Clone)]
pub(crate) struct Tls {
    pub acceptor: TlsAcceptor,
    /// Hash of the certificate as `tls-server-end-point` has it (RFC 5929); `None` for a signature algorithm without a known hash.
    pub end_point: Option<Arc<[u8]>>,
}

/// Reads the certificate and its key, making them in the data folder where none are given and none are there.
///
/// Errors: 58030 where a file cannot be read or made, F0000 where it holds no certificate or key, or others can read the key.
pub(crate) fn open(folder: &Path, files: Option<(&Path, &Path)>) -> SqlResult<Tls> {
    let (certificate, key): (PathBuf, PathBuf) = match files {
        Some((certificate, key)) => (certificate.to_owned(), key.to_owned()),
        None => (folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE)),
    };
    if files.is_none() && !(RealIo.exists(&certificate) && RealIo.exists(&key)) {
        make(&certificate, &key)?;
    }
    check_private(&key)?;
    let unusable = |path: &Path, why: String| SqlError::new(SqlState("F0000"), format!("could not use \"{}\": {why}", path.display()));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(&certificate, error.to_string()))?;
    let secret = PrivateKeyDer::from_pem_slice(&read(&key)?).map_err(|error| unusable(&key, error.to_string()))?;
    let end_point = chain.first().and_then(|first| end_point(first)).map(Arc::from);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| unusable(&certificate, error.to_string()))?;
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), end_point })
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> SqlError {
    SqlError::new(SqlState::IO_ERROR, format!("could not {verb} \"{}\": {error}", path.display()))
}

fn read(path: &Path) -> SqlResult<Vec<u8>> {
    RealIo.open(path).and_then(|file| file.read_all()).map_err(|error| failed("read", path, &error))
}

/// T1
pub(crate) fn check_private(key: &Path) -> SqlResult<()> {
    let mode = std::fs::metadata(key).map_err(|error| failed("read", key, &error))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(SqlError::new(SqlState("F0000"), format!("private key file \"{}\" has group or world access", key.display()))
        .detail("File must have permissions u=rw (0600) or less."))
}

/// A certificate of our own, signed by itself, for this machine's names.
fn make(certificate: &Path, key: &Path) -> SqlResult<()> {
    let broken = |error: rcgen::Error| SqlError::internal(format!("making a certificate: {error}"));
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if !host.is_empty() && !names.contains(&host) && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        names.push(host);
    }
    let mut parameters = rcgen::CertificateParams::new(names).map_err(broken)?;
    let mut subject = rcgen::DistinguishedName::new();
    subject.push(rcgen::DnType::CommonName, "localhost");
    parameters.distinguished_name = subject;
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let pair = rcgen::KeyPair::generate().map_err(broken)?;
    let signed = parameters.self_signed(&pair).map_err(broken)?;
    write(key, pair.serialize_pem().as_bytes(), 0o600)?;
    write(certificate, signed.pem().as_bytes(), 0o644)
}

/// Puts a small file of ours under its name in one step.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> SqlResult<()> {
    let temporary = path.with_extension("writing");
    let written = (|| {
        if RealIo.exists(&temporary) {
            RealIo.remove(&temporary)?;
        }
        let file = RealIo.create_new(&temporary, mode)?;
        file.write_at(0, bytes)?;
        file.sync()?;
        RealIo.rename(&temporary, path)?;
        RealIo.sync_dir(path.parent().unwrap_or(Path::new(".")))
    })();
    written.map_err(|error: std::io::Error| failed("write", path, &error))
}

/// The certificate's hash by the algorithm it is signed with, SHA-256 in the place of MD5 and SHA-1 (RFC 5929, section 4.1).
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (body, _) = element(certificate, 0x30)?;
    let (_, rest) = element(body, 0x30)?;
    let (algorithm, _) = element(rest, 0x30)?;
    let (oid, _) = element(algorithm, 0x06)?;
    /// 1.2.840.113549.1.1, PKCS #1; then 5 SHA-1, 11 SHA-256, 12 SHA-384, 13 SHA-512.
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    /// 1.2.840.10045.4, ECDSA; then 1 SHA-1, or 3 and 2 SHA-256, 3 SHA-384, 4 SHA-512.
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    match (oid.strip_prefix(RSA), oid.strip_prefix(ECDSA)) {
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => Some(Sha256::digest(certificate).to_vec()),
        (Some([12]), _) | (_, Some([3, 3])) => Some(Sha384::digest(certificate).to_vec()),
        (Some([13]), _) | (_, Some([3, 4])) => Some(Sha512::digest(certificate).to_vec()),
        _ => None,
    }
}

/// The content of the DER element with this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first().filter(|(first, _)| **first == tag)?;
    debug_assert_eq!(*first, tag);
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}
