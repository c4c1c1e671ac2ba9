//! Functions over documents that are no functions to the engine: sets (`json_array_elements`, `json_each` …) and aggregates (`json_agg` …).
//!
//! D19: a set is unnested from an array; `json_each` in FROM from two of them, side by side.
//! D21: the column of `json_array_elements(…) AS e` is `e.value`, and `e` alone is that column too.
//! D20: `json_agg(x)` is what `array_agg(x)` gathers, written as JSON; ORDER BY, DISTINCT, FILTER and OVER stay with the gathering.

use std::collections::HashSet;
use std::ops::ControlFlow;

use base::SqlResult;
use sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Select, SelectItem,
    Statement, TableAlias, TableAliasColumnDef, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::spelling::{call, cast};
use super::{arguments, literals};
use crate::position::{folded, folded_parts};
use crate::values::interval;
use crate::values::manner::IntervalStyle;

/// Set-returning functions of one column, and the function that makes the array.
const SETS: [(&str, &str); 8] = [
    ("json_array_elements", "json_elements_list"),
    ("jsonb_array_elements", "json_elements_list"),
    ("json_array_elements_text", "json_elements_text_list"),
    ("jsonb_array_elements_text", "json_elements_text_list"),
    ("json_object_keys", "json_keys_list"),
    ("jsonb_object_keys", "json_keys_list"),
    ("jsonb_path_query", "jsonb_path_query_list"),
    ("jsonb_path_query_tz", "jsonb_path_query_tz_list"),
];

/// Those whose column is called `value` whatever the set is called.
const VALUES: [(&str, &str); 4] = [SETS[0], SETS[1], SETS[2], SETS[3]];

/// Set-returning functions of keys and values, and the function that makes the array of values.
const PAIRS: [(&str, &str); 4] = [
    ("json_each", "json_values_list"),
    ("jsonb_each", "json_values_list"),
    ("json_each_text", "json_values_text_list"),
    ("jsonb_each_text", "json_values_text_list"),
];

/// Set-returning functions whose columns the alias lists, with their types.
const RECORDS: [&str; 4] = ["json_to_recordset", "jsonb_to_recordset", "json_to_record", "jsonb_to_record"];

/// Aggregates of one argument.
const GATHERED: [(&str, &str); 2] = [("json_agg", "json_gather"), ("jsonb_agg", "jsonb_gather")];
/// Aggregates of a key and a value.
const GATHERED_PAIRS: [(&str, &str); 2] = [("json_object_agg", "json_gather_object"), ("jsonb_object_agg", "jsonb_gather_object")];

fn find(table: &[(&'static str, &'static str)], name: &ObjectName) -> Option<&'static str> {
    let parts = folded_parts(name);
    let name = parts.last()?;
    table.iter().find(|(known, _)| known == name).map(|(_, function)| *function)
}

fn unnamed(args: &[FunctionArg]) -> Vec<FunctionArgExpr> {
    let each = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(expr) => Some(expr.clone()),
        _ => None,
    };
    args.iter().filter_map(each).collect()
}

/// Rewrites the expression itself, not what is below it.
pub(super) fn unfold(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let FunctionArguments::List(list) = &function.args else { return };
    if let Some(made) = find(&SETS, &function.name) {
        *expr = call("unnest", vec![FunctionArgExpr::Expr(call(made, unnamed(&list.args)))]);
    } else if let Some(written) = find(&GATHERED, &function.name) {
        let gathered = renamed(function.clone(), "array_agg");
        *expr = call(written, vec![FunctionArgExpr::Expr(gathered)]);
    } else if let Some(written) = find(&GATHERED_PAIRS, &function.name)
        && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(key)), value] = list.args.as_slice()
    {
        let text = FunctionArg::Unnamed(FunctionArgExpr::Expr(cast(key.clone(), DataType::Text)));
        let keys = with_argument(function.clone(), text);
        let values = with_argument(function.clone(), value.clone());
        *expr = call(written, vec![FunctionArgExpr::Expr(keys), FunctionArgExpr::Expr(values)]);
    }
}

fn renamed(mut function: Function, name: &str) -> Expr {
    function.name = ObjectName::from(vec![Ident::new(name)]);
    Expr::Function(function)
}

fn with_argument(mut function: Function, arg: FunctionArg) -> Expr {
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![arg];
    }
    renamed(function, "array_agg")
}

/// The name, the arguments, the alias and WITH ORDINALITY of a function in FROM.
pub(super) fn called(factor: &mut TableFactor) -> Option<(&ObjectName, &Vec<FunctionArg>, &mut Option<TableAlias>, bool)> {
    match factor {
        TableFactor::Table { name, args: Some(args), alias, with_ordinality, .. } => Some((&*name, &args.args, alias, *with_ordinality)),
        TableFactor::Function { name, args, alias, with_ordinality, .. } => Some((&*name, &*args, alias, *with_ordinality)),
        _ => None,
    }
}

