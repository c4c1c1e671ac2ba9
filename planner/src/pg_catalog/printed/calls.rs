//! Calls of functions, aggregates and window functions in a stored query.
//!
//! Never: knows a function that `pg_proc` does not list, but for those that are words of SQL's grammar.

use sqlparser::ast::{
    DuplicateTreatment, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, ObjectName, WindowType,
};

use super::bind as queries;
use super::expressions::{bind as expression, coerced, typed};
use super::scope::Scope;
use super::tree::{Call, Node, Over, Piece, Sub, Typed};
use super::types::{self, BOOL, INT8, TEXT};
use crate::names::fold;
use crate::pg_catalog::names::quote;

/// Words that are asked like functions without arguments, and their types.
const WORDS: [(&str, &str, i64); 10] = [
    ("current_date", "CURRENT_DATE", 1082),
    ("current_timestamp", "CURRENT_TIMESTAMP", 1184),
    ("localtime", "LOCALTIME", 1083),
    ("localtimestamp", "LOCALTIMESTAMP", 1114),
    ("current_user", "CURRENT_USER", 19),
    ("current_role", "CURRENT_ROLE", 19),
    ("session_user", "SESSION_USER", 19),
    ("user", "USER", 19),
    ("current_catalog", "CURRENT_CATALOG", 19),
    ("current_schema", "CURRENT_SCHEMA", 19),
];

fn plain(name: String, args: Vec<Typed>) -> Call {
    Call { name, args, star: false, distinct: false, order: Vec::new(), filter: None, over: None }
}

/// The name as it may stand in front of parentheses.
fn shown(name: &str) -> String {
    quote(name)
}

/// A call of one of Postgres's functions.
pub(super) fn of(name: &str, args: Vec<Typed>) -> Option<Typed> {
    let (args, result, _) = arguments(name, args)?;
    Some(typed(Node::Call(Box::new(plain(shown(name), args))), result))
}

/// Arguments as the function takes them, what it answers with, and its kind.
fn arguments(name: &str, args: Vec<Typed>) -> Option<(Vec<Typed>, i64, &'static str)> {
    // Of any number of arguments of any type.
    let of_any = match name {
        "concat" | "concat_ws" | "format" => Some(TEXT),
        "json_build_object" | "json_build_array" => Some(114),
        "jsonb_build_object" | "jsonb_build_array" => Some(3802),
        "num_nulls" | "num_nonnulls" => Some(types::INT4),
        _ => None,
    };
    if let Some(result) = of_any {
        let mut args = args;
        if matches!(name, "concat_ws" | "format") && !args.is_empty() {
            let first = args.remove(0);
            args.insert(0, coerced(first, TEXT)?);
        }
        return Some((args, result, "f"));
    }
    if let ("array_agg", [one]) = (name, args.as_slice())
        && types::element(one.typ.oid).is_none()
    {
        let result = types::array_of(one.typ.oid)?;
        return Some((args, result, "a"));
    }
    let given: Vec<i64> = args.iter().map(|arg| arg.typ.oid).collect();
    let (chosen, function) = types::function(name, &given)?;
    let args = args.into_iter().zip(&chosen.params).map(|(arg, to)| coerced(arg, *to)).collect::<Option<_>>()?;
    Some((args, chosen.result, function.kind))
}

fn own_name(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [one] => Some(fold(one.as_ident()?)),
        [schema, one] if fold(schema.as_ident()?) == crate::pg_catalog::PG_CATALOG => Some(fold(one.as_ident()?)),
        _ => None,
    }
}

/// A function of FROM.
pub(super) fn call_of(scope: &Scope<'_>, name: &ObjectName, args: &[FunctionArg]) -> Option<Typed> {
    of(&own_name(name)?, args.iter().map(|arg| argument(scope, arg)).collect::<Option<_>>()?)
}

fn argument(scope: &Scope<'_>, arg: &FunctionArg) -> Option<Typed> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => expression(scope, expr),
        _ => None,
    }
}

