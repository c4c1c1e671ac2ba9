//! What a subplan answered in this run, by the outer values it was asked with.
//!
//! N1: holds at most [`BYTES_MAX`], counted against the memory of all queries; where there is none left it forgets instead of failing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// What one subplan may remember.
const BYTES_MAX: usize = 16 << 20;

type Answers = HashMap<Vec<ScalarValue>, Vec<RecordBatch>>;

/// Remembers answers (N1).
pub(crate) struct Memo {
    known: Mutex<Known>,
}

struct Known {
    answers: Answers,
    reservation: MemoryReservation,
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

impl Memo {
    pub(crate) fn new(pool: &Arc<dyn MemoryPool>) -> Self {
        let reservation = MemoryConsumer::new("answers of a subquery").register(pool);
        Self { known: Mutex::new(Known { answers: HashMap::new(), reservation }) }
    }

    pub(crate) fn get(&self, key: &[ScalarValue]) -> Option<Vec<RecordBatch>> {
        self.lock().answers.get(key).cloned()
    }

    pub(crate) fn put(&self, key: Vec<ScalarValue>, answer: Vec<RecordBatch>) {
        let bytes = bytes_of(&key, &answer);
        let mut known = self.lock();
        if known.reservation.size() + bytes > BYTES_MAX || known.reservation.try_grow(bytes).is_err() {
            known.answers.clear();
            known.reservation.free();
            if bytes > BYTES_MAX || known.reservation.try_grow(bytes).is_err() {
                return;
            }
        }
        known.answers.insert(key, answer);
    }

    /// Whether an answer of this size is worth keeping at hand until it is whole.
    pub(crate) fn takes(bytes: usize) -> bool {
        bytes <= BYTES_MAX / 16
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut known = self.lock();
        known.answers = HashMap::new();
        known.reservation.free();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About what an entry takes.
fn bytes_of(key: &[ScalarValue], answer: &[RecordBatch]) -> usize {
    const ENTRY: usize = 128;
    ENTRY + key.iter().map(ScalarValue::size).sum::<usize>() + answer.iter().map(RecordBatch::get_array_memory_size).sum::<usize>()
}
