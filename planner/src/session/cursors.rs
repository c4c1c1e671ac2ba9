//! DECLARE, FETCH, MOVE, CLOSE: a query that is read in pieces of the client's choice.
//!
//! E11: a cursor sees the snapshot of its DECLARE. It ends with its transaction; WITH HOLD it is read to its end before the commit and stays.
//! E12: what may have to be read again (SCROLL, or nothing said) is kept in memory, within bounds; NO SCROLL keeps one batch.
//! Never: runs a query again to go back.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::{Isolation, SqlType, TableDef};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::blocks::{BlockKind, Open, State};
use super::{Prepared, Session, current_of};
use crate::backends::CursorSeen;
use crate::cancel::Watch;
use crate::cursor_syntax::{Direction, Fetch};
use crate::outcome::{Column, Outcome, Tag};
use crate::statements::cursor::{Cursor as Statement, Manner};
use crate::tables::{arrow_error, row_ids};
use crate::view::View;

/// What one cursor may keep of its rows.
const KEPT_BYTES_MAX: usize = 256 << 20;
/// Cursors a session may have.
const CURSORS_MAX: usize = 1_000;

/// The cursors of one session.
#[derive(Default)]
pub(super) struct Cursors(BTreeMap<String, Cursor>);

struct Cursor {
    columns: Arc<[Column]>,
    rest: Option<BoxStream<'static, SqlResult<RecordBatch>>>,
    kept: Kept,
    scroll: Option<bool>,
    /// It outlives its transaction.
    hold: bool,
    /// All its rows are here.
    is_held: bool,
    /// The transaction that declared it has not ended.
    is_new: bool,
    /// As `pg_cursors` shows it.
    seen: CursorSeen,
    /// Savepoints of its block when it was declared.
    depth: usize,
    /// Where its rows are those of a table, their ids are a column of theirs behind those that clients see.
    table: Option<Arc<TableDef>>,
    /// It locks its rows.
    locks: bool,
    /// FETCH answers in the binary format.
    binary: bool,
    /// The present row, from 1; 0 before the first, one more than there are behind the last.
    position: u64,
}

/// Rows read from the query.
#[derive(Default)]
struct Kept {
    /// Each with the number of its first row.
    batches: Vec<(u64, RecordBatch)>,
    /// Rows read in all.
    read: u64,
    bytes: usize,
    /// Rows before the kept ones are gone.
    forgot: bool,
}

impl Session {
    /// DECLARE, FETCH, MOVE, CLOSE.
    pub(super) async fn cursor(&mut self, statement: &Statement, prepared: &Prepared, parameters: Vec<ArrayRef>) -> SqlResult<Outcome> {
        match statement {
            Statement::Declare { name, manner, query } => {
                let types: Vec<_> = prepared.parameters.iter().copied().map(Some).collect();
                self.declare(name, *manner, query.clone(), (types, parameters)).await
            }
            Statement::Fetch(fetch) => self.fetch(fetch).await,
            Statement::Close { name: Some(name) } => match self.cursors.0.remove(name) {
                Some(_) => Ok(Outcome::Command(Tag::command("CLOSE CURSOR"))),
                None => Err(unknown(name)),
            },
            Statement::Close { name: None } => {
                self.cursors.0.clear();
                Ok(Outcome::Command(Tag::command("CLOSE CURSOR ALL")))
            }
        }
    }

    /// Columns of a cursor, for those who describe it as a portal. Errors: 34000.
    pub fn cursor_columns(&self, name: &str) -> SqlResult<Arc<[Column]>> {
        self.cursors.0.get(name).map(|cursor| Arc::clone(&cursor.columns)).ok_or_else(|| unknown(name))
    }

    /// Columns that a statement about cursors answers.
    pub(super) fn columns_of_cursor(&self, statement: &Statement) -> SqlResult<Option<Arc<[Column]>>> {
        match statement {
            Statement::Fetch(Fetch { name, is_move: false, .. }) => self.cursor_columns(name).map(Some),
            _ => Ok(None),
        }
    }

    /// Closes a cursor, if it exists.
    pub fn close_cursor(&mut self, name: &str) {
        self.cursors.0.remove(name);
    }

