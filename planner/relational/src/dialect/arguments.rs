//! Arguments by name, and arguments that Postgres fills in.
//!
//! D28: a call with named arguments is the call with all of them in order; what is left out has its default.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, Value,
};

use super::spelling::{call, cast};
use crate::functions;
use crate::position::folded_parts;

/// A function's parameters, and what those left out have.
struct Named {
    function: &'static str,
    parameters: &'static [&'static str],
    left_out: LeftOut,
}

/// The constants that arguments have which are not given.
#[derive(Clone, Copy)]
enum LeftOut {
    /// All must be given.
    None,
    /// A number for each.
    Number(&'static str),
    /// Texts for the last ones.
    Texts(&'static [&'static str]),
}

const PATH: &[&str] = &["target", "path", "vars", "silent"];
const NO_VARIABLES: LeftOut = LeftOut::Texts(&["{}", "false"]);

const NAMED: [Named; 16] = [
    Named {
        function: "make_interval",
        parameters: &["years", "months", "weeks", "days", "hours", "mins", "secs"],
        left_out: LeftOut::Number("0"),
    },
    Named { function: "make_date", parameters: &["year", "month", "day"], left_out: LeftOut::None },
    Named { function: "make_time", parameters: &["hour", "min", "sec"], left_out: LeftOut::None },
    Named { function: "make_timestamp", parameters: &["year", "month", "mday", "hour", "min", "sec"], left_out: LeftOut::None },
    Named { function: "make_timestamptz", parameters: &["year", "month", "mday", "hour", "min", "sec"], left_out: LeftOut::None },
    Named { function: "jsonb_set", parameters: &["jsonb_in", "path", "replacement", "create_if_missing"], left_out: LeftOut::None },
    Named { function: "jsonb_path_exists", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_exists_tz", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_match", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_match_tz", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_query", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_query_tz", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_query_array", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_query_array_tz", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_query_first", parameters: PATH, left_out: NO_VARIABLES },
    Named { function: "jsonb_path_query_first_tz", parameters: PATH, left_out: NO_VARIABLES },
];

/// Window functions that are nothing else.
const OVER_WINDOWS: [&str; 8] = ["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"];

/// D28, before anything looks at the arguments. Errors: 42883 for a name that is no parameter's or given twice.
pub(super) fn order(expr: &mut Expr) -> SqlResult<()> {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else { return Ok(()) };
    match folded_parts(name).last() {
        Some(name) => put_in_order(name, &mut list.args),
        None => Ok(()),
    }
}

/// Rewrites the expression itself, not what is below it. Errors: 42883, 42601, 42809, 0A000.
pub(super) fn fill(expr: &mut Expr) -> SqlResult<()> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let name = folded_parts(&function.name);
    let [name] = name.as_slice() else { return Ok(()) };
    check_count(name, function)?;
    if name == "age"
        && let FunctionArguments::List(list) = &mut function.args
        && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(since))] = list.args.as_mut_slice()
    {
        let since = std::mem::replace(since, Expr::Value(Value::Null.into()));
        let today = cast(call("current_date", vec![]), DataType::Date);
        *expr = call("age", vec![FunctionArgExpr::Expr(today), FunctionArgExpr::Expr(since)]);
    }
    Ok(())
}

/// Aggregates over `*` and over more than they take, window functions without a window. Errors: 42883, 42601, 42809.
fn check_count(name: &str, function: &Function) -> SqlResult<()> {
    if function.over.is_none() && function.within_group.is_empty() && OVER_WINDOWS.contains(&name) {
        let message = format!("window function {name} requires an OVER clause");
        return Err(SqlError::new(SqlState("42809"), message));
    }
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    check_clauses(name, function, list)?;
    let has_star = list.args.iter().any(|arg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Wildcard)));
    if has_star && list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, "syntax error at or near \"*\""));
    }
    if (has_star && name != "count") || (name == "count" && list.args.len() > 1) {
        return Err(SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("function {name} does not exist with these arguments"))
            .hint("No function matches the given name and argument types. You might need to add explicit type casts."));
    }
    Ok(())
}

/// Clauses that the function cannot have. Errors: 42809, 0A000.
fn check_clauses(name: &str, function: &Function, list: &FunctionArgumentList) -> SqlResult<()> {
    let wrong = |message: String| Err(SqlError::new(SqlState("42809"), message));
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let is_ordered = list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    if functions::is_scalar(name) {
        let given = [
            (function.over.is_some(), "OVER", "a window function nor an aggregate function"),
            (is_distinct, "DISTINCT", "an aggregate function"),
            (is_ordered, "ORDER BY", "an aggregate function"),
            (function.filter.is_some(), "FILTER", "an aggregate function"),
            (!function.within_group.is_empty(), "WITHIN GROUP", "an aggregate function"),
        ];
        if let Some((_, clause, what)) = given.iter().find(|(is_given, ..)| *is_given) {
            return wrong(format!("{clause} specified, but {name} is not {what}"));
        }
    }
    if function.over.is_some() && is_distinct {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "DISTINCT is not implemented for window functions"));
    }
    if function.over.is_some() && is_ordered {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "aggregate ORDER BY is not implemented for window functions"));
    }
    if name == "count" && list.args.is_empty() {
        return wrong("count(*) must be used to call a parameterless aggregate function".to_owned());
    }
    Ok(())
}

/// D28, of the function of this name.
pub(super) fn put_in_order(function: &str, args: &mut Vec<FunctionArg>) -> SqlResult<()> {
    let Some(named) = NAMED.iter().find(|named| named.function == function) else { return Ok(()) };
    let name_of = |arg: &FunctionArg| match arg {
        FunctionArg::Named { name, arg, .. } => Some((name.value.to_lowercase(), arg.clone())),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), arg, .. } => Some((name.value.to_lowercase(), arg.clone())),
        _ => None,
    };
    if !args.iter().any(|arg| name_of(arg).is_some()) {
        return Ok(());
    }
    let unknown = || SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("function {function} does not exist with these arguments"));
    let mut places: Vec<Option<FunctionArgExpr>> = vec![None; named.parameters.len()];
    for (at, arg) in args.iter().enumerate() {
        let (at, value) = match (name_of(arg), arg) {
            (Some((name, value)), _) => (named.parameters.iter().position(|parameter| *parameter == name).ok_or_else(unknown)?, value),
            (None, FunctionArg::Unnamed(value)) => (at, value.clone()),
            (None, _) => return Err(unknown()),
        };
        if places.get_mut(at).ok_or_else(unknown)?.replace(value).is_some() {
            return Err(unknown());
        }
    }
    let given = places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let left_out = |at: usize| match named.left_out {
        LeftOut::None => None,
        LeftOut::Number(digits) => Some(Value::Number(digits.into(), false)),
        LeftOut::Texts(texts) => {
            let text = texts.get((at + texts.len()).checked_sub(named.parameters.len())?)?;
            Some(Value::SingleQuotedString((*text).to_owned()))
        }
    };
    let each = |(at, place): (usize, Option<FunctionArgExpr>)| match place {
        Some(value) => Ok(FunctionArg::Unnamed(value)),
        None => left_out(at).map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value.into())))).ok_or_else(unknown),
    };
    *args = places.into_iter().take(given).enumerate().map(each).collect::<SqlResult<_>>()?;
    Ok(())
}
