//! From a query to a plan: what hangs on one vertex becomes a tail, the order of the rest is chosen by dynamic programming over connected
//! sub-patterns.
//!
//! J1: every plan of a query gives the same answer, by whatever strategy it was chosen.
//! Never: reads the graph, but for statistics; knows how a step is done.

mod asked;
mod block;
mod order;
mod tails;

use base::SqlResult;

use crate::cardinality::{Cardinality, Scope};
use crate::check::check;
use crate::pattern::Query;
use crate::plan::Plan;
use crate::schema::GraphSchema;
use crate::varset::VarSet;

/// How choices are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The least expected cost.
    Cheapest,
    /// At random, from a seed: for tests that hold plans against each other.
    Random(u64),
}

/// Draws for [`Strategy::Random`]: Steele, Lea and Flood's SplitMix64.
#[derive(Clone, Copy, Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

/// What planning needs throughout.
struct Planner<'a> {
    schema: &'a GraphSchema,
    cardinality: &'a dyn Cardinality,
    dice: Option<Dice>,
    memos: usize,
    depth: u16,
}

/// Checks and plans a query. Errors: those of a query that means nothing (42601, 54001, 22023).
pub fn plan(query: &Query, schema: &GraphSchema, cardinality: &dyn Cardinality, strategy: Strategy) -> SqlResult<Plan> {
    check(query, schema)?;
    let dice = match strategy {
        Strategy::Cheapest => None,
        Strategy::Random(seed) => Some(Dice(seed)),
    };
    let mut planner = Planner { schema, cardinality, dice, memos: 0, depth: 0 };
    let wanted: VarSet = query.output.vars().iter().copied().collect();
    let mut steps = Vec::new();
    let (_, cost) = planner.block(&query.pattern, &Scope::default(), VarSet::EMPTY, wanted, 1.0, &mut steps);
    Ok(Plan::new(steps, query.output.clone(), planner.memos, cost))
}

impl Planner<'_> {
    /// True by chance; `by_cost` where choices are made by cost.
    fn chance(&mut self, by_cost: bool) -> bool {
        self.dice.as_mut().map_or(by_cost, |dice| dice.below(2) == 0)
    }

    fn next_memo(&mut self) -> usize {
        self.memos += 1;
        self.memos - 1
    }
}
