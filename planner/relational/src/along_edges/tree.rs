//! A tree of joins over scans, read from operators: relations, equal columns, conditions, and what comes out of it.
//!
//! T1: every column of every relation has a number; an expression of the tree speaks of columns by these.
//! T2: what is read here and what the operators give are the same rows, each as often, in whatever order.
//! T3: a combination that exists once or often is the same to who asks for distinct ones.
//! Never: reads a join of another kind than inner, left, semi and anti, nor one on anything but columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinSide, JoinType, NullEquality};
use datafusion::logical_expr::{Operator, Volatility};
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use super::passing::Source;
use crate::scan::{KeyLookupExec, Reading, SegmentScanExec};
use crate::slot::Reader;
use crate::table::links::{Block, Joined, JoinedColumn, PartKind};

/// An expression over the tree's columns (T1).
pub(super) type Expr = Arc<dyn PhysicalExpr>;

/// Relations that a tree may have.
const RELATIONS_MAX: usize = 48;

/// A scan of a table, and what its rows have to pass.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) reading: Reading,
    pub(super) source: Source,
    /// Number of its first column (T1).
    pub(super) first: usize,
    /// Over the scan's own columns.
    pub(super) conditions: Vec<Expr>,
}

/// A condition over several relations.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) block: usize,
    pub(super) expr: Expr,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) relations: Vec<Relation>,
    pub(super) blocks: Vec<Block>,
    pub(super) conditions: Vec<Condition>,
    columns: usize,
}

/// Operators read into a tree.
struct Branch {
    /// What comes out, in order.
    output: Vec<Expr>,
}

impl Tree {
    /// The joins that some operators are, and what comes out of them; `None` where they are anything else.
    pub(super) fn read(plan: &Arc<dyn ExecutionPlan>) -> Option<(Self, Vec<Expr>)> {
        let mut tree = Self { blocks: vec![Block::default()], ..Self::default() };
        let branch = tree.branch(plan, 0)?;
        (tree.relations.len() > 1).then_some((tree, branch.output))
    }

    /// The same where nobody asks how often a combination stands: what must exist is joined, wherever it stands (T3).
    pub(super) fn without_times(mut self) -> Self {
        for at in (1..self.blocks.len()).rev() {
            let Some((around, PartKind::Exists)) = self.blocks[at].within else { continue };
            let gone = self.blocks.remove(at);
            self.blocks[around].relations.extend(gone.relations);
            self.blocks[around].equal.extend(gone.equal);
            let place = |block: usize| if block == at { around } else { block - usize::from(block > at) };
            for block in &mut self.blocks {
                block.within = block.within.map(|(within, kind)| (place(within), kind));
            }
            self.conditions.iter_mut().for_each(|condition| condition.block = place(condition.block));
        }
        self
    }

