//! `FOR SYSTEM_TIME` after a table: from the clause to the past it means, before anything else is planned.
//!
//! Never: leaves a clause in a statement that it settles; runs a query.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::{Ledger, Span as Commits, SqlType};
use relational::Query;
use sqlparser::ast::{
    BinaryOperator, Expr, FromTable, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectNamePart, Spanned, Statement, TableFactor,
    TableVersion, Value, VisitMut, VisitorMut,
};

use super::one_row_of;
use crate::as_of::AsOf;
use crate::cells::parameter_index;
use crate::graph_syntax::Version;
use crate::parse::Parsed;
use crate::query_syntax::system_time::{ALL, BETWEEN, COMMIT, FROM};
use crate::resolver::{Scope, undefined_table};
use crate::rule_text;
use crate::rules::RowsAtHand;
use crate::types;
use crate::versions::Past;
use crate::view::View;

/// A statement whose clauses are settled.
pub(crate) struct Settled {
    pub(crate) parsed: Parsed,
    /// Types of parameters, those in clauses included.
    pub(crate) given: Vec<Option<SqlType>>,
}

/// Whether a text may have a clause.
fn mentioned(text: &str) -> bool {
    const WORD: &[u8] = b"system_time";
    text.as_bytes().windows(WORD.len()).any(|word| word.eq_ignore_ascii_case(WORD))
}

/// The statement settled; `None` where it has no clause. Without values, as when a statement is only described, clauses with parameters mean the present.
///
/// Errors: 22023 for a past that is not there, 22004 for NULL, what evaluating the times raises, 0A000 where a clause cannot stand.
pub(crate) fn settle(
    parsed: &Parsed,
    view: &View<'_>,
    scope: &Scope,
    given: &[Option<SqlType>],
    values: Option<&[ArrayRef]>,
) -> SqlResult<Option<Settled>> {
    // What is prepared is settled when it runs.
    if !mentioned(&parsed.source) || matches!(*parsed.statement, Statement::Prepare { .. }) {
        return Ok(None);
    }
    let mut statement = parsed.statement.as_ref().clone();
    refuse_change(&statement)?;
    let mut clauses = Clauses { parsed, view, scope, given: given.to_vec(), values, found: false };
    if let ControlFlow::Break(error) = VisitMut::visit(&mut statement, &mut clauses) {
        return Err(*error);
    }
    let mut graph_tables = parsed.graph_tables.to_vec();
    for table in &mut graph_tables {
        if let Some(version) = &mut table.version {
            *version = clauses.of_graph(version)?;
        }
    }
    let Clauses { found, given, .. } = clauses;
    if found && matches!(statement, Statement::CreateView(_)) {
        return Err(SqlError::unsupported("FOR SYSTEM_TIME in a view").hint("Write FOR SYSTEM_TIME after the view where you read it."));
    }
    let graph_tables = Arc::from(graph_tables);
    Ok(found.then(|| Settled { parsed: Parsed { statement: Arc::new(statement), graph_tables, ..parsed.clone() }, given }))
}

/// 0A000 for a statement that would change the past.
fn refuse_change(statement: &Statement) -> SqlResult<()> {
    let is_past = |factor: &TableFactor| matches!(factor, TableFactor::Table { version: Some(_), .. });
    let changes = match statement {
        Statement::Update(update) => is_past(&update.table.relation),
        Statement::Delete(delete) => match &delete.from {
            FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables.iter().any(|table| is_past(&table.relation)),
        },
        Statement::Merge(merge) => is_past(&merge.table),
        _ => false,
    };
    match changes {
        true => Err(SqlError::unsupported("changing a table FOR SYSTEM_TIME").hint("The past is read only.")),
        false => Ok(()),
    }
}

struct Clauses<'a> {
    parsed: &'a Parsed,
    view: &'a View<'a>,
    scope: &'a Scope,
    given: Vec<Option<SqlType>>,
    values: Option<&'a [ArrayRef]>,
    found: bool,
}

