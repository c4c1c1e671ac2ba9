//! One witness over HTTP/1.1, plain or in TLS: a connection that is kept, and opened anew where it is gone.
//!
//! H1: a request ends within [`REQUEST_TIME_MAX`]; of an answer so many bytes are read and no more.
//! Never: follows a redirect, or asks twice by itself.

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

use super::witnesses::Address;

/// From the first byte of a connection to the last of an answer.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of an answer: more than sixteen lines.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What a witness answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    /// Whether the body is the size of what was cosigned last.
    pub is_size: bool,
    pub body: String,
}

/// A way to one witness.
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

    /// Hands in a checkpoint (H1). The error is for people.
    pub(crate) async fn add_checkpoint(&mut self, body: String) -> Result<Answer, String> {
        let answered = match timeout(REQUEST_TIME_MAX, self.ask(body)).await {
            Ok(answered) => answered,
            Err(_elapsed) => Err(format!("no answer in {} seconds", REQUEST_TIME_MAX.as_secs())),
        };
        if answered.is_err() {
            self.connection = None;
        }
        answered
    }

    async fn ask(&mut self, body: String) -> Result<Answer, String> {
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
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| format!("the request failed: {error}"))?;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_size = kind.split(';').next().is_some_and(|kind| kind.trim() == "text/x.tlog.size");
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("the answer could not be read: {error}"))?.to_bytes();
        Ok(Answer { status, is_size, body: String::from_utf8_lossy(&body).into_owned() })
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
