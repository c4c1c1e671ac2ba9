//! The catalog of an export: objects by id, folded from the rows of `ledger.catalog`, and what of it the check of rows needs.
//!
//! C1: the schema root is that of all objects, in the order of their ids.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::Failure;
use crate::definition::TableDefinition;
use crate::export::{ExportObject, ExportRow};
use crate::hash::Hash;
use crate::receipt::Field;
use crate::row::{OP_DELETE, Supersedes};
use crate::schema::schema_root;

/// All objects as of one commit.
pub(super) struct Catalog {
    objects: BTreeMap<u32, (u64, Vec<u8>)>,
    /// Definitions of tables that were read since they last changed.
    tables: HashMap<u32, Rc<TableDefinition>>,
    root: Option<Hash>,
}

impl Catalog {
    pub(super) fn new(objects: Vec<ExportObject>) -> Self {
        let objects = objects.into_iter().map(|object| (object.id, (object.row, object.definition))).collect();
        Self { objects, tables: HashMap::new(), root: None }
    }

    /// Whether an object is said to come from a row.
    pub(super) fn names_rows(&self) -> bool {
        self.objects.values().any(|(row, _)| *row != u64::MAX)
    }

    /// The definition of a table; `None` if there is no such object.
    pub(super) fn table(&mut self, id: u32) -> Result<Option<Rc<TableDefinition>>, Failure> {
        if let Some(known) = self.tables.get(&id) {
            return Ok(Some(Rc::clone(known)));
        }
        let Some((_, definition)) = self.objects.get(&id) else { return Ok(None) };
        let table = Rc::new(TableDefinition::parse(definition)?);
        self.tables.insert(id, Rc::clone(&table));
        Ok(Some(table))
    }

    /// Takes in one row of `ledger.catalog`, which begins its commit's span at `first_row` and has this id.
    pub(super) fn fold(&mut self, row: &ExportRow, first_row: u64, row_id: u64) -> Result<(), Failure> {
        let ended = match row.header.supersedes {
            Supersedes::None => None,
            Supersedes::Row(row) => Some(row),
            Supersedes::Own(ordinal) => Some(first_row + ordinal),
        };
        self.root = None;
        if let Some(ended) = ended {
            let tables = &mut self.tables;
            self.objects.retain(|id, (row, _)| {
                if *row == ended {
                    tables.remove(id);
                }
                *row != ended
            });
        }
        if row.header.op == OP_DELETE {
            return Ok(());
        }
        let unreadable = || Failure::Malformed("catalog".to_owned(), "has a row that is no object's".to_owned());
        let [id, _, _, definition] = &row.fields[..] else { return Err(unreadable()) };
        let shown = |field: &Field| match field {
            Field::Shown { value: Some(value), .. } => Ok(value.clone()),
            _ => Err(unreadable()),
        };
        let id: [u8; 8] = shown(id)?.try_into().map_err(|_| unreadable())?;
        let id = u32::try_from(u64::from_le_bytes(id)).map_err(|_| unreadable())?;
        self.tables.remove(&id);
        self.objects.insert(id, (row_id, shown(definition)?));
        Ok(())
    }

    /// C1.
    pub(super) fn root(&mut self) -> Result<Hash, Failure> {
        if let Some(root) = self.root {
            return Ok(root);
        }
        let objects: Vec<(u32, &[u8])> = self.objects.iter().map(|(id, (_, definition))| (*id, definition.as_slice())).collect();
        let root = schema_root(&objects)?;
        self.root = Some(root);
        Ok(root)
    }
}
