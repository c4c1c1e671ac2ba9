//! The door through which queries read: a table as of one snapshot, and the resolver that finds it by name.
//!
//! B1: a [`Bound`] is a hint; rows outside it may come back and are filtered above the scan.
//! B2: batches hold at most 8,192 rows.
//! Never: names DataFusion, so that implementors need not.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use base::{CommitSeq, SqlError, SqlResult};
use sqlparser::ast::Statement;

pub mod links;

use links::Links;

/// Key in a field's metadata; with value `"true"` the column is hidden: `SELECT *` leaves it out, naming it reads it.
pub const HIDDEN: &str = "shockwave.hidden";

/// Name of the hidden column that says of a row which table it is of; every table has it that has an oid and no column of that name.
pub const TABLE_OID: &str = "tableoid";

/// Key in a field's metadata: `oid,typmod` of the column's declared type, where Arrow's does not say it all.
pub const DECLARED_TYPE: &str = "shockwave.type";

/// Key in a field's metadata: `table oid,attribute number` of the column.
pub const TABLE_COLUMN: &str = "shockwave.column";

/// One independent stream of a scan's batches, in the projection's column order. Dropping it ends the scan.
///
/// `next()` is called from the query's own thread: it may compute and read mapped memory, not wait for long.
pub type Partition = Box<dyn Iterator<Item = SqlResult<RecordBatch>> + Send>;

/// An index of a table, for what it can answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// Place of each of its columns, and whether that can be NULL; only the first of them, where the others are in no order. Places are positions in
    /// [`Table::schema`], and from its end on those in [`Table::expressions`].
    pub columns: Vec<(usize, bool)>,
    /// Place in [`Table::expressions`] of the condition that its rows meet; all rows are in it where there is none.
    pub condition: Option<usize>,
    /// No two of its rows have the same values, NULLs apart.
    pub is_unique: bool,
}

/// An expression over the columns of a table: an index is over it, or has the rows that it is true of.
#[derive(Clone, PartialEq, Debug)]
pub struct TableExpression {
    /// As EXPLAIN shows it.
    pub shown: String,
    /// A list of it alone, over a table of any name that has the columns.
    pub statement: Statement,
    /// Type of its values.
    pub data_type: DataType,
}

/// Rows that an index found.
pub struct Indexed {
    /// The index's name.
    pub name: String,
    /// Which of the bounds it was asked for, by their places.
    pub bounds: Vec<usize>,
    /// Whether the rows' values came out of the index itself.
    pub is_only: bool,
    /// How many rows it found, about.
    pub count: usize,
    /// The rows, in no order.
    pub rows: Partition,
}

/// Which rows are wanted in the order of an index, and how many.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Order {
    /// Place of the index in [`Table::indexes`].
    pub index: usize,
    /// Descending, NULL first; otherwise ascending, NULL last.
    pub backward: bool,
    /// Of the first column that no bound binds to one value, no NULL.
    pub not_null: bool,
    /// Rows that will do; what is filtered above the scan does not count.
    pub wanted: usize,
}

/// What comes next of the rows in an index's order.
#[derive(Debug)]
pub enum InOrder {
    /// Some rows.
    Rows(RecordBatch),
    /// The order is not known further, or it would cost more than reading and sorting the table.
    GaveUp,
}

/// Rows in an index's order. Dropping it ends the read.
pub type OrderedRows = Box<dyn Iterator<Item = SqlResult<InOrder>> + Send>;

/// A table as of one snapshot. Every call on one value sees the same rows.
pub trait Table: Send + Sync + Debug {
    /// All columns, hidden ones included, which carry [`HIDDEN`] and whose names begin with `_`.
    fn schema(&self) -> SchemaRef;

    /// Its oid, which its rows tell in the column [`TABLE_OID`]; `None` for what is no table to a user.
    fn oid(&self) -> Option<u32> {
        None
    }

    /// Positions of the primary key's columns in [`Table::schema`], in key order; empty where there is no key.
    fn primary_key(&self) -> &[usize];

    /// The exact count of rows this snapshot sees, or `None` if it is not known without a scan.
    fn row_count(&self) -> Option<usize>;

    /// Columns that no two rows share the values of and that are never NULL, beside the primary key; none where there are none.
    fn unique_columns(&self) -> &[&str] {
        &[]
    }

    /// Columns of text that have no value but these, whatever the snapshot.
    fn told_values(&self) -> &[(&str, &[&str])] {
        &[]
    }

    /// Whether no snapshot of the table can ever have a row: then what a query computes over it need not be planned.
    fn is_always_empty(&self) -> bool {
        false
    }