impl VisitorMut for Clauses<'_> {
    type Break = Box<SqlError>;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Self::Break> {
        let TableFactor::Table { version, .. } = factor else { return ControlFlow::Continue(()) };
        let Some(TableVersion::ForSystemTimeAsOf(time)) = version else { return ControlFlow::Continue(()) };
        let span = time.span();
        let past = match self.past(time) {
            Ok(past) => past,
            Err(error) => return ControlFlow::Break(Box::new(self.parsed.point(error, span))),
        };
        past.enter(factor);
        self.found = true;
        ControlFlow::Continue(())
    }
}

impl Clauses<'_> {
    fn ledger(&self) -> &Ledger {
        &self.scope.ledger
    }

    fn newest(&self) -> SqlResult<CommitSeq> {
        self.ledger().snapshot().seq.ok_or_else(|| undefined_table("commits"))
    }

    fn past(&mut self, time: &Expr) -> SqlResult<Past> {
        match time {
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => match (call(left, FROM), call(left, BETWEEN)) {
                (Some(first), _) => self.span(first, right, false),
                (None, Some(first)) => self.span(first, right, true),
                (None, None) => self.at(time),
            },
            Expr::Function(function) if is_called(&function.name, ALL) => {
                Ok(Past::Versions(Some(Commits { first: None, last: self.newest()? })))
            }
            time => self.at(time),
        }
    }

    fn at(&mut self, time: &Expr) -> SqlResult<Past> {
        let (time, sql_type) = match call(time, COMMIT) {
            Some(number) => (number, SqlType::Int8),
            None => (time, SqlType::Timestamptz),
        };
        self.commit(time, sql_type).map(Past::At)
    }

    fn commit(&mut self, time: &Expr, sql_type: SqlType) -> SqlResult<CommitSeq> {
        let Some(as_of) = self.moment_of(time, sql_type)? else { return self.newest() };
        let seq = as_of.commit(self.ledger())?;
        // A commit that is not there yet is told here, with its place in the text.
        self.ledger().moment(seq).map(|_| seq)
    }

    /// The clause of a GRAPH_TABLE with the commit that it comes to.
    fn of_graph(&mut self, version: &Version) -> SqlResult<Version> {
        self.found = true;
        let (time, sql_type) = match version {
            Version::Commit(number) => (number, SqlType::Int8),
            Version::Time(time) => (time, SqlType::Timestamptz),
        };
        let seq = self.commit(time, sql_type).map_err(|error| self.parsed.point(error, time.span()))?;
        Ok(Version::Commit(Expr::Value(Value::Number(seq.0.to_string(), false).into())))
    }

    /// Which snapshots a span has: a version belongs to it that began before its end and ended after its beginning.
    fn span(&mut self, first: &Expr, last: &Expr, with_last: bool) -> SqlResult<Past> {
        let (Some(first), Some(last)) = (self.moment(first)?, self.moment(last)?) else {
            return Ok(Past::Versions(Some(Commits { first: None, last: self.newest()? })));
        };
        let first = match first {
            AsOf::Commit(seq) => Some(CommitSeq(seq)),
            AsOf::Time(time_us) => self.ledger().commit_by(time_us)?,
        };
        let last = match last {
            AsOf::Commit(seq) if with_last => Some(CommitSeq(seq)),
            AsOf::Commit(seq) => seq.checked_sub(1).map(CommitSeq),
            AsOf::Time(time_us) if with_last => self.ledger().commit_by(time_us)?,
            AsOf::Time(time_us) => self.ledger().commit_by(time_us.saturating_sub(1))?,
        };
        let newest = self.newest()?;
        let last = last.map(|last| last.min(newest)).filter(|last| first.is_none_or(|first| first <= *last));
        Ok(Past::Versions(last.map(|last| Commits { first, last })))
    }

    /// The moment that an expression names; `None` where it has parameters and there are no values yet.
    fn moment(&mut self, time: &Expr) -> SqlResult<Option<AsOf>> {
        let (time, sql_type) = match call(time, COMMIT) {
            Some(number) => (number, SqlType::Int8),
            None => (time, SqlType::Timestamptz),
        };
        self.moment_of(time, sql_type)
    }

    /// The same of a commit's number, an `int8`, or of a time.
    fn moment_of(&mut self, time: &Expr, sql_type: SqlType) -> SqlResult<Option<AsOf>> {
        let mut constant = time.clone();
        let mut parameters = Parameters { clauses: self, sql_type, lacking: false };
        if let ControlFlow::Break(error) = VisitMut::visit(&mut constant, &mut parameters) {
            return Err(*error);
        }
        if parameters.lacking {
            return Ok(None);
        }
        let value = self.value(cast(constant, sql_type)?)?;
        if value.is_null(0) {
            return Err(SqlError::new(SqlState("22004"), "system time must not be null"));
        }
        if sql_type == SqlType::Timestamptz {
            return Ok(Some(AsOf::Time(value.as_primitive::<TimestampMicrosecondType>().value(0))));
        }
        let number = value.as_primitive::<Int64Type>().value(0);
        let seq = u64::try_from(number)
            .map_err(|_| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("commit {number} does not exist")))?;
        Ok(Some(AsOf::Commit(seq)))
    }

    fn value(&self, constant: Expr) -> SqlResult<ArrayRef> {
        let statement = one_row_of(constant);
        let environment = self.view.environment(self.scope, &self.parsed.source);
        let query = Query { statement: &statement, text: &self.parsed.source };
        let values = self.view.database.relational.expressions(query, &RowsAtHand::none(), &environment)?.evaluate(&[], 1)?;
        values.into_iter().next().ok_or_else(|| SqlError::internal("a time without a value"))
    }
}

