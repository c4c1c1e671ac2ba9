//! Expressions of a stored query with the types that Postgres gives them, casts that nobody wrote included.
//!
//! Never: evaluates.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, CeilFloorKind, DateTimeField, Expr, Subscript, TrimWhereField, UnaryOperator, Value, WindowFrame,
    WindowFrameBound, WindowFrameUnits,
};

use super::scope::Scope;
use super::tree::{Node, Piece, Sub, Typed};
use super::types::{self, BOOL, INT4, INT8, NUMERIC, TEXT, Typ, UNKNOWN};
use super::{bind as queries, calls};
use crate::column_types;
use crate::names::fold;

pub(super) use super::calls::call_of;

pub(super) fn typed(node: Node, oid: i64) -> Typed {
    Typed { node, typ: types::of(oid) }
}

/// The expression as a value of a type, under a cast if it needs one. A constant of no type yet takes it.
pub(super) fn coerced(expr: Typed, to: i64) -> Option<Typed> {
    if expr.typ.oid == to || (types::is_polymorphic(to) && expr.typ.oid != UNKNOWN) {
        return Some(expr);
    }
    if expr.typ.oid == UNKNOWN {
        let to = if types::is_polymorphic(to) { TEXT } else { to };
        return match expr.node {
            Node::Constant(text) => {
                Some(typed(Node::Constant(text.map(|text| read(&text, to)).map_or(Some(None), |known| known.map(Some))?), to))
            }
            Node::Case { operand, whens, otherwise } => {
                let whens = whens.into_iter().map(|(when, then)| Some((when, coerced(then, to)?))).collect::<Option<_>>()?;
                let otherwise =
                    otherwise.map(|otherwise| coerced(*otherwise, to).map(Box::new)).map_or(Some(None), |known| known.map(Some))?;
                Some(typed(Node::Case { operand, whens, otherwise }, to))
            }
            _ => None,
        };
    }
    Some(typed(Node::Cast(Box::new(expr)), to))
}

/// A literal as its type prints it, where that is simple.
fn read(text: &str, to: i64) -> Option<String> {
    Some(match to {
        BOOL => match text.trim().to_lowercase().as_str() {
            "t" | "true" | "yes" | "on" | "1" | "y" => "true".to_owned(),
            "f" | "false" | "no" | "off" | "0" | "n" => "false".to_owned(),
            _ => return None,
        },
        21 | INT4 | INT8 => text.trim().parse::<i64>().ok()?.to_string(),
        _ => text.to_owned(),
    })
}

/// What is left without a type is text.
pub(super) fn settled(expr: Typed) -> Option<Typed> {
    if expr.typ.oid == UNKNOWN { coerced(expr, TEXT) } else { Some(expr) }
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_constant(inner),
        Expr::UnaryOp { expr: inner, .. } => is_constant(inner),
        _ => false,
    }
}

fn symbol(op: &BinaryOperator) -> Option<String> {
    Some(match op {
        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor | BinaryOperator::Custom(_) => return None,
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last()?.clone(),
        BinaryOperator::NotEq => "<>".to_owned(),
        other => other.to_string(),
    })
}

/// An operator between two expressions.
pub(super) fn operation(op: &str, left: Typed, right: Typed) -> Option<Typed> {
    let chosen = types::operator(op, Some(left.typ.oid), right.typ.oid)?;
    let (left, right) = (coerced(left, chosen.params[0])?, coerced(right, chosen.params[1])?);
    Some(typed(Node::Operator { op: op.to_owned(), left: Some(Box::new(left)), right: Box::new(right) }, chosen.result))
}

fn not(expr: Typed) -> Typed {
    typed(Node::Not(Box::new(expr)), BOOL)
}

fn joined(op: &'static str, terms: Vec<Typed>) -> Typed {
    typed(Node::Joined { op, terms }, BOOL)
}

