//! Reads functions in FROM: `f(…)`, `UNNEST(…)`, `ROWS FROM (…)`, each with its alias and WITH ORDINALITY.
//!
//! R1: a column is called as the alias's list says, else, where a function has only one, as the alias; else as the function names it. Of two
//!     of one name the second is kept apart (N1).
//! R2: a function that returns no set is a set of one row.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use base::{SqlError, SqlState};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Extension, LogicalPlan};
use sqlparser::ast::{Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, TableAlias, TableFactor};

use super::{SetColumn, SetScan, Source};
use crate::functions::series;
use crate::layouts;
use crate::marks::ROWS_FROM;
use crate::names;
use crate::position::{folded, folded_parts};

/// Answers for every function in FROM; has no state.
#[derive(Debug)]
pub(crate) struct SetFunctions;

impl RelationPlanner for SetFunctions {
    fn plan_relation(&self, relation: TableFactor, context: &mut dyn RelationPlannerContext) -> Result<RelationPlanning> {
        let (mut columns, alias, with_ordinality) = match relation {
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, with_offset: false, .. } => {
                let columns = array_exprs.into_iter().map(|array| elements(context, array, "unnest")).collect::<Result<Vec<_>>>()?;
                (columns, alias, with_ordinality)
            }
            TableFactor::Function { name, args, with_ordinality, alias, .. } => {
                let columns = if folded_parts(&name) == [ROWS_FROM] {
                    let each = args.into_iter().map(|arg| called(context, expression(arg)?));
                    each.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect()
                } else {
                    called(context, call(name, args))?
                };
                (columns, alias, with_ordinality)
            }
            other => return Ok(RelationPlanning::Original(Box::new(other))),
        };
        let ordinality = named(&mut columns, alias.as_ref(), with_ordinality)?;
        let names = columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let function = names.first().cloned().unwrap_or_default();
        let node = Arc::new(SetScan::new(columns, ordinality)?);
        let alias = alias.map(|alias| TableAlias { columns: vec![], ..alias });
        let alias = alias.or_else(|| {
            let name = sqlparser::ast::Ident::with_quote('"', function);
            Some(TableAlias { explicit: false, name, columns: vec![], at: None })
        });
        let plan = LogicalPlan::Extension(Extension { node });
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

fn expression(arg: FunctionArg) -> Result<SqlExpr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        _ => Err(refused(SqlState::SYNTAX_ERROR, "a function in FROM takes expressions")),
    }
}

