//! SEARCH and CYCLE of WITH RECURSIVE, as columns that the recursion carries along.
//!
//! D45: both parts of such a query stand within queries that add the columns, as PostgreSQL's `rewriteSearchCycle.c` does it: a search depth first
//!     keeps the rows on the way to a row, one breadth first counts them; a cycle ends where a row is on its own way.
//! D46: the clauses are marks in the query's ORDER BY until then.

use std::collections::HashSet;
use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Cte, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, OrderByKind, Query, Select,
    SelectItem, SetExpr, SetOperator, Statement, TableAlias, TableAliasColumnDef, TableFactor, Value, VisitMut, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::listed::{Ctes, Listing, renamed};
use super::spelling::call;
use crate::context::Context;
use crate::functions::arrays::{BESIDE, FIRST, IS_ON_WAY, NEXT};
use crate::marks::{CYCLE, SEARCH_BREADTH, SEARCH_DEPTH};
use crate::position::{folded, folded_parts};

/// The query around a part.
const AROUND: &str = "SELECT 1 FROM (SELECT 1) AS part";
/// What a part is called within it.
const PART: &str = "\u{1}part";

/// Rewrites every such query. Errors: 42601, 42701, 0A000.
pub(crate) fn carry(statement: &mut Statement, context: &Context<'_>) -> SqlResult<()> {
    match VisitMut::visit(statement, &mut Carry { listing: Listing { context }, ctes: vec![Ctes::default()] }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Carry<'a> {
    listing: Listing<'a>,
    ctes: Vec<Ctes>,
}

impl VisitorMut for Carry<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let mut known = self.ctes.last().cloned().unwrap_or_default();
        let is_recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            let columns = renamed(self.listing.of_query(&cte.query, &known), Some(&cte.alias));
            if let Err(error) = carry_in(cte, columns.as_deref(), is_recursive) {
                return ControlFlow::Break(error);
            }
            let columns = renamed(self.listing.of_query(&cte.query, &known), Some(&cte.alias));
            known.insert(folded(&cte.alias.name), columns);
        }
        self.ctes.push(known);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<SqlError> {
        self.ctes.pop();
        ControlFlow::Continue(())
    }
}

fn syntax(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, message.into())
}

/// The type of a constant that is no text.
fn constant_type(expr: &Expr) -> Option<&'static str> {
    let Expr::Value(value) = expr else { return None };
    match &value.value {
        Value::Boolean(_) => Some("boolean"),
        Value::Number(digits, _) if digits.parse::<i32>().is_ok() => Some("integer"),
        Value::Number(..) => Some("numeric"),
        _ => None,
    }
}

fn unsupported(message: String) -> SqlError {
    SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
}

/// A clause: columns that it goes by, and columns that it adds.
enum Clause {
    Search { is_depth: bool, by: Vec<Ident>, into: Ident },
    Cycle { by: Vec<Ident>, mark: Ident, to: Box<Expr>, default: Box<Expr>, path: Ident },
}

impl Clause {
    /// From a mark (D46).
    fn of(call: &Function) -> Option<Self> {
        let FunctionArguments::List(list) = &call.args else { return None };
        let args: Vec<&Expr> = list
            .args
            .iter()
            .filter_map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect();
        let name = |expr: &Expr| match expr {
            Expr::Identifier(ident) => Some(ident.clone()),
            _ => None,
        };
        let mark = call.name.0.last()?.as_ident()?.value.as_str();
        match mark {
            SEARCH_DEPTH | SEARCH_BREADTH => {
                let (into, by) = args.split_last()?;
                let by = by.iter().map(|by| name(by)).collect::<Option<_>>()?;
                Some(Self::Search { is_depth: mark == SEARCH_DEPTH, by, into: name(into)? })
            }
            CYCLE => {
                let (by, [mark, to, default, path]) = args.split_at_checked(args.len().checked_sub(4)?)? else { return None };
                let by = by.iter().map(|by| name(by)).collect::<Option<_>>()?;
                Some(Self::Cycle {
                    by,
                    mark: name(mark)?,
                    to: Box::new((*to).clone()),
                    default: Box::new((*default).clone()),
                    path: name(path)?,
                })
            }
            _ => None,
        }
    }

