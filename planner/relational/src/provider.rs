//! Shows a [`Table`] to DataFusion and decides how a query reads it: by key or by scan.
//!
//! V1: the provider's schema is the table's without the hidden columns the statement does not name, positions mapped by `columns`.
//! V2: a filter is `Exact` only if the key lookup answers it; every other filter is checked again above the scan.
//! V3: the lookup is taken only if every key column is bound to a value; two different values for one column mean no rows.
//! V4: `tableoid` follows the table's columns where the statement names it; no place means it, so that no bound is about it.
//! Never: reads rows while planning.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use base::{SqlError, SqlResult};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Constraint, Constraints, DFSchema, DataFusionError, Result, internal_err};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::projection::ProjectionExec;

use crate::computed::{self, Compares, Known, Part, bare};
use crate::hidden;
use crate::layouts::is_compared_by_key;
use crate::operand::{Operand, widens};
use crate::scan::{Computed, KeyLookupExec, Reading, SegmentScanExec};
use crate::slot::Slot;
use crate::table::{Comparison, TABLE_OID, Table, TableIndex};

mod bounds;

use bounds::Compared;

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
    /// V4
    told_oid: Option<(u32, Field)>,
    /// Positions of the key's columns in the provider's schema; empty where the table has no key a lookup can use.
    key: Vec<usize>,
    indexes: Arc<[TableIndex]>,
    /// What the indexes are about beside columns; places from the end of `columns` on mean these.
    expressions: Arc<[Known]>,
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
        let told_oid = hidden::table_oid(table).filter(|_| mentioned.contains(TABLE_OID));
        let seen = seen.chain(told_oid.iter().map(|(_, field)| field.clone().with_metadata(HashMap::new())));
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
        Ok(Self { number, slot: None, name, whole, schema, columns, told_oid, key, indexes, expressions: Arc::default(), constraints })
    }

    /// The same, with what its indexes are about.
    pub(crate) fn knowing(self, expressions: Vec<Known>) -> Self {
        Self { expressions: expressions.into(), ..self }
    }

    /// Its columns.
    pub(crate) fn columns(&self) -> &SchemaRef {
        &self.schema
    }

    /// The same, reading from a slot.
    pub(crate) fn attached(&self, slot: &Arc<Slot>) -> Self {
        Self { slot: Some(Arc::clone(slot)), ..self.clone() }
    }

    /// What the table's field says beside name and type, by position in the provider's schema.
    pub(crate) fn metadata(&self, at: usize) -> Option<HashMap<String, String>> {
        let field = match self.columns.get(at) {
            Some(column) => self.whole.field(*column),
            None => self.told_oid.as_ref().filter(|_| at == self.columns.len()).map(|(_, field)| field)?,
        };
        Some(field.metadata().clone())
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
            let data_type = self.type_at(*column);
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

    /// The place of a column of the table's own.
    fn place_of(&self, name: &str) -> Option<usize> {
        self.schema.index_of(name).ok().filter(|place| *place < self.columns.len())
    }

    /// Type of what is at a place.
    fn type_at(&self, place: usize) -> &DataType {
        match place.checked_sub(self.columns.len()) {
            Some(at) => &self.expressions[at].data_type,
            None => self.schema.field(place).data_type(),
        }
    }

    /// The place in the table of what is at a place here.
    fn place_in_table(&self, place: usize) -> usize {
        place.checked_sub(self.columns.len()).map_or_else(|| self.columns[place], |at| self.whole.fields().len() + at)
    }

    /// The place of the expression of an index that this is.
    fn expression_of(&self, expr: &Expr) -> Option<usize> {
        if self.expressions.is_empty() || matches!(expr, Expr::Literal(..) | Expr::Placeholder(_)) {
            return None;
        }
        let bare = bare(expr.clone()).ok()?;
        Some(self.columns.len() + self.expressions.iter().position(|known| known.expr.as_ref() == Some(&bare))?)
    }

    /// The column or expression of an index that this is, perhaps under a cast that only widens an integer.
    fn column_of(&self, expr: &Expr) -> Option<usize> {
        if let Some(place) = self.expression_of(expr) {
            return Some(place);
        }
        match expr {
            Expr::Column(column) => self.place_of(&column.name),
            Expr::Cast(cast) => {
                let column = self.column_of(&cast.expr)?;
                widens(self.type_at(column), cast.field.data_type()).then_some(column)
            }
            _ => None,
        }
    }

    /// What to read of the table's own columns.
    fn reading(&self, projection: &[usize]) -> Result<Reading> {
        let projection: Vec<usize> = projection.iter().copied().filter(|at| *at < self.columns.len()).collect();
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
            conditions: Arc::default(),
            expressions: Arc::default(),
        })
    }

    /// Parts of the conditions that indexes have.
    fn condition_parts(&self) -> impl Iterator<Item = &Expr> {
        let conditions = self.indexes.iter().filter_map(|index| self.expressions.get(index.condition?)?.expr.as_ref());
        conditions.flat_map(computed::parts)
    }

    fn is_part_of_condition(&self, filter: &Expr) -> bool {
        self.condition_parts().any(|part| matches!(computed::standing(part, filter), Ok(Some(_))))
    }

    /// For each index its condition, if it has one, ready to be compared with these filters and with bounds.
    fn conditions(&self, filters: &[&Expr], session: &dyn Session) -> Result<Arc<[Option<Vec<Part>>]>> {
        if self.indexes.iter().all(|index| index.condition.is_none()) {
            return Ok(Arc::default());
        }
        let filters: Vec<&Expr> = filters.iter().flat_map(|filter| computed::parts(filter)).collect();
        let condition = |index: &TableIndex| {
            let Some(place) = index.condition else { return Ok(None) };
            // What this statement cannot mention is implied by nothing.
            let Some(expr) = self.expressions.get(place).and_then(|known| known.expr.as_ref()) else {
                return Ok(Some(vec![Part { standing: Vec::new(), compares: Compares::Other, itself: None }]));
            };
            computed::parts(expr).into_iter().map(|part| self.part(part, &filters, session)).collect::<Result<Vec<_>>>().map(Some)
        };
        self.indexes.iter().map(condition).collect()
    }

    fn part(&self, part: &Expr, filters: &[&Expr], session: &dyn Session) -> Result<Part> {
        let mut standing = Vec::new();
        for filter in filters {
            standing.extend(computed::standing(part, filter)?);
        }
        let not_equal = |part: &Expr| match part {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::NotEq, right }) => {
                let equal = Expr::BinaryExpr(BinaryExpr { left: left.clone(), op: Operator::Eq, right: right.clone() });
                self.compared(&equal)
            }
            _ => None,
        };
        let compares = match part {
            Expr::IsNotNull(inner) => self.column_of(inner).map(|place| Compares::NotNull(self.place_in_table(place))),
            other => {
                let compared = self.compared(other).map(|compared| (Some(compared.op), compared));
                let compared = compared.or_else(|| not_equal(other).map(|compared| (None, compared)));
                compared.and_then(|(op, Compared { column, value, .. })| match value {
                    Operand::Constant(value) => Some(Compares::Value(self.place_in_table(column), op, value)),
                    _ => None,
                })
            }
        };
        let fields: Vec<usize> = part.column_refs().iter().filter_map(|column| self.place_of(&column.name)).collect();
        let mut fields = fields;
        fields.sort_unstable();
        let schema = Arc::new(self.schema.project(&fields)?);
        let itself = session.create_physical_expr(part.clone(), &DFSchema::try_from(Arc::clone(&schema))?).ok();
        let columns = fields.iter().map(|at| self.columns[*at]).collect();
        let itself = itself.filter(|_| !fields.is_empty()).map(|itself| (itself, schema, columns));
        Ok(Part { standing, compares: compares.unwrap_or(Compares::Other), itself })
    }

    /// The expressions of indexes over the table's columns by their places.
    fn computed(&self, session: &dyn Session) -> Result<Arc<[Computed]>> {
        let over_table = |physical: Arc<dyn PhysicalExpr>| {
            let moved = physical.transform(|part| {
                Ok(match part.downcast_ref::<Column>() {
                    Some(column) => {
                        let place = self.columns[column.index()];
                        Transformed::yes(Arc::new(Column::new(self.whole.field(place).name(), place)) as Arc<dyn PhysicalExpr>)
                    }
                    None => Transformed::no(part),
                })
            })?;
            Ok::<_, DataFusionError>(moved.data)
        };
        let one = |known: &Known| {
            let physical = known.physical(&self.schema, session)?.map(over_table).transpose()?;
            Ok(Computed { shown: known.shown.clone(), physical })
        };
        self.expressions.iter().map(one).collect()
    }
}

