//! SELECT … FOR UPDATE and its kin: the query also answers the ids of the rows it shows, which are locked before any is shown.
//!
//! K1: what is shown are the newest versions, and stays so until the transaction ends or the lock allows otherwise.
//! K2: SKIP LOCKED leaves rows out where tables are read, so that LIMIT counts those that are there; a row that has ended since the snapshot counts
//!     as one that is locked still.
//! Never: waits; the session does, and runs the statement again.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::{RowLocks, Strength, TableDef};
use futures::StreamExt;
use futures::stream;
use relational::Shape;
use sqlparser::ast::{
    Expr, GroupByExpr, LockClause, NonBlock, ObjectName, Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, Visit,
    Visitor,
};

use super::hints::Hints;
use super::select::{self, KeySelect};
use super::{Described, Execution, Planned, Planning, rewrite};
use crate::lock_syntax;
use crate::names::{Name, fold};
use crate::outcome::{Column, Outcome};
use crate::tables::{ROW_ID, arrow_error};

/// How often rows that others locked between the look and the grasp are looked for again.
const LOOKS_MAX: usize = 100;

/// How such a SELECT runs.
#[derive(Debug)]
pub(crate) struct Plan {
    find: Find,
    tables: Vec<Locked>,
    columns: Arc<[Column]>,
}

#[derive(Debug)]
enum Find {
    /// One row by its key.
    Key(KeySelect),
    /// Any query: its columns, then a row id for each of the tables.
    Query(Arc<Shape>),
}

/// A table whose rows are locked.
#[derive(Debug)]
struct Locked {
    alias: String,
    table: Arc<TableDef>,
    strength: Strength,
    policy: Policy,
}

/// What to do about a row that another has locked; the last one named wins over those before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Policy {
    Wait,
    Skip,
    Refuse,
}

impl Plan {
    pub(crate) fn verb(&self) -> &'static str {
        match self.tables.iter().map(|locked| locked.strength).max() {
            Some(Strength::NoKeyUpdate) => "SELECT FOR NO KEY UPDATE",
            Some(Strength::Share) => "SELECT FOR SHARE",
            Some(Strength::KeyShare) => "SELECT FOR KEY SHARE",
            Some(Strength::Update | Strength::Table(_)) | None => "SELECT FOR UPDATE",
        }
    }

    pub(super) fn explained(&self) -> (String, Option<&Arc<Shape>>) {
        match &self.find {
            Find::Key(key) => (format!("LockRows\n  {}", key.explained()), None),
            Find::Query(shape) => ("LockRows".to_owned(), Some(shape)),
        }
    }

    /// The lookup by key, if it is one.
    pub(crate) fn looked_up(&self) -> Option<(&TableDef, Vec<usize>)> {
        match &self.find {
            Find::Key(key) => Some(key.looked_up()),
            Find::Query(_) => None,
        }
    }
}

/// The tables of a FROM list that a locking query names, with what calls them.
pub(super) fn named_tables(query: &Query) -> Vec<(&ObjectName, String)> {
    let SetExpr::Select(select) = query.body.as_ref() else { return Vec::new() };
    let mut items = Vec::new();
    select.from.iter().for_each(|from| collect(from, &mut items));
    let wanted: Vec<_> = query.locks.iter().map(lock_syntax::read).collect();
    let is_meant = |alias: &str| wanted.iter().any(|(_, of)| of.is_empty() || of.iter().any(|name| fold(name) == alias));
    items.into_iter().filter_map(|(name, alias)| Some((name?, alias))).filter(|(_, alias)| is_meant(alias)).collect()
}

/// Every item of a FROM clause: its name, where it is a table, and its alias.
fn collect<'a>(from: &'a TableWithJoins, items: &mut Vec<(Option<&'a ObjectName>, String)>) {
    for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let last = name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
                items.push((Some(name), alias.as_ref().map_or(last, |alias| fold(&alias.name))));
            }
            TableFactor::NestedJoin { table_with_joins, .. } => collect(table_with_joins, items),
            TableFactor::Derived { alias, .. } | TableFactor::TableFunction { alias, .. } | TableFactor::UNNEST { alias, .. } => {
                items.push((None, alias.as_ref().map(|alias| fold(&alias.name)).unwrap_or_default()));
            }
            _ => items.push((None, String::new())),
        }
    }
}