    /// Errors: 42601, 42701.
    fn check(&self, columns: &[String]) -> SqlResult<()> {
        let (what, by) = match self {
            Self::Search { by, .. } => ("search", by),
            Self::Cycle { by, .. } => ("cycle", by),
        };
        let mut met = HashSet::new();
        for name in by.iter().map(folded) {
            if !columns.contains(&name) {
                return Err(syntax(format!("{what} column \"{name}\" not in WITH query column list")));
            }
            if !met.insert(name.clone()) {
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, format!("{what} column \"{name}\" specified more than once")));
            }
        }
        if let Self::Cycle { to, default, .. } = self
            && let (Some(to), Some(default)) = (constant_type(to), constant_type(default))
            && (to == "boolean") != (default == "boolean")
        {
            let message = format!("CYCLE types {to} and {default} cannot be matched");
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        match self {
            Self::Cycle { mark, path, .. } if folded(mark) == folded(path) => {
                Err(syntax("cycle mark column name and cycle path column name are the same"))
            }
            _ => Ok(()),
        }
    }

    fn added(&self) -> Vec<Ident> {
        match self {
            Self::Search { into, .. } => vec![into.clone()],
            Self::Cycle { mark, path, .. } => vec![mark.clone(), path.clone()],
        }
    }

    /// The values of what it adds in a row of the first part.
    fn begun(&self) -> Vec<Expr> {
        match self {
            Self::Search { is_depth: true, by, .. } => vec![function(FIRST, vec![row(by)])],
            Self::Search { by, .. } => vec![depth_row(by)],
            Self::Cycle { by, default, .. } => vec![default.as_ref().clone(), function(FIRST, vec![row(by)])],
        }
    }

    /// In a row that comes from another.
    fn continued(&self) -> Vec<Expr> {
        match self {
            Self::Search { is_depth: true, by, into } => vec![function(NEXT, vec![column(into), row(by)])],
            Self::Search { by, into, .. } => vec![function(BESIDE, vec![column(into), depth_row(by)])],
            Self::Cycle { by, to, default, path, .. } => {
                let condition = function(IS_ON_WAY, vec![column(path), row(by)]);
                let mark = Expr::Case {
                    case_token: AttachedToken::empty(),
                    end_token: AttachedToken::empty(),
                    operand: None,
                    conditions: vec![CaseWhen { condition, result: to.as_ref().clone() }],
                    else_result: Some(default.clone()),
                };
                vec![mark, function(NEXT, vec![column(path), row(by)])]
            }
        }
    }
}

fn function(name: &str, args: Vec<Expr>) -> Expr {
    call(name, args.into_iter().map(FunctionArgExpr::Expr).collect())
}

fn column(name: &Ident) -> Expr {
    Expr::CompoundIdentifier(vec![Ident::with_quote('"', PART), name.clone()])
}

fn row(by: &[Ident]) -> Expr {
    function("row", by.iter().map(column).collect())
}

/// With a place for the number of rows on the way.
fn depth_row(by: &[Ident]) -> Expr {
    let zero = Expr::Value(Value::Number("0".into(), false).into());
    function("row", std::iter::once(zero).chain(by.iter().map(column)).collect())
}

