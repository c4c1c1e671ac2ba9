//! Expressions of rules as Postgres prints them.
//!
//! E1: operators stand in parentheses, casts as `::type`, string constants with the type that they were read as.
//! Never: evaluated; the catalog keeps the text as it was written.

use engine::{SqlType, TableDef};
use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, UnaryOperator, Value};

use super::names::quote;
use crate::column_types;
use crate::names::fold;
use crate::rule_text;

/// A default as `pg_get_expr` prints it.
pub(super) fn default(text: &str, sql_type: SqlType) -> String {
    match rule_text::expression(text) {
        Ok(expr) => Printer { table: None, alias: None, pretty: true }.typed(&expr, Some(sql_type)),
        Err(_) => text.to_owned(),
    }
}

/// A condition; `pretty` leaves parentheses away that precedence makes needless.
pub(super) fn condition(table: &TableDef, text: &str, pretty: bool) -> String {
    match rule_text::expression(text) {
        Ok(expr) => Printer { table: Some(table), alias: None, pretty }.print(&expr),
        Err(_) => text.to_owned(),
    }
}

/// An element of an index that is an expression: in parentheses where it is no call of a function.
pub(super) fn of_index(table: &TableDef, text: &str, pretty: bool) -> String {
    let printed = condition(table, text, pretty);
    let is_call = rule_text::expression(text).is_ok_and(|expr| match bare(&expr) {
        Expr::Function(call) => !matches!(call.args, FunctionArguments::None),
        Expr::Substring { .. } | Expr::Trim { .. } | Expr::Extract { .. } | Expr::Position { .. } => true,
        _ => false,
    });
    if is_call { printed } else { format!("({printed})") }
}

/// A condition over a table that is called `alias`, every column qualified by it.
pub(super) fn condition_of(table: &TableDef, alias: &str, text: &str, pretty: bool) -> String {
    match rule_text::expression(text) {
        Ok(expr) => Printer { table: Some(table), alias: Some(alias), pretty }.print(&expr),
        Err(_) => text.to_owned(),
    }
}

struct Printer<'a> {
    table: Option<&'a TableDef>,
    alias: Option<&'a str>,
    pretty: bool,
}

