//! The loop of one connection: reads a message, has it answered, until the client leaves or the server ends.
//!
//! L1: every cycle ends in exactly one ReadyForQuery, whose status is the session's.
//! L2: an error is reported once; in the extended protocol it also starts the skipping up to Sync (N4).
//! L3: a panic ends this session only: FATAL XX000, then the socket is closed and the session's transaction rolls back.
//! Never: holds a lock across an await.

use std::panic::AssertUnwindSafe;

use base::{SqlError, SqlResult, SqlState};
use futures::FutureExt;
use pgwire::messages::response::NotificationResponse;
use pgwire::messages::startup::ParameterStatus;
use planner::{Notification, Session, TransactionStatus};

use crate::admission::Place;
use crate::cancel::{Registration, Stop};
use crate::channel::{Channel, Frame, Lost};
use crate::errors::{Severity, put_error, put_notice};
use crate::portal::Names;
use crate::shutdown::Watch;

/// Why a message could not be answered as asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user's or the server's: reported, the session goes on.
    Sql(SqlError),
    /// The client cannot be reached any more.
    Lost(Lost),
    /// The server ends; reported as FATAL.
    Shutdown,
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// Why a connection's loop ended.
enum End {
    /// The client said goodbye or vanished; nothing can be sent.
    Gone,
    /// One last FATAL goes out.
    Fatal(SqlError),
}

impl From<Lost> for End {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Closed => Self::Gone,
            Lost::InvalidLength { tag } => {
                let message = format!("invalid frontend message type {tag} or message length");
                Self::Fatal(SqlError::new(SqlState::PROTOCOL_VIOLATION, message))
            }
        }
    }
}

/// One client and its session (N1).
pub(crate) struct Connection {
    pub channel: Channel,
    pub session: Session,
    pub stop: Stop,
    pub shutdown: Watch,
    pub names: Names,
    /// An implicit transaction spans the extended messages since the last Sync.
    pub implicit: bool,
    /// An error happened; messages are ignored up to Sync (N4).
    pub skip_to_sync: bool,
    /// Keeps the session in the cancel registry.
    pub registration: Registration,
    /// Its place among the sessions allowed.
    pub _place: Place,
}

impl Connection {
    /// Serves the client until the end and closes the socket (L3).
    pub async fn run(mut self) {
        let end = match AssertUnwindSafe(self.serve()).catch_unwind().await {
            Ok(end) => end,
            Err(_panic) => End::Fatal(
                SqlError::internal("the session met a defect and had to end")
                    .detail("The open transaction was rolled back. The server's log has the place."),
            ),
        };
        if let End::Fatal(error) = end {
            put_error(&mut self.channel.output, Severity::Fatal, &error);
            self.channel.close().await;
        }
    }

    async fn serve(&mut self) -> End {
        loop {
            let served = match self.receive().await {
                Ok(frame) => self.answer(frame).await,
                Err(failure) => Err(failure),
            };
            match served {
                Ok(true) => {}
                Ok(false) => return End::Gone,
                Err(Failure::Lost(lost)) => return lost.into(),
                Err(Failure::Sql(error)) => return End::Fatal(error),
                Err(Failure::Shutdown) => {
                    let message = "terminating connection due to administrator command";
                    return End::Fatal(SqlError::new(SqlState::ADMIN_SHUTDOWN, message));
                }
            }
        }
    }

    /// The next message; a shutdown ends the wait unless the client is in the middle of a pipeline it has already sent.
    async fn receive(&mut self) -> Result<Frame, Failure> {
        if self.channel.has_input() && (self.implicit || self.skip_to_sync) {
            return Ok(self.channel.next().await?);
        }
        loop {
            let is_free = !self.implicit && self.session.status() == TransactionStatus::Idle;
            let notified = self.session.notified();
            tokio::select! {
                biased;
                () = self.shutdown.requested() => return Err(Failure::Shutdown),
                () = self.stop.end_requested() => return Err(Failure::Shutdown),
                frame = self.channel.next() => return Ok(frame?),
                () = notified, if is_free => {
                    self.send_notifications();
                    self.channel.flush().await?;
                }
            }
        }
    }

    /// Handles one message; false once the client has said goodbye. `Failure::Sql` means the session must end.
    async fn answer(&mut self, frame: Frame) -> Result<bool, Failure> {
        match frame.tag {
            b'X' => return Ok(false),
            // What is left of a COPY that failed.
            b'd' | b'c' | b'f' => {}
            b'S' => self.sync().await?,
            _ if self.skip_to_sync => {}
            b'H' => self.channel.flush().await?,
            b'Q' => self.simple_query(&frame).await?,
            b'F' => {
                self.report(&SqlError::unsupported("the function call message").hint("Call the function in a SELECT."));
                self.ready().await?;
            }
            b'P' | b'B' | b'D' | b'E' | b'C' => match self.extended(&frame).await {
                Ok(()) => {}
                Err(Failure::Sql(error)) => {
                    self.skip_to_sync = true;
                    self.report(&error);
                    self.channel.flush().await?;
                }
                Err(other) => return Err(other),
            },
            tag => {
                let message = format!("unexpected frontend message type {tag}");
                return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message).into());
            }
        }
        Ok(true)
    }

    /// Sync: ends the implicit transaction and the skipping.
    async fn sync(&mut self) -> Result<(), Failure> {
        let ok = !std::mem::take(&mut self.skip_to_sync);
        if std::mem::take(&mut self.implicit)
            && let Err(error) = self.session.end_implicit(ok).await
        {
            self.report(&error);
        }
        self.ready().await
    }

    /// Reports an error that leaves the session alive; an open transaction becomes failed (L2).
    pub fn report(&mut self, error: &SqlError) {
        if error.state() == SqlState::INTERNAL_ERROR {
            eprintln!("session {}: {error}", self.registration.process);
        }
        self.session.fail();
        self.send_notices();
        put_error(&mut self.channel.output, Severity::Error, error);
    }

    /// ReadyForQuery, with everything before it, in one write (L1).
    pub async fn ready(&mut self) -> Result<(), Failure> {
        if let Err(error) = self.session.settle().await {
            self.report(&error);
        }
        let status = self.session.status();
        self.session.rest();
        if status == TransactionStatus::Idle {
            self.names.end_transaction();
            self.send_notifications();
        }
        self.send_notices();
        self.send_changed_parameters();
        self.channel.output.ready_for_query(status);
        Ok(self.channel.flush().await?)
    }

    /// Notices that came up since the last call.
    pub fn send_notices(&mut self) {
        for notice in self.session.take_notices() {
            put_notice(&mut self.channel.output, &notice);
        }
    }

    /// Notifications that have arrived; none inside a transaction block.
    fn send_notifications(&mut self) {
        for Notification { process, channel, payload } in self.session.take_notifications() {
            self.channel.output.pgwire(&NotificationResponse::new(process, channel.to_string(), payload.to_string()));
        }
    }

    /// ParameterStatus for parameters a SET changed.
    pub fn send_changed_parameters(&mut self) {
        for (name, value) in self.session.take_changed_parameters() {
            self.channel.output.pgwire(&ParameterStatus::new(name, value));
        }
    }

    /// Refuses a message whose statement text was too long to be kept.
    pub fn check_size(&self, frame: &Frame) -> SqlResult<()> {
        if !frame.oversized {
            return Ok(());
        }
        Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "the statement is too long")
            .detail(format!("A statement may have {} bytes of text.", self.channel.statement_bytes_max()))
            .hint("Load bulk data with COPY … FROM STDIN, or send values as parameters."))
    }
}