/// D45.
fn carry_in(cte: &mut Cte, columns: Option<&[String]>, is_recursive: bool) -> SqlResult<()> {
    let clauses = take_clauses(&mut cte.query);
    if clauses.is_empty() {
        return Ok(());
    }
    let name = folded(&cte.alias.name);
    let SetExpr::SetOperation { op: SetOperator::Union, left, right, .. } = cte.query.body.as_mut() else {
        return Err(syntax("WITH query is not recursive"));
    };
    if !is_recursive {
        return Err(syntax("WITH query is not recursive"));
    }
    let Some(columns) = columns else { return Err(SqlError::unsupported("SEARCH or CYCLE of a query whose columns cannot be told")) };
    clauses.iter().try_for_each(|clause| clause.check(columns))?;
    let must_be_select = |side: &str| unsupported(format!("with a SEARCH or CYCLE clause, the {side} side of the UNION must be a SELECT"));
    if !matches!(left.as_ref(), SetExpr::Select(_) | SetExpr::Values(_)) {
        return Err(must_be_select("left"));
    }
    let SetExpr::Select(select) = right.as_mut() else { return Err(must_be_select("right")) };
    let Some(alias) = reference(select, &name) else {
        let message = format!(
            "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"{name}\" must be at the top level of its right-hand SELECT"
        );
        return Err(unsupported(message));
    };
    let added: Vec<Ident> = clauses.iter().flat_map(Clause::added).collect();
    let own: Vec<Ident> = columns.iter().map(|name| Ident::with_quote('"', name)).collect();
    let read =
        |name: &Ident| SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(vec![alias.clone(), name.clone()]), alias: name.clone() };
    select.projection.extend(added.iter().map(read));
    let items = |values: Vec<Expr>| -> Vec<SelectItem> {
        let values = own.iter().map(column).chain(values);
        values.zip(own.iter().chain(&added)).map(|(expr, name)| SelectItem::ExprWithAlias { expr, alias: name.clone() }).collect()
    };
    let mut ends = clauses.iter().filter_map(|clause| match clause {
        Clause::Cycle { mark, to, .. } => {
            Some(Expr::BinaryOp { left: Box::new(column(mark)), op: BinaryOperator::NotEq, right: to.clone() })
        }
        Clause::Search { .. } => None,
    });
    let begun = around(left, own.clone(), items(clauses.iter().flat_map(Clause::begun).collect()), None)?;
    let carried = own.iter().chain(&added).cloned().collect();
    let continued = around(right, carried, items(clauses.iter().flat_map(Clause::continued).collect()), ends.next())?;
    (**left, **right) = (begun, continued);
    if !cte.alias.columns.is_empty() {
        cte.alias.columns.extend(added.into_iter().map(|name| TableAliasColumnDef { name, data_type: None }));
    }
    Ok(())
}

/// D46.
fn take_clauses(query: &mut Query) -> Vec<Clause> {
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_mut().map(|order| &mut order.kind) else { return Vec::new() };
    let mut clauses = Vec::new();
    keys.retain(|key| match &key.expr {
        Expr::Function(call) => Clause::of(call).map(|clause| clauses.push(clause)).is_none(),
        _ => true,
    });
    if keys.is_empty() {
        query.order_by = None;
    }
    clauses
}

/// The name of the relation in FROM that is the recursive query.
fn reference(select: &Select, name: &str) -> Option<Ident> {
    let relations = select.from.iter().flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    relations.into_iter().find_map(|factor| match factor {
        TableFactor::Table { name: table, alias, args: None, .. } if folded_parts(table) == [name] => {
            Some(alias.as_ref().map_or_else(|| Ident::with_quote('"', name), |alias| alias.name.clone()))
        }
        _ => None,
    })
}

/// `SELECT items FROM (part) AS part(columns) WHERE selection`
fn around(part: &SetExpr, columns: Vec<Ident>, items: Vec<SelectItem>, selection: Option<Expr>) -> SqlResult<SetExpr> {
    let unread = || SqlError::internal("D45: the query around a part does not parse");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, AROUND).ok().and_then(|mut statements| statements.pop());
    let Some(Statement::Query(around)) = parsed else { return Err(unread()) };
    let SetExpr::Select(mut select) = *around.body else { return Err(unread()) };
    let Some(TableFactor::Derived { subquery, alias, .. }) = select.from.first_mut().map(|from| &mut from.relation) else {
        return Err(unread());
    };
    *subquery.body = part.clone();
    let columns = columns.into_iter().map(|name| TableAliasColumnDef { name, data_type: None }).collect();
    *alias = Some(TableAlias { explicit: true, name: Ident::with_quote('"', PART), columns, at: None });
    (select.projection, select.selection) = (items, selection);
    Ok(SetExpr::Select(select))
}
