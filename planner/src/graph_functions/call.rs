//! A call of a graph function in FROM, as it is written.
//!
//! C1: a call is a relation with arguments and the name of a graph function, which no table function of another kind has.
//! C2: graph, edges, vertices, weight and as_of are text constants, because the shape of the answer depends on them; the others are expressions.
//! Never: looks a graph up.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Spanned, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Span, Token};

use super::known::{AS_OF, EDGES, GRAPH, KNOWN, Known, SOURCE, VERTICES, WEIGHT};
use crate::graph_patterns::Graphs;
use crate::graph_syntax::{self, LabelExpr};
use crate::names::fold;

/// A call with its arguments by name.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) known: &'static Known,
    /// Of the function's name.
    pub(super) span: Span,
    given: BTreeMap<&'static str, &'a Expr>,
}

/// An error and where it belongs.
pub(super) type Placed<T> = Result<T, Box<(SqlError, Span)>>;

fn placed<T>(error: SqlError, span: Span) -> Placed<T> {
    Err(Box::new((error, span)))
}

/// The function and arguments of a relation that is such a call.
fn parts(factor: &TableFactor) -> Option<(&'static Known, Span, &[FunctionArg])> {
    let (name, args) = match factor {
        TableFactor::Table { name, args: Some(args), .. } => (name, &args.args),
        TableFactor::Function { name, args, .. } => (name, args),
        _ => return None,
    };
    let (known, span) = named(name)?;
    Some((known, span, args))
}

/// The function of that name.
pub(super) fn named(name: &ObjectName) -> Option<(&'static Known, Span)> {
    let ident = match name.0.as_slice() {
        [only] => only.as_ident()?,
        [schema, last] if schema.as_ident().is_some_and(|schema| fold(schema) == "pg_catalog") => last.as_ident()?,
        _ => return None,
    };
    let name = fold(ident);
    KNOWN.iter().find(|known| known.name == name).map(|known| (known, ident.span))
}

/// The call that a relation is; `None` for any other. Errors: 42601, 42883, 0A000.
pub(super) fn read(factor: &TableFactor) -> Placed<Option<Call<'_>>> {
    let Some((known, span, args)) = parts(factor) else { return Ok(None) };
    let is_numbered =
        matches!(factor, TableFactor::Table { with_ordinality: true, .. } | TableFactor::Function { with_ordinality: true, .. });
    if is_numbered {
        let error = SqlError::unsupported("a graph function WITH ORDINALITY").hint("row_number() OVER (ORDER BY …) numbers its rows.");
        return placed(error, span);
    }
    let mut given: BTreeMap<&'static str, &Expr> = BTreeMap::new();
    let mut by_place = known.parameters.iter();
    for arg in args {
        let (name, expr, at) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if given.len() + by_place.len() == known.parameters.len() => {
                let Some(name) = by_place.next() else { return placed(undefined(known), span) };
                (*name, expr, expr.span())
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
                let error = SqlError::new(SqlState::SYNTAX_ERROR, "positional argument cannot follow named argument");
                return placed(error, expr.span());
            }
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expr), .. } => match parameter(known, name) {
                Some(known) => (known, expr, name.span),
                None => return placed(undefined(known), name.span),
            },
            _ => return placed(undefined(known), span),
        };
        if given.insert(name, expr).is_some() {
            return placed(SqlError::new(SqlState::SYNTAX_ERROR, format!("argument name \"{name}\" used more than once")), at);
        }
    }
    let call = Call { known, span, given };
    let needed = known.parameters.iter().filter(|name| [GRAPH, SOURCE].contains(name));
    match needed.into_iter().find(|name| !call.given.contains_key(*name)) {
        Some(_) => placed(undefined(known), span),
        None => Ok(Some(call)),
    }
}

fn parameter(known: &Known, name: &Ident) -> Option<&'static str> {
    let name = fold(name);
    known.parameters.iter().copied().find(|known| *known == name)
}

/// 42883
fn undefined(known: &Known) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("function {} does not exist with these arguments", known.name))
        .hint(format!("It takes {}, by place or as name => value.", known.usage()))
}

/// The text that a constant is.
fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            Value::DollarQuotedString(text) => Some(&text.value),
            _ => None,
        },
        Expr::Nested(inner) => text(inner),
        Expr::Cast { expr, .. } => text(expr),
        _ => None,
    }
}