    /// The open cursors, for `pg_cursors`.
    pub(super) fn show_cursors(&self) {
        let seen = self.cursors.0.iter().map(|(name, cursor)| (name.clone(), cursor.seen.clone()));
        self.seat.backend.own().cursors = seen.collect();
    }

    pub(super) fn close_cursors(&mut self) {
        self.cursors.0.clear();
    }

    async fn declare(
        &mut self,
        name: &str,
        Manner { scroll, hold, binary }: Manner,
        query: crate::parse::Parsed,
        (types, parameters): (Vec<Option<SqlType>>, Vec<ArrayRef>),
    ) -> SqlResult<Outcome> {
        let in_block = match &self.state {
            State::Open(open) => open.block.kind == BlockKind::Explicit || self.implicit,
            _ => self.implicit,
        };
        if !in_block && !hold {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        if self.cursors.0.contains_key(name) {
            return Err(SqlError::new(SqlState("42P03"), format!("cursor \"{name}\" already exists")));
        }
        if self.cursors.0.len() >= CURSORS_MAX {
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("a session may have {CURSORS_MAX} cursors")));
        }
        let seen = CursorSeen {
            text: self.seat.backend.activity().query,
            hold,
            scroll: scroll != Some(false),
            binary,
            declared_us: self.now_us(),
        };
        let locks = matches!(&*query.statement, sqlparser::ast::Statement::Query(query) if !query.locks.is_empty());
        let (prepared, table) = self.prepare_cursor(query, &types).await?;
        if prepared.parameters.len() != parameters.len() {
            return Err(crate::cells::undefined_parameter(0));
        }
        // Each FETCH has a time of its own.
        let watch = Watch::start(&self.canceller, None);
        let Outcome::Rows { columns, batches, .. } = self.run_data(&prepared, parameters, watch).await? else {
            return Err(SqlError::internal("a cursor's query answers no rows"));
        };
        let depth = match &self.state {
            State::Open(Open { block, .. }) => block.savepoints.len(),
            _ => 0,
        };
        let (rest, kept) = (Some(batches), Kept::default());
        let seen_columns = columns.len() - usize::from(table.is_some());
        let columns = columns[..seen_columns].into();
        let (is_held, is_new) = (false, in_block);
        let mut cursor = Cursor { columns, rest, kept, scroll, hold, is_held, is_new, seen, depth, table, locks, binary, position: 0 };
        if !in_block {
            cursor.hold().await?;
        }
        self.cursors.0.insert(name.to_owned(), cursor);
        Ok(Outcome::Command(Tag::command("DECLARE CURSOR")))
    }

    /// The query of a cursor, with the ids of its table's rows where it has one (E23 of `current_of.rs`).
    async fn prepare_cursor(
        &mut self,
        query: crate::parse::Parsed,
        types: &[Option<SqlType>],
    ) -> SqlResult<(Prepared, Option<Arc<TableDef>>)> {
        let with_rows = {
            let spare;
            let transaction = match &self.state {
                State::Open(Open { transaction: Some(transaction), .. }) => transaction,
                _ => {
                    spare = self.begin(Isolation::ReadCommitted)?;
                    &spare
                }
            };
            let effects = self.effects();
            let view = View {
                database: &self.database,
                user: &self.user,
                settings: &self.settings,
                transaction_time_us: 0,
                effects: &effects,
                used: &self.used,
                seat: &self.seat,
            };
            current_of::with_rows(&query, &view.scope(transaction), self.database.name())
        };
        if let Some((with_rows, table)) = with_rows
            && let Ok(prepared) = self.prepare(with_rows, types).await
        {
            return Ok((prepared, Some(table)));
        }
        // Aggregates have no rows of a table, and who may not read rows whole has no ids of them.
        Ok((self.prepare(query, types).await?, None))
    }

    /// Whether what a cursor FETCHes is to be sent in the binary format.
    pub fn is_binary_cursor(&self, name: &str) -> bool {
        self.cursors.0.get(name).is_some_and(|cursor| cursor.binary)
    }

    async fn fetch(&mut self, fetch: &Fetch) -> SqlResult<Outcome> {
        let cursor = self.cursors.0.get_mut(&fetch.name).ok_or_else(|| unknown(&fetch.name))?;
        let watch = Watch::start(&self.canceller, self.settings.statement_timeout());
        let mut rows = watch.run(cursor.go(fetch.direction)).await?;
        if cursor.table.is_some() {
            let seen: Vec<usize> = (0..cursor.columns.len()).collect();
            rows = rows.iter().map(|batch| batch.project(&seen).map_err(arrow_error)).collect::<SqlResult<_>>()?;
        }
        if fetch.is_move {
            let count = rows.iter().map(|batch| batch.num_rows() as u64).sum();
            return Ok(Outcome::Command(Tag::counted("MOVE", count)));
        }
        let batches = stream::iter(rows.into_iter().map(Ok)).boxed();
        Ok(Outcome::Rows { columns: Arc::clone(&cursor.columns), batches, tag: "FETCH" })
    }

    /// Reads the cursors that stay to their ends, before their transaction commits (E11).
    pub(super) async fn hold_cursors(&mut self) -> SqlResult<()> {
        for cursor in self.cursors.0.values_mut().filter(|cursor| cursor.hold && !cursor.is_held) {
            cursor.hold().await?;
        }
        Ok(())
    }

    /// The transaction ended: without a commit nothing declared in it stays, held or not.
    pub(super) fn end_cursors(&mut self, committed: bool) {
        self.end_locks();
        self.cursors.0.retain(|_, cursor| cursor.is_held && (committed || !cursor.is_new));
        for cursor in self.cursors.0.values_mut() {
            cursor.is_new = false;
        }
    }

    /// A savepoint was returned to: what was declared after it is gone.
    pub(super) fn rewind_cursors(&mut self, depth: usize) {
        self.cursors.0.retain(|_, cursor| !cursor.is_new || cursor.depth <= depth);
    }
}

