//! Where a column of a plan comes from: the declared type and place of the table column it is, unchanged.
//!
//! Arrow does not tell `varchar(5)` from `text`, and metadata of fields is lost or kept by DataFusion as it likes; so what a table says of its
//! columns stays outside the plan's schemas and is looked up here.
//! G1: a column has an origin only if every node hands it on as it is.
//! G2: what a function of `functions::catalog` answers has a declared type and no place, and so has a cast to a type of limited length.
//! G3: what is chosen among values of one declared text type has that type, and so has what a subquery finds, the least and the greatest.
//! Never: looks into another expression than these.

use std::collections::HashMap;

use datafusion::common::Column;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan};

use crate::functions::catalog;
use crate::functions::text::{BPCHAR, VARCHAR};
use crate::provider::Provider;
use crate::resolution;
use crate::set_functions::{SetScan, Source};
use crate::table::{DECLARED_TYPE, TABLE_COLUMN};

/// What the table says of the column at this place of the plan's schema; empty if it is computed.
pub(crate) fn declared(plan: &LogicalPlan, at: usize) -> HashMap<String, String> {
    find(plan, at).unwrap_or_default()
}

fn find(plan: &LogicalPlan, at: usize) -> Option<HashMap<String, String>> {
    match plan {
        LogicalPlan::Projection(node) => of_expression(&node.input, node.expr.get(at)?),
        LogicalPlan::Aggregate(node) => match node.group_expr.get(at) {
            Some(key) => of_expression(&node.input, key),
            None => of_extreme(&node.input, node.aggr_expr.get(at - node.group_expr.len())?),
        },
        LogicalPlan::Union(node) => {
            let mut inputs = node.inputs.iter().map(|input| find(input, at)?.remove(DECLARED_TYPE));
            let first = inputs.next()??;
            // Beside `text` a `char(n)` stays one.
            let is_text = |other: &Option<String>| other.as_ref().is_none_or(|other| other.starts_with("25,"));
            let is_kept = |other: Option<String>| other.as_ref() == Some(&first) || (first.starts_with("1042,") && is_text(&other));
            inputs.all(is_kept).then(|| HashMap::from([(DECLARED_TYPE.to_owned(), first.clone())]))
        }
        LogicalPlan::Filter(node) => find(&node.input, at),
        LogicalPlan::Sort(node) => find(&node.input, at),
        LogicalPlan::Limit(node) => find(&node.input, at),
        LogicalPlan::Repartition(node) => find(&node.input, at),
        LogicalPlan::Distinct(node) => find(node.input(), at),
        LogicalPlan::SubqueryAlias(node) => find(&node.input, at),
        LogicalPlan::Window(node) => (at < node.input.schema().fields().len()).then(|| find(&node.input, at))?,
        LogicalPlan::Join(node) => {
            let left = node.left.schema().fields().len();
            match node.join_type {
                JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => find(&node.right, at),
                _ if at < left => find(&node.left, at),
                _ => find(&node.right, at - left),
            }
        }
        LogicalPlan::TableScan(scan) => {
            let provider = source_as_provider(&scan.source).ok()?;
            let provider = provider.downcast_ref::<Provider>()?;
            let at = scan.projection.as_ref().map_or(Some(at), |columns| columns.get(at).copied())?;
            let kept = |(key, _): &(String, String)| key == DECLARED_TYPE || key == TABLE_COLUMN;
            Some(provider.metadata(at)?.into_iter().filter(kept).collect())
        }
        LogicalPlan::Extension(node) => {
            let column = node.node.as_any().downcast_ref::<SetScan>()?.columns().get(at)?;
            match column.args.as_slice() {
                [call] if column.source == Source::Value => of_expression(plan, call),
                _ => None,
            }
        }
        _ => None,
    }
}

