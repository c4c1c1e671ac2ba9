//! Answers to the client, encoded straight into the output buffer.
//!
//! B1: `whole` bytes of the buffer are complete messages; `truncate` goes back to them and nothing else is ever sent (N2).
//! Never: waits; allocates for a row.

use std::io::Write;

use bytes::BytesMut;
use engine::SqlType;
use pgwire::messages::Message;
use planner::{Column, Tag, TransactionStatus};

/// Output is sent when this many bytes wait.
pub(crate) const FLUSH_BYTES: usize = 64 << 10;

/// How a value travels.
pub(crate) use planner::types::Format;

/// Encoded answers that have not been sent.
#[derive(Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    whole: usize,
    sent: usize,
}

impl Output {
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The complete messages that wait, without what the socket has already taken of them.
    pub fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..self.whole]
    }

    /// The socket took `count` more bytes.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
        assert!(self.sent <= self.whole && self.whole == self.bytes.len(), "B1: sent {} of {} bytes", self.sent, self.whole);
        if self.sent == self.whole {
            self.bytes.clear();
            (self.whole, self.sent) = (0, 0);
            if self.bytes.capacity() > 4 * FLUSH_BYTES {
                self.bytes.shrink_to(FLUSH_BYTES);
            }
        }
    }

    /// Drops a message that was not finished.
    pub fn truncate(&mut self) {
        self.bytes.truncate(self.whole);
    }

    /// Writes one message: tag, length, then what `body` appends. On an error nothing of it stays.
    pub fn try_message<E>(&mut self, tag: u8, body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[tag, 0, 0, 0, 0]);
        if let Err(error) = body(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        let length = i32::try_from(self.bytes.len() - start - 1).unwrap_or(i32::MAX);
        self.bytes[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
        self.whole = self.bytes.len();
        Ok(())
    }

    fn message(&mut self, tag: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let done: Result<(), std::convert::Infallible> = self.try_message(tag, |bytes| {
            body(bytes);
            Ok(())
        });
        match done {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Writes a message of a cold kind, encoded by pgwire.
    pub fn pgwire(&mut self, message: &impl Message) {
        let mut scratch = BytesMut::with_capacity(message.message_length() + 1);
        if message.encode(&mut scratch).is_ok() {
            self.bytes.extend_from_slice(&scratch);
            self.whole = self.bytes.len();
        }
    }

    /// An authentication request or its outcome.
    pub fn authentication(&mut self, code: i32, data: &[u8]) {
        self.message(b'R', |body| {
            body.extend_from_slice(&code.to_be_bytes());
            body.extend_from_slice(data);
        });
    }

    pub fn ready_for_query(&mut self, status: TransactionStatus) {
        self.message(b'Z', |body| body.push(status.byte()));
    }

    pub fn command_complete(&mut self, tag: Tag) {
        self.message(b'C', |body| {
            // Writing into a Vec cannot fail.
            drop(write!(body, "{tag}\0"));
        });
    }

    pub fn empty_query(&mut self) {
        self.message(b'I', |_| {});
    }

    pub fn parse_complete(&mut self) {
        self.message(b'1', |_| {});
    }

    pub fn bind_complete(&mut self) {
        self.message(b'2', |_| {});
    }

    pub fn close_complete(&mut self) {
        self.message(b'3', |_| {});
    }

    pub fn no_data(&mut self) {
        self.message(b'n', |_| {});
    }

    pub fn portal_suspended(&mut self) {
        self.message(b's', |_| {});
    }

    /// ParameterDescription.
    pub fn parameter_description(&mut self, types: &[SqlType]) {
        self.message(b't', |body| {
            body.extend_from_slice(&(types.len() as u16).to_be_bytes());
            types.iter().for_each(|sql_type| body.extend_from_slice(&sql_type.oid().to_be_bytes()));
        });
    }

    /// RowDescription. `format` gives the format of column i.
    pub fn row_description(&mut self, columns: &[Column], format: impl Fn(usize) -> Format) {
        self.message(b'T', |body| {
            body.extend_from_slice(&(columns.len() as u16).to_be_bytes());
            for (index, column) in columns.iter().enumerate() {
                body.extend(column.name.bytes().filter(|byte| *byte != 0));
                body.push(0);
                body.extend_from_slice(&column.table_oid.to_be_bytes());
                body.extend_from_slice(&column.column_attnum.to_be_bytes());
                body.extend_from_slice(&column.type_oid().to_be_bytes());
                body.extend_from_slice(&column.sql_type.typlen().to_be_bytes());
                body.extend_from_slice(&column.sql_type.typmod().to_be_bytes());
                body.extend_from_slice(&format_code(format(index)).to_be_bytes());
            }
        });
    }

    /// CopyOutResponse: the overall format and the same for each of `columns` columns.
    pub fn copy_out(&mut self, binary: bool, columns: usize) {
        self.message(b'H', |body| {
            body.push(u8::from(binary));
            body.extend_from_slice(&(columns as u16).to_be_bytes());
            (0..columns).for_each(|_| body.extend_from_slice(&u16::from(binary).to_be_bytes()));
        });
    }

    /// CopyData.
    pub fn copy_data(&mut self, bytes: &[u8]) {
        self.message(b'd', |body| body.extend_from_slice(bytes));
    }

    pub fn copy_done(&mut self) {
        self.message(b'c', |_| {});
    }

    /// CopyInResponse: the overall format and the same for each of `columns` columns.
    pub fn copy_in(&mut self, binary: bool, columns: usize) {
        self.message(b'G', |body| {
            body.push(u8::from(binary));
            body.extend_from_slice(&(columns as u16).to_be_bytes());
            (0..columns).for_each(|_| body.extend_from_slice(&u16::from(binary).to_be_bytes()));
        });
    }
}

fn format_code(format: Format) -> i16 {
    match format {
        Format::Text => 0,
        Format::Binary => 1,
    }
}