pub(super) fn plan(planning: &Planning<'_>, query: &Query) -> SqlResult<Planned> {
    let verb = query.locks.first().map_or("FOR UPDATE", |clause| lock_syntax::name(lock_syntax::read(clause).0));
    let select = lockable(query, verb)?;
    let tables = locked_tables(planning, query, select, verb)?;
    let mut unlocked = query.clone();
    unlocked.locks.clear();
    if tables.is_empty() {
        // There is nothing to lock.
        return select::plan(planning, &Statement::Query(Box::new(unlocked.clone())), &unlocked);
    }
    let mut hints = Hints::new(planning.given);
    if tables.len() == 1
        && let Some(key) = select::plan_key(planning, &unlocked, &mut hints)?
    {
        let columns = key.columns();
        let plan = Plan { find: Find::Key(key), tables, columns: Arc::clone(&columns) };
        return Ok(Planned { plan: super::Plan::Lock(Box::new(plan)), parameters: hints.complete()?, columns: Some(columns) });
    }
    if let SetExpr::Select(select) = unlocked.body.as_mut() {
        let ids = tables.iter().enumerate();
        select.projection.extend(ids.map(|(at, locked)| rewrite::item(rewrite::column(&locked.alias, ROW_ID), format!("\u{1}row{at}"))));
    }
    let Described { shape, mut columns, parameters } = planning.describe(&Statement::Query(Box::new(unlocked)), None, planning.given)?;
    columns.truncate(columns.len() - tables.len());
    let columns: Arc<[Column]> = columns.into();
    let plan = Plan { find: Find::Query(shape), tables, columns: Arc::clone(&columns) };
    Ok(Planned { plan: super::Plan::Lock(Box::new(plan)), parameters, columns: Some(columns) })
}

/// The SELECT of a query whose rows are rows of tables. Errors: 0A000, as Postgres words it.
fn lockable<'q>(query: &'q Query, verb: &str) -> SqlResult<&'q Select> {
    let refused = |what: &str| Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{verb} is not allowed with {what}")));
    let select = match query.body.as_ref() {
        SetExpr::Select(select) => select,
        SetExpr::Values(_) => return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{verb} cannot be applied to VALUES"))),
        _ => return refused("UNION/INTERSECT/EXCEPT"),
    };
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(exprs, _) => !exprs.is_empty(),
        GroupByExpr::All(_) => true,
    };
    match () {
        () if select.distinct.is_some() => refused("DISTINCT clause"),
        () if is_grouped => refused("GROUP BY clause"),
        () if select.having.is_some() => refused("HAVING clause"),
        () => match computed_over_many(&select.projection) {
            Some(what) => refused(what),
            None => Ok(select),
        },
    }
}

/// What in a list makes one value out of many rows.
fn computed_over_many(items: &[SelectItem]) -> Option<&'static str> {
    struct Many(Option<&'static str>);
    impl Visitor for Many {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> std::ops::ControlFlow<()> {
            const AGGREGATES: [&str; 12] =
                ["count", "sum", "avg", "min", "max", "array_agg", "string_agg", "bool_and", "bool_or", "every", "json_agg", "jsonb_agg"];
            if let Expr::Function(call) = expr {
                let name = call.name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
                match call.over {
                    Some(_) => self.0 = Some("window functions"),
                    None if AGGREGATES.contains(&name.as_str()) => self.0 = Some("aggregate functions"),
                    None => {}
                }
            }
            std::ops::ControlFlow::Continue(())
        }
        fn pre_visit_query(&mut self, _: &Query) -> std::ops::ControlFlow<()> {
            // A query of its own.
            std::ops::ControlFlow::Break(())
        }
    }
    let mut many = Many(None);
    for item in items {
        let _ = item.visit(&mut many);
    }
    many.0
}

/// What the clauses lock: tables of the FROM list, each with its greatest strength. Errors: 42P01, 42601, 0A000.
fn locked_tables(planning: &Planning<'_>, query: &Query, select: &Select, verb: &str) -> SqlResult<Vec<Locked>> {
    let mut items = Vec::new();
    select.from.iter().for_each(|from| collect(from, &mut items));
    let mut tables: Vec<Locked> = Vec::new();
    for clause in &query.locks {
        let (strength, of) = lock_syntax::read(clause);
        let target = match of.as_slice() {
            [] => None,
            [name] => Some((fold(name), name.span)),
            [name, ..] => {
                let message = format!("{} must specify unqualified relation names", lock_syntax::name(strength));
                return Err(planning.parsed.point(SqlError::new(SqlState::SYNTAX_ERROR, message), name.span));
            }
        };
        if let Some((target, span)) = &target
            && !items.iter().any(|(_, alias)| alias == target)
        {
            let message = format!("relation \"{target}\" in {} clause not found in FROM clause", lock_syntax::name(strength));
            return Err(planning.parsed.point(SqlError::new(SqlState::UNDEFINED_TABLE, message), *span));
        }
        let is_meant = |alias: &str| target.as_ref().is_none_or(|(target, _)| target == alias);
        for (name, alias) in items.iter().filter(|(_, alias)| is_meant(alias)) {
            let Some(name) = name else {
                return Err(SqlError::unsupported(format!("{verb} of something in FROM that is not a table"))
                    .hint("Name the tables after OF, or lock in the subquery."));
            };
            if let Some(table) = stored(planning, query, name, verb)? {
                note(&mut tables, alias, table, strength, policy(clause));
            }
        }
    }
    Ok(tables)
}

