//! The witness over HTTP/1.1: `POST /add-checkpoint`, and nothing else.
//!
//! V1: a request has 256 KiB at most and ten seconds to arrive; there are so many connections at once and no more.
//! V2: the disk is waited for on a thread of its own; no connection waits for the request of another log.
//! Never: answers 200 before the register has kept what it answers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use receipts::witness::Refusal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Register;
use super::register::Unsigned;
use crate::shutdown::Shutdown;

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 256 << 10;
/// What a client gets to send a request, and between two.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
/// Connections at once.
const CONNECTIONS_MAX: usize = 256;
/// What connections get at shutdown.
const GRACE: Duration = Duration::from_secs(2);

/// A bound socket in front of a [`Register`].
pub struct Service {
    socket: TcpListener,
    address: SocketAddr,
    register: Arc<Register>,
    shutdown: Shutdown,
}

impl Service {
    /// Binds the address. Errors: 58030.
    pub async fn bind(listen: SocketAddr, register: Register) -> SqlResult<Self> {
        let failed = |error: std::io::Error| SqlError::new(SqlState::IO_ERROR, format!("could not listen on {listen}: {error}"));
        let socket = TcpListener::bind(listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address, register: Arc::new(register), shutdown: Shutdown::new() })
    }

    /// The bound address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The signal that ends [`run`](Service::run).
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Answers until the shutdown signal.
    pub async fn run(self) {
        let Self { socket, register, shutdown, .. } = self;
        let mut over = shutdown.watch();
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = over.requested() => break,
                Some(_ended) = connections.join_next() => {}
                accepted = socket.accept() => match accepted {
                    // Without a permit the socket is dropped (V1).
                    Ok((client, _)) => if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                        let (register, over) = (Arc::clone(&register), shutdown.watch());
                        connections.spawn(async move {
                            serve(client, register, over).await;
                            drop(permit);
                        });
                    },
                    // Out of descriptors or a client that gave up: the next accept may do better.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        drop(tokio::time::timeout(GRACE, ended).await);
    }
}

async fn serve(client: TcpStream, register: Arc<Register>, mut over: crate::shutdown::Watch) {
    drop(client.set_nodelay(true));
    let service = service_fn(move |request| {
        let register = Arc::clone(&register);
        async move { Ok::<_, Infallible>(answer(request, register).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE_TIME_MAX).max_buf_size(64 << 10);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(client), service));
    // How a connection ends is its client's affair.
    tokio::select! {
        _ended = connection.as_mut() => {}
        () = over.requested() => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

async fn answer(request: Request<Incoming>, register: Arc<Register>) -> Response<Full<Bytes>> {
    if request.uri().path() != "/add-checkpoint" {
        return said(StatusCode::NOT_FOUND, "there is nothing but /add-checkpoint");
    }
    if request.method() != Method::POST {
        let mut refused = said(StatusCode::METHOD_NOT_ALLOWED, "add-checkpoint is asked by POST");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return refused;
    }
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(REQUEST_TIME_MAX, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return said(StatusCode::PAYLOAD_TOO_LARGE, "a request has at most 256 KiB");
        }
        Ok(Err(_)) => return said(StatusCode::BAD_REQUEST, "the request ended early"),
        Err(_elapsed) => return said(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in ten seconds"),
    };
    match tokio::task::spawn_blocking(move || register.add_checkpoint(&body)).await {
        Ok(Ok(line)) => text(StatusCode::OK, "text/plain; charset=utf-8", line),
        Ok(Err(Unsigned::Refused(refusal))) => refused(&refusal),
        Ok(Err(Unsigned::Failed(why))) => {
            eprintln!("a checkpoint was not cosigned: {why}");
            said(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot keep what it would cosign")
        }
        Err(_panic) => said(StatusCode::INTERNAL_SERVER_ERROR, "the witness met a defect"),
    }
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match refusal {
        Refusal::Stale(size) => text(status, "text/x.tlog.size", format!("{size}\n")),
        Refusal::Malformed(error) => said(status, &error.to_string()),
        Refusal::Unsigned => said(status, "no trusted key of the log has signed the checkpoint, or a line of one does not verify"),
        Refusal::UnknownLog => said(status, "the log is not one of this witness's"),
        Refusal::Fork => said(status, "another root was cosigned at this size"),
        Refusal::BadProof => said(status, "the proof does not lead from the checkpoint that was cosigned last to this one"),
    }
}

fn said(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    text(status, "text/plain; charset=utf-8", format!("{why}\n"))
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