/// Where a cursor stands.
pub(super) enum Stand {
    On(RowId),
    Nowhere,
}

impl Cursors {
    /// The row of a table that a cursor stands on. Errors: 34000, 24000 for one whose rows are not the table's.
    pub(super) fn stand(&self, name: &str, table: &TableDef) -> SqlResult<Stand> {
        let cursor = self.0.get(name).ok_or_else(|| unknown(name))?;
        if cursor.is_held && !cursor.is_new {
            return Err(current_of::wrong(format!("cursor \"{name}\" is held from a previous transaction")));
        }
        if cursor.table.as_ref().is_none_or(|own| own.id != table.id) {
            let message = match cursor.locks {
                true => format!("cursor \"{name}\" does not have a FOR UPDATE/SHARE reference to table \"{}\"", table.name),
                false => format!("cursor \"{name}\" is not a simply updatable scan of table \"{}\"", table.name),
            };
            return Err(current_of::wrong(message));
        }
        let Some(batch) = cursor.rows(cursor.position, cursor.position)?.pop().filter(|_| cursor.position > 0) else {
            return Ok(Stand::Nowhere);
        };
        let ids = row_ids(batch.column(cursor.columns.len()))?;
        Ok(Stand::On(RowId(ids.value(0).cast_unsigned())))
    }
}

impl Cursor {
    async fn hold(&mut self) -> SqlResult<()> {
        self.read_to(u64::MAX).await?;
        self.is_held = true;
        Ok(())
    }

    /// Goes somewhere and gives the rows passed, the last one being the present.
    async fn go(&mut self, direction: Direction) -> SqlResult<Vec<RecordBatch>> {
        match direction {
            Direction::Forward(0) | Direction::Relative(0) => {
                self.read_to(self.position).await?;
                self.rows(self.position, self.position)
            }
            Direction::Forward(count) if count > 0 => self.forward(count.unsigned_abs()).await,
            Direction::ForwardAll => self.forward(u64::MAX).await,
            Direction::Forward(count) => self.backward(count.unsigned_abs()).await,
            Direction::BackwardAll => self.backward(u64::MAX).await,
            Direction::Absolute(at) if at >= 0 => self.jump(at.unsigned_abs()).await,
            Direction::Absolute(at) => {
                self.read_to(u64::MAX).await?;
                self.jump((self.kept.read + 1).saturating_sub(at.unsigned_abs())).await
            }
            Direction::Relative(by) => self.jump(self.position.saturating_add_signed(by)).await,
        }
    }

