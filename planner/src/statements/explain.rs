//! EXPLAIN [ANALYZE]: the plan as text or JSON; with ANALYZE the statement is run, and its writes are real.
//!
//! Never: guesses costs or rows; what is shown is the plan, and with ANALYZE what happened.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use futures::StreamExt;
use futures::stream;
use relational::{Shape, Step};
use serde_json::{Map, Value as Json, json};
use sqlparser::ast::{AnalyzeFormat, AnalyzeFormatKind, Expr, Statement, UtilityOption, Value};
use tokio::time::Instant;

use super::{Execution, Planned, Planning, select};
use crate::outcome::{Column, Outcome};
use crate::resolver::Binding;
use crate::tables::arrow_error;
use crate::types::documents;

const TITLE: &str = "QUERY PLAN";

/// How an EXPLAIN runs.
#[derive(Debug)]
pub(crate) struct Plan {
    inner: Box<super::Plan>,
    /// The query below the inner plan, if there is one.
    shape: Option<Arc<Shape>>,
    options: Options,
}

impl Plan {
    /// The command's name if running it writes.
    pub(crate) fn write_verb(&self) -> Option<&'static str> {
        if self.options.analyze { self.inner.write_verb() } else { None }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    analyze: bool,
    json: bool,
    /// Times of the whole; as ANALYZE says unless told.
    summary: Option<bool>,
    timing: Option<bool>,
    wal: bool,
}

pub(super) fn plan(planning: &Planning<'_>, statement: &Statement) -> SqlResult<Planned> {
    let options = Options::of(statement)?;
    let Statement::Explain { statement, .. } = statement else { return Err(SqlError::internal("not an EXPLAIN")) };
    let Planned { plan: inner, parameters, .. } = super::plan_statement(planning, statement)?;
    let shape = match &inner {
        // Only a query can be watched at work.
        super::Plan::Select(select::Plan::Key(_)) if options.analyze => Some(planning.describe(statement, None, planning.given)?.shape),
        super::Plan::Select(select::Plan::Key(_)) => None,
        super::Plan::Select(select::Plan::Query { shape, .. }) => Some(Arc::clone(shape)),
        super::Plan::Lock(lock) => lock.explained().1.cloned(),
        super::Plan::Insert(insert) => insert.explained().1.cloned(),
        super::Plan::Update(update) => update.explained().1.cloned(),
        super::Plan::Delete(delete) => delete.explained().1.cloned(),
        super::Plan::Merge(merge) => merge.explained().1.cloned(),
        _ => return Err(SqlError::unsupported("EXPLAIN of this statement")),
    };
    let plan = Plan { inner: Box::new(inner), shape, options };
    Ok(Planned { plan: super::Plan::Explain(Box::new(plan)), parameters, columns: Some(options.columns()) })
}

fn other_format() -> SqlError {
    SqlError::unsupported("an EXPLAIN format other than TEXT or JSON")
}

impl Options {
    /// What an EXPLAIN asks for. Errors: 42601, 22023, 0A000.
    fn of(statement: &Statement) -> SqlResult<Self> {
        let Statement::Explain { analyze, query_plan, estimate, format, options: listed, .. } = statement else {
            return Err(SqlError::internal("not an EXPLAIN"));
        };
        if *query_plan || *estimate {
            return Err(SqlError::unsupported("this form of EXPLAIN"));
        }
        let mut options = Self { analyze: *analyze, ..Self::default() };
        match format {
            None => {}
            Some(AnalyzeFormatKind::Keyword(format) | AnalyzeFormatKind::Assignment(format)) => match format {
                AnalyzeFormat::TEXT => {}
                AnalyzeFormat::JSON => options.json = true,
                _ => return Err(other_format()),
            },
        }
        for option in listed.iter().flatten() {
            options.read(option)?;
        }
        options.check()?;
        Ok(options)
    }

    /// The one column of the answer.
    fn columns(self) -> Arc<[Column]> {
        Arc::new([Column::computed(TITLE, self.sql_type())])
    }

