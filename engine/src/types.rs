//! The SQL types a column can have: their Postgres oids, their Arrow layouts and their canonical names.
//!
//! T1: one SQL type has one Arrow layout, in the log, in segments and in queries. `char(n)` lies in it without its blanks.
//! T2: layouts differ where types do, but for the three string types; `json` and `jsonb` are a struct of one string, named after the type.
//! T3: `numeric(p, s)` with 0 ≤ s ≤ p ≤ 38 is Arrow's Decimal128, any other numeric a struct of one binary field, whose bytes sort as the numbers do.
//! Never: parses or prints a value (planner/types does).

mod catalog;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

pub use catalog::{CatalogType, VECTOR_ITEM};

/// A column's type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SqlType {
    /// `boolean`
    Bool,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric(precision, scale)` whose values fit 128 bits (T3)
    Numeric {
        /// Digits in all, 1–38.
        precision: u8,
        /// Digits after the point, 0–precision.
        scale: u8,
    },
    /// `numeric` of any digits, each value with its own display scale; with a limit where one was declared that [`SqlType::Numeric`] has no room for
    AnyNumeric(Option<NumericLimit>),
    /// `text`
    Text,
    /// `character varying(n)`, n in characters; `None` is without limit.
    Varchar(Option<u32>),
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp without time zone`, µs
    Timestamp,
    /// `timestamp with time zone`, µs UTC
    Timestamptz,
    /// `character(n)`, n in characters; `None` is `bpchar`, without a length
    Bpchar(Option<u32>),
    /// `time without time zone`, µs since midnight, 24:00:00 included
    Time,
    /// `interval`: months, days and µs, none made of another
    Interval,
    /// `uuid`
    Uuid,
    /// `json`, the text as written
    Json,
    /// `jsonb`, the text in Postgres's one form
    Jsonb,
    /// A one-dimensional array.
    Array(Element),
    /// A type of the catalog, which queries answer with and no table has.
    Catalog(CatalogType),
}

/// Precision and scale of a numeric beyond Decimal128 (T3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NumericLimit {
    /// Digits in all, 1–1,000.
    pub precision: u16,
    /// Digits after the point, −1,000–1,000.
    pub scale: i16,
}

/// The type of an array's elements, by oid and modifier; never an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Element {
    oid: u32,
    typmod: i32,
}

/// Oids of a type and of the arrays of it.
const ARRAYS: [(u32, u32); 31] = [
    (16, 1000),
    (17, 1001),
    (18, 1002),
    (19, 1003),
    (24, 1008),
    (26, 1028),
    (28, 1011),
    (1033, 1034),
    (2202, 2207),
    (2205, 2210),
    (2206, 2211),
    (3220, 3221),
    (4089, 4090),
    (4096, 4097),
    (20, 1016),
    (21, 1005),
    (23, 1007),
    (25, 1009),
    (114, 199),
    (700, 1021),
    (701, 1022),
    (1042, 1014),
    (1043, 1015),
    (1082, 1182),
    (1083, 1183),
    (1114, 1115),
    (1184, 1185),
    (1186, 1187),
    (1700, 1231),
    (2950, 2951),
    (3802, 3807),
];

/// The layout of `json` or `jsonb` (T2).
fn document(name: &str) -> DataType {
    DataType::Struct(Fields::from(vec![Field::new(name, DataType::Utf8, true)]))
}

/// The layout of [`SqlType::AnyNumeric`] (T3).
fn any_numeric() -> DataType {
    DataType::Struct(Fields::from(vec![Field::new("numeric", DataType::Binary, true)]))
}

/// The type a struct is the layout of, if it is one.
fn struct_type(fields: &Fields) -> Option<SqlType> {
    match fields.as_ref() {
        [field] if field.data_type() == &DataType::Binary && field.name() == "numeric" => Some(SqlType::AnyNumeric(None)),
        [field] if field.data_type() == &DataType::Utf8 => match field.name().as_str() {
            "json" => Some(SqlType::Json),
            "jsonb" => Some(SqlType::Jsonb),
            _ => None,
        },
        _ => CatalogType::of_shown(fields).map(SqlType::Catalog),
    }
}

