//! Statement kinds: one file each, from syntax tree to plan, from plan to answer.
//!
//! Q1: planning writes nothing; a plan holds no row and no snapshot.
//! Q2: whatever is not recognised here is refused by name with 0A000.
//! Never: commits; the session does.

pub(crate) mod authority;
pub(crate) mod block;
pub(crate) mod configure;
pub mod copy_from;
pub(crate) mod cursor;
pub(crate) mod expire;
pub(crate) mod named;
pub(crate) mod notify;

mod alter_actions;
mod alter_schema;
mod alter_table;
mod alter_type;
mod assignment;
mod comment;
mod copy_to;
mod create_index;
mod create_schema;
mod create_sequence;
mod create_table;
mod create_table_as;
mod create_view;
mod delete;
mod drop;
mod drop_schema;
pub(crate) mod erase;
pub(crate) mod explain;
mod extension;
mod foreign_keys;
mod hints;
mod hoisting;
mod hold;
mod increment;
mod insert;
mod key_access;
mod like_table;
mod lock_rows;
mod lock_table;
pub(crate) mod maintenance;
mod materialized;
mod merge;
mod mixed_values;
mod on_conflict;
mod property_graph;
mod puts;
mod readers;
mod referencing;
mod rename;
mod returning;
mod rewrite;
mod select;
mod set_constraints;
pub(crate) mod system_time;
mod table_draft;
mod table_options;
mod truncate;
mod update;
mod validate;
mod view_defaults;
mod view_options;
mod with;
pub(crate) mod write_target;

use std::cell::Cell;
use std::sync::Arc;

use base::{SqlError, SqlResult};
use engine::{RowLocks, SqlType, Transaction};
use relational::{Query, RunLimits, Shape};
use sqlparser::ast::{Expr, ObjectType, SetExpr, Statement};

use crate::cancel::Watch;
use crate::cells::Parameters;
use crate::constraint_syntax::SetConstraints;
use crate::erase_syntax::Erase;
use crate::graph_functions;
use crate::graph_paths;
use crate::graph_patterns;
use crate::graph_syntax::GraphCommand;
use crate::hold_syntax::HoldCommand;
use crate::lock_syntax;
use crate::lock_table_syntax::LockTables;
use crate::outcome::{Column, Notice, Outcome};
use crate::parse::{Own, Parsed};
use crate::resolver::{Binding, Scope};
use crate::role_syntax::Command;
use crate::tables::MemoryTable;
use crate::view::{Place, View};
pub(crate) use assignment::is_unknown_literal;

/// What planning a statement stands on.
pub(crate) struct Planning<'a> {
    pub(crate) view: View<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) transaction: &'a Transaction,
    pub(crate) parsed: &'a Parsed,
    /// Parameter types the client gave.
    pub(crate) given: &'a [Option<SqlType>],
    /// Whether the plan answers in later runs as it would if it were made for them.
    pub(crate) is_lasting: Cell<bool>,
    /// Tables that only this statement knows: what its parts that write returned.
    pub(crate) ctes: &'a [MemoryTable],
}

/// A query within a statement, bound and typed.
pub(crate) struct Described {
    pub(crate) shape: Arc<Shape>,
    pub(crate) columns: Vec<Column>,
    pub(crate) parameters: Vec<SqlType>,
}

/// What running a plan stands on.
pub(crate) struct Execution<'a> {
    pub(crate) view: View<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) transaction: &'a mut Transaction,
    /// What it reads, where that is not the transaction with all it wrote.
    pub(crate) reading: Option<&'a Transaction>,
    /// As in [`Planning`], with rows.
    pub(crate) ctes: &'a [MemoryTable],
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
    Named(Box<named::Named>),
    Cursor(Box<cursor::Cursor>),
    Notify(notify::Notify),
    Maintenance(maintenance::Plan),
    Erase(Box<Erase>),
    CreateSchema,
    CreateTable,
    CreateTableAs(Box<create_table_as::Plan>),
    CreateSequence,
    CreateIndex,
    CreateView,
    CreateMaterialized(Box<materialized::Create>),
    Refresh(Box<materialized::Refreshing>),
    AlterTable,
    AlterSchema,
    Extension,
    Comment,
    DropSchema,
    Drop,
    Truncate,
    Select(select::Plan),
    Lock(Box<lock_rows::Plan>),
    Insert(insert::Plan),
    Update(update::Plan),
    Delete(delete::Plan),
    Merge(Box<merge::Plan>),
    With(Box<with::Plan>),
    CopyFrom(copy_from::Plan),
    CopyTo(Box<copy_to::Plan>),
    Explain(Box<explain::Plan>),
    Constraints(SetConstraints),
    LockTable(Arc<LockTables>),
    /// Roles, grants, owners.
    Authority(Arc<Command>),
    /// Property graphs.
    Graph(Arc<GraphCommand>),
    /// Legal holds.
    Hold(Arc<HoldCommand>),
    Expire(expire::Plan),
}

