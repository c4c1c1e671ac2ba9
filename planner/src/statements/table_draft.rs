//! A table's definition while CREATE TABLE or ALTER TABLE works on it: columns, constraints and what they bring along.
//!
//! D1: names are chosen as Postgres chooses them: `<table>_<columns>_<kind>`, cut to fit, numbered where taken.
//! D2: a definition is finished once; references to the table itself are read against the finished rest.
//! Never: writes; keeps a clause half.

use base::{ColumnId, RelationId, SqlError, SqlResult, SqlState};
use engine::{Check, ColumnDef, Identity, Index, Rules, SequenceDef, SqlType, TableDef, Timing};
use sqlparser::ast::{
    CheckConstraint, ColumnDef as ColumnSyntax, ColumnOption, ConstraintUsingIndex, DataType, Expr, ForeignKeyConstraint, GeneratedAs,
    GeneratedExpressionMode, Ident, IndexColumn, NullsDistinctOption, ObjectName, PrimaryKeyConstraint, SequenceOptions, TableConstraint,
    UniqueConstraint,
};

use super::Execution;
use super::create_index::is_by_bytes;
use super::create_sequence::{numbers, sequence};
use super::foreign_keys::timing;
use crate::column_types;
use crate::names::fold;
use crate::outcome::Notice;
use crate::parse_clauses::Numbers;
use crate::rules;
use crate::tables::ROW_ID;

/// Columns a table may have, as in Postgres.
const COLUMNS_MAX: usize = 1_600;
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 63;

/// See the module.
pub(super) struct Draft {
    pub(super) id: RelationId,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) columns: Vec<ColumnDef>,
    pub(super) key: Vec<ColumnId>,
    pub(super) rules: Rules,
    /// To be made before the table, with what they will be owned by.
    pub(super) sequences: Vec<SequenceDef>,
    /// Read once the rest is finished (D2).
    pub(super) references: Vec<(ForeignKeyConstraint, Option<String>)>,
    next_column: u32,
}

/// `name1_name2_label`, with the longer of the names cut so that it fits.
pub(super) fn made_name(first: &str, second: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!second.is_empty());
    let (mut a, mut b) = (first.len(), second.len());
    while a + b + overhead > NAME_BYTES_MAX {
        if a > b { a -= 1 } else { b -= 1 }
    }
    let (first, second) = (&first[..first.floor_char_boundary(a)], &second[..second.floor_char_boundary(b)]);
    if second.is_empty() { format!("{first}_{label}") } else { format!("{first}_{second}_{label}") }
}

/// A name that is not taken: numbered if need be.
pub(super) fn free_name(first: &str, second: &str, label: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let plain = made_name(first, second, label);
    if !is_taken(&plain) {
        return plain;
    }
    (1u32..).map(|n| made_name(first, second, &format!("{label}{n}"))).find(|name| !is_taken(name)).unwrap_or(plain)
}

impl Draft {
    /// A table without columns.
    pub(super) fn empty(id: RelationId, schema: String, name: String) -> Self {
        Self {
            id,
            schema,
            name,
            version: 1,
            columns: Vec::new(),
            key: Vec::new(),
            rules: Rules::default(),
            sequences: Vec::new(),
            references: Vec::new(),
            next_column: 1,
        }
    }

    /// A table as it is, to become another version of itself.
    pub(super) fn of(table: &TableDef, version: u32) -> Self {
        Self {
            id: table.id,
            schema: table.schema.clone(),
            name: table.name.clone(),
            version,
            columns: table.columns.clone(),
            key: table.primary_key.clone(),
            rules: table.rules.as_ref().clone(),
            sequences: Vec::new(),
            references: Vec::new(),
            next_column: table.next_column_id().0,
        }
    }

