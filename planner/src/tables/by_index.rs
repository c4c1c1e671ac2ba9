//! Which index answers a scan, and when one does: few rows within its bounds, or the first in its order.
//!
//! X1: an index narrows what is read; every condition is compared again above the scan (B1 of `relational::table`).
//! X2: who looks up more entries than [`entries_max`] allows would have done better to read the table, and does.
//! X3: a role's right to the columns is checked before an index is asked.
//! X4: a SERIALIZABLE transaction leaves the trace that a scan within the same bounds leaves, or that of one value of a key.
//! Never: changes what a query answers.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type, SchemaRef};
use base::{RowId, SqlResult};
use engine::key_order::is_ordered;
use engine::{Computed, InOrder as Walk, KeyDef, KeyRange, Next, Step, TableView};
use relational::{Bound, Comparison, InOrder, Indexed, Order, OrderedRows, Partition, TableExpression, TableIndex};

use super::{BATCH_ROWS, StoredTable, read_bound, read_chunks, with_schema};
use crate::rule_text;

/// Indexes that are asked one after the other for few rows.
const TRIES_MAX: usize = 3;
/// Pieces of up to 8,192 rows that are decoded for the rows in them, whatever part of the table they are.
const PIECES_MAX: usize = 1_024;
/// Rows that are read at a time in an index's order: at first and at most.
const PAGE_ROWS: (usize, usize) = (16, 1_024);

/// Entries of an index that are looked at for a query of a table of so many rows: about what a scan takes the time of.
fn entries_max(rows: u64) -> usize {
    (rows / 64).clamp(64, 16_384) as usize
}

/// What an index is asked for.
struct Candidate<'t> {
    def: &'t KeyDef,
    range: KeyRange,
    /// Places of the bounds that made the range.
    used: Vec<usize>,
}

impl Candidate<'_> {
    /// Every column has one value.
    fn is_one_value(&self) -> bool {
        self.range.equal.len() == self.def.positions.len()
    }

    /// The better the more it says: one row at most, more columns with one value, a range with two ends, ends of more columns.
    fn rank(&self) -> (bool, usize, usize, usize) {
        let deep = match &self.range.next {
            Next::Within(low, high) => low.iter().chain(high).map(|(values, _)| values.len()).sum(),
            Next::Any | Next::Null => 0,
        };
        (self.def.unique && self.is_one_value(), self.range.equal.len(), self.used.len(), deep)
    }
}

/// The values of the first bound that lists some.
struct Listed {
    /// The bound's place.
    at: usize,
    /// How many bounds there are.
    count: usize,
    /// Columns, with a value each at every place of the list.
    columns: Vec<(usize, ArrayRef)>,
}

impl Listed {
    /// The bounds with the first values of the list in its place, and after them those of its further columns, by which indexes are chosen; and the list.
    fn of(bounds: &[Bound]) -> (Cow<'_, [Bound]>, Option<Self>) {
        let Some(at) = bounds.iter().position(|bound| bound.op == Comparison::In) else { return (Cow::Borrowed(bounds), None) };
        let bound = &bounds[at];
        let lists = std::iter::once((bound.column, &bound.value)).chain(bound.then.iter().map(|(column, values)| (*column, values)));
        let values = |(column, list): (usize, &ArrayRef)| Some((column, list.as_list_opt::<i32>()?.value(0)));
        let columns: Option<Vec<(usize, ArrayRef)>> = lists.map(values).collect();
        let Some(columns) = columns.filter(|columns| columns.iter().all(|(_, values)| !values.is_empty())) else {
            return (Cow::Borrowed(bounds), None);
        };
        let equal = |(column, values): &(usize, ArrayRef)| Bound {
            column: *column,
            op: Comparison::Eq,
            value: values.slice(0, 1),
            then: Vec::new(),
        };
        let mut first = bounds.to_vec();
        first[at] = equal(&columns[0]);
        first.extend(columns[1..].iter().map(equal));
        (Cow::Owned(first), Some(Self { at, count: bounds.len(), columns }))
    }

