//! EXPLAIN [ANALYZE]: the plan as text, a line a step.
//!
//! Never: runs a statement that writes.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use futures::StreamExt;
use futures::stream;
use relational::Query;
use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, Expr, Statement, UtilityOption, Value};

use super::{Execution, Planned, Planning, select};
use crate::outcome::{Column, Outcome};
use crate::resolver::Binding;
use crate::tables::arrow_error;

const TITLE: &str = "QUERY PLAN";

/// How an EXPLAIN runs.
#[derive(Debug)]
pub(crate) struct Plan {
    inner: Box<super::Plan>,
    statement: Statement,
    analyze: bool,
}

pub(super) fn plan(planning: &Planning<'_>, statement: &Statement) -> SqlResult<Planned> {
    let Statement::Explain { analyze, query_plan, estimate, statement, format, options, .. } = statement else {
        return Err(SqlError::internal("not an EXPLAIN"));
    };
    if *query_plan || *estimate {
        return Err(SqlError::unsupported("this form of EXPLAIN"));
    }
    use AnalyzeFormatKind::{Assignment, Keyword};
    if !matches!(format, None | Some(Keyword(AnalyzeFormat::TEXT) | Assignment(AnalyzeFormat::TEXT))) {
        return Err(SqlError::unsupported("an EXPLAIN format other than TEXT"));
    }
    let mut analyze = *analyze;
    for option in options.iter().flatten() {
        read_option(option, &mut analyze)?;
    }
    let Planned { plan: inner, parameters, .. } = super::plan_statement(planning, statement)?;
    match &inner {
        super::Plan::Select(_) => {}
        super::Plan::Insert(_) | super::Plan::Update(_) | super::Plan::Delete(_) if analyze => {
            return Err(SqlError::unsupported("EXPLAIN ANALYZE of a statement that writes"));
        }
        super::Plan::Insert(_) | super::Plan::Update(_) | super::Plan::Delete(_) => {}
        _ => return Err(SqlError::unsupported("EXPLAIN of this statement")),
    }
    let plan = Plan { inner: Box::new(inner), statement: statement.as_ref().clone(), analyze };
    Ok(Planned { plan: super::Plan::Explain(Box::new(plan)), parameters, columns: Some(columns()) })
}

fn read_option(option: &UtilityOption, analyze: &mut bool) -> SqlResult<()> {
    let name = option.name.value.to_lowercase();
    let argument = option.arg.as_ref().map(|arg| match arg {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.to_lowercase(),
            other => other.to_string().to_lowercase(),
        },
        other => other.to_string().to_lowercase(),
    });
    let on = !matches!(argument.as_deref(), Some("false" | "off" | "0"));
    match name.as_str() {
        "analyze" => *analyze = on,
        // They would only add to a text that has no costs or buffers.
        "verbose" | "costs" | "timing" | "summary" => {}
        "format" if argument.as_deref() == Some("text") => {}
        "format" => return Err(SqlError::unsupported("an EXPLAIN format other than TEXT")),
        "buffers" | "wal" | "settings" => return Err(SqlError::unsupported(format!("EXPLAIN ({})", name.to_uppercase()))),
        _ => return Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("unrecognized EXPLAIN option \"{name}\""))),
    }
    Ok(())
}

fn columns() -> Arc<[Column]> {
    Arc::new([Column::computed(TITLE, SqlType::Text)])
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let (line, query) = match plan.inner.as_ref() {
        super::Plan::Select(select::Plan::Key(select)) => (Some(select.explained()), plan.analyze.then_some(&plan.statement)),
        super::Plan::Select(select::Plan::Query(_)) => (None, Some(&plan.statement)),
        super::Plan::Insert(insert) => first(insert.explained()),
        super::Plan::Update(update) => first(update.explained()),
        super::Plan::Delete(delete) => first(delete.explained()),
        _ => return Err(SqlError::internal("a plan that EXPLAIN does not know")),
    };
    let mut lines: Vec<String> = line.iter().flat_map(|line| line.lines()).map(str::to_owned).collect();
    if let Some(statement) = query {
        let indent = if lines.is_empty() { "" } else { "  " };
        let binding = Binding { scope: execution.scope, transaction: execution.transaction, local: None };
        let query = Query { statement, text: &execution.parsed.source };
        let environment = execution.view.environment(execution.scope, &execution.parsed.source);
        let relational = &execution.view.database.relational;
        let explained = relational.explain(query, &binding, &environment, execution.parameters.arrays, plan.analyze);
        lines.extend(execution.watch.run(explained).await?.into_iter().map(|line| format!("{indent}{line}")));
    }
    let schema = Arc::new(Schema::new(vec![Field::new(TITLE, DataType::Utf8, false)]));
    let array: ArrayRef = Arc::new(StringArray::from(lines));
    let batch = RecordBatch::try_new(schema, vec![array]).map_err(arrow_error)?;
    Ok(Outcome::Rows { columns: columns(), batches: stream::iter([Ok(batch)]).boxed(), tag: "EXPLAIN" })
}

fn first((line, query): (String, Option<&Statement>)) -> (Option<String>, Option<&Statement>) {
    (Some(line), query)
}
