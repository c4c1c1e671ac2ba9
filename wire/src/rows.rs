//! Result batches as DataRow messages, written value by value into the output buffer.
//!
//! R1: a row is complete in the buffer or not there at all.
//! R2: at most one batch is held; the next is asked for only when this one has been handed to the socket.
//! Never: builds a row object or collects a result.

use std::sync::Arc;

use arrow::array::RecordBatch;
use base::{SqlError, SqlResult, SqlState};
use futures::StreamExt;
use futures::stream::BoxStream;
use planner::types::{ColumnEncoder, Manner};
use planner::{Column, Tag};

use crate::backend::{FLUSH_BYTES, Output};
use crate::channel::Channel;
use crate::connection::Failure;
use crate::parameters::Formats;

/// Bytes one row may take on the wire; Postgres's own limit on a message.
const ROW_BYTES_MAX: usize = (1 << 30) - 1;

/// A result that is being sent, perhaps in several helpings.
pub(crate) struct RowStream {
    columns: Arc<[Column]>,
    formats: Formats,
    manner: Manner,
    batches: BoxStream<'static, SqlResult<RecordBatch>>,
    tag: &'static str,
    current: Option<Helping>,
}

/// A batch ready to be encoded.
struct Helping {
    encoders: Vec<ColumnEncoder>,
    next: usize,
    rows: usize,
}

/// How far `send` came.
pub(crate) enum Sent {
    /// The result is exhausted.
    All {
        /// Rows sent by this call.
        rows: u64,
    },
    /// The limit was reached; there may be more.
    Suspended,
}

impl RowStream {
    pub fn new(
        columns: Arc<[Column]>,
        formats: Formats,
        manner: Manner,
        batches: BoxStream<'static, SqlResult<RecordBatch>>,
        tag: &'static str,
    ) -> Self {
        Self { columns, formats, manner, batches, tag, current: None }
    }

    /// Sends rows until the result ends or `rows_max` have been sent.
    pub async fn send(&mut self, channel: &mut Channel, rows_max: Option<usize>) -> Result<Sent, Failure> {
        let mut sent = 0;
        loop {
            let Some(helping) = &mut self.current else {
                match self.batches.next().await {
                    None => return Ok(Sent::All { rows: sent as u64 }),
                    Some(batch) => self.current = Some(Helping::new(&batch?, &self.columns, &self.formats, self.manner)?),
                }
                continue;
            };
            let end = rows_max.map_or(helping.rows, |limit| helping.rows.min(helping.next + (limit - sent)));
            let before = helping.next;
            helping.write(&mut channel.output, end)?;
            sent += helping.next - before;
            if helping.next == helping.rows {
                self.current = None;
            }
            channel.flush_if_full().await?;
            if rows_max == Some(sent) {
                return Ok(Sent::Suspended);
            }
        }
    }

    /// Passes over rows, unsent; how many there were.
    pub async fn skip(&mut self, rows_max: Option<usize>) -> Result<u64, Failure> {
        let mut passed = 0;
        while rows_max.is_none_or(|limit| passed < limit) {
            let Some(helping) = &mut self.current else {
                match self.batches.next().await {
                    None => break,
                    Some(batch) => self.current = Some(Helping::new(&batch?, &self.columns, &self.formats, self.manner)?),
                }
                continue;
            };
            let left = helping.rows - helping.next;
            let step = rows_max.map_or(left, |limit| left.min(limit - passed));
            helping.next += step;
            passed += step;
            if helping.next == helping.rows {
                self.current = None;
            }
        }
        Ok(passed as u64)
    }

    /// The command tag once `rows` rows have been sent.
    pub fn tag(&self, rows: u64) -> Tag {
        Tag::after_rows(self.tag, rows)
    }
}

impl Helping {
    fn new(batch: &RecordBatch, columns: &[Column], formats: &Formats, manner: Manner) -> SqlResult<Self> {
        if batch.num_columns() != columns.len() {
            return Err(SqlError::internal(format!("a result of {} columns came with {}", columns.len(), batch.num_columns())));
        }
        let encoders = columns
            .iter()
            .zip(batch.columns())
            .enumerate()
            .map(|(index, (column, array))| ColumnEncoder::in_manner(array, column.sql_type, formats.of(index), manner))
            .collect::<SqlResult<_>>()?;
        Ok(Self { encoders, next: 0, rows: batch.num_rows() })
    }

    /// Writes rows up to `end` or until the output is worth sending (R1).
    fn write(&mut self, output: &mut Output, end: usize) -> SqlResult<()> {
        let count = (self.encoders.len() as u16).to_be_bytes();
        while self.next < end && output.len() < FLUSH_BYTES {
            output.try_message(b'D', |body| {
                let start = body.len();
                body.extend_from_slice(&count);
                for encoder in &self.encoders {
                    encoder.write(self.next, body);
                }
                if body.len() - start > ROW_BYTES_MAX {
                    return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "a row of the result is larger than 1 GiB"));
                }
                Ok(())
            })?;
            self.next += 1;
        }
        Ok(())
    }
}
