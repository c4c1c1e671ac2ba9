//! Output column names as Postgres chooses them (`FigureColname` in its parse_target.c), written into the AST as aliases.
//!
//! N1: within one SELECT list no two items keep one name: later ones get [`MARK`] and a number, which [`shown`] takes off again.
//! N2: under DISTINCT, a sort key that repeats an item is written as the item's name, since only items can be sorted by.
//! N3: an item called like a column that only the order names, with its relation, gets a number likewise: the engine would not tell them apart.
//! Never: renames an item that has an alias of its own, unless N1 or N3 asks for it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, BinaryOperator, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo, Expr, Ident, OrderBy,
    OrderByKind, Query, Select, SelectItem, SetExpr, Statement, TrimWhereField, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::position::{folded, folded_parts};

/// Separates a name from the number that keeps it apart: a control character, which no sensible name holds.
const MARK: char = '\u{1f}';

/// The name Postgres gives where it finds none.
const NAMELESS: &str = "?column?";

/// Gives every item of every SELECT list in the statement the name Postgres would show.
pub(crate) fn assign(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Assign);
    if let Statement::Query(query) = statement {
        keep_apart_from_keys(query);
    }
}

/// The name of a column whose name another has already.
pub(crate) fn kept_apart(name: &str, index: usize) -> String {
    format!("{name}{MARK}{index}")
}

/// The name to show for a column of the plan.
pub(crate) fn shown(name: &str) -> &str {
    name.split(MARK).next().unwrap_or(name)
}

/// The name Postgres would show for an item without one.
pub fn figured(expr: &Expr) -> String {
    of(expr).name
}

struct Assign;

impl VisitorMut for Assign {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        assign_in(select);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Subquery(query) | Expr::Exists { subquery: query, .. } | Expr::InSubquery { subquery: query, .. } = expr {
            keep_apart_from_keys(query);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = query.body.as_ref()
            && select.distinct.is_some()
            && let Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) = &mut query.order_by
        {
            keys.iter_mut().for_each(|key| order_by_alias(&mut key.expr, select));
        }
        ControlFlow::Continue(())
    }
}

/// N3.
fn keep_apart_from_keys(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) = &query.order_by else { return };
    let mut named = Named { qualified: HashSet::new(), bare: HashSet::new() };
    let _ = Visit::visit(keys, &mut named);
    for (index, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::ExprWithAlias { alias, .. } = item {
            let name = folded(alias);
            if named.qualified.contains(&name) && !named.bare.contains(&name) {
                *alias = Ident::with_quote('"', kept_apart(&name, index));
            }
        }
    }
}

/// Names of columns in the keys of an order, with and without the relation's.
struct Named {
    qualified: HashSet<String>,
    bare: HashSet<String>,
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.bare.insert(folded(ident)),
            Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|last| self.qualified.insert(folded(last))),
            _ => false,
        };
        ControlFlow::Continue(())
    }
}

fn assign_in(select: &mut Select) {
    let has_wildcard = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    let mut taken = HashSet::new();
    for (index, item) in select.projection.iter_mut().enumerate() {
        let keep_apart = |name: &str| kept_apart(name, index);
        match item {
            SelectItem::ExprWithAlias { alias, .. } => {
                let name = folded(alias);
                if !taken.insert(name.clone()) {
                    *alias = Ident::with_quote('"', keep_apart(&name));
                }
            }
            SelectItem::UnnamedExpr(expr) => {
                let name = of(expr).name;
                let is_column = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) && !is_current_schema(expr);
                let is_taken = !taken.insert(name.clone());
                if is_column && !is_taken && !has_wildcard {
                    continue;
                }
                let alias = if is_taken || (is_column && has_wildcard) { keep_apart(&name) } else { name };
                let expr = std::mem::replace(expr, Expr::Value(sqlparser::ast::Value::Null.into()));
                *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', alias) };
            }
            SelectItem::ExprWithAliases { .. } | SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => {}
        }
    }
}

/// A function without parentheses that sqlparser takes for a column.
pub(crate) fn is_current_schema(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("current_schema"))
}

/// N2.
fn order_by_alias(key: &mut Expr, select: &Select) {
    // A number is an item's place, whatever numbers are items.
    if matches!(key, Expr::Value(_)) {
        return;
    }
    let alias = select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if expr == key => Some(alias.clone()),
        _ => None,
    });
    if let Some(alias) = alias {
        *key = Expr::Identifier(alias);
    }
}

/// A name and how much it says: a type's name yields to a column's or a function's.
struct Figured {
    name: String,
    strength: Strength,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Nothing,
    Type,
    Name,
}