fn call(name: ObjectName, args: Vec<FunctionArg>) -> SqlExpr {
    let args = sqlparser::ast::FunctionArgumentList { duplicate_treatment: None, args, clauses: vec![] };
    SqlExpr::Function(Function {
        name,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(args),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

/// The columns of one function.
fn called(context: &mut dyn RelationPlannerContext, expr: SqlExpr) -> Result<Vec<SetColumn>> {
    let SqlExpr::Function(function) = &expr else { return Ok(vec![value(context, expr, "value")?]) };
    let name = folded_parts(&function.name).pop().unwrap_or_default();
    let args = match &function.args {
        FunctionArguments::List(list) => list.args.clone(),
        _ => vec![],
    };
    match name.as_str() {
        "unnest" => args.into_iter().map(|array| elements(context, expression(array)?, "unnest")).collect(),
        "generate_series" => Ok(vec![a_series(context, &function.name, args)?]),
        _ => Ok(vec![value(context, expr, &name)?]),
    }
}

/// R2.
fn value(context: &mut dyn RelationPlannerContext, expr: SqlExpr, name: &str) -> Result<SetColumn> {
    let expr = context.sql_to_expr(expr, &DFSchema::empty())?;
    let data_type = expr.get_type(&DFSchema::empty())?;
    Ok(SetColumn { source: Source::Value, args: vec![expr], name: name.to_owned(), data_type })
}

fn elements(context: &mut dyn RelationPlannerContext, array: SqlExpr, name: &str) -> Result<SetColumn> {
    let array = context.sql_to_expr(array, &DFSchema::empty())?;
    let known = array.get_type(&DFSchema::empty())?;
    let Some(element) = layouts::element(&known).cloned() else {
        return Err(refused(SqlState::UNDEFINED_FUNCTION, "function unnest does not exist for this type"));
    };
    let list = layouts::array_of(element.clone());
    let array = if matches!(known, DataType::List(_)) { array } else { Expr::Cast(Cast::new(Box::new(array), list)) };
    Ok(SetColumn { source: Source::Elements, args: vec![array], name: name.to_owned(), data_type: element })
}

fn a_series(context: &mut dyn RelationPlannerContext, function: &ObjectName, args: Vec<FunctionArg>) -> Result<SetColumn> {
    let empty = DFSchema::empty();
    let exprs = args.clone().into_iter().map(|arg| context.sql_to_expr(expression(arg)?, &empty)).collect::<Result<Vec<_>>>()?;
    let types: Vec<_> = exprs.iter().map(known_type).collect();
    let found = if (2..=3).contains(&exprs.len()) { series::type_of(&types) } else { None };
    let Some(data_type) = found else {
        let message = "function generate_series with these argument types does not exist";
        return Err(refused(SqlState::UNDEFINED_FUNCTION, message));
    };
    let name = folded_parts(function).pop().unwrap_or_default();
    if let DataType::Timestamp(..) = data_type {
        let moments = ObjectName::from(vec![sqlparser::ast::Ident::new("moment_series")]);
        return elements(context, call(moments, args), &name);
    }
    let args = exprs.into_iter().map(|expr| brought(expr, &data_type)).collect();
    Ok(SetColumn { source: Source::Series(data_type.clone()), args, name, data_type })
}

/// The type an argument has, `None` for a parameter that has none yet. A constant that fits is an `integer`.
fn known_type(expr: &Expr) -> Option<DataType> {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), _) if i32::try_from(*value).is_ok() => Some(DataType::Int32),
        Expr::Negative(inner) => known_type(inner),
        Expr::Placeholder(placeholder) => placeholder.field.as_ref().map(|field| field.data_type().clone()),
        other => other.get_type(&DFSchema::empty()).ok(),
    }
}

fn brought(expr: Expr, data_type: &DataType) -> Expr {
    match expr {
        // M1: what it is used for settles its type.
        Expr::Placeholder(Placeholder { id, field: None }) => {
            let field = arrow::datatypes::Field::new(&id, data_type.clone(), true);
            Expr::Placeholder(Placeholder { id, field: Some(Arc::new(field)) })
        }
        expr if expr.get_type(&DFSchema::empty()).is_ok_and(|known| known == *data_type) => expr,
        expr => Expr::Cast(Cast::new(Box::new(expr), data_type.clone())),
    }
}

/// R1; gives the name of the column of numbers.
fn named(columns: &mut [SetColumn], alias: Option<&TableAlias>, with_ordinality: bool) -> Result<Option<String>> {
    let given: Vec<String> = alias.iter().flat_map(|alias| alias.columns.iter().map(|column| folded(&column.name))).collect();
    let count = columns.len() + usize::from(with_ordinality);
    if given.len() > count {
        let message = format!("table \"{}\" has {count} columns available but {} columns specified", "function", given.len());
        return Err(refused(SqlState::INVALID_COLUMN_REFERENCE, &message));
    }
    if let ([only], Some(alias)) = (&mut *columns, alias) {
        only.name = folded(&alias.name);
    }
    for (column, name) in columns.iter_mut().zip(&given) {
        column.name.clone_from(name);
    }
    let mut met = HashSet::new();
    for (at, column) in columns.iter_mut().enumerate() {
        if !met.insert(column.name.clone()) {
            column.name = names::kept_apart(&column.name, at);
        }
    }
    Ok(with_ordinality.then(|| given.get(columns.len()).cloned().unwrap_or_else(|| "ordinality".to_owned())))
}

fn refused(state: SqlState, message: &str) -> DataFusionError {
    DataFusionError::External(Box::new(SqlError::new(state, message)))
}