impl SqlType {
    /// The arrays of this type; `None` for an array.
    pub fn array(self) -> Option<Self> {
        let element = Element { oid: self.oid(), typmod: self.typmod() };
        let is_element = match self {
            Self::Array(_) => false,
            Self::Catalog(known) => known.element().is_none() && !matches!(known, CatalogType::NodeTree | CatalogType::Void),
            _ => true,
        };
        is_element.then_some(Self::Array(element))
    }

    /// `numeric(precision, scale)`; `None` for a modifier out of range.
    pub fn numeric(precision: u16, scale: i16) -> Option<Self> {
        if !(1..=1_000).contains(&precision) || !(-1_000..=1_000).contains(&scale) {
            return None;
        }
        Some(match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision @ ..=38), Ok(scale)) if scale <= precision => Self::Numeric { precision, scale },
            _ => Self::AnyNumeric(Some(NumericLimit { precision, scale })),
        })
    }

    /// The type of an array's elements; `None` for anything else.
    pub fn element(self) -> Option<Self> {
        match self {
            Self::Array(element) => Self::with_typmod(element.oid, element.typmod.into()),
            _ => None,
        }
    }

    /// The type's oid in Postgres's `pg_type`.
    pub const fn oid(self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Bytea => 17,
            Self::Int8 => 20,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Text => 25,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Varchar(_) => 1043,
            Self::Date => 1082,
            Self::Timestamp => 1114,
            Self::Timestamptz => 1184,
            Self::Numeric { .. } | Self::AnyNumeric(_) => 1700,
            Self::Bpchar(_) => 1042,
            Self::Time => 1083,
            Self::Interval => 1186,
            Self::Uuid => 2950,
            Self::Json => 114,
            Self::Jsonb => 3802,
            Self::Catalog(known) => known.oid(),
            Self::Array(element) => {
                let mut at = 0;
                while ARRAYS[at].0 != element.oid {
                    at += 1;
                }
                ARRAYS[at].1
            }
        }
    }

    /// The type with this oid and no modifier; `None` for oids this version does not know.
    pub const fn from_oid(oid: u32) -> Option<Self> {
        Some(match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            25 => Self::Text,
            700 => Self::Float4,
            701 => Self::Float8,
            1043 => Self::Varchar(None),
            1082 => Self::Date,
            1114 => Self::Timestamp,
            1184 => Self::Timestamptz,
            1700 => Self::AnyNumeric(None),
            1042 => Self::Bpchar(None),
            1083 => Self::Time,
            1186 => Self::Interval,
            2950 => Self::Uuid,
            114 => Self::Json,
            3802 => Self::Jsonb,
            _ => {
                let mut at = 0;
                while at < ARRAYS.len() {
                    if ARRAYS[at].1 == oid {
                        return Some(Self::Array(Element { oid: ARRAYS[at].0, typmod: -1 }));
                    }
                    at += 1;
                }
                return match CatalogType::from_oid(oid) {
                    Some(known) => Some(Self::Catalog(known)),
                    None => None,
                };
            }
        })
    }

    /// Postgres's `typmod`: −1 where there is none.
    pub const fn typmod(self) -> i32 {
        match self {
            Self::Numeric { precision, scale } => (((precision as i32) << 16) | scale as i32) + 4,
            Self::AnyNumeric(Some(limit)) => (((limit.precision as i32) << 16) | (limit.scale as i32 & 0x7ff)) + 4,
            Self::Varchar(Some(n)) | Self::Bpchar(Some(n)) => n as i32 + 4,
            Self::Array(element) => element.typmod,
            _ => -1,
        }
    }

    /// The type with this oid and Postgres `typmod`; `None` for an unknown oid or an impossible modifier.
    pub fn with_typmod(oid: u32, typmod: i64) -> Option<Self> {
        match (Self::from_oid(oid)?, typmod) {
            (sql_type, -1) => Some(sql_type),
            (Self::Varchar(_), n) => Some(Self::Varchar(Some(u32::try_from(n - 4).ok()?))),
            (Self::Bpchar(_), n) => Some(Self::Bpchar(Some(u32::try_from(n - 4).ok()?))),
            (Self::Array(element), n) => Self::with_typmod(element.oid, n)?.array(),
            (Self::AnyNumeric(_), n) => {
                let n = u32::try_from(n - 4).ok()?;
                // The scale has eleven bits, the highest of which is its sign.
                let scale = ((n & 0x7ff) as i16 ^ 0x400) - 0x400;
                Self::numeric(u16::try_from(n >> 16).ok()?, scale)
            }
            _ => None,
        }
    }

    /// Postgres's `typlen`: bytes of a fixed-size value, −1 for others.
    pub const fn typlen(self) -> i16 {
        match self {
            Self::Bool => 1,
            Self::Int2 => 2,
            Self::Int4 | Self::Float4 | Self::Date => 4,
            Self::Int8 | Self::Float8 | Self::Timestamp | Self::Timestamptz | Self::Time => 8,
            Self::Interval | Self::Uuid => 16,
            Self::Numeric { .. } | Self::AnyNumeric(_) | Self::Text | Self::Varchar(_) | Self::Bpchar(_) => -1,
            Self::Bytea | Self::Json | Self::Jsonb | Self::Array(_) => -1,
            Self::Catalog(known) => known.typlen(),
        }
    }

    /// The Arrow layout (T1).
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric { precision, scale } => DataType::Decimal128(precision, scale as i8),
            Self::AnyNumeric(_) => any_numeric(),
            Self::Text | Self::Varchar(_) | Self::Bpchar(_) => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Json => document("json"),
            Self::Jsonb => document("jsonb"),
            Self::Array(_) => DataType::new_list(self.element().unwrap_or(Self::Text).arrow(), true),
            Self::Catalog(known) => known.arrow(),
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// The SQL type shown to a client for a column that a query computed with this Arrow type.
    pub fn from_arrow(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::UInt8 | DataType::Int16 => Self::Int2,
            DataType::UInt16 | DataType::Int32 => Self::Int4,
            DataType::Int64 | DataType::UInt64 => Self::Int8,
            DataType::UInt32 => Self::Catalog(CatalogType::Oid),
            DataType::Float16 | DataType::Float32 => Self::Float4,
            DataType::Float64 => Self::Float8,
            DataType::Decimal128(precision, scale) if *scale >= 0 => Self::Numeric { precision: *precision, scale: *scale as u8 },
            DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::FixedSizeBinary(16) => Self::Uuid,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => Self::Bytea,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Interval(_) | DataType::Duration(_) => Self::Interval,
            DataType::Struct(fields) => return struct_type(fields),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                return match CatalogType::of_vector(item) {
                    Some(vector) => Some(Self::Catalog(vector)),
                    None => Self::from_arrow(item.data_type())?.array(),
                };
            }
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::Timestamptz,
            _ => return None,
        })
    }

    /// The name as Postgres's `format_type` prints it.
    pub fn name(self) -> String {
        match self {
            Self::Bool => "boolean".into(),
            Self::Int2 => "smallint".into(),
            Self::Int4 => "integer".into(),
            Self::Int8 => "bigint".into(),
            Self::Float4 => "real".into(),
            Self::Float8 => "double precision".into(),
            Self::Numeric { precision, scale } => format!("numeric({precision},{scale})"),
            Self::AnyNumeric(None) => "numeric".into(),
            Self::AnyNumeric(Some(limit)) => format!("numeric({},{})", limit.precision, limit.scale),
            Self::Text => "text".into(),
            Self::Varchar(None) => "character varying".into(),
            Self::Varchar(Some(n)) => format!("character varying({n})"),
            Self::Bytea => "bytea".into(),
            Self::Date => "date".into(),
            Self::Timestamp => "timestamp without time zone".into(),
            Self::Timestamptz => "timestamp with time zone".into(),
            Self::Bpchar(None) => "bpchar".into(),
            Self::Bpchar(Some(n)) => format!("character({n})"),
            Self::Time => "time without time zone".into(),
            Self::Interval => "interval".into(),
            Self::Uuid => "uuid".into(),
            Self::Json => "json".into(),
            Self::Jsonb => "jsonb".into(),
            Self::Array(_) => self.element().map_or_else(String::new, Self::name) + "[]",
            Self::Catalog(known) => known.name().into(),
        }
    }
}
