//! The extended query protocol: Parse, Bind, Describe, Execute, Close.
//!
//! X1: messages up to Sync are one implicit transaction, as in Postgres. An Execute with its Sync right behind it is a transaction of
//!     its own from the start, so that its answer says the commit is durable and a lost optimistic race is run again unseen.
//! X2: nothing is sent before Sync or Flush, save when the output is full or an error is reported.
//! Never: decodes a value (`parameters` does) or keeps one after the portal is gone.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use planner::{Outcome, Tag, TransactionStatus};

use crate::backend::Format;
use crate::channel::Frame;
use crate::connection::{Connection, Failure};
use crate::frontend::{self, Target};
use crate::parameters;
use crate::portal::{Portal, PortalState};
use crate::rows::{RowStream, Sent};

impl Connection {
    /// Answers one extended-query message other than Sync and Flush.
    pub async fn extended(&mut self, frame: &Frame) -> Result<(), Failure> {
        match frame.tag {
            b'P' => self.parse(frame).await?,
            b'B' => self.bind(frame)?,
            b'D' => self.describe(frame)?,
            b'C' => self.close(frame)?,
            _ => self.execute(frame).await?,
        }
        Ok(self.channel.flush_if_full().await?)
    }

    async fn parse(&mut self, frame: &Frame) -> SqlResult<()> {
        self.check_size(frame)?;
        let message = frontend::parse(&frame.body)?;
        self.session.check_new_statement(message.name)?;
        if message.name.is_empty() {
            self.session.close_statement("");
        }
        let prepared = self.session.prepare_text(message.text, &parameters::declared_types(&message.type_oids)?).await?;
        self.session.put_statement(message.name, Arc::new(prepared));
        self.channel.output.parse_complete();
        Ok(())
    }

    fn bind(&mut self, frame: &Frame) -> SqlResult<()> {
        let message = frontend::bind(&frame.body)?;
        let statement = Arc::clone(self.session.statement(message.statement)?);
        let (types, columns) = match &*statement {
            None => (&[][..], 0),
            Some(prepared) => (&prepared.parameters[..], prepared.columns.as_ref().map_or(0, |columns| columns.len())),
        };
        let values = parameters::decode(&message, types, self.session.reading())?;
        // A command without columns may be bound with any format codes; there is nothing to format.
        let codes = if columns == 0 { &[] } else { &message.result_formats[..] };
        let formats = parameters::result_formats(codes, columns)?;
        self.names.put_portal(message.portal, Portal { statement, formats, state: PortalState::Bound(values) })?;
        self.channel.output.bind_complete();
        Ok(())
    }