/// D19, in FROM. Errors: 42883 for an argument's name that there is not.
pub(super) fn unfold_relation(factor: &mut TableFactor) -> SqlResult<()> {
    let Some((name, args, alias, with_ordinality)) = called(factor) else { return Ok(()) };
    let parts = folded_parts(name);
    let Some(last) = parts.last().cloned() else { return Ok(()) };
    let mut args = args.clone();
    arguments::put_in_order(&last, &mut args)?;
    literals::type_arguments(&last, &mut args);
    let args = unnamed(&args);
    let (array_exprs, names) = if let Some(made) = find(&SETS, name) {
        (vec![call(made, args)], vec![])
    } else if let Some(made) = find(&PAIRS, name) {
        (vec![call("json_keys_list", args.clone()), call(made, args)], vec!["key", "value"])
    } else if RECORDS.contains(&last.as_str()) {
        let columns = alias.as_ref().map(|alias| alias.columns.as_slice()).unwrap_or_default();
        let Some(typed) = columns.iter().map(|column| Some((&column.name, column.data_type.as_ref()?))).collect::<Option<Vec<_>>>() else {
            return Ok(());
        };
        (typed.iter().map(|(name, data_type)| field(&args, name, data_type)).collect(), vec![])
    } else if last == "generate_subscripts" {
        (vec![call("array_subscripts", args.into_iter().take(1).collect())], vec![])
    } else {
        return Ok(());
    };
    let mut alias = alias_or(alias.take(), name);
    alias.columns.iter_mut().for_each(|column| column.data_type = None);
    if alias.columns.is_empty() {
        let names: Vec<Ident> = match names.as_slice() {
            [] if find(&VALUES, name).is_some() => vec![Ident::new("value")],
            [] => vec![alias.name.clone()],
            names => names.iter().map(|name| Ident::new(*name)).collect(),
        };
        alias.columns = names.into_iter().map(|name| TableAliasColumnDef { name, data_type: None }).collect();
    }
    *factor = TableFactor::UNNEST { alias: Some(alias), array_exprs, with_offset: false, with_offset_alias: None, with_ordinality };
    Ok(())
}

/// The array of one column of [`RECORDS`].
fn field(args: &[FunctionArgExpr], name: &Ident, data_type: &DataType) -> Expr {
    let is_document = matches!(data_type, DataType::JSON | DataType::JSONB);
    let made = if is_document { "json_column_json_list" } else { "json_column_list" };
    let name = FunctionArgExpr::Expr(Expr::Value(Value::SingleQuotedString(folded(name)).into()));
    let texts = call(made, args.iter().take(1).cloned().chain([name]).collect());
    cast(texts, DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(data_type.clone()), None)))
}

/// The alias, or the function's name as one.
pub(super) fn alias_or(alias: Option<TableAlias>, function: &ObjectName) -> TableAlias {
    let name = || Ident::with_quote('"', folded_parts(function).pop().unwrap_or_default());
    alias.unwrap_or_else(|| TableAlias { explicit: false, name: name(), columns: vec![], at: None })
}

/// D21.
pub(super) fn name_values(statement: &mut Statement) {
    let mut search = Search { aliases: HashSet::new() };
    let _ = Visit::visit(&*statement, &mut search);
    if !search.aliases.is_empty() {
        let _ = VisitMut::visit(statement, &mut Name { aliases: search.aliases });
    }
}

/// Aliases of sets whose one column is called `value`.
struct Search {
    aliases: HashSet<String>,
}

impl Visitor for Search {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), alias: Some(alias), .. } | TableFactor::Function { name, alias: Some(alias), .. } =
            factor
            && alias.columns.is_empty()
            && find(&VALUES, name).is_some()
        {
            self.aliases.insert(folded(&alias.name));
        }
        ControlFlow::Continue(())
    }
}

struct Name {
    aliases: HashSet<String>,
}

impl VisitorMut for Name {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(Expr::Identifier(ident)) = item
                && self.aliases.contains(&folded(ident))
            {
                *item = SelectItem::ExprWithAlias { expr: Expr::Identifier(ident.clone()), alias: ident.clone() };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(ident) = expr
            && self.aliases.contains(&folded(ident))
        {
            *expr = Expr::CompoundIdentifier(vec![ident.clone(), Ident::new("value")]);
        }
        ControlFlow::Continue(())
    }
}

/// `gen_random_uuid()`, `INTERVAL '…' unit`, and a cast to `jsonpath`.
pub(super) fn respell(expr: &mut Expr) {
    match expr {
        Expr::Cast { expr: text, data_type: DataType::Custom(name, _), .. }
            if folded_parts(name).last().is_some_and(|name| name == "jsonpath") =>
        {
            let text = std::mem::replace(text.as_mut(), Expr::Value(Value::Null.into()));
            *expr = call("jsonpath", vec![FunctionArgExpr::Expr(text)]);
        }
        Expr::Function(function) if folded_parts(&function.name) == ["gen_random_uuid"] => {
            *expr = cast(call("uuid", vec![]), DataType::Uuid);
        }
        Expr::Interval(interval) => {
            let Expr::Value(value) = interval.value.as_ref() else { return };
            let Value::SingleQuotedString(text) = &value.value else { return };
            let unit = interval.last_field.as_ref().or(interval.leading_field.as_ref()).map(ToString::to_string);
            let literal = |text: &str| Expr::Value(Value::SingleQuotedString(text.to_owned()).into());
            let literal = match unit {
                None => literal(text),
                // Whose sign that is the session's style tells.
                Some(unit) if text.trim_start().starts_with('-') => {
                    let args = [literal(text), literal(&unit)].map(FunctionArgExpr::Expr);
                    *expr = call("interval_in_units", args.to_vec());
                    return;
                }
                Some(unit) => match interval::parse_in_units(text, Some(&unit), IntervalStyle::Postgres) {
                    Ok(found) => {
                        let mut out = Vec::new();
                        interval::write(found, &mut out);
                        literal(&String::from_utf8(out).unwrap_or_default())
                    }
                    // Read again where the error has a place.
                    Err(_) => literal(text),
                },
            };
            *expr = cast(literal, DataType::Interval { fields: None, precision: None });
        }
        _ => {}
    }
}