impl Printer<'_> {
    fn type_of(&self, expr: &Expr) -> Option<SqlType> {
        match expr {
            Expr::Nested(inner) => self.type_of(inner),
            Expr::Identifier(ident) => self.column(ident),
            Expr::CompoundIdentifier(parts) => self.column(parts.last()?),
            Expr::Cast { data_type, .. } => column_types::resolve(data_type).ok(),
            Expr::Function(call) => {
                let name = call.name.to_string().to_lowercase();
                match name.as_str() {
                    "lower" | "upper" | "trim" | "btrim" | "ltrim" | "rtrim" | "substr" | "concat" => Some(SqlType::Text),
                    "length" | "char_length" => Some(SqlType::Int4),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn column(&self, ident: &Ident) -> Option<SqlType> {
        let name = fold(ident);
        self.table?.columns.iter().find(|column| column.name == name).map(|column| column.sql_type)
    }

    fn named(&self, column: &Ident) -> String {
        let column = quote(&fold(column));
        self.alias.map_or_else(|| column.clone(), |alias| format!("{}.{column}", quote(alias)))
    }

    /// A constant takes the type of its place.
    fn typed(&self, expr: &Expr, sql_type: Option<SqlType>) -> String {
        match (expr, sql_type) {
            (Expr::Nested(inner), _) => self.typed(inner, sql_type),
            (Expr::Value(value), Some(sql_type)) if matches!(value.value, Value::SingleQuotedString(_)) => {
                let type_name = match sql_type {
                    SqlType::Varchar(_) => "character varying".to_owned(),
                    SqlType::Bpchar(_) => "bpchar".to_owned(),
                    SqlType::Numeric { .. } | SqlType::AnyNumeric(_) => "numeric".to_owned(),
                    other => other.name(),
                };
                format!("{}::{type_name}", value.value)
            }
            (Expr::Value(value), Some(SqlType::Numeric { .. } | SqlType::AnyNumeric(_))) if matches!(value.value, Value::Number(..)) => {
                value.value.to_string()
            }
            (Expr::UnaryOp { op: UnaryOperator::Minus, expr }, _) if matches!(**expr, Expr::Value(_)) => {
                let suffix = match sql_type {
                    Some(SqlType::Numeric { .. } | SqlType::AnyNumeric(_)) => "numeric",
                    Some(SqlType::Int8) => "bigint",
                    _ => "integer",
                };
                format!("'-{expr}'::{suffix}")
            }
            _ => self.print(expr),
        }
    }

    /// In parentheses, unless they are left away.
    fn wrapped(&self, text: String) -> String {
        if self.pretty { text } else { format!("({text})") }
    }

    /// The inside of a cast or an operator.
    fn inner(&self, expr: &Expr) -> String {
        let printed = self.print(expr);
        let is_compound = matches!(bare(expr), Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::InList { .. } | Expr::Between { .. });
        if self.pretty && is_compound && !printed.starts_with('\'') { format!("({printed})") } else { printed }
    }

    fn casted(&self, inner: String, target: &str) -> String {
        let is_simple = !inner.contains(' ') || inner.starts_with('(');
        if self.pretty && is_simple { format!("{inner}::{target}") } else { format!("({inner})::{target}") }
    }

    /// A varchar is compared as text.
    fn operand(&self, expr: &Expr, other: Option<SqlType>) -> String {
        let own = self.type_of(expr);
        let is_text = |sql_type: Option<SqlType>| matches!(sql_type, Some(SqlType::Text | SqlType::Varchar(_)));
        match own {
            Some(SqlType::Varchar(_)) => self.casted(self.print(expr), "text"),
            None if is_text(other) => self.typed(expr, Some(SqlType::Text)),
            None => match (expr, other) {
                (Expr::Value(value), Some(SqlType::Numeric { .. } | SqlType::AnyNumeric(_)))
                    if matches!(value.value, Value::Number(..)) =>
                {
                    let digits = value.value.to_string();
                    if digits.contains('.') { digits } else { self.casted(digits, "numeric") }
                }
                (Expr::Value(value), Some(SqlType::Float8 | SqlType::Float4)) if matches!(value.value, Value::Number(..)) => {
                    self.casted(value.value.to_string(), "double precision")
                }
                _ if matches!(bare(expr), Expr::Value(_)) || is_negative(expr) => self.typed(expr, other),
                _ => self.inner(expr),
            },
            Some(_) => self.inner(expr),
        }
    }

    fn print(&self, expr: &Expr) -> String {
        match expr {
            Expr::Nested(inner) => self.print(inner),
            Expr::Identifier(ident) if ident.quote_style.is_none() && self.column(ident).is_none() && self.table.is_none() => {
                ident.value.to_uppercase()
            }
            Expr::Identifier(ident) => self.named(ident),
            Expr::CompoundIdentifier(parts) => parts.last().map_or_else(String::new, |part| self.named(part)),
            Expr::Value(value) => match &value.value {
                Value::Boolean(value) => value.to_string(),
                Value::Null => "NULL".to_owned(),
                Value::SingleQuotedString(_) => format!("{}::text", value.value),
                other => other.to_string(),
            },
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.wrapped(format!("NOT {}", self.inner(expr))),
            Expr::UnaryOp { op: UnaryOperator::Minus, .. } => self.typed(expr, None),
            Expr::UnaryOp { op, expr } => self.wrapped(format!("{op} {}", self.inner(expr))),
            Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
                let mut terms = Vec::new();
                self.chain(left, op, &mut terms);
                self.chain(right, op, &mut terms);
                self.wrapped(terms.join(&format!(" {op} ")))
            }
            Expr::BinaryOp { left, op, right } => {
                let op = if *op == BinaryOperator::NotEq { "<>".to_owned() } else { op.to_string() };
                self.wrapped(format!("{} {op} {}", self.operand(left, self.type_of(right)), self.operand(right, self.type_of(left))))
            }
            Expr::IsNull(inner) => self.wrapped(format!("{} IS NULL", self.inner(inner))),
            Expr::IsNotNull(inner) => self.wrapped(format!("{} IS NOT NULL", self.inner(inner))),
            Expr::Between { expr, negated: false, low, high } => {
                let (of, other) = (self.operand(expr, None), self.type_of(expr));
                let least = self.wrapped(format!("{of} >= {}", self.operand(low, other)));
                let most = self.wrapped(format!("{of} <= {}", self.operand(high, other)));
                self.wrapped(format!("{least} AND {most}"))
            }
            Expr::InList { expr, list, negated } => {
                let own = self.type_of(expr);
                let is_varchar = matches!(own, Some(SqlType::Varchar(_)));
                let element = |item: &Expr| if is_varchar { self.typed(item, own) } else { self.operand(item, own) };
                let items = list.iter().map(element).collect::<Vec<_>>().join(", ");
                let (op, all) = if *negated { ("<>", "ALL") } else { ("=", "ANY") };
                let array = match (is_varchar, self.pretty) {
                    (true, true) => format!("ARRAY[{items}]::text[]"),
                    (true, false) => format!("(ARRAY[{items}])::text[]"),
                    (false, _) => format!("ARRAY[{items}]"),
                };
                let of = self.operand(expr, None);
                self.wrapped(format!("{of} {op} {all} ({array})"))
            }
            Expr::Like { negated, expr, pattern, escape_char: None, .. } => {
                let op = if *negated { "!~~" } else { "~~" };
                self.wrapped(format!("{} {op} {}", self.operand(expr, Some(SqlType::Text)), self.typed(pattern, Some(SqlType::Text))))
            }
            Expr::Cast { expr, data_type, .. } => {
                let target = column_types::resolve(data_type).map_or_else(|_| data_type.to_string().to_lowercase(), SqlType::name);
                match expr.as_ref() {
                    Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)) => format!("{}::{target}", value.value),
                    inner => self.casted(self.print(inner), &target),
                }
            }
            Expr::Function(call) => {
                let name = call.name.to_string();
                match &call.args {
                    FunctionArguments::None => name.to_uppercase(),
                    FunctionArguments::List(list) => {
                        let printed = |argument: &FunctionArg| match argument {
                            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => match self.type_of(expr) {
                                Some(SqlType::Varchar(_)) => self.casted(self.print(expr), "text"),
                                _ => self.print(expr),
                            },
                            other => other.to_string(),
                        };
                        let name = name.to_lowercase();
                        // These are no functions to Postgres but words of its grammar.
                        let is_word = ["coalesce", "greatest", "least", "nullif"].contains(&name.as_str());
                        let name = if is_word { name.to_uppercase() } else { name };
                        format!("{name}({})", list.args.iter().map(printed).collect::<Vec<_>>().join(", "))
                    }
                    FunctionArguments::Subquery(_) => expr.to_string(),
                }
            }
            other => other.to_string(),
        }
    }

    fn chain(&self, expr: &Expr, op: &BinaryOperator, terms: &mut Vec<String>) {
        match expr {
            Expr::BinaryOp { left, op: other, right } if other == op => {
                self.chain(left, op, terms);
                self.chain(right, op, terms);
            }
            Expr::Nested(inner) => self.chain(inner, op, terms),
            Expr::BinaryOp { op: BinaryOperator::Or, .. } if self.pretty => terms.push(format!("({})", self.print(expr))),
            other => terms.push(self.print(other)),
        }
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

fn is_negative(expr: &Expr) -> bool {
    matches!(bare(expr), Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(**expr, Expr::Value(_)))
}