    /// Which columns of an index it gives values for, with these.
    fn places_in(&self, candidate: &Candidate<'_>) -> Vec<(usize, &ArrayRef)> {
        let place = |(place, at): (usize, &usize)| {
            let column = if *at == self.at { 0 } else { at.checked_sub(self.count)? + 1 };
            Some((place, &self.columns[column].1))
        };
        candidate.used.iter().take(candidate.range.equal.len()).enumerate().filter_map(place).collect()
    }

    /// Bounds by their places where the list is one of them.
    fn used(&self, used: &[usize]) -> Vec<usize> {
        let mut all = Vec::with_capacity(used.len());
        for at in used.iter().map(|at| if *at < self.count { *at } else { self.at }) {
            if !all.contains(&at) {
                all.push(at);
            }
        }
        all
    }
}

impl StoredTable {
    pub(super) fn table_indexes(&self) -> Vec<TableIndex> {
        let column = |position: &usize| {
            let nullable = self.table.columns.get(*position).is_none_or(|column| !column.not_null);
            is_ordered(self.table.type_at(*position)).then_some((self.shown_place(*position), nullable))
        };
        let index = |def: &KeyDef| {
            let columns: Vec<(usize, bool)> = def.positions.iter().map_while(column).collect();
            let is_whole = columns.len() == def.positions.len();
            // Of a foreign key some rows are in none.
            let columns = if def.holds_nulls { columns } else { Vec::new() };
            let condition = def.condition.map(|place| place - self.table.columns.len());
            TableIndex { name: def.name.clone(), columns, condition, is_unique: def.unique && is_whole }
        };
        self.table.keys().iter().map(index).collect()
    }

    /// The place that a query knows a key's place by: hidden columns stand between columns and expressions there.
    fn shown_place(&self, place: usize) -> usize {
        if place < self.table.columns.len() { place } else { place + self.hidden }
    }

    /// What the table's keys compute. What cannot be read is left to whoever computes it.
    pub(super) fn table_expressions(&self) -> Vec<TableExpression> {
        let one = |computed: &Computed| {
            let shown = match computed.program(self.view.ledger().options().expressions(), &self.table) {
                Ok(program) => program.shown().to_owned(),
                Err(_) => computed.text.clone(),
            };
            let statement = rule_text::selected(&computed.text)?;
            Ok(TableExpression { shown, statement, data_type: computed.sql_type.arrow() })
        };
        self.table.all_computed().iter().map(one).collect::<SqlResult<_>>().unwrap_or_default()
    }

