//! WITH … AS (INSERT | UPDATE | DELETE … RETURNING …): statements that write inside another.
//!
//! C1: every part sees the rows as they were before any of them wrote; what a part wrote the others see through its RETURNING list only.
//! C2: parts that write run to their ends, in the order written, whether or not the main statement reads them.
//! Never: lets a part below the top level write (0A000, as in Postgres).

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use base::{SqlError, SqlResult, SqlState};
use engine::Transaction;
use sqlparser::ast::{Cte, Query, SetExpr, Statement, Visit, Visitor, With};

use super::{Execution, Planned, Planning};
use crate::names::fold;
use crate::outcome::Outcome;
use crate::tables::{MemoryTable, with_schema};

/// How such a statement runs.
#[derive(Debug)]
pub(crate) struct Plan {
    parts: Vec<Part>,
    main: super::Plan,
}

impl Plan {
    pub(crate) fn write_verb(&self) -> Option<&'static str> {
        self.parts.iter().find_map(|part| part.plan.write_verb()).or_else(|| self.main.write_verb())
    }
}

/// A part that writes, or locks.
#[derive(Debug)]
struct Part {
    name: String,
    /// What its RETURNING list answers; no columns without one.
    schema: SchemaRef,
    plan: super::Plan,
}

/// Whether a part of the query's WITH list writes.
pub(super) fn writes(query: &Query) -> bool {
    query.with.iter().flat_map(|with| &with.cte_tables).any(is_write)
}

fn is_write(cte: &Cte) -> bool {
    !cte.query.locks.is_empty()
        || matches!(cte.query.body.as_ref(), SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}

/// Refuses parts that write below the top level.
pub(super) fn refuse_nested(query: &Query) -> SqlResult<()> {
    struct Nested {
        depth: usize,
    }
    impl Visitor for Nested {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            self.depth += 1;
            if self.depth > 1 && writes(query) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
    }
    match Visit::visit(query, &mut Nested { depth: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(SqlError::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            "WITH clause containing a data-modifying statement must be at the top level",
        )),
    }
}

pub(super) fn plan(planning: &Planning<'_>, query: &Query) -> SqlResult<Planned> {
    let Some(with) = &query.with else { return Err(SqlError::internal("C1: a statement without WITH")) };
    let mut given = planning.given.to_vec();
    let (mut parts, mut plain, mut tables) = (Vec::new(), Vec::new(), planning.ctes.to_vec());
    for cte in &with.cte_tables {
        if !is_write(cte) {
            plain.push(cte.clone());
            continue;
        }
        let statement = with_plain(&cte.query, with, &plain);
        let inner = Planning { given: &given, ctes: &tables, is_lasting: planning.is_lasting.clone(), ..*planning };
        let planned = super::plan_statement(&inner, &statement)?;
        planning.is_lasting.set(planning.is_lasting.get() && inner.is_lasting.get());
        refuse_receipts(&planned)?;
        note(&mut given, &planned);
        let schema = schema_of(cte, &planned)?;
        let name = fold(&cte.alias.name);
        if planned.columns.is_some() {
            tables.push(MemoryTable { name: name.clone(), oid: None, schema: Arc::clone(&schema), batches: Vec::new() });
        }
        parts.push(Part { name, schema, plan: planned.plan });
    }
    let mut main = query.clone();
    main.with = (!plain.is_empty()).then(|| With { cte_tables: plain, ..with.clone() });
    let inner = Planning { given: &given, ctes: &tables, is_lasting: planning.is_lasting.clone(), ..*planning };
    let planned = super::plan_statement(&inner, &Statement::Query(Box::new(main)))?;
    planning.is_lasting.set(planning.is_lasting.get() && inner.is_lasting.get());
    refuse_receipts(&planned)?;
    note(&mut given, &planned);
    let parameters = given.into_iter().map(|found| found.unwrap_or(engine::SqlType::Text)).collect();
    let plan = super::Plan::With(Box::new(Plan { parts, main: planned.plan }));
    Ok(Planned { plan, parameters, columns: planned.columns })
}

/// A row's place among those of its part says nothing of its place in the commit.
fn refuse_receipts(planned: &Planned) -> SqlResult<()> {
    match planned.plan.receipts() {
        [] => Ok(()),
        _ => Err(SqlError::unsupported("RETURNING _receipt beside other parts that write")),
    }
}

/// The part's own statement, which sees the plain parts before it.
fn with_plain(query: &Query, with: &With, plain: &[Cte]) -> Statement {
    let mut query = query.clone();
    if !plain.is_empty() {
        match &mut query.with {
            Some(own) => drop(own.cte_tables.splice(0..0, plain.iter().cloned())),
            none @ None => *none = Some(With { cte_tables: plain.to_vec(), ..with.clone() }),
        }
    }
    Statement::Query(Box::new(query))
}

/// Parameter types that a part settled.
fn note(given: &mut Vec<Option<engine::SqlType>>, planned: &Planned) {
    if given.len() < planned.parameters.len() {
        given.resize(planned.parameters.len(), None);
    }
    for (known, found) in given.iter_mut().zip(&planned.parameters) {
        known.get_or_insert(*found);
    }
}

fn schema_of(cte: &Cte, planned: &Planned) -> SqlResult<SchemaRef> {
    let columns = planned.columns.as_deref().unwrap_or_default();
    let names: Vec<String> = cte.alias.columns.iter().map(|column| fold(&column.name)).collect();
    if names.len() > columns.len() {
        let message = format!(
            "WITH query \"{}\" has {} columns available but {} columns specified",
            fold(&cte.alias.name),
            columns.len(),
            names.len()
        );
        return Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message));
    }
    let field =
        |(at, column): (usize, &crate::outcome::Column)| Field::new(names.get(at).unwrap_or(&column.name), column.sql_type.arrow(), true);
    Ok(Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>())))
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let before = execution.transaction.clone();
    let mut tables = execution.ctes.to_vec();
    for part in &plan.parts {
        let outcome = run(&part.plan, execution, &before, &tables).await?;
        let mut batches: Vec<RecordBatch> = Vec::new();
        if let Outcome::Rows { batches: mut rows, .. } = outcome {
            while let Some(batch) = execution.watch.next(&mut rows).await? {
                batches.push(with_schema(&batch, &part.schema)?);
            }
        }
        tables.push(MemoryTable { name: part.name.clone(), oid: None, schema: Arc::clone(&part.schema), batches });
    }
    run(&plan.main, execution, &before, &tables).await
}

async fn run(plan: &super::Plan, execution: &mut Execution<'_>, before: &Transaction, tables: &[MemoryTable]) -> SqlResult<Outcome> {
    let mut inner = Execution {
        view: execution.view,
        scope: execution.scope,
        transaction: execution.transaction,
        reading: Some(before),
        ctes: tables,
        watch: execution.watch,
        parsed: execution.parsed,
        parameters: execution.parameters,
        notices: execution.notices,
    };
    Box::pin(super::execute(plan, &mut inner)).await
}
