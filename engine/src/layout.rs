//! Rows written under one version of a table's definition, read under another: columns are matched by id.
//!
//! Y1: a column that the rows do not have shows its missing value, which its definition carries; NULL where it carries none.
//! Y2: deletion markers stay empty.
//! Y3: a column that has another type by now shows what lies there where the layout is the same, or widened where every value of the one type is one of the
//!     other; else it counts as missing. Rows that are read under the new type, but for ended ones, were written anew then (`widens` says which need not be).
//! Y4: what is sealed is opened here, with the keys there are; erased values show as NULL.
//! Never: changes a stored row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array, new_null_array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Schema, UInt8Type};
use base::{Rng, SqlError, SqlResult};

use crate::canonical::Op;
use crate::failure::arrow_failed;
use crate::packed;
use crate::schema::{ColumnDef, TableDef};
use crate::sealing::{self, Opener};
use crate::stored;
use crate::subjects::Subjects;
use crate::types::SqlType;

/// Whether rows of one definition are read under the other as they are.
pub fn is_same(a: &TableDef, b: &TableDef) -> bool {
    std::ptr::eq(a, b)
        || (a.columns.len() == b.columns.len()
            && a.columns.iter().zip(&b.columns).all(|(a, b)| a.id == b.id && lies_alike(a.sql_type, b.sql_type)))
}

fn lies_alike(a: SqlType, b: SqlType) -> bool {
    a == b || a.arrow() == b.arrow()
}

/// Whether every value of the one type is a value of the other that is read out of the same stored bytes, so that a column takes the other type
/// without its rows being written anew (Y3).
pub fn widens(from: SqlType, to: SqlType) -> bool {
    use SqlType::{AnyNumeric, Bpchar, Int2, Int4, Int8, Numeric, Text, Varchar};
    match (from, to) {
        (from, to) if from == to => true,
        (Int2, Int4 | Int8) | (Int4, Int8) | (AnyNumeric(_), AnyNumeric(None)) => true,
        (Varchar(_) | Bpchar(_), Text | Varchar(None)) | (Text, Varchar(None)) | (Bpchar(_), Bpchar(None)) => true,
        (Varchar(Some(from)) | Bpchar(Some(from)), Varchar(Some(to))) | (Bpchar(Some(from)), Bpchar(Some(to))) => from <= to,
        (Numeric { precision, scale }, Numeric { precision: wider, scale: finer }) => scale <= finer && precision - scale <= wider - finer,
        _ => false,
    }
}

/// Where a column of the reader's definition comes from.
#[derive(Clone, Debug)]
pub enum Place {
    /// A position among the stored columns.
    Stored(usize),
    /// The same, of a type that is wider by now (Y3).
    Widened(usize, DataType),
    /// The same, of sealed values (Y4).
    Sealed(Sealed),
    /// One row, the same for all (Y1).
    Missing(ArrayRef),
}

/// A sealed column of rows written under one definition.
#[derive(Clone, Debug)]
pub struct Sealed {
    writer: TableDef,
    at: usize,
    /// The type that it is read as.
    data_type: DataType,
    subjects: Arc<Subjects>,
}

impl Sealed {
    fn open(&self, stored: impl Fn(usize) -> ArrayRef) -> SqlResult<ArrayRef> {
        let Self { writer, at, data_type, subjects } = self;
        let opened = Opener::new(writer, *at, subjects).column(&stored(*at), &stored(writer.columns.len()))?;
        if opened.data_type() == data_type { Ok(opened) } else { widened(&opened, data_type) }
    }
}

impl Place {
    /// Positions of the stored columns that it is read from.
    pub fn needs(&self) -> impl Iterator<Item = usize> + use<> {
        let (at, salts) = match self {
            Self::Stored(at) | Self::Widened(at, _) => (Some(*at), None),
            Self::Sealed(sealed) => (Some(sealed.at), Some(sealed.writer.columns.len())),
            Self::Missing(_) => (None, None),
        };
        at.into_iter().chain(salts)
    }

    /// The column, for `rows` rows of which `stored` gives the stored columns.
    pub fn read(&self, rows: usize, stored: impl Fn(usize) -> ArrayRef) -> SqlResult<ArrayRef> {
        match self {
            Self::Stored(at) => Ok(stored(*at)),
            Self::Widened(at, wider) => widened(&stored(*at), wider),
            Self::Sealed(sealed) => sealed.open(stored),
            Self::Missing(value) => repeated(value, rows),
        }
    }
}

fn widened(values: &ArrayRef, wider: &DataType) -> SqlResult<ArrayRef> {
    cast(values, wider).map_err(|error| arrow_failed("widen a column", &error))
}

fn repeated(value: &ArrayRef, rows: usize) -> SqlResult<ArrayRef> {
    if value.is_null(0) {
        return Ok(new_null_array(value.data_type(), rows));
    }
    take(value, &UInt64Array::from(vec![0; rows]), None).map_err(|error| arrow_failed("fill a column", &error))
}

/// Where the columns at `projection` of `reader` are in rows of `writer`.
///
/// Errors: XX001 for a missing value that cannot be read.
pub fn places(writer: &TableDef, reader: &TableDef, projection: &[usize], subjects: &Arc<Subjects>) -> SqlResult<Vec<Place>> {
    let sealed = |at: usize, data_type| Ok(Place::Sealed(Sealed { writer: writer.clone(), at, data_type, subjects: Arc::clone(subjects) }));
    let is_same = is_same(writer, reader);
    projection.iter().map(|at| place((writer, reader, is_same), *at, sealed)).collect()
}

