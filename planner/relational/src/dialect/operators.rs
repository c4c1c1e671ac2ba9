//! Operators and clauses that are calls of functions of ours.
//!
//! D18: `extract` calls by the digits its part has: seconds have six after the point, milliseconds three, other parts none.
//! D19: regular expressions, SIMILAR TO and `substring` go to `functions/regexps.rs`, which reads patterns as Postgres does.

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, UnaryOperator, Value,
};

use super::rows;
use super::spelling::{call, cast};
use crate::functions::ordered_sets::PLACES;
use crate::position::folded_parts;

/// Functions that give a row for each element of an array another function makes.
const SETS: [(&str, &str); 3] =
    [("regexp_matches", "regexp_matches_list"), ("regexp_split_to_table", "regexp_split_to_array"), ("string_to_table", "string_to_array")];

/// Rewrites the expression itself, not what is below it.
pub(super) fn respell(expr: &mut Expr) {
    match expr {
        Expr::Extract { field, expr: from, .. } => {
            let part = field.to_string().trim_matches(['"', '\'']).to_lowercase();
            let (name, from) = (extractor(&part), take(from));
            *expr = function(name, vec![text(part), from]);
        }
        Expr::Substring { expr: of, substring_from, substring_for, shorthand, .. } => {
            let name = if *shorthand { "substr" } else { "substring" };
            let of = take(of);
            let from = substring_from.as_mut().map_or_else(|| cast(number("1"), DataType::Int(None)), |from| take(from));
            let args = std::iter::once(of).chain(std::iter::once(from)).chain(substring_for.as_mut().map(|length| take(length)));
            *expr = function(name, args.collect());
        }
        Expr::SimilarTo { negated, expr: of, pattern, escape_char } => {
            let escape = escape_char.take().map(Expr::Value);
            let args = vec![take(of), take(pattern)].into_iter().chain(escape).collect();
            let negated = *negated;
            *expr = negate(function("similar_to", args), negated);
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            let args = vec![take(time_zone), take(timestamp)];
            *expr = function("timezone", args);
        }
        Expr::IsNormalized { expr: of, form, negated } => {
            let form = form.take().map(|form| text(form.to_string()));
            let (args, negated) = (std::iter::once(take(of)).chain(form).collect(), *negated);
            *expr = negate(function("is_normalized", args), negated);
        }
        Expr::BinaryOp { .. } => binary(expr),
        Expr::UnaryOp { .. } => unary(expr),
        Expr::Function(call) => {
            name_place(call);
            truncate_in_zone(call);
            bucket_by_list(call);
            quote_form(call);
            pattern_function(expr);
        }
        Expr::Position { expr: needle, r#in } => {
            let args = vec![take(r#in), take(needle)];
            *expr = function("strpos", args);
        }
        Expr::Overlay { expr: of, overlay_what, overlay_from, overlay_for } => {
            let args = [take(of), take(overlay_what), take(overlay_from)].into_iter().chain(overlay_for.as_mut().map(|count| take(count)));
            *expr = function("overlay", args.collect());
        }
        // The one of SQL's parameterless functions that the parser takes for a column.
        Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("current_schema") => {
            *expr = function("current_schema", vec![]);
        }
        _ => {}
    }
}

/// A set-returning function as `unnest` of what makes its array, in a SELECT list; in FROM by name.
pub(super) fn unnest(call: &mut Function) {
    let Some((_, array)) = SETS.iter().find(|(set, _)| folded_parts(&call.name) == [*set]) else { return };
    let mut inner = call.clone();
    inner.name = ObjectName::from(vec![Ident::new(*array)]);
    call.name = ObjectName::from(vec![Ident::new("unnest")]);
    if let FunctionArguments::List(list) = &mut call.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(inner)))];
    }
}

/// The array a set-returning function in FROM stands for.
pub(super) fn array_behind(name: &ObjectName) -> Option<&'static str> {
    SETS.iter().find(|(set, _)| folded_parts(name) == [*set]).map(|(_, array)| *array)
}

/// D18.
fn extractor(part: &str) -> &'static str {
    match part {
        "second" | "seconds" | "epoch" | "julian" => "extract_micros",
        "millisecond" | "milliseconds" => "extract_millis",
        _ => "extract",
    }
}