/// A call as it is written.
pub(super) fn bind(scope: &Scope<'_>, call: &Function) -> Option<Typed> {
    let name = own_name(&call.name)?;
    if call.null_treatment.is_some() || call.uses_odbc_syntax || !matches!(call.parameters, FunctionArguments::None) {
        return None;
    }
    let list = match &call.args {
        FunctionArguments::None => {
            let (_, word, oid) = WORDS.iter().find(|(known, _, _)| *known == name)?;
            return Some(typed(Node::Words(vec![Piece::Word(word)]), *oid));
        }
        FunctionArguments::Subquery(query) if name == "array" => {
            let query = queries::query(&scope.within(), query, None)?;
            let [(_, typ)] = query.columns.as_slice() else { return None };
            let array = types::array_of(typ.oid)?;
            return Some(typed(Node::Subquery(Sub::Array, Box::new(query)), array));
        }
        FunctionArguments::Subquery(_) => return None,
        FunctionArguments::List(list) => list,
    };
    let star = matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    let args: Vec<Typed> = if star { Vec::new() } else { list.args.iter().map(|arg| argument(scope, arg)).collect::<Option<_>>()? };
    let is_plain = call.over.is_none() && call.filter.is_none() && list.clauses.is_empty() && call.within_group.is_empty();
    if is_plain
        && list.duplicate_treatment.is_none()
        && let Some(found) = of_grammar(&name, &args)
    {
        return found;
    }
    let order = match list.clauses.as_slice() {
        [] => Vec::new(),
        [FunctionArgumentClause::OrderBy(order)] => queries::order_of(scope, order)?,
        _ => return None,
    };
    if !call.within_group.is_empty() {
        return None;
    }
    let (args, result, kind) = if star { (Vec::new(), INT8, "a") } else { arguments(&name, args)? };
    (!star || name == "count").then_some(())?;
    let over = match &call.over {
        None => None,
        Some(WindowType::NamedWindow(window)) => Some(Over::Named(fold(window))),
        Some(WindowType::WindowSpec(spec)) => Some(Over::Window(queries::window(scope, spec)?)),
    };
    (kind != "p" && (kind == "a" || is_plain || over.is_some())).then_some(())?;
    let filter = call.filter.as_ref().map_or(Some(None), |filter| coerced(expression(scope, filter)?, BOOL).map(Some))?;
    let distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
    let call = Call { star, distinct, order: same_as_arguments(order, &args), filter, over, ..plain(shown(&name), args) };
    Some(typed(Node::Call(Box::new(call)), result))
}

/// A key that is an argument too is sorted as the argument that it is, casts included.
fn same_as_arguments(order: Vec<super::tree::Order>, args: &[Typed]) -> Vec<super::tree::Order> {
    let bare = |expr: &Typed| match &expr.node {
        Node::Cast(inner) => format!("{:?}", inner.node),
        node => format!("{node:?}"),
    };
    let mut order = order;
    for key in &mut order {
        if let Some(arg) = args.iter().find(|arg| bare(arg) == bare(&key.expr)) {
            key.expr = arg.clone();
        }
    }
    order
}

/// What is written like a function and is a word of the grammar: `Some(None)` where its types do not fit.
fn of_grammar(name: &str, args: &[Typed]) -> Option<Option<Typed>> {
    let common = || {
        let oid = types::common(&args.iter().map(|arg| arg.typ.oid).collect::<Vec<_>>())?;
        let args = args.iter().cloned().map(|arg| coerced(arg, oid)).collect::<Option<Vec<_>>>()?;
        Some(typed(Node::Call(Box::new(plain(name.to_uppercase(), args))), oid))
    };
    match name {
        "coalesce" | "greatest" | "least" => Some(common()),
        "nullif" => {
            let [left, right] = args else { return Some(None) };
            let build = || {
                let chosen = types::operator("=", Some(left.typ.oid), right.typ.oid)?;
                let args = vec![coerced(left.clone(), chosen.params[0])?, coerced(right.clone(), chosen.params[1])?];
                let result = args[0].typ.oid;
                Some(typed(Node::Call(Box::new(plain("NULLIF".to_owned(), args))), result))
            };
            Some(build())
        }
        _ => None,
    }
}