    /// The range that bounds make of a key.
    fn candidate<'t>(&self, def: &'t KeyDef, bounds: &[Bound]) -> Candidate<'t> {
        let with = |place: usize, ops: &[Comparison]| {
            bounds.iter().position(|bound| bound.column == self.shown_place(place) && ops.contains(&bound.op))
        };
        let value = |at: usize| Arc::clone(&bounds[at].value);
        let (mut equal, mut used) = (Vec::new(), Vec::new());
        for position in &def.positions {
            let Some(at) = with(*position, &[Comparison::Eq]) else { break };
            equal.push(value(at));
            used.push(at);
        }
        let mut next = Next::Any;
        if let Some(position) = def.positions.get(equal.len()).filter(|position| is_ordered(self.table.type_at(**position))) {
            let end = |ops: [Comparison; 2]| {
                let at = with(*position, &ops)?;
                let values = self.end(&def.positions[equal.len()..], &bounds[at]);
                let is_within = bounds[at].op == ops[1] || is_zero(&bounds[at].value);
                Some((at, (values, is_within)))
            };
            let low = end([Comparison::Gt, Comparison::Ge]);
            let high = end([Comparison::Lt, Comparison::Le]);
            if let (None, None, Some(at)) = (&low, &high, with(*position, &[Comparison::Null])) {
                used.push(at);
                next = Next::Null;
            }
            if low.is_some() || high.is_some() {
                used.extend(low.iter().chain(&high).map(|(at, _)| *at));
                next = Next::Within(low.map(|(_, end)| end), high.map(|(_, end)| end));
            }
        }
        Candidate { def, range: KeyRange { equal, next }, used }
    }

    /// The values of a bound that an index over columns at these places has in its order.
    fn end(&self, positions: &[usize], bound: &Bound) -> Vec<ArrayRef> {
        let further = positions.iter().skip(1).zip(&bound.then);
        let fitting = further.take_while(|(position, (column, value))| {
            let sql_type = self.table.type_at(**position);
            self.shown_place(**position) == *column && is_ordered(sql_type) && *value.data_type() == sql_type.arrow()
        });
        std::iter::once(&bound.value).chain(fitting.map(|(_, (_, value))| value)).map(Arc::clone).collect()
    }

    /// Indexes that may be asked and that bounds, or their conditions, say something of, the best first.
    fn candidates(&self, bounds: &[Bound], askable: &[bool]) -> Vec<Candidate<'_>> {
        // Of a foreign key only rows without NULL are there.
        let is_valued = |candidate: &Candidate<'_>| {
            candidate.used.len() >= candidate.def.positions.len() && !matches!(candidate.range.next, Next::Null)
        };
        let is_whole = |candidate: &Candidate<'_>| candidate.def.holds_nulls || is_valued(candidate);
        let may_ask = |at: usize, def: &KeyDef| askable.get(at).copied().unwrap_or(def.condition.is_none());
        let keys = self.table.keys().iter().enumerate();
        let served = keys.filter(|(at, def)| may_ask(*at, def) && self.view.is_served_by(def)).map(|(_, def)| def);
        let says = |candidate: &Candidate<'_>| !candidate.used.is_empty() || candidate.def.condition.is_some();
        let mut all: Vec<Candidate<'_>> =
            served.map(|def| self.candidate(def, bounds)).filter(|candidate| says(candidate) && is_whole(candidate)).collect();
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.rank()));
        all.truncate(TRIES_MAX);
        all
    }

    pub(super) fn find_by_index(&self, projection: &[usize], bounds: &[Bound], askable: &[bool]) -> SqlResult<Option<Indexed>> {
        if bounds.is_empty() && self.table.keys().iter().all(|def| def.condition.is_none()) {
            return Ok(None);
        }
        self.check_columns(projection)?;
        let entries_max = entries_max(self.view.row_count());
        let (first, listed) = Listed::of(bounds);
        for candidate in self.candidates(&first, askable) {
            if let Some(listed) = &listed
                && !listed.places_in(&candidate).is_empty()
            {
                match self.find_listed(projection, (bounds, &candidate), listed, entries_max)? {
                    None => continue,
                    found => return Ok(found),
                }
            }
            if let Some(places) = self.places_in(&candidate, projection) {
                match self.find_in_index(projection, (bounds, &candidate), &places, entries_max)? {
                    None => continue,
                    found => return Ok(found),
                }
            }
            let is_one_row = candidate.def.unique && candidate.is_one_value();
            let found = if is_one_row {
                self.view.find_all(candidate.def, &candidate.range.equal)?
            } else {
                self.view.rows_within(candidate.def, &candidate.range, entries_max)?
            };
            let Some(mut rows) = found.filter(|rows| !self.is_scattered(rows)) else { continue };
            self.note_candidate(&candidate, bounds)?;
            rows.retain(|row| !self.is_passed(*row));
            let count = rows.len();
            let rows = self.read(rows, !is_one_row, projection)?;
            return Ok(Some(Indexed { name: candidate.def.name.clone(), bounds: candidate.used, is_only: false, count, rows }));
        }
        Ok(None)
    }

    /// Rows that an index has under each of several values.
    fn find_listed(
        &self,
        projection: &[usize],
        (bounds, candidate): (&[Bound], &Candidate<'_>),
        listed: &Listed,
        entries_max: usize,
    ) -> SqlResult<Option<Indexed>> {
        let Candidate { def, range, used } = candidate;
        let (places, mut range) = (listed.places_in(candidate), range.clone());
        let fits = |(place, values): &(usize, &ArrayRef)| values.data_type() == &self.table.type_at(def.positions[*place]).arrow();
        let count = places.first().map_or(0, |(_, values)| values.len());
        if !places.iter().all(fits) || count > entries_max {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for at in 0..count {
            places.iter().for_each(|(place, values)| range.equal[*place] = values.slice(at, 1));
            let Some(found) = self.view.rows_within(def, &range, entries_max)? else { return Ok(None) };
            rows.extend(found);
            if rows.len() > entries_max {
                return Ok(None);
            }
        }
        rows.sort_unstable();
        rows.dedup();
        if self.is_scattered(&rows) {
            return Ok(None);
        }
        self.note(bounds);
        rows.retain(|row| !self.is_passed(*row));
        let count = rows.len();
        let rows = self.read(rows, true, projection)?;
        Ok(Some(Indexed { name: def.name.clone(), bounds: listed.used(used), is_only: false, count, rows }))
    }

    /// Where the columns asked for stand in an index, if all of them can be read there and it saves something.
    fn places_in(&self, candidate: &Candidate<'_>, projection: &[usize]) -> Option<Vec<usize>> {
        let is_one_row = candidate.def.unique && candidate.is_one_value();
        if projection.is_empty() || self.passing.is_some() || is_one_row || self.has_row_id(projection) {
            return None;
        }
        let readable = &candidate.def.positions[..self.view.readable(candidate.def)];
        projection.iter().map(|column| readable.iter().position(|position| position == column)).collect()
    }

    /// Rows of which an index has all that is asked for.
    fn find_in_index(
        &self,
        projection: &[usize],
        (bounds, candidate): (&[Bound], &Candidate<'_>),
        places: &[usize],
        entries_max: usize,
    ) -> SqlResult<Option<Indexed>> {
        let Candidate { def, range, used } = candidate;
        let columns = places.iter().max().map_or(0, |last| last + 1);
        let Some(values) = self.view.values_within(def, range, entries_max, columns)? else { return Ok(None) };
        self.note_candidate(candidate, bounds)?;
        let columns: Vec<ArrayRef> = places.iter().map(|place| Arc::clone(&values[*place])).collect();
        let batch = RecordBatch::try_new(self.project(projection)?, columns).map_err(super::arrow_error)?;
        let count = batch.num_rows();
        let own = read_chunks(self.view.scan_own(projection, false), self.project(projection)?);
        let pieces = (0..count).step_by(BATCH_ROWS).map(move |from| Ok(batch.slice(from, BATCH_ROWS.min(count - from))));
        Ok(Some(Indexed { name: def.name.clone(), bounds: used.clone(), is_only: true, count, rows: Box::new(pieces.chain(own)) }))
    }

    pub(super) fn find_in_order(&self, projection: &[usize], bounds: &[Bound], order: Order) -> SqlResult<Option<OrderedRows>> {
        self.check_columns(projection)?;
        let Some(def) = self.table.keys().get(order.index).filter(|def| def.holds_nulls && self.view.is_served_by(def)) else {
            return Ok(None);
        };
        let entries_max = entries_max(self.view.row_count());
        if order.wanted > entries_max {
            return Ok(None);
        }
        let Candidate { mut range, .. } = self.candidate(def, bounds);
        if order.not_null && matches!(range.next, Next::Any) && range.equal.len() < def.positions.len() {
            range.next = Next::Within(None, None);
        }
        let Some(walk) = self.view.in_order(def, &range, order.backward)? else { return Ok(None) };
        self.note(bounds);
        let rows = Ordered {
            walk,
            view: self.view.clone(),
            passing: self.passing.clone().map(|locks| (locks, Arc::clone(&self.table))),
            schema: self.project(projection)?,
            user: self.user_columns(projection),
            with_row_id: self.has_row_id(projection),
            page_rows: order.wanted.clamp(PAGE_ROWS.0, PAGE_ROWS.1),
            entries_max,
            is_over: false,
        };
        Ok(Some(Box::new(rows)))
    }

    /// X4.
    pub(super) fn note(&self, bounds: &[Bound]) {
        if self.view.is_traced() {
            let width = self.table.columns.len();
            let told = |bound: &&Bound| bound.column < width && !matches!(bound.op, Comparison::Null | Comparison::In);
            self.view.note_scan(bounds.iter().filter(told).map(read_bound).collect());
        }
    }

    /// X4, for rows that an index found.
    fn note_candidate(&self, candidate: &Candidate<'_>, bounds: &[Bound]) -> SqlResult<()> {
        if candidate.is_one_value() {
            return self.view.note_value(candidate.def, &candidate.range.equal);
        }
        self.note(bounds);
        Ok(())
    }

    /// Whether the rows, ascending, lie in so many places of the table that it is better read as a whole.
    fn is_scattered(&self, rows: &[RowId]) -> bool {
        let pieces = rows.chunk_by(|a, b| a.0 / BATCH_ROWS as u64 == b.0 / BATCH_ROWS as u64).count();
        pieces > PIECES_MAX && pieces as u64 > self.view.row_count() / BATCH_ROWS as u64 / 4
    }

    /// Rows by their ids, and with `own` all that this transaction wrote.
    fn read(&self, rows: Vec<RowId>, own: bool, projection: &[usize]) -> SqlResult<Partition> {
        let (schema, user, with_row_id) = (self.project(projection)?, self.user_columns(projection), self.has_row_id(projection));
        let chunks = if own { self.view.scan_own(&user, with_row_id) } else { Vec::new() };
        let (view, of_own) = (self.view.clone(), read_chunks(chunks, Arc::clone(&schema)));
        let pages: Vec<Vec<RowId>> = rows.chunks(BATCH_ROWS).map(<[RowId]>::to_vec).collect();
        let found = pages.into_iter().flat_map(move |page| gather(&view, &page, (&user, with_row_id), &schema));
        Ok(Box::new(found.chain(of_own)))
    }
}

fn gather(view: &TableView, rows: &[RowId], (user, with_row_id): (&[usize], bool), schema: &SchemaRef) -> Vec<SqlResult<RecordBatch>> {
    match view.gather(rows, user, with_row_id) {
        Ok(batches) => batches.iter().map(|batch| with_schema(batch, schema)).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// Arrow's order has two zeros, an index one.
fn is_zero(value: &ArrayRef) -> bool {
    match value.data_type() {
        DataType::Float32 => value.as_primitive::<Float32Type>().value(0) == 0.0,
        DataType::Float64 => value.as_primitive::<Float64Type>().value(0) == 0.0,
        _ => false,
    }
}

/// Rows in the order of an index, a page at a time.
struct Ordered {
    walk: Walk,
    view: TableView,
    passing: Option<(engine::RowLocks, Arc<engine::TableDef>)>,
    schema: SchemaRef,
    user: Vec<usize>,
    with_row_id: bool,
    page_rows: usize,
    entries_max: usize,
    is_over: bool,
}

impl Iterator for Ordered {
    type Item = SqlResult<InOrder>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let page = self.page();
        self.is_over |= !matches!(page, Some(Ok(InOrder::Rows(_))));
        page
    }
}

impl Ordered {
    fn page(&mut self) -> Option<SqlResult<InOrder>> {
        let mut rows = Vec::with_capacity(self.page_rows);
        while rows.len() < self.page_rows {
            if self.walk.entries() > self.entries_max {
                return Some(Ok(InOrder::GaveUp));
            }
            match self.walk.step() {
                Ok(Step::Row(row)) if self.passing.as_ref().is_some_and(|(locks, table)| !locks.is_free_and_newest(table, row)) => {}
                Ok(Step::Row(row)) => rows.push(row),
                Ok(Step::End) => {
                    self.is_over = true;
                    break;
                }
                Ok(Step::Disorder) => return Some(Ok(InOrder::GaveUp)),
                Err(error) => return Some(Err(error)),
            }
        }
        self.page_rows = (self.page_rows * 2).min(PAGE_ROWS.1);
        if rows.is_empty() {
            return None;
        }
        let batches = self.view.gather(&rows, &self.user, self.with_row_id);
        let joined = batches.and_then(|batches| match batches.as_slice() {
            [one] => with_schema(one, &self.schema),
            many => {
                let schema = many.first().map_or_else(|| Arc::clone(&self.schema), |batch| batch.schema());
                let joined = arrow::compute::concat_batches(&schema, many).map_err(super::arrow_error)?;
                with_schema(&joined, &self.schema)
            }
        });
        Some(joined.map(InOrder::Rows))
    }
}