impl Call<'_> {
    /// An argument that may be any expression.
    pub(super) fn expression(&self, name: &str) -> Option<&Expr> {
        self.given.get(name).copied()
    }

    /// C2. Errors: 0A000.
    fn constant(&self, name: &'static str) -> Placed<Option<(&str, Span)>> {
        let Some(expr) = self.given.get(name) else { return Ok(None) };
        match text(expr) {
            Some(text) => Ok(Some((text, expr.span()))),
            None => {
                let error = SqlError::unsupported(format!("argument \"{name}\" of {} that is no text constant", self.known.name));
                placed(error.hint(format!("Write it out: {name} => '…'.")), expr.span())
            }
        }
    }

    /// The graph's name. Errors: 0A000, 42602.
    pub(super) fn graph(&self) -> Placed<(ObjectName, Span)> {
        let Some((text, span)) = self.constant(GRAPH)? else { return placed(undefined(self.known), self.span) };
        match object_name(text) {
            Some(name) => Ok((name, span)),
            None => placed(SqlError::new(SqlState("42602"), format!("invalid name syntax: \"{text}\"")), span),
        }
    }

    /// Labels that edges or vertices are to have. Errors: 0A000, 42601.
    pub(super) fn labels(&self, edge: bool) -> Placed<Option<(LabelExpr, Span)>> {
        let name = if edge { EDGES } else { VERTICES };
        let Some((text, span)) = self.constant(name)? else { return Ok(None) };
        match graph_syntax::labels(text) {
            Some(labels) => Ok(Some((labels, span))),
            None => {
                let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("\"{text}\" is no expression of labels"))
                    .hint("As after IS: 'knows', 'knows|likes', '!works'.");
                placed(error, span)
            }
        }
    }

    /// The commit or time whose state is meant. Errors: 0A000.
    pub(super) fn as_of(&self) -> Placed<Option<(String, Span)>> {
        Ok(self.constant(AS_OF)?.map(|(text, span)| (text.to_owned(), span)))
    }

    /// The property that edges are weighed by. Errors: 0A000.
    pub(super) fn weight(&self) -> Placed<Option<(String, Span)>> {
        Ok(self.constant(WEIGHT)?.map(|(text, span)| (text.to_owned(), span)))
    }
}

fn object_name(text: &str) -> Option<ObjectName> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?;
    let name = parser.parse_object_name(false).ok()?;
    (parser.peek_token().token == Token::EOF && name.0.iter().all(|part| part.as_ident().is_some())).then_some(name)
}

/// Whether a text may call one.
pub(crate) fn mentioned(text: &str) -> bool {
    let word = b"graph_";
    text.as_bytes().windows(word.len()).any(|at| at.eq_ignore_ascii_case(word))
}

/// The graphs that a statement's calls name, and the commits whose state of them is meant. Errors: as binding the calls.
pub(crate) fn graphs(node: &impl Visit, graphs: &dyn Graphs) -> SqlResult<Vec<(ObjectName, Option<CommitSeq>)>> {
    struct Find<'a>(&'a dyn Graphs, Vec<(ObjectName, Option<CommitSeq>)>);
    impl Find<'_> {
        fn take(&mut self, factor: &TableFactor) -> SqlResult<()> {
            let of = |refused: Box<(SqlError, Span)>| refused.0;
            let Some(call) = read(factor).map_err(of)? else { return Ok(()) };
            let commit = call.as_of().map_err(of)?.map(|(text, _)| self.0.commit_of(&text)).transpose()?;
            self.1.push((call.graph().map_err(of)?.0, commit));
            Ok(())
        }
    }
    impl Visitor for Find<'_> {
        type Break = SqlError;
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
            self.take(factor).map_or_else(ControlFlow::Break, ControlFlow::Continue)
        }
    }
    let mut find = Find(graphs, Vec::new());
    match Visit::visit(node, &mut find) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(find.1),
    }
}

/// Makes a call name another graph.
pub(super) fn rename(factor: &mut TableFactor, name: &ObjectName) {
    let Some((known, ..)) = parts(factor) else { return };
    let args = match factor {
        TableFactor::Table { args: Some(args), .. } => &mut args.args,
        TableFactor::Function { args, .. } => args,
        _ => return,
    };
    let is_graph = |arg: &FunctionArg| matches!(arg, FunctionArg::Named { name, .. } if parameter(known, name) == Some(GRAPH));
    let at = args.iter().position(is_graph).unwrap_or(0);
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }) =
        args.get_mut(at)
    {
        *expr = Expr::Value(Value::SingleQuotedString(name.to_string()).into());
    }
}

/// Makes every call that names one graph name another.
pub(crate) fn rename_all(node: &mut impl VisitMut, from: &ObjectName, to: &ObjectName) {
    struct Rename<'a>(&'a str, &'a ObjectName);
    impl VisitorMut for Rename<'_> {
        type Break = ();
        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            let is_meant = match read(factor) {
                Ok(Some(call)) => call.graph().is_ok_and(|(name, _)| name.to_string() == self.0),
                _ => false,
            };
            if is_meant {
                rename(factor, self.1);
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(node, &mut Rename(&from.to_string(), to));
}
