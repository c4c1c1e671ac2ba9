//! A table of the catalog as queries read it.
//!
//! Never: changes between two scans of one statement.

use std::fmt;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use base::SqlResult;
use relational::{Bound, Partition, Table};

use super::Shape;
use crate::tables::MemoryTable;

/// Rows of one table, and whether it can never have any.
pub(super) struct CatalogTable {
    rows: MemoryTable,
    is_always_empty: bool,
}

impl CatalogTable {
    pub(super) fn new(shape: &Shape, batches: Vec<RecordBatch>, is_always_empty: bool) -> Self {
        let name = format!("{}.{}", shape.schema, shape.name);
        let oid = u32::try_from(shape.oid).ok().filter(|_| shape.kind == "r");
        Self { rows: MemoryTable { name, oid, schema: SchemaRef::clone(&shape.arrow), batches }, is_always_empty }
    }
}

impl fmt::Debug for CatalogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl Table for CatalogTable {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn oid(&self) -> Option<u32> {
        self.rows.oid
    }

    fn primary_key(&self) -> &[usize] {
        self.rows.primary_key()
    }

    fn row_count(&self) -> Option<usize> {
        self.rows.row_count()
    }

    fn unique_columns(&self) -> &[&str] {
        match self.rows.schema.index_of("oid") {
            _ if self.rows.name == "pg_catalog.pg_attrdef" => &["adrelid", "adnum"],
            Ok(_) => &["oid"],
            Err(_) => &[],
        }
    }

    fn told_values(&self) -> &[(&str, &[&str])] {
        match self.rows.name.as_str() {
            // Base types and pseudo-types: neither domains nor composite types.
            "pg_catalog.pg_type" => &[("typtype", &["b", "p"])],
            _ => &[],
        }
    }

    fn is_always_empty(&self) -> bool {
        self.is_always_empty
    }

    fn lookup(&self, key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        self.rows.lookup(key)
    }

    fn scan(&self, projection: &[usize], pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>> {
        self.rows.scan(projection, pruning, partitions)
    }
}
