//! Expressions planned once and evaluated over many batches: what CHECK and DEFAULT are made of.
//!
//! X1: they see the columns of one batch and nothing else; no table is read.
//! X2: what leaves has the types of `output`, as for queries.
//! Never: kept by this crate; the caller knows how long names mean the same.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use base::{SqlError, SqlResult};
use datafusion::common::DFSchema;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;

use crate::environment::Environment;
use crate::relational::{Query, Relational};
use crate::table::Resolver;
use crate::{errors, immutable, output};

/// A SELECT list over one batch's columns, or over none; see the module.
#[derive(Clone, Debug)]
pub struct Expressions {
    expressions: Vec<Arc<dyn PhysicalExpr>>,
    input: SchemaRef,
    computed: SchemaRef,
    shown: SchemaRef,
    is_immutable: bool,
}

impl Relational {
    /// Plans the SELECT list of a query that reads one table of the resolver's, or none, and has no other clause.
    ///
    /// Errors: what planning raises; 0A000 for anything beyond expressions over a row.
    pub fn expressions(&self, query: Query<'_>, resolver: &dyn Resolver, env: &Environment) -> SqlResult<Expressions> {
        let plan = self.analyzed(query, resolver, env)?;
        let LogicalPlan::Projection(projection) = &plan else {
            return Err(SqlError::unsupported("a query, an aggregate or a window function in this place"));
        };
        if !matches!(projection.input.as_ref(), LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) | LogicalPlan::SubqueryAlias(_)) {
            return Err(SqlError::unsupported("a query, an aggregate or a window function in this place"));
        }
        let state = self.state(env);
        let input: &DFSchema = projection.input.schema();
        // Some functions are only what they are simplified to: coalesce is a CASE.
        let context = SimplifyContext::builder().with_schema(Arc::clone(projection.input.schema()));
        let simplifier = ExprSimplifier::new(context.with_config_options(Arc::clone(state.config_options())).build());
        let physical = |expression: &datafusion::logical_expr::Expr| {
            let simple = simplifier.simplify(expression.clone()).and_then(|simple| state.create_physical_expr(simple, input));
            simple.map_err(|error| errors::placed(&error, query))
        };
        let expressions = projection.expr.iter().map(physical).collect::<SqlResult<Vec<_>>>()?;
        let simple = |expression: &datafusion::logical_expr::Expr| simplifier.simplify(expression.clone());
        let is_immutable = projection.expr.iter().all(|expr| simple(expr).is_ok_and(|expr| immutable::is_immutable(&expr, input)));
        let input: SchemaRef = Arc::new(input.as_arrow().clone());
        let field = |(expression, field): (&Arc<dyn PhysicalExpr>, &Arc<arrow::datatypes::Field>)| {
            let data_type = expression.data_type(&input).map_err(|error| errors::placed(&error, query))?;
            Ok(field.as_ref().clone().with_data_type(data_type).with_nullable(true))
        };
        let fields = expressions.iter().zip(plan.schema().as_arrow().fields()).map(field).collect::<SqlResult<Vec<_>>>()?;
        let computed: SchemaRef = Arc::new(Schema::new(fields));
        let shown = output::shown_schema(&plan);
        Ok(Expressions { expressions, input, computed, shown, is_immutable })
    }
}

impl Expressions {
    /// Whether types and functions within say that the values depend on no setting; what is said by names of functions is the caller's to know.
    pub fn is_immutable(&self) -> bool {
        self.is_immutable
    }

    /// Types of the values.
    pub fn types(&self) -> impl Iterator<Item = DataType> {
        self.shown.fields().iter().map(|field| field.data_type().clone())
    }

    /// The expressions' values over so many rows; `columns` are those of the table, none where there was none.
    ///
    /// Errors: what evaluating raises.
    pub fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> SqlResult<Vec<ArrayRef>> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let columns = columns.iter().take(self.input.fields().len()).cloned().collect();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.input), columns, &options)
            .map_err(|error| SqlError::internal(format!("X1: {error}")))?;
        let evaluate = |expression: &Arc<dyn PhysicalExpr>| {
            expression.evaluate(&batch).and_then(|value| value.into_array(rows)).map_err(|error| errors::unplaced(&error))
        };
        let values = self.expressions.iter().map(evaluate).collect::<SqlResult<Vec<_>>>()?;
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.computed), values, &options)
            .map_err(|error| SqlError::internal(format!("X2: {error}")))?;
        Ok(output::shown_batch(&batch, &self.shown)?.columns().to_vec())
    }
}