    async fn forward(&mut self, count: u64) -> SqlResult<Vec<RecordBatch>> {
        let first = self.position + 1;
        let wanted = self.position.saturating_add(count);
        self.read_to(wanted).await?;
        let last = wanted.min(self.kept.read);
        let rows = self.rows(first, last)?;
        self.position = if wanted > self.kept.read { self.kept.read + 1 } else { wanted };
        self.forget();
        Ok(rows)
    }

    /// Rows come in the order in which they are passed: the last first.
    async fn backward(&mut self, count: u64) -> SqlResult<Vec<RecordBatch>> {
        if self.position == 0 {
            return Ok(Vec::new());
        }
        let last = self.position - 1;
        let first = self.position.saturating_sub(count).max(1);
        self.check_scroll()?;
        let mut rows = Vec::new();
        for at in (first..=last).rev() {
            rows.extend(self.rows(at, at)?);
        }
        self.position = if count >= self.position { 0 } else { first };
        Ok(rows)
    }

    async fn jump(&mut self, at: u64) -> SqlResult<Vec<RecordBatch>> {
        if at < self.position || (at == self.position && at > 0) {
            self.check_scroll()?;
        }
        self.read_to(at).await?;
        self.position = at.min(self.kept.read + 1);
        self.rows(self.position, self.position)
    }

    fn check_scroll(&self) -> SqlResult<()> {
        if self.scroll != Some(false) && !self.kept.forgot {
            return Ok(());
        }
        Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
            .hint("Declare it with SCROLL option to enable backward scan."))
    }

    /// Reads until that many rows have been read, or all.
    async fn read_to(&mut self, rows: u64) -> SqlResult<()> {
        while self.kept.read < rows
            && let Some(rest) = &mut self.rest
        {
            match rest.next().await.transpose()? {
                None => self.rest = None,
                Some(batch) if batch.num_rows() == 0 => {}
                Some(batch) => {
                    self.kept.bytes += batch.get_array_memory_size();
                    let first = self.kept.read + 1;
                    self.kept.read += batch.num_rows() as u64;
                    self.kept.batches.push((first, batch));
                    self.check_room()?;
                }
            }
        }
        Ok(())
    }

    fn check_room(&mut self) -> SqlResult<()> {
        if self.kept.bytes <= KEPT_BYTES_MAX {
            return Ok(());
        }
        if self.scroll == Some(true) || self.hold {
            let message = format!("a cursor that is held or scrolls may have {} MiB of rows", KEPT_BYTES_MAX >> 20);
            return Err(
                SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message).hint("Declare it NO SCROLL and read it in its transaction.")
            );
        }
        self.scroll = Some(false);
        self.forget();
        Ok(())
    }

    /// Drops batches that no step forward reaches (E12).
    fn forget(&mut self) {
        if self.scroll == Some(false) && !self.hold {
            let position = self.position;
            let before = self.kept.batches.len();
            self.kept.batches.retain(|(first, batch)| first + batch.num_rows() as u64 > position);
            self.kept.forgot |= self.kept.batches.len() < before;
            self.kept.bytes = self.kept.batches.iter().map(|(_, batch)| batch.get_array_memory_size()).sum();
        }
    }

    /// Rows `first..=last`, as far as there are such.
    fn rows(&self, first: u64, last: u64) -> SqlResult<Vec<RecordBatch>> {
        let (first, last) = (first.max(1), last.min(self.kept.read));
        let mut found = Vec::new();
        for (start, batch) in &self.kept.batches {
            let end = start + batch.num_rows() as u64 - 1;
            let (from, to) = (first.max(*start), last.min(end));
            if from <= to {
                found.push(batch.slice((from - start) as usize, (to - from + 1) as usize));
            }
        }
        Ok(found)
    }
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}
