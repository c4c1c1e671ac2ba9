//! One client's socket with an input and an output buffer, cut into protocol messages.
//!
//! C1: `next`, `read_more` and `flush` may be dropped at any await without losing or repeating a byte.
//! C2: a message is handed out whole or not at all; a length that lies never makes a buffer grow ahead of the bytes that came.
//! C3: COPY data is taken as it arrives, whatever the size of its message.
//! Never: knows what a message means beyond its tag.

use bytes::{Buf, Bytes, BytesMut};
use tokio::net::TcpStream;

use crate::backend::{FLUSH_BYTES, Output};
use crate::config::Config;
use crate::line::Line;
use crate::socket::Socket;
use crate::tls::Tls;

/// Room asked for before a read outside COPY and long messages.
const READ_BYTES: usize = 8 << 10;
/// Room asked for before a read inside COPY or a long message.
const READ_BYTES_BULK: usize = 256 << 10;
/// Longest message of a client that has not said who it is; Postgres's own limit.
const UNKNOWN_BYTES_MAX: usize = 65_535;
/// Tag and length.
const HEADER_BYTES: usize = 5;

/// Why no further message can be read.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The client closed the socket, or it broke.
    Closed,
    /// A length no message can have: framing is gone, only closing helps.
    InvalidLength {
        /// The message's tag.
        tag: u8,
    },
}

impl From<std::io::Error> for Lost {
    fn from(_: std::io::Error) -> Self {
        Self::Closed
    }
}

/// One message of the client.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Message type.
    pub tag: u8,
    /// The body, without the length.
    pub body: Bytes,
    /// The body was longer than a statement may be and has been thrown away.
    pub oversized: bool,
}

/// What the input buffer held while in COPY.
#[derive(Debug)]
pub(crate) enum CopyStep {
    /// The chunk is full; take it and come back.
    Full,
    /// Everything that had arrived is in the chunk.
    NeedMore,
    /// CopyDone.
    Done,
    /// CopyFail with the client's reason.
    Fail(Bytes),
    /// A message that has no place inside COPY.
    Unexpected(u8),
}

/// A client's socket and its buffers.
pub(crate) struct Channel {
    socket: Socket,
    /// What channel binding binds to, on an encrypted connection.
    end_point: Option<std::sync::Arc<[u8]>>,
    input: BytesMut,
    /// Answers not yet sent.
    pub output: Output,
    /// Bytes of the current CopyData message not yet taken.
    copy_remaining: usize,
    /// A message being thrown away: tag, bytes still to come, and whether to report it as oversized.
    skipping: Option<(u8, usize, bool)>,
    statement_bytes_max: usize,
    message_bytes_max: usize,
}

impl Channel {
    pub fn new(socket: TcpStream, config: &Config) -> Self {
        Self {
            socket: Socket::Plain(Line::new(socket)),
            end_point: None,
            input: BytesMut::new(),
            output: Output::default(),
            copy_remaining: 0,
            skipping: None,
            statement_bytes_max: config.statement_bytes_max,
            message_bytes_max: UNKNOWN_BYTES_MAX,
        }
    }

    /// The client is known: its messages may be as long as `config` says.
    pub fn admit(&mut self, config: &Config) {
        self.message_bytes_max = config.message_bytes_max;
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.socket.is_encrypted()
    }

    /// What channel binding binds to.
    pub fn end_point(&self) -> Option<&[u8]> {
        self.end_point.as_deref()
    }

    /// Agrees to encrypt and does the handshake.
    pub async fn encrypt(&mut self, tls: &Tls) -> Result<(), Lost> {
        self.answer_encryption(b"S").await?;
        self.socket.encrypt(tls).await?;
        self.end_point = tls.end_point.clone();
        Ok(())
    }