/// `(a, b) OVERLAPS (c, d)`, each end a moment or as far from its beginning as an interval says.
pub(super) fn overlap(expr: &mut Expr) {
    let Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } = expr else { return };
    let (Some([start, end]), Some([other_start, other_end])) = (rows::columns(left), rows::columns(right)) else { return };
    let until = |start: &Expr, end: &Expr| function("overlap_end", vec![start.clone(), end.clone()]);
    let args = vec![start.clone(), until(start, end), other_start.clone(), until(other_start, other_end)];
    *expr = function("overlaps", args);
}

fn binary(expr: &mut Expr) {
    let Expr::BinaryOp { left, op, right } = expr else { return };
    let (name, negated) = match op {
        BinaryOperator::PGRegexMatch => ("textregexeq", false),
        BinaryOperator::PGRegexNotMatch => ("textregexeq", true),
        BinaryOperator::PGRegexIMatch => ("texticregexeq", false),
        BinaryOperator::PGRegexNotIMatch => ("texticregexeq", true),
        BinaryOperator::PGStartsWith => ("starts_with", false),
        BinaryOperator::PGExp => ("power", false),
        _ => return,
    };
    let args = vec![take(left), take(right)];
    *expr = negate(function(name, args), negated);
}

fn unary(expr: &mut Expr) {
    let Expr::UnaryOp { op, expr: of } = expr else { return };
    *expr = match op {
        UnaryOperator::PGSquareRoot => function("sqrt", vec![cast(take(of), DataType::DoublePrecision)]),
        UnaryOperator::PGCubeRoot => function("cbrt", vec![take(of)]),
        UnaryOperator::PGAbs => {
            super::integers::type_constant(of);
            function("abs", vec![take(of)])
        }
        UnaryOperator::BitwiseNot => {
            super::integers::type_constant(of);
            function("bitwise_not", vec![take(of)])
        }
        _ => return,
    };
}

/// `rank(value) WITHIN GROUP (…)`, which is an aggregate.
fn name_place(call: &mut Function) {
    let name = folded_parts(&call.name);
    let place = PLACES.iter().find(|(place, _)| !call.within_group.is_empty() && name == [*place]);
    if let Some((_, aggregate)) = place {
        call.name = ObjectName::from(vec![Ident::new(*aggregate)]);
    }
}

/// `like(text, pattern)` and its like as the operators they are.
fn pattern_function(expr: &mut Expr) {
    let Expr::Function(call) = expr else { return };
    let negated = match folded_parts(&call.name).as_slice() {
        [name] if name == "like" => false,
        [name] if name == "notlike" => true,
        _ => return,
    };
    let FunctionArguments::List(list) = &mut call.args else { return };
    if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(of)), FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))] =
        list.args.as_mut_slice()
    {
        let (of, pattern) = (Box::new(take(of)), Box::new(take(pattern)));
        *expr = Expr::Like { negated, any: false, expr: of, pattern, escape_char: None };
    }
}

/// `normalize(text, NFD)`: the form is a key word.
fn quote_form(call: &mut Function) {
    if folded_parts(&call.name) != ["normalize"] {
        return;
    }
    if let FunctionArguments::List(list) = &mut call.args
        && let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(form))] = list.args.as_mut_slice()
        && let Expr::Identifier(word) = form
    {
        *form = text(word.value.to_lowercase());
    }
}

/// `date_trunc(unit, instant, zone)`
fn truncate_in_zone(call: &mut Function) {
    let is_in_zone = matches!(&call.args, FunctionArguments::List(list) if list.args.len() == 3);
    if is_in_zone && folded_parts(&call.name) == ["date_trunc"] {
        call.name = ObjectName::from(vec![Ident::new("date_trunc_in_zone")]);
    }
}

/// `width_bucket(value, thresholds)`
fn bucket_by_list(call: &mut Function) {
    let is_list = matches!(&call.args, FunctionArguments::List(list) if list.args.len() == 2);
    if is_list && folded_parts(&call.name) == ["width_bucket"] {
        call.name = ObjectName::from(vec![Ident::new("width_bucket_of")]);
    }
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(expr) } } else { expr }
}

fn function(name: &str, args: Vec<Expr>) -> Expr {
    call(name, args.into_iter().map(FunctionArgExpr::Expr).collect())
}

fn text(value: String) -> Expr {
    Expr::Value(Value::SingleQuotedString(value).into())
}

fn number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.into(), false).into())
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