fn note(tables: &mut Vec<Locked>, alias: &str, table: Arc<TableDef>, strength: Strength, policy: Policy) {
    match tables.iter_mut().find(|locked| locked.alias == alias) {
        Some(locked) => (locked.strength, locked.policy) = (locked.strength.max(strength), locked.policy.max(policy)),
        None => tables.push(Locked { alias: alias.to_owned(), table, strength, policy }),
    }
}

fn policy(clause: &LockClause) -> Policy {
    match clause.nonblock {
        None => Policy::Wait,
        Some(NonBlock::Nowait) => Policy::Refuse,
        Some(NonBlock::SkipLocked) => Policy::Skip,
    }
}

/// The stored table that a name means; `None` for a WITH query and for what nobody writes, whose rows need no lock.
fn stored(planning: &Planning<'_>, query: &Query, name: &ObjectName, verb: &str) -> SqlResult<Option<Arc<TableDef>>> {
    let name = Name::of(name, planning.view.database.name())?;
    let is_local = name.schema.is_none()
        && (query.with.iter().flat_map(|with| &with.cte_tables).any(|cte| fold(&cte.alias.name) == name.name)
            || planning.ctes.iter().any(|local| local.name == name.name));
    if is_local {
        return Ok(None);
    }
    if planning.scope.view(name.schema.as_deref(), &name.name).is_some() {
        return Err(SqlError::unsupported(format!("{verb} of a view")));
    }
    Ok(planning.scope.stored(name.schema.as_deref(), &name.name).cloned())
}

pub(super) async fn execute(plan: &Plan, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let batches = match &plan.find {
        Find::Key(key) => by_key(plan, key, execution)?.into_iter().collect(),
        Find::Query(shape) => by_query(plan, shape, execution).await?,
    };
    let batches = stream::iter(batches.into_iter().map(Ok)).boxed();
    Ok(Outcome::Rows { columns: Arc::clone(&plan.columns), batches, tag: "SELECT" })
}

fn by_key(plan: &Plan, key: &KeySelect, execution: &mut Execution<'_>) -> SqlResult<Option<RecordBatch>> {
    let (Some((row, values)), [locked]) = (key.find(execution)?, &plan.tables[..]) else { return Ok(None) };
    if locked.policy == Policy::Skip && !execution.transaction.row_locks(locked.strength).is_free(&locked.table, row) {
        return Ok(None);
    }
    let is_shown = locked.lock(&[row], execution)?;
    is_shown.then(|| key.answer(&values)).transpose()
}

async fn by_query(plan: &Plan, shape: &Arc<Shape>, execution: &mut Execution<'_>) -> SqlResult<Vec<RecordBatch>> {
    let passed: Vec<(String, RowLocks)> = plan
        .tables
        .iter()
        .filter(|locked| locked.policy == Policy::Skip)
        .map(|locked| (format!("{}.{}", locked.table.schema, locked.table.name), execution.transaction.row_locks(locked.strength)))
        .collect();
    for _ in 0..LOOKS_MAX {
        let mut found = execution.rows_passing(shape, None, &passed)?;
        let mut batches = Vec::new();
        while let Some(batch) = execution.watch.next(&mut found.stream).await? {
            batches.push(batch);
        }
        if plan.lock(&batches, execution)? {
            let shown: Vec<usize> = (0..plan.columns.len()).collect();
            return batches.iter().map(|batch| batch.project(&shown).map_err(arrow_error)).collect();
        }
    }
    Err(SqlError::new(SqlState::LOCK_NOT_AVAILABLE, "rows that were free were locked by others again and again")
        .hint("The statement might succeed if retried."))
}

impl Plan {
    /// Locks the rows shown; false where some that were to be passed over have been locked since (K2).
    fn lock(&self, batches: &[RecordBatch], execution: &mut Execution<'_>) -> SqlResult<bool> {
        for (at, locked) in self.tables.iter().enumerate() {
            let mut seen = HashSet::new();
            let mut rows = Vec::new();
            for batch in batches {
                let ids = batch.column(self.columns.len() + at);
                let ids = ids.as_primitive_opt::<Int64Type>().ok_or_else(|| SqlError::internal("row ids came back in another type"))?;
                // The other side of an outer join has no row.
                rows.extend(ids.iter().flatten().filter(|id| seen.insert(*id)).map(|id| RowId(id.cast_unsigned())));
            }
            let locks = execution.transaction.row_locks(locked.strength);
            if locked.policy == Policy::Skip && rows.iter().any(|row| !locks.is_free_and_newest(&locked.table, *row)) {
                return Ok(false);
            }
            if !locked.lock(&rows, execution)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Locked {
    /// Locks rows; false where another was quicker and they are to be passed over. Errors: what `Transaction::lock_rows` says.
    fn lock(&self, rows: &[RowId], execution: &mut Execution<'_>) -> SqlResult<bool> {
        match execution.transaction.lock_rows(&self.table, rows, self.strength, self.policy != Policy::Wait) {
            Err(error) if self.policy == Policy::Skip && error.state() == SqlState::LOCK_NOT_AVAILABLE => Ok(false),
            outcome => outcome.map(|()| true),
        }
    }
}
