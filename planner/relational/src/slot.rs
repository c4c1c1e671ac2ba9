//! What a plan that is run many times reads anew in each run: parameters, the time, the tables as of the run's snapshot, and functions of the run.
//!
//! S1: a slot belongs to one plan, and one run at a time fills it.
//! Never: keeps a table beyond the run that filled it in.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arrow::array::new_empty_array;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use base::{SqlError, SqlResult};

use crate::clock::{Clock, Moment};
use crate::environment::{Interrupt, RunLimits, ScalarCall, ScalarFunction};
use crate::memory::{Memory, RunPool};
use crate::outer_values::{Cell, Memo, index_within};
use crate::table::Table;

/// What one run reads.
#[derive(Default)]
struct Filling {
    parameters: Vec<ScalarValue>,
    moment: Option<Moment>,
    tables: Vec<Arc<dyn Table>>,
    interrupt: Option<Interrupt>,
    functions: Vec<ScalarFunction>,
}

/// The place of a plan's changing parts (S1).
pub(crate) struct Slot {
    filling: RwLock<Filling>,
    pool: Arc<RunPool>,
    /// What the plan and its subplans execute in.
    context: Arc<TaskContext>,
    /// What the plan's subplans remember of the run.
    memos: Mutex<Vec<Arc<Memo>>>,
    /// Its plan runs once, so that it may build on how large the tables are.
    is_single: bool,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}

impl Slot {
    /// The slot of a plan that runs many times, or of one that runs once.
    pub(crate) fn new(memory: &Memory, is_single: bool) -> Self {
        let (pool, context) = memory.pool();
        Self { filling: RwLock::default(), pool, context, memos: Mutex::default(), is_single }
    }

    /// An error of the run, with the limit of memory that it met.
    pub(crate) fn named(&self, error: SqlError) -> SqlError {
        self.pool.named(error)
    }

    /// What the operators answer, with an end where the run's memory does not suffice for them to go on.
    pub(crate) fn guarded(&self, batches: SendableRecordBatchStream) -> SendableRecordBatchStream {
        self.pool.guarded(batches)
    }

    pub(crate) fn context(&self) -> &Arc<TaskContext> {
        &self.context
    }

    pub(crate) fn is_single(&self) -> bool {
        self.is_single
    }

    pub(crate) fn fill(&self, parameters: Vec<ScalarValue>, moment: Moment, tables: Vec<Arc<dyn Table>>, limits: &RunLimits) {
        self.pool.limit(limits.memory_bytes);
        let interrupt = Some(Arc::clone(&limits.interrupt));
        let functions = limits.functions.clone();
        *self.filling.write().unwrap_or_else(PoisonError::into_inner) =
            Filling { parameters, moment: Some(moment), tables, interrupt, functions };
    }

    pub(crate) fn clear(&self) {
        *self.filling.write().unwrap_or_else(PoisonError::into_inner) = Filling::default();
        self.memos.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|memo| memo.clear());
    }

    /// What is to be forgotten when the run ends.
    pub(crate) fn forget_at_end(&self, memo: &Arc<Memo>) {
        self.memos.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(memo));
    }

    /// For work that nothing else can end: an error once the run has to.
    pub(crate) fn check(&self) -> SqlResult<()> {
        let interrupt = self.filling.read().unwrap_or_else(PoisonError::into_inner).interrupt.clone();
        interrupt.map_or(Ok(()), |interrupt| interrupt())
    }

    /// The body of a function of that name that the run brings along.
    pub(crate) fn call(&self, name: &str) -> Option<ScalarCall> {
        let filling = self.filling.read().unwrap_or_else(PoisonError::into_inner);
        filling.functions.iter().find(|function| function.name == name).map(|function| Arc::clone(&function.call))
    }

    fn read(&self, which: Which) -> Result<ScalarValue> {
        let filling = self.filling.read().unwrap_or_else(PoisonError::into_inner);
        let value = match which {
            Which::Parameter(index) => filling.parameters.get(index).cloned(),
            Which::Clock(clock) => filling.moment.map(|moment| clock.at(moment)),
        };
        value.ok_or_else(|| DataFusionError::Internal(format!("S1: {which:?} is read outside a run")))
    }

    pub(crate) fn table(&self, index: usize) -> Result<Arc<dyn Table>> {
        let filling = self.filling.read().unwrap_or_else(PoisonError::into_inner);
        filling.tables.get(index).cloned().ok_or_else(|| DataFusionError::Internal(format!("S1: table {index} is read outside a run")))
    }
}

/// A value that each run gives anew.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Which {
    /// `$n`, from 0.
    Parameter(usize),
    Clock(Clock),
}

impl Which {
    /// What a placeholder stands for.
    pub(crate) fn of(id: &str) -> Option<Self> {
        if let Some(clock) = Clock::ALL.into_iter().find(|clock| clock.id() == id) {
            return Some(Self::Clock(clock));
        }
        id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1).map(Self::Parameter)
    }
}

/// Where a value is read.
#[derive(Clone, Debug)]
enum Source {
    Run(Arc<Slot>, Which),
    /// An argument of the subplan that reads it.
    Outer(Arc<Cell>, usize),
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Run(slot, which), Self::Run(others, other)) => which == other && Arc::ptr_eq(slot, others),
            (Self::Outer(cell, index), Self::Outer(others, other)) => index == other && Arc::ptr_eq(cell, others),
            _ => false,
        }
    }
}

/// A value of the run or of an evaluation within it, as a plan's expressions and leaves read it.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    source: Source,
    data_type: DataType,
    shown: String,
    signature: Signature,
}

impl Reader {
    /// `cell` holds the arguments of the subplan of that number.
    pub(crate) fn new(slot: &Arc<Slot>, cell: Option<(usize, &Arc<Cell>)>, placeholder: &Placeholder) -> Option<Self> {
        let outer = cell.and_then(|(subplan, cell)| Some(Source::Outer(Arc::clone(cell), index_within(subplan, &placeholder.id)?)));
        let source = match outer {
            Some(outer) => outer,
            None => Source::Run(Arc::clone(slot), Which::of(&placeholder.id)?),
        };
        let data_type = placeholder.field.as_ref()?.data_type().clone();
        // Volatile: the physical optimiser would fold anything less.
        let signature = Signature::nullary(Volatility::Volatile);
        Some(Self { source, data_type, shown: placeholder.id.clone(), signature })
    }

    /// Its type.
    pub(crate) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// How EXPLAIN prints it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The value now; NULL for an argument while nothing is evaluated, as when scans are opened for the first time.
    pub(crate) fn value(&self) -> Result<ScalarValue> {
        match &self.source {
            Source::Run(slot, which) => slot.read(*which),
            Source::Outer(cell, index) => cell.get(*index).map_or_else(|| ScalarValue::try_from(&self.data_type), Ok),
        }
    }
}

impl PartialEq for Reader {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Reader {}

impl Hash for Reader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shown.hash(state);
    }
}

impl ScalarUDFImpl for Reader {
    fn name(&self) -> &str {
        &self.shown
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        if arg_types.is_empty() { Ok(self.data_type.clone()) } else { internal_err!("{} takes no arguments", self.shown) }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Planners try on no rows what is constant: this is not.
        if args.number_rows == 0 {
            return Ok(ColumnarValue::Array(new_empty_array(&self.data_type)));
        }
        self.value().map(ColumnarValue::Scalar)
    }
}

/// The reader behind an expression, if it is one.
pub(crate) fn reader(expr: &Expr) -> Option<&Reader> {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<Reader>(),
        _ => None,
    }
}
