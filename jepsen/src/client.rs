//! A Postgres client of the simple protocol and nothing more: start without a password, ask, take rows or an error.
//!
//! Never: asks again after an error of the connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Protocol 3.0.
const VERSION: u32 = 196_608;
/// An answer comes within this or the connection counts as lost.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Longest message taken.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Rows of an answer, each value as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// Why a question has no rows for an answer.
#[derive(Debug)]
pub enum Failure {
    /// The server said so: SQLSTATE and message.
    Refused(String, String),
    /// The connection was lost; what was asked may have happened or not.
    Lost(io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(state, message) => write!(f, "{state} {message}"),
            Self::Lost(error) => write!(f, "connection lost: {error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
}

impl Client {
    /// Connects as user and database `shockwave`.
    pub fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream };
        let words = b"user\0shockwave\0database\0shockwave\0\0";
        let mut message = Vec::with_capacity(8 + words.len());
        message.extend_from_slice(&(8 + words.len() as u32).to_be_bytes());
        message.extend_from_slice(&VERSION.to_be_bytes());
        message.extend_from_slice(words);
        client.stream.write_all(&message)?;
        client.answer()?;
        Ok(client)
    }

    /// Asks; rows of all statements in `sql` together.
    pub fn query(&mut self, sql: &str) -> Result<Rows, Failure> {
        let mut message = Vec::with_capacity(6 + sql.len());
        message.push(b'Q');
        message.extend_from_slice(&(5 + sql.len() as u32).to_be_bytes());
        message.extend_from_slice(sql.as_bytes());
        message.push(0);
        self.stream.write_all(&message)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Rows, Failure> {
        let mut rows = Rows::new();
        let mut refused = None;
        loop {
            let (kind, body) = self.message()?;
            match kind {
                b'D' => rows.push(row(&body).ok_or_else(|| broken("a DataRow that cannot be read"))?),
                b'E' => refused = Some(refusal(&body)),
                b'R' if body != [0; 4] => return Err(broken("a password is asked for").into()),
                b'Z' => return refused.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    fn message(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let length =
            length.checked_sub(4).filter(|length| *length <= MESSAGE_BYTES_MAX).ok_or_else(|| broken("a message of no sane length"))?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((head[0], body))
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn row(mut body: &[u8]) -> Option<Vec<Option<String>>> {
    let (count, rest) = body.split_first_chunk::<2>()?;
    body = rest;
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, rest) = body.split_first_chunk::<4>()?;
        body = rest;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            values.push(None);
            continue;
        };
        let (value, rest) = body.split_at_checked(length)?;
        body = rest;
        values.push(Some(String::from_utf8_lossy(value).into_owned()));
    }
    Some(values)
}

fn refusal(body: &[u8]) -> Failure {
    let field = |code: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&code));
        found.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).unwrap_or_default()
    };
    Failure::Refused(field(b'C'), field(b'M'))
}