    /// The definition. Errors: 42P16, 42701.
    pub(super) fn finish(&self) -> SqlResult<TableDef> {
        let mut rules = self.rules.clone();
        rules.tidy();
        let above = self.columns.iter().map(|column| column.id.0 + 1).max().unwrap_or(1);
        rules.next_column = (self.next_column > above).then_some(self.next_column);
        TableDef::with_rules(self.id, &self.schema, &self.name, self.version, self.columns.clone(), self.key.clone(), rules)
    }

    /// The column of that name. Errors: 42703 `column "…" named in key does not exist`.
    fn key_column(&self, name: &str) -> SqlResult<ColumnId> {
        let found = self.columns.iter().find(|column| column.name == name).map(|column| column.id);
        found.ok_or_else(|| SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" named in key does not exist")))
    }

    fn column_names(&self, ids: &[ColumnId]) -> String {
        let names: Vec<&str> =
            ids.iter().filter_map(|id| self.columns.iter().find(|column| column.id == *id)).map(|column| column.name.as_str()).collect();
        names.join("_")
    }

    /// Whether a constraint of the table has this name.
    pub(super) fn has_constraint(&self, name: &str) -> bool {
        let rules = &self.rules;
        (!self.key.is_empty() && self.key_name() == name)
            || rules.checks.iter().any(|check| check.name == name)
            || rules.indexes.iter().any(|index| index.constraint && index.name == name)
            || rules.references.iter().any(|reference| reference.name == name)
            || self.references.iter().any(|(_, given)| given.as_deref() == Some(name))
    }

    fn key_name(&self) -> String {
        self.rules.key_name.clone().unwrap_or_else(|| made_name(&self.name, "", "pkey"))
    }

    /// Whether a relation of the schema, or of this draft, has this name.
    pub(super) fn has_relation(&self, execution: &Execution<'_>, name: &str) -> bool {
        self.name == name
            || self.has_constraint(name)
            || self.rules.indexes.iter().any(|index| index.name == name)
            || self.sequences.iter().any(|sequence| sequence.name() == name)
            || execution.transaction.catalog().relation_owner(&self.schema, name).is_some()
    }

    fn check_constraint_free(&self, name: &str) -> SqlResult<()> {
        if self.has_constraint(name) {
            let message = format!("constraint \"{name}\" for relation \"{}\" already exists", self.name);
            return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
        }
        Ok(())
    }

    /// Adds a column with its options; its position. Errors: 42701, 54011, what the options raise.
    pub(super) fn add_column(&mut self, execution: &mut Execution<'_>, column: &ColumnSyntax) -> SqlResult<usize> {
        let parsed = execution.parsed;
        let place = |error: SqlError| parsed.point(error, column.name.span);
        let name = fold(&column.name);
        let serial = serial(&column.data_type);
        let sql_type = match serial {
            Some(sql_type) => sql_type,
            None => column_types::resolve(&column.data_type).map_err(place)?,
        };
        let at = self.push_column(ColumnDef { id: ColumnId(0), name, sql_type, not_null: serial.is_some() }).map_err(place)?;
        if let Some(precision) = column_types::precision(&column.data_type) {
            let id = self.columns[at].id;
            self.rules.column_mut(id).precision = Some(precision);
        }
        if serial.is_some() {
            self.add_sequence(execution, at, Numbers::default(), false)?;
        }
        let mut nullable = None;
        for option in &column.options {
            let given = option.name.as_ref().map(fold);
            self.add_option(execution, at, &option.option, given, &mut nullable)?;
        }
        Ok(at)
    }

    /// Adds a column without rules under an id of its own; its position. Errors: 42701, 54011.
    pub(super) fn push_column(&mut self, column: ColumnDef) -> SqlResult<usize> {
        if self.columns.len() >= COLUMNS_MAX {
            return Err(SqlError::new(SqlState("54011"), format!("tables can have at most {COLUMNS_MAX} columns")));
        }
        let name = &column.name;
        check_column_name(name)?;
        if self.columns.iter().any(|other| other.name == *name) {
            return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once")));
        }
        let id = ColumnId(self.next_column);
        self.next_column += 1;
        self.columns.push(ColumnDef { id, ..column });
        Ok(self.columns.len() - 1)
    }

    fn add_option(
        &mut self,
        execution: &mut Execution<'_>,
        at: usize,
        option: &ColumnOption,
        given: Option<String>,
        nullable: &mut Option<bool>,
    ) -> SqlResult<()> {
        let (id, column) = (self.columns[at].id, self.columns[at].name.clone());
        match option {
            ColumnOption::Null | ColumnOption::NotNull => {
                let is_null = matches!(option, ColumnOption::Null);
                if nullable.replace(is_null).is_some_and(|before| before != is_null) {
                    let message = format!("conflicting NULL/NOT NULL declarations for column \"{column}\" of table \"{}\"", self.name);
                    return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
                }
                self.columns[at].not_null |= !is_null;
            }
            ColumnOption::Generated { generation_expr: Some(expr), generation_expr_mode, .. } => {
                if *generation_expr_mode != Some(GeneratedExpressionMode::Stored) {
                    return Err(SqlError::unsupported("a generated column that is not STORED"));
                }
                self.set_generated(at, expr)?;
            }
            ColumnOption::Default(expr) => {
                self.refuse_beside_generated(at, "default")?;
                if self.rules.column(id).is_some_and(|rules| rules.default.is_some() || rules.sequence.is_some()) {
                    let message = format!("multiple default values specified for column \"{column}\" of table \"{}\"", self.name);
                    return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
                }
                self.set_default(execution, at, expr)?;
            }
            ColumnOption::PrimaryKey(key) => self.add_key(execution, key, Some(vec![id]), given)?,
            ColumnOption::Unique(unique) => self.add_unique(execution, unique, Some(vec![id]), given)?,
            ColumnOption::Check(check) => self.add_check(execution, check, given, Some(&column))?,
            ColumnOption::ForeignKey(reference) => {
                let columns = vec![Ident::with_quote('"', column)];
                self.references.push((ForeignKeyConstraint { columns, ..reference.clone() }, given));
            }
            ColumnOption::Generated { generated_as, sequence_options, generation_expr: None, .. } => {
                self.refuse_beside_generated(at, "identity")?;
                let kind = match generated_as {
                    GeneratedAs::Always => Identity::Always,
                    GeneratedAs::ByDefault => Identity::ByDefault,
                    GeneratedAs::ExpStored => return Err(SqlError::unsupported("GENERATED … STORED")),
                };
                self.set_identity(execution, at, kind, sequence_options.as_deref().unwrap_or(&[]))?;
            }
            ColumnOption::Collation(name) if is_by_bytes(name) => {}
            ColumnOption::Collation(name) => {
                let name = name.to_string().replace('"', "");
                let message = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
                return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
            }
            other => return Err(SqlError::unsupported(format!("{other} on column \"{column}\""))),
        }
        Ok(())
    }

    /// Makes a column a generated one; what its expression may say is checked when the columns are all there. Errors: 42601.
    fn set_generated(&mut self, at: usize, expr: &Expr) -> SqlResult<()> {
        let (id, column, table) = (self.columns[at].id, &self.columns[at].name, &self.name);
        let rules = self.rules.column_mut(id);
        let both = |what: &str| {
            let message = format!("both {what} and generation expression specified for column \"{column}\" of table \"{table}\"");
            Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
        };
        match rules {
            _ if rules.generated => {
                let message = format!("multiple generation clauses specified for column \"{column}\" of table \"{table}\"");
                Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
            }
            _ if rules.identity.is_some() => both("identity"),
            _ if rules.default.is_some() || rules.sequence.is_some() => both("default"),
            _ => {
                rules.default = Some(expr.to_string());
                rules.generated = true;
                Ok(())
            }
        }
    }

    /// Errors: 42601 for another source of values beside a generation expression.
    fn refuse_beside_generated(&self, at: usize, what: &str) -> SqlResult<()> {
        let column = &self.columns[at];
        if !self.rules.column(column.id).is_some_and(|rules| rules.generated) {
            return Ok(());
        }
        let message = format!("both {what} and generation expression specified for column \"{}\" of table \"{}\"", column.name, self.name);
        Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
    }

    /// Makes a column an identity. Errors: 22023 for a type that cannot be one, 42601 for a default beside it.
    pub(super) fn set_identity(
        &mut self,
        execution: &mut Execution<'_>,
        at: usize,
        kind: Identity,
        options: &[SequenceOptions],
    ) -> SqlResult<()> {
        let (id, name, sql_type) = (self.columns[at].id, self.columns[at].name.clone(), self.columns[at].sql_type);
        if !matches!(sql_type, SqlType::Int2 | SqlType::Int4 | SqlType::Int8) {
            let message = "identity column type must be smallint, integer, or bigint";
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
        if self.rules.column(id).is_some_and(|rules| rules.default.is_some() || rules.sequence.is_some()) {
            let message = format!("both default and identity specified for column \"{name}\" of table \"{}\"", self.name);
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
        self.add_sequence(execution, at, numbers(options)?, true)?;
        self.rules.column_mut(id).identity = Some(kind);
        self.rules.column_mut(id).default = None;
        self.columns[at].not_null = true;
        Ok(())
    }

    /// Sets a default. Errors: what the expression raises, 42804.
    pub(super) fn set_default(&mut self, execution: &mut Execution<'_>, at: usize, expr: &Expr) -> SqlResult<()> {
        let column = &self.columns[at];
        let text = rules::default_text(expr)?;
        // Evaluated once to see that it can be; a sequence would lose a value by that.
        let drawn = super::create_sequence::drawn_from(execution, expr)?;
        if drawn.is_none() && !rules::is_volatile(expr) {
            rules::computed_default(&execution.place(), column, &text, 1).map_err(|error| mistyped(error, column, expr))?;
        }
        let rules = self.rules.column_mut(column.id);
        rules.default = Some(text);
        rules.sequence = drawn;
        Ok(())
    }

    fn add_sequence(&mut self, execution: &mut Execution<'_>, at: usize, numbers: Numbers, is_identity: bool) -> SqlResult<()> {
        let (id, sql_type) = (self.columns[at].id, self.columns[at].sql_type);
        let name = match numbers.name.and_then(|at| execution.parsed.clauses.sequence_names.get(at)) {
            Some(given) => self.given_sequence_name(execution, given)?,
            None => free_name(&self.name, &self.columns[at].name, "seq", |name| self.has_relation(execution, name)),
        };
        let made = sequence(execution, &self.schema, &name, sql_type, &numbers, Some((self.id, id)), is_identity)?;
        let rules = self.rules.column_mut(id);
        rules.sequence = Some(made.id());
        if !is_identity {
            rules.default = Some(format!("nextval('{}'::regclass)", name.replace('\'', "''")));
        }
        self.sequences.push(made);
        Ok(())
    }

    /// SEQUENCE NAME: in the table's own schema. Errors: 42P01, 42P07.
    fn given_sequence_name(&self, execution: &Execution<'_>, given: &[String]) -> SqlResult<String> {
        let [schema @ .., name] = given else { return Err(SqlError::internal("a sequence without a name")) };
        if schema.last().is_some_and(|schema| *schema != self.schema) {
            // Postgres looks for the table where the sequence is to be.
            let there = format!("{}.{}", schema.join("."), self.name);
            return Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{there}\" does not exist")));
        }
        if self.has_relation(execution, name) {
            return Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
        }
        Ok(name.clone())
    }

    /// Adds a table constraint. Errors: what it raises.
    pub(super) fn add_constraint(&mut self, execution: &mut Execution<'_>, constraint: &TableConstraint) -> SqlResult<()> {
        match constraint {
            TableConstraint::PrimaryKey(key) => self.add_key(execution, key, None, None),
            TableConstraint::Unique(unique) => self.add_unique(execution, unique, None, None),
            TableConstraint::Check(check) => self.add_check(execution, check, None, None),
            TableConstraint::ForeignKey(reference) => {
                let given = reference.name.as_ref().map(fold);
                self.references.push((reference.clone(), given));
                Ok(())
            }
            TableConstraint::UniqueUsingIndex(using) => self.use_index(execution, using),
            TableConstraint::PrimaryKeyUsingIndex(using) => self.use_index_as_key(execution, using),
            _ => Err(SqlError::unsupported("this kind of table constraint")),
        }
    }

    /// Makes a unique index that is there a constraint. Errors: 42704, 42809, 55000.
    fn use_index(&mut self, execution: &mut Execution<'_>, using: &ConstraintUsingIndex) -> SqlResult<()> {
        let (at, name) = self.index_to_use(execution, using)?;
        let timing = timing(using.characteristics.as_ref())?;
        self.refuse_referenced(execution, self.rules.indexes[at].id, timing)?;
        let index = &mut self.rules.indexes[at];
        (index.constraint, index.name, index.timing) = (true, name, timing);
        if timing.deferrable {
            // An index of all rows: another than the one that is there.
            index.id = execution.transaction.ledger().next_object_id();
        }
        Ok(())
    }

    /// Makes a unique index that is there the primary key. Errors: likewise; 42P16.
    fn use_index_as_key(&mut self, execution: &mut Execution<'_>, using: &ConstraintUsingIndex) -> SqlResult<()> {
        if !self.key.is_empty() {
            let message = format!("multiple primary keys for table \"{}\" are not allowed", self.name);
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        let (at, name) = self.index_to_use(execution, using)?;
        let timing = timing(using.characteristics.as_ref())?;
        self.refuse_referenced(execution, self.rules.indexes[at].id, timing)?;
        let index = self.rules.indexes.remove(at);
        for column in self.columns.iter_mut().filter(|column| index.columns.contains(&column.id)) {
            column.not_null = true;
        }
        // A deferrable key's index has all rows, so it is another than the one that is there.
        self.rules.key_id = Some(if timing.deferrable { execution.transaction.ledger().next_object_id() } else { index.id });
        self.rules.key_timing = timing;
        self.rules.key_name = (name != format!("{}_pkey", self.name)).then_some(name);
        self.rules.key_index_comment = index.comment;
        self.key = index.columns;
        Ok(())
    }

    /// No foreign key is left to a deferrable key. Errors: 0A000.
    fn refuse_referenced(&self, execution: &Execution<'_>, index: u32, timing: Timing) -> SqlResult<()> {
        let is_referenced = execution.transaction.catalog().references_to(self.id).any(|(_, reference)| reference.key == index);
        if timing.deferrable && is_referenced {
            return Err(SqlError::unsupported("a deferrable constraint over an index that a foreign key references"));
        }
        Ok(())
    }

    /// The unique index that a constraint is to use, by place, and the name that it has from then on. Errors: 42704, 42809, 55000, 42710.
    fn index_to_use(&self, execution: &mut Execution<'_>, using: &ConstraintUsingIndex) -> SqlResult<(usize, String)> {
        let name = fold(&using.index_name);
        let given = using.name.as_ref().map(fold).filter(|given| *given != name);
        if let Some(given) = &given {
            self.check_constraint_free(given)?;
        }
        let Some(at) = self.rules.indexes.iter().position(|index| index.name == name) else {
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("index \"{name}\" does not exist")));
        };
        let index = &self.rules.indexes[at];
        let unusable = "Cannot create a primary key or unique constraint using such an index.";
        if index.constraint {
            let message = format!("index \"{name}\" is already associated with a constraint");
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        if !index.unique {
            let message = format!("\"{name}\" is not a unique index");
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).detail(unusable));
        }
        let unfit = match (index.expressions.is_empty(), &index.condition) {
            (false, _) => Some(format!("index \"{name}\" contains expressions")),
            (true, Some(_)) => Some(format!("\"{name}\" is a partial index")),
            (true, None) => None,
        };
        if let Some(message) = unfit {
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).detail(unusable));
        }
        if let Some(column) = index.options.iter().position(|option| *option != 0) {
            let message = format!("index \"{name}\" column number {} does not have default sorting behavior", column + 1);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).detail(unusable));
        }
        let Some(given) = given else { return Ok((at, name)) };
        let message = format!("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{name}\" to \"{given}\"");
        execution.notices.push(Notice::new(SqlState("00000"), message));
        Ok((at, given))
    }

    fn listed(&self, columns: &[IndexColumn], kind: &str) -> SqlResult<Vec<ColumnId>> {
        let mut ids = Vec::with_capacity(columns.len());
        for column in columns {
            let Some(ident) = plain_column(column) else { return Err(SqlError::unsupported(format!("a {kind} over {column}"))) };
            let name = fold(ident);
            let id = self.key_column(&name)?;
            if ids.contains(&id) {
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{name}\" appears twice in {kind} constraint")));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    pub(super) fn add_key(
        &mut self,
        execution: &Execution<'_>,
        key: &PrimaryKeyConstraint,
        columns: Option<Vec<ColumnId>>,
        given: Option<String>,
    ) -> SqlResult<()> {
        if key.index_name.is_some() || key.index_type.is_some() || !key.index_options.is_empty() {
            return Err(SqlError::unsupported("an option of PRIMARY KEY"));
        }
        let timing = timing(key.characteristics.as_ref())?;
        if !self.key.is_empty() {
            let message = format!("multiple primary keys for table \"{}\" are not allowed", self.name);
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        let columns = match columns {
            Some(columns) => columns,
            None => self.listed(&key.columns, "primary key")?,
        };
        let given = given.or_else(|| key.name.as_ref().map(fold));
        if let Some(name) = &given {
            self.check_constraint_free(name)?;
            if self.has_relation(execution, name) {
                return Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
            }
        }
        let plain = format!("{}_pkey", self.name);
        let name = given.unwrap_or_else(|| free_name(&self.name, "", "pkey", |name| self.has_relation(execution, name)));
        self.rules.key_name = (name != plain).then_some(name);
        self.rules.key_timing = timing;
        for column in self.columns.iter_mut().filter(|column| columns.contains(&column.id)) {
            column.not_null = true;
        }
        self.key = columns;
        Ok(())
    }

    pub(super) fn add_unique(
        &mut self,
        execution: &Execution<'_>,
        unique: &UniqueConstraint,
        columns: Option<Vec<ColumnId>>,
        given: Option<String>,
    ) -> SqlResult<()> {
        if unique.index_name.is_some() || unique.index_type.is_some() || !unique.index_options.is_empty() {
            return Err(SqlError::unsupported("an option of UNIQUE"));
        }
        let nulls_equal = unique.nulls_distinct == NullsDistinctOption::NotDistinct;
        let timing = timing(unique.characteristics.as_ref())?;
        let columns = match columns {
            Some(columns) => columns,
            None => self.listed(&unique.columns, "unique")?,
        };
        let given = given.or_else(|| unique.name.as_ref().map(fold));
        let is_same =
            |index: &Index| index.constraint && index.columns == columns && (index.nulls_equal, index.timing) == (nulls_equal, timing);
        let is_key = self.key == columns && !nulls_equal && self.rules.key_timing == timing;
        let is_told_already = is_key || self.rules.indexes.iter().any(is_same);
        if given.is_none() && is_told_already {
            return Ok(());
        }
        if let Some(name) = &given {
            self.check_constraint_free(name)?;
            if self.has_relation(execution, name) {
                return Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
            }
        }
        let made = self.column_names(&columns);
        let name = given.unwrap_or_else(|| free_name(&self.name, &made, "key", |name| self.has_relation(execution, name)));
        let id = execution.transaction.ledger().next_object_id();
        let options = vec![0; columns.len()];
        self.rules.indexes.push(Index {
            id,
            name,
            columns,
            expressions: Vec::new(),
            condition: None,
            include: Vec::new(),
            options,
            classes: Vec::new(),
            unique: true,
            nulls_equal,
            constraint: true,
            timing,
            names: Vec::new(),
            comment: None,
            constraint_comment: None,
        });
        Ok(())
    }

    pub(super) fn add_check(
        &mut self,
        execution: &Execution<'_>,
        check: &CheckConstraint,
        given: Option<String>,
        column: Option<&str>,
    ) -> SqlResult<()> {
        if check.enforced == Some(false) {
            return Err(SqlError::unsupported("NOT ENFORCED"));
        }
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let positions = rules::columns_of(&self.name, &names, &check.expr)?;
        let given = given.or_else(|| check.name.as_ref().map(fold));
        if let Some(name) = &given {
            self.check_constraint_free(name)?;
        }
        let second = match (column, positions.as_slice()) {
            (Some(column), _) => column,
            (None, [one]) => names[*one],
            (None, _) => "",
        };
        let name = given.unwrap_or_else(|| free_name(&self.name, second, "check", |name| self.has_constraint(name)));
        let columns = positions.iter().map(|at| self.columns[*at].id).collect();
        let id = execution.transaction.ledger().next_object_id();
        self.rules.checks.push(Check { id, name, expression: check.expr.to_string(), columns, not_valid: false, comment: None });
        Ok(())
    }
}