    fn sql_type(self) -> SqlType {
        if self.json { SqlType::Json } else { SqlType::Text }
    }

    fn read(&mut self, option: &UtilityOption) -> SqlResult<()> {
        let name = option.name.value.to_lowercase();
        let argument = option.arg.as_ref().map(|arg| match arg {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => text.to_lowercase(),
                other => other.to_string().to_lowercase(),
            },
            other => other.to_string().to_lowercase(),
        });
        let on = || match argument.as_deref() {
            None | Some("true" | "on" | "1") => Ok(true),
            Some("false" | "off" | "0") => Ok(false),
            Some(_) => Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("{name} requires a Boolean value"))),
        };
        match name.as_str() {
            "analyze" => self.analyze = on()?,
            "summary" => self.summary = Some(on()?),
            "timing" => self.timing = Some(on()?),
            "wal" => self.wal = on()?,
            // They would only add to a text that has no costs, buffers or settings.
            "verbose" | "costs" | "buffers" | "settings" => drop(on()?),
            "format" => match argument.as_deref() {
                Some("text") => self.json = false,
                Some("json") => self.json = true,
                Some("xml" | "yaml") => return Err(other_format()),
                other => {
                    let message = format!("unrecognized value for EXPLAIN option \"format\": \"{}\"", other.unwrap_or_default());
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
                }
            },
            _ => return Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("unrecognized EXPLAIN option \"{name}\""))),
        }
        Ok(())
    }

    fn check(&self) -> SqlResult<()> {
        let needs = |what: &str| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("EXPLAIN option {what} requires ANALYZE"));
        match self.analyze {
            false if self.wal => Err(needs("WAL")),
            false if self.timing == Some(true) => Err(needs("TIMING")),
            _ => Ok(()),
        }
    }
}

/// The columns that an EXPLAIN answers. Errors: as of planning its options.
pub(crate) fn columns_of(statement: &Statement) -> SqlResult<Arc<[Column]>> {
    Options::of(statement).map(Options::columns)
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Options { analyze, json, summary, timing, .. } = plan.options;
    let head = match plan.inner.as_ref() {
        super::Plan::Select(select::Plan::Key(select)) => Some(select.explained()),
        super::Plan::Select(select::Plan::Query { .. }) => None,
        super::Plan::Lock(lock) => Some(lock.explained().0),
        super::Plan::Insert(insert) => Some(insert.explained().0),
        super::Plan::Update(update) => Some(update.explained().0),
        super::Plan::Delete(delete) => Some(delete.explained().0),
        super::Plan::Merge(merge) => Some(merge.explained().0),
        _ => return Err(SqlError::internal("a plan that EXPLAIN does not know")),
    };
    let start = Instant::now();
    let is_write = plan.inner.write_verb().is_some();
    let step = match &plan.shape {
        Some(shape) => {
            let binding =
                Binding { scope: execution.scope, transaction: execution.reading(), local: None, ctes: execution.ctes, passed: &[] };
            let relational = &execution.view.database.relational;
            let watched = analyze && !is_write;
            let (moment, limits) = (execution.view.moment(), execution.limits(shape));
            let explained = relational.explain(shape, &binding, moment, execution.parameters.arrays, &limits, watched);
            let mut step = execution.watch.run(explained).await?;
            if timing == Some(false) {
                forget_times(&mut step);
            }
            Some(step)
        }
        None => None,
    };
    let written = if analyze && is_write { Some(run(&plan.inner, execution).await?) } else { None };
    let took_ms = (analyze && summary != Some(false)).then(|| start.elapsed().as_secs_f64() * 1_000.0);
    let lines = if json {
        vec![as_json(head.as_deref(), step.as_ref(), written, took_ms)]
    } else {
        as_text(head.as_deref(), step.as_ref(), written, took_ms)
    };
    let array = documents::wrap(StringArray::from(lines), plan.options.sql_type());
    let schema = Arc::new(Schema::new(vec![Field::new(TITLE, array.data_type().clone(), false)]));
    let batch = RecordBatch::try_new(schema, vec![array]).map_err(arrow_error)?;
    Ok(Outcome::Rows { columns: plan.options.columns(), batches: stream::iter([Ok(batch)]).boxed(), tag: "EXPLAIN" })
}

