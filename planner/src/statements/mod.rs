//! Statement kinds: one file each, from syntax tree to plan, from plan to answer.
//!
//! Q1: planning writes nothing; a plan holds no row and no snapshot.
//! Q2: whatever is not recognised here is refused by name with 0A000.
//! Never: commits; the session does.

pub(crate) mod block;
pub(crate) mod configure;
pub mod copy_from;

mod alter_table;
mod assignment;
mod comment;
mod copy_to;
mod create_index;
mod create_schema;
mod create_sequence;
mod create_table;
mod create_view;
mod delete;
mod drop;
mod drop_schema;
mod explain;
mod foreign_keys;
mod hints;
mod insert;
mod key_access;
mod mixed_values;
mod on_conflict;
mod referencing;
mod returning;
mod rewrite;
mod select;
mod table_draft;
mod truncate;
mod update;

use std::sync::Arc;

use base::{SqlError, SqlResult};
use engine::{SqlType, Transaction};
use relational::Query;
use sqlparser::ast::{ObjectType, SetExpr, Statement};

use crate::cancel::Watch;
use crate::cells::Parameters;
use crate::outcome::{Column, Notice, Outcome};
use crate::parse::Parsed;
use crate::resolver::{Binding, Scope};
use crate::tables::MemoryTable;
use crate::view::{Place, View};

/// What planning a statement stands on.
pub(crate) struct Planning<'a> {
    pub(crate) view: View<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) transaction: &'a Transaction,
    pub(crate) parsed: &'a Parsed,
    /// Parameter types the client gave.
    pub(crate) given: &'a [Option<SqlType>],
    /// Whether columns and parameters of a general query must be known before it runs.
    pub(crate) describe: bool,
}

/// What running a plan stands on.
pub(crate) struct Execution<'a> {
    pub(crate) view: View<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) transaction: &'a mut Transaction,
    pub(crate) watch: &'a Watch,
    pub(crate) parsed: &'a Parsed,
    pub(crate) parameters: Parameters<'a>,
    pub(crate) notices: &'a mut Vec<Notice>,
}

/// A planned statement and what the client may ask of it beforehand.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) parameters: Vec<SqlType>,
    pub(crate) columns: Option<Arc<[Column]>>,
}

impl Planned {
    /// A statement without parameters and without rows.
    fn command(plan: Plan) -> Self {
        Self { plan, parameters: Vec::new(), columns: None }
    }
}

/// How a statement will run.
#[derive(Debug)]
pub(crate) enum Plan {
    Block(block::Control),
    Configure(configure::Configure),
    CreateSchema,
    CreateTable,
    CreateSequence,
    CreateIndex,
    CreateView,
    AlterTable,
    Comment,
    DropSchema,
    Drop,
    Truncate,
    Select(select::Plan),
    Insert(insert::Plan),
    Update(update::Plan),
    Delete(delete::Plan),
    CopyFrom(copy_from::Plan),
    CopyTo(Box<copy_to::Plan>),
    Explain(Box<explain::Plan>),
}

impl Plan {
    /// Whether a duplicate key found at commit is a lost race to be judged again.
    pub(crate) fn expects_conflicts(&self) -> bool {
        matches!(self, Self::Insert(plan) if plan.expects_conflicts())
    }

    /// The command's name if it writes, for 25006.
    pub(crate) fn write_verb(&self) -> Option<&'static str> {
        Some(match self {
            Self::CreateSchema => "CREATE SCHEMA",
            Self::CreateTable => "CREATE TABLE",
            Self::CreateSequence => "CREATE SEQUENCE",
            Self::CreateIndex => "CREATE INDEX",
            Self::CreateView => "CREATE VIEW",
            Self::AlterTable => "ALTER TABLE",
            Self::Comment => "COMMENT",
            Self::DropSchema => "DROP SCHEMA",
            Self::Drop => "DROP TABLE",
            Self::Truncate => "TRUNCATE TABLE",
            Self::Insert(_) => "INSERT",
            Self::Update(_) => "UPDATE",
            Self::Delete(_) => "DELETE",
            Self::CopyFrom(_) => "COPY FROM",
            Self::Block(_) | Self::Configure(_) | Self::Select(_) | Self::CopyTo(_) | Self::Explain(_) => return None,
        })
    }
}

