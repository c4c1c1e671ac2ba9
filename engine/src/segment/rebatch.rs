//! Batches of any length as batches of [`BATCH_ROWS`], the last one shorter.
//!
//! Never: holds more than two batches' rows and what it was given last.

use arrow::array::RecordBatch;
use base::SqlResult;

use super::BATCH_ROWS;
use crate::stored;

/// The same rows in the same order; see the module.
pub(crate) struct Rebatched<I> {
    from: I,
    /// What is left of the batch that was taken last.
    rest: Option<RecordBatch>,
    parts: Vec<RecordBatch>,
    gathered: usize,
}

impl<I: Iterator<Item = SqlResult<RecordBatch>>> Rebatched<I> {
    /// Of batches of one layout, none of them looked at before it is asked for.
    pub(crate) fn new(from: I) -> Self {
        Self { from, rest: None, parts: Vec::new(), gathered: 0 }
    }

    /// Takes rows out of the batch, as many as there is room for.
    fn take(&mut self, batch: &RecordBatch) {
        let n = batch.num_rows().min(BATCH_ROWS - self.gathered);
        self.parts.push(batch.slice(0, n));
        self.gathered += n;
        self.rest = (n < batch.num_rows()).then(|| batch.slice(n, batch.num_rows() - n));
    }

    fn joined(&mut self) -> SqlResult<RecordBatch> {
        self.gathered = 0;
        stored::join(&std::mem::take(&mut self.parts))
    }
}

impl<I: Iterator<Item = SqlResult<RecordBatch>>> Iterator for Rebatched<I> {
    type Item = SqlResult<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.gathered < BATCH_ROWS {
            let next = match self.rest.take() {
                Some(rest) => Ok(rest),
                None => match self.from.next() {
                    Some(next) => next,
                    None => return (!self.parts.is_empty()).then(|| self.joined()),
                },
            };
            match next {
                Ok(batch) if batch.num_rows() > 0 => self.take(&batch),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        Some(self.joined())
    }
}