/// The integer type behind a serial one.
fn serial(data_type: &DataType) -> Option<SqlType> {
    let DataType::Custom(name, modifiers) = data_type else { return None };
    if !modifiers.is_empty() {
        return None;
    }
    let name: &ObjectName = name;
    match name.to_string().to_lowercase().as_str() {
        "serial" | "serial4" => Some(SqlType::Int4),
        "bigserial" | "serial8" => Some(SqlType::Int8),
        "smallserial" | "serial2" => Some(SqlType::Int2),
        _ => None,
    }
}

/// The column that an element of a key is, if it is one and nothing more.
pub(super) fn plain_column(column: &IndexColumn) -> Option<&Ident> {
    let options = &column.column.options;
    match &column.column.expr {
        Expr::Identifier(ident) if column.operator_class.is_none() && options.asc.is_none() && options.nulls_first.is_none() => Some(ident),
        _ => None,
    }
}

/// Postgres has its own words for a default of another type.
pub(super) fn mistyped(error: SqlError, column: &ColumnDef, expr: &Expr) -> SqlError {
    if error.state() != SqlState::DATATYPE_MISMATCH {
        return error;
    }
    let given = error.message().rsplit_once("expression is of type ").map_or_else(|| expr.to_string(), |(_, given)| given.to_owned());
    let wanted = column.sql_type.name();
    let message = format!("column \"{}\" is of type {wanted} but default expression is of type {given}", column.name);
    SqlError::new(SqlState::DATATYPE_MISMATCH, message).hint("You will need to rewrite or cast the expression.")
}

/// Names that a column cannot have: those of Postgres's system columns, of which `tableoid` is here, and of the one that numbers rows.
const SYSTEM_COLUMNS: [&str; 7] = [ROW_ID, relational::TABLE_OID, "ctid", "xmin", "cmin", "xmax", "cmax"];

/// Errors: 42701.
pub(super) fn check_column_name(name: &str) -> SqlResult<()> {
    if !SYSTEM_COLUMNS.contains(&name) {
        return Ok(());
    }
    let message = format!("column name \"{name}\" conflicts with a system column name");
    Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message))
}