    /// Reads operators into a block.
    fn branch(&mut self, plan: &Arc<dyn ExecutionPlan>, block: usize) -> Option<Branch> {
        if plan.fetch().is_some() {
            return None;
        }
        if let Some(scan) = plan.downcast_ref::<SegmentScanExec>() {
            let (reading, bounds) = scan.whole()?;
            return self.relation(reading, Source::Scan(bounds.clone()), block);
        }
        if let Some(lookup) = plan.downcast_ref::<KeyLookupExec>() {
            return self.relation(lookup.reading(), Source::Key(Arc::clone(lookup.key())), block);
        }
        if let Some(exchange) = plan.downcast_ref::<RepartitionExec>() {
            let keeps = matches!(exchange.partitioning(), Partitioning::RoundRobinBatch(_) | Partitioning::Hash(..));
            return if keeps { self.branch(exchange.input(), block) } else { None };
        }
        if let Some(gathered) = plan.downcast_ref::<CoalescePartitionsExec>() {
            return self.branch(gathered.input(), block);
        }
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            let input = self.branch(filter.input(), block)?;
            self.hold(filter.predicate(), &input.output, block)?;
            return Some(Branch { output: chosen(input.output, filter.projection().as_deref())? });
        }
        if let Some(list) = plan.downcast_ref::<ProjectionExec>() {
            let input = self.branch(list.input(), block)?;
            let output = list.expr().iter().map(|item| over(&item.expr, &input.output)).collect::<Option<Vec<_>>>()?;
            return if output.iter().any(is_volatile) { None } else { Some(Branch { output }) };
        }
        if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            return self.hash_join(join, block);
        }
        if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>().filter(|join| *join.join_type() == JoinType::Inner) {
            let (left, right) = (self.branch(join.left(), block)?, self.branch(join.right(), block)?);
            self.filter(join.filter(), &left, &right, block)?;
            let all = left.output.into_iter().chain(right.output).collect();
            return Some(Branch { output: chosen(all, join.projection().as_deref())? });
        }
        if let Some(join) = plan.downcast_ref::<CrossJoinExec>() {
            let (left, right) = (self.branch(join.left(), block)?, self.branch(join.right(), block)?);
            return Some(Branch { output: left.output.into_iter().chain(right.output).collect() });
        }
        None
    }

    fn relation(&mut self, reading: &Reading, source: Source, block: usize) -> Option<Branch> {
        if self.relations.len() == RELATIONS_MAX {
            return None;
        }
        let (first, count) = (self.columns, reading.columns.len());
        self.columns += count;
        self.blocks[block].relations.push(self.relations.len());
        self.relations.push(Relation { reading: reading.clone(), source, first, conditions: Vec::new() });
        let column = |at: usize| Arc::new(Column::new(reading.schema.field(at).name(), first + at)) as Expr;
        Some(Branch { output: (0..count).map(column).collect() })
    }

    fn hash_join(&mut self, join: &HashJoinExec, block: usize) -> Option<Branch> {
        if join.null_equality() != NullEquality::NullEqualsNothing || join.null_aware {
            return None;
        }
        // Whether the left is joined to whatever the right is, and how the other one bears on it.
        let (outer_is_left, kind) = match join.join_type() {
            JoinType::Inner => (true, None),
            JoinType::Left => (true, Some(PartKind::Optional)),
            JoinType::LeftSemi => (true, Some(PartKind::Exists)),
            JoinType::LeftAnti => (true, Some(PartKind::NotExists)),
            JoinType::Right => (false, Some(PartKind::Optional)),
            JoinType::RightSemi => (false, Some(PartKind::Exists)),
            JoinType::RightAnti => (false, Some(PartKind::NotExists)),
            _ => return None,
        };
        let (left, right, of_join) = match kind {
            None => (self.branch(join.left(), block)?, self.branch(join.right(), block)?, block),
            Some(kind) => {
                let (outer, inner) = if outer_is_left { (join.left(), join.right()) } else { (join.right(), join.left()) };
                let outer = self.branch(outer, block)?;
                let part = self.blocks.len();
                self.blocks.push(Block { within: Some((block, kind)), ..Block::default() });
                let inner = self.branch(inner, part)?;
                // Where there is no row, what was computed from it is NULL, and not what is computed from NULL.
                if kind == PartKind::Optional && inner.output.iter().any(|expr| expr.downcast_ref::<Column>().is_none()) {
                    return None;
                }
                if outer_is_left { (outer, inner, part) } else { (inner, outer, part) }
            }
        };
        for (one, other) in join.on() {
            let pair = (self.column(&over(one, &left.output)?)?, self.column(&over(other, &right.output)?)?);
            self.blocks[of_join].equal.push(pair);
        }
        self.filter(join.filter(), &left, &right, of_join)?;
        let output = match kind {
            Some(PartKind::Exists | PartKind::NotExists) => {
                if outer_is_left {
                    left.output
                } else {
                    right.output
                }
            }
            _ => left.output.into_iter().chain(right.output).collect(),
        };
        Some(Branch { output: chosen(output, join.projection.as_deref())? })
    }

    fn filter(&mut self, filter: Option<&JoinFilter>, left: &Branch, right: &Branch, block: usize) -> Option<()> {
        let Some(filter) = filter else { return Some(()) };
        let column = |at: &datafusion::physical_plan::joins::utils::ColumnIndex| match at.side {
            JoinSide::Left => left.output.get(at.index).cloned(),
            JoinSide::Right => right.output.get(at.index).cloned(),
            JoinSide::None => None,
        };
        let columns: Vec<Expr> = filter.column_indices().iter().map(column).collect::<Option<_>>()?;
        self.hold(filter.expression(), &columns, block)
    }

    /// Takes conditions in: those over one relation of the block stand at that.
    fn hold(&mut self, predicate: &Expr, columns: &[Expr], block: usize) -> Option<()> {
        for condition in split_conjunction(predicate) {
            let expr = over(condition, columns)?;
            if is_volatile(&expr) {
                return None;
            }
            let relations = self.relations_of(&expr)?;
            match relations.first() {
                None => return None,
                // What a part's rows have to pass says nothing of those around it. That two columns differ may be known without reading them.
                Some(only) if relations.len() == 1 && self.blocks[block].relations.contains(only) && self.differ(&expr).is_none() => {
                    let first = self.relations[*only].first;
                    let own = moved(&expr, |at| at - first)?;
                    self.relations[*only].conditions.push(own);
                }
                Some(_) => self.conditions.push(Condition { block, expr }),
            }
        }
        Some(())
    }

    /// The relations that an expression speaks of.
    pub(super) fn relations_of(&self, expr: &Expr) -> Option<BTreeSet<usize>> {
        collect_columns(expr).iter().map(|column| Some(self.place(column.index())?.0)).collect()
    }

    /// The relation of a column's number, and its place in what is read of that.
    pub(super) fn place(&self, number: usize) -> Option<(usize, usize)> {
        let relation = self.relations.partition_point(|relation| relation.first <= number).checked_sub(1)?;
        Some((relation, number - self.relations[relation].first))
    }

    /// The column that an expression is.
    pub(super) fn column(&self, expr: &Expr) -> Option<JoinedColumn> {
        let (relation, place) = self.place(expr.downcast_ref::<Column>()?.index())?;
        let column = *self.relations[relation].reading.columns.get(place)?;
        Some(JoinedColumn { relation, column })
    }

    /// Set where a condition says that two columns differ.
    pub(super) fn differ(&self, expr: &Expr) -> Option<(JoinedColumn, JoinedColumn)> {
        let compared = expr.downcast_ref::<BinaryExpr>().filter(|compared| *compared.op() == Operator::NotEq)?;
        Some((self.column(compared.left())?, self.column(compared.right())?))
    }

    /// As it is shown to who may know a way. Errors where a table is read outside a run.
    pub(super) fn joined(&self) -> Option<Joined> {
        let tables = self.relations.iter().map(|relation| relation.reading.table().ok()).collect::<Option<_>>()?;
        Some(Joined { tables, blocks: self.blocks.clone() })
    }
}