fn of_expression(input: &LogicalPlan, expr: &Expr) -> Option<HashMap<String, String>> {
    match expr {
        Expr::Alias(alias) => of_expression(input, &alias.expr),
        Expr::ScalarSubquery(subquery) => type_alone(find(&subquery.subquery, 0)?),
        Expr::Case(case) => of_choice(input, case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref())),
        Expr::ScalarFunction(call) if matches!(call.func.name(), "coalesce" | "greatest" | "least") => of_choice(input, call.args.iter()),
        Expr::ScalarFunction(call) => {
            let declared = limited(call).or_else(|| Some(format!("{},-1", catalog::declared(call.func.name())?)))?;
            Some(HashMap::from([(DECLARED_TYPE.to_owned(), declared)]))
        }
        expr => named(input, column(expr)?),
    }
}

/// G3.
fn of_choice<'a>(input: &LogicalPlan, choices: impl Iterator<Item = &'a Expr>) -> Option<HashMap<String, String>> {
    fn is_open(choice: &Expr) -> bool {
        resolution::is_unknown(choice) || matches!(choice, Expr::Cast(cast) if is_null(&cast.expr)) || is_null(choice)
    }
    let (open, known): (Vec<&Expr>, Vec<&Expr>) = choices.partition(|choice| is_open(choice));
    let mut types = known.into_iter().map(|choice| of_expression(input, choice)?.remove(DECLARED_TYPE));
    let first = types.next()??;
    if !types.all(|other| other.as_ref() == Some(&first)) {
        return None;
    }
    let declared = match first.split_once(',')? {
        ("1043", _) => "1043,-1".to_owned(),
        // A literal among them has no blanks of its own.
        ("1042", _) if open.iter().all(|literal| is_null(literal) || matches!(literal, Expr::Cast(_))) => first,
        _ => return None,
    };
    Some(HashMap::from([(DECLARED_TYPE.to_owned(), declared)]))
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(value, _) if value.is_null())
}

/// G3, of `min` and `max`: of `varchar` they are `text`.
fn of_extreme(input: &LogicalPlan, expr: &Expr) -> Option<HashMap<String, String>> {
    match expr {
        Expr::Alias(alias) => of_extreme(input, &alias.expr),
        Expr::AggregateFunction(extreme) if matches!(extreme.func.name(), "min" | "max") => {
            type_alone(of_expression(input, extreme.params.args.first()?)?).filter(|found| found[DECLARED_TYPE].starts_with("1042,"))
        }
        _ => None,
    }
}

/// A computed value has its type from a column, not its place.
fn type_alone(mut found: HashMap<String, String>) -> Option<HashMap<String, String>> {
    let declared = found.remove(DECLARED_TYPE)?;
    Some(HashMap::from([(DECLARED_TYPE.to_owned(), declared)]))
}

/// The type declared of the column at this place, by oid.
pub(crate) fn declared_oid(plan: &LogicalPlan, at: usize) -> Option<u32> {
    find(plan, at)?.get(DECLARED_TYPE)?.split_once(',')?.0.parse().ok()
}

/// The type of a cast to `varchar(n)` or `char(n)`, as its oid and modifier.
fn limited(call: &ScalarFunction) -> Option<String> {
    let oid = match call.func.name() {
        VARCHAR => 1043,
        BPCHAR => 1042,
        _ => return None,
    };
    let limit = match call.args.get(1)? {
        Expr::Literal(limit, _) => limit.to_string().parse::<i64>().ok()?,
        Expr::Cast(cast) => match cast.expr.as_ref() {
            Expr::Literal(limit, _) => limit.to_string().parse::<i64>().ok()?,
            _ => return None,
        },
        _ => return None,
    };
    // The modifier counts a header of four bytes.
    Some(format!("{oid},{}", if limit < 0 { -1 } else { limit + 4 }))
}

fn column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Alias(alias) => column(&alias.expr),
        Expr::Column(column) => Some(column),
        _ => None,
    }
}

fn named(plan: &LogicalPlan, column: &Column) -> Option<HashMap<String, String>> {
    find(plan, plan.schema().maybe_index_of_column(column)?)
}