/// Runs a statement that writes; the rows it wrote.
async fn run(plan: &super::Plan, execution: &mut Execution<'_>) -> SqlResult<u64> {
    match Box::pin(super::execute(plan, execution)).await? {
        Outcome::Command(tag) => Ok(tag.rows.unwrap_or(0)),
        Outcome::Rows { mut batches, .. } => {
            let mut rows = 0;
            while let Some(batch) = execution.watch.next(&mut batches).await? {
                rows += batch.num_rows() as u64;
            }
            Ok(rows)
        }
        _ => Err(SqlError::internal("EXPLAIN ran a statement that answers otherwise")),
    }
}

fn forget_times(step: &mut Step) {
    step.actual = step.actual.map(|(rows, _)| (rows, 0.0));
    step.inputs.iter_mut().for_each(forget_times);
}

fn as_text(head: Option<&str>, step: Option<&Step>, written: Option<u64>, took_ms: Option<f64>) -> Vec<String> {
    let mut lines: Vec<String> = head.iter().flat_map(|head| head.lines()).map(str::to_owned).collect();
    if let (Some(first), Some(rows)) = (lines.first_mut(), written) {
        first.push_str(&format!(" (actual rows={rows})"));
    }
    let indent = if lines.is_empty() { "" } else { "  " };
    lines.extend(step.iter().flat_map(|step| step.lines()).map(|line| format!("{indent}{line}")));
    lines.extend(took_ms.map(|ms| format!("Execution Time: {ms:.3} ms")));
    lines
}

fn as_json(head: Option<&str>, step: Option<&Step>, written: Option<u64>, took_ms: Option<f64>) -> String {
    let mut plan = step.map(shown);
    // The lines above a query are each the parent of the next.
    for (at, line) in head.iter().flat_map(|head| head.lines()).collect::<Vec<_>>().into_iter().enumerate().rev() {
        let (operator, detail) = line.trim().split_once(": ").unwrap_or((line.trim(), ""));
        let mut outer = Map::new();
        outer.insert("Node Type".into(), json!(operator));
        if !detail.is_empty() {
            outer.insert("Detail".into(), json!(detail));
        }
        if let Some(rows) = written.filter(|_| at == 0) {
            outer.insert("Actual Rows".into(), json!(rows));
        }
        if let Some(inner) = plan.take() {
            outer.insert("Plans".into(), json!([inner]));
        }
        plan = Some(Json::Object(outer));
    }
    let mut whole = Map::new();
    whole.insert("Plan".into(), plan.unwrap_or(Json::Null));
    if let Some(ms) = took_ms {
        whole.insert("Execution Time".into(), json!((ms * 1_000.0).round() / 1_000.0));
    }
    serde_json::to_string_pretty(&json!([whole])).unwrap_or_default()
}

fn shown(step: &Step) -> Json {
    let mut node = Map::new();
    match &step.index {
        Some(index) => {
            node.insert("Node Type".into(), json!(index.operator()));
            node.insert("Scan Direction".into(), json!(if index.backward { "Backward" } else { "Forward" }));
            node.insert("Index Name".into(), json!(index.name));
            node.insert("Relation Name".into(), json!(index.table));
            if !index.condition.is_empty() {
                node.insert("Index Cond".into(), json!(index.condition));
            }
        }
        None => {
            node.insert("Node Type".into(), json!(step.operator.trim_end_matches("Exec")));
        }
    }
    if !step.detail.is_empty() {
        node.insert("Detail".into(), json!(step.detail));
    }
    if let Some((rows, us)) = step.actual {
        node.insert("Actual Rows".into(), json!(rows));
        node.insert("Actual Total Time".into(), json!(us.round() / 1_000.0));
    }
    if !step.inputs.is_empty() {
        node.insert("Plans".into(), step.inputs.iter().map(shown).collect());
    }
    Json::Object(node)
}
