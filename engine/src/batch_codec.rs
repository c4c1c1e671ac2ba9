//! Stored batches as Arrow IPC encapsulated messages: the bytes that stand in log records.
//!
//! B1: decode(encode(batch)) equals batch; buffers are borrowed from the input where they are aligned, so a mapped log file is scanned in place.
//! Never: carries the schema (the catalog has it) or dictionaries.
//! Format: docs/formats/segment.md, «stored columns».

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use base::{SqlError, SqlResult, SqlState};
use bytes::Bytes;

use crate::failure::contain_panic;
use crate::packed;

/// Continuation marker and length that open an encapsulated message.
const PREFIX_BYTES: usize = 8;
/// The message body starts at a multiple of this, counted from the message's first byte.
const BODY_ALIGN: usize = 32;
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Appends one batch as an encapsulated IPC message whose body starts at a multiple of 32 bytes.
///
/// Errors: XX000 where Arrow cannot encode the batch.
pub fn encode(batch: &RecordBatch, out: &mut Vec<u8>) -> SqlResult<()> {
    let options = IpcWriteOptions::default();
    let mut dictionaries = DictionaryTracker::new(false);
    let (_, encoded) = IpcDataGenerator::default()
        .encode(batch, &mut dictionaries, &options, &mut Default::default())
        .map_err(|error| SqlError::internal(format!("rows cannot be encoded: {error}")))?;
    let start = out.len();
    let meta_bytes = (PREFIX_BYTES + encoded.ipc_message.len()).next_multiple_of(BODY_ALIGN) - PREFIX_BYTES;
    let meta_len = u32::try_from(meta_bytes).map_err(|_| SqlError::internal("batch metadata over 4 GiB"))?;
    out.extend_from_slice(&CONTINUATION);
    out.extend_from_slice(&meta_len.to_le_bytes());
    out.extend_from_slice(&encoded.ipc_message);
    out.resize(start + PREFIX_BYTES + meta_bytes, 0);
    out.extend_from_slice(&encoded.arrow_data);
    Ok(())
}

/// Reads a batch back in whichever form it was written: an IPC message, borrowing its buffers from `bytes` (B1), or packed rows.
///
/// Errors: XX001 where the bytes are neither or do not fit the schema.
pub fn decode(bytes: &Bytes, schema: &SchemaRef) -> SqlResult<RecordBatch> {
    if bytes.starts_with(&packed::MARKER) {
        return packed::decode(bytes, schema);
    }
    let damaged = |why: &str| SqlError::new(SqlState::DATA_CORRUPTED, format!("stored rows are unreadable: {why}"));
    let prefix = bytes.get(..PREFIX_BYTES).ok_or_else(|| damaged("no message prefix"))?;
    if prefix[..4] != CONTINUATION {
        return Err(damaged("no continuation marker"));
    }
    let meta_len = u32::from_le_bytes([prefix[4], prefix[5], prefix[6], prefix[7]]) as usize;
    let body_start =
        PREFIX_BYTES.checked_add(meta_len).filter(|end| *end <= bytes.len()).ok_or_else(|| damaged("metadata past the end"))?;
    let message = arrow_ipc::root_as_message(&bytes[PREFIX_BYTES..body_start]).map_err(|error| damaged(&error.to_string()))?;
    let header = message.header_as_record_batch().ok_or_else(|| damaged("not a record batch"))?;
    let body = Buffer::from(bytes.slice(body_start..));
    let no_dictionaries = HashMap::new();
    let version = message.version();
    let decoder = RecordBatchDecoder::try_new(&body, header, Arc::clone(schema), &no_dictionaries, &version);
    contain_panic(|| decoder.and_then(RecordBatchDecoder::read_record_batch)).map_err(|error| damaged(&error.to_string()))
}
