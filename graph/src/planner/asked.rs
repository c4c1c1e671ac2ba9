//! How often a plan is expected to ask a condition over one variable alone: what it costs to answer it only when it is asked.
//!
//! Never: changes a plan.

use crate::cardinality::Cardinality;
use crate::pattern::Condition;
use crate::plan::{Arm, Plan, Planned, Step, Tail};
use crate::varset::{Var, VarSet};

impl Plan {
    /// How often conditions over this variable alone are expected to be asked; 0 where there are none.
    pub fn asked(&self, var: Var, cardinality: &dyn Cardinality) -> f64 {
        let alone = VarSet::one(var);
        let of_step = |planned: &Planned| match &planned.step {
            Step::Filter(condition) if condition.vars() == alone => planned.rows / passed(condition),
            Step::Weigh(tail) => of_tail(tail, alone, planned.rows, cardinality),
            _ => 0.0,
        };
        self.steps.iter().map(of_step).sum()
    }
}

fn passed(condition: &Condition) -> f64 {
    match condition {
        Condition::Filter { selectivity, .. } => selectivity.clamp(1e-9, 1.0),
        Condition::Equal(..) | Condition::Different(..) => 1.0,
    }
}

/// Of a tail that is asked for so often.
fn of_tail(tail: &Tail, alone: VarSet, demand: f64, cardinality: &dyn Cardinality) -> f64 {
    let of_arm = |arm: &Arm| arm.hops.iter().map(|(_, hop)| cardinality.degree(hop)).sum::<f64>();
    let entries = demand * tail.arms.iter().map(of_arm).fold(f64::INFINITY, f64::min);
    let own = if tail.conditions.iter().any(|condition| condition.vars() == alone) { entries } else { 0.0 };
    own + tail.tails.iter().map(|tail| of_tail(tail, alone, entries, cardinality)).sum::<f64>()
}
