//! COPY data through the socket: FROM STDIN feeds a parser thread, TO STDOUT streams pieces.
//!
//! I1: at most `CHUNKS` + 2 chunks of `CHUNK_BYTES` are held, whatever the client sends and however its messages are cut.
//! I2: reading the socket and parsing overlap; the parser never runs on a reactor thread.
//! I3: a COPY that did not end in CopyDone leaves nothing behind.
//! Never: looks into the data.

use std::pin::pin;

use base::{SqlError, SqlResult, SqlState};
use futures::StreamExt;
use futures::stream::BoxStream;
use planner::{CopyIn, CopyPiece, Tag};
use tokio::sync::mpsc;

use crate::channel::CopyStep;
use crate::connection::{Connection, Failure};
use crate::frontend;

const CHUNK_BYTES: usize = 256 << 10;
const CHUNKS: usize = 8;

/// How the client's part of a COPY ended.
enum Fed {
    /// CopyDone, and everything is in the queue.
    Done,
    /// The parser gave up; its own error says why.
    Refused,
}

impl Connection {
    /// Takes COPY data until CopyDone and finishes the statement.
    pub async fn copy_in(&mut self, copy: CopyIn) -> Result<Tag, Failure> {
        self.send_notices();
        self.channel.output.copy_in(copy.is_binary(), copy.column_count());
        self.channel.flush().await?;
        let (chunks, mut queue) = mpsc::channel::<Vec<u8>>(CHUNKS);
        let parser = tokio::task::spawn_blocking(move || {
            let mut copy = copy;
            let mut parsed = Ok(());
            while let (Ok(()), Some(chunk)) = (&parsed, queue.blocking_recv()) {
                parsed = copy.push(&chunk);
            }
            (copy, parsed)
        });
        let fed = self.feed(chunks).await;
        self.channel.end_copy();
        let (copy, parsed) = match parser.await {
            Ok(result) => result,
            // A defect in the parser ends the session like any other panic (L3).
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        let failure = match (fed, parsed) {
            (Ok(Fed::Done), Ok(())) => return Ok(self.session.finish_copy(copy).await?),
            (Ok(Fed::Done | Fed::Refused), Err(error)) => Failure::Sql(error),
            (Ok(Fed::Refused), Ok(())) => Failure::Sql(SqlError::internal("COPY stopped without a reason")),
            (Err(failure), _) => failure,
        };
        let reason = match &failure {
            Failure::Sql(error) => error.message().to_owned(),
            Failure::Lost(_) => "unexpected EOF on client connection".to_owned(),
            Failure::Shutdown => "the server is shutting down".to_owned(),
        };
        // What abort_copy answers is for CopyFail, and `failure` says the same.
        drop(self.session.abort_copy(copy, &reason));
        Err(failure)
    }

    /// Moves data from the socket into the queue (I1).
    async fn feed(&mut self, chunks: mpsc::Sender<Vec<u8>>) -> Result<Fed, Failure> {
        let stop = self.stop.clone();
        let mut cancelled = pin!(stop.copy_requested());
        cancelled.as_mut().enable();
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        loop {
            let step = self.channel.take_copy(&mut chunk, CHUNK_BYTES)?;
            let idle = chunks.capacity() == CHUNKS && !chunk.is_empty();
            if matches!(step, CopyStep::Full | CopyStep::Done) || idle {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES));
                if chunks.send(full).await.is_err() {
                    return Ok(Fed::Refused);
                }
            }
            match step {
                CopyStep::Full => {}
                CopyStep::Done => return Ok(Fed::Done),
                CopyStep::Fail(body) => {
                    let message = format!("COPY from stdin failed: {}", frontend::copy_fail(&body)?);
                    return Err(SqlError::new(SqlState::QUERY_CANCELED, message).into());
                }
                CopyStep::Unexpected(tag) => {
                    let message = format!("unexpected message type 0x{tag:02X} during COPY from stdin");
                    return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message).into());
                }
                CopyStep::NeedMore => tokio::select! {
                    biased;
                    () = self.shutdown.requested() => return Err(Failure::Shutdown),
                    () = &mut cancelled => {
                        return Err(SqlError::new(SqlState::QUERY_CANCELED, "canceling statement due to user request").into());
                    }
                    () = chunks.closed() => return Ok(Fed::Refused),
                    read = self.channel.read_more() => read?,
                },
            }
        }
    }

    /// Sends COPY data to the client and gives the statement's tag.
    pub async fn copy_out(
        &mut self,
        columns: usize,
        is_binary: bool,
        mut pieces: BoxStream<'static, SqlResult<CopyPiece>>,
    ) -> Result<Tag, Failure> {
        self.send_notices();
        self.channel.output.copy_out(is_binary, columns);
        let mut rows = 0;
        while let Some(piece) = pieces.next().await.transpose()? {
            rows += piece.rows;
            let mut start = 0;
            for end in piece.ends {
                self.channel.output.copy_data(&piece.bytes[start..end]);
                start = end;
                self.channel.flush_if_full().await?;
            }
        }
        self.channel.output.copy_done();
        Ok(Tag::counted("COPY", rows))
    }
}
