//! Ends a running statement from outside, or when its time is up.
//!
//! K1: a request made while nothing runs is forgotten when the next statement starts.
//! Never: interrupts a commit that was handed to the ledger; its outcome is always reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use base::{SqlError, SqlResult, SqlState};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use relational::Interrupt;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Cancels whatever its session runs. Cheap to clone; may be used from any thread.
#[derive(Clone, Debug, Default)]
pub struct Canceller(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    requested: AtomicBool,
    wake: Notify,
}

impl Canceller {
    /// Asks the running statement to end with 57014. Does nothing to an idle session.
    pub fn cancel(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        self.0.wake.notify_waiters();
    }

    /// Whether a request stands.
    pub fn is_cancelled(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    async fn cancelled(&self) {
        loop {
            let mut woken = std::pin::pin!(self.0.wake.notified());
            woken.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            woken.await;
        }
    }
}

/// The right of one statement to run: until cancelled, until its time is up.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    canceller: Canceller,
    deadline: Option<Instant>,
}

impl Watch {
    /// Starts a statement (K1). `timeout` of `None` is without limit.
    pub(crate) fn start(canceller: &Canceller, timeout: Option<Duration>) -> Self {
        canceller.0.requested.store(false, Ordering::SeqCst);
        Self { canceller: canceller.clone(), deadline: timeout.map(|limit| Instant::now() + limit) }
    }

    /// The same for what comes after a statement: a request that was made while it ran still counts.
    pub(crate) fn go_on(canceller: &Canceller, timeout: Option<Duration>) -> Self {
        Self { canceller: canceller.clone(), deadline: timeout.map(|limit| Instant::now() + limit) }
    }

    /// For loops that never wait: an error once the statement has to end.
    pub(crate) fn check(&self) -> SqlResult<()> {
        if self.canceller.is_cancelled() {
            return Err(cancelled());
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(timed_out()),
            _ => Ok(()),
        }
    }

    /// [`Watch::check`] for work that is done far from here.
    pub(crate) fn interrupt(&self) -> Interrupt {
        let watch = self.clone();
        Arc::new(move || watch.check())
    }

    /// Completes, with the error, only when the statement has to end.
    async fn ended(&self) -> SqlError {
        match self.deadline {
            None => {
                self.canceller.cancelled().await;
                cancelled()
            }
            Some(deadline) => tokio::select! {
                () = self.canceller.cancelled() => cancelled(),
                () = tokio::time::sleep_until(deadline) => timed_out(),
            },
        }
    }

    /// Runs a future unless the statement has to end first; then the future is dropped.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = SqlResult<T>>) -> SqlResult<T> {
        self.check()?;
        tokio::select! {
            biased;
            error = self.ended() => Err(error),
            result = work => result,
        }
    }

    /// The next batch of a stream, unless the statement has to end first.
    pub(crate) async fn next(&self, batches: &mut BoxStream<'static, SqlResult<RecordBatch>>) -> SqlResult<Option<RecordBatch>> {
        self.run(async { batches.next().await.transpose() }).await
    }

    /// A stream that ends with the error when the statement has to end.
    pub(crate) fn stream(self, batches: BoxStream<'static, SqlResult<RecordBatch>>) -> BoxStream<'static, SqlResult<RecordBatch>> {
        let state = Some((self, batches));
        stream::unfold(state, |state| async {
            let (watch, mut batches) = state?;
            match watch.next(&mut batches).await {
                Ok(Some(batch)) => Some((Ok(batch), Some((watch, batches)))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

fn cancelled() -> SqlError {
    SqlError::new(SqlState::QUERY_CANCELED, "canceling statement due to user request")
}

fn timed_out() -> SqlError {
    SqlError::new(SqlState::QUERY_CANCELED, "canceling statement due to statement timeout")
}
