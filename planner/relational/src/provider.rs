//! Shows a [`Table`] to DataFusion and decides how a query reads it: by key or by scan.
//!
//! V1: the provider's schema is the table's without the hidden columns the statement does not name, positions mapped by `columns`.
//! V2: a filter is `Exact` only if the key lookup answers it; every other filter is checked again above the scan.
//! V3: the lookup is taken only if every key column is bound to a value; two different values for one column mean no rows.
//! Never: reads rows while planning.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use base::{SqlError, SqlResult};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, Result, internal_err};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::hidden;
use crate::layouts::{INTERVAL, is_any_numeric, is_compared_by_key};
use crate::operand::{Operand, widens};
use crate::scan::{KeyLookupExec, Reading, SegmentScanExec};
use crate::slot::Slot;
use crate::table::{Comparison, Table, TableIndex};

/// A table as one statement sees it: its shape, and where each run of the statement finds the table itself.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// The table's place in a run's list.
    number: usize,
    /// Where the list is; a provider that was not attached cannot be scanned.
    slot: Option<Arc<Slot>>,
    name: String,
    /// The table's whole schema.
    whole: SchemaRef,
    schema: SchemaRef,
    /// Position in the table's schema of each of the provider's columns.
    columns: Vec<usize>,
    /// Positions of the key's columns in the provider's schema; empty where the table has no key a lookup can use.
    key: Vec<usize>,
    indexes: Arc<[TableIndex]>,
    constraints: Constraints,
}

impl Provider {
    /// `mentioned` holds the hidden columns to expose. Errors: XX000 if the table's key names a column it has not.
    pub(crate) fn new(table: &dyn Table, number: usize, name: String, mentioned: &BTreeSet<String>) -> SqlResult<Self> {
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
        let constraints = Constraints::new_unverified(constraints);
        let indexes = table.indexes().into();
        Ok(Self { number, slot: None, name, whole, schema, columns, key, indexes, constraints })
    }

    /// The same, reading from a slot.
    pub(crate) fn attached(&self, slot: &Arc<Slot>) -> Self {
        Self { slot: Some(Arc::clone(slot)), ..self.clone() }
    }

    /// What the table's field says beside name and type, by position in the provider's schema.
    pub(crate) fn metadata(&self, at: usize) -> Option<HashMap<String, String>> {
        Some(self.whole.field(*self.columns.get(at)?).metadata().clone())
    }

    /// What the filters bind the key's columns to, in key order.
    fn key_of(&self, filters: &[&Expr]) -> Key {
        let mut values: HashMap<usize, Vec<Operand>> = HashMap::new();
        for compared in filters.iter().filter_map(|filter| self.compared(filter)).filter(|compared| compared.op == Comparison::Eq) {
            let known = values.entry(compared.column).or_default();
            if self.key.contains(&compared.column) && known.iter().any(|known| known.differs(&compared.value)) {
                return Key::Contradiction;
            }
            known.push(compared.value);
        }
        let usable = |column: &usize| {
            let data_type = self.schema.field(*column).data_type();
            !data_type.is_floating() && !is_compared_by_key(data_type)
        };
        if self.key.is_empty() || !self.key.iter().all(usable) {
            return Key::Incomplete;
        }
        match self.key.iter().map(|column| values.remove(column)).collect() {
            Some(values) => Key::Complete(values),
            None => Key::Incomplete,
        }
    }

    /// The filter as `column op value`, if it is that and the value can be had in the column's own type.
    fn compared(&self, filter: &Expr) -> Option<Compared> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
        let op = comparison(*op)?;
        if let Some(compared) = self.compared_by_key(left, op, right).or_else(|| self.compared_by_key(right, mirrored(op), left)) {
            return Some(compared);
        }
        let (column, op, value) = match (self.column_of(left), self.column_of(right)) {
            (Some(column), None) => (column, op, right.as_ref()),
            (None, Some(column)) => (column, mirrored(op), left.as_ref()),
            _ => return None,
        };
        let data_type = self.schema.field(column).data_type();
        let value = Operand::or_computed(value, data_type)?;
        // A column widened for the comparison meets its own values only in an equality: what does not fit is nobody's.
        let is_widened = ![left, right].iter().any(|side| matches!(side.as_ref(), Expr::Column(_)));
        (!is_widened || (op == Comparison::Eq && value.is_narrowed(data_type))).then_some(Compared { column, op, value })
    }

    /// A column of numbers of any length or of intervals, of which only keys are compared.
    fn compared_by_key(&self, column: &Expr, op: Comparison, value: &Expr) -> Option<Compared> {
        let Expr::ScalarFunction(call) = column else { return None };
        let ([Expr::Column(column)], "comparison_key") = (call.args.as_slice(), call.func.name()) else { return None };
        let column = self.schema.index_of(&column.name).ok()?;
        let data_type = self.schema.field(column).data_type();
        let has_order = *data_type == INTERVAL || is_any_numeric(data_type);
        let value = if has_order { Operand::of_key(value, data_type)? } else { return None };
        Some(Compared { column, op, value })
    }

    /// The column an expression is, perhaps under a cast that only widens an integer.
    fn column_of(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Column(column) => self.schema.index_of(&column.name).ok(),
            Expr::Cast(cast) => {
                let column = self.column_of(&cast.expr)?;
                widens(self.schema.field(column).data_type(), cast.field.data_type()).then_some(column)
            }
            _ => None,
        }
    }

    fn reading(&self, projection: Option<&Vec<usize>>) -> Result<Reading> {
        let projection: Vec<usize> = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.columns.len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&projection)?);
        let columns = projection.iter().map(|column| self.columns[*column]).collect();
        let Some(slot) = self.slot.clone() else { return internal_err!("{} is scanned before it has a slot", self.name) };
        Ok(Reading {
            slot,
            number: self.number,
            whole: Arc::clone(&self.whole),
            name: self.name.replace(char::is_control, " "),
            columns,
            schema,
            indexes: Arc::clone(&self.indexes),
        })
    }
}

enum Key {
    /// For each column of the key, what all it must equal.
    Complete(Vec<Vec<Operand>>),
    Incomplete,
    Contradiction,
}

struct Compared {
    column: usize,
    op: Comparison,
    value: Operand,
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
                let names = self.key.iter().map(|column| self.schema.field(*column).name().as_str());
                let planned = |values: Vec<Operand>| values.into_iter().map(|value| value.planned(state)).collect::<Result<Vec<_>>>();
                let values = values.into_iter().map(planned).collect::<Result<Vec<_>>>()?;
                return Ok(Arc::new(KeyLookupExec::new(reading, names.zip(values))));
            }
            Key::Incomplete => {}
        }
        let bounds = filters.iter().filter_map(|filter| self.compared(filter));
        let bounds = bounds.map(|compared| Ok((self.columns[compared.column], compared.op, compared.value.planned(state)?)));
        let bounds = bounds.collect::<Result<_>>()?;
        let partitions = state.config_options().execution.target_partitions.max(1);
        Ok(Arc::new(SegmentScanExec::new(reading, bounds, limit, partitions)?))
    }
}
