//! The numbers of all databases as Prometheus reads them: `GET /metrics` on a loopback port.
//!
//! M1: loopback only: the numbers say nothing of rows, but nobody proves who he is here.
//! M2: at most [`READERS_MAX`] connections, each for at most [`READER_TIME_MAX`]; more are closed at once.
//! Never: changes anything; waits for a writer.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};
use engine::gauges::Gauge;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use planner::Databases;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

const READERS_MAX: usize = 16;
const READER_TIME_MAX: Duration = Duration::from_secs(30);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A bound port.
pub(crate) struct Metrics {
    socket: TcpListener,
    databases: Arc<Databases>,
}

impl Metrics {
    /// Binds a loopback address. Errors: 0A000 for another one (M1), 58030.
    pub async fn bind(address: SocketAddr, databases: Arc<Databases>) -> SqlResult<Self> {
        if !address.ip().is_loopback() {
            let message = format!("will not show metrics on {address}: it is not a loopback address");
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                .hint("Take 127.0.0.1 or [::1], and put a proxy that knows its readers in front of it."));
        }
        let failed = |error: std::io::Error| SqlError::new(SqlState::IO_ERROR, format!("could not listen on {address}: {error}"));
        Ok(Self { socket: TcpListener::bind(address).await.map_err(failed)?, databases })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Answers until it is dropped.
    pub async fn run(self) {
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        loop {
            let Ok((reader, _)) = self.socket.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(permit) = Arc::clone(&readers).try_acquire_owned() else { continue };
            let databases = Arc::clone(&self.databases);
            tokio::spawn(async move {
                let service = service_fn(|request| answer(request, &databases));
                // A reader that leaves or takes too long is his own concern.
                drop(timeout(READER_TIME_MAX, http1::Builder::new().serve_connection(TokioIo::new(reader), service)).await);
                drop(permit);
            });
        }
    }
}

async fn answer(request: Request<Incoming>, databases: &Databases) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, shown(databases)),
        (&Method::GET | &Method::HEAD, _) => (StatusCode::NOT_FOUND, "there is /metrics\n".to_owned()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "GET /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(TEXT));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    Ok(response)
}

/// All numbers, those of one name together.
fn shown(databases: &Databases) -> String {
    let all: Vec<(String, Vec<Gauge>)> = databases.all().iter().map(|database| (database.name().to_owned(), database.gauges())).collect();
    text_of(&all)
}

fn text_of(all: &[(String, Vec<Gauge>)]) -> String {
    let mut names: Vec<&Gauge> = Vec::new();
    for gauge in all.iter().flat_map(|(_, gauges)| gauges) {
        if names.iter().all(|known| known.name != gauge.name) {
            names.push(gauge);
        }
    }
    let mut out = String::new();
    for first in names {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "# HELP {} {}\n# TYPE {} {}", first.name, first.about, first.name, first.kind.name());
        for (database, gauge) in all.iter().flat_map(|(database, gauges)| gauges.iter().map(move |gauge| (database, gauge))) {
            if gauge.name == first.name {
                let _ = write!(out, "{}{{database=\"{}\"", gauge.name, escaped(database));
                if let Some((label, value)) = &gauge.label {
                    let _ = write!(out, ",{label}=\"{}\"", escaped(value));
                }
                let _ = writeln!(out, "}} {}", gauge.value);
            }
        }
    }
    out
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use engine::gauges::Kind;

    use super::*;

    #[test]
    fn numbers_of_one_name_stand_together_under_their_help() {
        let gauge = |name, label: Option<(&'static str, String)>, value| Gauge { name, label, kind: Kind::Gauge, value, about: "About." };
        let levels = |value| {
            vec![
                gauge("a", None, value),
                gauge("b", Some(("level", "0".to_owned())), 1.5),
                gauge("b", Some(("level", "1".to_owned())), 2.0),
            ]
        };
        let text = text_of(&[("one".to_owned(), levels(3.0)), ("a \"b\"".to_owned(), levels(4.0))]);
        let wanted = "# HELP a About.\n# TYPE a gauge\na{database=\"one\"} 3\na{database=\"a \\\"b\\\"\"} 4\n\
                      # HELP b About.\n# TYPE b gauge\nb{database=\"one\",level=\"0\"} 1.5\nb{database=\"one\",level=\"1\"} 2\n\
                      b{database=\"a \\\"b\\\"\",level=\"0\"} 1.5\nb{database=\"a \\\"b\\\"\",level=\"1\"} 2\n";
        assert_eq!(text, wanted);
    }
}
