//! The door through which queries read: a table as of one snapshot, and the resolver that finds it by name.
//!
//! B1: a [`Bound`] is a hint; rows outside it may come back and are filtered above the scan.
//! B2: batches hold at most 8,192 rows.
//! Never: names DataFusion, so that implementors need not.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use base::SqlResult;
use sqlparser::ast::Statement;

/// Key in a field's metadata; with value `"true"` the column is hidden: `SELECT *` leaves it out, naming it reads it.
pub const HIDDEN: &str = "shockwave.hidden";

/// Key in a field's metadata: `oid,typmod` of the column's declared type, where Arrow's does not say it all.
pub const DECLARED_TYPE: &str = "shockwave.type";

/// Key in a field's metadata: `table oid,attribute number` of the column.
pub const TABLE_COLUMN: &str = "shockwave.column";

/// One independent stream of a scan's batches, in the projection's column order. Dropping it ends the scan.
///
/// `next()` is called from the query's own thread: it may compute and read mapped memory, not wait for long.
pub type Partition = Box<dyn Iterator<Item = SqlResult<RecordBatch>> + Send>;

/// A table as of one snapshot. Every call on one value sees the same rows.
pub trait Table: Send + Sync + Debug {
    /// All columns, hidden ones included, which carry [`HIDDEN`] and whose names begin with `_`.
    fn schema(&self) -> SchemaRef;

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
}

/// `column op value`, all bounds of a scan joined by AND: whatever cannot satisfy it may be skipped.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Position in [`Table::schema`].
    pub column: usize,
    /// How the column compares to the value.
    pub op: Comparison,
    /// One row, typed as the column, never NULL.
    pub value: ArrayRef,
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
