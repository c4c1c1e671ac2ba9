//! The batches of a running query on their way out, and the plan's way back when they have ended.
//!
//! W1: a plan is given back only after its stream said that it ended; dropped in any other way it is gone.
//! Never: goes on after an error.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use base::SqlResult;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::shape::{Kept, Shape};
use crate::slot::Slot;
use crate::{errors, output};

/// A plan that belongs to a shape while it runs.
pub(crate) struct Running {
    shape: Arc<Shape>,
    kept: Kept,
}

impl Running {
    pub(crate) fn new(shape: &Arc<Shape>, kept: Kept) -> Self {
        Self { shape: Arc::clone(shape), kept }
    }

    fn end(self) {
        self.shape.give_back(self.kept);
    }
}

/// A query's stream before it is shown.
pub(crate) struct Answer {
    pub(crate) stream: SendableRecordBatchStream,
    pub(crate) slot: Arc<Slot>,
    pub(crate) running: Option<Running>,
    pub(crate) schema: SchemaRef,
    pub(crate) batch_rows: usize,
}

/// Between two batches.
struct Going {
    stream: SendableRecordBatchStream,
    slot: Arc<Slot>,
    running: Option<Running>,
    schema: SchemaRef,
    batch_rows: usize,
    /// What is left of a batch larger than may leave.
    rest: Option<RecordBatch>,
}

impl Answer {
    /// The batches as they leave: at most `batch_rows` rows each, none empty, none after an error.
    pub(crate) fn into_batches(self) -> BoxStream<'static, SqlResult<RecordBatch>> {
        let Self { stream, slot, running, schema, batch_rows } = self;
        let going = Going { stream, slot, running, schema, batch_rows, rest: None };
        stream::unfold(Some(going), |going| async {
            let mut going = going?;
            match going.next().await {
                Some(Ok(batch)) => Some((Ok(batch), Some(going))),
                Some(Err(error)) => Some((Err(error), None)),
                None => {
                    let Going { stream, running, .. } = going;
                    // Before the plan is reset, nothing may run in it.
                    drop(stream);
                    running.into_iter().for_each(Running::end);
                    None
                }
            }
        })
        .boxed()
    }
}

impl Going {
    async fn next(&mut self) -> Option<SqlResult<RecordBatch>> {
        loop {
            if let Some(rest) = self.rest.take() {
                let rows = rest.num_rows().min(self.batch_rows);
                if rows < rest.num_rows() {
                    self.rest = Some(rest.slice(rows, rest.num_rows() - rows));
                    return Some(Ok(rest.slice(0, rows)));
                }
                if rows > 0 {
                    return Some(Ok(rest));
                }
            }
            let batch = match self.stream.next().await? {
                Ok(batch) => output::shown_batch(&batch, &self.schema),
                Err(error) => Err(self.slot.named(errors::unplaced(&error))),
            };
            match batch {
                Ok(batch) => self.rest = Some(batch),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