/// [`places`] of columns that are kept in folds. Errors: 0A000 where one is sealed: what is to be erased must be nowhere else.
pub fn clear_places(writer: &TableDef, reader: &TableDef, projection: &[usize]) -> SqlResult<Vec<Place>> {
    let sealed = |at: usize, _| {
        let column = &writer.columns[at].name;
        Err(SqlError::unsupported(format!("a key over column \"{column}\" of \"{}\", whose values are sealed,", writer.name)))
    };
    let is_same = is_same(writer, reader);
    projection.iter().map(|at| place((writer, reader, is_same), *at, sealed)).collect()
}

fn place(
    (writer, reader, is_same): (&TableDef, &TableDef, bool),
    at: usize,
    sealed: impl FnOnce(usize, DataType) -> SqlResult<Place>,
) -> SqlResult<Place> {
    let column = &reader.columns[at];
    let stored = if is_same { Some(at) } else { writer.columns.iter().position(|other| other.id == column.id) };
    match stored.map(|at| (at, writer.columns[at].sql_type)) {
        Some((at, stored)) if writer.is_sealed(at) && widens_or_lies_alike(stored, column.sql_type) => sealed(at, column.sql_type.arrow()),
        Some((at, stored)) if lies_alike(stored, column.sql_type) => Ok(Place::Stored(at)),
        Some((at, stored)) if widens(stored, column.sql_type) => Ok(Place::Widened(at, column.sql_type.arrow())),
        _ => Ok(Place::Missing(missing_value(reader, column)?)),
    }
}

fn widens_or_lies_alike(from: SqlType, to: SqlType) -> bool {
    lies_alike(from, to) || widens(from, to)
}

/// One row: what rows written before the column was added show of it. Errors: XX001.
pub fn missing_value(table: &TableDef, column: &ColumnDef) -> SqlResult<ArrayRef> {
    match table.rules.column(column.id).and_then(|rules| rules.missing.as_deref()) {
        None => Ok(new_null_array(&column.sql_type.arrow(), 1)),
        Some(bytes) => {
            let at = table.position(column.id).unwrap_or_default();
            let schema = Arc::new(Schema::new(vec![table.arrow_schema().field(at).clone()]));
            Ok(Arc::clone(packed::decode(bytes, &schema)?.column(0)))
        }
    }
}

/// A value as [`crate::ColumnRules::missing`] keeps it: `value` has one row.
pub fn pack_missing(name: &str, value: &ArrayRef) -> SqlResult<Vec<u8>> {
    let field = arrow::datatypes::Field::new(name, value.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(value)])
        .map_err(|error| arrow_failed("keep a value", &error))?;
    let mut bytes = Vec::new();
    packed::encode(&batch, &mut bytes)?;
    Ok(bytes)
}

/// The reader's columns out of a batch that begins with the writer's, and their salts where some are sealed.
pub fn columns(writer: &TableDef, reader: &TableDef, stored: &RecordBatch, subjects: &Arc<Subjects>) -> SqlResult<Vec<ArrayRef>> {
    if is_same(writer, reader) && writer.subject().is_none() {
        return Ok(stored.columns()[..reader.columns.len()].to_vec());
    }
    let all: Vec<usize> = (0..reader.columns.len()).collect();
    places(writer, reader, &all, subjects)?.iter().map(|place| place.read(stored.num_rows(), |at| Arc::clone(stored.column(at)))).collect()
}

/// [`columns`], and where in them the row at a place of the batch is. Of an erasable table the row alone, for what is sealed is opened each time.
pub fn around(
    writer: &TableDef,
    reader: &TableDef,
    (stored, at): (&RecordBatch, usize),
    subjects: &Arc<Subjects>,
) -> SqlResult<(Vec<ArrayRef>, usize)> {
    match writer.subject() {
        None => Ok((columns(writer, reader, stored, subjects)?, at)),
        Some(_) => Ok((columns(writer, reader, &stored.slice(at, 1), subjects)?, 0)),
    }
}

/// A stored batch of the writer's as one of the reader's: markers stay empty (Y2). What is sealed is sealed anew, under fresh salts.
pub fn convert(
    writer: &TableDef,
    reader: &TableDef,
    stored: &RecordBatch,
    (rng, subjects): (&dyn Rng, &Arc<Subjects>),
) -> SqlResult<RecordBatch> {
    let (old, rows) = (writer.columns.len(), stored.num_rows());
    let mut columns = columns(writer, reader, stored, subjects)?;
    let ops = stored.column(old + 1).as_primitive::<UInt8Type>();
    if !is_same(writer, reader) && ops.values().contains(&(Op::Delete as u8)) {
        let kept: UInt64Array = (0..rows).map(|row| (ops.value(row) != Op::Delete as u8).then_some(row as u64)).collect();
        for column in &mut columns {
            *column = take(column, &kept, None).map_err(|error| arrow_failed("convert rows", &error))?;
        }
    }
    if reader.subject().is_some() {
        let salts = stored::salts(rows, rng);
        columns = sealing::seal(reader, &columns, &salts, (subjects, rng), |row| ops.value(row) == Op::Delete as u8)?;
        columns.push(Arc::new(salts));
    }
    let kept = if reader.subject().is_some() { old + 1 } else { old };
    columns.extend_from_slice(&stored.columns()[kept..]);
    RecordBatch::try_new(reader.stored_schema(), columns).map_err(|error| arrow_failed("convert rows", &error))
}
