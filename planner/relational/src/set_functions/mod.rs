//! Functions in FROM: rows computed from arguments, one function or several side by side.
//!
//! F1: functions side by side have as many rows as the longest; the others' columns are NULL there.
//! F2: arguments are evaluated once a scan; they may be parameters and columns of relations around, never columns of the scan itself.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

pub(crate) mod exec;
pub(crate) mod relation;

/// How a column's values come out of its arguments.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Source {
    /// The elements of an array.
    Elements,
    /// The one value itself.
    Value,
    /// A row's value each argument: VALUES, where a value is known only when it is read.
    Rows,
    /// From, to and by: three arguments, or two.
    Series(DataType),
}

/// One column.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SetColumn {
    pub(crate) source: Source,
    pub(crate) args: Vec<Expr>,
    pub(crate) name: String,
    pub(crate) data_type: DataType,
}

/// The rows of some functions.
#[derive(Clone, Debug)]
pub(crate) struct SetScan {
    columns: Vec<SetColumn>,
    /// Name of the column that numbers the rows from 1.
    ordinality: Option<String>,
    schema: DFSchemaRef,
}

impl SetScan {
    pub(crate) fn new(columns: Vec<SetColumn>, ordinality: Option<String>) -> Result<Self> {
        let fields = columns.iter().map(|column| Field::new(&column.name, column.data_type.clone(), true));
        let number = ordinality.iter().map(|name| Field::new(name, DataType::Int64, true));
        let fields = fields.chain(number).map(|field| (None, Arc::new(field))).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, std::collections::HashMap::new())?);
        Ok(Self { columns, ordinality, schema })
    }

    pub(crate) fn columns(&self) -> &[SetColumn] {
        &self.columns
    }

    pub(crate) fn is_numbered(&self) -> bool {
        self.ordinality.is_some()
    }
}

impl PartialEq for SetScan {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns && self.ordinality == other.ordinality
    }
}

impl Eq for SetScan {}

impl PartialOrd for SetScan {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Hash for SetScan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.columns.hash(state);
        self.ordinality.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for SetScan {
    fn name(&self) -> &str {
        "FunctionScan"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.columns.iter().flat_map(|column| column.args.iter().cloned()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionScan")
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, _inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut columns = self.columns.clone();
        let mut exprs = exprs.into_iter();
        for column in &mut columns {
            for arg in &mut column.args {
                let Some(expr) = exprs.next() else { return internal_err!("F2: a function lost an argument") };
                *arg = expr.unalias();
            }
        }
        Self::new(columns, self.ordinality.clone())
    }
}