    fn describe(&mut self, frame: &Frame) -> SqlResult<()> {
        let output = &mut self.channel.output;
        match frontend::target(&frame.body, "DESCRIBE")? {
            Target::Statement(name) => {
                let prepared = (**self.session.statement(name)?).as_ref();
                output.parameter_description(prepared.map_or(&[], |prepared| &prepared.parameters));
                match prepared.and_then(|prepared| prepared.columns.as_deref()) {
                    Some(columns) => output.row_description(columns, |_| Format::Text),
                    None => output.no_data(),
                }
            }
            // A cursor is described as the portal it is in Postgres.
            Target::Portal(name) if !self.names.has_portal(name) => match self.session.cursor_columns(name) {
                Ok(columns) => output.row_description(&columns, |_| Format::Text),
                Err(error) => return Err(self.names.portal(name).err().unwrap_or(error)),
            },
            Target::Portal(name) => {
                let portal = self.names.portal(name)?;
                match (*portal.statement).as_ref().and_then(|prepared| prepared.columns.as_deref()) {
                    Some(columns) => output.row_description(columns, |column| portal.formats.of(column)),
                    None => output.no_data(),
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, frame: &Frame) -> SqlResult<()> {
        match frontend::target(&frame.body, "CLOSE")? {
            Target::Statement(name) => self.session.close_statement(name),
            Target::Portal(name) => {
                self.names.close_portal(name);
                self.session.close_cursor(name);
            }
        }
        self.channel.output.close_complete();
        Ok(())
    }

    async fn execute(&mut self, frame: &Frame) -> Result<(), Failure> {
        let (name, rows_max) = frontend::execute(&frame.body)?;
        let mut rows = match self.run_portal(name).await? {
            Ran::Rows(rows) => rows,
            Ran::Drained(rows) => {
                let tag = rows.tag(0);
                self.names.portal(name)?.state = PortalState::Drained(rows);
                return self.finish(Some(tag));
            }
            Ran::Command(tag) => return self.finish(tag),
        };
        let sent = rows.send(&mut self.channel, rows_max).await?;
        self.send_notices();
        let state = match sent {
            Sent::All { rows: count } => {
                self.channel.output.command_complete(rows.tag(count));
                PortalState::Drained(rows)
            }
            Sent::Suspended => {
                self.channel.output.portal_suspended();
                PortalState::Suspended(rows)
            }
        };
        self.names.portal(name)?.state = state;
        Ok(())
    }

    /// Passes over rows of a portal; the tag of a MOVE. All of them where `rows_max` is `None`.
    pub async fn move_portal(&mut self, name: &str, rows_max: Option<usize>) -> Result<Tag, Failure> {
        let (rows, passed) = match self.run_portal(name).await? {
            Ran::Rows(mut rows) => {
                let passed = rows.skip(rows_max).await?;
                (rows, passed)
            }
            Ran::Drained(rows) => (rows, 0),
            Ran::Command(_) => {
                let message = format!("portal \"{name}\" cannot be run");
                return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into());
            }
        };
        let is_drained = rows_max.is_none_or(|limit| passed < limit as u64);
        self.names.portal(name)?.state = if is_drained { PortalState::Drained(rows) } else { PortalState::Suspended(rows) };
        Ok(Tag::counted("MOVE", passed))
    }

    /// Takes a portal's rows out of it; runs its statement if that has not been done. Errors: 55000 for a command that has run.
    async fn run_portal(&mut self, name: &str) -> Result<Ran, Failure> {
        let portal = self.names.portal(name)?;
        let values = match std::mem::replace(&mut portal.state, PortalState::Finished) {
            PortalState::Finished => {
                let message = format!("portal \"{name}\" cannot be run");
                return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).into());
            }
            PortalState::Suspended(rows) => return Ok(Ran::Rows(rows)),
            PortalState::Drained(rows) => return Ok(Ran::Drained(rows)),
            PortalState::Bound(values) => values,
        };
        let (statement, formats) = (Arc::clone(&portal.statement), portal.formats.clone());
        let Some(prepared) = &*statement else { return Ok(Ran::Command(None)) };
        self.begin_if_pipelined();
        Ok(match self.session.execute(prepared, values).await? {
            Outcome::Empty => Ran::Command(None),
            Outcome::Command(tag) => Ran::Command(Some(tag)),
            Outcome::CopyIn(copy) => Ran::Command(Some(self.copy_in(copy).await?)),
            Outcome::CopyOut { columns, is_binary, pieces } => Ran::Command(Some(self.copy_out(columns, is_binary, pieces).await?)),
            Outcome::Rows { columns, batches, tag } => {
                check_columns(prepared.columns.as_deref(), &columns)?;
                Ran::Rows(Box::new(RowStream::new(columns, formats, self.session.manner(), batches, tag)))
            }
        })
    }

    fn finish(&mut self, tag: Option<Tag>) -> Result<(), Failure> {
        self.complete(tag);
        Ok(())
    }

    /// X1: anything but an Execute with its Sync already here opens the pipeline's implicit transaction.
    fn begin_if_pipelined(&mut self) {
        let alone = self.channel.peek_tag() == Some(b'S');
        if !self.implicit && !alone && self.session.status() == TransactionStatus::Idle {
            self.session.begin_implicit();
            self.implicit = true;
        }
    }
}

/// What a portal has to give.
enum Ran {
    /// Rows that have not been sent.
    Rows(Box<RowStream>),
    /// Rows that have all been sent.
    Drained(Box<RowStream>),
    /// Nothing: a command, which has run now, or an empty statement.
    Command(Option<Tag>),
}

/// A client that was told one shape must not be sent another.
fn check_columns(told: Option<&[planner::Column]>, now: &[planner::Column]) -> SqlResult<()> {
    let told = told.unwrap_or_default();
    if told.len() == now.len() && told.iter().zip(now).all(|(a, b)| a.sql_type.oid() == b.sql_type.oid()) {
        return Ok(());
    }
    Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cached plan must not change result type").hint("Prepare the statement again."))
}
