//! Set-returning functions: in FROM each is a relation that may read those before it; in a SELECT list each is the elements of an array.
//!
//! D20: a function in FROM reads the relations before it, with LATERAL or without.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, TableFactor};

use super::spelling::call;
use super::{integers, operators};
use crate::position::folded_parts;

/// Set-returning functions of a SELECT list, and the function that makes the array.
const SETS: [(&str, &str); 1] = [("generate_series", "generate_series_list")];

/// Rewrites the FROM item itself.
pub(super) fn relate(factor: &mut TableFactor) {
    if let TableFactor::Table { name, alias, args: Some(args), with_ordinality, .. } = factor {
        let (name, args, with_ordinality, alias) = (name.clone(), std::mem::take(&mut args.args), *with_ordinality, alias.take());
        *factor = TableFactor::Function { lateral: true, name, args, with_ordinality, alias };
    }
    let TableFactor::Function { lateral, name, args, alias, with_ordinality } = factor else { return };
    *lateral = true;
    integers::type_arguments_of(name, args);
    if let Some(array) = operators::array_behind(name) {
        let args = args.iter().filter_map(|arg| match arg {
            FunctionArg::Unnamed(arg) => Some(arg.clone()),
            _ => None,
        });
        let array_exprs = vec![call(array, args.collect())];
        let with_ordinality = *with_ordinality;
        let alias = Some(super::documents::alias_or(alias.take(), name));
        *factor = TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_offset_alias: None, with_ordinality };
    }
}

/// A function of a SELECT list or of an expression in it.
pub(super) fn unfold(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let FunctionArguments::List(list) = &function.args else { return };
    let parts = folded_parts(&function.name);
    let Some((_, array)) = SETS.iter().find(|(set, _)| parts.last().is_some_and(|name| name == set)) else { return };
    let args = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(arg) => Some(arg.clone()),
        _ => None,
    });
    *expr = call("unnest", vec![FunctionArgExpr::Expr(call(array, args.collect()))]);
}