impl Plan {
    /// Whether a duplicate key found at commit is a lost race to be judged again.
    pub(crate) fn expects_conflicts(&self) -> bool {
        matches!(self, Self::Insert(plan) if plan.expects_conflicts())
    }

    /// Whether it may write rows through a view, whose own rights count then whoever runs it.
    pub(crate) fn may_write_views(&self) -> bool {
        match self {
            Self::Insert(plan) => plan.is_through_view(),
            Self::Update(plan) => plan.is_through_view(),
            Self::Delete(plan) => plan.is_through_view(),
            Self::With(_) | Self::Explain(_) => true,
            _ => false,
        }
    }

    /// Columns of the answer that hold a row's place in its commit and are to become its receipt.
    pub(crate) fn receipts(&self) -> &[usize] {
        match self {
            Self::Insert(plan) => plan.receipts(),
            Self::Update(plan) => plan.receipts(),
            Self::Delete(plan) => plan.receipts(),
            _ => &[],
        }
    }

    /// The command's name if it writes, for 25006.
    pub(crate) fn write_verb(&self) -> Option<&'static str> {
        Some(match self {
            Self::CreateSchema => "CREATE SCHEMA",
            Self::CreateTable => "CREATE TABLE",
            Self::CreateTableAs(_) => "CREATE TABLE AS",
            Self::CreateSequence => "CREATE SEQUENCE",
            Self::CreateIndex => "CREATE INDEX",
            Self::CreateView => "CREATE VIEW",
            Self::CreateMaterialized(_) => "CREATE MATERIALIZED VIEW",
            Self::Refresh(_) => "REFRESH MATERIALIZED VIEW",
            Self::AlterTable => "ALTER TABLE",
            Self::AlterSchema => "ALTER SCHEMA",
            Self::Comment => "COMMENT",
            Self::DropSchema => "DROP SCHEMA",
            Self::Drop => "DROP TABLE",
            Self::Truncate => "TRUNCATE TABLE",
            Self::Insert(_) => "INSERT",
            Self::Update(_) => "UPDATE",
            Self::Delete(_) => "DELETE",
            Self::Merge(_) => "MERGE",
            Self::Lock(plan) => plan.verb(),
            Self::With(plan) => return plan.write_verb(),
            Self::CopyFrom(_) => "COPY FROM",
            Self::Erase(_) => "ERASE",
            Self::Authority(command) => command.tag(),
            Self::Graph(command) => command.tag(),
            Self::Hold(command) => command.tag(),
            Self::Expire(_) => "EXPIRE",
            Self::Block(_) | Self::Configure(_) | Self::Named(_) | Self::Cursor(_) | Self::Notify(_) => return None,
            Self::Maintenance(_) | Self::Constraints(_) | Self::Extension | Self::LockTable(_) => return None,
            Self::Explain(plan) => return plan.write_verb(),
            Self::Select(_) | Self::CopyTo(_) => return None,
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

/// Whether a statement is SET, RESET, SHOW or DISCARD.
pub(crate) fn is_setting(statement: &Statement) -> SqlResult<bool> {
    Ok(configure::recognise(statement)?.is_some())
}

pub(crate) fn classify(statement: &Statement) -> Class {
    match statement {
        Statement::Commit { .. } | Statement::Rollback { .. } => Class::EndsFailure,
        _ => Class::Other,
    }
}

/// Whether a statement reads or writes rows.
pub(crate) fn is_data(statement: &Statement) -> bool {
    matches!(statement, Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_))
}

/// Plans a statement. Errors: what binding raises; 0A000 for kinds this version lacks (Q2).
pub(crate) fn plan(planning: &Planning<'_>) -> SqlResult<Planned> {
    if let Some(Own::Authority(command)) = &planning.parsed.own {
        return Ok(Planned::command(Plan::Authority(Arc::clone(command))));
    }
    if let Some(Own::Graph(command)) = &planning.parsed.own {
        return Ok(Planned::command(Plan::Graph(Arc::clone(command))));
    }
    if let Some(Own::Expire(expire)) = &planning.parsed.own {
        return expire::plan(planning, expire).map(Planned::command);
    }
    if let Some(Own::Hold(command)) = &planning.parsed.own {
        return Ok(Planned::command(Plan::Hold(Arc::clone(command))));
    }
    if matches!(planning.parsed.own, Some(Own::PrepareTransaction)) {
        return Ok(Planned::command(Plan::Block(block::Control::Prepare)));
    }
    plan_statement(planning, &planning.parsed.statement)
}

fn plan_statement(planning: &Planning<'_>, statement: &Statement) -> SqlResult<Planned> {
    if let Some(control) = block::recognise(statement)? {
        return Ok(Planned::command(Plan::Block(control)));
    }
    if let Some(statement) = configure::recognise(statement)? {
        return Ok(Planned { columns: statement.columns(), parameters: Vec::new(), plan: Plan::Configure(statement) });
    }
    if let Some(Own::Maintenance(maintenance)) = &planning.parsed.own {
        return maintenance::plan(planning, maintenance).map(Planned::command);
    }
    if let Some(Own::Erase(erase)) = &planning.parsed.own {
        erase::scopes(planning.scope, erase)?;
        return Ok(Planned::command(Plan::Erase(Box::new(erase.clone()))));
    }
    if let Some(Own::Refresh(refresh)) = &planning.parsed.own {
        return materialized::plan_refresh(planning, refresh);
    }
    if let Some(Own::LockTables(lock)) = &planning.parsed.own {
        return Ok(Planned::command(Plan::LockTable(Arc::clone(lock))));
    }
    if let Some(Own::Constraints(constraints)) = &planning.parsed.own {
        return Ok(Planned::command(Plan::Constraints(constraints.clone())));
    }
    if let Some(statement) = named::recognise(planning.parsed, statement)? {
        return Ok(Planned::command(Plan::Named(Box::new(statement))));
    }
    if let Some(statement) = cursor::recognise(planning.parsed, statement)? {
        let parameters = cursor::parameters(planning, &statement)?;
        return Ok(Planned { columns: None, parameters, plan: Plan::Cursor(Box::new(statement)) });
    }
    if let Some(statement) = notify::recognise(statement) {
        return Ok(Planned::command(Plan::Notify(statement)));
    }
    // A view is kept as it is written; it expands where it is read.
    let has_clauses = !planning.parsed.graph_tables.is_empty() || graph_functions::mentioned(&planning.parsed.source);
    if has_clauses && !matches!(statement, Statement::CreateView(_)) {
        let mut expanded = statement.clone();
        graph_patterns::expand(&mut expanded, &planning.parsed.graph_tables, planning.scope, &planning.parsed.source)?;
        graph_functions::expand(&mut expanded, planning.scope, &planning.parsed.source)?;
        return plan_expanded(planning, &expanded);
    }
    plan_expanded(planning, statement)
}

/// Plans a statement that has neither GRAPH_TABLE nor a graph function any more.
fn plan_expanded(planning: &Planning<'_>, statement: &Statement) -> SqlResult<Planned> {
    if lock_syntax::mentioned(&planning.parsed.source)
        && let Some(hoisted) = hoisting::hoist(statement)
    {
        return plan_statement(planning, &hoisted);
    }
    match statement {
        Statement::Query(query) if with::writes(query) => {
            with::refuse_nested(query)?;
            with::plan(planning, query)
        }
        Statement::Query(query) => match query.body.as_ref() {
            SetExpr::Insert(Statement::Insert(insert)) => insert::plan(planning, insert, query.with.as_ref()),
            SetExpr::Update(Statement::Update(update)) => update::plan(planning, update, query.with.as_ref()),
            SetExpr::Delete(Statement::Delete(delete)) => delete::plan(planning, delete, query.with.as_ref()),
            SetExpr::Merge(Statement::Merge(merge)) => merge::plan(planning, merge, query.with.as_ref()),
            _ if !query.locks.is_empty() => lock_rows::plan(planning, query),
            _ => {
                with::refuse_nested(query)?;
                if let Some((query, name, temporary)) = create_table_as::into(query) {
                    return create_table_as::plan_into(planning, query, name, temporary);
                }
                select::plan(planning, statement, query)
            }
        },
        Statement::Insert(insert) => insert::plan(planning, insert, None),
        Statement::Update(update) => update::plan(planning, update, None),
        Statement::Delete(delete) => delete::plan(planning, delete, None),
        Statement::Merge(merge) => merge::plan(planning, merge, None),
        Statement::CreateSchema { .. } => Ok(Planned::command(Plan::CreateSchema)),
        Statement::CreateTable(create) => match &create.query {
            Some(query) => create_table_as::plan_create(planning, create, query),
            None => Ok(Planned::command(Plan::CreateTable)),
        },
        Statement::Drop { object_type: ObjectType::Schema, .. } => Ok(Planned::command(Plan::DropSchema)),
        Statement::CreateSequence { .. } => Ok(Planned::command(Plan::CreateSequence)),
        Statement::CreateIndex(_) => Ok(Planned::command(Plan::CreateIndex)),
        Statement::CreateView(create) if create.materialized => materialized::plan_create(planning, create, &create.query),
        Statement::CreateView(_) => Ok(Planned::command(Plan::CreateView)),
        Statement::AlterTable(_) => Ok(Planned::command(Plan::AlterTable)),
        Statement::AlterSchema(_) => Ok(Planned::command(Plan::AlterSchema)),
        Statement::CreateExtension(_) | Statement::DropExtension(_) => Ok(Planned::command(Plan::Extension)),
        Statement::Comment { .. } => Ok(Planned::command(Plan::Comment)),
        Statement::Drop {
            object_type: ObjectType::Table | ObjectType::View | ObjectType::MaterializedView | ObjectType::Sequence | ObjectType::Index,
            ..
        } => Ok(Planned::command(Plan::Drop)),
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
        Plan::CreateTableAs(plan) => create_table_as::execute(plan, execution).await,
        Plan::DropSchema => drop_schema::execute(execution),
        Plan::CreateSequence => create_sequence::execute(execution),
        Plan::CreateIndex => create_index::execute(execution),
        Plan::CreateView => create_view::execute(execution),
        Plan::CreateMaterialized(plan) => materialized::create(plan, execution).await,
        Plan::Refresh(plan) => materialized::refresh(plan, execution).await,
        Plan::AlterTable => alter_table::execute(execution),
        Plan::AlterSchema => alter_schema::execute(execution),
        Plan::Extension => extension::execute(execution),
        Plan::Comment => comment::execute(execution),
        Plan::Drop => drop::execute(execution),
        Plan::Truncate => truncate::execute(execution),
        Plan::Select(plan) => select::execute(plan, execution),
        Plan::Lock(plan) => lock_rows::execute(plan, execution).await,
        Plan::Insert(plan) => insert::execute(plan, execution).await,
        Plan::Update(plan) => update::execute(plan, execution).await,
        Plan::Delete(plan) => delete::execute(plan, execution).await,
        Plan::Merge(plan) => merge::execute(plan, execution).await,
        Plan::With(plan) => with::execute(plan, execution).await,
        Plan::CopyTo(plan) => copy_to::execute(plan, execution),
        Plan::Explain(plan) => explain::execute(plan, execution).await,
        Plan::Constraints(constraints) => set_constraints::execute(constraints, execution),
        Plan::LockTable(lock) => lock_table::execute(lock, execution).await,
        Plan::Authority(command) => authority::execute(command, execution),
        Plan::Graph(command) => property_graph::execute(command, execution),
        Plan::Hold(command) => hold::execute(command, execution),
        Plan::Block(_)
        | Plan::Configure(_)
        | Plan::Named(_)
        | Plan::Cursor(_)
        | Plan::Notify(_)
        | Plan::Maintenance(_)
        | Plan::Erase(_)
        | Plan::Expire(_)
        | Plan::CopyFrom(_) => Err(SqlError::internal("this statement is run by the session")),
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
    SqlError::unsupported(name.join(" ").to_uppercase())
}

/// `SELECT expr`
pub(crate) fn one_row_of(expr: Expr) -> Statement {
    rewrite::select(None, vec![rewrite::item(expr, "value")], Vec::new(), None)
}

impl Planning<'_> {
    /// A query of this statement's text, possibly rewritten.
    pub(crate) fn query<'s>(&'s self, statement: &'s Statement) -> Query<'s> {
        Query { statement, text: &self.parsed.source }
    }

    /// Binds a query. Types the client gave stay as given.
    pub(crate) fn describe(&self, statement: &Statement, local: Option<&MemoryTable>, given: &[Option<SqlType>]) -> SqlResult<Described> {
        let binding = Binding { scope: self.scope, transaction: self.transaction, local, ctes: self.ctes, passed: &[] };
        let types: Vec<_> = given.iter().map(|given| given.map(SqlType::arrow)).collect();
        let environment = self.view.environment(self.scope, &self.parsed.source);
        let shape = self.view.database.relational.bind(self.query(statement), &binding, &environment, &types)?;
        // A search in a past that the names are of has its commit in the plan.
        let is_lasting = |name: &String| match graph_paths::is_search(name) {
            true => self.scope.searched.moved.is_none(),
            false => self.view.database.is_own_function(name),
        };
        if !shape.calls().iter().all(is_lasting) {
            self.is_lasting.set(false);
        }
        let columns = columns_of(&shape)?;
        let mut parameters = Vec::new();
        for (at, data_type) in shape.parameters().enumerate() {
            parameters.push(match given.get(at).copied().flatten() {
                Some(given) => given,
                None => shown_type(data_type)?,
            });
        }
        // Types given for parameters that the text does not mention count too.
        for given in given.iter().skip(parameters.len()) {
            parameters.push(given.unwrap_or(SqlType::Text));
        }
        Ok(Described { shape, columns, parameters })
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

    /// The transaction as this statement reads it.
    pub(crate) fn reading(&self) -> &Transaction {
        match self.reading {
            Some(reading) => reading,
            None => self.transaction,
        }
    }

    /// Starts a query on this transaction's view; the parameters it mentions are those of the statement.
    pub(crate) fn rows(&self, shape: &Arc<Shape>, local: Option<&MemoryTable>) -> SqlResult<relational::Rows> {
        self.rows_passing(shape, local, &[])
    }

    /// Likewise, passing over the rows of some tables that others have locked.
    pub(crate) fn rows_passing(
        &self,
        shape: &Arc<Shape>,
        local: Option<&MemoryTable>,
        passed: &[(String, RowLocks)],
    ) -> SqlResult<relational::Rows> {
        let binding = Binding { scope: self.scope, transaction: self.reading(), local, ctes: self.ctes, passed };
        self.view.database.relational.run(shape, &binding, self.view.moment(), self.parameters.arrays, &self.limits(shape))
    }

    /// What holds a query of it back, and what that brings along.
    pub(crate) fn limits(&self, shape: &Shape) -> RunLimits {
        let functions = self.view.run_functions(self.scope, shape.calls());
        RunLimits { interrupt: self.watch.interrupt(), memory_bytes: self.view.settings.statement_memory(), functions }
    }
}

fn columns_of(shape: &Shape) -> SqlResult<Vec<Column>> {
    shape.fields().map(select::column_of).collect()
}

/// The SQL type of a computed column. Errors: 0A000 for Arrow types without one (lists, intervals …).
pub(crate) fn shown_type(data_type: &arrow::datatypes::DataType) -> SqlResult<SqlType> {
    SqlType::from_arrow(data_type).ok_or_else(|| {
        SqlError::unsupported(format!("a result column of type {data_type}")).hint("Cast it to text or to another type of this version.")
    })
}
