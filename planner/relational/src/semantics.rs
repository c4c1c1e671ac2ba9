//! Analyzer rules that put Postgres's arithmetic, casts and sums where DataFusion's give other answers.
//!
//! S1: every expression keeps its name, and all but sums and what `coercions` makes numeric their type.
//! S2: [`WideNumerics`] runs before type coercion, which makes one type of all integers; [`PostgresSemantics`] after it, when the operands of one
//!     operator have one type.
//! Never: changes which rows or columns a plan has.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, WindowFunctionDefinition};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::resolve_grouping_function::ResolveGroupingFunction;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;

use crate::coercions::OwnTypes;
use crate::framed::Frames;
use crate::functions::averages::BIGINT_DECIMAL;
use crate::functions::{arithmetic, casts, conversions};
use crate::mapping::map_named;
use crate::padded;

/// Every analyzer rule, in order: DataFusion's own with ours around type coercion (S2).
pub(crate) fn rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    vec![
        Arc::new(ResolveGroupingFunction::new()),
        Arc::new(Frames),
        Arc::new(WideNumerics),
        padded::rule(),
        Arc::new(OwnTypes),
        Arc::new(TypeCoercion::new()),
        Arc::new(PostgresSemantics),
    ]
}

/// `sum(bigint)` becomes `sum(numeric)`.
#[derive(Debug)]
struct WideNumerics;

impl AnalyzerRule for WideNumerics {
    fn name(&self) -> &str {
        "wide_numerics"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // Once one expression has changed its type, every node above it must learn of it.
        let mut any_changed = false;
        let plan = plan.transform_up_with_subqueries(|plan| {
            let rewritten = map_named(plan, &mut widen)?;
            any_changed |= rewritten.transformed;
            if any_changed { rewritten.map_data(LogicalPlan::recompute_schema) } else { Ok(rewritten) }
        })?;
        Ok(plan.data)
    }
}

fn widen(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let widened = |args: &mut Vec<Expr>| match args.as_mut_slice() {
        [arg] if matches!(arg.get_type(schema), Ok(DataType::Int64)) => {
            let narrow = std::mem::take(arg);
            *arg = Expr::Cast(Cast::new(Box::new(narrow), BIGINT_DECIMAL));
            true
        }
        _ => false,
    };
    Ok(match expr {
        Expr::AggregateFunction(mut sum) if sum.func.name() == "sum" => {
            let changed = widened(&mut sum.params.args);
            Transformed::new_transformed(Expr::AggregateFunction(sum), changed)
        }
        Expr::WindowFunction(mut sum) if matches!(&sum.fun, WindowFunctionDefinition::AggregateUDF(function) if function.name() == "sum") =>
        {
            let changed = widened(&mut sum.params.args);
            Transformed::new_transformed(Expr::WindowFunction(sum), changed)
        }
        other => Transformed::no(other),
    })
}

/// Checked arithmetic, Postgres's casts and rounding.
#[derive(Debug)]
struct PostgresSemantics;

impl AnalyzerRule for PostgresSemantics {
    fn name(&self) -> &str {
        "postgres_semantics"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // A function may choose its type by a constant (`round(x, 2)`), which coercion hides in a cast.
        let mut any_folded = false;
        let plan = plan.transform_up_with_subqueries(|plan| {
            let rewritten = map_named(plan, &mut |expr, schema| match fold_integer(&expr) {
                Some(folded) => {
                    any_folded = true;
                    Ok(Transformed::yes(folded))
                }
                None => rewrite(expr, schema),
            })?;
            if any_folded { rewritten.map_data(LogicalPlan::recompute_schema) } else { Ok(rewritten) }
        })?;
        Ok(plan.data)
    }
}

/// An integer constant under a cast to another integer type, as a constant of that type.
fn fold_integer(expr: &Expr) -> Option<Expr> {
    let Expr::Cast(cast) = expr else { return None };
    let Expr::Literal(value, _) = cast.expr.as_ref() else { return None };
    let is_integers = value.data_type().is_signed_integer() && cast.field.data_type().is_signed_integer() && !value.is_null();
    let folded = is_integers.then(|| value.cast_to(cast.field.data_type()).ok())??;
    Some(Expr::Literal(folded, None))
}

fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide) => {
            let (left, right) = (binary.left.get_type(schema), binary.right.get_type(schema));
            let function = match (left, right) {
                (Ok(left), Ok(right)) if left == right => arithmetic::checked(binary.op, &left),
                _ => None,
            };
            Ok(match function {
                Some(function) => Transformed::yes(call(function, vec![*binary.left, *binary.right])),
                None => Transformed::no(Expr::BinaryExpr(binary)),
            })
        }
        Expr::Cast(cast) => Ok(match cast_function(&cast, schema) {
            Some(function) => Transformed::yes(call(function, vec![*cast.expr])),
            None => Transformed::no(Expr::Cast(cast)),
        }),
        other => Ok(Transformed::no(other)),
    }
}

fn cast_function(cast: &Cast, schema: &DFSchema) -> Option<Arc<ScalarUDF>> {
    let from: DataType = cast.expr.get_type(schema).ok()?;
    casts::checked(&from, cast.field.data_type()).or_else(|| conversions::checked(&from, cast.field.data_type()))
}

fn call(function: Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, args))
}
