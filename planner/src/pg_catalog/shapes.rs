//! Names, oids, columns and types of the virtual tables, read once from `shapes.txt`.
//!
//! S1: `shapes.txt` is what PostgreSQL 15 says of itself, a table a line, in schema and name order.
//! Never: knows a row.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use engine::SqlType;
use relational::{DECLARED_TYPE, TABLE_COLUMN};

/// One table.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) schema: &'static str,
    pub(super) name: &'static str,
    pub(super) oid: i64,
    /// `r` or `v`, as in Postgres.
    pub(super) kind: &'static str,
    pub(super) columns: Vec<ShapeColumn>,
    pub(super) arrow: SchemaRef,
}

/// One column.
#[derive(Debug)]
pub(super) struct ShapeColumn {
    pub(super) name: &'static str,
    /// `typname` in `pg_type`.
    pub(super) type_name: &'static str,
}

impl ShapeColumn {
    /// The layout its values have in queries.
    pub(super) fn arrow(&self) -> DataType {
        match self.type_name {
            "bool" => DataType::Boolean,
            "int2" => DataType::Int16,
            "int4" | "cardinal_number" => DataType::Int32,
            "int8" => DataType::Int64,
            "float4" => DataType::Float32,
            "timestamptz" | "time_stamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            "_int2" => DataType::new_list(DataType::Int16, true),
            "_oid" => DataType::new_list(DataType::UInt32, true),
            "_text" | "_name" | "_char" | "_aclitem" | "_regtype" => DataType::new_list(DataType::Utf8, true),
            _ => self.sql_type().map_or(DataType::Utf8, SqlType::arrow),
        }
    }

    /// The type that clients are told; `None` for one that nothing answers with.
    fn sql_type(&self) -> Option<SqlType> {
        SqlType::from_oid(u32::try_from(self.type_oid()).ok()?)
    }

    /// As queries see it, with type and place.
    fn field(&self, table: i64, number: usize) -> Field {
        let field = Field::new(self.name, self.arrow(), true);
        let place = (TABLE_COLUMN.to_owned(), format!("{table},{number}"));
        let declared = self.sql_type().map(|sql_type| (DECLARED_TYPE.to_owned(), format!("{},{}", sql_type.oid(), sql_type.typmod())));
        field.with_metadata(declared.into_iter().chain([place]).collect())
    }

    /// The base type's oid, which is also that of the domains of `information_schema`.
    pub(super) fn type_oid(&self) -> i64 {
        let base = match self.type_name {
            "sql_identifier" => "name",
            "character_data" | "yes_or_no" => "varchar",
            "cardinal_number" => "int4",
            "time_stamp" => "timestamptz",
            other => other,
        };
        super::types::named(base).map_or(0, |known| known.oid)
    }
}

static SHAPES: LazyLock<Vec<Shape>> =
    LazyLock::new(|| include_str!("shapes.txt").lines().filter(|line| !line.starts_with('#')).filter_map(read).collect());

fn read(line: &'static str) -> Option<Shape> {
    let (head, columns) = line.split_once(": ")?;
    let mut head = head.split(' ');
    let (schema, name) = head.next()?.split_once('.')?;
    let oid = head.next()?.parse().ok()?;
    let kind = head.next()?;
    let column = |text: &'static str| text.split_once(' ').map(|(name, type_name)| ShapeColumn { name, type_name });
    let columns = columns.split(", ").map(column).collect::<Option<Vec<_>>>()?;
    let fields = columns.iter().zip(1..).map(|(column, number)| column.field(oid, number)).collect::<Vec<_>>();
    Some(Shape { schema, name, oid, kind, columns, arrow: Arc::new(Schema::new(fields)) })
}

/// Every table.
pub(super) fn all() -> impl Iterator<Item = &'static Shape> {
    SHAPES.iter()
}

/// The table of that name.
pub(super) fn find(schema: &str, name: &str) -> Option<&'static Shape> {
    all().find(|shape| shape.name == name && shape.schema == schema)
}
