//! A blocking session of the simple protocol that keeps everything a server says of a statement.
//!
//! Both servers are asked by the same code, so a difference is theirs. Connection failures are errors of the statement, not of the test: a
//! server that hangs up is a difference like any other.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use super::answer::{Answer, cell, type_name};

/// Longer than any statement here takes; a server that says nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Session {
    socket: TcpStream,
    /// Nothing more can be asked.
    pub is_lost: bool,
}

impl Session {
    /// A session of `user` in `database`, greeted.
    pub fn open(port: u16, database: &str, user: &str) -> std::io::Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_nodelay(true)?;
        let mut session = Self { socket, is_lost: false };
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        let settings =
            [("user", user), ("database", database), ("client_encoding", "UTF8"), ("DateStyle", "ISO, MDY"), ("TimeZone", "UTC")];
        for (name, value) in settings {
            body.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        body.push(0);
        session.socket.write_all(&(body.len() as u32 + 4).to_be_bytes())?;
        session.socket.write_all(&body)?;
        match session.answer()? {
            Answer::Failed { state, message } => Err(std::io::Error::other(format!("{state} {message}"))),
            _ => Ok(session),
        }
    }

    /// What the server says to one statement.
    pub fn ask(&mut self, sql: &str) -> Answer {
        let asked = self.send(b'Q', format!("{sql}\0").as_bytes()).and_then(|()| self.answer());
        asked.unwrap_or_else(|error| {
            self.is_lost = true;
            Answer::Failed { state: "08006".to_owned(), message: format!("connection lost: {error}") }
        })
    }

    fn send(&mut self, tag: u8, body: &[u8]) -> std::io::Result<()> {
        let message = [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat();
        self.socket.write_all(&message)
    }

    fn receive(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.socket.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length.saturating_sub(4)];
        self.socket.read_exact(&mut body)?;
        Ok((head[0], body))
    }

    /// Everything up to ReadyForQuery; of several results the last, of an error the error.
    fn answer(&mut self) -> std::io::Result<Answer> {
        let mut header = None;
        let mut rows = Vec::new();
        let mut answer = Answer::Done(String::new());
        loop {
            let (tag, body) = self.receive()?;
            match tag {
                b'T' => {
                    header = Some(columns(&body));
                    rows.clear();
                }
                b'D' => rows.push(row(&body)),
                b'C' => {
                    let tag = String::from_utf8_lossy(&body[..body.len() - 1]).into_owned();
                    if !matches!(answer, Answer::Failed { .. }) {
                        answer = match header.take() {
                            Some(header) => Answer::Rows { header, rows: std::mem::take(&mut rows), tag },
                            None => Answer::Done(tag),
                        };
                    }
                }
                b'E' => answer = failure(&body),
                // COPY FROM STDIN has its own tests; here it only must not hang.
                b'G' => self.send(b'f', b"no data\0")?,
                b'Z' => return Ok(answer),
                _ => {}
            }
        }
    }
}

fn failure(body: &[u8]) -> Answer {
    let fields: Vec<String> = body.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    let field = |code: char| fields.iter().find_map(|field| field.strip_prefix(code)).unwrap_or("").to_owned();
    Answer::Failed { state: field('C'), message: field('M') }
}

/// `name:type|name:type`.
fn columns(body: &[u8]) -> String {
    let mut at = 2;
    let mut shown = Vec::new();
    while at < body.len() {
        let end = at + body[at..].iter().position(|byte| *byte == 0).unwrap();
        let oid = u32::from_be_bytes(body[end + 7..end + 11].try_into().unwrap());
        shown.push(format!("{}:{}", cell(Some(&String::from_utf8_lossy(&body[at..end]))), type_name(oid)));
        at = end + 19;
    }
    shown.join("|")
}

fn row(body: &[u8]) -> String {
    let mut at = 2;
    let mut shown = Vec::new();
    while at < body.len() {
        let length = i32::from_be_bytes(body[at..at + 4].try_into().unwrap());
        at += 4;
        let value = usize::try_from(length).ok().map(|length| String::from_utf8_lossy(&body[at..at + length]).into_owned());
        at += usize::try_from(length).unwrap_or(0);
        shown.push(cell(value.as_deref()));
    }
    shown.join("|")
}