/// What a failed block needs to know of a statement before planning it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// COMMIT, ROLLBACK, ROLLBACK TO.
    EndsFailure,
    Other,
}

pub(crate) fn classify(statement: &Statement) -> Class {
    match statement {
        Statement::Commit { .. } | Statement::Rollback { .. } => Class::EndsFailure,
        _ => Class::Other,
    }
}

/// Plans a statement. Errors: what binding raises; 0A000 for kinds this version lacks (Q2).
pub(crate) fn plan(planning: &Planning<'_>) -> SqlResult<Planned> {
    plan_statement(planning, &planning.parsed.statement)
}

fn plan_statement(planning: &Planning<'_>, statement: &Statement) -> SqlResult<Planned> {
    if let Some(control) = block::recognise(statement)? {
        return Ok(Planned::command(Plan::Block(control)));
    }
    if let Some(statement) = configure::recognise(statement)? {
        return Ok(Planned { columns: statement.columns(), parameters: Vec::new(), plan: Plan::Configure(statement) });
    }
    match statement {
        Statement::Query(query) => match query.body.as_ref() {
            SetExpr::Insert(Statement::Insert(insert)) => insert::plan(planning, insert, query.with.as_ref()),
            SetExpr::Update(Statement::Update(update)) => update::plan(planning, update, query.with.as_ref()),
            SetExpr::Delete(Statement::Delete(delete)) => delete::plan(planning, delete, query.with.as_ref()),
            _ => select::plan(planning, statement, query),
        },
        Statement::Insert(insert) => insert::plan(planning, insert, None),
        Statement::Update(update) => update::plan(planning, update, None),
        Statement::Delete(delete) => delete::plan(planning, delete, None),
        Statement::CreateSchema { .. } => Ok(Planned::command(Plan::CreateSchema)),
        Statement::CreateTable(_) => Ok(Planned::command(Plan::CreateTable)),
        Statement::Drop { object_type: ObjectType::Schema, .. } => Ok(Planned::command(Plan::DropSchema)),
        Statement::CreateSequence { .. } => Ok(Planned::command(Plan::CreateSequence)),
        Statement::CreateIndex(_) => Ok(Planned::command(Plan::CreateIndex)),
        Statement::CreateView(_) => Ok(Planned::command(Plan::CreateView)),
        Statement::AlterTable(_) => Ok(Planned::command(Plan::AlterTable)),
        Statement::Comment { .. } => Ok(Planned::command(Plan::Comment)),
        Statement::Drop { object_type: ObjectType::Table | ObjectType::View | ObjectType::Sequence | ObjectType::Index, .. } => {
            Ok(Planned::command(Plan::Drop))
        }
        Statement::Truncate(_) => Ok(Planned::command(Plan::Truncate)),
        Statement::Copy { to: false, .. } => copy_from::plan(planning, statement).map(Planned::command),
        Statement::Copy { to: true, .. } => copy_to::plan(planning, statement).map(Planned::command),
        Statement::Explain { .. } => explain::plan(planning, statement),
        other => Err(refusal(other)),
    }
}

/// Runs a plan. The writes stay in the transaction.
pub(crate) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let outcome = run(plan, execution).await?;
    if plan.write_verb().is_some() {
        referencing::settle(execution)?;
    }
    Ok(outcome)
}

async fn run(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    match plan {
        Plan::CreateSchema => create_schema::execute(execution),
        Plan::CreateTable => create_table::execute(execution),
        Plan::DropSchema => drop_schema::execute(execution),
        Plan::CreateSequence => create_sequence::execute(execution),
        Plan::CreateIndex => create_index::execute(execution),
        Plan::CreateView => create_view::execute(execution),
        Plan::AlterTable => alter_table::execute(execution),
        Plan::Comment => comment::execute(execution),
        Plan::Drop => drop::execute(execution),
        Plan::Truncate => truncate::execute(execution),
        Plan::Select(plan) => select::execute(plan, execution),
        Plan::Insert(plan) => insert::execute(plan, execution).await,
        Plan::Update(plan) => update::execute(plan, execution).await,
        Plan::Delete(plan) => delete::execute(plan, execution).await,
        Plan::CopyTo(plan) => copy_to::execute(plan, execution),
        Plan::Explain(plan) => explain::execute(plan, execution).await,
        Plan::Block(_) | Plan::Configure(_) | Plan::CopyFrom(_) => Err(SqlError::internal("this statement is run by the session")),
    }
}

