//! The simple query protocol: one string of statements, answered one by one.
//!
//! Q1: several statements in one string are one transaction, unless the string opens and ends its own.
//! Q2: the last statement's CommandComplete is sent only when that transaction is durable.
//! Never: uses or keeps a name.

use planner::{Outcome, Parsed, Tag, TransactionStatus};

use crate::backend::Format;
use crate::channel::Frame;
use crate::connection::{Connection, Failure};
use crate::frontend;
use crate::parameters::Formats;
use crate::rows::{RowStream, Sent};

impl Connection {
    /// Answers a Query message up to and including ReadyForQuery.
    pub async fn simple_query(&mut self, frame: &Frame) -> Result<(), Failure> {
        if std::mem::take(&mut self.implicit) {
            // A client that mixes protocols without Sync: what it had pipelined ends here.
            if let Err(error) = self.session.end_implicit(true).await {
                self.report(&error);
                return self.ready().await;
            }
        }
        self.names.drop_unnamed();
        self.session.close_statement("");
        match self.run_string(frame).await {
            Err(Failure::Sql(error)) => self.report(&error),
            other => other?,
        }
        self.ready().await
    }

    async fn run_string(&mut self, frame: &Frame) -> Result<(), Failure> {
        self.check_size(frame)?;
        let text = frontend::query(&frame.body)?;
        if let Some((prepared, values)) = self.session.recall(text) {
            let outcome = self.session.execute(&prepared, values).await?;
            let tag = self.send_outcome(outcome, Format::Text).await?;
            self.complete(tag);
            return Ok(());
        }
        let statements = self.session.parse(text)?;
        match statements.len() {
            0 => self.channel.output.empty_query(),
            1 => {
                for parsed in statements {
                    let tag = self.run_statement(parsed).await?;
                    self.complete(tag);
                }
            }
            _ => {
                self.session.begin_implicit();
                if let Err(failure) = self.run_several(statements).await {
                    self.session.fail();
                    // The first error is the one to report; what ending the transaction adds is a consequence of it.
                    drop(self.session.end_implicit(false).await);
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    async fn run_several(&mut self, statements: Vec<Parsed>) -> Result<(), Failure> {
        let last = statements.len() - 1;
        for (index, parsed) in statements.into_iter().enumerate() {
            let tag = self.run_statement(parsed).await?;
            if index == last {
                self.session.end_implicit(true).await?;
            }
            self.complete(tag);
        }
        Ok(())
    }

    /// Runs one statement and sends its rows; `None` for an empty one.
    async fn run_statement(&mut self, parsed: Parsed) -> Result<Option<Tag>, Failure> {
        // A cursor and a portal are one thing in Postgres.
        if self.session.status() != TransactionStatus::Failed
            && let Some((name, rows)) = parsed.moves()
            && self.names.has_portal(name)
        {
            return self.move_portal(name, rows).await.map(Some);
        }
        // Nobody says a format here, so a cursor does.
        let is_binary = parsed.fetches().is_some_and(|cursor| self.session.is_binary_cursor(cursor));
        let outcome = self.session.run(parsed).await?;
        self.send_outcome(outcome, if is_binary { Format::Binary } else { Format::Text }).await
    }

    /// Sends what a statement answers.
    async fn send_outcome(&mut self, outcome: Outcome, format: Format) -> Result<Option<Tag>, Failure> {
        match outcome {
            Outcome::Empty => Ok(None),
            Outcome::Command(tag) => Ok(Some(tag)),
            Outcome::Rows { columns, batches, tag } => {
                self.send_notices();
                self.channel.output.row_description(&columns, |_| format);
                let mut rows = RowStream::new(columns, Formats::All(format), self.session.manner(), batches, tag);
                match rows.send(&mut self.channel, None).await? {
                    Sent::All { rows: count } => Ok(Some(rows.tag(count))),
                    Sent::Suspended => unreachable!("Q: a result without a row limit was suspended"),
                }
            }
            Outcome::CopyIn(copy) => self.copy_in(copy).await.map(Some),
            Outcome::CopyOut { columns, is_binary, pieces } => self.copy_out(columns, is_binary, pieces).await.map(Some),
        }
    }

    /// Notices, then CommandComplete or EmptyQueryResponse.
    pub fn complete(&mut self, tag: Option<Tag>) {
        self.send_notices();
        match tag {
            Some(tag) => self.channel.output.command_complete(tag),
            None => self.channel.output.empty_query(),
        }
    }
}
