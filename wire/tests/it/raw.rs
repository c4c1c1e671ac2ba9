//! A client that sends exactly the bytes it is told to. Messages are encoded and decoded by pgwire, not by the code under test.

use std::net::SocketAddr;

use bytes::BytesMut;
use pgwire::messages::extendedquery as pg;
use pgwire::messages::simplequery::Query;
use pgwire::messages::startup::Startup;
use pgwire::messages::{DecodeContext, Message, PgWireBackendMessage as Backend, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Raw {
    pub socket: TcpStream,
    input: BytesMut,
}

impl Raw {
    /// A socket on which nothing has been said.
    pub async fn open(address: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(address).await.unwrap(), input: BytesMut::new() }
    }

    /// A session, greeted up to ReadyForQuery.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut raw = Self::open(address).await;
        raw.send(&startup(&[("user", "shockwave")])).await;
        raw.until_ready().await;
        raw
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.unwrap();
    }

    /// The next message, or `None` at the end of the stream.
    pub async fn receive(&mut self) -> Option<Backend> {
        let mut context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
        context.awaiting_frontend_ssl = false;
        context.awaiting_frontend_startup = false;
        loop {
            if let Some(message) = Backend::decode(&mut self.input, &context).unwrap() {
                return Some(message);
            }
            if self.socket.read_buf(&mut self.input).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Everything up to and including ReadyForQuery or the end, each as one short text.
    pub async fn until_ready(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(message) = self.receive().await {
            let ready = matches!(message, Backend::ReadyForQuery(_));
            seen.push(describe(&message));
            if ready {
                break;
            }
        }
        seen
    }

    /// Sends and collects.
    pub async fn ask(&mut self, messages: &[Vec<u8>]) -> Vec<String> {
        self.send(&messages.concat()).await;
        self.until_ready().await
    }
}

fn encode(message: &impl Message) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes).unwrap();
    bytes.to_vec()
}

pub fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut message = Startup::new();
    message.parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    encode(&message)
}

fn name(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

pub fn query(text: &str) -> Vec<u8> {
    encode(&Query::new(text.to_owned()))
}

pub fn parse(statement: &str, text: &str) -> Vec<u8> {
    encode(&pg::Parse::new(name(statement), text.to_owned(), vec![]))
}

/// Text parameters, text results.
pub fn bind(portal: &str, statement: &str, parameters: &[&str]) -> Vec<u8> {
    let parameters = parameters.iter().map(|value| Some(bytes::Bytes::copy_from_slice(value.as_bytes()))).collect();
    encode(&pg::Bind::new(name(portal), name(statement), vec![], parameters, vec![]))
}

pub fn execute(portal: &str, rows_max: i32) -> Vec<u8> {
    encode(&pg::Execute::new(name(portal), rows_max))
}

pub fn describe_statement(statement: &str) -> Vec<u8> {
    encode(&pg::Describe::new(b'S', name(statement)))
}

pub fn describe_portal(portal: &str) -> Vec<u8> {
    encode(&pg::Describe::new(b'P', name(portal)))
}

pub fn close_statement(statement: &str) -> Vec<u8> {
    encode(&pg::Close::new(b'S', name(statement)))
}

pub fn sync() -> Vec<u8> {
    vec![b'S', 0, 0, 0, 4]
}

pub fn flush() -> Vec<u8> {
    vec![b'H', 0, 0, 0, 4]
}

/// Any tag with any body.
pub fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// One message as a test reads it.
fn describe(message: &Backend) -> String {
    match message {
        Backend::ReadyForQuery(ready) => format!("Ready {}", ready.status as u8 as char),
        Backend::CommandComplete(done) => format!("Complete {}", done.tag),
        Backend::ErrorResponse(error) => {
            let field = |code: u8| error.fields.iter().find(|(c, _)| *c == code).map_or("", |(_, value)| value.as_str());
            format!("{} {} {}", field(b'S'), field(b'C'), field(b'M'))
        }
        Backend::NoticeResponse(notice) => {
            let field = |code: u8| notice.fields.iter().find(|(c, _)| *c == code).map_or("", |(_, value)| value.as_str());
            format!("Notice {} {}", field(b'S'), field(b'C'))
        }
        Backend::DataRow(row) => format!("Row {}", values(&row.data)),
        Backend::RowDescription(rows) => {
            let names: Vec<&str> = rows.fields.iter().map(|field| field.name.as_str()).collect();
            format!("Columns {}", names.join(","))
        }
        Backend::ParameterDescription(parameters) => format!("Parameters {:?}", parameters.types),
        Backend::ParameterStatus(status) => format!("Status {}={}", status.name, status.value),
        Backend::EmptyQueryResponse(_) => "Empty".to_owned(),
        Backend::ParseComplete(_) => "Parsed".to_owned(),
        Backend::BindComplete(_) => "Bound".to_owned(),
        Backend::CloseComplete(_) => "Closed".to_owned(),
        Backend::NoData(_) => "NoData".to_owned(),
        Backend::PortalSuspended(_) => "Suspended".to_owned(),
        Backend::CopyOutResponse(copy) => format!("CopyOut {}", copy.columns),
        Backend::CopyData(data) => format!("Data {}", String::from_utf8_lossy(&data.data)),
        Backend::CopyDone(_) => "CopyDone".to_owned(),
        Backend::CopyInResponse(copy) => format!("CopyIn {}", copy.columns),
        Backend::NegotiateProtocolVersion(version) => {
            format!("Negotiate {} {:?}", version.newest_minor_protocol, version.unsupported_options)
        }
        other => format!("{other:?}"),
    }
}

/// Text values of a DataRow, joined by `|`.
fn values(mut data: &[u8]) -> String {
    let mut out = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk() {
        match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_) => {
                out.push("NULL".to_owned());
                data = rest;
            }
            Ok(length) => {
                out.push(String::from_utf8_lossy(&rest[..length]).into_owned());
                data = &rest[length..];
            }
        }
    }
    out.join("|")
}