/// Q2: names the statement by its leading words, as far as they are keywords of its kind.
fn refusal(statement: &Statement) -> SqlError {
    let text = statement.to_string();
    let words = match statement {
        Statement::Drop { .. } | Statement::CreateView(_) | Statement::CreateIndex(_) | Statement::AlterTable(_) => 2,
        _ if text.starts_with("CREATE ") || text.starts_with("ALTER ") || text.starts_with("DROP ") => 2,
        _ => 1,
    };
    let name: Vec<&str> = text.split_whitespace().take(words).collect();
    let error = SqlError::unsupported(name.join(" ").to_uppercase());
    match statement {
        Statement::Prepare { .. } | Statement::Execute { .. } => {
            error.hint("Use the prepared statements of the protocol (every driver has them).")
        }
        _ => error,
    }
}

impl Planning<'_> {
    /// A query of this statement's text, possibly rewritten.
    pub(crate) fn query<'s>(&'s self, statement: &'s Statement) -> Query<'s> {
        Query { statement, text: &self.parsed.source }
    }

    /// Columns and parameters of a query. Types the client gave stay as given.
    pub(crate) fn describe(
        &self,
        statement: &Statement,
        local: Option<&MemoryTable>,
        given: &[Option<SqlType>],
    ) -> SqlResult<(Vec<Column>, Vec<SqlType>)> {
        let binding = Binding { scope: self.scope, transaction: self.transaction, local };
        let types: Vec<_> = given.iter().map(|given| given.map(SqlType::arrow)).collect();
        let environment = self.view.environment(self.scope, &self.parsed.source);
        let description = self.view.database.relational.describe(self.query(statement), &binding, &environment, &types)?;
        let columns = description
            .columns
            .iter()
            .map(|(name, data_type)| Ok(Column::computed(name, shown_type(data_type)?)))
            .collect::<SqlResult<_>>()?;
        let mut parameters = Vec::with_capacity(description.parameters.len());
        for (at, data_type) in description.parameters.iter().enumerate() {
            parameters.push(match given.get(at).copied().flatten() {
                Some(given) => given,
                None => shown_type(data_type)?,
            });
        }
        // Types given for parameters that the text does not mention count too.
        for given in given.iter().skip(parameters.len()) {
            parameters.push(given.unwrap_or(SqlType::Text));
        }
        Ok((columns, parameters))
    }
}

impl Execution<'_> {
    /// The statement as rules see it; names are looked up as the transaction has them now.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { view: self.view, scope: self.scope }
    }

    /// The names as the transaction has them now, own definitions included.
    pub(crate) fn fresh_scope(&self) -> Scope {
        Scope { catalog: self.transaction.catalog(), ..self.scope.clone() }
    }

    /// Starts a query on this transaction's view; the parameters it mentions are those of the statement.
    pub(crate) fn rows(&self, statement: &Statement, local: Option<&MemoryTable>) -> SqlResult<relational::Rows> {
        let binding = Binding { scope: self.scope, transaction: self.transaction, local };
        let query = Query { statement, text: &self.parsed.source };
        let environment = self.view.environment(self.scope, &self.parsed.source);
        self.view.database.relational.execute(query, &binding, &environment, self.parameters.arrays)
    }
}

/// The SQL type of a computed column. Errors: 0A000 for Arrow types without one (lists, intervals …).
pub(crate) fn shown_type(data_type: &arrow::datatypes::DataType) -> SqlResult<SqlType> {
    SqlType::from_arrow(data_type).ok_or_else(|| {
        SqlError::unsupported(format!("a result column of type {data_type}")).hint("Cast it to text or to another type of this version.")
    })
}
