//! A subplan's operators, run once for each tuple of outer values.
//!
//! I1: operators are reset before they run again, and after a run that came to its end, so that they keep no table.
//! I2: whoever waits for a run on a thread of the runtime first gives the thread's other work away.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;

use crate::outer_values::{Cell, Memo};
use crate::slot::Slot;

/// Makes the operators anew.
pub(crate) type Make = Box<dyn Fn() -> Result<Arc<dyn ExecutionPlan>> + Send + Sync>;

/// The operators of one subplan in one plan.
pub(crate) struct Inner {
    pub(super) cell: Arc<Cell>,
    pub(super) slot: Arc<Slot>,
    /// `None` where nothing may be remembered.
    pub(super) memo: Option<Arc<Memo>>,
    context: Arc<TaskContext>,
    operators: Mutex<Operators>,
    /// For operators that cannot be reset.
    make: Option<Make>,
    /// Held through an evaluation (P2).
    turn: Mutex<()>,
}

struct Operators {
    plan: Arc<dyn ExecutionPlan>,
    is_used: bool,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}

impl Inner {
    pub(crate) fn new(
        plan: Arc<dyn ExecutionPlan>,
        make: Option<Make>,
        cell: Arc<Cell>,
        slot: Arc<Slot>,
        memo: Option<Arc<Memo>>,
        context: Arc<TaskContext>,
    ) -> Self {
        // Planning opened its scans.
        let operators = Mutex::new(Operators { plan, is_used: true });
        Self { cell, slot, memo, context, operators, make, turn: Mutex::new(()) }
    }

    /// The right to evaluate (P2).
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a run with these outer values. Whoever calls it reads the stream before the next run begins.
    pub(super) fn start(&self, key: &[ScalarValue]) -> Result<SendableRecordBatchStream> {
        let plan = {
            let mut operators = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
            if operators.is_used {
                operators.plan = self.renewed(&operators.plan)?;
            }
            operators.is_used = true;
            Arc::clone(&operators.plan)
        };
        self.cell.set(key);
        match plan.properties().partitioning.partition_count() {
            1 => plan.execute(0, Arc::clone(&self.context)),
            other => internal_err!("P3: a subplan has {other} partitions"),
        }
    }

    /// After a run whose stream was read to its end or dropped (I1).
    pub(super) fn end(&self) -> Result<()> {
        let mut operators = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
        if self.make.is_none() {
            operators.plan = self.renewed(&operators.plan)?;
            operators.is_used = false;
        }
        Ok(())
    }

    fn renewed(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        match &self.make {
            Some(make) => make(),
            None => reset_plan_states(Arc::clone(plan)),
        }
    }

    /// Whether the statement may go on.
    pub(super) fn check(&self) -> Result<()> {
        self.slot.check().map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

/// Runs `work`, which waits, outside the runtime's turn (I2).
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Waits for a future that no other task of this thread has to move on (P3).
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    // The budget of the task around is not renewed while it is waited for.
    let mut future = pin!(tokio::task::unconstrained(future));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}
