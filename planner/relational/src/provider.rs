//! Shows a [`Table`] to DataFusion and decides how a query reads it: by key or by scan.
//!
//! V1: the provider's schema is the table's without the hidden columns the statement does not name, positions mapped by `columns`.
//! V2: a filter is `Exact` only if the key lookup answers it; every other filter is checked again above the scan.
//! V3: the lookup is taken only if every key column is bound to one constant; two different constants for one column mean no rows.
//! Never: reads rows while planning.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use base::{SqlError, SqlResult};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::hidden;
use crate::scan::{KeyLookupExec, Reading, SegmentScanExec};
use crate::table::{Bound, Comparison, Table};

/// A table as one statement sees it.
#[derive(Debug)]
pub(crate) struct Provider {
    table: Arc<dyn Table>,
    name: String,
    schema: SchemaRef,
    /// Position in the table's schema of each of the provider's columns.
    columns: Vec<usize>,
    /// Positions of the key's columns in the provider's schema; empty where the table has no key a lookup can use.
    key: Vec<usize>,
    constraints: Constraints,
}

impl Provider {
    /// `mentioned` holds the hidden columns to expose. Errors: XX000 if the table's key names a column it has not.
    pub(crate) fn new(table: Arc<dyn Table>, name: String, mentioned: &BTreeSet<String>) -> SqlResult<Self> {
        let whole = table.schema();
        let is_seen = |field: &Field| !hidden::is_hidden(field) || mentioned.contains(field.name());
        let columns: Vec<usize> = (0..whole.fields().len()).filter(|column| is_seen(whole.field(*column))).collect();
        // Nullable all: a scalar subquery over no rows is NULL, which the engine would hold against a column declared otherwise.
        let seen = columns.iter().map(|column| whole.field(*column)).map(|field| Field::new(field.name(), field.data_type().clone(), true));
        let schema = Arc::new(Schema::new(seen.collect::<Vec<_>>()));
        let position = |column: &usize| {
            columns
                .iter()
                .position(|c| c == column)
                .ok_or_else(|| SqlError::internal(format!("primary key of {name} has no column {column}")))
        };
        let key = table.primary_key().iter().map(position).collect::<SqlResult<Vec<_>>>()?;
        let constraints = if key.is_empty() { vec![] } else { vec![Constraint::PrimaryKey(key.clone())] };
        Ok(Self { table, name, schema, columns, key, constraints: Constraints::new_unverified(constraints) })
    }

    /// The constants that the filters bind the key's columns to, in key order.
    fn key_of(&self, filters: &[&Expr]) -> Key {
        let mut values: HashMap<usize, ScalarValue> = HashMap::new();
        for compared in filters.iter().filter_map(|filter| self.compared(filter)).filter(|compared| compared.op == Comparison::Eq) {
            match values.get(&compared.column) {
                Some(value) if *value != compared.value && self.key.contains(&compared.column) => return Key::Contradiction,
                _ => drop(values.insert(compared.column, compared.value)),
            }
        }
        let usable =
            |column: &usize| !matches!(self.schema.field(*column).data_type(), DataType::Float16 | DataType::Float32 | DataType::Float64);
        if self.key.is_empty() || !self.key.iter().all(usable) {
            return Key::Incomplete;
        }
        match self.key.iter().map(|column| values.remove(column)).collect() {
            Some(values) => Key::Complete(values),
            None => Key::Incomplete,
        }
    }

    /// The filter as `column op constant`, if it is that and the constant is typed as the column.
    fn compared(&self, filter: &Expr) -> Option<Compared> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
        let (column, op, value) = match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => (column, comparison(*op)?, value),
            (Expr::Literal(value, _), Expr::Column(column)) => (column, mirrored(comparison(*op)?), value),
            _ => return None,
        };
        let column = self.schema.index_of(&column.name).ok()?;
        let is_typed = value.data_type() == *self.schema.field(column).data_type();
        (is_typed && !value.is_null()).then(|| Compared { column, op, value: value.clone() })
    }

    fn reading(&self, projection: Option<&Vec<usize>>) -> Result<Reading> {
        let projection: Vec<usize> = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.columns.len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&projection)?);
        let columns = projection.iter().map(|column| self.columns[*column]).collect();
        Ok(Reading { table: Arc::clone(&self.table), name: self.name.clone(), columns, schema })
    }
}

enum Key {
    Complete(Vec<ScalarValue>),
    Incomplete,
    Contradiction,
}

struct Compared {
    column: usize,
    op: Comparison,
    value: ScalarValue,
}

fn comparison(op: Operator) -> Option<Comparison> {
    Some(match op {
        Operator::Eq => Comparison::Eq,
        Operator::Lt => Comparison::Lt,
        Operator::LtEq => Comparison::Le,
        Operator::Gt => Comparison::Gt,
        Operator::GtEq => Comparison::Ge,
        _ => return None,
    })
}

fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Eq => Comparison::Eq,
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
    }
}

fn one_row(value: &ScalarValue) -> Result<ArrayRef> {
    value.to_array_of_size(1)
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.constraints)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let is_lookup = !matches!(self.key_of(filters), Key::Incomplete);
        let answer = |filter: &&Expr| match self.compared(filter) {
            Some(compared) if is_lookup && compared.op == Comparison::Eq && self.key.contains(&compared.column) => {
                TableProviderFilterPushDown::Exact
            }
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(answer).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let reading = self.reading(projection)?;
        let filters: Vec<&Expr> = filters.iter().collect();
        match self.key_of(&filters) {
            Key::Contradiction => return Ok(Arc::new(EmptyExec::new(reading.schema))),
            Key::Complete(values) => {
                let named = self.key.iter().zip(&values).map(|(column, value)| format!("{}={value}", self.schema.field(*column).name()));
                let shown = named.collect::<Vec<_>>().join(", ");
                let key = values.iter().map(one_row).collect::<Result<Vec<_>>>()?;
                return Ok(Arc::new(KeyLookupExec::new(reading, key, shown)));
            }
            Key::Incomplete => {}
        }
        let bound = |compared: Compared| {
            let column = self.columns[compared.column];
            Ok(Bound { column, op: compared.op, value: one_row(&compared.value)? })
        };
        let bounds = filters.iter().filter_map(|filter| self.compared(filter)).map(bound).collect::<Result<Vec<_>>>()?;
        let partitions = state.config_options().execution.target_partitions.max(1);
        let scan = SegmentScanExec::new(reading, bounds, limit, partitions);
        Ok(Arc::new(scan.map_err(|error| DataFusionError::External(Box::new(error)))?))
    }
}
