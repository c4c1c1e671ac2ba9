//! Table definitions: what a relation's rows look like, as Arrow schemas and as the JSON text that the ledger commits to.
//!
//! D1: the definition text is a pure function of the definition; the same table gives the same bytes on every machine.
//! D2: stored rows are the user columns in order, then `_salt`, `_op`, `_supersedes` (and `_commit` in segments); all user columns are nullable
//!     on disk, because a deletion marker carries none.
//! Never: knows which rows exist.
//! Format: docs/formats/leaf.md (definition text), docs/formats/segment.md (stored columns).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::{ColumnId, RelationId, SqlError, SqlResult, SqlState};
use serde_json::{Value, json};

use crate::rules::Rules;
use crate::types::SqlType;

mod computed;
mod keys;

pub(crate) use computed::KeyValues;
pub use computed::{Computed, Expressions, NoExpressions, Program};
pub use keys::KeyDef;
use keys::{Keys, keys_of};

/// Name of the salt column in stored batches.
pub const SALT: &str = "_salt";
/// Name of the operation column in stored batches.
pub const OP: &str = "_op";
/// Name of the superseded-row column in stored batches.
pub const SUPERSEDES: &str = "_supersedes";
/// Name of the commit column in segments.
pub const COMMIT: &str = "_commit";

/// The schema of temporary objects: each session has its own (`temporary.rs`).
pub const TEMPORARY_SCHEMA: &str = "pg_temp";

/// What happens to a temporary table when a transaction commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnCommit {
    /// It stays with its rows.
    #[default]
    Preserve,
    /// Its rows go.
    DeleteRows,
    /// It goes.
    Drop,
}

/// One column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnDef {
    /// Never reused within its table.
    pub id: ColumnId,
    /// As written by the user, after Postgres's case folding; at most 63 bytes.
    pub name: String,
    /// Type with modifier.
    pub sql_type: SqlType,
    /// NULL is refused (also set for primary-key columns).
    pub not_null: bool,
}

/// A table of one ledger at one version of its definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableDef {
    /// Never reused within the ledger; also the table's oid.
    pub id: RelationId,
    /// Schema it lives in.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// From 1, grows with every committed change of the definition but comments.
    pub version: u32,
    /// In order of definition; at least one.
    pub columns: Vec<ColumnDef>,
    /// Columns of the primary key in key order; empty where there is none.
    pub primary_key: Vec<ColumnId>,
    /// Defaults, checks, indexes and the like.
    pub rules: Arc<Rules>,
    keys: Arc<Keys>,
    key_positions: Vec<usize>,
    /// Position of the column that says whose a row is, and for each column whether it is sealed under that subject's key.
    erasable: Option<(usize, Arc<[bool]>)>,
    user_schema: SchemaRef,
    stored_schema: SchemaRef,
}

/// The columns that every stored batch carries after the user's own.
fn hidden_fields() -> [Field; 3] {
    [
        Field::new(SALT, DataType::FixedSizeBinary(16), false),
        Field::new(OP, DataType::UInt8, false),
        Field::new(SUPERSEDES, DataType::UInt64, true),
    ]
}

impl TableDef {
    /// A definition at version 1. Primary-key columns become NOT NULL, as in Postgres.
    ///
    /// Errors: 42P16 for no columns or a key over an unknown column, 42701 for a column named twice.
    pub fn new(id: RelationId, schema: &str, name: &str, columns: Vec<ColumnDef>, primary_key: Vec<ColumnId>) -> SqlResult<Self> {
        Self::with_rules(id, schema, name, 1, columns, primary_key, Rules::default())
    }

