//! One database: its ledger, the query service, and the functions SQL has over the ledger.
//!
//! Never: knows a session.

use std::fmt;
use std::sync::{Arc, Weak};

use engine::Ledger;
use engine::gauges::{Gauge, Kind};
use relational::{Relational, ScalarFunction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::backends::Backends;
use crate::databases::Databases;
use crate::live_graphs::LiveGraphs;
use crate::notifications::Channels;
use crate::plan_cache::PlanCache;
use crate::rules::Shelf;
use crate::{clock_functions, ledger_functions};

/// A database that sessions are opened on.
pub struct Database {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) relational: Arc<Relational>,
    pub(crate) functions: Vec<ScalarFunction>,
    pub(crate) plans: PlanCache,
    pub(crate) channels: Channels,
    pub(crate) shelf: Shelf,
    pub(crate) graphs: Arc<LiveGraphs>,
    /// The server's databases, if it is one of several.
    pub(crate) cluster: Weak<Databases>,
    pub(crate) backends: Arc<Backends>,
    rerun_turns: Arc<Mutex<()>>,
}

impl Database {
    /// A database over its ledger; the query service may be shared by several.
    pub fn new(ledger: Arc<Ledger>, relational: Arc<Relational>) -> Arc<Self> {
        Self::among(ledger, relational, Weak::new())
    }

    /// The same as one of a server's.
    pub(crate) fn among(ledger: Arc<Ledger>, relational: Arc<Relational>, cluster: Weak<Databases>) -> Arc<Self> {
        let mut functions = ledger_functions::all(&ledger, Weak::clone(&cluster));
        functions.extend(clock_functions::all(&ledger.options().clock));
        let backends = Backends::new(ledger.options().clock.now_us());
        Arc::new(Self {
            ledger,
            relational,
            functions,
            plans: PlanCache::new(),
            channels: Channels::default(),
            shelf: Shelf::default(),
            graphs: Arc::default(),
            cluster,
            backends,
            rerun_turns: Arc::default(),
        })
    }

    /// The ledger behind it.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Whether a function answers from the database alone, so that a plan that calls it holds for every session.
    /// The database in numbers: those of its ledger, its sessions and its plans.
    pub fn gauges(&self) -> Vec<Gauge> {
        let mut all = self.ledger.gauges();
        let mut put = |kind, name, value: u64, about| all.push(Gauge { name, label: None, kind, value: value as f64, about });
        put(Kind::Gauge, "shockwave_sessions", self.backends.count() as u64, "Sessions of the database.");
        let plans = self.plans.figures();
        put(Kind::Gauge, "shockwave_plan_cache_entries", plans.entries as u64, "Plans kept by their texts.");
        put(Kind::Gauge, "shockwave_plan_cache_bytes", plans.bytes as u64, "What those are reckoned to take.");
        put(Kind::Counter, "shockwave_plan_cache_hits_total", plans.hits, "Statements whose plan was kept.");
        put(Kind::Counter, "shockwave_plan_cache_misses_total", plans.misses, "Statements that were planned.");
        put(Kind::Counter, "shockwave_plan_cache_evictions_total", plans.evictions, "Plans that gave way to others.");
        all
    }

    pub(crate) fn is_own_function(&self, name: &str) -> bool {
        self.functions.iter().any(|function| function.name == name)
    }

    /// Waits until no other statement is being run again after a conflict.
    pub(crate) async fn rerun_turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.rerun_turns).lock_owned().await
    }

    /// µs since 1970-01-01 UTC, by the ledger's clock.
    pub(crate) fn now_us(&self) -> i64 {
        self.ledger.options().clock.now_us()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.ledger.name()
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.name()).finish()
    }
}