fn named(name: impl Into<String>) -> Figured {
    Figured { name: name.into(), strength: Strength::Name }
}

fn weakly(name: impl Into<String>) -> Figured {
    Figured { name: name.into(), strength: Strength::Type }
}

fn nameless() -> Figured {
    Figured { name: NAMELESS.into(), strength: Strength::Nothing }
}

fn of(expr: &Expr) -> Figured {
    match expr {
        Expr::Identifier(ident) => named(folded(ident)),
        Expr::CompoundIdentifier(idents) => idents.last().map_or_else(nameless, |ident| named(folded(ident))),
        Expr::Function(call) => call.name.0.last().and_then(|part| part.as_ident()).map_or_else(nameless, |ident| named(folded(ident))),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => of(inner),
        Expr::CompoundFieldAccess { root, access_chain } => access_chain.iter().rev().find_map(field_of).map_or_else(|| of(root), named),
        Expr::Cast { expr, data_type, .. } => {
            let inner = of(expr);
            if inner.strength < Strength::Name { weakly(of_type(data_type)) } else { inner }
        }
        Expr::TypedString(literal) => weakly(of_type(&literal.data_type)),
        Expr::Interval(_) => weakly("interval"),
        Expr::Case { else_result, .. } => match else_result.as_deref().map(of) {
            Some(figured) if figured.strength == Strength::Name => figured,
            _ => weakly("case"),
        },
        Expr::Exists { negated: false, .. } => named("exists"),
        Expr::Subquery(query) => of_query(query),
        Expr::Extract { .. } => named("extract"),
        Expr::Substring { shorthand, .. } => named(if *shorthand { "substr" } else { "substring" }),
        Expr::Position { .. } => named("position"),
        Expr::Overlay { .. } => named("overlay"),
        Expr::Trim { trim_where, .. } => named(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            _ => "btrim",
        }),
        Expr::Ceil { field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) | CeilFloorKind::Scale(_), .. } => named("ceil"),
        Expr::Floor { field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) | CeilFloorKind::Scale(_), .. } => named("floor"),
        Expr::AtTimeZone { .. } => named("timezone"),
        Expr::Array(_) => named("array"),
        Expr::IsNormalized { negated: false, .. } => named("is_normalized"),
        Expr::BinaryOp { op: BinaryOperator::Overlaps, .. } => named("overlaps"),
        Expr::Tuple(_) => named("row"),
        _ => nameless(),
    }
}

/// The field that a step goes to.
fn field_of(step: &AccessExpr) -> Option<String> {
    match step {
        AccessExpr::Dot(Expr::Identifier(field)) => Some(folded(field)),
        _ => None,
    }
}

fn of_query(query: &Query) -> Figured {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) => {
                return match select.projection.first() {
                    Some(SelectItem::UnnamedExpr(expr)) => of(expr),
                    Some(SelectItem::ExprWithAlias { alias, .. }) => named(shown(&folded(alias))),
                    _ => nameless(),
                };
            }
            SetExpr::Query(inner) => body = inner.body.as_ref(),
            SetExpr::SetOperation { left, .. } => body = left.as_ref(),
            _ => return nameless(),
        }
    }
}

fn of_type(data_type: &DataType) -> String {
    use sqlparser::ast::TimezoneInfo::{Tz, WithTimeZone};
    let name = match data_type {
        DataType::Boolean | DataType::Bool => "bool",
        DataType::SmallInt(_) | DataType::Int2(_) => "int2",
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => "int4",
        DataType::BigInt(_) | DataType::Int8(_) => "int8",
        DataType::Real | DataType::Float4 => "float4",
        DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 => "float8",
        DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) => "numeric",
        DataType::Varchar(_) | DataType::CharVarying(_) | DataType::CharacterVarying(_) => "varchar",
        DataType::Char(_) | DataType::Character(_) => "bpchar",
        DataType::Timestamp(_, Tz | WithTimeZone) => "timestamptz",
        DataType::Timestamp(..) => "timestamp",
        DataType::Time(_, Tz | WithTimeZone) => "timetz",
        DataType::Time(..) => "time",
        DataType::Interval { .. } => "interval",
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _) | ArrayElemTypeDef::AngleBracket(element)) => return of_type(element),
        DataType::Float(ExactNumberInfo::Precision(..=24)) => "float4",
        DataType::Float(_) => "float8",
        DataType::Custom(name, _) => return folded_parts(name).pop().unwrap_or_default(),
        other => return other.to_string().to_lowercase(),
    };
    name.into()
}