    /// The row with this key, if any. `key` holds a one-row array a key column, in key order, typed as the column and never NULL.
    ///
    /// Batches have the whole schema. Errors: whatever reading can raise; they reach the user unchanged.
    fn lookup(&self, key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>>;

    /// All rows, at least those within every bound (B1), split over at most `partitions` (≥ 1) streams of about equal size.
    ///
    /// `projection` holds column positions, strictly rising, possibly none: then batches have no columns and a row count
    /// (`RecordBatch::try_new_with_options`). Errors: as for [`Table::lookup`].
    fn scan(&self, projection: &[usize], pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>>;

    /// Indexes that may answer [`Table::by_index`] and [`Table::in_order`]; the same for all snapshots of one definition.
    fn indexes(&self) -> Vec<TableIndex> {
        Vec::new()
    }

    /// Expressions that its indexes are about; likewise the same for all snapshots.
    fn expressions(&self) -> Vec<TableExpression> {
        Vec::new()
    }

    /// The same rows as [`Table::scan`] by an index, where one finds few; `None` where a scan is better. `askable` says of each of
    /// [`Table::indexes`] whether all rows within the bounds are in it.
    fn by_index(&self, _projection: &[usize], _pruning: &[Bound], _askable: &[bool]) -> SqlResult<Option<Indexed>> {
        Ok(None)
    }

    /// The same rows as [`Table::scan`] in the order of an index that has all of them. The bounds bind the index's first columns to one value each, as far as they do at all.
    /// `None` where the index cannot be asked, or reading all rows is better.
    fn in_order(&self, _projection: &[usize], _pruning: &[Bound], _order: Order) -> SqlResult<Option<OrderedRows>> {
        Ok(None)
    }

    /// What may know a way through joins of this table.
    fn links(&self) -> Option<Arc<dyn Links>> {
        None
    }

    /// The commit that its rows are as of, where all of them are committed and nobody notes which are read; then these columns may be read. Errors:
    /// 42501 for a column that may not.
    fn settled_at(&self, _projection: &[usize]) -> SqlResult<Option<CommitSeq>> {
        Ok(None)
    }

    /// Position of the column that numbers its rows; `None` where nothing does.
    fn row_id(&self) -> Option<usize> {
        None
    }

    /// Columns of rows by their numbers, in the order given; of any columns that [`Table::settled_at`] was asked for. Errors: XX000, XX001.
    fn rows_by_id(&self, _rows: &[u64], _projection: &[usize]) -> SqlResult<Vec<ArrayRef>> {
        Err(SqlError::internal("a table whose rows have no numbers"))
    }
}

/// `column op value`, all bounds of a scan joined by AND: whatever cannot satisfy it may be skipped.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Place, as those in [`TableIndex::columns`].
    pub column: usize,
    /// How the column compares to the value.
    pub op: Comparison,
    /// One row, typed as the column; NULL with [`Comparison::Null`], a list of such values with [`Comparison::In`], and never NULL otherwise.
    pub value: ArrayRef,
    /// Columns that go on where this one is equal, by their places, with values of their own: with [`Comparison::Ge`] and [`Comparison::Le`] rows are compared
    /// column by column, with [`Comparison::In`] what is at one place of the lists belongs together. Who does not look here reads more.
    pub then: Vec<(usize, ArrayRef)>,
}

/// The comparison of a [`Bound`], read `column op value`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `IS NULL`
    Null,
    /// `IN (…)`
    In,
}

/// Finds tables by name, for one statement.
pub trait Resolver: Send + Sync {
    /// The table, `schema` as written (already folded to lower case unless quoted) or `None` where the search path decides.
    ///
    /// Errors: 42P01, 3F000, 42501 …: they reach the user unchanged, with the name's position added if they have none.
    fn table(&self, schema: Option<&str>, name: &str) -> SqlResult<Arc<dyn Table>>;

    /// The view of that name, asked before [`Resolver::table`]. Errors: likewise.
    fn view(&self, _schema: Option<&str>, _name: &str) -> SqlResult<Option<View>> {
        Ok(None)
    }

    /// Asked of every view in a plan, those within views too, before the plan runs. Errors: 42501 for one that may not be read.
    fn enter_view(&self, _schema: Option<&str>, _name: &str) -> SqlResult<()> {
        Ok(())
    }
}

/// A stored query that stands for a table.
#[derive(Clone, Debug)]
pub struct View {
    /// The query; every table in it is named with its schema.
    pub statement: Statement,
    /// Names and types of its columns, in order.
    pub columns: Vec<(String, DataType)>,
}
