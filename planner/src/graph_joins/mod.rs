//! Joins along the edges of a property graph, answered by graph operators: those of GRAPH_TABLE and those of plain SQL alike (decision 0027).
//!
//! What joins are in a graph (`roles`) is found when they are planned and kept with the plan; each run makes a pattern of it for the topology as of its
//! snapshot (`pattern`), plans that, settles when conditions on rows are answered (`settling`), and goes (`way`), if it costs less than joining does (`worth`).
//!
//! G1: the topology holds committed rows only: whoever has written, or has his reads noted, is answered by the joins.
//! G2: a graph whose rows cannot be followed, or would not fit into memory, is answered by the joins.
//! Never: judges a right: tables are opened before they come here.

mod pattern;
mod roles;
mod settling;
mod way;
mod worth;

use std::fmt;
use std::sync::Arc;

use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};
use engine::{Catalog, GraphElement, Ledger};
use graph::{FromStatistics, Strategy};
use relational::links::{Asked, Joined, Links, Route, Way};

use crate::live_graphs::LiveGraphs;
use roles::Roles;

/// What a statement's tables know of graphs.
pub(crate) struct GraphLinks {
    pub(crate) ledger: Arc<Ledger>,
    /// The statement's names.
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) graphs: Arc<LiveGraphs>,
    /// Answer whatever they can, or nothing; `None` where it is a question of cost.
    pub(crate) is_forced: Option<bool>,
    /// Which of the plans for operators is taken.
    pub(crate) strategy: Strategy,
    /// Workers of a long query.
    pub(crate) threads: usize,
}

impl fmt::Debug for GraphLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GraphLinks")
    }
}

impl Links for GraphLinks {
    fn follow(&self, joined: &Joined) -> Option<Arc<dyn Route>> {
        let found = self.catalog.graphs().find_map(|graph| Roles::of(&self.catalog, graph, joined))?;
        Some(Arc::new(found))
    }

    fn open(&self, route: &dyn Route, at: CommitSeq, asked: Asked) -> SqlResult<Option<Box<dyn Way>>> {
        if self.is_forced == Some(false) {
            return Ok(None);
        }
        let Some(roles) = (route as &dyn std::any::Any).downcast_ref::<Roles>() else {
            return Err(SqlError::internal("a route that these links have not found"));
        };
        // A topology that is made now lacks edges that have expired; joins refuse to read a moment that saw them.
        let has_expired = |element: &GraphElement| self.ledger.check_unexpired(RelationId(element.relation), at).is_err();
        if roles.graph.elements.iter().any(has_expired) {
            return Ok(None);
        }
        let is_kept = self.graphs.has(&roles.graph);
        if !is_kept && self.is_forced.is_none() && !worth::is_worth_making(&self.ledger, &self.catalog, roles, at)? {
            return Ok(None);
        }
        let live = match self.graphs.get(&self.ledger, &self.catalog, &roles.graph) {
            Ok(live) => live,
            // G2
            Err(error) if [SqlState::FEATURE_NOT_SUPPORTED, SqlState::OUT_OF_MEMORY].contains(&error.state()) => return Ok(None),
            Err(error) => return Err(error),
        };
        let snapshot = live.topology().snapshot(at);
        let statistics = live.statistics(&snapshot);
        let cardinality = FromStatistics { schema: snapshot.schema(), statistics: &statistics };
        let Some(settled) = settling::settled(roles, &live, &snapshot, (&cardinality, self.strategy), asked)? else { return Ok(None) };
        if self.is_forced.is_none() && !worth::is_worth_going(roles, &settled, &cardinality) {
            return Ok(None);
        }
        let clock = Arc::clone(&self.ledger.options().clock);
        Ok(Some(Box::new(way::GraphWay::new(roles, settled, snapshot, clock, self.threads))))
    }
}