    /// Waits for one whole message (C1).
    pub async fn next(&mut self) -> Result<Frame, Lost> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(frame);
            }
            self.read_more().await?;
        }
    }

    /// Waits for one message without a tag, as before a session starts: the body after the length (C1).
    pub async fn next_untagged(&mut self, bytes_max: usize) -> Result<Bytes, Lost> {
        loop {
            if let Some(length) = be_length(&self.input, 0) {
                if !(8..=bytes_max).contains(&length) {
                    return Err(Lost::InvalidLength { tag: 0 });
                }
                if self.input.len() >= length {
                    return Ok(self.input.split_to(length).freeze());
                }
            }
            self.read_more().await?;
        }
    }

    /// Longest statement that is kept, bytes.
    pub fn statement_bytes_max(&self) -> usize {
        self.statement_bytes_max
    }

    /// Whether bytes wait that no message has taken.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Tag of the next message if its header has already arrived.
    pub fn peek_tag(&self) -> Option<u8> {
        (self.skipping.is_none() && self.input.len() >= HEADER_BYTES).then(|| self.input[0])
    }

    /// The next whole message among the bytes that have arrived.
    fn buffered(&mut self) -> Result<Option<Frame>, Lost> {
        if let Some((tag, remaining, oversized)) = self.skipping {
            let bytes = remaining.min(self.input.len());
            self.input.advance(bytes);
            if bytes < remaining {
                self.skipping = Some((tag, remaining - bytes, oversized));
                return Ok(None);
            }
            self.skipping = None;
            if oversized {
                return Ok(Some(Frame { tag, body: Bytes::new(), oversized }));
            }
        }
        let Some(length) = be_length(&self.input, 1) else { return Ok(None) };
        let tag = self.input[0];
        if length < 4 || length > self.message_bytes_max || !is_frontend_tag(tag) {
            return Err(Lost::InvalidLength { tag });
        }
        if matches!(tag, b'Q' | b'P') && length > self.statement_bytes_max {
            self.input.advance(HEADER_BYTES);
            self.skipping = Some((tag, length - 4, true));
            return self.skip_started();
        }
        if self.input.len() < length + 1 {
            return Ok(None);
        }
        let mut body = self.input.split_to(length + 1);
        body.advance(HEADER_BYTES);
        Ok(Some(Frame { tag, body: body.freeze(), oversized: false }))
    }

    fn skip_started(&mut self) -> Result<Option<Frame>, Lost> {
        let Some((tag, remaining, oversized)) = self.skipping else { return Ok(None) };
        let bytes = remaining.min(self.input.len());
        self.input.advance(bytes);
        self.skipping = (bytes < remaining).then_some((tag, remaining - bytes, oversized));
        Ok(self.skipping.is_none().then(|| Frame { tag, body: Bytes::new(), oversized }))
    }

    /// Moves COPY data that has arrived to the end of `chunk`, up to `chunk_bytes_max` (C3).
    pub fn take_copy(&mut self, chunk: &mut Vec<u8>, chunk_bytes_max: usize) -> Result<CopyStep, Lost> {
        loop {
            if self.copy_remaining > 0 {
                let bytes = self.copy_remaining.min(self.input.len()).min(chunk_bytes_max.saturating_sub(chunk.len()));
                chunk.extend_from_slice(&self.input[..bytes]);
                self.input.advance(bytes);
                self.copy_remaining -= bytes;
                if chunk.len() >= chunk_bytes_max {
                    return Ok(CopyStep::Full);
                }
                if self.copy_remaining > 0 {
                    return Ok(CopyStep::NeedMore);
                }
            }
            let Some(length) = be_length(&self.input, 1) else { return Ok(CopyStep::NeedMore) };
            let tag = self.input[0];
            if tag == b'd' && (4..=self.message_bytes_max).contains(&length) {
                self.input.advance(HEADER_BYTES);
                self.copy_remaining = length - 4;
                continue;
            }
            let Some(frame) = self.buffered()? else { return Ok(CopyStep::NeedMore) };
            match frame.tag {
                b'c' => return Ok(CopyStep::Done),
                b'f' => return Ok(CopyStep::Fail(frame.body)),
                b'H' | b'S' => {}
                other => return Ok(CopyStep::Unexpected(other)),
            }
        }
    }

    /// Leaves COPY: what is left of a CopyData message is thrown away by the next read.
    pub fn end_copy(&mut self) {
        if self.copy_remaining > 0 {
            self.skipping = Some((b'd', self.copy_remaining, false));
            self.copy_remaining = 0;
        }
    }

    /// Reads once from the socket into the input buffer (C1).
    pub async fn read_more(&mut self) -> Result<(), Lost> {
        let bulk = self.copy_remaining > 0 || self.skipping.is_some() || self.input.len() >= READ_BYTES;
        self.input.reserve(if bulk { READ_BYTES_BULK } else { READ_BYTES });
        // A look goes behind the runtime's back; a client that never lets the socket run dry must not keep its thread from the others.
        tokio::task::coop::consume_budget().await;
        self.socket.look_first(!bulk);
        match self.socket.read(&mut self.input).await? {
            0 => Err(Lost::Closed),
            _ => Ok(()),
        }
    }

    /// Sends everything that waits (C1).
    pub async fn flush(&mut self) -> Result<(), Lost> {
        while !self.output.is_empty() {
            match self.socket.write(self.output.unsent()).await? {
                0 => return Err(Lost::Closed),
                count => self.output.sent(count),
            }
        }
        Ok(self.socket.flush().await?)
    }

    /// Sends what waits if it has grown past [`FLUSH_BYTES`].
    pub async fn flush_if_full(&mut self) -> Result<(), Lost> {
        if self.output.len() >= FLUSH_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Declines an encryption request.
    pub async fn refuse_encryption(&mut self) -> Result<(), Lost> {
        self.answer_encryption(b"N").await
    }

    /// One byte at once: the answer to an encryption request.
    async fn answer_encryption(&mut self, answer: &[u8; 1]) -> Result<(), Lost> {
        match self.socket.write(answer).await? {
            1 => Ok(()),
            _ => Err(Lost::Closed),
        }
    }

    /// Sends what waits and closes the sending half, so that the client reads everything before the end.
    pub async fn close(&mut self) {
        if self.flush().await.is_ok() {
            drop(self.socket.shutdown().await);
        }
    }
}

/// Big-endian length at `offset`, if its four bytes are there; negative lengths come out as 0, which no caller accepts.
fn be_length(input: &BytesMut, offset: usize) -> Option<usize> {
    let bytes: [u8; 4] = input.get(offset..offset + 4)?.try_into().ok()?;
    Some(usize::try_from(i32::from_be_bytes(bytes)).unwrap_or(0))
}

fn is_frontend_tag(tag: u8) -> bool {
    matches!(tag, b'Q' | b'P' | b'B' | b'D' | b'E' | b'C' | b'H' | b'S' | b'X' | b'F' | b'd' | b'c' | b'f' | b'p')
}
