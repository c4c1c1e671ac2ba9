//! One service over HTTP/1.1, plain or in TLS: a connection that is kept, and opened anew where it is gone.
//!
//! H1: a request ends within [`REQUEST_TIME_MAX`]; of an answer so many bytes are read and no more.
//! Never: follows a redirect, or asks twice by itself.

mod address;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

pub(crate) use address::Address;
pub(crate) use trust::{read, trust};

/// From the first byte of a connection to the last of an answer.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of an answer: more than sixteen lines of cosignatures, or a timestamp with its certificates.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Characters of an answer that are shown.
const SHOWN_MAX: usize = 200;

/// What a service answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    /// What the body is said to be, without parameters; empty if nothing is said.
    pub kind: String,
    pub body: Bytes,
}

impl Answer {
    /// What is wrong, as a text that repaints no terminal; for a status that is no success.
    pub(crate) fn complaint(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let said: String = body.trim_end().chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
        format!("HTTP {}: {said}", self.status.as_u16())
    }
}

/// A way to one service.
pub(crate) struct Client {
    address: Address,
    tls: Option<Arc<ClientConfig>>,
    connection: Option<(SendRequest<Full<Bytes>>, Driver)>,
}

/// What moves the bytes of a connection; ends with it.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Client {
    pub(crate) fn new(address: Address, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { address, tls, connection: None }
    }

    /// Hands in something of a kind (H1). The error is for people.
    pub(crate) async fn post(&mut self, kind: &'static str, body: Bytes) -> Result<Answer, String> {
        let answered = match timeout(REQUEST_TIME_MAX, self.ask(kind, body)).await {
            Ok(answered) => answered,
            Err(_elapsed) => Err(format!("no answer in {} seconds", REQUEST_TIME_MAX.as_secs())),
        };
        if answered.is_err() {
            self.connection = None;
        }
        answered
    }

    async fn ask(&mut self, kind: &'static str, body: Bytes) -> Result<Answer, String> {
        let is_usable = match &mut self.connection {
            Some((sender, _)) => sender.ready().await.is_ok(),
            None => false,
        };
        if !is_usable {
            self.connection = Some(self.connect().await?);
        }
        let Some((sender, _)) = &mut self.connection else { return Err("there is no connection".to_owned()) };
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.address.path)
            .header(HOST, &self.address.authority)
            .header(CONTENT_TYPE, kind)
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| format!("the request failed: {error}"))?;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("the answer could not be read: {error}"))?.to_bytes();
        Ok(Answer { status, kind, body })
    }

    async fn connect(&self) -> Result<(SendRequest<Full<Bytes>>, Driver), String> {
        let Address { host, port, .. } = &self.address;
        let socket = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| format!("could not connect: {error}"))?;
        drop(socket.set_nodelay(true));
        match &self.tls {
            Some(tls) if self.address.is_encrypted => {
                let name = ServerName::try_from(host.clone()).map_err(|error| format!("{host}: {error}"))?;
                let connected = TlsConnector::from(Arc::clone(tls)).connect(name, socket).await;
                speak(connected.map_err(|error| format!("could not encrypt: {error}"))?).await
            }
            _ if self.address.is_encrypted => Err("there are no certificates to trust".to_owned()),
            _ => speak(socket).await,
        }
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(socket: S) -> Result<(SendRequest<Full<Bytes>>, Driver), String> {
    let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(|error| format!("could not speak HTTP: {error}"))?;
    // How it ended is told to whoever asks next.
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok((sender, Driver(driver)))
}
