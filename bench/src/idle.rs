//! Sessions that are logged in, have asked something once and now say nothing, spoken to in the bare protocol: no driver of ours is in between.
//!
//! I1: every session was answered by the server before it counts as held, and again before it is let go.
//! Never: encrypts or proves who it is; both servers trust loopback here.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::Outcome;
use crate::client::NAME;

/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Version 3.0 of the protocol.
const PROTOCOL: u32 = 196_608;

/// One open session.
pub struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// Logs in on loopback.
    ///
    /// # Errors
    /// Nobody listens, or the server refuses.
    pub fn open(port: u16) -> Outcome<Session> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, LIMIT).map_err(|e| format!("connect: {e}"))?;
        stream.set_read_timeout(Some(LIMIT)).map_err(|e| format!("connect: {e}"))?;
        let mut body = PROTOCOL.to_be_bytes().to_vec();
        for word in ["user", NAME, "database", NAME, ""] {
            body.extend_from_slice(word.as_bytes());
            body.push(0);
        }
        let mut session = Session { stream: BufReader::with_capacity(512, stream) };
        session.send(None, &body)?;
        session.until_ready()?;
        Ok(session)
    }

    /// Runs one statement and throws the answer away.
    ///
    /// # Errors
    /// The server's, or the connection is lost.
    pub fn ask(&mut self, statement: &str) -> Outcome<()> {
        self.send(Some(b'Q'), &[statement.as_bytes(), &[0]].concat())?;
        self.until_ready()
    }

    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> Outcome<()> {
        let length = (body.len() as u32 + 4).to_be_bytes();
        let message = [kind.as_slice(), &length, body].concat();
        self.stream.get_mut().write_all(&message).map_err(|e| format!("send: {e}"))
    }

    fn until_ready(&mut self) -> Outcome<()> {
        loop {
            let mut head = [0; 5];
            self.stream.read_exact(&mut head).map_err(|e| format!("receive: {e}"))?;
            let [kind, length @ ..] = head;
            let mut body = vec![0; (u32::from_be_bytes(length) as usize).saturating_sub(4).min(1 << 20)];
            self.stream.read_exact(&mut body).map_err(|e| format!("receive: {e}"))?;
            match kind {
                b'Z' => return Ok(()),
                b'E' => return Err(format!("the server refused: {}", String::from_utf8_lossy(&body).replace('\0', " "))),
                _ => {}
            }
        }
    }
}

/// KiB of memory that each idle session adds to what `memory` says (bytes), while `count` are held.
///
/// # Errors
/// A session was refused or lost, or memory cannot be read.
pub fn kib_each(port: u16, count: usize, memory: impl Fn() -> Outcome<u64>) -> Outcome<f64> {
    let mut held = Vec::with_capacity(count);
    // What the first session makes the server load is not its own.
    held.push(busy_once(port)?);
    let before = memory()?;
    for _ in 1..count {
        held.push(busy_once(port)?);
    }
    let after = memory()?;
    held.iter_mut().try_for_each(|session| session.ask("SELECT 1"))?;
    Ok(after.saturating_sub(before) as f64 / 1024.0 / (count - 1) as f64)
}

fn busy_once(port: u16) -> Outcome<Session> {
    let mut session = Session::open(port)?;
    session.ask("SELECT 1")?;
    Ok(session)
}
