//! What may know a quicker way through joins than joining: whoever keeps which rows refer to which.
//!
//! A plan whose joins follow one another by equal columns is shown to the tables it reads ([`Table::links`]); what is answered about it is kept with the
//! plan, and asked again by each run, which may still be answered by the joins.
//!
//! W1: a way gives exactly the combinations of rows that the joins give, each as often, as of the commit that the tables are of.
//! Never: judges a right; the run has opened every column that the joins would read.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use base::{CommitSeq, SqlResult};

use super::Table;
use crate::environment::Interrupt;

/// A column of a joined relation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JoinedColumn {
    /// Place among the relations.
    pub relation: usize,
    /// Position in [`Table::schema`].
    pub column: usize,
}

/// How some relations bear on those joined before them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartKind {
    /// LEFT JOIN: where they have no rows, theirs are NULL.
    Optional,
    /// EXISTS.
    Exists,
    /// NOT EXISTS.
    NotExists,
}

/// Relations that are joined with one another, and equal columns; those of the blocks above count as columns of theirs.
#[derive(Clone, Default, Debug)]
pub struct Block {
    /// The block around it and how it bears on that; `None` for the first.
    pub within: Option<(usize, PartKind)>,
    /// Places of its relations.
    pub relations: Vec<usize>,
    /// Pairs of equal columns.
    pub equal: Vec<(JoinedColumn, JoinedColumn)>,
}

/// A tree of joins.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The table of each relation.
    pub tables: Vec<Arc<dyn Table>>,
    /// The first is what is joined at all, each other stands after the one that it is within.
    pub blocks: Vec<Block>,
}

/// What [`Links::follow`] knows of some joins.
pub trait Route: Any + Send + Sync + Debug {}

/// Finds ways through joins, for one statement.
pub trait Links: Send + Sync + Debug {
    /// How the joins follow edges; `None` where they do not. What it says holds as long as the definitions do that the tables have.
    fn follow(&self, joined: &Joined) -> Option<Arc<dyn Route>>;

    /// Makes ready for one run, as of a commit; `None` where the joins are to answer. Errors: what reading raises.
    fn open(&self, route: &dyn Route, at: CommitSeq, asked: Asked) -> SqlResult<Option<Box<dyn Way>>>;
}

/// A condition over rows of some relations.
pub trait RowFilter: Send + Sync + Debug {
    /// Clears `keep[i]` where the condition does not hold of the i-th rows. Of each relation there are as many ids as `keep` is long; `None` stands
    /// for no row, whose columns are NULL. Errors reach the user unchanged.
    fn evaluate(&self, rows: &[Vec<Option<u64>>], keep: &mut [bool]) -> SqlResult<()>;
}

/// A condition over several relations.
#[derive(Clone, Debug)]
pub struct JoinedCondition {
    /// The block that it belongs to.
    pub block: usize,
    /// The relations.
    pub relations: Vec<usize>,
    /// Set where it says that two columns differ.
    pub differ: Option<(JoinedColumn, JoinedColumn)>,
    /// Says of which rows it holds.
    pub filter: Arc<dyn RowFilter>,
}

/// One relation's own conditions, for one run.
pub trait OwnConditions: Send + Sync + Debug {
    /// The numbers of the rows that meet them, ascending. All of the table is read.
    fn rows(&self) -> SqlResult<Vec<u64>>;

    /// Clears `keep[i]` where the row with the i-th number does not meet them; `None`, which is no row, never does. These rows are read.
    fn evaluate(&self, rows: &[Option<u64>], keep: &mut [bool]) -> SqlResult<()>;

    /// How many rows were read so far.
    fn read(&self) -> u64;
}

/// The rows of a relation that combinations can have.
#[derive(Clone, Debug)]
pub enum Passing {
    /// All.
    All,
    /// Those with these numbers, ascending: found by key or by an index.
    Rows(Vec<u64>),
    /// Those that meet conditions, which nothing but reading them tells.
    Asked(Arc<dyn OwnConditions>),
}

/// What is wanted of the combinations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// How many there are.
    Count,
    /// The rows of these relations, each combination as often as it stands; how many columns are read of them.
    Rows(Vec<usize>, usize),
    /// Each combination of rows of these relations once, with how often it stands.
    Groups(Vec<usize>, usize),
}

impl Wanted {
    /// The relations.
    pub fn relations(&self) -> &[usize] {
        match self {
            Self::Count => &[],
            Self::Rows(relations, _) | Self::Groups(relations, _) => relations,
        }
    }
}

/// Bytes that a run may hold.
pub trait RunMemory: Send + Sync + Debug {
    /// Takes bytes. Errors: 53200, and then none are taken.
    fn take(&self, bytes: usize) -> SqlResult<()>;

    /// Gives bytes back.
    fn give(&self, bytes: usize);
}

/// One run.
pub struct Asked {
    /// For each relation, rows that meet its own conditions.
    pub passing: Vec<Passing>,
    /// Conditions over several relations.
    pub conditions: Vec<JoinedCondition>,
    /// What is wanted.
    pub wanted: Wanted,
    /// What it may hold.
    pub memory: Arc<dyn RunMemory>,
    /// Asked now and then.
    pub interrupt: Interrupt,
}

/// Takes, for each relation wanted, ids of rows, and how often each combination stands. An error ends the run.
pub type TakeRows<'a> = dyn Fn(&[Vec<Option<u64>>], &[u64]) -> SqlResult<()> + Sync + 'a;

/// A way made ready.
pub trait Way: Send + Sync {
    /// As a person reads it: a line a step.
    fn shown(&self) -> String;

    /// Whether it is over in less time than handing it to another thread takes.
    fn is_short(&self) -> bool;

    /// Gives everything; and what happened on it, as a person reads it.
    fn run(&self, take: &TakeRows<'_>) -> SqlResult<String>;
}