/// Puts values in place of parameters.
struct Parameters<'c, 'a> {
    clauses: &'c mut Clauses<'a>,
    sql_type: SqlType,
    lacking: bool,
}

impl Parameters<'_, '_> {
    fn value(&mut self, at: usize) -> SqlResult<Option<Expr>> {
        let given = &mut self.clauses.given;
        if given.len() <= at {
            given.resize(at + 1, None);
        }
        let sql_type = *given[at].get_or_insert(self.sql_type);
        let Some(value) = self.clauses.values.and_then(|values| values.get(at)) else {
            self.lacking = true;
            return Ok(None);
        };
        let text = types::text_of(value, 0, sql_type)?;
        let text = Expr::Value(text.map_or(Value::Null, Value::SingleQuotedString).into());
        cast(text, sql_type).map(Some)
    }
}

impl VisitorMut for Parameters<'_, '_> {
    type Break = Box<SqlError>;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        let Expr::Value(value) = &*expr else { return ControlFlow::Continue(()) };
        let Value::Placeholder(name) = &value.value else { return ControlFlow::Continue(()) };
        let Some(at) = parameter_index(name) else { return ControlFlow::Continue(()) };
        match self.value(at) {
            Ok(Some(value)) => *expr = value,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(Box::new(error)),
        }
        ControlFlow::Continue(())
    }
}

fn is_called(name: &sqlparser::ast::ObjectName, wanted: &str) -> bool {
    matches!(name.0.as_slice(), [ObjectNamePart::Identifier(ident)] if ident.value == wanted)
}

/// The argument of a call of that name.
fn call<'e>(expr: &'e Expr, name: &str) -> Option<&'e Expr> {
    let Expr::Function(function) = expr else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] if is_called(&function.name, name) => Some(argument),
        _ => None,
    }
}

fn cast(expr: Expr, sql_type: SqlType) -> SqlResult<Expr> {
    let mut cast = rule_text::expression(&format!("CAST(NULL AS {})", sql_type.name()))?;
    let Expr::Cast { expr: inner, .. } = &mut cast else { return Err(SqlError::internal("a cast is read as something else")) };
    **inner = expr;
    Ok(cast)
}