    /// A definition with everything it has. Errors: as [`TableDef::new`].
    pub fn with_rules(
        id: RelationId,
        schema: &str,
        name: &str,
        version: u32,
        mut columns: Vec<ColumnDef>,
        primary_key: Vec<ColumnId>,
        rules: Rules,
    ) -> SqlResult<Self> {
        if columns.is_empty() {
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, format!("table \"{name}\" must have at least one column")));
        }
        for (i, column) in columns.iter().enumerate() {
            if columns[..i].iter().any(|other| other.name == column.name || other.id == column.id) {
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{}\" specified more than once", column.name)));
            }
        }
        let mut key_positions = Vec::with_capacity(primary_key.len());
        for key in &primary_key {
            let position = columns.iter().position(|column| column.id == *key).ok_or_else(|| {
                SqlError::new(
                    SqlState::INVALID_TABLE_DEFINITION,
                    format!("primary key of \"{name}\" names column id {key}, which does not exist"),
                )
            })?;
            columns[position].not_null = true;
            key_positions.push(position);
        }
        let subject = rules.erasable_by.map(|id| columns.iter().position(|column| column.id == id).ok_or_else(|| without_subject(name)));
        let erasable = subject.transpose()?.map(|by| {
            columns[by].not_null = true;
            (by, (0..columns.len()).map(|at| at != by && !key_positions.contains(&at)).collect::<Arc<[bool]>>())
        });
        let position = |id: ColumnId| columns.iter().position(|column| column.id == id);
        let keys = keys_of((id, name), &key_positions, (&rules, columns.len()), position)?;
        let is_sealed = |at: usize| erasable.as_ref().is_some_and(|(_, sealed)| sealed[at]);
        let user: Vec<Field> = columns.iter().map(|column| Field::new(&column.name, column.sql_type.arrow(), true)).collect();
        let sealed = user.iter().enumerate().map(|(at, field)| match is_sealed(at) {
            true => Field::new(field.name(), DataType::Binary, true),
            false => field.clone(),
        });
        let stored: Vec<Field> = sealed.chain(hidden_fields()).collect();
        let table = Self {
            id,
            schema: schema.to_owned(),
            name: name.to_owned(),
            version,
            columns,
            primary_key,
            rules: Arc::new(rules),
            keys: Arc::new(keys),
            key_positions,
            erasable,
            user_schema: Arc::new(Schema::new(user)),
            stored_schema: Arc::new(Schema::new(stored)),
        };
        let sealed = |key: &KeyDef| key.reads(&table).into_iter().find(|at| table.is_sealed(*at));
        match table.keys.all.iter().find_map(|key| Some((key, sealed(key)?))) {
            Some((key, at)) => Err(sealed_in_key(name, &table.columns[at].name, &key.name)),
            None => Ok(table),
        }
    }

    /// The user's columns as Arrow fields, all nullable.
    pub fn arrow_schema(&self) -> SchemaRef {
        Arc::clone(&self.user_schema)
    }

    /// Position of the column that says whose a row is, in a table whose rows can be erased.
    pub fn subject(&self) -> Option<usize> {
        self.erasable.as_ref().map(|(by, _)| *by)
    }

    /// Whether the values of the column at this position are stored sealed under the key of their row's subject: in an erasable table all but those of
    /// that column and of the primary key.
    pub fn is_sealed(&self, at: usize) -> bool {
        self.erasable.as_ref().is_some_and(|(_, sealed)| sealed.get(at).copied().unwrap_or(false))
    }

    /// The user's columns followed by `_salt`, `_op`, `_supersedes` (D2).
    pub fn stored_schema(&self) -> SchemaRef {
        Arc::clone(&self.stored_schema)
    }

    /// The stored columns followed by `_commit`: the layout of a segment.
    pub fn segment_schema(&self) -> SchemaRef {
        let fields = self.stored_schema.fields().iter().map(|field| field.as_ref().clone());
        Arc::new(Schema::new(fields.chain([Field::new(COMMIT, DataType::UInt64, false)]).collect::<Vec<_>>()))
    }

    /// Whether there is a primary key with at most one row a value at any moment.
    pub fn has_lookup(&self) -> bool {
        !self.primary_key.is_empty() && !self.rules.key_timing.deferrable
    }

    /// Positions of the primary-key columns among the user columns, in key order.
    pub fn key_columns(&self) -> &[usize] {
        &self.key_positions
    }

    /// Name of the primary-key constraint: as given, or as Postgres would choose it.
    pub fn key_constraint(&self) -> String {
        self.rules.key_name.clone().unwrap_or_else(|| format!("{}_pkey", self.name))
    }

    /// Every key that a fold is kept for, the primary key first.
    pub fn keys(&self) -> &[KeyDef] {
        &self.keys.all
    }

    /// The computed value at a place after the columns (P1 of `schema/keys.rs`); `None` for a column.
    pub fn computed(&self, place: usize) -> Option<&Computed> {
        self.keys.computed.get(place.checked_sub(self.columns.len())?)
    }

    /// All that its keys compute, in order of their places.
    pub fn all_computed(&self) -> &[Computed] {
        &self.keys.computed
    }

    /// Type of what stands at the place of a column or a computed value.
    pub fn type_at(&self, place: usize) -> SqlType {
        self.computed(place).map_or_else(|| self.columns[place].sql_type, |computed| computed.sql_type)
    }

    /// The key with this id.
    pub fn key(&self, id: u32) -> Option<&KeyDef> {
        self.keys.all.iter().find(|key| key.id == id)
    }

    /// Position of a column by id.
    pub fn position(&self, id: ColumnId) -> Option<usize> {
        self.columns.iter().position(|column| column.id == id)
    }

    /// A column by id.
    pub fn column(&self, id: ColumnId) -> Option<&ColumnDef> {
        self.columns.iter().find(|column| column.id == id)
    }

    /// Id for a column to be added: never one that was in use.
    pub fn next_column_id(&self) -> ColumnId {
        let above = self.columns.iter().map(|column| column.id.0 + 1).max().unwrap_or(1);
        ColumnId(self.rules.next_column.unwrap_or(1).max(above))
    }

    /// The canonical definition text (D1), bound into every commit through its schema root.
    pub fn definition(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                format!(
                    "{{\"id\":{},\"name\":{},\"type\":{},\"oid\":{},\"typmod\":{},\"not_null\":{}{}}}",
                    column.id,
                    json!(column.name),
                    json!(column.sql_type.name()),
                    column.sql_type.oid(),
                    column.sql_type.typmod(),
                    column.not_null,
                    self.rules.column_text(column.id)
                )
            })
            .collect();
        let key: Vec<String> = self.primary_key.iter().map(ToString::to_string).collect();
        format!(
            "{{\"kind\":\"table\",\"id\":{},\"schema\":{},\"name\":{},\"version\":{},\"columns\":[{}],\"primary_key\":[{}]{}}}",
            self.id,
            json!(self.schema),
            json!(self.name),
            self.version,
            columns.join(","),
            key.join(","),
            self.rules.table_text()
        )
    }

    /// Reads a definition back. Errors: XX001 for text this version cannot have written.
    pub fn from_definition(text: &str) -> SqlResult<Self> {
        let value: Value = serde_json::from_str(text).map_err(|error| unreadable(text, &error.to_string()))?;
        let number = |value: &Value, name: &str| value[name].as_u64().ok_or_else(|| unreadable(text, name));
        let string = |value: &Value, name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| unreadable(text, name));
        let narrow = |n: u64, name: &str| u32::try_from(n).map_err(|_| unreadable(text, name));
        let mut columns = Vec::new();
        for column in value["columns"].as_array().ok_or_else(|| unreadable(text, "columns"))? {
            let oid = narrow(number(column, "oid")?, "oid")?;
            let typmod = column["typmod"].as_i64().ok_or_else(|| unreadable(text, "typmod"))?;
            columns.push(ColumnDef {
                id: ColumnId(narrow(number(column, "id")?, "id")?),
                name: string(column, "name")?,
                sql_type: SqlType::with_typmod(oid, typmod).ok_or_else(|| unreadable(text, "oid"))?,
                not_null: column["not_null"].as_bool().ok_or_else(|| unreadable(text, "not_null"))?,
            });
        }
        let mut key = Vec::new();
        for id in value["primary_key"].as_array().ok_or_else(|| unreadable(text, "primary_key"))? {
            key.push(ColumnId(narrow(id.as_u64().ok_or_else(|| unreadable(text, "primary_key"))?, "primary_key")?));
        }
        let id = RelationId(narrow(number(&value, "id")?, "id")?);
        let version = narrow(number(&value, "version")?, "version")?;
        let rules = Rules::read(&value).ok_or_else(|| unreadable(text, "rules"))?;
        Self::with_rules(id, &string(&value, "schema")?, &string(&value, "name")?, version, columns, key, rules)
    }
}

fn without_subject(table: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_TABLE_DEFINITION, format!("table \"{table}\" must keep the column that its rows are erased by"))
        .hint("Rows of a table made WITH (erasable_by = column) belong to the subject that this column names.")
}

fn sealed_in_key(table: &str, column: &str, key: &str) -> SqlError {
    SqlError::unsupported(format!("\"{key}\" over column \"{column}\", whose values are sealed,"))
        .detail(format!("Indexes are kept in the clear, and values of \"{column}\" of erasable table \"{table}\" are not."))
        .hint("Only the column that rows are erased by and those of the primary key can be in a key, an index or a reference.")
}

pub(crate) fn unreadable(text: &str, what: &str) -> SqlError {
    let start: String = text.chars().take(80).collect();
    SqlError::new(SqlState::DATA_CORRUPTED, format!("catalog definition is unreadable at {what}")).detail(format!("It begins «{start}»."))
}