enum Key {
    /// For each column of the key, what all it must equal.
    Complete(Vec<Vec<Operand>>),
    Incomplete,
    Contradiction,
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
            None if self.is_part_of_condition(filter) || !self.bounds_of(filter).is_empty() => TableProviderFilterPushDown::Inexact,
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
        let projection: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let own = self.read(state, &projection, filters, limit)?;
        self.with_oid(own, &projection)
    }
}

impl Provider {
    /// V4: rows of the table's own columns with `tableoid` where the projection has it.
    fn with_oid(&self, own: Arc<dyn ExecutionPlan>, projection: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
        let Some((oid, _)) = self.told_oid.as_ref().filter(|_| projection.contains(&self.columns.len())) else { return Ok(own) };
        let mut places = 0..;
        let shown = projection.iter().map(|at| {
            let name = self.schema.field(*at).name();
            let shown: Arc<dyn PhysicalExpr> = match self.columns.get(*at).and_then(|_| places.next()) {
                Some(place) => Arc::new(Column::new(name, place)),
                None => lit(*oid),
            };
            (shown, name.clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(shown.collect::<Vec<_>>(), own)?))
    }

    /// By key or by scan; V2, V3.
    fn read(&self, state: &dyn Session, projection: &[usize], filters: &[Expr], limit: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let mut reading = self.reading(projection)?;
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
        reading.conditions = self.conditions(&filters, state)?;
        reading.expressions = self.computed(state)?;
        let bounds = filters.iter().flat_map(|filter| self.bounds_of(filter));
        let bounds = bounds.map(|compared| Ok((self.place_in_table(compared.column), compared.op, compared.value.planned(state)?)));
        let bounds = bounds.collect::<Result<_>>()?;
        let partitions = state.config_options().execution.target_partitions.max(1);
        Ok(Arc::new(SegmentScanExec::new(reading, bounds, limit, partitions)?))
    }
}
