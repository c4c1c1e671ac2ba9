//! A relation of FROM that reads the relations before it: `LATERAL (…)`, a set computed from their columns.
//!
//! The rows of the left are its input; the right is a subplan.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, UserDefinedLogicalNodeCore, build_join_schema};

use super::Held;

/// Every row of the left with each row that the subplan has for it; with `JoinType::Left`, a row at least.
#[derive(Clone, Debug)]
pub(crate) struct Dependent {
    left: LogicalPlan,
    /// What the subplan's arguments are of a row of the left.
    args: Vec<Expr>,
    held: Held,
    join: JoinType,
    /// The subplan's last column says whether its row counts, and is not part of the answer.
    is_conditional: bool,
    schema: DFSchemaRef,
}

impl Dependent {
    pub(super) fn new(left: LogicalPlan, args: Vec<Expr>, held: Held, join: JoinType, is_conditional: bool) -> Result<Self> {
        let shown = held.plan.schema().fields().len() - usize::from(is_conditional);
        let fields = held.plan.schema().iter().take(shown).map(|(relation, field)| (relation.cloned(), Arc::clone(field)));
        let right = DFSchema::new_with_metadata(fields.collect(), HashMap::new())?;
        let schema = Arc::new(build_join_schema(left.schema(), &right, &join)?);
        Ok(Self { left, args, held, join, is_conditional, schema })
    }

    pub(crate) fn is_conditional(&self) -> bool {
        self.is_conditional
    }

    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    pub(crate) fn args(&self) -> &[Expr] {
        &self.args
    }

    pub(crate) fn join(&self) -> JoinType {
        self.join
    }

    pub(super) fn with_held(&self, held: Held) -> Self {
        Self { held, ..self.clone() }
    }
}

impl PartialEq for Dependent {
    fn eq(&self, other: &Self) -> bool {
        self.held == other.held && self.left == other.left && self.args == other.args && self.join == other.join
    }
}

impl Eq for Dependent {}

impl PartialOrd for Dependent {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for Dependent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.held.id.hash(state);
        self.left.hash(state);
        self.args.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Dependent {
    fn name(&self) -> &str {
        "DependentJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.left]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.args.clone()
    }

    /// Conditions on the left alone hold below as well.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.held.plan.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DependentJoin: {:?}", self.join)
    }

    fn with_exprs_and_inputs(&self, args: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([left]) => Self::new(left, args, self.held.clone(), self.join, self.is_conditional),
            Err(_) => internal_err!("a dependent join has one input"),
        }
    }
}
