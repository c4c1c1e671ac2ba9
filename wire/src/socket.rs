//! A client's socket, encrypted or not.
//!
//! Never: buffers beyond what TLS itself must hold.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::server::TlsStream;

use crate::line::Line;
use crate::tls::Tls;

/// See the module.
pub(crate) enum Socket {
    Plain(Line),
    Tls(Box<TlsStream<Line>>),
    /// A handshake took the socket and did not bring it back.
    Gone,
}

impl Socket {
    /// Whether what crosses it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Does the handshake. Afterwards the socket is encrypted or gone.
    pub async fn encrypt(&mut self, tls: &Tls) -> io::Result<()> {
        if let Self::Plain(socket) = std::mem::replace(self, Self::Gone) {
            *self = Self::Tls(Box::new(tls.acceptor.accept(socket).await?));
        }
        Ok(())
    }

    /// Whether reads from now on begin with a look for bytes before the session goes to sleep.
    pub fn look_first(&mut self, looks: bool) {
        match self {
            Self::Plain(line) => line.look_first(looks),
            Self::Tls(stream) => stream.get_mut().0.look_first(looks),
            Self::Gone => {}
        }
    }

    /// Reads once; 0 at the end. May be dropped at any await without losing a byte.
    pub async fn read(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read_buf(input).await,
            Self::Tls(socket) => socket.read_buf(input).await,
            Self::Gone => Ok(0),
        }
    }

    /// Writes once. May be dropped at any await without losing a byte.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes).await,
            Self::Tls(socket) => socket.write(bytes).await,
            Self::Gone => Ok(0),
        }
    }

    /// Sends what TLS still holds.
    pub async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(socket) => socket.flush().await,
            Self::Plain(_) | Self::Gone => Ok(()),
        }
    }

    /// Closes the sending half.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.shutdown().await,
            Self::Tls(socket) => socket.shutdown().await,
            Self::Gone => Ok(()),
        }
    }
}