/// A chain of ANDs or ORs; only what stands left is one chain with it.
fn chain(scope: &Scope<'_>, left: &Expr, op: &'static str, right: &Expr) -> Option<Typed> {
    let condition = |expr: &Expr| coerced(bind(scope, expr)?, BOOL);
    let mut terms = match bare(left) {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } if op == "AND" => terms_of(chain(scope, left, op, right)?),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } if op == "OR" => terms_of(chain(scope, left, op, right)?),
        other => vec![condition(other)?],
    };
    terms.push(condition(right)?);
    Some(joined(op, terms))
}

fn terms_of(joined: Typed) -> Vec<Typed> {
    match joined.node {
        Node::Joined { terms, .. } => terms,
        _ => vec![joined],
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// A number without an exponent and with digits on both sides of its point.
fn number(text: &str) -> Option<Typed> {
    let is_plain = !text.contains(['e', 'E', '_', 'x', 'o', 'b']) && !text.ends_with('.') && !text.trim_start_matches('-').starts_with('.');
    is_plain.then_some(())?;
    let oid = match text.parse::<i64>() {
        Ok(value) if i32::try_from(value).is_ok() => INT4,
        Ok(_) => INT8,
        Err(_) => NUMERIC,
    };
    Some(typed(Node::Constant(Some(text.to_owned())), oid))
}

/// The expression as it is meant; nothing for what is not known here.
pub(super) fn bind(scope: &Scope<'_>, expr: &Expr) -> Option<Typed> {
    match expr {
        Expr::Nested(inner) => bind(scope, inner),
        Expr::Identifier(name) => scope.column(&fold(name)),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [relation, column] => scope.column_of(&fold(relation), &fold(column)),
            _ => None,
        },
        Expr::Value(value) => constant(&value.value),
        Expr::TypedString(string) => {
            let sql_type = column_types::resolve(&string.data_type).ok()?;
            let Value::SingleQuotedString(text) = &string.value.value else { return None };
            coerced(typed(Node::Constant(Some(text.clone())), UNKNOWN), i64::from(sql_type.oid()))
        }
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => chain(scope, left, "AND", right),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => chain(scope, left, "OR", right),
        Expr::BinaryOp { left, op, right } => operation(&symbol(op)?, bind(scope, left)?, bind(scope, right)?),
        Expr::UnaryOp { op, expr } => unary(scope, *op, expr),
        Expr::IsNull(inner) => Some(is(settled(bind(scope, inner)?)?, "IS NULL")),
        Expr::IsNotNull(inner) => Some(is(settled(bind(scope, inner)?)?, "IS NOT NULL")),
        Expr::IsTrue(inner) => Some(is(coerced(bind(scope, inner)?, BOOL)?, "IS TRUE")),
        Expr::IsNotTrue(inner) => Some(is(coerced(bind(scope, inner)?, BOOL)?, "IS NOT TRUE")),
        Expr::IsFalse(inner) => Some(is(coerced(bind(scope, inner)?, BOOL)?, "IS FALSE")),
        Expr::IsNotFalse(inner) => Some(is(coerced(bind(scope, inner)?, BOOL)?, "IS NOT FALSE")),
        Expr::IsUnknown(inner) => Some(is(coerced(bind(scope, inner)?, BOOL)?, "IS UNKNOWN")),
        Expr::IsNotUnknown(inner) => Some(is(coerced(bind(scope, inner)?, BOOL)?, "IS NOT UNKNOWN")),
        Expr::IsDistinctFrom(left, right) => distinct(scope, left, right),
        Expr::IsNotDistinctFrom(left, right) => distinct(scope, left, right).map(not),
        Expr::Between { expr, negated, low, high } => {
            let compare = |op: &str, other: &Expr| operation(op, bind(scope, expr)?, bind(scope, other)?);
            Some(match negated {
                false => joined("AND", vec![compare(">=", low)?, compare("<=", high)?]),
                true => joined("OR", vec![compare("<", low)?, compare(">", high)?]),
            })
        }
        Expr::Like { negated, any: false, expr, pattern, escape_char: None } => matching(scope, ["~~", "!~~"], *negated, expr, pattern),
        Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => matching(scope, ["~~*", "!~~*"], *negated, expr, pattern),
        Expr::InList { expr, list, negated } => in_list(scope, expr, list, *negated),
        Expr::InSubquery { expr, subquery, negated } => {
            let found = compared(scope, bind(scope, expr)?, "=", false, subquery)?;
            Some(if *negated { not(found) } else { found })
        }
        Expr::AnyOp { left, compare_op, right, .. } => quantified(scope, left, &symbol(compare_op)?, right, false),
        Expr::AllOp { left, compare_op, right } => quantified(scope, left, &symbol(compare_op)?, right, true),
        Expr::Exists { subquery, negated } => {
            let found = typed(Node::Subquery(Sub::Exists, Box::new(queries::query(&scope.within(), subquery, None)?)), BOOL);
            Some(if *negated { not(found) } else { found })
        }
        Expr::Subquery(subquery) => {
            let query = queries::query(&scope.within(), subquery, None)?;
            let [(_, typ)] = query.columns.as_slice() else { return None };
            let typ = *typ;
            Some(Typed { node: Node::Subquery(Sub::Value, Box::new(query)), typ })
        }
        Expr::Cast { expr, data_type, array: false, format: None, .. } => {
            let sql_type = column_types::resolve(data_type).ok()?;
            cast(bind(scope, expr)?, Typ { oid: i64::from(sql_type.oid()), modifier: i64::from(sql_type.typmod()) })
        }
        Expr::Case { operand, conditions, else_result, .. } => case(scope, operand.as_deref(), conditions, else_result.as_deref()),
        Expr::Array(array) => self::array(array.elem.iter().map(|item| bind(scope, item)).collect::<Option<_>>()?),
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.as_slice() {
            [AccessExpr::Subscript(Subscript::Index { index })] => {
                let (base, index) = (bind(scope, root)?, coerced(bind(scope, index)?, INT4)?);
                let element = types::element(base.typ.oid)?;
                Some(typed(Node::Subscript(Box::new(base), Box::new(index)), element))
            }
            _ => None,
        },
        Expr::Function(call) => calls::bind(scope, call),
        other => words(scope, other),
    }
}

/// What SQL has words for and Postgres functions.
fn words(scope: &Scope<'_>, expr: &Expr) -> Option<Typed> {
    let text = |expr: &Expr| coerced(bind(scope, expr)?, TEXT);
    match expr {
        Expr::Extract { field, expr, .. } => {
            let source = bind(scope, expr)?;
            matches!(source.typ.oid, 1082 | 1083 | 1114 | 1184 | 1186).then_some(())?;
            let field = match field {
                DateTimeField::Custom(name) => fold(name),
                other => other.to_string().to_lowercase(),
            };
            Some(typed(
                Node::Words(vec![
                    Piece::Word("EXTRACT("),
                    Piece::Text(field),
                    Piece::Word(" FROM "),
                    Piece::Expr(source),
                    Piece::Word(")"),
                ]),
                NUMERIC,
            ))
        }
        Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => calls::of("ceil", vec![bind(scope, expr)?]),
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
            calls::of("floor", vec![bind(scope, expr)?])
        }
        Expr::Position { expr, r#in } => {
            let (what, within) = (text(expr)?, text(r#in)?);
            Some(typed(
                Node::Words(vec![
                    Piece::Word("POSITION(("),
                    Piece::Expr(what),
                    Piece::Word(") IN ("),
                    Piece::Expr(within),
                    Piece::Word("))"),
                ]),
                INT4,
            ))
        }
        Expr::Substring { expr, substring_from: Some(start), substring_for, special, shorthand } => {
            let (of, start) = (text(expr)?, coerced(bind(scope, start)?, INT4)?);
            let count = substring_for.as_ref().map_or(Some(None), |count| coerced(bind(scope, count)?, INT4).map(Some))?;
            if *special || *shorthand {
                let args = [of, start].into_iter().chain(count).collect();
                return calls::of(if *shorthand { "substr" } else { "substring" }, args);
            }
            let mut pieces = vec![Piece::Word("SUBSTRING("), Piece::Expr(of), Piece::Word(" FROM "), Piece::Expr(start)];
            pieces.extend(count.into_iter().flat_map(|count| [Piece::Word(" FOR "), Piece::Expr(count)]));
            pieces.push(Piece::Word(")"));
            Some(typed(Node::Words(pieces), TEXT))
        }
        Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
            let side = match trim_where {
                None | Some(TrimWhereField::Both) => "TRIM(BOTH ",
                Some(TrimWhereField::Leading) => "TRIM(LEADING ",
                Some(TrimWhereField::Trailing) => "TRIM(TRAILING ",
            };
            let mut pieces = vec![Piece::Word(side)];
            if let Some(what) = trim_what {
                pieces.extend([Piece::Expr(text(what)?), Piece::Word(" ")]);
            }
            pieces.extend([Piece::Word("FROM "), Piece::Expr(text(expr)?), Piece::Word(")")]);
            Some(typed(Node::Words(pieces), TEXT))
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            let (moment, zone) = (bind(scope, timestamp)?, text(time_zone)?);
            let to = match moment.typ.oid {
                1114 => 1184,
                1184 => 1114,
                _ => return None,
            };
            Some(typed(Node::Phrase(vec![Piece::Expr(moment), Piece::Word(" AT TIME ZONE "), Piece::Expr(zone)]), to))
        }
        Expr::Interval(interval) if interval.leading_field.is_none() && interval.last_field.is_none() => match interval.value.as_ref() {
            Expr::Value(value) => match &value.value {
                // Only what is printed as it was written.
                Value::SingleQuotedString(text) => Some(typed(Node::Constant(Some(plain_interval(text)?)), 1186)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// `1 day`, `2 days`, `3 mons`, `01:02:03`: an interval that is printed as it is written.
fn plain_interval(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [count, unit] => {
            let (number, unit): (i64, &str) = (count.parse().ok()?, unit.trim_end_matches('s'));
            let unit = match unit {
                "day" => "day",
                "year" => "year",
                "mon" | "month" => "mon",
                "hour" if (0..100).contains(&number) => return Some(format!("{number:02}:00:00")),
                "minute" if (0..60).contains(&number) => return Some(format!("00:{number:02}:00")),
                "second" if (0..60).contains(&number) => return Some(format!("00:00:{number:02}")),
                _ => return None,
            };
            (unit != "mon" || number.abs() < 12).then(|| format!("{number} {unit}{}", if number == 1 { "" } else { "s" }))
        }
        _ => None,
    }
}

fn constant(value: &Value) -> Option<Typed> {
    Some(match value {
        Value::Number(text, _) => number(text)?,
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => typed(Node::Constant(Some(text.clone())), UNKNOWN),
        Value::Boolean(value) => typed(Node::Constant(Some(value.to_string())), BOOL),
        Value::Null => typed(Node::Constant(None), UNKNOWN),
        _ => return None,
    })
}

fn is(expr: Typed, words: &'static str) -> Typed {
    typed(Node::Is(Box::new(expr), words), BOOL)
}

fn unary(scope: &Scope<'_>, op: UnaryOperator, expr: &Expr) -> Option<Typed> {
    if op == UnaryOperator::Not {
        return Some(not(coerced(bind(scope, expr)?, BOOL)?));
    }
    if let (UnaryOperator::Minus, Expr::Value(value)) = (op, expr)
        && let Value::Number(text, _) = &value.value
    {
        return number(&format!("-{text}"));
    }
    let (symbol, operand) = (op.to_string(), bind(scope, expr)?);
    let chosen = types::operator(&symbol, None, operand.typ.oid)?;
    let right = coerced(operand, chosen.params[0])?;
    Some(typed(Node::Operator { op: symbol, left: None, right: Box::new(right) }, chosen.result))
}

fn distinct(scope: &Scope<'_>, left: &Expr, right: &Expr) -> Option<Typed> {
    let (left, right) = (bind(scope, left)?, bind(scope, right)?);
    let chosen = types::operator("=", Some(left.typ.oid), right.typ.oid)?;
    Some(typed(Node::Distinct(Box::new(coerced(left, chosen.params[0])?), Box::new(coerced(right, chosen.params[1])?)), BOOL))
}

fn matching(scope: &Scope<'_>, ops: [&str; 2], negated: bool, expr: &Expr, pattern: &Expr) -> Option<Typed> {
    operation(ops[usize::from(negated)], bind(scope, expr)?, bind(scope, pattern)?)
}

/// Several constants become an array, one is compared, columns are compared one by one.
fn in_list(scope: &Scope<'_>, expr: &Expr, list: &[Expr], negated: bool) -> Option<Typed> {
    let op = if negated { "<>" } else { "=" };
    let compare = |item: &Expr| operation(op, bind(scope, expr)?, bind(scope, item)?);
    match list {
        [one] => return compare(one),
        all if !all.iter().all(is_constant) => {
            let terms: Vec<Typed> = all.iter().map(compare).collect::<Option<_>>()?;
            // Where some are constants and some are not Postgres makes one of each.
            return all.iter().all(|item| !is_constant(item)).then(|| joined(if negated { "AND" } else { "OR" }, terms));
        }
        _ => {}
    }
    let left = bind(scope, expr)?;
    let items: Vec<Typed> = list.iter().map(|item| bind(scope, item)).collect::<Option<_>>()?;
    let oids: Vec<i64> = std::iter::once(left.typ.oid).chain(items.iter().map(|item| item.typ.oid)).collect();
    let element = types::common(&oids)?;
    let items = items.into_iter().map(|item| coerced(item, element)).collect::<Option<_>>()?;
    of_array(left, op, typed(Node::Array(items), types::array_of(element)?), negated)
}

/// `x op ANY (array)`
fn of_array(left: Typed, op: &str, right: Typed, all: bool) -> Option<Typed> {
    let element = types::element(right.typ.oid)?;
    let chosen = types::operator(op, Some(left.typ.oid), element)?;
    let (left, right) = (coerced(left, chosen.params[0])?, coerced(right, types::array_of(chosen.params[1])?)?);
    Some(typed(Node::OfArray { left: Box::new(left), op: op.to_owned(), all, right: Box::new(right) }, BOOL))
}

fn quantified(scope: &Scope<'_>, left: &Expr, op: &str, right: &Expr, all: bool) -> Option<Typed> {
    let own = bind(scope, left)?;
    match bare(right) {
        Expr::Subquery(subquery) => compared(scope, own, op, all, subquery),
        other => {
            let array = bind(scope, other)?;
            let array = if array.typ.oid == UNKNOWN { coerced(array, types::array_of(own.typ.oid)?)? } else { array };
            of_array(own, op, array, all)
        }
    }
}

/// `x op ANY (SELECT …)`, where both sides are compared as they are.
fn compared(scope: &Scope<'_>, left: Typed, op: &str, all: bool, subquery: &sqlparser::ast::Query) -> Option<Typed> {
    let query = queries::query(&scope.within(), subquery, None)?;
    let [(_, typ)] = query.columns.as_slice() else { return None };
    let chosen = types::operator(op, Some(left.typ.oid), typ.oid)?;
    // What the subquery answers with has no cast that could be shown.
    (chosen.params[1] == typ.oid || types::is_polymorphic(chosen.params[1])).then_some(())?;
    let left = Box::new(coerced(left, chosen.params[0])?);
    Some(typed(Node::Subquery(Sub::Compared { left, op: op.to_owned(), all }, Box::new(query)), BOOL))
}

/// A cast that was written; one that changes nothing is left away.
pub(super) fn cast(expr: Typed, to: Typ) -> Option<Typed> {
    let inner = if expr.typ.oid == UNKNOWN { coerced(expr, to.oid)? } else { expr };
    if inner.typ.oid == to.oid && (to.modifier == -1 || inner.typ.modifier == to.modifier) {
        return Some(inner);
    }
    Some(Typed { node: Node::Cast(Box::new(inner)), typ: to })
}

fn case(scope: &Scope<'_>, operand: Option<&Expr>, whens: &[sqlparser::ast::CaseWhen], otherwise: Option<&Expr>) -> Option<Typed> {
    let operand = operand.map_or(Some(None), |operand| settled(bind(scope, operand)?).map(Some))?;
    let mut branches = Vec::new();
    for when in whens {
        let condition = match &operand {
            None => coerced(bind(scope, &when.condition)?, BOOL)?,
            Some(operand) => {
                let value = bind(scope, &when.condition)?;
                let chosen = types::operator("=", Some(operand.typ.oid), value.typ.oid)?;
                // The operand itself has no cast that could be shown.
                (chosen.params[0] == operand.typ.oid).then_some(())?;
                coerced(value, chosen.params[1])?
            }
        };
        branches.push((condition, bind(scope, &when.result)?));
    }
    let otherwise = otherwise.map_or_else(|| Some(typed(Node::Constant(None), UNKNOWN)), |otherwise| bind(scope, otherwise))?;
    // Postgres looks at ELSE first.
    let oids: Vec<i64> = std::iter::once(otherwise.typ.oid).chain(branches.iter().map(|(_, then)| then.typ.oid)).collect();
    let common = types::common(&oids)?;
    let whens = branches.into_iter().map(|(when, then)| Some((when, coerced(then, common)?))).collect::<Option<_>>()?;
    let otherwise = Some(Box::new(coerced(otherwise, common)?));
    Some(typed(Node::Case { operand: operand.map(Box::new), whens, otherwise }, common))
}

fn array(items: Vec<Typed>) -> Option<Typed> {
    (!items.is_empty()).then_some(())?;
    let common = types::common(&items.iter().map(|item| item.typ.oid).collect::<Vec<_>>())?;
    let items = items.into_iter().map(|item| coerced(item, common)).collect::<Option<_>>()?;
    Some(typed(Node::Array(items), types::array_of(common)?))
}

/// The frame of a window, in words.
pub(super) fn frame(scope: &Scope<'_>, frame: &WindowFrame) -> Option<Vec<Piece>> {
    let is_default = frame.units == WindowFrameUnits::Range
        && frame.start_bound == WindowFrameBound::Preceding(None)
        && matches!(frame.end_bound, None | Some(WindowFrameBound::CurrentRow));
    if is_default {
        return Some(Vec::new());
    }
    let distance = |expr: &Expr| match frame.units {
        WindowFrameUnits::Range => None,
        _ => coerced(bind(scope, expr)?, INT8).map(|count| match count.node {
            Node::Cast(inner) if matches!(inner.node, Node::Constant(_)) => *inner,
            _ => count,
        }),
    };
    let bound = |bound: &WindowFrameBound| {
        Some(match bound {
            WindowFrameBound::CurrentRow => vec![Piece::Word("CURRENT ROW")],
            WindowFrameBound::Preceding(None) => vec![Piece::Word("UNBOUNDED PRECEDING")],
            WindowFrameBound::Following(None) => vec![Piece::Word("UNBOUNDED FOLLOWING")],
            WindowFrameBound::Preceding(Some(by)) => vec![Piece::Expr(distance(by)?), Piece::Word(" PRECEDING")],
            WindowFrameBound::Following(Some(by)) => vec![Piece::Expr(distance(by)?), Piece::Word(" FOLLOWING")],
        })
    };
    let units = match frame.units {
        WindowFrameUnits::Rows => "ROWS ",
        WindowFrameUnits::Range => "RANGE ",
        WindowFrameUnits::Groups => "GROUPS ",
    };
    let mut pieces = vec![Piece::Word(units)];
    match &frame.end_bound {
        None => pieces.extend(bound(&frame.start_bound)?),
        Some(end) => {
            pieces.push(Piece::Word("BETWEEN "));
            pieces.extend(bound(&frame.start_bound)?);
            pieces.push(Piece::Word(" AND "));
            pieces.extend(bound(end)?);
        }
    }
    Some(pieces)
}