/// Those of some columns that an operator lets out.
fn chosen(columns: Vec<Expr>, projection: Option<&[usize]>) -> Option<Vec<Expr>> {
    match projection {
        Some(projection) => projection.iter().map(|at| columns.get(*at).cloned()).collect(),
        None => Some(columns),
    }
}

/// An expression over an operator's input, over what that input is.
pub(super) fn over(expr: &Expr, columns: &[Expr]) -> Option<Expr> {
    let changed = Arc::clone(expr).transform_up(|expr| match expr.downcast_ref::<Column>() {
        Some(column) => match columns.get(column.index()) {
            Some(known) => Ok(Transformed::yes(Arc::clone(known))),
            None => datafusion::common::internal_err!("T1: a column that the input does not have"),
        },
        None => Ok(Transformed::no(expr)),
    });
    changed.data().ok()
}

/// The same expression with other numbers of columns.
pub(super) fn moved(expr: &Expr, number: impl Fn(usize) -> usize) -> Option<Expr> {
    let changed = Arc::clone(expr).transform_up(|expr| match expr.downcast_ref::<Column>() {
        Some(column) => {
            let column = Column::new(column.name(), number(column.index()));
            Ok(Transformed::yes(Arc::new(column) as Expr))
        }
        None => Ok(Transformed::no(expr)),
    });
    changed.data().ok()
}

/// Whether it may answer otherwise the next time it is asked in one run.
fn is_volatile(expr: &Expr) -> bool {
    let mut found = false;
    let _ = expr.apply(|expr| {
        if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
            let is_fixed = call.fun().inner().downcast_ref::<Reader>().is_some();
            found |= !is_fixed && call.fun().signature().volatility == Volatility::Volatile;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}
