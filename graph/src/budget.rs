//! What a query may use: memory up to a limit, and time until somebody says stop.
//!
//! U1: bytes are taken before they are used; what would pass the limit ends the query (53200) and takes nothing.
//! U2: the flag, and whoever may end the query, is looked at at least every 4,096 ticks, and a tick stands for a bounded piece of work.
//! Never: reads a clock; a timeout is somebody else's flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base::{SqlError, SqlResult, SqlState};

/// Ticks between two looks at the flag.
const TICKS: u32 = 4_096;

/// Shared by all workers of a query and by whoever may cancel it.
#[derive(Debug)]
pub struct Budget {
    bytes_max: usize,
    bytes: AtomicUsize,
    peak: AtomicUsize,
    cancelled: AtomicBool,
    interrupt: Option<Interrupt>,
    account: Option<Arc<dyn Account>>,
}

/// Where bytes are taken from beside the query's own limit: what all queries share.
pub trait Account: Send + Sync + std::fmt::Debug {
    /// Takes bytes, or ends the query (53200).
    fn take(&self, bytes: usize) -> SqlResult<()>;

    /// Gives bytes back that were taken.
    fn give(&self, bytes: usize);
}

/// Asked now and then; its error ends the query.
pub struct Interrupt(Box<dyn Fn() -> SqlResult<()> + Send + Sync>);

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupt")
    }
}

impl Budget {
    /// At most `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self::of(bytes_max, None, None))
    }

    /// The same, for a query that `interrupt` may end with an error of its own.
    pub fn with_interrupt(bytes_max: usize, interrupt: impl Fn() -> SqlResult<()> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self::of(bytes_max, Some(Interrupt(Box::new(interrupt))), None))
    }

    /// Whatever an account gives, for a query that `interrupt` may end.
    pub fn on_account(account: Arc<dyn Account>, interrupt: impl Fn() -> SqlResult<()> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self::of(usize::MAX, Some(Interrupt(Box::new(interrupt))), Some(account)))
    }

    fn of(bytes_max: usize, interrupt: Option<Interrupt>, account: Option<Arc<dyn Account>>) -> Self {
        let (bytes, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { bytes_max, bytes, peak, cancelled: AtomicBool::new(false), interrupt, account }
    }

    /// Asks the query to end with 57014.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Most bytes that were taken at one time.
    pub fn peak_bytes(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> SqlResult<()> {
        let now = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if now > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            let error = SqlError::new(SqlState::OUT_OF_MEMORY, "a graph query needs more memory than it may use");
            return Err(error
                .detail(format!("The limit is {} bytes.", self.bytes_max))
                .hint("Bound the path, filter earlier, or raise the limit."));
        }
        if let Some(account) = &self.account
            && let Err(error) = account.take(bytes)
        {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(error);
        }
        self.peak.fetch_max(now, Ordering::Relaxed);
        Ok(())
    }

    fn give(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(account) = &self.account {
            account.give(bytes);
        }
    }
}

/// One worker's hold on a budget; gives back what it took when it ends.
#[derive(Debug)]
pub struct Meter {
    budget: Arc<Budget>,
    held: usize,
    ticks: u32,
}

impl Meter {
    /// Holds nothing yet.
    pub fn new(budget: Arc<Budget>) -> Self {
        Self { budget, held: 0, ticks: 0 }
    }

    /// Another hold on the same budget.
    pub fn another(&self) -> Self {
        Self::new(Arc::clone(&self.budget))
    }

    /// Takes bytes (U1). Errors: 53200.
    pub fn take(&mut self, bytes: usize) -> SqlResult<()> {
        self.budget.take(bytes)?;
        self.held += bytes;
        Ok(())
    }

    /// Gives bytes back.
    pub fn give(&mut self, bytes: usize) {
        let bytes = bytes.min(self.held);
        self.held -= bytes;
        self.budget.give(bytes);
    }

    /// Bytes held now.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Counts work done (U2). Errors: 57014 once cancelled.
    #[inline]
    pub fn tick(&mut self, work: usize) -> SqlResult<()> {
        self.ticks = self.ticks.saturating_add(work as u32 + 1);
        if self.ticks < TICKS { Ok(()) } else { self.look() }
    }

    #[cold]
    fn look(&mut self) -> SqlResult<()> {
        self.ticks = 0;
        if self.budget.cancelled.load(Ordering::Relaxed) {
            return Err(SqlError::new(SqlState::QUERY_CANCELED, "canceling statement due to user request"));
        }
        self.budget.interrupt.as_ref().map_or(Ok(()), |interrupt| interrupt.0())
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.give(self.held);
    }
}
