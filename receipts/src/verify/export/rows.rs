//! The rows of an export, one at a time, against the leaves of their commits.
//!
//! R1: a row is hashed under the definition that the catalog has as of its commit.
//! R2: the file of a bundle holds the rows of its commits and ends with the last of them.

use std::io::Read;

use super::super::{check_count, check_superseded, check_version, hash_of_row, spelled};
use super::catalog::Catalog;
use super::{Export, Failure, malformed, tampered};
use crate::definition::TableDefinition;
use crate::export::{CATALOG_RELATION, ExportRow, Found, OBJECTS_BYTES_MAX, ROW_BYTES_MAX, decode_objects, rows_path};
use crate::leaf::{CommitLeaf, TableSpan};
use crate::receipt::Unshown;
use crate::row_tree::RowTree;

/// Rows as far as they are checked.
pub(super) struct Rows<'a> {
    export: &'a Export<'a>,
    catalog: Catalog,
    file: Option<(String, Box<dyn Read + 'a>)>,
    /// Schema root of the last commit before the range, and which it was.
    before: Option<(u64, crate::hash::Hash)>,
    /// Of the commits in the range.
    pub(super) count: u64,
    pub(super) commits: u64,
    pub(super) unshown: Unshown,
}

impl<'a> Rows<'a> {
    pub(super) fn open(export: &'a Export<'a>) -> Result<Self, Failure> {
        let catalog = Catalog::new(decode_objects(&export.read("objects", OBJECTS_BYTES_MAX)?)?);
        Ok(Self { export, catalog, file: None, before: None, count: 0, commits: 0, unshown: Unshown::default() })
    }

    pub(super) fn begin_bundle(&mut self, number: u64) -> Result<(), Failure> {
        if !self.export.manifest.bundles().contains(&number) {
            return Ok(());
        }
        let path = rows_path(number);
        match self.export.files.open(&path) {
            Found::Absent => tampered(&path, "is not there"),
            Found::Unreadable => malformed(path, "cannot be read"),
            Found::Here(file) => {
                self.file = Some((path, file));
                Ok(())
            }
        }
    }

    /// R2.
    pub(super) fn end_bundle(&mut self) -> Result<(), Failure> {
        let Some((path, mut file)) = self.file.take() else { return Ok(()) };
        match read_up_to(&mut *file, &mut [0]) {
            Some(0) => Ok(()),
            Some(_) => tampered(&path, "goes on after its last row"),
            None => malformed(path, "cannot be read"),
        }
    }

    /// Leaf `seq` is next: at the range's first one the objects must be those of the commits before it.
    pub(super) fn reach(&mut self, seq: u64) -> Result<(), Failure> {
        match self.before {
            None if seq == self.export.manifest.first && self.catalog.names_rows() => {
                tampered("objects", "name rows of the catalog that came before the first commit")
            }
            Some((before, root)) if seq == self.export.manifest.first && self.catalog.root()? != root => {
                tampered("objects", format!("do not give the schema root of commit {before}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a commit was there to compare the catalog with.
    pub(super) fn has_compared_objects(&self) -> bool {
        self.before.is_some() || self.commits > 0
    }

    pub(super) fn check_commit(&mut self, commit: &CommitLeaf) -> Result<(), Failure> {
        if commit.seq < self.export.manifest.first {
            self.before = Some((commit.seq, commit.schema_root));
        }
        if !(self.export.manifest.first..self.export.manifest.end).contains(&commit.seq) {
            return Ok(());
        }
        let Some((path, _)) = &self.file else { return malformed("rows", "has no file open") };
        let place = format!("{path}, commit {}", commit.seq);
        let (mut tree, mut index) = (RowTree::new(), 0);
        for span in &commit.tables {
            let mut table = None;
            for row_id in span.first_row..span.first_row + span.rows {
                let place = format!("{place}, row {index}");
                let row = self.next_row(&place)?;
                let hash = self.check_row(&row, span, row_id, index, &mut table).map_err(|failure| failure.at(&place))?;
                tree.push(hash);
                index += 1;
            }
        }
        if tree.root() != commit.row_root {
            return tampered(&place, "its rows do not give its row root");
        }
        if self.catalog.root()? != commit.schema_root {
            return tampered(&place, "the catalog, folded from objects and rows, does not give its schema root");
        }
        self.count += index;
        self.commits += 1;
        Ok(())
    }

    fn check_row(
        &mut self,
        row: &ExportRow,
        span: &TableSpan,
        row_id: u64,
        index: u64,
        table: &mut Option<std::rc::Rc<TableDefinition>>,
    ) -> Result<crate::hash::Hash, Failure> {
        let ExportRow { header, fields } = row;
        if header.relation != span.relation {
            let why = format!("{} is not the table of row {index} of the commit, which is {}", header.relation, span.relation);
            return tampered("relation", why);
        }
        let table = match table {
            Some(known) => known,
            none => match self.catalog.table(span.relation)? {
                Some(found) => none.insert(found),
                None => return tampered("table definition", "is not in the catalog"),
            },
        };
        if table.id != span.relation {
            return tampered("table definition", format!("says it is of table {}, not {}", table.id, span.relation));
        }
        check_version(header, table)?;
        check_superseded(header, span.first_row, row_id)?;
        check_count(header, fields, table)?;
        for (field, column) in fields.iter().zip(&table.columns) {
            spelled(field, column)?;
            self.unshown.count(field);
        }
        if span.relation == CATALOG_RELATION {
            self.catalog.fold(row, span.first_row, row_id)?;
        }
        Ok(hash_of_row(header, fields, table))
    }

    fn next_row(&mut self, place: &str) -> Result<ExportRow, Failure> {
        let Some((_, file)) = &mut self.file else { return malformed(place, "has no file open") };
        let mut length = [0; 4];
        fill(&mut **file, &mut length, place)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > ROW_BYTES_MAX {
            return malformed(place, format!("has {length} bytes, at most {ROW_BYTES_MAX}"));
        }
        let mut bytes = Vec::new();
        match file.take(length as u64).read_to_end(&mut bytes) {
            Ok(read) if read == length => Ok(ExportRow::decode(place, &bytes)?),
            Ok(_) => tampered(place, "is not there, or not all of it"),
            Err(_) => malformed(place, "cannot be read"),
        }
    }
}

/// Bytes read until the buffer is full or the file at its end; `None` if it cannot be read.
fn read_up_to(file: &mut dyn Read, buffer: &mut [u8]) -> Option<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(read)
}

fn fill(file: &mut dyn Read, buffer: &mut [u8], place: &str) -> Result<(), Failure> {
    let wanted = buffer.len();
    match read_up_to(file, buffer) {
        Some(read) if read == wanted => Ok(()),
        Some(_) => tampered(place, "is not there, or not all of it"),
        None => malformed(place, "cannot be read"),
    }
}
