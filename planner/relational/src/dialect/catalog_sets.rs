//! Functions that give rows, by which tools ask the catalog: `pg_get_keywords()`, `pg_options_to_table(options)`,
//! `information_schema._pg_expandarray(array)`; and fields of rows.
//!
//! D42: in a SELECT list each column of such a row is the elements of an array; `(f(x)).n` is the array of its column only.
//! D43: a field of a row is found by the name that the row's layout has for it.

use std::collections::HashSet;
use std::sync::LazyLock;

use sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, TableAlias,
    TableAliasColumnDef, TableFactor, Value,
};

use super::documents::{alias_or, called};
use super::spelling::{call, cast};
use crate::layouts;
use crate::position::{folded, folded_parts};

/// PostgreSQL 15's key words: word, category, and whether each can be an alias without AS.
const KEYWORDS: &str = include_str!("catalog_sets/keywords.txt");

/// A category's letter and what it says.
const CATEGORIES: [(&str, &str); 4] = [
    ("C", "unreserved (cannot be function or type name)"),
    ("R", "reserved"),
    ("T", "reserved (can be function or type name)"),
    ("U", "unreserved"),
];

static RESERVED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    KEYWORDS.lines().filter_map(|line| line.split_once(' ').filter(|(_, rest)| rest.starts_with('R'))).map(|(word, _)| word).collect()
});

/// Whether a word names nothing without quotes.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(word)
}

/// Rewrites the expression itself, not what is below it.
pub(super) fn unfold(expr: &mut Expr) {
    if let Expr::CompoundFieldAccess { root, access_chain } = &*expr
        && let Expr::Nested(row) = root.as_ref()
        && let [AccessExpr::Dot(Expr::Identifier(field))] = access_chain.as_slice()
    {
        let field = folded(field);
        *expr = match (expanded(row), field.as_str()) {
            (Some(array), "x") => unnest(array),
            (Some(array), "n") => unnest(call("array_places", vec![FunctionArgExpr::Expr(array)])),
            _ => {
                let name = Expr::Value(Value::SingleQuotedString(layouts::record_field(&field)).into());
                call("get_field", vec![FunctionArgExpr::Expr(row.as_ref().clone()), FunctionArgExpr::Expr(name)])
            }
        };
    } else if let Some(array) = expanded(expr) {
        *expr = unnest(call("array_pairs", vec![FunctionArgExpr::Expr(array)]));
    }
}

/// The array that `_pg_expandarray` numbers.
fn expanded(expr: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    numbered(&function.name, &list.args)
}

fn numbered(name: &ObjectName, args: &[FunctionArg]) -> Option<Expr> {
    named_argument(name, args, "_pg_expandarray")
}

/// The one argument of a call of a function of that name.
fn named_argument(name: &ObjectName, args: &[FunctionArg], function: &str) -> Option<Expr> {
    let is_it = folded_parts(name).last().is_some_and(|name| name == function);
    match args {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(array))] if is_it => Some(array.clone()),
        _ => None,
    }
}

fn unnest(array: Expr) -> Expr {
    call("unnest", vec![FunctionArgExpr::Expr(array)])
}

/// The same in FROM.
pub(super) fn unfold_relation(factor: &mut TableFactor) {
    let Some((name, args, alias, with_ordinality)) = called(factor) else { return };
    let is_keywords = args.is_empty() && folded_parts(name).last().is_some_and(|name| name == "pg_get_keywords");
    let (array_exprs, names): (Vec<Expr>, &[&str]) = if let Some(options) = named_argument(name, args, "pg_options_to_table") {
        let part = |function| call(function, vec![FunctionArgExpr::Expr(options.clone())]);
        (vec![part("option_names"), part("option_values")], &["option_name", "option_value"])
    } else if let Some(array) = numbered(name, args) {
        (vec![array.clone(), call("array_places", vec![FunctionArgExpr::Expr(array)])], &["x", "n"])
    } else if is_keywords {
        (keywords(), &["word", "catcode", "barelabel", "catdesc", "baredesc"])
    } else {
        return;
    };
    let alias = with_names(alias_or(alias.take(), name), names);
    *factor = TableFactor::UNNEST { alias: Some(alias), array_exprs, with_offset: false, with_offset_alias: None, with_ordinality };
}

fn with_names(mut alias: TableAlias, names: &[&str]) -> TableAlias {
    let rest = names.iter().skip(alias.columns.len());
    alias.columns.extend(rest.map(|name| TableAliasColumnDef { name: Ident::new(*name), data_type: None }));
    alias
}

/// A column each of the list of key words.
fn keywords() -> Vec<Expr> {
    let lines: Vec<Vec<&str>> = KEYWORDS.lines().map(|line| line.split(' ').collect()).collect();
    let said = |letter: &str| CATEGORIES.iter().find(|(known, _)| *known == letter).map_or("", |(_, said)| *said);
    let bare = |letter: &str| if letter == "t" { "can be bare label" } else { "requires AS" };
    let texts = |column: &dyn Fn(&[&str]) -> String| {
        let joined = lines.iter().map(|line| column(line)).collect::<Vec<_>>().join(",");
        let text = |text: String| FunctionArgExpr::Expr(Expr::Value(Value::SingleQuotedString(text).into()));
        call("string_to_array", vec![text(joined), text(",".to_owned())])
    };
    let truths = DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Boolean), None));
    let at = |line: &[&str], at: usize| line.get(at).copied().unwrap_or_default().to_owned();
    vec![
        texts(&|line| at(line, 0)),
        texts(&|line| at(line, 1)),
        cast(texts(&|line| at(line, 2)), truths),
        texts(&|line| said(&at(line, 1)).to_owned()),
        texts(&|line| bare(&at(line, 2)).to_owned()),
    ]
}
